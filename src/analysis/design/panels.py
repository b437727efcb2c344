"""Change panels: scores before and after, of those who started and of those who had not (yet)."""

from dataclasses import dataclass
from functools import cache, cached_property, partial

import numpy as np
import pandas as pd

from analysis.design.covariates import covariates_on
from analysis.design.lottery import Lottery
from analysis.design.trials import eligible_levels, is_eligible, not_started, units_reached
from analysis.measure.calendar import add_months, months_between
from analysis.measure.employment import Staff, job_history, staff_on
from analysis.measure.exposure import first_starts
from analysis.plan.contract import Tables
from analysis.plan.study import Eligibility, Program, Study

PANEL_COLUMNS = [
    *("cell", "wave_before", "wave_after", "wave_position", "employee_id", "is_treated", "unit", "manager_id"),
    *("start_date", "is_later_starter", "months_since_start", "before", "after"),
]


@dataclass(frozen=True)
class Panel:
    """Scores of one scale before and after, for one program and role.

    Attributes
    ----------
    everyone
        One row per person in the comparison and cell, a cell being a pair of waves, whether or not there are scores:
        ``cell``, ``wave_before``, ``wave_after``, ``wave_position`` (1 = first wave after the start; −1 = the wave
        before the last one before it), ``employee_id``, ``is_treated``, ``unit``, ``manager_id``, ``start_date`` (the
        treated's), ``is_later_starter`` (a comparator who starts the program later on), ``months_since_start`` (the
        treated's, at the wave of that position; negative before the start), ``before``, ``after`` (scores). In a
        lottery the treated are those offered, the start is the intake, and months are not counted.
    known
        Same rows, what was known before the first start in the cell.
    is_randomized
        Whether lots decided: then nobody is left out for want of an earlier score.
    """

    everyone: pd.DataFrame
    known: pd.DataFrame
    is_randomized: bool = False

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Rows of ``everyone`` with the scores that the comparison needs, in cells with both arms, numbered anew."""
        rows = self.everyone[self._is_compared]
        return rows.assign(cell=np.unique(rows["cell"], return_inverse=True)[1]).reset_index(drop=True)

    @cached_property
    def covariates(self) -> pd.DataFrame:
        """Rows of ``known`` that belong to ``rows``."""
        return self.known[self._is_compared].reset_index(drop=True)

    @cached_property
    def flow(self) -> pd.DataFrame:
        """People by step and arm: ``step``, ``n_treated``, ``n_control``."""
        return _flow(self.everyone)

    @cached_property
    def _is_compared(self) -> np.ndarray:
        rows = self.everyone
        is_scored = rows["after"].notna() & (self.is_randomized | rows["before"].notna())
        arms = rows["is_treated"].astype(bool).where(is_scored).groupby(rows["cell"]).transform("nunique")
        return (is_scored & (arms == 2)).to_numpy(dtype=bool)

    def take(self, chosen: np.ndarray) -> "Panel":
        """Return the panel of these rows of ``everyone``, shape (rows,)."""
        parts = (frame[chosen].reset_index(drop=True) for frame in (self.everyone, self.known))
        return Panel(*parts, is_randomized=self.is_randomized)


def _waves(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the waves in the order of time, whatever their numbers."""
    return scores[["wave", "opens", "closes"]].drop_duplicates().sort_values("opens", ignore_index=True)


def build_panel(scores: pd.DataFrame, tables: Tables, study: Study, program: Program, role: str) -> Panel:
    """Return the change of those who started against those who had not by the end of the later wave.

    A cell pairs the last wave that closed before a start with a wave that opens on or after it and within the first
    horizon. Comparators in a cell are of the role's levels, had not started the program when the later wave closed
    and, in a rollout, belong to units that it had not reached.

    Parameters
    ----------
    scores
        As from `measure.scales`: one row per person and wave.
    """
    starts, waves = _starts(tables, program, role), _waves(scores)
    return _panel(_cells_after(waves, starts, study.horizons_months[0]), scores, tables, program, role)


