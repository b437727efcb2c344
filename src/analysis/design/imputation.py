"""Missing numbers drawn from what is known, several times, so that their uncertainty shows."""

import numpy as np
import pandas as pd

from analysis.design.covariates import CONTINUOUS

CYCLES = 5


def impute(covariates: pd.DataFrame, known: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Return the covariates with every missing number drawn once from its regression on all others.

    Chained equations with Bayesian normal regressions (van Buuren 2018, Flexible Imputation of Missing Data, 2nd ed.,
    ch. 3.2 and 4.5). Covariates without any value, and categories, stay as they are.

    Parameters
    ----------
    known
        What else predicts, such as arm and outcome (White & Royston 2009, Stat Med 28:1982), shape (rows, columns).
    """
    numbers = [c for c in CONTINUOUS if c in covariates and covariates[c].notna().any()]
    values = covariates[numbers].astype(float)
    is_missing, filled = values.isna().to_numpy(), values.fillna(values.mean()).to_numpy(copy=True)
    some = np.flatnonzero(is_missing.any(axis=0))
    for _ in range(CYCLES):
        for j in some:
            x = np.column_stack([np.ones(len(filled)), known, np.delete(filled, j, axis=1)])
            filled[is_missing[:, j], j] = _drawn(x, values[numbers[j]].to_numpy(), is_missing[:, j], rng)
    return covariates.assign(**{numbers[j]: filled[:, j] for j in some})


def _drawn(x: np.ndarray, y: np.ndarray, is_missing: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return draws for the missing values from the posterior predictive distribution of a linear regression."""
    spread = x.std(axis=0)
    x = np.where(spread > 0, (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0), x)
    seen, values = x[~is_missing], y[~is_missing]
    # A trace of a ridge keeps covariates that say the same apart (their mean and last value, with one wave so far).
    inverse = np.linalg.inv(seen.T @ seen + 1e-5 * len(seen) * np.eye(x.shape[1]))
    coefficients = inverse @ (seen.T @ values)
    residual = values - seen @ coefficients
    variance = residual @ residual / rng.chisquare(max(len(seen) - x.shape[1], 1))
    drawn = coefficients + np.sqrt(variance) * np.linalg.cholesky(inverse) @ rng.normal(size=x.shape[1])
    return x[is_missing] @ drawn + np.sqrt(variance) * rng.normal(size=is_missing.sum())
