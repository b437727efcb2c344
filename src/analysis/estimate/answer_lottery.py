"""H1 answered under a lottery: the main row of every horizon, what stands beside it, and the checks."""

from functools import partial

import numpy as np
import pandas as pd

from analysis.design.balance import balance
from analysis.design.covariates import design_matrix
from analysis.design.lottery import Lottery, as_weighted
from analysis.design.weights import WeightedFollowUp
from analysis.estimate.arms import ANY_EXIT, Arms
from analysis.estimate.ask import UNTESTABLE, Ask, finding, unanswered
from analysis.estimate.event_rows import event_row
from analysis.estimate.faulted import checks_or_fault, frames_or_fault, rows_or_fault
from analysis.estimate.hazard import hazard_row
from analysis.estimate.inference import smallest_detectable
from analysis.estimate.lottery import (
    complier_effect,
    itt_curves,
    itt_difference,
    itt_ratio,
    observed_rows,
    offer,
    randomization_p,
)
from analysis.estimate.rows import Groups, estimated, not_estimable
from analysis.measure.employment import EXITS
from analysis.plan.results import Check, Estimate, Finding
from analysis.plan.seeds import rng

STRATIFIED = "stratified_difference_in_proportions"


def retention_by_lottery(ask: Ask, lottery: Lottery, outcome: str, kinds: tuple[str, ...] = EXITS) -> Finding:
    """Return H1 (or H8) under a lottery: intention-to-treat at every horizon, the complier effect, the naive figure.

    `kinds` are the events that compete.
    """
    evidence = {"flow": lottery.flow}
    rows = lottery.rows
    if rows.empty:
        return unanswered(
            ask,
            STRATIFIED,
            "No intake has people of both kinds, offered a place and not, who were employed that day.",
            outcome,
            evidence=evidence,
            checks=UNTESTABLE[1:],
        )
    first, *later = ask.study.horizons_months
    primary, *alternatives = _lottery_rows(ask, lottery, outcome, first, kinds)
    for h in later:
        make = partial(_lottery_rows, ask, lottery, outcome, h, kinds)
        alternatives += rows_or_fault(ask, STRATIFIED, make, ask.main_analysis, horizon_months=h)
    evidence |= frames_or_fault(ask, "curves", lambda: _curves(ask, lottery, outcome))
    evidence |= frames_or_fault(ask, "balance", lambda: _balance(lottery))
    return finding(
        ask,
        primary,
        alternatives=tuple(alternatives),
        checks=checks_or_fault(ask, lambda: _lottery_checks(lottery, evidence)),
        evidence=evidence,
        smallest_detectable=smallest_detectable(primary.std_error) if primary.is_estimated else None,
    )


def _curves(ask: Ask, lottery: Lottery, outcome: str) -> dict[str, pd.DataFrame]:
    """Return cumulative incidence by offer up to the last horizon that is reached; nothing where none is."""
    rows = lottery.rows
    reached = [h for h in ask.study.horizons_months if len(observed_rows(rows, h)) and h <= lottery.waitlist_months]
    return {"curves": itt_curves(rows, _kinds(outcome), max(reached))} if reached else {}


def _balance(lottery: Lottery) -> dict[str, pd.DataFrame]:
    """Return how alike those offered and those not are; nothing where nothing is recorded of them."""
    rows, treated = lottery.rows, lottery.rows["is_offered"].to_numpy(dtype=bool)
    if not len(lottery.covariates.columns):
        return {}
    share = rows.groupby("stratum")["is_offered"].transform("mean").to_numpy()
    weights = np.where(treated, 1.0, share / (1 - share))
    return {"balance": balance(design_matrix(lottery.covariates, treated), treated, weights)}


def _kinds(outcome: str) -> tuple[str, ...]:
    return EXITS if outcome == ANY_EXIT else (outcome,)


def _lottery_rows(ask: Ask, lottery: Lottery, outcome: str, month: int, kinds: tuple[str, ...]) -> list[Estimate]:
    """Return the rows of one horizon, the intention-to-treat difference first."""
    rows = lottery.rows
    event = (rows["outcome"].isin(_kinds(outcome)) & (rows["months"] <= month)).to_numpy()
    comparison = offer(rows, event, month)
    question, analysis = ask.question(outcome), ask.main_analysis
    reason = _lottery_reason(lottery, comparison, month)
    if reason:
        return [not_estimable(question, analysis, STRATIFIED, reason, horizon_months=month)]
    groups = _lottery_groups(rows, event, month)
    p = randomization_p(comparison.counts, rng(ask.study.study, ask.program.id, ask.role, outcome, month, "lots"))
    found = [estimated(question, analysis, STRATIFIED, itt_difference(comparison, p), groups, horizon_months=month)]
    beside = {
        "ratio_and_compliers": lambda: _ratio_and_compliers(ask, rows, comparison, p, groups, outcome, month),
        "days_and_hazards": lambda: _days_and_hazards(ask, as_weighted(lottery, kinds, month), outcome, month),
    }
    for name, make in beside.items():
        found += rows_or_fault(ask, name, make, "secondary", horizon_months=month)
    naive = {"analysis": "naive", "horizon_months": month, "estimand": "association"}
    return found + rows_or_fault(ask, STRATIFIED, lambda: _participants_row(ask, rows, outcome, event, month), **naive)


