"""Spreadsheets: whether a workbook is safe to open, and one sheet's cells as text.

A workbook is an archive or an OLE container. Both are looked at before any of it is unpacked into memory.
"""

import io
import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO
from xml.etree import ElementTree

import numpy as np
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from analysis.ingest.date_forms import SERIAL_DAYS, SERIAL_DAYS_1904
from analysis.ingest.export import Export, shown_sheets
from analysis.ingest.profile import Header
from analysis.ingest.readers.columns import Cell, Coded, Coder, Rows, fill, text_of
from analysis.ingest.readers.header import LINES, header_length, header_start, lines_to_look_at, note_start, read_header
from analysis.plan.study import Source

MOST_BYTES, BOMB_BYTES, BOMB_RATIO = 2 << 30, 200 << 20, 200
MOST_CELLS = 100_000_000
_PIECE = 1 << 22
_REFERENCE = re.compile(rb"""\sr=["']([A-Z]{1,3})(\d{1,7})["']""")
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
# The record BrtWbProp of an .xlsb: its name, its length and the first of its bits, which is this setting.
_XLSB_SETTINGS = re.compile(rb"\x99\x01[\x08-\x7f](.)", re.DOTALL)
_HEAD_BYTES, _LONGEST_RECORD = 1 << 12, 8224
_ROW = re.compile(r"\d+")
BAD_ARCHIVE = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ElementTree.ParseError, KeyError)


@dataclass
class SheetFacts:
    """What the file says of one sheet; rows are counted from 1."""

    n_rows: int = 0
    n_columns: int = 0
    n_formulas: int = 0
    error_rows: list[int] = field(default_factory=list)
    valueless_rows: list[int] = field(default_factory=list)


def kind_of_workbook(path: Path, kind: str, export: Export) -> str | None:
    """Return ``xlsx``, ``xlsb``, ``ods`` or ``xls``; None where the file must not or cannot be opened, with the reason.

    Parameters
    ----------
    kind
        ``zip`` or ``ole``.
    """
    if kind == "ole":
        return _kind_of_container(path, export)
    try:
        with zipfile.ZipFile(path) as archive:
            return _kind_of_archive(archive, export)
    except BAD_ARCHIVE:
        export.fail("unreadable_file", "is damaged or cut off; export it again")
        return None


def _kind_of_container(path: Path, export: Export) -> str | None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find("EncryptedPackage".encode("utf-16-le")) >= 0:
            _locked(export)
        elif content.find("_VBA_PROJECT".encode("utf-16-le")) >= 0:
            _macros(export)
        else:
            return "xls"
    return None


def _kind_of_archive(archive: zipfile.ZipFile, export: Export) -> str | None:
    members = archive.infolist()
    names = {member.filename for member in members}
    size, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if any(name.lower().endswith("vbaproject.bin") or name.startswith("Basic/") for name in names):
        _macros(export)
    elif size > MOST_BYTES or (size > BOMB_BYTES and size > BOMB_RATIO * packed):
        export.fail(
            "zip_bomb", "would unpack to many times its size and was not opened; export the table as CSV instead"
        )
    elif any(member.flag_bits & 1 for member in members):
        _locked(export)
    elif archive.testzip() is not None:  # sizes as stated, or not unpacked further
        export.fail("unreadable_file", "is damaged or cut off; export it again")
    elif "xl/workbook.xml" in names:
        return "xlsx"
    elif "xl/workbook.bin" in names:
        return "xlsb"
    elif "mimetype" in names and archive.read("mimetype").startswith(_ODS):
        return "ods"
    else:
        export.fail("not_a_table", "is an archive and no spreadsheet; unpack it and name the file that is in it")
    return None


def _macros(export: Export) -> None:
    export.fail("macro_file", "holds macros and was not opened; save it without them (as .xlsx) or export it as CSV")


def _locked(export: Export) -> None:
    export.fail("encrypted_file", "is locked with a password; open it, remove the password and save it again")


def facts_of_xlsx(path: Path) -> dict[str, SheetFacts]:
    """Return what an .xlsx says of each of its sheets, by their names."""
    with zipfile.ZipFile(path) as archive:
        return {name: _facts(archive, part) for name, part in _parts(archive).items()}


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the part of the archive that holds each worksheet."""
    targets = {}
    for link in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels")):
        if link.get("Type", "").endswith("/worksheet"):
            target = link.get("Target", "")
            targets[link.get("Id")] = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl", target))
    found = {}
    for sheet in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        if _local(sheet) == "sheet":
            id_ = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)
            if targets.get(id_) in archive.namelist():
                found[sheet.get("name", "")] = targets[id_]
    return found


def counts_from_1904(path: Path, kind: str) -> bool:
    """Whether a workbook's days are counted from 1904-01-01 and not from 1899-12-30."""
    if kind == "xls":
        return _setting_of_xls(path.read_bytes())
    if kind not in ("xlsx", "xlsb"):
        return False
    with zipfile.ZipFile(path) as archive:
        if kind == "xlsb":
            found = _XLSB_SETTINGS.search(archive.read("xl/workbook.bin")[:_HEAD_BYTES])
            return found is not None and bool(found[1][0] & 1)
        settings = (e for e in ElementTree.fromstring(archive.read("xl/workbook.xml")) if _local(e) == "workbookPr")
        return any(setting.get("date1904") in ("1", "true", "on") for setting in settings)


