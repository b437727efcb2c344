"""Follow-up in which the comparators are weighted to look like those who started."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.design.covariates import DesignMatrix, design_matrix
from analysis.design.follow_up import MOST_CUTS, FollowUp, follow_up, grown, outcome_codes, split
from analysis.design.propensity import Propensity, att_weights, fit_propensity
from analysis.design.trials import CompetingStarts, Trials
from analysis.measure.employment import months_between

# Who was nearly sure to start has hardly a colleague to be compared with (Crump et al. 2009, Biometrika 96:187, whose
# rule for the effect in the treated bounds the chance from above alone).
MOST_LIKELY = 0.9


@dataclass(frozen=True)
class WeightedFollowUp:
    """Both arms' follow-up as weighted intervals: what every estimate of exits is read from.

    Attributes
    ----------
    rows
        One row per trial and person, ``employee_id, is_treated, months, outcome``, as in `design.trials.Trials`.
    kinds
        The outcomes that compete; others censor.
    months
        Where the follow-up is cut off.
    row, entry, exit, outcome, weights
        The intervals, shape (intervals,): position in `rows`, (entry, exit] in months, 0 or the number of the kind
        that ended it (1, 2, …), weight.
    by_unit
        The program reached units, not people: they cluster the variance.
    """

    rows: pd.DataFrame
    kinds: tuple[str, ...]
    months: int
    row: np.ndarray
    entry: np.ndarray
    exit: np.ndarray
    outcome: np.ndarray
    weights: np.ndarray
    by_unit: bool = False

    @cached_property
    def treated(self) -> np.ndarray:
        """Whether each row is of someone who started, shape (rows,)."""
        return self.rows["is_treated"].to_numpy(dtype=bool)

    @cached_property
    def person(self) -> np.ndarray:
        """Number of each row's person, shape (rows,)."""
        return pd.factorize(self.rows["employee_id"])[0]

    @cached_property
    def base(self) -> np.ndarray:
        """Each row's weight at time zero, shape (rows,)."""
        return self.at_start(self.weights)

    def at_start(self, weights: np.ndarray) -> np.ndarray:
        """Return what of the intervals' weights each row has at time zero: shape (intervals, …) → (rows, …)."""
        first = np.flatnonzero(self.entry == 0)
        by_row = np.zeros((len(self.rows), *weights.shape[1:]))
        by_row[self.row[first]] = weights[first]
        return by_row


@dataclass(frozen=True, kw_only=True)
class ModelledFollowUp(WeightedFollowUp):
    """Follow-up whose comparators' weights come from a propensity: the estimate's error counts what it costs."""

    model: "WeightModel"


@dataclass(frozen=True)
class WeightModel:
    """The propensity behind the comparators' weights, and how their logarithms move with its coefficients.

    Attributes
    ----------
    is_cut
        Whether an interval's weight is the largest allowed one and so does not move, shape (intervals,).
    largest_quantile
        The quantile of the comparators' weights at which they are cut; 1 = not at all.
    """

    matrix: DesignMatrix
    propensity: Propensity
    follow: FollowUp
    treated: np.ndarray
    trial: np.ndarray
    is_cut: np.ndarray
    largest_quantile: float = 1.0

    @cached_property
    def _at_start(self) -> np.ndarray:
        weights = np.where(self.treated, 0.0, att_weights(self.propensity.linear, self.treated, self.trial))
        total = np.bincount(self.trial, weights=weights)[self.trial]
        share = (weights / total)[:, None] * self.propensity.terms
        means = np.column_stack([np.bincount(self.trial, weights=column) for column in share.T])
        return self.propensity.terms - means[self.trial]

    @cached_property
    def _at_survival(self) -> np.ndarray:
        return (self.propensity.probability[:, None] * self.propensity.terms)[self.follow.order]

    def gradient(self, interval: np.ndarray, influence: np.ndarray) -> np.ndarray:
        """Return the derivative of an estimate by the propensity's coefficients, through the weights, shape (terms,).

        Parameters
        ----------
        interval
            Positions of intervals; those of the treated have fixed weights and do not count.
        influence
            Derivative of the estimate by the log weight of each of them, same shape.
        """
        fixed = self.treated[self.follow.row[interval]] | self.is_cut[interval]
        influence = np.where(fixed, 0.0, influence)
        n_rows = len(self.treated)
        by_row = np.bincount(self.follow.row[interval], weights=influence, minlength=n_rows)
        begin, end = self.follow.survived[interval].T
        # Each interval counts for every later trial that it survived: from `begin` up to, not including, `end`.
        change = np.bincount(begin, weights=influence, minlength=n_rows + 1)
        change -= np.bincount(end, weights=influence, minlength=n_rows + 1)
        return by_row @ self._at_start + np.cumsum(change)[:n_rows] @ self._at_survival


