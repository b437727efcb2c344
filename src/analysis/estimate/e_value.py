"""How strong an unmeasured cause would have to be to explain a ratio away."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class EValue:
    """E-values of an estimate and of the limit of its interval that is closest to 1; both at least 1.

    An unmeasured cause would have to be associated with starting and with the outcome, each by a risk ratio of this
    size beyond all measured covariates, to move the estimate (the limit) to 1; weaker ones could not.
    """

    estimate: float
    limit: float


def e_value(ratio: float) -> float:
    """Return the E-value of one risk ratio; a ratio below 1 is inverted, and 0 and infinity have an infinite one.

    VanderWeele & Ding 2017, Ann Intern Med 167:268. A hazard ratio or odds ratio may be put in only where the outcome
    is rare in both arms by the horizon (below 15 %).

    Raises
    ------
    ValueError
        Where `ratio` is negative or not a number.
    """
    if not ratio >= 0:
        raise ValueError("a risk ratio is a number that is not negative")
    if ratio in (0, np.inf):
        return float("inf")
    above = max(ratio, 1 / ratio)
    return float(above + np.sqrt(above * (above - 1)))


def e_values(ratio: float, low: float, high: float) -> EValue:
    """Return the E-values of a risk ratio and of its interval; the interval's is 1 where it includes 1.

    Raises
    ------
    ValueError
        Where one of them is negative or not a number, or the ratio lies outside its limits.
    """
    if not 0 <= low <= ratio <= high:
        raise ValueError("a risk ratio lies between its limits, and none of them is negative")
    limit = 1.0 if low <= 1 <= high else e_value(low if low > 1 else high)
    return EValue(e_value(ratio), limit)
