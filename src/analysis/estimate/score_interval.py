"""Score intervals of two shares: the variance is that of the shares that fit best where the difference is Δ.

Miettinen & Nurminen 1985, Stat Med 4:213. An interval is made of the values that a score test does not reject, so it
agrees with that test (no difference is outside exactly where p is below 1 − level), holds in small groups and with no
event in an arm, and never leaves −1 to 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy

from analysis.estimate.inference import LEVEL, Interval
from analysis.plan.probability import student_quantile, student_tail

LARGEST_RATIO = 1e6


@dataclass(frozen=True)
class TwoShares:
    """Two shares and what their difference varies by.

    Attributes
    ----------
    treated, control
        Shares with the event; averages over strata may be weighted.
    n_treated, n_control
        People, or as many as the weighted averages are worth.
    factor
        What the binomial variance is multiplied by: n / (n − 1) in one stratum, less where strata explain a part.
    """

    treated: float
    n_treated: float
    control: float
    n_control: float
    factor: float = 1.0

    def variance(self, treated: float, control: float, ratio: float = 1.0) -> float:
        """Return the variance of (treated − ratio × control) where the true shares are these."""
        parts = treated * (1 - treated) / self.n_treated + ratio**2 * control * (1 - control) / self.n_control
        return max(0.0, self.factor * parts)


def fitted_at_difference(shares: TwoShares, difference: float) -> tuple[float, float]:
    """Return the shares (treated, control) of largest likelihood whose difference is this one.

    The closed form of Farrington & Manning 1990 (Stat Med 9:1447), appendix.
    """
    ratio = shares.n_control / shares.n_treated
    p1, p0, d = shares.treated, shares.control, difference
    a = 1 + ratio
    b = -(1 + ratio + p1 + ratio * p0 + d * (ratio + 2))
    c = d**2 + d * (2 * p1 + ratio + 1) + p1 + ratio * p0
    v = b**3 / (27 * a**3) - b * c / (6 * a**2) - p1 * d * (1 + d) / (2 * a)
    u = np.copysign(np.sqrt(max(0.0, b**2 / (9 * a**2) - c / (3 * a))), v)
    angle = (np.pi + np.arccos(np.clip(v / u**3, -1, 1))) / 3 if abs(u) > 1e-12 else np.pi / 2
    treated = float(np.clip(2 * u * np.cos(angle) - b / (3 * a), max(0.0, d), min(1.0, 1 + d)))
    return treated, treated - d


def fitted_at_ratio(shares: TwoShares, ratio: float) -> tuple[float, float]:
    """Return the shares (treated, control) of largest likelihood whose ratio is this one (ibid.)."""
    n1, n0 = shares.n_treated, shares.n_control
    x1, x0 = n1 * shares.treated, n0 * shares.control
    a, b, c = (n1 + n0) * ratio, -(n1 * ratio + x1 + n0 + x0 * ratio), x1 + x0
    control = (-b - np.sqrt(max(0.0, b**2 - 4 * a * c))) / (2 * a)
    control = float(np.clip(control, 0.0, min(1.0, 1 / ratio)))
    return ratio * control, control


def difference_score(shares: TwoShares, difference: float) -> float:
    """Return the score statistic of a difference: how many standard errors the observed one lies above it."""
    treated, control = fitted_at_difference(shares, difference)
    return _score(shares.treated - shares.control - difference, shares.variance(treated, control))


def ratio_score(shares: TwoShares, ratio: float) -> float:
    """Return the score statistic of a ratio, treated over control."""
    treated, control = fitted_at_ratio(shares, ratio)
    return _score(shares.treated - ratio * shares.control, shares.variance(treated, control, ratio))


def _score(gap: float, variance: float) -> float:
    if abs(gap) < 1e-12:
        return 0.0
    return float(gap / np.sqrt(variance)) if variance > 0 else float(np.copysign(np.inf, gap))


def difference_limits(shares: TwoShares, critical: float) -> tuple[float, float]:
    """Return the differences between which the score statistic is within ± `critical`."""
    estimate = shares.treated - shares.control
    return (
        _limit(lambda d: difference_score(shares, d) - critical, -1.0, estimate),
        _limit(lambda d: -difference_score(shares, d) - critical, 1.0, estimate),
    )


def ratio_limits(shares: TwoShares, critical: float) -> tuple[float, float]:
    """Return the ratios between which the score statistic is within ± `critical`; both arms have events."""
    estimate = np.log(shares.treated / shares.control)
    far = np.log(LARGEST_RATIO)
    low = _limit(lambda r: ratio_score(shares, np.exp(r)) - critical, -far, estimate)
    high = _limit(lambda r: -ratio_score(shares, np.exp(r)) - critical, far, estimate)
    return float(np.exp(low)), float(np.exp(high))


def _limit(excess: Callable[[float], float], far: float, estimate: float) -> float:
    """Return where `excess` falls to zero on the way from `far` to the estimate; `far` where it is not above it there.

    A statistic that is infinite counts as large.
    """

    def bounded(value: float) -> float:
        return float(np.clip(excess(value), -1e6, 1e6))

    if abs(far - estimate) < 1e-12 or bounded(far) <= 0:
        return float(far)
    return float(scipy.optimize.brentq(bounded, far, estimate, xtol=1e-13))


def score_difference(
    treated: float, n_treated: float, control: float, n_control: float, df: float = np.inf, level: float = LEVEL
) -> Interval:
    """Return the score interval of a difference of two shares, treated minus control, with the p-value of its test.

    The standard error is read from the limits, so that an arm without events still has one.

    Parameters
    ----------
    n_treated, n_control
        People, or effective numbers of them.
    df
        Degrees of freedom of Student's t that the score is held against; infinite = normal.
    """
    shares, quantile = _shares(treated, n_treated, control, n_control), float(student_quantile((1 + level) / 2, df))
    low, high = difference_limits(shares, quantile)
    return Interval(float(treated - control), (high - low) / (2 * quantile), low, high, _p_value(shares, df))


def score_ratio(
    treated: float, n_treated: float, control: float, n_control: float, df: float = np.inf, level: float = LEVEL
) -> Interval:
    """Return the score interval of the ratio of two shares above zero; its standard error on the log scale.

    Its test of no difference is that of `score_difference`: one p-value for both measures.
    """
    shares, quantile = _shares(treated, n_treated, control, n_control), float(student_quantile((1 + level) / 2, df))
    low, high = ratio_limits(shares, quantile)
    std_error = float(np.log(high / low)) / (2 * quantile)
    return Interval(float(treated / control), std_error, low, high, _p_value(shares, df))


def _shares(treated: float, n_treated: float, control: float, n_control: float) -> TwoShares:
    n = n_treated + n_control
    return TwoShares(treated, n_treated, control, n_control, n / (n - 1))


def _p_value(shares: TwoShares, df: float) -> float:
    return float(2 * student_tail(abs(difference_score(shares, 0.0)), df))
