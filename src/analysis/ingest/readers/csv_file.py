"""Text files: what separates their values is detected and told, what is no clean table is said with its line.

There are two ways through a file, with the same answer: a fast one for files that can be read in one way only
(pyarrow, on all cores), and a strict one, record by record, that finds and names what is wrong (Python's csv module).
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from analysis.ingest.export import LINE, Export
from analysis.ingest.profile import Header
from analysis.ingest.readers.columns import Coded, Coder, Rows, fill
from analysis.ingest.readers.encoding import Scan, find_encoding, marked
from analysis.ingest.readers.header import (
    LINES,
    Columns,
    fixed_length,
    header_length,
    header_start,
    lines_above,
    lines_to_look_at,
    note_start,
    read_header,
)
from analysis.plan.study import Source

MARKS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SAMPLE_RECORDS = 200
# A first line with which spreadsheet programs are told the mark; it is no part of the table.
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\r\n]*')


def find_delimiter(sample: str, header: Header) -> str:
    """Return the mark that splits the names' line into most columns and the other lines into as many.

    Parameters
    ----------
    sample
        The head of the file, cut anywhere.
    """
    first = next(io.StringIO(sample, newline=""), "")
    if told := SEPARATOR_LINE.fullmatch(first):
        return told[1]
    scores = {mark: _score(sample, mark, header) for mark in MARKS}
    return max(scores, key=scores.__getitem__)


def _score(sample: str, mark: str, header: Header) -> float:
    try:
        records = list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=mark), _SAMPLE_RECORDS))
    except csv.Error:
        return 0.0
    while records and not any(cell.strip() for cell in records[0]):
        records.pop(0)
    records = records[lines_above(records, header) :]
    if len(records) < header.names:
        return 0.0
    width = len(records[header.names - 1])
    below = [len(record) for record in records[header.names :] if record]
    if len(below) > 1:
        below.pop()  # the sample may end within it
    alike = sum(n == width for n in below) / len(below) if below else 1.0
    return (width - 1) * (alike + 0.01)


# --- csv strict -------------------------------------------------------------------------------------------------------
# The strict way through a text file: Python's csv module, record by record, naming what is wrong.

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


# --- csv fast ---------------------------------------------------------------------------------------------------------
# The fast way through a text file: pyarrow, on all cores, for files that can be read in one way only.

_BLOCK_BYTES = 1 << 24
_UTF8_MARK_BYTES = 3


def read_fast(path: Path, scan: Scan, delimiter: str, top: Top, width: int) -> Rows | None:
    """Return the records; None where something is not as it should be, or a line might be told wrongly.

    Line numbers follow from counting: each line end must end a record or stand within a quoted cell.
    """
    if not scan.is_plain or not delimiter.isascii():
        return None
    try:
        with _all_cores():
            table = _table(path, scan, delimiter, top, width)
    except pa.ArrowMemoryError:
        raise
    except pa.ArrowException:
        return None
    inside = _line_ends_inside(table) if scan.is_quoted else np.zeros(table.num_rows, np.int64)
    if table.num_rows + inside.sum() != scan.lines - top.lines:
        return None
    lines = top.lines + 1 + np.arange(table.num_rows) + np.cumsum(inside) - inside
    return Rows(_columns(table), lines)


@contextmanager
def _all_cores() -> Iterator[None]:
    """Let pyarrow use every core: it takes OMP_NUM_THREADS, which is for linear algebra, for its own."""
    before = pa.cpu_count()
    pa.set_cpu_count(os.cpu_count() or 1)
    try:
        yield
    finally:
        pa.set_cpu_count(before)


def _table(path: Path, scan: Scan, delimiter: str, top: Top, width: int) -> pa.Table:
    names = [str(number) for number in range(width)]
    table = pa.csv.read_csv(
        _after_header(path, scan.encoding, top),
        read_options=pa.csv.ReadOptions(column_names=names, block_size=_BLOCK_BYTES),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=scan.is_quoted),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())), strings_can_be_null=False
        ),
    )
    return table.unify_dictionaries()


def _after_header(path: Path, encoding: str, top: Top) -> pa.NativeFile:
    file = pa.OSFile(str(path))
    if encoding == "utf-8-sig":
        file.seek(top.size + (_UTF8_MARK_BYTES if marked(path) else 0))
        return file
    text = pa.transcoding_input_stream(file, encoding, "utf-8")
    text.read(top.size)
    return text


def _line_ends_inside(table: pa.Table) -> np.ndarray:
    """Return how many line ends stand within the cells of each record."""
    inside = np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        cells = column.combine_chunks()
        ends = pa.compute.count_substring(cells.dictionary, "\n").to_numpy()
        if ends.any():
            inside += ends[cells.indices.to_numpy()]
    return inside


def _columns(table: pa.Table) -> Iterator[Coded]:
    while table.num_columns:
        column, table = table.column(0).combine_chunks(), table.remove_column(0)
        yield Coded(column.indices.to_numpy(), column.dictionary.to_pylist())


# --- csv file ---------------------------------------------------------------------------------------------------------
# Text files: what separates their values is detected and told, what is no clean table is said with its line.

_SAMPLE_BYTES = 1 << 17
_ENCODING_TITLES = {
    "cp1252": "Windows-1252",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 (without a byte-order mark)",
    "utf-16-be": "UTF-16 (without a byte-order mark)",
}


def read_csv(path: Path, source: Source, header: Header, export: Export) -> None:
    """Read one text file into `export`.

    A source's `encoding` and `delimiter` are used where study.yaml gives them; otherwise they are detected, and
    whatever is not UTF-8 and commas is noted.
    """
    delimiter = source.delimiter or find_delimiter(_sample(path, source.encoding), header)
    scan = find_encoding(path, source.encoding, delimiter, export)
    if scan is None:
        return
    top = find_top(path, scan.encoding, delimiter, header, export)
    if top is None:
        return
    columns = read_header(top.header, header, export)
    if columns is None or not _is_split(columns, export):
        return
    _note_dialect(scan.encoding, delimiter, source, export)
    width = len(columns.names)
    rows = read_fast(path, scan, delimiter, top, width) or read_strictly(path, scan, delimiter, top, width, export)
    if rows is not None:
        fill(export, columns, rows)
    if scan.assumed_lines is not None:
        _note_assumption(scan.assumed_lines, export)


def _sample(path: Path, given: str | None) -> str:
    """Return the head of the file, for marks that are the same in nearly every encoding."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE_BYTES)
    try:
        return head.decode(marked(path) or given or "latin-1", errors="replace")
    except (LookupError, UnicodeError, ValueError):
        return head.decode("latin-1")


