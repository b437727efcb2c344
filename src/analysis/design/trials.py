"""Target trials: at every start day, those who start against those who could have and did not.

Hernán & Robins 2016, Am J Epidemiol 183:758 (target trial); Danaei et al. 2013, Stat Methods Med Res 22:70 (a
sequence of trials, one per start).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.covariates import covariates_on
from analysis.measure.calendar import ONE_DAY, months_since
from analysis.measure.employment import (
    Staff,
    exit_outcome,
    job_history,
    job_value_at,
    staff_on,
    tenure_days,
    under_notice_on,
)
from analysis.measure.exposure import first_starts, starts_elsewhere
from analysis.plan.contract import Tables
from analysis.plan.study import Eligibility, Program, Study

FLOW_STEPS = (
    "started",
    "earlier start in another role",
    "not employed that day",
    "under notice",
    "level or tenure not eligible",
    "no colleague to compare with that day",
    "no colleague nearly as likely to start",
    "analysed",
)
ROW_COLUMNS = [
    "trial_date",
    "employee_id",
    "is_treated",
    "unit",
    "manager_id",
    "job_level",
    "months",
    "outcome",
    "trial",
]


@dataclass(frozen=True)
class Trials:
    """The emulated trials of one program and role.

    Attributes
    ----------
    rows
        One row per trial and person in it: ``trial`` (0, 1, … by start day), ``trial_date``, ``employee_id``,
        ``is_treated``, ``unit`` (department that day), ``months`` (calendar months from the trial date to the end of
        follow-up), ``outcome`` (kind of exit that ended it; missing = censored: data lock, or own start), and as of
        that day ``job_level`` and ``manager_id``.
    covariates
        Same rows, what was known before the trial date.
    flow
        What became of those who started, one row per step: ``step``, ``n_people``.
    by_unit
        Comparators are those in units that the program has not reached (rollout).
    hurdles
        Rows and covariates of the days on which people who could have started this program started another one of
        the company's (``is_treated``): a comparator is followed until he does, and who does is no accident. None
        where there is no such day.
    """

    rows: pd.DataFrame
    covariates: pd.DataFrame
    flow: pd.DataFrame
    by_unit: bool
    hurdles: tuple[pd.DataFrame, pd.DataFrame] | None = None

    def take(self, chosen: np.ndarray) -> "Trials":
        """Return the trials of the rows chosen (a mask), without those that are left with one arm.

        Those who started and go are counted in the flow as having no colleague nearly as likely to start.
        """
        arms = self.rows[chosen].groupby("trial")["is_treated"].nunique()
        kept = chosen & self.rows["trial"].isin(arms.index[arms == 2]).to_numpy()
        rows = self.rows[kept].reset_index(drop=True)
        rows = rows.assign(trial=pd.factorize(rows["trial"], sort=True)[0])
        n_treated = int(rows["is_treated"].sum())
        flow = self.flow.set_index("step")["n_people"].copy()
        flow[FLOW_STEPS[-2]] += flow["analysed"] - n_treated
        flow["analysed"] = n_treated
        return Trials(
            rows, self.covariates[kept].reset_index(drop=True), flow.reset_index(), self.by_unit, self.hurdles
        )


def eligible_levels(tables: Tables, program: Program, role: str) -> Eligibility:
    """Return the role's eligibility: as the study states it, else the job levels seen among that role's applicants.

    Without job history levels cannot be looked at, and everyone's will do; so does it where nobody has applied.
    """
    stated = program.eligibility.get(role, Eligibility())
    if tables.jobs is None:
        return stated.model_copy(update={"job_level": None})
    if stated.job_level is not None or tables.enrolments is None:
        return stated
    applied = tables.enrolments[(tables.enrolments["program_id"] == program.id) & (tables.enrolments["role"] == role)]
    seen = job_value_at(tables.jobs, "job_level", applied["employee_id"], applied["intake_date"]).dropna()
    bounds = (float(seen.min()), float(seen.max())) if len(seen) else None
    return stated.model_copy(update={"job_level": bounds})


def is_eligible(staff: Staff, rule: Eligibility) -> np.ndarray:
    """Return who may take the role that day, by job level and tenure; an unknown level is not eligible."""
    fits = tenure_days(staff.spells, staff.day).to_numpy() >= rule.min_tenure_days
    if rule.job_level is None:
        return fits
    level = staff.jobs["job_level"].to_numpy(dtype=float)
    return fits & (level >= rule.job_level[0]) & (level <= rule.job_level[1])


def build_trials(tables: Tables, study: Study, program: Program, role: str, scores: dict[str, pd.DataFrame]) -> Trials:
    """Return one trial per day on which somebody first started `role` in `program`.

    In the trial of a day are those employed, of an eligible level and tenure, not under notice, who had not started
    the program in any role. Eligibility, assignment and follow-up begin on that same day in both arms, so no day
    before the start is credited to the program. Comparators are followed until they start themselves, here or in
    another program of the company; in a rollout they are in units not yet reached, and followed until their unit is.

    Raises
    ------
    ValueError
        Employees or enrolments are missing: nothing to build trials from.
    """
    if tables.employees is None or tables.enrolments is None:
        raise ValueError("trials need employees and enrolments")
    starts = first_starts(tables.enrolments, program.id, role)
    own_start = first_starts(tables.enrolments, program.id)
    by_unit = program.assignment == "rollout"
    company = _Company(
        tables,
        study,
        eligible_levels(tables, program, role),
        own_start,
        units_reached(tables, own_start) if by_unit else None,
        starts_elsewhere(tables.enrolments, program.id),
        job_history(tables.jobs),
        scores,
    )
    lost = dict.fromkeys(FLOW_STEPS, 0)
    lost["started"] = len(starts)
    starts = starts[starts <= own_start.reindex(starts.index)]
    lost["earlier start in another role"] = lost["started"] - len(starts)
    rows, covariates = _stacked([company.trial(day, set(who.index), lost) for day, who in starts.groupby(starts)])
    lost["analysed"] = int(rows["is_treated"].sum())
    flow = pd.DataFrame({"step": list(lost), "n_people": list(lost.values())})
    others = company.elsewhere.groupby("start_date")["employee_id"]
    hurdles = _stacked([company.hurdle(day, set(who)) for day, who in others] if not by_unit else [])
    return Trials(rows, covariates, flow, by_unit, hurdles if len(hurdles[0]) else None)


def _stacked(trials: list[tuple[pd.DataFrame, pd.DataFrame] | None]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows and covariates of all trials that have both arms, numbered in order."""
    kept = [trial for trial in trials if trial is not None]
    if not kept:
        return pd.DataFrame(columns=ROW_COLUMNS), pd.DataFrame()
    rows = [rows.assign(trial=number) for number, (rows, _) in enumerate(kept)]
    return pd.concat(rows, ignore_index=True), pd.concat([known for _, known in kept], ignore_index=True)


