"""What the silent and the leavers can have hidden: bounds on the effect in those who would have answered either way."""

from dataclasses import dataclass

import numpy as np
import scipy

from analysis.design.response import Asked
from analysis.estimate.inference import LEVEL, Interval, cluster_sums, wald
from analysis.estimate.nonresponse import comparator_weights, covariance, degrees_of_freedom, once, without_groups
from analysis.plan.probability import student_quantile, student_tail
from analysis.plan.results import Check

MONOTONE = Check.untestable(
    "monotone response",
    "The bounds assume that the program makes nobody fall silent or leave whom it would not also have made answer or "
    "stay: it moves response one way only.",
)
NOT_RANDOMIZED = Check.untestable(
    "bounds without a lottery",
    "Nothing was randomized, so the bounds rest on more: alike in what was recorded, those who started and their "
    "comparators would have answered and changed alike without the program.",
)


@dataclass(frozen=True)
class Bounds:
    """Bounds on the effect in those who would have answered with the program and without it (always-responders).

    Attributes
    ----------
    lower, upper
        Each bound with its own 95 % interval, in points of the scale.
    low, high
        Imbens and Manski's 95 % interval: for the effect itself, wherever it lies between the bounds.
    response_treated, response_control
        Share that was scored, comparators weighted.
    trimmed_share
        Share of the arm that answers more whose scores are set aside, lowest or highest.
    trims_treated
        Whether that arm is the treated.
    n_treated, n_control
        People scored.
    """

    lower: Interval
    upper: Interval
    low: float
    high: float
    response_treated: float
    response_control: float
    trimmed_share: float
    trims_treated: bool
    n_treated: int
    n_control: int


def lee_bounds(asked: Asked, rng: np.random.Generator) -> Bounds | None:
    """Return Lee's bounds on the effect in always-responders; None where an arm has fewer than two people scored.

    Whoever left or stayed silent has no score, in either arm. If the program moves answering in one direction only, the
    arm that answers more holds the always-responders and those who answer because of it (or for want of it); the latter
    are a known share, and setting aside as many of the highest or of the lowest scores bounds the mean of the former
    (Lee 2009, Rev Econ Stud 76:1071). Under a lottery the scores are those after it and all who drew are counted;
    otherwise they are changes, of those with an earlier score, comparators weighted by their odds of starting (response
    has no weight of its own), and the bounds rest on `NOT_RANDOMIZED`, parallel trends of always-responders among it.

    The cells are pooled, each with the treated's share of its people: bounds within cells would be narrower in large
    programs (ibid., prop. 1b), but with a handful of starters in a cell the share to trim, and even which arm to
    trim, is chance, and bounds made of chance are too wide or point the wrong way.

    Under a lottery the standard errors are Lee's (ibid., prop. 3), summed within people; otherwise a delete-a-group
    jackknife with the propensity fitted anew. Where both arms answer equally often the bounds meet at a kink, and the
    standard errors are approximate.
    """
    weights, scored = comparator_weights(asked, once(asked))[:, 0] if len(asked.y) else np.zeros(0), asked.is_scored
    n_treated, n_control = (len(np.unique(asked.person[scored & arm])) for arm in asked.arms)
    if min(n_treated, n_control) < 2:
        return None
    found = bound(asked.y, scored, asked.treated, weights)
    if asked.is_randomized:
        influence = _centred(bound_influence(asked.y, scored, asked.treated, weights), asked)
        summed = cluster_sums(influence, asked.cluster, asked.cluster.max() + 1)
        errors, df = np.sqrt(np.sum(summed**2, axis=1)), degrees_of_freedom(asked)
    else:
        without = without_groups(_bounds_of, asked, rng)
        if without is None:
            return None
        errors, df = np.sqrt(np.diag(covariance(without))), degrees_of_freedom(asked, len(without))
    lower, upper = (wald(value, error, df) for value, error in zip(found, errors, strict=True))
    low, high = imbens_manski(lower, upper, df)
    shares = response_shares(scored, asked.treated, weights)
    trimmed = 1 - min(shares) / max(shares)
    return Bounds(lower, upper, low, high, *shares, trimmed, shares[0] > shares[1], n_treated, n_control)


def _bounds_of(asked: Asked, counts: np.ndarray) -> np.ndarray:
    weights, scored, found = comparator_weights(asked, counts), asked.is_scored, np.full((counts.shape[1], 2), np.nan)
    for draw, used in enumerate(counts.T > 0):
        if all((used & scored & arm).any() for arm in asked.arms):
            found[draw] = bound(asked.y[used], scored[used], asked.treated[used], weights[used, draw])
    return found


