"""Answers made again, the propensity fitted anew: without each group in turn, and in bootstrap samples."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np

from analysis.design.follow_up import grown
from analysis.design.propensity import att_weights, refitted, start_log_odds
from analysis.design.weights import ModelledFollowUp
from analysis.estimate.survival import Curves, RiskSets, event_times

# --- weights fitted anew ----------------------------------------------------------------------------------------------
# The weights of a follow-up anew when people count more or less often: the propensity is fitted again.

# So many weights are held at once, draws times intervals or rows: 20 MB, which the system need not find anew each time.
MOST_WEIGHTS = 2_500_000


def in_batches(n_weights: int, n: int) -> Iterator[np.ndarray]:
    """Yield 0 … n − 1 in batches, so many draws at once as may be held when each has `n_weights` of them."""
    size = max(1, MOST_WEIGHTS // max(1, n_weights))
    return (np.arange(first, min(first + size, n)) for first in range(0, n, size))


def refit_weights(followed: ModelledFollowUp, counts: np.ndarray) -> np.ndarray:
    """Return each interval's weight, times its row's count, shape (intervals, draws); NaN where no trial has both arms.

    A trial that has lost an arm has nothing to tell: its rows count nothing, and nobody could have started in it.

    Parameters
    ----------
    counts
        How often each row counts in each draw, shape (rows, draws).
    """
    model = followed.model
    treated, trial, follow = model.treated, model.trial, model.follow
    offset = start_log_odds(model.treated.astype(float), trial, counts)
    is_known = np.isfinite(offset)
    linear = refitted(model.propensity, treated, counts * is_known[trial], offset[trial])
    base = att_weights(linear, treated, trial, counts)
    base[:, ~is_known.any(axis=0)] = np.nan
    odds = np.exp(linear, out=linear)
    if model.largest_quantile == 1:
        return grown(follow, base * counts, odds, treated)
    weights, of_control = grown(follow, base * (counts > 0), odds, treated), ~treated[follow.row]
    for each in weights.T:
        each[of_control] = np.minimum(each[of_control], _largest(each[of_control], model.largest_quantile))
    return weights * counts[follow.row]


def _largest(weights: np.ndarray, quantile: float) -> float:
    """Return the quantile of the weights of those who count."""
    return float(np.quantile(weights[weights > 0], quantile)) if (weights > 0).any() else np.nan


# --- jackknife --------------------------------------------------------------------------------------------------------
# What both arms would have been without each group of people in turn, the propensity fitted anew.

MOST_GROUPS = 100


def grouped(clusters: np.ndarray, rng: np.random.Generator, n_groups: int = MOST_GROUPS) -> np.ndarray:
    """Return clusters grouped at random into at most `n_groups` groups of equal size, as codes, shape (rows,)."""
    n = int(clusters.max()) + 1
    return (rng.permutation(n) % min(n, n_groups))[clusters]


@dataclass(frozen=True)
class Jackknife:
    """Delete-a-group jackknife of both arms.

    With heavy weights and many covariates the influence functions of the estimated weights are too short by a fifth or
    more; leaving people out in earnest is not (Quenouille 1956, Biometrika 43:353; groups: Kott 2001, J Off Stat
    17:521; few units: MacKinnon, Nielsen & Webb 2023, J Appl Econom 38:671).

    Attributes
    ----------
    treated, control
        Each arm's curves without each group: counts of shape (groups, times), one grid of times for both.
    imbalance
        Mean covariates of the treated less those of the comparators without each group, shape (groups, covariates).
    """

    treated: Curves
    control: Curves
    imbalance: np.ndarray

    @property
    def n_groups(self) -> int:
        """How many groups could be left out."""
        return len(self.imbalance)


def contributions(values: np.ndarray) -> np.ndarray:
    """Return one number per group whose squares, times groups / (groups − 1), sum to the jackknife variance.

    Parameters
    ----------
    values
        The estimate without each group, shape (groups, …).
    """
    n = len(values)
    return (n - 1) / n * (values.mean(axis=0) - values)


def jackknife(followed: ModelledFollowUp, groups: np.ndarray) -> Jackknife | None:
    """Return the jackknife of a follow-up; None with fewer than two groups to leave out.

    Parameters
    ----------
    groups
        The group of each row, as codes, shape (rows,). One without which no trial has both arms is passed over.
    """
    grid = event_times(followed.exit, followed.outcome)
    sets, treated = RiskSets.of(followed.entry, followed.exit, followed.outcome, grid), followed.treated[followed.row]
    arms, kinds = (sets.only(treated), sets.only(~treated)), tuple(range(1, len(followed.kinds) + 1))
    found, imbalance = [], []
    for some in in_batches(len(followed.row), int(groups.max()) + 1):
        weights = refit_weights(followed, (groups[:, None] != some).astype(float))
        weights = np.compress(~np.isnan(weights[0]), weights, axis=1)
        found.append([arm.curves(weights, kinds) for arm in arms])
        imbalance.append(_imbalance(followed, weights))
    if sum(map(len, imbalance)) < 2:
        return None
    of_treated, of_control = (_joined(curves) for curves in zip(*found, strict=True))
    return Jackknife(of_treated, of_control, np.concatenate(imbalance))


def _imbalance(followed: ModelledFollowUp, weights: np.ndarray) -> np.ndarray:
    base, x = followed.at_start(weights), followed.model.matrix.values
    treated, control = ((base * chosen[:, None]).T for chosen in (followed.treated, ~followed.treated))
    return treated @ x / treated.sum(axis=1, keepdims=True) - control @ x / control.sum(axis=1, keepdims=True)


def _joined(curves: tuple[Curves, ...]) -> Curves:
    """Return one arm's curves without some groups, and without some others, as one."""
    grid, *counts = ([getattr(c, field.name) for c in curves] for field in fields(Curves))
    return Curves(grid[0], *(np.concatenate(each, axis=-2) for each in counts))


