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
from analysis.plan.faults import Fault, Faults, Part

Result = TypeVar("Result")

out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)

Data = Annotated[Path | None, typer.Option(help="Folder of study folders (or MENTORING_DATA; default: data/).")]
Reports = Annotated[Path | None, typer.Option(help="Folder for reports (or MENTORING_REPORTS; default: reports/).")]
DONE, FAILED, BAD_INPUT = 0, 1, 2
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


def show_problems(problems: Iterable[Problem], title: str | None = None) -> None:
    """Print problems, errors first: a table on a terminal, a line each elsewhere.

    What is the same in several files is told once; the ledger has each. Errors are told one by one.
    """
    order = list(COLOURS)
    problems = sorted(_told_once(problems), key=lambda p: order.index(p.severity))
    if title:
        err.print(title, style="bold red", markup=False)
    if err.is_terminal and problems:
        err.print(_ledger(problems), soft_wrap=False)
        return
    for problem in problems:
        err.print(f"  {problem.severity}: {problem} [{problem.action}]", markup=False)


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
    return replace(some[0], source=f"{source}, {rows:,} rows" if rows else source, rows=0, example_rows=())


def _ledger(problems: Iterable[Problem]) -> Table:
    table = new_table("severity, done", "where", "what is wrong, and what to do", leading=1)
    table.columns[1].max_width = 32
    for problem in problems:
        done = f"{problem.severity}\n{problem.action.replace('_', ' ')}"
        add_row(table, done, _where(problem), problem.message, style=COLOURS[problem.severity])
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
