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
from analysis.measure.exposure import first_starts
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
    """

    rows: pd.DataFrame
    covariates: pd.DataFrame
    flow: pd.DataFrame
    by_unit: bool

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
        return Trials(rows, self.covariates[kept].reset_index(drop=True), flow.reset_index(), self.by_unit)


def eligible_levels(tables: Tables, program: Program, role: str) -> Eligibility:
    """Return the role's eligibility: as the study states it, else the job levels seen among that role's applicants.

    Without job history levels cannot be looked at, and everyone's will do.
    """
    stated = program.eligibility.get(role, Eligibility())
    if tables.jobs is None:
        return stated.model_copy(update={"job_level": None})
    if stated.job_level is not None:
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
    before the start is credited to the program. Comparators are followed until they start themselves; in a rollout
    they are in units not yet reached, and followed until their unit is.

    Raises
    ------
    ValueError
        Employees or enrolments are missing: nothing to build trials from.
    """
    if tables.employees is None or tables.enrolments is None:
        raise ValueError("trials need employees and enrolments")
    rule = eligible_levels(tables, program, role)
    starts = first_starts(tables.enrolments, program.id, role)
    any_start = first_starts(tables.enrolments, program.id)
    by_unit = program.assignment == "rollout"
    reached = units_reached(tables, any_start) if by_unit else None
    history = job_history(tables.jobs)
    parts, known, lost = [], [], dict.fromkeys(FLOW_STEPS, 0)
    lost["started"] = len(starts)
    starts = starts[starts <= any_start.reindex(starts.index)]
    lost["earlier start in another role"] = lost["started"] - len(starts)
    for day, starters in starts.groupby(starts):
        staff = staff_on(tables.employees, history, day)
        is_starter, keep = _who_is_in(staff, rule, set(starters.index), any_start, reached, lost)
        if not is_starter[keep].any() or is_starter[keep].all():
            lost["no colleague to compare with that day"] += int(is_starter[keep].sum())
            continue
        staff = staff.take(keep)
        rows = trial_rows(staff, is_starter[keep], study, any_start, reached)
        parts.append(rows.assign(trial=len(parts)))
        known.append(covariates_on(staff, scores).assign(**started_elsewhere(tables.enrolments, study, program, staff)))
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=ROW_COLUMNS)
    lost["analysed"] = int(rows["is_treated"].sum())
    flow = pd.DataFrame({"step": list(lost), "n_people": list(lost.values())})
    covariates = pd.concat(known, ignore_index=True) if known else pd.DataFrame()
    return Trials(rows, covariates, flow, by_unit)


def started_elsewhere(enrolments: pd.DataFrame, study: Study, program: Program, staff: Staff) -> dict[str, np.ndarray]:
    """Return who had started another of the company's programs before the day; nothing where there is none."""
    others = [p.id for p in study.programs if p.id != program.id]
    if not others:
        return {}
    earlier = enrolments[enrolments["program_id"].isin(others) & (enrolments["start_date"] < staff.day)]
    return {"in_other_program": staff.spells["employee_id"].isin(earlier["employee_id"]).to_numpy(dtype=float)}


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
    unit_day = unit.map(reached).to_numpy(dtype="datetime64[ns]")
    return unstarted & unit.notna().to_numpy() & (np.isnat(unit_day) | (unit_day > np.datetime64(after)))


def units_reached(tables: Tables, starts: pd.Series) -> pd.Series:
    """Return the day on which the program reached each unit: its first start there, by department that day."""
    if tables.jobs is None or starts.empty:
        return pd.Series(dtype="datetime64[ns]")
    units = job_value_at(tables.jobs, "department", pd.Series(starts.index, index=starts.index), starts)
    return starts.groupby(units).min()


def trial_rows(staff: Staff, is_starter: np.ndarray, study: Study, any_start, reached) -> pd.DataFrame:
    """Return the trial's rows: follow-up in months, ended by exit (its day counts), own start or the data lock."""
    spells, unit = staff.spells, staff.jobs["department"]
    exit_end = spells["exit_date"] + ONE_DAY
    lock_end = pd.Timestamp(study.as_of) + ONE_DAY
    start = (
        unit.map(reached) if reached is not None else any_start.reindex(spells["employee_id"]).reset_index(drop=True)
    )
    stop = pd.to_datetime(start).where(~is_starter).fillna(lock_end).clip(upper=lock_end)
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
