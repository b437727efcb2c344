"""One rule, what it may look up elsewhere, and what is done with the rows that break it."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from analysis.plan.errors import MAX_EXAMPLE_ROWS, Action, Problem, Severity
from analysis.plan.instruments import Instrument
from analysis.plan.study import Study

# Rows are compared by a table of all combinations of values while it has no more places than this for each row.
PLACES_A_ROW = 8
_MOST = 2**62


def coded(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return which value each row has, shape (rows,), −1 where it is missing, and the distinct values.

    Of a categorical these are its categories, among them those that no row has.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), column.cat.categories
    codes, distinct = pd.factorize(column)
    return codes, pd.Index(distinct)


def ascending(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return which value each row has, as `coded` does, and the values: those that occur, in ascending order."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return pd.factorize(column, sort=True)
    codes, values = coded(column)
    occurs = np.flatnonzero(np.bincount(codes + 1, minlength=len(values) + 1)[1:])
    order = occurs[values[occurs].argsort()]
    new = np.empty(len(values), dtype=np.int32)
    new[order] = np.arange(len(order), dtype=np.int32)
    return spread(codes, new, -1), values[order]


def spread(codes: np.ndarray, of_each: np.ndarray, missing: object) -> np.ndarray:
    """Return for each row what `of_each` says of its value, `missing` where it has none."""
    return np.append(of_each, np.asarray([missing], dtype=of_each.dtype))[codes]


def positions(values: pd.Index, known: pd.Index) -> np.ndarray:
    """Return where in `known`, which has nothing twice, each value stands, shape (values,); −1 where it does not.

    Texts are compared all at once, as Arrow has them: an index would make an object of each.
    """
    codes, _ = pd.factorize(pd.concat([known.to_series(), values.to_series()]))
    return np.where(codes[len(known) :] < len(known), codes[len(known) :], -1)


def among(column: pd.Series, known: pd.Index) -> pd.Series:
    """Return whether each row's value is among `known`, which has nothing twice; False where it is missing."""
    codes, values = coded(column)
    return pd.Series(spread(codes, positions(values, known) >= 0, False), index=column.index)


def together_among(frame: pd.DataFrame, columns: Sequence[str], known: pd.MultiIndex) -> pd.Series:
    """Return whether each row's values of several columns are together among `known`; False where one is missing."""
    # One number for each combination, with one place more in each column for what is not known, or missing.
    n_places = math.prod(len(level) + 1 for level in known.levels)
    is_small = n_places <= PLACES_A_ROW * (len(frame) + len(known))
    kind = np.int32 if n_places < 2**31 else np.int64
    number: np.ndarray = np.zeros(len(frame), kind)
    listed: np.ndarray = np.zeros(len(known), kind)
    for column, level, of_known in zip(columns, known.levels, known.codes, strict=True):
        codes, values = coded(frame[column])
        position = level.get_indexer(values)
        position = np.where(position < 0, len(level), position).astype(kind)
        number = number * kind(len(level) + 1) + spread(codes, position, len(level))
        listed = listed * kind(len(level) + 1) + of_known
    if not is_small:
        return pd.Series(np.isin(number, listed), index=frame.index)
    is_listed = np.zeros(n_places, dtype=bool)
    is_listed[listed] = True
    return pd.Series(is_listed[number], index=frame.index)


def repeated(frame: pd.DataFrame, columns: Sequence[str], *, keep: str = "first") -> pd.Series:
    """Return which rows repeat others in `columns`, as `DataFrame.duplicated` does: missing values are equal."""
    number, n_places = _numbered(frame, columns)
    if n_places > PLACES_A_ROW * len(frame):
        return pd.Series(number, index=frame.index).duplicated(keep=keep)
    order = np.arange(len(frame), dtype=np.int32)
    kept = np.empty(n_places, dtype=np.int32)
    # Of equal rows the one written last stays.
    if keep == "last":
        kept[number] = order
    else:
        kept[number[::-1]] = order[::-1]
    return pd.Series(kept[number] != order, index=frame.index)


