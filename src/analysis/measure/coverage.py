"""How complete the records are: who has a job and a manager on record over time, and which columns have gaps."""

import numpy as np
import pandas as pd

from analysis.measure.calendar import ONE_DAY
from analysis.plan.contract import TABLES, Tables
from analysis.plan.known import known

# Whom a row is about, to count people; a table without one holds nobody's data.
PERSON = {
    "employees": "employee_id",
    "jobs": "employee_id",
    "responses": "employee_id",
    "unlinked_responses": "respondent_id",
    "ratings": "ratee_id",
    "enrolments": "employee_id",
    "sessions": "match_id",
}
# An empty cell here says something itself: still employed, never started, on the staff, in service since the hire.
TELLING = {
    ("employees", "no_show"),
    ("employees", "service_date"),
    ("employees", "original_hire_date"),
    ("employees", "previous_employee_id"),
    ("employees", "worker_type"),
    ("employees", "exit_date"),
    ("enrolments", "start_date"),
    ("enrolments", "start_unknown"),
    ("enrolments", "start_earliest"),
    ("enrolments", "start_latest"),
    ("sessions", "attendee_ids"),
}
# These can be filled in some rows only: which, and the column whose value makes it so.
ASKED_OF: dict[tuple[str, str], tuple[str, str]] = {
    ("employees", "exit_type"): ("exits", "exit_date"),
    ("employees", "exit_reason"): ("exits", "exit_date"),
    ("employees", "notice_date"): ("exits", "exit_date"),
    ("enrolments", "match_id"): ("starts", "start_date"),
    ("enrolments", "topics"): ("starts", "start_date"),
    ("enrolments", "end_date"): ("starts", "start_date"),
}


COUNTS = {"n_with_job_row": "share_with_job_row", "n_with_manager": "share_with_manager"}


def coverage(tables: Tables, study_start: pd.Timestamp, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return how many people are on record, one row per month of the study's time, on its first day.

    Columns ``month`` (that day), ``n_employed``, of them ``n_with_job_row`` (whose job is known, by
    `measure.employment.job_on`) and ``n_with_manager`` (it names a manager), and ``share_with_job_row`` and
    ``share_with_manager``; without jobs these four are missing.
    """
    days = pd.date_range(study_start, as_of, freq="MS").to_numpy(dtype="datetime64[us]")
    spells = known(tables.employees)[["employee_id", "hire_date", "exit_date"]]
    last = spells["exit_date"].fillna(pd.Timestamp(as_of))
    found = pd.DataFrame({"month": days, "n_employed": _on(days, spells["hire_date"], last)})
    if tables.jobs is None:
        return found.assign(**dict.fromkeys((*COUNTS, *COUNTS.values()), np.nan))
    held = _jobs_held(tables.jobs, spells.assign(exit_date=last))
    for count, rows in zip(COUNTS, (held, held[held["is_managed"]]), strict=True):
        found[count] = _on(days, rows["begin"], rows["end"])
    return found.assign(**{share: found[count] / found["n_employed"] for count, share in COUNTS.items()})


def _jobs_held(jobs: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    """Return each job within each spell of its person: ``is_managed``, and its first and last day there."""
    person, people = pd.factorize(jobs["employee_id"])
    rows = {"person": person, "effective_date": jobs["effective_date"], "is_managed": jobs["manager_id"].notna()}
    ordered = pd.DataFrame(rows).sort_values(["person", "effective_date"])
    held = ordered.assign(is_first=~ordered["person"].duplicated()).merge(
        spells.assign(person=people.get_indexer(spells["employee_id"])), on="person"
    )
    # A change is known from the day after it on, but for a first row and that of the day of hiring.
    is_known = held["is_first"] | (held["effective_date"] == held["hire_date"])
    known = held["effective_date"].where(is_known, held["effective_date"] + ONE_DAY)
    until = known.groupby([held["person"], held["hire_date"]]).shift(-1) - ONE_DAY
    begin = known.where(known > held["hire_date"], held["hire_date"])
    end = until.where(until < held["exit_date"], held["exit_date"])
    return held.assign(begin=begin, end=end).loc[begin <= end, ["is_managed", "begin", "end"]]


def _on(days: np.ndarray, begin: pd.Series, end: pd.Series) -> np.ndarray:
    """Return how many of the spans hold each day, both of their ends included."""
    begun, ended = (np.sort(side.to_numpy(dtype="datetime64[us]")) for side in (begin, end))
    return np.searchsorted(begun, days, side="right") - np.searchsorted(ended, days, side="left")


def missingness(tables: Tables) -> pd.DataFrame:
    """Return the gaps in every column that may have some, one row per table and column of the contract.

    Columns ``table, column, of`` (in which rows it could be filled), ``n_people`` (in these rows), ``n_rows``,
    ``n_missing`` and ``share_missing`` (of these rows, 0 to 1). Columns whose empty cells say something themselves are
    left out.
    """
    parts = [
        _gap(table, column, getattr(tables, table))
        for table in PERSON
        if getattr(tables, table) is not None
        for column, about in TABLES[table].items()
        if about.nullable and column != PERSON[table] and (table, column) not in TELLING
    ]
    return pd.DataFrame(parts, columns=["table", "column", "of", "n_people", "n_rows", "n_missing", "share_missing"])


def _gap(table: str, column: str, rows: pd.DataFrame) -> tuple[str, str, str, int, int, int, float]:
    of, condition = ASKED_OF.get((table, column), ("all rows", ""))
    asked = rows[rows[condition].notna()] if condition else rows
    people = asked[PERSON[table]].nunique()
    missing = int(asked[column].isna().sum())
    return table, column, of, people, len(asked), missing, missing / len(asked) if len(asked) else np.nan
