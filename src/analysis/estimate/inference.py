"""From influence functions to intervals, p-values and what a study could have seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.plan.probability import normal_quantile, normal_tail, student_quantile, student_tail

LEVEL = 0.95
POWER = 0.80
# With fewer exits than this in an arm a symmetric interval is too short; a score interval is used instead.
FEW_EVENTS = 10
# Fewer clusters than this in an arm say nothing of how clusters differ.
LEAST_CLUSTERS = 2


@dataclass(frozen=True)
class Interval:
    """An estimate with its uncertainty, all on the same scale; `p_value` is two-sided, None where it means nothing."""

    estimate: float
    std_error: float
    low: float
    high: float
    p_value: float | None

    def times(self, factor: float) -> "Interval":
        """Return the interval in units `factor` times as small, above 0."""
        return Interval(
            factor * self.estimate, factor * self.std_error, factor * self.low, factor * self.high, self.p_value
        )


def cluster_sums(influence: np.ndarray, cluster: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return influence summed within clusters: shape (..., rows) → (..., clusters)."""
    flat = influence.reshape(-1, influence.shape[-1])
    return np.array([np.bincount(cluster, weights=row, minlength=n_clusters) for row in flat]).reshape(
        *influence.shape[:-1], n_clusters
    )


def std_error(contributions: np.ndarray) -> float:
    """Return the standard error of an estimate from its clusters' contributions, with the factor n/(n − 1)."""
    n = len(contributions)
    return float(np.sqrt(n / (n - 1) * np.sum(contributions**2)))


def wald(estimate: float, std_error: float, df: float = np.inf, level: float = LEVEL) -> Interval:
    """Return estimate ± quantile × standard error; Student's t with `df`, the normal where it is infinite."""
    quantile = student_quantile((1 + level) / 2, df)
    p = 2 * student_tail(abs(estimate) / std_error, df) if std_error > 0 else (1.0 if estimate == 0 else 0.0)
    return Interval(
        float(estimate),
        float(std_error),
        float(estimate - quantile * std_error),
        float(estimate + quantile * std_error),
        float(p),
    )


def wald_on_log(estimate: float, std_error: float, df: float = np.inf) -> Interval:
    """Return a ratio from its logarithm: estimate and limits as ratios, the standard error on the log scale."""
    on_log = wald(estimate, std_error, df)
    ratio, low, high = (float(np.exp(x)) for x in (on_log.estimate, on_log.low, on_log.high))
    return Interval(ratio, on_log.std_error, low, high, on_log.p_value)


def rubin(found: Sequence[Interval]) -> Interval:
    """Return one estimate from several imputations of the same data: Rubin's rules (Rubin 1987, Multiple Imputation).

    Student's t with Rubin's degrees of freedom.
    """
    estimates, errors = (np.array([getattr(f, name) for f in found]) for name in ("estimate", "std_error"))
    n, within, between = len(found), np.mean(errors**2), np.var(estimates, ddof=1)
    total = within + (1 + 1 / n) * between
    df = (n - 1) * (total / ((1 + 1 / n) * between)) ** 2 if between > 0 else np.inf
    return wald(float(estimates.mean()), float(np.sqrt(total)), df)


