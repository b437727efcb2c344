"""Intention-to-treat under a lottery: plain proportions by stratum, and the test that the lottery itself gives."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.estimate.inference import FEW_EVENTS, Interval, newcombe, wald

N_DRAWS = 20_000


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


def observed_rows(rows: pd.DataFrame, month: int) -> pd.DataFrame:
    """Return the rows of strata whose follow-up reaches `month` before the data lock."""
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
    return Offer(*risks, *influences, counts, len(rows) - len(kept))


def _counts(offered: np.ndarray, event: np.ndarray, stratum: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "n_treated": np.bincount(stratum, weights=offered),
            "n_control": np.bincount(stratum, weights=~offered),
            "events_treated": np.bincount(stratum, weights=offered * event),
            "events_control": np.bincount(stratum, weights=~offered * event),
        }
    ).astype(int)


def itt_difference(comparison: Offer, p_value: float | None = None) -> Interval:
    """Return the risk difference with Wald's interval (unequal variances), Newcombe's where events are few.

    `p_value` is the randomization test's; without one, the interval's own.
    """
    influence = comparison.influence_treated - comparison.influence_control
    interval = wald(comparison.risk_treated - comparison.risk_control, np.sqrt(np.sum(influence**2)))
    if comparison.few_events:
        interval = newcombe(
            comparison.risk_treated,
            _effective(comparison.risk_treated, comparison.influence_treated, comparison.counts["n_treated"].sum()),
            comparison.risk_control,
            _effective(comparison.risk_control, comparison.influence_control, comparison.counts["n_control"].sum()),
        )
    return interval if p_value is None else replace(interval, p_value=p_value)


def _effective(risk: float, influence: np.ndarray, n: int) -> float:
    variance = np.sum(influence**2)
    return min(risk * (1 - risk) / variance, float(n)) if variance > 0 and 0 < risk < 1 else float(n)


def itt_ratio(comparison: Offer, p_value: float) -> Interval | None:
    """Return the risk ratio, its standard error on the log scale; None where an arm has no event."""
    if min(comparison.risk_treated, comparison.risk_control) <= 0:
        return None
    influence = (
        comparison.influence_treated / comparison.risk_treated - comparison.influence_control / comparison.risk_control
    )
    on_log = wald(np.log(comparison.risk_treated / comparison.risk_control), np.sqrt(np.sum(influence**2)))
    return Interval(
        float(np.exp(on_log.estimate)), on_log.std_error, float(np.exp(on_log.low)), float(np.exp(on_log.high)), p_value
    )


def complier_effect(outcome: Offer, starting: Offer) -> Interval | None:
    """Return the effect in those who start because they were offered: Wald's ratio with its delta-method interval.

    Angrist, Imbens & Rubin 1996, JASA 91:444. None where the offer did not raise starting.
    """
    first_stage = starting.risk_treated - starting.risk_control
    if first_stage <= 0:
        return None
    effect = (outcome.risk_treated - outcome.risk_control) / first_stage
    influence = (
        outcome.influence_treated
        - outcome.influence_control
        - effect * (starting.influence_treated - starting.influence_control)
    ) / first_stage
    return wald(effect, np.sqrt(np.sum(influence**2)))


def randomization_p(counts: pd.DataFrame, rng: np.random.Generator, n_draws: int = N_DRAWS) -> float:
    """Return the two-sided p-value of re-drawing the lots: how often chance alone gives a difference as large.

    Within a stratum, events among those offered are hypergeometric under the sharp null (Fisher 1935; Rosenbaum 2002,
    Observational Studies, ch. 2). Differences are averaged over strata by the number offered.
    """
    n_treated, n_control = counts["n_treated"].to_numpy(), counts["n_control"].to_numpy()
    events = (counts["events_treated"] + counts["events_control"]).to_numpy()
    share = n_treated / n_treated.sum()

    def statistic(events_treated: np.ndarray) -> np.ndarray:
        return (events_treated / n_treated - (events - events_treated) / n_control) @ share

    observed = abs(statistic(counts["events_treated"].to_numpy()))
    drawn = rng.hypergeometric(events, n_treated + n_control - events, n_treated, size=(n_draws, len(counts)))
    return float((1 + np.sum(np.abs(statistic(drawn)) >= observed - 1e-12)) / (1 + n_draws))


def itt_curves(rows: pd.DataFrame, outcomes: tuple[str, ...], months: int) -> pd.DataFrame:
    """Return the share gone, one row per arm and month.

    Columns ``arm, months, cumulative_incidence, ci_low, ci_high, n_at_risk, n_events``.
    Only strata followed for all of `months` are in it, so that every month compares the same people.
    """
    kept = observed_rows(rows, months)
    parts = []
    for month in range(months + 1):
        event = kept["outcome"].isin(outcomes) & (kept["months"] <= month)
        comparison = offer(kept, event.to_numpy(), month)
        for arm, in_arm in (("treated", kept["is_offered"]), ("control", ~kept["is_offered"])):
            risk = getattr(comparison, f"risk_{arm}")
            limits = wald(risk, np.sqrt(np.sum(getattr(comparison, f"influence_{arm}") ** 2)))
            at_risk = kept.loc[in_arm & (kept["months"] >= month), "employee_id"].nunique()
            parts.append(
                {
                    "arm": arm,
                    "months": month,
                    "cumulative_incidence": risk,
                    "ci_low": max(0.0, limits.low),
                    "ci_high": min(1.0, limits.high),
                    "n_at_risk": at_risk,
                    "n_events": int((event & in_arm).sum()),
                }
            )
    return pd.DataFrame(parts).sort_values(["arm", "months"], ignore_index=True)