def trimmed(trials: Trials, most_likely: float = MOST_LIKELY) -> Trials:
    """Return the trials without those whose estimated chance to start was above `most_likely`, in both arms.

    Whoever of the treated goes is counted in the flow. Trials left with one arm go too.
    """
    if trials.rows.empty:
        return trials
    kept = _propensity(trials, ())[1].probability <= most_likely
    return trials if kept.all() else trials.take(kept)


def weigh(
    trials: Trials,
    kinds: tuple[str, ...],
    months: int,
    exclude: tuple[str, ...] = (),
    largest_quantile: float = 1.0,
) -> ModelledFollowUp:
    """Return both arms of the trials up to `months`, comparators weighted to resemble those who started.

    The weight of a comparator's interval is the ATT weight, times 1 / (chance of not having started) for each trial
    survived: the second factor stands in for the comparators who were censored because they started themselves
    (inverse probability of censoring; Robins & Finkelstein 2000, Biometrics 56:779).

    Parameters
    ----------
    kinds
        The outcomes that compete.
    exclude
        Covariates left out of the propensity. In a rollout the unit itself decides when people start, so the
        unit (mostly the department) is always left out there.
    largest_quantile
        Comparators' weights are cut at this quantile of theirs (Cole & Hernán 2008, Am J Epidemiol 168:656).
    """
    treated, trial = trials.rows["is_treated"].to_numpy(dtype=bool), trials.rows["trial"].to_numpy(dtype=int)
    matrix, propensity = _propensity(trials, exclude)
    follow = _followed(trials, kinds, months)
    weights = interval_weights(follow, propensity.linear, treated, trial)
    is_cut = np.zeros(len(weights), dtype=bool)
    if largest_quantile < 1:
        of_control = ~treated[follow.row]
        largest = np.quantile(weights[of_control], largest_quantile)
        is_cut = of_control & (weights > largest)
        weights = np.where(is_cut, largest, weights)
    model = WeightModel(matrix, propensity, follow, treated, trial, is_cut, largest_quantile)
    return ModelledFollowUp(
        rows=trials.rows,
        kinds=kinds,
        months=months,
        row=follow.row,
        entry=follow.entry,
        exit=follow.exit,
        outcome=follow.outcome,
        weights=weights,
        by_unit=trials.by_unit,
        model=model,
    )


def _followed(trials: Trials, kinds: tuple[str, ...], months: int) -> FollowUp:
    if (kinds, months) not in trials.fits:
        follow = follow_up(trials, kinds, float(months))
        trials.fits[kinds, months] = weight_for_competing_starts(follow, trials)
    return trials.fits[kinds, months]


