"""Ledger rows made from numbers: the one place where an `Estimate` is filled in."""

from dataclasses import dataclass
from typing import Any

from analysis.estimate.inference import LEVEL, Interval
from analysis.plan.results import Analysis, Estimate, too_small


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a row is about: the ledger's naming columns but for the analysis and how it is estimated."""

    study: str
    program: str
    hypothesis: str
    role: str
    outcome: str
    contrast: str
    estimand: str
    measure: str
    horizon_months: int | None
    rater_source: str | None = None


@dataclass(frozen=True)
class Groups:
    """People and events behind a row."""

    n_treated: int
    n_control: int
    events_treated: int | None = None
    events_control: int | None = None


def estimated(
    question: Question, analysis: Analysis, estimator: str, interval: Interval, groups: Groups, **changes
) -> Estimate:
    """Return a row with a number; `changes` replace naming columns of `question`."""
    numbers: dict[str, Any] = {
        "estimate": interval.estimate,
        "std_error": interval.std_error,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "ci_level": LEVEL,
        "p_value": interval.p_value,
    }
    return Estimate(**(vars(question) | changes), **numbers, **vars(groups), analysis=analysis, estimator=estimator)


def not_estimable(question: Question, analysis: Analysis, estimator: str, reason: str, **changes) -> Estimate:
    """Return a row without a number, and why."""
    return Estimate(
        **(vars(question) | changes), analysis=analysis, estimator=estimator, status="not_estimable", reason=reason
    )


def suppressed(question: Question, analysis: Analysis, estimator: str, min_cell: int, **changes) -> Estimate:
    """Return a row of a group so small that even the reason why it has no number would tell of its few people."""
    naming = vars(question) | changes
    return Estimate(**naming, analysis=analysis, estimator=estimator, status="suppressed", reason=too_small(min_cell))
