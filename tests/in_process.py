"""Reports made in the test's own process, where what it has put in the place of something is found."""

from collections.abc import Iterator, Sequence

import pytest

from analysis.runs.task import Outcome, Task, make


def make_reports_here(patch: pytest.MonkeyPatch) -> None:
    """Let the command make reports in this process, not in workers."""

    def make_all(tasks: Sequence[Task], *_: object) -> Iterator[Outcome]:
        yield from (make(task, print) for task in tasks)

    patch.setattr("analysis.runs.workers.make_all", make_all)
