"""``mentoring report`` and ``mentoring batch``: reports made, many at a time, and only where something has changed."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from analysis.cli.check import show_lists
from analysis.cli.live import RUN, run_csv, show_run, usual_seconds, watching
from analysis.cli.options import RunOptions, with_run_options
from analysis.cli.terminal import (
    BAD_INPUT,
    DONE,
    FAILED,
    add_row,
    err,
    new_table,
    out,
    show_faults,
    show_problems,
    show_table,
)
from analysis.plan.faults import LOG
from analysis.plan.paths import study_folders

if TYPE_CHECKING:
    from analysis.runs.task import Outcome, Task

CODES = {"made": DONE, "unchanged": DONE, "bad input": BAD_INPUT, "incomplete": FAILED, "failed": FAILED}
STOPPED = 128 + signal.SIGINT


@with_run_options
def report(
    studies: Annotated[list[str] | None, typer.Argument(help="Names of study folders.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every study in the data folder.")] = False,
    blind: Annotated[
        bool, typer.Option("--blind", help="Withhold every effect, so that the design can be settled first.")
    ] = False,
    png: Annotated[bool, typer.Option("--png", help="Figures as PNG files, too, beside SVG.")] = False,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="The whole report as one PDF, too; needs the extra pdf (WeasyPrint).")
    ] = False,
    *,
    options: RunOptions,
) -> None:
    """Make the report, the ledgers and the executed notebooks of one or more studies, and the index of all.

    A report of which nothing has changed is not made again: its study, the program and its libraries, and the settings
    are the same. How each ended stands in reports/run.csv.
    """
    names = _chosen(studies, all_, options.data_folder)
    if pdf:
        _check_pdf()
    tasks = [options.task(name, name, len(names), is_blind=blind, with_png=png, with_pdf=pdf) for name in names]
    _run(tasks, options)


def _check_pdf() -> None:
    """End with what is to be installed where no PDF can be made, before anything is."""
    from analysis.report.pdf import MISSING, can_make_pdf

    if not can_make_pdf():
        err.print(MISSING, markup=False)
        raise typer.Exit(BAD_INPUT)


@with_run_options
def batch(
    table: Annotated[Path, typer.Argument(help="A CSV file: a row a report, of which the column study is needed.")],
    *,
    options: RunOptions,
) -> None:
    """Make the reports that a table asks for, with what each has otherwise than its study.yaml.

    Columns: study; report (the report's folder, else the study's name); and title, as_of, horizons_months (12;24),
    min_cell and round_to, which take the place of the study's own. An empty cell changes nothing.
    """
    # The scientific libraries take seconds to import: --help need not wait for them.
    from analysis.runs.batch import read_batch

    rows = read_batch(table, options.data_folder)
    _run([options.task(name, study, len(rows), settings=settings) for name, study, settings in rows], options)


def _chosen(studies: list[str] | None, all_: bool, folder: Path) -> list[str]:
    names = [p.name for p in study_folders(folder)] if all_ else list(dict.fromkeys(studies or []))
    if not names:
        reason = f"there is no study folder in {folder}" if all_ else "name a study, or say --all"
        err.print(f"Nothing to do: {reason}.", markup=False)
        raise typer.Exit(BAD_INPUT)
    return names


def _run(tasks: Sequence["Task"], options: RunOptions) -> None:
    """Make the reports that must be made, the index of all, and say how each ended."""
    from analysis.runs.task import Outcome

    # data of many companies take a while to be read through
    looked = track(tasks, "looking for changes", console=out, transient=True, disable=not out.is_terminal)
    why = {task.report: "asked for (--force)" if options.force else task.why() for task in looked}
    if options.dry_run:
        _show_plan(why)
        raise typer.Exit(DONE)
    unchanged = [Outcome(task, "unchanged") for task in tasks if not why[task.report]]
    to_make = [task for task in tasks if why[task.report]]
    for outcome in unchanged[:1] if len(unchanged) > 3 else unchanged:
        more = f" and {len(unchanged) - 1} more" if len(unchanged) > 3 else ""
        out.print(f"{outcome.task.report}{more}: unchanged (--force makes it again)", markup=False)
    made = _made(to_make, options)
    outcomes = [*unchanged, *made]
    is_stopped = any(outcome.status == "stopped" for outcome in made)
    _finish(tasks[0].reports, outcomes, is_stopped)
    if is_stopped:
        raise typer.Exit(STOPPED)
    codes = {CODES[outcome.status] for outcome in outcomes}
    raise typer.Exit(BAD_INPUT if BAD_INPUT in codes else max(codes))


def _show_plan(why: dict[str, str]) -> None:
    table = new_table("report", "would be made, because", title="Nothing is made: a dry run")
    for name, reason in why.items():
        add_row(table, name, reason or "no: nothing has changed")
    show_table(table)


def _made(tasks: Sequence["Task"], options: RunOptions) -> list["Outcome"]:
    """Make reports and say of each how it ended; one key press (Ctrl-C) ends them all, and what is made is kept."""
    from analysis.runs.task import Outcome

    if not tasks:
        return []
    made: list[Outcome] = []
    try:
        with watching(len(tasks), usual_seconds(tasks[0].reports)) as watch, _one_press():
            for outcome in options.make(tasks, watch):
                made.append(outcome)
                _say_outcome(outcome)
    except KeyboardInterrupt:
        ended = {outcome.task.report for outcome in made}
        made += [Outcome(task, "stopped", failed="stopped by hand") for task in tasks if task.report not in ended]
        err.print("Stopped. What is finished is kept; the same command goes on with the rest.", markup=False)
    return made


@contextmanager
def _one_press() -> Iterator[None]:
    """Take a first Ctrl-C, a closed terminal or the system's wish as the end; while things are cleared, no second."""

    def stop(*_: object) -> None:
        for key in before:
            signal.signal(key, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {key: signal.getsignal(key) for key in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    if before[signal.SIGHUP] == signal.SIG_IGN:  # by nohup: the run is to outlive its terminal
        del before[signal.SIGHUP]
    for key in before:
        signal.signal(key, stop)
    try:
        yield
    finally:
        for key, handler in before.items():
            signal.signal(key, handler)


def _say_outcome(outcome: "Outcome") -> None:
    task, name = outcome.task, outcome.task.report
    show_lists(outcome.lists, name)
    if outcome.faults:
        show_faults(name, outcome.faults, task.reports / name / LOG)
    if outcome.status in ("made", "incomplete"):
        out.print(f"{name}: {task.page}", markup=False)
    elif outcome.status == "bad input":
        why = "its folder cannot be written" if outcome.is_unwritable else "the input cannot be used"
        show_problems(outcome.problems, f"{name}: no report, because {why}:", folds=True)
    else:
        err.print(
            f"{name}: no report: {outcome.failed}. What was there before is kept.", style="bold red", markup=False
        )


def _finish(target: Path, outcomes: Sequence["Outcome"], is_stopped: bool) -> None:
    """Write the list of this run and, where a report is newer, the index of all studies; print how each ended."""
    try:
        if target.is_dir() and not all(outcome.is_unwritable for outcome in outcomes):
            from analysis.report.folders import writing

            with writing(target):
                (target / RUN).write_text(run_csv(outcomes), encoding="utf-8")
            # Whoever stops a run does not want to wait: the next run writes the index.
            if not is_stopped:
                out.print(f"All studies: {_index(target)}", markup=False)
    finally:
        if len(outcomes) > 1:
            show_run(outcomes)


def _index(target: Path) -> Path:
    index = target / "index.html"
    written = index.stat().st_mtime if index.is_file() else 0.0
    ledgers = [path for name in ("data_quality.csv", LOG) for path in target.glob(f"*/{name}")]
    if not written or any(path.stat().st_mtime > written for path in ledgers):
        from analysis.report.write import write_index

        write_index(target)
    return index
