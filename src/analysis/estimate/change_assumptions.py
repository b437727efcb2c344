"""What a change of scores takes for granted: like trends before the start, that the silent hide nothing, and the scale.

Trends by the event study and its bounds, the silent and the leavers by weights, bounds and deltas; that the scores mean
the same from wave to wave and every item points the same way, by how the scale was measured.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.design.response import Asked, asked_of, response_balance, response_flow, response_weights
from analysis.estimate.analyses import Frames, Groups, Numbers, Row
from analysis.estimate.by_scores import ByScores, ScaleScores, covariates_of, groups, main_estimator
from analysis.estimate.change import baseline_sd
from analysis.estimate.diagnostics import Trend, judge_trend, trend_check
from analysis.estimate.event_study import HonestBounds, band, event_curve, pre_trend
from analysis.estimate.inference import Interval, from_limits
from analysis.estimate.lee_bounds import MONOTONE, NOT_RANDOMIZED, Bounds, lee_bounds
from analysis.estimate.nonresponse import invited_rows, once, response_weighted_change, silent_sensitivity
from analysis.estimate.staggered import effects
from analysis.measure.invariance import CFI_FALL
from analysis.measure.items import LEAST_PEOPLE, Keying, said_of
from analysis.plan.faults import known
from analysis.plan.results import Check

PARALLEL = Check.untestable(
    "parallel trends",
    "It is assumed that without the program those who started would have changed as much as their "
    "comparators did; earlier waves can make this doubtful, never prove it.",
)
MAGNITUDES = (0.0, 0.5, 1.0, 1.5, 2.0)
STAYERS = Check.untestable(
    "leavers never answer",
    "Scores exist only for those who stayed and answered; if the program changes who stays or answers, the "
    "comparison shifts with it.",
)
ALIKE = 0.10
# In standard deviations of the comparators' earlier scores.
DELTAS = np.linspace(-1.5, 1.5, 41)
COMPARABLE = "the scale measures the same in every wave"
NEEDED = ("configural", "metric", "scalar")
MEANING = {
    "configural": "the items do not hang together as one scale",
    "metric": "the items do not weigh alike in every wave",
    "scalar": "an item became easier or harder to agree with between waves, whatever people feel",
}
SAME_DIRECTION = "every item points the same way"
UNTOLD = (
    f"Whether every item points the same way cannot be tested: fewer than {LEAST_PEOPLE} people answered the whole "
    "scale on one wave, or it has a single item."
)


def trends(c: ByScores) -> Iterator[Row | Check | Frames]:
    """Yield what waves before the start have to tell."""
    yield from _placebo(c)
    curve, trend = event_curve(c.changed.stack, c.changed.stack_weights, c.question.study.min_cell), Trend("no_waves")
    if curve is not None:
        shown = _with_sizes(band(curve, c.question.rng(*_named(c), "band")), c.main)
        before = _told_before(shown, c.question.study.min_cell)
        joint = pre_trend(curve) if len(before) > 1 else None
        trend = judge_trend(before, None if joint is None else joint.p_value, c.question.smallest_effect)
        yield {"event_study": shown}
    yield trend_check(trend, c.question.smallest_effect)
    yield PARALLEL
    if curve is not None and -1 in curve.positions and (curve.positions > 0).any():
        yield from _honest(c, HonestBounds(curve))


def _named(c: ByScores) -> tuple[str, str]:
    return c.question.hypothesis.id, c.main.rater_source or ""


def _placebo(c: ByScores) -> Iterator[Row]:
    """Yield the same comparison over the two waves before the start, when nothing can have changed yet."""
    stack, chosen = c.changed.stack, c.changed.stack.position == -1
    if not chosen.any():
        return
    found = effects(stack, c.changed.stack_weights, chosen.astype(int) - 1)
    if found.n_clusters[0] < 2 or not found.has_error[0]:
        return
    before = known(c.main.earlier).rows
    # The event study shows the earlier wave against the base; a reader thinks of the change from it to the base.
    turned = found.interval(0)
    interval = Interval(-turned.estimate, turned.std_error, -turned.high, -turned.low, turned.p_value)
    naming = {"contrast": "enrolled_vs_not_before_start", "horizon_months": None}
    naming |= {"analysis": "negative_control", "estimator": main_estimator(c.question)}
    yield Row(Numbers(interval, groups(before[before["wave_position"] == -1])), naming)


def _told_before(curve: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return the waves before the start of which both groups are large enough to be told of."""
    is_told = curve[["n_treated", "n_control"]].fillna(0).min(axis="columns") >= min_cell
    return curve[(curve["position"] < 0) & is_told]


