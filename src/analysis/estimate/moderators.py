"""For whom, when and with how much of it: the retention effect by age, tenure, direction, time and dose."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from analysis.design.weights import WeightedFollowUp
from analysis.estimate.analyses import SUPPRESSED, Analysis, Groups, Numbers, Question, Row
from analysis.estimate.arms import Arms
from analysis.estimate.by_trials import ByTrials
from analysis.estimate.cox import COX, hazard_ratios
from analysis.estimate.doubly_robust import pseudo_values
from analysis.estimate.event_rows import short_follow_up
from analysis.estimate.inference import FEW_EVENTS, Interval, cluster_sums, minus, std_error, wald
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.faults import known
from analysis.plan.results import AnalysisKind, Estimate, Estimated

# Covariate → (measure in the ledger, units of the covariate in one unit of the measure).
SLOPES = {
    "age_years": ("risk_difference_per_decade_of_age", 10.0),
    "tenure_years": ("risk_difference_per_year_of_tenure", 1.0),
}
DOSE_MONTHS = 6
SESSIONS_PER_UNIT = 5


def slope_rows(c: ByTrials) -> Iterator[Row]:
    """Yield how the difference in risk changes with age and with tenure, both continuous."""
    if min(c.fixed_arms.n_events(c.outcome, c.first)) < FEW_EVENTS:
        return
    for name, (measure, units) in SLOPES.items():
        value = c.trials.covariates[name].to_numpy(dtype=float) / units
        if _varies(value, c.followed):
            read = partial(effect_slope, c.followed, c.fixed_arms, value, c.outcome, c.first)
            yield c.row(c.fixed_arms, c.first, measure=measure, read=read)


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


def phase_rows(c: ByTrials) -> Iterator[Row]:
    """Yield the hazard ratio while the program lasted for a person and after it had ended, each against not started."""
    followed, ends = c.followed, np.where(c.followed.treated, c.sets.ends(), np.inf)
    cut = ends[followed.row]
    after = (followed.entry < cut) & (cut < followed.exit)
    position = np.concatenate([np.arange(len(cut)), np.flatnonzero(after)])
    split = WeightedFollowUp(
        rows=followed.rows,
        kinds=followed.kinds,
        months=followed.months,
        row=followed.row[position],
        entry=np.concatenate([followed.entry, cut[after]]),
        exit=np.concatenate([np.where(after, cut, followed.exit), followed.exit[after]]),
        outcome=np.concatenate([np.where(after, 0, followed.outcome), followed.outcome[after]]),
        weights=followed.weights[position],
        by_unit=followed.by_unit,
    )
    treated = followed.treated[split.row]
    is_after = split.entry >= ends[split.row]
    x = np.column_stack([treated & ~is_after, treated & is_after]).astype(float)
    found = hazard_ratios(split, c.fixed_arms, c.outcome, c.first, x, position)
    for place, contrast in enumerate(("during_program_vs_not", "after_program_vs_not")):
        if found is None:
            reason = "No such exit during the program, after it, or among the comparators: a ratio has no value."
            yield Row(reason, {"contrast": contrast})
        else:
            read = partial(found.__getitem__, place)
            yield c.row(c.fixed_arms, c.first, measure="hazard_ratio", read=read, contrast=contrast)


def dose_row(c: ByTrials) -> Iterator[Row]:
    """Yield, among those who started and were there six months on, how later exits differ by sessions attended.

    Who attends more may differ in other ways: an association, adjusted for what was recorded before the start. The
    dose is counted up to a landmark and exits from there, so that nobody had to stay to attend (Anderson, Cain & Gelber
    1983, J Clin Oncol 1:710).
    """
    followed, arms, sessions = c.followed, c.fixed_arms, c.sets.sessions()
    month = next((h for h in c.horizons if h > DOSE_MONTHS), None)
    if sessions is None or month is None or short_follow_up(c.question, arms, month):
        return
    chosen = followed.treated & (followed.rows["months"].to_numpy(dtype=float) > DOSE_MONTHS)
    more = sessions > np.median(sessions[chosen]) if chosen.any() else chosen
    people, at = followed.rows["employee_id"], {"horizon_months": month}
    sizes = [people[chosen & group].nunique() for group in (more, ~more)]
    if min(sizes) < c.question.study.min_cell:
        yield Row(SUPPRESSED, at)
        return
    interval, events = _landmark(followed, arms, chosen, sessions / SESSIONS_PER_UNIT, c.outcome, month)
    if interval is None:
        reason = "Too few exits after the first six months among those who started, or everybody met equally often."
        yield Row(reason, at)
        return
    counts = [int(people[chosen & group & events].nunique()) for group in (more, ~more)]
    yield Row(Numbers(interval, Groups(*sizes, *counts)), at)


def _landmark(followed, arms, chosen, dose, outcome, month) -> tuple[Interval | None, np.ndarray]:
    """Return the slope of the risk from the landmark on, and who had the event by `month`."""
    kept = chosen[followed.row]
    later = replace(
        followed,
        row=followed.row[kept],
        entry=np.maximum(followed.entry[kept], DOSE_MONTHS),
        exit=followed.exit[kept],
        outcome=followed.outcome[kept],
        weights=np.ones(kept.sum()),
        by_unit=False,
        model=None,
    )
    arm = Arms.of(later, arms.clusters.codes).treated
    rows = followed.rows
    wanted = rows["outcome"].isin(CATALOGUE.outcome(outcome).kinds)
    events = (chosen & wanted & (rows["months"] <= month)).to_numpy()
    if events.sum() < FEW_EVENTS or np.std(dose[chosen]) == 0:
        return None, events
    y = arm.risk(outcome, month) + arm.row_influence(outcome, month)[chosen] * chosen.sum()
    terms = followed.model.propensity.terms[chosen, 1:]
    x = np.column_stack([np.ones(chosen.sum()), terms, dose[chosen]])
    penalty = np.diag([0.0] + [1.0] * terms.shape[1] + [0.0])
    bread = np.linalg.inv(x.T @ x + penalty)
    coefficients = bread @ (x.T @ y)
    influence = (x * (y - x @ coefficients)[:, None]) @ bread[:, -1]
    codes = np.unique(arms.clusters.codes[chosen], return_inverse=True)[1]
    return wald(coefficients[-1], std_error(cluster_sums(influence, codes, codes.max() + 1)), arms.df), events


MODERATORS: tuple[Analysis[ByTrials], ...] = (
    Analysis("slopes", slope_rows, "secondary", "pseudo_value_regression"),
    Analysis(
        "phases", phase_rows, naming={"contrast": "during_program_vs_not", "measure": "hazard_ratio"}, estimator=COX
    ),
    Analysis(
        "dose",
        dose_row,
        "descriptive",
        "pseudo_value_regression",
        {
            "contrast": "more_vs_fewer_sessions",
            "estimand": "association",
            "measure": "risk_difference_per_five_sessions",
        },
    ),
)


def direction_row(question: Question, reverse: Estimated, traditional: Estimated) -> Estimate:
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
    groups = Groups(reverse.n_treated, traditional.n_treated, reverse.events_treated, traditional.events_treated)
    naming = {name: getattr(reverse, name) for name in ("outcome", "rater_source", "horizon_months")}
    naming |= {"contrast": "reverse_vs_traditional"}
    # Beside a main row that is secondary itself, a filter on analysis and measure must find that alone.
    analysis: AnalysisKind = "secondary" if question.main_analysis == "primary" else "descriptive"
    return question.row(reverse.estimator, Numbers(minus(one, other), groups), naming, analysis)


def _interval(row: Estimated) -> Interval:
    """Return the interval of a row with a number and a p-value."""
    return Interval(row.estimate, row.std_error, *row.limits, known(row.p_value))