def _is_split(columns: Columns, export: Export) -> bool:
    """Whether the header was split; one name that holds another mark was not."""
    if len(columns.names) > 1 or not any(mark in columns.names[0] for mark in MARKS):
        return True
    export.fail(
        "delimiter",
        "has one column only, whose name holds a mark that may separate values; export it as comma-separated values, "
        "or correct delimiter: in study.yaml",
        [export.header_line],
    )
    return False


def _note_dialect(encoding: str, delimiter: str, source: Source, export: Export) -> None:
    told = []
    if delimiter != "," and source.delimiter is None:
        told.append(f"{MARKS.get(delimiter, 'a mark of its own')} between values")
    if source.encoding is None and (encoding.startswith("utf-16") or (encoding == "cp1252" and told)):
        told.append(_ENCODING_TITLES[encoding])
    if told:
        export.note("csv_dialect", f"was read with {', '.join(told)}, as detected", action="kept")


def _note_assumption(lines: list[int], export: Export) -> None:
    """Tell that Windows-1252 is assumed, with the records that hold the lines where it matters."""
    begins = export.frame[LINE].to_numpy() if export.frame is not None else np.array([], int)
    record = np.searchsorted(begins, lines, side="right") - 1
    export.warn(
        "encoding_assumed",
        "is not UTF-8 and was read as Windows-1252, which is assumed; look at a word with an accent, and say "
        "encoding: cp1252 (or what it is) in study.yaml",
        begins[record[record >= 0]],
        action="repaired",
    )
