"""Cumulative incidence with competing exits, delayed entry and weights, and its influence function."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Incidence:
    """Weighted Aalen–Johansen estimate of one arm.

    Attributes
    ----------
    times
        Where it is read off, shape (times,).
    cumulative_incidence
        Of each kind of exit, shape (kinds, times).
    influence
        Derivative of each value by the log weight of each interval, shape (kinds, times, intervals): its sum over
        a cluster is that cluster's contribution to the robust variance.
    n_at_risk
        Intervals at risk just before each time, shape (times,).
    """

    times: np.ndarray
    cumulative_incidence: np.ndarray
    influence: np.ndarray
    n_at_risk: np.ndarray


def aalen_johansen(
    entry: np.ndarray,
    exit: np.ndarray,
    outcome: np.ndarray,
    weights: np.ndarray,
    times: np.ndarray,
    kinds: tuple[int, ...],
) -> Incidence:
    """Return the cumulative incidence of each kind of exit at `times`, others competing.

    Parameters
    ----------
    entry, exit
        At risk in (entry, exit], shape (intervals,).
    outcome
        0 = censored or goes on; otherwise the kind of exit, shape (intervals,).
    weights
        Positive, shape (intervals,).
    times
        An exit at exactly a time counts as before it.
    kinds
        The outcomes wanted. Any other non-zero outcome competes all the same.

    Notes
    -----
    Aalen & Johansen 1978, Scand J Stat 5:141. The influence function is the infinitesimal jackknife that R's
    ``survfit`` uses with ``cluster``.
    """
    times = np.asarray(times, dtype=float)
    grid = np.unique(exit[outcome > 0])
    if len(grid) == 0:
        shape = (len(kinds), len(times))
        return Incidence(times, np.zeros(shape), np.zeros((*shape, len(exit))), _at_risk(entry, exit, times))
    first, last = np.searchsorted(grid, entry, side="right"), np.searchsorted(grid, exit, side="right")
    at_risk = _weight_at_risk(first, last, weights, len(grid))
    place = last - 1
    is_exit = outcome > 0
    hazard_any = np.bincount(place[is_exit], weights=weights[is_exit], minlength=len(grid)) / at_risk
    survival_before = np.concatenate([[1.0], np.cumprod(1 - hazard_any)[:-1]])
    left = 1 - hazard_any
    read = np.searchsorted(grid, times, side="right")
    values, influences = [], []
    for kind in kinds:
        is_kind = outcome == kind
        hazard = np.bincount(place[is_kind], weights=weights[is_kind], minlength=len(grid)) / at_risk
        curve = np.concatenate([[0.0], np.cumsum(survival_before * hazard)])
        values.append(curve[read])
        influences.append(
            [
                _influence(
                    n, curve, hazard, hazard_any, survival_before, left, at_risk, first, last, place, is_exit, is_kind
                )
                * weights
                for n in read
            ]
        )
    return Incidence(times, np.array(values), np.array(influences), _at_risk(entry, exit, times))


def _influence(n, curve, hazard, hazard_any, survival_before, left, at_risk, first, last, place, is_exit, is_kind):
    """Return d(curve[n]) / d(weight) of each interval.

    δF(τ) = Σ_k S(t_k−) δΛ_kind(k) − δΛ_any(k) [F(τ) − F(t_k)] / (1 − ΔΛ_any(k)) over the event times t_k ≤ τ, with
    δΛ(k) of one interval = (dN(k) − Y(k) ΔΛ(k)) / at-risk weight at t_k.
    """
    to_come = np.where(left > 1e-12, (curve[n] - curve[1:]) / np.where(left > 1e-12, left, 1.0), 0.0)
    by_kind, by_any = survival_before / at_risk, to_come / at_risk
    by_kind[n:], by_any[n:] = 0.0, 0.0
    drift = np.concatenate([[0.0], np.cumsum(by_kind * hazard - by_any * hazard_any)])
    result = drift[first] - drift[last]
    result[is_kind] += by_kind[place[is_kind]]
    result[is_exit] -= by_any[place[is_exit]]
    return result


def _weight_at_risk(first: np.ndarray, last: np.ndarray, weights: np.ndarray, n: int) -> np.ndarray:
    change = np.bincount(first, weights=weights, minlength=n + 1) - np.bincount(last, weights=weights, minlength=n + 1)
    # The subtraction leaves rounding dust where nobody is at risk; no event time is ever such a place.
    return np.maximum(np.cumsum(change)[:n], 1e-300)


def _at_risk(entry: np.ndarray, exit: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(entry), times, side="left") - np.searchsorted(np.sort(exit), times, side="left")
