"""The ratio of cause-specific hazards between two arms, by weighted Cox regression."""

import numpy as np

from analysis.design.weights import WeightedFollowUp
from analysis.estimate.arms import ANY_EXIT, Arms
from analysis.estimate.ask import Ask
from analysis.estimate.cox import cox
from analysis.estimate.event_rows import event_row
from analysis.estimate.inference import Interval, wald_on_log
from analysis.estimate.retention import std_error
from analysis.measure.employment import EXITS
from analysis.plan.results import Estimate

COX = "iptw_cox"


def hazard_row(
    ask: Ask, followed: WeightedFollowUp, arms: Arms, outcome: str, month: int, estimator: str = COX
) -> Estimate:
    """Return the row of the hazard ratio within `month`."""

    def read() -> Interval | None:
        return hazard_ratio(followed, arms, outcome, month)

    return event_row(ask, arms, outcome, month, "secondary", estimator, "hazard_ratio", read)


def hazard_ratio(followed: WeightedFollowUp, arms: Arms, outcome: str, month: float) -> Interval | None:
    """Return the ratio of the cause-specific hazards within `month`, treated to control; None without events in an arm.

    A marginal structural Cox model: weights as for the risks, other exits censor (Hernán, Brumback & Robins 2000,
    Epidemiology 11:561). Its standard error counts clusters and the estimated weights.
    """
    x = followed.treated[followed.row].astype(float)[:, None]
    found = hazard_ratios(followed, arms, outcome, month, x)
    return found[0] if found else None


def hazard_ratios(
    followed: WeightedFollowUp,
    arms: Arms,
    outcome: str,
    month: float,
    x: np.ndarray,
    origin: np.ndarray | None = None,
) -> list[Interval] | None:
    """Return one hazard ratio for each column of `x`, shape (intervals, columns); None where one has no value.

    Parameters
    ----------
    origin
        Where intervals were split: position of each among those that `arms` was made from.
    """
    inside = np.flatnonzero(followed.entry < month)
    wanted = [
        followed.kinds.index(k) + 1 for k in (EXITS if outcome == ANY_EXIT else (outcome,)) if k in followed.kinds
    ]
    event = np.isin(followed.outcome[inside], wanted) & (followed.exit[inside] <= month)
    exit = np.minimum(followed.exit[inside], month)
    fit = cox(followed.entry[inside], exit, event, followed.weights[inside], x[inside])
    if fit is None:
        return None
    intervals = inside if origin is None else origin[inside]
    contributions = [arms.clusters.sums(intervals, fit.influence[:, column]) for column in range(x.shape[1])]
    return [
        wald_on_log(beta, std_error(parts), arms.df)
        for beta, parts in zip(fit.coefficients, contributions, strict=True)
    ]
