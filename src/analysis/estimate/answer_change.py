"""H2 to H7 answered: scores before and after → the main row, what stands beside it, and the checks."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.design.balance import balance, effective_sample_size
from analysis.estimate.ask import UNTESTABLE, Ask, finding, unanswered
from analysis.estimate.change import Adjusted, Changed, baseline_sd, naive_after, own_change, trajectories
from analysis.estimate.change_moderators import moderator_rows
from analysis.estimate.change_rows import (
    PLAIN,
    Measured,
    change_row,
    estimate_change,
    its_interval,
    main_estimator,
)
from analysis.estimate.change_sensitivity import sensitivity_rows
from analysis.estimate.change_silent import STAYERS, silence_of
from analysis.estimate.change_trends import PARALLEL, trends_of
from analysis.estimate.diagnostics import balance_check
from analysis.estimate.faulted import Beside, beside_or_fault, frames_or_fault, rows_or_fault
from analysis.estimate.inference import Interval, smallest_detectable
from analysis.estimate.rows import Groups, estimated, not_estimable
from analysis.plan.known import known
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
    panel = main.panel
    if panel is None:
        return unanswered(ask, estimator, main.reason)
    evidence, source = {"flow": panel.flow}, _source(main)
    found = estimate_change(ask, main)
    primary = change_row(ask, main, its_interval(found), ask.main_analysis, estimator)
    if found is None:
        untestable = (STAYERS, UNTESTABLE[1]) if panel.is_randomized else (PARALLEL, STAYERS, UNTESTABLE[1])
        return finding(ask, primary, evidence=evidence, checks=untestable)
    evidence |= frames_or_fault(ask, "trajectories", lambda: {"trajectories": trajectories(panel, found.weights)})
    trend_rows, trend_frames, trend_checks = _designed(ask, main, found)
    silent_rows, silent_frames, silent_checks = beside_or_fault(ask, "silent", lambda: silence_of(ask, main), **source)
    rows = rows_or_fault(ask, PLAIN, lambda: _naive_rows(ask, main), "naive", estimand="association", **source)
    rows += rows_or_fault(ask, "standardized", lambda: [_standardized(ask, main, found)], "secondary", **source)
    rows += trend_rows
    rows += rows_or_fault(ask, "sensitivity", lambda: sensitivity_rows(ask, main, found, others), **source)
    rows += silent_rows
    if isinstance(found, Changed):
        rows += rows_or_fault(
            ask, "moderators", lambda: moderator_rows(ask, main, found, sessions, topics), "secondary", **source
        )
    return finding(
        ask,
        primary,
        alternatives=tuple(rows),
        evidence=evidence | trend_frames | silent_frames,
        checks=(*trend_checks, *checks, *silent_checks, UNTESTABLE[1]),
        smallest_detectable=smallest_detectable(known(primary.std_error)),
    )


def _source(main: Measured) -> dict[str, Any]:
    """Return the naming column that a fault's rows share with the main row."""
    return {"rater_source": main.rater_source}


def _designed(ask: Ask, main: Measured, found: Adjusted) -> Beside:
    """Return what the design itself has to tell: balance and trends where nothing was randomized, else nothing."""
    if not isinstance(found, Changed):
        return [], {}, []
    source, people = _source(main), pd.factorize(known(main.panel).rows["employee_id"])[0]
    treated = found.stack.treated[: len(found.weights)]

    def balanced() -> Beside:
        alike = balance(found.matrix, treated, found.weights, people)
        worth = effective_sample_size(found.weights[~treated], people[~treated])
        return [], {"balance": alike}, [balance_check(alike, len(set(people[treated])), worth)]

    rows, frames, checks = beside_or_fault(ask, "balance", balanced, **source)
    trends = beside_or_fault(ask, "trends", lambda: trends_of(ask, main, found), **source)
    return rows + trends[0], frames | trends[1], [*checks, *trends[2]]


def _naive_rows(ask: Ask, main: Measured) -> list[Estimate]:
    """Return what slides show: scores afterwards side by side, and the participants' own change.

    In the latter those who started are their own comparators, and are counted as such.
    """
    panel = known(main.panel)
    rows, naive = panel.rows, naive_after(panel).interval
    found = [change_row(ask, main, naive, "naive", PLAIN, estimand="association")]
    n = rows.loc[rows["is_treated"].astype(bool) & rows["before"].notna(), "employee_id"].nunique()
    if n < 2:
        return found
    naming = {"contrast": "after_vs_before", "estimand": "association"}
    question = ask.question(rater_source=main.rater_source)
    return [*found, estimated(question, "naive", "mean_change", own_change(panel), Groups(n, n), **naming)]


def _standardized(ask: Ask, main: Measured, found: Adjusted) -> Estimate:
    """Return the difference in standard deviations of the comparators at their last earlier wave, taken as fixed."""
    unit, points, estimator = baseline_sd(known(main.panel)), found.interval, main_estimator(ask)
    changes = {"measure": "standardized_mean_difference"}
    if not np.isfinite(unit) or unit == 0:
        reason = "Earlier scores do not vary, so there is no unit to standardize by."
        question = ask.question(rater_source=main.rater_source)
        return not_estimable(question, "secondary", estimator, reason, **changes)
    estimate, error, low, high = (v / unit for v in (points.estimate, points.std_error, points.low, points.high))
    scaled = Interval(estimate, error, low, high, points.p_value)
    return change_row(ask, main, scaled, "secondary", estimator, **changes)