def build_earlier_panel(scores: pd.DataFrame, tables: Tables, program: Program, role: str) -> Panel:
    """Return the change from every wave before a start to the last one before it: what an event study shows there.

    A cell pairs them in the order of time: ``after`` is the last score before the start, and ``wave_position`` is −1
    for the wave before it, −2 for the one before that. Comparators in a cell are of the role's levels and had not
    started the program when the last wave before the start closed (as not-yet-treated in Callaway & Sant'Anna 2021,
    J Econometrics 225:200).
    """
    cells = _cells_before(_waves(scores), _starts(tables, program, role))
    return _panel(cells, scores, tables, program, role)


def _starts(tables: Tables, program: Program, role: str) -> pd.Series:
    """Return the first start in the role of who had not been in the program before in another one."""
    starts, any_start = (first_starts(tables.enrolments, program.id, *of) for of in ((role,), ()))
    return starts[starts <= any_start.reindex(starts.index)]


def _panel(cells, scores: pd.DataFrame, tables: Tables, program: Program, role: str) -> Panel:
    """Return everyone in the cells; a cell may turn out to hold one arm alone."""
    any_start = first_starts(tables.enrolments, program.id)
    reached = units_reached(tables, any_start) if program.assignment == "rollout" else None
    rule, history = eligible_levels(tables, program, role), job_history(tables.jobs)
    wide = scores.pivot(index="employee_id", columns="wave", values="score")
    # All cells of those who start in one interval ask for the staff of the same day.
    staff_of = cache(partial(staff_on, tables.employees, history))
    parts, known = [], []
    for number, (before, after, position, starters) in enumerate(cells):
        if tables.employees is None:
            people, covariates = _people_without_hr(starters, any_start, after["closes"], wide.index)
        else:
            people, covariates = _people(staff_of(starters.min()), rule, starters, any_start, reached, after["closes"])
        ids, pair = people["employee_id"], wide.reindex(people["employee_id"])
        opens = (after if position > 0 else before)["opens"]
        rows = people.assign(
            cell=number,
            wave_before=before["wave"],
            wave_after=after["wave"],
            wave_position=position,
            start_date=starters.reindex(ids).to_numpy(),
            is_later_starter=any_start.reindex(ids).notna().to_numpy() & ~people["is_treated"].to_numpy(dtype=bool),
            months_since_start=_months_since_start(ids, starters, opens),
            before=pair[before["wave"]].to_numpy(),
            after=pair[after["wave"]].to_numpy(),
        )
        parts.append(rows[PANEL_COLUMNS])
        known.append(covariates)
    rows = _stacked(parts, PANEL_COLUMNS)
    return Panel(rows, pd.concat(known, ignore_index=True) if known else pd.DataFrame(index=rows.index))


def _months_since_start(people: pd.Series, starters: pd.Series, wave_opens: pd.Timestamp) -> np.ndarray:
    """Return months from each starter's start to the wave; missing for who is not among them."""
    start = starters.reindex(people)
    months = np.full(len(people), np.nan)
    started = start.notna().to_numpy()
    months[started] = months_between(start[started], pd.DatetimeIndex([wave_opens] * started.sum()))
    return months


def _cells_before(waves: pd.DataFrame, starts: pd.Series):
    """Yield (earlier wave, last wave before the start, −waves between them, starters) for every earlier wave."""
    records = waves.to_dict("records")
    for i in range(1, len(records) - 1):
        between = starts[(starts > records[i]["closes"]) & (starts <= records[i + 1]["closes"])]
        for j in range(i if len(between) else 0):
            yield records[j], records[i], j - i, between


def _cells_after(waves: pd.DataFrame, starts: pd.Series, horizon: int):
    """Yield (wave before, wave after, position, starters) for every pair of waves that some start falls between."""
    records = waves.to_dict("records")
    for i, before in enumerate(records[:-1]):
        between = starts[(starts > before["closes"]) & (starts <= records[i + 1]["closes"])]
        if between.empty:
            continue
        limit = between.map({day: add_months(day, horizon) for day in between.unique()})
        for j in range(i + 1, len(records)):
            starters = between[(between <= records[j]["opens"]) & (records[j]["opens"] < limit)]
            if len(starters):
                yield before, records[j], j - i, starters


def _people(staff: Staff, rule: Eligibility, starters, any_start, reached, closes):
    """Return the cell's people (``employee_id, is_treated, unit, manager_id``), and their covariates that day.

    The day, of which `staff` is, is the first start in the cell.
    """
    is_treated = staff.spells["employee_id"].isin(starters.index).to_numpy()
    keep = is_treated | (is_eligible(staff, rule) & not_started(staff, any_start, reached, after=closes))
    staff, is_treated = staff.take(keep), is_treated[keep]
    jobs = staff.jobs
    people = {"employee_id": staff.spells["employee_id"], "is_treated": is_treated, "unit": jobs["department"]}
    return pd.DataFrame(people | {"manager_id": jobs["manager_id"]}), covariates_on(staff, {})


