"""The company's own exits before any program could have changed them: what a plan starts from.

Landmarks: van Houwelingen 2007, Scand J Stat 34:70. On every landmark day those eligible that day are followed from it,
so that a plan meets people as a program would: employed, eligible, not under notice.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.eligible import eligible_levels, is_eligible
from analysis.measure.calendar import ONE_DAY, add_months, months_between, months_since
from analysis.measure.employment import Staff, exit_outcome, job_history, staff_on, under_notice_on
from analysis.plan.contract import Tables
from analysis.plan.study import Eligibility, Program, Study

# Eligibility is looked at anew so often; stretches of this length between landmarks count every exit once.
STEP_MONTHS = 3
COLUMNS = ["landmark_date", "employee_id", "is_under_notice", "months", "reach_months", "outcome"]


@dataclass(frozen=True)
class History:
    """Follow-up of a role's eligible people before the first program.

    Attributes
    ----------
    rows
        One row per landmark day and person of an eligible level and tenure on it: ``landmark_date``, ``employee_id``,
        ``is_under_notice`` (leaving already: nobody whom a program would take), ``months`` (calendar months from the
        landmark to the end of follow-up), ``reach_months`` (from the landmark to the end of the history), ``outcome``
        (kind of exit that ended it; missing = censored at the end of the history).
    first_day, last_day
        The days between which exits are counted, both included; none are where `last_day` lies before `first_day`.
    observed_months
        Calendar months from the first landmark to the end of the history; 0 where there is none.
    is_before_program
        The history ends the day before the first start in a program, not at the data lock.
    n_eligible
        People eligible on the last day and not under notice, who could then have been offered a place.
    """

    rows: pd.DataFrame
    first_day: dt.date
    last_day: dt.date
    observed_months: float
    is_before_program: bool
    n_eligible: int


def build_history(tables: Tables, study: Study, program: Program | None, role: str) -> History:
    """Return the exits of those eligible for `role`, on landmark days from the study's start on.

    It ends at the data lock or, where somebody has started in any program before that, the day before that first start:
    for everybody, since a colleague's program may change those who are not in it too. Nobody counts before
    `study_start` (delayed entry). Who started in any program before it counts at no time, and ends no history: what
    such a program changed for the others belongs to the company as it is found. Without a program, or levels to go by,
    everybody employed is eligible.

    Raises
    ------
    ValueError
        There are no employees.
    """
    if tables.employees is None:
        raise ValueError("a history needs employees")
    rule = eligible_levels(tables, program, role) if program else Eligibility()
    start, lock_end = pd.Timestamp(study.study_start), pd.Timestamp(study.as_of) + ONE_DAY
    launch, earlier = first_start(tables, start), started_any_before(tables, start)
    is_before_program = launch is not None and launch < lock_end
    end = launch if is_before_program else lock_end
    jobs = job_history(tables.jobs)

    def there(day: pd.Timestamp) -> Staff:
        staff = eligible_on(tables, jobs, rule, day)
        return staff.take(~staff.spells["employee_id"].isin(earlier).to_numpy())

    parts = [_rows(there(day), end) for day in landmarks(start, end)]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    last = end - ONE_DAY
    staff = there(last)
    return History(
        rows=rows,
        first_day=start.date(),
        last_day=last.date(),
        observed_months=float(months_since(start, pd.Series([end]))[0]) if end > start else 0.0,
        is_before_program=is_before_program,
        n_eligible=int((~under_notice_on(staff.spells, last)).sum()) if end > start else 0,
    )


def first_start(tables: Tables, since: pd.Timestamp) -> pd.Timestamp | None:
    """Return the first day from `since` on on which anybody started, in any program and role; None where nobody did."""
    if tables.enrolments is None:
        return None
    days = tables.enrolments["start_date"]
    first = days[days >= since].min()
    return None if pd.isna(first) else first


def started_any_before(tables: Tables, day: pd.Timestamp) -> set[str]:
    """Return who started in any of the company's programs before a day."""
    if tables.enrolments is None:
        return set()
    return set(tables.enrolments.loc[tables.enrolments["start_date"] < day, "employee_id"])


def landmarks(start: pd.Timestamp, end: pd.Timestamp) -> list[pd.Timestamp]:
    """Return every `STEP_MONTHS`-th month's day from `start` on, before `end`."""
    days, k = [], 0
    while (day := add_months(start, STEP_MONTHS * k)) < end:
        days.append(day)
        k += 1
    return days


def eligible_on(tables: Tables, jobs: pd.DataFrame | None, rule: Eligibility, day: pd.Timestamp) -> Staff:
    """Return those employed on `day`, of an eligible level and tenure; `jobs` is from `job_history`."""
    staff = staff_on(tables, jobs, day)
    return staff.take(is_eligible(staff, rule))


def _rows(staff: Staff, end: pd.Timestamp) -> pd.DataFrame:
    """Return the landmark's rows; the day of exit is the last one employed and still belongs to the follow-up."""
    exit_end = staff.spells["exit_date"] + ONE_DAY
    is_exit = exit_end <= end
    return pd.DataFrame(
        {
            "landmark_date": staff.day,
            "employee_id": staff.spells["employee_id"],
            "is_under_notice": under_notice_on(staff.spells, staff.day),
            "months": months_between(staff.day, exit_end.where(is_exit, end)),
            "reach_months": months_between(staff.day, np.full(len(staff.day), np.datetime64(end))),
            "outcome": exit_outcome(staff.spells["exit_type"]).where(is_exit, None),
        },
        columns=COLUMNS,
    )
