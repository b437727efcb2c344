"""``study.yaml``: what the company runs, what is asked, and where its exports are."""

import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from analysis.plan import contract
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.paths import STUDY_NAME
from analysis.plan.yaml_file import load_yaml, validated

Direction = Literal["reverse", "traditional", "mutual", "peer"]
Format = Literal["pair", "group", "clinic"]
Assignment = Literal["lottery", "waitlist", "rollout", "self_selected"]
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TableName = Literal[
    "employees", "jobs", "waves", "responses", "unlinked_responses", "ratings", "enrolments", "sessions"
]


def _plain_date(value: object) -> object:
    is_date = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    if not is_date and not (isinstance(value, str) and ISO_DATE.fullmatch(value)):
        raise ValueError("must be a calendar date such as 2024-06-30, without a time")
    return value


Day = Annotated[dt.date, BeforeValidator(_plain_date)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(_Part):
    """Something that happened to the whole company, drawn on every time axis."""

    date: Day
    label: str


class Eligibility(_Part):
    """Who may take a role: job levels from–to (both included) and least tenure in days."""

    job_level: tuple[float, float] | None = None
    min_tenure_days: int = Field(default=0, ge=0)


class Program(_Part):
    """One mentoring program of the company.

    Attributes
    ----------
    strata
        Columns within whose values the lots were drawn, beside the intake (lottery and wait-list).
    waitlist_starts
        Intake → the day on which those who waited at it could start; without it the day is read off the starts.
    """

    id: Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)]
    name: str
    direction: Direction
    format: Format
    assignment: Assignment
    grace_days: int = Field(default=45, ge=0)
    eligibility: dict[Literal["mentor", "mentee", "participant", "facilitator"], Eligibility] = {}
    cost_fixed: float | None = Field(default=None, ge=0)
    cost_per_participant: float | None = Field(default=None, ge=0)
    intakes: tuple[Day, ...] = ()
    strata: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    waitlist_starts: dict[Day, Day] = {}

    @model_validator(mode="after")
    def _lots_as_drawn(self) -> "Program":
        if self.strata and self.assignment not in ("lottery", "waitlist"):
            raise ValueError(f"strata are of lots, but assignment is {self.assignment}; take one of the two out")
        if len(set(self.strata)) < len(self.strata):
            raise ValueError("strata names a column twice")
        if self.waitlist_starts and self.assignment != "waitlist":
            raise ValueError(
                f"waitlist_starts are of a wait-list, but assignment is {self.assignment}; take one of the two out"
            )
        for intake, day in self.waitlist_starts.items():
            if day <= intake:
                raise ValueError(f"waitlist_starts: {day} does not lie after its intake, {intake}")
        return self


class Wave(_Part):
    """One survey wave, for a study that has no file of its waves."""

    wave: int = Field(ge=1)
    instrument: str
    opens: Day
    closes: Day


class Source(_Part):
    """One export: the table it feeds, its path inside the study's folder and the profile that reads it.

    Attributes
    ----------
    wave, instrument, program, role
        Fill the columns of the same meaning where the export has none.
    query, url_env
        Instead of `path`: an SQL query, and the environment variable that holds the database's URL.
    sheet
        The sheet of a spreadsheet, by its name; where it is left out there may be only one.
    encoding, delimiter, decimal, date_order, timezone
        What a file does not say of itself and what need then not be detected: `decimal` is the decimal mark,
        `date_order` is dmy or mdy, `timezone` is where times were written (an IANA name).
    incomplete
        What is done with forms that were begun and not sent: ``reject`` or ``keep``.
    """

    table: TableName
    path: str = ""
    profile: str
    wave: int | None = Field(default=None, ge=1)
    instrument: str | None = None
    program: str | None = None
    role: str | None = None
    query: str = ""
    url_env: str = Field(default="", pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    decimal: Literal[".", ","] | None = None
    date_order: Literal["dmy", "mdy"] | None = None
    timezone: str | None = None
    incomplete: Literal["reject", "keep"] = "reject"

    @model_validator(mode="after")
    def _inside_the_study(self) -> "Source":
        path = PurePosixPath(self.path)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"path {self.path!r} must lie inside the study's folder")
        if bool(self.path) == bool(self.query) or bool(self.query) != bool(self.url_env):
            raise ValueError("give either path, or query and url_env")
        return self

    @property
    def name(self) -> str:
        """What the source is called in messages and ledgers: its path, and its sheet where one is named."""
        if self.query:
            return f"query of {self.url_env}"
        return f"{self.path}#{self.sheet}" if self.sheet else self.path


