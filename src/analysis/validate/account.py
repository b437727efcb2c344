"""Where every row of a file went, which lists were found, which files link to nobody, and whom a warning is about."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.plan.contract import ANSWERS
from analysis.plan.errors import Listed, Problem, distinct
from analysis.validate.rule import coded, lines_by_source

# --- people -----------------------------------------------------------------------------------------------------------
# Whom a warning is about: how many who started in a program, and how many others; what matters most comes first.

WHOSE = {
    "employees": "employee_id",
    "jobs": "employee_id",
    "responses": "employee_id",
    "ratings": "ratee_id",
    "enrolments": "employee_id",
}


def with_people(problems: Iterable[Problem], seen: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Return the problems, errors and warnings with the number of people whose rows they are about.

    A line of the enrolments whose person was not found counts as one who started.

    Parameters
    ----------
    seen
        The typed rows of the tables, before any rule, with ``_source`` and ``_line``.
    """
    started = _started(seen.get("enrolments"))
    rows: dict[tuple[str, str], tuple[np.ndarray, np.ndarray, pd.Index]] = {}
    counted = []
    for problem in problems:
        lines = lines_known(problem)
        if problem.severity == "info" or problem.table not in WHOSE or not len(lines):
            counted.append(problem)
            continue
        key = (problem.table, problem.source)
        if key not in rows:
            rows[key] = _people(seen.get(problem.table), *key)
        own_lines, people, ids = rows[key]
        touched = ids[np.unique(people[np.isin(own_lines, lines) & (people >= 0)])]
        n_started = int(touched.isin(started).sum())
        names_some = problem.table == "enrolments" and problem.action == "rejected" and problem.rule != NO_RECORD
        n_lost = len(np.setdiff1d(lines, own_lines)) if names_some else 0
        counted.append(replace(problem, n_started=n_started + n_lost, n_others=len(touched) - n_started))
    return counted


def _started(enrolments: pd.DataFrame | None) -> pd.Index:
    if enrolments is None:
        return pd.Index([])
    return pd.Index(enrolments.loc[enrolments["start_date"].notna(), "employee_id"].dropna().unique())


def _people(rows: pd.DataFrame | None, table: str, source: str) -> tuple[np.ndarray, np.ndarray, pd.Index]:
    """Return the lines of a file's rows, whose each is (a place in the ids; −1 of nobody), and the ids."""
    if rows is None:
        return np.zeros(0, int), np.zeros(0, int), pd.Index([])
    sources, names = coded(rows["_source"])
    own = rows[sources == (names.get_loc(source) if source in names else -2)]
    people, ids = coded(own[WHOSE[table]])
    return own["_line"].to_numpy(int), people, ids


# --- linked -----------------------------------------------------------------------------------------------------------
# Files of which little or nothing could be used: their ids are another system's, or their days are not those meant.

# A file of which less than this share could be used is told as a whole.
LEAST_SHARE = 0.5
# Of fewer rows nothing is said of the file beyond what is said of its rows.
LEAST_ROWS = 10
FORMS = {"responses": ["employee_id", "wave", "instrument"], "ratings": ["ratee_id", "rater_id", "wave", "instrument"]}


def unlinked_files(
    row_counts: pd.DataFrame, seen: Mapping[str, pd.DataFrame], kept: Mapping[str, pd.DataFrame]
) -> list[Problem]:
    """Return a warning for each file of which no row is left, and for each of surveys of which most are gone.

    Parameters
    ----------
    row_counts
        As from `validate.account.account`.
    seen, kept
        The typed rows by table, of all files and those left after the rules, with ``_source``.
    """
    problems = []
    for row in row_counts[COLUMNS].itertuples(index=False):
        table = row.table if row.table in seen else f"unlinked_{row.table}"
        if table not in seen or not row.rows_in:
            continue
        given, used, things = _counted(table, row.source, seen[table], kept.get(table, seen[table].iloc[:0]))
        if not given or used >= LEAST_SHARE * given or (used and (table not in ANSWERS or given < LEAST_ROWS)):
            continue
        how_many = f"only {used:,} of {given:,}" if used else f"none of the {given:,}"
        few = "only some of the" if used else "none of the"
        consequence = "nothing is known from it" if not used else "the rest is unknown"
        message = (
            f"{{}} {things} in this file could be linked and used, so {consequence}: the lines about this file say "
            "why. Check that its ids are those of the employees table and that its days lie before as_of"
        )
        problems.append(
            Problem(
                severity="warning",
                table=table,
                source=row.source,
                rule="file_unused",
                message=message.format(how_many),
                told=message.format(few),
                action="kept",
            )
        )
    return problems


