"""What happens to people on the job: yearly ratings, promotions and moves between departments."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.plan.seeds import rng
from analysis.simulate.days import day, yearly
from analysis.simulate.people import first_day
from analysis.simulate.scenario import Scenario

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
