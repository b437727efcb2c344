"""Situations of target trials: who is in a trial, from when, and who stands in for whom.

All companies are of 1,000 people whose performance rating says how long they stay: the higher, the longer. Exits come
from a constant hazard, the same with and without the program unless a situation says otherwise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.measure.employment import add_months
from simulations.situations.company import MONTH, STUDY_START, ids, opened, table
from simulations.situations.world import Case, Situation

N_PEOPLE = 1_000
EXIT_A_MONTH = 0.018
HORIZON = 12
INTAKES = tuple(pd.Timestamp(day) for day in ("2021-06-01", "2021-10-01", "2022-02-01", "2022-06-01", "2022-10-01"))
MENTOR_LEVELS = {"eligibility": {"mentor": {"job_level": [1, 3], "min_tenure_days": 90}}}


@dataclass
class Company:
    """People, their exits had nothing been started, and what is recorded of them, one entry a person.

    Attributes
    ----------
    calm
        What makes people stay: recorded, a standard normal number.
    left
        The day of exit without any program.
    hazard
        Exits a month.
    job
        Columns of the only job row.
    changes
        Further rows of jobs.
    enrolled
        Rows of enrolments.
    """

    rng: np.random.Generator
    calm: np.ndarray
    hazard: np.ndarray
    hired: pd.DatetimeIndex
    left: pd.DatetimeIndex
    job: dict[str, np.ndarray]
    changes: list[pd.DataFrame] = field(default_factory=list)
    enrolled: list[pd.DataFrame] = field(default_factory=list)

    @property
    def ids(self) -> np.ndarray:
        """Employee ids."""
        return ids(len(self.calm))

    def start(self, who: np.ndarray, days: pd.Series | pd.Timestamp, program: str = "circle", role: str = "mentor"):
        """Put the starts of `who` (a mask or positions) into the enrolments; the intake is the day itself."""
        rows = pd.DataFrame({"employee_id": self.ids[who], "start_date": days})
        self.enrolled.append(rows.assign(program_id=program, role=role, intake_date=rows["start_date"]))

    def here(self, day: pd.Timestamp) -> np.ndarray:
        """Return who is employed on a day, a mask."""
        return (self.hired <= day) & (self.left >= day)

    def changed_by(self, ratio: float, since: pd.Series | pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Return the exits when the hazard is multiplied by `ratio` from each person's day on (missing = never)."""
        since = pd.DatetimeIndex(since)
        longer = since + (self.left - since) / ratio
        return self.left.where(~(self.left > since), longer.ceil("D"))

    def study(self, program: Mapping, **study):
        """Return the study of these people."""
        everybody = {"employee_id": self.ids, "effective_date": self.hired}
        jobs = pd.concat([pd.DataFrame(everybody | self.job), *self.changes], ignore_index=True)
        employees = {"employee_id": self.ids, "hire_date": self.hired, "exit_date": self.left}
        staff = table("employees", **employees, exit_type=np.full(len(self.calm), "voluntary", dtype=object))
        in_window = self.left >= pd.Timestamp(study.get("study_start", STUDY_START))
        enrolments = pd.concat(self.enrolled, ignore_index=True)
        tables = {
            "employees": _only(staff, self.ids[in_window]),
            "jobs": _only(table("jobs", **jobs.to_dict("list")), self.ids[in_window]),
            "enrolments": _only(table("enrolments", **enrolments.to_dict("list")), self.ids[in_window]),
        }
        return opened("acme", {"assignment": "self_selected"} | MENTOR_LEVELS | dict(program), tables, **study)


def _only(rows: pd.DataFrame, people: np.ndarray) -> pd.DataFrame:
    kept = rows[rows["employee_id"].isin(people)].sort_values("employee_id", kind="stable", ignore_index=True)
    # As a file's text is read.
    return kept.astype(dict.fromkeys(kept.select_dtypes(["object", "str"]), "str"))


def company(rng: np.random.Generator, slope: float = -0.7, n: int = N_PEOPLE, since: str = "2016-01-01") -> Company:
    """Return a company of people hired over five years before 2021, of whom the calm stay."""
    calm = rng.standard_normal(n)
    hired = pd.Timestamp(since) + pd.to_timedelta(rng.integers(0, 1_700, n), unit="D")
    hazard = EXIT_A_MONTH * np.exp(slope * calm - slope**2 / 2)
    begin = pd.DatetimeIndex(np.maximum(hired, pd.Timestamp(STUDY_START)))
    left = begin + pd.to_timedelta(np.ceil(rng.exponential(MONTH / hazard)).clip(max=5_000), unit="D")
    job = {
        "job_level": rng.integers(1, 4, n).astype(float),
        "department": rng.choice(np.array(["East", "North", "South", "West"], dtype=object), n),
        "performance_rating": calm,
    }
    return Company(rng, calm, hazard, pd.DatetimeIndex(hired), left, job)


