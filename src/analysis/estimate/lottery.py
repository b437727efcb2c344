"""Intention-to-treat under a lottery: plain proportions by stratum, and the test that the lottery itself gives."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.estimate.inference import FEW_EVENTS, LEVEL, Interval, wald, wilson
from analysis.estimate.score_interval import (
    TwoShares,
    difference_limits,
    difference_score,
    fitted_at_difference,
    ratio_limits,
)
from analysis.plan.faults import known
from analysis.plan.probability import normal_quantile, normal_tail

N_DRAWS = 20_000
LARGE = normal_quantile((1 + LEVEL) / 2)
# Statistics this close are one value: sums of the same numbers in another order.
SAME = 1e-9


@dataclass(frozen=True)
class Lots:
    """What re-drawing the lots says: the two-sided p-value, and how many standard errors an interval reaches."""

    p_value: float
    critical: float


@dataclass(frozen=True)
class Offer:
    """Those offered against those not, up to one horizon.

    Attributes
    ----------
    risk_treated, risk_control
        Share with the event, strata weighted by the number offered.
    influence_treated, influence_control
        Each person's contribution to them, shape (people,).
    counts
        One row per stratum: ``n_treated, n_control, events_treated, events_control``.
    n_left_out
        People in strata whose horizon ends after the data lock.
    """

    risk_treated: float
    risk_control: float
    influence_treated: np.ndarray
    influence_control: np.ndarray
    counts: pd.DataFrame
    n_left_out: int

    @property
    def few_events(self) -> bool:
        """Whether an arm has too few events for a symmetric interval."""
        return min(self.counts["events_treated"].sum(), self.counts["events_control"].sum()) < FEW_EVENTS

    @property
    def is_ample(self) -> bool:
        """Whether arms have people enough in each stratum, and events enough, for variances of their own."""
        smallest = self.counts[["n_treated", "n_control"]].min().min()
        stayed = [(self.counts[f"n_{arm}"] - self.counts[f"events_{arm}"]).sum() for arm in ("treated", "control")]
        return bool(smallest >= FEW_EVENTS and min(stayed) >= FEW_EVENTS and not self.few_events)

    @property
    def difference(self) -> float:
        """Share with the event, offered minus not."""
        return self.risk_treated - self.risk_control

    @property
    def lots_variance(self) -> float:
        """The variance of the difference over re-drawn lots, were there no effect; it holds in strata of any size."""
        n1, n0 = (self.counts[f"n_{arm}"].to_numpy(dtype=float) for arm in ("treated", "control"))
        events, n = (self.counts["events_treated"] + self.counts["events_control"]).to_numpy(dtype=float), n1 + n0
        spread = events * (n - events) / (n * (n - 1))
        return float(np.sum((n1 / n1.sum()) ** 2 * spread * (1 / n1 + 1 / n0)))

    @property
    def arms_variance(self) -> float:
        """The variance of the difference by each arm's own spread in each stratum (Neyman 1923)."""
        return float(_arms_variance(self.counts, self.counts["events_treated"].to_numpy()[None])[0])

    @property
    def shares(self) -> TwoShares:
        """Both shares with the people they are worth, scaled so that without an effect the variance is the lots' own.

        In one stratum this is Miettinen and Nurminen's n / (n − 1).
        """
        n1, n0 = (self.counts[f"n_{arm}"].to_numpy(dtype=float) for arm in ("treated", "control"))
        worth = 1 / np.sum((n1 / n1.sum()) ** 2 / n0)
        plain = TwoShares(self.risk_treated, float(n1.sum()), self.risk_control, float(worth))
        binomial, lots = plain.variance(*fitted_at_difference(plain, 0.0)), self.lots_variance
        n = n1.sum() + n0.sum()
        return replace(plain, factor=lots / binomial if lots > 0 and binomial > 0 else n / (n - 1))


def observed_rows(rows: pd.DataFrame, month: int) -> pd.DataFrame:
    """Return the rows of strata whose arms can be compared up to `month`."""
    return rows[rows["months_observed"] >= month]


