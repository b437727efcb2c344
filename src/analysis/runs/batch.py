"""A batch of reports as a table: a row a report, with what it has otherwise than the study's own file."""

import csv
import difflib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from analysis.plan.contract import Day, Text
from analysis.plan.errors import BadInput, Problem, bad_input
from analysis.plan.paths import STUDY_NAME
from analysis.plan.study import Horizons, Multiple, SmallestGroup

NAMES = ("study", "report")
# What a report may have otherwise, by the key of study.yaml, and what its cells may be.
SETTINGS: Mapping[str, TypeAdapter] = {
    "title": TypeAdapter(Text),
    "as_of": TypeAdapter(Day),
    "horizons_months": TypeAdapter(Horizons),
    "min_cell": TypeAdapter(SmallestGroup),
    "round_to": TypeAdapter(Multiple),
}
COLUMNS = (*NAMES, *SETTINGS)
# Between cells: a spreadsheet writes what is usual in its country.
MARKS = (",", ";", "\t")
Record = tuple[int, list[str]]
Row = tuple[str, str, dict[str, object]]


def read_batch(path: Path, data: Path) -> list[Row]:
    """Read a table of reports: of each its folder's name, its study and its settings. Empty cells set nothing.

    Several horizons are separated by semicolons: ``12;24``. Without a column ``report`` a report is called like its
    study.

    Raises
    ------
    BadInput
        With every mistake, by line and column: an unknown column, a cell of another type, a study that is not there, a
        report named twice.
    """
    records = _records(path)
    if not records:
        raise bad_input(path.name, "is empty; its first line names the columns, of which study is needed", rule="batch")
    top, first_line = records[0]
    header = [name.strip().lower() for name in first_line]
    problems = [_mistake(path, top, name or f"{n}", why) for n, name, why in _amiss(header, records[1:])]
    if "study" not in header:
        raise BadInput([*problems, _mistake(path, top, "study", "the column study is missing")])
    rows, seen = list[Row](), dict[str, int]()
    for line, cells in records[1:]:
        if any(cell.strip() for cell in cells[len(header) :]):
            told = f"there are more cells ({len(cells)}) than columns; put one that has a comma in quotation marks"
            problems.append(_mistake(path, line, header[-1], told))
        given = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        rows.append(_row(path, line, given, data, problems))
        first = seen.setdefault(rows[-1][0], line)
        if first != line:
            told = f"the report {rows[-1][0]} stands on line {first} already; give each a name under report"
            problems.append(_mistake(path, line, "report", told))
    if not rows:
        problems.append(_mistake(path, top, "study", "there is no row below the names of the columns"))
    if problems:
        raise BadInput(problems)
    return rows


def _amiss(header: Sequence[str], records: Sequence[Record]) -> Iterator[tuple[int, str, str]]:
    """Yield what is wrong with the columns: the number of each, its name, and why."""
    for n, name in enumerate(header, start=1):
        if name in header[: n - 1] and name:
            yield n, name, "there is another column of this name"
        elif name in COLUMNS or not (name or any(cell.strip() for _, cells in records for cell in cells[n - 1 : n])):
            continue
        else:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; the columns are {', '.join(COLUMNS)}"
            yield n, name, (f"there is no column {name!r}" if name else "the column has cells and no name") + hint


def _records(path: Path) -> list[Record]:
    """Return the lines that are not blank, each with its number; the mark between cells is the first line's."""
    records, line = list[Record](), 1
    try:
        text = path.read_text(encoding="utf-8-sig")
        first = text.lstrip().partition("\n")[0]
        reader = csv.reader(io.StringIO(text), strict=True, delimiter=max(MARKS, key=first.count))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((line, cells))
            line = reader.line_num + 1
    except OSError as error:
        raise bad_input(str(path), f"cannot be read ({error.strerror})", rule="unreadable_file") from error
    except UnicodeDecodeError as error:
        raise bad_input(path.name, "is not in UTF-8; save it as CSV UTF-8", rule="encoding") from error
    except csv.Error as error:
        told = "a quotation mark does not close, or stands within a cell; one that belongs to a cell is written twice"
        raise bad_input(path.name, told, rule="batch", line=line) from error
    return records


def _row(path: Path, number: int, given: Mapping[str, str], data: Path, problems: list[Problem]) -> Row:
    study = given.get("study", "")
    report, settings = given.get("report") or study, dict[str, object]()
    if not STUDY_NAME.fullmatch(study) or not (data / study / "study.yaml").is_file():
        near = difflib.get_close_matches(study, [p.parent.name for p in data.glob("*/study.yaml")], n=1)
        hint = f"; did you mean {near[0]}?" if near else "; check the name and --data"
        problems.append(_mistake(path, number, "study", f"there is no such study in the data folder{hint}"))
    elif not STUDY_NAME.fullmatch(report):
        told = "must be lower-case letters, digits, - and _, at most 63, the first a letter or digit"
        problems.append(_mistake(path, number, "report", told))
    for name, kind in SETTINGS.items():
        if given.get(name):
            try:
                value: Any = kind.validate_python(_cell(name, given[name]))
                settings[name] = kind.dump_python(value, mode="json")
            except (ValidationError, ValueError) as error:
                why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "must be a whole number"
                problems.append(_mistake(path, number, name, why.removeprefix("Value error, ")))
    return report, study, settings


def _cell(name: str, text: str) -> object:
    if name == "horizons_months":
        return tuple(int(month) for month in text.split(";"))
    return int(text) if name in ("min_cell", "round_to") else text


def _mistake(path: Path, line: int, column: str, message: str) -> Problem:
    return Problem(
        severity="error",
        table="study",
        source=path.name,
        rows=1,
        example_rows=(line,),
        rule="batch",
        message=f"column {column}: {message}",
        action="rejected",
        column=column,
    )
