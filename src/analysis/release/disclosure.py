"""Small groups are suppressed: in every row of the ledger and in every frame behind a table or a figure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.plan.known import known
from analysis.plan.results import ESTIMATE_NUMBERS, Estimate, Finding, too_small
from analysis.release.counts import release_counts
from analysis.release.measured import (
    careless_apart,
    changes_of_many,
    coarse_agreement,
    coarse_answers,
    invariance_of_many,
)
from analysis.release.people_flow import release_people_flow
from analysis.release.quality import coverage_in_shares, few_repairs_apart, missingness_in_steps
from analysis.release.responses import release_response, release_steps

DECIMALS = 6
ROUND_TO = 5


def release_estimate(estimate: Estimate, min_cell: int) -> Estimate:
    """Return the row as it may be shown: suppressed for a small group, a few events uncounted, numbers rounded."""
    if not estimate.is_estimated:
        return estimate
    if min(known(estimate.n_treated), known(estimate.n_control)) < min_cell:
        nothing: dict[str, Any] = dict.fromkeys(ESTIMATE_NUMBERS)
        return replace(estimate, **nothing, status="suppressed", reason=too_small(min_cell))
    events: dict[str, Any] = {
        name: None if count is None or count < min_cell else count
        for name, count in (("events_treated", estimate.events_treated), ("events_control", estimate.events_control))
    }
    rounded: dict[str, Any] = {
        name: None if value is None else round(float(value), DECIMALS)
        for name in ESTIMATE_NUMBERS[:7]
        for value in [getattr(estimate, name)]
    }
    return replace(estimate, **rounded, **events)


def release_frame(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return a frame in which no group of 1 to `min_cell` − 1 people can be read.

    Columns that start with ``n_`` count people. A small count becomes missing and so does every other number of its
    row, and its ``reason``, which might tell what the few answered. Numbers are rounded.
    """
    shown = frame.copy()
    counts = [c for c in shown.columns if str(c).startswith("n_") and c not in KEYS]
    numbers = [c for c in shown.select_dtypes("number").columns if c not in counts and c not in KEYS]
    small = (shown[counts] > 0) & (shown[counts] < min_cell)
    if counts and numbers:
        shown[numbers] = shown[numbers].astype(float).mask(small.any(axis="columns"), axis=0)
    if counts and "reason" in shown:
        shown["reason"] = shown["reason"].mask(small.any(axis="columns"))
    for column in counts:
        shown[column] = shown[column].astype("Float64").mask(small[column]).round().astype("Int64")
    return shown.round(dict.fromkeys(numbers, DECIMALS))


# Columns that say where a row stands and not what was found there.
KEYS = (
    *("months", "wave", "wave_position", "year", "log_odds_from", "log_odds_to", "n_items"),
    *("n_items_common", "value", "bin", "group_from", "group_to", "limit", "position", "delta"),
)


