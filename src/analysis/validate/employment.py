"""Who is employed on a day, and who is an employee at all."""

import pandas as pd

from analysis.validate.context import Context
from analysis.validate.rule import Rule


def employed_on(employee_ids: pd.Series, days: pd.Series, spells: pd.DataFrame) -> pd.Series:
    """Return whether each person is employed on the day beside it; True where person or day is missing.

    Parameters
    ----------
    spells
        Employment spells (`employee_id`, `hire_date`, `exit_date`); the exit date is the last day employed.
    """
    asked = pd.DataFrame({"employee_id": employee_ids, "day": days}).dropna().sort_values("day", kind="stable")
    hired = spells[["employee_id", "hire_date", "exit_date"]].dropna(subset=["employee_id", "hire_date"])
    last = pd.merge_asof(
        asked, hired.sort_values("hire_date", kind="stable"), left_on="day", right_on="hire_date", by="employee_id"
    )
    employed = last["hire_date"].notna() & ~(last["exit_date"] < last["day"])
    return pd.Series(employed.to_numpy(), index=asked.index).reindex(employee_ids.index, fill_value=True)


def person_rules(context: Context, column: str) -> list[Rule]:
    """Return the rules that the person in `column` is an employee, and was hired by the data lock."""
    listed, hired = context.rows_of("employees"), context.rows_of("employees", left=True)
    if listed is None or hired is None:
        return []
    known = set(listed["employee_id"].dropna())
    hired_later = known - set(hired["employee_id"])
    return [
        Rule(
            "unknown_employee",
            column,
            "error",
            "rejected",
            f"{column} is not in the employees table; add the person there, or correct the id",
            lambda f: f[column].isin(known) | f[column].isna(),
        ),
        Rule(
            "not_hired_by_as_of",
            column,
            "info",
            "rejected",
            "the person is hired after as_of, so nothing of them is known yet; move as_of if that is wrong",
            lambda f: ~f[column].isin(hired_later),
        ),
    ]
