"""Cells of one export column → the contract's text for them, starts without a day among them."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.ingest.columns import Columns, emptied, first_filled, is_one_of
from analysis.ingest.date_forms import read_day, read_span, split
from analysis.ingest.dates import YEARS_AHEAD, Order, month_ends, order_of, to_days, to_moments
from analysis.ingest.export import LINE, Export, as_text, recoded
from analysis.ingest.ids import clean_ids, visible_ids
from analysis.ingest.numbers import Cells, open_numbers, percent_to_share, to_booleans, to_numbers
from analysis.ingest.profile import Layout
from analysis.ingest.text_matching import folded, matches
from analysis.plan.contract import FED, ISO_DATE, is_day
from analysis.plan.study import ImpreciseDates, Source, Study

# --- imprecise --------------------------------------------------------------------------------------------------------
# Starts of which a list says a span of days become one day of it: the one that study.yaml asks for.

TAKEN: dict[ImpreciseDates, str] = {"first_day": "first day", "midpoint": "middle day", "last_day": "last day"}
# Days of an enrolment that lie before its start, and after it.
BEFORE, AFTER = ["applied_date", "intake_date"], ["end_date"]
STILL_EMPLOYED = "9999-12-31"


def settle_starts(export: Export, employees: Sequence[pd.DataFrame], as_of: dt.date) -> None:
    """Give a start that is a span of days the day that ``imprecise_dates`` asks for, noted; people must be linked.

    The span is cut to what else is known: a person starts while employed, after applying and the intake's opening,
    before the end and the data lock. A day that would leave nothing of it cuts nothing. Days are ISO text, which sorts
    as days do.
    """
    frame = export.rows
    if export.table != "enrolments" or export.imprecise_dates is None or not {EARLIEST, LATEST} <= set(frame):
        return
    rows = frame.reindex(columns=["employee_id", "start_date", "start_unknown", EARLIEST, LATEST, *BEFORE, *AFTER])
    rows = rows.astype(object).where(rows.notna(), None)
    is_open = rows[["start_date", "start_unknown"]].isna().all(axis=1)
    is_open &= rows[[EARLIEST, LATEST]].map(is_day).all(axis=1)
    if not is_open.any():
        return
    spells = _spells(employees, set(rows.loc[is_open, "employee_id"]))
    for at, row in rows[is_open].iterrows():
        own = spells.get(row["employee_id"], [])
        first, last = _cut((row[EARLIEST], row[LATEST]), row[BEFORE], [*row[AFTER], str(as_of)], own)
        rows.loc[at, ["start_date", EARLIEST, LATEST]] = [_day(first, last, export.imprecise_dates), first, last]
    export.frame = frame.assign(**{name: as_text(rows[name]) for name in ("start_date", EARLIEST, LATEST)})
    export.warn(
        "imprecise_start",
        f"start_date says a month, a quarter or another span of days; the {TAKEN[export.imprecise_dates]} of it was "
        "taken, as imprecise_dates in study.yaml says, and rows beside the main answer move it to the other ends. Give "
        "the day as yyyy-mm-dd where it is known",
        frame.loc[is_open, LINE],
        action="repaired",
    )


def _spells(employees: Sequence[pd.DataFrame], people: set[str]) -> dict[str, list[tuple[str, str]]]:
    """Return first and last day of each spell of these people, in their order; of the rows that say so."""
    found: dict[str, list[tuple[str, str]]] = {}
    for frame in employees:
        rows = frame.reindex(columns=["employee_id", "hire_date", "exit_date"]).astype(object)
        for person, hired, left in rows[rows["employee_id"].isin(people)].itertuples(index=False):
            if is_day(hired):
                found.setdefault(person, []).append((hired, left if is_day(left) else STILL_EMPLOYED))
    return {person: sorted(spells) for person, spells in found.items()}


def _cut(
    span: tuple[str, str], before: Iterable[object], after: Iterable[object], spells: Iterable[tuple[str, str]]
) -> tuple[str, str]:
    first, last = span
    employed = next(((hired, left) for hired, left in spells if hired <= last and left >= first), span)
    for day in (*before, employed[0]):
        first = day if is_day(day) and first < day <= last else first
    for day in (*after, employed[1]):
        last = day if is_day(day) and first <= day < last else last
    return first, last


def _day(first: str, last: str, which: ImpreciseDates) -> str:
    if which == "midpoint":
        begin, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
        return str(begin + (end - begin) // 2)
    return first if which == "first_day" else last


# --- undated ----------------------------------------------------------------------------------------------------------
# Starts that a list of participants says without a day: read apart from those of people who never started.

# Words that elsewhere stand for no date. In a list of participants they say that there is a start, and not when.
WITHOUT_DAY = ("n/a", "na", "tbc", "tbd", "tba", "unknown", "?", "x", "yes", "pending", "open", "offen", "unbekannt")
# What such a cell says until all columns of the list have been read: no day of any calendar. A span of days says its
# first and its last, with this sign between them (ISO 8601).
UNDATED, TO = "undated", "/"
_SPAN = re.compile(rf"({ISO_DATE.pattern}){TO}({ISO_DATE.pattern})")
EARLIEST, LATEST = "start_earliest", "start_latest"


def set_apart(column: pd.Categorical, year: int) -> tuple[pd.Categorical, pd.Categorical]:
    """Return a column of starts without its cells that name no day, and these: unknown days and spans of days.

    `year` is the data lock's, for years of two digits.
    """
    words = matches(column.categories, WITHOUT_DAY)
    said = [UNDATED if word else _span(text, year) for text, word in zip(column.categories, words, strict=True)]
    apart = recoded(column.codes, said)
    return emptied(column, apart.codes >= 0), apart


def _span(text: str, year: int) -> str | None:
    text, latest = folded(text), year + YEARS_AHEAD
    span = None if read_day(split(text).day, latest) else read_span(text, latest)
    return span and f"{span.first}{TO}{span.last}"


def put_back(column: pd.Categorical, apart: pd.Categorical) -> pd.Categorical:
    """Return the column with the cells that were set apart."""
    return first_filled([apart, column])


def is_span(text: str) -> bool:
    """Whether the text is a span of days as `set_apart` writes it."""
    return _SPAN.fullmatch(text) is not None


def note_undated(export: Export) -> None:
    """Empty the starts that are no day of the calendar and say so in ``start_unknown``, each noted.

    Whoever has one is neither treated nor a comparator: taken for never started, the treated would be among the
    comparators. A span of days becomes ``start_earliest`` and ``start_latest`` where the study says which of its days
    is to be taken. Where the order of day and month is in doubt, that must be settled first.
    """
    in_doubt = any(problem.rule in ("ambiguous_date", "mixed_date_order") for problem in export.problems)
    if export.table != "enrolments" or in_doubt or not {"start_date", EARLIEST, LATEST} & set(export.rows):
        return
    starts = _cells(export, "start_date")
    spans = [found.groups() if (found := _SPAN.fullmatch(text)) else (None, None) for text in starts.categories]
    ends = {
        name: first_filled([_cells(export, name), recoded(starts.codes, [span[n] for span in spans])])
        for n, name in enumerate((EARLIEST, LATEST))
    }
    has_span = np.any([cells.codes >= 0 for cells in ends.values()], axis=0)
    is_whole = np.all([cells.codes >= 0 for cells in ends.values()], axis=0)
    days = pd.to_datetime(pd.Series(starts.categories, dtype=object), format="%Y-%m-%d", errors="coerce")
    is_day = np.append(days.notna().to_numpy(), False)[starts.codes]
    is_undated = ~is_day & ((starts.codes >= 0) | has_span)
    if export.imprecise_dates:
        is_undated &= ~is_whole
    is_empty = ~is_day & (starts.codes >= 0)
    if is_empty.any():
        export.frame = export.rows.assign(start_date=emptied(starts, is_empty))
    if export.imprecise_dates and has_span.any():
        export.frame = export.rows.assign(**ends)
    if is_undated.any():
        _note(export, is_undated, names_span=(is_undated & has_span).any())


def _cells(export: Export, name: str) -> pd.Categorical:
    return export.rows[name].array if name in export.rows else recoded(np.full(len(export.rows), -1), [])


def _note(export: Export, is_undated: np.ndarray, *, names_span: bool) -> None:
    message = (
        "start_date says that the person started, and not on which day; such people are neither participants nor "
        "comparators, and are counted. Give the day as yyyy-mm-dd, or leave the cell empty for who never started"
    )
    if names_span and not export.imprecise_dates:
        message += (
            "; or, for a month, quarter or season, set imprecise_dates: first_day, midpoint or last_day at the source "
            "in study.yaml"
        )
    lines = export.rows.loc[is_undated, LINE]
    export.warn("undated_start", message, lines, action="set_null", column="start_date")
    unknown = [recoded(np.where(is_undated, 0, -1), ["true"]), _cells(export, "start_unknown")]
    export.frame = export.rows.assign(start_unknown=first_filled(unknown))


# --- cells ------------------------------------------------------------------------------------------------------------
# Cells of one export column → the contract's text for them: ISO dates, decimal points, true and false.

CANONICAL = "canonical"
# Nobody employed is younger.
YOUNGEST = 10
_YEAR = re.compile(r"[0-9]{4}([.]0)?")


@dataclass(frozen=True)
class Reading:
    """How one export writes its cells: what the study's file, the profile and the export itself say of it."""

    export: Export
    layout: Layout
    source: Source
    study: Study

    @property
    def is_canonical(self) -> bool:
        """Whether the cells are in the contract's own form already, so that anything else is a mistake."""
        return self.source.profile == CANONICAL and not (self.source.date_order or self.source.decimal)

    @property
    def named(self) -> Mapping[str, str]:
        """Canonical name → the export's column, where study.yaml says it."""
        return self.study.columns_of(self.source)

    def entered(self, column: pd.Categorical, labels: Mapping[str, str] | None = None) -> pd.Categorical:
        """Return the cells without those that mean that nothing was entered.

        `labels` says what the file calls its codes: where a code means nothing, so does its label.
        """
        marks = [text for text in self.layout.missing if text]
        marks += [label for code, label in (labels or {}).items() if matches([code], marks).any()]
        return emptied(column, is_one_of(column, marks)) if marks else column

    def canonical(self, column: pd.Categorical, name: str, called: str) -> pd.Categorical:
        """Return the cells as text of the contract's kind for the canonical column `name`; findings go to the export.

        `called` is what the export calls the column. A cell that cannot be read stays as it is, for validation to
        report.
        """
        given, column = column, self.entered(column)
        gone = (given.codes >= 0) & (column.codes < 0)
        if gone.any():
            message = f"column {called} says here that nothing was entered; read as empty"
            self.export.note("nothing_entered", message, action="set_null")
        if name == "start_date":
            column, apart = set_apart(column, self.study.as_of.year)
            return put_back(self._read(column, name, called), apart)
        return self._read(column, name, called)

    def _read(self, column: pd.Categorical, name: str, called: str) -> pd.Categorical:
        kind = FED[self.export.table][name].kind
        if name == "snapshot_date":
            column = self._noted(column, month_ends(column), called)
        if kind == "id":
            column = self._noted(column, visible_ids(column), called)
        if self.is_canonical and kind != "id":
            if kind == "number" and name != "fte" and called not in self.export.typed:
                self._warn_of_thousands(column, called)
            return column
        if name == "birth_year" and not all(map(_YEAR.fullmatch, column.categories)):
            return _years(self._days(column, called), self.study.as_of.year - YOUNGEST)
        if kind == "date":
            return self._days(column, called)
        if kind in ("number", "integer"):
            decimal = "." if called in self.export.typed else self.source.decimal
            read = to_numbers(column, decimal=decimal, is_share=name == "fte")
            numbers = self._noted(column, read, called)
            return self._noted(numbers, percent_to_share(numbers, called), called) if name == "fte" else numbers
        if kind == "boolean":
            return self._noted(column, to_booleans(column), called)
        if kind == "id" and name not in ("instrument", "item", "program_id"):
            return self._noted(column, clean_ids(column), called)
        return column

    def _warn_of_thousands(self, column: pd.Categorical, called: str) -> None:
        """Warn of a column in the contract's form that may have been written with a point before its thousands."""
        if open_numbers(column.categories):
            self.export.warn(
                "ambiguous_number",
                f"column {called} has three digits behind the point of every number: as the contract writes them, "
                "52.000 is fifty-two; if it is fifty-two thousand, set decimal: ',' at the source in study.yaml",
                self.export.rows.loc[column.codes >= 0, "_line"],
                column=called,
            )

    def seconds(self, begun: pd.Categorical, sent: pd.Categorical) -> pd.Categorical:
        """Return how long a form took, from when it was begun to when it was sent; missing where either is."""
        order = self.source.date_order or self.layout.date_order
        first, last = (to_moments(column, order=order, as_of=self.study.as_of) for column in (begun, sent))
        seconds = (last - first).astype("timedelta64[s]").astype("int64")
        is_known = ~np.isnat(last - first) & (seconds >= 0)
        codes, distinct = pd.factorize(np.where(is_known, seconds, -1))
        return recoded(codes, [str(n) if n >= 0 else None for n in distinct])

    def _days(self, column: pd.Categorical, called: str) -> pd.Categorical:
        days = self._to_days(column, self.source.date_order or self.layout.date_order)
        if any(found.rule == "ambiguous_date" for found in days.findings) and self._order_of_others:
            days = self._to_days(column, self._order_of_others)
        return self._noted(column, days, called)

    @cached_property
    def _order_of_others(self) -> Order | None:
        """The order of day and month that all columns of dates that show one share: one program wrote them."""
        layout, table = self.layout, FED[self.export.table]
        parts = [layout.columns, *(part.columns for part in layout.roles.values())]
        names = [n for part in parts for name, names in part.items() if table[name].kind == "date" for n in names]
        columns = Columns(self.export.rows)
        shown = {order_of(self.export.rows[name].array, self.study.as_of) for name in columns.find(names)}
        shown -= {None}
        return shown.pop() if len(shown) == 1 else None

    def _to_days(self, column: pd.Categorical, order: Order | None) -> Cells:
        return to_days(
            column,
            order=order,
            written_in=self.source.timezone or self.export.timezone,
            wanted_in=self.study.timezone,
            as_of=self.study.as_of,
            serials_since=self.export.serials_since,
        )

    def _noted(self, given: pd.Categorical, read: Cells, called: str) -> pd.Categorical:
        """Return a column as it was read, and put what was found in the given one into the export's ledger."""
        for found in read.findings:
            self.export.note(
                found.rule,
                f"column {called} {found.message}",
                self.export.rows.loc[found.rows(given), "_line"].to_numpy(),
                severity=found.severity,
                action=found.action,
                column=called,
            )
        return read.column


def _years(days: pd.Categorical, latest: int) -> pd.Categorical:
    """Return the years of birth; one after `latest` was written with two digits and lies a century before."""
    is_day = [len(day) == 10 and day[4] == "-" and day[:4].isdigit() for day in days.categories]
    years = [day[:4] if known else day for day, known in zip(days.categories, is_day, strict=True)]
    early = [known and int(year) > latest for year, known in zip(years, is_day, strict=True)]
    return recoded(days.codes, [str(int(y) - 100) if e else y for y, e in zip(years, early, strict=True)])
