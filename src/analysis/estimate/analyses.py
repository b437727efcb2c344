"""What is asked of the data, the analyses that answer it, and the one place where these are run and become rows.

A design is a tuple of `Analysis`, in the order of the ledger, and one context that they all read from, `c` in their
functions. `run` makes them, each by itself: a fault of this program takes one of them away and leaves the others.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

import numpy as np
import pandas as pd

from analysis.estimate.inference import LEVEL, Interval, smallest_detectable
from analysis.estimate.verdict import verdict
from analysis.plan.faults import Fault, Part, isolated
from analysis.plan.hypotheses import Hypothesis, smallest_effect
from analysis.plan.probability import rng
from analysis.plan.results import AnalysisKind, Check, Estimate, Estimated, Finding, NotEstimable, Suppressed, too_small
from analysis.plan.study import Program, Study

UNTESTABLE = (
    Check.untestable(
        "no unmeasured confounding",
        "No data can show that those who started and their comparators were alike in what was not recorded.",
    ),
    Check.untestable(
        "no interference",
        "It is assumed that one person's taking part does not change whether colleagues stay or how they feel.",
    ),
)
# The reason of a row of a group so small that even why it has no number would tell of its few people.
SUPPRESSED = "suppressed"


class Groups(NamedTuple):
    """People and events behind a row."""

    n_treated: int
    n_control: int
    events_treated: int | None = None
    events_control: int | None = None


class Numbers(NamedTuple):
    """What a row with a number says."""

    interval: Interval
    groups: Groups


class Row(NamedTuple):
    """A row to be: its numbers, or the reason why there are none, and the naming columns in which it differs.

    From the main row and from its `Analysis`, that is; ``analysis`` and ``estimator`` may be among them.
    """

    result: Numbers | str
    naming: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Question:
    """One hypothesis, asked of one program and role of a study."""

    study: Study
    program: Program
    role: str
    hypothesis: Hypothesis

    @property
    def smallest_effect(self) -> float:
        """Smallest effect of interest, positive, on the measure's own scale."""
        return smallest_effect(self.study, self.hypothesis)

    @property
    def main_analysis(self) -> AnalysisKind:
        """What the main row is called in the ledger: ``primary`` for H1–H3, ``secondary`` for the others."""
        return "primary" if self.hypothesis.family == "primary" else "secondary"

    def rng(self, *names: object) -> np.random.Generator:
        """Return the random generator of what is named, for this program and role."""
        return rng(self.study.study, self.program.id, self.role, *names)

    def row(
        self,
        estimator: str,
        result: Numbers | str,
        naming: Mapping[str, Any] = {},
        analysis: AnalysisKind | None = None,
    ) -> Estimate:
        """Return a ledger row; where `naming` and `analysis` say nothing, it is named as the main row."""
        randomized = self.program.is_randomized
        columns: dict[str, Any] = {
            "study": self.study.study,
            "program": self.program.id,
            "hypothesis": self.hypothesis.id,
            "role": self.role,
            "outcome": self.hypothesis.outcome,
            "contrast": "offered_vs_not" if randomized else "enrolled_vs_not",
            "estimand": "ITT" if randomized else "ATT",
            "measure": self.hypothesis.measure,
            "horizon_months": self.study.horizons_months[0],
            "analysis": analysis or self.main_analysis,
            "estimator": estimator,
        }
        columns |= naming
        if result == SUPPRESSED:
            return Suppressed(**columns, reason=too_small(self.study.min_cell))
        if isinstance(result, str):
            return NotEstimable(**columns, reason=result)
        interval = result.interval
        return Estimated(
            **columns,
            estimate=interval.estimate,
            std_error=interval.std_error,
            ci_low=interval.low,
            ci_high=interval.high,
            ci_level=LEVEL,
            p_value=interval.p_value,
            **result.groups._asdict(),
        )


class Context(Protocol):
    """What every analysis of a design reads from, beside what is the design's own."""

    @property
    def question(self) -> Question:
        """What is asked."""

    @property
    def naming(self) -> Mapping[str, Any]:
        """The naming columns in which the design's rows differ from the hypothesis."""