def chosen(rng: np.random.Generator, log_odds: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return who of `among` (a mask) is drawn, each with their own chance."""
    return among & (rng.random(len(log_odds)) < 1 / (1 + np.exp(-log_odds)))


def within(left: pd.DatetimeIndex, start: pd.DatetimeIndex) -> np.ndarray:
    """Return who has left within the horizon of a start, a mask."""
    return np.asarray(left < pd.DatetimeIndex([add_months(day, HORIZON) for day in start]))


def never(n: int) -> pd.Series:
    """Return no day for anybody."""
    return pd.Series(pd.NaT, index=range(n), dtype="datetime64[ns]")


def older_than_the_extract(rng: np.random.Generator, is_before: bool) -> Case:
    """Draw a program that runs since 2018 in a company whose HR extract begins in 2021; it halves exits."""
    world = company(rng)
    begin = pd.DatetimeIndex(np.maximum(world.hired, pd.Timestamp("2018-01-01")))
    world.left = begin + pd.to_timedelta(np.ceil(rng.exponential(MONTH / world.hazard)).clip(max=5_000), unit="D")
    since = never(N_PEOPLE)
    days = pd.date_range("2018-03-01", "2023-03-01", freq="6MS")
    for day in days:
        # The exits as they are with what has been started so far.
        ended = world.changed_by(0.5, since)
        free = (world.hired + pd.Timedelta(days=90) <= day) & (ended >= day) & since.isna().to_numpy()
        since[chosen(rng, -2.2 + 0.5 * world.calm, free)] = day
    without, treated = world.left, since.notna().to_numpy()
    world.left = world.changed_by(0.5, since)
    observed = treated & (since >= pd.Timestamp(STUDY_START)).to_numpy()
    start = pd.DatetimeIndex(since[observed])
    truth = within(world.left[observed], start).mean() - within(without[observed], start).mean()
    world.start(treated, since[treated].to_numpy())
    return Case(world.study({}), "mentor", "H1_retention", float(truth))


def thirty_departments(rng: np.random.Generator, is_before: bool, n_departments: int = 30) -> Case:
    """Draw departments of which the calm ones enrol more; nothing else tells people apart, and no effect."""
    world = company(rng, slope=0.0)
    department = rng.integers(0, n_departments, N_PEOPLE)
    calm = rng.standard_normal(n_departments)[department]
    hazard = EXIT_A_MONTH * np.exp(-0.7 * calm - 0.245)
    begin = pd.DatetimeIndex(np.maximum(world.hired, pd.Timestamp(STUDY_START)))
    world.left = begin + pd.to_timedelta(np.ceil(rng.exponential(MONTH / hazard)).clip(max=5_000), unit="D")
    world.job |= {"department": np.array([f"D{d:03d}" for d in department], dtype=object)}
    del world.job["performance_rating"]
    _take_part(world, lambda day, free: chosen(rng, -3.6 + 0.8 * calm, free))
    return Case(world.study({}), "mentor", "H1_retention", 0.0)


def _take_part(world: Company, draw: Callable, **named) -> np.ndarray:
    """Let people start on the intakes; `draw` says who of those free. Return who has started, a mask."""
    started = np.zeros(N_PEOPLE, dtype=bool)
    for day in INTAKES:
        now = draw(day, world.here(day) & ~started)
        world.start(now, day, **named)
        started |= now
    return started


def another_program_on_the_same_day(rng: np.random.Generator, is_before: bool) -> Case:
    """Draw a second program with the same intakes that keeps people; the first does nothing."""
    world, since = company(rng), never(N_PEOPLE)
    started = np.zeros(N_PEOPLE, dtype=bool)
    for day in INTAKES:
        free = (world.changed_by(0.15, since) >= day) & ~started & since.isna().to_numpy()
        other = chosen(rng, -1.7 + 0.6 * world.calm, free)
        world.start(other, day, program="academy", role="participant")
        since[other] = day
        now = chosen(rng, -2.6 + 0.5 * world.calm, free & ~other)
        world.start(now, day)
        started |= now
    world.left = world.changed_by(0.15, since)
    second = {"id": "academy", "name": "Academy", "direction": "peer", "format": "group", "assignment": "self_selected"}
    first = {"id": "circle", "name": "Circle", "direction": "reverse", "format": "pair", "assignment": "self_selected"}
    return Case(world.study({}, programs=[first | MENTOR_LEVELS, second]), "mentor", "H1_retention", 0.0)


def another_role(rng: np.random.Generator, is_before: bool) -> Case:
    """Draw colleagues who start as mentees a month after each intake, the calm ones; no role does anything."""
    world = company(rng)
    started = np.zeros(N_PEOPLE, dtype=bool)
    for day in INTAKES:
        now = chosen(rng, -2.8 + 0.3 * world.calm, world.here(day) & ~started)
        world.start(now, day)
        started |= now
        for months in (1, 2):
            later = add_months(day, months)
            mentees = chosen(rng, -2.8 + 1.2 * world.calm, world.here(later) & ~started)
            world.start(mentees, later, role="mentee")
            started |= mentees
    return Case(world.study({}), "mentor", "H1_retention", 0.0)


def rating_on_the_start_day(rng: np.random.Generator, is_before: bool) -> Case:
    """Draw starters whose rating goes up by 0.8 with effect from the very day on which they start; no effect."""
    world = company(rng)
    started = np.zeros(N_PEOPLE, dtype=bool)
    for day in INTAKES:
        now = chosen(rng, -2.6 + 0.5 * world.calm, world.here(day) & ~started)
        world.start(now, day)
        better = world.job | {"performance_rating": world.calm + 0.8}
        raised = {"employee_id": world.ids, "effective_date": np.full(N_PEOPLE, day)} | better
        world.changes.append(pd.DataFrame(raised)[now])
        started |= now
    return Case(world.study({}), "mentor", "H1_retention", 0.0)


SITUATIONS = (
    Situation(
        "before_the_period",
        "The program is three years older than the HR extract, and halves exits",
        older_than_the_extract,
    ),
    Situation("thirty_departments", "30 departments, the calm ones enrol more, no effect", thirty_departments),
    Situation(
        "same_day_elsewhere",
        "A second program with the same intakes keeps people, the first does nothing",
        another_program_on_the_same_day,
    ),
    Situation("other_role", "Calm colleagues start in the other role later, no effect", another_role),
    Situation("job_on_the_day", "The rating of starters rises on the start day, no effect", rating_on_the_start_day),
)
