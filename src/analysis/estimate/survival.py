"""Cumulative incidence with competing exits, delayed entry and weights, and its influence function."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class _Steps:
    """The curves' jumps at the event times, and where each interval lies among them."""

    first: np.ndarray
    last: np.ndarray
    outcome: np.ndarray
    weights: np.ndarray
    at_risk: np.ndarray
    survival_before: np.ndarray
    hazard_any: np.ndarray
    hazards: tuple[np.ndarray, ...]
    curves: tuple[np.ndarray, ...]
    read: np.ndarray
    kinds: tuple[int, ...]


@dataclass(frozen=True)
class Incidence:
    """Weighted Aalen–Johansen estimate of one arm.

    Attributes
    ----------
    times
        Where it is read off, shape (times,).
    cumulative_incidence
        Of each kind of exit, shape (kinds, times).
    n_at_risk
        Intervals at risk just before each time, shape (times,).
    """

    times: np.ndarray
    cumulative_incidence: np.ndarray
    n_at_risk: np.ndarray
    _steps: _Steps

    def influence(self, kind: int, time: int) -> np.ndarray:
        """Return the derivative of one value by the log weight of each interval, shape (intervals,).

        `kind` and `time` are positions. Its sum over a cluster is that cluster's contribution to the robust variance.
        One value at a time: all of them together would not fit in memory for a large company.

        Notes
        -----
        δF(τ) = Σ_k S(t_k−) δΛ_kind(k) − δΛ_any(k) [F(τ) − F(t_k)] / (1 − ΔΛ_any(k)) over the event times t_k ≤ τ, with
        δΛ(k) of one interval = (dN(k) − Y(k) ΔΛ(k)) / at-risk weight at t_k.
        """
        s, n = self._steps, self._steps.read[time]
        left = 1 - s.hazard_any
        to_come = np.where(left > 1e-12, s.curves[kind][n] - s.curves[kind][1:], 0.0) / np.where(
            left > 1e-12, left, 1.0
        )
        by_kind, by_any = s.survival_before / s.at_risk, to_come / s.at_risk
        by_kind[n:], by_any[n:] = 0.0, 0.0
        drift = np.concatenate([[0.0], np.cumsum(by_kind * s.hazards[kind] - by_any * s.hazard_any)])
        result = drift[s.first] - drift[s.last]
        is_exit, is_kind = s.outcome > 0, s.outcome == s.kinds[kind]
        result[is_kind] += by_kind[s.last[is_kind] - 1]
        result[is_exit] -= by_any[s.last[is_exit] - 1]
        return result * s.weights


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
    Aalen & Johansen 1978, Scand J Stat 5:141. The influence function is the infinitesimal jackknife of R's ``survfit``.
    """
    times = np.asarray(times, dtype=float)
    grid = np.unique(exit[outcome > 0])
    first, last = np.searchsorted(grid, entry, side="right"), np.searchsorted(grid, exit, side="right")
    at_risk = _weight_at_risk(first, last, weights, len(grid))

    def hazard(chosen: np.ndarray) -> np.ndarray:
        return np.bincount(last[chosen] - 1, weights=weights[chosen], minlength=len(grid)) / at_risk

    hazard_any = hazard(outcome > 0)
    survival_before = np.concatenate([[1.0], np.cumprod(1 - hazard_any)])[: len(grid)]
    hazards = tuple(hazard(outcome == kind) for kind in kinds)
    curves = tuple(np.concatenate([[0.0], np.cumsum(survival_before * h)]) for h in hazards)
    read = np.searchsorted(grid, times, side="right")
    steps = _Steps(first, last, outcome, weights, at_risk, survival_before, hazard_any, hazards, curves, read, kinds)
    return Incidence(times, np.array([curve[read] for curve in curves]), _at_risk(entry, exit, times), steps)


def _weight_at_risk(first: np.ndarray, last: np.ndarray, weights: np.ndarray, n: int) -> np.ndarray:
    change = np.bincount(first, weights=weights, minlength=n + 1) - np.bincount(last, weights=weights, minlength=n + 1)
    # The subtraction leaves rounding dust where nobody is at risk; no event time is ever such a place.
    return np.maximum(np.cumsum(change)[:n], 1e-300)


def _at_risk(entry: np.ndarray, exit: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(entry), times, side="left") - np.searchsorted(np.sort(exit), times, side="left")
