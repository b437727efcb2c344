"""Rules of the tables of jobs and of leave, and monthly headcount lists: the spells and job changes that they show.

A person in the headcount list of a day was employed on it. From the lists alone, an exit lies between the last list
with the person and the next one. The last day employed is the day of the last list: on any later one, somebody who had
left might be counted as a colleague who could still have joined the program, and never as a participant.
"""

from bisect import bisect_right

import numpy as np
import pandas as pd
import scipy

from analysis.plan.contract import TABLES
from analysis.plan.errors import Problem
from analysis.plan.study import Study
from analysis.validate.employees import employed_on, person_rules
from analysis.validate.rule import (
    Context,
    Rule,
    Test,
    after_as_of,
    coded,
    nowhere,
    positions,
    repeated,
    spread,
    study_file_problem,
)

# --- managers ---------------------------------------------------------------------------------------------------------
# Who leads back to oneself, from manager to manager.

# More than a company has levels.
ROUNDS = 12
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
    # Whoever leads nobody, or reports to nobody, is in no cycle. Where there is none, some rounds leave no line.
    for _ in range(ROUNDS):
        inside = np.isin(employee, manager) & np.isin(manager, employee)
        employee, manager, rows = employee[inside], manager[inside], rows[inside]
    if len(rows):
        graph = scipy.sparse.coo_array((np.ones(len(rows)), (employee, manager)), shape=(len(people), len(people)))
        _, part = scipy.sparse.csgraph.connected_components(graph, directed=True, connection="strong")
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


def _manager_not_employed(rows: pd.DataFrame, context: Context) -> pd.Series:
    spells = context.rows_of("employees", left=True)
    return nowhere(rows) if spells is None else ~employed_on(rows["manager_id"], rows["effective_date"], spells)


# Who changes and when.
CHANGES = (
    *person_rules("employee_id"),
    after_as_of("job", "effective_date"),
)
# One row is left per person and day.
DUPLICATES = (
    Rule(
        "duplicate_job",
        "effective_date",
        "warning",
        "rejected",
        "a later row has the same employee_id and effective_date, and the last one holds; keep one row per "
        "person and day",
        lambda f, _: repeated(f, ["employee_id", "effective_date"], keep="last"),
    ),
)
# Whom a person reports to; what breaks these rules is used as an unknown manager.
MANAGERS = (
    Rule(
        "manager_is_oneself",
        "manager_id",
        "warning",
        "set_null",
        "manager_id is the employee's own id; give the manager, or leave it empty at the top",
        lambda f, _: (f["manager_id"] == f["employee_id"]).fillna(False),
    ),
    Rule(
        "manager_in_cycle",
        "manager_id",
        "warning",
        "set_null",
        "manager_id leads back to the employee on that day, from manager to manager; correct who reports to whom",
        lambda f, _: in_cycle(f),
    ),
    Rule(
        "manager_not_employed",
        "manager_id",
        "warning",
        "set_null",
        "no employee with this manager_id was employed on effective_date; correct it, or complete the employees table",
        _manager_not_employed,
    ),
)

# --- leave ------------------------------------------------------------------------------------------------------------
# Rules of the table of leave: one row per absence. Overlapping absences are fine.

LEAVE = (
    *person_rules("employee_id"),
    Rule(
        "leave_end_before_start",
        "leave_end",
        "error",
        "rejected",
        "leave_end lies before leave_start; correct one of them",
        lambda f, _: f["leave_end"] < f["leave_start"],
    ),
    after_as_of("leave", "leave_start"),
)

# --- snapshots --------------------------------------------------------------------------------------------------------
# Headcount lists: their rules, and the spells and job changes that they show.

OF_A_JOB = [name for name in TABLES["jobs"] if name in TABLES["snapshots"] and name != "employee_id"]
OF_A_SPELL = [name for name in TABLES["employees"] if name in TABLES["snapshots"] and name != "employee_id"]
SOURCE_COLUMNS = ["_source", "_line"]
# What a list says of an exit: it may stand in the rows of somebody who is listed after having left.
OF_AN_EXIT = ["exit_date", "exit_type", "exit_reason", "notice_date"]
# Between two lists of consecutive months lie at most so many days.
LONGEST_MONTH = 31


def _shown(mark: str) -> Test:
    """Return the test of what the lists show of people who are in no file of employees."""
    return lambda f, c: _beyond(_employments(f), c.listed)[mark].reindex(f.index, fill_value=False)


