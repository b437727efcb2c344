"""What both arms would have been without each group of people in turn, the propensity fitted anew."""

from dataclasses import dataclass, fields

import numpy as np

from analysis.design.weights import WeightedFollowUp
from analysis.estimate.reweigh import in_batches, reweigh
from analysis.estimate.survival import Curves, RiskSets, event_times
from analysis.plan.known import known

MOST_GROUPS = 100


def grouped(clusters: np.ndarray, rng: np.random.Generator, n_groups: int = MOST_GROUPS) -> np.ndarray:
    """Return clusters put together by lot into at most `n_groups` groups of equal size, as codes, shape (rows,)."""
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


def jackknife(followed: WeightedFollowUp, groups: np.ndarray) -> Jackknife | None:
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
    for some in in_batches(followed, int(groups.max()) + 1):
        weights = reweigh(followed, (groups[:, None] != some).astype(float))
        weights = np.compress(~np.isnan(weights[0]), weights, axis=1)
        found.append([arm.curves(weights, kinds) for arm in arms])
        imbalance.append(_imbalance(followed, weights))
    if sum(map(len, imbalance)) < 2:
        return None
    of_treated, of_control = (_joined(curves) for curves in zip(*found, strict=True))
    return Jackknife(of_treated, of_control, np.concatenate(imbalance))


def _imbalance(followed: WeightedFollowUp, weights: np.ndarray) -> np.ndarray:
    base, x = followed.at_start(weights), known(followed.model).matrix.values
    treated, control = ((base * chosen[:, None]).T for chosen in (followed.treated, ~followed.treated))
    return treated @ x / treated.sum(axis=1, keepdims=True) - control @ x / control.sum(axis=1, keepdims=True)


def _joined(curves: tuple[Curves, ...]) -> Curves:
    """Return one arm's curves without some groups, and without some others, as one."""
    grid, *counts = ([getattr(c, field.name) for c in curves] for field in fields(Curves))
    return Curves(grid[0], *(np.concatenate(each, axis=-2) for each in counts))