def offer(rows: pd.DataFrame, event: np.ndarray, month: int) -> Offer | None:
    """Return the comparison by offer at `month`; None where no stratum has been followed so far.

    Within a stratum everyone is followed to the same day, so nobody is censored before the horizon and the cumulative
    incidence is the plain proportion.

    Parameters
    ----------
    rows
        As from `design.lottery`, all strata.
    event
        Whether each row had the event by `month`, shape (rows,).
    """
    reached = (rows["months_observed"] >= month).to_numpy()
    kept, event = rows[reached], np.asarray(event, dtype=float)[reached]
    if kept.empty:
        return None
    offered, stratum = kept["is_offered"].to_numpy(), pd.factorize(kept["stratum"])[0]
    counts = _counts(offered, event, stratum)
    share = counts["n_treated"].to_numpy() / counts["n_treated"].sum()
    risks, influences = [], []
    for arm, in_arm in (("treated", offered), ("control", ~offered)):
        n, risk = counts[f"n_{arm}"].to_numpy(), counts[f"events_{arm}"].to_numpy() / counts[f"n_{arm}"].to_numpy()
        risks.append(float(share @ risk))
        contribution = in_arm * (share / n)[stratum] * (event - risk[stratum])
        influences.append(pd.Series(contribution).groupby(kept["employee_id"].to_numpy()).sum().to_numpy())
    return Offer(risks[0], risks[1], influences[0], influences[1], counts, len(rows) - len(kept))


def _counts(offered: np.ndarray, event: np.ndarray, stratum: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "n_treated": np.bincount(stratum, weights=offered),
            "n_control": np.bincount(stratum, weights=~offered),
            "events_treated": np.bincount(stratum, weights=offered * event),
            "events_control": np.bincount(stratum, weights=~offered * event),
        }
    ).astype(int)


def itt_difference(comparison: Offer) -> Interval:
    """Return the risk difference of arms that no lots made: Wald's interval (unequal variances).

    With few events Miettinen and Nurminen's score interval, and the p-value of its test.
    """
    if comparison.few_events:
        p = 2 * normal_tail(abs(difference_score(comparison.shares, 0.0)))
        return _by_score(comparison, Lots(float(p), LARGE))
    influence = comparison.influence_treated - comparison.influence_control
    return wald(comparison.difference, np.sqrt(np.sum(influence**2)))


def lots_of(comparison: Offer, rng: np.random.Generator) -> Lots:
    """Return the test that belongs to `randomized_difference`: studentized where people and events are ample."""
    return draw_lots(comparison.counts, rng, studentized=comparison.is_ample)


def randomized_difference(comparison: Offer, lots: Lots) -> Interval:
    """Return the risk difference with the p-value of re-drawing the lots and the interval that belongs to it.

    With ample people and events it reaches as many of the difference's standard errors (unequal variances) as leave out
    5 % of the re-drawn lots, each in errors of its own (Wu & Ding 2021, JASA 116:1898).

    Otherwise it holds the differences Δ whose score statistic (Miettinen & Nurminen 1985, Stat Med 4:213), in standard
    errors of the shares that fit best where the difference is Δ, is no larger than the lots' critical value. At Δ = 0
    the standard error is that of the re-drawn lots themselves, so the interval leaves zero out exactly where p < 0.05.
    Nothing in it is estimated within an arm of a stratum: it holds for strata with one person in an arm, and needs no
    pooling of their variances as for measured outcomes (Fogarty 2018, JRSS B 80:1035; Pashley & Miratrix 2021, J Educ
    Behav Stat 46:271), since the variance of a share follows from the share.
    """
    if not comparison.is_ample:
        return _by_score(comparison, lots)
    error, reach = np.sqrt(comparison.arms_variance), lots.critical * np.sqrt(comparison.arms_variance)
    estimate = comparison.difference
    return Interval(estimate, float(error), float(estimate - reach), float(estimate + reach), lots.p_value)


def _by_score(comparison: Offer, lots: Lots) -> Interval:
    low, high = difference_limits(comparison.shares, lots.critical)
    return Interval(comparison.difference, (high - low) / (2 * LARGE), low, high, lots.p_value)


def itt_ratio(comparison: Offer, lots: Lots) -> Interval | None:
    """Return the risk ratio by the same test, its standard error on the log scale; None where an arm has no event."""
    if min(comparison.risk_treated, comparison.risk_control) <= 0:
        return None
    low, high = ratio_limits(comparison.shares, lots.critical)
    std_error = float(np.log(high / low) / (2 * LARGE))
    return Interval(comparison.risk_treated / comparison.risk_control, std_error, low, high, lots.p_value)


def _arms_variance(counts: pd.DataFrame, events_treated: np.ndarray) -> np.ndarray:
    """Return the variance of the difference where so many events are among the offered, (draws, strata) → (draws,)."""
    n1, n0 = counts["n_treated"].to_numpy(), counts["n_control"].to_numpy()
    one = events_treated / n1
    zero = ((counts["events_treated"] + counts["events_control"]).to_numpy() - events_treated) / n0
    return (one * (1 - one) / n1 + zero * (1 - zero) / n0) @ (n1 / n1.sum()) ** 2