def _people_without_hr(starters, any_start, closes, answered):
    """Return everybody who ever answered or starts here: without HR dates nobody is known to be gone or ineligible."""
    ids = pd.Series(answered.union(starters.index), name="employee_id")
    own_start = any_start.reindex(ids).to_numpy()
    is_treated = ids.isin(starters.index).to_numpy()
    keep = is_treated | np.isnat(own_start) | (own_start > np.datetime64(closes))
    people = pd.DataFrame({"employee_id": ids, "is_treated": is_treated, "unit": None, "manager_id": None})
    people = people[keep].reset_index(drop=True)
    return people, pd.DataFrame(index=people.index)


def build_lottery_panel(scores: pd.DataFrame, lottery: Lottery, horizon: int) -> Panel:
    """Return everyone who drew a lot: the later scores, with the last score before the intake.

    Columns as in `Panel.everyone`, and ``stratum``. A cell is a stratum of the lots and a wave. Once those waiting at
    an intake start nobody is left to compare with: waves from then on say nothing.

    Parameters
    ----------
    scores
        As from `measure.scales`.
    horizon
        Months after the intake within which a wave opens to count.
    """
    wide = scores.pivot(index="employee_id", columns="wave", values="score")
    waves = _waves(scores)
    parts, known, n_cells = [], [], 0
    for intake, drew in lottery.rows.groupby("intake_date"):
        earlier = waves.loc[waves["closes"] < intake, "wave"]
        until = min(add_months(intake, horizon), lottery.waitlist_starts.get(intake, pd.NaT), key=_day_or_never)
        later = waves[(waves["opens"] >= intake) & (waves["opens"] < until)]
        pair = wide.reindex(drew["employee_id"])
        before = pair[earlier].ffill(axis="columns").iloc[:, -1] if len(earlier) else pair.iloc[:, 0] * np.nan
        stratum = np.unique(drew["stratum"], return_inverse=True)[1]
        for position, wave in enumerate(later["wave"], start=1):
            rows = {
                "cell": n_cells + stratum,
                "wave_before": earlier.max() if len(earlier) else np.nan,
                "wave_after": wave,
                "wave_position": position,
                "employee_id": drew["employee_id"].to_numpy(),
                "is_treated": drew["is_offered"].to_numpy(),
                "unit": None,
                "manager_id": None,
                "start_date": intake,
                "is_later_starter": False,
                "months_since_start": np.nan,
                "before": before.to_numpy(),
                "after": pair[wave].to_numpy(),
                "stratum": drew["stratum"].to_numpy(),
            }
            n_cells += stratum.max() + 1
            parts.append(pd.DataFrame(rows))
            known.append(lottery.covariates.loc[drew.index])
    rows = _stacked(parts, [*PANEL_COLUMNS, "stratum"])
    covariates = pd.concat(known, ignore_index=True) if known else pd.DataFrame(index=rows.index)
    return Panel(rows, covariates, is_randomized=True)


def _day_or_never(day: pd.Timestamp) -> pd.Timestamp:
    return pd.Timestamp.max if pd.isna(day) else day


def _stacked(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Return the cells' rows one below the other; without a cell, no rows of the same columns."""
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _flow(rows: pd.DataFrame) -> pd.DataFrame:
    """Return people by step and arm: in the comparison, answered before, answered after, answered both."""
    steps = {
        "in the comparison": rows["employee_id"].notna(),
        "answered before": rows["before"].notna(),
        "answered after": rows["after"].notna(),
        "answered both": rows[["before", "after"]].notna().all(axis=1),
    }
    treated = rows["is_treated"].astype(bool)
    counted = [
        {f"n_{arm}": rows.loc[there & chosen, "employee_id"].nunique() for arm, chosen in arms.items()}
        for arms in [{"treated": treated, "control": ~treated}]
        for there in steps.values()
    ]
    return pd.DataFrame(counted).assign(step=list(steps))[["step", "n_treated", "n_control"]]
