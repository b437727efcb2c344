"""A report made in a process of its own, with the time and the memory that it took; and the machine it took them on."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from analysis.plan.errors import BadInput, bad_input
from analysis.runs.task import GB, Outcome, Task
from analysis.runs.workers import Running, make_all, share_of_memory


@dataclass(frozen=True)
class Measured:
    """What making a report took: seconds, and bytes of memory at most, its notebooks' kernels among them."""

    study: str
    seconds: float
    memory: float

    @property
    def time(self) -> str:
        """How long it took, for a reader."""
        return f"{self.seconds:.0f} seconds" if self.seconds < 100 else f"{self.seconds / 60:.0f} minutes"

    @property
    def peak(self) -> str:
        """How much memory it took, for a reader."""
        return f"{self.memory / GB:.1f} GB"


def measured_report(study: str, data: Path, reports: Path, jobs: int, say: Callable[[str], None]) -> Measured:
    """Make a study's report in a folder of reports, and measure it.

    Raises
    ------
    BadInput
        The study cannot be used, or a fault of this program took a part of its report away.
    """
    peak = 0.0

    def watch(running: Sequence[Running], _: Sequence[Outcome]) -> None:
        nonlocal peak
        peak = max([peak, *(one.takes(exactly=True) for one in running)])

    say(f"{study}: making its report, and measuring what that takes")
    [outcome] = list(make_all([Task(study, study, data, reports, jobs=jobs)], 1, share_of_memory(1, None), watch))
    if outcome.problems:
        raise BadInput(outcome.problems)
    if outcome.status != "made":
        message = f"its report is not whole ({outcome.failed}), so there is nothing to bundle; please report it"
        raise bad_input(study, message, rule="bundle")
    return Measured(study, outcome.seconds, peak)


def hardware() -> str:
    """Return what the machine is: kind of processor, number of them, memory."""
    memory = psutil.virtual_memory().total / GB
    return f"{os.cpu_count()} processors ({platform.machine()}) with {memory:.0f} GB of memory"


def system() -> str:
    """Return the operating system, without the machine's name."""
    return f"{platform.system()} {platform.release()}"
