"""Before a program starts: which difference in exits it could show, by its size, and how many people an effect takes.

The risk comes from the company's own history (`design.follow_up`), the arithmetic from `estimate.power`.
"""

from bisect import bisect_left
from dataclasses import dataclass, fields, replace
from math import sqrt
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.design.follow_up import STEP_MONTHS, History, outcome_codes
from analysis.estimate.inference import FEW_EVENTS, POWER, wilson
from analysis.estimate.power import power_of, sample_size, smallest_detectable_difference
from analysis.estimate.survival import aalen_johansen
from analysis.measure.employment import EXITS
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.contract import Assignment
from analysis.plan.faults import known
from analysis.plan.study import Program

SIZES = (15, 30, 60, 120, 240)
# A curve is read off at a horizon where so many people could have been followed that far; else it is projected.
FEWEST_FOLLOWED = 30
# The normal approximation of a test of two shares flatters below so many expected exits in an arm.
FEWEST_EXPECTED = 5

Quantity = Literal["smallest_detectable", "sample_size_per_arm", "program_size"]
Basis = Literal["observed", "projected"]
Status = Literal["estimated", "undetectable", "not_estimable", "suppressed"]


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The risk of leaving within a horizon without any program, or why it cannot be told.

    Attributes
    ----------
    outcome
        ``voluntary_exit`` or ``any_exit``.
    basis
        ``observed`` (Aalen–Johansen up to the horizon) or ``projected`` (on from a shorter one, at constant hazards).
    risk, ci_low, ci_high
        Share that leaves within the horizon and its 95 % interval, clustered by person.
    n_people, n_exits, person_years
        Distinct people behind it, those of them who left so in the history, and the time followed, every day once.
    observed_months
        Calendar months of the history.
    n_eligible
        People eligible on its last day.
    """

    outcome: str
    horizon_months: int
    basis: Basis | None = None
    risk: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n_people: int = 0
    n_exits: int | None = None
    person_years: float | None = None
    observed_months: float = 0.0
    n_eligible: int = 0
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class PlanRow:
    """One number of a plan; the attributes are the columns of ``plan.csv``.

    Attributes
    ----------
    program, role
        Empty and ``any`` where the study has no program yet.
    basis, risk, ci_low, ci_high, n_people, n_exits, person_years, observed_months, n_eligible
        As in `Baseline`.
    quantity
        ``smallest_detectable``: `difference` is what a program of `n_treated` could show. ``sample_size_per_arm``:
        `n_treated` and as many comparators show `difference`. ``program_size``: so many people in the program do,
        compared with the eligible colleagues that there are.
    difference
        Fewer exits by the horizon, as a positive share.
    n_treated, n_control
        People in the program and comparators, planned.
    effective_share
        Share of the comparators that is taken to count after weighting.
    is_rough
        An arm expects fewer than `FEWEST_EXPECTED` exits: the true need is larger.
    status
        ``undetectable``: not even a program in which nobody leaves could show it (or not with those eligible).
    """

    study: str
    program: str
    role: str
    assignment: Assignment
    outcome: str
    horizon_months: int
    basis: Basis | None = None
    risk: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n_people: int | None = None
    n_exits: int | None = None
    person_years: float | None = None
    observed_months: float | None = None
    n_eligible: int | None = None
    quantity: Quantity
    difference: float | None = None
    n_treated: int | None = None
    n_control: int | None = None
    effective_share: float = 1.0
    is_rough: bool = False
    status: Status = "estimated"
    reason: str | None = None


PLAN_COLUMNS = [f.name for f in fields(PlanRow)]


@dataclass(frozen=True)
class RolePlan:
    """The plan of one role of one program (None: the study has none yet).

    Attributes
    ----------
    smallest_effect
        The study's smallest effect of interest, as a positive share.
    rows
        Of every quantity, horizon and size.
    """

    program: Program | None
    role: str
    smallest_effect: float
    rows: tuple[PlanRow, ...]


@dataclass(frozen=True)
class Design:
    """How a program would be compared.

    Attributes
    ----------
    is_lottery
        As many comparators as people in the program, drawn by lot; otherwise everybody eligible who does not start.
    n_eligible
        People to draw from.
    effective_share
        Share of the comparators that counts after weighting, above 0 and at most 1.
    """

    is_lottery: bool
    n_eligible: int
    effective_share: float = 1.0

    @property
    def largest(self) -> int:
        """The largest program that makes sense: beyond it every further person in it costs more than it gives."""
        if self.is_lottery:
            return self.n_eligible // 2
        root = sqrt(self.effective_share)
        return int(self.n_eligible * root / (1 + root))

    @property
    def sizes(self) -> list[int]:
        """The sizes to show, up to the largest that makes sense."""
        return [n for n in SIZES if n < self.largest] + [self.largest]

    def n_control(self, n_treated: int) -> int:
        """Return the comparators of a program of that size."""
        return n_treated if self.is_lottery else self.n_eligible - n_treated


def baseline(history: History, outcome: str, horizon: int) -> Baseline:
    """Return the risk of `outcome` within `horizon` calendar months of those eligible and not under notice.

    Read off by Aalen–Johansen where at least `FEWEST_FOLLOWED` people could be followed so far, else projected. The
    interval is Wilson's at the effective number of people that gives the variance clustered by person (Korn & Graubard
    1998, Surv Methodol 24:193).
    """
    rows = history.rows
    free = rows[~rows["is_under_notice"].astype(bool)]
    about: dict[str, Any] = {
        "outcome": outcome,
        "horizon_months": horizon,
        "n_people": int(free["employee_id"].nunique()),
        "observed_months": history.observed_months,
        "n_eligible": history.n_eligible,
    }
    if history.observed_months == 0:
        return Baseline(**about, reason="The first program started before anything was observed.")
    if free.empty or history.n_eligible == 0:
        return Baseline(**about, reason="Nobody was eligible for this role in the time observed before the program.")
    month = _last_month(free, horizon)
    risk, influence = project(rows, outcome, month, horizon)
    if not 0 < risk < 1:
        return Baseline(
            **about, reason="Nobody, or everybody, left in the time observed: there is no risk to plan with."
        )
    n_exits = _people_leaving(rows, outcome)
    n_effective = risk * (1 - risk) / np.sum(influence**2)
    if n_exits < FEW_EVENTS:
        n_effective = min(n_effective, about["n_people"])
    low, high = wilson(risk, n_effective)
    return Baseline(
        **about,
        basis="observed" if month == horizon else "projected",
        risk=risk,
        ci_low=low,
        ci_high=high,
        n_exits=n_exits,
        person_years=float(rows["months"].clip(upper=STEP_MONTHS).sum() / 12),
    )


def _last_month(free: pd.DataFrame, horizon: int) -> int:
    """Return the last whole month, up to the horizon, to which `FEWEST_FOLLOWED` people could be followed; else 0."""
    reach = np.sort(free.groupby("employee_id")["reach_months"].max().to_numpy(dtype=float))[::-1]
    return 0 if len(reach) < FEWEST_FOLLOWED else int(min(horizon, reach[FEWEST_FOLLOWED - 1]))


def _people_leaving(rows: pd.DataFrame, outcome: str) -> int:
    left = rows["outcome"].isin(CATALOGUE.outcome(outcome).kinds)
    return int(rows.loc[left, "employee_id"].nunique())


def project(rows: pd.DataFrame, outcome: str, month: int, horizon: int) -> tuple[float, np.ndarray]:
    """Return the risk at `horizon`, and each person's influence on it: observed to `month`, projected from there.

    F(h) = F(m) + S(m) λ/Λ (1 − e^(−Λ (h − m))), with F and S by Aalen–Johansen among those not under notice, λ the
    exits of the kind wanted and Λ all exits per month. The hazards come from everybody eligible, under notice or not,
    followed to the next landmark: those who are not under notice leave less often at first, and a rate from their first
    months alone would be too low. With `month` = `horizon` nothing is projected.

    Parameters
    ----------
    rows
        As in `design.follow_up.History`.

    Returns
    -------
    risk : float
    influence : shape (people,)
        The derivative by each person's weight; its sum of squares is the variance clustered by person.
    """
    person, people = pd.factorize(rows["employee_id"])
    free = ~rows["is_under_notice"].to_numpy(dtype=bool)
    (seen, gone), (d_seen, d_gone) = _observed(rows[free], outcome, month)
    (kind, every), (d_kind, d_every) = _hazards(rows, outcome)
    span = horizon - month
    if every == 0 or span == 0:
        leave, by_kind, by_every = 0.0, 0.0, 0.0
    else:
        leave = -np.expm1(-every * span) * kind / every
        by_kind = leave / kind if kind else -np.expm1(-every * span) / every
        by_every = kind * (span * np.exp(-every * span) / every + np.expm1(-every * span) / every**2)
    influence = (1 - gone) * (by_kind * d_kind + by_every * d_every)
    influence[free] += d_seen - d_gone * leave
    return float(seen + (1 - gone) * leave), np.bincount(person, weights=influence, minlength=len(people))


def _observed(free: pd.DataFrame, outcome: str, month: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the share gone by `month`, of the kind wanted and of any, shape (2,), and each row's influence on both."""
    months = free["months"].to_numpy(dtype=float)
    code = outcome_codes(free, EXITS, month)
    if not code.any():
        return np.zeros(2), np.zeros((2, len(free)))
    ones = np.ones(len(free))
    curve = aalen_johansen(0 * ones, np.minimum(months, month), code, ones, (1, 2, 3))
    influence = np.array([curve.influence(k, month) for k in range(len(EXITS))])
    chosen = [EXITS.index(kind) for kind in CATALOGUE.outcome(outcome).kinds]
    gone = np.array([curve.risk(k, month) for k in range(len(EXITS))])
    return np.array([gone[chosen].sum(), gone.sum()]), np.array([influence[chosen].sum(0), influence.sum(0)])


