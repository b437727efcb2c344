"""The weights of a follow-up anew when people count more or less often: the propensity is fitted again."""

from collections.abc import Iterator

import numpy as np

from analysis.design.follow_up import grown
from analysis.design.propensity import att_weights, refitted, start_log_odds
from analysis.design.weights import WeightedFollowUp
from analysis.plan.known import known

# So many weights are held at once, draws times intervals: 80 MB. With few draws at a time the products are slow.
MOST_WEIGHTS = 10_000_000


def in_batches(followed: WeightedFollowUp, n: int) -> Iterator[np.ndarray]:
    """Yield 0 … n − 1 in batches, so many draws at once as `reweigh` is given."""
    size = max(1, MOST_WEIGHTS // max(1, len(followed.row)))
    return (np.arange(first, min(first + size, n)) for first in range(0, n, size))


def reweigh(followed: WeightedFollowUp, counts: np.ndarray) -> np.ndarray:
    """Return each interval's weight, times its row's count, shape (intervals, draws); NaN where no trial has both arms.

    A trial that has lost an arm has nothing to tell: its rows count nothing, and nobody could have started in it.

    Parameters
    ----------
    counts
        How often each row counts in each draw, shape (rows, draws).
    """
    model = known(followed.model)
    treated, trial, follow = model.treated, model.trial, model.follow
    offset = start_log_odds(model.treated.astype(float), trial, counts)
    is_known = np.isfinite(offset)
    linear = refitted(model.propensity, treated, counts * is_known[trial], offset[trial])
    base = att_weights(linear, treated, trial, counts)
    base[:, ~is_known.any(axis=0)] = np.nan
    odds = np.exp(linear, out=linear)
    if model.largest_quantile == 1:
        return grown(follow, base * counts, odds, treated)
    weights, of_control = grown(follow, base * (counts > 0), odds, treated), ~treated[follow.row]
    for each in weights.T:
        each[of_control] = np.minimum(each[of_control], _largest(each[of_control], model.largest_quantile))
    return weights * counts[follow.row]


def _largest(weights: np.ndarray, quantile: float) -> float:
    """Return the quantile of the weights of those who count."""
    return float(np.quantile(weights[weights > 0], quantile)) if (weights > 0).any() else np.nan
