"""The canonical tables of the data contract: their columns, kinds, allowed values and bounds.

Anything outside of the bounds is a slip that would break a report. They are far outside of what a company has; they are
written in the codebook (`data/README.md`).
"""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal, TypeGuard, get_args
from zoneinfo import ZoneInfo

import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field

from analysis.plan.errors import Listed

# A column of an export is a categorical, and an operation sees its distinct texts alone: on these Python's strings are
# twice as fast as Arrow's, in large exports too, and take less memory (`benchmarks/ingest.py`).
pd.options.mode.string_storage = "python"

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


# --- contract ---------------------------------------------------------------------------------------------------------
# The canonical tables of the data contract: their columns, kinds and allowed values.

Kind = Literal["id", "text", "date", "number", "integer", "boolean"]

EXIT_TYPES = ("voluntary", "involuntary", "retirement", "end_of_contract", "death", "transfer", "other")
# Above this share of exits without a kind, "voluntary" cannot be told from the rest (methods: retention).
MAX_UNKNOWN_EXITS = 0.10
WORKER_TYPES = ("employee", "contingent", "intern", "other")
Role = Literal["mentor", "mentee", "participant", "facilitator"]
ROLES: tuple[str, ...] = get_args(Role)
# Of a pair: who is on the other side.
OTHER_SIDE = {"mentor": "mentee", "mentee": "mentor"}
STATUSES = ("active", "completed", "withdrawn", "waitlisted", "declined", "not_selected")
RATER_ROLES = ("self", "manager", "peer", "direct_report")
MINUTES_A_WEEK = 7 * 24 * 60
SECONDS_A_YEAR = 366 * 24 * 3600


class Assignment(StrEnum):
    """How people come into a program: what decides who starts, and so who can be compared with whom."""

    LOTTERY = "lottery"
    WAITLIST = "waitlist"
    ROLLOUT = "rollout"
    SELF_SELECTED = "self_selected"

    @property
    def is_randomized(self) -> bool:
        """Whether lots decided."""
        return self in (Assignment.LOTTERY, Assignment.WAITLIST)

    @property
    def by_unit(self) -> bool:
        """Whether units were reached in turn."""
        return self is Assignment.ROLLOUT

    @property
    def by_choice(self) -> bool:
        """Whether people decided for themselves."""
        return self is Assignment.SELF_SELECTED


@dataclass(frozen=True)
class Column:
    """One column of a canonical table.

    Attributes
    ----------
    kind
        How the text of a file is read. Ids stay text: leading zeros matter.
    required
        The column must be in the file.
    nullable
        A row may leave it empty. What is not required is always nullable.
    allowed
        The values it may take; empty = any.
    minimum, maximum
        Limits of a number, both included.
    is_open_ended
        Of a date: a day after all that we know (9999-12-31) is one on which nothing has happened yet. Dates before 1900
        are a mistake in any column, and dates after 2100 where it is not open-ended.
    """

    kind: Kind
    required: bool = True
    nullable: bool = False
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    is_open_ended: bool = True


def _maybe(kind: Kind, **limits) -> Column:
    return Column(kind, required=False, nullable=True, **limits)


# What may be known of a spell and of a job beside whose it is and since when; a snapshot says both at once.
_OF_A_SPELL: dict[str, Column] = {
    "service_date": _maybe("date"),
    "original_hire_date": _maybe("date"),
    "previous_employee_id": _maybe("id"),
    "worker_type": _maybe("text", allowed=WORKER_TYPES),
    "exit_date": _maybe("date"),
    "exit_type": _maybe("text", allowed=EXIT_TYPES),
    "exit_reason": _maybe("text"),
    "notice_date": _maybe("date"),
    "birth_year": _maybe("integer", minimum=1900, maximum=2100),
    "gender": _maybe("text"),
    "location": _maybe("text"),
}
_OF_A_JOB: dict[str, Column] = {
    "job_family": _maybe("text"),
    "department": _maybe("text"),
    "manager_id": _maybe("id"),
    "fte": _maybe("number", minimum=0, maximum=1),
    "base_salary": _maybe("number", minimum=0, maximum=MOST_MONEY),
    "performance_rating": _maybe("number", minimum=-HIGHEST_LEVEL, maximum=HIGHEST_LEVEL),
}

