"""Other protocols than the trials': taking part as planned, and starting within the grace of an intake.

Inverse probability of adherence: Robins & Finkelstein 2000, Biometrics 56:779 (censoring that depends on what was
recorded); Hernán & Robins 2017, N Engl J Med 377:1391 (per-protocol effects). Trials of an intake, whose people are
cloned by `design.clones`: Hernán & Robins 2016, Am J Epidemiol 183:758.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.design.covariates import design_matrix
from analysis.design.eligibility import eligible_levels, is_eligible, not_started
from analysis.design.propensity import fit_propensity
from analysis.design.starts import known_enrolments, observed_starts
from analysis.design.trials import Trials, covariates_of
from analysis.design.weights import ModelledFollowUp
from analysis.measure.employment import (
    ONE_DAY,
    day_of,
    exit_outcome,
    job_history,
    months_between,
    staff_on,
    under_notice_on,
)
from analysis.measure.exposure import competing_starts, first_starts, sessions_within, starts_elsewhere
from analysis.plan.contract import Tables
from analysis.plan.faults import known
from analysis.plan.study import Program, Study

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
    by_then = [sessions_within(attended, rows, int(months)) for months in ends]
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


def under_protocol(followed: ModelledFollowUp, kept: Adherence) -> ModelledFollowUp:
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
    model, places = followed.model, {"row": row, "entry": entry, "exit": exit, "outcome": outcome}
    survived, log_factor = model.follow.survived[source], model.follow.log_factor[source]
    cut = replace(model.follow, **places, survived=survived, log_factor=log_factor)
    return replace(
        followed,
        rows=_censored(followed.rows, stop),
        row=row,
        entry=entry,
        exit=exit,
        outcome=outcome,
        weights=weights,
        model=replace(model, follow=cut, is_cut=model.is_cut[source]),
    )


def _censored(rows: pd.DataFrame, stop: np.ndarray) -> pd.DataFrame:
    """Return the rows with follow-up ended at `stop` months; an exit at exactly that time counts."""
    is_later = rows["months"].to_numpy(dtype=float) > stop
    months = np.minimum(rows["months"].to_numpy(dtype=float), stop)
    return rows.assign(months=months, outcome=rows["outcome"].where(~is_later, None))


# --- grace ------------------------------------------------------------------------------------------------------------
# Starting within the grace of an intake against not starting: everybody is cloned on the day the intake opens.

# After every day in a study; where nothing has happened yet.
NEVER = pd.Timestamp(2250, 1, 1)


@dataclass(frozen=True)
class GraceTrials:
    """One emulated trial per intake, and one per start that belongs to none.

    Attributes
    ----------
    rows
        One row per trial and person eligible on its day: ``trial`` (0, 1, …), ``trial_date``, ``employee_id``,
        ``is_treated`` (starts within the trial's grace), ``start_date`` (own first start, in this trial or later, in
        any role; missing = none), ``closed_date`` (first day on which the person could not have started any more: gone,
        or under notice), ``end_date`` (the first day no longer followed: gone, or the data lock), ``outcome`` (kind of
        exit that ended it; missing = data lock).
    covariates
        Same rows, what was known before the trial date.
    """

    rows: pd.DataFrame
    covariates: pd.DataFrame

    @property
    def by_group(self) -> pd.DataFrame:
        """The people behind both arms, for counting: ``employee_id, is_treated, months, outcome``, as in `Trials`.

        Those who started within a grace, and the others, these followed until they start.
        """
        rows = self.rows
        stop = rows["start_date"].where(~rows["is_treated"]).fillna(NEVER)
        is_end = rows["end_date"] <= stop
        months = months_between(rows["trial_date"], rows["end_date"].where(is_end, stop))
        return rows[["employee_id", "is_treated"]].assign(months=months, outcome=rows["outcome"].where(is_end, None))

    def take(self, chosen: np.ndarray) -> "GraceTrials":
        """Return the trials of the rows chosen (a mask), without those that are left with one arm."""
        arms = self.rows[chosen].groupby("trial")["is_treated"].nunique()
        kept = chosen & self.rows["trial"].isin(arms.index[arms == 2]).to_numpy()
        rows = self.rows[kept].reset_index(drop=True)
        rows = rows.assign(trial=pd.factorize(rows["trial"], sort=True)[0])
        return GraceTrials(rows, self.covariates[kept].reset_index(drop=True))


def intake_of_start(enrolments: pd.DataFrame, program: Program, role: str) -> pd.DataFrame:
    """Return the day from which each first start is counted, one row per person: ``start_date``, ``trial_date``.

    That is the intake the person enrolled in where the start lies within its grace, else the last intake whose grace it
    falls into, else the day of the start itself: it stands alone. Index: employee id.
    """
    rows = enrolments[(enrolments["program_id"] == program.id) & (enrolments["role"] == role)]
    intakes = np.sort(rows["intake_date"].dropna().unique())
    started = rows[rows["start_date"].notna()].sort_values(["start_date", "intake_date"], kind="stable")
    first = started.drop_duplicates("employee_id").set_index("employee_id")[["start_date", "intake_date"]]
    grace = pd.Timedelta(days=program.grace_days)
    last = np.searchsorted(intakes, first["start_date"].to_numpy(), side="right") - 1
    latest = pd.Series(intakes[np.maximum(last, 0)], index=first.index).where(last >= 0)
    own = first["intake_date"]
    within = [(day <= first["start_date"]) & (first["start_date"] <= day + grace) for day in (own, latest)]
    day = own.where(within[0], latest.where(within[1], first["start_date"]))
    return pd.DataFrame({"start_date": first["start_date"], "trial_date": day})


def build_grace_trials(
    tables: Tables, study: Study, program: Program, role: str, scores: dict[str, pd.DataFrame]
) -> GraceTrials:
    """Return one trial per intake, of everybody eligible on the day it opens and not started before.

    Eligible, and within the period observed, as in `design.trials.build_trials`. Whoever started another role of the
    program first is not treated and is followed until that start; so is whoever starts another program before this
    one, and who does on the intake's own day is in no trial of it. Nobody stands in for those lost to other programs,
    as somebody does in the main answer. Intakes into which nobody, or everybody, started have nothing to compare and
    are left out.
    """
    enrolments = known_enrolments(tables, study)
    any_start = first_starts(enrolments, program.id)
    starts = intake_of_start(enrolments, program, role)
    starts = starts[starts.index.isin(observed_starts(enrolments, study, program, role).index)]
    starts = starts[starts["trial_date"] >= pd.Timestamp(study.study_start)]
    elsewhere, competing = (
        starts_elsewhere(enrolments, program.id),
        competing_starts(enrolments, program.id, role),
    )
    rule, history = eligible_levels(tables, program, role), job_history(tables.jobs)
    parts: list[pd.DataFrame] = []
    known: list[pd.DataFrame] = []
    for day in sorted(starts["trial_date"].unique()):
        day = pd.Timestamp(day)
        staff = staff_on(tables, history, day)
        free = not_started(staff, any_start, after=day - ONE_DAY) & is_eligible(staff, rule)
        staff = staff.take(free & ~under_notice_on(staff.spells, day).to_numpy())
        rows = _rows(staff, study, any_start, starts[starts["trial_date"] == day], _first_since(competing, day))
        kept = (rows["is_treated"] | (rows["end_date"] > day)).to_numpy()
        if rows.loc[kept, "is_treated"].nunique() < 2:
            continue
        parts.append(rows[kept].reset_index(drop=True).assign(trial=len(parts)))
        known.append(covariates_of(staff.take(kept), scores, elsewhere))
    if not parts:
        return GraceTrials(pd.DataFrame({"is_treated": np.zeros(0, dtype=bool)}), pd.DataFrame())
    return GraceTrials(pd.concat(parts, ignore_index=True), pd.concat(known, ignore_index=True))


def _first_since(competing: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    """Return each person's first competing start on or after a day, by employee id."""
    return competing[competing["start_date"] >= day].groupby("employee_id")["start_date"].min()


