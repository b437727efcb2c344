"""Scores under a lottery: differences within strata of any size, tested and bounded by re-drawn lots."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import scipy

from analysis.estimate.inference import LEVEL, Interval
from analysis.estimate.lottery import calibrated, redrawn
from analysis.plan.probability import student_quantile

N_DRAWS = 4_000
# So many people and waves are worked on at once.
CHUNK = 2_000_000
# With fewer free rows a term than this, slopes come from all rows of a cell and not from each arm's own.
FEW_A_TERM = 10
# The spread between small strata is an estimate of variance only where there are some, and none is half of them.
FEWEST_STRATA, LARGEST_SHARE = 4, 0.4


@dataclass(frozen=True)
class DrawnScores:
    """Later scores of people who drew lots, one row per person and wave.

    Attributes
    ----------
    y
        Score, shape (rows,).
    terms
        What was known before the lots, shape (rows, terms).
    cell
        Stratum × wave as codes, shape (rows,); each has both arms.
    person
        Position in ``stratum`` and ``offered``, shape (rows,).
    stratum, offered
        Within what a person's lot was drawn, and whether it won; shape (people,).
    """

    y: np.ndarray
    terms: np.ndarray
    cell: np.ndarray
    person: np.ndarray
    stratum: np.ndarray
    offered: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame, y: np.ndarray, terms: np.ndarray) -> "DrawnScores":
        """Return the scores of a lottery's panel; who drew twice has two lots."""
        key = pd.MultiIndex.from_frame(rows[["stratum", "employee_id"]])
        person, people = pd.factorize(key)
        first = np.unique(person, return_index=True)[1]
        stratum = np.unique(people.get_level_values(0), return_inverse=True)[1]
        offered = rows["is_treated"].to_numpy(dtype=bool)[first]
        return cls(y, terms, rows["cell"].to_numpy(dtype=int), person, stratum, offered)

    @cached_property
    def in_cell(self) -> "scipy.sparse.csr_matrix":
        """Which cell each row is in, shape (rows, cells)."""
        return _indicator(self.cell, self.cell.max() + 1)

    @cached_property
    def of_person(self) -> "scipy.sparse.csr_matrix":
        """Whose each row is, shape (rows, people)."""
        return _indicator(self.person, len(self.offered))

    @cached_property
    def cell_stratum(self) -> np.ndarray:
        """The stratum of each cell, shape (cells,)."""
        found = np.zeros(self.cell.max() + 1, dtype=int)
        found[self.cell] = self.stratum[self.person]
        return found

    @cached_property
    def n_by_stratum(self) -> np.ndarray:
        """People offered and not, shape (2, strata)."""
        return np.array([np.bincount(self.stratum, weights=arm) for arm in (self.offered, ~self.offered)])

    @cached_property
    def is_small(self) -> np.ndarray:
        """Whether an arm of a stratum has one person only, who has no spread, shape (strata,)."""
        return self.n_by_stratum.min(axis=0) < 2

    @cached_property
    def slopes_by_arm(self) -> bool:
        """Whether there are rows enough to learn the slopes within arms, which an effect does not disturb."""
        return len(self.y) - 2 * (self.cell.max() + 1) >= FEW_A_TERM * self.terms.shape[1]

    @property
    def df(self) -> float:
        """Degrees of freedom of the variance, at least 1."""
        small = self.is_small.sum()
        return float(max(1, (self.n_by_stratum.sum(axis=0) - 2)[~self.is_small].sum() + max(0, small - 1)))


def _indicator(codes: np.ndarray, n: int) -> "scipy.sparse.csr_matrix":
    return scipy.sparse.csr_matrix((np.ones(len(codes)), (np.arange(len(codes)), codes)), shape=(len(codes), n))


@dataclass(frozen=True)
class _Parts:
    """What lots give: shape (draws,) each, ``small`` being the small strata's part of the estimate."""

    estimate: np.ndarray
    small: np.ndarray
    variance_large: np.ndarray
    variance_small: np.ndarray
    largest_share: np.ndarray

    @classmethod
    def joined(cls, parts: list["_Parts"]) -> "_Parts":
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


