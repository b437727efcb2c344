"""Who started what, and when, who met whom how often, and what it cost."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.measure.employment import ONE_DAY, day_of, job_value_at, months_between
from analysis.plan.contract import ROLES, Tables
from analysis.plan.study import Program, Study

# --- attendance -------------------------------------------------------------------------------------------------------
# Who met whom, how often.


def attended(tables: Tables, program_id: str) -> pd.DataFrame | None:
    """Return the sessions that people of a program attended; None where the study has no sessions.

    One row per session and attendee: ``employee_id``, ``session_date``. A session without a list of attendees was
    attended by everyone in the match who had started and not ended by then.
    """
    if tables.sessions is None or tables.enrolments is None:
        return None
    enrolled = tables.enrolments
    members = enrolled[(enrolled["program_id"] == program_id) & enrolled["start_date"].notna()]
    sessions = tables.sessions[tables.sessions["match_id"].isin(members["match_id"])]
    listed = sessions[sessions["attendee_ids"].notna()]
    named = listed.assign(employee_id=listed["attendee_ids"].str.split(";")).explode("employee_id")
    named = named.assign(employee_id=named["employee_id"].str.strip())[["employee_id", "session_date"]]
    open_to_all = sessions[sessions["attendee_ids"].isna()].merge(members, on="match_id")
    there = (open_to_all["session_date"] >= open_to_all["start_date"]) & ~(
        open_to_all["session_date"] > open_to_all["end_date"]
    )
    everyone = open_to_all.loc[there, ["employee_id", "session_date"]]
    return pd.concat([named, everyone], ignore_index=True).drop_duplicates(ignore_index=True)


def sessions_within(attended: pd.DataFrame, rows: pd.DataFrame, months: int) -> np.ndarray:
    """Return how many sessions each row's person attended in the `months` after its ``trial_date``, shape (rows,)."""
    until = rows["trial_date"] + pd.DateOffset(months=months)
    return sessions_until(attended, rows.assign(until=until), "trial_date")


def sessions_until(attended: pd.DataFrame, rows: pd.DataFrame, zero: str) -> np.ndarray:
    """Return how many sessions each row's person attended from the column `zero` to before ``until``, shape (rows,).

    A row without one of these days has no sessions.
    """
    asked = rows[["employee_id", zero, "until"]].assign(row=range(len(rows)))
    met = asked.merge(attended, on="employee_id")
    met = met[(met["session_date"] >= met[zero]) & (met["session_date"] < met["until"])]
    return met.groupby("row").size().reindex(range(len(rows)), fill_value=0).to_numpy()


# --- exposure ---------------------------------------------------------------------------------------------------------
# Who started what, and when. Treated = has a start date; the status never decides.

# Facilitators are staff, not treated.
ANALYSED_ROLES = tuple(role for role in ROLES if role != "facilitator")


def analysed_roles(enrolments: pd.DataFrame | None, program_id: str) -> list[str]:
    """Return the roles of a program that are analysed: those with an enrolment; facilitators are staff, not treated."""
    if enrolments is None:
        return []
    present = set(enrolments.loc[enrolments["program_id"] == program_id, "role"])
    return [role for role in ANALYSED_ROLES if role in present]


def first_starts(enrolments: pd.DataFrame, program_id: str, role: str | None = None) -> pd.Series:
    """Return each person's first start in a program (in one role, or in any), by employee id; starters only."""
    rows = enrolments[(enrolments["program_id"] == program_id) & enrolments["start_date"].notna()]
    if role is not None:
        rows = rows[rows["role"] == role]
    return rows.groupby("employee_id")["start_date"].min()


def undated(enrolments: pd.DataFrame, program_id: str | None = None, role: str | None = None) -> pd.Index:
    """Return the people of whose start it is known that it was and not when (in one program and role, or in any)."""
    if "start_unknown" not in enrolments:
        return pd.Index([])
    return _people(enrolments[enrolments["start_unknown"].fillna(False).astype(bool)], program_id, role)


def not_staff(enrolments: pd.DataFrame) -> pd.Index:
    """Return the people enrolled who are no employees: neither treated nor comparators, and counted."""
    return _people(enrolments[~enrolments["is_staff"]], None, None) if "is_staff" in enrolments else pd.Index([])


def _people(rows: pd.DataFrame, program_id: str | None, role: str | None) -> pd.Index:
    if program_id is not None:
        rows = rows[rows["program_id"] == program_id]
    if role is not None:
        rows = rows[rows["role"] == role]
    return pd.Index(rows["employee_id"].unique())


