"""Who works there, and what happens to them on the job: ratings, promotions and moves."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from analysis.plan.probability import rng
from analysis.simulate.scenario import Construct, Scenario, day, yearly

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


# --- careers ----------------------------------------------------------------------------------------------------------
# What happens to people on the job: yearly ratings, promotions and moves between departments.

MIN_REVIEW_TENURE_DAYS = 90
MIN_PROMOTION_TENURE_DAYS = 365


@dataclass(frozen=True)
class Careers:
    """Every spell's career, whether or not it lasts so long; one row per spell.

    Attributes
    ----------
    first
        Day of the first record: hired, or entered into the HR system before the study starts.
    first_level, first_department, first_rating
        What holds on that day; a rating is missing (NaN) before the first review.
    reviews, promotions, moves
        The days of the yearly review, promotion round and transfer round.
    ratings
        Spells × reviews; 1 to 5, NaN where too new.
    promotion_draws
        Spells × promotion rounds; uniform, promoted where below the chance of that round.
    promoted
        Spells × promotion rounds, with the program as it happened.
    moved_to
        Spells × transfer rounds; index of the new department, −1 = stays.
    """

    departments: tuple[str, ...]
    first: np.ndarray
    first_level: np.ndarray
    first_department: np.ndarray
    first_rating: np.ndarray
    reviews: np.ndarray
    promotions: np.ndarray
    moves: np.ndarray
    ratings: np.ndarray
    promotion_draws: np.ndarray
    promoted: np.ndarray
    moved_to: np.ndarray

    def level_on(self, on: int) -> np.ndarray:
        """Return every spell's job level on a day."""
        return self.level_at(np.full(len(self.first), on))

    def level_at(self, days: np.ndarray, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return each spell's job level on a day of its own; of spells `rows` only, with a day for each."""
        return self.first_level[rows] + (self.promoted[rows] & (self.promotions <= days[:, None])).sum(axis=1)

    def department_on(self, on: int) -> np.ndarray:
        """Return every spell's department (its index) on a day."""
        return _last_known(self.first_department, self.moved_to[:, self.moves <= on])

    def rating_on(self, on: int) -> np.ndarray:
        """Return every spell's last performance rating on a day, NaN before the first."""
        return _last_known(self.first_rating, self.ratings[:, self.reviews <= on])

    def joined(self, other: "Careers") -> "Careers":
        """Return these careers followed by those of further spells."""
        shared = {"departments", "reviews", "promotions", "moves"}
        per_spell = [field.name for field in fields(self) if field.name not in shared]
        together: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in per_spell
        }
        return replace(self, **together)

    def with_program(self, scenario: Scenario, spells: pd.DataFrame, start: np.ndarray, ratio: np.ndarray) -> "Careers":
        """Return the careers with each spell's odds of promotion multiplied by `ratio` in the rounds after `start`.

        The draws stay the same, so that both potential careers of a spell are known.
        """
        odds = np.where(self.promotions > start[:, None], ratio[:, None], 1.0)
        return replace(self, promoted=_promoted(scenario, spells, self.promotions, self.promotion_draws, odds))


def promotion_rounds(first: int, last: int) -> np.ndarray:
    """Return the days of the yearly promotion rounds from `first` to `last` (both included)."""
    return yearly(4, 1, first, last)


def promotion_chance(
    scenario: Scenario, spells: pd.DataFrame, rounds: np.ndarray, odds_ratio: np.ndarray | float = 1.0
) -> np.ndarray:
    """Return each spell's chance of promotion in each of `rounds` (days), below the highest level.

    Spells × rounds, as `odds_ratio` may be, by which the odds are multiplied. The chance follows the performance trait
    and the job level on hiring, never anything random that happens later; it is 0 where the tenure is too short.
    """
    share, hire = scenario.promotion_share, spells["hire"].to_numpy()[:, None]
    fixed = 0.5 * spells["performance"].to_numpy() - 0.15 * (spells["level"].to_numpy() - 3)
    chance = expit((np.log(share / (1 - share)) + fixed)[:, None] + np.log(odds_ratio))
    return np.where(hire <= rounds - MIN_PROMOTION_TENURE_DAYS, chance, 0.0)


def highest_level(scenario: Scenario) -> int:
    """Return the job level beyond which nobody rises."""
    return len(scenario.stock_levels)


def _promoted(
    scenario: Scenario, spells: pd.DataFrame, rounds: np.ndarray, draws: np.ndarray, odds_ratio: np.ndarray | float
) -> np.ndarray:
    """Return who is promoted in which round (spells × rounds)."""
    promoted = draws < promotion_chance(scenario, spells, rounds, odds_ratio)
    return promoted & (spells["level"].to_numpy()[:, None] + promoted.cumsum(axis=1) <= highest_level(scenario))


def _last_known(first: np.ndarray, later: np.ndarray) -> np.ndarray:
    now = first.astype(later.dtype)
    for column in later.T:
        known = ~np.isnan(column) if later.dtype.kind == "f" else column >= 0
        now[known] = column[known]
    return now


def careers(scenario: Scenario, spells: pd.DataFrame, batch: str) -> Careers:
    """Return the careers of `spells`; ratings measure the performance trait with error, promotions follow it."""
    random = rng(scenario.name, "careers", batch)
    n, start, end = len(spells), first_day(scenario), day(scenario.as_of)
    hire, level = spells["hire"].to_numpy(), spells["level"].to_numpy()
    performance = spells["performance"].to_numpy()
    reviews, moves = (yearly(month, 1, start + 1, end) for month in (3, 7))
    promotions = promotion_rounds(start + 1, end)
    measured = np.rint(3.2 + 0.7 * performance[:, None] + random.normal(0, 0.4, (n, len(reviews) + 1))).clip(1, 5)
    reviewed = hire[:, None] <= np.append(reviews, start) - MIN_REVIEW_TENURE_DAYS
    measured = np.where(reviewed, measured, np.nan)
    draws = random.random((n, len(promotions)))
    moved_to = np.where(
        random.random((n, len(moves))) < scenario.move_share,
        random.integers(0, len(scenario.departments), (n, len(moves))),
        -1,
    )
    moved_to[hire[:, None] >= moves] = -1
    department = np.array([scenario.departments.index(name) for name in spells["department"]], dtype=np.int64)
    return Careers(
        scenario.departments,
        np.maximum(hire, start),
        level,
        department,
        measured[:, -1],
        reviews,
        promotions,
        moves,
        measured[:, :-1],
        draws,
        _promoted(scenario, spells, promotions, draws, odds_ratio=1.0),
        moved_to,
    )
