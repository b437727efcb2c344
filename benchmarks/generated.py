"""A company made up for the benchmark of scales: everybody stays, eight waves, one instrument of 20 items."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.plan.contract import Tables
from analysis.plan.instruments import Instrument
from analysis.plan.probability import rng
from analysis.plan.study import Study
from analysis.simulate.tables import typed

CONSTRUCTS = ("morale", "leadership", "digital_fluency", "recognition")
ITEMS_EACH, REVERSED = 5, (2, 4)
N_WAVES, WINDOW_DAYS = 8, 18
OPENS = pd.date_range("2020-03-02", periods=N_WAVES, freq="182D")
# The intakes fall between waves 3 and 4, 4 and 5, 5 and 6; each starts people on six Mondays.
INTAKES_AFTER, START_MONDAYS = (3, 4, 5), 6
START_SHARE, SKIP_SHARE, FULL = 0.04, 0.05, 1.0
EFFECT, PROGRAM, ROLE, INSTRUMENT = 0.15, "circle", "participant", "twenty"


@dataclass(frozen=True)
class Generated:
    """What is read of the company: its study, its instrument cards and its tables."""

    study: Study
    instruments: dict[str, Instrument]
    tables: Tables


def generated(n: int, response_share: float) -> Generated:
    """Return a company of `n` employees, of whom on each wave that share answers (1 = everybody, on every wave)."""
    random = rng("benchmark-scales", n, response_share)
    ids = pd.Series([f"E{i:07d}" for i in range(n)], dtype="str")
    people = _people(n, random)
    starts = _starts(people, random)
    tables = Tables(
        employees=_employees(ids, people),
        jobs=_jobs(ids, people, random),
        waves=_waves(),
        responses=_responses(ids, people, starts, response_share, random),
        enrolments=_enrolments(ids, starts),
    )
    return Generated(_study(), {INSTRUMENT: _instrument()}, tables)


def _study() -> Study:
    program = {
        "id": PROGRAM,
        "name": "Circle",
        "direction": "mutual",
        "format": "group",
        "assignment": "self_selected",
        "eligibility": {ROLE: {"job_level": [1, 8]}},
    }
    # A first horizon that holds every later wave: the group-time effects are then those of Callaway & Sant'Anna.
    return Study.model_validate(
        {
            "schema_version": 1,
            "study": "benchmark",
            "title": "Benchmark",
            "study_start": "2020-01-01",
            "as_of": "2024-12-31",
            "horizons_months": [36],
            "programs": [program],
            "simulated": True,
        }
    )


def _instrument() -> Instrument:
    scales = {
        construct: {
            "construct": construct,
            "source": "made up",
            "licence": "CC0-1.0",
            "items": {_item(construct, i): {"reversed": i in REVERSED} for i in range(ITEMS_EACH)},
        }
        for construct in CONSTRUCTS
    }
    return Instrument.model_validate(
        {"instrument": INSTRUMENT, "title": "Twenty items", "response": {"min": 1, "max": 5}, "scales": scales}
    )


def _item(construct: str, i: int) -> str:
    return f"{construct}_{i + 1}"


def _people(n: int, random: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "hire": np.datetime64("2019-12-01") - random.gamma(1.5, 1_300, n).astype("timedelta64[D]"),
            "birth_year": random.integers(1958, 2000, n),
            "level": random.choice(np.arange(1, 9), n, p=np.array([20, 20, 18, 16, 12, 7, 4, 3]) / 100),
            "performance": random.normal(size=n),
            "department": random.integers(8, size=n),
            "location": random.integers(4, size=n),
            "willing": random.normal(size=n),
        }
    )


def _starts(people: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return who starts (row of `people`), at which intake and on which day; the well rated and the junior rather."""
    pull = 0.5 * people["performance"] - 0.15 * (people["level"] - 3)
    noise = random.gumbel(size=len(people))
    who = np.sort(np.argsort(-(pull + noise).to_numpy())[: round(START_SHARE * len(people))])
    intake = random.integers(len(INTAKES_AFTER), size=len(who))
    begins = OPENS[np.array(INTAKES_AFTER) - 1] + pd.Timedelta(days=6 * 7)
    day = begins[intake] + pd.to_timedelta(7 * random.integers(START_MONDAYS, size=len(who)), unit="D")
    return pd.DataFrame({"person": who, "intake": begins[intake], "start": day})


def _employees(ids: pd.Series, people: pd.DataFrame) -> pd.DataFrame:
    return typed(
        "employees",
        pd.DataFrame(
            {
                "employee_id": ids,
                "hire_date": people["hire"],
                "birth_year": people["birth_year"],
                "location": np.array([f"Site {i}" for i in range(4)], dtype=object)[people["location"]],
            }
        ),
    )


