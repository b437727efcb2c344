"""The p-value of re-drawn lots and the critical value that makes an interval agree with it."""

from dataclasses import dataclass

import numpy as np

from analysis.estimate.inference import LEVEL
from analysis.plan.distributions import normal_quantile

LARGE = float(normal_quantile((1 + LEVEL) / 2))
# Statistics this close are one value: sums of the same numbers in another order.
SAME = 1e-9


@dataclass(frozen=True)
class Lots:
    """What re-drawing the lots says: the two-sided p-value, and how many standard errors an interval reaches."""

    p_value: float
    critical: float


def calibrated(observed: float, drawn: np.ndarray, quantile: float = LARGE) -> Lots:
    """Return the p-value of a statistic among those of re-drawn lots, and the critical value of the test.

    An interval of the values whose statistic is no larger than the critical value leaves zero out exactly where
    p < 1 − level. In small studies the statistic takes few values and anything between the largest that is not
    significant and the smallest that is would do: then the critical value is as near to `quantile` as it can be.

    Parameters
    ----------
    observed
        Absolute value of the statistic.
    drawn
        Absolute values of the statistic in re-drawn lots, shape (draws,).
    quantile
        The critical value in large studies.
    """
    n = len(drawn)
    p = (1 + np.sum(drawn >= observed - SAME)) / (1 + n)
    # The most draws that may be as large as a statistic that is significant: (1 + most) / (1 + n) < 1 − level.
    most = int(np.ceil((1 - LEVEL) * (1 + n))) - 2
    ordered = np.sort(drawn)
    below = ordered[n - 1 - most] if 0 <= most < n else np.inf
    values = np.append(ordered, observed)
    above = values[values > below + SAME].min(initial=np.inf)
    if not np.isfinite(above):
        return Lots(float(p), float(max(quantile, below + 0.01)))
    edge = (above - below) / 100
    return Lots(float(p), float(np.clip(quantile, below + edge, above - edge)))
