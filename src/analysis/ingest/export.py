"""One export as text: its columns as the vendor named them, and what is wrong with it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.ingest.date_forms import SERIAL_DAYS
from analysis.ingest.heading_words import is_heading
from analysis.plan.errors import Action, Problem, Severity, distinct
from analysis.plan.known import known
from analysis.plan.study import ImpreciseDates, TableName

SOURCE, LINE = "_source", "_line"


@dataclass
class Export:
    """The rows of one export and what is wrong with them.

    Attributes
    ----------
    table, source
        The canonical table that it feeds, and its name in messages.
    frame
        One row per record. Every column is a categorical of text: its categories are the distinct cells (`str`, no
        spaces around them, never empty), an empty cell is missing; so that each distinct text is judged once.
        `_line` (integer) is the line of the file on which the record begins, the header being line 1; of a
        spreadsheet it is the row, of a database query 1 + the number of the row. None where nothing could be read.
    wording
        Column → what else the export calls it: the question's text, a label, the parts of a two-line header.
    labels
        Column → what each of its numbers stands for, where the file itself says so.
    positions
        Column → where it stands in the file, from 1.
    repeated
        Name that several columns have → where they stand; the first of them is read.
    unnamed
        Where columns stand that have values and no name; they are not read.
    is_headless
        Its line of names looks like a record, so that no name may be repeated.
    timezone
        The zone in which the export says that its times are written (an IANA name); None where it does not say.
    rows_in
        How many records the file has, rejected ones included; None where that cannot be told.
    is_canonical
        It is in the contract's own form already.
    is_forms
        Its records are whole forms, of which each became several answers.
    headings
        What its columns were called, in their order, before they were translated.
    probably
        Canonical column that it lacks → the column that is probably meant by it.
    kept
        The columns that the study asks for under `keep` and that it has.
    serials_since
        The day from which a workbook counts days that are not formatted as dates.
    header_line
        The line with its columns' names.
    below
        Lines below the table's last record that have one cell, and no marks for the others.
    known
        Names of columns (`names.plain`) that the study or its cards give; a message may repeat these.
    typed
        Its columns that hold no text in the file, but numbers or dates of its own.
    imprecise_dates
        Which day of a span of days is to be taken for a start; None where it stays unknown.
    problems
        What is wrong, what was assumed and what was repaired.
    """

    table: TableName
    source: str
    frame: pd.DataFrame | None = None
    wording: dict[str, tuple[str, ...]] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    repeated: dict[str, tuple[int, ...]] = field(default_factory=dict)
    unnamed: tuple[int, ...] = ()
    is_headless: bool = False
    timezone: str | None = None
    rows_in: int | None = None
    is_canonical: bool = False
    is_forms: bool = False
    headings: tuple[str, ...] = ()
    probably: dict[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    serials_since: dt.date = SERIAL_DAYS
    header_line: int = 1
    below: tuple[int, ...] = ()
    known: set[str] = field(default_factory=set)
    typed: set[str] = field(default_factory=set)
    imprecise_dates: ImpreciseDates | None = None
    problems: list[Problem] = field(default_factory=list)

    def fail(self, rule: str, message: str, lines: Iterable[int] = ()) -> None:
        """Note an error of the whole export, or of the records that begin on these lines."""
        self.note(rule, message, lines, severity="error", action="rejected")

    def note(
        self,
        rule: str,
        message: str,
        lines: Iterable[int] = (),
        *,
        severity: Severity = "info",
        action: Action = "repaired",
        column: str = "",
    ) -> None:
        """Note a problem of the whole export, or of the records that begin on these lines (each counted once).

        `column` is the one to blame, by a name that the contract, a profile or the study gives it.
        """
        lines = distinct(np.asarray(lines if isinstance(lines, (np.ndarray, pd.Series)) else list(lines), int))
        self.problems.append(
            Problem(
                severity=severity,
                table=self.table,
                source=self.source,
                rows=len(lines),
                example_rows=tuple(lines[:5]),
                rule=rule,
                message=message,
                action=action,
                column=column,
                lines=lines,
            )
        )

    def called(self, column: str) -> str:
        """Return how a message calls a column: where it stands, and its name unless that may be a person's entry."""
        place = f"column {self.positions[column]}" if column in self.positions else "column"
        return f"{place} ({_short(column)})" if self.may_show(column) else place

    def shown(self, column: str) -> str:
        """Return the name of a column, or where it stands where its name may be a person's entry."""
        return _short(column) if self.may_show(column) else f"column {self.positions.get(column, '')}".rstrip()

    def may_show(self, column: str) -> bool:
        """Whether a message may repeat what the file calls a column."""
        return not self.is_headless and is_heading(column, self.known)

    @property
    def rows(self) -> pd.DataFrame:
        """The frame of an export that could be read."""
        return known(self.frame)

    @property
    def has_failed(self) -> bool:
        """Whether some problem is an error."""
        return any(problem.severity == "error" for problem in self.problems)


def _short(name: str) -> str:
    return " ".join(name.split())[:40]


def as_text(values: Iterable[str | None]) -> pd.Categorical:
    """Return cells as a column of an export: spaces around them taken off, empty ones missing."""
    codes, distinct = pd.factorize(pd.Series(list(values), dtype="str"))
    return recoded(codes, [text.strip() for text in distinct])


def recoded(codes: np.ndarray, texts: Sequence[str | None]) -> pd.Categorical:
    """Return the column whose cell of code k is ``texts[k]``; equal texts become one, empty and None missing.

    This is how a function of a cell is applied to a whole column: once for each distinct text.
    """
    new, distinct = pd.factorize(pd.Series([text or None for text in texts], dtype="str"))
    lookup = np.append(new, -1).astype(np.int32)
    return pd.Categorical.from_codes(lookup[np.asarray(codes)], pd.Index(distinct, dtype="str"))