def _rows(staff, study: Study, any_start: pd.Series, starts: pd.DataFrame, competing: pd.Series) -> pd.DataFrame:
    """Return a trial's rows; a start in a later spell of employment is not one of this spell.

    Those who do not start in this trial are followed to their first competing start.
    """
    spells, lock_end = staff.spells, pd.Timestamp(study.as_of) + ONE_DAY
    gone = (spells["exit_date"] + ONE_DAY).fillna(NEVER)
    start = day_of(spells["employee_id"], any_start)
    start = start.where((start < gone) & (start < lock_end))
    treated = spells["employee_id"].isin(starts.index) & start.notna()
    notice = spells["notice_date"].fillna(NEVER)
    closed = gone.where(gone <= notice, notice)
    # Who starts although under notice could evidently start.
    closed = closed.where(~treated | (closed > start), start + ONE_DAY)
    lost = competing.reindex(spells["employee_id"]).reset_index(drop=True).where(~treated).fillna(NEVER)
    last = lost.clip(upper=lock_end)
    return pd.DataFrame(
        {
            "trial_date": staff.day,
            "employee_id": spells["employee_id"],
            "is_treated": treated,
            "start_date": start,
            "closed_date": closed.where(closed <= lost, lost),
            "end_date": gone.clip(upper=last),
            "outcome": exit_outcome(spells["exit_type"]).where(gone <= last, None),
        }
    )
