"""Rules of the tables of jobs and of leave, and who leads back to oneself from manager to manager."""

from bisect import bisect_right

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.validate.coded import coded, positions, repeated, spread
from analysis.validate.employees import employed_on, left_out_rule, person_rules
from analysis.validate.rule import Context, Rule

# --- managers ---------------------------------------------------------------------------------------------------------
# Who leads back to oneself, from manager to manager.

History = dict[str, tuple[list[pd.Timestamp], list[str | None]]]


def in_cycle(jobs: pd.DataFrame) -> pd.Series:
    """Return whether the manager of a row leads back to its employee on the row's effective date.

    Rows whose manager is the employee are not counted. Only rows inside a strongly connected part of all reporting
    lines, whatever their dates, can be in a cycle: those alone are followed, day by day.

    Parameters
    ----------
    jobs
        At most one row per employee and day: `employee_id`, `effective_date`, `manager_id`.
    """
    suspects = jobs[_strongly_connected(jobs)]
    history = _history(jobs[jobs["employee_id"].isin(suspects["employee_id"])].dropna(subset=["effective_date"]))
    found = [
        _leads_back(row.employee_id, row.manager_id, row.effective_date, history)
        for row in suspects[["employee_id", "manager_id", "effective_date"]].itertuples(index=False)
    ]
    return pd.Series(found, index=suspects.index, dtype=bool).reindex(jobs.index, fill_value=False)


def _strongly_connected(jobs: pd.DataFrame) -> np.ndarray:
    """Return whether employee and manager of a row, who are two people, can each be reached from the other."""
    (manager, managers), (employee, people) = coded(jobs["manager_id"]), coded(jobs["employee_id"])
    # Whoever has no job reports to nobody and is in no cycle.
    manager = spread(manager, positions(managers, people), -1)
    rows = np.flatnonzero((manager >= 0) & (employee >= 0) & (manager != employee) & jobs["effective_date"].notna())
    employee, manager, found = employee[rows], manager[rows], np.full(len(jobs), False)
    graph = coo_array((np.ones(len(rows)), (employee, manager)), shape=(len(people), len(people)))
    _, part = connected_components(graph, directed=True, connection="strong")
    found[rows] = part[employee] == part[manager]
    return found


def _history(jobs: pd.DataFrame) -> History:
    """Return each person's days of change and the managers from then on, in time."""
    history: History = {}
    ordered = jobs.sort_values("effective_date", kind="stable")
    managers = ordered["manager_id"].astype(object).where(ordered["manager_id"].notna(), None)
    for person, day, manager in zip(ordered["employee_id"], ordered["effective_date"], managers, strict=True):
        days, then = history.setdefault(person, ([], []))
        days.append(day)
        then.append(manager)
    return history


def _leads_back(employee: str, manager: str, day: pd.Timestamp, history: History) -> bool:
    passed: set[str] = set()
    current: str | None = manager
    while current in history and current not in passed:
        passed.add(current)
        days, managers = history[current]
        position = bisect_right(days, day)
        current = managers[position - 1] if position else None
        if current == employee:
            return True
    return False


# --- jobs -------------------------------------------------------------------------------------------------------------
# Rules of the jobs table: one row per change, effective-dated.


def change_rules(context: Context) -> list[Rule]:
    """Return the rules of who changes and when."""
    return [
        *person_rules(context, "employee_id"),
        left_out_rule(context, "employee_id"),
        Rule(
            "job_after_as_of",
            "effective_date",
            "info",
            "rejected",
            "effective_date is after as_of, the end of the data; move as_of if that is wrong",
            lambda f: ~(f["effective_date"] > context.as_of),
        ),
    ]


def duplicate_rules(context: Context) -> list[Rule]:
    """Return the rule that leaves one row per person and day."""
    return [
        Rule(
            "duplicate_job",
            "effective_date",
            "warning",
            "rejected",
            "a later row has the same employee_id and effective_date, and the last one holds; keep one row per "
            "person and day",
            lambda f: ~repeated(f, ["employee_id", "effective_date"], keep="last"),
        )
    ]


def manager_rules(context: Context) -> list[Rule]:
    """Return the rules of whom a person reports to; what breaks them is used as an unknown manager."""
    rules = [
        Rule(
            "manager_is_oneself",
            "manager_id",
            "warning",
            "set_null",
            "manager_id is the employee's own id; give the manager, or leave it empty at the top",
            lambda f: ~(f["manager_id"] == f["employee_id"]).fillna(False),
        ),
        Rule(
            "manager_in_cycle",
            "manager_id",
            "warning",
            "set_null",
            "manager_id leads back to the employee on that day, from manager to manager; correct who reports to whom",
            lambda f: ~in_cycle(f),
        ),
    ]
    spells = context.rows_of("employees", left=True)
    if spells is not None:
        rules.append(
            Rule(
                "manager_not_employed",
                "manager_id",
                "warning",
                "set_null",
                "no employee with this manager_id was employed on effective_date; correct it, or complete the "
                "employees table",
                lambda f: employed_on(f["manager_id"], f["effective_date"], spells),
            )
        )
    return rules


# --- leave ------------------------------------------------------------------------------------------------------------
# Rules of the table of leave: one row per absence.


def leave_rules(context: Context) -> list[Rule]:
    """Return the rules of who is away, and from when to when; overlapping absences are fine."""
    return [
        *person_rules(context, "employee_id"),
        left_out_rule(context, "employee_id"),
        Rule(
            "leave_end_before_start",
            "leave_end",
            "error",
            "rejected",
            "leave_end lies before leave_start; correct one of them",
            lambda f: ~(f["leave_end"] < f["leave_start"]),
        ),
        Rule(
            "leave_after_as_of",
            "leave_start",
            "info",
            "rejected",
            "leave_start is after as_of, the end of the data; move as_of if that is wrong",
            lambda f: ~(f["leave_start"] > context.as_of),
        ),
    ]
