"""``study.yaml``: what the company runs, what is asked, where its exports are; and what one report has otherwise."""

import json
import os
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from analysis.plan.contract import (
    LARGEST_EFFECT,
    LARGEST_GROUP,
    LONGEST_HORIZON,
    MOST_DAYS,
    Answer,
    Assignment,
    Day,
    Level,
    Money,
    Passage,
    Printable,
    Role,
    SafeId,
    Text,
    WaveNumber,
    Zone,
)
from analysis.plan.contradictions import contradictions
from analysis.plan.paths import STUDY_NAME, environment

# --- study ------------------------------------------------------------------------------------------------------------
# ``study.yaml``: what the company runs, what is asked, and where its exports are.

Direction = Literal["reverse", "traditional", "mutual", "peer"]
Format = Literal["pair", "group", "clinic"]
WorkerType = Literal["employee", "contingent", "intern", "other"]
TableName = Literal[
    "snapshots",
    "employees",
    "jobs",
    "leave",
    "waves",
    "responses",
    "unlinked_responses",
    "ratings",
    "enrolments",
    "sessions",
    "ratings_history",
    "exits",
]
ImpreciseDates = Literal["first_day", "midpoint", "last_day"]
Horizons = Annotated[tuple[Annotated[int, Field(ge=1, le=LONGEST_HORIZON)], ...], Field(min_length=1, max_length=12)]
SmallestGroup = Annotated[int, Field(ge=3, le=LARGEST_GROUP)]
# Files that a browser shows as a picture, and how they are announced to it.
LOGO_KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".svg": "image/svg+xml"}
# A logo stands in every page; text needs this contrast (WCAG 2.2, 1.4.3).
LARGEST_LOGO, LEAST_CONTRAST = 200_000, 4.5
Multiple = Annotated[int, Field(ge=5, le=LARGEST_GROUP)]


def _ranked(values: object) -> object:
    """Return what a list of values, the lowest first, says in full: 1 is the first, 2 the second."""
    if not isinstance(values, list):
        return values
    return {str(n): value if isinstance(value, list) else [value] for n, value in enumerate(values, start=1)}


def inside_the_study(text: str) -> str:
    """Return a path inside the study's folder; any other is refused."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"path {text!r} must lie inside the study's folder")
    return text


def contrast_on_white(colour: str) -> float:
    """Return how well ``#rrggbb`` is read on white, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


ColumnNames = dict[Printable, Printable]
# Canonical column → canonical value → the export's values; of a number, in order.
Values = dict[Printable, Annotated[dict[Printable, list[Printable]], BeforeValidator(_ranked)]]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(_Part):
    """Something that happened to the whole company, drawn on every time axis."""

    date: Day
    label: Text


class Eligibility(_Part):
    """Who may take a role: job levels from–to (both included) and least tenure in days."""

    job_level: tuple[Level, Level] | None = None
    min_tenure_days: int = Field(default=0, ge=0, le=MOST_DAYS)


class Rollout(_Part):
    """How a program goes through the company.

    Attributes
    ----------
    unit
        The column that says which unit a person is in: of jobs (``department``, ``job_family``) or a fixed attribute of
        employees (``location``, …).
    dates
        The day on which the program reached each unit. A unit that is not named is reached when its people start.
    """

    unit: Annotated[str, Field(min_length=1)] = "department"
    dates: dict[Annotated[str, BeforeValidator(str)], Day] = {}


class Brand(_Part):
    """How a company's own pages look.

    Attributes
    ----------
    logo
        A PNG, JPEG or SVG file inside the study's folder, at most `LARGEST_LOGO` bytes.
    colour, accent
        Of links, and of the bar and what stands out: ``#`` and six hexadecimal digits, dark enough to be read on white.
    footer
        A line at the end of every page.
    """

    logo: Printable = ""
    colour: str = ""
    accent: str = ""
    footer: Text = ""

    @field_validator("logo")
    @classmethod
    def _inside_the_study(cls, text: str) -> str:
        if text and PurePosixPath(text).suffix.lower() not in LOGO_KINDS:
            raise ValueError(f"logo {text!r} must be a file that ends in {', '.join(LOGO_KINDS)}")
        return inside_the_study(text)

    @field_validator("colour", "accent")
    @classmethod
    def _readable(cls, text: str) -> str:
        if text and not re.fullmatch("#[0-9a-fA-F]{6}", text):
            raise ValueError(f"{text!r} is no colour; give # and six hexadecimal digits, such as '#0067a3', in quotes")
        if text and contrast_on_white(text) < LEAST_CONTRAST:
            found = f"its contrast is {contrast_on_white(text):.1f}, at least {LEAST_CONTRAST:g} is needed"
            raise ValueError(f"{text} is too light to be read on white: {found}; give a darker one")
        return text


