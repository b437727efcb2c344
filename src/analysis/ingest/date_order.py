"""Whether 03/04/2021 is in March or in April: the whole column says, or nobody does."""

import datetime as dt
from typing import Literal, NamedTuple

import numpy as np

from analysis.ingest.date_forms import Day

Order = Literal["dmy", "mdy"]


class Ordered(NamedTuple):
    """The calendar days of a column's distinct days; arrays over these.

    Attributes
    ----------
    dates
        ``datetime64[D]``; NaT where it is no day of the calendar, or cannot be told.
    contradictory
        Whether it can only have the order that the column has more rarely, or not the one that was given.
    ambiguous
        Whether day and month cannot be told apart. None is where the column contradicts itself.
    """

    dates: np.ndarray
    contradictory: np.ndarray
    ambiguous: np.ndarray


def shown_order(days: list[Day | None]) -> Order | None:
    """Return the one order that some days can only have; None where none or both do."""
    orders = {order for day in days if (order := _by_numbers(day))}
    return orders.pop() if len(orders) == 1 else None


def ordered(days: list[Day | None], n_rows: np.ndarray, given: Order | None) -> Ordered:
    """Return the calendar days, with day and month in the order that the column shows.

    A first number above 12 says day first, a second one month first; between dots the day is first unless the numbers
    say otherwise. What one day says holds for all that are written with the same sign between the numbers; a column
    that says both contradicts itself. An order that is given holds for all.

    Parameters
    ----------
    days
        As written, each distinct one once; None for what is none.
    n_rows
        How many rows have each.
    given
        The order that the study or the vendor's profile states.
    """
    if given:
        says = np.array([_by_numbers(day) for day in days], dtype=object)
        dates = [_calendar_day(day, given) for day in days]
        return Ordered(_array(dates), (says != "") & (says != given), np.zeros(len(days), bool))
    says = np.array([_by_numbers(day) or _by_sign(day) for day in days], dtype=object)
    contradictory = _rarer(says, n_rows)
    of_sign = {day.sign: order for day, order in zip(days, says, strict=True) if day and order}
    open_ = np.array([_is_open(day) for day in days], bool) & (says == "")
    if contradictory.any():
        of_sign = {}
    orders: list[Order | Literal[""]] = [
        order or of_sign.get(day.sign, "") if day else "" for day, order in zip(days, says, strict=True)
    ]
    ambiguous = open_ & (np.array(orders, dtype=object) == "")
    dates = [
        None if unknown else _calendar_day(day, order)
        for unknown, day, order in zip(ambiguous, days, orders, strict=True)
    ]
    return Ordered(_array(dates), contradictory, ambiguous & ~contradictory.any())


def _by_numbers(day: Day | None) -> Order | Literal[""]:
    """Return the only order in which this is a day; empty where that is both or neither."""
    if day is None or not day.sign or not (1 <= min(day.day, day.month) <= 12 < max(day.day, day.month) <= 31):
        return ""
    return "dmy" if day.day > 12 else "mdy"


def _by_sign(day: Day | None) -> Order | Literal[""]:
    return "dmy" if day is not None and day.sign == "." else ""


def _is_open(day: Day | None) -> bool:
    return day is not None and bool(day.sign) and day.day != day.month and max(day.day, day.month) <= 12


def _rarer(says: np.ndarray, n_rows: np.ndarray) -> np.ndarray:
    counts = {order: n_rows[says == order].sum() for order in ("dmy", "mdy")}
    if not all(counts.values()):
        return np.zeros(len(says), bool)
    return says == min(counts, key=counts.__getitem__)


def _calendar_day(day: Day | None, order: Order | Literal[""]) -> dt.date | None:
    if day is None:
        return None
    month, number = (day.day, day.month) if day.sign and order == "mdy" else (day.month, day.day)
    try:
        return dt.date(day.year, month, number)
    except ValueError:
        return None


def _array(dates: list[dt.date | None]) -> np.ndarray:
    return np.array(dates, dtype="datetime64[D]")
