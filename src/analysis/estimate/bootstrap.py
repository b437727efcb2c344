"""The main estimate again with people counted more or less often: a bootstrap, and what one group of people changes."""

from collections.abc import Callable

import numpy as np

from analysis.design.weights import WeightedFollowUp
from analysis.estimate.reweigh import in_batches, reweigh
from analysis.estimate.survival import Curves, RiskSets

N_REPETITIONS = 200


class Recount:
    """The risk difference of a weighted follow-up, estimated anew for any count of its rows, the propensity included.

    What does not depend on the counts (risk sets, design matrix) is made once.
    """

    def __init__(self, followed: WeightedFollowUp, outcomes: tuple[str, ...], month: float):
        self._followed, self._month = followed, month
        self._kinds = tuple(followed.kinds.index(k) + 1 for k in outcomes if k in followed.kinds)
        outcome, treated = np.where(followed.exit <= month, followed.outcome, 0), followed.treated[followed.row]
        sets = RiskSets.of(np.minimum(followed.entry, month), np.minimum(followed.exit, month), outcome)
        self._arms = sets.only(treated), sets.only(~treated)

    def differences(self, counts: np.ndarray) -> np.ndarray:
        """Return treated minus control when each row counts so often, (rows, draws) → (draws,); NaN without an arm."""
        weights = reweigh(self._followed, counts)
        treated, control = (self._risks(arm.curves(weights, self._kinds)) for arm in self._arms)
        return treated - control

    def _risks(self, curves: Curves) -> np.ndarray:
        return np.sum([curves.risk(k, self._month) for k in range(len(self._kinds))], axis=0)

    def in_draws(self, counts: Callable[[np.ndarray], np.ndarray], n: int) -> np.ndarray:
        """Return the difference in each of `n` draws, shape (draws,), of which `counts` gives some at a time."""
        return np.concatenate([self.differences(counts(some)) for some in in_batches(self._followed, n)])


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
    return recount.in_draws(lambda some: rng.multinomial(n_clusters, even, len(some)).T[clusters].astype(float), n)


def leave_one_out(recount: Recount, groups: np.ndarray) -> np.ndarray:
    """Return the risk difference without each group in turn, shape (groups,); `groups` as codes, −1 = in none."""
    return recount.in_draws(lambda some: (groups[:, None] != some).astype(float), int(groups.max()) + 1)
