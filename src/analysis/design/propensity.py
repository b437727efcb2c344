"""The chance to start on a trial's day, and the weights that it gives."""

from dataclasses import dataclass

import numpy as np
import scipy

# Normal prior on the coefficients of standardized terms: worth about one treated person, so hardly felt in a large
# program, and finite under separation in a small one (in the spirit of Gelman et al. 2008, Ann Appl Stat 2:1360).
PRIOR_SD = 1.0
MOST_HALVINGS = 40
# Of a coefficient, where the last step of a refit ends: far below what a draw of people moves it.
NEAR_ENOUGH = 1e-5
MOST_CHORDS = 12


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
    counts
        How often each row counted, shape (rows,).
    """

    probability: np.ndarray
    linear: np.ndarray
    coefficients: np.ndarray
    inverse_information: np.ndarray
    score: np.ndarray
    terms: np.ndarray
    counts: np.ndarray


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
    return fit_logistic(x, y, start_log_odds(y, trial, counts)[trial], counts, prior_sd)


def fit_logistic(
    x: np.ndarray, y: np.ndarray, offset: np.ndarray, counts: np.ndarray, prior_sd: float = PRIOR_SD
) -> Propensity:
    """Fit a penalized logistic regression with a known part of the log odds; arguments as of `newton`."""
    beta = newton(x, y, offset, counts, np.zeros(x.shape[1]), prior_sd)
    linear = offset + x @ beta
    p = 1 / (1 + np.exp(-linear))
    information = _information(x, counts * p * (1 - p), prior_sd)
    return Propensity(p, linear, beta, np.linalg.inv(information), x * (counts * (y - p))[:, None], x, counts)


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
    return scipy.sparse.csc_array((np.ones(len(code)), code, np.arange(len(code) + 1)), shape=shape) @ values


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


def refitted(fit: Propensity, treated: np.ndarray, counts: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Return the log odds of starting when rows count otherwise than in a fit, shape (rows, draws).

    Chord steps from the fit's coefficients, for all draws at once: Newton's, with each draw's information as it is
    there (Ortega & Rheinboldt 1970, Iterative Solution of Nonlinear Equations, ch. 7). A step then costs rows × terms
    and not rows × terms², and departments by the dozen stay cheap. Where draws do not come to rest soon, Newton's
    method does the rest.

    Parameters
    ----------
    fit
        Of all rows.
    treated
        Shape (rows,).
    counts, offset
        How often each row counts, and the known part of its log odds (minus infinity where it cannot count); shape
        (rows, draws).
    """
    x, y = fit.terms, treated.astype(float)[:, None]
    penalty = _penalty(x.shape[1], PRIOR_SD)[:, None]
    found = np.repeat(fit.coefficients[:, None], counts.shape[1], axis=1)
    # Of the draws that have not come to rest: their numbers, coefficients, counts and known parts of the log odds.
    moving = np.flatnonzero(counts.any(axis=0))
    beta, used, starts = (np.take(each, moving, axis=1) for each in (found, counts, np.where(counts > 0, offset, 0.0)))
    inverse = _inverse_informations(fit, used)
    for _ in range(MOST_CHORDS if len(moving) else 0):
        gradient = x.T @ (used * (y - _chance(starts + x @ beta))) - penalty * beta
        step = (inverse @ gradient.T[:, :, None])[:, :, 0].T
        beta = beta + step
        found[:, moving] = beta
        far = np.abs(step).max(axis=0, initial=0.0) >= NEAR_ENOUGH / 2
        if not far.all():
            # `compress` keeps the draws of a row beside each other in memory.
            moving, beta, used, starts = (np.compress(far, each, axis=-1) for each in (moving, beta, used, starts))
            inverse = inverse[far]
    for draw in moving:
        rows = np.flatnonzero(counts[:, draw] > 0)
        start = found[:, draw] if np.isfinite(found[:, draw]).all() else fit.coefficients
        one = offset[rows, draw], counts[rows, draw], start
        found[:, draw] = newton(x[rows], y[rows, 0], *one, tolerance=NEAR_ENOUGH)
    return offset + x @ found


def _inverse_informations(fit: Propensity, counts: np.ndarray) -> np.ndarray:
    """Return the inverse information of each draw at the fit's coefficients, shape (draws, terms, terms).

    That of the fit, more or less what rows add or take away that count otherwise: without a group of people few do.
    """
    variance, information = fit.probability * (1 - fit.probability), np.linalg.inv(fit.inverse_information)
    found = np.repeat(information[None], counts.shape[1], axis=0)
    for draw, more in enumerate((counts - fit.counts[:, None]).T):
        rows = np.flatnonzero(more)
        found[draw] += (fit.terms[rows].T * (more * variance)[rows]) @ fit.terms[rows]
    return np.linalg.inv(found)


def _chance(linear: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(−linear)), in place."""
    np.negative(linear, out=linear)
    np.exp(linear, out=linear)
    linear += 1
    return np.reciprocal(linear, out=linear)


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