def _hazards(rows: pd.DataFrame, outcome: str) -> tuple[np.ndarray, np.ndarray]:
    """Return exits per person-month, of the kind wanted and of any, shape (2,), and each row's influence on both."""
    time = rows["months"].clip(upper=STEP_MONTHS).to_numpy(dtype=float)
    is_exit = (rows["outcome"].notna() & (rows["months"] <= STEP_MONTHS)).to_numpy()
    is_kind = is_exit & rows["outcome"].isin(CATALOGUE.outcome(outcome).kinds).to_numpy()
    exits = np.array([is_kind, is_exit], dtype=float)
    hazards = exits.sum(axis=1) / time.sum()
    return hazards, (exits - hazards[:, None] * time) / time.sum()


def plan_rows(naming: PlanRow, found: Baseline, effects: tuple[float, ...]) -> tuple[PlanRow, ...]:
    """Return the plan of one program, role and horizon: what each size could show, what each wanted effect takes.

    Parameters
    ----------
    naming
        Study, program, role, assignment, effective share; every other column is replaced.
    found
        The risk without a program.
    effects
        Wanted differences as positive shares.
    """
    row = replace(naming, **{k: v for k, v in vars(found).items() if k != "reason"})
    if found.risk is None:
        return (replace(row, quantity="smallest_detectable", status="not_estimable", reason=found.reason),)
    if found.n_eligible < 2:
        reason = "Fewer than two people are eligible, so there is nobody to compare with."
        return (replace(row, quantity="smallest_detectable", status="not_estimable", reason=reason),)
    design = Design(naming.assignment.is_randomized, found.n_eligible, naming.effective_share)
    detectable = [_detectable(row, design, n) for n in design.sizes]
    wanted = [make(row, design, effect) for effect in effects for make in (_per_arm, _program_size)]
    return (*detectable, *wanted)