def _read_twice(sources: Iterable[Source]) -> list[Source]:
    """Return the sources that an earlier one reads already; one form may hold the items of several instruments."""
    seen, twice = set(), []
    for source in sources:
        what = source.url_env or (PurePosixPath(source.path), source.sheet, source.instrument)
        if (source.table, what) in seen:
            twice.append(source)
        seen.add((source.table, what))
    return twice


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
    keep
        Columns of the exports that are kept although they look like names, addresses or free text.
    waves
        The survey waves, where no file holds them.
    timezone
        Where the company's days begin and end (an IANA name); times of other zones are turned into its days.
    simulated
        The employees are simulated; every page says so.
    smallest_effects
        The study's own smallest effect of interest by hypothesis id, instead of the default.
    citation, licence
        Whom to cite and under what terms, for public data; printed on the report.
    folder
        The study's folder; not part of the file.
    """

    schema_version: Literal[1]
    study: str = Field(pattern=f"^{STUDY_NAME.pattern}$")
    title: str
    sector: str = ""
    study_start: Day
    as_of: Day
    horizons_months: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(12, 24), min_length=1)
    min_cell: int = Field(default=10, ge=3)
    currency: str = ""
    replacement_cost_share: float | None = Field(default=None, ge=0)
    replacement_cost_amount: float | None = Field(default=None, ge=0)
    events: tuple[Event, ...] = ()
    programs: tuple[Program, ...] = ()
    sources: tuple[Source, ...] = ()
    columns: dict[TableName, dict[str, str]] = {}
    values: dict[TableName, dict[str, dict[str, list[str]]]] = {}
    keep: dict[TableName, list[str]] = {}
    waves: tuple[Wave, ...] = ()
    timezone: str | None = None
    simulated: bool = False
    smallest_effects: dict[str, Annotated[float, Field(gt=0)]] = {}
    citation: str = ""
    licence: str = ""
    folder: Path = Path()

    @model_validator(mode="after")
    def _consistent(self) -> "Study":
        if self.as_of <= self.study_start:
            raise ValueError("as_of must lie after study_start")
        if list(self.horizons_months) != sorted(set(self.horizons_months)):
            raise ValueError("horizons_months must rise")
        ids = [p.id for p in self.programs]
        if len(set(ids)) < len(ids):
            raise ValueError("two programs have the same id")
        for source in _read_twice(self.sources):
            raise ValueError(
                f"two sources read the table {source.table} from {source.name}, and its rows cannot be told apart: "
                "take one out, or make one query of two (UNION ALL)"
            )
        unknown = {f"{t}.{c}" for t, columns in self.values.items() for c in columns if c not in contract.TABLES[t]}
        if unknown:
            raise ValueError(f"values: no such canonical column: {', '.join(sorted(unknown))}")
        return self

    @property
    def page_title(self) -> str:
        """The title as it stands on every page: a simulated study says so."""
        return f"{self.title} (simulated data)" if self.simulated else self.title

    def program(self, program_id: str) -> Program:
        """Return the program of that id."""
        return next(p for p in self.programs if p.id == program_id)


def load_study(name: str, data: Path) -> Study:
    """Read ``data/<name>/study.yaml``.

    Raises
    ------
    BadInput
        The name is not allowed, the folder or the file is missing, or the file says something that it may not;
        every problem of the file at once, each with its line.
    """
    if not STUDY_NAME.fullmatch(name):
        raise bad_input(
            name[:80],
            "is not a study's name: use lower-case letters, digits, - and _ (at most 63, the "
            "first a letter or digit), and no path",
            rule="study_name",
        )
    path = data / name / "study.yaml"
    if not path.is_file():
        raise bad_input(
            f"{name}/study.yaml",
            f"there is no such file in the data folder {data.name}/; check the study's name and --data",
            rule="missing_file",
        )
    document = load_yaml(path, source="study.yaml")
    study = validated(Study, document, source="study.yaml")
    if study.study != name:
        raise bad_input(
            "study.yaml",
            f"says study: {study.study}, but its folder is {name}: make the two equal",
            rule="study_name_differs",
            line=document.line("study"),
        )
    return study.model_copy(update={"folder": path.parent})


__all__ = ["BadInput", "Eligibility", "Event", "Program", "Source", "Study", "load_study"]
