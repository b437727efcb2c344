"""Change panels: scores before and after, of those who started and of those who had not (yet)."""

from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import numpy as np
import pandas as pd

from analysis.design.competing import (
    Starts,
    stand_in_weights,
    started_between,
    starts_only_after,
    took_part_before,
    without_start_between,
)
from analysis.design.covariates import covariates_on
from analysis.design.eligibility import DEFAULT_UNIT, eligible_levels, is_eligible, units_of
from analysis.design.lottery import Lottery
from analysis.measure.employment import ONE_DAY, Staff, add_months, job_history, months_between, staff_on
from analysis.measure.exposure import started_before, undated
from analysis.plan.contract import Tables
from analysis.plan.study import Eligibility, Program, Study

PANEL_COLUMNS = [
    *("cell", "wave_before", "wave_after", "wave_position", "employee_id", "is_treated", "unit", "manager_id"),
    *("start_date", "is_later_starter", "months_since_start", "before", "after", "stand_in_weight"),
]
STARTED, OBSERVED = "started at any time, and their colleagues", "started in the period observed, and their colleagues"
IN_THE_COMPARISON = "in the comparison"


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
        treated's, at the wave of that position; negative before the start), ``before``, ``after`` (scores),
        ``stand_in_weight`` (of comparators, for those who are none any more at the later wave:
        `design.competing.stand_in_weights`; 1 for the treated). In a lottery the treated are those offered, the start
        is the intake, and months are not counted.
    known
        Same rows, what was known before the first start in the cell.
    is_randomized
        Whether lots decided: then nobody is left out for want of an earlier score.
    enrolment_funnel
        People on the way into the comparison, in the steps before it: ``step``, ``n_treated``, ``n_control``.
    unit
        The column that says which unit a person is in.
    """

    everyone: pd.DataFrame
    known: pd.DataFrame
    is_randomized: bool = False
    enrolment_funnel: pd.DataFrame | None = None
    unit: str = DEFAULT_UNIT

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
        """People by step and arm: ``step``, ``n_treated``, ``n_control``; each step holds the next."""
        flow = _flow(self.everyone)
        return flow if self.enrolment_funnel is None else pd.concat([self.enrolment_funnel, flow], ignore_index=True)

    @cached_property
    def _is_compared(self) -> np.ndarray:
        rows = self.everyone
        is_scored = rows["after"].notna() & (self.is_randomized | rows["before"].notna())
        arms = rows["is_treated"].astype(bool).where(is_scored).groupby(rows["cell"]).transform("nunique")
        return (is_scored & (arms == 2)).to_numpy(dtype=bool)

    def take(self, chosen: np.ndarray) -> "Panel":
        """Return the panel of these rows of ``everyone``, shape (rows,)."""
        everyone, known = (frame[chosen].reset_index(drop=True) for frame in (self.everyone, self.known))
        return replace(self, everyone=everyone, known=known, enrolment_funnel=None)


def _waves(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the waves in the order of time, whatever their numbers."""
    return scores[["wave", "opens", "closes"]].drop_duplicates().sort_values("opens", ignore_index=True)


def build_panel(scores: pd.DataFrame, tables: Tables, study: Study, program: Program, role: str) -> Panel:
    """Return the change of those who started against those who had not by the end of the later wave.

    A cell pairs the last wave that closed before a start with a wave that opens on or after it and within the first
    horizon. Comparators in a cell are of the role's levels, had not started the program when the later wave closed
    and, in a rollout, belong to units that it had not reached.

    The estimand is the effect of starting the role, with all that those who start do afterwards, against starting
    neither it nor anything that competes with it by the later wave. Those who started are therefore followed as they
    are, another program begun on the same day or later included, as in retention. A comparator who starts another
    program or another role of this one (in a rollout also: who starts early, or moves to a unit that was reached) is
    none from that day on, and the others stand in (`design.competing.stand_in_weights`). Who started another program
    after the earlier wave and before the start is in neither arm, since that program's effect would be in their change
    too; to have started one before the earlier wave is a covariate. Who started this program before the period
    observed is in neither arm.

    Parameters
    ----------
    scores
        As from `measure.scales`: one row per person and wave.
    """
    starts = Starts.of(tables, program, role)
    own, waves = _observed(starts, study), _waves(scores)
    cells = _cells_after(waves, own, study.horizons_months[0])
    rows, known = _everyone(cells, scores, tables, program, role, starts)
    rows["stand_in_weight"] = stand_in_weights(rows, known)
    stays = ~rows["is_ended"].to_numpy(dtype=bool)
    kept = rows.loc[stays, PANEL_COLUMNS].reset_index(drop=True)
    before = started_before(tables.enrolments, program.id, study.study_start).union(starts.set_aside)
    of_role = starts.role.index.union(undated(tables.enrolments, program.id, role))
    enrolment_funnel = _enrolment_funnel(rows, kept, of_role.intersection(before), own.index)
    return Panel(kept, known[stays].reset_index(drop=True), enrolment_funnel=enrolment_funnel, unit=starts.unit)


def build_earlier_panel(scores: pd.DataFrame, tables: Tables, study: Study, program: Program, role: str) -> Panel:
    """Return the change from every wave before a start to the last one before it: what an event study shows there.

    A cell pairs them in the order of time: ``after`` is the last score before the start, and ``wave_position`` is −1
    for the wave before it, −2 for the one before that. Comparators in a cell are of the role's levels and had not
    started the program when the last wave before the start closed (as not-yet-treated in Callaway & Sant'Anna 2021,
    J Econometrics 225:200). Who started another program, or another role, between the two waves is in neither arm.
    """
    starts = Starts.of(tables, program, role)
    cells = _cells_before(_waves(scores), _observed(starts, study))
    rows, known = _everyone(cells, scores, tables, program, role, starts)
    return Panel(rows.assign(stand_in_weight=1.0)[PANEL_COLUMNS], known, unit=starts.unit)


