"""Risks in closed form, given who somebody is: no draw blurs them."""

import numpy as np

from analysis.simulate.hazards import Hazards


def voluntary_risk(
    hazards: Hazards,
    rows: np.ndarray,
    notice_days: np.ndarray,
    *,
    origin: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    ratio: float,
) -> np.ndarray:
    """Return each spell's probability of a voluntary exit before the day `end`.

    Given that it is employed and not under notice on the day `origin`; treated from `start` (never before `origin`;
    `NEVER` = untreated) at hazard ratio `ratio`; the other exits compete. Summed over the days a decision can fall on:
    P(decided that day) × P(no other exit before the notice is over).
    """
    n_days = int((end - origin).max())
    at = origin[:, None] + 1 + np.arange(n_days + 1)
    undecided = undecided_share(hazards, rows, at, origin=origin, start=start, ratio=ratio)
    leave = hazards.last_day(at[:, :-1] + notice_days[:, None])
    still_there = hazards.no_other_exit(rows[:, None], origin[:, None], leave)
    return (-np.diff(undecided, axis=1) * still_there * (leave < end[:, None])).sum(axis=1)


def promotion_risk(
    hazards: Hazards,
    rows: np.ndarray,
    notice_days: np.ndarray,
    *,
    origin: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    ratio: float,
    rounds: np.ndarray,
    chance: np.ndarray,
    treated_chance: np.ndarray,
) -> np.ndarray:
    """Return each spell's probability of a first promotion after the day `origin` and before `end`, still employed.

    Given that it is employed and not under notice on `origin`; treated from `start` as in `voluntary_risk`, and
    promoted in the rounds after it with `treated_chance`, else with `chance` (both spells × `rounds`). Exits of every
    kind compete. Summed over the rounds: P(first promoted in it) × P(employed on its day). Who gives notice before the
    start never starts, so that he, should he still be there in a later round, has the untreated chance.
    """
    day = np.broadcast_to(rounds, chance.shape)
    in_time = (day > origin[:, None]) & (day < end[:, None])
    untreated = np.where(in_time, chance, 0.0)
    treated = np.where(in_time & (day > start[:, None]), treated_chance, untreated)
    # who is employed on the day of a round decides to leave so late that the notice runs beyond it, or not at all
    decides_from = np.maximum(hazards.earliest_due(day) - notice_days[:, None], origin[:, None] + 1)
    begins = np.maximum(decides_from, start[:, None] + 1)
    stays, stays_and_starts = (
        undecided_share(hazards, rows, at, origin=origin, start=start, ratio=ratio) for at in (decides_from, begins)
    )
    no_other = hazards.no_other_exit(rows[:, None], origin[:, None], np.maximum(day, origin[:, None] + 1))
    promoted = _first(treated) * stays_and_starts + _first(untreated) * (stays - stays_and_starts)
    return (promoted * no_other).sum(axis=1)


def undecided_share(
    hazards: Hazards, rows: np.ndarray, at: np.ndarray, *, origin: np.ndarray, start: np.ndarray, ratio: float
) -> np.ndarray:
    """Return the probability that each spell has not decided to leave before the days `at` (spells × days).

    Given that it had not up to the day `origin`; treated from the day after `start` at hazard ratio `ratio`.
    """
    row, first = rows[:, None], origin[:, None] + 1
    used = hazards.decision.until(row, at)
    begun = hazards.decision.until(row, np.maximum(np.minimum(at, start[:, None] + 1), first))
    before = begun - hazards.decision.until(row, first)
    return np.exp(-(before + ratio * (used - begun)))


def _first(chance: np.ndarray) -> np.ndarray:
    """Return the probability that the first success falls in each round (columns), from the chances of each."""
    none_before = np.cumprod(1 - chance, axis=1)
    return chance * np.hstack([np.ones((len(chance), 1)), none_before[:, :-1]])
