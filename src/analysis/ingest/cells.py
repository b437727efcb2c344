"""Cells of one export column → the contract's text for them: ISO dates, decimal points, true and false."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.ingest.columns import emptied, is_one_of
from analysis.ingest.dates import to_days, to_moments
from analysis.ingest.export import Export, recoded
from analysis.ingest.finding import Cells
from analysis.ingest.ids import clean_ids
from analysis.ingest.numbers import to_numbers
from analysis.ingest.profile import Layout
from analysis.ingest.truths import to_booleans
from analysis.plan.contract import TABLES
from analysis.plan.study import Source, Study

CANONICAL = "canonical"
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

    def canonical(self, column: pd.Categorical, name: str, called: str) -> pd.Categorical:
        """Return the cells as text of the contract's kind for the canonical column `name`; findings go to the export.

        `called` is what the export calls the column. A cell that cannot be read stays as it is, for validation to
        report.
        """
        if self.layout.missing:
            column = emptied(column, is_one_of(column, [text for text in self.layout.missing if text]))
        kind = TABLES[self.export.table][name].kind
        if self.is_canonical and kind != "id":
            return column
        if name == "birth_year" and not all(map(_YEAR.fullmatch, column.categories)):
            return _years(self._days(column, called))
        if kind == "date":
            return self._days(column, called)
        if kind in ("number", "integer"):
            return self._noted(
                to_numbers(column, self._lines, decimal=self.source.decimal, percent=name == "fte"), called
            )
        if kind == "boolean":
            return self._noted(to_booleans(column, self._lines), called)
        if kind == "id" and name not in ("instrument", "item", "program_id"):
            return self._noted(clean_ids(column, self._lines), called)
        return column

    @property
    def _lines(self) -> np.ndarray:
        return self.export.frame["_line"].to_numpy()

    def seconds(self, begun: pd.Categorical, sent: pd.Categorical) -> pd.Categorical:
        """Return how long a form took, from when it was begun to when it was sent; missing where either is."""
        order = self.source.date_order or self.layout.date_order
        first, last = (to_moments(column, order=order, as_of=self.study.as_of) for column in (begun, sent))
        seconds = (last - first).astype("timedelta64[s]").astype("int64")
        is_known = ~np.isnat(last - first) & (seconds >= 0)
        codes, distinct = pd.factorize(np.where(is_known, seconds, -1))
        return recoded(codes, [str(n) if n >= 0 else None for n in distinct])

    def _days(self, column: pd.Categorical, called: str) -> pd.Categorical:
        days = to_days(
            column,
            self._lines,
            order=self.source.date_order or self.layout.date_order,
            written_in=self.source.timezone or self.export.timezone,
            wanted_in=self.study.timezone,
            as_of=self.study.as_of,
        )
        return self._noted(days, called)

    def _noted(self, read: Cells, called: str) -> pd.Categorical:
        for found in read.findings:
            self.export.note(
                found.rule,
                f"column {called} {found.message}",
                found.lines,
                severity=found.severity,
                action=found.action,
            )
        return read.column


def _years(days: pd.Categorical) -> pd.Categorical:
    return recoded(days.codes, [day[:4] if len(day) == 10 and day[4] == "-" else day for day in days.categories])
