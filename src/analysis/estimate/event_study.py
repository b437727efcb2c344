"""The event study, and what the effect could still be if trends had not been parallel."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from analysis.estimate.inference import LEVEL
from analysis.estimate.staggered import Effects, Stack, effects
from analysis.plan.probability import f_tail, normal_quantile, normal_tail, student_quantile

# --- event study ------------------------------------------------------------------------------------------------------
# The event study: effects by time before and after the start, a band for all of them, and a test of those before.

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


def _curve(stack: Stack, weights: np.ndarray, labels: pd.Series) -> Curve | None:
    """Return the effects in the treated rows of each label.

    Left out are rows without a label, and labels of too few treated clusters, or whose error units do not tell.
    """
    treated = pd.DataFrame({"cluster": stack.cluster, "label": labels.array})[stack.treated]
    seen = treated.groupby("label")["cluster"].nunique()
    points = pd.Index(seen.index[seen >= LEAST_CLUSTERS])
    if points.empty:
        return None
    found = effects(stack, weights, points.get_indexer(labels))
    if not found.has_error.all():
        return _curve(stack, weights, labels.where(labels.isin(points[found.has_error])))
    return Curve(points.to_numpy(), found)


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


# --- honest -----------------------------------------------------------------------------------------------------------
# What the effect could still be if trends had not been parallel: bounds under two limits on the violation.

# Between these two normal quantiles lies every critical value of a test of two inequalities, or of a biased estimate.
ONE_SIDED, TWO_SIDED = normal_quantile(LEVEL), normal_quantile((1 + LEVEL) / 2)
LARGEST_BREAKDOWN = 100.0


class HonestBounds:
    """Intervals for the mean effect after the start that stay valid when parallel trends fail within a stated limit.

    Rambachan & Roth 2023 (Rev Econ Stud 90:2555). The mean effect weights every wave after the start by its treated
    rows. What both arms would have drifted apart by is unknown after the start; what it did before limits it.

    Parameters
    ----------
    curve
        The event study. Used are its waves after the start, and before it those that follow each other without a gap
        up to the base.

    Raises
    ------
    ValueError
        Where no wave before the base, or none after it, was estimated: there is nothing to limit the violation by.

    Notes
    -----
    The estimates are taken as normal with known covariance; that is widened by the squared ratio of Student's to the
    normal quantile at the degrees of freedom of the point with the most treated clusters, so that without a violation
    few people count as few.
    """

    def __init__(self, curve: Curve):
        positions = curve.positions.tolist()
        before = [p for p in range(-1, min(positions) - 1, -1) if set(range(p, 0)) <= set(positions)][::-1]
        after = [p for p in positions if p > 0]
        if not before or not after:
            raise ValueError("bounds need an estimate for the wave before the base and for one after it")
        chosen = [positions.index(p) for p in [*before, *after]]
        df = curve.effects.df[chosen].max()
        student = student_quantile((1 + LEVEL) / 2, df) / TWO_SIDED
        self._positions, self._n_before = np.array([*before, *after]), len(before)
        self._estimates = curve.effects.estimates[chosen]
        self._covariance = student**2 * curve.effects.covariance[np.ix_(chosen, chosen)]
        n = curve.effects.n_rows[chosen] * (self._positions > 0)
        self._target = n / n.sum()

    @property
    def mean(self) -> float:
        """The mean effect after the start, as estimated."""
        return float(self._target @ self._estimates)

    def relative_magnitudes(self, limit: float) -> tuple[float, float]:
        """Return low and high where the drift from wave to wave is at most `limit` times the largest before the start.

        The drift's mean over the waves after the start is then within ± `limit` × Σ weight × position × |largest|.
        That either of two inequalities fails is tested with least-favourable critical values (Andrews, Roth & Pakes
        2023, Rev Econ Stud 90:2763) for each earlier pair of waves and sign as if it were the largest; an effect is in
        the interval unless all of them reject it (Berger 1982, Technometrics 24:295). With `limit` 0 it is the
        ordinary interval.
        """
        steps = self._steps()
        reach = limit * float(self._target @ self._positions.clip(0))
        ends = [self._two_sided(self.mean, reach * sign * step) for step in steps for sign in (-1.0, 1.0)]
        kept = [(low, high) for low, high in ends if low <= high]
        return min(low for low, _ in kept), max(high for _, high in kept)

    def _steps(self) -> np.ndarray:
        """Return what gives the drift between each wave before the start and the next, shape (steps, positions)."""
        levels = np.eye(len(self._positions))[: self._n_before]
        return np.diff(np.vstack([levels, np.zeros(len(self._positions))]), axis=0)

    def _two_sided(self, mean: float, shift: np.ndarray) -> tuple[float, float]:
        """Return the lowest and highest θ of which neither θ ≥ mean − shift nor θ ≤ mean + shift is rejected."""
        below, above = shift - self._target, shift + self._target
        critical = least_favourable(below @ self._covariance @ above / (self._sd(below) * self._sd(above)))
        room = float(shift @ self._estimates)
        return mean - room - critical * self._sd(below), mean + room + critical * self._sd(above)

    def _sd(self, weights: np.ndarray) -> float:
        return float(np.sqrt(weights @ self._covariance @ weights))

    def smoothness(self, limit: float) -> tuple[float, float]:
        """Return low and high where the drift's slope changes by at most `limit` points from one wave to the next.

        The optimal fixed-length interval: of all linear estimates that a straight drift leaves unbiased, the one whose
        interval is shortest, its worst bias included. With `limit` 0 a straight line through the earlier waves is
        continued and subtracted.
        """
        unit = self._sd(self._target)
        bends = self._bends()
        fixed, free = self._unbiased(bends)
        n = free.shape[1]
        constant = np.abs(bends.T[n:] @ self._target).sum()

        def half_length(parts: np.ndarray) -> tuple[float, np.ndarray]:
            weights = fixed + free @ (parts[:n] - parts[n:])
            sd = self._sd(weights)
            bias = limit * (constant + parts.sum())
            critical, slope = folded_normal(bias / sd)
            by_sd = (critical - slope * bias / sd) * (free.T @ (self._covariance @ weights)) / sd
            gradient = np.concatenate([by_sd, -by_sd]) + slope * limit
            return critical * sd / unit, gradient / unit

        if n == 0:  # With one earlier wave a single estimate is unbiased: there is nothing to choose.
            half, centre = half_length(np.zeros(0))[0] * unit, float(fixed @ self._estimates)
            return centre - half, centre + half
        found = scipy.optimize.minimize(
            half_length,
            np.zeros(2 * n),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, None)] * (2 * n),
            options={"ftol": 1e-13, "gtol": 1e-8},
        )
        centre = float((fixed + free @ (found.x[:n] - found.x[n:])) @ self._estimates)
        return centre - found.fun * unit, centre + found.fun * unit

    def _bends(self) -> np.ndarray:
        """Return the drift that a change of slope of one point at each wave makes, shape (positions, bends).

        Beside it stands the straight drift that ends in the base with the last slope before it. Bends before the base
        come first.
        """
        at = np.arange(self._positions[0] + 2, self._positions[-1] + 1)
        later = (self._positions[:, None] - at + 1).clip(0)
        earlier = (at - self._positions[:, None] - 1).clip(0)
        return np.where(at > 0, later, earlier).astype(float)

    def _unbiased(self, bends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the estimates that a straight drift leaves unbiased, as weights: ``fixed + free @ a``.

        `a` are the biases that bends of one point before the base would make, shape (n_before − 1,).
        """
        n = self._n_before
        equations = np.vstack([bends[:n, : n - 1].T, self._positions[:n]])
        solved = np.linalg.inv(equations)
        fixed = self._target.copy()
        fixed[:n] = -solved[:, -1] * (self._target @ self._positions)
        free = np.zeros((len(self._positions), n - 1))
        free[:n] = solved[:, :-1]
        return fixed, free


def folded_normal(bias: float) -> tuple[float, float]:
    """Return the `LEVEL` quantile of \\|N(bias, 1)\\| and its derivative by the bias."""
    critical = scipy.optimize.brentq(
        lambda x: scipy.special.ndtr(x - bias) - scipy.special.ndtr(-x - bias) - LEVEL,
        bias + ONE_SIDED - 1e-9,
        bias + TWO_SIDED + 1e-9,
    )
    above, below = np.exp(-((critical - bias) ** 2) / 2), np.exp(-((critical + bias) ** 2) / 2)
    return critical, float((above - below) / (above + below))


def least_favourable(correlation: float) -> float:
    """Return the value that the larger of two standard normals stays below with probability `LEVEL`.

    By Owen's T function (Owen 1956, Ann Math Stat 27:1075).
    """
    r = min(max(correlation, -1.0), 1.0)
    slope = np.sqrt((1 - r) / (1 + r)) if r > -1 else np.inf
    return scipy.optimize.brentq(
        lambda c: scipy.special.ndtr(c) - 2 * scipy.special.owens_t(c, slope) - LEVEL,
        ONE_SIDED - 1e-9,
        TWO_SIDED + 1e-9,
    )
