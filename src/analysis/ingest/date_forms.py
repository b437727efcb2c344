"""One cell that holds a date, as programs and people write them: its day, its time and its zone."""

import datetime as dt
import re
import unicodedata
from functools import cache
from typing import NamedTuple

# English, German, French, Spanish, Dutch, Italian, Portuguese, Danish, Norwegian, Swedish; without accents.
_MONTHS = """
jan january januar janner janvier enero ene januari gennaio gen janeiro janv
feb february februar feber fevrier fevr febrero februari febbraio fevereiro fev
mar march marz maerz mrz mars marzo maart mrt marco marts
apr april avril avr abril abr aprile
may mai mayo mei maggio mag maio maj
jun june juni juin junio giugno giu junho
jul july juli juillet juil julio luglio lug julho
aug august aout aou agosto ago augustus augusti
sep sept september septembre septiembre setiembre settembre set setembro
oct october oktober okt octobre octubre ottobre ott outubro out
nov november novembre noviembre novembro
dec december dezember dez decembre diciembre dic dicembre dezembro desember des
"""
MONTHS = {name: number for number, names in enumerate(_MONTHS.strip().splitlines(), 1) for name in names.split()}

# What is given to general e-mail (RFC 5322), and Europe's; other abbreviations name several zones.
_HOURS_FROM_UTC = {
    **dict.fromkeys(("z", "utc", "gmt", "wet"), 0),
    **{"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7},
    **{"west": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3},
}

_FURTHEST = 14 * 60  # minutes from UTC: Kiribati

_ZONE = rf"(?P<zone>{'|'.join(_HOURS_FROM_UTC)}|(?:gmt|utc)?[+-][0-9]{{1,2}}(?::?[0-9]{{2}})?)"
_CLOCK = (
    r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,:][0-9]+)?)?"
    r"|\.(?P<minute_>[0-9]{2})\.(?P<second_>[0-9]{2})(?:[.,][0-9]+)?)"
    r"(?: ?(?P<half>[ap])\.? ?m\.?)?"
)
_PARTS = re.compile(rf"(?P<day>.+?)(?:(?:,? |t|,){_CLOCK}(?: ?{_ZONE})?|z|[+-][0-9]{{2}}:[0-9]{{2}})?")

_YEAR, _ANY_YEAR, _PART = r"(?P<year>[0-9]{4})", r"(?P<year>[0-9]{4}|[0-9]{2})", r"[0-9]{1,2}"
_NAME = r"(?P<name>[^\W\d_]+)\.?"
_IN_NUMBERS = (
    re.compile(rf"{_YEAR}(?P<sign>[-/.])(?P<month>{_PART})(?P=sign)(?P<day>{_PART})"),
    re.compile(r"(?P<year>19[0-9]{2}|2[01][0-9]{2}|9999)(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
)
_ANY_ORDER = re.compile(rf"(?P<first>{_PART})(?P<sign>[-/.]) ?(?P<second>{_PART})(?P=sign) ?{_ANY_YEAR}")
_WITH_NAME = (
    re.compile(rf"(?P<day>{_PART})(?:st|nd|rd|th|er|\.|º)?[ /-]?(?:de )?{_NAME},?[ /-]?(?:de )?{_ANY_YEAR}"),
    re.compile(rf"{_NAME}[ /-]?(?P<day>{_PART})(?:st|nd|rd|th)?(?:, ?|[ /-]){_ANY_YEAR}"),
    re.compile(rf"{_YEAR}[ /-]{_NAME}[ /-](?P<day>{_PART})"),
)
_TICKS = re.compile(r"\\?/date\((?P<ms>-?[0-9]{1,15})(?P<minutes>[+-][0-9]{4})?\)\\?/")
_EPOCH = dt.datetime(1970, 1, 1)
# What a spreadsheet counts days from: as a rule, and in workbooks that were begun on an old Mac.
SERIAL_DAYS, SERIAL_DAYS_1904 = dt.date(1899, 12, 30), dt.date(1904, 1, 1)


class Day(NamedTuple):
    """A day as written; it need not be one of the calendar.

    `sign` is what stands between the numbers of day and month where they might be in either order (they are then
    taken as day first), else empty.
    """

    year: int
    month: int
    day: int
    sign: str = ""


class Parts(NamedTuple):
    """A cell's text apart: its day, its time in seconds since midnight and its offset from UTC in minutes.

    None where the cell has no time, or no zone. `is_time` is false where the time cannot be one.
    """

    day: str
    seconds: int | None = None
    offset: int | None = None
    is_time: bool = True


def split(text: str) -> Parts:
    """Return the parts of a folded text."""
    found = _PARTS.fullmatch(text)
    if found is None or found["hour"] is None:
        return Parts(found["day"] if found else text)
    hour, half = int(found["hour"]), found["half"]
    minute, second = int(found["minute"] or found["minute_"]), int(found["second"] or found["second_"] or 0)
    is_time = (1 <= hour <= 12 if half else hour < 24) and minute < 60 and second < 60
    if half:
        hour = hour % 12 + 12 * (half == "p")
    offset = _offset(found["zone"])
    is_time = is_time and abs(offset or 0) <= _FURTHEST
    return Parts(found["day"], hour * 3600 + minute * 60 + second, offset, is_time)


def read_day(text: str, latest: int) -> Day | None:
    """Return the day that a folded text without a time writes; None where it is none of the known forms.

    Parameters
    ----------
    latest
        The last year that two digits can mean: 35 is 2035 where it is at least 2035, else 1935.
    """
    for form in _IN_NUMBERS:
        if found := form.fullmatch(text):
            return Day(int(found["year"]), int(found["month"]), int(found["day"]))
    if found := _ANY_ORDER.fullmatch(text):
        return Day(_year(found["year"], latest), int(found["second"]), int(found["first"]), found["sign"])
    for form in _WITH_NAME:
        if (found := form.fullmatch(text)) and (month := MONTHS.get(without_accents(found["name"]))):
            return Day(_year(found["year"], latest), month, int(found["day"]))
    return None


def from_ticks(text: str) -> str:
    """Return OData's ``/Date(milliseconds+minutes)/`` in ISO form, with its zone; any other text as it is."""
    found = _TICKS.fullmatch(text)
    if found is None:
        return text
    minutes = int(found["minutes"] or 0)
    try:
        moment = _EPOCH + dt.timedelta(milliseconds=int(found["ms"]), minutes=minutes)
    except OverflowError:
        return text
    hours, minutes_left = divmod(abs(minutes), 60)
    return f"{moment.isoformat(' ', 'seconds')}{'-' if minutes < 0 else '+'}{hours:02}:{minutes_left:02}"


def from_serial(text: str, since: dt.date) -> str:
    """Return a spreadsheet's number of days since a day in ISO form."""
    return (dt.datetime.combine(since, dt.time()) + dt.timedelta(seconds=round(float(text) * 86400))).isoformat(
        " ", "seconds"
    )


def _year(text: str, latest: int) -> int:
    if len(text) == 4:
        return int(text)
    year = latest // 100 * 100 + int(text)
    return year if year <= latest else year - 100


@cache
def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone in _HOURS_FROM_UTC:
        return 60 * _HOURS_FROM_UTC[zone]
    written = zone.removeprefix("gmt").removeprefix("utc")
    sign, digits = written[0], written[1:]
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    return (-1 if sign == "-" else 1) * (60 * int(hours.rstrip(":")) + int(minutes))


def without_accents(text: str) -> str:
    """Return a text with plain letters in place of those that have accents."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