def wilson(share: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Return Wilson's score interval of a share of `n` (effective) people (Wilson 1927, JASA 22:209)."""
    z = normal_quantile((1 + level) / 2)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def minus(one: Interval, other: Interval) -> Interval:
    """Return the difference of two independent estimates by the method of variance estimates recovery.

    Zou & Donner 2008 (Stat Med 27:1693): an asymmetric interval stays asymmetric.
    """
    estimate = one.estimate - other.estimate
    low = estimate - np.hypot(one.estimate - one.low, other.high - other.estimate)
    high = estimate + np.hypot(one.high - one.estimate, other.estimate - other.low)
    return from_limits(estimate, low, high)


def from_limits(estimate: float, low: float, high: float, level: float = LEVEL) -> Interval:
    """Return an interval from its limits: the standard error is its half width in normal quantiles.

    Its p-value is read from the same limits (`touching`), so that both say the same of zero.
    """
    std_error = (high - low) / (2 * normal_quantile((1 + level) / 2))
    p = touching(estimate, low, high, level)
    return Interval(float(estimate), float(std_error), float(low), float(high), p)


def touching(estimate: float, low: float, high: float, level: float = LEVEL) -> float:
    """Return the p-value of an interval: one less the level at which it would just touch zero.

    Each half width is taken to grow with the level as a normal quantile does, on the side of zero as it is there: the
    interval excludes zero exactly where p is below 1 − level (the duality of tests and intervals: Lehmann & Romano
    2005, Testing Statistical Hypotheses, sec. 3.5).
    """
    half = estimate - low if estimate > 0 else high - estimate
    if half <= 0:
        return 1.0 if estimate == 0 else 0.0
    return float(2 * normal_tail(normal_quantile((1 + level) / 2) * abs(estimate) / half))


@dataclass(frozen=True)
class FewClusters:
    """What makes the variance of few clusters honest: factors of their contributions, and degrees of freedom.

    Attributes
    ----------
    treated, control
        What each cluster's contribution to an arm is multiplied by, shape (clusters,). The squares of the differences
        then sum to the variance.
    df
        Degrees of freedom of Student's t.
    """

    treated: np.ndarray
    control: np.ndarray
    df: float


def few_clusters(share_treated: np.ndarray, share_control: np.ndarray) -> FewClusters | None:
    """Return the correction of a variance by cluster from the share of each arm's weight that every cluster has.

    An arm is a mean over its clusters, and a contribution is the cluster's deviation from a mean that the cluster
    itself has moved: it is divided by the root of one less its share. Under a working model in which clusters vary
    alike the sum of squares then has the right mean (up to a scale, which is applied), and Satterthwaite's degrees of
    freedom are those of its first two moments (Bell & McCaffrey 2002, Survey Methodology 28:169; Imbens & Kolesár 2016,
    Rev Econ Stat 98:701). A cluster in both arms (a unit before and after the program reached it) may vary as one or as
    two: the larger variance and the smaller degrees of freedom are taken. They depend on sizes alone, never on the
    outcome.

    With equal shares and no cluster in both arms the variance is that of two plain means, and the degrees of freedom
    are Welch's at equal variances: 2.1 for 2 against 4 clusters. None with fewer than `LEAST_CLUSTERS` in an arm.

    Parameters
    ----------
    share_treated, share_control
        Sum to one, 0 where a cluster is not in the arm, shape (clusters,).
    """
    shares = share_treated, share_control
    if min(np.count_nonzero(share) for share in shares) < LEAST_CLUSTERS:
        return None
    freed = [1 / np.sqrt(np.maximum(1 - share, 1e-12)) for share in shares]
    as_one, as_two = (_moments(*shares, freed[0], freed[1], is_shared) for is_shared in (True, False))
    scale = max(
        np.sum((shares[0] - shares[1]) ** 2) / as_one[0],
        (shares[0] @ shares[0] + shares[1] @ shares[1]) / as_two[0],
    )
    df = min(mean**2 / square for mean, square in (as_one, as_two))
    return FewClusters(np.sqrt(scale) * freed[0], np.sqrt(scale) * freed[1], float(df))


def _moments(w1: np.ndarray, w0: np.ndarray, f1: np.ndarray, f0: np.ndarray, is_shared: bool) -> tuple[float, float]:
    """Return tr(MM') and tr(MM'MM'), where M turns the clusters' effects into their contributions.

    The row of a cluster in M is f₁w₁(I − 1w₁') for the treated less f₀w₀(I − 1w₀') for the comparators: of the same
    effects (`is_shared`) or of two independent sets. MM' is a diagonal and a few outer products of vectors, U C U', so
    that thousands of teams need no matrix of their squares.
    """
    d1, d0 = f1 * w1, f0 * w0
    columns = np.column_stack([d1, d1 * w1, d0, d0 * w0, d1 * w0, w1 * d0])
    core = np.zeros((6, 6))
    core[0, 0], core[0, 1], core[2, 2], core[2, 3] = w1 @ w1, -1.0, w0 @ w0, -1.0
    diagonal = d1**2 + d0**2
    if is_shared:
        diagonal = diagonal - 2 * d1 * d0
        core[2, 4], core[0, 5], core[0, 2] = 1.0, 1.0, -(w1 @ w0)
    core = core + np.triu(core, 1).T
    products, weighted = columns.T @ columns, (columns * diagonal[:, None]).T @ columns
    mean = diagonal.sum() + np.trace(core @ products)
    square = diagonal @ diagonal + 2 * np.trace(core @ weighted) + np.trace(core @ products @ core @ products)
    return float(mean), float(square)


def smallest_detectable(std_error: float, alpha: float = 0.05, power: float = POWER) -> float:
    """Return the smallest true effect that a two-sided test at `alpha` would have found with that `power`."""
    return float((normal_quantile(1 - alpha / 2) + normal_quantile(power)) * std_error)


def adjusted_p(p: Sequence[float], method: str) -> np.ndarray:
    """Return p-values adjusted for how many they are, by ``holm`` or ``fdr_bh``, shape (tests,).

    Holm 1979 (Scand J Stat 6:65); Benjamini & Hochberg 1995 (J R Stat Soc B 57:289). statsmodels' `multipletests` finds
    the same and takes half a second to import.
    """
    order, n = np.argsort(p), len(p)
    ascending = np.asarray(p, dtype=float)[order]
    if method == "holm":
        stepped = np.maximum.accumulate(ascending * np.arange(n, 0, -1))
    else:
        stepped = np.minimum.accumulate((ascending / (np.arange(1, n + 1) / n))[::-1])[::-1]
    adjusted = np.empty(n)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def satterthwaite(responses: np.ndarray) -> float:
    """Return the degrees of freedom of a sum of squared cluster contributions, at least 1.

    The sum is a quadratic form in independent shocks; it is taken for a multiple of a chi-squared variable with the
    same mean and variance, which has tr(B)² / tr(B²) degrees of freedom, B being the covariance of the contributions
    (Satterthwaite 1946, Biometrics Bulletin 2:110; for clusters Bell & McCaffrey 2002, Survey Methodology 28:169, and
    Imbens & Kolesár 2016, Review of Economics and Statistics 98:701). Means of two groups of equal variance and sizes
    m and n have the degrees of freedom of Welch 1947 (Biometrika 34:28).

    Parameters
    ----------
    responses
        By how much each cluster's contribution moves with each shock, shape (clusters, shocks).
    """
    covariance = responses @ responses.T
    return float(np.trace(covariance) ** 2 / np.sum(covariance**2))
