"""Dates as exports write them become days of the calendar: months without a day, the order of day and month."""

import calendar
import datetime as dt
import re
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.ingest.date_forms import (
    MONTHS,
    SERIAL_DAYS,
    Clocks,
    Day,
    days_in_zone,
    from_serial,
    from_ticks,
    read_day,
    split,
    without_accents,
)
from analysis.ingest.numbers import CellIssue, Cells
from analysis.ingest.text_matching import all_folded
from analysis.plan.contract import is_zone
from analysis.plan.errors import Action, Severity

# --- months -----------------------------------------------------------------------------------------------------------
# Months without a day, as headcount lists name them, become days of the calendar.

_YEAR = "(?P<year>(?:19|20)[0-9]{2})"
_FORMS = (
    re.compile(rf"{_YEAR}(?:(?: ?[-/.] ?| )?m|[-/.]| )(?P<month>[0-9]{{1,2}})"),  # 2023-05, 2023/5, 2023 M05
    re.compile(rf"{_YEAR}(?P<month>[0-9]{{2}})"),  # 202305
    re.compile(rf"m?(?P<month>[0-9]{{1,2}})[-/. ]{_YEAR}"),  # 05/2023
    re.compile(r"(?P<name>[^\W\d_]+)\.?[ '\u2019/-]*(?P<year>(?:19|20)?[0-9]{2})"),  # May 2023, May-23
    re.compile(rf"{_YEAR}[ /-]*(?P<name>[^\W\d_]+)\.?"),  # 2023 May
)


def month_ends(column: pd.Categorical) -> Cells:
    """Return a column of days with each month that has no day as its last day, yyyy-mm-dd; other cells as they are.

    The state of a month's list is known by its end at the latest: nothing is dated before it could be known.

    Parameters
    ----------
    column
        The export's cells, categorical of text.

    Returns
    -------
    Cells
        Finding: `month_without_day`.
    """
    ends = [month_end(text) for text in column.categories]
    is_month = np.array([end is not None for end in ends], bool)
    texts = [end or text for end, text in zip(ends, column.categories, strict=True)]
    message = "names months without a day; each stands for its last day"
    return Cells.of(column, texts, CellIssue("month_without_day", "info", "repaired", message, is_month))


def month_end(text: str) -> str | None:
    """Return the last day of the month that a text names; None where it names none, or a day as well."""
    folded = " ".join(text.casefold().split())
    for form in _FORMS:
        found = form.fullmatch(folded)
        if found is None:
            continue
        parts = found.groupdict()
        month = int(parts["month"]) if "month" in parts else MONTHS.get(without_accents(parts["name"]), 0)
        if 1 <= month <= 12:
            year = int(parts["year"]) + (2000 if len(parts["year"]) == 2 else 0)
            return f"{year}-{month:02}-{calendar.monthrange(year, month)[1]}"
    return None


# --- date order -------------------------------------------------------------------------------------------------------
# Whether 03/04/2021 is in March or in April: the whole column says, or nobody does.

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


# --- dates ------------------------------------------------------------------------------------------------------------
# Dates as exports write them become days of the calendar, yyyy-mm-dd.

YEARS_AHEAD = 10
NO_DATE = frozenset(("n/a-stillemployed", "still employed", "n/a", "null", "none", "tbd", "-", "--"))

_ZERO = re.compile(r"0000([-/.])(?:00)\1(?:00)(?:[ t]00:00(?::00)?)?|00([-/.])00\2(?:0000)")
_SERIAL = re.compile(r"[2-7][0-9]{4}(\.[0-9]+)?|80000(\.0+)?")
# Whole texts, of which none is a word or a day that stands for no date.
_ISO = "[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}(?:[ Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]+)?)?"
_NO_DAYS = np.array(["0001-01-01", "1900-01-01", "2999-12-31"], "datetime64[D]")
_NO_YEARS = np.array(["4000", "9999"], "datetime64[Y]")


