"""Change panels: scores before and after, of those who started and of those who had not (yet)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.covariates import covariates_on
from analysis.design.trials import eligible_levels, is_eligible, not_started, units_reached
from analysis.measure.calendar import add_months
from analysis.measure.employment import job_history, staff_on
from analysis.measure.exposure import first_starts
from analysis.plan.contract import Tables
from analysis.plan.study import Eligibility, Program, Study

PANEL_COLUMNS = [
    *("cell", "wave_before", "wave_after", "wave_position"),
    *("employee_id", "is_treated", "unit", "before", "after"),
]


@dataclass(frozen=True)
class Panel:
    """Paired scores of one scale for one program and role.

    Attributes
    ----------
    rows
        One row per person and cell, a cell being a pair of waves: ``cell``, ``wave_before``, ``wave_after``,
        ``wave_position`` (1 = first wave after the start), ``employee_id``, ``is_treated``, ``unit``, ``before``,
        ``after`` (scores). In a lottery the treated are those offered, and ``before`` may be missing.
    covariates
        Same rows, what was known before the first start in the cell.
    flow
        People by step and arm: ``step``, ``n_treated``, ``n_control``.
    """

    rows: pd.DataFrame
    covariates: pd.DataFrame
    flow: pd.DataFrame


def _waves(scores: pd.DataFrame) -> pd.DataFrame:
    return scores[["wave", "opens", "closes"]].drop_duplicates().sort_values("wave", ignore_index=True)


def build_panel(
    scores: pd.DataFrame, tables: Tables, study: Study, program: Program, role: str, placebo: bool = False
) -> Panel:
    """Return the change of those who started against those who had not by the end of the later wave.

    A cell pairs the last wave that closed before a start with a wave that opens on or after it and within the first
    horizon. Comparators in a cell are of the role's levels, had not started the program when the later wave closed
    and, in a rollout, belong to units that it had not reached. Both scores are needed.

    Parameters
    ----------
    scores
        As from `measure.scales`: one row per person and wave.
    placebo
        Pair the last wave before the start with the one before that instead: nothing can have changed yet.
    """
    starts = first_starts(tables.enrolments, program.id, role)
    any_start = first_starts(tables.enrolments, program.id)
    starts = starts[starts <= any_start.reindex(starts.index)]
    reached = units_reached(tables, any_start) if program.assignment == "rollout" else None
    rule, history = eligible_levels(tables, program, role), job_history(tables.jobs)
    wide = scores.pivot(index="employee_id", columns="wave", values="score")
    parts, known, flows = [], [], []
    for before, after, position, starters in _cells(_waves(scores), starts, study.horizons_months[0], placebo):
        people, covariates = _people(tables, history, rule, starters, any_start, reached, after["closes"], wide.index)
        pair = wide.reindex(people["employee_id"])
        rows = people.assign(
            wave_before=before["wave"],
            wave_after=after["wave"],
            wave_position=position,
            before=pair[before["wave"]].to_numpy(),
            after=pair[after["wave"]].to_numpy(),
        )
        flows.append(rows)
        complete = rows[["before", "after"]].notna().all(axis="columns")
        if rows.loc[complete, "is_treated"].nunique() == 2:
            parts.append(rows[complete].assign(cell=len(parts)))
            known.append(covariates[complete.to_numpy()])
    rows = _stacked(parts, PANEL_COLUMNS)
    covariates = pd.concat(known, ignore_index=True) if known else pd.DataFrame()
    return Panel(rows, covariates, _flow(flows))


def _cells(waves: pd.DataFrame, starts: pd.Series, horizon: int, placebo: bool):
    """Yield (wave before, wave after, position, starters) for every pair of waves that some start falls between."""
    records = waves.to_dict("records")
    for i, before in enumerate(records[:-1]):
        between = starts[(starts > before["closes"]) & (starts <= records[i + 1]["closes"])]
        if placebo:
            if i > 0 and len(between):
                yield records[i - 1], before, -1, between
            continue
        for j in range(i + 1, len(records)):
            limit = between.map(lambda day: add_months(day, horizon)) if len(between) else between
            starters = between[(between <= records[j]["opens"]) & (records[j]["opens"] < limit)]
            if len(starters):
                yield before, records[j], j - i, starters


def _people(tables, history, rule: Eligibility, starters, any_start, reached, closes, answered):
    """Return the cell's people (``employee_id, is_treated, unit``) and their covariates on its first start day."""
    if tables.employees is None:
        return _people_without_hr(starters, any_start, closes, answered)
    staff = staff_on(tables.employees, history, starters.min())
    is_treated = staff.spells["employee_id"].isin(starters.index).to_numpy()
    keep = is_treated | (is_eligible(staff, rule) & not_started(staff, any_start, reached, after=closes))
    staff, is_treated = staff.take(keep), is_treated[keep]
    people = pd.DataFrame(
        {"employee_id": staff.spells["employee_id"], "is_treated": is_treated, "unit": staff.jobs["department"]}
    )
    return people, covariates_on(staff, {})


