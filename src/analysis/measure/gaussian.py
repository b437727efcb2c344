"""Multivariate normal likelihood of answers of which some are missing, and its saturated and independence models."""

from dataclasses import dataclass

import numpy as np

# A rise of the log-likelihood, as a share of it, that is no more than rounding.
ROUNDING = 1e-14
MAX_EM_STEPS = 5000
# Smallest eigenvalue of a correlation matrix below which a variable is taken for a sum of others.
SINGULAR = 1e-8


@dataclass(frozen=True)
class Sample:
    """One group's answers, as far as a normal likelihood sees them: moments by pattern of what is missing.

    Complete answers have a single pattern. Where an answer is missing, means and covariances hold zero.

    Attributes
    ----------
    n
        People of each pattern, shape (patterns,).
    observed
        1 where the pattern has the variable, else 0; shape (patterns, variables).
    mean
        Shape (patterns, variables).
    covariance
        Divisor n, shape (patterns, variables, variables).
    """

    n: np.ndarray
    observed: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray

    @property
    def n_people(self) -> int:
        """Everybody with at least one answer."""
        return int(self.n.sum())

    @property
    def n_variables(self) -> int:
        return self.observed.shape[1]


@dataclass(frozen=True)
class Normal:
    """Mean, shape (variables,), and covariance, shape (variables, variables), of a multivariate normal."""

    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class Likelihood:
    """The log-likelihood of a sample at one mean and covariance.

    Attributes
    ----------
    value
        With its constant.
    by_mean
        Derivative, shape (variables,).
    by_covariance
        Derivative by each cell as if the cells were all free, shape (variables, variables), symmetric.
    precision
        Inverse covariance of what a pattern has, zero elsewhere; shape (patterns, variables, variables).
    """

    value: float
    by_mean: np.ndarray
    by_covariance: np.ndarray
    precision: np.ndarray


def sample_of(rows: np.ndarray) -> Sample:
    """Return the moments of answers, shape (people, variables), NaN where missing; who answered nothing is left out."""
    known = ~np.isnan(rows)
    rows, known = rows[known.any(axis=1)], known[known.any(axis=1)]
    observed, pattern = np.unique(known, axis=0, return_inverse=True)
    pattern = pattern.ravel()
    n = np.bincount(pattern, minlength=len(observed))
    filled = np.where(known, rows, 0.0)
    members = np.split(np.argsort(pattern, kind="stable"), np.cumsum(n)[:-1])
    mean = np.array([filled[who].mean(axis=0) for who in members])
    centred = filled - np.where(known, mean[pattern], 0.0)
    covariance = np.array([centred[who].T @ centred[who] / len(who) for who in members])
    return Sample(n.astype(float), observed.astype(float), mean, covariance)


def log_likelihood(sample: Sample, normal: Normal) -> Likelihood | None:
    """Return the log-likelihood and its derivatives; None where the covariance is singular or not definite.

    With missing answers it is full-information maximum likelihood: each person counts with what he answered, right
    where answers are missing at random given the others. Anderson 1957, JASA 52:200; Arbuckle 1996, in Marcoulides &
    Schumacker (eds), Advanced Structural Equation Modeling, p. 243.
    """
    both = sample.observed[:, :, None] * sample.observed[:, None, :]
    # A missing variable stands as one of its own with variance 1, which adds nothing to the determinant.
    padded = normal.covariance * both + np.eye(sample.n_variables) * (1 - sample.observed)[:, :, None]
    try:
        factor = np.linalg.cholesky(padded)
        # A matrix that is singular but for rounding may pass the first of these two and not the second.
        precision = np.linalg.inv(padded) * both
    except np.linalg.LinAlgError:
        return None
    log_determinant = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    away = (sample.mean - normal.mean) * sample.observed
    scatter = sample.covariance + away[:, :, None] * away[:, None, :]
    distance = (precision * scatter).sum(axis=(1, 2))
    size = sample.observed.sum(axis=1) * np.log(2 * np.pi)
    value = -float(sample.n @ (size + log_determinant + distance)) / 2
    by_mean = sample.n @ (precision @ away[:, :, None])[:, :, 0]
    by_covariance = np.tensordot(sample.n, precision @ scatter @ precision - precision, axes=1) / 2
    return Likelihood(value, by_mean, by_covariance, precision)


def expected_information(sample: Sample, precision: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Fisher's information given the patterns, of the mean and of the covariance's cells.

    Parameters
    ----------
    precision
        As in `Likelihood`.

    Returns
    -------
    of_mean
        Shape (variables, variables).
    of_covariance
        Between cells taken as all free, shape (variables², variables²), cells in the order of ``ravel``.
    """
    p = sample.n_variables
    flat = precision.reshape(-1, p * p)
    products = ((flat * sample.n[:, None]).T @ flat).reshape(p, p, p, p)
    return np.tensordot(sample.n, precision, axes=1), products.transpose(1, 2, 3, 0).reshape(p * p, p * p) / 2


def independence(sample: Sample) -> Normal:
    """Return the best fit of uncorrelated variables: each one's mean and variance (divisor n) where it was answered."""
    n = sample.n @ sample.observed
    mean = (sample.n @ sample.mean) / n
    away = (sample.mean - mean) * sample.observed
    spread = np.diagonal(sample.covariance, axis1=1, axis2=2) + away**2
    return Normal(mean, np.diag((sample.n @ spread) / n))


def saturated(sample: Sample) -> Normal | None:
    """Return the best fit with nothing said of mean and covariance; None where there is none.

    That is so where the likelihood has no single maximum with a positive definite covariance: too few people, a
    variable that is constant or the sum of others, two that nobody answered together.

    EM (Orchard & Woodbury 1972, Proc Sixth Berkeley Symp 1:697; Dempster, Laird & Rubin 1977, J R Stat Soc B 39:1),
    written with the derivatives of the likelihood; of complete answers its first step is the answer.
    """
    normal, value = independence(sample), -np.inf
    for _ in range(MAX_EM_STEPS):
        here = log_likelihood(sample, normal)
        if here is None:
            return None
        if here.value - value <= ROUNDING * abs(here.value):
            return normal if _is_definite(normal.covariance) else None
        value = here.value
        step = normal.covariance @ here.by_mean / sample.n_people
        change = 2 * normal.covariance @ here.by_covariance @ normal.covariance / sample.n_people
        covariance = normal.covariance + change - np.outer(step, step)
        normal = Normal(normal.mean + step, (covariance + covariance.T) / 2)
    return None


def _is_definite(covariance: np.ndarray) -> bool:
    spread = np.sqrt(np.diag(covariance))
    return bool(np.linalg.eigvalsh(covariance / np.outer(spread, spread))[0] > SINGULAR)
