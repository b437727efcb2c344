"""``data/hypotheses.yaml``: what is claimed, what is tested, and the smallest effect of interest."""

from collections.abc import Callable
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.plan.errors import Problem, bad_input
from analysis.plan.paths import shipped
from analysis.plan.study import Study
from analysis.plan.yaml_file import load_yaml, validated


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JobEvent(_Part):
    """A change in the job history; the first one after time zero is the event of an outcome.

    Attributes
    ----------
    column
        Of the jobs table.
    change
        ``rise`` to a higher number, or to ``any`` other value.
    """

    column: Literal["job_level", "job_family", "department", "manager_id", "fte", "base_salary", "performance_rating"]
    change: Literal["rise", "any"]

    @model_validator(mode="after")
    def _can_rise(self) -> "JobEvent":
        if self.change == "rise" and self.column in ("job_family", "department", "manager_id"):
            raise ValueError(f"{self.column} is no number and cannot rise; use change: any")
        return self


class Hypothesis(_Part):
    """One hypothesis as it was planned.

    Attributes
    ----------
    family
        ``primary`` (H1–H3, Holm), ``secondary`` (H4–H8, Benjamini–Hochberg) or ``arithmetic`` (H9).
    construct_name
        The scale's construct; empty where the outcome is an event.
    outcome
        As in the estimates ledger.
    event
        How the outcome is told from the job history; None where it is an exit or a score.
    needs
        What would be needed where it cannot be answered, to go on after "What would be needed:"; empty where nothing
        else is needed than for any scale, or any event of the job history.
    claimed_direction
        The sign that the claim gives to the estimate: −1 (fewer exits) or +1 (a higher score).
    directions
        Of the programs that it is asked of (``reverse``, …); empty = of every program.
    smallest_effect
        Smallest effect of interest, as a positive number on the measure's own scale.
    """

    id: str
    title: str
    question: str
    family: Literal["primary", "secondary", "arithmetic"]
    outcome: str
    construct_name: str = Field(default="", alias="construct")
    event: JobEvent | None = None
    needs: str = ""
    roles: tuple[str, ...]
    directions: tuple[str, ...] = ()
    measure: str
    claimed_direction: Literal[-1, 1]
    smallest_effect: float = Field(gt=0)
    unit: str
    estimand: str
    claims: tuple[str, ...] = ()


class Claim(_Part):
    """What a practitioner article says, and the hypothesis that tests it; none = context that HR data cannot test."""

    id: str
    text: str
    source: str
    hypotheses: tuple[str, ...] = ()
    note: str = ""


class BalanceRule(_Part):
    """How far apart the arms may be, in standardized differences (SMD), after weighting.

    Attributes
    ----------
    caution, failed
        An SMD above either has that grade; ``failed`` for the `key` covariates alone.
    key
        Covariates of which a large difference decides: a number by its name, a category by the name before its colon.
    n_errors
        A level of a category, one among many, is only judged beyond so many of its own standard errors.
    """

    caution: float = Field(gt=0)
    failed: float = Field(gt=0)
    key: tuple[str, ...]
    n_errors: float = Field(gt=0)


class LotteryRule(_Part):
    """Which share of those not offered a place may start all the same, before the grade is given."""

    caution: float = Field(gt=0, lt=1)
    failed: float = Field(gt=0, lt=1)


class Diagnostics(_Part):
    """The thresholds by which checks are graded, written before outcomes are read.

    Attributes
    ----------
    alpha
        Level of the verdict's adjusted p, of negative controls (adjusted for their number, Holm) and of pre-trends.
    overlap
        Caution where the weighted comparators are worth fewer people than those who started, times this.
    """

    alpha: float = Field(gt=0, lt=1)
    balance: BalanceRule
    overlap: float = Field(gt=0)
    lottery: LotteryRule


class Plan(_Part):
    """Every hypothesis and every claim, and how the evidence is judged."""

    diagnostics: Diagnostics
    hypotheses: tuple[Hypothesis, ...]
    claims: tuple[Claim, ...]

    def hypothesis(self, hypothesis_id: str) -> Hypothesis:
        """Return the hypothesis of that id."""
        return next(h for h in self.hypotheses if h.id == hypothesis_id)

    @property
    def scales(self) -> tuple[Hypothesis, ...]:
        """The hypotheses about a scale, in the order of the plan."""
        return tuple(h for h in self.hypotheses if h.construct_name)

    @property
    def job_events(self) -> tuple[Hypothesis, ...]:
        """The hypotheses about an event of the job history, in the order of the plan."""
        return tuple(h for h in self.hypotheses if h.event)


@cache
def load_plan() -> Plan:
    """Read the shipped ``data/hypotheses.yaml``."""
    return validated(
        Plan, load_yaml(shipped("hypotheses.yaml"), source="data/hypotheses.yaml"), source="data/hypotheses.yaml"
    )


def smallest_effect(study: Study, hypothesis: Hypothesis) -> float:
    """Return the smallest effect of interest: the study's own where it sets one, else the plan's."""
    return study.smallest_effects.get(hypothesis.id, hypothesis.smallest_effect)


def unusable_effects(study: Study, line: Callable[..., int | None]) -> list[Problem]:
    """Return an error for each smallest effect of no hypothesis, and for each that no difference of risks can have.

    Parameters
    ----------
    line
        Keys of study.yaml → the line on which they stand.
    """
    known = {h.id: h for h in load_plan().hypotheses}
    problems: list[Problem] = []
    for name, effect in study.smallest_effects.items():
        at = line("smallest_effects", name)
        if name not in known:
            message = f"smallest_effects: there is no hypothesis {name}; the plan has {', '.join(known)}"
            problems += bad_input("study.yaml", message, rule="unknown_hypothesis", line=at).problems
        elif known[name].measure == "risk_difference" and effect >= 1:
            message = (
                f"smallest_effects: {name} is a difference of risks (0.03 = 3 percentage points); give less than 1"
            )
            problems += bad_input("study.yaml", message, rule="study_file", line=at).problems
    return problems
