"""Did both groups move alike before the start, and what follows if they did not: the event study and its bounds."""

from dataclasses import replace

import pandas as pd

from analysis.estimate.ask import Ask
from analysis.estimate.change import Changed
from analysis.estimate.change_rows import DID, Measured, groups
from analysis.estimate.diagnostics import Trend, judge_trend, trend_check
from analysis.estimate.event_study import Curve, band, event_curve, pre_trend
from analysis.estimate.honest import HonestBounds
from analysis.estimate.inference import Interval, from_limits
from analysis.estimate.rows import estimated
from analysis.estimate.staggered import effects
from analysis.plan.known import known
from analysis.plan.results import Check, Estimate
from analysis.plan.seeds import rng

PARALLEL = Check(
    "parallel trends",
    None,
    None,
    None,
    "It is assumed that without the program those who started would have changed as much as their "
    "comparators did; earlier waves can make this doubtful, never prove it.",
)
MAGNITUDES = (0.0, 0.5, 1.0, 1.5, 2.0)


def trends_of(ask: Ask, measured: Measured, changed: Changed) -> tuple[list[Estimate], dict, list[Check]]:
    """Return the rows, the frames and the checks that waves before the start have to tell."""
    curve = event_curve(changed.stack, changed.stack_weights, ask.study.min_cell)
    rows, evidence = _placebo(ask, measured, changed), {}
    trend = Trend("no_waves")
    if curve is not None:
        seed = rng(ask.study.study, ask.program.id, ask.role, ask.hypothesis.id, measured.rater_source or "", "band")
        evidence["event_study"] = _with_sizes(band(curve, seed), measured)
        before = _told_before(evidence["event_study"], ask.study.min_cell)
        joint = pre_trend(curve) if len(before) > 1 else None
        trend = judge_trend(before, None if joint is None else joint.p_value, ask.smallest_effect)
    checks = [trend_check(trend, ask.smallest_effect), PARALLEL]
    bounds = _honest(curve)
    if bounds is not None:
        evidence["honest"] = pd.DataFrame(
            [("relative_magnitudes", at, *bounds.relative_magnitudes(at)) for at in MAGNITUDES],
            columns=["restriction", "limit", "low", "high"],
        )
        rows.append(_honest_row(ask, measured, bounds))
    return rows, evidence, checks


def _placebo(ask: Ask, measured: Measured, changed: Changed) -> list[Estimate]:
    """Return the same comparison over the two waves before the start, when nothing can have changed yet."""
    stack, chosen = changed.stack, changed.stack.position == -1
    if not chosen.any():
        return []
    found = effects(stack, changed.stack_weights, chosen.astype(int) - 1)
    if found.n_clusters[0] < 2:
        return []
    before = known(measured.earlier).rows
    # The event study shows the earlier wave against the base; a reader thinks of the change from it to the base.
    turned = found.interval(0)
    interval = Interval(-turned.estimate, turned.std_error, -turned.high, -turned.low, turned.p_value)
    naming = {"contrast": "enrolled_vs_not_before_start", "horizon_months": None}
    question = ask.question(rater_source=measured.rater_source)
    sizes = groups(before[before["wave_position"] == -1])
    return [estimated(question, "negative_control", DID, interval, sizes, **naming)]


def _told_before(curve: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return the waves before the start of which both groups are large enough to be told of."""
    is_told = curve[["n_treated", "n_control"]].fillna(0).min(axis="columns") >= min_cell
    return curve[(curve["position"] < 0) & is_told]


def _with_sizes(curve: pd.DataFrame, measured: Measured) -> pd.DataFrame:
    """Return the curve with the people behind each point, and the base, which is zero by definition."""
    panels = [p.rows for p in (measured.panel, measured.earlier) if p is not None]
    rows = pd.concat([r[["wave_position", "employee_id", "is_treated"]] for r in panels], ignore_index=True)
    arm = rows["is_treated"].astype(bool).map({True: "n_treated", False: "n_control"})
    sizes = rows.groupby(["wave_position", arm])["employee_id"].nunique().unstack()
    sized = curve.merge(sizes, left_on="position", right_index=True, how="left")
    base = pd.DataFrame([{"position": 0, "estimate": 0.0}])
    return pd.concat([sized, base], ignore_index=True).sort_values("position", ignore_index=True)


def _honest(curve: Curve | None) -> HonestBounds | None:
    if curve is None or -1 not in curve.positions or not (curve.positions > 0).any():
        return None
    return HonestBounds(curve)


def _honest_row(ask: Ask, measured: Measured, bounds: HonestBounds) -> Estimate:
    """Return the mean effect of the waves that may be shown, allowing a drift as large as the largest before the start.

    From wave to wave, each wave after the start (Rambachan & Roth 2023: relative magnitudes, limit 1). The interval
    need not be centred on the estimate; a p-value has no meaning for it.
    """
    low, high = bounds.relative_magnitudes(1.0)
    interval = from_limits(bounds.mean, low, high)
    row = estimated(
        ask.question(rater_source=measured.rater_source),
        "sensitivity",
        "honest_did",
        interval,
        groups(known(measured.panel).rows),
    )
    return replace(row, p_value=None)
