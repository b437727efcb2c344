"""A study whose input is good."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from analysis.measure.careless_forms import without_careless
from analysis.measure.comparability import across_waves
from analysis.measure.forms import constructs_answered, own_items
from analysis.measure.item_keying import Keying, keying_problems, keyings
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

    @cached_property
    def attentive(self) -> Tables:
        """The tables without the answers of forms that look careless."""
        return without_careless(self.tables, self.instruments)

    @cached_property
    def comparability(self) -> dict[str, pd.DataFrame]:
        """Whether self-reported scores can be compared across waves, by construct (`measure.comparability`)."""
        return {construct: across_waves(items) for construct, items in self._own_items()}

    @cached_property
    def keyings(self) -> tuple[Keying, ...]:
        """Whether the items of each scale point the same way, by rater source."""
        return tuple(keyings(self.tables, self.instruments))

    def _own_items(self) -> Iterator[tuple[str, pd.DataFrame]]:
        for construct in constructs_answered(self.tables, self.instruments):
            items = own_items(construct, self.tables, self.instruments)
            if items is not None:
                yield construct, items


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
    problems = (*problems, *keying_problems(study, keyings(tables, instruments)))
    return OpenStudy(study, instruments, tables, problems)
