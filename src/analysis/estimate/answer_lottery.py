"""H1 (or H8) answered under a lottery: the lists of its analyses, at each horizon and once for all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from analysis.design.covariates import DesignMatrix, balance, design_matrix
from analysis.design.lottery import Lottery, as_weighted, differing_odds
from analysis.estimate.analyses import (
    UNTESTABLE,
    Analysis,
    Frames,
    Groups,
    Numbers,
    Question,
    Row,
    finding,
    run,
    unanswered,
)
from analysis.estimate.arms import Arms
from analysis.estimate.complier import arms_covariance, complier_effect, lots_covariance
from analysis.estimate.cox import hazard_ratio
from analysis.estimate.diagnostics import balance_check, lottery_check
from analysis.estimate.event_rows import event_row
from analysis.estimate.lottery import (
    Lots,
    Offer,
    draw_lots,
    itt_curves,
    itt_difference,
    itt_ratio,
    lots_of,
    observed_rows,
    offer,
    randomized_difference,
    redrawn,
)
from analysis.measure.employment import EXITS
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.faults import known
from analysis.plan.results import Check, Finding

STRATIFIED = "stratified_difference_in_proportions"
NO_INTAKE_OF_BOTH = "No intake has people of both kinds, offered a place and not, who were employed that day."
N_DRAWS = 2_000
# Of lotteries that were kept, so many have a larger standardized difference somewhere than is called balanced.
FALSE_ALARMS = 0.01


@dataclass(frozen=True)
class ByLots:
    """A lottery of one program and role, read off at one horizon; what several analyses need is made once.

    Attributes
    ----------
    kinds
        The events that compete.
    refused
        Why nothing causal can be said at any horizon, if so.
    """

    question: Question
    lottery: Lottery
    outcome: str
    kinds: tuple[str, ...]
    month: int
    refused: str | None

    @property
    def naming(self) -> dict[str, Any]:
        """The naming columns that all rows share."""
        return {"outcome": self.outcome, "horizon_months": self.month}

    @property
    def rows(self) -> pd.DataFrame:
        """The lottery's rows, one a person and intake."""
        return self.lottery.rows

    @property
    def wanted(self) -> tuple[str, ...]:
        """The kinds of event that the outcome is."""
        return CATALOGUE.outcome(self.outcome).kinds

    @cached_property
    def offered(self) -> np.ndarray:
        """Whose lot won, shape (rows,)."""
        return self.rows["is_offered"].to_numpy(dtype=bool)

    @cached_property
    def event(self) -> np.ndarray:
        """Who had the event by the horizon, shape (rows,)."""
        return (self.rows["outcome"].isin(self.wanted) & (self.rows["months"] <= self.month)).to_numpy()

    @cached_property
    def comparison(self) -> Offer | None:
        """Events by offer; None where no intake can be read off at the horizon."""
        return offer(self.rows, self.event, self.month)

    @property
    def is_read(self) -> bool:
        """Whether there is a main row with a number."""
        return self.refused is None and self.comparison is not None

    @cached_property
    def lots(self) -> Lots:
        """What re-drawing the lots says of the difference."""
        return lots_of(known(self.comparison), self.rng())

    def rng(self) -> np.random.Generator:
        """Return the generator of the lots, the same for every measure."""
        return self.question.rng(self.outcome, self.month, "lots")

    @cached_property
    def matrix(self) -> DesignMatrix | None:
        """The covariates; None where nothing is recorded."""
        if not len(self.lottery.covariates.columns):
            return None
        return design_matrix(self.lottery.covariates, self.offered, people=self.rows["employee_id"])

    @cached_property
    def alike(self) -> pd.DataFrame:
        """How alike those offered and those not are, where something is recorded of them."""
        share = self.rows.groupby("stratum")["is_offered"].transform("mean").to_numpy()
        weights = np.where(self.offered, 1.0, share / (1 - share))
        return balance(known(self.matrix), self.offered, weights, self.rows["employee_id"])

    def groups(self, chosen: np.ndarray | None = None, arm: np.ndarray | None = None) -> Groups:
        """Return people and events by offer, or by another arm, of the chosen rows that reach the horizon."""
        reached = (self.rows["months_observed"] >= self.month).to_numpy()
        reached, arm = reached if chosen is None else reached & chosen, self.offered if arm is None else arm
        masks = (reached & arm, reached & ~arm, reached & arm & self.event, reached & ~arm & self.event)
        return Groups(*(int(self.rows.loc[mask, "employee_id"].nunique()) for mask in masks))


def why_not_compared(question: Question, lottery: Lottery) -> str | None:
    """Return why the lottery of one program and role compares nothing at any horizon, or None."""
    if lottery.rows.empty:
        return NO_INTAKE_OF_BOTH
    return unequal_odds(lottery, differing_odds(lottery, question.rng("odds")))


