"""Instrument cards: the items of a questionnaire, its scales and how a scale is scored."""

import re
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from analysis.plan.contract import Answer, Passage, Printable, Text
from analysis.plan.errors import BadInput, Problem, bad_input
from analysis.plan.paths import shipped
from analysis.plan.study import Study
from analysis.plan.yaml_file import load_yaml, validated

_NUMBER_FIRST = re.compile(r"(?P<number>-?\d+(?:\.\d+)?)\s*[-–—:.)=]?\s*(?P<label>.+)")
_NUMBER_LAST = re.compile(r"(?P<label>.+?)\s*[(\[](?P<number>-?\d+(?:\.\d+)?)[)\]]")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _worded(value: object) -> object:
    """Return wordings as a list, the first language first: of one text, of a list, or of language → one or several."""
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, dict):
        return [text for several in value.values() for text in (several if isinstance(several, list) else [several])]
    return value


def _language(key: object) -> object:
    return "no" if key is False else key  # YAML takes Norwegian for a truth value


def _plain(label: str) -> str:
    return " ".join(label.replace("’", "'").split()).casefold()


Spellings = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Wordings = Annotated[tuple[Passage, ...], BeforeValidator(_worded)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Response(_Part):
    """The answer scale: least and greatest value, and what they are called.

    Attributes
    ----------
    labels
        What each number is called on the form. A card may give several spellings of each, or language → number → what
        it is called: the first counts, and the others are ``labels_in``.
    labels_in
        Language (ISO 639-1) → number → what it is called there, in one spelling or several.
    """

    min: Answer
    max: Answer
    labels: dict[float, str] = {}
    labels_in: dict[str, dict[float, Spellings]] = {}

    @model_validator(mode="before")
    @classmethod
    def _several_labels(cls, given: object) -> object:
        """Put what ``labels`` says of more than one language or spelling where it belongs."""
        labels, others = (
            (given.get(key) or {} for key in ("labels", "labels_in")) if isinstance(given, dict) else ({}, {})
        )
        if not (isinstance(given, dict) and labels and isinstance(labels, dict) and isinstance(others, dict)):
            return given
        by_language: dict[object, dict] = {"labels": labels}
        if all(isinstance(each, dict) for each in labels.values()):
            by_language = {f"labels.{_language(key)}": each for key, each in labels.items()}
        first = next(iter(by_language.values()))
        shown = {number: each[0] if isinstance(each, list) and each else each for number, each in first.items()}
        more = by_language if by_language.keys() != {"labels"} or shown != first else {}
        return given | {"labels": shown, "labels_in": more | {_language(key): each for key, each in others.items()}}

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
    wordings
        What is asked, in one language or several, the first to be shown; none where it may not be shipped.
    reworded_in
        Waves before which the wording was changed.
    """

    wordings: Wordings = Field(default=(), alias="text")
    reversed: bool = False
    reworded_in: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The wording in the first language; empty where there is none."""
        return self.wordings[0] if self.wordings else ""


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

    @model_validator(mode="after")
    def _wordings_differ(self) -> "Instrument":
        """Refuse a wording of two items where items have several: a question must be found by any of them."""
        asked: dict[str, str] = {}
        several = any(len(item.wordings) > 1 for item in self.items.values())
        for code, text in [(c, t) for c, item in self.items.items() for t in item.wordings] if several else []:
            if asked.setdefault(_plain(text), code) != code:
                raise ValueError(f"items {asked[_plain(text)]} and {code} have the same wording in some language")
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


@lru_cache(maxsize=64)
def _read_card(path: Path, source: str, within: Path | None, _: tuple[int, int, Path] | None) -> Instrument:
    """Return a card; one that is as it was is not read again, for many parts of a report ask for it."""
    return validated(Instrument, load_yaml(path, source=source, within=within), source=source)


def _stamp(path: Path) -> tuple[int, int, Path] | None:
    """Return what tells that a file has changed: its time, its size, and where a link leads."""
    try:
        return path.stat().st_mtime_ns, path.stat().st_size, path.resolve()
    except OSError:
        return None


def read_cards(folder: Path, prefix: str, within: Path | None = None) -> tuple[dict[str, Instrument], list[Problem]]:
    """Return the cards in a folder, by name, and every mistake in them; `prefix` is its name in messages.

    `within` is the folder out of which no card may be linked.
    """
    cards: dict[str, Instrument] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        source = f"{prefix}/{path.name}"
        try:
            card = _read_card(path, source, within, _stamp(path))
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
