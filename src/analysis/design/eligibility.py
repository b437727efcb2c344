"""Who may start a role, by job and by the units that a rollout has reached, and who of them starts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.measure.employment import (
    JOB_COLUMNS,
    Staff,
    day_of,
    job_history,
    job_value_at,
    staff_on,
    tenure_days,
    under_notice_on,
)
from analysis.measure.exposure import analysed_roles, first_starts, undated
from analysis.plan.contract import Tables
from analysis.plan.faults import known
from analysis.plan.study import Eligibility, Program, Study


def eligible_levels(tables: Tables, program: Program, role: str) -> Eligibility:
    """Return the role's eligibility: as the study states it, else the job levels seen among that role's applicants.

    Levels are those held before the intake. Without job history levels cannot be looked at, and everyone's will do; so
    does it where nobody has applied.
    """
    stated = next((rule for of, rule in program.eligibility.items() if of == role), Eligibility())
    if tables.jobs is None:
        return stated.model_copy(update={"job_level": None})
    if stated.job_level is not None or tables.enrolments is None:
        return stated
    applied = tables.enrolments[(tables.enrolments["program_id"] == program.id) & (tables.enrolments["role"] == role)]
    seen = job_value_at(tables.jobs, "job_level", applied["employee_id"], applied["intake_date"]).dropna()
    bounds = (float(seen.min()), float(seen.max())) if len(seen) else None
    return stated.model_copy(update={"job_level": bounds})


def is_eligible(staff: Staff, rule: Eligibility) -> np.ndarray:
    """Return who may take the role that day: not on leave, of its job levels and tenure; an unknown level is none."""
    fits = ~staff.is_away & (tenure_days(staff.spells, staff.day).to_numpy() >= rule.min_tenure_days)
    if rule.job_level is None:
        return fits
    level = staff.jobs["job_level"].to_numpy(dtype=float)
    return fits & (level >= rule.job_level[0]) & (level <= rule.job_level[1])


# --- rollout ----------------------------------------------------------------------------------------------------------
# When a program that is rolled out reached each unit, and from when each person is in a unit that it has reached.

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


# --- starters ---------------------------------------------------------------------------------------------------------
# Who of a day's staff starts something, on the day, after it or before it.


# --- starters ---------------------------------------------------------------------------------------------------------
# Who of a day's staff starts something, and the way into a program from everyone employed to those who started.


def start_on(starts: pd.DataFrame, staff: Staff) -> np.ndarray:
    """Return who has one of these starts (``employee_id``, ``start_date``) on the day."""
    found = np.zeros(len(staff.day), dtype=bool)
    some = _rows_of(starts, staff)
    pairs = some.merge(starts, left_on=["employee_id", "day"], right_on=["employee_id", "start_date"])
    found[pairs["row"]] = True
    return found


def first_after(starts: pd.DataFrame, staff: Staff) -> np.ndarray:
    """Return the day of each person's first of these starts after the day; missing = none."""
    found = np.full(len(staff.day), np.datetime64("NaT", "ns"))
    pairs = _rows_of(starts, staff).merge(starts, on="employee_id")
    first = pairs[pairs["start_date"] > pairs["day"]].groupby("row")["start_date"].min()
    found[first.index] = first.to_numpy("datetime64[us]")
    return found


def _rows_of(starts: pd.DataFrame, staff: Staff) -> pd.DataFrame:
    """Return the rows of people who have any of these starts: ``row``, ``employee_id``, ``day``."""
    people = staff.spells["employee_id"]
    row = np.flatnonzero(people.isin(starts["employee_id"]))
    return pd.DataFrame({"row": row, "employee_id": people.iloc[row].to_numpy(), "day": staff.day[row]})


def started_elsewhere(elsewhere: pd.DataFrame, staff: Staff) -> dict[str, np.ndarray]:
    """Return who had started another of the company's programs before the day; nothing where there is none.

    `elsewhere` is from `measure.exposure.starts_elsewhere`.
    """
    if elsewhere.empty:
        return {}
    first = elsewhere.groupby("employee_id")["start_date"].min().reindex(staff.spells["employee_id"])
    return {"in_other_program": (first.to_numpy("datetime64[us]") < staff.day).astype(float)}


def not_started(staff: Staff, any_start: pd.Series, after: pd.Timestamp | np.ndarray) -> np.ndarray:
    """Return who starts only after a day, or never; the day is one for all, or that of each row."""
    own_start = any_start.reindex(staff.spells["employee_id"]).to_numpy()
    return np.isnat(own_start) | (own_start > np.asarray(after, "datetime64[us]"))


# --- enrolment funnel -------------------------------------------------------------------------------------------------
# The way into a program, person by person: from everyone employed to those who started.

EMPLOYED, ENROLLED, OFFERED, STARTED = "employed", "enrolled", "offered a place", "started"
STAGE, LOSS = "stage", "loss"


def enrolment_funnel(tables: Tables, study: Study, program: Program, role: str) -> pd.DataFrame:
    """Return who came how far towards a program in a role: stages, and between two of them who was lost and why.

    One row per stage or loss, in order: ``kind`` (``stage`` or ``loss``), ``step``, ``n_people``. A stage less its
    losses is the next stage. ``employed`` is everyone employed at some time of the study, and whoever is enrolled
    whatever the HR dates say; who could be enrolled is looked at on the days on which the program's intakes open.
    Where no application was answered, nobody is lost for want of an offer.
    """
    enrolments = known(tables.enrolments)
    rows = enrolments[(enrolments["program_id"] == program.id) & (enrolments["role"] == role)]
    enrolled = set(rows["employee_id"])
    started = {*first_starts(enrolments, program.id, role).index, *undated(enrolments, program.id, role)}
    found = []
    if tables.employees is not None:
        others = _employed(tables.employees, study) - enrolled
        eligible = _eligible(tables, program, role) & others
        found += [
            (STAGE, EMPLOYED, len(others) + len(enrolled)),
            (LOSS, "not eligible when an intake opened", len(others) - len(eligible)),
            (LOSS, "eligible but not enrolled", len(eligible)),
        ]
    found.append((STAGE, ENROLLED, len(enrolled)))
    if rows["offered"].notna().any():
        offered = set(rows.loc[rows["offered"].fillna(True).astype(bool), "employee_id"]) | started
        found += [(LOSS, "not offered a place", len(enrolled) - len(offered)), (STAGE, OFFERED, len(offered))]
    before = found[-1][2]
    found += [(LOSS, "did not start", before - len(started)), (STAGE, STARTED, len(started))]
    return pd.DataFrame(found, columns=["kind", "step", "n_people"])


def _employed(employees: pd.DataFrame, study: Study) -> set[str]:
    begin, end = pd.Timestamp(study.study_start), pd.Timestamp(study.as_of)
    left_before = employees["exit_date"] < begin
    return set(employees.loc[(employees["hire_date"] <= end) & ~left_before, "employee_id"])


def _eligible(tables: Tables, program: Program, role: str) -> set[str]:
    """Return who could have taken the role on a day on which an intake of the program opened."""
    rule, history = eligible_levels(tables, program, role), job_history(tables.jobs)
    enrolments = known(tables.enrolments)
    found: set[str] = set()
    for day in sorted(set(enrolments.loc[enrolments["program_id"] == program.id, "intake_date"])):
        staff = staff_on(tables, history, day)
        fits = is_eligible(staff, rule) & ~under_notice_on(staff.spells, day).to_numpy()
        found |= set(staff.spells.loc[fits, "employee_id"])
    return found
