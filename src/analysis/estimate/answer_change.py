"""H2 to H7 answered: scores before and after → the main row, what stands beside it, and the checks."""

import numpy as np
import pandas as pd

from analysis.design.balance import balance
from analysis.estimate.ask import UNTESTABLE, Ask, balance_check, finding, unanswered
from analysis.estimate.change import Adjusted, Changed, baseline_sd, naive_after, own_change, trajectories
from analysis.estimate.change_moderators import moderator_rows
from analysis.estimate.change_rows import (
    PLAIN,
    Measured,
    change_row,
    estimate_change,
    main_estimator,
)
from analysis.estimate.change_sensitivity import sensitivity_rows
from analysis.estimate.change_silent import STAYERS, silence_of
from analysis.estimate.change_trends import PARALLEL, trends_of
from analysis.estimate.inference import Interval, smallest_detectable
from analysis.estimate.rows import Groups, estimated, not_estimable
from analysis.plan.results import Check, Estimate, Finding


def answer_change(
    ask: Ask,
    main: Measured,
    others: tuple[Measured, ...] = (),
    sessions: np.ndarray | None = None,
    topics: pd.Series | None = None,
    checks: tuple[Check, ...] = (),
) -> Finding:
    """Return the answer for one scale: the main rater source, with everything that stands beside it.

    Parameters
    ----------
    others
        The other rater sources, each by itself as sensitivity.
    sessions, topics
        As in `estimate.change_moderators.moderator_rows`.
    checks
        Of how the scale was measured.
    """
    estimator = main_estimator(ask)
    if main.panel is None:
        return unanswered(ask, estimator, main.reason)
    evidence = {"flow": main.panel.flow}
    found = estimate_change(ask, main)
    primary = change_row(ask, main, found and found.interval, ask.main_analysis, estimator)
    if found is None:
        untestable = (STAYERS, UNTESTABLE[1]) if main.panel.is_randomized else (PARALLEL, STAYERS, UNTESTABLE[1])
        return finding(ask, primary, evidence=evidence, checks=untestable)
    evidence["trajectories"] = trajectories(main.panel, found.weights)
    trend_rows, trend_frames, trend_checks = _designed(ask, main, found, evidence)
    silent_rows, silent_frames, silent_checks = silence_of(ask, main)
    rows = [*_naive_rows(ask, main), _standardized(ask, main, found), *trend_rows]
    rows += sensitivity_rows(ask, main, found, others) + silent_rows
    if isinstance(found, Changed):
        rows += moderator_rows(ask, main, found, sessions, topics)
    return finding(
        ask,
        primary,
        alternatives=tuple(rows),
        evidence=evidence | trend_frames | silent_frames,
        checks=(*trend_checks, *checks, *silent_checks, UNTESTABLE[1]),
        smallest_detectable=smallest_detectable(primary.std_error),
    )


def _designed(ask: Ask, main: Measured, found: Adjusted, evidence: dict) -> tuple[list[Estimate], dict, list[Check]]:
    """Return what the design itself has to tell: balance and trends where nothing was randomized, else nothing."""
    if not isinstance(found, Changed):
        return [], {}, []
    treated, people = found.stack.treated[: len(found.weights)], main.panel.rows["employee_id"]
    evidence["balance"] = balance(found.matrix, treated, found.weights, people)
    rows, frames, checks = trends_of(ask, main, found)
    return rows, frames, [balance_check(evidence["balance"]), *checks]


def _naive_rows(ask: Ask, main: Measured) -> list[Estimate]:
    """Return what slides show: scores afterwards side by side, and the participants' own change.

    In the latter those who started are their own comparators, and are counted as such.
    """
    rows = main.panel.rows
    found = [change_row(ask, main, naive_after(main.panel).interval, "naive", PLAIN, estimand="association")]
    n = rows.loc[rows["is_treated"].astype(bool) & rows["before"].notna(), "employee_id"].nunique()
    if n < 2:
        return found
    naming = {"contrast": "after_vs_before", "estimand": "association"}
    question = ask.question(rater_source=main.rater_source)
    return [*found, estimated(question, "naive", "mean_change", own_change(main.panel), Groups(n, n), **naming)]


def _standardized(ask: Ask, main: Measured, found: Adjusted) -> Estimate:
    """Return the difference in standard deviations of the comparators at their last earlier wave, taken as fixed."""
    unit, points, estimator = baseline_sd(main.panel), found.interval, main_estimator(ask)
    changes = {"measure": "standardized_mean_difference"}
    if not np.isfinite(unit) or unit == 0:
        reason = "Earlier scores do not vary, so there is no unit to standardize by."
        question = ask.question(rater_source=main.rater_source)
        return not_estimable(question, "secondary", estimator, reason, **changes)
    scaled = (value / unit for value in (points.estimate, points.std_error, points.low, points.high))
    return change_row(ask, main, Interval(*scaled, points.p_value), "secondary", estimator, **changes)
