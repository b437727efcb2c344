"""Does mentoring keep people? Differences, ratios and days between two arms (H1); promotions likewise (H8)."""

import numpy as np
import pandas as pd

from analysis.estimate.arms import ANY_EXIT, Arm, Arms
from analysis.estimate.inference import FEW_EVENTS, Interval, newcombe, wald, wald_on_log

DAYS_PER_MONTH = 365.25 / 12


def difference(arms: Arms, outcome: str, month: int) -> Interval:
    """Return the risk difference, treated minus control, with its interval.

    With few events in an arm the interval is Newcombe's hybrid score interval at effective sizes, else Wald's.
    """
    both = arms.treated, arms.control
    risks = [arm.risk(outcome, month) for arm in both]
    parts = [arm.risk_influence(outcome, month) for arm in both]
    return _difference_of_shares(arms, risks, parts, _are_few(arms, outcome, month))


def _are_few(arms: Arms, outcome: str, month: int) -> bool:
    return min(arms.n_events(outcome, month)) < FEW_EVENTS


def _difference_of_shares(arms: Arms, shares: list[float], parts: list[np.ndarray], is_few: bool) -> Interval:
    if not is_few:
        return wald(shares[0] - shares[1], std_error(parts[0] - parts[1]), arms.df)
    sizes = [_effective(*each) for each in zip((arms.treated, arms.control), shares, parts, strict=True)]
    return newcombe(shares[0], sizes[0], shares[1], sizes[1])


def std_error(contributions: np.ndarray) -> float:
    """Return the standard error of an estimate from its clusters' contributions, with the factor n/(n − 1)."""
    n = len(contributions)
    return float(np.sqrt(n / (n - 1) * np.sum(contributions**2)))


def _effective(arm: Arm, share: float, parts: np.ndarray) -> float:
    """Return the number of people whose plain proportion would have this share's variance, at most Kish's number.

    A variance from a few exits that happen to have small weights can be far too small; the weights themselves know
    nothing of the exits.
    """
    variance = np.sum(parts**2)
    by_variance = share * (1 - share) / variance if variance > 0 and 0 < share < 1 else np.inf
    return min(by_variance, arm.n_effective)


def ratio(arms: Arms, outcome: str, month: int) -> Interval | None:
    """Return the risk ratio, its standard error on the log scale; None where an arm has no such event."""
    treated, control = arms.treated, arms.control
    risks = treated.risk(outcome, month), control.risk(outcome, month)
    if min(risks) <= 0:
        return None
    contributions = (
        treated.risk_influence(outcome, month) / risks[0] - control.risk_influence(outcome, month) / risks[1]
    )
    return wald_on_log(np.log(risks[0] / risks[1]), std_error(contributions), arms.df)


def days_lost(arms: Arms, outcome: str, month: int) -> Interval:
    """Return the difference in mean days lost to the outcome by `month`, treated minus control.

    For exits of any kind, its negative is the difference in restricted mean survival (Royston & Parmar 2013, BMC Med
    Res Methodol 13:152); for one kind among competing ones it is that in restricted mean time lost (Andersen 2013, Stat
    Med 32:5278). With few events in an arm the share of the time that is lost is read as a share of people: no variable
    between 0 and 1 varies more than one that is 0 or 1, so Newcombe's interval is, if anything, too wide.
    """
    both = arms.treated, arms.control
    shares = [arm.months_lost(outcome, month) / month for arm in both]
    parts = [arm.months_lost_influence(outcome, month) / month for arm in both]
    found = _difference_of_shares(arms, shares, parts, _are_few(arms, outcome, month))
    days = DAYS_PER_MONTH * month
    return Interval(
        *(days * value for value in (found.estimate, found.std_error, found.low, found.high)), found.p_value
    )


def days_retained(arms: Arms, month: int) -> Interval:
    """Return the difference in restricted mean survival, in days employed by `month`: exits of any kind count."""
    lost = days_lost(arms, ANY_EXIT, month)
    return Interval(-lost.estimate, lost.std_error, -lost.high, -lost.low, lost.p_value)


def curves(arms: Arms, outcome: str, months: int) -> pd.DataFrame:
    """Return both arms' cumulative incidence, one row per arm and month.

    Columns ``arm, months, cumulative_incidence, ci_low, ci_high, n_at_risk, n_events``. Pointwise 95 % intervals on
    the complementary log-log scale, which keeps them between 0 and 1. ``n_events`` is missing for the comparators: no
    count of people can be read from a weighted curve.
    """
    parts, grid = [], np.arange(months + 1)
    for name, arm in (("treated", arms.treated), ("control", arms.control)):
        risk = np.array([arm.risk(outcome, m) for m in grid])
        errors = np.array([np.sqrt(np.sum(arm.risk_influence(outcome, m) ** 2)) for m in grid])
        low, high = _cloglog_limits(risk, errors)
        parts.append(
            pd.DataFrame(
                {
                    "arm": name,
                    "months": grid,
                    "cumulative_incidence": risk,
                    "ci_low": low,
                    "ci_high": high,
                    "n_at_risk": arm.n_at_risk(grid),
                    "n_events": [arm.n_events(outcome, m) if name == "treated" else np.nan for m in grid],
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
