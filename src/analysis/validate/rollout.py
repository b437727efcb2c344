"""Whether the units of a rollout, as ``study.yaml`` names them, are units of the data."""

from collections.abc import Iterator, Mapping

import pandas as pd

from analysis.plan.errors import Action, Problem, Severity
from analysis.plan.study import Program, Study

# Effective-dated attributes that a rollout may go by; any other column of employees is a fixed one.
UNITS_OF_JOBS = ("department", "job_family")


def rollout_problems(study: Study, kept: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Return what is wrong with the units and dates of the programs that are rolled out.

    Parameters
    ----------
    kept
        The checked tables, by name. Without employees and jobs there is nothing to look the units up in.
    """
    return [problem for program in study.programs for problem in _problems(program, kept)]


def _problems(program: Program, kept: Mapping[str, pd.DataFrame]) -> Iterator[Problem]:
    if program.rollout is None:
        return
    unit, table = program.rollout.unit, "jobs" if program.rollout.unit in UNITS_OF_JOBS else "employees"
    rows = kept.get(table)
    if rows is None:
        return
    if unit not in rows or rows[unit].isna().all():
        yield _problem(
            table,
            "unknown_unit_column",
            f"rollout of the program {program.id}: unit: {unit!r} is no column of {table} with values; name "
            f"{', '.join(UNITS_OF_JOBS)}, location or another column of employees",
        )
        return
    present = set(rows[unit].dropna().astype(str))
    for name in sorted(set(program.rollout.dates) - present):
        yield _problem(
            table,
            "unknown_unit",
            f"rollout of the program {program.id}: nobody is in the {unit} {name!r} of dates:; write the name as it "
            "stands in the data",
        )
    without = present - set(program.rollout.dates)
    if program.rollout.dates and without:
        yield _problem(
            table,
            "unit_without_date",
            f"rollout of the program {program.id}: {len(without)} of {len(present)} units ({unit}) have no date in "
            "dates:; they count as reached from the day on which enough of their people start, or never",
            severity="info",
        )


def _problem(table: str, rule: str, message: str, severity: Severity = "error") -> Problem:
    action: Action = "kept" if severity == "info" else "rejected"
    return Problem(severity=severity, table=table, source="study.yaml", rule=rule, action=action, message=message)