def randomized_score(scores: DrawnScores, rng: np.random.Generator) -> Interval:
    """Return the baseline-adjusted difference by offer, its interval and p-value by re-drawn lots.

    Differences of cells, adjusted for the terms, are averaged by the number offered. The statistic is the difference in
    its own standard errors, which keeps the test right where the effect varies between people (Wu & Ding 2021, JASA
    116:1898). In strata with two people in each arm the variance is that of the arms (Neyman), summed within people; in
    smaller ones that between strata, unequal sizes allowed for (Fogarty 2018, JRSS B 80:1035; Pashley & Miratrix 2021,
    J Educ Behav Stat 46:271), or with too few of them that of re-drawn lots. The interval reaches as many standard
    errors as leave out 5 % of the re-drawn lots, so it excludes zero exactly where p < 0.05 and is calibrated in small
    samples.
    """
    observed = _evaluated(scores, scores.offered[None])
    size = max(1, CHUNK // len(scores.y))
    lots = redrawn(scores.stratum, scores.offered, N_DRAWS, rng)
    drawn = _Parts.joined([_evaluated(scores, lots[i : i + size]) for i in range(0, N_DRAWS, size)])
    between = scores.is_small.sum() >= FEWEST_STRATA and observed.largest_share[0] <= LARGEST_SHARE
    by_lots = 0.0 if between else float(drawn.small.var())
    errors = [
        np.sqrt(found.variance_large + (found.variance_small if between else by_lots)) for found in (observed, drawn)
    ]
    estimate, error = float(observed.estimate[0]), float(errors[0][0])
    if not error > 0:
        return Interval(estimate, 0.0, estimate, estimate, 1.0)
    quantile = float(student_quantile((1 + LEVEL) / 2, scores.df))
    found = calibrated(abs(estimate) / error, _in_errors(drawn.estimate, errors[1]), quantile)
    return Interval(
        estimate, error, estimate - found.critical * error, estimate + found.critical * error, found.p_value
    )


def _in_errors(estimate: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return absolute estimates in standard errors; without an error, zero is none and anything else infinite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(estimate) < 1e-12, 0.0, np.abs(estimate) / error)


def _evaluated(scores: DrawnScores, lots: np.ndarray) -> _Parts:
    """Return the parts of the statistic for lots of shape (draws, people)."""
    z = lots[:, scores.person]
    n1 = _sums(z.astype(float), scores.in_cell)
    counts = (n1, np.asarray(scores.in_cell.sum(axis=0)) - n1)
    both = (counts[0] > 0) & (counts[1] > 0)
    y_gap, y_own = _by_arm(scores.y, z, counts, scores)
    terms = [_by_arm(x, z, counts, scores) for x in scores.terms.T]
    slopes = _slopes(scores, y_own, [own for _, own in terms])
    gap = y_gap - sum(slopes[:, j, None] * terms[j][0] for j in range(len(terms)))
    own = y_own - sum(slopes[:, j, None] * terms[j][1] for j in range(len(terms)))
    weight = np.where(both, counts[0], 0.0)
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1)
    gap = np.where(both, gap, 0.0)
    per_row = (weight / np.maximum(counts[0], 1))[:, scores.cell], (weight / np.maximum(counts[1], 1))[:, scores.cell]
    by_person = _sums(np.where(z, per_row[0], per_row[1]) * own, scores.of_person) ** 2
    return _Parts((weight * gap).sum(axis=1), *_of_strata(scores, lots, weight, gap, by_person))


def _sums(values: np.ndarray, of: "scipy.sparse.csr_matrix") -> np.ndarray:
    return (of.T @ values.T).T


def _by_arm(
    values: np.ndarray, z: np.ndarray, counts: tuple[np.ndarray, np.ndarray], scores: DrawnScores
) -> tuple[np.ndarray, np.ndarray]:
    """Return the difference of arms in each cell, (draws, cells), and rows less their own arm's mean, (draws, rows)."""
    one = _sums(z * values, scores.in_cell)
    zero = (scores.in_cell.T @ values)[None] - one
    one, zero = one / np.maximum(counts[0], 1), zero / np.maximum(counts[1], 1)
    return one - zero, values - np.where(z, one[:, scores.cell], zero[:, scores.cell])


def _slopes(scores: DrawnScores, y_own: np.ndarray, terms_own: list[np.ndarray]) -> np.ndarray:
    """Return the slopes of the terms, shape (draws, terms): within arms, or with few rows within cells alone."""
    if not terms_own:
        return np.zeros((len(y_own), 0))
    if not scores.slopes_by_arm:
        n = np.asarray(scores.in_cell.sum(axis=0)).ravel()
        y, *x = (v - (scores.in_cell.T @ v / n)[scores.cell] for v in (scores.y, *scores.terms.T))
        y_own, terms_own = y[None], [term[None] for term in x]
    stacked = np.stack(terms_own, axis=2)
    products = np.einsum("drj,drk->djk", stacked, stacked)
    found = np.einsum("djk,dk->dj", np.linalg.pinv(products, hermitian=True), np.einsum("drj,dr->dj", stacked, y_own))
    return np.broadcast_to(found, (found.shape[0], found.shape[1]))


def _of_strata(
    scores: DrawnScores, lots: np.ndarray, weight: np.ndarray, gap: np.ndarray, by_person: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return the small strata's part of the estimate, both variances and the largest share of the small strata."""
    small, strata = scores.is_small, _indicator(scores.cell_stratum, len(scores.is_small))
    n = scores.n_by_stratum[:, scores.stratum]
    correction = np.where(lots, n[0] / np.maximum(n[0] - 1, 1), n[1] / np.maximum(n[1] - 1, 1))
    large = (by_person * correction)[:, ~small[scores.stratum]].sum(axis=1)
    shares, part = (_sums(values, strata)[:, small] for values in (weight, weight * gap))
    total = shares.sum(axis=1)
    share = shares / np.maximum(total, 1e-12)[:, None]
    effect = np.where(shares > 0, part / np.maximum(shares, 1e-12), 0.0)
    mean = (share * effect).sum(axis=1)
    scale = share**2 / np.maximum(1 - 2 * share, 0.1)
    spread = (scale * (effect - mean[:, None]) ** 2).sum(axis=1) / (1 + scale.sum(axis=1))
    largest = share.max(axis=1, initial=0.0)
    return part.sum(axis=1), large, total**2 * spread, largest