def _numbered(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[np.ndarray, int]:
    """Return a number for each row, the same where all columns are, and how many such numbers there can be."""
    number, n_places = np.zeros(len(frame), dtype=np.int64), 1
    for column in columns:
        codes, values = coded(frame[column])
        has_missing = int(codes.min(initial=0) < 0)
        n_values = len(values) + has_missing
        if n_places * n_values > _MOST:
            number, distinct = pd.factorize(number)
            n_places = len(distinct)
        number, n_places = number * n_values + codes + has_missing, n_places * n_values
    return number, n_places


# --- context ----------------------------------------------------------------------------------------------------------
# What the rules of one table may look up elsewhere: the study, the instruments, the tables checked before it.


# --- rule -------------------------------------------------------------------------------------------------------------
# One rule, what it may look up elsewhere, and what is done with the rows that break it.


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

    @property
    def names(self) -> dict[str, str]:
        """What messages name: the programs of the study, and the cards of its instruments."""
        programs = ", ".join(program.id for program in self.study.programs)
        return {"programs": programs or "it names none", "cards": ", ".join(sorted(self.instruments)) or "none"}

    def rows_of(self, table: str, *, left: bool = False) -> pd.DataFrame | None:
        """Return a table's rows (those `left` after its rules), or None where it cannot be looked up in."""
        found = (self.kept if left else self.seen).get(table)
        return None if table in self.incomplete else found


# --- rule -------------------------------------------------------------------------------------------------------------
# One rule, and what is done with the rows that break it.


Test = Callable[[pd.DataFrame, Context], pd.Series]


@dataclass(frozen=True)
class Rule:
    """What must hold in every row of a table; the rules of a table are a table themselves.

    Attributes
    ----------
    name
        Short name in the ledger, in snake_case.
    column
        The column that is to blame.
    severity, action
        As in the ledger. An `error` stops the study, so its rows stay until every other rule has seen them.
    message
        What is wrong and what to do, in a sentence; never a cell's content. ``{programs}`` and ``{cards}`` stand for
        the names that the study and its instruments have.
    test
        The table's frame and what may be looked up → True for every row that breaks the rule. What cannot be judged
        (a missing cell, a table that is not there) does not.
    nulls
        The columns that `set_null` empties; `column` alone where none is named.
    """

    name: str
    column: str
    severity: Severity
    action: Action
    message: str
    test: Test
    nulls: tuple[str, ...] = ()


def nowhere(rows: pd.DataFrame | pd.Series) -> pd.Series:
    """Return that no row breaks a rule, which cannot be judged."""
    return pd.Series(False, index=rows.index)


def after_as_of(what: str, column: str) -> Rule:
    """Return the rule that takes out rows of which nothing is known yet at the data lock."""
    message = f"{column} is after as_of, the end of the data; move as_of if that is wrong"
    return Rule(f"{what}_after_as_of", column, "info", "rejected", message, lambda f, c: f[column] > c.as_of)


def enforce(
    rules: Sequence[Rule], frame: pd.DataFrame, table: str, context: Context
) -> tuple[pd.DataFrame, list[Problem]]:
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
    for rule, rows in broken_rules(rules, frame, context):
        told = replace(rule, message=rule.message.format(**context.names))
        problems += ledger_lines(told, frame[["_source", "_line"]].iloc[rows], table)
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


def broken_rules(rules: Sequence[Rule], frame: pd.DataFrame, context: Context) -> list[tuple[Rule, np.ndarray]]:
    """Return the rules that some rows break, in their order, each with the positions of those rows.

    Raises
    ------
    KeyError
        A rule blames a column that is not there: a mistake of the program, never taken for one of the data.
    """
    unknown = {rule.column for rule in rules} - set(frame)
    if unknown:
        raise KeyError(sorted(unknown))
    tested = ((rule, np.flatnonzero(rule.test(frame, context).to_numpy(dtype=bool))) for rule in rules)
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


def study_file_problem(
    table: str, rule: str, message: str, *, severity: Severity = "error", rows: int = 0, lines: tuple[int, ...] = ()
) -> Problem:
    """Return a problem of what ``study.yaml`` says, held against what the tables hold."""
    action: Action = "rejected" if severity == "error" else "kept"
    return Problem(
        severity=severity,
        table=table,
        source="study.yaml",
        rows=rows,
        example_rows=lines,
        rule=rule,
        message=message,
        action=action,
    )


def lines_by_source(rows: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each source of the rows and the lines of its records, each once: a form is one, whatever its answers."""
    codes, sources = coded(rows["_source"])
    order = np.argsort(codes.astype(np.min_scalar_type(len(sources))), kind="stable")
    codes, lines = codes[order], rows["_line"].to_numpy()[order]
    ends = np.flatnonzero(np.append(codes[1:] != codes[:-1], True)) + 1 if len(codes) else np.zeros(0, dtype=int)
    for start, end in pairwise([0, *ends]):
        ordered = np.sort(lines[start:end], kind="stable")
        yield sources[codes[start]], ordered[np.append(True, ordered[1:] != ordered[:-1])]
