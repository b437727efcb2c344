"""The weights of a follow-up anew when people count more or less often: the propensity is fitted again."""

from collections.abc import Iterator

import numpy as np

from analysis.design.follow_up import grown
from analysis.design.propensity import PRIOR_SD, att_weights, newton, start_log_odds
from analysis.design.weights import WeightedFollowUp, WeightModel
from analysis.plan.known import known

# Of a coefficient, where the last step of a refit ends: far below what a draw of people moves it.
NEAR_ENOUGH = 1e-5
MOST_CHORDS = 12
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
    linear = _refitted(model, counts * is_known[trial], offset[trial])
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


def _refitted(model: WeightModel, counts: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Return the rows' log odds of starting from the propensity fitted to these counts, shape (rows, draws).

    Chord steps: Newton's with the information of the whole sample, which a group of people hardly changes (Ortega &
    Rheinboldt 1970, Iterative Solution of Nonlinear Equations, ch. 7). A step then costs rows × terms and not rows ×
    terms², and departments by the dozen stay cheap. Where they do not come to rest soon, Newton's method does the rest.
    """
    x, y, fitted = model.propensity.terms, model.treated.astype(float)[:, None], model.propensity
    penalty = np.full((x.shape[1], 1), PRIOR_SD**-2)
    penalty[0] = 0.0
    found = np.repeat(fitted.coefficients[:, None], counts.shape[1], axis=1)
    # Of the draws that have not come to rest: their numbers, coefficients, counts and known parts of the log odds.
    moving = np.flatnonzero(counts.any(axis=0))
    beta, used, starts = (np.take(each, moving, axis=1) for each in (found, counts, np.where(counts > 0, offset, 0.0)))
    for _ in range(MOST_CHORDS if len(moving) else 0):
        step = fitted.inverse_information @ (x.T @ (used * (y - _chance(starts + x @ beta))) - penalty * beta)
        beta = beta + step
        found[:, moving] = beta
        far = np.abs(step).max(axis=0, initial=0.0) >= NEAR_ENOUGH / 2
        if not far.all():
            # `compress` keeps the draws of a row beside each other in memory.
            moving, beta, used, starts = (np.compress(far, each, axis=-1) for each in (moving, beta, used, starts))
    for draw in moving:
        rows = np.flatnonzero(counts[:, draw] > 0)
        one = offset[rows, draw], counts[rows, draw], fitted.coefficients
        found[:, draw] = newton(x[rows], y[rows, 0], *one, tolerance=NEAR_ENOUGH)
    return offset + x @ found


def _chance(linear: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(−linear)), in place."""
    np.negative(linear, out=linear)
    np.exp(linear, out=linear)
    linear += 1
    return np.reciprocal(linear, out=linear)
