"""Who is no comparator any more in a pair of survey waves, and weights for those who therefore leave it."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.design.covariates import design_matrix
from analysis.design.eligibility import DEFAULT_UNIT, unit_name, units_reached
from analysis.design.propensity import fit_propensity
from analysis.measure.employment import JOB_COLUMNS, ONE_DAY, day_of, on_leave
from analysis.measure.exposure import competing_starts, first_starts, not_staff, starts_elsewhere, undated
from analysis.plan.contract import Tables
from analysis.plan.study import Program

# A weight beyond this quantile of all weights is cut to it (Cole & Hernán 2008, Am J Epidemiol 168:656).
CUT_AT = 0.99


@dataclass(frozen=True)
class Starts:
    """Who started what and when, as seen from one role of one program.

    Attributes
    ----------
    role
        First starts in the role that is asked about, by employee id; in any period, observed or not.
    program
        First starts in the program, in any role, by employee id.
    elsewhere
        Starts in the company's other programs: ``employee_id, start_date``.
    competing
        Starts in other programs or in another role of this one: ``employee_id, start_date``.
    reached
        The day on which the program reached each unit, by unit; None where it is no rollout.
    moves
        The days on which people came to be in a unit that had been reached, by moving there or by its being reached:
        ``employee_id, start_date``; None where it is no rollout.
    unit
        The column that says which unit a person is in.
    set_aside
        People who can be in neither arm: of whose start in some program it is not known when it was, who are no
        employees, or who were on leave when they started the role.
    """

    role: pd.Series
    program: pd.Series
    elsewhere: pd.DataFrame
    competing: pd.DataFrame
    reached: pd.Series | None = None
    moves: pd.DataFrame | None = None
    unit: str = DEFAULT_UNIT
    set_aside: pd.Index = field(default_factory=lambda: pd.Index([]))

    @classmethod
    def of(cls, tables: Tables, program: Program, role: str) -> "Starts":
        """Return the starts of a study with enrolments."""
        any_role, own = first_starts(tables.enrolments, program.id), first_starts(tables.enrolments, program.id, role)
        set_aside = undated(tables.enrolments).union(not_staff(tables.enrolments)).union(_started_away(own, tables))
        reached = units_reached(tables, any_role, program) if program.assignment.by_unit else None
        return cls(
            own,
            any_role,
            starts_elsewhere(tables.enrolments, program.id),
            competing_starts(tables.enrolments, program.id, role),
            reached,
            None if reached is None else _moves(tables, reached, unit_name(program)),
            unit_name(program),
            set_aside,
        )

    @cached_property
    def ends(self) -> pd.DataFrame:
        """What ends a comparison and is no accident: competing starts, and in a rollout own starts and moves."""
        if self.moves is None:
            return self.competing
        own = self.role.rename_axis("employee_id").rename("start_date").reset_index()
        return pd.concat([self.competing, own, self.moves], ignore_index=True)


def _started_away(own: pd.Series, tables: Tables) -> list[str]:
    """Return who was on leave on the day of the own start."""
    return [person for day, who in own.groupby(own) for person in who.index.intersection(on_leave(tables.leave, day))]


def _moves(tables: Tables, reached: pd.Series, unit: str) -> pd.DataFrame:
    """Return the days on which people came to be in a reached unit, one row for each stay in such a unit."""
    if unit in JOB_COLUMNS and tables.jobs is not None:
        stays = tables.jobs.sort_values(["employee_id", "effective_date"], kind="stable")
        until = stays.groupby("employee_id")["effective_date"].shift(-1)
        since = stays["effective_date"]
    elif tables.employees is not None and unit in tables.employees:
        stays = tables.employees
        until, since = stays["exit_date"], stays["hire_date"]
    else:
        return pd.DataFrame({"employee_id": [], "start_date": pd.Series(dtype="datetime64[ns]")})
    unit_day = day_of(stays[unit], reached)
    day = since.where(since > unit_day, unit_day)
    there = unit_day.notna() & (until.isna() | (day < until))
    return pd.DataFrame({"employee_id": stays["employee_id"], "start_date": day})[there].reset_index(drop=True)


def started_between(starts: pd.DataFrame, people: pd.Series, first: pd.Timestamp, last: pd.Timestamp) -> np.ndarray:
    """Return who of `people` has a start from `first` to `last`, both days included, shape (people,)."""
    inside = (starts["start_date"] >= first) & (starts["start_date"] <= last)
    return people.isin(starts.loc[inside, "employee_id"]).to_numpy()


def starts_only_after(starts: pd.Series, people: pd.Series, day: pd.Timestamp) -> np.ndarray:
    """Return whose start lies after a day or nowhere, shape (people,); `starts` are by employee id, or by unit."""
    own = starts.reindex(people).to_numpy(dtype="datetime64[ns]")
    return np.isnat(own) | (own > np.datetime64(day))


def without_start_between(starters: pd.Series, elsewhere: pd.DataFrame, closes: pd.Timestamp) -> pd.Series:
    """Return the starters who started no other program after a wave had closed and before their own start.

    What the other program did would else be in their change since that wave.
    """
    since = elsewhere[elsewhere["employee_id"].isin(starters.index) & (elsewhere["start_date"] > closes)]
    is_earlier = since["start_date"] < starters.reindex(since["employee_id"]).to_numpy()
    return starters[~starters.index.isin(since.loc[is_earlier, "employee_id"])]


def took_part_before(starts: Starts, people: pd.Series, closes: pd.Timestamp) -> dict[str, np.ndarray]:
    """Return who had started another program by the day on which the earlier wave closed; nothing where there is none.

    As `design.eligibility.started_elsewhere`, for a pair of waves.
    """
    if starts.elsewhere.empty:
        return {}
    earlier = starts.elsewhere.loc[starts.elsewhere["start_date"] < closes + ONE_DAY, "employee_id"]
    return {"in_other_program": people.isin(earlier).to_numpy(dtype=float)}


def stand_in_weights(rows: pd.DataFrame, known: pd.DataFrame) -> np.ndarray:
    """Return weights by which the comparators who stayed stand in for those whose comparison ended, shape (rows,).

    Inverse probability of censoring (Robins & Finkelstein 2000, Biometrics 56:779): one over the chance that nothing
    ended the comparison from the day of the cell to the later wave, by a logistic regression among the cell's
    comparators on what was known before that day, the earlier score and the mean of all scores up to it. The whole
    window is one step, since a person's later score is there or not. Weights are divided by their cell's share, so that
    they are about one, and cut at the quantile `CUT_AT`. The chances are taken as known. 1 for the treated and in cells
    that nobody left.

    Parameters
    ----------
    rows
        ``cell, is_treated, is_ended, before, before_mean``. Comparators without an earlier score are in no comparison
        and get 1.
    known
        Covariates of the same rows, from before the cell's day.
    """
    weights = np.ones(len(rows))
    ended = rows["is_ended"].to_numpy(dtype=bool)
    waiting = ~rows["is_treated"].to_numpy(dtype=bool) & rows["before"].notna().to_numpy()
    share = pd.Series(ended).where(waiting).groupby(rows["cell"].to_numpy()).transform("mean").to_numpy(dtype=float)
    at_risk = np.flatnonzero(waiting & (share > 0) & (share < 1))
    if not len(at_risk):
        return weights
    earlier = rows[["before", "before_mean"]].to_numpy(dtype=float)[at_risk]
    spread = earlier.std(axis=0)
    matrix = design_matrix(known.iloc[at_risk].reset_index(drop=True), ended[at_risk])
    others = matrix.values  # noqa: PD011
    terms = np.column_stack([((earlier - earlier.mean(axis=0)) / np.where(spread > 0, spread, 1.0)), others])
    cell = np.unique(rows["cell"].to_numpy()[at_risk], return_inverse=True)[1]
    chance = fit_propensity(terms, ended[at_risk], cell).probability
    found = (1 - share[at_risk]) / (1 - chance)
    weights[at_risk] = np.minimum(found, np.quantile(found[~ended[at_risk]], CUT_AT))
    return weights