@dataclass(frozen=True)
class _Company:
    """What a trial of any day is made from: tables, eligibility, and who started what and when."""

    tables: Tables
    study: Study
    rule: Eligibility
    own_start: pd.Series
    reached: pd.Series | None
    elsewhere: pd.DataFrame
    history: pd.DataFrame | None
    scores: dict[str, pd.DataFrame]

    def trial(self, day: pd.Timestamp, starters: set[str], lost: dict[str, int]):
        """Return the rows and covariates of the trial of one day; None where it has one arm. Count who is lost."""
        staff = staff_on(self.tables.employees, self.history, day)
        is_starter, keep = _who_is_in(staff, self.rule, starters, self.own_start, self.reached, lost)
        if not is_starter[keep].any() or is_starter[keep].all():
            lost["no colleague to compare with that day"] += int(is_starter[keep].sum())
            return None
        staff = staff.take(keep)
        return trial_rows(staff, is_starter[keep], self.study, self._stop(staff)), self._covariates(staff)

    def hurdle(self, day: pd.Timestamp, starters: set[str]):
        """Return a trial of starting another program that day, among those who could have started this one."""
        staff = staff_on(self.tables.employees, self.history, day)
        is_starter, keep = _who_is_in(staff, self.rule, starters, self.own_start, None, dict.fromkeys(FLOW_STEPS, 0))
        keep &= not_started(staff, self.own_start, None, after=day)
        if not is_starter[keep].any() or is_starter[keep].all():
            return None
        staff = staff.take(keep)
        return trial_rows(staff, is_starter[keep], self.study, self._stop(staff)), self._covariates(staff)

    def _covariates(self, staff: Staff) -> pd.DataFrame:
        return covariates_on(staff, self.scores).assign(**started_elsewhere(self.elsewhere, staff))

    def _stop(self, staff: Staff) -> pd.Series:
        """Return the day on which each person's own start, or that of the unit, ends a comparison (missing = none)."""
        people = staff.spells["employee_id"]
        if self.reached is not None:
            own = pd.to_datetime(staff.jobs["department"].map(self.reached))
        else:
            own = self.own_start.reindex(people).reset_index(drop=True)
        later = self.elsewhere[self.elsewhere["start_date"] > staff.day]
        other = later.groupby("employee_id")["start_date"].min().reindex(people).reset_index(drop=True)
        return own.fillna(other).where(~(other < own), other)