def _counted(table: str, source: str, seen: pd.DataFrame, kept: pd.DataFrame) -> tuple[int, int, str]:
    """Return how many forms (of other tables, rows) a file has, how many are left, and what they are called."""
    key, things = (FORMS[table], "forms") if table in FORMS else (["_line"], "rows")
    given, used = (
        len(rows.loc[(rows["_source"] == source).to_numpy(), key].drop_duplicates()) for rows in (seen, kept)
    )
    return given, used, things


# --- listed -----------------------------------------------------------------------------------------------------------
# Of those whom lists of participants name: who was found and started, and why others were not.

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


# --- account ----------------------------------------------------------------------------------------------------------
# Where every row of a file went: kept, repaired or rejected, so that the numbers add up.

COLUMNS = ["table", "source", "rows_in", "rows_kept", "rows_repaired", "rows_translated", "rows_rejected"]
REPAIRS = ("repaired", "set_null")
Lines = dict[tuple[str, str], np.ndarray]


def account(
    rows_in: Mapping[tuple[str, str], int], kept: Mapping[str, pd.DataFrame], problems: Sequence[Problem]
) -> pd.DataFrame:
    """Return what became of the rows of each source: one row per table and source, in the order of `rows_in`.

    Columns ``table, source, rows_in, rows_kept, rows_repaired, rows_translated, rows_rejected``, counted in records of
    the file: a form of a survey is one, however many answers are made of it. A record is kept when anything of it is
    kept and nothing of it is an error; ``rows_kept + rows_rejected = rows_in``. Repaired ones are among the kept, and
    translated ones among the repaired: nothing was wrong with them, they were reformatted only. An error of a
    file as a whole (of no line, of its header, or of its checksum) rejects all of its rows.

    Parameters
    ----------
    rows_in
        Records of the file by table and source, whatever came of them.
    kept
        The rows left after all rules, by table, with ``_source`` and ``_line``.
    problems
        All problems of the study; `Problem.lines` says of which records.
    """
    left = lines_of(kept)
    errors = [p for p in problems if p.severity == "error"]
    broken = _lines_touched(errors)
    repairs = [p for p in problems if p.action in REPAIRS]
    changed = _lines_touched(repairs)
    repaired_lines = _lines_touched(p for p in repairs if not p.is_translation)
    unusable = {_file(p.table, p.source) for p in errors if _is_of_the_file(p)}
    counts = []
    for key, n in rows_in.items():
        file = _file(*key)
        lines = _without(left.get(key, _NONE), broken.get(file, _NONE))
        lines = _NONE if unusable & {file, _file("study", key[1])} else lines
        repaired = lines[np.isin(lines, changed.get(file, _NONE), kind="table")]
        translated = _without(repaired, repaired_lines.get(file, _NONE))
        counts.append((*key, n, len(lines), len(repaired), len(translated), n - len(lines)))
    return pd.DataFrame(counts, columns=COLUMNS)


def lines_of(tables: Mapping[str, pd.DataFrame]) -> Lines:
    """Return the distinct lines of the records in each table, by table and source."""
    return {(table, str(source)): lines for table, rows in tables.items() for source, lines in lines_by_source(rows)}


_NONE = np.zeros(0, dtype=int)


def _without(lines: np.ndarray, others: np.ndarray) -> np.ndarray:
    return lines[~np.isin(lines, others, kind="table")]


def _file(table: str, source: str) -> tuple[str, str]:
    # That a survey is linked to nobody is only seen after its first problems were noted.
    return table.removeprefix("unlinked_"), source


def lines_known(problem: Problem) -> np.ndarray:
    """Return the lines of a problem; one of a few rows may name them as examples alone."""
    return np.asarray(problem.example_rows if problem.lines is None else problem.lines, dtype=int)


def _lines_touched(problems: Iterable[Problem]) -> Lines:
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for problem in problems:
        found.setdefault(_file(problem.table, problem.source), []).append(lines_known(problem))
    return {key: distinct(np.concatenate(parts)) for key, parts in found.items()}


def _is_of_the_file(problem: Problem) -> bool:
    lines = lines_known(problem)
    return not len(lines) or bool(lines.max() <= 1)
