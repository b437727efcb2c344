"""The difference between the arms when some scores never came: what estimators for the silent have in common."""

from collections.abc import Callable

import numpy as np

from analysis.design.propensity import att_weights
from analysis.design.response import Asked, response_weights
from analysis.estimate import staggered
from analysis.estimate.inference import Interval, wald
from analysis.estimate.jackknife import contributions, grouped

# Coefficients of the propensity among all who were asked, by wave position: where fits to a part of them begin.
Near = dict[int, np.ndarray] | None


def comparator_weights(asked: Asked, near: Near = None) -> np.ndarray:
    """Return 1 for the treated and the comparators' weights, which sum to the treated in each cell, shape (rows,).

    Comparators' odds of starting, from propensities fitted to these rows; under a lottery the same weight for all of a
    cell. Every cell has rows of both arms.
    """
    if asked.is_randomized:
        return att_weights(np.zeros(len(asked.y)), asked.treated, asked.cell)
    return staggered.comparator_weights(_stack(asked, asked.y), near)


def _stack(asked: Asked, y: np.ndarray) -> staggered.Stack:
    return staggered.Stack(
        y, asked.treated, asked.cell, asked.wave_position, asked.terms, asked.cluster, asked.stand_in
    )


def predicted_outcome(invited: Asked) -> np.ndarray:
    """Return the outcome of everybody invited as a regression among those scored predicts it, shape (rows,).

    Least squares on the cell, the arm, the earlier score, the earlier score by arm, and the covariates; slopes are
    shared by the waves, since only who is silent needs a prediction.
    """
    cells = np.eye(invited.cell.max() + 1)[invited.cell]
    arm = invited.treated[:, None].astype(float)
    x = np.column_stack([cells, arm, arm * invited.known[:, :1], invited.known])
    scored = invited.is_scored
    return x @ np.linalg.lstsq(x[scored], invited.y[scored], rcond=None)[0]


def completed_difference(invited: Asked, y: np.ndarray, near: Near = None) -> float:
    """Return the doubly robust difference in an outcome that everybody invited has, shape (rows,).

    `estimate.event_study.overall`, with the propensity fitted to everybody invited.
    """
    return staggered.mean_effect(_stack(invited, y), comparator_weights(invited, near))


def without_groups(
    statistic: Callable[[Asked, Near], np.ndarray | None], asked: Asked, rng: np.random.Generator
) -> np.ndarray | None:
    """Return a statistic without each group of clusters in turn, everything in it fitted anew, shape (groups, numbers).

    Delete-a-group jackknife (`estimate.jackknife`), groups drawn by lot. Groups without which the statistic does not
    exist are passed over; None with fewer than two left, and without rows.
    """
    if not len(asked.y):
        return None
    groups = grouped(np.unique(asked.cluster, return_inverse=True)[1], rng)
    near = None if asked.is_randomized else staggered.propensities(_stack(asked, asked.y))
    left = (statistic(asked.take(groups != g).in_both_arms(), near) for g in range(groups.max() + 1))
    found = [values for values in left if values is not None]
    return np.array(found) if len(found) > 1 else None


def covariance(without: np.ndarray) -> np.ndarray:
    """Return the jackknife covariance of numbers without each group, (groups, numbers) → (numbers, numbers)."""
    parts, n = contributions(without), len(without)
    return n / (n - 1) * parts.T @ parts


def degrees_of_freedom(asked: Asked, n_groups: float = np.inf) -> float:
    """Return one less than the clusters with scored treated rows, or than the jackknife's groups where these are fewer.

    A hundred groups say little where ten people started. Of units (which hold several people) those of the arm that
    has fewer count.
    """
    by_unit = not np.array_equal(asked.cluster, asked.person)
    arms = asked.arms if by_unit else (asked.treated,)
    n = min(len(np.unique(asked.cluster[arm & asked.is_scored])) for arm in arms)
    return max(min(n, n_groups) - 1, 1)


def response_weighted_change(asked: Asked, rng: np.random.Generator) -> Interval | None:
    """Return the doubly robust difference among those invited, those scored standing in for the silent.

    Everybody invited has a prediction (`predicted_outcome`); where it could be checked, what it missed is weighted by
    one over the chance of a score (`design.response.response_weights`, which says what is then estimated) and added:
    right if either the chance or the prediction is (Robins, Rotnitzky & Zhao 1995, JASA 90:106; Bang & Robins 2005,
    Biometrics 61:962). Weights alone, cut as they are, would leave part of the bias. The arms are compared as always.
    Standard error by the jackknife, all models fitted anew. None where no cell has scores in both arms.
    """
    without = without_groups(_weighted, asked, rng)
    if without is None or (found := _weighted(asked)) is None:
        return None
    std_error = np.sqrt(covariance(without)[0, 0])
    return wald(float(found[0]), std_error, degrees_of_freedom(asked, len(without)))


def _weighted(asked: Asked, near: Near = None) -> np.ndarray | None:
    invited = those_invited(asked)
    if invited is None:
        return None
    scored, predicted = invited.is_scored, predicted_outcome(invited)
    missed = np.where(scored, invited.y - predicted, 0.0)
    total = np.where(invited.treated, *(arm.sum() / scored[arm].sum() for arm in invited.arms))
    completed = predicted + total * response_weights(invited).weights * missed
    return np.array([completed_difference(invited, completed, near)])


def those_invited(asked: Asked) -> Asked | None:
    """Return those who were invited, in cells in which both arms were scored; None where there is no such cell."""
    invited = asked.take(asked.is_invited)
    invited = invited.in_both_arms(invited.is_scored)
    return invited if len(invited.y) else None
