"""Text files: what separates their values is detected and told, what is no clean table is said with its line.

There are two ways through a file, with the same answer: a fast one for files that can be read in one way only
(`csv_fast`), and a strict one, record by record, that finds and names what is wrong (`csv_strict`).
"""

from pathlib import Path

import numpy as np

from analysis.ingest.export import LINE, Export
from analysis.ingest.profile import Header
from analysis.ingest.readers.columns import fill
from analysis.ingest.readers.csv_fast import read_fast
from analysis.ingest.readers.csv_strict import find_top, read_strictly
from analysis.ingest.readers.dialect import MARKS, find_delimiter
from analysis.ingest.readers.encoding import find_encoding, marked
from analysis.ingest.readers.header import Columns, read_header
from analysis.plan.study import Source

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
    export.note(
        "encoding_assumed",
        "is not UTF-8 and was read as Windows-1252, which is assumed; look at a word with an accent, and say "
        "encoding: cp1252 (or what it is) in study.yaml",
        begins[record[record >= 0]],
        severity="warning",
    )
