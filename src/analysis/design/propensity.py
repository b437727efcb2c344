"""The chance to start on a trial's day, and the weights that it gives."""

from dataclasses import dataclass, replace

import numpy as np
import scipy

# Normal prior on the coefficients of standardized terms: worth about one treated person, so hardly felt in a large
# program, and finite under separation in a small one (in the spirit of Gelman et al. 2008, Ann Appl Stat 2:1360).
PRIOR_SD = 1.0
MOST_HALVINGS = 40
# Of a coefficient, where the last step of a refit ends: far below what a draw of people moves it.
NEAR_ENOUGH = 1e-7
MOST_STEPS = 30
# What is made of so many rows on the way stays in the processor's cache.
ROWS_AT_ONCE = 1024


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

    def take(self, chosen: np.ndarray) -> "Propensity":
        """Return what was fitted, of the rows chosen (a mask)."""
        by_row = ("probability", "linear", "score", "terms", "counts")
        return replace(self, **{name: getattr(self, name)[chosen] for name in by_row})


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


# Steps of a draw that runs away overflow; Newton's method then begins anew.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def refitted(fit: Propensity, treated: np.ndarray, counts: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Return the log odds of starting when rows count otherwise than in a fit, shape (rows, draws).

    Quasi-Newton steps (BFGS) from the fit's coefficients and its inverse information, for all draws at once: what the
    steps tell of a draw's own information is added to it (Nocedal & Wright 2006, Numerical Optimization, ch. 6). A step
    costs rows × terms and not rows × terms², so that departments by the dozen stay cheap. Where draws do not come to
    rest soon, Newton's method does the rest.

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
    found = np.repeat(fit.coefficients[:, None], counts.shape[1], axis=1)
    moving = np.flatnonzero(counts.any(axis=0))
    used, known_part = (np.take(each, moving, axis=1) for each in (counts, np.where(counts > 0, offset, 0.0)))
    beta, inverse = found[:, moving], np.repeat(fit.inverse_information[None], len(moving), axis=0)
    slope = _slope(x, y, known_part, used, beta)
    for _ in range(MOST_STEPS):
        step = (inverse @ slope.T[:, :, None])[:, :, 0].T
        found[:, moving] = beta + step
        far = ~(np.abs(step).max(axis=0) < NEAR_ENOUGH)
        if not far.any():
            moving = moving[far]
            break
        if not far.all():
            # `compress` keeps the draws of a row beside each other in memory.
            moving, used, known_part, slope, step = (
                np.compress(far, each, axis=-1) for each in (moving, used, known_part, slope, step)
            )
            inverse = inverse[far]
        beta, before = found[:, moving], slope
        slope = _slope(x, y, known_part, used, beta)
        inverse = _updated(inverse, step.T, (before - slope).T)
    for draw in moving:
        rows = np.flatnonzero(counts[:, draw] > 0)
        one = offset[rows, draw], counts[rows, draw], fit.coefficients
        found[:, draw] = newton(x[rows], y[rows, 0], *one, tolerance=NEAR_ENOUGH)
    return offset + x @ found


def _slope(x: np.ndarray, y: np.ndarray, offset: np.ndarray, counts: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Return the derivative of each draw's penalized log likelihood by its coefficients, shape (terms, draws)."""
    found = -_penalty(x.shape[1], PRIOR_SD)[:, None] * beta
    for first in range(0, len(x), ROWS_AT_ONCE):
        some = slice(first, first + ROWS_AT_ONCE)
        found += x[some].T @ (counts[some] * (y[some] - _chance(offset[some] + x[some] @ beta)))
    return found


def _updated(inverse: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Return inverse informations with what a step told: it changed the slope by `change`, shape (draws, terms)."""
    along = np.sum(step * change, axis=1)[:, None, None]
    moved = inverse @ change[:, :, None]
    across = moved * step[:, None, :]
    length = 1 + (change[:, None, :] @ moved) / along
    return inverse + (length * (step[:, :, None] * step[:, None, :]) - across - across.transpose(0, 2, 1)) / along


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
