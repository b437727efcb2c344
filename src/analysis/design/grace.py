"""Starting within the grace of an intake against not starting: everybody is cloned on the day the intake opens.

Clone, censor, weight: Hernán & Robins 2016, Am J Epidemiol 183:758; Hernán, Wang & Leaf 2022, JAMA 328:2446; a day of
starting left to chance within the grace: Cain et al. 2010, Int J Biostat 6(2):18.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.eligible import eligible_levels, is_eligible
from analysis.design.starters import not_started
from analysis.design.trials import covariates_of, known_enrolments, observed_starts
from analysis.measure.calendar import ONE_DAY, day_of, months_between
from analysis.measure.employment import exit_outcome, job_history, staff_on, under_notice_on
from analysis.measure.exposure import competing_starts, first_starts, starts_elsewhere
from analysis.plan.contract import Tables
from analysis.plan.study import Program, Study

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
        free = not_started(staff, any_start, None, after=day - ONE_DAY) & is_eligible(staff, rule)
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
