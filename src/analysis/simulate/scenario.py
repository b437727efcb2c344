"""What a simulated company is like: every knob of the data generating process, and days as whole numbers."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

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


# --- scenario ---------------------------------------------------------------------------------------------------------
# What a simulated company is like: every knob of the data generating process, with its default.

Construct = Literal[
    "morale", "leadership", "digital_fluency", "cross_generational_climate", "idea_sharing", "recognition"
]
Direction = Literal["reverse", "traditional", "mutual", "peer"]
RaterSource = Literal["self", "others"]
EFFECT_AGE = 40
TOPICS = ("social media", "mobile apps", "digital tools", "younger customers", "data privacy", "new ways of working")


@dataclass(frozen=True, kw_only=True)
class Shock:
    """A company-wide event that changes the voluntary hazard for a while.

    Attributes
    ----------
    months
        Calendar months that it lasts, that of `date` included.
    log_hazard
        What it adds to the log hazard of a voluntary exit in those months.
    """

    date: dt.date
    label: str
    months: int = 4
    log_hazard: float = 0.4


@dataclass(frozen=True, kw_only=True)
class RoleDesign:
    """One role of a program: who may take it, how many want it, and what it does.

    Attributes
    ----------
    levels
        Eligible job levels, from and to (both included).
    apply_share
        Expected share of the eligible who apply at one intake.
    offer_share
        Share of the applicants who get a place; None = as many as there are mentees.
    hazard_ratio
        Voluntary exit, treated to untreated, from the day after the start.
    promotion_odds_ratio
        Being promoted in a yearly round, treated to untreated, in the rounds after the day of the start.
    effects
        By construct: points of the 1–5 answer scale, before rounding, once the effect has built up; 0 where not named.
    response_shift
        Points that people's own ratings of their leadership move by on top of it: they answer by another yardstick,
        and what others see stays.
    effect_per_year, effect_per_decade
        Share of an effect that every year after it has built up adds, and every decade of age beyond `EFFECT_AGE`.
    """

    levels: tuple[int, int]
    apply_share: float
    offer_share: float | None = 1.0
    hazard_ratio: float = 1.0
    promotion_odds_ratio: float = 1.0
    effects: Mapping[Construct, float] = field(default_factory=dict)
    response_shift: float = 0.0
    effect_per_year: float = 0.0
    effect_per_decade: float = 0.0

    def effect(self, construct: Construct, source: RaterSource) -> float:
        """Return the effect on a construct as oneself or others report it."""
        is_shifted = construct == "leadership" and source == "self"
        return self.effects.get(construct, 0.0) + (self.response_shift if is_shifted else 0.0)


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The day an intake opens; for one department alone in a rollout."""

    opens: dt.date
    department: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProgramDesign:
    """A mentoring program and how people come into it.

    Attributes
    ----------
    direction
        Who teaches: in a reverse program the mentors are the juniors, in a traditional one the seniors. The roles'
        levels say so; this is what the study file calls it.
    format
        Pairs meet by themselves; at a clinic people drop in; groups of mixed ages are led by a facilitator, and all
        begin on one day.
    mentor, mentee, participant
        Groups have participants alone, the others mentors and mentees.
    facilitator_levels
        Job levels, from and to, of the staff who lead groups. They are not treated: the program does nothing to them,
        and they never take part.
    grace_days, weeks_to_start
        A start within so many days belongs to its intake; starts fall on the first so many Mondays after the intake
        opens, those of groups on the last of them. Within the grace while 7 × weeks_to_start does not exceed it.
    on_performance, on_morale, on_tenure
        Log-odds of applying per standard deviation of the last performance rating, the latent morale trait and
        the logarithm of tenure.
    accept_share
        Share of those offered a place who take it.
    sit_out_days
        An applicant may not apply again so soon, to this program or another. Longer than the last horizon in a
        lottery, so that nobody who lost starts while they are compared.
    topics
        What sessions are about.
    """

    id: str
    name: str
    format: Literal["pair", "clinic", "group"]
    assignment: Literal["lottery", "rollout", "self_selected"]
    intakes: tuple[Intake, ...]
    mentor: RoleDesign | None = None
    mentee: RoleDesign | None = None
    participant: RoleDesign | None = None
    facilitator_levels: tuple[int, int] = (4, 6)
    direction: Direction = "reverse"
    min_tenure_days: int = 90
    grace_days: int = 45
    weeks_to_start: int = 6
    on_performance: float = 0.5
    on_morale: float = 0.5
    on_tenure: float = 0.4
    accept_share: float = 0.93
    sit_out_days: int = 0
    topics: tuple[str, ...] = TOPICS
    cost_fixed: int = 15_000
    cost_per_participant: int = 300

    @property
    def roles(self) -> dict[str, RoleDesign]:
        """The roles by name, mentees first: they decide how many mentors a rollout takes."""
        roles = {"mentee": self.mentee, "mentor": self.mentor, "participant": self.participant}
        return {name: role for name, role in roles.items() if role is not None}


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What an instrument asks about one construct: its items, and which of them are worded the other way round."""

    construct: Construct
    items: tuple[str, ...]
    reversed_items: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Survey:
    """One instrument and its waves.

    Attributes
    ----------
    scales
        In the order of the form.
    multirater
        Rated by oneself, the manager, peers and direct reports (table ``ratings``), instead of by oneself alone.
    opens
        The day each wave opens.
    eligible_only
        Asked only of (or about) the job levels that a program's roles are open to.
    leaders_only
        Raters are asked only about people with direct reports.
    response_share
        Share of untreated people of average morale who answer (raters: share of all who answer).
    answer_on_morale, answer_if_treated
        Log-odds of answering per standard deviation of the morale trait, and from the start of a program on.
    leniency_sd
        Standard deviation, in points, of raters' leniency: how much kinder than others a rater is to everybody and on
        every wave.
    careless_share
        Share of the forms on which the ticks have nothing to do with the person: a straight line, or at random.
    is_dated
        The export says on which day each answer came.
    """

    instrument: str
    scales: tuple[Scale, ...]
    opens: tuple[dt.date, ...]
    multirater: bool = False
    window_days: int = 18
    eligible_only: bool = False
    leaders_only: bool = False
    response_share: float = 0.5
    answer_on_morale: float = 0.3
    answer_if_treated: float = 0.5
    skip_share: float = 0.08
    leniency_sd: float = 0.0
    careless_share: float = 0.0
    is_dated: bool = True

    @property
    def items(self) -> tuple[str, ...]:
        """Every item of the form."""
        return tuple(item for scale in self.scales for item in scale.items)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One simulated company. Its name alone seeds everything that is random.

    Attributes
    ----------
    id_letter
        First character of every employee id.
    programs
        At least one. A person takes part in at most one of them and applies to at most one on a day.
    employees
        About how many people ever work there.
    stock_share
        Share of them hired before anything is observed.
    stock_levels, hire_levels
        Weights of the job levels 1, 2, … among them and among later hires.
    annual_voluntary
        Voluntary exits per year at job level 1, average traits, settled tenure.
    per_level, per_performance, per_morale, early_tenure
        What a level, a standard deviation of a trait, and being new add to the log hazard of a voluntary exit.
    annual_involuntary, annual_transfer, annual_end_of_contract
        Other exits per year (end of contract: job levels 1 and 2 alone); retirement and death follow age.
    exits_at_month_end
        Every exit, of whatever kind, falls on the last day of its calendar month, as in many payrolls: heavy ties.
    return_share
        Share of the voluntary leavers without mentoring who come back after 6 to 18 months.
    move_share
        Share who change department in a year.
    promotion_share
        Chance of a promotion in a yearly round, at job level 3 and average performance.
    """

    name: str
    title: str
    sector: str
    id_letter: str
    employees: int
    study_start: dt.date
    as_of: dt.date
    departments: tuple[str, ...]
    programs: tuple[ProgramDesign, ...]
    surveys: tuple[Survey, ...] = ()
    shocks: tuple[Shock, ...] = ()
    horizons_months: tuple[int, ...] = (12, 24)
    min_cell: int = 10
    currency: str = "USD"
    locations: tuple[str, ...] = ("Head office", "North", "South")
    job_families: tuple[str, ...] = ("Operations", "Commercial", "Technology", "Support")
    stock_share: float = 0.62
    stock_levels: tuple[float, ...] = (20, 20, 18, 16, 12, 7, 4, 3)
    hire_levels: tuple[float, ...] = (32, 26, 16, 12, 7, 4, 2, 1)
    annual_voluntary: float = 0.11
    per_level: float = -0.10
    per_performance: float = -0.20
    per_morale: float = -0.35
    early_tenure: float = 0.5
    annual_involuntary: float = 0.02
    annual_transfer: float = 0.008
    annual_end_of_contract: float = 0.015
    exits_at_month_end: bool = False
    return_share: float = 0.08
    move_share: float = 0.015
    promotion_share: float = 0.07

    def seeds_of(self, program: ProgramDesign, what: str) -> tuple[str, ...]:
        """Return the names that seed what is random about a program; a company's first program has none of its own.

        So a company with one program stays the same when it gets a second one, up to what the second one does to it.
        """
        return (self.name, what) if program.id == self.programs[0].id else (self.name, what, program.id)

    def roles(self) -> dict[tuple[str, str], RoleDesign]:
        """Return the roles of every program by program id and role."""
        return {(program.id, name): role for program in self.programs for name, role in program.roles.items()}
