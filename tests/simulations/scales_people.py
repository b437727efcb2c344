"""One company of a world: its people, both potential scores of each on every wave, and the tables that a study sees."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.measure.scales import SCORE_COLUMNS
from analysis.plan.contract import Tables
from analysis.plan.study import Program, Study
from simulations.scales_worlds import N_WAVES, Moment, World

OPENS = pd.to_datetime(["2021-03-01", "2021-09-06", "2022-03-07", "2022-09-05", "2023-03-06", "2023-09-04"])
CLOSES = OPENS + pd.Timedelta(days=21)
PROGRAM, ROLE, NEVER = "circle", "mentor", N_WAVES + 1
MORALE_SD, WAVE_SD, ITEM_SD = 0.5, 0.45, 0.6
# Everybody improves by this, from wave to wave.
COMMON = np.array([0.0, 0.08, 0.02, 0.12, 0.06, 0.10]).cumsum()
ITEM_INTERCEPTS = np.linspace(-0.25, 0.25, 5)
OFFERED, TAKEN_UP = 0.5, 0.8
STUDY = Study(
    schema_version=1,
    study="simulated-scales",
    title="A simulated company",
    study_start="2020-01-01",
    as_of="2024-06-30",
    simulated=True,
)


@dataclass(frozen=True)
class Company:
    """What a study sees of one company, and what nobody sees.

    Attributes
    ----------
    tables
        Canonical employees, jobs, waves and enrolments.
    scores
        As from `measure.scales`: answered waves alone.
    untreated, actual
        Every person's score on every wave, answered or not, without and with the program; shape (people, waves).
    is_answered, is_there
        Shape (people, waves).
    """

    tables: Tables
    scores: pd.DataFrame
    untreated: np.ndarray
    actual: np.ndarray
    is_answered: np.ndarray
    is_there: np.ndarray

    def effect(self, rows: pd.DataFrame) -> np.ndarray:
        """Return what the program did to each row's person by its later wave, in points; shape (rows,)."""
        person, wave = rows["employee_id"].astype(int).to_numpy(), rows["wave_after"].astype(int).to_numpy()
        return (self.actual - self.untreated)[person, wave - 1]


def program_of(world: World) -> Program:
    """Return the program as a study states it."""
    assignment = "lottery" if world.is_lottery else "self_selected"
    return Program(id=PROGRAM, name="Circle", direction="reverse", format="pair", assignment=assignment)


def company_of(world: World, draw: np.random.Generator) -> Company:
    """Return one company."""
    n = world.n_people
    people = _people(n, draw)
    index = _index(people)
    stable = draw.normal(size=n)
    noise = WAVE_SD * draw.normal(size=(n, N_WAVES))
    level = world.mean + MORALE_SD * stable + 0.15 * people["rating_z"].to_numpy()
    waves = np.arange(N_WAVES)
    latent = level[:, None] + COMMON + world.trend * index[:, None] * waves + noise
    base, enrolments = _starts(world, people, index, stable, latent, draw)
    starts = (base < NEVER)[:, None]
    latent += world.drift * starts * (waves + 1 - world.drifts_from).clip(0)
    since = np.maximum(waves + 1 - base[:, None], 0)
    own = world.effect + world.spread * stable[:, None]
    gain = np.where(since > 0, own * (1 + world.growth * (since - 1)), 0.0)
    untreated, actual = _observed(world, latent, gain, draw)
    moments = [
        Moment(
            wave,
            people["rating_z"].to_numpy(),
            stable,
            actual[:, wave - 1] - world.mean,
            actual[:, min(world.bases) - 1] - world.mean,
            base < wave,
        )
        for wave in range(1, N_WAVES + 1)
    ]
    leaving, answering = draw.random((2, n, N_WAVES))
    gone = np.column_stack([leaving[:, m.wave - 1] < world.leaves(m) for m in moments])
    gone[:, : min(world.bases)] = False
    is_there = ~np.logical_or.accumulate(gone, axis=1)
    is_answered = is_there & np.column_stack([answering[:, m.wave - 1] < world.answers(m) for m in moments])
    enrolments = enrolments[is_there[enrolments["employee_id"].astype(int), enrolments["wave"] - 1]]
    tables = Tables(
        employees=_employees(people, is_there),
        jobs=_jobs(people),
        waves=pd.DataFrame({"wave": waves + 1, "instrument": "pulse", "opens": OPENS, "closes": CLOSES}),
        enrolments=enrolments.drop(columns="wave").reset_index(drop=True),
    )
    return Company(tables, _scores(actual, is_answered), untreated, actual, is_answered, is_there)


