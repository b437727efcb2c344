"""A study whose input is good."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path

import pandas as pd

from analysis.ingest import read_sources
from analysis.measure.careless import without_careless
from analysis.measure.comparability import across_waves
from analysis.measure.exposure import attended, undated
from analysis.measure.items import Keying, keying_problems, keyings
from analysis.measure.scales import constructs_answered, own_items
from analysis.plan.contract import FED, Tables
from analysis.plan.contradictions import survey_columns
from analysis.plan.errors import BadInput, Problem
from analysis.plan.hypotheses import unusable_effects
from analysis.plan.instruments import Instrument, read_cards, read_instruments
from analysis.plan.paths import STUDY_NAME, data_dir
from analysis.plan.read_study import ReadStudy, read_study
from analysis.plan.registration import Registration, read_registrations
from analysis.plan.study import Study
from analysis.plan.yaml_file import study_problem
from analysis.validate import check_tables

# The column that says whose a row is.
WHOSE = {
    "employees": "employee_id",
    "jobs": "employee_id",
    "leave": "employee_id",
    "responses": "employee_id",
    "ratings": "ratee_id",
}


@dataclass(frozen=True)
class OpenStudy:
    """The plan, the canonical tables and what was repaired on the way. Holds people's rows; they stay here.

    Attributes
    ----------
    plans
        Those that the study has registered, the first one first.
    """

    study: Study
    instruments: dict[str, Instrument]
    tables: Tables
    problems: tuple[Problem, ...]
    plans: tuple[Registration, ...] = ()

    @cached_property
    def dated(self) -> "OpenStudy":
        """The study without those of whom it is known that they started some program and not when.

        They are neither treated nor comparators where nobody drew lots. Their enrolments stay, to be counted.
        """
        tables = self.tables
        people = None if tables.enrolments is None else undated(tables.enrolments)
        if people is None or people.empty:
            return self
        left = {
            name: rows[~rows[key].isin(people)].reset_index(drop=True)
            for name, key in WHOSE.items()
            if (rows := getattr(tables, name)) is not None
        }
        return replace(self, tables=replace(tables, **left))

    @cached_property
    def attended(self) -> Callable[[str], pd.DataFrame | None]:
        """The sessions that people of a program attended (`measure.exposure.attended`), looked up once a program."""
        return cache(partial(attended, self.tables))

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
    read = _read(name, data_dir(data))
    cards, bad_cards = read_instruments(read.study)
    raw = read_sources(read.study, cards)
    if "sources" in read.left_out:
        raw = replace(raw, unread=frozenset(FED))  # of any table a file may be missing
    tables, of_the_data = check_tables(raw, read.study, cards)
    plans, bad_plans = _plans(read.study)
    problems = [*read.problems, *_of_the_study_file(read, None if bad_cards else cards), *bad_cards, *bad_plans]
    doubtful = {rule for key in read.left_out for rule in CONSEQUENCES.get(key, ())}
    doubtful |= {rule for rule in OF_CARDS if bad_cards}
    problems += [problem for problem in of_the_data if problem.rule not in doubtful or problem.severity != "error"]
    if any(problem.severity == "error" for problem in problems):
        raise BadInput(problems, tables.row_counts, tables.lists)
    problems += keying_problems(read.study, keyings(tables, cards))
    return OpenStudy(read.study, cards, tables, tuple(problems), plans)


# Errors of the data that may only follow from a mistake in study.yaml, by the key that has it: they are told once that
# is corrected, if they are then still there.
CONSEQUENCES = {
    "programs": ("unknown_program",),
    "values": ("not_allowed", "not_a_boolean"),
    "columns": ("missing_column", "no_items", "no_row_left"),
    "keep": ("keep_absent",),
    "sources": ("missing_waves", "no_row_left", "checksum_missing_file"),
    "waves": ("missing_waves", "unknown_wave", "no_row_left"),
    "timezone": ("unknown_timezone",),
}
OF_CARDS = ("unknown_instrument", "unknown_item", "no_items", "answer_out_of_range", "not_a_number")


def _read(name: str, data: Path) -> ReadStudy:
    """Return the study's file; where nothing of it can be read, the mistakes of its cards are told with its own.

    Raises
    ------
    BadInput
        Nothing of the file can be read.
    """
    try:
        return read_study(name, data)
    except BadInput as bad:
        if not STUDY_NAME.fullmatch(name):
            raise
        cards = read_cards(data / name / "instruments", "instruments")[1]
        raise BadInput((*bad.problems, *cards)) from bad


def _plans(study: Study) -> tuple[tuple[Registration, ...], tuple[Problem, ...]]:
    """Return the registered plans, or what is wrong with them."""
    try:
        return read_registrations(study.folder, study.study), ()
    except BadInput as bad:
        return (), bad.problems


def _of_the_study_file(read: ReadStudy, cards: dict[str, Instrument] | None) -> list[Problem]:
    """Return what of study.yaml does not fit the plan or the cards; None are cards that cannot be looked up in."""
    problems = unusable_effects(read.study, read.document.line)
    if cards is not None:
        items = dict.fromkeys(code for card in cards.values() for code in card.items)
        for at, message in survey_columns(read.study, items):
            problems.append(study_problem(message, read.document.line(*at)))
    return problems