def _observed(starts: Starts, study: Study) -> pd.Series:
    """Return the first starts in the role, of the period observed, of who was not in another role or program before.

    In a rollout those who started before their unit was reached chose to, and are left out too.
    """
    own = starts.role[starts.role <= starts.program.reindex(starts.role.index)]
    own = own[(own >= pd.Timestamp(study.study_start)) & ~own.index.isin(starts.set_aside)]
    if starts.moves is None or starts.moves.empty:
        return own
    there = starts.moves.groupby("employee_id")["start_date"].min().reindex(own.index)
    return own[there.isna() | (there <= own)]


def _enrolment_funnel(
    everyone: pd.DataFrame, kept: pd.DataFrame, unobserved: pd.Index, own: pd.Index
) -> pd.DataFrame | None:
    """Return the steps before the comparison, where people were lost to them: all steps hold the next."""
    control = everyone.loc[~everyone["is_treated"].astype(bool), "employee_id"].nunique()
    there = kept.loc[~kept["is_treated"].astype(bool), "employee_id"].nunique()
    found = []
    if len(unobserved):
        found.append((STARTED, len(own) + len(unobserved), control))
    if len(unobserved) or control > there:
        found.append((OBSERVED, len(own), control))
    return pd.DataFrame(found, columns=["step", "n_treated", "n_control"]) if found else None


def _everyone(cells, scores: pd.DataFrame, tables: Tables, program: Program, role: str, starts: Starts):
    """Return everyone in the cells and their covariates; a cell may turn out to hold one arm alone.

    Columns as in `Panel.everyone` but for the weight, and ``is_ended`` (a comparator at first, and not at the later
    wave) and ``before_mean`` (of all scores up to the earlier wave).
    """
    rule, history = eligible_levels(tables, program, role), job_history(tables.jobs)
    wide = scores.pivot(index="employee_id", columns="wave", values="score")
    waves = _waves(scores).set_index("wave")["opens"]
    # All cells of those who start in one interval ask for the staff of the same day.
    staff_of = cache(partial(staff_on, tables, history))
    parts, known = [], []
    for number, (before, after, position, starters) in enumerate(cells):
        last, day = (before if position > 0 else after)["closes"], starters.min()
        pair = _Pair(before["closes"], after["closes"], day, position > 0)
        treated = without_start_between(starters, starts.elsewhere, last)
        if tables.employees is None:
            people, covariates = _people_without_hr(pair, treated, starts, wide.index.union(starters.index))
        else:
            people, covariates = _people(pair, staff_of(day), rule, treated, starts)
        ids, scored = people["employee_id"], wide.reindex(people["employee_id"])
        rows = people.assign(
            cell=number,
            wave_before=before["wave"],
            wave_after=after["wave"],
            wave_position=position,
            start_date=starters.reindex(ids).to_numpy(),
            is_later_starter=starts.program.reindex(ids).notna().to_numpy()
            & ~people["is_treated"].to_numpy(dtype=bool),
            months_since_start=_months_since_start(ids, starters, (after if position > 0 else before)["opens"]),
            before=scored[before["wave"]].to_numpy(),
            before_mean=scored[list(waves[waves <= before["opens"]].index)].mean(axis="columns").to_numpy(),
            after=scored[after["wave"]].to_numpy(),
        )
        parts.append(rows)
        known.append(covariates.assign(**took_part_before(starts, ids, before["closes"])))
    rows = _stacked(parts, [*PANEL_COLUMNS[:-1], "is_ended", "before_mean"])
    return rows, pd.concat(known, ignore_index=True) if known else pd.DataFrame(index=rows.index)


@dataclass(frozen=True)
class _Pair:
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


def _people(pair: _Pair, staff: Staff, rule: Eligibility, starters: pd.Series, starts: Starts):
    """Return the cell's people (``employee_id, is_treated, is_ended, unit, manager_id``), and their covariates.

    As on the day of the first start in the cell, of which `staff` is.
    """
    treated, waits, ended = pair.role_of(staff.spells["employee_id"], starters, starts)
    waits &= is_eligible(staff, rule)
    if starts.reached is not None:
        unit = units_of(staff, starts.unit)
        waits &= unit.notna().to_numpy() & starts_only_after(starts.reached, unit, pair.closes_after)
    keep = treated | waits
    staff, jobs = staff.take(keep), staff.take(keep).jobs
    people = {"employee_id": staff.spells["employee_id"], "is_treated": treated[keep], "is_ended": ended[keep]}
    people |= {"unit": units_of(staff, starts.unit), "manager_id": jobs["manager_id"]}
    return pd.DataFrame(people), covariates_on(staff, {})


def _people_without_hr(pair: _Pair, starters: pd.Series, starts: Starts, answered: pd.Index):
    """Return everybody who ever answered or starts here: without HR dates nobody is known to be gone or ineligible."""
    ids = pd.Series(answered, name="employee_id")
    treated, waits, ended = pair.role_of(ids, starters, starts)
    people = pd.DataFrame({"employee_id": ids, "is_treated": treated, "is_ended": ended})
    people = people.assign(unit=None, manager_id=None)[treated | waits].reset_index(drop=True)
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
                "stand_in_weight": 1.0,
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
        IN_THE_COMPARISON: rows["employee_id"].notna(),
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
