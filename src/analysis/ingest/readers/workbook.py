"""Is a workbook safe to open, and what the libraries do not say of its sheets: errors, formulas, how far they reach.

A workbook is an archive or an OLE container. Both are looked at before any of it is unpacked into memory.
"""

import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO
from xml.etree import ElementTree

from analysis.ingest.export import Export

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