def _ratio_and_compliers(
    ask: Ask, rows: pd.DataFrame, comparison, p: float, groups: Groups, outcome: str, month: int
) -> list[Estimate]:
    """Return the ratio of risks by offer, and the effect in those who start because of an offer."""
    started = offer(rows, rows["is_started"].to_numpy(), month)
    effects = [
        ("risk_ratio", "ITT", STRATIFIED, itt_ratio(comparison, p)),
        ("risk_difference", "CACE", "wald_ratio", complier_effect(comparison, started)),
    ]
    # A filter on analysis and measure finds one row a horizon: beside a main row that is secondary itself, the complier
    # effect stands as a cross-check.
    kinds_of_row = {"ITT": "secondary", "CACE": "secondary" if ask.main_analysis == "primary" else "sensitivity"}
    return [
        estimated(
            ask.question(outcome),
            kinds_of_row[estimand],
            estimator,
            interval,
            groups,
            measure=measure,
            estimand=estimand,
            horizon_months=month,
        )
        for measure, estimand, estimator, interval in effects
        if interval
    ]


def _days_and_hazards(ask: Ask, followed: WeightedFollowUp, outcome: str, month: int) -> list[Estimate]:
    """Return days employed, days lost and the hazard ratio by offer, strata weighted by the number offered."""
    arms = Arms.of(followed)
    measures = ["rmtl_difference_days"]
    if outcome in (*EXITS, ANY_EXIT):
        measures.append("rmst_difference_days")
    rows = [
        event_row(ask, arms, outcome, month, "secondary", "stratified_aalen_johansen", measure) for measure in measures
    ]
    return [*rows, hazard_row(ask, followed, arms, outcome, month, "stratified_cox")]


def _participants_row(ask: Ask, rows: pd.DataFrame, outcome: str, event: np.ndarray, month: int) -> list[Estimate]:
    """Return the naive row: participants against non-participants among those offered, as a slide would show it."""
    offered = rows["is_offered"].to_numpy(dtype=bool)
    chosen = rows[offered].assign(is_offered=rows.loc[offered, "is_started"])
    both = (chosen.groupby("stratum")["is_offered"].transform("nunique") == 2).to_numpy()
    chosen, happened = chosen[both], event[offered][both]
    comparison = offer(chosen, happened, month) if len(chosen) else None
    if comparison is None:
        return []
    return [
        estimated(
            ask.question(outcome),
            "naive",
            STRATIFIED,
            itt_difference(comparison),
            _lottery_groups(chosen, happened, month),
            contrast="participants_vs_not_among_offered",
            estimand="association",
            horizon_months=month,
        )
    ]


def _lottery_reason(lottery: Lottery, comparison, month: int) -> str | None:
    if month > lottery.waitlist_months:
        return (
            f"The wait-list began to start {lottery.waitlist_months:.0f} months after its intake; after that nobody is "
            f"left to compare with, so {month} months cannot be read off."
        )
    if comparison is None:
        return f"No intake lies {month} months before the data end; an answer needs a later data lock."
    return None


def _lottery_groups(rows: pd.DataFrame, event: np.ndarray, month: int) -> Groups:
    reached = (rows["months_observed"] >= month).to_numpy()
    offered = rows["is_offered"].to_numpy(dtype=bool)
    masks = (reached & offered, reached & ~offered, reached & offered & event, reached & ~offered & event)
    return Groups(*(int(rows.loc[mask, "employee_id"].nunique()) for mask in masks))


def _lottery_checks(lottery: Lottery, evidence: dict[str, pd.DataFrame]) -> tuple[Check, ...]:
    offered = lottery.rows["is_offered"].astype(bool)
    started = lottery.rows["is_started"].astype(bool)
    taken, crossed = started[offered].mean(), started[~offered].mean()
    checks = [
        Check(
            "the lottery was kept",
            bool(crossed <= 0.05),
            float(crossed),
            0.05,
            f"{taken:.0%} of those offered a place started, and {crossed:.0%} of those not offered did.",
        )
    ]
    if "balance" in evidence and len(evidence["balance"]):
        worst = evidence["balance"]["smd_after"].abs().max()
        # Chance alone makes differences of about this size between randomized groups of this size.
        expected = 3 * np.sqrt(1 / offered.sum() + 1 / (~offered).sum())
        checks.append(
            Check(
                "balance",
                bool(worst <= expected),
                float(worst),
                float(expected),
                f"The largest standardized difference between offered and not is {worst:.2f}; "
                f"lots of this number leave up to about {expected:.2f} by chance.",
            )
        )
    return (*checks, UNTESTABLE[1])