def _with_sizes(curve: pd.DataFrame, measured: ScaleScores) -> pd.DataFrame:
    """Return the curve with the people behind each point, and the base, which is zero by definition."""
    panels = [p.rows for p in (measured.panel, measured.earlier) if p is not None]
    rows = pd.concat([r[["wave_position", "employee_id", "is_treated"]] for r in panels], ignore_index=True)
    arm = rows["is_treated"].astype(bool).map({True: "n_treated", False: "n_control"})
    sizes = rows.groupby(["wave_position", arm])["employee_id"].nunique().unstack()
    sized = curve.merge(sizes, left_on="position", right_index=True, how="left")
    base = pd.DataFrame([{"position": 0, "estimate": 0.0}])
    return pd.concat([sized, base], ignore_index=True).sort_values("position", ignore_index=True)


def _honest(c: ByScores, bounds: HonestBounds) -> Iterator[Row | Frames]:
    """Yield the mean effect of the waves that may be shown, allowing a drift as large as the largest before the start.

    From wave to wave, each wave after the start (Rambachan & Roth 2023: relative magnitudes, limit 1). The interval
    need not be centred on the estimate; a p-value has no meaning for it.
    """
    shown = [("relative_magnitudes", at, *bounds.relative_magnitudes(at)) for at in MAGNITUDES]
    yield {"honest": pd.DataFrame(shown, columns=["restriction", "limit", "low", "high"])}
    interval = replace(from_limits(bounds.mean, *bounds.relative_magnitudes(1.0)), p_value=None)
    yield c.row(interval, estimator="honest_did")


def silence(c: ByScores) -> Iterator[Row | Check | Frames]:
    """Yield what is known about those who never answered, and what they and the leavers could have hidden."""
    panel, program = c.sets.response(), c.question.program
    yield {"response": response_flow(panel.everyone)}
    matrix = covariates_of(c.question, panel.known, panel.everyone)
    asked = asked_of(panel.everyone, matrix.values, program.is_randomized, program.assignment.by_unit)
    scored = Groups(*_scored(asked))
    if min(scored[:2]) < 2:
        yield STAYERS
        return
    weighted = response_weighted_change(asked, c.question.rng(*_named(c), "response"))
    if weighted is not None:
        yield Row(Numbers(weighted, scored), {"estimator": f"{main_estimator(c.question)}_response_weighted"})
    # How many were silent follows from how steep the curve is, and from shares: told where these are many or none.
    is_told = _tells_of_nobody(asked, c.question.study.min_cell)
    unit, sign = baseline_sd(panel), c.question.hypothesis.claimed_direction * c.question.smallest_effect
    deltas = (DELTAS * (unit if unit > 0 else 1.0)).round(3)
    silent = silent_sensitivity(asked, sign, deltas, c.question.rng(*_named(c), "silent"))
    if silent is not None:
        yield Row(Numbers(silent.at_zero, scored), {"estimator": f"{main_estimator(c.question)}_delta"})
        yield {"delta": silent.curve} if is_told else {}
    bounds = lee_bounds(asked, c.question.rng(*_named(c), "lee"))
    if bounds is not None:
        yield from _bounds(bounds, is_told)
        yield from (_alike(bounds, is_told), MONOTONE, *([] if program.is_randomized else [NOT_RANDOMIZED]))
    invited, _ = invited_rows(asked, once(asked))
    if len(invited.y):
        beside = matrix.raw.assign(**{"earlier score": panel.everyone["before"].to_numpy(dtype=float)})
        beside["earlier score"] = beside["earlier score"].fillna(beside["earlier score"].mean())
        told = beside[[name for name in beside if _is_common(beside[name], invited, c.question.study.min_cell)]]
        alike = response_balance(told, invited, response_weights(invited).weights)
        # Means would give the shares away, and a category of a few the silence of one of them.
        yield {"balance_response": alike[["arm", "covariate", "smd_before", "smd_after"]].round(2)}
    yield STAYERS


def _scored(asked: Asked) -> tuple[int, int]:
    treated, control = (len(np.unique(asked.person[arm & asked.is_scored])) for arm in asked.arms)
    return treated, control


def _tells_of_nobody(asked: Asked, min_cell: int) -> bool:
    """Whether in both arms nobody was left without a score, or `min_cell` people at least."""
    silent = (len(np.unique(asked.person[arm & ~asked.is_scored])) for arm in asked.arms)
    return all(n == 0 or n >= min_cell for n in silent)