def _setting_of_xls(content: bytes) -> bool:
    """Whether the record DATEMODE (22) is 1 among those that follow the workbook's first (BOF, of version 8)."""
    at = content.find(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    while 0 <= at <= len(content) - 6:
        name, length = (
            int.from_bytes(content[at : at + 2], "little"),
            int.from_bytes(content[at + 2 : at + 4], "little"),
        )
        if name == 0x22:
            return content[at + 4] == 1
        if name == 0x0A or length > _LONGEST_RECORD:
            return False
        at += 4 + length
    return False


def _facts(archive: zipfile.ZipFile, part: str) -> SheetFacts:
    facts, columns, has_more = SheetFacts(), set(), False
    with archive.open(part) as file:
        for piece in _pieces(file):
            cells = _REFERENCE.findall(piece)
            columns |= {column for column, _ in cells}
            facts.n_rows = max(facts.n_rows, max((int(row) for _, row in cells), default=0))
            has_more = has_more or b'"e"' in piece or b"'e'" in piece or b"<f" in piece or b":f" in piece
    facts.n_columns = max((_number(column) for column in columns), default=0)
    if has_more:
        with archive.open(part) as file:
            _add_cells(file, facts)
    return facts


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the file in pieces that end between two tags."""
    rest = b""
    while content := file.read(_PIECE):
        rest += content
        end = rest.rfind(b"<")
        if end > 0:
            yield rest[:end]
            rest = rest[end:]
    yield rest


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = 26 * number + letter - ord("A") + 1
    return number


def _add_cells(file: IO[bytes], facts: SheetFacts) -> None:
    for _, element in ElementTree.iterparse(file):
        name = _local(element)
        if name == "c":
            _add_cell(element, facts)
        elif name == "row":
            element.clear()


def _add_cell(cell: ElementTree.Element, facts: SheetFacts) -> None:
    children = {_local(child): child for child in cell}
    row = _ROW.search(cell.get("r", ""))
    line = int(row[0]) if row else 1
    if cell.get("t") == "e":
        facts.error_rows.append(line)
    if "f" in children:
        facts.n_formulas += 1
        value = children.get("v")
        if cell.get("t") != "str" and (value is None or not value.text):  # an empty text is a value
            facts.valueless_rows.append(line)


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def facts_of_ods(path: Path) -> dict[str, SheetFacts]:
    """Return what an .ods says of each of its sheets, by their names; repeated cells are counted, not unrolled."""
    found, facts, columns, row = {}, SheetFacts(), 0, 1
    with zipfile.ZipFile(path) as archive, archive.open("content.xml") as file:
        for event, element in ElementTree.iterparse(file, events=("start", "end")):
            name = _local(element)
            if (event, name) == ("start", "table"):
                row, facts = 1, SheetFacts()
                found[_attribute(element, "name")] = facts
            elif (event, name) == ("start", "table-row"):
                columns, filled = 0, False
            elif event == "end" and name in ("table-cell", "covered-table-cell"):
                columns += int(_attribute(element, "number-columns-repeated") or 1)
                if _attribute(element, "value-type"):
                    filled, facts.n_columns = True, max(facts.n_columns, columns)
                if element.get("{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type") == (
                    "error"
                ):
                    facts.error_rows.append(row)
            elif (event, name) == ("end", "table-row"):
                row += int(_attribute(element, "number-rows-repeated") or 1)
                facts.n_rows = row - 1 if filled else facts.n_rows
                element.clear()
    return found


def _attribute(element: ElementTree.Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


# --- spreadsheet ------------------------------------------------------------------------------------------------------
# Spreadsheets: one sheet's cells as text.

_FACTS = {"xlsx": facts_of_xlsx, "ods": facts_of_ods}


def read_spreadsheet(path: Path, kind: str, source: Source, header: Header, export: Export) -> None:
    """Read one sheet of a workbook into `export`; `_line` is the sheet's row.

    Parameters
    ----------
    kind
        ``zip`` or ``ole``: what the file is to the outside.
    """
    extension = kind_of_workbook(path, kind, export)
    if extension is None:
        return
    try:
        facts = _FACTS[extension](path) if extension in _FACTS else {}
        if _reach_too_far(facts, export):
            return
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        sheet = _sheet(workbook, source.sheet, facts, export)
        if sheet is not None:
            _note_facts(facts.get(sheet.name), extension, export)
            export.serials_since = SERIAL_DAYS_1904 if counts_from_1904(path, extension) else SERIAL_DAYS
            _read(sheet, header, export)
    except PasswordError:
        export.fail("encrypted_file", "is locked with a password; open it, remove the password and save it again")
    except (CalamineError, ValueError, *BAD_ARCHIVE):
        export.fail("unreadable_file", "is damaged or of a kind that cannot be read; save it as .xlsx or export CSV")


def _reach_too_far(facts: dict[str, SheetFacts], export: Export) -> bool:
    far = [name for name, sheet in facts.items() if sheet.n_rows * sheet.n_columns > MOST_CELLS]
    if far:
        export.fail(
            "stray_cell",
            f"sheet {shown_sheets(list(facts), far)} reaches over more than {MOST_CELLS:,} cells, perhaps by a value "
            "far outside the table; delete what is outside, or export the table as CSV",
        )
    return bool(far)


def _sheet(
    workbook: CalamineWorkbook, wanted: str | None, facts: dict[str, SheetFacts], export: Export
) -> CalamineSheet | None:
    """Return the sheet that is meant; None where that is not clear, with the reason noted."""
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    names = [sheet.name for sheet in sheets]
    if wanted in names:
        return workbook.get_sheet_by_name(wanted)
    if wanted is not None:
        export.fail("which_sheet", f"has no such sheet; its sheets are {shown_sheets(names, names)}: correct sheet:")
        return None
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    filled = [name for name in visible if _has_data(workbook, name, facts)]
    if len(filled) == 1:
        return workbook.get_sheet_by_name(filled[0])
    if filled:
        export.fail(
            "which_sheet",
            f"has several sheets with data ({shown_sheets(names, filled)}); name one as sheet: in study.yaml",
        )
    else:
        export.fail("empty_file", "has no sheet with data; export it again, or take it out of study.yaml")
    return None


def _has_data(workbook: CalamineWorkbook, name: str, facts: dict[str, SheetFacts]) -> bool:
    if name in facts:
        return facts[name].n_rows > 0
    return workbook.get_sheet_by_name(name).total_height > 0


def _note_facts(facts: SheetFacts | None, extension: str, export: Export) -> None:
    if facts is None:
        export.note(
            "excel_error",
            f"in an .{extension} cells with an error (such as #N/A) cannot be told from empty ones; save it as .xlsx",
            action="kept",
        )
        return
    if facts.error_rows:
        export.fail(
            "excel_error",
            "cells hold an error (#N/A, #REF!, #DIV/0! or another) and not a value; correct them or empty them",
            facts.error_rows,
        )
    if facts.valueless_rows:
        export.fail(
            "formula_without_value",
            "cells hold a formula that was never calculated; open the file in a spreadsheet program and save it",
            facts.valueless_rows,
        )
    if facts.n_formulas > len(facts.valueless_rows):
        export.note("formulas", f"of {facts.n_formulas} cell(s) with a formula the value was taken", action="kept")


def _read(sheet: CalamineSheet, header: Header, export: Export) -> None:
    rows = sheet.to_python(skip_empty_area=False)
    merged = _fill_merged(rows, sheet.merged_cell_ranges or [])
    above = next((n for n, row in enumerate(rows) if any(cell != "" for cell in row)), len(rows))
    top = [[text_of(cell) or "" for cell in row] for row in rows[above : above + max(lines_to_look_at(header), LINES)]]
    start = header_start(top, header, export.table)
    if start.above:
        above, top = above + start.above, start.records
        note_start(export, start, above + 1)
    if not top:
        return export.fail("empty_file", "has no values; export it again, or take it out of study.yaml")
    columns = read_header(top, header, export)
    if columns is None:
        return None
    first = above + header_length(top, header)
    if first >= len(rows):
        return export.fail("empty_file", "has a header but no rows; export it again, or take it out of study.yaml")
    if merged and max(merged) >= first:
        lines = [row + 1 for row in merged if row >= first]
        export.note("merged_cells", "cells were merged; each got the value of the whole", lines)
    cells = (_coded([row[place] for row in rows[first:]]) for place in range(len(columns.names)))
    return fill(export, columns, Rows(cells, np.arange(first + 1, len(rows) + 1)))


def _coded(cells: Sequence[object]) -> Coded:
    coder: Coder[tuple[type, object]] = Coder()
    coder.add(zip(map(type, cells), cells, strict=True))  # by type as well: 1, 1.0 and True are equal
    return coder.coded(lambda cell: text_of(cell[1]))


def _fill_merged(rows: list[list[Cell]], ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> set[int]:
    """Give every cell of a merged range the range's value, in place; return the rows that got one."""
    filled = set()
    for (top, left), (bottom, right) in ranges:
        for row in range(top, min(bottom, len(rows) - 1) + 1):
            for column in range(left, min(right, len(rows[row]) - 1) + 1):
                if rows[row][column] == "" and rows[top][left] != "":
                    rows[row][column] = rows[top][left]
                    filled.add(row)
    return filled
