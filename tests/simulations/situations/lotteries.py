"""Lotteries as companies draw them: odds by department, small strata, draws repeated, early starters, weak offers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from simulations.situations.company import ids, opened, table
from simulations.situations.world import Case, Situation

INTAKE = np.datetime64("2022-06-01")
ROLE = "mentor"
DEPARTMENTS = ("Claims", "Sales")
# Shares who leave within the year without the program, by department; among those offered, what the offer takes off.
RISKS, TAKEN_OFF = (0.10, 0.30), 0.04


@dataclass(frozen=True)
class Drawn:
    """People who drew lots, one entry a person: shape (people,) each.

    Attributes
    ----------
    intake
        Day.
    offered, leaves
        Whether offered a place; whether gone within a year of the intake as things went.
    start
        Day of the first start; NaT = never.
    department
        Index into the list of departments.
    """

    intake: np.ndarray
    offered: np.ndarray
    leaves: np.ndarray
    start: np.ndarray
    department: np.ndarray


def study(name: str, drawn: Drawn, draw: np.random.Generator, program: dict, scores: tuple = (), **enrolled):
    """Return a company of those who drew and as many colleagues who did not; `scores` are before and after, by item.

    Whoever leaves does so between the seventh and the twelfth month after the intake.
    """
    n = len(drawn.intake)
    people = ids(2 * n)
    exits = drawn.intake + draw.integers(215, 360, n).astype("timedelta64[D]")
    exit_date = np.concatenate([np.where(drawn.leaves, exits, np.datetime64("NaT")), np.full(n, np.datetime64("NaT"))])
    hired = np.datetime64("2015-01-01") + draw.integers(0, 2000, 2 * n).astype("timedelta64[D]")
    names = [f"Department {1 + d}" for d in np.concatenate([drawn.department, draw.permutation(drawn.department)])]
    exit_type = np.where(np.isnat(exit_date), None, "voluntary")
    tables = {
        "employees": table("employees", employee_id=people, hire_date=hired, exit_date=exit_date, exit_type=exit_type),
        "jobs": table("jobs", employee_id=people, effective_date=hired, job_level=np.ones(2 * n), department=names),
        "enrolments": enrolments(people[:n], drawn, **enrolled),
    }
    if scores:
        tables |= surveyed(people[:n], scores)
    return opened(name, {"assignment": "lottery"} | program, {t: as_read(frame) for t, frame in tables.items()})


def as_read(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with ids and text as validation gives them: pandas' own text, not objects."""
    return frame.astype({c: "str" for c in frame if frame[c].dtype == object})


def enrolments(
    people: np.ndarray, drawn: Drawn, again: pd.DataFrame | None = None, stratum: np.ndarray | None = None
) -> pd.DataFrame:
    """Return the enrolments: the draw, and the rows of a later one."""
    first = {"employee_id": people, "intake_date": drawn.intake, "offered": drawn.offered, "start_date": drawn.start}
    rows = pd.concat([pd.DataFrame(first | {"stratum": stratum}), again], ignore_index=True)
    rows = rows.drop(columns="stratum") if stratum is None else rows
    n = len(rows)
    return table("enrolments", program_id=["circle"] * n, role=[ROLE] * n, **{c: rows[c].to_numpy() for c in rows})


def surveyed(people: np.ndarray, scores: tuple) -> dict[str, pd.DataFrame]:
    """Return two waves of the morale items, in May before the intake and in March after it, a year on."""
    items = ("mor1", "mor2", "mor4")
    waves = table(
        "waves",
        wave=[1, 2],
        instrument=["pulse", "pulse"],
        opens=pd.to_datetime(["2022-05-01", "2023-03-01"]),
        closes=pd.to_datetime(["2022-05-15", "2023-03-15"]),
    )
    parts = [
        pd.DataFrame({"employee_id": people, "wave": wave, "instrument": "pulse", "item": item, "value": score})
        for wave, score in enumerate(scores, start=1)
        for item in items
    ]
    rows = pd.concat(parts, ignore_index=True)
    responses = table("responses", **{c: rows[c].to_numpy() for c in rows})
    return {"waves": waves, "responses": responses}


