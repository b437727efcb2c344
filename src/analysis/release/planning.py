"""A plan as it may be shown: nothing of a group that is too small."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from analysis.estimate.planning import PlanRow, RolePlan
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.errors import Problem
from analysis.plan.results import too_small
from analysis.plan.study import Study
from analysis.release.rule import ReleaseRule

# Everything that the data, and not the plan's own question, put into a row.
FROM_DATA = (
    "basis",
    "risk",
    "ci_low",
    "ci_high",
    "n_people",
    "n_exits",
    "person_years",
    "observed_months",
    "n_eligible",
    "difference",
    "n_treated",
    "n_control",
)


@dataclass(frozen=True, kw_only=True)
class ReleasedPlan:
    """One study's plan, after disclosure control: what the planning page and notebook are made of.

    Attributes
    ----------
    roles
        The plan of every role of every program.
    problems
        The data-quality ledger.
    run
        Provenance, as in `release.answer.Released`.
    """

    study: Study
    roles: tuple[RolePlan, ...]
    problems: tuple[Problem, ...]
    run: Mapping[str, object] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[PlanRow, ...]:
        """The rows of every role."""
        return tuple(row for role in self.roles for row in role.rows)


def release_plan(plan: RolePlan, rule: ReleaseRule) -> RolePlan:
    """Return a role's plan as it may be shown.

    Where 1 to `min_cell` − 1 people are behind the risk, or eligible, one suppressed row a horizon stays: the reason of
    a row without a number might tell that nobody of a few people left. Counts are rounded down, and the time followed
    to as many person-years.
    """
    rows = (_suppressed(r, rule) if _is_small(r, rule) else _rounded(r, rule) for r in plan.rows)
    # What is suppressed of one horizon is the same row for every size.
    return replace(plan, rows=tuple(dict.fromkeys(rows)))


def _is_small(row: PlanRow, rule: ReleaseRule) -> bool:
    return any(n is not None and 0 < n < rule.min_cell for n in (row.n_people, row.n_eligible))


def _suppressed(row: PlanRow, rule: ReleaseRule) -> PlanRow:
    reason = too_small(rule.min_cell)
    nothing: dict[str, Any] = dict.fromkeys(FROM_DATA) | {"quantity": "smallest_detectable", "is_rough": False}
    return replace(row, **nothing, status="suppressed", reason=reason)


def _rounded(row: PlanRow, rule: ReleaseRule) -> PlanRow:
    of_risks = CATALOGUE.measure("risk_difference").digits
    decimals = dict.fromkeys(("risk", "ci_low", "ci_high", "difference"), of_risks) | {"observed_months": 1}
    values = {name: getattr(row, name) for name in decimals}
    rounded: dict[str, Any] = {n: None if v is None else round(float(v), decimals[n]) for n, v in values.items()}
    counts: dict[str, Any] = {n: rule.down(getattr(row, n)) for n in ("n_exits", "person_years")}
    counts |= {n: None if (k := getattr(row, n)) is None else rule.rounded(k) for n in ("n_people", "n_eligible")}
    return replace(row, **rounded, **counts)