def response_shares(scored: np.ndarray, treated: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return the weighted share that was scored, of the treated and of the comparators; rows of shape (rows,)."""
    one, zero = (np.average(scored[arm], weights=weights[arm]) for arm in (treated, ~treated))
    return float(one), float(zero)


def lowest_mean(y: np.ndarray, weights: np.ndarray, kept: float) -> float:
    """Return the mean of the lowest `y` that make up the share `kept` of the weights; tied scores are kept in part.

    Parameters
    ----------
    y, weights
        Shape (people,).
    kept
        Above 0, at most 1.
    """
    order = np.argsort(y, kind="stable")
    y, weights = y[order], weights[order]
    total = kept * weights.sum()
    taken = np.clip(total - (np.cumsum(weights) - weights), 0.0, weights)
    return float(taken @ y / taken.sum())


def bound(y: np.ndarray, scored: np.ndarray, treated: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return the lower and the upper bound, the arm that answers more trimmed.

    Parameters
    ----------
    y, scored, treated, weights
        Outcome (read where scored), whether there is one, arm, weight; shape (rows,).
    """
    shares = response_shares(scored, treated, weights)
    kept = [min(1.0, other / own) for own, other in (shares, shares[::-1])]
    ends = []
    for arm, share in zip((treated, ~treated), kept, strict=True):
        chosen = arm & scored
        lowest = lowest_mean(y[chosen], weights[chosen], share)
        ends.append((lowest, -lowest_mean(-y[chosen], weights[chosen], share)))
    (low_1, high_1), (low_0, high_0) = ends
    return low_1 - high_0, high_1 - low_0


def bound_influence(y: np.ndarray, scored: np.ndarray, treated: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return what each row contributes to the lower and the upper bound, weights taken as known, shape (2, rows).

    The squares sum to the variance of Lee 2009, prop. 3 (the trimmed arm's scores, the quantile trimmed at, the share
    trimmed, and the other arm's mean). Parameters as in `bound`.
    """
    (low_1, high_1), (low_0, high_0) = (
        (_end_influence(y, scored, own, weights), -_end_influence(-y, scored, own, weights))
        for own in (treated, ~treated)
    )
    return np.array([low_1 - high_0, high_1 - low_0])


def _end_influence(y: np.ndarray, scored: np.ndarray, own: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return each row's contribution to the mean of an arm's lowest scores, as many as the other arm can match."""
    share, other = (np.average(scored[arm], weights=weights[arm]) for arm in (own, ~own))
    chosen, kept = own & scored, min(1.0, other / share)
    mean = lowest_mean(y[chosen], weights[chosen], kept)
    cut = _lowest_quantile(y[chosen], weights[chosen], kept)
    parts = np.zeros(len(y))
    below = np.where(y[chosen] < cut, y[chosen] - cut, 0.0)
    parts[chosen] = weights[chosen] * (below / kept + cut - mean) / weights[chosen].sum()
    if kept < 1:
        in_share = [weights * arm * (scored - q) / (weights[arm].sum() * q) for arm, q in ((~own, other), (own, share))]
        parts += (cut - mean) * (in_share[0] - in_share[1])
    return parts


def _lowest_quantile(y: np.ndarray, weights: np.ndarray, kept: float) -> float:
    """Return the score up to which the share `kept` of the weights lies."""
    order = np.argsort(y, kind="stable")
    reached = np.cumsum(weights[order])
    return float(y[order][min(np.searchsorted(reached, kept * reached[-1] * (1 - 1e-12)), len(y) - 1)])


def _centred(influence: np.ndarray, asked: Asked) -> np.ndarray:
    """Return the influence less its mean in each cell and arm: a lottery fixes how many of a cell are offered."""
    block = 2 * asked.cell + asked.treated
    counts = np.bincount(block).clip(1)
    return np.array([row - (np.bincount(block, weights=row) / counts)[block] for row in influence])


def imbens_manski(lower: Interval, upper: Interval, df: float = np.inf, level: float = LEVEL) -> tuple[float, float]:
    """Return an interval that holds the effect itself, wherever between the bounds it lies, in `level` of studies.

    Imbens & Manski 2004 (Econometrica 72:1845), with Student's t in place of the normal. Between distant bounds only
    one side can fail and the quantile is the one-sided one; where they meet it is the two-sided one. It is valid in
    between as well, because the upper bound is never below the lower one (Stoye 2009, Econometrica 77:1299).
    """
    largest = max(lower.std_error, upper.std_error)
    if largest == 0:
        return lower.estimate, upper.estimate
    width = (upper.estimate - lower.estimate) / largest
    quantile = scipy.optimize.brentq(
        lambda c: student_tail(-c, df) - student_tail(c + width, df) - level,
        0,
        student_quantile((1 + level) / 2, df) + 1e-9,
    )
    return lower.estimate - quantile * lower.std_error, upper.estimate + quantile * upper.std_error