def lots(stratum: np.ndarray, n_offered: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Return who is offered a place: so many of each stratum, drawn by lot, shape (people,)."""
    order = np.lexsort((draw.random(len(stratum)), stratum))
    rank = np.empty(len(stratum), dtype=int)
    rank[order] = np.arange(len(stratum)) - np.searchsorted(stratum[order], stratum[order])
    return rank < n_offered[stratum]


def never(n: int) -> np.ndarray:
    """Return no start day for `n` people."""
    return np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")


def started(offered: np.ndarray, intake: np.ndarray) -> np.ndarray:
    """Return a start ten days after the intake for those offered."""
    return np.where(offered, intake + np.timedelta64(10, "D"), np.datetime64("NaT"))


def coupled(risk_with: np.ndarray, risk_without: np.ndarray, draw: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return whether people leave with the program and without it: both potential outcomes."""
    u = draw.random(len(risk_with))
    return u < risk_with, u < risk_without


def effect_of(with_it: np.ndarray, without: np.ndarray, stratum: np.ndarray, offered: np.ndarray) -> float:
    """Return the mean difference of the potential outcomes, by stratum and then weighted by the number offered.

    It is that of everybody who drew: what lots estimate without bias and what their intervals are about (Neyman 1923).
    """
    difference = with_it.astype(float) - without
    by_stratum = np.bincount(stratum, weights=difference) / np.bincount(stratum)
    return float(np.average(by_stratum, weights=np.bincount(stratum, weights=offered)))


def by_department(draw: np.random.Generator, is_before: bool, named: bool, scale: bool = False) -> Case:
    """Return 260 people: 70 % of the calm department and 30 % of the other are offered a place.

    Morale is a point lower in the department that people leave.
    """
    n = 260
    department = np.arange(n) % 2
    intake = np.full(n, INTAKE)
    offered = lots(department, np.array([91, 39]), draw)
    risk = np.array(RISKS)[department]
    with_it, without = coupled(risk - TAKEN_OFF, risk, draw)
    level = 3.5 - 0.6 * department + 0.5 * draw.normal(size=n)
    effect, truth = 0.2, effect_of(with_it, without, department, offered)
    before, after = (level + 0.4 * draw.normal(size=n) - 0.3 * department * later for later in (0, 1))
    drawn = Drawn(intake, offered, np.where(offered, with_it, without) & ~scale, started(offered, intake), department)
    program = {"strata": ["department"]} if named and not is_before else {}
    scores = (np.clip(before, 1, 5), np.clip(after, 1, 5 - effect) + effect * offered) if scale else ()
    found = study("odds", drawn, draw, program, scores)
    return Case(found, ROLE, "H2_morale" if scale else "H1_retention", effect if scale else truth)


def strata_of(
    draw: np.random.Generator,
    is_before: bool,
    sizes: tuple[tuple[int, int, int], ...],
    effect: float = 0.0,
    scale: bool = False,
) -> Case:
    """Return strata of (how many, offered, not offered) people, as the enrolments name them; who leaves differs.

    For the code before, which knows no strata, each is an intake of its own, on successive days.
    """
    n1, n0 = (np.repeat([size[arm] for size in sizes], [size[0] for size in sizes]) for arm in (1, 2))
    stratum = np.repeat(np.arange(len(n1)), n1 + n0)
    n = len(stratum)
    intake = INTAKE + (stratum if is_before else np.zeros(n, dtype=int)).astype("timedelta64[D]")
    named = {} if is_before else {"stratum": stratum.astype(str)}
    offered = lots(stratum, n1, draw)
    risk = draw.uniform(0.08, 0.24, len(n1))[stratum]
    with_it, without = coupled(np.maximum(risk + effect, 0.0), risk, draw)
    leaves = np.where(offered, with_it, without) & ~scale
    drawn = Drawn(intake, offered, leaves, started(offered, intake), draw.integers(0, 3, n))
    truth = effect_of(with_it, without, stratum, offered)
    if not scale:
        return Case(study("strata", drawn, draw, {}, **named), ROLE, "H1_retention", truth)
    level = 3 + 0.4 * draw.normal(size=len(n1))[stratum] + 0.6 * draw.normal(size=n)
    scores = (level + 0.4 * draw.normal(size=n), level + 0.4 * draw.normal(size=n) + effect * offered)
    return Case(study("strata", drawn, draw, {}, scores, **named), ROLE, "H2_morale", effect)


def drawn_again(draw: np.random.Generator, is_before: bool) -> Case:
    """Return 200 offered a place and 140 not, 54 of whom win the draw half a year on; starting takes 10 points off.

    Whoever had started by the seventh month is spared; exits come later.
    """
    n, n1 = 340, 200
    stratum = np.zeros(n, dtype=int)
    offered = lots(stratum, np.array([n1]), draw)
    losers = draw.permutation(np.flatnonzero(~offered))
    winners = losers[:54]
    takes_up = draw.random(n) < 0.85
    with_it, without = coupled(np.full(n, 0.15), np.full(n, 0.25), draw)
    second = INTAKE + np.timedelta64(183, "D")
    is_started = (offered & takes_up) | np.isin(np.arange(n), winners)
    start = np.where(offered & takes_up, INTAKE + np.timedelta64(10, "D"), np.datetime64("NaT"))
    drawn = Drawn(np.full(n, INTAKE), offered, np.where(is_started, with_it, without), start, draw.integers(0, 3, n))
    again = pd.DataFrame(
        {"employee_id": ids(2 * n)[losers], "intake_date": second, "offered": np.isin(losers, winners)}
    )
    again["start_date"] = again["intake_date"].where(again["offered"]) + pd.Timedelta(days=10)
    found = study("again", drawn, draw, {}, again=again)
    return Case(found, ROLE, "H1_retention", -0.10, estimand="CACE")


def one_early(draw: np.random.Generator, is_before: bool) -> Case:
    """Return a wait-list of 133 beside 130 offered; one starts after a month, the others after a year."""
    n, n1 = 263, 130
    offered = lots(np.zeros(n, dtype=int), np.array([n1]), draw)
    with_it, without = coupled(np.full(n, 0.12), np.full(n, 0.20), draw)
    waiting = draw.permutation(np.flatnonzero(~offered))
    start = started(offered, np.full(n, INTAKE))
    leaves = np.where(offered, with_it, without)
    later = waiting[~leaves[waiting]]
    start[later] = INTAKE + np.timedelta64(380, "D")
    start[later[0]] = INTAKE + np.timedelta64(30, "D")
    drawn = Drawn(np.full(n, INTAKE), offered, leaves, start, draw.integers(0, 3, n))
    truth = effect_of(with_it, without, np.zeros(n, dtype=int), offered)
    return Case(study("waiting", drawn, draw, {"assignment": "waitlist"}), ROLE, "H1_retention", truth)


def weak_offer(draw: np.random.Generator, is_before: bool) -> Case:
    """Return 300 people of whom offered or not hardly anybody starts: a complier effect cannot be told."""
    n = 300
    offered = lots(np.zeros(n, dtype=int), np.array([150]), draw)
    start = started(draw.random(n) < np.where(offered, 0.05, 0.03), np.full(n, INTAKE))
    leaves = draw.random(n) < 0.15
    drawn = Drawn(np.full(n, INTAKE), offered, leaves, start, draw.integers(0, 3, n))
    return Case(study("weak", drawn, draw, {}), ROLE, "H1_retention", 0.0, estimand="CACE")


Make = Callable[[np.random.Generator, bool], Case]


def _strata(name: str, about: str, *sizes: tuple[int, int, int], effect: float = 0.0) -> list[Situation]:
    """Return the situation for leaving (an effect in shares) and for morale (five times as many points)."""
    return [
        Situation(f"lottery-{name}", f"{about}; leaving", partial(strata_of, sizes=sizes, effect=effect)),
        Situation(
            f"lottery-{name}-morale",
            f"{about}; morale",
            partial(strata_of, sizes=sizes, effect=-5 * effect, scale=True),
        ),
    ]


SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "lottery-odds-unnamed",
        "70 % of one department and 30 % of the other are offered a place, and no strata are named",
        partial(by_department, named=False),
        is_refused=True,
    ),
    Situation(
        "lottery-odds-unnamed-morale",
        "70 % of one department and 30 % of the other are offered a place, and no strata are named; morale",
        partial(by_department, named=False, scale=True),
        is_refused=True,
    ),
    Situation(
        "lottery-odds",
        "70 % of one department and 30 % of the other are offered a place, strata named",
        partial(by_department, named=True),
    ),
    Situation(
        "lottery-odds-morale",
        "70 % of one department and 30 % of the other are offered a place, strata named; morale",
        partial(by_department, named=True, scale=True),
    ),
    *_strata("strata-3-1", "40 strata of 3 offered and 1 not", (40, 3, 1)),
    *_strata("strata-2-1", "36 strata of 2 offered and 1 not", (36, 2, 1)),
    *_strata("strata-4-4", "24 strata of 4 offered and 4 not", (24, 4, 4)),
    *_strata("strata-mixed", "strata from 1 and 1 to 30 and 60", (10, 1, 1), (10, 3, 1), (2, 30, 60), effect=-0.06),
    *_strata("strata-large", "two large strata with twice as many offered as not", (2, 120, 60), effect=-0.06),
    *_strata("one-in-five", "a large stratum of which a fifth is offered", (1, 60, 240), effect=-0.06),
    *_strata("strata-3-1-effect", "40 strata of 3 offered and 1 not, with an effect", (40, 3, 1), effect=-0.06),
    Situation(
        "lottery-drawn-again", "losers of one draw win the next: the complier effect of having started", drawn_again
    ),
    Situation("lottery-one-early", "one of 133 waiting starts early", one_early),
    Situation("lottery-weak-offer", "an offer that hardly raises starting: a complier effect", weak_offer, True),
)
