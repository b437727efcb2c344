"""One CSV file as text, strictly: what is not a clean table is said with its line, not guessed at."""

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.plan.errors import Problem

SOURCE, LINE = "_source", "_line"


@dataclass
class CsvFile:
    """The rows of one file and what is wrong with it.

    Attributes
    ----------
    frame
        One row per record: its cells as text (`str`; empty or blank = missing) and `_line`, the line of the file on
        which the record begins (the header is line 1). None where nothing could be read.
    problems
        What is wrong, each an `error` unless it was repaired.
    """

    table: str
    source: str
    frame: pd.DataFrame | None = None
    problems: list[Problem] = field(default_factory=list)

    def fail(self, rule: str, message: str, lines: list[int] | None = None) -> None:
        """Note an error of the whole file, or of the records that begin on these lines."""
        lines = lines or []
        self.problems.append(
            Problem(
                severity="error",
                table=self.table,
                source=self.source,
                rows=len(lines),
                example_rows=tuple(lines),
                rule=rule,
                message=message,
                action="rejected",
            )
        )


def read_csv(path: Path, *, table: str, source: str) -> CsvFile:
    """Read one UTF-8 CSV file as text.

    Parameters
    ----------
    table, source
        The canonical table that it feeds and its name in messages.

    Returns
    -------
    CsvFile
        Every problem is in it; nothing is raised.
    """
    file = CsvFile(table, source)
    text = _text(path, file)
    if text is not None:
        _parse(text, file)
    return file


def _text(path: Path, file: CsvFile) -> str | None:
    if not path.is_file():
        return file.fail(
            "missing_file",
            "there is no such file in the study's folder; put the export there or correct its path in study.yaml",
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        return file.fail("unreadable_file", f"cannot be read ({error.strerror}); check the file's permissions")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return file.fail(
            "encoding", "is not UTF-8 text; export it again as CSV in UTF-8", [content[: error.start].count(b"\n") + 1]
        )
    if not text.strip():
        return file.fail("empty_file", "is empty; export it again, or take it out of study.yaml")
    return text


def _parse(text: str, file: CsvFile) -> None:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    first_line = 1
    try:
        header = [name.strip() for name in next(reader)]
        if not _header_is_good(header, file):
            return
        rows, lines, ragged, padded = [], [], [], []
        first_line = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(header):
                stripped = [cell.strip() for cell in cells]
                if stripped != cells:
                    padded.append(first_line)
                rows.append(stripped)
                lines.append(first_line)
            elif cells:  # a blank line is no record
                ragged.append(first_line)
            first_line = reader.line_num + 1
    except csv.Error:
        return file.fail(
            "broken_quotes",
            "the record that begins here is not valid CSV (a quotation mark that is not "
            "closed, not doubled, or followed by text); export the file again",
            [first_line],
        )
    _note_rows(file, len(header), ragged, padded)
    if rows:
        file.frame = _frame(header, rows, lines)
    elif not ragged:
        file.fail("empty_file", "has a header but no rows; export it again, or take it out of study.yaml")


def _note_rows(file: CsvFile, n_columns: int, ragged: list[int], padded: list[int]) -> None:
    if ragged:
        file.fail(
            "ragged_row",
            f"has too few or too many fields: the header names {n_columns} columns (a comma inside "
            "a value needs quotation marks around the value)",
            ragged,
        )
    if padded:
        file.problems.append(
            Problem(
                severity="info",
                table=file.table,
                source=file.source,
                rows=len(padded),
                example_rows=tuple(padded),
                rule="surrounding_spaces",
                message="spaces around values were taken off",
                action="repaired",
            )
        )


def _header_is_good(header: list[str], file: CsvFile) -> bool:
    before = len(file.problems)
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        file.fail("delimiter", "is not separated by commas; export it as comma-separated values", [1])
    if repeated := [name for name, times in Counter(header).items() if times > 1 and name]:
        file.fail(
            "duplicate_column",
            f"{len(repeated)} column name(s) stand more than once in the header; keep one of each",
            [1],
        )
    if not all(header):
        file.fail("unnamed_column", "a column has no name in the header; name it or take it out", [1])
    if {SOURCE, LINE} & set(header):
        file.fail("reserved_column", f"{SOURCE} and {LINE} are no names for an export's columns; rename them", [1])
    return len(file.problems) == before


def _frame(header: list[str], rows: list[list[str]], lines: list[int]) -> pd.DataFrame:
    cells = {name: pd.Series(column, dtype="str") for name, column in zip(header, zip(*rows, strict=True), strict=True)}
    frame = pd.DataFrame(cells)
    return frame.mask(frame == "").assign(**{LINE: lines})
