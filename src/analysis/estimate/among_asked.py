"""The difference between the arms when some scores never came: what estimators for the silent have in common."""

from collections.abc import Callable

import numpy as np

from analysis.design.propensity import att_weights, fit_propensity
from analysis.design.response import Asked, response_weights
from analysis.estimate.inference import Interval, wald
from analysis.estimate.jackknife import contributions, grouped


def comparator_weights(asked: Asked) -> np.ndarray:
    """Return 1 for the treated and the comparators' weights, which sum to the treated in each cell, shape (rows,).

    Comparators' odds of starting, from a propensity fitted to these rows; under a lottery the same weight for all of a
    cell. Every cell has rows of both arms.
    """
    if asked.is_randomized:
        return att_weights(np.zeros(len(asked.y)), asked.treated, asked.cell)
    propensity = fit_propensity(asked.terms, asked.treated, asked.cell)
    return att_weights(propensity.linear, asked.treated, asked.cell)


def adjusted_difference(
    y: np.ndarray, treated: np.ndarray, cell: np.ndarray, terms: np.ndarray, weights: np.ndarray
) -> float:
    """Return the treated's weighted mean `y` minus their prediction from a weighted regression among the comparators.

    As `estimate.change.regression_adjusted` (Sant'Anna & Zhao 2020, J Econometrics 219:101), but that the treated have
    weights too.
    """
    x = np.column_stack([np.eye(cell.max() + 1)[cell], terms])
    root = np.sqrt(weights[~treated])
    beta = np.linalg.lstsq(x[~treated] * root[:, None], y[~treated] * root, rcond=None)[0]
    return float(np.average((y - x @ beta)[treated], weights=weights[treated]))


def without_groups(
    statistic: Callable[[Asked], np.ndarray | None], asked: Asked, rng: np.random.Generator
) -> np.ndarray | None:
    """Return a statistic without each group of clusters in turn, everything in it fitted anew, shape (groups, numbers).

    Delete-a-group jackknife (`estimate.jackknife`), groups drawn by lot. Groups without which the statistic does not
    exist are passed over; None with fewer than two left, and without rows.
    """
    if not len(asked.y):
        return None
    groups = grouped(np.unique(asked.cluster, return_inverse=True)[1], rng)
    left = (statistic(asked.take(groups != g).in_both_arms()) for g in range(groups.max() + 1))
    found = [values for values in left if values is not None]
    return np.array(found) if len(found) > 1 else None


def covariance(without: np.ndarray) -> np.ndarray:
    """Return the jackknife covariance of numbers without each group, (groups, numbers) → (numbers, numbers)."""
    parts, n = contributions(without), len(without)
    return n / (n - 1) * parts.T @ parts


def degrees_of_freedom(asked: Asked, n_groups: float = np.inf) -> float:
    """Return one less than the clusters with scored treated rows, or than the jackknife's groups where these are fewer.

    A hundred groups say little where ten people started.
    """
    n_treated = len(np.unique(asked.cluster[asked.treated & asked.is_scored]))
    return max(min(n_treated, n_groups) - 1, 1)


def response_weighted_change(asked: Asked, rng: np.random.Generator) -> Interval | None:
    """Return the doubly robust difference among those invited, those scored standing in for the silent by weights.

    The propensity is fitted to everybody invited with an earlier score; treated and comparators who were scored are
    weighted by one over their chance of it (`design.response.response_weights`, which says what is then estimated).
    Standard error by the jackknife, both models fitted anew. None where no cell has scores in both arms.
    """

    def statistic(part: Asked) -> np.ndarray | None:
        found = _weighted(part)
        return None if found is None else np.array([found])

    estimate, without = _weighted(asked), without_groups(statistic, asked, rng)
    if estimate is None or without is None:
        return None
    std_error = np.sqrt(covariance(without)[0, 0])
    return wald(estimate, std_error, degrees_of_freedom(asked, len(without)))


def _weighted(asked: Asked) -> float | None:
    invited = those_invited(asked)
    if invited is None:
        return None
    weights = comparator_weights(invited) * response_weights(invited).weights
    scored = invited.is_scored
    rows = (invited.y, invited.treated, invited.cell, invited.terms, weights)
    return adjusted_difference(*(values[scored] for values in rows))


def those_invited(asked: Asked) -> Asked | None:
    """Return those who were invited, in cells in which both arms were scored; None where there is no such cell."""
    invited = asked.take(asked.is_invited)
    invited = invited.in_both_arms(invited.is_scored)
    return invited if len(invited.y) else None
