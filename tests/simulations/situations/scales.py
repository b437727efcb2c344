"""Morale in companies where other things go on: a second program, the other role, an older program, a rollout of few.

Every company has six survey waves, recorded people (level, rating, department) who differ in who takes part and in how
their morale moves anyway, and a program asked about that changes nothing: 0 is true, unless a situation says otherwise.
Both scores of everybody, with and without each program, are drawn; truth is the mean of the treated's differences.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulations.situations.company import ids, opened, table
from simulations.situations.world import Case, Situation

OPENS = pd.to_datetime(["2021-03-01", "2021-09-06", "2022-03-07", "2022-09-05", "2023-03-06", "2023-09-04"])
CLOSES = OPENS + pd.Timedelta(days=21)
N_WAVES, ITEMS = len(OPENS), ("mor1", "mor2", "mor3", "mor4", "mor5")
REVERSED = ("mor3", "mor5")
NEVER = pd.Timestamp.max.normalize()
ROLE = "participant"
KINDS = {"circle": {"id": "circle", "name": "Circle"}, "academy": {"id": "academy", "name": "Academy"}}


@dataclass(frozen=True)
class People:
    """Who works there: level (1 to 6), rating (standardized) and department of each, and what moves their morale."""

    level: np.ndarray
    rating: np.ndarray
    department: np.ndarray
    scores: np.ndarray

    @property
    def n(self) -> int:
        """How many they are."""
        return len(self.level)


def people(draw: np.random.Generator, n: int = 700, trend: float = 0.06) -> People:
    """Return people whose morale without any program rises with rating and falls with level, wave after wave."""
    level, rating = draw.integers(1, 7, n).astype(float), draw.choice([-1.5, -0.5, 0.5, 1.5], n)
    department = draw.choice(["claims", "finance", "sales", "service"], n)
    drift = trend * (rating - 0.4 * (level - 3.5))
    stable = 3.2 + 0.5 * draw.normal(size=n) + 0.15 * rating
    scores = stable[:, None] + drift[:, None] * np.arange(N_WAVES) + 0.4 * draw.normal(size=(n, N_WAVES))
    return People(level, rating, department, scores)


def chance(linear: np.ndarray) -> np.ndarray:
    """Return probabilities from log odds."""
    return 1 / (1 + np.exp(-linear))


def days_after(wave: int, n: int, draw: np.random.Generator) -> pd.DatetimeIndex:
    """Return start days in the months after a wave (0 = the first) has closed and before the next one opens."""
    return CLOSES[wave] + pd.to_timedelta(draw.integers(7, 140, n), unit="D")


def started(day: np.ndarray) -> np.ndarray:
    """Return by which waves each person had started, shape (people, waves)."""
    return pd.DatetimeIndex(day).to_numpy()[:, None] < OPENS.to_numpy()[None, :]


def enrolled(program: str, role: str, day: np.ndarray) -> pd.DataFrame:
    """Return the enrolments of those with a start day."""
    chosen = np.flatnonzero(pd.DatetimeIndex(day) < NEVER)
    start = pd.DatetimeIndex(day)[chosen]
    return pd.DataFrame(
        {"program_id": program, "role": role, "employee_id": ids(len(day))[chosen], "intake_date": start}
    ).assign(start_date=start)


def case(
    who: People, scores: np.ndarray, enrolments: list[pd.DataFrame], truth: float, role: str = ROLE, **study
) -> Case:
    """Return the study of a company with these scores, everybody answering four in five waves."""
    employees = table(
        "employees",
        employee_id=ids(who.n),
        hire_date=[pd.Timestamp("2015-01-01")] * who.n,
        birth_year=[1980.0] * who.n,
        location=["Ghent"] * who.n,
    )
    jobs = study.pop("jobs", None)
    first = table(
        "jobs",
        employee_id=ids(who.n),
        effective_date=[pd.Timestamp("2019-01-01")] * who.n,
        job_level=who.level,
        department=who.department,
        performance_rating=who.rating,
    )
    both = pd.concat(enrolments, ignore_index=True).sort_values(["program_id", "intake_date", "role", "employee_id"])
    tables = {
        "employees": employees,
        "jobs": first if jobs is None else pd.concat([first, jobs], ignore_index=True),
        "enrolments": table("enrolments", **{c: both[c].to_numpy() for c in both}),
        "waves": table("waves", wave=np.arange(1.0, 7.0), instrument=["pulse"] * 6, opens=OPENS, closes=CLOSES),
        "responses": _responses(scores),
    }
    # As in validated tables, ids are text.
    tables = {
        name: frame.astype({"employee_id": "str"} if "employee_id" in frame else {}) for name, frame in tables.items()
    }
    program = KINDS["circle"] | {"assignment": study.pop("assignment", "self_selected")} | study.pop("program", {})
    others = [KINDS["academy"] | {"direction": "traditional", "format": "pair", "assignment": "self_selected"}]
    named = {"direction": "reverse", "format": "pair"} | program
    return Case(opened("scales", program, tables, programs=[named, *others], **study), role, "H2_morale", truth)


def _responses(scores: np.ndarray) -> pd.DataFrame:
    """Return five answers of each form that was sent, all equal to the score: no rounding stands between."""
    person, wave = np.nonzero(np.isfinite(scores))
    value = scores[person, wave]
    parts = [(item, 6 - value if item in REVERSED else value) for item in ITEMS]
    return pd.concat(
        [
            table(
                "responses",
                employee_id=ids(len(scores))[person],
                wave=wave + 1.0,
                instrument=["pulse"] * len(person),
                item=[item] * len(person),
                value=given,
            )
            for item, given in parts
        ],
        ignore_index=True,
    )


def answered(scores: np.ndarray, draw: np.random.Generator, share: float = 0.85) -> np.ndarray:
    """Return the scores with the waves missing that a person did not answer."""
    return np.where(draw.random(scores.shape) < share, scores, np.nan)


def chosen_starts(log_odds: np.ndarray, free: np.ndarray, waves: tuple[int, ...], draw) -> np.ndarray:
    """Return the day on which each person starts, by their odds after each of these waves; `NEVER` for the others."""
    n = len(log_odds)
    day = np.full(n, NEVER.to_datetime64())
    for wave in waves:
        joins = free & (day == NEVER.to_datetime64()) & (draw.random(n) < chance(log_odds))
        day = np.where(joins, days_after(wave, n, draw).to_numpy(), day)
    return day


def two_programs(draw: np.random.Generator, gain: float, effect: float = 0.0) -> Case:
    """Return a company in which a third start another program, which moves their morale; nobody starts both."""
    who = people(draw)
    n = who.n
    keen = 0.5 * who.rating - 0.25 * (who.level - 3.5)
    starts = chosen_starts(-2.2 + keen, np.full(n, True), (1, 2, 3), draw)
    free = starts == NEVER.to_datetime64()
    else_where = chosen_starts(-1.6 + keen, free, (1, 2, 3), draw)
    scores = who.scores + gain * started(else_where) + effect * started(starts)
    parts = [enrolled("circle", ROLE, starts), enrolled("academy", ROLE, else_where)]
    return case(who, answered(scores, draw), parts, effect)


def another_program(gain: float, effect: float = 0.0):
    """Return what makes a company with a second program of that effect."""
    return lambda draw, is_before: two_programs(draw, gain, effect)


def low_scorers(other: str, role: str, other_role: str):
    """Return what makes a company in which something else takes those who have just answered lower than before.

    They would recover; without them the other comparators do not, and weights must say so.
    """

    def make(draw: np.random.Generator, is_before: bool) -> Case:
        who = people(draw, trend=0.0)
        n = who.n
        starts = chosen_starts(-2.2 + 0.5 * who.rating, np.full(n, True), (1, 2, 3), draw)
        else_where = np.full(n, NEVER.to_datetime64())
        for wave in (1, 2, 3):
            low = who.scores[:, wave] - who.scores[:, : wave + 1].mean(axis=1)
            joins = (starts == NEVER.to_datetime64()) & (else_where == NEVER.to_datetime64())
            joins &= draw.random(n) < chance(-1.5 - 3.0 * low)
            else_where = np.where(joins, days_after(wave, n, draw).to_numpy(), else_where)
        scores = who.scores + 0.4 * started(else_where)
        parts = [enrolled("circle", role, starts), enrolled(other, other_role, else_where)]
        return case(who, answered(scores, draw, 1.0), parts, 0.0, role)

    return make


def graduates(draw: np.random.Generator, is_before: bool) -> Case:
    """Return a company whose second program came first, lifts morale ever more, and feeds the first."""
    who = people(draw)
    n = who.n
    keen = 0.5 * who.rating - 0.25 * (who.level - 3.5)
    earlier = chosen_starts(-1.0 + keen, np.full(n, True), (0, 1), draw)
    was_there = earlier < NEVER.to_datetime64()
    starts = chosen_starts(-2.6 + keen + 1.2 * was_there, np.full(n, True), (2, 3), draw)
    scores = who.scores + 0.12 * started(earlier).cumsum(axis=1)
    return case(
        who, answered(scores, draw), [enrolled("academy", ROLE, earlier), enrolled("circle", ROLE, starts)], 0.0
    )


def older_than_the_extract(draw: np.random.Generator, is_before: bool) -> Case:
    """Return a company whose program began three waves before HR data do, when its effect was another."""
    who = people(draw)
    n = who.n
    keen = 0.5 * who.rating - 0.25 * (who.level - 3.5)
    starts = chosen_starts(-2.0 + keen, np.full(n, True), (0, 1, 3, 4), draw)
    is_old = pd.DatetimeIndex(starts) < pd.Timestamp("2022-08-01")
    scores = who.scores + np.where(is_old, 0.5, 0.0)[:, None] * started(starts)
    return case(who, answered(scores, draw), [enrolled("circle", ROLE, starts)], 0.0, study_start="2022-08-01")


def rollout(reached: int, units: int, shock: float):
    """Return what makes a rollout that has reached some of its units, all units having shocks of their own."""

    def make(draw: np.random.Generator, is_before: bool) -> Case:
        who = people(draw, n=480, trend=0.0)
        unit = draw.permutation(np.arange(who.n) % units)
        scores = who.scores + shock * draw.normal(size=(units, N_WAVES))[unit]
        day = np.full(who.n, NEVER.to_datetime64())
        for number in range(reached):
            wave = 2 + number % 2
            joins = (unit == number) & (draw.random(who.n) < 0.6)
            day = np.where(joins, (CLOSES[wave] + pd.Timedelta(days=14 + number)).to_datetime64(), day)
        named = np.array([f"unit {number}" for number in unit], dtype=object)
        at_work = People(who.level, who.rating, named, who.scores)
        return case(at_work, answered(scores, draw), [enrolled("circle", ROLE, day)], 0.0, assignment="rollout")

    return make


def moving_into_reached_units(draw: np.random.Generator, is_before: bool) -> Case:
    """Return a rollout of eight units, three reached; others' people move there, and a program room lifts all in it."""
    who = people(draw, n=800, trend=0.0)
    units = 8
    unit = draw.permutation(np.arange(who.n) % units)
    scores = who.scores + 0.1 * draw.normal(size=(units, N_WAVES))[unit]
    reached_on = (CLOSES[2] + pd.Timedelta(days=14)).to_datetime64()
    day = np.where((unit < 3) & (draw.random(who.n) < 0.7), reached_on, NEVER.to_datetime64())
    moves = np.flatnonzero((unit >= 3) & (draw.random(who.n) < chance(-1.2 + 0.6 * who.rating)))
    move_day = pd.DatetimeIndex([reached_on] * len(moves)) + pd.Timedelta(days=30)
    scores[moves] += 0.5 * (move_day.to_numpy()[:, None] < OPENS.to_numpy()[None, :])
    named = np.array([f"unit {number}" for number in unit], dtype=object)
    jobs = table(
        "jobs",
        employee_id=ids(who.n)[moves],
        effective_date=move_day,
        job_level=who.level[moves],
        department=draw.choice(["unit 0", "unit 1", "unit 2"], len(moves)),
        performance_rating=who.rating[moves],
    )
    at_work = People(who.level, who.rating, named, who.scores)
    parts = [enrolled("circle", ROLE, day)]
    return case(at_work, answered(scores, draw), parts, 0.0, assignment="rollout", jobs=jobs)


