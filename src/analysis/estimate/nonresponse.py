"""The difference between the arms when some scores never came, and who they are that are silent."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.propensity import att_weights
from analysis.design.response import Asked, chance_and_weights
from analysis.estimate import staggered
from analysis.estimate.inference import Interval, wald
from analysis.estimate.resampling import contributions, grouped

# --- among asked ------------------------------------------------------------------------------------------------------
# The difference between the arms when some scores never came: what estimators for the silent have in common.

# So many weights are held at once, rows times draws: 40 MB.
MOST_WEIGHTS = 5_000_000
# Of those asked, and how often each row counts in each draw, (rows, draws) → (draws, numbers): NaN where there is none.
Statistic = Callable[[Asked, np.ndarray], np.ndarray]


def comparator_weights(asked: Asked, counts: np.ndarray) -> np.ndarray:
    """Return 1 for the treated and the comparators' weights, times how often each row counts, shape (rows, draws).

    Comparators' odds of starting, from propensities fitted to the rows that count; under a lottery the same weight for
    all of a cell. In each cell the weights of both arms sum to the same.

    Parameters
    ----------
    counts
        Shape (rows, draws); 0 in cells without one of the arms (`Asked.counts_in_both_arms`).
    """
    if asked.is_randomized:
        return counts * att_weights(np.zeros(counts.shape), asked.treated, asked.cell, counts)
    return staggered.comparator_weights(_stack(asked), counts)


def _stack(asked: Asked) -> staggered.Stack:
    return staggered.Stack(
        asked.y, asked.treated, asked.cell, asked.wave_position, asked.terms, asked.cluster, asked.stand_in
    )


def once(asked: Asked) -> np.ndarray:
    """Return counts by which every row of a cell with both arms counts once, shape (rows, 1)."""
    return asked.counts_in_both_arms(np.ones((len(asked.y), 1)))


def predicted_outcome(invited: Asked, counts: np.ndarray) -> np.ndarray:
    """Return the outcome of everybody invited as a regression among those scored predicts it, shape (rows, draws).

    Least squares on the cell, the arm, the earlier score, the earlier score by arm, and the covariates; slopes are
    shared by the waves, since only who is silent needs a prediction.
    """
    cells = np.eye(invited.cell.max() + 1)[invited.cell]
    arm = invited.treated[:, None].astype(float)
    x = np.column_stack([cells, arm, arm * invited.known[:, :1], invited.known])
    used = (counts > 0) & invited.is_scored[:, None]
    known = np.where(invited.is_scored, invited.y, 0.0)[:, None]
    return x @ staggered.least_squares(x, known, used.astype(float))[0].T


def completed_difference(invited: Asked, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the doubly robust difference in an outcome that everybody invited has, (rows, draws) → (draws,).

    `estimate.event_study.overall`, with the propensity fitted to everybody invited.
    """
    return staggered.mean_effects(_stack(invited), y, counts, comparator_weights(invited, counts))


