"""From a number to its origin: the row, how it was made and where in the code, what went in, where it is shown."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.pipeline.opened import open_study
from analysis.pipeline.reproduced import read_text
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.errors import Problem, bad_input
from analysis.report.notebook_files import nbformat
from analysis.report.origins import Making, making_of
from analysis.report.wording import NBSP, number

LEDGER, BLANKS = "estimates.csv", re.compile(r"\s+")


@dataclass(frozen=True)
class Explained:
    """Everything that is known of one number.

    Attributes
    ----------
    row
        The ledger's row, every filled cell as text.
    making
        How it was made, in words, and the functions that make it.
    row_counts
        What became of the rows of every file (`validate.account.account`), in exact numbers, for the terminal alone.
    excluded
        Why rows were left out: the problems of the data-quality ledger that rejected them.
    cells
        Notebook and cell, such as ``notebooks/04_retention.ipynb, cell 11``, whose output shows the number.
    """

    row: dict[str, str]
    making: Making
    row_counts: pd.DataFrame
    excluded: tuple[Problem, ...]
    cells: tuple[str, ...]


def explain(study: str, row: str, data: Path, reports: Path) -> Explained:
    """Return where a number of a study's report comes from; the study's files are read again for what went in.

    Raises
    ------
    BadInput
        There is no such report, or no such row in its ledger; or the study's files cannot be used any more.
    """
    told = _row(reports / study, row)
    opened = open_study(study, data)
    return Explained(
        row=told,
        making=making_of(told["estimator"]),
        row_counts=opened.tables.row_counts,
        excluded=tuple(problem for problem in opened.problems if problem.action == "rejected" and problem.rows),
        cells=tuple(_cells(reports / study, told)),
    )


def _row(folder: Path, row: str) -> dict[str, str]:
    path = folder / LEDGER
    if not path.is_file():
        message = f"is not there; make it with mentoring report {folder.name}"
        raise bad_input(str(path), message, rule="no_ledger", table="estimates")
    ledger = read_text(path)
    found = ledger[ledger["row"] == row].to_dict("records")
    if not found:
        near = difflib.get_close_matches(row, ledger["row"], n=1)
        hint = f"; did you mean {near[0]}?" if near else "; the column row of this file lists them"
        raise bad_input(str(path), f"column row: there is no row {row!r}{hint}", rule="no_row", table="estimates")
    return {str(column): str(cell) for column, cell in found[0].items() if cell != ""}


def _cells(folder: Path, row: dict[str, str]) -> Iterator[str]:
    """Yield the cells of the executed notebooks of this hypothesis whose output shows the number with its interval."""
    if row["status"] != "estimated":
        return
    shown = shown_text(row)
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        if not any(row["hypothesis"] in cell.source for cell in notebook.cells):
            continue
        for n, cell in enumerate(notebook.cells, start=1):
            if any(shown in _plain(text) for text in _outputs(cell)):
                yield f"notebooks/{path.name}, cell {n}"


def shown_text(row: dict[str, str]) -> str:
    """Return a row's estimate and interval as pages and notebooks write them, blanks taken for one."""
    unit = CATALOGUE.measure(row["measure"])
    value, low, high = (number(float(row[name]), unit) for name in ("estimate", "ci_low", "ci_high"))
    return _plain(f"{value} [{low}, {high}]")


def _outputs(cell: nbformat.NotebookNode) -> Iterator[str]:
    for output in cell.get("outputs", ()):
        data = output.get("data", {"text/plain": output.get("text", "")})
        # A table's cells stand apart in its text, estimate and interval side by side.
        yield from (str(text) for kind, text in data.items() if kind in ("text/plain", "text/html", "text/markdown"))


def _plain(text: str) -> str:
    return BLANKS.sub(" ", re.sub(r"<[^>]+>", " ", text).replace(NBSP, " ")).strip()
