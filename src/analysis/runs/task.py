"""One report to be made, how it is made, and how it ended."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from analysis.plan.errors import UNWRITABLE, BadInput, Listed, Problem
from analysis.plan.faults import LOG, Fault, Faults, Part
from analysis.plan.read_study import study_file
from analysis.plan.study import overriding
from analysis.report.folders import alone
from analysis.runs.made_from import digests, keyed, why_anew

Status = Literal["made", "unchanged", "incomplete", "bad input", "failed", "stopped"]
GB = 1e9
# What a study takes in memory: so much at least, and so much for each byte of its files.
LEAST_MEMORY, MEMORY_A_BYTE = 0.4 * GB, 60


@dataclass(frozen=True)
class Task:
    """A report to be made.

    Attributes
    ----------
    report
        The report's folder in `reports`.
    study
        The study's folder in `data`.
    settings
        Keys of study.yaml that this report has otherwise, and their values.
    jobs
        Notebooks at a time.
    with_png, with_pdf
        Whether each figure is a PNG file, and the pages one PDF, too.
    time_limit
        Seconds that a notebook may take; None for the usual limit. A report is none the older for another one: a
        notebook that was stopped is a fault, after which the report is made again anyway.
    known_parts
        What the report is made from, where another machine has found that out.
    """

    report: str
    study: str
    data: Path
    reports: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    is_blind: bool = False
    jobs: int = 1
    with_png: bool = False
    with_pdf: bool = False
    time_limit: float | None = None
    known_parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> Path:
        """The report's page."""
        return self.reports / self.report / "index.html"

    @property
    def parts(self) -> dict[str, str]:
        """What the report is made from, by keyed digests."""
        return dict(self.known_parts) or keyed(self.digests())

    def digests(self) -> dict[str, str]:
        """Return what the report is made from, by digests that are the same on every machine: for no file."""
        also = {"is_blind": self.is_blind, "with_png": self.with_png, "with_pdf": self.with_pdf}
        return digests(self.data / self.study, self.settings, **also)

    def why(self) -> str:
        """Return why the report must be made; empty where it need not be."""
        if not (self.data / self.study / "study.yaml").is_file():
            return "there is no such study"
        return why_anew(self.reports / self.report, self.parts, self.data / self.study)

    def memory(self) -> float:
        """Return how many bytes of memory the report is expected to take."""
        files = [path for path in (self.data / self.study).rglob("*") if path.is_file()]
        return LEAST_MEMORY + MEMORY_A_BYTE * sum(path.stat().st_size for path in files)


@dataclass(frozen=True)
class Outcome:
    """How a report ended.

    Attributes
    ----------
    failed
        What failed, in words that hold nothing of the data; empty where nothing did.
    problems
        Of bad input: every problem, with its lines, for the terminal.
    lists
        What became of the lists of participants, in exact numbers, for the terminal.
    """

    task: Task
    status: Status
    seconds: float = 0.0
    failed: str = ""
    problems: tuple[Problem, ...] = ()
    lists: tuple[Listed, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def is_unwritable(self) -> bool:
        """Whether its folder could not be written."""
        return any(problem.rule == UNWRITABLE for problem in self.problems)

    @property
    def log(self) -> str:
        """Where more is said of what failed, among the reports; empty where nothing was written about it."""
        name = {"incomplete": LOG, "bad input": "data_quality.csv"}.get(self.status, "")
        is_written = name and not self.is_unwritable and (self.task.reports / self.task.report / name).is_file()
        return f"{self.task.report}/{name}" if is_written else ""


def make(task: Task, say: Callable[[str], None]) -> Outcome:
    """Make one report in this process; whatever stops it is its outcome."""
    from analysis.pipeline import report_study

    started, faults, lists = time.monotonic(), Faults(task.report), list[Listed]()
    ended = Outcome(task, "made")
    try:
        study_file(task.study, task.data)  # a name that is a path must not even lock anything
        with alone(task.reports, task.report), overriding(task.settings):
            report_study(
                task.study, task.data, task.reports, task.jobs, say, faults, task.is_blind, lists.extend,
                report=task.report, parts=task.parts, with_png=task.with_png, with_pdf=task.with_pdf,
                time_limit=task.time_limit,
            )  # fmt: skip
    except BadInput as bad:
        lists += bad.lists
        ended = refused(task, bad)
    except Exception as error:  # noqa: BLE001  (whatever it is, the other studies are still wanted)
        fault = Faults(task.report).add(Part("command", task.report), error)
        ended = replace(ended, status="failed", failed=f"{fault.exception} in {fault.where}")
    if faults.found and ended.status == "made":
        ended = replace(ended, status="incomplete", failed="; ".join(map(str, faults.found)))
    seconds = round(time.monotonic() - started, 1)
    return replace(ended, seconds=seconds, lists=tuple(lists), faults=tuple(faults.found))


def refused(task: Task, bad: BadInput) -> Outcome:
    """Return the outcome of a report whose input cannot be used, or whose folder cannot be written."""
    outcome = Outcome(task, "bad input", problems=bad.problems)
    if outcome.is_unwritable:
        return replace(outcome, failed="its folder cannot be written")
    n = sum(problem.severity == "error" for problem in bad.problems)
    return replace(outcome, failed=f"{n} error{'' if n == 1 else 's'} in its input")