def weight_for_competing_starts(follow: FollowUp, trials: Trials) -> FollowUp:
    """Return the follow-up with comparators weighted for those who were lost in other ways than by their own start.

    From each day on which somebody else was lost in one way, the weight of a comparator who was not grows by
    1 / (chance of not having been), each way with a model of its own. The chances are taken as known. With more than
    `MOST_CUTS` days the weights grow on every second, third, … of them.
    """
    if not trials.competing_starts:
        return follow
    passed = pd.concat([_passed(competing) for competing in trials.competing_starts], ignore_index=True)
    rows = trials.rows[["employee_id", "trial_date", "is_treated"]].assign(row=range(len(trials.rows)))
    cuts = rows[~rows["is_treated"].astype(bool)].merge(passed, on="employee_id", suffixes=("", "_there"))
    cuts = cuts[cuts["trial_date_there"] > cuts["trial_date"]]
    last = np.zeros(len(rows))
    np.maximum.at(last, follow.row, follow.exit)
    # Lost on the last day of a follow-up or later: nothing is left to be weighted.
    cuts = cuts[months_between(cuts["trial_date"], cuts["trial_date_there"]) < last[cuts["row"].to_numpy()]]
    days = np.sort(passed["trial_date"].unique())
    cut_days = days[::-1][:: -(-len(days) // MOST_CUTS)][::-1]
    at = cut_days[np.searchsorted(cut_days, cuts["trial_date_there"].to_numpy())]
    longer = (
        cuts.assign(at=at)
        .groupby(["row", "at"], as_index=False)
        .agg(log_factor=("log_factor", "sum"), trial_date=("trial_date", "first"))
    )
    row, month = longer["row"].to_numpy(), months_between(longer["trial_date"], longer["at"])
    inside = month < last[row]
    return split(follow, row[inside], month[inside], longer["log_factor"].to_numpy()[inside])


def _passed(competing: CompetingStarts) -> pd.DataFrame:
    """Return who was not lost on a day, with the logarithm of 1 / (chance of that): one row per day and person."""
    if "passed" not in competing.fits:
        _, propensity = _fitted(competing.rows, competing.covariates, ())
        found = competing.rows[["employee_id", "trial_date"]].assign(log_factor=np.logaddexp(0.0, propensity.linear))
        competing.fits["passed"] = found[~competing.rows["is_treated"].to_numpy(dtype=bool)]
    return competing.fits["passed"]


def _propensity(trials: Trials, exclude: tuple[str, ...]) -> tuple[DesignMatrix, Propensity]:
    if exclude:
        return _fitted(trials.rows, trials.covariates, (*exclude, trials.unit) if trials.by_unit else exclude)
    if "propensity" not in trials.fits:
        unit = (trials.unit,) if trials.by_unit else ()
        trials.fits["propensity"] = _fitted(trials.rows, trials.covariates, unit, trials.matrix)
    return trials.fits["propensity"]


def _fitted(
    rows: pd.DataFrame, covariates: pd.DataFrame, exclude: tuple[str, ...], matrix: DesignMatrix | None = None
) -> tuple[DesignMatrix, Propensity]:
    treated, trial = rows["is_treated"].to_numpy(dtype=bool), rows["trial"].to_numpy(dtype=int)
    if matrix is None:
        matrix = design_matrix(covariates, treated, exclude=exclude, people=rows["employee_id"])
    return matrix, fit_propensity(matrix.values, treated, trial)


def interval_weights(follow: FollowUp, linear: np.ndarray, treated: np.ndarray, trial: np.ndarray) -> np.ndarray:
    """Return each interval's weight from the rows' log odds of starting, shape (intervals,); see `weigh`."""
    return grown(follow, att_weights(linear, treated, trial), np.exp(linear), treated)


def as_followed(rows: pd.DataFrame, kinds: tuple[str, ...], months: int) -> WeightedFollowUp:
    """Return both arms of `rows` (``employee_id, is_treated, months, outcome``) as they are, nothing weighted."""
    n = len(rows)
    end = np.minimum(rows["months"].to_numpy(dtype=float), months)
    codes = outcome_codes(rows, kinds, months)
    return WeightedFollowUp(rows, kinds, months, np.arange(n), np.zeros(n), end, codes, np.ones(n))
