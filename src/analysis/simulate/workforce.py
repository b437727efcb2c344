"""Everyone's employment as it happened, and who reported to whom."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.plan.probability import rng
from analysis.simulate.enrolment import Enrolled, enrol
from analysis.simulate.hazards import OTHER_KINDS, Hazards, hazards
from analysis.simulate.people import Careers, careers, first_day, first_spells, returning_spells
from analysis.simulate.scenario import NEVER, Scenario, day, yearly

# --- workforce --------------------------------------------------------------------------------------------------------
# Everyone's employment as it happened: first spells with the program, then those who came back.


@dataclass(frozen=True)
class Workforce:
    """Every spell and what became of it.

    Attributes
    ----------
    spells
        One row per spell, first spells first: attributes, traits and draws (see `people`), then ``decision`` (the day
        notice is given), ``exit`` (last day employed), ``exit_kind``, ``start``, ``program`` (its id, empty = none) and
        ``role`` in it, and ``untreated_decision``. Days are numbers, `NEVER` = beyond the simulation; nothing is hidden
        at the data lock.
    careers
        In the order of `spells`.
    hazards
        Of the first spells only: nobody who came back takes part.
    enrolled
        Rows of the enrolment records count in `spells`.
    """

    spells: pd.DataFrame
    careers: Careers
    hazards: Hazards
    enrolled: Enrolled

    def employed_on(self, on: int) -> np.ndarray:
        """Return which spells are employed on a day."""
        return (self.spells["hire"].to_numpy() <= on) & (self.spells["exit"].to_numpy() >= on)


def workforce(scenario: Scenario) -> Workforce:
    """Simulate every spell of the company, the programs' intakes among them."""
    spells = first_spells(scenario)
    left_before = _exits(spells, hazards(scenario, spells), decision=None)["exit"] < day(scenario.study_start)
    spells = spells.loc[~left_before].reset_index(drop=True)
    hazard, career = hazards(scenario, spells), careers(scenario, spells, "first")
    enrolled = enrol(scenario, spells, career, hazard)
    untreated = _exits(spells, hazard, decision=None)["decision"]
    first = _exits(spells, hazard, enrolled.decision).assign(
        start=enrolled.start, program=enrolled.program, role=enrolled.role, untreated_decision=untreated
    )
    career = career.with_program(scenario, first, enrolled.start, _odds_ratios(scenario, enrolled))
    second = _second_spells(scenario, first, career)
    if second.empty:
        return Workforce(first, career, hazard, enrolled)
    career = career.joined(careers(scenario, second, "second"))
    return Workforce(pd.concat([first, second], ignore_index=True), career, hazard, enrolled)


def _exits(spells: pd.DataFrame, hazard: Hazards, decision: np.ndarray | None) -> pd.DataFrame:
    """Return the spells with their decision (untreated where not given), exit and exit kind: the first counts."""
    if decision is None:
        decision = hazard.decision.day_reached(np.arange(len(spells)), hazard.decision_total(spells))
    voluntary = hazard.last_day(np.minimum(decision + spells["notice_days"].to_numpy(), NEVER))
    other, kind = hazard.other_exit(spells)
    left = np.minimum(voluntary, other)
    kinds = np.where(voluntary <= other, "voluntary", np.array(OTHER_KINDS, dtype=object)[kind])
    kinds[left == NEVER] = None
    return spells.assign(decision=decision, exit=left, exit_kind=kinds)


def _odds_ratios(scenario: Scenario, enrolled: Enrolled) -> np.ndarray:
    """Return what each spell's part in a program multiplies its odds of promotion by."""
    roles = scenario.roles()
    mine = zip(enrolled.program, enrolled.role, strict=True)
    return np.array([roles[part].promotion_odds_ratio if part in roles else 1.0 for part in mine])


def _second_spells(scenario: Scenario, first: pd.DataFrame, career: Careers) -> pd.DataFrame:
    leavers = (first["exit_kind"] == "voluntary") & (first["exit"] < day(scenario.as_of)) & (first["start"] == NEVER)
    leavers = first.assign(level=career.level_at(first["exit"].to_numpy())).loc[leavers]
    second = returning_spells(scenario, leavers)
    if second.empty:
        return second
    second = _exits(second, hazards(scenario, second), decision=None)
    return second.assign(start=NEVER, program="", role="", untreated_decision=second["decision"])


# --- reporting --------------------------------------------------------------------------------------------------------
# Who reports to whom: a manager at the first record, a new one where the old one can no longer be it.

LEAST_MANAGER_LEVEL, WIDEST_GAP = 4, 3
NOBODY = -1


@dataclass(frozen=True)
class Reporting:
    """Managers over time; one row per spell, managers as rows of the spells.

    Attributes
    ----------
    recorded
        Day of the spell's first record.
    first
        The manager from that day on (`NOBODY` = none).
    reviewed
        First days of the quarters, when it is looked whether every manager is still there.
    managers
        Spells × quarters: the manager from that quarter's first day on.
    """

    recorded: np.ndarray
    first: np.ndarray
    reviewed: np.ndarray
    managers: np.ndarray

    def manager_on(self, on: int) -> np.ndarray:
        """Return every spell's manager on a day."""
        quarter = np.searchsorted(self.reviewed, on, side="right") - 1
        if quarter < 0:
            return self.first
        return np.where(self.recorded > self.reviewed[quarter], self.first, self.managers[:, quarter])

    def leaders_on(self, on: int, company: Workforce) -> np.ndarray:
        """Return which spells are somebody's manager on a day."""
        led_by = self.manager_on(on)[company.employed_on(on)]
        return np.isin(np.arange(len(self.first)), led_by)


def reporting(scenario: Scenario, company: Workforce) -> Reporting:
    """Give everyone a manager of a higher level in the same department, employed on that day; the top has none."""
    random = rng(scenario.name, "managers")
    start, end = first_day(scenario), day(scenario.as_of)
    reviewed = np.sort(np.concatenate([yearly(month, 1, start + 1, end) for month in (1, 4, 7, 10)]))
    recorded = company.careers.first
    first, now = np.full(len(recorded), NOBODY), np.full(len(recorded), NOBODY)
    managers = []
    for on in np.union1d(recorded, reviewed):
        there, level = company.employed_on(on), company.careers.level_on(on)
        department = company.careers.department_on(on)
        needing = new = recorded == on
        if on in reviewed:
            valid = (now != NOBODY) & there[now] & (level[now] > level) & (department[now] == department)
            needing = new | (there & (recorded < on) & ~valid)
        rows = np.flatnonzero(needing)
        now[rows] = _picked(rows, there, level, department, random)
        first[new] = now[new]
        if on in reviewed:
            managers.append(now.copy())
    return Reporting(recorded, first, reviewed, np.column_stack(managers))


def _picked(
    rows: np.ndarray, there: np.ndarray, level: np.ndarray, department: np.ndarray, random: np.random.Generator
) -> list[int]:
    """Return a manager for each of `rows`: a few levels above where there is one, else anyone above, else nobody."""
    draws, picked = random.random(len(rows)), []
    pools = {
        d: np.flatnonzero(there & (department == d) & (level >= LEAST_MANAGER_LEVEL))
        for d in np.unique(department[rows])
    }
    for row, draw in zip(rows, draws, strict=True):
        pool = pools[department[row]]
        above = pool[level[pool] > level[row]]
        near = above[level[above] <= level[row] + WIDEST_GAP]
        choice = near if len(near) else above
        picked.append(choice[int(draw * len(choice))] if len(choice) else NOBODY)
    return picked