def started_elsewhere(elsewhere: pd.DataFrame, staff: Staff) -> dict[str, np.ndarray]:
    """Return who had started another of the company's programs before the day; nothing where there is none.

    `elsewhere` is from `measure.exposure.starts_elsewhere`.
    """
    if elsewhere.empty:
        return {}
    earlier = elsewhere.loc[elsewhere["start_date"] < staff.day, "employee_id"]
    return {"in_other_program": staff.spells["employee_id"].isin(earlier).to_numpy(dtype=float)}


def _who_is_in(staff, rule, starters, any_start, reached, lost) -> tuple[np.ndarray, np.ndarray]:
    """Return who starts and who is in the trial; count into `lost` the starters who cannot be in it."""
    is_starter = staff.spells["employee_id"].isin(starters).to_numpy()
    lost["not employed that day"] += len(starters) - int(is_starter.sum())
    noticed = under_notice_on(staff.spells, staff.day).to_numpy()
    fits = is_eligible(staff, rule)
    lost["under notice"] += int((is_starter & noticed).sum())
    lost["level or tenure not eligible"] += int((is_starter & ~noticed & ~fits).sum())
    unstarted = not_started(staff, any_start, reached, after=staff.day)
    return is_starter, ~noticed & fits & (is_starter | unstarted)


def not_started(staff: Staff, any_start: pd.Series, reached: pd.Series | None, after: pd.Timestamp) -> np.ndarray:
    """Return who starts only after a day, or never; in a rollout, whose unit is reached only after it, or never."""
    own_start = any_start.reindex(staff.spells["employee_id"]).to_numpy()
    unstarted = np.isnat(own_start) | (own_start > np.datetime64(after))
    if reached is None:
        return unstarted
    unit = staff.jobs["department"]
    unit_day = reached.reindex(unit).to_numpy(dtype="datetime64[ns]")
    return unstarted & unit.notna().to_numpy() & (np.isnat(unit_day) | (unit_day > np.datetime64(after)))


def units_reached(tables: Tables, starts: pd.Series) -> pd.Series:
    """Return the day on which the program reached each unit: its first start there, by department that day."""
    if tables.jobs is None or starts.empty:
        return pd.Series(dtype="datetime64[ns]")
    units = job_value_at(tables.jobs, "department", pd.Series(starts.index, index=starts.index), starts)
    return starts.groupby(units).min()


def trial_rows(staff: Staff, is_starter: np.ndarray, study: Study, stop: pd.Series) -> pd.DataFrame:
    """Return the trial's rows: follow-up in months, ended by exit (its day counts), a start or the data lock."""
    spells, unit = staff.spells, staff.jobs["department"]
    exit_end = spells["exit_date"] + ONE_DAY
    lock_end = pd.Timestamp(study.as_of) + ONE_DAY
    stop = pd.to_datetime(stop).where(~is_starter).fillna(lock_end).clip(upper=lock_end)
    is_exit = exit_end <= stop
    return pd.DataFrame(
        {
            "trial_date": staff.day,
            "employee_id": spells["employee_id"],
            "is_treated": is_starter,
            "unit": unit,
            "manager_id": staff.jobs["manager_id"],
            "job_level": staff.jobs["job_level"],
            "months": months_since(staff.day, exit_end.where(is_exit, stop)),
            "outcome": exit_outcome(spells["exit_type"]).where(is_exit, None),
        }
    )
