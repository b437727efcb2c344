"""Cells that hold a date or a span of days, as programs and people write them, and days in other time zones."""

import datetime as dt
import re
import unicodedata
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

# --- zones ------------------------------------------------------------------------------------------------------------
# The day that it is in one time zone when it is some time in another.


class Clocks(NamedTuple):
    """Times of the day, one for each distinct cell.

    Attributes
    ----------
    seconds
        Since midnight; NaN where the cell has no time.
    offset
        Minutes that its zone is ahead of UTC; NaN where it names no zone.
    """

    seconds: np.ndarray
    offset: np.ndarray


def days_in_zone(dates: np.ndarray, clocks: Clocks, *, written_in: str | None, wanted_in: str | None) -> np.ndarray:
    """Return the days on which the moments fall in the zone that is wanted.

    Without `wanted_in`, and for a time without any zone, the written day stands; so it does for all where every time
    is midnight, which is how programs write days.

    Parameters
    ----------
    dates
        The written days, ``datetime64[D]``; NaT stays.
    clocks
        Their times.
    written_in
        IANA name of the zone of the times without one of their own.
    wanted_in
        IANA name of the zone whose day is wanted.
    """
    moves = ~np.isnat(dates) & ~np.isnan(clocks.seconds) & (~np.isnan(clocks.offset) | (written_in is not None))
    if wanted_in is None or not np.nan_to_num(clocks.seconds[moves]).any():
        return dates
    local = dates[moves].astype("datetime64[s]") + clocks.seconds[moves].astype("timedelta64[s]")
    offset = clocks.offset[moves]
    own = ~np.isnan(offset)
    moments = local - np.nan_to_num(offset * 60).astype("timedelta64[s]")
    moments[~own] = _to_utc(local[~own], written_in)
    in_zone = pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(ZoneInfo(wanted_in)).tz_localize(None)
    moved = dates.copy()
    moved[moves] = in_zone.to_numpy().astype("datetime64[D]")
    return moved


def _to_utc(local: np.ndarray, zone: str | None) -> np.ndarray:
    """Return local times in UTC; of an hour that comes twice the first, and one that is skipped ends as it begins."""
    if zone is None:
        return local
    times = pd.DatetimeIndex(local).tz_localize(
        ZoneInfo(zone), ambiguous=np.ones(len(local), bool), nonexistent="shift_forward"
    )
    return times.tz_convert("UTC").tz_localize(None).to_numpy()


# --- date forms -------------------------------------------------------------------------------------------------------
# One cell that holds a date, as programs and people write them: its day, its time and its zone.

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
        return Day(full_year(found["year"], latest), int(found["second"]), int(found["first"]), found["sign"])
    for form in _WITH_NAME:
        if (found := form.fullmatch(text)) and (month := MONTHS.get(without_accents(found["name"]))):
            return Day(full_year(found["year"], latest), month, int(found["day"]))
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


