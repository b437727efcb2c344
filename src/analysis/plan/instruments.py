"""Instrument cards: the items of a questionnaire, its scales and how a scale is scored."""

import re
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from analysis.plan.bounds import Answer, Passage, Printable, Text
from analysis.plan.errors import BadInput, Problem, bad_input
from analysis.plan.paths import shipped
from analysis.plan.study import Study
from analysis.plan.yaml_file import load_yaml, validated

_NUMBER_FIRST = re.compile(r"(?P<number>-?\d+(?:\.\d+)?)\s*[-–—:.)=]?\s*(?P<label>.+)")
_NUMBER_LAST = re.compile(r"(?P<label>.+?)\s*[(\[](?P<number>-?\d+(?:\.\d+)?)[)\]]")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _plain(label: str) -> str:
    return " ".join(label.replace("’", "'").split()).casefold()


Spellings = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Response(_Part):
    """The answer scale: least and greatest value, and what they are called.

    Attributes
    ----------
    labels
        What each number is called on the form.
    labels_in
        Language (ISO 639-1) → number → what it is called there, in one spelling or several.
    """

    min: Answer
    max: Answer
    labels: dict[float, str] = {}
    labels_in: dict[str, dict[float, Spellings]] = {}

    @model_validator(mode="after")
    def _labels_are_unequivocal(self) -> "Response":
        numbers: dict[str, float] = {}
        for number, label in self._all_labels():
            if not self.min <= number <= self.max:
                raise ValueError(f"labels: {number:g} is not on the answer scale ({self.min:g} to {self.max:g})")
            if numbers.setdefault(_plain(label), number) != number:
                raise ValueError(f"labels: {label!r} stands for {numbers[_plain(label)]:g} and for {number:g}")
        return self

    def number_of(self, answer: str) -> float | None:
        """Return the number that an answer given as text stands for; None where it is no label of the scale.

        Case, spaces and the language do not matter. A number beside the label ("5 - Strongly agree", "Agree (4)") must
        be the label's own: forms that count the other way round are not turned silently.
        """
        text = _plain(answer)
        if text in self._numbers:
            return self._numbers[text]
        both = _NUMBER_LAST.fullmatch(text) or _NUMBER_FIRST.fullmatch(text)
        if both is None:
            return None
        number = self._numbers.get(both["label"])
        return number if number is not None and number == float(both["number"]) else None

    @cached_property
    def _numbers(self) -> dict[str, float]:
        return {_plain(label): number for number, label in self._all_labels()}

    def _all_labels(self) -> list[tuple[float, str]]:
        translated = [pair for labels in self.labels_in.values() for pair in labels.items()]
        return [*self.labels.items(), *((number, label) for number, labels in translated for label in labels)]


class Item(_Part):
    """One question; `reversed` items are scored from the other end of the answer scale.

    Attributes
    ----------
    text
        The wording; empty where it may not be shipped.
    reworded_in
        Waves before which the wording was changed.
    """

    text: Passage = ""
    reversed: bool = False
    reworded_in: tuple[int, ...] = ()


class Scale(_Part):
    """Items that measure one construct, and the rule that makes a score of them."""

    construct_name: Printable = Field(alias="construct", min_length=1)
    source: Passage
    licence: Passage
    min_answered: float = Field(default=0.5, gt=0, le=1)
    score: Literal["mean", "sum", "top_box"] = "mean"
    items: dict[Printable, Item] = Field(min_length=1)


class Instrument(_Part):
    """One questionnaire. Every item belongs to at least one scale.

    Attributes
    ----------
    available_from
        Where to get the wording, and the right to use it, of a questionnaire that ships without.
    """

    instrument: Printable
    title: Text
    response: Response
    available_from: Passage = ""
    scales: dict[Printable, Scale] = Field(min_length=1)

    @model_validator(mode="after")
    def _response_rises(self) -> "Instrument":
        if self.response.max <= self.response.min:
            raise ValueError("response: max must be greater than min")
        return self

    @cached_property
    def items(self) -> dict[str, Item]:
        """Every item of the instrument by its code."""
        return {code: item for scale in self.scales.values() for code, item in scale.items.items()}


def load_instruments(study: Study) -> dict[str, Instrument]:
    """Return the instrument cards that the study can use, by name; the study's own win over the shipped ones.

    Raises
    ------
    BadInput
        With every mistake of every card.
    """
    cards, problems = read_instruments(study)
    if problems:
        raise BadInput(problems)
    return cards


def read_instruments(study: Study) -> tuple[dict[str, Instrument], list[Problem]]:
    """Return what `load_instruments` does, and every mistake; a card with one is left out, unreplaced."""
    cards, problems = read_cards(shipped("instruments"), "data/instruments")
    own, bad = read_cards(study.folder / "instruments", "instruments", study.folder)
    named = {PurePosixPath(problem.source).stem for problem in bad}
    return {name: card for name, card in (cards | own).items() if name not in named}, [*problems, *bad]


def read_cards(folder: Path, prefix: str, within: Path | None = None) -> tuple[dict[str, Instrument], list[Problem]]:
    """Return the cards in a folder, by name, and every mistake in them; `prefix` is its name in messages.

    `within` is the folder out of which no card may be linked.
    """
    cards: dict[str, Instrument] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        source = f"{prefix}/{path.name}"
        try:
            card = validated(Instrument, load_yaml(path, source=source, within=within), source=source)
            if card.instrument != path.stem:
                raise bad_input(
                    source,
                    f"holds instrument {card.instrument}: make the file's name and it equal",
                    rule="instrument_name",
                )
            cards[card.instrument] = card
        except BadInput as bad:
            problems += bad.problems
    return cards, problems