def _jobs(ids: pd.Series, people: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return four rows a person: the first record, and three yearly ratings."""
    n = len(ids)
    departments = np.array([f"Department {i}" for i in range(8)], dtype=object)[people["department"]]
    years = [
        {
            "employee_id": ids,
            "effective_date": np.datetime64(f"{year}-01-01"),
            "job_level": people["level"],
            "job_family": departments,
            "department": departments,
            "manager_id": ids.iloc[people.index // 8].to_numpy(),
            "base_salary": 30_000 * 1.24 ** (people["level"] - 1),
            "performance_rating": (3 + 0.7 * people["performance"] + random.normal(0, 0.5, n)).round().clip(1, 5),
        }
        for year in range(2020, 2024)
    ]
    rows = pd.concat([pd.DataFrame(year) for year in years], ignore_index=True)
    return typed("jobs", rows.sort_values(["employee_id", "effective_date"], ignore_index=True))


def _waves() -> pd.DataFrame:
    waves = {"wave": range(1, N_WAVES + 1), "instrument": INSTRUMENT, "opens": OPENS}
    return typed("waves", pd.DataFrame(waves).assign(closes=OPENS + pd.Timedelta(days=WINDOW_DAYS)))


def _enrolments(ids: pd.Series, starts: pd.DataFrame) -> pd.DataFrame:
    return typed(
        "enrolments",
        pd.DataFrame(
            {
                "program_id": PROGRAM,
                "intake_date": starts["intake"],
                "employee_id": ids.iloc[starts["person"]].to_numpy(),
                "role": ROLE,
                "start_date": starts["start"],
            }
        ),
    )


def _responses(
    ids: pd.Series, people: pd.DataFrame, starts: pd.DataFrame, share: float, random: np.random.Generator
) -> pd.DataFrame:
    """Return the answers wave by wave, person by person, item by item; a skipped item is a row without a value."""
    start = np.full(len(people), np.datetime64("NaT"), dtype="datetime64[ns]")
    start[starts["person"]] = starts["start"].to_numpy()
    trait = random.normal(0, 0.5, (len(people), len(CONSTRUCTS)))
    who, values, wave_of = [], [], []
    for wave, opens in enumerate(OPENS, start=1):
        answering = np.flatnonzero(_answers(people, share, random))
        # What the better rated gain over time is the confounding that the covariates must take up.
        trend = 0.02 * wave * people["performance"].to_numpy()[answering]
        effect = EFFECT * (start[answering] <= np.datetime64(opens))
        noise = random.normal(0, 0.35, (len(answering), len(CONSTRUCTS)))
        values.append(_ticked(3.3 + trait[answering] + noise + (trend + effect)[:, None], random).ravel())
        who.append(answering)
        wave_of.append(np.full(values[-1].size, wave, dtype=float))
    items = pd.Series([_item(c, i) for c in CONSTRUCTS for i in range(ITEMS_EACH)], dtype="str")
    forms = np.concatenate(who)
    frame = {
        "employee_id": ids.take(np.repeat(forms, len(items))).reset_index(drop=True),
        "wave": np.concatenate(wave_of),
        "instrument": pd.Series([INSTRUMENT], dtype="str").take(np.zeros(len(forms) * len(items), dtype=int)).array,
        "item": items.take(np.tile(np.arange(len(items)), len(forms))).array,
        "value": np.concatenate(values),
    }
    return typed("responses", pd.DataFrame(frame))


def _answers(people: pd.DataFrame, share: float, random: np.random.Generator) -> np.ndarray:
    """Return who answers a wave: the same people rather than others, and that share of them."""
    if share >= FULL:
        return np.ones(len(people), dtype=bool)
    wish = people["willing"] + random.normal(size=len(people))
    return (wish >= wish.quantile(1 - share)).to_numpy()


def _ticked(latent: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the ticks, shape (people, items), of latent values, shape (people, constructs)."""
    each = np.repeat(latent, ITEMS_EACH, axis=1)
    ticked = np.rint(each + random.normal(0, 0.6, each.shape)).clip(1, 5)
    is_reversed = np.isin(np.arange(ITEMS_EACH), REVERSED)[None, :].repeat(len(CONSTRUCTS), axis=0).ravel()
    ticked = np.where(is_reversed, 6 - ticked, ticked)
    return np.where(random.random(ticked.shape) < SKIP_SHARE, np.nan, ticked)
