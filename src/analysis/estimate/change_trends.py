"""Did both groups move alike before the start, and what follows if they did not: the event study and its bounds."""

from dataclasses import replace

import pandas as pd

from analysis.estimate.ask import Ask
from analysis.estimate.change import Changed
from analysis.estimate.change_rows import DID, Measured, groups
from analysis.estimate.event_study import Curve, band, event_curve, pre_trend
from analysis.estimate.honest import HonestBounds
from analysis.estimate.inference import Interval, from_limits
from analysis.estimate.rows import estimated
from analysis.estimate.staggered import effects
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
ALPHA = 0.05
NO_EARLIER = (
    "Before the starts there are not two waves that enough people answered, so earlier trends cannot be compared."
)


def trends_of(ask: Ask, measured: Measured, changed: Changed) -> tuple[list[Estimate], dict, list[Check]]:
    """Return the rows, the frames and the checks that waves before the start have to tell."""
    curve = event_curve(changed.stack, changed.stack_weights, ask.study.min_cell)
    rows, evidence = _placebo(ask, measured, changed), {}
    shown = [row for row in rows if min(row.n_treated, row.n_control) >= ask.study.min_cell]
    checks = [_quiet(shown[0] if shown else None), *_joint(curve), PARALLEL]
    if curve is not None:
        seed = rng(ask.study.study, ask.program.id, ask.role, ask.hypothesis.id, measured.rater_source or "", "band")
        evidence["event_study"] = _with_sizes(band(curve, seed), measured)
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
    before = measured.earlier.rows
    # The event study shows the earlier wave against the base; a reader thinks of the change from it to the base.
    turned = found.interval(0)
    interval = Interval(-turned.estimate, turned.std_error, -turned.high, -turned.low, turned.p_value)
    naming = {"contrast": "enrolled_vs_not_before_start", "horizon_months": None}
    question = ask.question(rater_source=measured.rater_source)
    sizes = groups(before[before["wave_position"] == -1])
    return [estimated(question, "negative_control", DID, interval, sizes, **naming)]


def _quiet(control: Estimate | None) -> Check:
    name = "no difference before the start"
    if control is None:
        return Check(name, None, None, None, NO_EARLIER)
    quiet = control.ci_low <= 0 <= control.ci_high
    found = "includes zero." if quiet else "excludes zero: the two groups were already drifting apart."
    sentence = (
        "Between the two waves before the start, when the program could change nothing, the interval for the "
        f"difference in change {found}"
    )
    return Check(name, bool(quiet), round(control.estimate, 6), 0.0, sentence)


def _joint(curve: Curve | None) -> list[Check]:
    """Return the test of all waves before the start together, where there are several."""
    found = None if curve is None or (curve.positions < 0).sum() < 2 else pre_trend(curve)
    if found is None:
        return []
    passed = found.p_value >= ALPHA
    sentence = (
        f"Over all {found.df_numerator} waves before the last one before the start together, the groups "
        f"{'did not drift apart by more than chance' if passed else 'had drifted apart by more than chance'} "
        f"(p = {found.p_value:.3f})."
    )
    return [Check("no drift over all earlier waves", bool(passed), found.p_value, ALPHA, sentence)]


def _with_sizes(curve: pd.DataFrame, measured: Measured) -> pd.DataFrame:
    """Return the curve with the people behind each point, and the base, which is zero by definition."""
    panels = [p.rows for p in (measured.panel, measured.earlier) if p is not None]
    rows = pd.concat([r[["wave_position", "employee_id", "is_treated"]] for r in panels], ignore_index=True)
    arm = rows["is_treated"].astype(bool).map({True: "n_treated", False: "n_control"})
    sizes = rows.groupby(["wave_position", arm])["employee_id"].nunique().unstack()
    known = curve.merge(sizes, left_on="position", right_index=True, how="left")
    base = pd.DataFrame([{"position": 0, "estimate": 0.0}])
    return pd.concat([known, base], ignore_index=True).sort_values("position", ignore_index=True)


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
        groups(measured.panel.rows),
    )
    return replace(row, p_value=None)
