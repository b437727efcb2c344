"""One cell that names a span of days and no day: a year, half, quarter, season, month or week, or a part of one."""

import datetime as dt
import re
from typing import NamedTuple

from analysis.ingest.date_forms import MONTHS, full_year, without_accents

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
_PART = re.compile(r"(?P<third>[a-z]+)[ -](?:(?:of|de|del|di|in|the) )*(?P<whole>.+)")
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
    found = _PART.fullmatch(what)
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
