"""The weights of a follow-up anew when people count more or less often: the propensity is fitted again."""

import numpy as np

from analysis.design.follow_up import survived_sum
from analysis.design.propensity import PRIOR_SD, att_weights, newton, start_log_odds
from analysis.design.weights import WeightedFollowUp, WeightModel
from analysis.plan.known import known

# Of a coefficient, where the last step of a refit ends: far below what a draw of people moves it.
NEAR_ENOUGH = 1e-5
MOST_CHORDS = 12


def reweigh(followed: WeightedFollowUp, counts: np.ndarray) -> np.ndarray | None:
    """Return each interval's weight, times its row's count, shape (intervals,); None where no trial has both arms.

    A trial that has lost an arm has nothing to tell: its rows count nothing, and nobody could have started in it.

    Parameters
    ----------
    counts
        How often each row counts, shape (rows,).
    """
    model = known(followed.model)
    x, y, trial = model.propensity.terms, model.treated.astype(float), model.trial
    offset = start_log_odds(y, trial, counts)[trial]
    rows = np.flatnonzero((counts > 0) & np.isfinite(offset))
    if not len(rows):
        return None
    linear = offset + x @ _refitted(model, rows, y, offset, counts)
    weights = np.zeros(len(counts))
    weights[rows] = att_weights(linear[rows], model.treated[rows], trial[rows], counts[rows])
    follow = model.follow
    grown = survived_sum(follow, np.logaddexp(0.0, linear)) + follow.log_factor
    by_interval = weights[follow.row] * np.exp(np.where(model.treated[follow.row], 0.0, grown))
    if model.largest_quantile < 1:
        of_control = ~model.treated[follow.row] & (by_interval > 0)
        largest = np.quantile(by_interval[of_control], model.largest_quantile)
        by_interval = np.where(of_control, np.minimum(by_interval, largest), by_interval)
    return by_interval * counts[follow.row]


def _refitted(
    model: WeightModel, rows: np.ndarray, y: np.ndarray, offset: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Return the propensity's coefficients for these counts, shape (terms,).

    Chord steps: Newton's with the information of the whole sample, which a group of people hardly changes (Ortega &
    Rheinboldt 1970, Iterative Solution of Nonlinear Equations, ch. 7). A step then costs rows × terms and not rows ×
    terms², and departments by the dozen stay cheap. Where it does not come to rest soon, Newton's method does the rest.
    """
    x, fitted = model.propensity.terms, model.propensity
    used = np.zeros(len(counts))
    used[rows] = counts[rows]
    starts = np.where(used > 0, offset, 0.0)
    penalty = np.full(x.shape[1], PRIOR_SD**-2)
    penalty[0] = 0.0
    beta = fitted.coefficients
    for _ in range(MOST_CHORDS):
        residual = used * (y - 1 / (1 + np.exp(-(starts + x @ beta))))
        step = fitted.inverse_information @ (residual @ x - penalty * beta)
        beta = beta + step
        if np.abs(step).max() < NEAR_ENOUGH / 2:
            return beta
    start = fitted.coefficients
    return newton(x[rows], y[rows], offset[rows], counts[rows], start, tolerance=NEAR_ENOUGH)
