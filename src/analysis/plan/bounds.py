"""What a number, a day, a text and an id in a file of ours may be: anything else is a slip that would break a report.

The bounds are far outside of what a company has; they are written in the codebook (`data/README.md`).
"""

import datetime as dt
import re
import unicodedata
from typing import Annotated, TypeGuard
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

FIRST_DAY, LAST_DAY = dt.date(1900, 1, 1), dt.date(2100, 12, 31)
MOST_MONEY = 1e12
LONGEST_HORIZON = 240  # months
MOST_DAYS = 36_525
LARGEST_GROUP = 1_000
MOST_WAVES = 1_000
HIGHEST_LEVEL = 10_000
LARGEST_ANSWER = 1e6
LARGEST_EFFECT = 1e12
LONGEST_TEXT, LONGEST_PASSAGE, LONGEST_ID = 200, 5_000, 100

ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
PROGRAM_ID = re.compile(r"[^\W_][\w-]*(\.[\w-]+)*")
# Control characters, halves of a character that no file can hold, and line and paragraph separators.
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")


def is_day(text: object) -> TypeGuard[str]:
    """Whether a cell is a day of the calendar, as yyyy-mm-dd."""
    if not (isinstance(text, str) and ISO_DATE.fullmatch(text)):
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _calendar_date(value: object) -> object:
    is_date = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    if not is_date and not (isinstance(value, str) and ISO_DATE.fullmatch(value)):
        raise ValueError("must be a calendar date such as 2024-06-30, without a time")
    return value


def _in_our_time(day: dt.date) -> dt.date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"must lie between {FIRST_DAY} and {LAST_DAY}; correct the date")
    return day


def unprintable(text: str) -> bool:
    """Whether a text holds a character that cannot be printed, such as a control character."""
    return any(unicodedata.category(sign) in _UNPRINTABLE for sign in text)


def _printable(text: str) -> str:
    if unprintable(text):
        raise ValueError("holds a control character, which cannot be printed; take it out")
    return text


def _one_line(text: str) -> str:
    """Return the text with every line end and tab as a space: YAML writes long text over several lines."""
    return _printable(re.sub(r"[\t\r\n]+", " ", text).strip())


def _safe_id(text: str) -> str:
    if len(text) > LONGEST_ID or not PROGRAM_ID.fullmatch(text):
        raise ValueError(
            f"may have letters, digits, - and _, with single points between them, at most {LONGEST_ID} and the first "
            "a letter or digit: it names files of the report. Give another id, and translate the export's under "
            "values: (program_id)"
        )
    return text


def is_zone(name: str) -> bool:
    """Whether this is the name of a time zone, such as Europe/Berlin."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _known_zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("is no time zone; write a place of the time zone database, such as Europe/Berlin")
    return name


Day = Annotated[dt.date, BeforeValidator(_calendar_date), AfterValidator(_in_our_time)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_one_line)]
Passage = Annotated[str, Field(max_length=LONGEST_PASSAGE), AfterValidator(_one_line)]
Printable = Annotated[str, Field(max_length=LONGEST_PASSAGE), AfterValidator(_printable)]
Zone = Annotated[str, AfterValidator(_known_zone)]
SafeId = Annotated[str, Field(coerce_numbers_to_str=True), AfterValidator(_safe_id)]
Money = Annotated[float, Field(ge=0, le=MOST_MONEY, allow_inf_nan=False)]
Answer = Annotated[float, Field(ge=-LARGEST_ANSWER, le=LARGEST_ANSWER, allow_inf_nan=False)]
Level = Annotated[float, Field(ge=-HIGHEST_LEVEL, le=HIGHEST_LEVEL, allow_inf_nan=False)]
WaveNumber = Annotated[int, Field(ge=1, le=MOST_WAVES)]