def without_groups(statistic: Statistic, asked: Asked, rng: np.random.Generator) -> np.ndarray | None:
    """Return a statistic without each group of clusters in turn, everything in it fitted anew, shape (groups, numbers).

    Delete-a-group jackknife (`estimate.resampling`), random groups. Groups without which the statistic does not
    exist are passed over; None with fewer than two left, and without rows.
    """
    if not len(asked.y):
        return None
    groups = grouped(np.unique(asked.cluster, return_inverse=True)[1], rng)
    n, size = int(groups.max()) + 1, max(1, MOST_WEIGHTS // len(groups))
    batches = (np.arange(first, min(first + size, n)) for first in range(0, n, size))
    left = (asked.counts_in_both_arms((groups[:, None] != some).astype(float)) for some in batches)
    found = np.concatenate([statistic(asked, counts) for counts in left])
    found = found[~np.isnan(found).any(axis=1)]
    return found if len(found) > 1 else None


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
    without, found = without_groups(_weighted, asked, rng), float(_weighted(asked, once(asked))[0, 0])
    if without is None or np.isnan(found):
        return None
    return wald(found, np.sqrt(covariance(without)[0, 0]), degrees_of_freedom(asked, len(without)))


def _weighted(asked: Asked, counts: np.ndarray) -> np.ndarray:
    invited, counts = invited_rows(asked, counts)
    if not len(invited.y):
        return np.full((counts.shape[1], 1), np.nan)
    scored, predicted = invited.is_scored[:, None], predicted_outcome(invited, counts)
    missed = np.where(scored, invited.y[:, None] - predicted, 0.0)
    _, weights, limit = chance_and_weights(invited, counts)
    # Of the treated, and of the comparators: how many were invited for each who was scored.
    per_scored = [ratio(counts[arm].sum(axis=0), counts[arm & invited.is_scored].sum(axis=0)) for arm in invited.arms]
    total = np.where(invited.treated[:, None], *per_scored)
    completed = predicted + total * np.minimum(weights, limit) * missed
    return completed_difference(invited, completed, counts)[:, None]


def ratio(n: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return n / of, NaN where that would be by zero."""
    return np.divide(n, of, where=of > 0, out=np.full(len(of), np.nan))


def invited_rows(asked: Asked, counts: np.ndarray) -> tuple[Asked, np.ndarray]:
    """Return those who were invited, and how often they count in each draw, in cells in which both arms were scored.

    Rows that count in no draw are left out.
    """
    counts = asked.counts_in_both_arms(counts * asked.is_invited[:, None], asked.is_scored)
    chosen = np.asarray(counts.any(axis=1))
    return asked.take(chosen), counts[chosen]


# --- silent -----------------------------------------------------------------------------------------------------------
# How much worse must the silent be? A delta-adjusted sensitivity analysis for those who were asked and not scored.


@dataclass(frozen=True)
class Silent:
    """The difference as it depends on delta: by how many points the treated silent differ from their prediction.

    Attributes
    ----------
    at_zero
        The silent as their like who answered.
    share
        Share of the treated invited who were not scored: what the estimate moves by for each point of delta.
    curve
        ``delta, estimate, ci_low, ci_high``, points of the scale, one row per delta asked for.
    delta_no_effect
        The delta nearest to 0 at which the 95 % interval reaches zero; None where it holds zero already at delta 0, or
        where no delta takes it there.
    delta_smallest_effect
        The delta at which the estimate is the smallest effect of interest; None where nobody treated was silent.
    predicted_sd
        Standard deviation of the later scores predicted for the treated silent, a unit for delta; NaN with fewer than
        two of them. Predictions vary less than scores do, so a delta is many of these sooner than many of the others.
    n_treated, n_control
        People invited and not scored.
    """

    at_zero: Interval
    share: float
    curve: pd.DataFrame
    delta_no_effect: float | None
    delta_smallest_effect: float | None
    predicted_sd: float
    n_treated: int
    n_control: int


def silent_sensitivity(
    asked: Asked, smallest_effect: float, deltas: np.ndarray, rng: np.random.Generator
) -> Silent | None:
    """Return the difference among those invited for any delta; None where no cell has scores in both arms.

    Who was invited and not scored gets the outcome that a regression among the scored predicts
    (`estimate.nonresponse.predicted_outcome`); delta is then added to it in the treated, and nothing in the comparators
    (pattern-mixture model: Little 1993, JASA 88:125; delta adjustment and tipping point: Cro et al. 2020, Stat Med
    39:2815). The completed outcomes are compared as always: comparators weighted and regressed.

    Leavers are left out, as in `design.response.response_weights`: this says nothing of them. The estimate is linear
    in delta, the slope being the share of the treated who are silent. The standard error is the delete-a-group
    jackknife's of estimate and share together, all models fitted anew.

    Parameters
    ----------
    smallest_effect
        Smallest effect of interest, with its sign, in points.
    deltas
        Where the curve is wanted, in points, shape (points,).
    """
    (invited, counts), without = invited_rows(asked, once(asked)), without_groups(_line, asked, rng)
    if not len(invited.y) or without is None:
        return None
    intercept, share = _line(asked, once(asked))[0]
    spread, df = covariance(without), degrees_of_freedom(asked, len(without))

    def at(delta: float) -> Interval:
        step = np.array([1.0, delta])
        return wald(intercept + delta * share, np.sqrt(step @ spread @ step), df)

    limits = [(delta, found.estimate, found.low, found.high) for delta in deltas for found in [at(delta)]]
    silent = [~invited.is_scored & arm for arm in invited.arms]
    predicted = predicted_outcome(invited, counts)[:, 0] + np.where(invited.is_randomized, 0.0, invited.before)
    predicted = predicted[silent[0]]
    return Silent(
        at_zero=at(0.0),
        share=share,
        curve=pd.DataFrame(limits, columns=["delta", "estimate", "ci_low", "ci_high"]),
        delta_no_effect=_reaches_zero(intercept, share, spread, at(0.0)),
        delta_smallest_effect=(smallest_effect - intercept) / share if share > 0 else None,
        predicted_sd=float(predicted.std(ddof=1)) if len(predicted) > 1 else np.nan,
        n_treated=len(np.unique(invited.person[silent[0]])),
        n_control=len(np.unique(invited.person[silent[1]])),
    )


def _line(asked: Asked, counts: np.ndarray) -> np.ndarray:
    """Return the estimate at delta 0 and what it moves by for each point of delta, shape (draws, 2)."""
    invited, counts = invited_rows(asked, counts)
    if not len(invited.y):
        return np.full((counts.shape[1], 2), np.nan)
    scored, of_treated = invited.is_scored, counts[invited.treated]
    completed = np.where(scored[:, None], invited.y[:, None], predicted_outcome(invited, counts))
    silent = of_treated[~scored[invited.treated]].sum(axis=0)
    return np.column_stack([completed_difference(invited, completed, counts), ratio(silent, of_treated.sum(axis=0))])


def _reaches_zero(intercept: float, share: float, spread: np.ndarray, at_zero: Interval) -> float | None:
    """Return the delta nearest to 0 at which |estimate| equals the quantile times its standard error.

    Both sides squared: a quadratic in delta.
    """
    if at_zero.low <= 0 <= at_zero.high or share == 0 or at_zero.std_error == 0:
        return None
    quantile = (at_zero.high - at_zero.estimate) / at_zero.std_error
    line = np.outer([intercept, share], [intercept, share]) - quantile**2 * spread
    roots = np.roots([line[1, 1], 2 * line[0, 1], line[0, 0]])
    real = roots.real[np.abs(roots.imag) < 1e-12]
    return float(real[np.abs(real).argmin()]) if len(real) else None