def full_year(text: str, latest: int) -> int:
    """Return the year that four digits or two say; of two the last one that is at most `latest`."""
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
    """Return the text with plain letters, where a letter is only marked."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


# --- date spans -------------------------------------------------------------------------------------------------------
# One cell that names a span of days and no day: a year, half, quarter, season, month or week, or a part of one.

_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}


def _numbered(lines: str) -> dict[str, int]:
    """Return word → the number of its line."""
    return {word: n for n, line in enumerate(lines.strip().splitlines()) for word in line.split()}


# In the languages of the months' names, without accents. Seasons are those of the northern hemisphere.
_SEASONS = _numbered("""
spring fruhjahr fruhling printemps primavera voorjaar lente forar var
summer sommer ete verano zomer estate verao sommar
autumn fall herbst automne otono herfst najaar autunno outono efterar høst
""")
_WINTER = "winter|hiver|invierno|inverno|vinter"
_THIRDS = _numbered("""
early beginning begin start anfang debut principios inizio inicio tidlig tidligt borjan
mid middle mitte mi mediados midden meados meta midt mitten
late end ende fin finales eind fine fim final slut slutten
""")
# How many months one of them has.
_UNITS = {
    **dict.fromkeys(("h", "hj", "half", "half year", "half-year", "halbjahr", "semestre", "halfjaar", "halvar"), 6),
    **dict.fromkeys(("q", "t", "k", "qtr", "quarter", "quartal", "trimestre", "kwartaal", "kvartal"), 3),
}
_WEEKS = (
    *("kw", "cw", "wk", "w", "week", "weeks", "calendarweek", "kalenderwoche"),
    *("semaine", "semana", "settimana", "uge", "uke", "vecka"),
)

_FULL_YEAR = r"(?:19|20|21)[0-9]{2}"
_BETWEEN = r"(?P<between>(?:[ ,./'-]+(?:(?:of|de|del|von|di|du|des|in) )?)?'?)"
_WITH_YEAR = (
    re.compile(rf"(?P<what>.*?){_BETWEEN}(?P<year>{_FULL_YEAR})"),
    re.compile(rf"(?P<year>{_FULL_YEAR})(?P<between>[ ./-]?)(?P<what>.+)"),
    re.compile(rf"(?P<what>.*?[a-z].*?){_BETWEEN}(?P<year>[0-9]{{2}})"),
)
_OF_WINTER = re.compile(rf"(?:{_WINTER})(?: of)? (?P<from>{_FULL_YEAR}) ?[/-] ?(?P<to>{_FULL_YEAR}|[0-9]{{2}})")
_COUNTED = (
    re.compile(r"(?P<unit>[a-z]+)\.? ?(?P<n>[0-9]{1,2})\.?"),
    re.compile(rf"(?P<n>[0-9]{{1,2}}|{'|'.join(_ORDINALS)})(?:st|nd|rd|th|er|e|eme|o|\.)? ?(?P<unit>[a-z -]+)"),
)
_PART_OF_WHOLE = re.compile(r"(?P<third>[a-z]+)[ -](?:(?:of|de|del|di|in|the) )*(?P<whole>.+)")
_IN = re.compile(r"^(?:in|im|en|during|within|year|jahr) (?:the )?")
_TO = re.compile(r" ?[-/&] ?| (?:to|bis|until|and|und|or|oder|et|ou|y|a) ")


class Span(NamedTuple):
    """All days from `first` to `last`, both included."""

    first: dt.date
    last: dt.date


def read_span(text: str, latest: int) -> Span | None:
    """Return the days that a folded text may mean; None where it names no span, or one that cannot be told.

    Read are "2023", "H1 2023", "Q3 2022", "Spring 2023", "October 2023", "10/2023", "KW 12 2023", parts of these
    ("mid May 2023") and what runs from one to another ("Nov 2022 - Jan 2023", "Q1/Q2 2023"), with names in ten
    languages. "Winter 2023" names two winters and "Oct 22" may be a day: neither is read.

    Parameters
    ----------
    latest
        As for `ingest.date_forms.read_day`.
    """
    text = _IN.sub("", without_accents(text).replace("–", "-"), count=1)
    return _winter(text) or _with_year(text, latest) or _from_to(text, latest)


def _winter(text: str) -> Span | None:
    found = _OF_WINTER.fullmatch(text)
    if found is None or int(found["to"]) % 100 != (int(found["from"]) + 1) % 100:
        return None
    return _months(int(found["from"]), 12, 3)


def _with_year(text: str, latest: int) -> Span | None:
    for form in _WITH_YEAR:
        found = form.fullmatch(text)
        if found is None:
            continue
        is_short, is_month = len(found["year"]) == 2, found["what"].rstrip(".") in MONTHS
        if is_short and is_month and not set(found["between"]) & set("-/'"):
            continue
        if found["what"].isdigit() and not found["between"] and len(found["what"]) != 2:
            continue
        if span := _part(found["what"], full_year(found["year"], latest)):
            return span
    return None


def _part(what: str, year: int) -> Span | None:
    """Return a span of a year, or the third of one that a word before it says."""
    found = _PART_OF_WHOLE.fullmatch(what)
    if found and found["third"] in _THIRDS and (span := _whole(found["whole"], year)):
        return _third(span, _THIRDS[found["third"]])
    if what in _THIRDS:
        return _third(_months(year, 1, 12), _THIRDS[what])
    return _whole(what, year)


def _third(span: Span, which: int) -> Span:
    """Return a third of a span: whole months where it has three or more, else ten days and what is left of a month."""
    n_months = 12 * (span.last.year - span.first.year) + span.last.month - span.first.month + 1
    if n_months >= 3:
        month = span.first.month + which * n_months // 3
        return _months(span.first.year, month, n_months // 3)
    first = span.first + dt.timedelta(10 * which)
    return Span(first, span.last if which == 2 else first + dt.timedelta(9))


def _whole(what: str, year: int) -> Span | None:
    if not what:
        return _months(year, 1, 12)
    if month := MONTHS.get(what.rstrip(".")) or (int(what) if what.isdigit() and 1 <= int(what) <= 12 else None):
        return _months(year, month, 1)
    if what in _SEASONS:
        return _months(year, 3 * _SEASONS[what] + 3, 3)
    for form in _COUNTED:
        if found := form.fullmatch(what):
            n = _ORDINALS.get(found["n"]) or int(found["n"])
            return _counted(found["unit"], n, year)
    return None


def _counted(unit: str, n: int, year: int) -> Span | None:
    if unit.replace(" ", "") in _WEEKS:
        try:
            return Span(dt.date.fromisocalendar(year, n, 1), dt.date.fromisocalendar(year, n, 7))
        except ValueError:
            return None
    length = _UNITS.get(unit)
    return _months(year, length * (n - 1) + 1, length) if length and 1 <= n <= 12 // length else None


def _from_to(text: str, latest: int) -> Span | None:
    """Return what runs from one span to another; the first may take its year from the second."""
    for between in _TO.finditer(text):
        first, last = text[: between.start()], text[between.end() :]
        end = _with_year(last, latest)
        begin = end and (_with_year(first, latest) or (_part(first, end.last.year) if not first.isdigit() else None))
        if begin and end and begin.first < end.first:
            return Span(begin.first, end.last)
    return None


def _months(year: int, month: int, n_months: int) -> Span:
    """Return so many months, from one of a year on."""
    after = 12 * year + month - 1 + n_months
    return Span(dt.date(year, month, 1), dt.date(after // 12, after % 12 + 1, 1) - dt.timedelta(1))
