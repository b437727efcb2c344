"""A study whose input is good."""

from dataclasses import dataclass
from pathlib import Path

from analysis.plan.contract import Tables
from analysis.plan.errors import Problem
from analysis.plan.hypotheses import check_smallest_effects
from analysis.plan.instruments import Instrument, load_instruments
from analysis.plan.paths import data_dir
from analysis.plan.study import Study, load_study
from analysis.validate import load_tables


@dataclass(frozen=True)
class OpenStudy:
    """The plan, the canonical tables and what was repaired on the way. Holds people's rows; they stay here."""

    study: Study
    instruments: dict[str, Instrument]
    tables: Tables
    problems: tuple[Problem, ...]


def open_study(name: str, data: str | Path | None = None) -> OpenStudy:
    """Read and check one study.

    Raises
    ------
    BadInput
        With every problem, when any of them is an error.
    """
    study = load_study(name, data_dir(data))
    check_smallest_effects(study)
    instruments = load_instruments(study)
    tables, problems = load_tables(study, instruments)
    return OpenStudy(study, instruments, tables, tuple(problems))
