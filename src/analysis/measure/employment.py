"""Who is employed on a day, for how long, and in which job."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.measure.calendar import ONE_DAY, add_months
from analysis.plan.contract import Tables
from analysis.plan.known import known

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
    """Everybody employed on one day: their spells, and in the same order their jobs as known before it (`job_on`)."""

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
    return Staff(day, spells, job_on(history, spells["employee_id"], day, spells["hire_date"]))


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
    """Return the job changes in order, with what they say together.

    ``n_promotions``: rises in job level up to and including each change. ``is_first``: of the person's first day on
    record, which says what the job was and changes nothing.
    """
    if jobs is None:
        return None
    ordered = jobs.sort_values(["employee_id", "effective_date"], kind="stable", ignore_index=True)
    by_person = ordered["employee_id"]
    rises = ordered.groupby("employee_id")["job_level"].diff().gt(0)
    return ordered.assign(n_promotions=rises.groupby(by_person).cumsum(), is_first=_is_first(ordered))


def _is_first(jobs: pd.DataFrame) -> pd.Series:
    return jobs["effective_date"] == jobs.groupby("employee_id")["effective_date"].transform("min")


def job_on(
    history: pd.DataFrame | None, employee_ids: pd.Series, day: pd.Timestamp, hired: pd.Series | None = None
) -> pd.DataFrame:
    """Return each person's job as it was known just before `day`, one row per id, in the order given.

    A change that takes effect on the day itself may come with what begins that day, so it is not known yet. Two kinds
    of rows of that day are: those of a person's first day on record, before which there is nothing, and those of the
    day of hiring.

    Parameters
    ----------
    history
        As from `job_history`.
    hired
        Day of hiring of each person, in the same order.

    Returns
    -------
    DataFrame
        `JOB_COLUMNS`, and ``team_size`` (people asked about, hired before the day, with the same manager). Persons
        without a job row, or studies without jobs, give missing values.
    """
    if history is None:
        return pd.DataFrame(np.nan, index=range(len(employee_ids)), columns=[*JOB_COLUMNS, "team_size"])
    is_new = np.zeros(len(employee_ids), dtype=bool) if hired is None else hired.to_numpy() == np.datetime64(day)
    that_day = history["effective_date"] == day
    that_day &= history["is_first"] | history["employee_id"].isin(employee_ids[is_new])
    known = history[(history["effective_date"] < day) | that_day].drop_duplicates("employee_id", keep="last")
    found = known.set_index("employee_id")[list(JOB_COLUMNS)].reindex(employee_ids).reset_index(drop=True)
    team = found["manager_id"].map(found.loc[~is_new, "manager_id"].value_counts())
    return found.assign(team_size=team.fillna(1.0).where(found["manager_id"].notna()))


def job_value_at(
    jobs: pd.DataFrame,
    column: str,
    employee_ids: pd.Series,
    days: pd.Series,
    hired: pd.Series | None = None,
    on_the_day: bool = False,
) -> pd.Series:
    """Return one column of each person's job as known just before the day beside it; missing where none was.

    As in `job_on`, a row of the day itself counts where it is of the person's first day on record or of the day of
    hiring.

    Parameters
    ----------
    hired
        Day of hiring beside each person; nobody is hired on the day asked about where it is left out.
    on_the_day
        Changes that take effect on the day count: the job held on it.
    """
    if not len(employee_ids):
        return jobs[column].iloc[:0].set_axis(employee_ids.index)
    known = jobs[["employee_id", "effective_date", column]].sort_values("effective_date", kind="stable")
    inclusive = _last_by(known, column, employee_ids, days)
    if on_the_day:
        return inclusive
    known_from = known["effective_date"].where(_is_first(known), known["effective_date"] + ONE_DAY)
    before = _last_by(known.assign(effective_date=known_from), column, employee_ids, days)
    return before if hired is None else before.where(hired.to_numpy() != days.to_numpy(), inclusive)


def _last_by(known: pd.DataFrame, column: str, employee_ids: pd.Series, days: pd.Series) -> pd.Series:
    """Return the last value on or before each day; `known` is in the order of ``effective_date``."""
    asked = pd.DataFrame({"employee_id": employee_ids.to_numpy(), "day": days.to_numpy(), "row": range(len(days))})
    known = known.sort_values("effective_date", kind="stable")
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
    number ``n_<kind>`` and the rate ``<kind>_per_100``. Time before `study_start` is not at risk (delayed entry).
    """
    spells = known(tables.employees)
    spells = spells.assign(kind=exit_outcome(spells["exit_type"]))
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
            | {f"n_{k}": counts.get(k, 0) for k in EXITS}
            | {f"{k}_per_100": 100 * counts.get(k, 0) / years if years else np.nan for k in EXITS}
        )
    return pd.DataFrame(rows)
