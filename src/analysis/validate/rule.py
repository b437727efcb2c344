"""One rule, what it may look up elsewhere, and what is done with the rows that break it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from analysis.plan.errors import MAX_EXAMPLE_ROWS, Action, Problem, Severity
from analysis.plan.instruments import Instrument
from analysis.plan.study import Study
from analysis.validate.coded import coded

# --- context ----------------------------------------------------------------------------------------------------------
# What the rules of one table may look up elsewhere: the study, the instruments, the tables checked before it.


@dataclass
class Context:
    """What is known while the tables are checked one after the other.

    Attributes
    ----------
    incomplete
        Tables of which something could not be read: what is missing there proves nothing.
    listed
        The last day employed of everybody in a file of employees, by id; far off where it has not come.
    seen, kept
        The typed rows of the tables checked so far: all of their files, and those left after their rules.
    """

    study: Study
    instruments: dict[str, Instrument]
    incomplete: frozenset[str] = frozenset()
    listed: pd.Series = field(default_factory=lambda: pd.Series(dtype="datetime64[us]"))
    seen: dict[str, pd.DataFrame] = field(default_factory=dict)
    kept: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def as_of(self) -> pd.Timestamp:
        """The last day that is known."""
        return pd.Timestamp(self.study.as_of)

    def rows_of(self, table: str, *, left: bool = False) -> pd.DataFrame | None:
        """Return a table's rows (those `left` after its rules), or None where it cannot be looked up in."""
        found = (self.kept if left else self.seen).get(table)
        return None if table in self.incomplete else found


# --- rule -------------------------------------------------------------------------------------------------------------
# One rule, and what is done with the rows that break it.


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
        Rows of one table with `_source` and `_line`.

    Returns
    -------
    frame, problems
        The rows left, and one problem per broken rule and source.
    """
    problems, left, emptied = [], np.full(len(frame), True), []
    for rule, rows in broken_rules(rules, frame):
        problems += ledger_lines(rule, frame[["_source", "_line"]].iloc[rows], table)
        if rule.severity == "error":
            continue
        if rule.action == "rejected":
            left[rows] = False
        elif rule.action == "set_null":
            emptied += [(column, rows) for column in rule.nulls or (rule.column,)]
    for column, rows in emptied:
        is_emptied = np.full(len(frame), False)
        is_emptied[rows] = True
        frame = frame.assign(**{column: frame[column].mask(is_emptied)})
    return frame if left.all() else _rows(frame, left), problems


def _rows(frame: pd.DataFrame, left: np.ndarray) -> pd.DataFrame:
    """Return the rows that are left, numbered anew; column by column, which is several times as fast as at once."""
    return pd.DataFrame({name: column.array[left] for name, column in frame.items()}, copy=False)


def broken_rules(rules: Sequence[Rule], frame: pd.DataFrame) -> list[tuple[Rule, np.ndarray]]:
    """Return the rules that some rows break, in their order, each with the positions of those rows.

    Raises
    ------
    KeyError
        A rule blames a column that is not there: a mistake of the program, never taken for one of the data.
    """
    unknown = {rule.column for rule in rules} - set(frame)
    if unknown:
        raise KeyError(sorted(unknown))
    tested = ((rule, np.flatnonzero(~rule.test(frame).to_numpy(dtype=bool))) for rule in rules)
    return [(rule, rows) for rule, rows in tested if len(rows)]


def ledger_lines(rule: Rule, rows: pd.DataFrame, table: str) -> list[Problem]:
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
            column=rule.column,
            lines=lines,
        )
        for source, lines in lines_by_source(rows)
    ]


def lines_by_source(rows: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each source of the rows and the lines of its records, each once: a form is one, whatever its answers."""
    codes, sources = coded(rows["_source"])
    order = np.argsort(codes.astype(np.min_scalar_type(len(sources))), kind="stable")
    codes, lines = codes[order], rows["_line"].to_numpy()[order]
    ends = np.flatnonzero(np.append(codes[1:] != codes[:-1], True)) + 1 if len(codes) else np.zeros(0, dtype=int)
    for start, end in pairwise([0, *ends]):
        ordered = np.sort(lines[start:end], kind="stable")
        yield sources[codes[start]], ordered[np.append(True, ordered[1:] != ordered[:-1])]
