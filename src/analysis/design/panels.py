"""Change panels: scores before and after, of those who started and of those who had not (yet)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.covariates import covariates_on
from analysis.design.trials import eligible_levels, is_eligible, not_started, units_reached
from analysis.measure.calendar import add_months, months_between
from analysis.measure.employment import job_history, staff_on
from analysis.measure.exposure import first_starts
from analysis.plan.contract import Tables
from analysis.plan.study import Eligibility, Program, Study

PANEL_COLUMNS = [
    *("cell", "wave_before", "wave_after", "wave_position"),
    *("employee_id", "is_treated", "unit", "months_since_start", "before", "after"),
]


@dataclass(frozen=True)
class Panel:
    """Paired scores of one scale for one program and role.

    Attributes
    ----------
    rows
        One row per person and cell, a cell being a pair of waves: ``cell``, ``wave_before``, ``wave_after``,
        ``wave_position`` (1 = first wave after the start; −1 = the wave before the last one before it),
        ``employee_id``, ``is_treated``, ``unit``, ``months_since_start`` (the treated's, at the wave of that position;
        negative before the start), ``before``, ``after`` (scores). In a lottery the treated are those offered,
        ``before`` may be missing, and months are not counted.
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
    starts, waves = _starts(tables, program, role), _waves(scores)
    if placebo:
        cells = [cell for cell in _cells_before(waves, starts) if cell[2] == -1]
    else:
        cells = _cells_after(waves, starts, study.horizons_months[0])
    return _panel(cells, scores, tables, program, role)


def build_earlier_panel(scores: pd.DataFrame, tables: Tables, program: Program, role: str) -> Panel:
    """Return the change from every wave before a start to the last one before it: what an event study shows there.

    A cell pairs them in the order of time: ``after`` is the last score before the start, and ``wave_position`` is −1
    for the wave before it, −2 for the one before that. Comparators in a cell are of the role's levels and had not
    started the program when the last wave before the start closed (as not-yet-treated in Callaway & Sant'Anna 2021,
    J Econometrics 225:200). The cells of position −1 are those of `build_panel` with `placebo`.
    """
    cells = _cells_before(_waves(scores), _starts(tables, program, role))
    return _panel(cells, scores, tables, program, role)


def _starts(tables: Tables, program: Program, role: str) -> pd.Series:
    """Return the first start in the role of who had not been in the program before in another one."""
    starts, any_start = (first_starts(tables.enrolments, program.id, *of) for of in ((role,), ()))
    return starts[starts <= any_start.reindex(starts.index)]


def _panel(cells, scores: pd.DataFrame, tables: Tables, program: Program, role: str) -> Panel:
    """Return the cells' people with both scores; cells without both arms are left out."""
    any_start = first_starts(tables.enrolments, program.id)
    reached = units_reached(tables, any_start) if program.assignment == "rollout" else None
    rule, history = eligible_levels(tables, program, role), job_history(tables.jobs)
    wide = scores.pivot(index="employee_id", columns="wave", values="score")
    parts, known, flows = [], [], []
    for before, after, position, starters in cells:
        people, covariates = _people(tables, history, rule, starters, any_start, reached, after["closes"], wide.index)
        opens = (after if position > 0 else before)["opens"]
        pair = wide.reindex(people["employee_id"])
        rows = people.assign(
            wave_before=before["wave"],
            wave_after=after["wave"],
            wave_position=position,
            months_since_start=_months_since_start(people["employee_id"], starters, opens),
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
                    "months_since_start": np.nan,
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
