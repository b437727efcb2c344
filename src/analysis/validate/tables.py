"""Text rows → the typed canonical tables of a study, and every problem on the way."""

from collections.abc import Callable

import pandas as pd

from analysis.ingest import RawTables, read_sources
from analysis.plan.bounds import LAST_DAY
from analysis.plan.contract import ANSWERS, PARTS, TABLES, Tables
from analysis.plan.errors import BadInput, Problem
from analysis.plan.instruments import Instrument
from analysis.plan.study import Study
from analysis.validate import employees, enrolments, jobs, snapshots, surveys
from analysis.validate.account import account, listed, unlinked_files, with_people
from analysis.validate.cells import cell_rules, typed
from analysis.validate.employees import unknown_kinds
from analysis.validate.enrolments import lot_problems, rollout_problems
from analysis.validate.rule import Context, Rule, enforce

# A table stands after those that its rules look up. Within a table the rules of one phase see the same rows;
# the next phase sees those that are left.
PHASES: dict[str, tuple[Callable[[Context], list[Rule]], ...]] = {
    "snapshots": (snapshots.lock_rules, snapshots.history_rules),
    "employees": (employees.rules_of_the_lock, employees.spell_rules),
    "jobs": (jobs.change_rules, jobs.duplicate_rules, jobs.manager_rules),
    "leave": (jobs.leave_rules,),
    "waves": (surveys.wave_rules,),
    "responses": (surveys.response_rules, surveys.duplicate_response_rules),
    "unlinked_responses": (surveys.unlinked_rules,),
    "ratings": (surveys.rating_rules, surveys.duplicate_rating_rules),
    "enrolments": (enrolments.intake_rules, enrolments.enrolment_rules),
    "sessions": (enrolments.session_rules,),
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
    for table, phases in PHASES.items():
        made = _made_of_snapshots(table, raw, context)
        if table in raw.tables or made is not None:
            problems += _check_table(table, raw.tables.get(table, pd.DataFrame()), phases, context, made)
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
    phases: tuple[Callable[[Context], list[Rule]], ...],
    context: Context,
    made: pd.DataFrame | None,
) -> list[Problem]:
    """Check one table, with typed rows that were made of another one, and put its rows into the context."""
    problems: list[Problem] = []
    if table in ANSWERS:
        text, problems = surveys.labels_to_numbers(text, context.instruments, table)
    rules = [rule for rule in cell_rules(table) if rule.column in text]
    rows = typed(text, table)
    problems += enforce(rules, text, table)[1] if len(text) else []
    rows = rows if made is None else pd.concat([rows, made], ignore_index=True)
    context.seen[table] = rows
    for phase in phases:
        rows, found = enforce(phase(context), rows, table)
        problems += found
        if phase is employees.rules_of_the_lock:
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
        return snapshots.spells_of(rows, context.listed)
    made = snapshots.changes_of(rows) if table == "jobs" and not any(of == "jobs" for of, _ in raw.rows_in) else None
    return made if made is not None and len(made) else None


def _snapshot_problems(raw: RawTables, context: Context) -> list[Problem]:
    rows = context.kept.get("snapshots")
    if rows is None or "employees" in raw.incomplete:
        return []
    return snapshots.period_problems(rows, context.study, give_spells=context.listed.empty)


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
    return [
        Problem(
            severity="error",
            table=table,
            source="study.yaml",
            rule="missing_waves",
            action="rejected",
            message=f"{table} need the table waves, which no source feeds; add a file with wave, instrument, opens "
            "and closes to sources:",
        )
        for table in ANSWERS
        if table in fed and "waves" not in fed
    ]
