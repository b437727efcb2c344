"""What every command shares: where it prints, how a problem and a table look there, and how it ends."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analysis.plan.errors import UNWRITABLE, BadInput, Problem
from analysis.plan.faults import Fault, Faults, Part, known

Result = TypeVar("Result")

out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)

Data = Annotated[Path | None, typer.Option(help="Folder of study folders (or MENTORING_DATA; default: data/).")]
Reports = Annotated[Path | None, typer.Option(help="Folder for reports (or MENTORING_REPORTS; default: reports/).")]
DONE, FAILED, BAD_INPUT, PARTLY = 0, 1, 2, 3
# Where no terminal sets a width, as in a file, a line is as long as it needs to be.
NO_TERMINAL_WIDTH = 1000
COLOURS = {"error": "bold red", "warning": "yellow", "info": ""}


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Yield a function that says what is being done: on one moving line on a terminal, line by line elsewhere."""
    if not out.is_terminal:
        yield lambda text: out.print(text, markup=False)
        return
    with out.status("starting") as status:
        yield lambda text: status.update(text)


def guarded(name: str, function: Callable[..., Result], *asked: object) -> Result:
    """Return what the function returns; a fault of the program is told without its text, and ends the command.

    Raises
    ------
    BadInput
        The function raised it.
    """
    # A future hands an exception back as a value.
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(function, *asked)
        error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BadInput):
        raise error
    show_fault(name, error)
    raise typer.Exit(FAILED)


def show_fault(name: str, error: BaseException) -> None:
    """Say where the program failed; the exception's own text might hold somebody's data."""
    fault = Faults(name).add(Part("command", name), error)
    err.print(
        f"{name}: stopped, because of a fault in this program: {fault.exception} in {fault.where}. Please report it.",
        style="bold red",
        markup=False,
    )


def show_faults(name: str, faults: Sequence[Fault], log: Path) -> None:
    """Say which parts of a study's report faults took away: the analysis, picture, notebook and cell of each."""
    several = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
    err.print(
        f"{name}: incomplete, because of {several} in this program. Please report it with {log}, which holds nothing "
        "from the data.",
        style="bold red",
        markup=False,
    )
    for fault in faults:
        err.print(f"  {name}: {fault}", markup=False)


def is_unwritable(error: BaseException | None) -> bool:
    """Whether what stopped a command is a folder that cannot be written."""
    return isinstance(error, BadInput) and any(problem.rule == UNWRITABLE for problem in error.problems)


def show_problems(
    problems: Iterable[Problem], title: str | None = None, *, folds: bool = False, all_lines: bool = False
) -> None:
    """Print problems, errors first, then warnings by the people whom they are about: a table on a terminal, else lines.

    What is the same in several files is told once; the ledger has each. Errors are told one by one.

    Parameters
    ----------
    folds
        Whether remarks are only counted.
    all_lines
        Whether every line of a file is named that a problem is about, not the first five alone.
    """
    told = in_order(problems)
    shown = [problem for problem in told if not (folds and problem.severity == "info")]
    if title:
        err.print(title, style="bold red", markup=False)
    if err.is_terminal and shown:
        err.print(_ledger(shown, all_lines), soft_wrap=False)
    else:
        for problem in shown:
            where = f"{_source_and_lines(problem)}: {problem.message}" if all_lines else problem
            err.print(f"  {problem.severity}: {where} [{problem.action}]{_people(problem)}", markup=False)
    if len(told) > len(shown):
        n = len(told) - len(shown)
        what = f"{n} remark{'' if n == 1 else 's'} on what was assumed, translated and left out"
        err.print(f"  {what}: mentoring check with --all shows them", markup=False)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems, each told once: errors, then warnings by the people they are about, then remarks."""
    order = list(COLOURS)
    return sorted(_told_once(problems), key=lambda p: (order.index(p.severity), -p.n_started, -p.n_others, -_weight(p)))


def _weight(problem: Problem) -> int:
    return known(problem.rows) if problem.severity == "warning" else 0


def _people(problem: Problem) -> str:
    """Return whom a warning is about, in exact numbers: for the terminal of the person who has the files."""
    started = f"{problem.n_started:,} who started" if problem.n_started else ""
    word = ("other" if problem.n_others == 1 else "others") if started else "who did not start"
    others = f"{problem.n_others:,} {word}" if problem.n_others else ""
    told = " and ".join(part for part in (started, others) if part)
    return f" (concerns {told})" if told else ""


def _source_and_lines(problem: Problem) -> str:
    lines = problem.example_rows if problem.lines is None else problem.lines
    several = "s" if known(problem.rows) > 1 else ""
    return f"{problem.source}, line{several} {line_ranges(lines)}" if len(lines) else problem.source


def line_ranges(lines: Iterable[int]) -> str:
    """Return line numbers in one text, neighbours as a range: 2-14, 17."""
    ranges: list[list[int]] = []
    for line in sorted(map(int, lines)):
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in ranges)


def _told_once(problems: Iterable[Problem]) -> list[Problem]:
    same: dict[tuple, list[Problem]] = {}
    for n, problem in enumerate(problems):
        alone = n if problem.severity == "error" else None
        same.setdefault((problem.severity, problem.rule, problem.message, problem.action, alone), []).append(problem)
    return [_together(some) for some in same.values()]


def _together(some: list[Problem]) -> Problem:
    files = list(dict.fromkeys(problem.source for problem in some))
    if len(some) == 1 or len(files) == 1:
        return some[0]
    rows = sum(problem.rows or 0 for problem in some)
    source = f"{files[0]} and {len(files) - 1} more file{'s' if len(files) > 2 else ''}"
    # A person may be in several files: the most in one of them is what is sure.
    people = {name: max(getattr(problem, name) for problem in some) for name in ("n_started", "n_others")}
    source = f"{source}, {rows:,} rows" if rows else source
    return replace(some[0], source=source, rows=0, example_rows=(), lines=None, **people)


def _ledger(problems: Iterable[Problem], all_lines: bool) -> Table:
    table = new_table("severity, done", "where", "what is wrong, and what to do", leading=1)
    table.columns[1].max_width = 32
    for problem in problems:
        done = f"{problem.severity}\n{problem.action.replace('_', ' ')}"
        where = _source_and_lines(problem) if all_lines else _where(problem)
        add_row(table, done, where, problem.message + _people(problem), style=COLOURS[problem.severity])
    return table


def _where(problem: Problem) -> str:
    if not problem.rows:
        return problem.source
    more = ", …" if problem.rows > len(problem.example_rows) else ""
    lines = ", ".join(map(str, problem.example_rows)) + more
    several = f"{problem.rows:,} rows: " if problem.rows > len(problem.example_rows) else ""
    return f"{problem.source}\n{several}line{'s' if problem.rows > 1 else ''} {lines}"


def new_table(*columns: str, title: str | None = None, leading: int = 0, numbers: Iterable[str] = ()) -> Table:
    """Return an empty table; the columns in `numbers` are aligned at their right."""
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD, leading=leading)
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    return table


def add_row(table: Table, *cells: object, style: str = "") -> None:
    """Add a row of text: a bracket in it is a bracket, not an instruction to the terminal."""
    table.add_row(*(escape(str(cell)) for cell in cells), style=style)


def show_table(table: Table) -> None:
    """Print a table as wide as the terminal; elsewhere as wide as it needs to be."""
    if out.is_terminal:
        out.print(table, soft_wrap=False)
    else:
        Console(file=out.file, width=NO_TERMINAL_WIDTH, highlight=False).print(table, soft_wrap=False)
