"""What a simulated company is like: every knob of the data generating process, with its default."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

Construct = Literal["morale", "leadership"]
Direction = Literal["reverse", "traditional", "mutual", "peer"]
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
    morale_effect, leadership_effect
        Points of the 1–5 answer scale, before rounding, once the effect has built up.
    """

    levels: tuple[int, int]
    apply_share: float
    offer_share: float | None = 1.0
    hazard_ratio: float = 1.0
    promotion_odds_ratio: float = 1.0
    morale_effect: float = 0.0
    leadership_effect: float = 0.0

    def effect(self, construct: Construct) -> float:
        """Return the effect on a scale's construct."""
        return self.morale_effect if construct == "morale" else self.leadership_effect


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
    grace_days, weeks_to_start
        A start within so many days belongs to its intake; starts fall on the first so many Mondays after the intake
        opens. Within the grace while 7 × weeks_to_start does not exceed it.
    on_performance, on_morale, on_tenure
        Log-odds of applying per standard deviation of the last performance rating, the latent morale trait and
        the logarithm of tenure.
    accept_share
        Share of those offered a place who take it.
    sit_out_days
        An applicant may not apply again so soon, to this program or another. Longer than the last horizon in a
        lottery, so that nobody who lost starts while he is compared.
    topics
        What sessions are about.
    """

    id: str
    name: str
    format: Literal["pair", "clinic"]
    assignment: Literal["lottery", "rollout", "self_selected"]
    intakes: tuple[Intake, ...]
    mentor: RoleDesign
    mentee: RoleDesign
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
    cost_fixed: float = 15_000
    cost_per_participant: float = 300

    @property
    def roles(self) -> dict[str, RoleDesign]:
        """The roles by name, mentees first: they decide how many mentors a rollout takes."""
        return {"mentee": self.mentee, "mentor": self.mentor}


@dataclass(frozen=True, kw_only=True)
class Survey:
    """One instrument and its waves.

    Attributes
    ----------
    multirater
        Rated by oneself, the manager, peers and direct reports (table ``ratings``), instead of by oneself alone.
    opens
        The day each wave opens.
    eligible_only
        Asked only of (or about) the job levels that a program's roles are open to.
    response_share
        Share of untreated people of average morale who answer (raters: share of all who answer).
    """

    instrument: str
    construct: Construct
    items: tuple[str, ...]
    opens: tuple[dt.date, ...]
    reversed_items: tuple[str, ...] = ()
    multirater: bool = False
    window_days: int = 18
    eligible_only: bool = False
    response_share: float = 0.5
    skip_share: float = 0.08


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
