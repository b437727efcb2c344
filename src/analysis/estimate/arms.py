"""Two arms side by side: risks and time lost, each with what every cluster contributes to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pandas as pd

from analysis.design.covariates import effective_sample_size
from analysis.design.weights import ModelledFollowUp, WeightedFollowUp
from analysis.estimate.inference import FewClusters, cluster_sums, few_clusters, std_error
from analysis.estimate.resampling import MOST_GROUPS, Jackknife, contributions, grouped, jackknife
from analysis.estimate.survival import Curves, aalen_johansen
from analysis.plan.catalogue import CATALOGUE

ANY_EXIT = "any_exit"


class Clusters:
    """Who is counted together in the variance, and each cluster's share in the estimated weights.

    Parameters
    ----------
    codes
        The cluster of each row of the follow-up (0, 1, …), shape (rows,).
    """

    def __init__(self, followed: WeightedFollowUp, codes: np.ndarray):
        self.codes, self.n = codes, int(codes.max()) + 1
        self._followed = followed
        self._corrected: FewClusters | None = None

    @cached_property
    def _by_coefficient(self) -> np.ndarray | None:
        """How each cluster moves the coefficients of the propensity, shape (terms, clusters); None without one."""
        if not isinstance(self._followed, ModelledFollowUp):
            return None
        propensity = self._followed.model.propensity
        return propensity.inverse_information @ cluster_sums(propensity.score.T, self.codes, self.n)

    def shares(self) -> list[np.ndarray]:
        """Return each cluster's share of the weight at time zero, of the treated and of the comparators."""
        by_cluster = [
            np.bincount(self.codes[arm], weights=self._followed.base[arm], minlength=self.n)
            for arm in (self._followed.treated, ~self._followed.treated)
        ]
        return [weight / max(weight.sum(), 1e-300) for weight in by_cluster]

    def degrees_of_freedom(self) -> float:
        """Return those of a variance by these clusters (`inference.few_clusters`), 1 where an arm has a single one."""
        few = few_clusters(*self.shares())
        return few.df if few else 1.0

    def corrected(self, found: FewClusters | None) -> "Clusters":
        """Return the same clusters with contributions multiplied as `found` says, for `retention.std_error`."""
        same = Clusters(self._followed, self.codes)
        same._corrected = found
        return same

    def sums(self, interval: np.ndarray, influence: np.ndarray) -> np.ndarray:
        """Return an estimate's influence by cluster, that of the estimated weights included, shape (clusters,).

        Parameters
        ----------
        interval
            Positions of the intervals it is read from.
        influence
            Its derivative by the log weight of each of them, same shape.
        """
        if self._corrected is None:
            return self._sums(interval, influence)
        treated = self._followed.treated[self._followed.row[interval]]
        factors = self._corrected.treated, self._corrected.control
        by_arm = [
            f * self._sums(interval[arm], influence[arm]) for f, arm in zip(factors, (treated, ~treated), strict=True)
        ]
        # The factor clusters / (clusters − 1) is part of the correction, and of `retention.std_error` as well.
        return np.sqrt((self.n - 1) / self.n) * sum(by_arm)

    def _sums(self, interval: np.ndarray, influence: np.ndarray) -> np.ndarray:
        direct = np.bincount(self.codes[self._followed.row[interval]], weights=influence, minlength=self.n)
        if not isinstance(self._followed, ModelledFollowUp):
            return direct
        return direct + self._followed.model.gradient(interval, influence) @ self._by_coefficient


def _clusters_in_arms(followed: WeightedFollowUp, codes: np.ndarray) -> tuple[int, int]:
    """Return how many clusters each arm has, treated first."""
    treated, control = (len(np.unique(codes[arm])) for arm in (followed.treated, ~followed.treated))
    return treated, control


