"""Text rows → the typed canonical tables of a study, and every problem on the way."""

from collections.abc import Callable

import pandas as pd

from analysis.ingest import RawTables, read_sources
from analysis.plan.contract import ANSWERS, Tables
from analysis.plan.errors import BadInput, Problem
from analysis.plan.instruments import Instrument
from analysis.plan.study import Study
from analysis.validate import employees, enrolments, jobs, surveys
from analysis.validate.account import account
from analysis.validate.cells import cell_rules, typed
from analysis.validate.context import Context
from analysis.validate.linked import unlinked_files
from analysis.validate.listed import listed
from analysis.validate.lots import lot_problems
from analysis.validate.people import with_people
from analysis.validate.rollout import rollout_problems
from analysis.validate.rule import Rule, enforce

# A table stands after those that its rules look up. Within a table the rules of one phase see the same rows;
# the next phase sees those that are left.
PHASES: dict[str, tuple[Callable[[Context], list[Rule]], ...]] = {
    "employees": (employees.rules_of_the_lock, employees.spell_rules),
    "jobs": (jobs.change_rules, jobs.duplicate_rules, jobs.manager_rules),
    "waves": (surveys.wave_rules,),
    "responses": (surveys.response_rules, surveys.duplicate_response_rules),
    "unlinked_responses": (surveys.unlinked_rules,),
    "ratings": (surveys.rating_rules, surveys.duplicate_rating_rules),
    "enrolments": (enrolments.intake_rules, enrolments.enrolment_rules),
    "sessions": (enrolments.session_rules,),
}
# No number may depend on the order of a file's rows: answers alone stay as they came.
ORDER = {
    "employees": ["hire_date", "employee_id"],
    "jobs": ["employee_id", "effective_date"],
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
    context = Context(study, instruments, raw.incomplete)
    problems = [*raw.problems, *(() if raw.unread else _missing_waves(study))]
    for table, phases in PHASES.items():
        if table in raw.tables:
            problems += _check_table(table, raw.tables[table], phases, context)
    problems += rollout_problems(study, context.kept)
    problems += lot_problems(context)
    row_counts = account(raw.rows_in, context.kept, problems)
    lists = listed(raw.rows_in, context.seen.get("enrolments"), problems)
    problems = with_people(problems, context.seen)
    if _stops(problems):
        return Tables(row_counts=row_counts, lists=lists), problems
    problems += unlinked_files(row_counts, context.seen, context.kept)
    # a table of which nothing is left is no table: what needs it is answered as where there is no such file
    kept = {table: _in_order(rows, table) for table, rows in context.kept.items() if len(rows)}
    return Tables(**kept, row_counts=row_counts, lists=lists), problems


def _check_table(
    table: str, text: pd.DataFrame, phases: tuple[Callable[[Context], list[Rule]], ...], context: Context
) -> list[Problem]:
    """Check one table and put its rows into the context."""
    problems: list[Problem] = []
    if table in ANSWERS:
        text, problems = surveys.labels_to_numbers(text, context.instruments, table)
    rules = [rule for rule in cell_rules(table) if rule.column in text]
    rows = typed(text, table)
    problems += enforce(rules, text, table)[1]
    context.seen[table] = rows
    for phase in phases:
        rows, found = enforce(phase(context), rows, table)
        problems += found
    context.kept[table] = rows
    return problems


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
