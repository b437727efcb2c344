"""Within what lots were drawn, and what was recorded of people that the odds of a place may differ by."""

import pandas as pd

from analysis.measure.employment import employed_on, job_value_at
from analysis.plan.contract import TABLES, Tables
from analysis.plan.study import Program

# What an ordinary HR system records of everybody, and a lottery may have been stratified by without a word.
RECORDED = ("department", "job_level", "job_family", "location")
UNKNOWN = "not recorded"


def recorded_at(tables: Tables, rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return what was recorded of each row's person on the intake day, as text; columns without any value are left out.

    Parameters
    ----------
    rows
        ``employee_id, intake_date``, one row per person and intake.
    columns
        Of the jobs or else of the employees; what is missing for a person is a value of its own.
    """
    found = {}
    for column in columns:
        in_jobs = tables.jobs is not None and column in TABLES["jobs"] and tables.jobs[column].notna().any()
        if in_jobs and len(rows):
            values = job_value_at(tables.jobs, column, rows["employee_id"], rows["intake_date"])
        elif tables.employees is not None and column in tables.employees and len(rows):
            values = _of_spell(tables.employees, column, rows)
        else:
            continue
        if values.notna().any():
            found[column] = values.astype(object).where(values.notna(), UNKNOWN).astype(str)
    return pd.DataFrame(found, index=rows.index)


def _of_spell(employees: pd.DataFrame, column: str, rows: pd.DataFrame) -> pd.Series:
    parts = []
    for day, group in rows.groupby("intake_date"):
        there = employed_on(employees, day).drop_duplicates("employee_id", keep="last").set_index("employee_id")
        parts.append(there[column].reindex(group["employee_id"]).set_axis(group.index))
    return pd.concat(parts).reindex(rows.index)


def stratum_codes(rows: pd.DataFrame, named: pd.DataFrame) -> pd.Series:
    """Return the stratum of each row as 0, 1, … by intake date: the intake and everything that is named beside it.

    Parameters
    ----------
    rows
        ``intake_date`` and ``stratum_named`` (the enrolments' own column, empty where there is none).
    named
        Same rows, the columns that the program names.
    """
    if rows.empty:
        return pd.Series(0, index=rows.index)
    keys = pd.concat([rows["intake_date"], named, rows["stratum_named"].fillna(UNKNOWN).astype(str)], axis=1)
    return keys.groupby(list(keys.columns), sort=True).ngroup().astype(int)


def is_stratified(rows: pd.DataFrame, program: Program) -> bool:
    """Whether the lots were drawn within something narrower than an intake, as far as the study says."""
    return bool(program.strata) or bool(rows["stratum_named"].notna().any())
