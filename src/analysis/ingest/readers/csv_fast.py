"""The fast way through a text file: pyarrow, on all cores, for files that can be read in one way only."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from analysis.ingest.readers.columns import Coded, Rows
from analysis.ingest.readers.csv_strict import Top
from analysis.ingest.readers.encoding import Scan, marked

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