def _people_without_hr(starters, any_start, closes, answered):
    """Return everybody who ever answered or starts here: without HR dates nobody is known to be gone or ineligible."""
    ids = pd.Series(answered.union(starters.index), name="employee_id")
    own_start = any_start.reindex(ids).to_numpy()
    is_treated = ids.isin(starters.index).to_numpy()
    keep = is_treated | np.isnat(own_start) | (own_start > np.datetime64(closes))
    people = pd.DataFrame({"employee_id": ids, "is_treated": is_treated, "unit": None})[keep].reset_index(drop=True)
    return people, pd.DataFrame(index=people.index)


def build_lottery_panel(scores: pd.DataFrame, lottery: pd.DataFrame, horizon: int) -> Panel:
    """Return the later scores of everyone who drew a lot, with the last score before the intake.

    Parameters
    ----------
    scores
        As from `measure.scales`.
    lottery
        Rows of `design.lottery.Lottery`.
    horizon
        Months after the intake within which a wave opens to count.
    """
    wide = scores.pivot(index="employee_id", columns="wave", values="score")
    waves = _waves(scores)
    parts, flows = [], []
    for intake, drew in lottery.groupby("intake_date"):
        earlier = waves.loc[waves["closes"] < intake, "wave"]
        later = waves[(waves["opens"] >= intake) & (waves["opens"] < add_months(intake, horizon))]
        pair = wide.reindex(drew["employee_id"])
        before = pair[earlier].ffill(axis="columns").iloc[:, -1] if len(earlier) else pair.iloc[:, 0] * np.nan
        for position, wave in enumerate(later["wave"], start=1):
            rows = pd.DataFrame(
                {
                    "wave_before": earlier.max() if len(earlier) else np.nan,
                    "wave_after": wave,
                    "wave_position": position,
                    "employee_id": drew["employee_id"].to_numpy(),
                    "is_treated": drew["is_offered"].to_numpy(),
                    "unit": None,
                    "before": before.to_numpy(),
                    "after": pair[wave].to_numpy(),
                }
            )
            flows.append(rows)
            answered = rows[rows["after"].notna()]
            if answered["is_treated"].nunique() == 2:
                parts.append(answered.assign(cell=len(parts), stratum=drew["stratum"].iloc[0]))
    rows = _stacked(parts, [*PANEL_COLUMNS, "stratum"])
    return Panel(rows, pd.DataFrame(index=rows.index), _flow(flows))


def _stacked(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Return the cells' rows one below the other; without a cell, no rows of the same columns."""
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _flow(cells: list[pd.DataFrame]) -> pd.DataFrame:
    """Return people by step and arm: in the comparison, answered before, answered after, answered both."""
    rows = (
        pd.concat(cells, ignore_index=True)
        if cells
        else pd.DataFrame({"employee_id": [], "is_treated": pd.Series(dtype=bool), "before": [], "after": []})
    )
    steps = {
        "in the comparison": rows["employee_id"].notna(),
        "answered before": rows["before"].notna(),
        "answered after": rows["after"].notna(),
        "answered both": rows[["before", "after"]].notna().all(axis=1),
    }
    treated = rows["is_treated"].astype(bool)
    return pd.DataFrame(
        [
            {
                "step": step,
                "n_treated": rows.loc[there & treated, "employee_id"].nunique(),
                "n_control": rows.loc[there & ~treated, "employee_id"].nunique(),
            }
            for step, there in steps.items()
        ]
    )
