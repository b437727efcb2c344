"""Who works there: one row per employment spell, with the latent traits that drive everything else."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.plan.seeds import rng
from analysis.simulate.days import day
from analysis.simulate.scenario import Construct, Scenario

RUN_IN_DAYS = 92  # observed by nobody: fills the first months with people under notice and leavers who are then dropped
MEAN_EARLIER_TENURE_DAYS = 1_500
NOTICE_DAYS = (30, 60)
# Correlations of the survey's other traits with morale; given morale they have nothing in common.
WITH_MORALE: dict[Construct, float] = {
    "digital_fluency": 0.2,
    "cross_generational_climate": 0.4,
    "idea_sharing": 0.4,
    "recognition": 0.5,
}
FLUENCY_PER_DECADE, FLUENCY_PER_LEVEL = -0.35, -0.10  # from age 40 and job level 3
GENDERS, GENDER_SHARES = ("female", "male", "nonbinary"), (0.47, 0.515, 0.015)


def first_day(scenario: Scenario) -> int:
    """Return the first day of the simulation, before the study starts."""
    return day(scenario.study_start) - RUN_IN_DAYS


def first_spells(scenario: Scenario) -> pd.DataFrame:
    """Return everyone's first spell: ids, hire day (number), fixed attributes, traits and the draws that decide exits.

    ``performance``, ``morale`` and ``leadership`` are standard normal traits, as are those of `attitudes` but for
    digital fluency; ``voluntary_draw`` and ``other_draw`` are unit exponentials, compared with cumulative hazards;
    ``kind_draw`` is uniform, for the kind of another exit.
    """
    random = rng(scenario.name, "people")
    n = scenario.employees
    n_stock = round(n * scenario.stock_share)
    start, end = first_day(scenario), day(scenario.as_of)
    earlier = start - 1 - np.minimum(random.exponential(MEAN_EARLIER_TENURE_DAYS, n_stock), 9_000).astype(int)
    later = random.integers(start, end, n - n_stock)
    level = np.concatenate(
        [_levels(random, scenario.stock_levels, n_stock), _levels(random, scenario.hire_levels, n - n_stock)]
    )
    hire = np.concatenate([earlier - 150 * (level[:n_stock] - 1), later])
    age_at_hire = np.clip(22 + 3.6 * (level - 1) + random.gamma(2.0, 2.6, n), 19, 60)
    birth_year = 1970 + np.floor(hire / 365.25 - age_at_hire).astype(int)
    spells = pd.DataFrame(
        {
            "spell": 1,
            "hire": hire,
            "level": level,
            "department": random.choice(scenario.departments, n),
            "job_family": random.choice(scenario.job_families, n),
            "location": random.choice(scenario.locations, n),
            "gender": random.choice(GENDERS, n, p=GENDER_SHARES),
            "birth_year": np.maximum(birth_year, 1958),
            "fte": random.choice((1.0, 0.8, 0.5), n, p=(0.88, 0.09, 0.03)),
            "pay_factor": np.exp(random.normal(0, 0.08, n)),
            **_traits(random, n),
        }
    ).sort_values("hire", kind="stable", ignore_index=True)
    spells.insert(0, "employee_id", _ids(scenario, random, n))
    return spells.assign(**exit_draws(random, n), **attitudes(scenario, spells))


def attitudes(scenario: Scenario, spells: pd.DataFrame) -> dict[Construct, np.ndarray]:
    """Return the traits behind the survey's other scales, moderately correlated with morale.

    Digital fluency falls with age (when the study starts) and with the job level on hiring: the gap that reverse
    mentoring is meant to close. Both are fixed, so that nobody's untreated trend differs from another's. Each trait has
    a stream of its own.
    """
    morale, traits = spells["morale"].to_numpy(), {}
    for construct, r in WITH_MORALE.items():
        own = _truncated_normal(rng(scenario.name, "trait", construct), len(spells))
        traits[construct] = r * morale + np.sqrt(1 - r**2) * own
    decades = (scenario.study_start.year - spells["birth_year"].to_numpy() - 40) / 10
    levels = spells["level"].to_numpy() - 3
    traits["digital_fluency"] += FLUENCY_PER_DECADE * decades + FLUENCY_PER_LEVEL * levels
    return traits


def returning_spells(scenario: Scenario, leavers: pd.DataFrame) -> pd.DataFrame:
    """Return a second spell for some of `leavers` (spells with ``exit``), hired 6 to 18 months after they left."""
    random = rng(scenario.name, "rehires")
    n = len(leavers)
    back = leavers["exit"].to_numpy() + random.integers(182, 548, n)
    returns = (random.random(n) < scenario.return_share) & (back < day(scenario.as_of) - 30)
    again = leavers.assign(spell=2, hire=back, **exit_draws(random, n))
    return again.loc[returns].reset_index(drop=True)


def exit_draws(random: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Return the draws that decide when and how `n` spells end."""
    return {
        "notice_days": random.integers(NOTICE_DAYS[0], NOTICE_DAYS[1] + 1, n),
        "voluntary_draw": random.exponential(1.0, n),
        "other_draw": random.exponential(1.0, n),
        "kind_draw": random.random(n),
    }


def _levels(random: np.random.Generator, weights: tuple[float, ...], n: int) -> np.ndarray:
    shares = np.asarray(weights, dtype=float)
    return 1 + random.choice(len(shares), n, p=shares / shares.sum())


def _traits(random: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    performance, morale, own = _truncated_normal(random, (3, n))
    return {"performance": performance, "morale": morale, "leadership": 0.5 * performance + np.sqrt(0.75) * own}


def _truncated_normal(random: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
    # truncated at three standard deviations, so that no clipped answer scale decides an estimate
    return norm.ppf(random.uniform(norm.cdf(-3), norm.cdf(3), shape))


def _ids(scenario: Scenario, random: np.random.Generator, n: int) -> list[str]:
    # five digits with leading zeros: distinctive enough that a search of a report for one finds leaks alone
    numbers = np.sort(random.choice(np.arange(1, max(10_000, 5 * n)), n, replace=False))
    return [f"{scenario.id_letter}{number:05d}" for number in numbers]
