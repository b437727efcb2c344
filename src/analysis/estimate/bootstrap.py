"""The main estimate again with people counted more or less often: a bootstrap, and what one group of people changes."""

import numpy as np

from analysis.design.weights import WeightedFollowUp
from analysis.estimate.reweigh import reweigh
from analysis.estimate.survival import RiskSets

N_REPETITIONS = 200


class Recount:
    """The risk difference of a weighted follow-up, estimated anew for any count of its rows, the propensity included.

    What does not depend on the counts (risk sets, design matrix) is made once.
    """

    def __init__(self, followed: WeightedFollowUp, outcomes: tuple[str, ...], month: float):
        self._followed, self._month = followed, month
        self._kinds = tuple(followed.kinds.index(k) + 1 for k in outcomes if k in followed.kinds)
        self._arms = {}
        exit = np.minimum(followed.exit, month)
        outcome = np.where(followed.exit <= month, followed.outcome, 0)
        for is_treated in (True, False):
            take = np.flatnonzero((followed.entry < month) & (followed.treated[followed.row] == is_treated))
            self._arms[is_treated] = take, RiskSets.of(followed.entry[take], exit[take], outcome[take])

    def difference(self, counts: np.ndarray) -> float:
        """Return treated minus control when each row counts `counts` times, shape (rows,); NaN without an arm."""
        weights = reweigh(self._followed, counts)
        if weights is None:
            return np.nan
        treated, control = (self._risk(is_treated, weights) for is_treated in (True, False))
        return treated - control

    def _risk(self, is_treated: bool, weights: np.ndarray) -> float:
        take, sets = self._arms[is_treated]
        curves = sets.curves(weights[take], self._kinds)
        return float(sum(curves.risk(k, self._month) for k in range(len(self._kinds))))


def bootstrap(recount: Recount, clusters: np.ndarray, rng: np.random.Generator, n: int = N_REPETITIONS) -> np.ndarray:
    """Return the risk difference in `n` companies drawn with replacement from this one's clusters, shape (n,).

    Pairs cluster bootstrap (Cameron, Gelbach & Miller 2008, Rev Econ Stat 90:414). Draws without an arm are NaN.

    Parameters
    ----------
    clusters
        The cluster of each row, as codes, shape (rows,).
    """
    n_clusters = int(clusters.max()) + 1
    even = np.full(n_clusters, 1 / n_clusters)
    return np.array([recount.difference(rng.multinomial(n_clusters, even)[clusters].astype(float)) for _ in range(n)])


def leave_one_out(recount: Recount, groups: np.ndarray) -> np.ndarray:
    """Return the risk difference without each group in turn, shape (groups,); `groups` as codes, −1 = in none."""
    n_groups = int(groups.max()) + 1
    return np.array([recount.difference((groups != group).astype(float)) for group in range(n_groups)])