SITUATIONS = (
    Situation("scales-another-program", "A second program lifts morale; 0 is true of the first.", another_program(0.4)),
    Situation("scales-another-program-harms", "A second program lowers morale; 0 is true.", another_program(-0.4)),
    Situation(
        "scales-another-program-effect", "A second program lifts morale, the first does too.", another_program(0.4, 0.3)
    ),
    Situation(
        "scales-other-role",
        "The other role takes who has just answered low; 0 is true of the role asked about.",
        low_scorers("circle", "mentor", "mentee"),
    ),
    Situation(
        "scales-low-scorers",
        "The second program takes who has just answered low; 0 is true.",
        low_scorers("academy", ROLE, ROLE),
    ),
    Situation("scales-graduates", "The second program came first and feeds the first; 0 is true.", graduates),
    Situation(
        "scales-older-program", "The program began before the period observed; 0 is true since.", older_than_the_extract
    ),
    Situation("scales-rollout-2-of-6", "Two of six units reached, each with shocks of its own.", rollout(2, 6, 0.3)),
    Situation("scales-rollout-4-of-6", "Four of six units reached, each with shocks of its own.", rollout(4, 6, 0.3)),
    Situation("scales-rollout-3-of-12", "Three of twelve units reached, each with shocks.", rollout(3, 12, 0.3)),
    Situation(
        "scales-rollout-moves", "People move to units that were reached, and gain there.", moving_into_reached_units
    ),
)
