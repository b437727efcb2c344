"""Counts of rows that stand beside one another: no small group follows from two of them by subtraction."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from analysis.plan.results import Estimate

ARMS = ("treated", "control")
ANY_EXIT = "any_exit"
OWN_CHANGE = "after_vs_before"
# These compare other people than the main row does: that their groups are nearly as large tells of nobody.
OTHER_PEOPLE = (
    "participants_vs_not_among_offered",
    "more_vs_fewer_sessions",
    "placebo_ever_vs_never",
    "placebo_start_vs_not",
    "reverse_vs_traditional",
)


def release_counts(rows: Sequence[Estimate], min_cell: int) -> tuple[Estimate, ...]:
    """Return the rows of one finding, the main one first, with counts that cannot be subtracted to a small group.

    Parameters
    ----------
    rows
        Each released by itself, as by `release.disclosure.release_estimate`.
    """
    found = _same_groups(rows, min_cell)
    for arm in ARMS:
        found = _distinct_events(found, f"events_{arm}", min_cell)
        found = _without_remainders(found, f"events_{arm}")
    return tuple(found)


def _same_groups(rows: Sequence[Estimate], min_cell: int) -> list[Estimate]:
    """Return the rows with groups that differ by nobody or by `min_cell` people and more.

    A group that differs from one already told by a few people is told as that one, and its events are not counted:
    those few would be the ones whom a stricter analysis left out.
    """
    told: dict[str, list[int]] = {arm: [] for arm in ARMS}
    found = []
    for row in rows:
        changes: dict[str, Any] = {}
        arms = () if _compares_others(row) or not row.is_estimated else ARMS
        for arm in arms[:1] if row.contrast == OWN_CHANGE else arms:
            size = getattr(row, f"n_{arm}")
            near = [n for n in told[arm] if abs(n - size) < min_cell]
            if not near:
                told[arm].append(size)
            elif size not in near:
                changes |= {f"n_{arm}": near[0], f"events_{arm}": None}
        if row.contrast == OWN_CHANGE and row.is_estimated:
            # Those who started are their own comparators.
            changes["n_control"] = changes.get("n_treated", row.n_treated)
        found.append(replace(row, **changes))
    return found


def _compares_others(row: Estimate) -> bool:
    """Whether a row's groups are not those of the main row, or parts of them."""
    return row.contrast in OTHER_PEOPLE or row.contrast.startswith("topic_")


def _distinct_events(rows: Sequence[Estimate], column: str, min_cell: int) -> list[Estimate]:
    """Return the rows without counts of events that hold one already told and a few events more (or fewer)."""
    uncounted: dict[str, Any] = {column: None}
    told: list[Estimate] = []
    found = []
    for row in rows:
        count = getattr(row, column)
        close = [t for t in told if _are_nested(row, t) and 0 < abs(getattr(t, column) - (count or 0)) < min_cell]
        if count is not None and close:
            row = replace(row, **uncounted)
        elif count is not None:
            told.append(row)
        found.append(row)
    return found


def _are_nested(row: Estimate, other: Estimate) -> bool:
    """Whether the events of one of two rows are among those of the other."""
    if row.contrast != other.contrast:
        return False
    if row.outcome == other.outcome:
        return True
    early, late = sorted((row, other), key=lambda e: (e.horizon_months or 0, e.outcome == ANY_EXIT))
    return late.outcome == ANY_EXIT and early.outcome.endswith("_exit")


def _without_remainders(rows: Sequence[Estimate], column: str) -> list[Estimate]:
    """Return the rows without counts of all exits where one kind's is masked: the others would leave it over."""
    uncounted: dict[str, Any] = {column: None}
    told: set[tuple] = set()
    asked: set[tuple] = set()
    for row in rows:
        if row.is_estimated and row.outcome != ANY_EXIT:
            kind = (row.contrast, row.horizon_months, row.outcome)
            (asked if getattr(row, column) is None else told).add(kind)
    masked = {kind[:2] for kind in asked - told}
    return [
        replace(row, **uncounted)
        if row.outcome == ANY_EXIT and position and (row.contrast, row.horizon_months) in masked
        else row
        for position, row in enumerate(rows)
    ]
