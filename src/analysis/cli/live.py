"""What a person sees while reports are made: a live line each on a terminal, plain lines elsewhere; last, a table."""

import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from analysis.cli.terminal import add_row, new_table, out, show_table

if TYPE_CHECKING:
    from analysis.runs.task import Outcome
    from analysis.runs.workers import UnderWay

Watch = Callable[[Sequence["UnderWay"], Sequence["Outcome"]], None]
COLUMNS = ("report", "study", "status", "seconds", "failed", "log")
RUN = "run.csv"


@contextmanager
def watching(n: int, usual: Mapping[str, float]) -> Iterator[Watch]:
    """Yield what is called again and again with the reports under way and those that have ended.

    Parameters
    ----------
    n
        How many reports there are to make.
    usual
        Seconds that each took in an earlier run: how long is left follows from them.
    """
    if not out.is_terminal:
        yield _Lines().watch
        return
    started = time.monotonic()

    def shown(running: Sequence["UnderWay"], n_ended: int) -> Group:
        seconds = time.monotonic() - started
        left = seconds / n_ended * (n - n_ended) if n_ended else None
        lines = [_line(one, usual.get(one.task.report)) for one in running]
        bar = ProgressBar(total=n, completed=n_ended, width=min(40, out.width))
        return Group(Text(f"{n_ended} of {n} reports, {_clocks(seconds, left)}"), bar, Text(), *lines)

    # what workers import takes seconds, too
    with Live(shown((), 0), console=out, refresh_per_second=4, transient=True) as live:
        yield lambda running, ended: live.update(shown(running, len(ended)))


class _Lines:
    """Says each stage once, as a line."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}

    def watch(self, running: Sequence["UnderWay"], ended: Sequence["Outcome"]) -> None:
        for one in running:
            name = one.task.report
            for text in one.heard[self._said.get(name, 0) :]:
                out.print(text, markup=False)
            self._said[name] = len(one.heard)


def _line(one: "UnderWay", usual: float | None) -> Text:
    name, left = one.task.report, None if usual is None else max(usual - one.seconds, 0)
    return Text(
        f"{name}: {_clocks(one.seconds, left)}, {one.said.removeprefix(f'{name}: ')}", no_wrap=True, overflow="ellipsis"
    )


def _clocks(seconds: float, left: float | None) -> str:
    return _clock(seconds) + ("" if left is None else f", about {_clock(left)} left")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def usual_seconds(reports: Path) -> dict[str, float]:
    """Return how long each report took in the last run that made it, as ``run.csv`` says."""
    try:
        with (reports / RUN).open(encoding="utf-8", newline="") as file:
            return {row["report"]: float(row["seconds"]) for row in csv.DictReader(file) if row["status"] == "made"}
    except (OSError, KeyError, ValueError):
        return {}


def show_run(outcomes: Sequence["Outcome"]) -> None:
    """Print how each report ended; a column that is empty throughout is left out."""
    rows = list(map(_cells, outcomes))
    used = [n for n in range(len(COLUMNS)) if any(cells[n] for cells in rows)]
    table = new_table(*(COLUMNS[n] for n in used), title="Reports", numbers=("seconds",))
    for cells in rows:
        add_row(table, *(cells[n] for n in used))
    show_table(table)


def run_csv(outcomes: Sequence["Outcome"]) -> str:
    """Return the same as a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *map(_cells, outcomes)])
    return text.getvalue()


def _cells(outcome: "Outcome") -> tuple[str, ...]:
    seconds = "" if outcome.status == "unchanged" else f"{outcome.seconds:.1f}"
    return outcome.task.report, outcome.task.study, outcome.status, seconds, outcome.failed, outcome.log