def draw_lots(
    counts: pd.DataFrame, rng: np.random.Generator, n_draws: int = N_DRAWS, studentized: bool = False
) -> Lots:
    """Return the two-sided test of re-drawing the lots: how often chance alone gives a difference as large.

    Within a stratum, events among those offered are hypergeometric under the sharp null (Fisher 1935; Rosenbaum 2002,
    Observational Studies, ch. 2). Differences are averaged over strata by the number offered, in units of their
    standard deviation over the lots; or, `studentized`, each in its own standard error by the arms.
    """
    n_treated, n_control = counts["n_treated"].to_numpy(), counts["n_control"].to_numpy()
    events, n = (counts["events_treated"] + counts["events_control"]).to_numpy(), n_treated + n_control
    share = n_treated / n_treated.sum()
    variance = np.sum(share**2 * events * (n - events) / (n * (n - 1)) * (1 / n_treated + 1 / n_control))
    unit = np.sqrt(variance) if variance > 0 else 1.0

    def statistic(events_treated: np.ndarray) -> np.ndarray:
        gap = np.abs((events_treated / n_treated - (events - events_treated) / n_control) @ share)
        return gap / np.sqrt(np.maximum(_arms_variance(counts, events_treated), 1e-12)) if studentized else gap / unit

    drawn = rng.hypergeometric(events, n - events, n_treated, size=(n_draws, len(counts)))
    return calibrated(float(statistic(counts["events_treated"].to_numpy()[None])[0]), statistic(drawn))


def randomization_p(counts: pd.DataFrame, rng: np.random.Generator, n_draws: int = N_DRAWS) -> float:
    """Return the p-value of `draw_lots`."""
    return draw_lots(counts, rng, n_draws).p_value


def itt_curves(rows: pd.DataFrame, outcomes: tuple[str, ...], months: int) -> pd.DataFrame:
    """Return the share gone, one row per arm and month.

    Columns ``arm, months, cumulative_incidence, ci_low, ci_high, n_at_risk, n_events``.
    Only strata followed for all of `months` are in it, so that every month compares the same people. Limits are
    Wilson's, of the people that each weighted share is worth.
    """
    kept = observed_rows(rows, months)
    parts = []
    for month in range(months + 1):
        event = kept["outcome"].isin(outcomes) & (kept["months"] <= month)
        comparison = known(offer(kept, event.to_numpy(), month))
        for arm, in_arm in (("treated", kept["is_offered"]), ("control", ~kept["is_offered"])):
            risk = getattr(comparison, f"risk_{arm}")
            low, high = wilson(risk, getattr(comparison.shares, f"n_{arm}"))
            at_risk = kept.loc[in_arm & (kept["months"] >= month), "employee_id"].nunique()
            parts.append(
                {
                    "arm": arm,
                    "months": month,
                    "cumulative_incidence": risk,
                    "ci_low": low,
                    "ci_high": high,
                    "n_at_risk": at_risk,
                    "n_events": int((event & in_arm).sum()),
                }
            )
    return pd.DataFrame(parts).sort_values(["arm", "months"], ignore_index=True)


def calibrated(observed: float, drawn: np.ndarray, quantile: float = LARGE) -> Lots:
    """Return the p-value of a statistic among those of re-drawn lots, and the critical value of the test.

    An interval of the values whose statistic is no larger than the critical value leaves zero out exactly where
    p < 1 − level. In small studies the statistic takes few values and anything between the largest that is not
    significant and the smallest that is would do: then the critical value is as near to `quantile` as it can be.

    Parameters
    ----------
    observed
        Absolute value of the statistic.
    drawn
        Absolute values of the statistic in re-drawn lots, shape (draws,).
    quantile
        The critical value in large studies.
    """
    n = len(drawn)
    p = (1 + np.sum(drawn >= observed - SAME)) / (1 + n)
    # The most draws that may be as large as a statistic that is significant: (1 + most) / (1 + n) < 1 − level.
    most = int(np.ceil((1 - LEVEL) * (1 + n))) - 2
    ordered = np.sort(drawn)
    below = ordered[n - 1 - most] if 0 <= most < n else np.inf
    values = np.append(ordered, observed)
    above = values[values > below + SAME].min(initial=np.inf)
    if not np.isfinite(above):
        return Lots(float(p), float(max(quantile, below + 0.01)))
    edge = (above - below) / 100
    return Lots(float(p), float(np.clip(quantile, below + edge, above - edge)))


def redrawn(stratum: np.ndarray, offered: np.ndarray, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return who is offered in re-drawn lots, shape (draws, people).

    Parameters
    ----------
    stratum, offered
        Within what each person's lot was drawn, and whether it won; shape (people,).
    """
    lots = np.zeros((n_draws, len(offered)), dtype=bool)
    for code in np.unique(stratum):
        members = np.flatnonzero(stratum == code)
        order = rng.random((n_draws, len(members))).argsort(axis=1)
        lots[:, members] = order < offered[members].sum()
    return lots