def retention_by_lottery(question: Question, lottery: Lottery, outcome: str, kinds: tuple[str, ...] = EXITS) -> Finding:
    """Return H1 (or H8) under a lottery: intention-to-treat at every horizon, the complier effect, the naive figure.

    `kinds` are the events that compete.
    """
    reason, flow = why_not_compared(question, lottery), {"flow": lottery.flow}
    if lottery.rows.empty:
        naming = {"outcome": outcome}
        return unanswered(question, STRATIFIED, known(reason), naming, evidence=flow, checks=UNTESTABLE[1:])
    at = [ByLots(question, lottery, outcome, kinds, month, reason) for month in question.study.horizons_months]
    primary = question.row(STRATIFIED, _main(at[0]), at[0].naming)
    told = run(LOTTERY[1:], at[0])
    for later in at[1:]:
        told += run(LOTTERY, later)
    told += run(ONCE, at[0])
    return finding(
        question,
        primary,
        alternatives=told.rows,
        checks=(*told.checks, UNTESTABLE[1]),
        evidence=flow | told.frames,
    )


def _main(c: ByLots) -> Numbers | str:
    """Return the intention-to-treat difference, or why there is none."""
    if not c.is_read:
        return c.refused or _not_observed(c.lottery, c.month)
    return Numbers(randomized_difference(known(c.comparison), c.lots), c.groups())


def risk_ratio(c: ByLots) -> Iterator[Row]:
    """Yield the ratio of risks by offer, where it has a value."""
    comparison = known(c.comparison)
    ratio = itt_ratio(comparison, draw_lots(comparison.counts, c.rng()))
    if ratio:
        yield Row(Numbers(ratio, c.groups()))


def complier(c: ByLots) -> Iterator[Row]:
    """Yield the complier effect, starting being whether a person had started by the horizon, at whichever intake.

    A filter on analysis and measure finds one row a horizon: beside a main row that is secondary itself, the complier
    effect stands as a cross-check.
    """
    comparison, is_started = known(c.comparison), (c.rows["months_to_start"] < c.month).to_numpy()
    seen = (c.rows["months_observed"] >= c.month).to_numpy()
    covariance_of = arms_covariance if comparison.is_ample else lots_covariance
    covariance = covariance_of(c.rows[seen], np.array([c.event[seen], is_started[seen]], dtype=float))
    effect = complier_effect(comparison, known(offer(c.rows, is_started, c.month)), covariance, c.lots)
    naming = {"analysis": "secondary" if c.question.main_analysis == "primary" else "sensitivity"}
    yield Row(effect if isinstance(effect, str) else Numbers(effect, c.groups()), naming)


def days_and_hazards(c: ByLots) -> Iterator[Row]:
    """Yield days lost, days employed and the hazard ratio by offer, strata weighted by the number offered."""
    followed = as_weighted(c.lottery, c.kinds, c.month)
    arms = Arms.of(followed)
    yield event_row(c.question, arms, c.outcome, c.month, "rmtl_difference_days")
    if CATALOGUE.outcome(c.outcome).is_exit:
        yield event_row(c.question, arms, c.outcome, c.month, "rmst_difference_days")

    read = partial(hazard_ratio, followed, arms, c.outcome, c.month)
    yield event_row(c.question, arms, c.outcome, c.month, "hazard_ratio", read, estimator="stratified_cox")


def participants(c: ByLots) -> Iterator[Row]:
    """Yield the naive row: participants against non-participants among those offered, as a slide would show it.

    By intake, whatever the lots were drawn within.
    """
    is_started, intake = (c.rows["months_to_start"] < c.month).to_numpy(), pd.factorize(c.rows["intake_date"])[0]
    rows, chosen = c.rows.assign(is_offered=is_started, stratum=intake), c.offered.copy()
    chosen[chosen] = (rows[chosen].groupby("stratum")["is_offered"].transform("nunique") == 2).to_numpy()
    rows = rows[chosen]
    comparison = offer(rows, c.event[chosen], c.month) if len(rows) else None
    if comparison is not None:
        yield Row(Numbers(itt_difference(comparison), c.groups(chosen, is_started)))


def _not_observed(lottery: Lottery, month: int) -> str:
    """Return why no intake can be read off at a horizon: those waiting had started, or the data end before it."""
    waited = lottery.rows["intake_date"].isin(lottery.waitlist_starts.dropna().index)
    if waited.any():
        latest = lottery.rows.loc[waited, "months_observed"].max()
        return (
            f"The wait-list began to start {latest:.0f} months after its intake; after that nobody is left to compare "
            f"with, so {month} months cannot be read off."
        )
    return f"No intake lies {month} months before the data end; an answer needs a later data lock."


