"""Tails and quantiles of distributions, and seeds derived from names."""

import hashlib
from statistics import NormalDist
from typing import TypeVar

import numpy as np
import scipy


def rng(*names: object) -> np.random.Generator:
    """Return a random generator that depends on `names` alone, e.g. ``rng("northbank", "permutation")``."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


# --- distributions ----------------------------------------------------------------------------------------------------
# Tails and quantiles, from scipy.special: scipy.stats has the same numbers and takes a second to import. What scipy's
# parts are for is mostly estimating: each is imported when it is first used (`scipy.special.…`), not by who only reads.

Numbers = TypeVar("Numbers", float, np.ndarray)


def normal_quantile(p: float) -> float:
    """Return the standard normal quantile."""
    return NormalDist().inv_cdf(p)


def normal_tail(x: Numbers) -> Numbers:
    """Return the chance that a standard normal number is larger."""
    return scipy.special.ndtr(-x)


def student_quantile(p: Numbers, df: float | np.ndarray) -> Numbers:
    """Return the quantile of Student's distribution; infinite degrees of freedom give the normal."""
    return scipy.special.stdtrit(df, p)


def student_tail(x: Numbers, df: float) -> Numbers:
    """Return the chance that Student's t is larger."""
    return scipy.special.stdtr(df, -x)


def f_quantile(p: Numbers, df1: float, df2: float) -> Numbers:
    """Return the quantile of the F distribution."""
    return scipy.special.fdtri(df1, df2, p)


def f_tail(x: Numbers, df1: float, df2: float) -> Numbers:
    """Return the chance that F is larger."""
    return scipy.special.fdtrc(df1, df2, x)


def chi2_tail(x: Numbers, df: float) -> Numbers:
    """Return the chance that chi-squared is larger."""
    return scipy.special.chdtrc(df, x)


def chi2_quantile(p: Numbers, df: float) -> Numbers:
    """Return the quantile of the chi-squared distribution."""
    return scipy.special.chdtri(df, 1 - p)


def noncentral_chi2_share(x: float, df: float, noncentrality: float) -> float:
    """Return the chance that noncentral chi-squared is smaller."""
    return scipy.special.chndtr(x, df, noncentrality)
