"""Who of a day's staff starts something, and the way into a program from everyone employed to those who started."""

import numpy as np
import pandas as pd

from analysis.design.eligible import eligible_levels, is_eligible
from analysis.design.rollout import DEFAULT_UNIT, units_of
from analysis.measure.employment import Staff, job_history, staff_on, under_notice_on
from analysis.measure.exposure import first_starts, undated
from analysis.plan.contract import Tables
from analysis.plan.known import known
from analysis.plan.study import Program, Study

# --- starters ---------------------------------------------------------------------------------------------------------
# Who of a day's staff starts something, on the day, after it or before it.


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


def not_started(
    staff: Staff,
    any_start: pd.Series,
    reached: pd.Series | None,
    after: pd.Timestamp | np.ndarray,
    unit: str = DEFAULT_UNIT,
) -> np.ndarray:
    """Return who starts only after a day, or never; in a rollout, whose unit is reached only after it, or never.

    The day is one for all, or that of each row. `unit` is the column that says which unit a person is in.
    """
    own_start, after = any_start.reindex(staff.spells["employee_id"]).to_numpy(), np.asarray(after, "datetime64[us]")
    unstarted = np.isnat(own_start) | (own_start > after)
    if reached is None:
        return unstarted
    now = units_of(staff, unit)
    unit_day = reached.reindex(now).to_numpy(dtype="datetime64[us]")
    return unstarted & now.notna().to_numpy() & (np.isnat(unit_day) | (unit_day > after))


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