def _is_common(column: pd.Series, invited: Asked, min_cell: int) -> bool:
    """Whether a covariate is a number, or an indicator that `min_cell` people of each arm have and as many have not."""
    values = column.to_numpy(dtype=float)[invited.position]
    if not np.isin(values, (0.0, 1.0)).all():
        return True
    groups = (
        arm & (values == value) & scored
        for arm in invited.arms
        for value in (0.0, 1.0)
        for scored in (invited.is_scored, ~invited.is_scored)
    )
    return all(len(np.unique(invited.person[group])) >= min_cell for group in groups)


def _bounds(bounds: Bounds, is_told: bool) -> Iterator[Row | Frames]:
    """Yield both bounds with their own intervals, and together with what was trimmed to get them: one row."""
    sizes = Groups(bounds.n_treated, bounds.n_control)
    for end, interval in (("lower", bounds.lower), ("upper", bounds.upper)):
        naming = {"estimator": f"lee_bounds_{end}", "estimand": "always_responders"}
        yield Row(Numbers(interval, sizes), naming)
    told = {"lower": bounds.lower.estimate, "upper": bounds.upper.estimate}
    told |= {name: getattr(bounds, name) for name in ("low", "high", "n_treated", "n_control")}
    shares = ("response_treated", "response_control", "trimmed_share")
    told |= {name: round(getattr(bounds, name), 2) if is_told else np.nan for name in shares}
    yield {"lee": pd.DataFrame([told])}


def _alike(bounds: Bounds, is_told: bool) -> Check:
    shares = bounds.response_treated, bounds.response_control
    gap = round(abs(shares[0] - shares[1]), 2)
    brief = "" if gap <= ALIKE else "one group answers more often than the other"
    if not is_told:
        sentence = (
            "How many have a later score is masked: in some group only few have one, or only few lack it. The shares "
            f"of both groups are {'no more' if gap <= ALIKE else 'more'} than {ALIKE:.0%} apart."
        )
        return Check("both groups answer alike", bool(gap <= ALIKE), None, ALIKE, sentence, brief=brief)
    sentence = (
        f"{shares[0]:.0%} of the treated and {shares[1]:.0%} of the comparators have a later score (leavers and the "
        f"silent do not); a gap of up to {ALIKE:.0%} is called alike."
    )
    return Check("both groups answer alike", bool(gap <= ALIKE), float(gap), ALIKE, sentence, brief=brief)


def comparable_check(steps: pd.DataFrame) -> Check:
    """Return whether self-reported scores can be compared across waves: scalar invariance and all below it.

    Parameters
    ----------
    steps
        As from `measure.comparability.across_waves`.
    """
    fitted = steps[steps["step"].isin(NEEDED)]
    full = fitted[fitted["freed_item"].isna()].set_index("step")
    if not set(NEEDED) <= set(full.index):
        reason = next(iter(steps["reason"].dropna()), "the models could not be fitted")
        return Check.untestable(COMPARABLE, f"Whether scores mean the same in every wave cannot be tested: {reason}.")
    failed = [step for step in NEEDED if not full.loc[step, "holds"]]
    if not failed:
        fall = float(full.loc["scalar", "delta_cfi"])
        sentence = (
            "Items weigh alike and are as easy to agree with in every wave, so that changes of scores are changes."
        )
        return Check(COMPARABLE, True, fall, -CFI_FALL, sentence)
    partial = fitted[fitted["freed_item"].notna() & (fitted["step"] == "scalar") & fitted["holds"].fillna(False)]
    rest = f" Without item {partial['freed_item'].iloc[0]} it does." if len(partial) else ""
    fall = full.loc[failed[0], "delta_cfi"]
    sentence = f"The scale does not measure the same in every wave: {MEANING[failed[0]]}.{rest}"
    brief = "the scale does not measure the same in every wave"
    return Check(COMPARABLE, False, None if pd.isna(fall) else float(fall), -CFI_FALL, sentence, brief=brief)


def same_direction_check(found: Iterable[Keying]) -> Check:
    """Return whether no item runs against the others of its scale, over the rater sources that the score is made of.

    The value is the lowest correlation of an item with the sum of the others; below zero an item counts as running
    against them where that is clearly so (`measure.items.items_against`).
    """
    known = list(found)
    if not known:
        return Check.untestable(SAME_DIRECTION, UNTOLD)
    worst = min(known, key=lambda k: (not k.against, k.lowest))
    lowest = None if worst.lowest != worst.lowest else round(worst.lowest, 6)
    if worst.against:
        told = said_of(worst)
        return Check(SAME_DIRECTION, False, lowest, 0.0, f"{told[0].upper()}{told[1:]}.")
    return Check(SAME_DIRECTION, True, lowest, 0.0, "No item runs clearly against the other items of the scale.")
