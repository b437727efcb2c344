"""A correlation with its interval."""

import numpy as np

from analysis.plan.distributions import normal_quantile


def fisher_interval(r: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the limits of a correlation of `n` pairs by Fisher's z; NaN with fewer than four pairs.

    References
    ----------
    Fisher 1921, Metron 1:3.
    """
    if n < 4:
        return np.nan, np.nan
    if abs(r) == 1:
        return r, r
    half = normal_quantile((1 + level) / 2) / np.sqrt(n - 3)
    return float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))
