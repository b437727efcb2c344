"""Follow-up time counted in calendar months, so that a horizon of 12 months is the same day a year on."""

import numpy as np
import pandas as pd

ONE_DAY = pd.Timedelta(days=1)


def add_months(day: pd.Timestamp, months: int) -> pd.Timestamp:
    """Return the same day of the month `months` later, or that month's last day where it has no such day."""
    return pd.Timestamp(day) + pd.DateOffset(months=months)


def months_since(zero: pd.Timestamp, days: pd.Series | pd.DatetimeIndex) -> np.ndarray:
    """Return calendar months from `zero` to the start of each of `days`; part months as a share of that month.

    A day h calendar months after `zero` gives exactly h, whatever the lengths of the months between.

    Parameters
    ----------
    zero
        Time zero.
    days
        Days on or after `zero`; missing ones give infinity.

    Returns
    -------
    ndarray of float, shape (len(days),)
    """
    days = pd.DatetimeIndex(days)
    known = days[~days.isna()]
    last = int((known.max() - zero).days // 28) + 2 if len(known) else 1
    edges = pd.DatetimeIndex([add_months(zero, m) for m in range(last + 1)])
    whole = np.clip(np.searchsorted(edges.asi8, days.as_unit(edges.unit).asi8, side="right") - 1, 0, last - 1)
    length = (edges[whole + 1] - edges[whole]).days
    months = whole + (days - edges[whole]).days / length
    return np.where(days.isna(), np.inf, np.asarray(months, dtype=float))


def months_between(zeros: pd.Series, days: pd.Series) -> pd.Series:
    """Return calendar months from each of `zeros` to the day beside it (see `months_since`)."""
    parts = [
        pd.Series(months_since(zero, days[rows]), index=rows) for zero, rows in zeros.groupby(zeros).groups.items()
    ]
    return pd.concat(parts).reindex(zeros.index) if parts else pd.Series(dtype=float)