def _detectable(row: PlanRow, design: Design, n_treated: int) -> PlanRow:
    risk, n_control = known(row.risk), design.n_control(n_treated)
    sized = replace(row, quantity="smallest_detectable", n_treated=n_treated, n_control=n_control)
    found = smallest_detectable_difference(risk, n_treated, n_control * design.effective_share)
    if found is None:
        return replace(
            sized,
            status="undetectable",
            reason="Even if nobody in a program of this size left, that could not be told from chance.",
        )
    return replace(sized, difference=found, is_rough=_is_rough(risk, found, sized))


def _per_arm(row: PlanRow, design: Design, effect: float) -> PlanRow:
    risk, wanted = known(row.risk), replace(row, quantity="sample_size_per_arm", difference=effect)
    if effect >= risk:
        return replace(wanted, status="undetectable", reason="So many do not leave at all: no program can keep them.")
    # Comparators who count for less are as good as fewer of them for each person in the program.
    n = sample_size(risk, risk - effect, ratio=design.effective_share)
    sized = replace(wanted, n_treated=n, n_control=n)
    return replace(sized, is_rough=_is_rough(risk, effect, sized))


def _program_size(row: PlanRow, design: Design, effect: float) -> PlanRow:
    risk, wanted = known(row.risk), replace(row, quantity="program_size", difference=effect)
    if effect >= risk:
        return replace(wanted, status="undetectable", reason="So many do not leave at all: no program can keep them.")

    def is_enough(n: int) -> bool:
        return power_of(risk, risk - effect, n, design.n_control(n) * design.effective_share) >= POWER

    n = 1 + bisect_left(range(1, design.largest + 1), True, key=is_enough)
    if n > design.largest:
        reason = "There are not enough eligible people, whatever the size of the program."
        return replace(wanted, status="undetectable", reason=reason)
    sized = replace(wanted, n_treated=n, n_control=design.n_control(n))
    return replace(sized, is_rough=_is_rough(risk, effect, sized))


def _is_rough(risk: float, difference: float, sized: PlanRow) -> bool:
    expected = (known(sized.n_treated) * (risk - difference), known(sized.n_control) * sized.effective_share * risk)
    return bool(min(expected) < FEWEST_EXPECTED)


def plan_frame(rows: tuple[PlanRow, ...]) -> pd.DataFrame:
    """Return the plan as a frame, one row per `PlanRow`, counts and months as nullable integers."""
    frame = pd.DataFrame([vars(row) for row in rows], columns=PLAN_COLUMNS)
    whole = ("horizon_months", "n_people", "n_exits", "n_eligible", "n_treated", "n_control")
    numbers = ("risk", "ci_low", "ci_high", "person_years", "observed_months", "difference", "effective_share")
    return frame.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(numbers, "float64"))