class Program(_Part):
    """One mentoring program of the company.

    Attributes
    ----------
    strata
        Columns within whose values the lots were drawn, beside the intake (lottery and wait-list).
    waitlist_starts
        Intake → the day on which those who waited at it could start; without it the day is read off the starts.
    rollout
        Of a program that reaches units in turn (`assignment` is ``rollout``): its units and when they were reached.
    """

    id: SafeId
    name: Text
    direction: Direction
    format: Format
    assignment: Assignment
    grace_days: int = Field(default=45, ge=0, le=MOST_DAYS)
    eligibility: dict[Role, Eligibility] = {}
    cost_fixed: Money | None = None
    cost_per_participant: Money | None = None
    intakes: tuple[Day, ...] = ()
    strata: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    waitlist_starts: dict[Day, Day] = {}
    rollout: Rollout | None = None

    @property
    def is_randomized(self) -> bool:
        """Whether lots decided who was offered a place."""
        return self.assignment.is_randomized


class Wave(_Part):
    """One survey wave, for a study that has no file of its waves."""

    wave: WaveNumber
    instrument: Printable
    opens: Day
    closes: Day


class Source(_Part):
    """One export: the table it feeds, its path inside the study's folder and the profile that reads it.

    Attributes
    ----------
    wave, instrument, program, role, snapshot_date
        Fill the columns of the same meaning where the export has none.
    query, url_env
        Instead of `path`: an SQL query, and the environment variable that holds the database's URL.
    sheet
        The sheet of a spreadsheet, by its name; where it is left out there may be only one.
    encoding, delimiter, decimal, date_order, timezone
        What a file does not say of itself and what need then not be detected: `decimal` is the decimal mark,
        `date_order` is dmy or mdy, `timezone` is where times were written (an IANA name).
    imprecise_dates
        Which day is taken where a start says a month, a quarter or another span of days; the study's where it has none.
    incomplete
        What is done with forms that were begun and not sent: ``reject`` or ``keep``.
    columns, values
        As those of the study, for this file alone and before them.
    codes
        Of a survey whose answers are numbers: ``card`` where they are those of the instrument's card, else the card's
        number of each.
    labels_from
        Of a survey whose answers are numbers: an export of the same answers that has labels.
    """

    table: TableName
    path: Printable = ""
    profile: Printable
    wave: WaveNumber | None = None
    instrument: Printable | None = None
    program: Annotated[Printable, Field(coerce_numbers_to_str=True)] | None = None
    role: Printable | None = None
    snapshot_date: Day | None = None
    query: str = ""
    url_env: str = Field(default="", pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")
    sheet: Printable | None = None
    encoding: Printable | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    decimal: Literal[".", ","] | None = None
    date_order: Literal["dmy", "mdy"] | None = None
    timezone: Zone | None = None
    imprecise_dates: ImpreciseDates | None = None
    incomplete: Literal["reject", "keep"] = "reject"
    columns: ColumnNames = {}
    values: Values = {}
    codes: Literal["card"] | Annotated[dict[Answer, Answer], Field(min_length=1)] | None = None
    labels_from: Printable = ""

    @field_validator("path", "labels_from")
    @classmethod
    def _inside_the_study(cls, text: str) -> str:
        return inside_the_study(text)

    @model_validator(mode="after")
    def _one_origin(self) -> "Source":
        if bool(self.path) == bool(self.query) or bool(self.query) != bool(self.url_env):
            raise ValueError("give either path, or query and url_env")
        if self.codes is not None and self.labels_from:
            raise ValueError("give either codes or labels_from")
        return self

    @property
    def fills(self) -> dict[str, str]:
        """The columns that study.yaml fills where the export has none, and with what."""
        given = {"wave": self.wave, "instrument": self.instrument, "role": self.role, "program_id": self.program}
        texts = {name: str(value) for name, value in given.items() if value is not None}
        return texts | ({} if self.snapshot_date is None else {"snapshot_date": str(self.snapshot_date)})

    @property
    def name(self) -> str:
        """What the source is called in messages and ledgers: its path, and its sheet where one is named."""
        if self.query:
            return f"query of {self.url_env}"
        return f"{self.path}#{self.sheet}" if self.sheet else self.path


class Study(_Part):
    """One company's study, as `study.yaml` states it.

    Attributes
    ----------
    study_start
        Nothing before it is observed; earlier hires enter late.
    as_of
        The last day observed; everyone still employed is censored at its end.
    horizons_months
        Calendar months after time zero where retention is read off; the first is the primary one.
    min_cell
        Smallest group of people that may be shown.
    staff
        The kinds of workers (`worker_type`) that are employees of the company; who is of no known kind is one.
    round_to
        Counts of people and rows are shown as multiples of it.
    keep
        Columns of the exports that are kept although they look like names, addresses or free text.
    waves
        The survey waves, where no file holds them.
    timezone
        Where the company's days begin and end (an IANA name); times of other zones are turned into its days.
    imprecise_dates
        Which day is taken where a start says a span of days; without it such a start stays unknown.
    simulated
        The employees are simulated; every page says so.
    smallest_effects
        The study's own smallest effect of interest by hypothesis id, instead of the default.
    brand
        How the company's own pages look.
    confidential
        Whether a bundle holds a stand-in instead of the data; None = where they are not simulated.
    citation, licence
        Whom to cite and under what terms, for public data; printed on the report.
    folder
        The study's folder; not part of the file.
    """

    schema_version: Literal[1]
    study: str = Field(pattern=f"^{STUDY_NAME.pattern}$")
    title: Text
    sector: Text = ""
    study_start: Day
    as_of: Day
    horizons_months: Horizons = (12, 24)
    min_cell: SmallestGroup = 10
    round_to: Multiple = 5
    currency: Text = ""
    replacement_cost_share: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    replacement_cost_amount: Money | None = None
    events: tuple[Event, ...] = ()
    staff: tuple[WorkerType, ...] = Field(default=("employee",), min_length=1)
    programs: tuple[Program, ...] = ()
    sources: tuple[Source, ...] = ()
    columns: dict[TableName, ColumnNames] = {}
    values: dict[TableName, Values] = {}
    keep: dict[TableName, list[Printable]] = {}
    waves: tuple[Wave, ...] = ()
    timezone: Zone | None = None
    imprecise_dates: ImpreciseDates | None = None
    simulated: bool = False
    brand: Brand | None = None
    smallest_effects: dict[Printable, Annotated[float, Field(gt=0, le=LARGEST_EFFECT, allow_inf_nan=False)]] = {}
    confidential: bool | None = None
    citation: Passage = ""
    licence: Passage = ""
    folder: Path = Path()

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> "Study":
        """Refuse contradictions; a reader that tells every mistake of a file collects them in its context instead."""
        found = contradictions(self)
        if isinstance(info.context, list):
            info.context.extend(found)
        elif found:
            raise ValueError("; ".join(one.message for one in found))
        return self

    @property
    def page_title(self) -> str:
        """The title as it stands on every page: a simulated study says so."""
        return f"{self.title} (simulated data)" if self.simulated else self.title

    def columns_of(self, source: Source) -> ColumnNames:
        """Return canonical name → the export's column, as the study says it of a source and of its table."""
        return self.columns.get(source.table, {}) | source.columns

    @property
    def named_columns(self) -> frozenset[str]:
        """The columns that a program's strata and units are read from."""
        units = (program.rollout.unit for program in self.programs if program.rollout is not None)
        return frozenset([*(name for program in self.programs for name in program.strata), *units])

    def values_of(self, source: Source) -> Values:
        """Return canonical column → value → the export's values, as the study says it of a source and of its table."""
        return self.values.get(source.table, {}) | source.values

    def program(self, program_id: str) -> Program:
        """Return the program of that id."""
        return next(p for p in self.programs if p.id == program_id)


# --- overrides --------------------------------------------------------------------------------------------------------
# Settings that one report has otherwise than its study's file: a row of a batch.

# Of this process and of the kernels that it starts.
OVERRIDES = "MENTORING_OVERRIDES"


def overrides() -> dict[str, object]:
    """Return the keys of study.yaml that the present report has otherwise, and their values."""
    return json.loads(os.environ.get(OVERRIDES, "{}"))


def overriding(settings: Mapping[str, object]) -> AbstractContextManager[None]:
    """Read every study of the block with these settings in place of its own."""
    return environment(**{OVERRIDES: json.dumps(dict(settings))} if settings else {})
