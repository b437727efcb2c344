"""A mean with its interval."""

import numpy as np

from analysis.plan.distributions import student_quantile

LEVEL = 0.95


def mean_interval(values: np.ndarray, level: float = LEVEL) -> tuple[float, float, float]:
    """Return the mean of `values`, shape (people,), and its limits by Student's t; these are NaN for a single value.

    References
    ----------
    Student 1908, Biometrika 6:1.
    """
    n, centre = len(values), float(np.mean(values))
    if n < 2:
        return centre, np.nan, np.nan
    half = float(student_quantile((1 + level) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return centre, centre - half, centre + half
