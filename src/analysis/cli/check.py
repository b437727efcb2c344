"""``mentoring check``: what is wrong with a study's input, and where its rows went."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from analysis.cli.terminal import (
    BAD_INPUT,
    DONE,
    Data,
    Reports,
    add_row,
    guarded,
    new_table,
    out,
    show_problems,
    show_table,
)
from analysis.plan.errors import Problem
from analysis.plan.paths import data_dir, reports_dir

if TYPE_CHECKING:
    from analysis.pipeline.answerable import Answerable

COUNTS = {
    "rows_in": "in",
    "rows_kept": "kept",
    "rows_repaired": "of these repaired",
    "rows_translated": "only written otherwise",
    "rows_rejected": "rejected",
}


def check(
    studies: Annotated[list[str], typer.Argument(help="Names of study folders.")],
    data: Data = None,
    reports: Reports = None,
) -> None:
    """Read and validate only: what is wrong and what to do, and where the rows of every file went.

    The ledger is also written to reports/STUDY/data_quality.csv, and the lines whose people were not found to
    reports/STUDY/unmatched.csv.
    """
    from analysis.pipeline.checked import check_study
    from analysis.report.write import replace_problems

    folder, target, bad = data_dir(data), reports_dir(reports), []
    for name in studies:
        checked = guarded(name, check_study, name, folder)
        if not checked.is_good:
            bad.append(name)
        title = f"{name}: the input cannot be used:" if name in bad else None
        if title is None:
            out.print(f"{name}: can be used. Remarks: {len(checked.problems)}.", markup=False)
        show_problems(checked.problems, title)
        _show_rows(checked.row_counts)
        _show_questions(checked.questions)
        if (folder / name / "study.yaml").is_file():
            out.print(f"{name}: {replace_problems(checked.ledger, target / name, checked.problems)}", markup=False)
        _say_next(name, checked.problems, options(data=data, reports=reports))
    raise typer.Exit(BAD_INPUT if bad else DONE)


def options(**given: Path | None) -> str:
    """Return the options as they were typed, to be typed again."""
    return "".join(f" --{name} {shlex.quote(str(value))}" for name, value in given.items() if value is not None)


def _show_rows(counts: pd.DataFrame | None) -> None:
    """Print where the rows of each source went; every line adds up, and so do the totals."""
    if counts is None or counts.empty:
        return
    table = new_table("table", "file", *COUNTS.values(), title="Rows of the exports", numbers=COUNTS.values())
    for row in counts.itertuples(index=False):
        add_row(table, row.table, row.source, *(f"{getattr(row, name):,}" for name in COUNTS))
    table.add_section()
    add_row(table, "total", "", *(f"{counts[name].sum():,}" for name in COUNTS), style="bold")
    show_table(table)


def _show_questions(questions: tuple["Answerable", ...]) -> None:
    """Print which questions the study can answer, and why others cannot be."""
    if not questions:
        return
    table = new_table("program", "role", "question", "can be answered", title="What the study can answer")
    for one in questions:
        add_row(table, one.program, one.role, one.title, f"no: {one.reason}" if one.reason else "yes")
    show_table(table)


def _say_next(name: str, problems: tuple[Problem, ...], given: str) -> None:
    """Say what to type next, or what to mend first."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if not errors:
        out.print(f"Next: mentoring report {name}{given}", markup=False)
        return
    files = ", ".join(dict.fromkeys(problem.source for problem in errors))
    out.print(f"Next: mend {len(errors)} error(s) ({files}), then: mentoring check {name}{given}", markup=False)
