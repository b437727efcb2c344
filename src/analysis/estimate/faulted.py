"""Rows and findings in place of what a fault of this program took away; the other parts of the answer stand."""

from collections.abc import Callable, Iterable, Mapping

import pandas as pd

from analysis.estimate.ask import Ask, unanswered
from analysis.estimate.rows import not_estimable
from analysis.plan.faults import Fault, Part, isolated
from analysis.plan.results import Analysis, Check, Estimate, Finding

Beside = tuple[list[Estimate], dict[str, pd.DataFrame], list[Check]]


def part_of(ask: Ask, name: str, kind: str = "analysis") -> Part:
    """Return the part of a study's report that a group of rows of this hypothesis is."""
    return Part(kind, name, ask.program.id, ask.role, ask.hypothesis.id)


def finding_or_fault(ask: Ask, estimator: str, make: Callable[[], Finding]) -> Finding:
    """Return the answer, or that a fault took it away."""
    return isolated(part_of(ask, "main answer"), make, lambda fault: unanswered(ask, estimator, fault.reason))


def rows_or_fault(
    ask: Ask, estimator: str, make: Callable[[], Iterable[Estimate]], analysis: Analysis = "sensitivity", **changes
) -> list[Estimate]:
    """Return a group of rows, or one row that says that a fault took them away.

    Parameters
    ----------
    estimator
        Of the one row; also the name of the group.
    changes
        Naming columns of that row which differ from those of the main row.
    """
    return isolated(
        part_of(ask, estimator),
        lambda: list(make()),
        lambda fault: [fault_row(ask, estimator, fault, analysis, **changes)],
    )


def beside_or_fault(ask: Ask, estimator: str, make: Callable[[], Beside], **changes) -> Beside:
    """Return rows, frames and checks of one group, or one row that says that a fault took them away."""

    def instead(fault: Fault) -> Beside:
        return [fault_row(ask, estimator, fault, "sensitivity", **changes)], {}, []

    return isolated(part_of(ask, estimator), make, instead)


def frames_or_fault(ask: Ask, name: str, make: Callable[[], Mapping[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Return frames of evidence, or none of them where a fault took them away."""
    return isolated(part_of(ask, name, "frame"), lambda: dict(make()), lambda _: {})


def checks_or_fault(ask: Ask, make: Callable[[], Iterable[Check]]) -> tuple[Check, ...]:
    """Return checks, or one that could not be made."""

    def instead(fault: Fault) -> tuple[Check, ...]:
        return (Check("further assumptions", None, None, None, fault.reason),)

    return isolated(part_of(ask, "checks"), lambda: tuple(make()), instead)


def fault_row(ask: Ask, estimator: str, fault: Fault, analysis: Analysis, **changes) -> Estimate:
    """Return the row that stands for a group of rows."""
    return not_estimable(ask.question(), analysis, estimator, fault.reason, **changes)
