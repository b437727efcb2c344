"""Who reports to whom: a manager at the first record, a new one where the old one can no longer be it."""

from dataclasses import dataclass

import numpy as np

from analysis.plan.seeds import rng
from analysis.simulate.days import day, yearly
from analysis.simulate.people import first_day
from analysis.simulate.scenario import Scenario
from analysis.simulate.workforce import Workforce

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
