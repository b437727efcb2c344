"""Follow-up time counted in calendar months, so that a horizon of 12 months is the same day a year on."""

import numpy as np
import pandas as pd

ONE_DAY = pd.Timedelta(days=1)


def add_months(day: pd.Timestamp, months: int) -> pd.Timestamp:
    """Return the same day of the month `months` later, or that month's last day where it has no such day."""
    return pd.Timestamp(day) + pd.DateOffset(months=months)


def day_of(keys: pd.Series, days: pd.Series) -> pd.Series:
    """Return the day that each key has in `days`; missing where it has none. `map` fails where nobody has one."""
    return pd.Series(days.reindex(keys).to_numpy(dtype="datetime64[ns]"), keys.index)


def months_since(zero: pd.Timestamp, days: pd.Series | pd.DatetimeIndex) -> np.ndarray:
    """Return calendar months from `zero` to each of `days`, shape (len(days),); see `months_between`."""
    days = pd.DatetimeIndex(days)
    return months_between(np.full(len(days), np.datetime64(zero, "D")), days)


def months_between(zeros: pd.Series | np.ndarray, days: pd.Series | pd.DatetimeIndex) -> np.ndarray:
    """Return calendar months from each of `zeros` to the start of the day beside it; part months as a share of theirs.

    The day h calendar months after a zero gives exactly h, whatever the lengths of the months between.

    Parameters
    ----------
    zeros
        Times zero, shape (rows,).
    days
        Days on or after them; missing ones give infinity, shape (rows,).
    """
    zeros, days = (np.asarray(d, dtype="datetime64[D]") for d in (zeros, days))
    known = ~np.isnat(days)
    months = np.full(len(days), np.inf)
    zeros, days = zeros[known], days[known]
    whole = (days.astype("datetime64[M]") - zeros.astype("datetime64[M]")).astype(int)
    whole -= _months_after(zeros, whole) > days
    begin, end = _months_after(zeros, whole), _months_after(zeros, whole + 1)
    months[known] = whole + (days - begin) / (end - begin)
    return months


def _months_after(zeros: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return `add_months` of whole arrays, as datetime64[D]."""
    month = zeros.astype("datetime64[M]") + months
    first, last = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    return np.minimum(first + (zeros - zeros.astype("datetime64[M]").astype("datetime64[D]")), last)
