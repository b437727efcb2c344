"""Few exits, starts on many days, exits that cluster in teams, rollouts of few units: rows 7, 11, 14 and 16.

Everybody of a company is of one level and may start; hazards are constant, so that both potential risks are closed
forms. Where the program does nothing, exits are drawn without a look at who starts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from simulations.situations.company import STUDY_START, exits_from, ids, opened, table
from simulations.situations.world import Case, Situation

ROLE, HORIZON = "mentor", 12
DEPARTMENTS = 5
WAVES = ("2021-03-01", "2022-03-01", "2023-03-01")
ITEMS, TURNED = ("mor1", "mor2", "mor3", "mor4", "mor5"), ("mor3", "mor5")


@dataclass(frozen=True)
class _Company:
    """Who works there, one entry a person, and the monthly hazard of a voluntary exit without the program."""

    rating: np.ndarray
    unit: np.ndarray
    manager: np.ndarray
    hazard: np.ndarray

    def case(
        self, name: str, start: np.ndarray, ratio: float, draw: np.random.Generator, assignment: str, morale=None
    ) -> Case:
        """Return the study in which people start on the days `start` (missing: never), then leave `ratio` as fast."""
        n, began = len(self.hazard), pd.Series(pd.to_datetime(start))
        leaves = pd.Series(exits_from(np.full(n, np.datetime64(STUDY_START)), self.hazard, draw))
        starts = began.notna() & (leaves >= began)
        slowed = began + pd.to_timedelta(np.ceil((leaves - began).dt.days / ratio).clip(upper=30_000), unit="D")
        leaves = leaves.where(~starts, slowed)
        people = ids(n)
        tables = {
            "employees": table(
                "employees",
                employee_id=people,
                hire_date=pd.Timestamp("2020-12-01") - pd.to_timedelta(draw.integers(30, 3650, n), unit="D"),
                exit_date=leaves.to_numpy(),
                exit_type=np.full(n, "voluntary", dtype=object),
                birth_year=draw.integers(1960, 2000, n),
            ),
            "jobs": table(
                "jobs",
                employee_id=people,
                effective_date=np.full(n, np.datetime64("2020-12-15")),
                job_level=np.full(n, 3.0),
                department=self.unit,
                manager_id=self.manager,
                performance_rating=self.rating,
            ),
            "enrolments": _enrolments(people, began, starts),
        } | (_survey(people, morale, leaves, draw) if morale is not None else {})
        program = {"assignment": assignment, "eligibility": {ROLE: {"min_tenure_days": 0}}}
        risk = [1 - np.exp(-self.hazard[starts] * r * HORIZON) for r in (ratio, 1.0)]
        return Case(opened(name, program, tables), ROLE, "H1_retention", float(np.mean(risk[0] - risk[1])))


def _enrolments(people: np.ndarray, began: pd.Series, starts: pd.Series) -> pd.DataFrame:
    chosen = starts.to_numpy()
    n = int(chosen.sum())
    return table(
        "enrolments",
        program_id=np.full(n, "circle", dtype=object),
        intake_date=began[chosen].to_numpy(),
        employee_id=people[chosen],
        role=np.full(n, ROLE, dtype=object),
        start_date=began[chosen].to_numpy(),
        status=np.full(n, "completed", dtype=object),
    )


def _survey(people: np.ndarray, morale: np.ndarray, leaves: pd.Series, draw: np.random.Generator) -> dict:
    """Return the waves and answers of a survey: `morale` is each person's score by wave, NaN where unanswered."""
    opens = pd.to_datetime(list(WAVES))
    waves = table("waves", wave=range(1, len(opens) + 1), instrument=["pulse"] * len(opens), opens=opens,
                  closes=opens + pd.Timedelta(days=14))  # fmt: skip
    person, wave = np.nonzero(~np.isnan(morale) & (leaves.to_numpy()[:, None] > opens.to_numpy()[None, :]))
    parts = []
    for item in ITEMS:
        value = np.clip(np.round(morale[person, wave] + draw.normal(0, 0.7, len(person))), 1, 5)
        parts.append(pd.DataFrame({"person": person, "wave": wave + 1, "item": item,
                                   "value": 6 - value if item in TURNED else value}))  # fmt: skip
    answers = pd.concat(parts, ignore_index=True)
    responses = table("responses", employee_id=people[answers["person"]], wave=answers["wave"].to_numpy(),
                      instrument=np.full(len(answers), "pulse", dtype=object), item=answers["item"].to_numpy(),
                      value=answers["value"].to_numpy())  # fmt: skip
    return {"waves": waves, "responses": responses}


def _people(draw: np.random.Generator, n: int, hazard: float, n_teams: int, team_sd: float = 0.0) -> _Company:
    team = np.arange(n) % n_teams
    rating = draw.integers(1, 6, n).astype(float)
    effect = team_sd * draw.normal(size=n_teams)
    unit = np.array([f"Unit {k}" for k in range(DEPARTMENTS)], dtype=object)[team % DEPARTMENTS]
    manager = np.array([f"M{k:03d}" for k in range(n_teams)], dtype=object)[team]
    return _Company(rating, unit, manager, hazard * np.exp(effect[team] - team_sd**2 / 2 - 0.15 * (rating - 3)))


def _few_exits(
    draw: np.random.Generator, is_before: bool, hazard: float = 0.004, n_start: int = 60, ratio: float = 1.0
) -> Case:
    """The better rated start somewhat more often; three or four of sixty leave within the year."""
    company = _people(draw, 500, hazard, 60)
    chosen = _drawn(draw, n_start, 0.3 * company.rating)
    return company.case("few", _days(draw, 500, chosen, 2), ratio, draw, "self_selected")


