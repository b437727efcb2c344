"""H1 answered under a lottery: the main row of every horizon, what stands beside it, and the checks."""

from functools import partial

import numpy as np
import pandas as pd

from analysis.design.balance import balance
from analysis.design.covariates import DesignMatrix, design_matrix
from analysis.design.lottery import Lottery, as_weighted
from analysis.design.odds import differing_odds
from analysis.design.weights import WeightedFollowUp
from analysis.estimate.arms import Arms
from analysis.estimate.ask import UNTESTABLE, Ask, finding, unanswered
from analysis.estimate.calibrate import Lots
from analysis.estimate.complier import arms_covariance, complier_effect, lots_covariance
from analysis.estimate.event_rows import event_row
from analysis.estimate.faulted import checks_or_fault, frames_or_fault, rows_or_fault
from analysis.estimate.hazard import hazard_row
from analysis.estimate.inference import smallest_detectable
from analysis.estimate.lottery import (
    Offer,
    draw_lots,
    itt_curves,
    itt_difference,
    itt_ratio,
    lots_of,
    observed_rows,
    offer,
    randomized_difference,
)
from analysis.estimate.lottery_checks import lottery_checks, unequal_odds
from analysis.estimate.rows import Groups, estimated, not_estimable
from analysis.measure.employment import EXITS
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.known import known
from analysis.plan.results import Analysis, Estimate, Finding
from analysis.plan.seeds import rng

STRATIFIED = "stratified_difference_in_proportions"
NO_INTAKE_OF_BOTH = "No intake has people of both kinds, offered a place and not, who were employed that day."


def why_not_compared(ask: Ask, lottery: Lottery) -> str | None:
    """Return why the lottery of one program and role compares nothing at any horizon, or None."""
    if lottery.rows.empty:
        return NO_INTAKE_OF_BOTH
    return unequal_odds(lottery, differing_odds(lottery, rng(ask.study.study, ask.program.id, ask.role, "odds")))


def retention_by_lottery(ask: Ask, lottery: Lottery, outcome: str, kinds: tuple[str, ...] = EXITS) -> Finding:
    """Return H1 (or H8) under a lottery: intention-to-treat at every horizon, the complier effect, the naive figure.

    `kinds` are the events that compete.
    """
    evidence, rows = {"flow": lottery.flow}, lottery.rows
    reason = why_not_compared(ask, lottery)
    if rows.empty:
        return unanswered(ask, STRATIFIED, known(reason), outcome, evidence=evidence, checks=UNTESTABLE[1:])

    def read(month: int) -> list[Estimate]:
        return (
            _refused_rows(ask, lottery, outcome, month, reason)
            if reason
            else _lottery_rows(ask, lottery, outcome, month, kinds)
        )

    first, *later = ask.study.horizons_months
    primary, *alternatives = read(first)
    for month in later:
        alternatives += rows_or_fault(ask, STRATIFIED, partial(read, month), ask.main_analysis, horizon_months=month)
    if not reason:
        evidence |= frames_or_fault(ask, "curves", lambda: _curves(ask, lottery, outcome))
    evidence |= frames_or_fault(ask, "balance", lambda: _balance(lottery))
    return finding(
        ask,
        primary,
        alternatives=tuple(alternatives),
        checks=checks_or_fault(ask, lambda: lottery_checks(ask, lottery, _matrix(lottery), evidence.get("balance"))),
        evidence=evidence,
        smallest_detectable=smallest_detectable(known(primary.std_error)) if primary.is_estimated else None,
    )


def _curves(ask: Ask, lottery: Lottery, outcome: str) -> dict[str, pd.DataFrame]:
    """Return cumulative incidence by offer up to the last horizon that is reached; nothing where none is."""
    reached = [h for h in ask.study.horizons_months if len(observed_rows(lottery.rows, h))]
    return {"curves": itt_curves(lottery.rows, _kinds(outcome), max(reached))} if reached else {}


def _balance(lottery: Lottery) -> dict[str, pd.DataFrame]:
    """Return how alike those offered and those not are; nothing where nothing is recorded of them."""
    matrix = _matrix(lottery)
    if matrix is None:
        return {}
    treated = lottery.rows["is_offered"].to_numpy(dtype=bool)
    share = lottery.rows.groupby("stratum")["is_offered"].transform("mean").to_numpy()
    weights = np.where(treated, 1.0, share / (1 - share))
    return {"balance": balance(matrix, treated, weights, lottery.rows["employee_id"])}


def _matrix(lottery: Lottery) -> DesignMatrix | None:
    if not len(lottery.covariates.columns):
        return None
    rows = lottery.rows
    return design_matrix(lottery.covariates, rows["is_offered"].to_numpy(dtype=bool), people=rows["employee_id"])


def _event(rows: pd.DataFrame, outcome: str, month: int) -> np.ndarray:
    return (rows["outcome"].isin(_kinds(outcome)) & (rows["months"] <= month)).to_numpy()


def _refused_rows(ask: Ask, lottery: Lottery, outcome: str, month: int, reason: str) -> list[Estimate]:
    """Return the rows of a horizon where nothing causal can be said, the naive figure beside it."""
    rows = lottery.rows
    main = not_estimable(ask.question(outcome), ask.main_analysis, STRATIFIED, reason, horizon_months=month)
    return [main, *_participants_row(ask, rows, outcome, _event(rows, outcome, month), month)]


