"""One rule, how pandera runs it, and what is done with the rows that break it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrorReason, SchemaErrors

from analysis.plan.errors import MAX_EXAMPLE_ROWS, Action, Problem, Severity
from analysis.validate.account import lines_of


@dataclass(frozen=True)
class Rule:
    """What must hold in every row of a table.

    Attributes
    ----------
    name
        Short name in the ledger, in snake_case.
    column
        The column that is to blame.
    severity, action
        As in the ledger. An `error` stops the study, so its rows stay until every other rule has seen them.
    message
        What is wrong and what to do, in a sentence; never a cell's content.
    test
        The table's frame → True for every row that is fine. What cannot be judged (a missing cell) is fine.
    nulls
        The columns that `set_null` empties; `column` alone where none is named.
    """

    name: str
    column: str
    severity: Severity
    action: Action
    message: str
    test: Callable[[pd.DataFrame], pd.Series]
    nulls: tuple[str, ...] = ()


def enforce(rules: Sequence[Rule], frame: pd.DataFrame, table: str) -> tuple[pd.DataFrame, list[Problem]]:
    """Run the rules on one frame, all on the same rows, then reject and empty what they say.

    Parameters
    ----------
    frame
        Rows of one table with `_source` and `_line` and a unique index.

    Returns
    -------
    frame, problems
        The rows left, and one problem per broken rule and source.
    """
    problems, rejected, emptied = [], pd.Index([]), []
    for rule, rows in broken_rules(rules, frame):
        problems += _ledger_lines(rule, frame.loc[rows, ["_source", "_line"]], table)
        if rule.severity == "error":
            continue
        if rule.action == "rejected":
            rejected = rejected.union(rows)
        elif rule.action == "set_null":
            emptied += [(column, rows) for column in rule.nulls or (rule.column,)]
    for column, rows in emptied:
        frame = frame.assign(**{column: frame[column].mask(frame.index.isin(rows))})
    return frame.drop(index=rejected), problems


def broken_rules(rules: Sequence[Rule], frame: pd.DataFrame) -> list[tuple[Rule, pd.Index]]:
    """Return the rules that some rows break, in their order, each with the index of those rows.

    Raises
    ------
    SchemaErrors
        A test itself failed: a mistake of the program, never taken for one of the data.
    """
    numbered = {str(n): rule for n, rule in enumerate(rules)}
    checks: dict[str, list[pa.Check]] = {}
    for number, rule in numbered.items():
        checks.setdefault(rule.column, []).append(_check(number, rule, frame))
    schema = pa.DataFrameSchema({column: pa.Column(checks=its, nullable=True) for column, its in checks.items()})
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        if any(e.reason_code is not SchemaErrorReason.DATAFRAME_CHECK for e in errors.schema_errors):
            raise
        found = {e.check.name: pd.Index(e.failure_cases["index"]) for e in errors.schema_errors}
        return [(rule, found[number]) for number, rule in numbered.items() if number in found]
    return []


def _check(number: str, rule: Rule, frame: pd.DataFrame) -> pa.Check:
    # pandera shows a column's check that column alone, and by default only its cells that are not missing:
    # the rule is given the whole frame instead. Its number is the check's name, since a rule's name may recur.
    return pa.Check(lambda _column: rule.test(frame), name=number, ignore_na=False)


def _ledger_lines(rule: Rule, rows: pd.DataFrame, table: str) -> list[Problem]:
    """Return one problem per source; a record of which several rows were made counts once."""
    return [
        Problem(
            severity=rule.severity,
            table=table,
            source=source,
            rows=len(lines),
            example_rows=tuple(lines[:MAX_EXAMPLE_ROWS]),
            rule=rule.name,
            message=rule.message,
            action=rule.action,
            lines=lines,
        )
        for (_, source), lines in lines_of({table: rows}).items()
    ]