def to_days(
    column: pd.Categorical,
    *,
    order: Order | None,
    written_in: str | None,
    wanted_in: str | None,
    as_of: dt.date,
    serials_since: dt.date = SERIAL_DAYS,
) -> Cells:
    """Return a column of dates as days of the calendar, yyyy-mm-dd.

    Read are ISO dates and times, yyyymmdd, day/month/year and month/day/year with ``/``, ``-`` or ``.``, months by
    their names in ten languages, times of 24 or 12 hours, OData's ``/Date(ms)/``, and a spreadsheet's serial numbers
    where the column holds nothing else. A year of two digits is the latest one that is at most `YEARS_AHEAD` years
    after the data lock. Days that stand for none (1900-01-01, 0001-01-01, 2999-12-31, any of the years 4000 and 9999)
    and words for it become missing. What is none of this stays as it is.

    Parameters
    ----------
    column
        The export's cells, categorical of text.
    order
        The order of day and month where it is known; otherwise the column must show it.
    written_in, wanted_in
        IANA names of the zone of times without one, and of the zone whose day is wanted. Without `wanted_in`, and for
        a time without any zone, the written day stands; so it does where every time of the column is midnight, which
        is how programs write days.
    as_of
        The study's data lock.
    serials_since
        The day from which the file counts its serial numbers.

    Returns
    -------
    Cells
        Findings: `mixed_date_order`, `ambiguous_date`, `unknown_timezone` (errors), `serial_dates` (warning),
        `no_date`, `dates_translated`.
    """
    is_none, is_serial, (codes, days, clocks) = _read(column, serials_since)
    written = _in_order(days, codes, column, order, as_of)
    is_none = is_none | _stands_for_none(written.dates)
    dates = np.where(is_none, np.datetime64("NaT"), written.dates)
    is_zone_known = _knows_zones(clocks, (written_in, wanted_in))
    if is_zone_known:
        dates = days_in_zone(dates, clocks, written_in=written_in, wanted_in=wanted_in)
    given = column.categories.to_numpy(object)
    result = np.where(np.isnat(dates), given, np.datetime_as_string(dates).astype(object))
    is_changed = ~is_none & (result != given)
    concerned = {
        "mixed_date_order": written.contradictory,
        "ambiguous_date": written.ambiguous,
        "serial_dates": is_serial,
        "no_date": is_none,
        "dates_translated": is_changed & ~is_serial,
    }
    result[is_none] = None
    issues = (
        CellIssue(rule, severity, action, message.format(since=serials_since), concerned[rule])
        for rule, (severity, action, message) in _TOLD.items()
    )
    cells = Cells.of(column, list(result), *issues)
    return cells if is_zone_known else replace(cells, findings=(_unknown_zone(column), *cells.findings))


def order_of(column: pd.Categorical, as_of: dt.date) -> Order | None:
    """Return the one order of day and month that a column's numbers can only have; None where none or both do."""
    _, days, _ = _apart(_texts(column))
    return shown_order([read_day(day, as_of.year + YEARS_AHEAD) for day in days])


def to_moments(column: pd.Categorical, *, order: Order | None, as_of: dt.date) -> np.ndarray:
    """Return when each row's cell says that something was (``datetime64[s]``); NaT where it names no time of a day.

    Times stand as written, whatever their zone: to subtract one from another.
    """
    codes, days, clocks = _iso_apart(column.categories) if _is_iso(column) else _apart(_texts(column))
    dates = _in_order(days, codes, column, order, as_of).dates
    seconds = np.where(np.isnan(clocks.seconds), np.timedelta64("NaT"), clocks.seconds.astype("timedelta64[s]"))
    return np.append(dates.astype("datetime64[s]") + seconds, np.datetime64("NaT"))[column.codes]


_TOLD: dict[str, tuple[Severity, Action, str]] = {
    "mixed_date_order": (
        "error",
        "rejected",
        "has dates that can only be day first and others that can only be month first, or not the order that "
        "date_order says; these are the rarer ones: write all in one order, or as yyyy-mm-dd, or correct date_order "
        "at the source in study.yaml",
    ),
    "ambiguous_date": (
        "error",
        "rejected",
        "has dates of which day and month cannot be told apart; set date_order: dmy (day first) or date_order: mdy "
        "(month first) at the source in study.yaml",
    ),
    "serial_dates": (
        "warning",
        "repaired",
        "holds numbers alone; they were read as a spreadsheet's days since {since}. Write the dates as yyyy-mm-dd "
        "if they are not",
    ),
    "no_date": (
        "info",
        "set_null",
        "says here in words, or by a day that stands for none (1900-01-01, 9999-12-31), that there is no date; read "
        "as empty",
    ),
    "dates_translated": ("info", "repaired", "has dates that were not written as yyyy-mm-dd; they were translated"),
}


