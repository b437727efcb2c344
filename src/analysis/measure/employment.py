"""Who is employed on a day, for how long, and in which job."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.measure.calendar import add_months
from analysis.plan.contract import Tables

UNKNOWN_EXIT = "unknown"
OUTCOME_OF_EXIT = {"voluntary": "voluntary_exit", "involuntary": "involuntary_exit"}
OTHER_EXIT = "other_exit"
EXITS = ("voluntary_exit", "involuntary_exit", OTHER_EXIT)

# Above this share of exits without a kind, "voluntary" cannot be told from the rest (methods: retention).
MAX_UNKNOWN_EXITS = 0.10


def unknown_exit_share(employees: pd.DataFrame) -> float:
    """Return the share of exits whose kind is not recorded; 0 where there are no exits."""
    exits = employees["exit_date"].notna()
    return float(employees.loc[exits, "exit_type"].isna().mean()) if exits.any() else 0.0


def exit_outcome(exit_type: pd.Series) -> pd.Series:
    """Return the competing event that each exit is: voluntary, involuntary or other.

    An exit of unknown kind is `other_exit`: it is never silently voluntary.
    """
    return exit_type.map(OUTCOME_OF_EXIT).fillna(OTHER_EXIT)


def employed_on(employees: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return the spells of those employed on `day`, one row per person; the day of exit still counts."""
    exits = employees["exit_date"]
    return employees[(employees["hire_date"] <= day) & (exits.isna() | (exits >= day))]


@dataclass(frozen=True)
class Staff:
    """Everybody employed on one day: their spells, and in the same order their jobs (`job_on`)."""

    day: pd.Timestamp
    spells: pd.DataFrame
    jobs: pd.DataFrame

    def take(self, chosen: np.ndarray) -> "Staff":
        """Return those chosen, by mask or position."""
        position = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        spells, jobs = (frame.iloc[position].reset_index(drop=True) for frame in (self.spells, self.jobs))
        return Staff(self.day, spells, jobs)


def staff_on(employees: pd.DataFrame, history: pd.DataFrame | None, day: pd.Timestamp) -> Staff:
    """Return everybody employed on `day`, one row per person; `history` is from `job_history`."""
    spells = employed_on(employees, day).drop_duplicates("employee_id", keep="last").reset_index(drop=True)
    return Staff(day, spells, job_on(history, spells["employee_id"], day))


def under_notice_on(spells: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    """Return whether each spell is under notice on `day`, where notice dates are known."""
    return spells["notice_date"].notna() & (spells["notice_date"] <= day)


JOB_COLUMNS = (
    "job_level",
    "job_family",
    "department",
    "manager_id",
    "fte",
    "base_salary",
    "performance_rating",
    "n_promotions",
)


def job_history(jobs: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the job changes in order, with ``n_promotions``: rises in job level up to and including each change."""
    if jobs is None:
        return None
    ordered = jobs.sort_values(["employee_id", "effective_date"], kind="stable", ignore_index=True)
    rises = ordered.groupby("employee_id")["job_level"].diff().gt(0)
    return ordered.assign(n_promotions=rises.groupby(ordered["employee_id"]).cumsum())


def job_on(history: pd.DataFrame | None, employee_ids: pd.Series, day: pd.Timestamp) -> pd.DataFrame:
    """Return each person's job on `day`: the last change on or before it, one row per id, in the order given.

    `history` is from `job_history`. Adds ``team_size`` (people asked about with the same manager that day). Persons
    without a job row, or studies without jobs, give missing values.
    """
    if history is None:
        return pd.DataFrame(np.nan, index=range(len(employee_ids)), columns=[*JOB_COLUMNS, "team_size"])
    known = history[history["effective_date"] <= day].drop_duplicates("employee_id", keep="last")
    found = known.set_index("employee_id")[list(JOB_COLUMNS)].reindex(employee_ids).reset_index(drop=True)
    return found.assign(team_size=found["manager_id"].map(found["manager_id"].value_counts()))


def job_value_at(jobs: pd.DataFrame, column: str, employee_ids: pd.Series, days: pd.Series) -> pd.Series:
    """Return one column of each person's job on the day beside it; missing where no job row lies on or before it."""
    if not len(employee_ids):
        return jobs[column].iloc[:0].set_axis(employee_ids.index)
    asked = pd.DataFrame({"employee_id": employee_ids.to_numpy(), "day": days.to_numpy(), "row": range(len(days))})
    known = jobs[["employee_id", "effective_date", column]].sort_values("effective_date", kind="stable")
    found = pd.merge_asof(
        asked.sort_values("day", kind="stable"), known, left_on="day", right_on="effective_date", by="employee_id"
    )
    return found.set_index("row")[column].sort_index().set_axis(employee_ids.index)


def tenure_days(spells: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    """Return days since the spell's hire date, on `day`."""
    return (pd.Timestamp(day) - spells["hire_date"]).dt.days


def annual_exit_rates(tables: Tables, study_start: pd.Timestamp, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return exits per 100 person-years by calendar year and kind of exit, within the observed window.

    One row per year: ``year``, ``n_people`` (employed at any time of it), ``person_years``, and per kind of exit the
    rate ``<kind>_per_100``. Time before `study_start` is not at risk (delayed entry).
    """
    spells = tables.employees.assign(kind=exit_outcome(tables.employees["exit_type"]))
    after_lock = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    rows = []
    for year in range(pd.Timestamp(study_start).year, pd.Timestamp(as_of).year + 1):
        start = max(pd.Timestamp(year, 1, 1), pd.Timestamp(study_start))
        end = min(add_months(pd.Timestamp(year, 1, 1), 12), after_lock)
        leave = (spells["exit_date"] + pd.Timedelta(days=1)).fillna(after_lock)
        days = (leave.clip(upper=end) - spells["hire_date"].clip(lower=start)).dt.days
        present, years = days > 0, days.clip(lower=0).sum() / 365.25
        left = spells["exit_date"].between(start, end - pd.Timedelta(days=1))
        counts = spells.loc[left, "kind"].value_counts()
        rows.append(
            {"year": year, "n_people": spells.loc[present, "employee_id"].nunique(), "person_years": years}
            | {f"{k}_per_100": 100 * counts.get(k, 0) / years if years else np.nan for k in EXITS}
        )
    return pd.DataFrame(rows)
