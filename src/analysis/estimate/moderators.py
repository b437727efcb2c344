"""For whom, when and with how much of it: the retention effect by age, tenure, direction, time and dose."""

from functools import partial

import numpy as np
import pandas as pd

from analysis.design.weights import WeightedFollowUp
from analysis.estimate.arms import Arms
from analysis.estimate.ask import Ask
from analysis.estimate.doubly_robust import pseudo_values
from analysis.estimate.event_rows import event_row, short_follow_up
from analysis.estimate.hazard import COX, hazard_ratios
from analysis.estimate.inference import FEW_EVENTS, Interval, cluster_sums, minus, wald
from analysis.estimate.retention import std_error
from analysis.estimate.rows import Groups, estimated, not_estimable, suppressed
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.known import known
from analysis.plan.results import Analysis, Estimate

# Covariate → (measure in the ledger, units of the covariate in one unit of the measure).
SLOPES = {
    "age_years": ("risk_difference_per_decade_of_age", 10.0),
    "tenure_years": ("risk_difference_per_year_of_tenure", 1.0),
}
DOSE_MONTHS = 6
SESSIONS_PER_UNIT = 5


def slope_rows(
    ask: Ask, followed: WeightedFollowUp, arms: Arms, covariates: pd.DataFrame, outcome: str, month: int
) -> list[Estimate]:
    """Return how the difference in risk changes with age and with tenure, both continuous."""
    rows = []
    for name, (measure, units) in SLOPES.items():
        value = covariates[name].to_numpy(dtype=float) / units
        if min(arms.n_events(outcome, month)) < FEW_EVENTS or not _varies(value, followed):
            continue
        rows.append(
            event_row(
                ask,
                arms,
                outcome,
                month,
                "secondary",
                "pseudo_value_regression",
                measure,
                read=partial(effect_slope, followed, arms, value, outcome, month),
            )
        )
    return rows


def _varies(value: np.ndarray, followed: WeightedFollowUp) -> bool:
    """Whether the known values differ in both arms; in one alone no slope can be told from the arm."""
    told = [value[arm & (followed.base > 0) & ~np.isnan(value)] for arm in (followed.treated, ~followed.treated)]
    return all(len(one) and np.ptp(one) > 0 for one in told)


def effect_slope(followed: WeightedFollowUp, arms: Arms, value: np.ndarray, outcome: str, month: int) -> Interval:
    """Return by how much the difference in risk rises with one unit of `value`, shape (rows,); unknown ones left out.

    Weighted regression of the pseudo-values on arm, value and their product (Andersen, Klein & Rosthøj 2003,
    Biometrika 90:15), clustered; the weights are taken as known.
    """
    is_known = ~np.isnan(value)
    treated, base = followed.treated[is_known].astype(float), followed.base[is_known]
    centred = value[is_known] - np.average(value[is_known], weights=base * treated)
    x = np.column_stack([np.ones(is_known.sum()), treated, centred, treated * centred])
    y = pseudo_values(followed, arms, outcome, month)[is_known]
    return _regression(x, y, base, arms.clusters.codes[is_known], arms.df)


def _regression(x: np.ndarray, y: np.ndarray, weights: np.ndarray, codes: np.ndarray, df: float) -> Interval:
    """Return the last coefficient of a weighted least-squares regression with its clustered interval."""
    bread = np.linalg.inv((x * weights[:, None]).T @ x)
    coefficients = bread @ (x.T @ (weights * y))
    influence = (x * (weights * (y - x @ coefficients))[:, None]) @ bread[:, -1]
    labels, codes = np.unique(codes, return_inverse=True)
    return wald(coefficients[-1], std_error(cluster_sums(influence, codes, len(labels))), df)


def phase_rows(
    ask: Ask, followed: WeightedFollowUp, arms: Arms, ends: np.ndarray, outcome: str, month: int
) -> list[Estimate]:
    """Return the hazard ratio while the program lasted for a person and after it had ended, each against not started.

    Parameters
    ----------
    ends
        Months from the start to the end of taking part, infinite where it had not ended, shape (rows,).
    """
    cut = np.where(followed.treated, ends, np.inf)[followed.row]
    after = (followed.entry < cut) & (cut < followed.exit)
    position = np.concatenate([np.arange(len(cut)), np.flatnonzero(after)])
    split = WeightedFollowUp(
        followed.rows,
        followed.kinds,
        followed.months,
        followed.row[position],
        np.concatenate([followed.entry, cut[after]]),
        np.concatenate([np.where(after, cut, followed.exit), followed.exit[after]]),
        np.concatenate([np.where(after, 0, followed.outcome), followed.outcome[after]]),
        followed.weights[position],
        followed.by_unit,
    )
    treated = followed.treated[split.row]
    is_after = split.entry >= np.where(followed.treated, ends, np.inf)[split.row]
    x = np.column_stack([treated & ~is_after, treated & is_after]).astype(float)
    found = hazard_ratios(split, arms, outcome, month, x, position)
    rows = []
    for place, contrast in enumerate(("during_program_vs_not", "after_program_vs_not")):
        row = {"contrast": contrast, "horizon_months": month, "measure": "hazard_ratio"}
        if found is None:
            reason = "No such exit during the program, after it, or among the comparators: a ratio has no value."
            rows.append(not_estimable(ask.question(outcome), "sensitivity", COX, reason, **row))
            continue
        rows.append(
            event_row(
                ask,
                arms,
                outcome,
                month,
                "sensitivity",
                COX,
                "hazard_ratio",
                read=partial(found.__getitem__, place),
                contrast=contrast,
            )
        )
    return rows


