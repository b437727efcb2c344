"""The chance to start on a trial's day, and the weights that it gives."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

# Normal prior on the coefficients of standardized terms: worth about one treated person, so hardly felt in a large
# program, and finite under separation in a small one (in the spirit of Gelman et al. 2008, Ann Appl Stat 2:1360).
PRIOR_SD = 1.0
MOST_HALVINGS = 40


@dataclass(frozen=True)
class Propensity:
    """The chance to start on a trial's day, among those in the trial.

    Attributes
    ----------
    probability
        Shape (rows,).
    linear
        Log odds, shape (rows,).
    coefficients
        The intercept first, shape (terms,).
    inverse_information
        Shape (terms, terms).
    score
        Each row's derivative of the log likelihood, shape (rows, terms).
    terms
        A column of ones and the standardized design matrix, shape (rows, terms).
    """

    probability: np.ndarray
    linear: np.ndarray
    coefficients: np.ndarray
    inverse_information: np.ndarray
    score: np.ndarray
    terms: np.ndarray


def fit_propensity(
    terms: np.ndarray,
    treated: np.ndarray,
    trial: np.ndarray,
    prior_sd: float = PRIOR_SD,
    counts: np.ndarray | None = None,
) -> Propensity:
    """Fit a logistic regression of starting on covariates, with every trial's own start rate as an offset.

    Newton's method on the penalized likelihood. The offset (log odds of the share that started in the trial) takes
    up calendar time; a free intercept takes up what is left.

    Parameters
    ----------
    terms
        Standardized covariates, shape (rows, terms).
    treated, trial
        Shape (rows,): whether the person started that day, and the trial's number.
    prior_sd
        Standard deviation of the normal prior on each coefficient but the intercept; infinite = none.
    counts
        How often each row counts, shape (rows,); once each where not given.
    """
    counts = np.ones(len(treated)) if counts is None else counts
    x, y = np.column_stack([np.ones(len(terms)), terms]), treated.astype(float)
    linear, beta = fit_log_odds(x, y, trial, counts, np.zeros(x.shape[1]), prior_sd)
    p = 1 / (1 + np.exp(-linear))
    information = _information(x, counts * p * (1 - p), prior_sd)
    return Propensity(p, linear, beta, np.linalg.inv(information), x * (counts * (y - p))[:, None], x)


def fit_log_odds(
    x: np.ndarray,
    y: np.ndarray,
    trial: np.ndarray,
    counts: np.ndarray,
    start: np.ndarray,
    prior_sd: float = PRIOR_SD,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the log odds and the coefficients of `fit_propensity`, shapes (rows,) and (terms,), and nothing else.

    Parameters
    ----------
    x, y
        A column of ones and the terms, shape (rows, terms); whether the person started, as numbers, shape (rows,).
    start
        Coefficients to begin with; those of nearly the same people save most of the steps.
    """
    offset = start_log_odds(y, trial, counts)[trial]
    beta = newton(x, y, offset, counts, start, prior_sd)
    return offset + x @ beta, beta


def start_log_odds(treated: np.ndarray, trial: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the log odds of the share that started, shape (trials, …), rows counted `counts` times.

    A trial without one of the arms has nothing to tell: minus infinity, as if nobody could start.

    Parameters
    ----------
    treated, trial
        Shape (rows,).
    counts
        Shape (rows,), or (rows, draws) for many at once.
    """
    treated = _beside(treated, counts)
    started, others = totals(trial, treated * counts), totals(trial, (1 - treated) * counts)
    both = (started > 0) & (others > 0)
    return np.log(started, where=both, out=np.full_like(started, -np.inf)) - np.log(
        others, where=both, out=np.zeros_like(others)
    )


def totals(code: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the sums of the values with each code (0, 1, …), shape (rows, …) → (codes, …)."""
    shape = int(code.max(initial=-1)) + 1, len(code)
    return sparse.csc_array((np.ones(len(code)), code, np.arange(len(code) + 1)), shape=shape) @ values


def _beside(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return values by row, shape (rows,), so that they go with others of shape (rows, …)."""
    return values.reshape(-1, *[1] * (others.ndim - 1))


def newton(
    x: np.ndarray,
    y: np.ndarray,
    offset: np.ndarray,
    counts: np.ndarray,
    start: np.ndarray,
    prior_sd: float = PRIOR_SD,
    tolerance: float = 1e-10,
) -> np.ndarray:
    """Return the coefficients of a penalized logistic regression, shape (terms,).

    Parameters
    ----------
    x, y, offset
        Design with a column of ones first, shape (rows, terms); outcome and known part of the log odds, shape (rows,).
    counts
        How often each row counts, shape (rows,).
    start
        Where to begin.
    tolerance
        Of the last step, in units of a coefficient.
    """
    beta, penalty = start.copy(), _penalty(x.shape[1], prior_sd)
    linear = offset + x @ beta
    value = _penalized(y, linear, counts, beta, penalty)
    for _ in range(100):
        p = 1 / (1 + np.exp(-linear))
        information = _information(x, counts * p * (1 - p), prior_sd)
        step = np.linalg.solve(information, x.T @ (counts * (y - p)) - penalty * beta)
        # A full step may overshoot where few have started, and never come back: it is halved until the fit improves.
        for _ in range(MOST_HALVINGS):
            ahead = offset + x @ (beta + step)
            improved = _penalized(y, ahead, counts, beta + step, penalty)
            if improved >= value - 1e-12 * abs(value):
                break
            step = step / 2
        beta, linear, value = beta + step, ahead, improved
        if np.abs(step).max() < tolerance:
            break
    return beta


def _penalized(y: np.ndarray, linear: np.ndarray, counts: np.ndarray, beta: np.ndarray, penalty: np.ndarray) -> float:
    """Return the log likelihood of the log odds `linear`, plus that of the prior."""
    return float(counts @ (y * linear - np.logaddexp(0.0, linear)) - penalty @ beta**2 / 2)


def _penalty(n_terms: int, prior_sd: float) -> np.ndarray:
    return np.array([0.0] + [prior_sd**-2] * (n_terms - 1))


def _information(x: np.ndarray, variance: np.ndarray, prior_sd: float) -> np.ndarray:
    root = x * np.sqrt(variance)[:, None]
    return root.T @ root + np.diag(_penalty(x.shape[1], prior_sd))


def att_weights(
    linear: np.ndarray, treated: np.ndarray, trial: np.ndarray, counts: np.ndarray | None = None
) -> np.ndarray:
    """Return ATT weights at time zero: 1 for the treated; the odds of starting for comparators.

    In each trial the comparators' weights sum to its number of treated, so that both arms have the same calendar.

    Parameters
    ----------
    linear
        Log odds of starting, shape (rows,), or (rows, draws) for many at once; minus infinity where nobody could.
    counts
        How often each row counts (its weight is that of one of them), same shape; once each where not given.
    """
    counts, treated = np.ones_like(linear) if counts is None else counts, _beside(treated, linear)
    odds = np.where(treated, 0.0, np.exp(linear))
    total, n_treated = totals(trial, odds * counts), totals(trial, treated * counts)
    factor = np.divide(n_treated, total, where=total > 0, out=np.zeros_like(total))
    return np.where(treated, factor[trial] > 0, odds * factor[trial])
