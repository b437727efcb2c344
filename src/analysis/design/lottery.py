"""Lotteries: those offered a place against those who were not, from the day the intake opened."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.design.covariates import covariates_on
from analysis.design.weights import WeightedFollowUp, as_followed
from analysis.measure.calendar import ONE_DAY, months_between
from analysis.measure.employment import (
    employed_on,
    exit_outcome,
    job_history,
    job_value_at,
    staff_on,
    under_notice_on,
)
from analysis.plan.contract import Tables
from analysis.plan.study import Program, Study

FLOW_STEPS = ("drew a lot", "not employed on the intake day", "under notice", "intake without both arms", "analysed")


@dataclass(frozen=True)
class Lottery:
    """The randomized comparison of one program and role.

    Attributes
    ----------
    rows
        One row per person and intake: ``stratum`` (0, 1, … by intake date), ``intake_date``, ``employee_id``,
        ``is_offered``, ``is_started``, ``job_level`` that day, ``months`` (calendar months from the intake to the end
        of follow-up),
        ``months_observed`` (to the data lock) and ``outcome`` (kind of exit; missing = still employed at the lock).
    covariates
        Same rows, what was known before the intake; empty without employment data.
    flow
        What became of those who drew, one row per step: ``step``, ``n_treated`` (offered), ``n_control``.
    waitlist_months
        Months from the intake to the first start of somebody not offered (wait-list); infinite in a plain lottery.
    """

    rows: pd.DataFrame
    covariates: pd.DataFrame
    flow: pd.DataFrame
    waitlist_months: float


def build_lottery(
    tables: Tables, study: Study, program: Program, role: str, scores: dict[str, pd.DataFrame]
) -> Lottery:
    """Return everyone who drew a lot, as drawn: whoever was offered is treated, whether or not they started.

    Without employment data nobody is left out, and nobody is seen to leave.
    Enrolments without an answer (`offered` missing) drew no lot and are left out. Leaving between the intake and the
    start counts, in both arms alike. Strata are intakes; one without both arms compares nothing and is left out.
    """
    enrolled = tables.enrolments
    drew = enrolled[(enrolled["program_id"] == program.id) & (enrolled["role"] == role) & enrolled["offered"].notna()]
    rows = pd.DataFrame(
        {
            "intake_date": drew["intake_date"],
            "employee_id": drew["employee_id"],
            "is_offered": drew["offered"].astype(bool),
            "is_started": drew["start_date"].notna(),
            "start_date": drew["start_date"],
        }
    ).reset_index(drop=True)
    flow = [_count(FLOW_STEPS[0], rows)]
    spells, reasons = _spells_at_intake(tables.employees, rows)
    flow += [_count(step, rows[reasons == step]) for step in FLOW_STEPS[1:3]]
    rows = rows.assign(exit_date=spells["exit_date"], exit_type=spells["exit_type"])[reasons.isna()]
    both = rows.groupby("intake_date")["is_offered"].transform("nunique") == 2
    flow.append(_count(FLOW_STEPS[3], rows[~both]))
    rows = rows[both].reset_index(drop=True)
    flow.append(_count(FLOW_STEPS[4], rows))
    level = pd.Series(np.nan, index=rows.index)
    if tables.jobs is not None and len(rows):
        level = job_value_at(tables.jobs, "job_level", rows["employee_id"], rows["intake_date"])
    return Lottery(
        _follow_up(rows.assign(job_level=level), study),
        _covariates(tables, rows, scores),
        pd.DataFrame(flow),
        _waitlist_months(rows, program),
    )


def _covariates(tables: Tables, rows: pd.DataFrame, scores: dict[str, pd.DataFrame]) -> pd.DataFrame:
    if tables.employees is None or rows.empty:
        return pd.DataFrame(index=rows.index)
    history, parts = job_history(tables.jobs), []
    for day, group in rows.groupby("intake_date"):
        staff = staff_on(tables.employees, history, day)
        drawn = staff.take(pd.Index(staff.spells["employee_id"]).get_indexer(group["employee_id"]))
        parts.append(covariates_on(drawn, scores).set_axis(group.index))
    return pd.concat(parts).reindex(rows.index)


def _count(step: str, rows: pd.DataFrame) -> dict:
    offered = rows["is_offered"].astype(bool)
    return {"step": step, "n_treated": int(offered.sum()), "n_control": int((~offered).sum())}


def _spells_at_intake(employees: pd.DataFrame | None, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Return each row's spell on its intake day, and why a row cannot be analysed (missing = it can)."""
    spells, reasons = [], pd.Series(None, index=rows.index, dtype=object)
    if employees is None:
        return pd.DataFrame({"exit_date": pd.NaT, "exit_type": None}, index=rows.index), reasons
    for day, group in rows.groupby("intake_date"):
        there = employed_on(employees, day).drop_duplicates("employee_id", keep="last").set_index("employee_id")
        found = there.reindex(group["employee_id"])
        reasons[group.index[found["hire_date"].isna().to_numpy()]] = FLOW_STEPS[1]
        reasons[group.index[under_notice_on(found, day).to_numpy()]] = FLOW_STEPS[2]
        spells.append(found[["exit_date", "exit_type"]].set_axis(group.index))
    if not spells:
        none = {"exit_date": pd.Series(dtype="datetime64[ns]"), "exit_type": pd.Series(dtype=object)}
        return pd.DataFrame(none), reasons
    return pd.concat(spells).reindex(rows.index), reasons


def _follow_up(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    lock_end = pd.Timestamp(study.as_of) + ONE_DAY
    exit_end = rows["exit_date"] + ONE_DAY
    return pd.DataFrame(
        {
            "stratum": rows["intake_date"].rank(method="dense").sub(1).astype(int),
            "intake_date": rows["intake_date"],
            "employee_id": rows["employee_id"],
            "is_offered": rows["is_offered"],
            "is_started": rows["is_started"],
            "job_level": rows["job_level"],
            "months": months_between(rows["intake_date"], exit_end.fillna(lock_end)),
            "months_observed": months_between(rows["intake_date"], pd.Series(lock_end, index=rows.index)),
            "outcome": exit_outcome(rows["exit_type"]).where(exit_end.notna(), None),
        }
    )


def _waitlist_months(rows: pd.DataFrame, program: Program) -> float:
    waited = rows[~rows["is_offered"] & rows["is_started"]]
    if program.assignment != "waitlist" or waited.empty:
        return np.inf
    return float(months_between(waited["intake_date"], waited["start_date"]).min())


def as_weighted(lottery: Lottery, kinds: tuple[str, ...], months: int) -> WeightedFollowUp:
    """Return both arms of a lottery with each stratum's not offered weighted to the number offered in it.

    Strata that were not followed for all of `months` before the data lock are left out, so that every month compares
    the same people.
    """
    rows = lottery.rows[lottery.rows["months_observed"] >= months].reset_index(drop=True)
    offered = rows["is_offered"].astype(bool)
    share = offered.groupby(rows["stratum"]).transform("mean")
    followed = as_followed(rows.assign(is_treated=offered), kinds, months)
    return replace(followed, weights=np.where(offered, 1.0, share / (1 - share)))
