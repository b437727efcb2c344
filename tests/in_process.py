"""Reports made in the test's own process, or by workers that run no more than some of the notebooks."""

import os
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from analysis import cli
from analysis.report import execute
from analysis.runs import workers
from analysis.runs.task import Outcome, Task, make

# Where processes that a test starts find the notebooks that they run.
SHELF = "MENTORING_TEST_SHELF"
# What a command runs in place of `-m analysis`, for workers with the shelf's notebooks.
ON_SHELF = "from in_process import main_on_shelf; main_on_shelf()"


def make_reports_here(patch: pytest.MonkeyPatch) -> None:
    """Let the command make reports in this process, not in workers."""

    def make_all(tasks: Sequence[Task], *_: object) -> Iterator[Outcome]:
        yield from (make(task, print) for task in tasks)

    patch.setattr("analysis.runs.workers.make_all", make_all)


def shelve(patch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Let reports have the notebooks of this folder alone, whether this process makes them or a worker; return it.

    All of them take a minute a report.
    """
    folder.mkdir()
    patch.setenv(SHELF, str(folder))
    patch.setattr(execute, "notebooks_dir", _shelf)
    patch.setattr(workers, "_work", work_on_shelf)
    return folder


def main_on_shelf() -> None:
    """Run the command as it is but for the notebooks of its workers."""
    workers._work = work_on_shelf
    cli.main()


def work_on_shelf(task: Task, messages: Connection, variables: Mapping[str, str]) -> None:
    """Do a worker's work, in its process, with the shelf's notebooks."""
    execute.notebooks_dir = _shelf
    _WORK(task, messages, variables)


def _shelf() -> Path:
    return Path(os.environ[SHELF])


_WORK = workers._work
