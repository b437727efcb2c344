"""Does mentoring keep people? Differences, ratios and days between two arms (H1); promotions likewise (H8)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.estimate.arms import ANY_EXIT, Arms
from analysis.estimate.inference import FEW_EVENTS, LEVEL, Interval, std_error, wald, wald_on_log
from analysis.estimate.score_interval import score_difference, score_ratio
from analysis.plan.probability import student_quantile

DAYS_PER_MONTH = 365.25 / 12


def difference(arms: Arms, outcome: str, month: int) -> Interval:
    """Return the risk difference, treated minus control, with its interval.

    With few events in an arm interval and p-value are the score test's at effective sizes, else Wald's.
    """
    risks, parts = _risks(arms, outcome, month)
    if not _are_few(arms, outcome, month):
        return wald(risks[0] - risks[1], std_error(as_untreated(arms, risks) * parts[0] - parts[1]), arms.df)
    sizes = _effective(arms, outcome, month, risks, _few_parts(arms, outcome, month))
    return score_difference(risks[0], sizes[0], risks[1], sizes[1], arms.score_df)


def as_untreated(arms: Arms, shares: Sequence[float]) -> float:
    """Return what the treated's contributions are multiplied by where units are what varies, at least 1.

    The error of an effect in the treated is that of what their units would have been without the program. A unit that
    leaves faster by a factor moves a risk r in proportion to (1 − r) × −log(1 − r) (the derivative by the log hazard):
    a program that lowers the risk hides part of the spread, and the interval without this factor held the truth in .90
    of simulated rollouts of six against six units whose hazard it had halved (.94 to .96 with it). People and their
    teams need none: there most of the spread is each person's own chance, which the program's risk has already.
    """
    treated, control = (-(1 - share) * np.log1p(-share) if 0 < share < 1 else 0.0 for share in shares)
    if not arms.by_unit or treated <= 0:
        return 1.0
    return max(1.0, float(control / treated))


def _risks(arms: Arms, outcome: str, month: int) -> tuple[list[float], list[np.ndarray]]:
    both = arms.treated, arms.control
    return [arm.risk(outcome, month) for arm in both], [arm.risk_influence(outcome, month) for arm in both]


def _few_parts(arms: Arms, outcome: str, month: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what clusters contribute to both risks, where events are few.

    The treated have weights of one, nothing about them is estimated, and their influence functions are exact; groups
    drawn at random would only add noise. The comparators' are those of the jackknife.
    """
    return arms.treated.direct_risk_influence(outcome, month), arms.control.risk_influence(outcome, month)


def _are_few(arms: Arms, outcome: str, month: int) -> bool:
    return min(arms.n_events(outcome, month)) < FEW_EVENTS


def _effective(
    arms: Arms, outcome: str, month: int, shares: Sequence[float], parts: Sequence[np.ndarray]
) -> list[float]:
    """Return for each arm the number of people whose plain proportion would have its variance, at most its people.

    In an arm of few events, or of units, at most Kish's number: a variance from a few exits that happen to have small
    weights, or from a few units that happen to be alike, can be far too small, and the weights themselves know nothing
    of the exits.
    """
    sizes = []
    both = arms.treated, arms.control
    for arm, n_events, share, contributions in zip(both, arms.n_events(outcome, month), shares, parts, strict=True):
        variance = std_error(contributions) ** 2
        by_variance = share * (1 - share) / variance if variance > 0 and 0 < share < 1 else np.inf
        is_known = n_events >= FEW_EVENTS and not arms.by_unit
        sizes.append(min(by_variance, arm.n_people if is_known else arm.n_effective))
    return sizes


def ratio(arms: Arms, outcome: str, month: int) -> Interval | None:
    """Return the risk ratio, its standard error on the log scale; None where an arm has no such event.

    With few events interval and p-value are the score test's, as for the difference.
    """
    risks, parts = _risks(arms, outcome, month)
    if min(risks) <= 0:
        return None
    if _are_few(arms, outcome, month):
        sizes = _effective(arms, outcome, month, risks, _few_parts(arms, outcome, month))
        return score_ratio(risks[0], sizes[0], risks[1], sizes[1], arms.score_df)
    return wald_on_log(np.log(risks[0] / risks[1]), std_error(parts[0] / risks[0] - parts[1] / risks[1]), arms.df)