def _kinds(outcome: str) -> tuple[str, ...]:
    return CATALOGUE.outcome(outcome).kinds


def _lottery_rows(ask: Ask, lottery: Lottery, outcome: str, month: int, kinds: tuple[str, ...]) -> list[Estimate]:
    """Return the rows of one horizon, the intention-to-treat difference first."""
    rows, event = lottery.rows, _event(lottery.rows, outcome, month)
    comparison = offer(rows, event, month)
    question, analysis = ask.question(outcome), ask.main_analysis
    if comparison is None:
        reason = _not_observed(lottery, month)
        return [not_estimable(question, analysis, STRATIFIED, reason, horizon_months=month)]
    groups, told = _lottery_groups(rows, event, month), {"horizon_months": month}
    names = (ask.study.study, ask.program.id, ask.role, outcome, month, "lots")
    lots = lots_of(comparison, rng(*names))
    found = [estimated(question, analysis, STRATIFIED, randomized_difference(comparison, lots), groups, **told)]
    beside = {
        "risk_ratio": lambda: _ratio_row(
            ask, comparison, draw_lots(comparison.counts, rng(*names)), groups, outcome, month
        ),
        "wald_ratio": lambda: _complier_rows(ask, rows, comparison, event, lots, outcome, month),
        "days_and_hazards": lambda: _days_and_hazards(ask, as_weighted(lottery, kinds, month), outcome, month),
    }
    for name, make in beside.items():
        found += rows_or_fault(ask, name, make, "secondary", **told)
    return found + rows_or_fault(
        ask,
        STRATIFIED,
        lambda: _participants_row(ask, rows, outcome, event, month),
        "naive",
        estimand="association",
        **told,
    )


def _ratio_row(ask: Ask, comparison: Offer, lots: Lots, groups: Groups, outcome: str, month: int) -> list[Estimate]:
    """Return the ratio of risks by offer, where it has a value."""
    ratio, told = itt_ratio(comparison, lots), {"measure": "risk_ratio", "horizon_months": month}
    return [estimated(ask.question(outcome), "secondary", STRATIFIED, ratio, groups, **told)] if ratio else []


def _complier_rows(
    ask: Ask, rows: pd.DataFrame, comparison: Offer, event: np.ndarray, lots: Lots, outcome: str, month: int
) -> list[Estimate]:
    """Return the complier effect, starting being whether a person had started by the horizon, at whichever intake.

    A filter on analysis and measure finds one row a horizon: beside a main row that is secondary itself, the complier
    effect stands as a cross-check.
    """
    is_started = (rows["months_to_start"] < month).to_numpy()
    seen = (rows["months_observed"] >= month).to_numpy()
    covariance_of = arms_covariance if comparison.is_ample else lots_covariance
    covariance = covariance_of(rows[seen], np.array([event[seen], is_started[seen]], dtype=float))
    effect = complier_effect(comparison, known(offer(rows, is_started, month)), covariance, lots)
    analysis: Analysis = "secondary" if ask.main_analysis == "primary" else "sensitivity"
    told = {"measure": "risk_difference", "estimand": "CACE", "horizon_months": month}
    if isinstance(effect, str):
        return [not_estimable(ask.question(outcome), analysis, "wald_ratio", effect, **told)]
    groups = _lottery_groups(rows, event, month)
    return [estimated(ask.question(outcome), analysis, "wald_ratio", effect, groups, **told)]


def _days_and_hazards(ask: Ask, followed: WeightedFollowUp, outcome: str, month: int) -> list[Estimate]:
    """Return days employed, days lost and the hazard ratio by offer, strata weighted by the number offered."""
    arms = Arms.of(followed)
    measures = ["rmtl_difference_days"]
    if CATALOGUE.outcome(outcome).is_exit:
        measures.append("rmst_difference_days")
    rows = [
        event_row(ask, arms, outcome, month, "secondary", "stratified_aalen_johansen", measure) for measure in measures
    ]
    return [*rows, hazard_row(ask, followed, arms, outcome, month, "stratified_cox")]


def _participants_row(ask: Ask, rows: pd.DataFrame, outcome: str, event: np.ndarray, month: int) -> list[Estimate]:
    """Return the naive row: participants against non-participants among those offered, as a slide would show it.

    By intake, whatever the lots were drawn within.
    """
    offered = rows["is_offered"].to_numpy(dtype=bool)
    is_started, intake = rows["months_to_start"] < month, pd.factorize(rows["intake_date"])[0]
    chosen = rows.assign(is_offered=is_started, stratum=intake)[offered]
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


def _lottery_groups(rows: pd.DataFrame, event: np.ndarray, month: int) -> Groups:
    reached = (rows["months_observed"] >= month).to_numpy()
    offered = rows["is_offered"].to_numpy(dtype=bool)
    masks = (reached & offered, reached & ~offered, reached & offered & event, reached & ~offered & event)
    return Groups(*(int(rows.loc[mask, "employee_id"].nunique()) for mask in masks))
