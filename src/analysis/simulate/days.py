"""Days as whole numbers since 1970-01-01, so that everything about time is vectorised."""

import datetime as dt
from typing import TypeVar

import numpy as np
import pandas as pd

NEVER = 1_000_000  # a day no study reaches
Days = TypeVar("Days", int, np.ndarray)


def day(date: dt.date) -> int:
    """Return a calendar date's number."""
    return int(np.datetime64(date, "D").astype(np.int64))


def as_dates(days: np.ndarray) -> pd.Series:
    """Return day numbers as dates; `NEVER` becomes a missing date."""
    days = np.asarray(days, dtype=np.int64)
    dates = days.astype("datetime64[D]").astype("datetime64[s]")
    return pd.Series(np.where(days < NEVER, dates, np.datetime64("NaT")))


def months_later(days: np.ndarray, months: int) -> np.ndarray:
    """Return the same day of the month `months` calendar months later, or that month's last day where it is shorter."""
    dates = np.asarray(days, dtype=np.int64).astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    target = month + months
    last = (target + 1).astype("datetime64[D]") - 1
    same = target.astype("datetime64[D]") + (dates - month.astype("datetime64[D]"))
    return np.minimum(same, last).astype(np.int64)


def month_starts(first: int, last: int) -> np.ndarray:
    """Return the first day of every calendar month from that of `first` to the one after that of `last`."""
    months = np.array([first, last]).astype("datetime64[D]").astype("datetime64[M]")
    return np.arange(months[0], months[1] + 2).astype("datetime64[D]").astype(np.int64)


def month_begins(days: np.ndarray) -> np.ndarray:
    """Return the first day of each day's calendar month."""
    return (
        np.asarray(days, dtype=np.int64)
        .astype("datetime64[D]")
        .astype("datetime64[M]")
        .astype("datetime64[D]")
        .astype(np.int64)
    )


def month_ends(days: np.ndarray) -> np.ndarray:
    """Return the last day of each day's calendar month; `NEVER` stays."""
    days = np.asarray(days, dtype=np.int64)
    months = days.astype("datetime64[D]").astype("datetime64[M]") + 1
    return np.where(days < NEVER, months.astype("datetime64[D]").astype(np.int64) - 1, days)


def yearly(month: int, day_of_month: int, first: int, last: int) -> np.ndarray:
    """Return that calendar day of every year, from `first` to `last` (both included)."""
    years = np.array([first, last]).astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    days = np.array([day(dt.date(year, month, day_of_month)) for year in range(years[0], years[1] + 1)])
    return days[(days >= first) & (days <= last)]


def next_monday(days: Days) -> Days:
    """Return the first Monday after a day, or after each of them."""
    return days + 7 - (days + 3) % 7


def calendar_year(on: int) -> int:
    """Return a day's calendar year."""
    return int(np.datetime64(int(on), "D").astype("datetime64[Y]").astype(int)) + 1970
