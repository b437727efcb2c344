"""What study.yaml says of how lots were drawn, held against what the tables hold."""

from collections.abc import Iterator

import pandas as pd

from analysis.plan.errors import Problem
from analysis.plan.study import Program, Study
from analysis.plan.yaml_file import load_yaml
from analysis.validate.context import Context

# What of a job or a person lots can have been drawn within; what is known only later, or is of one person, cannot.
OF_JOBS = ("department", "job_level", "job_family")
NOT_OF_EMPLOYEES = (
    *("employee_id", "hire_date", "service_date", "exit_date", "exit_type", "exit_reason", "notice_date"),
    *("_source", "_line"),
)


def lot_problems(context: Context) -> list[Problem]:
    """Return the strata that no table has a column for, and the wait-list's days of intakes that nobody enrolled in."""
    found = []
    for i, program in enumerate(context.study.programs):
        for name in _unknown_strata(context, program):
            message = (
                f"programs: strata: neither the employees nor the jobs have a column {name} with values, so nobody's "
                "stratum is known; correct the name, or add the column to the export"
            )
            found.append(_problem(_lines(context.study, i, "strata"), "unknown_stratum", message))
        for intake in _unknown_intakes(context, program):
            message = (
                f"programs: waitlist_starts: no enrolment of the program has the intake_date {intake}; correct the day"
            )
            lines = _lines(context.study, i, "waitlist_starts", str(intake))
            found.append(_problem(lines, "unknown_intake", message))
    return found


def _problem(lines: tuple[int, ...], rule: str, message: str) -> Problem:
    return Problem(
        severity="error",
        table="study",
        source="study.yaml",
        rows=1,
        example_rows=lines,
        rule=rule,
        action="rejected",
        message=message,
    )


def _unknown_strata(context: Context, program: Program) -> Iterator[str]:
    tables = {name: context.rows_of(name, left=True) for name in ("employees", "jobs")}
    is_unread = any(name in context.incomplete for name in tables)
    for name in program.strata if not is_unread else ():
        jobs, employees = tables["jobs"], tables["employees"]
        in_jobs = name in OF_JOBS and _has_values(jobs, name)
        if not in_jobs and (name in NOT_OF_EMPLOYEES or not _has_values(employees, name)):
            yield name


def _has_values(table: pd.DataFrame | None, column: str) -> bool:
    return table is not None and column in table and bool(table[column].notna().any())


def _unknown_intakes(context: Context, program: Program) -> Iterator[object]:
    enrolments = context.rows_of("enrolments", left=True)
    if enrolments is None:
        return
    known = set(enrolments.loc[enrolments["program_id"] == program.id, "intake_date"].dt.date)
    yield from (intake for intake in program.waitlist_starts if intake not in known)


def _lines(study: Study, program: int, *keys: str) -> tuple[int, ...]:
    path = study.folder / "study.yaml"
    return (load_yaml(path, source="study.yaml").line("programs", program, *keys),) if path.is_file() else ()
