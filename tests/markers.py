"""Texts that are somebody's data, put into every kind of heading and cell, and the search for them in what is said."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

# Every one has a sign by which it is found again, however it is cut, folded or made an id.
PEOPLE = (
    "Zqxva Quuxley",
    "Quuxley, Zqxva",
    "zqxva.quuxley@home.example",
    "Zqxvgasse 12, 1010 Wien",
    "told me that Zqxva was ill for months and will not come back",
    "+49 170 5559 8167",
    "98167.43",
    "Zqxva-7719",
)
SIGNS = ("zqxv", "quuxl", "55598167", "5559 8167", "98167", "7719")
Rows = list[list[str]]


def leaks(*said: str) -> list[str]:
    """Return the lines in which a sign of a marker stands."""
    lines = [line for text in said for line in text.splitlines()]
    return [line for line in lines if any(sign in line.casefold() for sign in SIGNS)]


def read_rows(path: Path) -> Rows:
    """Return the records of a file of plain CSV."""
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def write_rows(path: Path, rows: Rows) -> Path:
    """Write records as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def heading(rows: Rows, at: int, marks: Sequence[str]) -> Rows:
    """A column is called by somebody's data."""
    return [[*rows[0][:at], marks[0], *rows[0][at + 1 :]], *rows[1:]]


def further_column(rows: Rows, at: int, marks: Sequence[str]) -> Rows:
    """A column more, called by one of them and full of all."""
    cells = [marks[n % len(marks)] for n in range(len(rows))]
    return [[*row[:at], cell, *row[at:]] for row, cell in zip(rows, cells, strict=True)]


def whole_column(rows: Rows, at: int, marks: Sequence[str]) -> Rows:
    """A column of another, by a slip when columns were copied."""
    return [rows[0], *([*row[:at], marks[n % len(marks)], *row[at + 1 :]] for n, row in enumerate(rows[1:]))]


def one_text(rows: Rows, at: int, marks: Sequence[str]) -> Rows:
    """The same text in all rows of a column."""
    return [rows[0], *([*row[:at], marks[0], *row[at + 1 :]] for row in rows[1:])]


def one_cell(rows: Rows, at: int, marks: Sequence[str]) -> Rows:
    """One cell, in the last row."""
    return [*rows[:-1], [*rows[-1][:at], marks[0], *rows[-1][at + 1 :]]]


def no_header(rows: Rows, at: int, marks: Sequence[str]) -> Rows:
    """The line of headings is lost, and the first record stands in its place."""
    return whole_column(rows, at, marks)[1:]


def title_above(rows: Rows, at: int, marks: Sequence[str]) -> Rows:
    """A line above the headings."""
    return [[marks[0]], [], *rows]


def line_below(rows: Rows, at: int, marks: Sequence[str]) -> Rows:
    """A line below the last record, and one with a cell too many."""
    return [*rows, ["", marks[0]], [*rows[-1], marks[-1]]]


def heading_twice(rows: Rows, at: int, marks: Sequence[str]) -> Rows:
    """Two columns of one name, which is somebody's data."""
    return [[*row, *row[at : at + 1] * 2] if n else [*row, marks[0], marks[0]] for n, row in enumerate(rows)]


WAYS: tuple[Callable[[Rows, int, Sequence[str]], Rows], ...] = (
    heading,
    further_column,
    whole_column,
    one_text,
    one_cell,
    no_header,
    title_above,
    line_below,
    heading_twice,
)
