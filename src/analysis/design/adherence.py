"""Taking part as planned: those who start are followed for as long as they attend.

Inverse probability of adherence: Robins & Finkelstein 2000, Biometrics 56:779 (censoring that depends on what was
recorded); Hernán & Robins 2017, N Engl J Med 377:1391 (per-protocol effects).
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.design.covariates import design_matrix
from analysis.design.propensity import fit_propensity
from analysis.design.trials import Trials
from analysis.design.weights import WeightedFollowUp
from analysis.measure.employment import ONE_DAY, months_between
from analysis.measure.exposure import sessions_within
from analysis.plan.contract import Tables
from analysis.plan.faults import known

# The protocol: at least one session in each stretch of so many months, up to so many months after the start.
STRETCH_MONTHS = 2
PROTOCOL_MONTHS = 6
# Few, because few deviate.
ADHERENCE_COVARIATES = ("tenure_years", "age_years", "job_level", "performance_rating", "morale_last")


@dataclass(frozen=True)
class Adherence:
    """Who kept to the protocol, judged at the end of every stretch by what happened in it.

    Attributes
    ----------
    is_judged
        Rows × stretches: started, kept to it in every earlier stretch, still followed, taking part and not under notice
        when the stretch ended.
    has_kept
        Rows × stretches: attended at least one session in it; False where not judged.
    chance
        Rows × stretches: estimated chance of keeping to it, of those judged; 1 for the others.
    """

    is_judged: np.ndarray
    has_kept: np.ndarray
    chance: np.ndarray

    @property
    def deviates(self) -> np.ndarray:
        """Rows × stretches: judged and did not attend; follow-up under the protocol ends with that stretch."""
        return self.is_judged & ~self.has_kept


def excused_from(tables: Tables, program_id: str, role: str, rows: pd.DataFrame) -> np.ndarray:
    """Return months from each row's start until nobody expects attendance any more, shape (rows,).

    That is when taking part ended as planned (an end date, and the status is not ``withdrawn``: who withdraws is
    expected to attend all the same) or notice was given, whichever comes first; infinite where neither did. The status
    tells planned from early ends alone, never who is treated.
    """
    enrolled, employees = known(tables.enrolments), known(tables.employees)
    chosen = (enrolled["program_id"] == program_id) & (enrolled["role"] == role) & enrolled["end_date"].notna()
    ended = enrolled[chosen & (enrolled["status"] != "withdrawn").fillna(True).astype(bool)]
    key = pd.MultiIndex.from_frame(rows[["employee_id", "trial_date"]])
    end = ended.groupby(["employee_id", "start_date"])["end_date"].max().reindex(key).to_numpy()
    notice = employees[["employee_id", "notice_date"]].dropna()
    given = rows[["employee_id", "trial_date"]].assign(row=range(len(rows))).merge(notice, on="employee_id")
    given = given[given["notice_date"] > given["trial_date"]].groupby("row")["notice_date"].min()
    months = [
        months_between(rows["trial_date"], pd.Series(pd.to_datetime(end), index=rows.index) + ONE_DAY),
        months_between(rows["trial_date"], given.reindex(range(len(rows)))),
    ]
    return np.minimum(*months)


def adherence(trials: Trials, attended: pd.DataFrame, excused_months: np.ndarray) -> Adherence:
    """Return who of the treated kept to the protocol, and how likely that was.

    A stretch is judged at its end, and only where the person was followed and expected until then: an exit within a
    stretch counts, whatever was attended before it. The chance of keeping to it is a pooled logistic regression over
    stretches on few covariates at time zero and the sessions attended before the stretch, each stretch with its own
    share; the coefficients have the prior of `design.propensity`. A stretch that all, or none, kept to is left out of
    it.

    Parameters
    ----------
    attended
        As from `measure.exposure.attended`.
    excused_months
        As from `excused_from`, shape (rows,).
    """
    rows = trials.rows
    ends = np.arange(STRETCH_MONTHS, PROTOCOL_MONTHS + 1, STRETCH_MONTHS)
    by_then = [sessions_within(attended, rows, "trial_date", int(months)) for months in ends]
    sessions = np.column_stack([np.zeros(len(rows)), *by_then])
    met = np.diff(sessions, axis=1) > 0
    followed = rows["months"].to_numpy(dtype=float)[:, None] > ends
    expected = rows["is_treated"].to_numpy(dtype=bool)[:, None] & followed & (excused_months[:, None] >= ends)
    kept_so_far = np.cumprod(np.column_stack([np.ones(len(rows)), met | ~expected]), axis=1)[:, :-1].astype(bool)
    judged = expected & kept_so_far
    chance = _chance(trials.covariates, judged, met, sessions[:, :-1])
    return Adherence(judged, met & judged, chance)


def _chance(covariates: pd.DataFrame, judged: np.ndarray, met: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """Return the chance of keeping to the protocol where judged (elsewhere 1), rows × stretches."""
    chance = np.ones(judged.shape)
    mixed = np.array([len(np.unique(met[judged[:, s], s])) == 2 for s in range(judged.shape[1])])
    row, stretch = np.nonzero(judged & mixed)
    if not len(row):
        return chance
    kept = met[row, stretch]
    few = covariates[[c for c in ADHERENCE_COVARIATES if c in covariates]].iloc[row].reset_index(drop=True)
    terms = design_matrix(few, kept).values  # noqa: PD011 (no frame)
    before = earlier[row, stretch]
    if before.std() > 0:
        terms = np.column_stack([terms, (before - before.mean()) / before.std()])
    numbers = np.unique(stretch, return_inverse=True)[1]
    chance[row, stretch] = fit_propensity(terms, kept, numbers).probability
    return chance


def under_protocol(followed: WeightedFollowUp, kept: Adherence) -> WeightedFollowUp:
    """Return the follow-up with the treated under protocol: weighted for having kept to it, until they do not.

    Who deviates is censored at the end of that stretch; who keeps to it weighs 1 / (chance of it) more from there on,
    in place of those censored. Comparators stay as they are, and so do their weights' derivatives. The weights of
    adherence are taken as known, which on average makes the interval a little too long rather than too short (weights
    from a fitted model spread the estimate less than the true ones; Robins, Rotnitzky & Zhao 1995, JASA 90:106).
    """
    ends = STRETCH_MONTHS * np.arange(1, kept.chance.shape[1] + 1)
    stop = np.where(kept.deviates, ends, np.inf).min(axis=1)
    grown = np.column_stack([np.ones(len(stop)), np.cumprod(1 / kept.chance, axis=1)])
    bounds = np.concatenate([[0.0], ends, [np.inf]])
    n_parts = np.where(followed.treated[followed.row], len(bounds) - 1, 1)
    source = np.repeat(np.arange(len(followed.row)), n_parts)
    part = np.arange(len(source)) - np.concatenate([[0], np.cumsum(n_parts)])[source]
    row, treated = followed.row[source], followed.treated[followed.row[source]]
    entry = np.where(treated, np.maximum(followed.entry[source], bounds[part]), followed.entry[source])
    exit = np.where(treated, np.minimum(followed.exit[source], bounds[part + 1]), followed.exit[source])
    inside = (exit > entry) & (~treated | (entry < stop[row]))
    source, row, part, treated = source[inside], row[inside], part[inside], treated[inside]
    entry, exit = entry[inside], exit[inside]
    outcome = np.where(exit == followed.exit[source], followed.outcome[source], 0)
    weights = followed.weights[source] * np.where(treated, grown[row, part], 1.0)
    model = followed.model
    if model is not None:
        old, places = model.follow, {"row": row, "entry": entry, "exit": exit, "outcome": outcome}
        cut = replace(old, **places, survived=old.survived[source], log_factor=old.log_factor[source])
        model = replace(model, follow=cut, is_cut=model.is_cut[source])
    return replace(
        followed,
        rows=_censored(followed.rows, stop),
        row=row,
        entry=entry,
        exit=exit,
        outcome=outcome,
        weights=weights,
        model=model,
    )


def _censored(rows: pd.DataFrame, stop: np.ndarray) -> pd.DataFrame:
    """Return the rows with follow-up ended at `stop` months; an exit at exactly that time counts."""
    is_later = rows["months"].to_numpy(dtype=float) > stop
    months = np.minimum(rows["months"].to_numpy(dtype=float), stop)
    return rows.assign(months=months, outcome=rows["outcome"].where(~is_later, None))