# --- bootstrap --------------------------------------------------------------------------------------------------------
# The main estimate again with people counted more or less often: a bootstrap, and what one group of people changes.

N_REPETITIONS = 200


class WeightedRefit:
    """The risk difference of a weighted follow-up, estimated anew for any count of its rows, the propensity included.

    What does not depend on the counts (risk sets, design matrix) is made once.
    """

    def __init__(self, followed: ModelledFollowUp, outcomes: tuple[str, ...], month: float):
        self._followed, self._month = followed, month
        self._kinds = tuple(followed.kinds.index(k) + 1 for k in outcomes if k in followed.kinds)
        outcome, treated = np.where(followed.exit <= month, followed.outcome, 0), followed.treated[followed.row]
        sets = RiskSets.of(np.minimum(followed.entry, month), np.minimum(followed.exit, month), outcome)
        self._arms = sets.only(treated), sets.only(~treated)

    def differences(self, counts: np.ndarray) -> np.ndarray:
        """Return treated minus control when each row counts so often, (rows, draws) → (draws,); NaN without an arm."""
        weights = refit_weights(self._followed, counts)
        treated, control = (self._risks(arm.curves(weights, self._kinds)) for arm in self._arms)
        return treated - control

    def _risks(self, curves: Curves) -> np.ndarray:
        return np.sum([curves.risk(k, self._month) for k in range(len(self._kinds))], axis=0)

    def in_draws(self, counts: Callable[[np.ndarray], np.ndarray], n: int) -> np.ndarray:
        """Return the difference in each of `n` draws, shape (draws,), of which `counts` gives some at a time."""
        return np.concatenate([self.differences(counts(some)) for some in in_batches(len(self._followed.row), n)])


def bootstrap(
    recount: WeightedRefit, clusters: np.ndarray, rng: np.random.Generator, n: int = N_REPETITIONS
) -> np.ndarray:
    """Return the risk difference in `n` companies drawn with replacement from this one's clusters, shape (n,).

    Pairs cluster bootstrap (Cameron, Gelbach & Miller 2008, Rev Econ Stat 90:414). Draws without an arm are NaN.

    Parameters
    ----------
    clusters
        The cluster of each row, as codes, shape (rows,).
    """
    n_clusters = int(clusters.max()) + 1
    even = np.full(n_clusters, 1 / n_clusters)
    return recount.in_draws(lambda some: rng.multinomial(n_clusters, even, len(some)).T[clusters].astype(float), n)


def leave_one_out(recount: WeightedRefit, groups: np.ndarray) -> np.ndarray:
    """Return the risk difference without each group in turn, shape (groups,); `groups` as codes, −1 = in none."""
    return recount.in_draws(lambda some: (groups[:, None] != some).astype(float), int(groups.max()) + 1)
