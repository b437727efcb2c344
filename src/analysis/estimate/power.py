"""Before a program starts: what a comparison of two risks can see, and how many people it takes.

The test is the two-sided z-test of two proportions: variance pooled over both arms under the null hypothesis, each
arm's own under the alternative. Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions, section 4.3,
without continuity correction; with equal arms R's ``power.prop.test``. It is a normal approximation, rough where an arm
expects fewer than about five events. People are taken to be independent, alike, and followed to the horizon: clusters,
weights and exits before the horizon take more people.
"""

from dataclasses import dataclass
from math import ceil, inf, sqrt

import scipy

from analysis.estimate.inference import POWER
from analysis.plan.probability import normal_quantile, normal_tail

ALPHA = 0.05


@dataclass(frozen=True)
class _Spread:
    """Standard errors of a difference of two risks: under the null hypothesis (pooled), and at the risks themselves."""

    null: float
    actual: float


def power_of(
    risk_control: float, risk_treated: float, n_treated: float, n_control: float, alpha: float = ALPHA
) -> float:
    """Return the chance that the test finds the difference, on the side where it lies.

    Parameters
    ----------
    risk_control, risk_treated
        Shares with the event by the horizon; 0 < `risk_control` < 1, 0 <= `risk_treated` <= 1.
    n_treated, n_control
        People per arm, more than zero; they may be effective sample sizes.
    alpha
        Two-sided level of the test.

    Raises
    ------
    ValueError
        For a value outside these limits.
    """
    _check(risk_control, risk_treated, (n_treated, n_control), alpha)
    spread = _spread(risk_control, risk_treated, n_treated, n_control)
    distance = abs(risk_treated - risk_control) - normal_quantile(1 - alpha / 2) * spread.null
    return float(normal_tail(-distance / spread.actual))


def sample_size(
    risk_control: float, risk_treated: float, ratio: float = 1.0, alpha: float = ALPHA, power: float = POWER
) -> int:
    """Return the treated people needed to find the difference with that power, rounded up.

    Parameters
    ----------
    risk_control, risk_treated
        As for `power_of`, and different from each other.
    ratio
        Comparators per treated person.
    alpha, power
        Two-sided level of the test; power at least .5 and below 1.

    Raises
    ------
    ValueError
        For a value outside these limits.
    """
    _check(risk_control, risk_treated, (ratio,), alpha, power)
    if risk_treated == risk_control:
        raise ValueError("risk_treated and risk_control are equal: no number of people finds no difference")
    # Both standard errors fall with the root of the size, so what one treated person would need gives the answer.
    spread = _spread(risk_control, risk_treated, 1, ratio)
    root = _needed(spread, alpha, power) / abs(risk_treated - risk_control)
    # A whole number must not be rounded up for the last digit of a double.
    return max(1, ceil(root**2 - 1e-9))


def smallest_detectable_difference(
    risk_control: float,
    n_treated: float,
    n_control: float,
    alpha: float = ALPHA,
    power: float = POWER,
    fewer: bool = True,
) -> float | None:
    """Return the size of the smallest difference that the test would find with that power, as a positive share.

    Parameters
    ----------
    risk_control, n_treated, n_control, alpha
        As for `power_of`.
    power
        At least .5 and below 1.
    fewer
        Whether the treated have fewer events than the comparators; otherwise more.

    Returns
    -------
    float or None
        None where even treated people without a single event (with `fewer`; otherwise all with one) would not do.

    Raises
    ------
    ValueError
        For a value outside these limits.

    Notes
    -----
    What the difference exceeds its need by is convex in the treated risk (a line less roots of concave parabolas) and
    negative where the risks are equal, so it crosses zero at most once on either side.
    """
    _check(risk_control, risk_control, (n_treated, n_control), alpha, power)

    def surplus(risk_treated: float) -> float:
        spread = _spread(risk_control, risk_treated, n_treated, n_control)
        return abs(risk_treated - risk_control) - _needed(spread, alpha, power)

    furthest = 0.0 if fewer else 1.0
    if surplus(furthest) < 0:
        return None
    found = scipy.optimize.brentq(surplus, *sorted((furthest, risk_control)), xtol=1e-13, rtol=1e-13)
    return abs(float(found) - risk_control)


def _spread(risk_control: float, risk_treated: float, n_treated: float, n_control: float) -> _Spread:
    pooled = (n_treated * risk_treated + n_control * risk_control) / (n_treated + n_control)
    null = pooled * (1 - pooled) * (1 / n_treated + 1 / n_control)
    actual = risk_treated * (1 - risk_treated) / n_treated + risk_control * (1 - risk_control) / n_control
    return _Spread(sqrt(null), sqrt(actual))


def _needed(spread: _Spread, alpha: float, power: float) -> float:
    return float(normal_quantile(1 - alpha / 2) * spread.null + normal_quantile(power) * spread.actual)


def _check(
    risk_control: float, risk_treated: float, sizes: tuple[float, ...], alpha: float, power: float = POWER
) -> None:
    rules = {
        "risk_control must lie between 0 and 1": 0 < risk_control < 1,
        "risk_treated must lie in [0, 1]": 0 <= risk_treated <= 1,
        "people per arm, and their ratio, must be finite and more than zero": all(0 < n < inf for n in sizes),
        "alpha must lie between 0 and 1": 0 < alpha < 1,
        "power must be at least .5 and below 1": 0.5 <= power < 1,
    }
    broken = [rule for rule, holds in rules.items() if not holds]
    if broken:
        raise ValueError("; ".join(broken))