def days_lost(arms: Arms, outcome: str, month: int) -> Interval:
    """Return the difference in mean days lost to the outcome by `month`, treated minus control.

    For exits of any kind, its negative is the difference in restricted mean survival (Royston & Parmar 2013, BMC Med
    Res Methodol 13:152); for one kind among competing ones it is that in restricted mean time lost (Andersen 2013, Stat
    Med 32:5278). With few events in an arm the score test is made of the share of the time that is lost: see
    `_few_shares_of_time`.
    """
    both = arms.treated, arms.control
    shares = [arm.months_lost(outcome, month) / month for arm in both]
    if _are_few(arms, outcome, month):
        found = _few_shares_of_time(arms, shares, outcome, month)
    else:
        parts = [arm.months_lost_influence(outcome, month) / month for arm in both]
        found = wald(shares[0] - shares[1], std_error(as_untreated(arms, shares) * parts[0] - parts[1]), arms.df)
    return found.times(DAYS_PER_MONTH * month)


def _few_shares_of_time(arms: Arms, shares: Sequence[float], outcome: str, month: int) -> Interval:
    """Return the score interval of a difference of two shares of time lost, from few events.

    A person loses nothing or, leaving, a share X of the time: with c = E[X²] / E[X] that has the mean and the variance
    of c times a variable that is 1 with probability E[X] / c and else 0, and is read as such (matching two moments, as
    for weighted sums of counts: Dobson et al. 1991, Stat Med 10:457). c is the one of both arms together: a few events
    in one arm know it badly.
    """
    both = arms.treated, arms.control
    squares = [arm.months_lost_squared(outcome, month) / month**2 for arm in both]
    people = np.array([arm.n_effective for arm in both])
    lost = float(people @ shares)
    scale = max(float(people @ squares) / lost, *shares) if lost > 0 else 1.0
    scaled = [share / scale for share in shares]
    treated = arms.treated.direct_months_lost_influence(outcome, month)
    control = arms.control.months_lost_influence(outcome, month)
    parts = [contributions / month / scale for contributions in (treated, control)]
    sizes = _effective(arms, outcome, month, scaled, parts)
    return score_difference(scaled[0], sizes[0], scaled[1], sizes[1], arms.score_df).times(scale)


def days_retained(arms: Arms, month: int) -> Interval:
    """Return the difference in restricted mean survival, in days employed by `month`: exits of any kind count."""
    lost = days_lost(arms, ANY_EXIT, month)
    return Interval(-lost.estimate, lost.std_error, -lost.high, -lost.low, lost.p_value)


def curves(arms: Arms, outcome: str, months: int) -> pd.DataFrame:
    """Return both arms' cumulative incidence, one row per arm and month.

    Columns ``arm, months, cumulative_incidence, ci_low, ci_high, n_at_risk, n_events``. Pointwise 95 % intervals on
    the complementary log-log scale, which keeps them between 0 and 1; few clusters widen them. ``n_events`` is missing
    for the comparators: no count of people can be read from a weighted curve.
    """
    parts, grid = [], np.arange(months + 1)
    for name, arm in (("treated", arms.treated), ("control", arms.control)):
        risk = np.array([arm.risk(outcome, m) for m in range(months + 1)])
        errors = np.array([np.sqrt(np.sum(arm.risk_influence(outcome, m) ** 2)) for m in range(months + 1)])
        low, high = _cloglog_limits(risk, errors, student_quantile((1 + LEVEL) / 2, arms.score_df))
        parts.append(
            pd.DataFrame(
                {
                    "arm": name,
                    "months": grid,
                    "cumulative_incidence": risk,
                    "ci_low": low,
                    "ci_high": high,
                    "n_at_risk": arm.n_at_risk(grid),
                    "n_events": [arm.n_events(outcome, m) if name == "treated" else np.nan for m in range(months + 1)],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _cloglog_limits(risk: np.ndarray, std_error: np.ndarray, quantile: float) -> tuple[np.ndarray, np.ndarray]:
    inside = (risk > 0) & (risk < 1)
    safe = np.where(inside, risk, 0.5)
    spread = quantile * std_error / np.abs((1 - safe) * np.log(1 - safe))
    power_low, power_high = np.exp(-spread), np.exp(spread)
    low, high = 1 - (1 - safe) ** power_low, 1 - (1 - safe) ** power_high
    return np.where(inside, low, risk), np.where(inside, high, risk)
