"""The event study: effects by time before and after the start, a band for all of them, and a test of those before."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimate.inference import LEVEL
from analysis.estimate.staggered import Effects, Stack, effects
from analysis.plan.distributions import f_tail, normal_tail, student_quantile

N_DRAWS = 20_000
# With treated rows of fewer clusters than this a point has no variance worth the name.
LEAST_CLUSTERS = 3


@dataclass(frozen=True)
class Curve:
    """Effects before and after the start.

    Attributes
    ----------
    positions
        Ascending, shape (points,): waves counted from the base (1 = first wave after the start, −1 = the wave before
        the base), or the first month of each interval. The base, the last wave before the start, is zero by
        definition and not among them.
    effects
        One set for each of them: score then less score at the base, the treated's less the comparators'.
    """

    positions: np.ndarray
    effects: Effects


@dataclass(frozen=True)
class PreTrend:
    """Whether all effects before the start could be zero: F with its degrees of freedom, and the p-value."""

    statistic: float
    df_numerator: int
    df_denominator: int
    p_value: float


def overall(stack: Stack, weights: np.ndarray) -> Effects:
    """Return the mean effect over all treated rows after the start, each person and wave counted once: one set.

    Callaway & Sant'Anna's simple average (2021, section 3.1), which is the curve's mean by treated rows.

    Parameters
    ----------
    weights
        As from `staggered.comparator_weights`, shape (rows,).

    Raises
    ------
    ValueError
        Where no wave after the start has rows of both arms.
    """
    if not (stack.position > 0).any():
        raise ValueError("no wave after the start has rows of both arms")
    return effects(stack, weights, np.where(stack.position > 0, 0, -1))


def event_curve(stack: Stack, weights: np.ndarray, least_rows: int = 1) -> Curve | None:
    """Return the effects by wave position; None where no position has `LEAST_CLUSTERS` treated clusters.

    Parameters
    ----------
    weights
        As from `staggered.comparator_weights`, shape (rows,).
    least_rows
        Positions of fewer treated rows are left out: what cannot be shown must not widen the band of the others.
    """
    n = pd.Series(stack.treated).groupby(stack.position).transform("sum")
    return _curve(stack, weights, pd.Series(stack.position).astype("Int64").where(n >= least_rows))


def month_curve(stack: Stack, weights: np.ndarray, months: np.ndarray, edges: np.ndarray) -> Curve | None:
    """Return the effects by months since the start; None where no interval has `LEAST_CLUSTERS` treated clusters.

    Parameters
    ----------
    weights
        As from `staggered.comparator_weights`, shape (rows,).
    months
        From a treated row's start to its wave, negative before the start; comparators' are not read; shape (rows,).
    edges
        First month of each interval and the end of the last one, ascending, shape (intervals + 1,).
    """
    inside = (months >= edges[0]) & (months < edges[-1])
    interval = np.searchsorted(edges, np.where(inside, months, edges[0]), side="right") - 1
    return _curve(stack, weights, pd.Series(np.asarray(edges)[interval]).where(inside))


def _curve(stack: Stack, weights: np.ndarray, labels: pd.Series) -> Curve | None:
    """Return the effects in the treated rows of each label; labels of too few treated clusters, and none, left out."""
    treated = pd.DataFrame({"cluster": stack.cluster, "label": labels.array})[stack.treated]
    seen = treated.groupby("label")["cluster"].nunique()
    points = pd.Index(seen.index[seen >= LEAST_CLUSTERS])
    if points.empty:
        return None
    return Curve(points.to_numpy(), effects(stack, weights, points.get_indexer(labels)))


def band(curve: Curve, rng: np.random.Generator) -> pd.DataFrame:
    """Return the curve with its intervals: ``position, estimate, std_error, ci_low, ci_high, band_low, band_high``.

    ``ci`` is each point's own 95 % interval (Student's t); ``band`` holds the whole curve with 95 %: the sup-t band of
    Montiel Olea & Plagborg-Møller 2019 (J Appl Econom 34:1). The smallest of the points' p-values has its 5 % quantile
    under the estimates' correlation (`N_DRAWS` normal draws), and every point gets the interval of that level.

    Parameters
    ----------
    rng
        Seeded by the caller.
    """
    found = curve.effects
    std_error = np.sqrt(np.diag(found.covariance))
    level = 1 - _smallest_p(found.covariance / np.outer(std_error, std_error), rng)
    own, together = (student_quantile((1 + at) / 2, found.df) * std_error for at in (LEVEL, level))
    return pd.DataFrame(
        {
            "position": curve.positions,
            "estimate": found.estimates,
            "std_error": std_error,
            "ci_low": found.estimates - own,
            "ci_high": found.estimates + own,
            "band_low": found.estimates - together,
            "band_high": found.estimates + together,
        }
    )


def _smallest_p(correlation: np.ndarray, rng: np.random.Generator) -> float:
    """Return what the smallest two-sided p-value of correlated normals falls below with probability 1 − `LEVEL`."""
    values, vectors = np.linalg.eigh(correlation)
    draws = rng.standard_normal((N_DRAWS, len(values))) @ (vectors * np.sqrt(values.clip(0))).T
    return float(2 * normal_tail(np.quantile(np.abs(draws).max(axis=1), LEVEL)))


def pre_trend(curve: Curve) -> PreTrend | None:
    """Return the joint test that all effects before the start are zero; None where they cannot be tested.

    Wald's statistic as Hotelling's T² (Hotelling 1931, Ann Math Stat 2:360), with the most treated clusters of a point
    as number of observations: chi-squared rejects too often where few have started, and the fewest hardly ever.
    """
    before = np.flatnonzero(curve.positions < 0)
    k = len(before)
    n = int(curve.effects.n_clusters[before].max()) if k else 0
    covariance = curve.effects.covariance[np.ix_(before, before)]
    if k == 0 or n <= k or np.linalg.matrix_rank(covariance) < k:
        return None
    effects_before = curve.effects.estimates[before]
    wald = effects_before @ np.linalg.solve(covariance, effects_before)
    statistic = (n - k) / (k * (n - 1)) * wald
    return PreTrend(float(statistic), k, n - k, float(f_tail(statistic, k, n - k)))
