"""Readers: files and queries of every kind become an `Export`, text as it came, and what is wrong is reported."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from analysis.ingest.export import Export
from analysis.ingest.profile import Header
from analysis.ingest.readers.csv_file import read_csv
from analysis.ingest.readers.encoding import wide_letters
from analysis.ingest.readers.spreadsheet import read_spreadsheet
from analysis.ingest.readers.typed_file import read_json_lines, read_parquet, read_statistics
from analysis.plan.paths import LEADS_OUT, leads_out
from analysis.plan.study import Source, Study


def locate(source: Source, study: Study, export: Export) -> Path | None:
    """Return the path of a source's file; None where it cannot be read, with the reason noted."""
    try:
        path = (study.folder / source.path).resolve()
        if leads_out(path, study.folder):
            export.fail("leaves_study", LEADS_OUT)
        elif path.is_dir():
            export.fail("folder", "is a folder; name the file in it")
        elif not path.is_file():
            export.fail(
                "missing_file",
                "there is no such file in the study's folder; put the export there or correct its path in study.yaml",
            )
        elif _is_empty(path):
            export.fail("empty_file", "is empty; export it again, or take it out of study.yaml")
        else:
            return path
    except OSError as error:
        export.fail("unreadable_file", f"cannot be read ({error.strerror}); check the file's permissions")
    except (ValueError, RuntimeError):  # no path at all, or links in a circle
        export.fail("unreadable_file", "is no path that can be followed; correct it in study.yaml")
    return None


def _is_empty(path: Path) -> bool:
    with path.open("rb") as file:
        return not file.read(1)


# --- kind -------------------------------------------------------------------------------------------------------------
# What a file is, told by how it begins and not by its name.

_HEAD_BYTES = 1 << 16
_BY_START = (
    (b"PK\x03\x04", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"PAR1", "parquet"),
    (b"$FL2", "sav"),
    (b"$FL3", "sav"),
    (b"<stata_dta>", "dta"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3\0", "an SQLite database"),
)
_SAS = b"\0" * 12 + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c\x18\x1f\x10\x11"
_OLD_STATA = re.compile(rb"[\x68-\x73][\x01\x02]\x01\x00")
_MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|table|\?xml|meta|style)", re.IGNORECASE)
SPREADSHEETS = (".xlsx", ".xls", ".xlsb", ".ods", ".xlsm")
JSON_LINES = (".jsonl", ".ndjson")


def kind_of(path: Path) -> str:
    """Return ``zip``, ``ole``, ``parquet``, ``sav``, ``por``, ``dta``, ``sas7bdat``, ``json``, ``text``, or the name
    of what no reader here can read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for start, kind in _BY_START:
        if head.startswith(start):
            return kind
    if head.startswith(_SAS):
        return "sas7bdat"
    if _OLD_STATA.match(head):
        return "dta"
    if b"SPSS PORT FILE" in head[:300]:
        return "por"
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _MARKUP.match(text):
        return "a web page or XML"
    return "json" if path.suffix.lower() in JSON_LINES or _is_json(text) else "text"


def _is_json(head: bytes) -> bool:
    first = next((line for line in head.splitlines() if line.strip()), b"").strip()
    if first == b"[" or first.startswith(b"[{"):
        return True
    if not first.startswith(b"{"):
        return False
    try:
        return first == b"{" or isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


# --- head -------------------------------------------------------------------------------------------------------------
# The head of a large text file, and the sheets of a workbook: enough to tell whose export a file is.

HEAD_BYTES, LARGE_BYTES = 1 << 20, 1 << 23
_WIDE_SIGNS = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def head(source: Source, study: Study) -> Iterator[Source]:
    """Yield a source of the first lines of a large text file, for the time of the block; any other as it is."""
    path = study.folder / source.path
    if path.stat().st_size <= LARGE_BYTES or kind_of(path) != "text":
        yield source
        return
    with path.open("rb") as file:
        content = file.read(HEAD_BYTES)
    if content.startswith(_WIDE_SIGNS) or wide_letters(content[:HEAD_BYTES]):  # a line's end is more than one byte
        yield source
        return
    copy = path.with_name(f".head-{path.name}")
    copy.write_bytes(content[: content.rfind(b"\n") + 1])
    try:
        yield source.model_copy(update={"path": copy.relative_to(study.folder).as_posix()})
    finally:
        copy.unlink()


def sheets_of(path: Path) -> list[str]:
    """Return the names of a workbook's visible sheets; the reader has looked at it before and found it safe."""
    sheets = CalamineWorkbook.from_path(str(path)).sheets_metadata
    is_table = [s.typ == SheetTypeEnum.WorkSheet and s.visible == SheetVisibleEnum.Visible for s in sheets]
    return [sheet.name for sheet, one_is in zip(sheets, is_table, strict=True) if one_is]


# --- readers ----------------------------------------------------------------------------------------------------------
# Readers: files and queries of every kind become an `Export`, text as it came, and what is wrong is reported.

__all__ = ["read_export"]


def read_export(source: Source, study: Study, header: Header) -> Export:
    """Read one source of a study as text.

    What a file is, is told by its content; its name only decides what is said of it.

    Parameters
    ----------
    header
        Which of its lines name the columns; of text files and spreadsheets.

    Returns
    -------
    Export
        Nothing is raised: every problem is in it.
    """
    export = Export(source.table, source.name)
    try:
        if source.query:
            from analysis.ingest.readers.database import read_query  # SQLAlchemy, which few studies need

            read_query(source, export)
        elif (path := locate(source, study, export)) is not None:
            _read_file(path, source, header, export)
    except OSError as error:
        export.fail("unreadable_file", f"cannot be read ({error.strerror}); check the file and its permissions")
    except MemoryError:
        export.frame = None
        export.fail("too_large", "is larger than this machine's memory can hold; split it, or use a larger machine")
    return export


def _read_file(path: Path, source: Source, header: Header, export: Export) -> None:
    kind = kind_of(path)
    if source.sheet and kind not in ("zip", "ole"):
        return export.fail("which_sheet", "has no sheets: take sheet: out at the source in study.yaml")
    match kind:
        case "zip" | "ole":
            read_spreadsheet(path, kind, source, header, export)
        case "parquet":
            read_parquet(path, export)
        case "sav" | "por" | "dta" | "sas7bdat":
            read_statistics(path, kind, source.encoding, export)
        case "json":
            read_json_lines(path, export)
        case "text":
            if path.suffix.lower() in SPREADSHEETS:
                export.note("other_format", f"is named {path.suffix.lower()} and is text: read as CSV", action="kept")
            read_csv(path, source, header, export)
        case _:
            export.fail("not_a_table", f"is {kind}, which cannot be read; export it as CSV or .xlsx")
