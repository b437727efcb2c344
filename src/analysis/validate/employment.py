"""Who is employed on a day, and who is an employee at all."""

import numpy as np
import pandas as pd

from analysis.validate.coded import among, coded, positions, spread
from analysis.validate.context import Context
from analysis.validate.employees import left_out
from analysis.validate.rule import Rule

# All the days that a calendar date can be.
FIRST_DAY = np.datetime64("0001-01-01")
N_DAYS = int((np.datetime64("9999-12-31") - FIRST_DAY).astype(int)) + 1


def employed_on(employee_ids: pd.Series, days: pd.Series, spells: pd.DataFrame) -> pd.Series:
    """Return whether each person is employed on the day beside it; True where person or day is missing.

    Parameters
    ----------
    spells
        Employment spells (`employee_id`, `hire_date`, `exit_date`); the exit date is the last day employed.
    """
    unknown = employee_ids.isna() | days.isna()
    hired = spells.dropna(subset=["employee_id", "hire_date"])
    if hired.empty:
        return unknown
    (person, people), (codes, ids) = coded(hired["employee_id"]), coded(employee_ids)
    asked = spread(codes, positions(ids, people), -1)
    # One number for person and day, so that the last hire on or before a day is found among all at once.
    hire = person * N_DAYS + _day(hired["hire_date"])
    order = np.argsort(hire, kind="stable")
    last = order[np.searchsorted(hire, asked * N_DAYS + _day(days), side="right", sorter=order) - 1]
    day, hire_date, exit_date = (
        days.to_numpy(),
        hired["hire_date"].to_numpy()[last],
        hired["exit_date"].to_numpy()[last],
    )
    employed = (person[last] == asked) & (hire_date <= day) & ~(exit_date < day)
    return pd.Series(employed, index=employee_ids.index) | unknown


def _day(days: pd.Series) -> np.ndarray:
    """Return the number of each day since the year 1, shape (days,); anything where it is missing."""
    return (days.to_numpy().astype("datetime64[D]") - FIRST_DAY).astype(np.int64)


def person_rules(context: Context, column: str) -> list[Rule]:
    """Return the rules that the person in `column` is in the employees' files, and was hired by the data lock."""
    listed, hired = context.rows_of("employees"), context.rows_of("employees", left=True)
    if listed is None or hired is None:
        return []
    known, known_by_now = (pd.Index(rows["employee_id"].dropna().unique()) for rows in (listed, hired))
    gone, no_employees = known[positions(known, known_by_now) < 0], left_out(context)
    hired_later = gone[~gone.isin(no_employees)]
    return [
        Rule(
            "unknown_employee",
            column,
            "error",
            "rejected",
            f"{column} is not in the employees table; add the person there, or correct the id",
            lambda f: among(f[column], known) | f[column].isna(),
        ),
        Rule(
            "not_hired_by_as_of",
            column,
            "info",
            "rejected",
            "the person is hired after as_of, so nothing of them is known yet; move as_of if that is wrong",
            lambda f: ~among(f[column], hired_later),
        ),
    ]


def left_out_rule(context: Context, column: str, *, stays: bool = False) -> Rule:
    """Return the rule that the person in `column` is an employee; the rows of others go, or stay to be counted."""
    gone = left_out(context)
    return Rule(
        "no_employee",
        column,
        "info",
        "kept" if stays else "rejected",
        "the person is left out of the employees (no employee by worker_type, or never came)"
        + (": neither participant nor comparator, and counted" if stays else ", and this row with them"),
        lambda f: ~among(f[column], gone),
    )
