"""H1 answered: trials or a lottery → the main row, what stands beside it, and the checks."""

import numpy as np
import pandas as pd

from analysis.design.covariates import design_matrix
from analysis.design.lottery import Lottery
from analysis.design.trials import Trials
from analysis.design.weights import balance
from analysis.estimate.ask import UNTESTABLE, Ask, balance_check, finding, unanswered
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
from analysis.estimate.retention import (
    ANY_EXIT,
    KINDS,
    Arms,
    WeightedTrials,
    curves,
    difference,
    ratio,
    unweighted_arms,
    weigh_trials,
)
from analysis.estimate.rows import Groups, estimated, not_estimable, suppressed
from analysis.measure.employment import MAX_UNKNOWN_EXITS, unknown_exit_share
from analysis.plan.results import Check, Estimate, Finding
from analysis.plan.seeds import rng

WEIGHTED, PLAIN, STRATIFIED = "iptw_aalen_johansen", "aalen_johansen", "stratified_difference_in_proportions"


def retention_outcome(employees: pd.DataFrame) -> str:
    """Return the primary outcome: voluntary exit, or any exit where too many exits are of unknown kind."""
    return ANY_EXIT if unknown_exit_share(employees) > MAX_UNKNOWN_EXITS else "voluntary_exit"


def retention_by_trials(ask: Ask, trials: Trials, ever: pd.DataFrame, outcome: str) -> Finding:
    """Return H1 for a program that people choose or that is rolled out: the ATT from target trials.

    Parameters
    ----------
    ever
        As from `design.dashboard.ever_vs_never`.
    outcome
        As from `retention_outcome`.
    """
    evidence = {"flow": trials.flow}
    if not trials.rows["is_treated"].any():
        if 0 < trials.flow["n_people"].iloc[0] < ask.study.min_cell:
            row = suppressed(ask.question(outcome), "primary", WEIGHTED, ask.study.min_cell)
            return finding(ask, row, evidence=evidence)
        return unanswered(ask, WEIGHTED, _why_no_trial(trials), outcome, evidence=evidence, checks=UNTESTABLE)
    months = max(ask.study.horizons_months)
    weighed = weigh_trials(trials, months)
    plain, dashboard = unweighted_arms(trials.rows, months), unweighted_arms(ever, months)
    first, *later = ask.study.horizons_months
    primary = _risk_row(ask, weighed.arms, outcome, first, "primary", WEIGHTED)
    rows = [
        _risk_row(ask, dashboard, outcome, h, "naive", PLAIN, contrast="ever_vs_never", estimand="association")
        for h in ask.study.horizons_months
    ]
    rows += [
        _risk_row(ask, plain, outcome, h, "naive", PLAIN, estimand="association") for h in ask.study.horizons_months
    ]
    rows += [_risk_row(ask, weighed.arms, outcome, h, "secondary", WEIGHTED) for h in later]
    rows += [_ratio_row(ask, weighed.arms, outcome, h) for h in ask.study.horizons_months]
    control = None
    if outcome != ANY_EXIT:
        rows.append(_risk_row(ask, weighed.arms, ANY_EXIT, first, "sensitivity", WEIGHTED))
        control = _risk_row(ask, weighed.arms, "involuntary_exit", first, "negative_control", WEIGHTED)
        rows.append(control)
    shown = max((h for h in ask.study.horizons_months if _short(ask, weighed.arms, h) is None), default=None)
    if shown:
        picture = curves(weighed.arms, outcome)
        evidence |= {"curves": picture[picture["months"] <= shown]}
    evidence |= {"balance": weighed.balance, "overlap": weighed.overlap}
    return finding(
        ask,
        primary,
        alternatives=tuple(rows),
        checks=_checks(weighed, control),
        evidence=evidence,
        smallest_detectable=smallest_detectable(primary.std_error) if primary.is_estimated else None,
    )


def _why_no_trial(trials: Trials) -> str:
    counts = trials.flow.set_index("step")["n_people"]
    if counts["started"] == 0:
        return "Nobody has a start date in this role, so there is nobody whose retention could be compared."
    if counts["no colleague to compare with that day"] > 0:
        return (
            "Everyone eligible started on the same day, so there was never a colleague to compare with; a later "
            "start for some units, or a lottery, would have left a comparison."
        )
    return "Nobody who started was employed, eligible and not under notice on the day of the start."


def _short(ask: Ask, arms: Arms, month: int) -> str | None:
    """Return why `month` cannot be read off, or None: too few people have been followed so far in an arm."""
    least = ask.study.min_cell
    n_treated, n_control = arms.n_followed["treated"][month], arms.n_followed["control"][month]
    if min(n_treated, n_control) >= least:
        return None
    who = "those who started" if n_treated < least else "their comparators"
    return (
        f"Fewer than {least} of {who} could be followed for {month} months before the data end or the comparison "
        f"ends; an answer needs a later data lock or a comparison that lasts longer."
    )


def _groups(arms: Arms, outcome: str, month: int) -> Groups:
    return Groups(
        arms.treated.n_people,
        arms.control.n_people,
        int(arms.treated.events[outcome][month]),
        int(arms.control.events[outcome][month]),
    )


