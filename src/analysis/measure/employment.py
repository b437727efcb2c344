"""Who is employed on a day, for how long, and in which job; time counted in calendar months."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.plan.catalogue import CATALOGUE
from analysis.plan.contract import Tables
from analysis.plan.faults import known

ONE_DAY = pd.Timedelta(days=1)


def add_months(day: pd.Timestamp, months: int) -> pd.Timestamp:
    """Return the same day of the month `months` later, or that month's last day where it has no such day."""
    return pd.Timestamp(day) + pd.DateOffset(months=months)


def day_of(keys: pd.Series, days: pd.Series) -> pd.Series:
    """Return the day that each key has in `days`; missing where it has none. `map` fails where nobody has one."""
    return pd.Series(days.reindex(keys).to_numpy(dtype="datetime64[ns]"), keys.index)


def months_since(zero: pd.Timestamp, days: pd.Series | pd.DatetimeIndex) -> np.ndarray:
    """Return calendar months from `zero` to each of `days`, shape (len(days),); see `months_between`."""
    days = pd.DatetimeIndex(days)
    return months_between(np.full(len(days), np.datetime64(zero, "D")), days)


def months_between(zeros: pd.Series | np.ndarray, days: pd.Series | pd.DatetimeIndex) -> np.ndarray:
    """Return calendar months from each of `zeros` to the start of the day beside it; part months as a share of theirs.

    The day h calendar months after a zero gives exactly h, whatever the lengths of the months between.

    Parameters
    ----------
    zeros
        Times zero, shape (rows,).
    days
        Days on or after them; missing ones give infinity, shape (rows,).
    """
    zeros, days = (np.asarray(d, dtype="datetime64[D]") for d in (zeros, days))
    known = ~np.isnat(days)
    months = np.full(len(days), np.inf)
    zeros, days = zeros[known], days[known]
    whole = (days.astype("datetime64[M]") - zeros.astype("datetime64[M]")).astype(int)
    whole -= _months_after(zeros, whole) > days
    begin, end = _months_after(zeros, whole), _months_after(zeros, whole + 1)
    months[known] = whole + (days - begin) / (end - begin)
    return months