def _total(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Return the sum of arrays of one shape, one at least."""
    first, *others = parts
    return sum(others, 0 + first)


def default_clusters(followed: WeightedFollowUp) -> np.ndarray:
    """Return the person of each row (in a rollout the unit) as codes, shape (rows,)."""
    return pd.factorize(followed.rows["unit"].fillna("none"))[0] if followed.by_unit else followed.person


class Arm:
    """One arm: risks and months lost by outcome and month, and their influence by cluster.

    An outcome is one of the follow-up's kinds, or ``any_exit``: all kinds of exit together.
    """

    def __init__(
        self, followed: WeightedFollowUp, is_treated: bool, clusters: Clusters, without_groups: Curves | None = None
    ):
        self._without_groups = without_groups
        chosen = followed.treated == is_treated
        self._kinds, self._clusters = followed.kinds, clusters
        self._is_cut_short = followed.rows["outcome"].isna().to_numpy()[chosen]
        self._base, self._people = followed.base[chosen], pd.factorize(followed.person[chosen])[0]
        self._months = followed.rows["months"].to_numpy(dtype=float)[chosen]
        self._take = np.flatnonzero(chosen[followed.row])
        self._interval_row, self._n_rows = followed.row[self._take], len(followed.rows)
        ends = self._take[followed.outcome[self._take] > 0]
        self._event, self._event_month = followed.outcome[ends], followed.exit[ends]
        self._event_person = followed.person[followed.row[ends]]
        self._curves = aalen_johansen(
            followed.entry[self._take],
            followed.exit[self._take],
            followed.outcome[self._take],
            followed.weights[self._take],
            tuple(range(1, len(followed.kinds) + 1)),
        )
        self.risk_influence = cache(self._risk_influence)

    def _positions(self, outcome: str) -> list[int]:
        wanted = CATALOGUE.outcome(outcome).kinds
        return [self._kinds.index(kind) for kind in wanted if kind in self._kinds]

    @cached_property
    def n_people(self) -> int:
        """How many people are in the arm."""
        return int(self._people.max(initial=-1)) + 1

    @cached_property
    def n_effective(self) -> float:
        """Kish's effective number of people after weighting at time zero."""
        return effective_sample_size(self._base, self._people)

    def n_events(self, outcome: str, month: float) -> int:
        """Return how many people had the outcome by `month`."""
        wanted = [position + 1 for position in self._positions(outcome)]
        had = np.isin(self._event, wanted) & (self._event_month <= month)
        return len(np.unique(self._event_person[had]))

    def n_at_risk(self, months: np.ndarray) -> np.ndarray:
        """Return how many people were still followed just before each month."""
        last = np.sort(self._longest(self._months))
        return len(last) - np.searchsorted(last, months, side="left")

    def n_followed(self, month: float) -> int:
        """Return how many people's follow-up was not cut short before `month`, by the data lock or their own start."""
        reach = np.where(self._is_cut_short, self._months, np.inf)
        return int((self._longest(reach) >= month).sum())

    def _longest(self, months: np.ndarray) -> np.ndarray:
        """Return each person's longest of the rows' months, shape (people,)."""
        longest = np.zeros(self.n_people)
        np.maximum.at(longest, self._people, months)
        return longest

    def risk(self, outcome: str, month: float) -> float:
        """Return the cumulative incidence of the outcome by `month`."""
        return float(sum(self._curves.risk(k, month) for k in self._positions(outcome)))

    def _risk_influence(self, outcome: str, month: float) -> np.ndarray:
        """Return what each cluster (or group of the jackknife) contributes to a risk, shape (clusters,)."""
        if self._without_groups is not None:
            return contributions(_total(self._without_groups.risk(k, month) for k in self._positions(outcome)))
        return self.direct_risk_influence(outcome, month)

    def direct_risk_influence(self, outcome: str, month: float) -> np.ndarray:
        """Return the same from influence functions, also where there is a jackknife, shape (clusters,)."""
        parts = [self._curves.influence(k, month) for k in self._positions(outcome)]
        return self._clusters.sums(self._take, _total(parts))

    def row_influence(self, outcome: str, month: float) -> np.ndarray:
        """Return what each of the arm's rows contributes to a risk, its weight taken as known; zero for other rows."""
        parts = [self._curves.influence(k, month) for k in self._positions(outcome)]
        return np.bincount(self._interval_row, weights=_total(parts), minlength=self._n_rows)

    def months_lost(self, outcome: str, month: float) -> float:
        """Return the mean months lost to the outcome by `month`."""
        return float(sum(self._curves.time_lost(k, month) for k in self._positions(outcome)))

    def months_lost_squared(self, outcome: str, month: float) -> float:
        """Return the mean of the square of the months that each person has lost to the outcome by `month`."""
        return float(sum(self._curves.time_lost(k, month, power=2) for k in self._positions(outcome)))

    def months_lost_influence(self, outcome: str, month: float) -> np.ndarray:
        """Return what each cluster (or group of the jackknife) contributes to the months lost."""
        if self._without_groups is not None:
            return contributions(_total(self._without_groups.time_lost(k, month) for k in self._positions(outcome)))
        return self.direct_months_lost_influence(outcome, month)

    def direct_months_lost_influence(self, outcome: str, month: float) -> np.ndarray:
        """Return the same from influence functions, also where there is a jackknife, shape (clusters,)."""
        parts = [self._curves.time_lost_influence(k, month) for k in self._positions(outcome)]
        return self._clusters.sums(self._take, _total(parts))


@dataclass(frozen=True)
class Arms:
    """Treated and control side by side.

    Attributes
    ----------
    clusters
        Clusters behind the variance (people; their managers' teams; units in a rollout).
    df
        Degrees of freedom of the intervals.
    score_df
        Those of a score test: its variance is a proportion's, known but for what few clusters add to it.
    n_clusters
        Clusters in each arm, treated first.
    by_unit
        The clusters are the units of a rollout.
    jackknife
        What the variance comes from; None where it comes from influence functions.
    """

    treated: Arm
    control: Arm
    clusters: Clusters
    df: float
    score_df: float
    n_clusters: tuple[int, int]
    by_unit: bool = False
    jackknife: Jackknife | None = None

    @classmethod
    def of(cls, followed: WeightedFollowUp, clusters: np.ndarray | None = None, are_few: bool | None = None) -> "Arms":
        """Return the arms of a follow-up, clustered by person (by unit in a rollout) or by the codes given.

        Parameters
        ----------
        are_few
            The variance is corrected for few clusters, and Student's t has their degrees of freedom
            (`inference.few_clusters`). Units of a rollout always are few.
        """
        together = Clusters(followed, default_clusters(followed) if clusters is None else clusters)
        in_arm = _clusters_in_arms(followed, together.codes)
        df = np.inf
        if followed.by_unit if are_few is None else are_few:
            few = few_clusters(*together.shares())
            together, df = together.corrected(few), (few.df if few else 1.0)
        treated, control = (Arm(followed, is_treated, together) for is_treated in (True, False))
        return cls(treated, control, together, df, df, in_arm, followed.by_unit)

    @classmethod
    def jackknifed(
        cls,
        followed: ModelledFollowUp,
        rng: np.random.Generator,
        clusters: np.ndarray | None = None,
        n_groups: int = MOST_GROUPS,
    ) -> "Arms":
        """Return the arms with the variance that leaving out groups of clusters gives; Student's t.

        Clusters are left out in random groups. Units of a rollout are not left out: one of few may be half of an
        arm, and without it another comparison is made. They are counted as in `of`.
        """
        codes = default_clusters(followed) if clusters is None else clusters
        without = None if followed.by_unit else jackknife(followed, grouped(codes, rng, n_groups))
        if without is None:
            return cls.of(followed, codes)
        together = Clusters(followed, codes)
        treated, control = (
            Arm(followed, True, together, without.treated),
            Arm(followed, False, together, without.control),
        )
        score_df = np.inf if clusters is None else together.degrees_of_freedom()
        df = min(without.n_groups - 1, score_df)
        return cls(treated, control, together, df, score_df, _clusters_in_arms(followed, codes), False, without)

    def another(self, followed: WeightedFollowUp, clusters: np.ndarray | None, outcome: str, month: int) -> "Arms":
        """Return the arms of the same comparison made in another way, read from influence functions.

        By as much as the comparators' influence functions are shorter than what this one's jackknife gives, those of
        the other way are stretched: how thin the overlap is depends on who started, hardly on the way. So one jackknife
        serves all ways. The treated weigh one each, and their influence functions are exact.

        Parameters
        ----------
        clusters
            Who is counted together, as codes, shape (rows,); None = people, or units.
        outcome, month
            The risk at which the two errors are compared.
        """
        made = Arms.of(followed, clusters)
        if self.jackknife is None:
            return made
        found = self.control.risk_influence, self.control.direct_risk_influence
        left_out, direct = (std_error(parts(outcome, month)) for parts in found)
        # Its factor n / (n − 1) the correction has of its own.
        alone = np.full(made.clusters.n, np.sqrt(made.clusters.n / (made.clusters.n - 1)))
        stretched = alone * (left_out / direct if direct > 0 else 1.0)
        together = made.clusters.corrected(FewClusters(alone, stretched, self.df))
        treated, control = (Arm(followed, is_treated, together) for is_treated in (True, False))
        score_df = np.inf if clusters is None else together.degrees_of_freedom()
        return Arms(treated, control, together, min(self.df, score_df), score_df, made.n_clusters)

    def n_people(self) -> tuple[int, int]:
        """Return how many people are in each arm, treated first."""
        return self.treated.n_people, self.control.n_people

    def n_events(self, outcome: str, month: float) -> tuple[int, int]:
        """Return how many people of each arm had the outcome by `month`, treated first."""
        return self.treated.n_events(outcome, month), self.control.n_events(outcome, month)
