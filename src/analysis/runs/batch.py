"""A batch of reports as a table: a row a report, with what it has otherwise than the study's own file."""

import csv
import difflib
from collections.abc import Mapping
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
    lines = _lines(path)
    if not lines:
        raise bad_input(path.name, "is empty; its first line names the columns, of which study is needed", rule="batch")
    header, problems = [name.strip() for name in lines[0]], list[Problem]()
    for name in header:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; the columns are {', '.join(COLUMNS)}"
            problems.append(_mistake(path, 1, name, f"there is no column {name!r}{hint}"))
    if "study" not in header:
        problems.append(_mistake(path, 1, "study", "the column study is missing"))
    if problems:
        raise BadInput(problems)
    rows, seen = list[Row](), dict[str, int]()
    for number, cells in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in cells):
            given = dict(zip(header, (cell.strip() for cell in cells), strict=False))
            rows.append(_row(path, number, given, data, problems))
            first = seen.setdefault(rows[-1][0], number)
            if first != number:
                told = f"the report {rows[-1][0]} stands on line {first} already; give each a name under report"
                problems.append(_mistake(path, number, "report", told))
    if not rows:
        problems.append(_mistake(path, 1, "study", "there is no row below the names of the columns"))
    if problems:
        raise BadInput(problems)
    return rows


def _lines(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file, strict=True))
    except OSError as error:
        raise bad_input(path.name, f"cannot be read ({error.strerror})", rule="unreadable_file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise bad_input(path.name, "is no CSV file in UTF-8; save it as one", rule="encoding") from error


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