def release_flow(flow: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return the steps from those who started to those analysed, so that no small step follows by subtraction.

    Where one of the steps between lost only a few people, the losses are told together; where even together they are
    few, only those analysed are told; where these are few, no loss is told, since they would follow from it. In a flow
    of answers (`release.responses.release_steps`) a step is missing where others nearly equal it.
    """
    counts = [c for c in flow.columns if c.startswith("n_")]
    if flow.empty or flow["step"].iloc[-1] != "analysed":
        return release_steps(flow, min_cell)
    lost = flow.iloc[1:-1]

    def is_small(frame: pd.DataFrame) -> bool:
        return bool(((frame[counts] > 0) & (frame[counts] < min_cell)).any(axis=None))

    if is_small(flow.iloc[-1:]):
        flow = flow.iloc[[0, -1]].reset_index(drop=True)
    elif is_small(lost):
        together = pd.DataFrame([{"step": "could not be compared"} | lost[counts].sum().to_dict()])
        parts = [flow.iloc[-1:]] if is_small(together) else [flow.iloc[:1], together, flow.iloc[-1:]]
        flow = pd.concat(parts, ignore_index=True)
    return release_frame(flow, min_cell)


def release_points(points: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return figures by wave with people in fives: how many answered one wave and not the next cannot be subtracted."""
    released = release_frame(points, min_cell)
    counts = [c for c in released.columns if c.startswith("n_")]
    return released.assign(**{c: _in_fives(released[c]) for c in counts})


def _in_fives(counts: pd.Series) -> pd.Series:
    return ((counts.astype("Float64") / ROUND_TO).round() * ROUND_TO).astype("Int64")


def release_curves(curves: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return cumulative incidence so coarse that nobody's leaving can be read from a step.

    Of an arm whose exits can be counted (``n_events``), a month is shown when at least `min_cell` people have left
    since the last one shown; the others are missing. People still followed are rounded to fives. With a column
    ``outcome`` each kind of event has its own curves.
    """
    parts = []
    for _, arm in curves.groupby([c for c in ("outcome", "arm") if c in curves], sort=False):
        shown, last = [], 0
        for month, events in zip(arm["months"], arm["n_events"], strict=True):
            is_shown = month == 0 or pd.isna(events) or events - last >= min_cell
            last = events if is_shown and not pd.isna(events) else last
            shown.append(is_shown)
        values = ["cumulative_incidence", "ci_low", "ci_high"]
        parts.append(arm.assign(**{v: arm[v].where(pd.Series(shown, index=arm.index)) for v in values}))
    released = release_frame(pd.concat(parts).drop(columns="n_events"), min_cell)
    return released.assign(n_at_risk=_in_fives(released["n_at_risk"]))


def release_quarters(quarters: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return balance by quarter without the quarters in which only a few started.

    All that a hidden quarter holds is missing, its comparators and its worst covariate too. The quarters add up to
    those who started, so what is hidden adds up to `min_cell` people at least: else the next smallest is hidden too.
    """
    size = quarters["n_treated"].astype(float)
    hidden = (size > 0) & (size < min_cell)
    while hidden.any() and size[hidden].sum() < min_cell and (~hidden & (size > 0)).any():
        hidden |= size == size[~hidden & (size > 0)].min()
    shown = release_frame(quarters, min_cell)
    return shown.assign(**{c: shown[c].where(~hidden) for c in shown.columns if c != "quarter"})


def release_balance(balance: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return balance without the levels of a few people: who of them started could be read from it.

    What all levels of a covariate show together stays, and so does its number of levels.
    """
    counts = [c for c in ("n_treated", "n_control") if c in balance]
    if not counts:
        return release_frame(balance, min_cell)
    few = (balance[counts].sum(axis=1) < min_cell) | ((balance[counts] > 0) & (balance[counts] < min_cell)).any(axis=1)
    shown = balance[~few | balance["kind"].isin(["largest", "mean"])].drop(columns=counts).reset_index(drop=True)
    return release_frame(shown, min_cell)


def _made_coarse(first: Callable[[pd.DataFrame, int], pd.DataFrame]) -> Callable[[pd.DataFrame, int], pd.DataFrame]:
    """Return the release of a frame that `first` makes coarser."""
    return lambda frame, min_cell: release_frame(first(frame, min_cell), min_cell)


RELEASES = {
    "flow": release_flow,
    "curves": release_curves,
    "event_study": release_points,
    "trajectories": release_points,
    "response": release_response,
    "curves_by_kind": release_curves,
    "balance": release_balance,
    "balance_by_quarter": release_quarters,
    "item_answers": _made_coarse(coarse_answers),
    "agreement": _made_coarse(coarse_agreement),
    "item_changes": _made_coarse(changes_of_many),
    "careless": _made_coarse(careless_apart),
    "invariance": _made_coarse(invariance_of_many),
    "coverage": _made_coarse(coverage_in_shares),
    "missingness": _made_coarse(missingness_in_steps),
    "flow_of_people": release_people_flow,
    "row_counts": few_repairs_apart,
}


# What stands in one of these could else be subtracted from another's count of the same wave.
IN_FIVES = {
    "item_answers": ("n_people", "n_answered"),
    "careless": ("n_people",),
    "coverage": ("n_employed",),
    "missingness": ("n_people",),
}


def release_described(name: str, frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return a frame that describes the study as it may be shown."""
    released = RELEASES.get(name, release_frame)(frame, min_cell)
    return released.assign(**{column: _in_fives(released[column]) for column in IN_FIVES.get(name, ())})


def release_finding(finding: Finding, min_cell: int) -> Finding:
    """Return the finding as it may be shown; a suppressed answer takes its figures and checks with it."""
    primary, *others = release_counts([release_estimate(e, min_cell) for e in finding.estimates], min_cell)
    alternatives = tuple(others)
    evidence = {name: RELEASES.get(name, release_frame)(frame, min_cell) for name, frame in finding.evidence.items()}
    if primary.status == "suppressed":
        return replace(
            finding,
            primary=primary,
            alternatives=alternatives,
            checks=(),
            verdict="suppressed",
            verdict_reason="small_group",
            n_family=None,
            smallest_detectable=None,
            evidence={name: frame for name, frame in evidence.items() if name == "flow"},
        )
    checks = tuple(replace(c, p_value=None) for c in finding.checks)
    return replace(finding, primary=primary, alternatives=alternatives, evidence=evidence, checks=checks)
