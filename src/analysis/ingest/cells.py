"""Cells of one export column → the contract's text for them: ISO dates, decimal points, true and false."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.ingest.columns import Columns, emptied, is_one_of
from analysis.ingest.dates import Order, month_ends, order_of, to_days, to_moments
from analysis.ingest.export import Export, recoded
from analysis.ingest.ids import clean_ids, visible_ids
from analysis.ingest.numbers import Cells, open_numbers, percent_to_share, to_booleans, to_numbers
from analysis.ingest.profile import Layout
from analysis.ingest.text_matching import matches
from analysis.ingest.undated import put_back, set_apart
from analysis.plan.contract import FED
from analysis.plan.study import Source, Study

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