Of = TypeVar("Of", bound=Context)
Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Told:
    """What analyses say, in their order."""

    rows: tuple[Estimate, ...] = ()
    frames: Frames = field(default_factory=dict)
    checks: tuple[Check, ...] = ()

    def __add__(self, other: "Told") -> "Told":
        return Told(self.rows + other.rows, self.frames | other.frames, self.checks + other.checks)


@dataclass(frozen=True)
class Analysis(Generic[Of]):
    """One line of a design's list: rows, frames or checks that are made together, or not at all.

    Attributes
    ----------
    id
        Its name where a fault took it away: an estimator, or one of the catalogue's groups.
    estimate
        Yields what it finds in the context, in order.
    kind
        The ``analysis`` of its rows, as the main row's where None; ``frame`` or ``checks`` where it has no rows.
    estimator
        Of its rows; where not given, `id`.
    naming
        Naming columns in which all its rows differ from the context's.
    applies
        Whether there is anything to say; where not, there is no row either.
    control
        Makes the check that a row with a number is, where it should show nothing.
    """

    id: str
    estimate: Callable[[Of], Iterable[Row | Check | Frames]]
    kind: AnalysisKind | Literal["frame", "checks"] | None = "sensitivity"
    estimator: str = ""
    naming: Mapping[str, Any] = field(default_factory=dict)
    applies: Callable[[Of], bool] = lambda _: True
    control: Callable[[Estimated], Check] | None = None

    def tell(self, context: Of) -> Told:
        """Return what there is to say, rows named."""
        rows: list[Estimate] = []
        frames: Frames = {}
        checks: list[Check] = []
        for found in self.estimate(context) if self.applies(context) else ():
            if isinstance(found, Row):
                rows.append(self._row(context, found))
            elif isinstance(found, Check):
                checks.append(found)
            else:
                frames |= found
        if self.control:
            numbers = [row for row in rows if row.analysis == "negative_control" and isinstance(row, Estimated)]
            checks += [self.control(row) for row in numbers]
        return Told(tuple(rows), frames, tuple(checks))

    def tell_fault(self, context: Of, fault: Fault) -> Told:
        """Return what stands in its place where a fault took it away."""
        if self.kind == "frame":
            return Told()
        if self.kind == "checks":
            return Told(checks=(Check.untestable("further assumptions", fault.reason),))
        return Told((self._row(context, Row(fault.reason, {"estimator": self.id})),))

    def _row(self, context: Of, row: Row) -> Estimate:
        kind = None if self.kind == "frame" or self.kind == "checks" else self.kind
        naming = {**context.naming, **self.naming, **row.naming}
        return context.question.row(self.estimator or self.id, row.result, naming, kind)


def run(analyses: Iterable[Analysis[Of]], context: Of) -> Told:
    """Return what the analyses that apply say of a context; a fault in one of them is told in its place."""
    told = Told()
    for analysis in analyses:
        kind = analysis.kind if analysis.kind in ("frame", "checks") else "analysis"
        part = part_of(context.question, analysis.id, kind)
        told += isolated(part, partial(analysis.tell, context), partial(analysis.tell_fault, context))
    return told


def part_of(question: Question, name: str, kind: str = "analysis") -> Part:
    """Return the part of a study's report that an analysis of this hypothesis is."""
    return Part(kind, name, question.program.id, question.role, question.hypothesis.id)


def finding(question: Question, primary: Estimate, **parts) -> Finding:
    """Return the finding, with the verdict as far as it goes before the families are adjusted."""
    judged = verdict(primary, question.hypothesis, question.smallest_effect)
    return Finding(
        hypothesis=question.hypothesis.id,
        program=question.program.id,
        role=question.role,
        primary=primary,
        verdict=judged.verdict,
        verdict_reason=judged.reason,
        smallest_effect=question.smallest_effect,
        smallest_detectable=smallest_detectable(primary.std_error) if isinstance(primary, Estimated) else None,
        **parts,
    )


def unanswered(question: Question, estimator: str, reason: str, naming: Mapping[str, Any] = {}, **parts) -> Finding:
    """Return the finding that the data cannot answer, and why."""
    return finding(question, question.row(estimator, reason, naming), **parts)


def finding_or_fault(question: Question, estimator: str, make: Callable[[], Finding]) -> Finding:
    """Return the answer, or that a fault took it away."""
    return isolated(part_of(question, "main answer"), make, lambda fault: unanswered(question, estimator, fault.reason))
