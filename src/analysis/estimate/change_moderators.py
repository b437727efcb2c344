"""For whom, with how much of it and about what: the effect on a scale by age, tenure, dose and topic. Exploratory."""

import numpy as np
import pandas as pd

from analysis.estimate.ask import Ask
from analysis.estimate.change import Changed
from analysis.estimate.change_rows import DID, Measured
from analysis.estimate.inference import Interval
from analysis.estimate.rows import Groups, estimated, not_estimable, suppressed
from analysis.estimate.staggered import effect_slope
from analysis.plan.known import known
from analysis.plan.results import Analysis, Estimate

# Covariate → (measure in the ledger, units of the covariate in one unit of the measure).
SLOPES = {
    "age_years": ("mean_difference_per_decade_of_age", 10.0),
    "tenure_years": ("mean_difference_per_year_of_tenure", 1.0),
}
SESSIONS_PER_UNIT = 5
NO_SLOPE = "Too few people who started have a score before and after, or all of them are alike in it."


def moderator_rows(
    ask: Ask, measured: Measured, changed: Changed, sessions: np.ndarray | None, topics: pd.Series | None
) -> list[Estimate]:
    """Return how the effect varies, one row per moderator.

    Parameters
    ----------
    sessions
        Attended from the start until the later wave opened, shape (rows of the panel,); None where they are unknown.
    topics
        What those who started met about, by employee id: a set of names each; None where nothing is recorded.
    """
    rows, covariates = [], known(measured.panel).covariates
    for name, (measure, units) in SLOPES.items():
        if name in covariates:
            value = covariates[name].to_numpy(dtype=float) / units
            rows.append(_row(ask, measured, _slope(changed, value), "secondary", measure=measure))
    if sessions is not None:
        rows.append(_dose_row(ask, measured, changed, sessions))
    return rows + ([] if topics is None else _topic_rows(ask, measured, changed, topics))


def _slope(changed: Changed, value: np.ndarray) -> Interval | None:
    """Return the slope on a value of the panel's rows; the waves before the start have none."""
    everywhere = np.full(len(changed.stack.y), np.nan)
    everywhere[: len(value)] = value
    return effect_slope(changed.stack, changed.stack_weights, everywhere)


def _row(ask: Ask, measured: Measured, interval: Interval | None, analysis: Analysis, **changes) -> Estimate:
    question = ask.question(rater_source=measured.rater_source)
    if interval is None:
        return not_estimable(question, analysis, DID, NO_SLOPE, **changes)
    people = known(measured.panel).rows.groupby("is_treated")["employee_id"].nunique()
    return estimated(question, analysis, DID, interval, Groups(int(people[True]), int(people[False])), **changes)


def _dose_row(ask: Ask, measured: Measured, changed: Changed, sessions: np.ndarray) -> Estimate:
    """Return by how much those who met more often changed more: an association, for who meets more also differs."""
    rows = known(measured.panel).rows
    treated = rows["is_treated"].to_numpy(dtype=bool)
    by_person = pd.Series(sessions).groupby(rows["employee_id"].to_numpy()).transform("max").to_numpy()
    more = by_person > np.median(by_person[treated])
    changes = {
        "contrast": "more_vs_fewer_sessions",
        "estimand": "association",
        "measure": "mean_difference_per_five_sessions",
    }
    return _among_starters(ask, measured, more, _slope(changed, sessions / SESSIONS_PER_UNIT), changes)


def _among_starters(
    ask: Ask, measured: Measured, group: np.ndarray, interval: Interval | None, changes: dict
) -> Estimate:
    """Return the row of a comparison among those who started: `group`, shape (rows,), against the others of them."""
    rows, question = known(measured.panel).rows, ask.question(rater_source=measured.rater_source)
    treated = rows["is_treated"].to_numpy(dtype=bool)
    sizes = [rows.loc[chosen, "employee_id"].nunique() for chosen in (treated & group, treated & ~group)]
    if min(sizes) < ask.study.min_cell:
        return suppressed(question, "descriptive", DID, ask.study.min_cell, **changes)
    if interval is None:
        return not_estimable(question, "descriptive", DID, NO_SLOPE, **changes)
    return estimated(question, "descriptive", DID, interval, Groups(*sizes), **changes)


def _topic_rows(ask: Ask, measured: Measured, changed: Changed, topics: pd.Series) -> list[Estimate]:
    """Return, for each topic that enough people met about and enough did not, how much more they changed.

    None where the topics of only a few are unknown: both groups' sizes would tell how many.
    """
    rows, found = known(measured.panel).rows, []
    treated = rows["is_treated"].to_numpy(dtype=bool)
    theirs = topics.reindex(rows["employee_id"])
    is_told = theirs.notna().to_numpy() & treated
    unknown = rows.loc[treated & ~is_told, "employee_id"].nunique()
    if 0 < unknown < ask.study.min_cell:
        return []
    for topic in sorted(set().union(*theirs[is_told])):
        about = np.array([isinstance(names, frozenset) and topic in names for names in theirs])
        sizes = [rows.loc[is_told & chosen, "employee_id"].nunique() for chosen in (about, ~about)]
        if min(sizes) < ask.study.min_cell:
            continue
        value = np.where(is_told, about.astype(float), np.nan)
        changes = {"contrast": f"topic_{topic}_vs_other_topics", "estimand": "association"}
        interval = _slope(changed, value)
        if interval is not None:
            question = ask.question(rater_source=measured.rater_source)
            found.append(estimated(question, "descriptive", DID, interval, Groups(*sizes), **changes))
    return found
