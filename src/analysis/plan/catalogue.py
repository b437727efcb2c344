"""The terms of the estimates ledger: what each is called, how it is shown, who made the method.

Read from ``catalogue.yaml`` and ``methods.yaml``, which say what every key means. A term without a record is an
`UnknownTerm` wherever it is met, in a row of the ledger first of all.
"""

import math
import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from analysis.plan.yaml_file import YamlDocument, load_yaml, validated

Kind = Literal["main", "other_way", "bound", "other_question", "naive", "group"]


class UnknownTerm(LookupError):
    """A term has no record in the catalogue."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimand(_Part):
    """What a row's number is an effect on, and in whom."""

    label: str
    people: str


class EventWords(_Part):
    """How an event is shown.

    Attributes
    ----------
    did, had
        What people did, and had done: ``left``, ``had left``.
    do
        What fewer or more people do, on an axis.
    doing
        The event as a noun: ``leaving``.
    plural
        The events.
    rate_of
        What a rate is a rate of.
    """

    did: str
    had: str
    do: str
    doing: str
    plural: str
    rate_of: str


class Outcome(_Part):
    """An event that happens to people or not, or a score.

    Attributes
    ----------
    kinds
        Of an event: the events of one person that count as it; a score has none.
    words
        How an event is shown, where anything but its number of people is.
    is_covariate, is_rated
        Of a score: whether earlier ones serve as covariates, and whether others rate it too.
    """

    label: str
    kinds: tuple[str, ...] = ()
    is_exit: bool = False
    words: EventWords | None = None
    is_covariate: bool = False
    is_rated: bool = False

    @property
    def is_event(self) -> bool:
        """Whether it happens to people or not, so that events can be counted."""
        return bool(self.kinds)


class Contrast(_Part):
    """Who is compared with whom; `looked_at` is what it is called among the moderators, where it is one of them."""

    label: str
    looked_at: str = ""

    def about(self, topic: str) -> "Contrast":
        """Return the contrast of one topic."""
        return Contrast(label=self.label.replace("*", topic), looked_at=self.looked_at.replace("*", topic))


class Measure(_Part):
    """How a number is shown: its scale, decimals, full and short unit; a ratio carries no sign.

    Attributes
    ----------
    sign
        What the sign of a number says, or on which side of 1 a ratio lies.
    looked_at
        What it is called among the moderators, where it is one of them.
    """

    label: str
    sign: str
    unit: str = ""
    short: str = ""
    scale: float = 1.0
    decimals: int = 2
    is_ratio: bool = False
    looked_at: str = ""

    @property
    def digits(self) -> int:
        """Decimals of an estimate in the ledger, on the measure's own scale."""
        return self.decimals + round(math.log10(self.scale))

    def rounded(self, value: float) -> float:
        """Return an estimate as precisely as it is shown."""
        return round(value, self.digits) + 0.0

    def limit(self, value: float) -> float:
        """Return an end of an interval likewise; one beside no effect stays on its side, and is never on it."""
        none, step = 1.0 if self.is_ratio else 0.0, 10.0**-self.digits
        shown = self.rounded(value)
        return self.rounded(none + math.copysign(step, value - none)) if shown == none != value else shown


class Estimator(_Part):
    """How a number is made.

    Attributes
    ----------
    kind
        What its rows are to the main answer; ``group`` stands for rows that a fault took away.
    given_short
        For a narrow column; the label where none is given.
    method
        Its entry among the methods.
    made_by
        The functions that make it.
    assumes_more
        What is said of it beside a main answer that assumes less.
    """

    kind: Kind
    label: str
    given_short: str = Field(default="", alias="short")
    method: str = ""
    made_by: tuple[str, ...] = ()
    assumes_more: str = ""

    @property
    def short(self) -> str:
        """What it is called in a narrow column."""
        return self.given_short or self.label


class Role(_Part):
    """People of a role, in the plural, and who they are in a reverse program."""

    label: str
    in_reverse: str = ""


class Method(_Part):
    """An entry of the methods section; `link` is what it is called where an answer points to it."""

    title: str
    text: str
    link: str = ""


class Methods(_Part):
    """The methods section, and where its sources were published, by author and year."""

    methods: dict[str, Method]
    sources: dict[str, str]

    def cited(self, method: str) -> list[str]:
        """Return the sources of a method, as they are called."""
        return [source for source in self.sources if source in self.methods[method].text]


Record = TypeVar("Record")
TOPIC = "topic_*_vs_other_topics"


class Catalogue(_Part):
    """Every term of the ledger, by column."""

    estimands: dict[str, Estimand]
    outcomes: dict[str, Outcome]
    contrasts: dict[str, Contrast]
    measures: dict[str, Measure]
    estimators: dict[str, Estimator]
    groups: dict[str, str]
    analyses: dict[str, str]
    roles: dict[str, Role]
    rater_sources: dict[str, str]

    def estimand(self, name: str) -> Estimand:
        """Return the record of an estimand."""
        return _record(self.estimands, "estimand", name)

    def outcome(self, name: str) -> Outcome:
        """Return the record of an outcome; a scale without one is called as its hypothesis is."""
        return self.outcomes.get(name) or _scales().get(name) or _record(self.outcomes, "outcome", name)

    def contrast(self, name: str) -> Contrast:
        """Return the record of a contrast; that of a topic has the topic's name in its words."""
        topic = re.fullmatch(re.escape(TOPIC).replace(r"\*", "(.+)"), name)
        if topic:
            return self.contrasts[TOPIC].about(topic[1].replace("_", " "))
        return _record(self.contrasts, "contrast", name)

    def measure(self, name: str) -> Measure:
        """Return the record of a measure."""
        return _record(self.measures, "measure", name)

    def estimator(self, name: str) -> Estimator:
        """Return the record of an estimator, or of a group of rows that has its place."""
        return _record(self._made, "estimator", name)

    @cached_property
    def _made(self) -> dict[str, Estimator]:
        return self.estimators | {name: Estimator(kind="group", label=label) for name, label in self.groups.items()}

    def role(self, name: str) -> Role:
        """Return the record of a role."""
        return _record(self.roles, "role", name)

    def rater_source(self, name: str) -> str:
        """Return what scores of a rater source are called: ``self-rated``."""
        return _record(self.rater_sources, "rater_source", name)


@cache
def _scales() -> Mapping[str, Outcome]:
    # Hypotheses name studies, whose words stand here: they are read when the first scale needs them.
    from analysis.plan.hypotheses import load_plan

    return {h.construct_name: Outcome(label=h.title.lower()) for h in load_plan().hypotheses if h.construct_name}


def _record(records: Mapping[str, Record], column: str, name: str) -> Record:
    if name not in records:
        raise UnknownTerm(f"{column} {name!r} has no record: add one to src/analysis/plan/catalogue.yaml")
    return records[name]


def _loaded(name: str) -> YamlDocument:
    return load_yaml(Path(__file__).with_name(name), source=name)


CATALOGUE = validated(Catalogue, _loaded("catalogue.yaml"), source="catalogue.yaml")
METHODS = validated(Methods, _loaded("methods.yaml"), source="methods.yaml")
# The scores that serve as covariates.
COVARIATE_SCORES = tuple(name for name, outcome in CATALOGUE.outcomes.items() if outcome.is_covariate)
