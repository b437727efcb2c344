"""The way into a program, person by person: from everyone employed to those who started."""

import pandas as pd

from analysis.design.eligible import eligible_levels, is_eligible
from analysis.measure.employment import job_history, staff_on, under_notice_on
from analysis.measure.exposure import first_starts, undated
from analysis.plan.contract import Tables
from analysis.plan.known import known
from analysis.plan.study import Program, Study

EMPLOYED, ENROLLED, OFFERED, STARTED = "employed", "enrolled", "offered a place", "started"
STAGE, LOSS = "stage", "loss"


def way_in(tables: Tables, study: Study, program: Program, role: str) -> pd.DataFrame:
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
