"""H1 answered from target trials: the main row, what stands beside it, and the checks."""

import pandas as pd

from analysis.design.trials import Trials
from analysis.estimate.ask import UNTESTABLE, Ask, balance_check, finding, unanswered
from analysis.estimate.inference import smallest_detectable
from analysis.estimate.retention import (
    ANY_EXIT,
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

WEIGHTED, PLAIN = "iptw_aalen_johansen", "aalen_johansen"


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
            "On no start day was there an eligible colleague left who had not started (in a rollout: in a unit not yet "
            "reached); a later start for some units, or a lottery, would have left a comparison."
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
