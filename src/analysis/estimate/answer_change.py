"""H2 and H3 answered: paired scores → the main row, what stands beside it, and the checks."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.panels import Panel
from analysis.estimate.ask import UNTESTABLE, Ask, balance_check, finding, unanswered
from analysis.estimate.change import Adjusted, baseline_sd, did_change, itt_score, naive_after, trajectories
from analysis.estimate.inference import Interval, smallest_detectable
from analysis.estimate.rows import Groups, estimated, not_estimable, suppressed
from analysis.plan.results import Check, Estimate, Finding
from analysis.plan.seeds import rng

DID, ANCOVA, PLAIN = "dr_did", "ancova", "difference_in_means"

PARALLEL = Check(
    "parallel trends",
    None,
    None,
    None,
    "It is assumed that without the program those who started would have changed as much as their "
    "comparators did; earlier waves can make this doubtful, never prove it.",
)
STAYERS = Check(
    "leavers never answer",
    None,
    None,
    None,
    "Scores exist only for those who stayed and answered; if the program changes who stays or answers, the "
    "comparison shifts with it.",
)


@dataclass(frozen=True)
class Measured:
    """What a scale question is answered from.

    Attributes
    ----------
    panel
        Paired scores; None where there are no scores, with `reason`.
    placebo
        The pair of waves before the start, or None.
    rater_source
        Whose scores they are, for leadership; None otherwise.
    """

    panel: Panel | None
    placebo: Panel | None = None
    rater_source: str | None = None
    reason: str = ""


def answer_change(ask: Ask, main: Measured, others: tuple[Measured, ...] = ()) -> Finding:
    """Return the answer for one scale: the main rater source, with the other sources beside it as sensitivity.

    Under a lottery the baseline-adjusted intention-to-treat difference, otherwise the doubly robust
    difference-in-differences.
    """
    randomized = ask.program.assignment in ("lottery", "waitlist")
    estimator = ANCOVA if randomized else DID
    if main.panel is None:
        return unanswered(ask, estimator, main.reason)
    evidence = {"flow": main.panel.flow}
    adjusted, balance = _estimate(ask, main.panel)
    primary = _row(ask, main, adjusted, "primary", estimator)
    if adjusted is None:
        return finding(ask, primary, evidence=evidence, checks=_checks(randomized, None, None))
    control = _placebo(ask, main)
    alternatives = [
        _row(
            ask,
            main,
            _attempt(naive_after, main.panel),
            "naive",
            PLAIN,
            contrast=primary.contrast,
            estimand="association",
        ),
        _standardized(ask, main, adjusted, estimator),
    ]
    alternatives += [control] if control is not None else []
    alternatives += [
        _row(ask, other, _estimate(ask, other.panel)[0], "sensitivity", estimator)
        for other in others
        if other.panel is not None
    ]
    evidence["trajectories"] = trajectories(main.panel, adjusted.weights)
    if balance is not None:
        evidence["balance"] = balance
    return finding(
        ask,
        primary,
        alternatives=tuple(alternatives),
        evidence=evidence,
        checks=_checks(randomized, control, balance),
        smallest_detectable=smallest_detectable(primary.std_error) if primary.is_estimated else None,
    )


def _has_both_arms(panel: Panel) -> bool:
    counts = panel.rows.groupby("is_treated")["employee_id"].nunique()
    return len(counts) == 2 and counts.min() >= 2


def _attempt(estimator, panel: Panel) -> Adjusted | None:
    return estimator(panel) if _has_both_arms(panel) else None


def _estimate(ask: Ask, panel: Panel) -> tuple[Adjusted | None, pd.DataFrame | None]:
    if not _has_both_arms(panel):
        return None, None
    if ask.program.assignment in ("lottery", "waitlist"):
        return itt_score(panel, rng(ask.study.study, ask.program.id, ask.role, ask.hypothesis.id, "lots")), None
    return did_change(panel, by_unit=ask.program.assignment == "rollout")


def _groups(panel: Panel) -> Groups:
    counts = panel.rows.groupby("is_treated")["employee_id"].nunique()
    return Groups(int(counts.get(True, 0)), int(counts.get(False, 0)))


def _row(ask: Ask, measured: Measured, adjusted: Adjusted | None, analysis: str, estimator: str, **changes) -> Estimate:
    question = ask.question(rater_source=measured.rater_source)
    if adjusted is None:
        present = measured.panel.flow.loc[0, ["n_treated", "n_control"]]
        if ((present > 0) & (present < ask.study.min_cell)).any():
            return suppressed(question, analysis, estimator, ask.study.min_cell, **changes)
        reason = _why_no_pairs(measured.panel, ask.study.horizons_months[0])
        return not_estimable(question, analysis, estimator, reason, **changes)
    return estimated(question, analysis, estimator, adjusted.interval, _groups(measured.panel), **changes)


def _why_no_pairs(panel: Panel, horizon: int) -> str:
    counts = panel.flow.set_index("step")
    if counts.loc["in the comparison", "n_treated"] == 0:
        return (
            f"No wave opens within {horizon} months after a start with another wave closed before it, so nobody who "
            "started has a score before and after; a wave before the program begins would have been needed."
        )
    return (
        "Too few people of both groups answered before and after to compare them; more people, or a survey that is "
        "linked to its earlier waves, would be needed."
    )


def _standardized(ask: Ask, measured: Measured, adjusted: Adjusted, estimator: str) -> Estimate:
    """Return the difference in standard deviations of the comparators at their last earlier wave, taken as fixed."""
    unit, points = baseline_sd(measured.panel), adjusted.interval
    question, changes = ask.question(rater_source=measured.rater_source), {"measure": "standardized_mean_difference"}
    if not np.isfinite(unit) or unit == 0:
        return not_estimable(
            question,
            "secondary",
            estimator,
            "Earlier scores do not vary, so there is no unit to standardize by.",
            **changes,
        )
    scaled = Interval(
        points.estimate / unit, points.std_error / unit, points.low / unit, points.high / unit, points.p_value
    )
    return estimated(question, "secondary", estimator, scaled, _groups(measured.panel), **changes)


def _placebo(ask: Ask, measured: Measured) -> Estimate | None:
    """Return the same comparison over the two waves before the start, when nothing can have changed yet."""
    if measured.placebo is None or not _has_both_arms(measured.placebo):
        return None
    adjusted, _ = did_change(measured.placebo, by_unit=ask.program.assignment == "rollout")
    return estimated(
        ask.question(rater_source=measured.rater_source),
        "negative_control",
        DID,
        adjusted.interval,
        _groups(measured.placebo),
        contrast="enrolled_vs_not_before_start",
        horizon_months=None,
    )


def _checks(randomized: bool, control: Estimate | None, balance: pd.DataFrame | None) -> tuple[Check, ...]:
    if randomized:
        return (STAYERS, UNTESTABLE[1])
    if control is None:
        before = Check(
            "no difference before the start",
            None,
            None,
            None,
            "There are not two waves before the starts, so earlier trends cannot be compared.",
        )
    else:
        quiet = control.ci_low <= 0 <= control.ci_high
        before = Check(
            "no difference before the start",
            bool(quiet),
            control.estimate,
            0.0,
            "Between the two waves before the start, when the program could change nothing, the interval for "
            + (
                "the difference in change includes zero."
                if quiet
                else "the difference in change excludes zero: the two groups were already drifting apart."
            ),
        )
    weighted = () if balance is None else (balance_check(balance),)
    return (*weighted, before, PARALLEL, STAYERS, UNTESTABLE[1])