def dose_row(ask: Ask, followed: WeightedFollowUp, arms: Arms, sessions: np.ndarray, outcome: str) -> list[Estimate]:
    """Return, among those who started and were there six months on, how later exits differ by sessions attended.

    Who attends more may differ in other ways: an association, adjusted for what was recorded before the start. The
    dose is counted up to a landmark and exits from there, so that nobody had to stay to attend (Anderson, Cain & Gelber
    1983, J Clin Oncol 1:710).

    Parameters
    ----------
    sessions
        Attended in the first six months after the start, shape (rows,).
    """
    month = next((h for h in ask.study.horizons_months if h > DOSE_MONTHS), None)
    changes = {
        "contrast": "more_vs_fewer_sessions",
        "estimand": "association",
        "measure": "risk_difference_per_five_sessions",
        "horizon_months": month,
    }
    if month is None or short_follow_up(ask, arms, month):
        return []
    chosen = followed.treated & (followed.rows["months"].to_numpy(dtype=float) > DOSE_MONTHS)
    question, estimator = ask.question(outcome), "pseudo_value_regression"
    more = sessions > np.median(sessions[chosen]) if chosen.any() else chosen
    people = followed.rows["employee_id"]
    sizes = [people[chosen & group].nunique() for group in (more, ~more)]
    if min(sizes) < ask.study.min_cell:
        return [suppressed(question, "descriptive", estimator, ask.study.min_cell, **changes)]
    interval, events = _landmark(followed, arms, chosen, sessions / SESSIONS_PER_UNIT, outcome, month)
    if interval is None:
        reason = "Too few exits after the first six months among those who started, or everybody met equally often."
        return [not_estimable(question, "descriptive", estimator, reason, **changes)]
    counts = [int(people[chosen & group & events].nunique()) for group in (more, ~more)]
    return [estimated(question, "descriptive", estimator, interval, Groups(*sizes, *counts), **changes)]


def _landmark(followed, arms, chosen, dose, outcome, month) -> tuple[Interval | None, np.ndarray]:
    """Return the slope of the risk from the landmark on, and who had the event by `month`."""
    kept = chosen[followed.row]
    later = WeightedFollowUp(
        followed.rows,
        followed.kinds,
        followed.months,
        followed.row[kept],
        np.maximum(followed.entry[kept], DOSE_MONTHS),
        followed.exit[kept],
        followed.outcome[kept],
        np.ones(kept.sum()),
    )
    arm = Arms.of(later, arms.clusters.codes).treated
    rows = followed.rows
    wanted = rows["outcome"].isin(CATALOGUE.outcome(outcome).kinds)
    events = (chosen & wanted & (rows["months"] <= month)).to_numpy()
    if events.sum() < FEW_EVENTS or np.std(dose[chosen]) == 0:
        return None, events
    y = arm.risk(outcome, month) + arm.row_influence(outcome, month)[chosen] * chosen.sum()
    terms = known(followed.model).propensity.terms[chosen, 1:]
    x = np.column_stack([np.ones(chosen.sum()), terms, dose[chosen]])
    penalty = np.diag([0.0] + [1.0] * terms.shape[1] + [0.0])
    bread = np.linalg.inv(x.T @ x + penalty)
    coefficients = bread @ (x.T @ y)
    influence = (x * (y - x @ coefficients)[:, None]) @ bread[:, -1]
    codes = np.unique(arms.clusters.codes[chosen], return_inverse=True)[1]
    return wald(coefficients[-1], std_error(cluster_sums(influence, codes, codes.max() + 1)), arms.df), events


def direction_row(ask: Ask, reverse: Estimate, traditional: Estimate) -> Estimate:
    """Return the effect of the reverse program less that of the traditional one, for people of the same seniority.

    Each program is compared with those who had not started it, and the two effects with each other: a difference of
    effects in two groups who chose differently. The effects are taken as independent; colleagues who are compared with
    both make the interval too wide, if anything.

    Parameters
    ----------
    reverse, traditional
        Main rows of both programs, with numbers, of one outcome and horizon.
    """
    one, other = _interval(reverse), _interval(traditional)
    groups = Groups(
        known(reverse.n_treated), known(traditional.n_treated), reverse.events_treated, traditional.events_treated
    )
    row = {"contrast": "reverse_vs_traditional", "horizon_months": reverse.horizon_months}
    question = ask.question(reverse.outcome, reverse.rater_source)
    # Beside a main row that is secondary itself, a filter on analysis and measure must find that alone.
    analysis: Analysis = "secondary" if ask.main_analysis == "primary" else "descriptive"
    return estimated(question, analysis, reverse.estimator, minus(one, other), groups, **row)


def _interval(row: Estimate) -> Interval:
    """Return the interval of a row with a number and a p-value."""
    return Interval(row.value, known(row.std_error), *row.limits, known(row.p_value))