# A row by itself, and that a person has one row a list.
LISTS = (
    after_as_of("snapshot", "snapshot_date"),
    Rule(
        "duplicate_snapshot",
        "snapshot_date",
        "warning",
        "rejected",
        "a later row has the same employee_id and snapshot_date, and the last one holds; keep one row per person "
        "and snapshot",
        lambda f, _: repeated(f, ["employee_id", "snapshot_date"], keep="last"),
    ),
)
# The spells that the lists show.
HISTORIES = (
    Rule(
        "absent_and_back",
        "snapshot_date",
        "warning",
        "kept",
        "the person was missing from the snapshots before this one, and is back: one employment where a single "
        "snapshot lacks them or hire_date is the same, else a rehire; check that nobody is left out while on leave",
        _shown("was_absent"),
    ),
    Rule(
        "exit_from_absence",
        "snapshot_date",
        "warning",
        "kept",
        "the person is employed in no later snapshot and no exit_date is given: the day of this last one counts as "
        "the last day employed, and the kind of exit is what exit_type says, else unknown; confirm that who is "
        "missing has left, or add a file of leavers as table employees",
        _shown("is_gone"),
    ),
    Rule(
        "hire_unknown",
        "hire_date",
        "warning",
        "kept",
        "the person is in the first snapshot and has no hire_date: counts as hired that day, so that tenure is too "
        "short; give the column hire_date",
        _shown("is_hire_unknown"),
    ),
)


def _beyond(there: pd.DataFrame, listed: pd.Series) -> pd.DataFrame:
    """Return the rows of `_employments` that no file of employees speaks of: of strangers to it, and of later hires."""
    is_later = there["hire_date"] > listed.reindex(there["employee_id"]).to_numpy()
    return there[~there["employee_id"].isin(listed.index) | is_later]