def _read(
    column: pd.Categorical, since: dt.date
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, list[str], Clocks]]:
    """Return which texts stand for no date, which are serial numbers, and all of them apart."""
    if _is_iso(column):
        neither = np.zeros(len(column.categories), bool)
        return neither, neither, _iso_apart(column.categories)
    texts = _texts(column)
    is_none = np.array([text in NO_DATE or _ZERO.fullmatch(text) is not None for text in texts], bool)
    is_serial = _serials(texts, is_none)
    texts = [from_serial(text, since) if serial else text for text, serial in zip(texts, is_serial, strict=True)]
    return is_none, is_serial, _apart(texts)


def _serials(texts: list[str], is_none: np.ndarray) -> np.ndarray:
    """Return which texts are serial numbers: all that are not none, where all of them are."""
    fits = np.array([_SERIAL.fullmatch(text) is not None for text in texts], bool)
    return fits & (fits | is_none).all()


def _texts(column: pd.Categorical) -> list[str]:
    return [from_ticks(text) for text in all_folded(column.categories).to_numpy(object)]


def _is_iso(column: pd.Categorical) -> bool:
    return bool(column.categories.str.fullmatch(_ISO).all())


def _iso_apart(texts: pd.Index) -> tuple[np.ndarray, list[str], Clocks]:
    """Return what `_apart` does of texts that are all in ISO form, without a zone; many are judged at once."""
    codes, days = pd.factorize(texts.str[:10])
    hour, minute, second = (_numbers(texts.str[at : at + 2]) for at in (11, 14, 17))
    return codes, list(days), Clocks(hour * 3600 + minute * 60 + second, np.full(len(texts), np.nan))


def _numbers(texts: pd.Index) -> np.ndarray:
    codes, distinct = pd.factorize(texts)
    return pd.to_numeric(distinct).to_numpy(float)[codes]


def _apart(texts: list[str]) -> tuple[np.ndarray, list[str], Clocks]:
    """Return the texts' days as codes of distinct texts, and their times.

    So that days and times are each judged once: there are few of either, however many moments.
    """
    parts = [split(text) for text in texts]
    day_texts = [part.day if part.is_time else "" for part in parts]
    codes, days = pd.factorize(np.array([*day_texts, ""], dtype=object))
    seconds = np.array([part.seconds for part in parts], float)
    offset = np.array([part.offset for part in parts], float)
    return codes[:-1], list(days), Clocks(seconds, offset)


def _in_order(
    days: list[str], codes: np.ndarray, column: pd.Categorical, order: Order | None, as_of: dt.date
) -> Ordered:
    """Return for each distinct cell its written day of the calendar."""
    n_rows = np.bincount(codes[column.codes[column.codes >= 0]], minlength=len(days))
    found = ordered([read_day(day, as_of.year + YEARS_AHEAD) for day in days], n_rows, order)
    return Ordered(*(each[codes] for each in found))


def _stands_for_none(dates: np.ndarray) -> np.ndarray:
    return np.isin(dates, _NO_DAYS) | np.isin(dates.astype("datetime64[Y]"), _NO_YEARS)


def _knows_zones(clocks: Clocks, names: tuple[str | None, ...]) -> bool:
    return bool(np.isnan(clocks.seconds).all()) or all(name is None or is_zone(name) for name in names)


def _unknown_zone(column: pd.Categorical) -> CellIssue:
    """Return the issue of a column as a whole, and of no cell."""
    message = (
        "has times, but the time zone in which they are written or wanted is not known; write timezone: in study.yaml "
        "as a place of the time zone database, such as Europe/Berlin"
    )
    return CellIssue("unknown_timezone", "error", "rejected", message, np.zeros(len(column.categories), bool))
