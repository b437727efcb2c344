"""What happens to people on the job: yearly ratings, promotions and moves between departments."""

from dataclasses import dataclass

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
    promoted
        Spells × promotion rounds.
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
    promoted: np.ndarray
    moved_to: np.ndarray

    def level_on(self, on: int) -> np.ndarray:
        """Return every spell's job level on a day."""
        return self.level_at(np.full(len(self.first), on))

    def level_at(self, days: np.ndarray) -> np.ndarray:
        """Return each spell's job level on a day of its own."""
        return self.first_level + (self.promoted & (self.promotions <= days[:, None])).sum(axis=1)

    def department_on(self, on: int) -> np.ndarray:
        """Return every spell's department (its index) on a day."""
        return _last_known(self.first_department, self.moved_to[:, self.moves <= on])

    def rating_on(self, on: int) -> np.ndarray:
        """Return every spell's last performance rating on a day, NaN before the first."""
        return _last_known(self.first_rating, self.ratings[:, self.reviews <= on])

    def joined(self, other: "Careers") -> "Careers":
        """Return these careers followed by those of further spells."""
        per_spell = ("first", "first_level", "first_department", "first_rating", "ratings", "promoted", "moved_to")
        together = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in per_spell}
        return Careers(self.departments, reviews=self.reviews, promotions=self.promotions, moves=self.moves, **together)


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
    reviews, promotions, moves = (yearly(month, 1, start + 1, end) for month in (3, 4, 7))
    measured = np.rint(3.2 + 0.7 * performance[:, None] + random.normal(0, 0.4, (n, len(reviews) + 1))).clip(1, 5)
    reviewed = hire[:, None] <= np.append(reviews, start) - MIN_REVIEW_TENURE_DAYS
    measured = np.where(reviewed, measured, np.nan)
    logit = np.log(scenario.promotion_share / (1 - scenario.promotion_share))
    chance = expit(logit + 0.5 * performance - 0.15 * (level - 3))
    promoted = random.random((n, len(promotions))) < chance[:, None]
    promoted &= hire[:, None] <= promotions - MIN_PROMOTION_TENURE_DAYS
    promoted &= level[:, None] + promoted.cumsum(axis=1) <= len(scenario.stock_levels)
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
        promoted,
        moved_to,
    )
