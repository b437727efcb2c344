"""Two shares of (effective) people where events are few: interval and p-value from one score test.

Miettinen & Nurminen 1985, Stat Med 4:213. A value of the difference (or ratio) is inside the interval exactly where the
score test does not reject it, so that the interval excludes no difference exactly where p is below 1 − level.
"""

from collections.abc import Callable

import numpy as np
from scipy import optimize, stats

from analysis.estimate.inference import LEVEL, Interval

EDGE = 1e-9
LARGEST_LOG_RATIO = 30.0


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
    estimate, quantile = treated - control, stats.t.ppf((1 + level) / 2, df)

    def score(delta: float) -> float:
        rest = _restricted_difference(treated, n_treated, control, n_control, delta)
        return (estimate - delta) / _error(rest, rest - delta, 1.0, n_treated, n_control)

    low = _crossing(lambda delta: score(delta) - quantile, -1 + EDGE, estimate, -1.0)
    high = _crossing(lambda delta: score(delta) + quantile, estimate, 1 - EDGE, 1.0)
    p = 2 * stats.t.sf(abs(score(0.0)), df) if estimate else 1.0
    return Interval(float(estimate), float((high - low) / (2 * quantile)), low, high, float(p))


def score_ratio(
    treated: float, n_treated: float, control: float, n_control: float, df: float = np.inf, level: float = LEVEL
) -> Interval:
    """Return the score interval of the ratio of two shares above zero; its standard error on the log scale.

    Its test of no difference is that of `score_difference`: one p-value for both measures.
    """
    estimate, quantile = np.log(treated / control), stats.t.ppf((1 + level) / 2, df)

    def score(log_ratio: float) -> float:
        ratio = np.exp(log_ratio)
        rest = _restricted_ratio(treated, n_treated, control, n_control, ratio)
        return (treated - ratio * control) / _error(ratio * rest, rest, ratio, n_treated, n_control)

    low = _crossing(lambda x: score(x) - quantile, -LARGEST_LOG_RATIO, estimate, -LARGEST_LOG_RATIO)
    high = _crossing(lambda x: score(x) + quantile, estimate, LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)
    p = 2 * stats.t.sf(abs(score(0.0)), df) if estimate else 1.0
    ratio, least, most = (float(np.exp(x)) for x in (estimate, low, high))
    return Interval(ratio, float((high - low) / (2 * quantile)), least, most, float(p))


def _crossing(value: Callable[[float], float], low: float, high: float, beyond: float) -> float:
    """Return where a falling function crosses zero between two points; `beyond` where it does not."""
    if value(low) * value(high) > 0:
        return float(beyond)
    return float(optimize.brentq(value, low, high, xtol=1e-12))


def _error(treated: float, control: float, ratio: float, n_treated: float, n_control: float) -> float:
    """Return the standard error of treated − ratio × control at these true shares, with the factor N/(N − 1)."""
    n = n_treated + n_control
    variance = treated * (1 - treated) / n_treated + ratio**2 * control * (1 - control) / n_control
    return float(np.sqrt(max(variance, 1e-300) * n / (n - 1)))


def _restricted_difference(p1: float, n1: float, p0: float, n0: float, delta: float) -> float:
    """Return the likeliest share of the treated where it is `delta` larger than the comparators'.

    In closed form: Farrington & Manning 1990, Stat Med 9:1447, appendix.
    """
    theta = n0 / n1
    a = 1 + theta
    b = -(1 + theta + p1 + theta * p0 + delta * (theta + 2))
    c = delta**2 + delta * (2 * p1 + theta + 1) + p1 + theta * p0
    d = -p1 * delta * (1 + delta)
    v = b**3 / (27 * a**3) - b * c / (6 * a**2) + d / (2 * a)
    u = np.copysign(np.sqrt(max(b**2 / (9 * a**2) - c / (3 * a), 0.0)), v if v else 1.0)
    cosine = np.clip(v / u**3, -1.0, 1.0) if u else 0.0
    found = 2 * u * np.cos((np.pi + np.arccos(cosine)) / 3) - b / (3 * a)
    return float(np.clip(found, max(0.0, delta), min(1.0, 1.0 + delta)))


def _restricted_ratio(p1: float, n1: float, p0: float, n0: float, ratio: float) -> float:
    """Return the likeliest share of the comparators where the treated's is `ratio` times as large."""
    a = (n1 + n0) * ratio
    b = -(n1 * ratio + n1 * p1 + n0 + n0 * p0 * ratio)
    c = n1 * p1 + n0 * p0
    found = (-b - np.sqrt(max(b * b - 4 * a * c, 0.0))) / (2 * a)
    return float(np.clip(found, 0.0, min(1.0, 1.0 / ratio)))
