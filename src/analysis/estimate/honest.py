"""What the effect could still be if trends had not been parallel: bounds under two limits on the violation."""

import numpy as np
from scipy import optimize, special

from analysis.estimate.event_study import Curve
from analysis.estimate.inference import LEVEL
from analysis.plan.distributions import normal_quantile, student_quantile

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
        found = optimize.minimize(
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

    def breakdown(self, restriction: str) -> float:
        """Return the largest limit under which the interval still excludes zero; 0 where none does.

        Parameters
        ----------
        restriction
            ``"relative_magnitudes"`` or ``"smoothness"``. Up to `LARGEST_BREAKDOWN`.
        """
        bounds = getattr(self, restriction)

        def margin(limit: float) -> float:
            low, high = bounds(limit)
            return max(low, -high)

        if margin(0.0) <= 0:
            return 0.0
        if margin(LARGEST_BREAKDOWN) > 0:
            return LARGEST_BREAKDOWN
        return float(optimize.brentq(margin, 0.0, LARGEST_BREAKDOWN, xtol=1e-6))


def folded_normal(bias: float) -> tuple[float, float]:
    """Return the `LEVEL` quantile of \\|N(bias, 1)\\| and its derivative by the bias."""
    critical = optimize.brentq(
        lambda x: special.ndtr(x - bias) - special.ndtr(-x - bias) - LEVEL,
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
    return optimize.brentq(
        lambda c: special.ndtr(c) - 2 * special.owens_t(c, slope) - LEVEL, ONE_SIDED - 1e-9, TWO_SIDED + 1e-9
    )