def _rolling(draw: np.random.Generator, is_before: bool, hazard: float = 0.012, ratio: float = 1.0) -> Case:
    """A hundred start, each on a day of their own; by their last morale score, which six in ten have."""
    n = 600
    company = _people(draw, n, hazard, 60)
    lasting = draw.normal(3.2, 0.6, n)
    morale = np.clip(lasting[:, None] + draw.normal(0, 0.4, (n, len(WAVES))), 1, 5)
    morale[draw.random(morale.shape) > 0.6] = np.nan
    company = _Company(company.rating, company.unit, company.manager, company.hazard * np.exp(-0.5 * (lasting - 3.2)))
    known = pd.DataFrame(morale[:, :2]).ffill(axis=1).iloc[:, 1].fillna(3.2).to_numpy()
    chosen = _drawn(draw, 120, 0.8 * known)
    start = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
    start[chosen] = np.datetime64("2022-04-01") + draw.permutation(500)[: chosen.sum()].astype("timedelta64[D]")
    return company.case("rolling", start, ratio, draw, "self_selected", morale)


def _teams(draw: np.random.Generator, is_before: bool, n_teams: int = 80, ratio: float = 1.0, sd: float = 1.0) -> Case:
    """Three in ten teams enrol, every one of them with all its people; a team leaves fast or slowly as one."""
    company = _people(draw, 11 * n_teams, 0.025, n_teams, sd)
    team = np.arange(11 * n_teams) % n_teams
    enrolled = draw.permutation(n_teams)[: 3 * n_teams // 10]
    return company.case("teams", _days(draw, len(team), np.isin(team, enrolled), 2, team), ratio, draw, "self_selected")


def _rollout(
    draw: np.random.Generator,
    is_before: bool,
    n_units: int = 6,
    n_reached: int = 2,
    sd: float = 0.5,
    staggered: bool = False,
    ratio: float = 1.0,
) -> Case:
    """Half of a reached unit start; units leave faster or slower as such."""
    n = 200 * n_units if n_units <= 6 else 90 * n_units
    unit = np.arange(n) % n_units
    effect = sd * draw.normal(size=n_units) - sd**2 / 2
    rating = draw.integers(1, 6, n).astype(float)
    company = _Company(
        rating,
        np.array([f"Unit {k}" for k in range(n_units)], dtype=object)[unit],
        np.full(n, None, dtype=object),
        0.02 * np.exp(effect[unit] - 0.1 * (rating - 3)),
    )
    reached = draw.permutation(n_units)[:n_reached]
    day = np.full(n_units, np.datetime64("NaT"), dtype="datetime64[D]")
    day[reached] = np.datetime64("2022-03-01") + (np.arange(n_reached) * (91 if staggered else 0)).astype(
        "timedelta64[D]"
    )
    start = np.where(draw.random(n) < 0.5, day[unit], np.datetime64("NaT"))
    return company.case("rollout", start, ratio, draw, "rollout")


def _drawn(draw: np.random.Generator, n: int, log_odds: np.ndarray) -> np.ndarray:
    """Return `n` people drawn without replacement, the likelier the larger their log odds (Gumbel's trick)."""
    chosen = np.zeros(len(log_odds), dtype=bool)
    chosen[np.argsort(-(log_odds + draw.gumbel(size=len(log_odds))))[:n]] = True
    return chosen


def _days(draw, n: int, chosen: np.ndarray, n_days: int, group: np.ndarray | None = None) -> np.ndarray:
    """Return start days for the `chosen`: one of `n_days`, half a year apart, by `group` where given."""
    group = np.arange(n) if group is None else group
    intake = draw.integers(0, n_days, group.max() + 1)[group]
    days = np.datetime64("2022-03-01") + (182 * intake).astype("timedelta64[D]")
    return np.where(chosen, days, np.datetime64("NaT"))


def _situation(name: str, about: str, make: Callable, **knobs) -> Situation:
    is_refused, is_too_wide = knobs.get("n_reached") == 1, name.startswith(("few-exits", "rolling"))
    return Situation(name, about, partial(make, **knobs), is_refused, is_too_wide)


SITUATIONS: tuple[Situation, ...] = (
    _situation("few-exits", "60 of 500 start, 5 % of all leave within the year", _few_exits),
    _situation("few-exits-effect", "100 of 500 start, a quarter leaves, a sixth as fast once started", _few_exits,
               hazard=0.024, n_start=100, ratio=1 / 6),
    _situation("rolling-surveyed", "120 start, each on another day, by a surveyed score that 4 in 10 lack", _rolling),
    _situation("rolling-surveyed-few", "the same; 4 % leave within the year", _rolling, hazard=0.0035),
    _situation("rolling-surveyed-effect", "the same; a third leaves, a third as fast once started", _rolling,
               hazard=0.035, ratio=1 / 3),
    _situation("teams", "whole teams enrol, 24 of 80, and teams differ by SD 1 in their log hazard", _teams),
    _situation("teams-effect", "the same; who starts leaves half as fast", _teams, ratio=0.5),
    _situation("teams-alike", "the same teams without differences between them", _teams, sd=0.0),
    _situation("rollout-one-reached", "one of six units is reached", _rollout, n_reached=1),
    _situation("rollout-2-of-6", "two of six units are reached on one day", _rollout),
    _situation("rollout-3-of-6", "three of six units are reached on one day", _rollout, n_reached=3),
    _situation("rollout-6-of-12", "six of twelve units are reached, a quarter apart", _rollout, n_units=12, n_reached=6,
               staggered=True),
    _situation("rollout-6-of-12-effect", "the same; who starts leaves half as fast", _rollout, n_units=12, n_reached=6,
               staggered=True, sd=0.3, ratio=0.5),
)  # fmt: skip
