"""Risks under two strategies, read from weighted clones for any count of people."""

import numpy as np

from analysis.design.clones import CloneIntervals, Clones
from analysis.estimate.survival import Incidence, RiskSets


class CloneRisks:
    """The risks under starting within the grace and under not starting, for any count of the people.

    What does not depend on the counts (risk sets) is made once; the chances of starting are fitted anew.

    Parameters
    ----------
    outcomes
        Kinds of exit that count, as numbers (1, 2, …); the others compete.
    month
        Where the risks are read off.
    """

    def __init__(self, clones: Clones, outcomes: tuple[int, ...], month: float):
        self._clones, self._outcomes, self._month = clones, outcomes, month
        self._sets = [_risk_sets(arm, month) for arm in (clones.treated, clones.control)]

    def risks(self, counts: np.ndarray) -> np.ndarray:
        """Return both risks, treated first, when each person counts `counts` times, shape (people,); NaN without one.

        Shape (2,).
        """
        by_arm = self._clones.weights(counts[self._clones.person])
        if min(weights.sum() for weights in by_arm) <= 0:
            return np.full(2, np.nan)
        return np.array([self._risk(sets, weights) for sets, weights in zip(self._sets, by_arm, strict=True)])

    def _risk(self, sets: tuple[np.ndarray, RiskSets], weights: np.ndarray) -> float:
        curves = Incidence(sets[1], weights[sets[0]], self._outcomes)
        return float(sum(curves.risk(k, self._month) for k in range(len(self._outcomes))))


def _risk_sets(arm: CloneIntervals, month: float) -> tuple[np.ndarray, RiskSets]:
    take = np.flatnonzero(arm.entry < month)
    outcome = np.where(arm.exit[take] <= month, arm.outcome[take], 0)
    return take, RiskSets.of(arm.entry[take], np.minimum(arm.exit[take], month), outcome)


def resampled(risks: CloneRisks, n_people: int, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return both risks in `n` companies of people drawn with replacement, shape (n, 2); NaN without an arm."""
    even = np.full(n_people, 1 / n_people)
    return np.array([risks.risks(rng.multinomial(n_people, even).astype(float)) for _ in range(n)])
