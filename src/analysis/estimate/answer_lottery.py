"""H1 answered under a lottery: the main row of every horizon, what stands beside it, and the checks."""

import numpy as np
import pandas as pd

from analysis.design.balance import balance
from analysis.design.covariates import design_matrix
from analysis.design.lottery import Lottery, as_weighted
from analysis.design.weights import WeightedFollowUp
from analysis.estimate.arms import ANY_EXIT, Arms
from analysis.estimate.ask import UNTESTABLE, Ask, finding, unanswered
from analysis.estimate.event_rows import event_row
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
    primary, *alternatives = [
        row for h in ask.study.horizons_months for row in _lottery_rows(ask, lottery, outcome, h, kinds)
    ]
    reached = [h for h in ask.study.horizons_months if len(observed_rows(rows, h)) and h <= lottery.waitlist_months]
    if reached:
        evidence["curves"] = itt_curves(rows, _kinds(outcome), max(reached))
    treated = rows["is_offered"].to_numpy(dtype=bool)
    if len(lottery.covariates.columns):
        share = rows.groupby("stratum")["is_offered"].transform("mean").to_numpy()
        weights, people = np.where(treated, 1.0, share / (1 - share)), rows["employee_id"]
        matrix = design_matrix(lottery.covariates, treated, people=people)
        evidence["balance"] = balance(matrix, treated, weights, people)
    return finding(
        ask,
        primary,
        alternatives=tuple(alternatives),
        checks=_lottery_checks(lottery, evidence),
        evidence=evidence,
        smallest_detectable=smallest_detectable(primary.std_error) if primary.is_estimated else None,
    )


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
    started = offer(rows, rows["is_started"].to_numpy(), month)
    effects = [
        ("risk_ratio", "ITT", STRATIFIED, itt_ratio(comparison, p)),
        ("risk_difference", "CACE", "wald_ratio", complier_effect(comparison, started)),
    ]
    # A filter on analysis and measure finds one row a horizon: beside a main row that is secondary itself, the complier
    # effect stands as a cross-check.
    kinds_of_row = {"ITT": "secondary", "CACE": "secondary" if analysis == "primary" else "sensitivity"}
    found += [
        estimated(
            question,
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
    found += _days_and_hazards(ask, as_weighted(lottery, kinds, month), outcome, month)
    return [*found, *_participants_row(ask, rows, outcome, event, month)]


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
