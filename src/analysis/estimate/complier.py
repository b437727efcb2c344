"""The effect in those who start because they were offered a place: the offer as an instrument."""

import numpy as np
import pandas as pd

from analysis.estimate.inference import Interval
from analysis.estimate.lottery import Lots, Offer

# Below this the offer moved starting too little for a ratio to be read (Staiger & Stock 1997, Econometrica 65:557).
LEAST_STRENGTH = 10.0


def lots_covariance(rows: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Return the covariance, over re-drawn lots, of the stratified differences of several values, shape (k, k).

    Parameters
    ----------
    rows
        ``stratum, is_offered``, one row per person and intake; every stratum has both arms.
    values
        What the lots do not change under the hypothesis, shape (k, rows).
    """
    offered, stratum = rows["is_offered"].to_numpy(dtype=bool), pd.factorize(rows["stratum"])[0]
    n, n1 = np.bincount(stratum), np.bincount(stratum, weights=offered)
    means = np.array([np.bincount(stratum, weights=v) / n for v in values])
    scale = (n1 / n1.sum()) ** 2 * (1 / n1 + 1 / (n - n1)) / (n - 1)
    centred = values - means[:, stratum]
    return (centred * scale[stratum]) @ centred.T


def arms_covariance(rows: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Return the covariance of the stratified differences by each arm's own spread in each stratum, shape (k, k).

    For strata with people enough in each arm. Parameters as in `lots_covariance`.
    """
    offered, stratum = rows["is_offered"].to_numpy(dtype=bool), pd.factorize(rows["stratum"])[0]
    block, share = 2 * stratum + offered, np.bincount(stratum, weights=offered) / offered.sum()
    n = np.bincount(block)
    means = np.array([np.bincount(block, weights=v) / n for v in values])
    centred = (values - means[:, block]) * (share[stratum] / n[block])
    return centred @ centred.T


def strength(starting: Offer) -> float:
    """Return the square of the first stage in standard errors over re-drawn lots: how far the offer moved starting."""
    variance = starting.lots_variance
    return float(starting.difference**2 / variance) if variance > 0 else 0.0


def complier_effect(outcome: Offer, starting: Offer, covariance: np.ndarray, lots: Lots) -> Interval | str:
    """Return the complier effect with its weak-instrument-robust interval, or why it cannot be told.

    Wald's ratio (Angrist, Imbens & Rubin 1996, JASA 91:444). The interval holds the effects β for which the outcome
    less β times starting does not differ by the offer (Anderson & Rubin 1949, Ann Math Stat 20:46; by re-drawn lots:
    Rosenbaum 2002, Stat Sci 17:286, and Kang, Peck & Keele 2018, JRSS A 181:1231): Fieller's set. At β = 0 it is the
    intention-to-treat test, whose p-value and critical value it shares. It is cut to −1 to 1.

    Parameters
    ----------
    covariance
        As from `lots_covariance`, or where there are ample people and events `arms_covariance`, of the event and of
        having started by the horizon.
    """
    first = starting.difference
    if first <= 0 or strength(starting) < LEAST_STRENGTH:
        return (
            f"The offer raised starting by {100 * first:.0f} percentage points, too little to tell what starting did "
            f"in those whom it made start (strength {strength(starting):.1f}; at least {LEAST_STRENGTH:.0f} is needed)."
        )
    effect = outcome.difference / first
    c2 = lots.critical**2
    a = first**2 - c2 * covariance[1, 1]
    b = outcome.difference * first - c2 * covariance[0, 1]
    c = outcome.difference**2 - c2 * covariance[0, 0]
    if a <= 0 or b**2 < a * c or abs(effect) > 1:
        return (
            "The offer moved starting too little for an interval: no effect, however large, could be ruled out. More "
            "people, or an offer that more of them take up, would be needed."
        )
    half = np.sqrt(b**2 - a * c)
    variance = covariance[0, 0] - 2 * effect * covariance[0, 1] + effect**2 * covariance[1, 1]
    low, high = (float(np.clip((b + sign * half) / a, -1, 1)) for sign in (-1, 1))
    return Interval(float(effect), float(np.sqrt(max(variance, 0.0)) / first), low, high, lots.p_value)
