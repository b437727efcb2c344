"""Of those whom lists of participants name: who was found and started, and why others were not."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.plan.errors import Problem
from analysis.plan.listed import Listed
from analysis.validate.account import lines_known

# Rule of the ledger → what became of the record, the first that holds; to be read after "because".
REASONS = {
    "unmatched_person": "the name or e-mail address matches no employee in the employees' file",
    "ambiguous_person": "several people in the employees' file have the name or e-mail address",
    "nobody_named": "the line names nobody",
    "employees_unread": "the employees' file could not be read",
    "unknown_employee": "the id matches no employee in the employees' file",
    "not_hired_by_as_of": "the person was hired after as_of",
    "unknown_program": "the program is none of study.yaml",
    "no_intake": "there is no start date, nor another date that tells the intake",
    "intake_after_as_of": "the intake lies after as_of",
    "duplicate_enrolment": "another line has the same person, program, intake and role",
    "mentor_is_mentee": "the mentor and the mentee are one person",
    "end_before_start": "the end lies before the start",
    "undated_start": "the start has no day",
    "start_after_as_of": "the start lies after as_of",
    "start_outside_employment": "the person was not employed on the start date",
}
NO_START, OTHER = "no_start_date", "left_out"
REASONS |= {NO_START: "there is no start date", OTHER: "the line was left out; the ledger says why"}


# Such a line says what another one says of the same person: the person was found.
UNITED = "same_enrolment"
# Such a line is no record: a legend, a total.
NO_RECORD = "hardly_a_cell"


def listed(
    rows_in: Mapping[tuple[str, str], int], seen: pd.DataFrame | None, problems: Sequence[Problem]
) -> tuple[Listed, ...]:
    """Return what became of each file of enrolments, in the order of `rows_in`; of one that could not be read, nothing.

    Parameters
    ----------
    rows_in
        Records of the file by table and source.
    seen
        The typed rows of the enrolments, before any rule, with ``_source`` and ``_line``; None where there are none.
    problems
        All problems of the study.
    """
    found = (
        _of_one(source, n, _rows(seen, source), [p for p in problems if (p.table, p.source) == (table, source)])
        for (table, source), n in rows_in.items()
        if table == "enrolments"
    )
    return tuple(one for one in found if one is not None)


def _rows(seen: pd.DataFrame | None, source: str) -> pd.DataFrame:
    if seen is None:
        return pd.DataFrame({"_line": np.zeros(0, int), "start_date": pd.to_datetime([]), "start_unknown": []})
    return seen[seen["_source"].astype("str") == source]


def _of_one(source: str, n_listed: int, rows: pd.DataFrame, problems: Sequence[Problem]) -> Listed | None:
    n_listed -= sum(len(lines_known(problem)) for problem in problems if problem.rule == NO_RECORD)
    problems = [problem for problem in problems if problem.rule != NO_RECORD]
    lost: dict[str, np.ndarray] = {}
    told = np.zeros(0, int)
    for reason, lines in _reasons(rows, problems):
        new = np.setdiff1d(lines, told)
        if len(new):
            lost[reason] = np.union1d(lost.get(reason, new), new)
            told = np.union1d(told, new)
    united = [lines_known(problem) for problem in problems if problem.rule == UNITED]
    if len(np.unique(np.concatenate([told, rows["_line"].to_numpy(int), *united]))) != n_listed:
        return None
    return Listed(source, bool(rows["_line"].duplicated().any()), n_listed, lost)


def _reasons(rows: pd.DataFrame, problems: Sequence[Problem]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each reason with the lines of which it holds, the one that counts first of all first."""
    for reason in REASONS:
        for problem in problems:
            if problem.rule == reason:
                yield reason, lines_known(problem)
    for problem in problems:
        if problem.action == "rejected" and problem.rule != UNITED and problem.severity != "error":
            yield OTHER, lines_known(problem)
    yield NO_START, rows.loc[rows["start_date"].isna(), "_line"].to_numpy(int)