def unequal_odds(lottery: Lottery, differing: pd.DataFrame) -> str | None:
    """Return why nothing can be compared where the odds of a place plainly differ; None where they do not.

    Parameters
    ----------
    differing
        As from `design.lottery.differing_odds`.
    """
    columns = list(differing.loc[differing["differs"].astype(bool), "column"])
    if not columns:
        return None
    named = " and by ".join(column.replace("_", " ") for column in columns)
    column = columns[0]
    if lottery.is_stratified:
        return (
            f"Within the strata of the study the odds of being offered a place still differ by {named}, more than "
            f"randomization allows; add {column} to the program's strata in study.yaml if places were randomized "
            "within it."
        )
    return (
        f"The odds of being offered a place differ by {named}, more than randomization among everybody allows; name "
        f"the strata that places were randomized within in study.yaml (strata: [{column}]), or in a column stratum of "
        f"the enrolments."
    )


def incidence(c: ByLots) -> Iterator[Frames]:
    """Yield cumulative incidence by offer up to the last horizon that is reached."""
    reached = [month for month in c.question.study.horizons_months if len(observed_rows(c.rows, month))]
    if reached:
        yield {"curves": itt_curves(c.rows, c.wanted, max(reached))}


def was_kept(c: ByLots) -> Iterator[Check]:
    """Yield whether few of those not offered started by the horizon, or until the wait-list did."""
    started = c.rows["months_to_start"] < np.minimum(c.rows["months_observed"], c.month)
    taken, crossed = ((int(started[arm].sum()), int(arm.sum())) for arm in (c.offered, ~c.offered))
    yield lottery_check(taken, crossed, c.month)


def balanced(c: ByLots) -> Iterator[Check]:
    """Yield whether the largest standardized difference is one that lots leave, over all covariates at once."""
    if len(c.alike):
        drawn = largest_by_chance(c.rows, known(c.matrix), c.question.rng("balance"))
        allowed = float(np.quantile(drawn, 1 - FALSE_ALARMS))
        yield balance_check(c.alike, float(c.offered.sum()), float((~c.offered).sum()), by_chance=allowed)


def largest_by_chance(rows: pd.DataFrame, matrix: DesignMatrix, rng: np.random.Generator) -> np.ndarray:
    """Return the largest standardized difference of all covariates in re-drawn lots, shape (draws,).

    A simultaneous test, exact whatever the covariates' correlation (as Hansen & Bowers 2008, Stat Sci 23:219, do by a
    chi-square). The unit is the standard deviation of those offered, as in the table of balance.
    """
    offered, stratum = rows["is_offered"].to_numpy(dtype=bool), rows["stratum"].to_numpy(dtype=int)
    n, n1 = np.bincount(stratum), np.bincount(stratum, weights=offered)
    x = matrix.raw.to_numpy(dtype=float)
    own = x[offered].std(axis=0, ddof=1) if offered.sum() > 1 else np.zeros(x.shape[1])
    x = x / np.where(own > 0, own, np.where(x.std(axis=0) > 0, x.std(axis=0), np.inf))
    # A stratum's difference counts by its offered: each of them 1 / offered, each other one −share / (1 − share) of it.
    one, zero = 1 / n1.sum(), (n1 / (n - n1))[stratum] / n1.sum()
    lots = redrawn(stratum, offered, N_DRAWS, rng)
    return np.abs(np.where(lots, one, -zero) @ x).max(axis=1)


LOTTERY: tuple[Analysis[ByLots], ...] = (
    Analysis(STRATIFIED, lambda c: [Row(_main(c))], None),
    Analysis("risk_ratio", risk_ratio, "secondary", STRATIFIED, {"measure": "risk_ratio"}, lambda c: c.is_read),
    Analysis("wald_ratio", complier, "secondary", naming={"estimand": "CACE"}, applies=lambda c: c.is_read),
    Analysis(
        "days_and_hazards", days_and_hazards, "secondary", "stratified_aalen_johansen", applies=lambda c: c.is_read
    ),
    Analysis(
        STRATIFIED,
        participants,
        "naive",
        naming={"contrast": "participants_vs_not_among_offered", "estimand": "association"},
        applies=lambda c: c.is_read or bool(c.refused),
    ),
)
ONCE: tuple[Analysis[ByLots], ...] = (
    Analysis("curves", incidence, "frame", applies=lambda c: c.refused is None),
    Analysis("balance", lambda c: [{"balance": c.alike}], "frame", applies=lambda c: c.matrix is not None),
    Analysis("was_kept", was_kept, "checks"),
    Analysis("balanced", balanced, "checks", applies=lambda c: c.matrix is not None),
)
