"""Text rows → the typed canonical tables of a study, and every problem on the way."""

import math
import re
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from analysis.ingest import RawTables, read_sources
from analysis.plan.contract import ANSWERS, FED, FIRST_DAY, LAST_DAY, PARTS, TABLES, Column, Tables, is_day
from analysis.plan.errors import BadInput, Problem
from analysis.plan.instruments import Instrument
from analysis.plan.study import Study
from analysis.validate import employees, enrolments, jobs, surveys
from analysis.validate.account import account, listed, unlinked_files, with_people
from analysis.validate.employees import unknown_kinds
from analysis.validate.enrolments import lot_problems, rollout_problems
from analysis.validate.rule import Context, Rule, ascending, coded, enforce, spread, study_file_problem

# Where a row stands in its file: no column of the table.
SOURCE_COLUMNS = ("_source", "_line")
BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def cell_rules(table: str) -> list[Rule]:
    """Return the rules that the contract's columns give for the text of one table, all of them errors."""
    return [rule for name, column in FED[table].items() for rule in _column_rules(name, column)]


def typed(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return the text rows with the contract's types: dates, float64, nullable boolean, text.

    A cell that is not what its column says becomes missing: `cell_rules` has reported it. The contract's columns stand
    first, empty where the file has none; further columns follow as they came. Text is `str`; in the tables of answers,
    which have many rows of few texts, it is a category whose categories are those that occur, in ascending order.
    """
    as_text = _category if table in ANSWERS else _text
    columns = {
        name: _typed(frame[name], column, as_text) if name in frame else _empty(frame.index, column, as_text)
        for name, column in FED[table].items()
    }
    further = {
        name: frame[name] if name in SOURCE_COLUMNS else as_text(frame[name]) for name in frame if name not in columns
    }
    return pd.DataFrame(columns | further, index=frame.index, copy=False)


def _column_rules(name: str, column: Column) -> Iterator[Rule]:
    if not column.nullable:
        message = f"{name} is empty; every row needs it"
        yield Rule("required_empty", name, "error", "rejected", message, lambda f, _: f[name].isna())
    if column.kind in _READABLE:
        rule, message, readable = _READABLE[column.kind]
        yield _each(rule, name, message, readable)
    if column.kind == "date":
        span = f"before {FIRST_DAY}" if column.is_open_ended else f"before {FIRST_DAY} or after {LAST_DAY}"
        message = f"lies {span}; correct it, or leave the cell empty where the contract allows it"
        yield _each("date_out_of_range", name, message, lambda text: not is_day(text) or _is_of_our_time(text, column))
    if column.allowed:
        message = (
            f"is none of {', '.join(column.allowed)}; correct it, or translate the export's values under values: in "
            "study.yaml"
        )
        yield _each("not_allowed", name, message, column.allowed.__contains__)
    if column.minimum is not None or column.maximum is not None:
        low = -math.inf if column.minimum is None else column.minimum
        high = math.inf if column.maximum is None else column.maximum
        limits = f"less than {low:,.15g}" if high == math.inf else f"not between {low:,.15g} and {high:,.15g}"
        message = f"is {limits}; correct it"
        yield _each("out_of_range", name, message, lambda text: not is_number(text) or low <= float(text) <= high)


def _each(rule: str, column: str, message: str, fine: Callable[[str], bool]) -> Rule:
    """Return the rule that every cell of `column` is empty or `fine`; each distinct text is judged once."""

    def test(frame: pd.DataFrame, _: Context) -> pd.Series:
        codes, texts = coded(frame[column])
        return pd.Series(spread(codes, ~_judged(texts, fine), False), index=frame.index)

    return Rule(rule, column, "error", "rejected", f"{column} {message}", test)


def _judged(texts: pd.Index, fine: Callable[[str], bool]) -> np.ndarray:
    return np.fromiter((fine(text) for text in texts), dtype=bool, count=len(texts))


def _is_of_our_time(day: str, column: Column) -> bool:
    # days in this form sort as text
    return str(FIRST_DAY) <= day and (column.is_open_ended or day <= str(LAST_DAY))


def is_number(text: str) -> bool:
    """Whether the text is a finite decimal number."""
    return bool(_NUMBER.fullmatch(text)) and math.isfinite(float(text))


def is_whole(text: str) -> bool:
    """Whether the text is a whole number; 3.0 is one."""
    return is_number(text) and float(text).is_integer()


def is_boolean(text: str) -> bool:
    """Whether the text is true or false, 1 or 0, yes or no, in any case."""
    return text.casefold() in BOOLEANS


_READABLE: dict[str, tuple[str, str, Callable[[str], bool]]] = {
    "date": (
        "not_a_date",
        "is not a date of the calendar; write it as yyyy-mm-dd, or leave the cell empty where the contract allows it",
        is_day,
    ),
    "number": (
        "not_a_number",
        "is not a number; write digits with a decimal point and no thousands separator, or "
        "leave the cell empty where the contract allows it",
        is_number,
    ),
    "integer": ("not_a_number", "is not a whole number; write digits alone", is_whole),
    "boolean": (
        "not_a_boolean",
        "is neither true nor false; write one of them, or leave the cell empty where there was no answer",
        is_boolean,
    ),
}

_DTYPE = {"date": "datetime64[us]", "number": "float64", "integer": "float64", "boolean": "boolean"}


def _typed(cells: pd.Series, column: Column, as_text: Callable[[pd.Series], pd.Series]) -> pd.Series:
    if column.kind not in _READABLE:
        return as_text(cells)
    codes, texts = coded(cells)
    readable = pd.Series(texts, dtype="str").where(_judged(texts, _READABLE[column.kind][2]))
    values = pd.api.extensions.take(_converted(readable, column.kind).array, codes, allow_fill=True)
    return pd.Series(values, index=cells.index)


def _converted(readable: pd.Series, kind: str) -> pd.Series:
    """Return texts that can be read, or are missing, as what they say."""
    if kind == "date":
        return pd.to_datetime(readable, format="%Y-%m-%d").astype("datetime64[us]")
    if kind == "boolean":
        return readable.str.casefold().map(BOOLEANS).astype("boolean")
    return pd.to_numeric(readable).astype("float64")


def _text(cells: pd.Series) -> pd.Series:
    codes, texts = coded(cells)
    return pd.Series(texts.astype("str").array.take(codes, allow_fill=True), index=cells.index)


def _category(cells: pd.Series) -> pd.Series:
    """Return the texts as a category, its categories those that occur, in ascending order."""
    codes, texts = ascending(cells)
    return pd.Series(pd.Categorical.from_codes(codes, texts.astype("str")), index=cells.index)


def _empty(index: pd.Index, column: Column, as_text: Callable[[pd.Series], pd.Series]) -> pd.Series:
    empty = pd.Series(None, index=index, dtype=_DTYPE.get(column.kind, "str"))
    return empty if column.kind in _READABLE else as_text(empty)


# --- tables -----------------------------------------------------------------------------------------------------------
# Text rows → the typed canonical tables of a study, and every problem on the way.

# A table stands after those that its rules look up. Within a table the rules of one phase see the same rows;
# the next phase sees those that are left.
PHASES: dict[str, tuple[tuple[Rule, ...], ...]] = {
    "snapshots": (jobs.LISTS, jobs.HISTORIES),
    "employees": (employees.STAFF, employees.SPELLS),
    "jobs": (jobs.CHANGES, jobs.DUPLICATES, jobs.MANAGERS),
    "leave": (jobs.LEAVE,),
    "waves": (surveys.WAVES,),
    "responses": (surveys.RESPONSES, surveys.LAST_RESPONSES),
    "unlinked_responses": (surveys.UNLINKED,),
    "ratings": (surveys.RATINGS, surveys.LAST_RATINGS),
    "enrolments": (enrolments.INTAKES, enrolments.ENROLMENTS),
    "sessions": (enrolments.SESSIONS,),
    # what these say was put into the tables that they are a part of
    **dict.fromkeys(PARTS, ()),
}
# No number may depend on the order of a file's rows: answers alone stay as they came.
ORDER = {
    "snapshots": ["snapshot_date", "employee_id"],
    "employees": ["hire_date", "employee_id"],
    "jobs": ["employee_id", "effective_date"],
    "leave": ["employee_id", "leave_start"],
    "enrolments": ["program_id", "intake_date", "role", "employee_id"],
}


def load_tables(study: Study, instruments: dict[str, Instrument]) -> tuple[Tables, tuple[Problem, ...]]:
    """Read every source of a study and check it.

    Returns
    -------
    tables, problems
        The canonical tables (grains as in `Tables`), and the warnings and remarks of the data-quality ledger.

    Raises
    ------
    BadInput
        Some problem is an error; it holds all of them, the warnings too.
    """
    tables, problems = check_tables(read_sources(study), study, instruments)
    if _stops(problems):
        raise BadInput(problems, tables.row_counts, tables.lists)
    return tables, tuple(problems)


def check_tables(raw: RawTables, study: Study, instruments: dict[str, Instrument]) -> tuple[Tables, list[Problem]]:
    """Check the text rows of a study's sources and give them their types.

    Returns
    -------
    tables, problems
        Nothing is raised. When any problem is an error, the tables are empty, but for `row_counts` and
        `lists`.
    """
    context = Context(study, instruments, _incomplete(raw), _listed(raw))
    problems = [*raw.problems, *(() if raw.unread else _missing_waves(study))]
    for table in PHASES:
        made = _made_of_snapshots(table, raw, context)
        if table in raw.tables or made is not None:
            problems += _check_table(table, raw.tables.get(table, pd.DataFrame()), context, made)
    problems += _snapshot_problems(raw, context)
    _mark_left_out(context)
    problems += rollout_problems(study, context.kept)
    problems += lot_problems(context)
    problems += unknown_kinds(context)
    row_counts = account(raw.rows_in, context.kept, problems)
    lists = listed(raw.rows_in, context.seen.get("enrolments"), problems)
    problems = with_people(problems, context.seen)
    if _stops(problems):
        return Tables(row_counts=row_counts, lists=lists), problems
    problems += unlinked_files(row_counts, context.seen, context.kept)
    # a table of which nothing is left is no table: what needs it is answered as where there is no such file
    kept = {table: _in_order(rows, table) for table, rows in context.kept.items() if len(rows) and table in TABLES}
    return Tables(**kept, row_counts=row_counts, lists=lists), problems


def _check_table(
    table: str,
    text: pd.DataFrame,
    context: Context,
    made: pd.DataFrame | None,
) -> list[Problem]:
    """Check one table, with typed rows that were made of another one, and put its rows into the context."""
    problems: list[Problem] = []
    if table in ANSWERS:
        text, problems = surveys.labels_to_numbers(text, context.instruments, table)
    rules = [rule for rule in cell_rules(table) if rule.column in text]
    rows = typed(text, table)
    problems += enforce(rules, text, table, context)[1] if len(text) else []
    rows = rows if made is None else pd.concat([rows, made], ignore_index=True)
    context.seen[table] = rows
    for phase in PHASES[table]:
        rows, found = enforce(phase, rows, table, context)
        problems += found
        if phase is employees.STAFF:
            rows, found = employees.united(rows)
            problems += found
    context.kept[table] = rows
    return problems


def _incomplete(raw: RawTables) -> frozenset[str]:
    """Return the tables of which something could not be read; what snapshots stand for is incomplete with them."""
    return raw.incomplete | ({"employees", "jobs"} if "snapshots" in raw.incomplete else set())


def _listed(raw: RawTables) -> pd.Series:
    """Return the last day employed of everybody in a file of employees, by id; far off where it has not come."""
    rows = typed(raw.tables.get("employees", pd.DataFrame()), "employees")
    last = rows["exit_date"].fillna(pd.Timestamp(LAST_DAY))
    return last.groupby(rows["employee_id"]).max()


def _made_of_snapshots(table: str, raw: RawTables, context: Context) -> pd.DataFrame | None:
    """Return what snapshots say of employment and, where no file of job changes is there, of jobs; None without any."""
    rows = context.kept.get("snapshots")
    if rows is None or rows.empty or table in raw.incomplete:
        return None
    if table == "employees":
        return jobs.spells_of(rows, context.listed)
    made = jobs.changes_of(rows) if table == "jobs" and not any(of == "jobs" for of, _ in raw.rows_in) else None
    return made if made is not None and len(made) else None


def _snapshot_problems(raw: RawTables, context: Context) -> list[Problem]:
    rows = context.kept.get("snapshots")
    if rows is None or "employees" in raw.incomplete:
        return []
    return jobs.period_problems(rows, context.study, give_spells=context.listed.empty)


def _mark_left_out(context: Context) -> None:
    """Say in ``is_staff`` of the enrolments who is an employee, where somebody enrolled is none."""
    rows, gone = context.kept.get("enrolments"), employees.left_out(context)
    if rows is not None and rows["employee_id"].isin(gone).any():
        context.kept["enrolments"] = rows.assign(is_staff=~rows["employee_id"].isin(gone))


def _in_order(rows: pd.DataFrame, table: str) -> pd.DataFrame:
    rows = rows.drop(columns=["_source", "_line"])
    if table in ORDER:
        rows = rows.sort_values(ORDER[table], kind="stable")
    return rows.reset_index(drop=True)


def _stops(problems: list[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _missing_waves(study: Study) -> list[Problem]:
    fed = {source.table for source in study.sources} | ({"waves"} if study.waves else set())
    told = "which no source feeds; add a file with wave, instrument, opens and closes to sources:"
    return [
        study_file_problem(table, "missing_waves", f"{table} need the table waves, {told}")
        for table in ANSWERS
        if table in fed and "waves" not in fed
    ]
