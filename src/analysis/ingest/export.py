"""One export as text: its columns as the vendor named them, what is wrong with it, and which headings may be shown."""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.ingest.date_forms import SERIAL_DAYS
from analysis.ingest.profile import Layout, load_profiles
from analysis.ingest.text_matching import folded, plain
from analysis.plan.contract import TABLES
from analysis.plan.errors import Action, Problem, Severity, distinct
from analysis.plan.faults import known
from analysis.plan.study import ImpreciseDates, TableName
from analysis.plan.yaml_file import load_yaml

# --- heading words ----------------------------------------------------------------------------------------------------
# Whether a heading may be shown: one that is made of words that headings are made of, and of nobody's data.

WORDS = Path(__file__).parent / "heading_words.yaml"
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-ZÀ-Þ])(?=[A-ZÀ-Þ][a-zà-ÿ])")
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")
# What tools call a question: Q1, QID12, V3_2.
_CODE = re.compile(r"(g\d{1,2})?(q|qid|qn|qu|v|var|x|f|sq|it|item|col)[ _.-]?\d{1,3}([_.]\d{1,3}){0,2}", re.IGNORECASE)
LEAST_LETTERS = 4
MOST_DIGITS, DIGITS_OF_A_YEAR = 3, 4
# Names of people have fewer.
MOST_WORDS = 4


def is_heading(text: str, known: Collection[str] = ()) -> bool:
    """Whether a column's name is one that the contract, a profile or a card knows, or has no other words than theirs.

    Parameters
    ----------
    known
        Further names (`names.plain`), those that a study or its cards name.
    """
    if plain(text) in known or plain(text) in vendors_names() or _CODE.fullmatch(text.strip()):
        return True
    words = words_of(text)
    return bool(words) and all(map(_is_word, words)) and _has_few_digits(text)


def _is_word(word: str) -> bool:
    """Whether a word is one of headings, or is two of them written together, of which one is no short one: dateof."""
    known = heading_words()
    parts = ((word[:n], word[n:]) for n in range(2, len(word) - 1))
    return word in known or any({*part} <= known and max(map(len, part)) >= LEAST_LETTERS for part in parts)


def is_data(text: str) -> bool:
    """Whether a heading looks like a name, an address or a number, and not like a question or a word for one.

    Two or three words that all begin with a capital are taken for a name, unless they are words of headings.
    """
    words = text.replace(",", " ").split()
    is_name = 1 < len(words) < MOST_WORDS and all(word[:1].isupper() for word in words) and not is_heading(text)
    return "@" in text or is_name or sum(map(len, _DIGITS.findall(text))) > DIGITS_OF_A_YEAR


def shown_sheets(names: Sequence[str], some: Collection[str]) -> str:
    """Return how a message lists some of a workbook's sheets: by name where it is a heading, else by place."""
    return ", ".join(name if is_heading(name) else f"sheet {n}" for n, name in enumerate(names, 1) if name in some)


def _has_few_digits(text: str) -> bool:
    return sum(map(len, _DIGITS.findall(text))) <= MOST_DIGITS


def words_of(text: str) -> set[str]:
    """Return the words of a name, without case: those of ``HireDate`` are hire and date."""
    return {folded(word) for word in _LETTERS.findall(_CAMEL.sub(" ", text))}


@cache
def heading_words() -> frozenset[str]:
    """Return the words that headings are made of."""
    listed = load_yaml(WORDS, source=WORDS.name).content
    words = {word for text in listed.values() for word in text.split()}
    return frozenset(words | {word for name in _names() for word in words_of(name)})


@cache
def vendors_names() -> frozenset[str]:
    """Return the names of the contract's and of any vendor's columns (`names.plain`)."""
    return frozenset(plain(name) for name in _names() if "*" not in name)


def _names() -> Iterator[str]:
    for table in TABLES.values():
        yield from table
    for profile in load_profiles().values():
        for layouts in profile.tables.values():
            for layout in layouts:
                yield from _names_of(layout)


def _names_of(layout: Layout) -> Iterator[str]:
    parts = [layout.columns, *(part.columns for part in layout.roles.values())]
    yield from (name for part in parts for names in part.values() for name in names)
    keys = [*layout.directory, *(key for ways in layout.keys.values() for key in ways)]
    keys += [key for part in layout.roles.values() for key in part.keys]
    yield from (name for key in keys for name in key.columns)
    yield from (name for names in layout.recognised_by for name in names)
    whens = [pick.when for picks in layout.picks.values() for pick in picks]
    yield from (name for when in (*whens, *(reject.when for reject in layout.reject)) for name in when)
    yield from (*layout.ignored, *layout.personal)
    if layout.duration:
        yield from (*layout.duration.begun, *layout.duration.sent)


# --- export -----------------------------------------------------------------------------------------------------------
# One export as text: its columns as the vendor named them, and what is wrong with it.

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

    def warn(
        self, rule: str, message: str, lines: Iterable[int] = (), *, action: Action = "kept", column: str = ""
    ) -> None:
        """Note what somebody should look at, as `note` does."""
        self.note(rule, message, lines, severity="warning", action=action, column=column)

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


# --- headings ---------------------------------------------------------------------------------------------------------
# Columns of one name, and columns without any: they matter where something is read from them.


def note_headings(export: Export, read: Collection[str], *, is_strict: bool) -> None:
    """Note columns of an export that share a name or have none; an error where such a column is read.

    Parameters
    ----------
    read
        The columns of which something is made.
    is_strict
        Whether every column must have a name, as in a file of the contract's own form.
    """
    meant = {name: places for name, places in export.repeated.items() if name in read}
    others = {name: places for name, places in export.repeated.items() if name not in read}
    if meant:
        export.fail(
            "duplicate_column",
            f"{_listed(export, meant)} stand more than once in the header, and which one is meant is not known; keep "
            "one of each, or rename the others",
            [1],
        )
    if others:
        message = f"{_listed(export, others)} stand more than once in the header; none of them is read"
        export.note("duplicate_column", message, action="set_null")
    if export.unnamed:
        places = ", ".join(map(str, export.unnamed))
        message = f"{len(export.unnamed)} column(s) without a name in the header (column {places})"
        if is_strict:
            export.fail("unnamed_column", f"{message}; name them or take them out", [1])
        else:
            message = f"{message} were not read; name them if they are needed"
            export.warn("unnamed_column", message, action="set_null")


def _listed(export: Export, repeated: dict[str, tuple[int, ...]]) -> str:
    shown = []
    for name, places in list(repeated.items())[:8]:
        called = " ".join(name.split())[:40] if export.may_show(name) else "one name"
        shown.append(f"{called} (columns {', '.join(map(str, places))})")
    return ", ".join(shown) + (f" and {len(repeated) - 8} more" if len(repeated) > 8 else "")
