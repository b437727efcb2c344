"""Weights that make the comparators look like those who started, and balance before and after."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.covariates import DesignMatrix
from analysis.design.trials import Trials
from analysis.measure.calendar import months_since

# Normal prior on the coefficients of standardized terms: worth about one treated person, so hardly felt in a large
# program, and finite under separation in a small one (in the spirit of Gelman et al. 2008, Ann Appl Stat 2:1360).
PRIOR_SD = 1.0
MOST_CUTS = 60
BALANCED = 0.1


@dataclass(frozen=True)
class Propensity:
    """The chance to start on a trial's day, among those in the trial.

    Attributes
    ----------
    probability
        Shape (rows,).
    linear
        Log odds, shape (rows,).
    inverse_information
        Shape (terms, terms).
    score
        Each row's derivative of the log likelihood, shape (rows, terms).
    terms
        The standardized design matrix, shape (rows, terms).
    """

    probability: np.ndarray
    linear: np.ndarray
    inverse_information: np.ndarray
    score: np.ndarray
    terms: np.ndarray


def fit_propensity(terms: np.ndarray, treated: np.ndarray, trial: np.ndarray, prior_sd: float = PRIOR_SD) -> Propensity:
    """Fit a logistic regression of starting on covariates, with every trial's own start rate as an offset.

    Newton's method on the penalized likelihood. The offset (log odds of the share that started in the trial) takes
    up calendar time; a free intercept takes up what is left.

    Parameters
    ----------
    terms
        Standardized covariates, shape (rows, terms).
    treated, trial
        Shape (rows,): whether the person started that day, and the trial's number.
    prior_sd
        Standard deviation of the normal prior on each coefficient but the intercept; infinite = none.
    """
    x = np.column_stack([np.ones(len(terms)), terms])
    y = treated.astype(float)
    share = (np.bincount(trial, weights=y) / np.bincount(trial))[trial]
    offset = np.log(share / (1 - share))
    penalty = np.diag([0.0] + [prior_sd**-2] * terms.shape[1])
    beta = np.zeros(x.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-(offset + x @ beta)))
        information = (x * (p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(information, x.T @ (y - p) - penalty @ beta)
        beta += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    linear = offset + x @ beta
    p = 1 / (1 + np.exp(-linear))
    return Propensity(p, linear, np.linalg.inv(information), x * (y - p)[:, None], x)


def att_weights(propensity: Propensity, treated: np.ndarray, trial: np.ndarray) -> np.ndarray:
    """Return ATT weights at time zero: 1 for the treated; the odds of starting for comparators.

    In each trial the comparators' weights sum to its number of treated, so that both arms have the same calendar.
    """
    odds = np.where(treated, 0.0, np.exp(propensity.linear))
    total = np.bincount(trial, weights=odds)[trial]
    n_treated = np.bincount(trial, weights=treated.astype(float))[trial]
    return np.where(treated, 1.0, odds / total * n_treated)


@dataclass(frozen=True)
class FollowUp:
    """Follow-up cut where a comparator's weight changes: at each later day on which he could have started.

    Attributes
    ----------
    row
        The trial row that each interval belongs to, shape (intervals,).
    entry, exit
        Calendar months since the trial date; the interval is (entry, exit].
    outcome
        0 = goes on or is censored; k = the k-th kind of exit ended it.
    survived
        First and one past the last position (in the person's order of trials) of the later trials whose start the
        comparator survived untreated before this interval: index ranges into `order`, shape (intervals, 2).
    order
        Trial rows sorted by person and trial date.
    """

    row: np.ndarray
    entry: np.ndarray
    exit: np.ndarray
    outcome: np.ndarray
    survived: np.ndarray
    order: np.ndarray


def follow_up(trials: Trials, kinds: tuple[str, ...], until_months: float) -> FollowUp:
    """Cut the trial rows' follow-up at `until_months` and, for comparators, at each later trial that they were in.

    With more than `MOST_CUTS` trials the cuts are at every second, third, … later trial, so that the follow-up of a
    program that people join on any day does not grow with the square of its days; a weight then waits for its next cut.
    In a rollout the schedule ends a comparator's follow-up, not a choice of his own: nothing is cut or weighted.
    """
    rows = trials.rows
    person = pd.factorize(rows["employee_id"])[0]
    order = np.lexsort((rows["trial"].to_numpy(), person))
    position = np.empty(len(rows), dtype=int)
    position[order] = np.arange(len(rows))
    end = np.minimum(rows["months"].to_numpy(dtype=float), until_months)
    between = _months_between_trials(rows)
    n_later = np.zeros(len(rows), dtype=int)
    if not trials.by_unit:
        n_later = _later_trials(rows, person, order, position, between, end)
    stride = -(-len(between) // MOST_CUTS)
    n_cuts = n_later // stride
    row = np.repeat(np.arange(len(rows)), n_cuts + 1)
    step = np.arange(len(row)) - np.repeat(np.cumsum(n_cuts + 1) - (n_cuts + 1), n_cuts + 1)
    trial = rows["trial"].to_numpy()
    here, survived = trial[row], step * stride
    entry = np.where(step > 0, between[here, trial[order[np.minimum(position[row] + survived, len(rows) - 1)]]], 0.0)
    last = step == n_cuts[row]
    following = between[here, trial[order[np.minimum(position[row] + survived + stride, len(rows) - 1)]]]
    code = _outcome_codes(rows, kinds, until_months)
    return FollowUp(
        row,
        entry,
        np.where(last, end[row], following),
        np.where(last, code[row], 0),
        np.column_stack([position[row] + 1, position[row] + survived + 1]),
        order,
    )


def _outcome_codes(rows: pd.DataFrame, kinds: tuple[str, ...], until_months: float) -> np.ndarray:
    codes = rows["outcome"].map({kind: i + 1 for i, kind in enumerate(kinds)}).fillna(0).to_numpy(dtype=int)
    return np.where(rows["months"].to_numpy(dtype=float) <= until_months, codes, 0)


def _months_between_trials(rows: pd.DataFrame) -> np.ndarray:
    """Return calendar months from each trial's day to each later one's, shape (trials, trials)."""
    days = rows.groupby("trial")["trial_date"].first()
    table = np.full((days.index.max() + 1, days.index.max() + 1), np.inf)
    for number, day in days.items():
        later = days[days >= day]
        table[number, later.index.to_numpy()] = months_since(day, later)
    return table


def _later_trials(rows, person, order, position, between, end) -> np.ndarray:
    """Return, for each comparator row, how many later trials the same person was in as a comparator while followed."""
    trial = rows["trial"].to_numpy()
    sorted_person, sorted_trial = person[order], trial[order]
    n_trials = between.shape[0]
    key = sorted_person * n_trials + sorted_trial
    # The last trial whose day lies before the row's follow-up ends; trial numbers rise with their days.
    last_trial = np.empty(len(rows), dtype=int)
    for k in range(n_trials):
        last_trial[trial == k] = k - 1 + np.searchsorted(between[k, k:], end[trial == k], side="left")
    upper = np.searchsorted(key, person * n_trials + last_trial, side="right")
    return np.where(rows["is_treated"].to_numpy(), 0, np.maximum(upper - position - 1, 0))


def _survived_sum(follow: FollowUp, per_row: np.ndarray) -> np.ndarray:
    """Return, for each interval, the sum of a per-row quantity over the later trials survived untreated."""
    cumulative = np.concatenate([[0.0], np.cumsum(per_row[follow.order])])
    return cumulative[follow.survived[:, 1]] - cumulative[follow.survived[:, 0]]


def interval_weights(follow: FollowUp, propensity: Propensity, treated: np.ndarray, trial: np.ndarray) -> np.ndarray:
    """Return each interval's weight: the ATT weight, times 1 / (chance of not having started) for each trial survived.

    The second factor stands in for the comparators who were censored because they started themselves (inverse
    probability of censoring weights; Robins & Finkelstein 2000, Biometrics 56:779).
    """
    base = att_weights(propensity, treated, trial)
    grown = _survived_sum(follow, -np.log1p(-propensity.probability))
    return base[follow.row] * np.exp(np.where(treated[follow.row], 0.0, grown))


class WeightSlope:
    """How the comparators' log weights move with the propensity's coefficients."""

    def __init__(self, follow: FollowUp, propensity: Propensity, treated: np.ndarray, trial: np.ndarray):
        self._follow = follow
        weights = np.where(treated, 0.0, att_weights(propensity, treated, trial))
        share = (weights / np.bincount(trial, weights=weights)[trial])[:, None] * propensity.terms
        means = np.column_stack([np.bincount(trial, weights=column) for column in share.T])
        self._at_start = propensity.terms - means[trial]
        self._at_survival = (propensity.probability[:, None] * propensity.terms)[follow.order]

    def gradient(self, interval: np.ndarray, influence: np.ndarray) -> np.ndarray:
        """Return the derivative of an estimate by the propensity's coefficients, through the weights, shape (terms,).

        Parameters
        ----------
        interval
            Positions of the comparators' intervals.
        influence
            Derivative of the estimate by the log weight of each of them, same shape.
        """
        n_rows = len(self._at_start)
        by_row = np.bincount(self._follow.row[interval], weights=influence, minlength=n_rows)
        begin, end = self._follow.survived[interval].T
        # Each interval counts for every later trial that it survived: from `begin` up to, not including, `end`.
        change = np.bincount(begin, weights=influence, minlength=n_rows + 1)
        change -= np.bincount(end, weights=influence, minlength=n_rows + 1)
        return by_row @ self._at_start + np.cumsum(change)[:n_rows] @ self._at_survival


def effective_sample_size(weights: np.ndarray, person: np.ndarray) -> float:
    """Return Kish's effective number of people: (Σw)² / Σw², with w summed within each person (Kish 1965)."""
    by_person = np.bincount(person, weights=weights)
    return float(by_person.sum() ** 2 / np.sum(by_person**2))


def balance(matrix: DesignMatrix, treated: np.ndarray, weights: np.ndarray) -> pd.DataFrame:
    """Return standardized mean differences before and after weighting, one row per covariate, largest before first.

    Columns ``covariate, smd_before, smd_after``. The denominator is the treated's unweighted standard deviation, as
    is usual for the ATT (Austin & Stuart 2015, Stat Med 34:3661).
    """
    rows = [
        {
            "covariate": name,
            "smd_before": standardized_mean_difference(x, treated, np.ones(len(x))),
            "smd_after": standardized_mean_difference(x, treated, weights),
        }
        for name, x in matrix.raw.items()
        for x in [x.to_numpy(dtype=float)]
    ]
    frame = pd.DataFrame(rows, columns=["covariate", "smd_before", "smd_after"])
    return frame.sort_values("smd_before", key=np.abs, ascending=False, ignore_index=True)


def standardized_mean_difference(x: np.ndarray, treated: np.ndarray, weights: np.ndarray) -> float:
    """Return (mean of treated − weighted mean of comparators) / standard deviation of the treated.

    Where the treated are all the same, the standard deviation of everybody stands in.
    """
    difference = x[treated].mean() - np.average(x[~treated], weights=weights[~treated])
    spread = (x[treated].std(ddof=1) if treated.sum() > 1 else 0.0) or x.std(ddof=1)
    return float(difference / spread) if spread > 0 else 0.0
