"""Does mentoring keep people? Cumulative incidence of exit under starting and under not starting (H1)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.covariates import design_matrix
from analysis.design.trials import Trials
from analysis.design.weights import (
    WeightSlope,
    balance,
    effective_sample_size,
    fit_propensity,
    follow_up,
    interval_weights,
)
from analysis.estimate.inference import FEW_EVENTS, Interval, cluster_sums, newcombe, wald
from analysis.estimate.survival import Incidence, aalen_johansen

KINDS = ("voluntary_exit", "involuntary_exit", "other_exit")
ANY_EXIT = "any_exit"


@dataclass(frozen=True)
class Arm:
    """One arm's cumulative incidence of every kind of exit, month by month.

    Attributes
    ----------
    incidence
        By outcome (`KINDS` and ``any_exit``), shape (months + 1,).
    influence
        By outcome, shape (months + 1, clusters): contributions to the robust variance, estimated weights included.
    events
        People with that exit by each month, by outcome, shape (months + 1,).
    n_people, n_effective
        People, and Kish's effective number of them after weighting.
    n_at_risk
        People still followed just before each month, shape (months + 1,).
    """

    incidence: dict[str, np.ndarray]
    influence: dict[str, np.ndarray]
    events: dict[str, np.ndarray]
    n_people: int
    n_effective: float
    n_at_risk: np.ndarray


@dataclass(frozen=True)
class Arms:
    """Treated and control side by side.

    Attributes
    ----------
    n_followed
        People per arm whose follow-up was not cut short by the data lock or by a start of their own before each
        month: ``treated`` and ``control``, shape (months + 1,).
    n_clusters
        Clusters behind the variance (people, or units in a rollout).
    df
        Degrees of freedom of the intervals.
    """

    treated: Arm
    control: Arm
    n_followed: dict[str, np.ndarray]
    n_clusters: int
    df: float


@dataclass(frozen=True)
class WeightedTrials:
    """Trials with their weights, balance and overlap."""

    arms: Arms
    balance: pd.DataFrame
    overlap: pd.DataFrame
    n_missing: dict[str, int]


def weigh_trials(trials: Trials, months: int) -> WeightedTrials:
    """Return both arms of the trials up to `months`, comparators weighted to resemble those who started.

    In a rollout the unit itself decides when people start: it is left out of the propensity and clusters the variance.
    """
    rows = trials.rows
    treated, trial = rows["is_treated"].to_numpy(dtype=bool), rows["trial"].to_numpy(dtype=int)
    matrix = design_matrix(trials.covariates, treated, exclude=("department",) if trials.by_unit else ())
    propensity = fit_propensity(matrix.values, treated, trial)
    follow = follow_up(trials, KINDS, float(months))
    weights = interval_weights(follow, propensity, treated, trial)
    base = weights[follow.entry == 0]
    cluster, n_clusters = _clusters(rows, trials.by_unit)
    fit = cluster_sums(propensity.score.T, cluster, n_clusters)
    slope = WeightSlope(follow, propensity, treated, trial)
    by_arm = {}
    for name, chosen in (("treated", treated), ("control", ~treated)):
        take = np.flatnonzero(chosen[follow.row])
        curves = aalen_johansen(
            follow.entry[take],
            follow.exit[take],
            follow.outcome[take],
            weights[take],
            np.arange(months + 1),
            (1, 2, 3),
        )
        influence = _by_cluster(curves, cluster[follow.row[take]], n_clusters)
        if name == "control":
            for k, kind in enumerate(KINDS):
                gradient = np.array([slope.gradient(take, curves.influence(k, t)) for t in range(months + 1)])
                influence[kind] += gradient @ propensity.inverse_information @ fit
        by_arm[name] = _arm(rows[chosen], curves.cumulative_incidence, influence, base[chosen], months)
    arms = Arms(
        by_arm["treated"],
        by_arm["control"],
        _followed(rows, treated, months),
        n_clusters,
        np.inf if not trials.by_unit else n_clusters - 1,
    )
    return WeightedTrials(
        arms, balance(matrix, treated, base), _overlap(propensity.probability, treated, trial), matrix.n_missing
    )


def unweighted_arms(rows: pd.DataFrame, months: int) -> Arms:
    """Return both arms of `rows` (``employee_id, is_treated, months, outcome``) as they are, nothing adjusted."""
    treated = rows["is_treated"].to_numpy(dtype=bool)
    weights = np.ones(len(rows))
    cluster, n_clusters = _clusters(rows, by_unit=False)
    end = np.minimum(rows["months"].to_numpy(dtype=float), months)
    code = rows["outcome"].map({kind: i + 1 for i, kind in enumerate(KINDS)}).fillna(0).to_numpy(dtype=int)
    code = np.where(rows["months"].to_numpy(dtype=float) <= months, code, 0)
    by_arm = {}
    for name, chosen in (("treated", treated), ("control", ~treated)):
        take = np.flatnonzero(chosen)
        curves = aalen_johansen(
            np.zeros(len(take)), end[take], code[take], weights[take], np.arange(months + 1), (1, 2, 3)
        )
        influence = _by_cluster(curves, cluster[take], n_clusters)
        by_arm[name] = _arm(rows[chosen], curves.cumulative_incidence, influence, weights[take], months)
    return Arms(by_arm["treated"], by_arm["control"], _followed(rows, treated, months), n_clusters, np.inf)


def _by_cluster(curves: Incidence, cluster: np.ndarray, n_clusters: int) -> dict[str, np.ndarray]:
    """Return the influence of every kind of exit summed by cluster, shape (months + 1, clusters) each."""
    return {
        kind: np.array(
            [
                np.bincount(cluster, weights=curves.influence(k, t), minlength=n_clusters)
                for t in range(len(curves.times))
            ]
        )
        for k, kind in enumerate(KINDS)
    }


def _clusters(rows: pd.DataFrame, by_unit: bool) -> tuple[np.ndarray, int]:
    codes, found = pd.factorize(rows["unit"].fillna("none") if by_unit else rows["employee_id"])
    return codes, len(found)


def _arm(rows, incidence, influence, weights, months) -> Arm:
    values = {kind: incidence[k] for k, kind in enumerate(KINDS)} | {ANY_EXIT: incidence.sum(axis=0)}
    influence = influence | {ANY_EXIT: sum(influence.values())}
    grid = np.arange(months + 1)
    events = {kind: _people_by_month(rows[rows["outcome"] == kind], grid) for kind in KINDS}
    events[ANY_EXIT] = _people_by_month(rows[rows["outcome"].notna()], grid)
    last = rows.groupby("employee_id")["months"].max().to_numpy(dtype=float)
    n_effective = effective_sample_size(weights, pd.factorize(rows["employee_id"])[0])
    at_risk = np.array([(last >= m).sum() for m in grid])
    return Arm(values, influence, events, len(last), n_effective, at_risk)


def _people_by_month(rows: pd.DataFrame, grid: np.ndarray) -> np.ndarray:
    first = np.sort(rows.groupby("employee_id")["months"].min().to_numpy(dtype=float))
    return np.searchsorted(first, grid, side="right")


def _followed(rows: pd.DataFrame, treated: np.ndarray, months: int) -> dict[str, np.ndarray]:
    """Return people, per arm, with an exit or with follow-up to each month: those not cut short before it."""
    reach = rows["months"].where(rows["outcome"].isna(), np.inf)
    counts = {}
    for name, chosen in (("treated", treated), ("control", ~treated)):
        longest = reach[chosen].groupby(rows.loc[chosen, "employee_id"]).max().to_numpy(dtype=float)
        counts[name] = np.array([(longest >= m).sum() for m in range(months + 1)])
    return counts


def _overlap(probability: np.ndarray, treated: np.ndarray, trial: np.ndarray) -> pd.DataFrame:
    """Return the distribution of the log odds of starting: ``log_odds_from, log_odds_to, arm, share, n_rows``."""
    log_odds = np.log(probability / (1 - probability))
    edges = np.linspace(*np.quantile(log_odds, [0, 1]), 21)
    parts = []
    for name, chosen in (("treated", treated), ("control", ~treated)):
        counts = np.histogram(log_odds[chosen], edges)[0]
        parts.append(
            pd.DataFrame(
                {
                    "log_odds_from": edges[:-1],
                    "log_odds_to": edges[1:],
                    "arm": name,
                    "share": counts / counts.sum(),
                    "n_rows": counts,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def difference(arms: Arms, outcome: str, month: int) -> Interval:
    """Return the risk difference, treated minus control, with its interval.

    With few exits in an arm the interval is Newcombe's hybrid score interval at the arms' effective sizes, else Wald's.
    """
    treated, control = arms.treated, arms.control
    risks = treated.incidence[outcome][month], control.incidence[outcome][month]
    contributions = treated.influence[outcome][month] - control.influence[outcome][month]
    if min(treated.events[outcome][month], control.events[outcome][month]) < FEW_EVENTS:
        return newcombe(risks[0], _effective(treated, outcome, month), risks[1], _effective(control, outcome, month))
    correction = arms.n_clusters / (arms.n_clusters - 1)
    return wald(risks[0] - risks[1], np.sqrt(correction * np.sum(contributions**2)), arms.df)


def _effective(arm: Arm, outcome: str, month: int) -> float:
    """Return the number of people whose plain proportion would have this risk's variance, at most Kish's number.

    A variance from a few exits that happen to have small weights can be far too small; the weights themselves know
    nothing of the exits.
    """
    risk, variance = arm.incidence[outcome][month], np.sum(arm.influence[outcome][month] ** 2)
    by_variance = risk * (1 - risk) / variance if variance > 0 and 0 < risk < 1 else np.inf
    return min(by_variance, arm.n_effective)


def ratio(arms: Arms, outcome: str, month: int) -> Interval | None:
    """Return the risk ratio, its standard error on the log scale; None where an arm has no such exit."""
    treated, control = arms.treated, arms.control
    risks = treated.incidence[outcome][month], control.incidence[outcome][month]
    if min(risks) <= 0:
        return None
    contributions = treated.influence[outcome][month] / risks[0] - control.influence[outcome][month] / risks[1]
    on_log = wald(np.log(risks[0] / risks[1]), np.sqrt(np.sum(contributions**2)), arms.df)
    return Interval(
        float(np.exp(on_log.estimate)),
        on_log.std_error,
        float(np.exp(on_log.low)),
        float(np.exp(on_log.high)),
        on_log.p_value,
    )


def curves(arms: Arms, outcome: str) -> pd.DataFrame:
    """Return both arms' cumulative incidence, one row per arm and month.

    Columns ``arm, months, cumulative_incidence, ci_low, ci_high, n_at_risk, n_events``. Pointwise 95 % intervals on
    the complementary log-log scale, which keeps them between 0 and 1. ``n_events`` is missing for the comparators: no
    count of people can be read from a weighted curve.
    """
    parts = []
    for name, arm in (("treated", arms.treated), ("control", arms.control)):
        risk = arm.incidence[outcome]
        std_error = np.sqrt(np.sum(arm.influence[outcome] ** 2, axis=1))
        low, high = _cloglog_limits(risk, std_error)
        parts.append(
            pd.DataFrame(
                {
                    "arm": name,
                    "months": np.arange(len(risk)),
                    "cumulative_incidence": risk,
                    "ci_low": low,
                    "ci_high": high,
                    "n_at_risk": arm.n_at_risk,
                    "n_events": arm.events[outcome] if name == "treated" else np.nan,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _cloglog_limits(risk: np.ndarray, std_error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inside = (risk > 0) & (risk < 1)
    safe = np.where(inside, risk, 0.5)
    spread = 1.959964 * std_error / np.abs((1 - safe) * np.log(1 - safe))
    power_low, power_high = np.exp(-spread), np.exp(spread)
    low, high = 1 - (1 - safe) ** power_low, 1 - (1 - safe) ** power_high
    return np.where(inside, low, risk), np.where(inside, high, risk)
