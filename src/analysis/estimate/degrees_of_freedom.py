"""How many degrees of freedom a variance from few clusters has."""

import numpy as np


def satterthwaite(responses: np.ndarray) -> float:
    """Return the degrees of freedom of a sum of squared cluster contributions, at least 1.

    The sum is a quadratic form in independent shocks; it is taken for a multiple of a chi-squared variable with the
    same mean and variance, which has tr(B)² / tr(B²) degrees of freedom, B being the covariance of the contributions
    (Satterthwaite 1946, Biometrics Bulletin 2:110; for clusters Bell & McCaffrey 2002, Survey Methodology 28:169, and
    Imbens & Kolesár 2016, Review of Economics and Statistics 98:701). Means of two groups of equal variance and sizes
    m and n have the degrees of freedom of Welch 1947 (Biometrika 34:28).

    Parameters
    ----------
    responses
        By how much each cluster's contribution moves with each shock, shape (clusters, shocks).
    """
    covariance = responses @ responses.T
    return float(np.trace(covariance) ** 2 / np.sum(covariance**2))