def _employments(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of people employed on the day of their list, by person and day, with what the lists show.

    Added are ``step`` (which list, 0, 1, …), ``spell`` (number of the employment), ``is_first`` and ``is_last`` (of the
    spell), ``hired`` and ``left`` (of the spell: first and last day; ``left`` missing while employed), the columns of
    an exit as last told, and the marks ``was_absent``, ``is_gone``, ``is_hire_unknown``.
    """
    rows = rows.dropna(subset=["employee_id", "snapshot_date"])
    rows = rows.sort_values(["employee_id", "snapshot_date"], kind="stable")
    step = rows["snapshot_date"].rank(method="dense").astype(int) - 1
    # of an earlier employment
    exits = rows["exit_date"].mask(rows["exit_date"] < rows["hire_date"])
    rows = rows.assign(step=step, exit_date=exits)
    has_left = (rows["employed"] == False).fillna(False).astype(bool) | (exits < rows["snapshot_date"])  # noqa: E712
    there = rows[~has_left & ~(rows["hire_date"] > rows["snapshot_date"])]
    there = there.assign(spell=_spells(there), was_absent=there.groupby("employee_id")["step"].diff() > 1)
    by_spell = there.groupby("spell")
    there["is_first"], there["is_last"] = ~there["spell"].duplicated(), ~there["spell"].duplicated(keep="last")
    hired = by_spell["hire_date"].transform("first")
    there["is_hire_unknown"] = there["is_first"] & (there["step"] == 0) & hired.isna()
    there["hired"] = hired.fillna(by_spell["snapshot_date"].transform("min"))
    there = _with_exits(there, rows[has_left])
    is_open = there["step"] == step.max()
    there["is_gone"] = there["is_last"] & ~is_open & there["exit_date"].isna()
    there["left"] = there["exit_date"].fillna(there["snapshot_date"].mask(is_open))
    return there


def _spells(there: pd.DataFrame) -> pd.Series:
    """Return the number of the employment that each row belongs to; rows are in the order of person and day."""
    before = there.groupby("employee_id")[["step", "snapshot_date", "hire_date", "worker_type"]].shift()
    gap = there["step"] - before["step"]
    is_known = there["hire_date"].notna() & before["hire_date"].notna()
    is_rehire = (gap > 1) & (there["hire_date"] > before["snapshot_date"])
    is_other = (
        (there["worker_type"] != before["worker_type"]) & there["worker_type"].notna() & before["worker_type"].notna()
    )
    return (before["step"].isna() | is_rehire | is_other | ((gap > 2) & ~is_known)).cumsum()


def _with_exits(there: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with what the lists say of the exit of their spell: in its last row, or in rows after it."""
    last = there[there["is_last"]]
    told = pd.concat([last, after.assign(spell=_spell_before(last, after))]).sort_values("step", kind="stable")
    found = told.groupby("spell")[OF_AN_EXIT].last()
    return there.drop(columns=OF_AN_EXIT).join(found, on="spell")


def _spell_before(last: pd.DataFrame, after: pd.DataFrame) -> pd.Series:
    """Return the person's latest spell that ended before each row; missing where there is none."""
    if after.empty:
        return pd.Series(dtype=float, index=after.index)
    ends = last[["employee_id", "step", "spell"]].sort_values("step", kind="stable")
    asked = after[["employee_id", "step"]].assign(row=after.index).sort_values("step", kind="stable")
    return pd.merge_asof(asked, ends, on="step", by="employee_id").set_index("row")["spell"].reindex(after.index)


def spells_of(rows: pd.DataFrame, listed: pd.Series) -> pd.DataFrame:
    """Return the employment spells that the lists show, as rows of employees, each with the line of its last row.

    Parameters
    ----------
    rows
        The typed snapshots.
    listed
        The last day employed of those in a file of employees, by id: up to it they are left to that file.
    """
    there = _beyond(_employments(rows), listed)
    further = [name for name in rows if name not in (*TABLES["snapshots"], *SOURCE_COLUMNS)]
    fixed = [name for name in OF_A_SPELL if name not in (*OF_AN_EXIT, "hire_date")] + further
    there[fixed] = there.groupby("spell")[fixed].ffill()
    last = there[there["is_last"]].assign(exit_date=lambda f: f["left"], hire_date=lambda f: f["hired"])
    last = last.assign(no_show=pd.array([False] * len(last), dtype="boolean"))
    return last[["employee_id", "no_show", *OF_A_SPELL, *further, *SOURCE_COLUMNS]].reset_index(drop=True)


def changes_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the changes of job that the lists show, as rows of jobs.

    A change holds from the day of the list that first has it; the first job of a spell from the day of hiring, where
    that lies after the list before. A cell that is empty says nothing of a change.
    """
    there = _employments(rows)
    there[OF_A_JOB] = there.groupby("spell")[OF_A_JOB].ffill()
    there = there[there["job_level"].notna()]
    before = there.groupby("spell")[OF_A_JOB].shift()
    is_same = (there[OF_A_JOB] == before) | there[OF_A_JOB].isna()
    is_first = ~there["spell"].duplicated()
    days = pd.Series(sorted(rows["snapshot_date"].dropna().unique()))
    list_before = there["step"].map(days.shift())
    at_hire = is_first & there["is_first"] & (there["hired"] > list_before)
    there = there.assign(effective_date=there["snapshot_date"].mask(at_hire, there["hired"]))
    changed = there[is_first | ~is_same.all(axis=1)]
    return changed[["employee_id", "effective_date", *OF_A_JOB, *SOURCE_COLUMNS]].reset_index(drop=True)


def period_problems(rows: pd.DataFrame, study: Study, *, give_spells: bool) -> list[Problem]:
    """Return what is wrong with the days of the lists: a month without one, and what the study says of them.

    Where the lists say who is employed (`give_spells`), nobody can be seen leaving before the first and after the last.
    """
    days = rows["snapshot_date"].dropna().sort_values().drop_duplicates().reset_index(drop=True)
    if days.empty:
        return []
    found, month = [], pd.Timedelta(days=LONGEST_MONTH)
    gaps = days.diff()
    wide = days[gaps > 1.5 * max(gaps.median(), month)] if len(days) > 2 else days.iloc[:0]
    for day in wide:
        message = (
            f"no snapshot lies between {days[days < day].iloc[-1].date()} and {day.date()}; people in both count as "
            "employed in between. If a file is missing, add it"
        )
        found.append(study_file_problem("snapshots", "snapshot_missing", message, severity="warning"))
    first, last = days.iloc[0], days.iloc[-1]
    if give_spells and pd.Timestamp(study.study_start) + month < first:
        message = f"study_start lies before the first snapshot, when nobody can be seen leaving; make it {first.date()}"
        found.append(study_file_problem("snapshots", "before_first_snapshot", message))
    if give_spells and pd.Timestamp(study.as_of) - month > last:
        message = f"as_of lies after the last snapshot, when nobody can be seen leaving; make it {last.date()}"
        found.append(study_file_problem("snapshots", "after_last_snapshot", message))
    return found
