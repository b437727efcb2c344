"""When a program that is rolled out reached each unit, and from when each person is in a unit that it has reached."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.eligible import eligible_levels, is_eligible
from analysis.measure.calendar import day_of
from analysis.measure.employment import JOB_COLUMNS, Staff, job_history, job_value_at, staff_on
from analysis.measure.exposure import analysed_roles
from analysis.plan.contract import Tables
from analysis.plan.known import known
from analysis.plan.study import Program

# A unit is reached on the first day from which on, within the program's grace, this share of those eligible in it
# start; fewer are a pilot. Where a program takes up fewer, the study states its units' dates.
REACHED_SHARE = 0.10
DEFAULT_UNIT = "department"
# After every day in a study.
NEVER = np.datetime64("2250-01-01", "ns")


def unit_name(program: Program | None) -> str:
    """Return the column that says which unit of a rollout a person is in."""
    return program.rollout.unit if program is not None and program.rollout is not None else DEFAULT_UNIT


def units_of(staff: Staff, unit: str = DEFAULT_UNIT) -> pd.Series:
    """Return each person's unit as known before the day: from the jobs, or a fixed attribute of the spell."""
    for frame in (staff.jobs, staff.spells):
        if unit in frame:
            return frame[unit]
    return pd.Series(None, index=staff.spells.index, dtype=object)


def units_reached(tables: Tables, starts: pd.Series, program: Program | None = None) -> pd.Series:
    """Return the day on which the program reached each unit that it has reached, by unit.

    It is the day that the study states. Otherwise it is the first start day in the unit from which on, within the
    program's grace, `REACHED_SHARE` of those eligible in it started; starts before it are a pilot's, and a unit with
    no such day has not been reached. Eligible are those whom any role of the program is open to.

    Parameters
    ----------
    starts
        Each person's first start in the program in any role, by employee id.
    program
        Without one everybody employed in a department is eligible.
    """
    unit = unit_name(program)
    stated = {} if program is None or program.rollout is None else program.rollout.dates
    reached = {name: pd.Timestamp(day) for name, day in stated.items()}
    people, held = pd.Series(starts.index, index=starts.index), pd.Series(None, index=starts.index, dtype=object)
    if len(starts) and tables.employees is not None:
        held = _unit_at(tables, unit, people, starts)
    open_units = {name: mine.index for name, mine in starts[held.notna()].groupby(held) if name not in reached}
    if open_units:
        reached |= _from_starts(tables, program, unit, {u: starts[who].sort_values() for u, who in open_units.items()})
    return pd.Series(reached, dtype="datetime64[ns]").sort_index()


def _unit_at(tables: Tables, unit: str, people: pd.Series, days: pd.Series) -> pd.Series:
    if unit in JOB_COLUMNS:
        if tables.jobs is None:
            return pd.Series(None, index=people.index, dtype=object)
        # Who moves on the day of the start starts in the new unit.
        return job_value_at(tables.jobs, unit, people, days, on_the_day=True)
    employees = known(tables.employees)
    if unit not in employees:
        return pd.Series(None, index=people.index, dtype=object)
    spells = employees.rename(columns={"hire_date": "effective_date"})
    return job_value_at(spells, unit, people, days, on_the_day=True)


def _from_starts(
    tables: Tables, program: Program | None, unit: str, starts: dict[str, pd.Series]
) -> dict[str, pd.Timestamp]:
    """Return the day on which each unit was reached, from its people's starts in the order of time."""
    grace, rules, history = pd.Timedelta(days=0), [], job_history(tables.jobs)
    if program is not None:
        grace, roles = pd.Timedelta(days=program.grace_days), analysed_roles(tables.enrolments, program.id)
        rules = [eligible_levels(tables, program, role) for role in roles]
    n_eligible: dict[pd.Timestamp, pd.Series] = {}
    reached = {}
    for name, days in starts.items():
        for day in days.unique():
            if day not in n_eligible:
                staff = staff_on(tables, history, pd.Timestamp(day))
                fits = [is_eligible(staff, rule) for rule in rules] or [np.ones(len(staff.spells), dtype=bool)]
                n_eligible[day] = units_of(staff, unit)[np.any(fits, axis=0)].value_counts()
            within = int(((days >= day) & (days <= day + grace)).sum())
            if within >= REACHED_SHARE * n_eligible[day].get(name, 0):
                reached[name] = pd.Timestamp(day)
                break
    return reached