def _months_after(zeros: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return `add_months` of whole arrays, as datetime64[D]."""
    month = zeros.astype("datetime64[M]") + months
    first, last = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    return np.minimum(first + (zeros - zeros.astype("datetime64[M]").astype("datetime64[D]")), last)


# --- employment -------------------------------------------------------------------------------------------------------
# Who is employed on a day, for how long, and in which job.

# More days than lie between any two days of a study.
DAYS_APART = 2_000_000
OUTCOME_OF_EXIT = {"voluntary": "voluntary_exit", "involuntary": "involuntary_exit"}
OTHER_EXIT = "other_exit"
EXITS = CATALOGUE.outcome("any_exit").kinds


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
    return employees[is_employed(employees, day)]


def is_employed(employees: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    """Return which spells hold `day`, the day of exit included."""
    exits = employees["exit_date"]
    return (employees["hire_date"] <= day) & (exits.isna() | (exits >= day))


@dataclass(frozen=True)
class Staff:
    """Everybody employed on one day or on several, one row per day and person.

    Attributes
    ----------
    day
        The day of each row, shape (rows,), ascending.
    spells, jobs
        Same rows: the spell of employment, and the job as known before the day (`job_on`).
    is_away
        Whether the person is on leave that day, shape (rows,).
    """

    day: np.ndarray
    spells: pd.DataFrame
    jobs: pd.DataFrame
    is_away: np.ndarray

    def take(self, chosen: np.ndarray) -> "Staff":
        """Return those chosen, by mask or position."""
        position = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        spells, jobs = (frame.iloc[position].reset_index(drop=True) for frame in (self.spells, self.jobs))
        return Staff(self.day[position], spells, jobs, self.is_away[position])


def staff_on(
    tables: Tables, history: pd.DataFrame | None, days: pd.Timestamp | Sequence[pd.Timestamp] | np.ndarray
) -> Staff:
    """Return everybody employed on a day, or on each of several in ascending order; `history` is from `job_history`."""
    employees, days = known(tables.employees), np.atleast_1d(np.asarray(days, dtype="datetime64[us]"))
    hired, left = (employees[name].to_numpy("datetime64[us]") for name in ("hire_date", "exit_date"))
    at_day, at_spell = np.nonzero((hired <= days[:, None]) & (np.isnat(left) | (left >= days[:, None])))
    people, _ = pd.factorize(employees["employee_id"])
    is_last = ~pd.Series(at_day * (len(employees) + 1) + people[at_spell]).duplicated(keep="last").to_numpy()
    day, spells = days[at_day[is_last]], employees.iloc[at_spell[is_last]].reset_index(drop=True)
    who = spells["employee_id"]
    return Staff(day, spells, job_on(history, who, day, spells["hire_date"]), _are_away(tables.leave, who, day))


def _are_away(leave: pd.DataFrame | None, people: pd.Series, day: np.ndarray) -> np.ndarray:
    """Return whether each person is on leave on the day beside them."""
    away = np.zeros(len(day), dtype=bool)
    for one in np.unique(day) if leave is not None else ():
        away[day == one] = people[day == one].isin(on_leave(leave, pd.Timestamp(one)))
    return away


def on_leave(leave: pd.DataFrame | None, day: pd.Timestamp) -> pd.Series:
    """Return the ids of those on leave on `day`, first and last day included; a leave without an end has not ended."""
    if leave is None:
        return pd.Series(dtype="str")
    is_away = (leave["leave_start"] <= day) & ~(leave["leave_end"] < day)
    return leave.loc[is_away, "employee_id"]


def under_notice_on(spells: pd.DataFrame, day: pd.Timestamp | np.ndarray) -> pd.Series:
    """Return whether each spell is under notice on one day for all or on that of each row, where notices are known."""
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
    history: pd.DataFrame | None,
    employee_ids: pd.Series,
    day: pd.Timestamp | np.ndarray,
    hired: pd.Series | None = None,
) -> pd.DataFrame:
    """Return each person's job as it was known just before a day, one row per id, in the order given.

    A change that takes effect on the day itself may come with what begins that day, so it is not known yet. Two kinds
    of rows of that day are: those of a person's first day on record, before which there is nothing, and those of the
    day of hiring.

    Parameters
    ----------
    history
        As from `job_history`.
    day
        One day for all, or that of each person.
    hired
        Day of hiring of each person, in the same order.

    Returns
    -------
    DataFrame
        `JOB_COLUMNS`, and ``team_size`` (people asked about for that day, hired before it, with the same manager).
        Persons without a job row, or studies without jobs, give missing values.
    """
    if history is None:
        return pd.DataFrame(np.nan, index=range(len(employee_ids)), columns=[*JOB_COLUMNS, "team_size"])
    day = np.broadcast_to(np.asarray(day, dtype="datetime64[us]"), len(employee_ids))
    is_new = np.zeros(len(day), dtype=bool) if hired is None else hired.to_numpy("datetime64[us]") == day
    at = _last_known(history, employee_ids, day, is_new)
    found = history[list(JOB_COLUMNS)].reset_index(drop=True).reindex(at).reset_index(drop=True)
    manager, _ = pd.factorize(found["manager_id"])
    team, _ = pd.factorize(np.where(manager < 0, -1, pd.factorize(day)[0] * (manager.max(initial=0) + 1) + manager))
    n_colleagues = np.bincount(team[~is_new], minlength=team.max(initial=0) + 1)[team]
    return found.assign(team_size=np.where(manager < 0, np.nan, np.maximum(n_colleagues, 1)))


def _last_known(history: pd.DataFrame, employee_ids: pd.Series, day: np.ndarray, is_new: np.ndarray) -> np.ndarray:
    """Return where in the history each person's last change known before the day stands; -1 = nowhere."""
    of, people = pd.factorize(history["employee_id"])
    person = pd.Index(people).get_indexer(employee_ids)
    # One number a person and day, ordered as the history is: by person, then by day.
    effective = history["effective_date"].to_numpy("datetime64[D]").astype(np.int64)
    asked = day.astype("datetime64[D]").astype(np.int64)
    changes, wanted = of * DAYS_APART + effective, person * DAYS_APART + asked
    before, on_it = (np.searchsorted(changes, wanted, side) - 1 for side in ("left", "right"))
    counts = (on_it > before) & (is_new | history["is_first"].to_numpy()[on_it])
    at = np.where(counts, on_it, before)
    return np.where((person >= 0) & (at >= 0) & (of[at] == person), at, -1)


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


def tenure_days(spells: pd.DataFrame, day: pd.Timestamp | np.ndarray) -> pd.Series:
    """Return days of service on one day for all or on that of each row.

    They count from the date of continuous service where it is known, else from the hire.
    """
    since = spells["hire_date"]
    if "service_date" in spells:
        since = spells["service_date"].fillna(since)
    return (pd.to_datetime(day) - since).dt.days


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