def moved_starts(enrolments: pd.DataFrame, as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Return the enrolments with imprecise starts on the first, the middle and the last day that they may mean.

    Only those that differ from the enrolments as they are; nothing where every start has its day.
    """
    if "start_earliest" not in enrolments:
        return {}
    starts = enrolments["start_date"]
    first = enrolments["start_earliest"].fillna(starts)
    last = enrolments["start_latest"].fillna(starts).clip(upper=as_of)
    days = {"first_day": first, "midpoint": first + ((last - first) // 2).dt.floor("D"), "last_day": last}
    moved = {name: day.where(starts.notna()) for name, day in days.items()}
    return {name: enrolments.assign(start_date=day) for name, day in moved.items() if not day.equals(starts)}


def starts_elsewhere(enrolments: pd.DataFrame, program_id: str) -> pd.DataFrame:
    """Return the starts in the company's other programs, one row each: ``employee_id``, ``start_date``."""
    rows = enrolments[(enrolments["program_id"] != program_id) & enrolments["start_date"].notna()]
    return rows[["employee_id", "start_date"]].drop_duplicates(ignore_index=True)


def started_before(enrolments: pd.DataFrame, program_id: str, day: pd.Timestamp) -> pd.Index:
    """Return the people who first started a program, in any role, before `day`.

    Where `day` is the first day observed nobody could have been seen leaving after such a start, so they are neither
    treated nor comparators.
    """
    starts = first_starts(enrolments, program_id)
    return starts.index[starts < pd.Timestamp(day)]


def competing_starts(enrolments: pd.DataFrame, program_id: str, role: str) -> pd.DataFrame:
    """Return the starts that end a comparison with `role` in a program, one row each: ``employee_id``, ``start_date``.

    They are starts in the company's other programs and in the other roles of this one.
    """
    is_other = (enrolments["program_id"] != program_id) | (enrolments["role"] != role)
    rows = enrolments[is_other & enrolments["start_date"].notna()]
    return rows[["employee_id", "start_date"]].drop_duplicates(ignore_index=True)


def competing_kinds(enrolments: pd.DataFrame, program_id: str, role: str) -> list[pd.DataFrame]:
    """Return the starts of `competing_starts` apart by what was started: one frame per program and role.

    Who starts one of them need not be like who starts another, so each has a model of its own.
    """
    is_other = (enrolments["program_id"] != program_id) | (enrolments["role"] != role)
    rows = enrolments[is_other & enrolments["start_date"].notna()]
    by_kind = rows.groupby(["program_id", "role"], sort=True)[["employee_id", "start_date"]]
    return [starts.drop_duplicates(ignore_index=True) for _, starts in by_kind]


def participation(enrolments: pd.DataFrame) -> pd.DataFrame:
    """Return the enrolment funnel, a row per program, intake and role: people who enrolled, were offered, started.

    Where nobody answered an application (`offered` is missing), everyone who enrolled had a place.
    """
    offered = enrolments["offered"].fillna(True).astype(bool)
    rows = enrolments.assign(is_offered=offered, is_started=enrolments["start_date"].notna())
    grouped = rows.groupby(["program_id", "intake_date", "role"])
    return grouped.agg(
        n_enrolled=("employee_id", "nunique"), n_offered=("is_offered", "sum"), n_started=("is_started", "sum")
    ).reset_index()


def pairs(enrolments: pd.DataFrame, program_id: str) -> pd.Series:
    """Return the match in which each person first started a program, by employee id; only where it is recorded."""
    rows = enrolments[(enrolments["program_id"] == program_id) & enrolments["start_date"].notna()]
    return rows.sort_values("start_date", kind="stable").groupby("employee_id")["match_id"].first().dropna()


def participation_end(enrolments: pd.DataFrame, program_id: str, rows: pd.DataFrame) -> np.ndarray:
    """Return months from each row's ``trial_date`` to the end of taking part, shape (rows,).

    Infinite for who had not started or had not ended. Whoever left the company took part until then.
    """
    started = enrolments[(enrolments["program_id"] == program_id) & enrolments["start_date"].notna()]
    last = started.groupby("employee_id")["end_date"].max()
    end = day_of(rows["employee_id"], last).where(rows["is_treated"].astype(bool))
    return months_between(rows["trial_date"], end + ONE_DAY)


def topics_met(enrolments: pd.DataFrame, program_id: str, role: str) -> pd.Series | None:
    """Return what those who started in a role met about, by employee id: a frozenset of names; None if not recorded.

    Names are lower case, with underscores for everything that is neither a letter nor a digit.
    """
    rows = enrolments[
        (enrolments["program_id"] == program_id) & (enrolments["role"] == role) & enrolments["start_date"].notna()
    ].dropna(subset=["topics"])
    if rows.empty:
        return None
    names = rows["topics"].str.lower().str.split(";").explode().str.strip().str.replace(r"\W+", "_", regex=True)
    named = pd.DataFrame({"employee_id": rows["employee_id"].reindex(names.index), "topic": names})
    return named[named["topic"].str.strip("_") != ""].groupby("employee_id")["topic"].agg(frozenset)


# --- costs ------------------------------------------------------------------------------------------------------------
# What the study says of money: the cost of replacing a leaver, and that of the program.


@dataclass(frozen=True)
class Costs:
    """Costs in the study's currency.

    Attributes
    ----------
    replacement
        Cost of replacing one leaver; None where the study does not say.
    replacement_source
        How it was found, for the page.
    program
        Cost of the program for everyone who started; None where the study does not say.
    """

    replacement: float | None
    replacement_source: str
    program: float | None
    currency: str


def program_costs(tables: Tables, study: Study, program: Program) -> Costs:
    """Return the costs of a program and of an exit; a share of salary is of the mean salary on the day of the start."""
    starts = first_starts(tables.enrolments, program.id)
    replacement, source = _replacement(tables, study, starts)
    total = None
    if program.cost_fixed is not None or program.cost_per_participant is not None:
        total = (program.cost_fixed or 0.0) + (program.cost_per_participant or 0.0) * len(starts)
    return Costs(replacement, source, total, study.currency)


def _replacement(tables: Tables, study: Study, starts: pd.Series) -> tuple[float | None, str]:
    if study.replacement_cost_amount is not None:
        return study.replacement_cost_amount, "as the study states it"
    if study.replacement_cost_share is None or tables.jobs is None or starts.empty:
        return None, ""
    people = pd.Series(starts.index, index=starts.index)
    salaries = job_value_at(tables.jobs, "base_salary", people, starts).astype(float).dropna()
    # The mean salary of a few people is not theirs to be shown.
    if len(salaries) < study.min_cell:
        return None, ""
    source = f"{study.replacement_cost_share:.0%} of the mean base salary of those who started"
    return study.replacement_cost_share * float(salaries.mean()), source
