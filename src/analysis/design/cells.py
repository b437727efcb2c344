"""The cells of a change panel: pairs of survey waves around a start, and who is compared in each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.design.competing import Starts, started_between, starts_only_after
from analysis.design.covariates import covariates_on
from analysis.design.eligibility import is_eligible, units_of
from analysis.measure.employment import ONE_DAY, Staff, add_months, months_between
from analysis.plan.study import Eligibility


class Wave(NamedTuple):
    """A survey wave, and the days on which it opens and closes."""

    wave: int
    opens: pd.Timestamp
    closes: pd.Timestamp


def waves_of(scores: pd.DataFrame) -> tuple[Wave, ...]:
    """Return the waves in the order of time, whatever their numbers."""
    rows = scores[list(Wave._fields)].drop_duplicates().sort_values("opens")
    return tuple(map(Wave._make, rows.itertuples(index=False)))


@dataclass(frozen=True)
class Pair:
    """Two waves of a cell: the days on which they close, the cell's first start, and whether it lies between them."""

    closes_before: pd.Timestamp
    closes_after: pd.Timestamp
    day: pd.Timestamp
    is_after_start: bool

    def role_of(self, people: pd.Series, starters: pd.Series, starts: Starts) -> tuple[np.ndarray, ...]:
        """Return who is treated, who is a comparator at first, and who of these is none at the later wave.

        People whose levels and units fit; shape (people,) each.
        """
        closes = self.closes_after
        since = self.closes_before + ONE_DAY
        treated = people.isin(starters.index).to_numpy()
        if not self.is_after_start:
            clean = ~started_between(starts.competing, people, since, closes)
            waits = starts_only_after(starts.program, people, closes)
            return treated & clean, ~treated & clean & waits, np.zeros(len(people), dtype=bool)
        by_choice = starts.moves is not None
        waits = ~treated & starts_only_after(starts.program, people, self.day - ONE_DAY)
        waits &= by_choice | starts_only_after(starts.role, people, closes)
        waits &= ~started_between(starts.elsewhere, people, since, self.day - ONE_DAY)
        return treated, waits, waits & started_between(starts.ends, people, self.day, closes)


def months_since_start(people: pd.Series, starters: pd.Series, wave_opens: pd.Timestamp) -> np.ndarray:
    """Return months from each starter's start to the wave; missing for who is not among them."""
    start = starters.reindex(people)
    months = np.full(len(people), np.nan)
    started = start.notna().to_numpy()
    months[started] = months_between(start[started], pd.DatetimeIndex([wave_opens] * started.sum()))
    return months


def cells(
    waves: tuple[Wave, ...], starts: pd.Series, horizon: int | None
) -> Iterator[tuple[Wave, Wave, int, pd.Series]]:
    """Yield (wave before, wave after, position, starters) for every pair of waves that a cell is made of.

    With a horizon the pairs that some start falls between; without one the last wave before a start, and every earlier
    one, at minus the waves between them.
    """
    for i, (last, first) in enumerate(pairwise(waves)):
        between = starts[(starts > last.closes) & (starts <= first.closes)]
        if between.empty:
            continue
        if horizon is None:
            yield from ((waves[j], last, j - i, between) for j in range(i))
            continue
        limit = between.map({day: add_months(day, horizon) for day in between.unique()})
        for position, after in enumerate(waves[i + 1 :], start=1):
            starters = between[(between <= after.opens) & (after.opens < limit)]
            if len(starters):
                yield last, after, position, starters


def people_with_hr(pair: Pair, staff: Staff, rule: Eligibility, starters: pd.Series, starts: Starts):
    """Return the cell's people (``employee_id, is_treated, is_ended, unit, manager_id``), and their covariates.

    As on the day of the first start in the cell, of which `staff` is.
    """
    treated, waits, ended = pair.role_of(staff.spells["employee_id"], starters, starts)
    waits &= is_eligible(staff, rule)
    if starts.reached is not None:
        unit = units_of(staff, starts.unit)
        waits &= unit.notna().to_numpy() & starts_only_after(starts.reached, unit, pair.closes_after)
    keep = treated | waits
    staff = staff.take(keep)
    people = {"employee_id": staff.spells["employee_id"], "is_treated": treated[keep], "is_ended": ended[keep]}
    people |= {"unit": units_of(staff, starts.unit), "manager_id": staff.jobs["manager_id"]}
    return pd.DataFrame(people), covariates_on(staff, {})


def people_without_hr(pair: Pair, starters: pd.Series, starts: Starts, answered: pd.Index):
    """Return everybody who ever answered or starts here: without HR dates nobody is known to be gone or ineligible."""
    ids = pd.Series(answered, name="employee_id")
    treated, waits, ended = pair.role_of(ids, starters, starts)
    people = pd.DataFrame({"employee_id": ids, "is_treated": treated, "is_ended": ended})
    people = people.assign(unit=None, manager_id=None)[treated | waits].reset_index(drop=True)
    return people, pd.DataFrame(index=people.index)
