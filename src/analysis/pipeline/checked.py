"""A study's input looked at and nothing more: what is wrong with it, and where the rows of its files went."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.ingest.sources import hidden_headings
from analysis.pipeline.answerable import Answerable, answerable
from analysis.pipeline.opened import open_study
from analysis.plan.errors import BadInput, Listed, Problem
from analysis.plan.read_study import load_study
from analysis.release.findings import release_problems
from analysis.release.rule import ReleaseRule


@dataclass(frozen=True)
class Checked:
    """What `mentoring check` shows.

    Attributes
    ----------
    problems
        The data-quality ledger, with its lines: for whoever has the files.
    ledger
        The same as it may be shown.
    row_counts
        One row per table and source (`validate.account`); None where no file was read.
    questions
        Which questions can be answered, and why others cannot; none where the input is bad.
    lists
        What became of each list of participants.
    """

    problems: tuple[Problem, ...]
    ledger: tuple[Problem, ...]
    row_counts: pd.DataFrame | None
    questions: tuple[Answerable, ...] = ()
    lists: tuple[Listed, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether the study can be reported."""
        return not any(problem.severity == "error" for problem in self.problems)


def check_study(name: str, data: Path) -> Checked:
    """Read and validate one study; bad input is what it returns, not what it raises."""
    try:
        opened = open_study(name, data)
    except BadInput as bad:
        return Checked(bad.problems, bad.problems, bad.row_counts, lists=bad.lists)
    ledger = release_problems(opened.problems, ReleaseRule.of(opened.study))
    return Checked(opened.problems, ledger, opened.tables.row_counts, answerable(opened), opened.tables.lists)


def headings_by_place(name: str, data: Path) -> dict[str, dict[int, str]]:
    """Return the headings that messages call by their place alone (`ingest.sources.hidden_headings`).

    Nothing where study.yaml cannot be read, which the messages say already.
    """
    try:
        return hidden_headings(load_study(name, data))
    except BadInput:
        return {}
