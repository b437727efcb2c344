"""Two shares of (effective) people where events are few: interval and p-value from one score test.

Miettinen & Nurminen 1985, Stat Med 4:213 (`estimate.score_interval`). A value of the difference (or ratio) is inside
the interval exactly where the score test does not reject it, so that the interval excludes no difference exactly where
p is below 1 − level.
"""

import numpy as np

from analysis.estimate.inference import LEVEL, Interval
from analysis.estimate.score_interval import TwoShares, difference_limits, difference_score, ratio_limits
from analysis.plan.distributions import student_quantile, student_tail


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