@dataclass(frozen=True)
class Rollout:
    """When a program reached its units.

    Attributes
    ----------
    unit
        The column that says which unit a person is in.
    reached
        As from `units_reached`.
    segments
        One row per stretch of time that a person was in one unit: ``employee_id``, ``begin``, ``end`` (not included),
        ``unit``. None where the unit is a fixed attribute.
    """

    unit: str
    reached: pd.Series
    segments: pd.DataFrame | None

    @classmethod
    def of(cls, tables: Tables, program: Program, starts: pd.Series) -> "Rollout":
        """Return the rollout of a program from its first starts in any role."""
        unit, segments = unit_name(program), None
        if unit in JOB_COLUMNS and tables.jobs is not None:
            jobs = tables.jobs.sort_values(["employee_id", "effective_date"], kind="stable")
            begin = jobs["effective_date"]
            end = begin.groupby(jobs["employee_id"]).shift(-1).fillna(pd.Timestamp(NEVER))
            found = {"employee_id": jobs["employee_id"], "begin": begin, "end": end, "unit": jobs[unit]}
            segments = pd.DataFrame(found).query("begin < end").reset_index(drop=True)
        return cls(unit, units_reached(tables, starts, program), segments)

    def reached_on(self, staff: Staff) -> np.ndarray:
        """Return the first day on which each person is in a reached unit, shape (people,); missing = never.

        On or before the staff's day: in a unit reached by then. Later: when the unit is reached or the person moves to
        one that has been.
        """
        here = self.reached.reindex(units_of(staff, self.unit)).to_numpy(dtype="datetime64[ns]")
        if self.segments is None:
            return here
        first = np.full(len(here), np.datetime64("NaT", "ns"))
        for day in np.unique(staff.day):
            rows = staff.day == day
            first[rows] = self._in_reached_from(pd.Timestamp(day)).reindex(staff.spells["employee_id"][rows]).to_numpy()
        # In a unit reached by the day before, whoever leaves it on the day.
        return np.where(here <= staff.day, here, first)

    def _in_reached_from(self, day: pd.Timestamp) -> pd.Series:
        """Return the first day from `day` on that each person is in a reached unit, by employee id."""
        segments = known(self.segments)
        ahead = segments[(segments["end"] > day) & segments["unit"].isin(self.reached.index)]
        from_day = day_of(ahead["unit"], self.reached).clip(lower=ahead["begin"])
        from_day = from_day[from_day < ahead["end"]].clip(lower=day)
        return from_day.groupby(ahead["employee_id"]).min().astype("datetime64[ns]")

    def moved_on(self, people: pd.Index) -> pd.DataFrame:
        """Return the moves from a unit not reached to one that is, one row each: ``employee_id``, ``start_date``."""
        if self.segments is None:
            return pd.DataFrame({"employee_id": [], "start_date": pd.to_datetime([])})
        mine = self.segments[self.segments["employee_id"].isin(people)]
        day = day_of(mine["unit"], self.reached)
        came_from = mine["unit"].groupby(mine["employee_id"]).shift()
        before = day_of(came_from, self.reached)
        is_move = (day <= mine["begin"]) & came_from.notna() & ~(before <= mine["begin"])
        return mine.loc[is_move, ["employee_id", "begin"]].rename(columns={"begin": "start_date"})

    def is_known(self, staff: Staff) -> np.ndarray:
        """Return whose unit is known, shape (people,)."""
        return units_of(staff, self.unit).notna().to_numpy()
