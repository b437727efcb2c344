"""One export as text cells, and its bytes as CSV or as a spreadsheet: the same on every day and machine."""

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell

ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?")
WRITTEN = dt.datetime(2025, 7, 1, 8, 0)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")


@dataclass(frozen=True)
class Sheet:
    """The cells of one export: header lines first, then the rows, all text; an empty cell is ``""``."""

    cells: list[list[str]]

    @classmethod
    def of(cls, frame: pd.DataFrame, *above: Sequence[str]) -> "Sheet":
        """Return a sheet of text columns under their names, below further lines `above`; a missing cell is empty."""
        columns = [frame.iloc[:, n].fillna("").tolist() for n in range(frame.shape[1])]
        return cls([*map(list, above), list(frame.columns), *map(list, zip(*columns, strict=True))])

    def csv(
        self, delimiter: str = ",", encoding: str = "utf-8", newline: str = "\r\n", quote_all: bool = False
    ) -> bytes:
        """Return the cells as delimited text; ``utf-8-sig`` and ``utf-16`` begin with their mark."""
        text = io.StringIO(newline="")
        writer = csv.writer(
            text,
            delimiter=delimiter,
            lineterminator=newline,
            quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
        )
        writer.writerows(self.cells)
        return text.getvalue().encode(encoding)


def workbook(sheets: Mapping[str, Sheet], *, dates: bool = True, numbers: Collection[str] = ()) -> bytes:
    """Return an Excel file with these sheets, by name.

    Parameters
    ----------
    sheets
        Text cells become strings, so that ids keep their zeros and nothing becomes a formula.
    dates
        Cells with an ISO date, or date and time, become Excel dates.
    numbers
        The columns, by their names in the first line, whose cells become numbers.
    """
    book = Workbook(write_only=True)
    book.properties.created = WRITTEN
    for title, sheet in sheets.items():
        page = book.create_sheet(title)
        header, *rows = sheet.cells
        is_number = [name in numbers for name in header]
        page.append([_cell(page, text) for text in header])
        for row in rows:
            page.append([_cell(page, _value(text, dates, number)) for text, number in zip(row, is_number, strict=True)])
    buffer = io.BytesIO()
    book.save(buffer)
    return _timeless(buffer.getvalue())


def _value(text: str, dates: bool, number: bool) -> str | float | dt.datetime | None:
    if not text:
        return None
    if number:
        return float(text)
    return dt.datetime.fromisoformat(text) if dates and ISO_DATE.fullmatch(text) else text


def _cell(page: object, value: str | float | dt.datetime | None) -> Cell:
    cell = WriteOnlyCell(page, value)
    if isinstance(value, str):
        cell.data_type = "s"  # else a text that begins with = would be a formula
    elif isinstance(value, dt.datetime) and value.time() == dt.time():
        cell.number_format = "yyyy-mm-dd"
    return cell


def _timeless(book: bytes) -> bytes:
    """Return the same file without the moment at which it was written."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            moment = WRITTEN.isoformat().encode() + b"Z"
            content = _MODIFIED.sub(rb"\g<1>" + moment + rb"\g<2>", old.read(name))
            new.writestr(zipfile.ZipInfo(name, WRITTEN.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return result.getvalue()
