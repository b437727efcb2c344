"""When people leave: hazards that are constant within calendar months, and their risks in closed form."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.plan.probability import rng
from analysis.simulate.people import first_day
from analysis.simulate.scenario import NEVER, Scenario, day, month_begins, month_ends, month_starts, months_later

# --- hazards ----------------------------------------------------------------------------------------------------------
# When people leave: hazards that are constant within calendar months, so that every risk has a closed form.

DAYS_PER_YEAR = 365.25
OTHER_KINDS = ("involuntary", "retirement", "end_of_contract", "transfer", "death")


@dataclass(frozen=True)
class Hazard:
    """Daily hazards of one cause, one row per spell and one column per calendar month.

    Attributes
    ----------
    months
        First day of every month, and of the month after the last.
    per_day
        Spells × months; events per day.
    cumulative
        Spells × (months + 1); the hazard summed from the first month's first day to each month's first day.
    """

    months: np.ndarray
    per_day: np.ndarray
    cumulative: np.ndarray

    @classmethod
    def of(cls, months: np.ndarray, per_day: np.ndarray) -> "Hazard":
        """Return the hazard with its cumulative sums."""
        sums = np.cumsum(per_day * np.diff(months), axis=1)
        return cls(months, per_day, np.hstack([np.zeros((len(per_day), 1)), sums]))

    def month_of(self, days: np.ndarray) -> np.ndarray:
        """Return the month's column that holds each day; days beyond the grid count to its last month."""
        return np.clip(np.searchsorted(self.months, days, side="right") - 1, 0, self.per_day.shape[1] - 1)

    def until(self, rows: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Return the cumulative hazard of spells `rows` before the day `days` begins (arrays that broadcast)."""
        month = self.month_of(days)
        return self.cumulative[rows, month] + self.per_day[rows, month] * (days - self.months[month])

    def day_reached(self, rows: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Return the day on which the cumulative hazard of `rows` passes `total`; `NEVER` where the grid ends first."""
        month = (self.cumulative[rows] <= total[:, None]).sum(axis=1) - 1
        beyond = month >= self.per_day.shape[1]
        month = np.minimum(month, self.per_day.shape[1] - 1)
        rate = self.per_day[rows, month]
        days = self.months[month] + (total - self.cumulative[rows, month]) / np.where(rate > 0, rate, 1.0)
        return np.where(beyond, NEVER, np.floor(np.where(beyond, 0.0, days)).astype(np.int64))


@dataclass(frozen=True)
class Hazards:
    """The hazards of every cause, and the calendar that makes days of exit of them.

    Attributes
    ----------
    entry
        Day each spell comes under the hazards: its hire day, or the first day simulated.
    decision
        Of the decision to leave voluntarily.
    other, other_parts
        Of all other exits together, and of each (kinds × spells × months, in the order of `OTHER_KINDS`).
    at_month_end
        Whoever is to leave stays to the last day of that calendar month.
    """

    entry: np.ndarray
    decision: Hazard
    other: Hazard
    other_parts: np.ndarray
    at_month_end: bool

    def last_day(self, due: np.ndarray) -> np.ndarray:
        """Return the last day employed of those who are to leave on the days `due`."""
        return month_ends(due) if self.at_month_end else due

    def earliest_due(self, last: np.ndarray) -> np.ndarray:
        """Return the first day due that makes a last day employed of `last` or later."""
        return month_begins(last) if self.at_month_end else last

    def other_exit(self, spells: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the day of each spell's latent exit of another kind, and that kind's index."""
        rows = np.arange(len(spells))
        days = self.other.day_reached(rows, self.other.until(rows, self.entry) + spells["other_draw"].to_numpy())
        parts = self.other_parts[:, rows, self.other.month_of(days)].cumsum(axis=0)
        kind = (parts < spells["kind_draw"].to_numpy() * parts[-1]).sum(axis=0)
        return self.last_day(days), kind

    def no_other_exit(self, rows: np.ndarray, after: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the probability of no exit of another kind before the day `before`, given none up to `after`.

        Arrays that broadcast; the days are last days employed.
        """
        known = np.maximum(self.earliest_due(after + 1), self.entry[rows])
        return np.exp(-(self.other.until(rows, self.earliest_due(before)) - self.other.until(rows, known)))

    def decision_total(self, spells: pd.DataFrame) -> np.ndarray:
        """Return the cumulative hazard at which each spell's decision to leave falls, untreated."""
        return self.decision.until(np.arange(len(spells)), self.entry) + spells["voluntary_draw"].to_numpy()


def hazards(scenario: Scenario, spells: pd.DataFrame) -> Hazards:
    """Return the hazards of every spell, from before the study starts to a horizon after its data lock.

    They depend on fixed attributes, traits, tenure, age and calendar time alone, never on anything random that
    happens later: the risk of a person with these traits is then known exactly.
    """
    end = months_later(np.array([day(scenario.as_of)]), max(scenario.horizons_months) + 4)[0]
    months = month_starts(first_day(scenario), int(end))
    middle = (months[:-1] + months[1:]) / 2
    years = np.maximum(middle - spells["hire"].to_numpy()[:, None], 0) / DAYS_PER_YEAR
    age = 1970 + middle / DAYS_PER_YEAR - spells["birth_year"].to_numpy()[:, None]
    other = _other_per_year(scenario, spells, age) / DAYS_PER_YEAR
    decision = _decision_per_year(scenario, spells, years, months) / DAYS_PER_YEAR
    return Hazards(
        np.maximum(spells["hire"].to_numpy(), months[0]),
        Hazard.of(months, decision),
        Hazard.of(months, other.sum(axis=0)),
        other,
        scenario.exits_at_month_end,
    )


def _decision_per_year(scenario: Scenario, spells: pd.DataFrame, years: np.ndarray, months: np.ndarray) -> np.ndarray:
    random = rng(scenario.name, "departments")
    department = dict(zip(scenario.departments, random.normal(0, 0.15, len(scenario.departments)), strict=True))
    fixed = (
        np.log(scenario.annual_voluntary)
        + scenario.per_level * (spells["level"] - 1)
        + scenario.per_performance * spells["performance"]
        + scenario.per_morale * spells["morale"]
        + spells["department"].map(department)
    ).to_numpy(dtype=float)
    log_rate = fixed[:, None] + scenario.early_tenure * np.exp(-years / 1.5)
    for shock in scenario.shocks:
        first = np.searchsorted(months, day(shock.date), side="right") - 1
        log_rate[:, max(first, 0) : first + shock.months] += shock.log_hazard
    return np.exp(log_rate)


def _other_per_year(scenario: Scenario, spells: pd.DataFrame, age: np.ndarray) -> np.ndarray:
    level = spells["level"].to_numpy()[:, None]
    involuntary = scenario.annual_involuntary * np.exp(-0.4 * spells["performance"].to_numpy()[:, None])
    retirement = np.where(age > 60, 0.06 * np.exp(0.5 * np.clip(age - 60, 0, 7)), 0.0)
    end_of_contract = np.where(level <= 2, scenario.annual_end_of_contract, 0.0)
    death = 0.0012 * np.exp(0.08 * (age - 45))
    return np.stack(
        [
            np.broadcast_to(part, age.shape)
            for part in (involuntary, retirement, end_of_contract, scenario.annual_transfer, death)
        ]
    )


# --- risks ------------------------------------------------------------------------------------------------------------
# Risks in closed form, given who somebody is: no draw blurs them.


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
    start never starts, so that they, should they still be there in a later round, have the untreated chance.
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
