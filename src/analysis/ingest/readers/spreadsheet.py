"""Spreadsheets: one sheet's cells as text."""

import io
from collections.abc import Sequence
from pathlib import Path

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
from analysis.ingest.readers.around import LINES
from analysis.ingest.readers.broken_header import header_start, note_start
from analysis.ingest.readers.cells import text_of
from analysis.ingest.readers.columns import Cell, Coded, Coder, Rows, fill
from analysis.ingest.readers.header import header_length, lines_to_look_at, read_header
from analysis.ingest.readers.workbook import (
    BAD_ARCHIVE,
    MOST_CELLS,
    SheetFacts,
    counts_from_1904,
    facts_of_ods,
    facts_of_xlsx,
    kind_of_workbook,
)
from analysis.plan.study import Source

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
