"""The ratio of cause-specific hazards between two arms, by weighted Cox regression."""

import numpy as np

from analysis.design.weights import WeightedFollowUp
from analysis.estimate.arms import Arms
from analysis.estimate.cox import cox
from analysis.estimate.inference import Interval, wald_on_log
from analysis.estimate.jackknife import Jackknife, contributions
from analysis.estimate.retention import std_error
from analysis.plan.catalogue import CATALOGUE

COX = "iptw_cox"


def hazard_ratio(followed: WeightedFollowUp, arms: Arms, outcome: str, month: float) -> Interval | None:
    """Return the ratio of the cause-specific hazards within `month`, treated to control; None without events in an arm.

    A marginal structural Cox model: weights as for the risks, other exits censor (Hernán, Brumback & Robins 2000,
    Epidemiology 11:561). Its standard error counts clusters and the estimated weights, as that of the risks does.
    """
    x = followed.treated[followed.row].astype(float)[:, None]
    found = hazard_ratios(followed, arms, outcome, month, x)
    if found is None:
        return None
    if arms.jackknife is None:
        return found[0]
    log_ratio = float(np.log(found[0].estimate))
    without = _without_groups(arms.jackknife, log_ratio, _kinds(followed, outcome), month)
    return wald_on_log(log_ratio, std_error(contributions(without)), arms.df)


def _kinds(followed: WeightedFollowUp, outcome: str) -> list[int]:
    """Return the positions of an outcome's kinds among the follow-up's."""
    wanted = CATALOGUE.outcome(outcome).kinds
    return [followed.kinds.index(kind) for kind in wanted if kind in followed.kinds]


def _without_groups(jackknife: Jackknife, log_ratio: float, kinds: list[int], month: float) -> np.ndarray:
    """Return the log hazard ratio without each group, shape (groups,): one Newton step from the whole sample's.

    One step has a value also where the group takes an arm's last events with it. Tied events as by Breslow 1974
    (Biometrics 30:89): of the spread between groups that changes next to nothing.
    """
    treated, control = jackknife.treated, jackknife.control
    inside = treated.grid <= month
    events = [arm.events[kinds].sum(axis=0)[:, inside] for arm in (treated, control)]
    at_risk = np.exp(log_ratio) * treated.at_risk[:, inside]
    share, both = at_risk / (at_risk + control.at_risk[:, inside]), sum(events)
    score = (events[0] - both * share).sum(axis=1)
    return log_ratio + score / (both * share * (1 - share)).sum(axis=1)


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
    codes = [position + 1 for position in _kinds(followed, outcome)]
    event = np.isin(followed.outcome[inside], codes) & (followed.exit[inside] <= month)
    exit = np.minimum(followed.exit[inside], month)
    fit = cox(followed.entry[inside], exit, event, followed.weights[inside], x[inside])
    if fit is None:
        return None
    intervals = inside if origin is None else origin[inside]
    by_cluster = [arms.clusters.sums(intervals, fit.influence[:, column]) for column in range(x.shape[1])]
    return [
        wald_on_log(beta, std_error(parts), arms.df) for beta, parts in zip(fit.coefficients, by_cluster, strict=True)
    ]
