"""The strict way through a text file: Python's csv module, record by record, naming what is wrong."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from analysis.ingest.export import Export
from analysis.ingest.profile import Header
from analysis.ingest.readers.around import LINES
from analysis.ingest.readers.broken_header import header_start, note_start
from analysis.ingest.readers.columns import Coder, Rows
from analysis.ingest.readers.dialect import SEPARATOR_LINE
from analysis.ingest.readers.encoding import Scan
from analysis.ingest.readers.header import fixed_length, header_length, lines_to_look_at

_CHUNK_ROWS = 100_000
_WORDS = re.compile(r"[^\W\d_].*[\s:]|[\s:].*[^\W\d_]", re.DOTALL)
_BROKEN = (
    "the record that begins here is not valid CSV (a quotation mark that is not closed, not doubled, or followed by "
    "text, or a value of more than 131,072 characters); export the file again"
)


@dataclass(frozen=True)
class Top:
    """The header of a text file.

    Attributes
    ----------
    header
        Its records, and those below that tell it from them.
    records, lines, size
        How many records, lines and bytes (in UTF-8) stand before the first record of the table.
    """

    header: list[list[str]]
    records: int
    lines: int
    size: int


def find_top(path: Path, encoding: str, delimiter: str, header: Header, export: Export) -> Top | None:
    """Return the header's records; None where there are none, with the reason noted."""
    records: list[list[str]] = []
    ends: list[tuple[int, int]] = []
    skipped, begins = 0, 1
    with path.open(encoding=encoding, newline="") as file:
        lines = _Counted(file)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            for record in reader:
                begins = reader.line_num + 1
                if not records and _is_above_the_header(record, delimiter):
                    skipped += 1
                    continue
                records.append(record)
                ends.append((reader.line_num, lines.size))
                if len(records) == max(lines_to_look_at(header), LINES):
                    break
        except csv.Error:
            if len(records) < fixed_length(header):
                export.fail("broken_quotes", _BROKEN, [begins])
                return None
    if not records:
        export.fail("empty_file", "is empty; export it again, or take it out of study.yaml")
        return None
    start = header_start(records, header, export.table)
    above, records = start.above, start.records
    if above:
        note_start(export, start, ends[above - 1][0] + 1)
    length = min(header_length(records, header), len(records))
    return Top(records, skipped + above + length, *ends[above + length - 1])


def read_strictly(path: Path, scan: Scan, delimiter: str, top: Top, width: int, export: Export) -> Rows | None:
    """Return the records that have as many cells as the header, noting the others; None where nothing is left."""
    coders: list[Coder[str]] = [Coder() for _ in range(width)]
    lines, short = [], []
    with path.open(encoding=scan.encoding, newline="") as file:
        records = _Records(file, delimiter, top.records)
        try:
            while chunk := list(islice(records, _CHUNK_ROWS)):
                good = [(line, cells) for line, cells in chunk if len(cells) == width]
                lines += [line for line, _ in good]
                short += [(line, cells) for line, cells in chunk if len(cells) != width and any(map(str.strip, cells))]
                for coder, column in zip(coders, zip(*(cells for _, cells in good), strict=True), strict=False):
                    coder.add(column)
        except csv.Error:
            export.fail("broken_quotes", _BROKEN, [records.begins])
            return None
    below = [line for line, cells in short if _is_a_remark(cells) and lines and line > lines[-1]]
    ragged = [line for line, _ in short if line not in below]
    export.below = tuple(below)
    if ragged:
        export.fail(
            "ragged_row",
            f"has too few or too many fields: the header names {width} columns (a mark that separates values needs "
            "quotation marks around the value that it stands in)",
            ragged,
        )
    elif not lines:
        export.fail("empty_file", "has a header but no rows; export it again, or take it out of study.yaml")
    cells = (coder.coded() for coder in coders)
    return Rows(cells, np.array(lines), ragged=len(ragged) + len(below)) if lines else None


class _Records:
    """Records with the line on which each begins, those at the top left out."""

    def __init__(self, lines: Iterable[str], delimiter: str, skipped: int):
        self._reader = csv.reader(lines, delimiter=delimiter, strict=True)
        self.begins = 1
        for _ in islice(self, skipped):
            pass

    def __iter__(self) -> "_Records":
        return self

    def __next__(self) -> tuple[int, list[str]]:
        begins, cells = self.begins, next(self._reader)
        self.begins = self._reader.line_num + 1
        return begins, cells


class _Counted:
    """Lines of a file, and how many bytes they are in UTF-8."""

    def __init__(self, lines: Iterator[str]):
        self._lines, self.size = lines, 0

    def __iter__(self) -> "_Counted":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.size += len(line.encode())
        return line


def _is_a_remark(cells: list[str]) -> bool:
    """Whether a record is a line of words, such as "Total: 45" below a table: not one that was cut off in its first."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return len(filled) == 1 and bool(_WORDS.search(filled[0]))


def _is_above_the_header(record: list[str], delimiter: str) -> bool:
    return not any(cell.strip() for cell in record) or bool(SEPARATOR_LINE.fullmatch(delimiter.join(record)))
