"""What every reader ends with: cells become canonical text, and their columns the export's frame."""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Generic, TypeVar

import numpy as np
import pandas as pd

from analysis.ingest.export import LINE, Export, recoded
from analysis.ingest.readers.header import Columns


def text_of(value: object) -> str | None:
    """Return one cell as text; None where it holds nothing.

    Dates become ``yyyy-mm-dd``, times of day ``hh:mm:ss`` (a duration may have more hours), datetimes
    ``yyyy-mm-ddThh:mm:ss`` (with their offset where they have one), truth values ``true`` and ``false``.
    """
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _number(value)
        case Decimal():
            return _decimal(value)
        case dt.datetime() | dt.time():
            return value.isoformat(timespec="seconds") if value == value else None  # NaT differs from itself
        case dt.timedelta():
            return _duration(value)
    return str(value)


def _number(value: float) -> str | None:
    if math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(float(value))


def _decimal(value: Decimal) -> str | None:
    if not value.is_finite():
        return None if value.is_nan() else str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _duration(value: dt.timedelta) -> str:
    seconds = abs(int(value.total_seconds()))
    sign = "-" if value < dt.timedelta(0) else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


# --- columns ----------------------------------------------------------------------------------------------------------
# What every reader ends with: columns of cells become the export's frame.

Cell = TypeVar("Cell", bound=Hashable)


@dataclass(frozen=True)
class Coded:
    """One column as it was read: its distinct texts, and which of them each record has (-1 = none).

    `is_typed` says that no cell was text in the file, so that a point in a number is a decimal point.
    """

    codes: np.ndarray
    texts: list[str]
    is_typed: bool = False


@dataclass(frozen=True)
class Rows:
    """The records of one file.

    Attributes
    ----------
    cells
        One column after the other; each may be had once.
    lines
        The line on which each record begins.
    ragged
        How many further records had too few or too many cells.
    """

    cells: Iterable[Coded]
    lines: np.ndarray
    ragged: int = 0


class Coder(Generic[Cell]):
    """Collects one column's cells, each distinct one once."""

    def __init__(self) -> None:
        self._code_of: defaultdict[Cell, int] = defaultdict(count().__next__)
        self._codes: list[np.ndarray] = []

    def add(self, cells: Iterable[Cell]) -> None:
        """Append cells. Values that are equal and of different types (1, 1.0, True) must be told apart before."""
        self._codes.append(np.fromiter(map(self._code_of.__getitem__, cells), np.int32))

    def coded(self, text: Callable[[Cell], str | None] = text_of) -> Coded:
        """Return the column; `text` says how a distinct cell is written."""
        codes = np.concatenate(self._codes) if self._codes else np.array([], np.int32)
        texts = [text(cell) or "" for cell in self._code_of]
        return Coded(codes, texts, not any(_is_text(cell) for cell in self._code_of))


def _is_text(cell: object) -> bool:
    """Whether a cell, or the value in a pair of type and value, is text; an empty one is none."""
    value = cell[1] if isinstance(cell, tuple) else cell
    return isinstance(value, str) and bool(value) and not (isinstance(cell, tuple) and cell[0] is not str)


def fill(export: Export, columns: Columns, rows: Rows) -> None:
    """Give the export its frame: spaces around cells taken off, records without any value left out.

    The columns of `rows` stand in the order of ``columns.names``; each is let go as soon as it is done.
    """
    lines = rows.lines
    export.wording, export.labels, export.timezone = columns.wording, columns.labels, columns.timezone
    export.is_headless = columns.is_headless
    frame, padded, blank, empty_columns = {}, np.zeros(len(lines), bool), np.ones(len(lines), bool), 0
    for place, (name, column) in enumerate(zip(columns.names, rows.cells, strict=True), start=1):
        stripped = [text.strip() for text in column.texts]
        if stripped != column.texts:
            changed = np.array([a != b for a, b in zip(stripped, column.texts, strict=True)] + [False])
            padded |= changed[column.codes]
        values = recoded(column.codes, stripped)
        filled = values.codes >= 0
        blank &= ~filled
        if name in frame:
            export.repeated[name] = (*export.repeated.get(name, (export.positions[name],)), place)
        elif name:
            frame[name], export.positions[name] = values, place
            export.typed |= {name} if column.is_typed else set()
        elif filled.any():
            export.unnamed = (*export.unnamed, place)
        else:
            empty_columns += 1
    export.frame = pd.DataFrame(frame, copy=False).assign(**{LINE: lines})
    _note_repairs(export, empty_columns, lines[padded & ~blank])
    _leave_out_blank_rows(export, blank)
    export.rows_in = rows.ragged + (0 if export.frame is None else len(export.frame))


def _note_repairs(export: Export, empty_columns: int, padded_lines: np.ndarray) -> None:
    if empty_columns:
        export.note("unnamed_column", f"{empty_columns} column(s) without a name and without a value were left out")
    if len(padded_lines):
        export.note("surrounding_spaces", "spaces around values were taken off", padded_lines)


def _leave_out_blank_rows(export: Export, blank: np.ndarray) -> None:
    if not blank.any():
        return
    export.frame = export.rows[~blank].reset_index(drop=True)
    if len(export.rows):
        export.note("blank_row", f"{int(blank.sum())} row(s) without any value are no records", action="kept")
    else:
        export.frame = None
        export.fail("empty_file", "has a header but no values; export it again, or take it out of study.yaml")
