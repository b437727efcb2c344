"""``mentoring check``: what is wrong with a study's input, and where its rows went."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.terminal import (
    BAD_INPUT,
    DONE,
    Data,
    Reports,
    add_row,
    err,
    guarded,
    in_order,
    new_table,
    out,
    show_problems,
    show_table,
)
from analysis.plan.errors import Problem
from analysis.plan.paths import data_dir, reports_dir

if TYPE_CHECKING:
    import pandas as pd

    from analysis.pipeline.checked import Answerable
    from analysis.plan.errors import Listed

COUNTS = {
    "rows_in": "in",
    "rows_kept": "kept",
    "rows_repaired": "of these repaired",
    "rows_translated": "reformatted only",
    "rows_rejected": "rejected",
}


def check(
    studies: Annotated[list[str], typer.Argument(help="Names of study folders.")],
    all_: Annotated[bool, typer.Option("--all", help="Show the remarks too, and every line concerned.")] = False,
    show_headings: Annotated[
        bool,
        typer.Option("--show-headings", help="Name the headings that messages call by their place."),
    ] = False,
    data: Data = None,
    reports: Reports = None,
) -> None:
    """Read and validate only: can the study be used, what is wrong and what to do, and where every file's rows went.

    The ledger is also written to reports/STUDY/data_quality.csv. Every line that an error or a warning is about is
    listed in reports/STUDY.private/lines.csv, and the lines whose people were not found in unmatched.csv beside it;
    these two are for the person who has the files, and nobody else can read them.
    """
    from analysis.pipeline.checked import check_study, headings_by_place
    from analysis.report.ledger import replace_problems
    from analysis.report.private import private_dir, write_private

    folder, target, bad = data_dir(data), reports_dir(reports), []
    for name in studies:
        checked = guarded(name, check_study, name, folder)
        if not checked.is_good:
            bad.append(name)
        _show_verdict(name, checked.problems)
        show_problems(checked.problems, folds=not all_, all_lines=all_)
        if show_headings:
            _show_headings(headings_by_place(name, folder))
        show_lists(checked.lists)
        _show_rows(checked.row_counts)
        _show_questions(checked.questions)
        if (folder / name / "study.yaml").is_file():
            written = [replace_problems(checked.ledger, target / name)]
            written += write_private(checked.problems, private_dir(target, name))
            out.print(f"{name}: {', '.join(map(str, written))}", markup=False)
        _say_next(name, checked.problems, options(data=data, reports=reports))
    raise typer.Exit(BAD_INPUT if bad else DONE)


def _show_verdict(name: str, problems: tuple[Problem, ...]) -> None:
    """Say whether a study can be used, and how much of what is doubtful changes who is compared."""
    told = in_order(problems)
    errors = sum(problem.severity == "error" for problem in told)
    if errors:
        err.print(f"{name}: cannot be used: {_number(errors, 'error')}", style="bold red", markup=False)
        return
    n = sum(_changes_who_is_compared(problem) for problem in told)
    effect = f"; {_number(n, 'thing')} change{'s' if n == 1 else ''} who is compared" if n else ""
    out.print(f"{name}: can be used{effect}", style="bold", markup=False)


def _number(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _changes_who_is_compared(problem: Problem) -> bool:
    """Whether a warning is about people who are left out, or whose start or employment is in doubt."""
    from analysis.validate.account import REASONS

    is_about_people = problem.n_started + problem.n_others > 0
    return problem.severity == "warning" and (
        (is_about_people and problem.table in ("employees", "enrolments"))
        or (problem.action == "rejected" and problem.rule in REASONS)
    )


def _show_headings(hidden: Mapping[str, Mapping[int, str]]) -> None:
    """Print by file which heading stands where, of those that messages do not repeat."""
    for source, headings in hidden.items():
        named = "; ".join(f"column {place} is {heading}" for place, heading in headings.items())
        out.print(f"{source}: {named or 'every heading may be repeated'}", markup=False)


def show_lists(lists: Iterable["Listed"], name: str = "") -> None:
    """Say of each list of participants how many of it were found and started, and why others were not.

    Parameters
    ----------
    name
        Of the report, where there are many.
    """
    from analysis.validate.account import REASONS

    for one in lists:
        many = "pairs" if one.is_of_pairs else "people"
        n_lost = one.n_listed - one.n_found
        told = (
            f"{f'{name}: ' * bool(name)}{one.source}: of {one.n_listed:,} {many} {one.n_found:,} were found and started"
        )
        were = "was" if n_lost == 1 else "were"
        out.print(f"{told}; {n_lost:,} {were} not, because:" if n_lost else told, markup=False)
        for reason, lines in sorted(one.lost.items(), key=lambda item: -len(item[1])):
            out.print(f"  {len(lines):,}: {REASONS[reason]}", markup=False)


def options(**given: Path | None) -> str:
    """Return the options as they were typed, to be typed again."""
    return "".join(f" --{name} {shlex.quote(str(value))}" for name, value in given.items() if value is not None)


def _show_rows(counts: "pd.DataFrame | None") -> None:
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
    """Say what to type next, or what to correct first."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if not errors:
        out.print(f"Next: mentoring report {name}{given}", markup=False)
        return
    files = ", ".join(dict.fromkeys(problem.source for problem in errors))
    out.print(f"Next: correct {len(errors)} error(s) ({files}), then: mentoring check {name}{given}", markup=False)
