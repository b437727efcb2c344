"""Cumulative incidence with competing exits, delayed entry and weights, time lost, and their influence functions."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy


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
    def of(cls, entry: np.ndarray, exit: np.ndarray, outcome: np.ndarray, grid: np.ndarray | None = None) -> "RiskSets":
        """Return the risk sets of intervals (entry, exit]; `grid`, where given, holds these event times and others."""
        if grid is None:
            grid = event_times(exit, outcome)
        return cls(grid, np.searchsorted(grid, entry, side="right"), np.searchsorted(grid, exit, side="right"), outcome)

    def only(self, chosen: np.ndarray) -> "RiskSets":
        """Return the risk sets in which the intervals of a mask alone count."""
        return RiskSets(self.grid, *(np.where(chosen, each, 0) for each in (self.first, self.last, self.outcome)))

    @cached_property
    def _changes(self) -> "scipy.sparse.csc_array":
        """What each interval's weight adds to the weight at risk at each event time, shape (times + 1, intervals)."""
        n = len(self.first)
        places = np.column_stack([self.first, self.last]).ravel()
        ends = 2 * np.arange(n + 1)
        return scipy.sparse.csc_array((np.tile([1.0, -1.0], n), places, ends), shape=(len(self.grid) + 1, n))

    def at_risk(self, weights: np.ndarray) -> np.ndarray:
        """Return the weight at risk at each event time, shape (times, …)."""
        # The subtraction leaves rounding dust where nobody is at risk; no event has weight at such a time.
        return np.maximum(np.cumsum(self._changes @ weights, axis=0)[:-1], 1e-300)

    def events(self, chosen: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the weight of the `chosen` intervals' events at each event time, shape (times, …)."""
        at = np.flatnonzero(chosen)
        one = np.ones(len(at)), self.last[at] - 1, np.arange(len(at) + 1)
        return scipy.sparse.csc_array(one, shape=(len(self.grid), len(at))) @ weights[at]

    def curves(self, weights: np.ndarray, kinds: tuple[int, ...]) -> "Curves":
        """Return the curves of the `kinds` of event under these weights, shape (intervals,), or (intervals, draws)."""
        events = np.array([self.events(self.outcome == kind, weights).T for kind in kinds])
        every = self.events(self.outcome > 0, weights).T
        return Curves(self.grid, *map(np.ascontiguousarray, (self.at_risk(weights).T, every, events)))


def event_times(exit: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Return the distinct times at which an interval ends with an event, ascending."""
    return np.unique(exit[outcome > 0])


@dataclass(frozen=True)
class Curves:
    """Weighted Aalen–Johansen estimate of one arm, or of that arm several times over, each time with other weights.

    Any event that is not among the wanted kinds competes all the same.

    Attributes
    ----------
    grid
        Event times, shape (times,).
    at_risk, any_event
        Weight at risk and weight of all events at each of them, shape (…, times).
    events
        Weight of the events of each wanted kind, shape (kinds, …, times).

    Notes
    -----
    Aalen & Johansen 1978, Scand J Stat 5:141.
    """

    grid: np.ndarray
    at_risk: np.ndarray
    any_event: np.ndarray
    events: np.ndarray

    @cached_property
    def hazard_any(self) -> np.ndarray:
        """The hazard of all events at each time, shape (…, times)."""
        return self.any_event / self.at_risk

    @cached_property
    def survival_before(self) -> np.ndarray:
        """The probability of no event before each time, shape (…, times)."""
        after = np.cumprod(1 - self.hazard_any, axis=-1)
        return np.concatenate([np.ones((*after.shape[:-1], 1)), after], axis=-1)[..., : len(self.grid)]

    @cached_property
    def jumps(self) -> np.ndarray:
        """The rise of each kind's curve at each time, shape (kinds, …, times)."""
        return self.survival_before * (self.events / self.at_risk)

    @cached_property
    def risen(self) -> np.ndarray:
        """Each kind's curve, from before the first time on, shape (kinds, …, times + 1)."""
        risen = np.cumsum(self.jumps, axis=-1)
        return np.concatenate([np.zeros((*risen.shape[:-1], 1)), risen], axis=-1)

    def risk(self, kind: int, times: np.ndarray | float) -> np.ndarray:
        """Return the probability of the kind by each of `times`, an event at exactly a time counts as before it."""
        return self.risen[kind][..., np.searchsorted(self.grid, times, side="right")]

    def time_lost(self, kind: int, times: np.ndarray | float, power: int = 1) -> np.ndarray:
        """Return the mean time lost to the kind by each of `times`: the area under its curve; or of a power of it."""
        return self.jumps[kind] @ np.maximum(np.subtract.outer(times, self.grid), 0.0).T ** power


class Incidence:
    """The curves of one arm with the influence of each interval on them.

    Parameters
    ----------
    sets
        The risk sets of its intervals.
    weights
        Positive, shape (intervals,).
    kinds
        The events wanted, in the order by which they are read.

    Notes
    -----
    The influence is the infinitesimal jackknife of R's ``survfit``.
    """

    def __init__(self, sets: RiskSets, weights: np.ndarray, kinds: tuple[int, ...]):
        self._sets, self._weights, self._kinds = sets, weights, kinds
        self._curves = sets.curves(weights, kinds)
        self.risk, self.time_lost = self._curves.risk, self._curves.time_lost

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
        s, curves = self._sets, self._curves
        left, gained = 1 - curves.hazard_any, gain * curves.jumps[kind]
        still_to_come = gained.sum() - np.cumsum(gained)
        to_come = np.where(left > 1e-12, still_to_come, 0.0) / np.where(left > 1e-12, left, 1.0)
        by_kind, by_any = gain * curves.survival_before / curves.at_risk, to_come / curves.at_risk
        by_any[gain == 0] = 0.0
        hazard = curves.events[kind] / curves.at_risk
        drift = np.concatenate([[0.0], np.cumsum(by_kind * hazard - by_any * curves.hazard_any)])
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