def _risk_row(ask: Ask, arms: Arms, outcome: str, month: int, analysis: str, estimator: str, **changes) -> Estimate:
    question, changes = ask.question(outcome), {"horizon_months": month} | changes
    empty = _row_without_number(ask, arms, question, month, analysis, estimator, changes)
    if empty:
        return empty
    if arms.treated.events[outcome][month] + arms.control.events[outcome][month] == 0:
        reason = f"No such exit in either arm within {month} months."
        return not_estimable(question, analysis, estimator, reason, **changes)
    interval = difference(arms, outcome, month)
    return estimated(question, analysis, estimator, interval, _groups(arms, outcome, month), **changes)


def _ratio_row(ask: Ask, arms: Arms, outcome: str, month: int) -> Estimate:
    question, changes = ask.question(outcome), {"horizon_months": month, "measure": "risk_ratio"}
    empty = _row_without_number(ask, arms, question, month, "secondary", WEIGHTED, changes)
    interval = ratio(arms, outcome, month)
    if not empty and not interval:
        reason = "No such exit in one of the arms: a ratio has no value."
        return not_estimable(question, "secondary", WEIGHTED, reason, **changes)
    return empty or estimated(question, "secondary", WEIGHTED, interval, _groups(arms, outcome, month), **changes)


def _row_without_number(ask, arms, question, month, analysis, estimator, changes) -> Estimate | None:
    """Return the row when a group is too small to speak of or too few could be followed; None otherwise."""
    if min(arms.treated.n_people, arms.control.n_people) < ask.study.min_cell:
        return suppressed(question, analysis, estimator, ask.study.min_cell, **changes)
    reason = _short(ask, arms, month)
    return not_estimable(question, analysis, estimator, reason, **changes) if reason else None


def _checks(weighed: WeightedTrials, control: Estimate | None) -> tuple[Check, ...]:
    size, n_treated = weighed.arms.control.n_effective, weighed.arms.treated.n_people
    checks = [
        balance_check(weighed.balance),
        Check(
            "overlap",
            bool(size >= n_treated),
            float(size),
            float(n_treated),
            f"The weighted comparators are worth {size:,.0f} people, against {n_treated:,} who started.",
        ),
    ]
    if control is not None and control.is_estimated:
        quiet = control.ci_low <= 0 <= control.ci_high
        checks.append(
            Check(
                "negative control: dismissals",
                bool(quiet),
                control.estimate,
                0.0,
                "The program should not change who is dismissed, and the interval for dismissals "
                + ("includes no difference." if quiet else "excludes no difference: the arms may differ."),
            )
        )
    return (*checks, *UNTESTABLE)


def retention_by_lottery(ask: Ask, lottery: Lottery, outcome: str) -> Finding:
    """Return H1 under a lottery: intention-to-treat at every horizon, the complier effect, and the naive figure."""
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
    primary, *alternatives = [row for h in ask.study.horizons_months for row in _lottery_rows(ask, lottery, outcome, h)]
    reached = [h for h in ask.study.horizons_months if len(observed_rows(rows, h)) and h <= lottery.waitlist_months]
    if reached:
        evidence["curves"] = itt_curves(rows, _kinds(outcome), max(reached))
    treated = rows["is_offered"].to_numpy(dtype=bool)
    if len(lottery.covariates.columns):
        share = rows.groupby("stratum")["is_offered"].transform("mean").to_numpy()
        evidence["balance"] = balance(
            design_matrix(lottery.covariates, treated), treated, np.where(treated, 1.0, share / (1 - share))
        )
    return finding(
        ask,
        primary,
        alternatives=tuple(alternatives),
        checks=_lottery_checks(lottery, evidence),
        evidence=evidence,
        smallest_detectable=smallest_detectable(primary.std_error) if primary.is_estimated else None,
    )


def _kinds(outcome: str) -> tuple[str, ...]:
    return KINDS if outcome == ANY_EXIT else (outcome,)


def _lottery_rows(ask: Ask, lottery: Lottery, outcome: str, month: int) -> list[Estimate]:
    """Return the rows of one horizon, the intention-to-treat difference first."""
    rows = lottery.rows
    event = (rows["outcome"].isin(_kinds(outcome)) & (rows["months"] <= month)).to_numpy()
    comparison = offer(rows, event, month)
    question = ask.question(outcome)
    reason = _lottery_reason(lottery, comparison, month)
    if reason:
        return [not_estimable(question, "primary", STRATIFIED, reason, horizon_months=month)]
    groups = _lottery_groups(rows, event, month)
    p = randomization_p(comparison.counts, rng(ask.study.study, ask.program.id, ask.role, outcome, month, "lots"))
    found = [estimated(question, "primary", STRATIFIED, itt_difference(comparison, p), groups, horizon_months=month)]
    started = offer(rows, rows["is_started"].to_numpy(), month)
    effects = [
        ("risk_ratio", "ITT", STRATIFIED, itt_ratio(comparison, p)),
        ("risk_difference", "CACE", "wald_ratio", complier_effect(comparison, started)),
    ]
    found += [
        estimated(
            question, "secondary", estimator, interval, groups, measure=measure, estimand=estimand, horizon_months=month
        )
        for measure, estimand, estimator, interval in effects
        if interval
    ]
    return [*found, *_participants_row(ask, rows, outcome, event, month)]


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
