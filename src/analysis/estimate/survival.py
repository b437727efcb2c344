"""Cumulative incidence with competing exits, delayed entry and weights, time lost, and their influence functions."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RiskSets:
    """Where each interval lies among the event times: sorted once, read with any weights.

    Attributes
    ----------
    grid
        The distinct event times, ascending, shape (times,).
    first, last
        Each interval is at risk at ``grid[first:last]``, shape (intervals,).
    outcome
        0 = censored or goes on; otherwise the kind of event that ends it, shape (intervals,).
    """

    grid: np.ndarray
    first: np.ndarray
    last: np.ndarray
    outcome: np.ndarray

    @classmethod
    def of(cls, entry: np.ndarray, exit: np.ndarray, outcome: np.ndarray) -> "RiskSets":
        """Return the risk sets of intervals (entry, exit]."""
        grid = np.unique(exit[outcome > 0])
        return cls(grid, np.searchsorted(grid, entry, side="right"), np.searchsorted(grid, exit, side="right"), outcome)

    def at_risk(self, weights: np.ndarray) -> np.ndarray:
        """Return the weight at risk at each event time, shape (times,)."""
        n = len(self.grid)
        change = np.bincount(self.first, weights=weights, minlength=n + 1)
        change -= np.bincount(self.last, weights=weights, minlength=n + 1)
        # The subtraction leaves rounding dust where nobody is at risk; no event has weight at such a time.
        return np.maximum(np.cumsum(change)[:n], 1e-300)

    def hazard(self, chosen: np.ndarray, weights: np.ndarray, at_risk: np.ndarray) -> np.ndarray:
        """Return the weighted events of the `chosen` intervals over the weight at risk, shape (times,)."""
        return np.bincount(self.last[chosen] - 1, weights=weights[chosen], minlength=len(self.grid)) / at_risk


class Incidence:
    """Weighted Aalen–Johansen estimate of one arm.

    Parameters
    ----------
    sets
        The risk sets of its intervals.
    weights
        Positive, shape (intervals,).
    kinds
        The events wanted, in the order by which they are read. Any other non-zero outcome competes all the same.

    Notes
    -----
    Aalen & Johansen 1978, Scand J Stat 5:141. The influence is the infinitesimal jackknife of R's ``survfit``.
    """

    def __init__(self, sets: RiskSets, weights: np.ndarray, kinds: tuple[int, ...]):
        self._sets, self._weights, self._kinds = sets, weights, kinds
        self._at_risk = sets.at_risk(weights)
        self._hazard_any = sets.hazard(sets.outcome > 0, weights, self._at_risk)
        self._survival_before = np.concatenate([[1.0], np.cumprod(1 - self._hazard_any)])[: len(sets.grid)]
        self._hazards = tuple(sets.hazard(sets.outcome == kind, weights, self._at_risk) for kind in kinds)
        self._jumps = tuple(self._survival_before * hazard for hazard in self._hazards)

    def risk(self, kind: int, times: np.ndarray | float) -> np.ndarray:
        """Return the probability of the kind by each of `times`, an event at exactly a time counts as before it."""
        curve = np.concatenate([[0.0], np.cumsum(self._jumps[kind])])
        return curve[np.searchsorted(self._sets.grid, times, side="right")]

    def time_lost(self, kind: int, times: np.ndarray | float) -> np.ndarray:
        """Return the mean time lost to the kind by each of `times`: the area under its curve."""
        return np.maximum(np.subtract.outer(times, self._sets.grid), 0.0) @ self._jumps[kind]

    def influence(self, kind: int, time: float) -> np.ndarray:
        """Return the derivative of a risk by the log weight of each interval, shape (intervals,).

        `kind` is a position among the kinds. Its sum over a cluster is that cluster's contribution to the robust
        variance. One value at a time: all of them together would not fit in memory for a large company.
        """
        return self._influence(kind, (self._sets.grid <= time).astype(float))

    def time_lost_influence(self, kind: int, time: float) -> np.ndarray:
        """Return the derivative of a time lost by the log weight of each interval, shape (intervals,)."""
        return self._influence(kind, np.maximum(time - self._sets.grid, 0.0))

    def _influence(self, kind: int, gain: np.ndarray) -> np.ndarray:
        """Return the derivative of Σ_k gain_k dF(t_k), where F is the kind's curve.

        It is Σ_k S(t_k−) gain_k δΛ_kind(k) − δΛ_any(k) [Σ_{l>k} gain_l dF(t_l)] / (1 − ΔΛ_any(k)), with δΛ(k) of one
        interval = (dN(k) − Y(k) ΔΛ(k)) / weight at risk at t_k.
        """
        s, left = self._sets, 1 - self._hazard_any
        gained = gain * self._jumps[kind]
        still_to_come = gained.sum() - np.cumsum(gained)
        to_come = np.where(left > 1e-12, still_to_come, 0.0) / np.where(left > 1e-12, left, 1.0)
        by_kind, by_any = gain * self._survival_before / self._at_risk, to_come / self._at_risk
        by_any[gain == 0] = 0.0
        drift = np.concatenate([[0.0], np.cumsum(by_kind * self._hazards[kind] - by_any * self._hazard_any)])
        result = drift[s.first] - drift[s.last]
        is_event, is_kind = s.outcome > 0, s.outcome == self._kinds[kind]
        result[is_kind] += by_kind[s.last[is_kind] - 1]
        result[is_event] -= by_any[s.last[is_event] - 1]
        return result * self._weights


def aalen_johansen(
    entry: np.ndarray, exit: np.ndarray, outcome: np.ndarray, weights: np.ndarray, kinds: tuple[int, ...]
) -> Incidence:
    """Return the cumulative incidence of each kind of event, others competing.

    Parameters
    ----------
    entry, exit
        At risk in (entry, exit], shape (intervals,).
    outcome
        0 = censored or goes on; otherwise the kind of event, shape (intervals,).
    weights
        Positive, shape (intervals,).
    kinds
        The outcomes wanted.
    """
    return Incidence(RiskSets.of(entry, exit, outcome), weights, kinds)