TABLES: dict[str, dict[str, Column]] = {
    "snapshots": {
        "employee_id": Column("id"),
        "snapshot_date": Column("date"),
        "employed": _maybe("boolean"),
        "hire_date": _maybe("date"),
        **_OF_A_SPELL,
        "job_level": _maybe("number", minimum=-HIGHEST_LEVEL, maximum=HIGHEST_LEVEL),
        **_OF_A_JOB,
    },
    "employees": {
        "employee_id": Column("id"),
        "hire_date": Column("date"),
        "no_show": _maybe("boolean"),
        **_OF_A_SPELL,
    },
    "jobs": {
        "employee_id": Column("id"),
        "effective_date": Column("date"),
        "job_level": Column("number", minimum=-HIGHEST_LEVEL, maximum=HIGHEST_LEVEL),
        **_OF_A_JOB,
    },
    "leave": {
        "employee_id": Column("id"),
        "leave_start": Column("date"),
        "leave_end": _maybe("date"),
        "leave_type": _maybe("text"),
    },
    "waves": {
        "wave": Column("integer", minimum=1, maximum=MOST_WAVES),
        "instrument": Column("id"),
        "opens": Column("date"),
        "closes": Column("date", is_open_ended=False),
    },
    "responses": {
        "employee_id": Column("id"),
        "wave": Column("integer", minimum=1, maximum=MOST_WAVES),
        "instrument": Column("id"),
        "item": Column("id"),
        "value": Column("number", nullable=True),
        "responded_at": _maybe("date"),
        "duration_seconds": _maybe("number", minimum=0, maximum=SECONDS_A_YEAR),
    },
    "unlinked_responses": {
        "respondent_id": _maybe("id"),
        "department": _maybe("text"),
        "wave": Column("integer", minimum=1, maximum=MOST_WAVES),
        "instrument": Column("id"),
        "item": Column("id"),
        "value": Column("number", nullable=True),
        "responded_at": _maybe("date"),
    },
    "ratings": {
        "ratee_id": Column("id"),
        "rater_id": _maybe("id"),
        "rater_role": Column("text", allowed=RATER_ROLES),
        "wave": Column("integer", minimum=1, maximum=MOST_WAVES),
        "instrument": Column("id"),
        "item": Column("id"),
        "value": Column("number", nullable=True),
    },
    "enrolments": {
        "program_id": Column("id"),
        "intake_date": Column("date"),
        "employee_id": Column("id"),
        "role": Column("text", allowed=ROLES),
        "applied_date": _maybe("date"),
        "offered": _maybe("boolean"),
        "start_date": _maybe("date"),
        "start_earliest": _maybe("date"),
        "start_latest": _maybe("date"),
        "start_unknown": _maybe("boolean"),
        "end_date": _maybe("date"),
        "status": _maybe("text", allowed=STATUSES),
        "match_id": _maybe("id"),
        "topics": _maybe("text"),
        "stratum": _maybe("text"),
    },
    "sessions": {
        "match_id": Column("id"),
        "session_date": Column("date"),
        "minutes": _maybe("number", minimum=0, maximum=MINUTES_A_WEEK),
        "topic": _maybe("text"),
        "attendee_ids": _maybe("text"),
    },
}

# Files of their own that complete a table: ratings become changes in jobs, kinds of exit a part of employees.
PARTS: dict[str, dict[str, Column]] = {
    "ratings_history": {
        "employee_id": Column("id"),
        "effective_date": Column("date"),
        "performance_rating": _maybe("number", minimum=-HIGHEST_LEVEL, maximum=HIGHEST_LEVEL),
    },
    "exits": {
        "employee_id": Column("id"),
        "exit_date": Column("date"),
        "exit_type": _maybe("text", allowed=EXIT_TYPES),
        "exit_reason": _maybe("text"),
    },
}
# All that a file can feed.
FED = TABLES | PARTS
# The tables that say who is employed; an export of one of them knows people by name and address.
ROSTERS = ("employees", "snapshots")
# The tables of one row per answer.
ANSWERS = ("responses", "unlinked_responses", "ratings")


@dataclass(frozen=True)
class Tables:
    """The canonical tables of one study, typed; a table without a source is None.

    Dates are ``datetime64``, ids and categories text (``str``), numbers ``float64``, ``offered`` nullable boolean. In
    the tables of answers (`ANSWERS`) text is ``category``, in ascending order; not every category still has a row.
    Every column of the contract is there (empty where the export had none), followed by any further column as it came.
    Grain: snapshots, one row per person and day of a list (what they say of employment and jobs is in the tables of
    these); employees, one row per employment spell; jobs, one per change; leave, one per absence; waves, one per survey
    wave; responses, unlinked_responses (of a survey without person keys) and ratings, one per answer; enrolments, one
    per person, program, role and intake; sessions, one per meeting.
    """

    snapshots: pd.DataFrame | None = None
    employees: pd.DataFrame | None = None
    jobs: pd.DataFrame | None = None
    leave: pd.DataFrame | None = None
    waves: pd.DataFrame | None = None
    responses: pd.DataFrame | None = None
    unlinked_responses: pd.DataFrame | None = None
    ratings: pd.DataFrame | None = None
    enrolments: pd.DataFrame | None = None
    sessions: pd.DataFrame | None = None
    row_counts: pd.DataFrame = field(default_factory=pd.DataFrame)
    lists: tuple[Listed, ...] = ()
