"""The main estimate again with people counted more or less often: a bootstrap, and what one group of people changes."""

import numpy as np

from analysis.design.follow_up import survived_sum
from analysis.design.propensity import att_weights, newton, start_log_odds
from analysis.design.weights import WeightedFollowUp
from analysis.estimate.survival import Incidence, RiskSets

N_REPETITIONS = 200
# Of a coefficient, where the last step of a refit ends: far below what a draw of people moves it.
NEAR_ENOUGH = 1e-5


class Recount:
    """The risk difference of a weighted follow-up, estimated anew for any count of its rows, the propensity included.

    What does not depend on the counts (risk sets, design matrix) is made once.
    """

    def __init__(self, followed: WeightedFollowUp, outcomes: tuple[str, ...], month: float):
        self._model, self._month = followed.model, month
        self._kinds = tuple(followed.kinds.index(k) + 1 for k in outcomes if k in followed.kinds)
        self._arms = {}
        exit = np.minimum(followed.exit, month)
        outcome = np.where(followed.exit <= month, followed.outcome, 0)
        for is_treated in (True, False):
            take = np.flatnonzero((followed.entry < month) & (followed.treated[followed.row] == is_treated))
            self._arms[is_treated] = take, RiskSets.of(followed.entry[take], exit[take], outcome[take])

    def difference(self, counts: np.ndarray) -> float:
        """Return treated minus control when each row counts `counts` times, shape (rows,); NaN without an arm."""
        model = self._model
        x, y, trial = model.propensity.terms, model.treated.astype(float), model.trial
        offset = start_log_odds(y, trial, counts)[trial]
        rows = np.flatnonzero((counts > 0) & np.isfinite(offset))
        if not len(rows):
            return np.nan
        beta = newton(
            x[rows], y[rows], offset[rows], counts[rows], model.propensity.coefficients, tolerance=NEAR_ENOUGH
        )
        linear = offset + x @ beta
        weights = np.zeros(len(counts))
        weights[rows] = counts[rows] * att_weights(linear[rows], model.treated[rows], trial[rows], counts[rows])
        grown = np.logaddexp(0.0, linear)
        risks = [self._risk(is_treated, weights, grown) for is_treated in (True, False)]
        return risks[0] - risks[1]

    def _risk(self, is_treated: bool, weights: np.ndarray, grown: np.ndarray) -> float:
        take, sets = self._arms[is_treated]
        follow = self._model.follow
        by_interval = weights[follow.row[take]]
        if not is_treated:
            by_interval = by_interval * np.exp((survived_sum(follow, grown) + follow.log_factor)[take])
        curves = Incidence(sets, by_interval, self._kinds)
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