def _people(n: int, draw: np.random.Generator) -> pd.DataFrame:
    rating = draw.choice([1, 2, 3, 4, 5], size=n, p=[0.05, 0.15, 0.4, 0.28, 0.12])
    tenure = draw.uniform(0.5, 16.0, size=n)
    age = (24 + tenure + draw.gamma(2.0, 6.0, size=n)).clip(max=64)
    return pd.DataFrame(
        {
            "employee_id": [f"{i:04d}" for i in range(n)],
            "performance_rating": rating.astype(float),
            "rating_z": (rating - 3.27) / 1.02,
            "tenure": tenure,
            "birth_year": np.rint(2021 - age),
            "department": draw.choice(["Claims", "Finance", "Sales", "Service"], size=n),
            "location": draw.choice(["Ghent", "Lille"], size=n),
            "job_level": draw.integers(3, 8, size=n).astype(float),
        }
    )


def _index(people: pd.DataFrame) -> np.ndarray:
    """Return the index of what is recorded, about standardized: it says who starts, and who improves anyway."""
    tenure, age = (people["tenure"] - 8.25) / 4.5, (2021 - people["birth_year"] - 44) / 9
    in_sales = (people["department"] == "Sales") - 0.25
    return (0.7 * people["rating_z"] - 0.4 * tenure - 0.2 * age + 0.6 * in_sales).to_numpy()


def _starts(world: World, people, index, stable, latent, draw) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the wave after which each person starts (`NEVER` for the others), and who enrolled.

    Who leaves before the next wave is taken out of the enrolments later.
    """
    n = len(people)
    base, drew, parts = np.full(n, NEVER), np.full(n, False), []
    for wave in world.bases:
        last = latent[:, wave - 1] - world.mean - COMMON[wave - 1]
        chance = world.log_odds + world.on_recorded * index + world.on_morale * stable + world.on_last_score * last
        chosen = np.flatnonzero((base == NEVER) & ~drew & (draw.random(n) < 1 / (1 + np.exp(-chance))))
        offered = np.full(len(chosen), True)
        if world.is_lottery:
            offered = draw.permutation(len(chosen)) < OFFERED * len(chosen)
        is_started = offered & (draw.random(len(chosen)) < (TAKEN_UP if world.is_lottery else 1.0))
        drew[chosen], base[chosen[is_started]] = True, wave
        intake = CLOSES[wave - 1] + pd.Timedelta(days=14)
        day = intake + pd.to_timedelta(7 * draw.integers(1, 6, size=len(chosen)), unit="D")
        parts.append(
            pd.DataFrame(
                {
                    "program_id": PROGRAM,
                    "intake_date": intake,
                    "employee_id": people["employee_id"].to_numpy()[chosen],
                    "role": ROLE,
                    "offered": pd.array(offered if world.is_lottery else [None] * len(chosen), dtype="boolean"),
                    "start_date": pd.Series(day).where(is_started),
                    "wave": wave,
                }
            )
        )
    return base, pd.concat(parts, ignore_index=True)


def _observed(world: World, latent: np.ndarray, gain: np.ndarray, draw) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores without and with the program, the items' noise the same in both."""
    if not world.is_counted_in_items:
        return latent, latent + gain
    noise = ITEM_INTERCEPTS + ITEM_SD * draw.normal(size=(*latent.shape, len(ITEM_INTERCEPTS)))
    return tuple(np.rint(value[..., None] + noise).clip(1, 5).mean(axis=-1) for value in (latent, latent + gain))


def _employees(people: pd.DataFrame, is_there: np.ndarray) -> pd.DataFrame:
    """Return the spells; whoever leaves does so ten days before the first wave that does not find him."""
    first_missed = np.where(is_there.all(axis=1), -1, np.argmin(is_there, axis=1))
    exits = pd.Series(OPENS[first_missed] - pd.Timedelta(days=10)).where(first_missed >= 0)
    hired = pd.Timestamp("2021-01-01") - pd.to_timedelta(np.rint(365.25 * people["tenure"]), unit="D")
    return pd.DataFrame(
        {
            "employee_id": people["employee_id"],
            "hire_date": hired,
            "exit_date": exits,
            "exit_type": pd.Series(None, index=people.index, dtype=object).where(first_missed < 0, "voluntary"),
            "notice_date": pd.NaT,
            "birth_year": people["birth_year"],
            "location": people["location"],
        }
    )


def _jobs(people: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "employee_id": people["employee_id"],
            "effective_date": pd.Timestamp("2021-01-01"),
            "job_level": people["job_level"],
            "job_family": None,
            "department": people["department"],
            "manager_id": None,
            "fte": 1.0,
            "base_salary": np.nan,
            "performance_rating": people["performance_rating"],
        }
    )


def _scores(values: np.ndarray, is_answered: np.ndarray) -> pd.DataFrame:
    person, wave = np.nonzero(is_answered)
    frame = pd.DataFrame(
        {
            "employee_id": [f"{i:04d}" for i in person],
            "wave": wave + 1,
            "opens": OPENS[wave],
            "closes": CLOSES[wave],
            "score": values[person, wave],
        }
    )
    return frame.reindex(columns=SCORE_COLUMNS)
