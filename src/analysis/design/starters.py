"""Who of a day's staff starts something, on the day, after it or before it."""

import numpy as np
import pandas as pd

from analysis.design.rollout import DEFAULT_UNIT, units_of
from analysis.measure.employment import Staff


def start_on(starts: pd.DataFrame, staff: Staff) -> np.ndarray:
    """Return who has one of these starts (``employee_id``, ``start_date``) on the day."""
    found = np.zeros(len(staff.day), dtype=bool)
    some = _rows_of(starts, staff)
    pairs = some.merge(starts, left_on=["employee_id", "day"], right_on=["employee_id", "start_date"])
    found[pairs["row"]] = True
    return found


def first_after(starts: pd.DataFrame, staff: Staff) -> np.ndarray:
    """Return the day of each person's first of these starts after the day; missing = none."""
    found = np.full(len(staff.day), np.datetime64("NaT", "ns"))
    pairs = _rows_of(starts, staff).merge(starts, on="employee_id")
    first = pairs[pairs["start_date"] > pairs["day"]].groupby("row")["start_date"].min()
    found[first.index] = first.to_numpy("datetime64[us]")
    return found


def _rows_of(starts: pd.DataFrame, staff: Staff) -> pd.DataFrame:
    """Return the rows of people who have any of these starts: ``row``, ``employee_id``, ``day``."""
    people = staff.spells["employee_id"]
    row = np.flatnonzero(people.isin(starts["employee_id"]))
    return pd.DataFrame({"row": row, "employee_id": people.iloc[row].to_numpy(), "day": staff.day[row]})


def started_elsewhere(elsewhere: pd.DataFrame, staff: Staff) -> dict[str, np.ndarray]:
    """Return who had started another of the company's programs before the day; nothing where there is none.

    `elsewhere` is from `measure.exposure.starts_elsewhere`.
    """
    if elsewhere.empty:
        return {}
    first = elsewhere.groupby("employee_id")["start_date"].min().reindex(staff.spells["employee_id"])
    return {"in_other_program": (first.to_numpy("datetime64[us]") < staff.day).astype(float)}


def not_started(
    staff: Staff,
    any_start: pd.Series,
    reached: pd.Series | None,
    after: pd.Timestamp | np.ndarray,
    unit: str = DEFAULT_UNIT,
) -> np.ndarray:
    """Return who starts only after a day, or never; in a rollout, whose unit is reached only after it, or never.

    The day is one for all, or that of each row. `unit` is the column that says which unit a person is in.
    """
    own_start, after = any_start.reindex(staff.spells["employee_id"]).to_numpy(), np.asarray(after, "datetime64[us]")
    unstarted = np.isnat(own_start) | (own_start > after)
    if reached is None:
        return unstarted
    now = units_of(staff, unit)
    unit_day = reached.reindex(now).to_numpy(dtype="datetime64[us]")
    return unstarted & now.notna().to_numpy() & (np.isnat(unit_day) | (unit_day > after))
