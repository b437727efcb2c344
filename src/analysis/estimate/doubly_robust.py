"""Weights and a regression together: right if either describes the company well enough."""

import numpy as np

from analysis.design.weights import ModelledFollowUp, WeightedFollowUp
from analysis.estimate.arms import Arms
from analysis.estimate.inference import FEW_EVENTS, Interval, from_limits, std_error, wald
from analysis.estimate.resampling import contributions
from analysis.estimate.retention import as_untreated, difference


def doubly_robust(followed: ModelledFollowUp, arms: Arms, outcome: str, month: int) -> Interval:
    """Return the risk difference with what is left of imbalance taken out by a regression among the comparators.

    The comparators' pseudo-values of the risk (Andersen, Klein & Rosthøj 2003, Biometrika 90:15) are regressed on the
    covariates with their weights; the difference in mean covariates that the weights leave, times the slopes, is
    subtracted (Bang & Robins 2005, Biometrics 61:962). The slopes are penalized as if by one person of the treated, and
    their own uncertainty, which meets the small remaining imbalance only, is left out. With few events in an arm the
    interval is the plain difference's, moved by what was subtracted.
    """
    x, treated, base = followed.model.matrix.values, followed.treated, followed.base
    mean_treated, mean_control = x[treated].mean(axis=0), np.average(x[~treated], axis=0, weights=base[~treated])
    slopes = _slopes(
        x[~treated] - mean_control, pseudo_values(followed, arms, outcome, month)[~treated], base[~treated]
    )
    left = float((mean_treated - mean_control) @ slopes)
    if min(arms.n_events(outcome, month)) < FEW_EVENTS:
        plain = difference(arms, outcome, month)
        return from_limits(*(value - left for value in (plain.estimate, plain.low, plain.high)))
    spread = as_untreated(arms, [arm.risk(outcome, month) for arm in (arms.treated, arms.control)])
    parts = spread * arms.treated.risk_influence(outcome, month) - arms.control.risk_influence(outcome, month)
    if arms.jackknife is None:
        parts = parts - _imbalance_influence(followed, arms, (x - mean_treated) @ slopes, True)
        parts = parts + _imbalance_influence(followed, arms, (x - mean_control) @ slopes, False)
    else:
        parts = parts - contributions(arms.jackknife.imbalance @ slopes)
    return wald(difference_in_risks(arms, outcome, month) - left, std_error(parts), arms.df)


def difference_in_risks(arms: Arms, outcome: str, month: int) -> float:
    """Return the plain difference of both arms' risks."""
    return arms.treated.risk(outcome, month) - arms.control.risk(outcome, month)


def pseudo_values(followed: WeightedFollowUp, arms: Arms, outcome: str, month: int) -> np.ndarray:
    """Return each row's pseudo-value of its arm's risk, by the infinitesimal jackknife, shape (rows,).

    Their mean by weight at time zero is the risk; without censoring they are 0 and 1.
    """
    values = np.zeros(len(followed.rows))
    for arm, chosen in ((arms.treated, followed.treated), (arms.control, ~followed.treated)):
        base = followed.base[chosen]
        influence = arm.row_influence(outcome, month)[chosen]
        values[chosen] = arm.risk(outcome, month) + influence * base.sum() / base
    return values


def _slopes(x: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    centred = values - np.average(values, weights=weights)
    return np.linalg.solve((x * weights[:, None]).T @ x + np.eye(x.shape[1]), x.T @ (weights * centred))


def _imbalance_influence(followed: WeightedFollowUp, arms: Arms, value: np.ndarray, is_treated: bool) -> np.ndarray:
    """Return what each cluster contributes to an arm's weighted mean of a centred per-row value."""
    first = np.flatnonzero((followed.entry == 0) & (followed.treated[followed.row] == is_treated))
    weights = followed.weights[first]
    return arms.clusters.sums(first, weights * value[followed.row[first]] / weights.sum())
