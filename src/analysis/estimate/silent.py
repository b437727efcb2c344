"""How much worse must the silent be? A delta-adjusted sensitivity analysis for those who were asked and not scored."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.response import Asked
from analysis.estimate.among_asked import (
    completed_difference,
    covariance,
    degrees_of_freedom,
    invited_rows,
    once,
    predicted_outcome,
    ratio,
    without_groups,
)
from analysis.estimate.inference import Interval, wald


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

    def in_sd(self, delta: float | None) -> float | None:
        """Return a delta in standard deviations of the scores predicted for the treated silent."""
        return None if delta is None or not self.predicted_sd > 0 else delta / self.predicted_sd


def silent_sensitivity(
    asked: Asked, smallest_effect: float, deltas: np.ndarray, rng: np.random.Generator
) -> Silent | None:
    """Return the difference among those invited for any delta; None where no cell has scores in both arms.

    Who was invited and not scored gets the outcome that a regression among the scored predicts
    (`estimate.among_asked.predicted_outcome`); delta is then added to it in the treated, and nothing in the comparators
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
