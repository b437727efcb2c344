"""Rules of the employees table, a row a spell: who is an employee, and transfers within the group."""

import numpy as np
import pandas as pd

from analysis.plan.contract import MAX_UNKNOWN_EXITS
from analysis.plan.errors import Problem
from analysis.validate.rule import (
    Context,
    Rule,
    Test,
    after_as_of,
    among,
    coded,
    lines_by_source,
    nowhere,
    positions,
    repeated,
    spread,
    study_file_problem,
)

# --- employment -------------------------------------------------------------------------------------------------------
# Who is employed on a day, and who is an employee at all.

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


def left_out(context: Context) -> pd.Index:
    """Return the people in the employees' files of whom no row is left, because they are no employees."""
    seen, kept = context.rows_of("employees"), context.rows_of("employees", left=True)
    if seen is None or kept is None:
        return pd.Index([], dtype="str")
    ids = seen.loc[~(seen["hire_date"] > context.as_of), "employee_id"].dropna().unique()
    return pd.Index(ids[~pd.Index(ids).isin(kept["employee_id"])], dtype="str")


def unknown_employee(column: str, *, left: bool = False) -> Test:
    """Return the test of people who are in no file of employees (`left`: nor left in the table after its rules)."""

    def is_unknown(rows: pd.DataFrame, context: Context) -> pd.Series:
        listed = context.rows_of("employees", left=left)
        if listed is None:
            return nowhere(rows)
        return ~among(rows[column], _ids_of(listed).union(left_out(context))) & rows[column].notna()

    return is_unknown


def _ids_of(rows: pd.DataFrame) -> pd.Index:
    return pd.Index(rows["employee_id"].dropna().unique())


def _is_hired_later(people: pd.Series, context: Context) -> pd.Series:
    """Return who is in a file of employees and was hired after the data lock alone."""
    listed, hired = context.rows_of("employees"), context.rows_of("employees", left=True)
    if listed is None or hired is None:
        return nowhere(people)
    gone = _ids_of(listed)
    gone = gone[positions(gone, _ids_of(hired)) < 0]
    return among(people, gone[~gone.isin(left_out(context))])


def person_rules(column: str, *, outsiders_stay: bool = False) -> tuple[Rule, ...]:
    """Return the rules that the person in `column` is in the employees' files, was hired, and is an employee.

    The rows of those who are no employees go, or stay to be counted.
    """
    return (
        Rule(
            "unknown_employee",
            column,
            "error",
            "rejected",
            f"{column} is not in the employees table; add the person there, or correct the id",
            unknown_employee(column),
        ),
        Rule(
            "not_hired_by_as_of",
            column,
            "info",
            "rejected",
            "the person is hired after as_of, so nothing of them is known yet; move as_of if that is wrong",
            lambda f, c: _is_hired_later(f[column], c),
        ),
        outsider_rule(column, stays=outsiders_stay),
    )


def outsider_rule(column: str, *, stays: bool = False) -> Rule:
    """Return the rule that the person in `column` is an employee; the rows of others go, or stay to be counted."""
    return Rule(
        "no_employee",
        column,
        "info",
        "kept" if stays else "rejected",
        "the person is left out of the employees (no employee by worker_type, or never came)"
        + (": neither participant nor comparator, and counted" if stays else ", and this row with them"),
        lambda f, c: among(f[column], left_out(c)),
    )


# --- transfers --------------------------------------------------------------------------------------------------------
# Transfers within the group: a spell that goes on in another entity is one employment.

# The new entity may enter its people on the first of the next month.
MOST_DAYS_BETWEEN = 31
MESSAGE = (
    "exit_type is transfer, or the next row names a former id, and the person's next spell follows at once: one "
    "employment, from the first hire on"
)


def united(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the employees' rows with each transfer and the spell that follows it as one, and what is told of it.

    A spell goes on where its exit is a transfer, or the next row names a former id of the person, and the next spell
    of the person begins within `MOST_DAYS_BETWEEN` days. The united spell has the first one's hire and continuous
    service, and all else of the last one, or what the first one says where the last is silent.
    """
    ordered = rows.sort_values(["employee_id", "hire_date"], kind="stable")
    goes_on = _goes_on(ordered)
    if not goes_on.any():
        return rows, []
    problems = [
        Problem(
            severity="info",
            table="employees",
            source=source,
            rows=len(lines),
            example_rows=tuple(lines),
            rule="transfer_united",
            message=MESSAGE,
            action="repaired",
            lines=lines,
        )
        for source, lines in lines_by_source(ordered[goes_on])
    ]
    number = (~goes_on.groupby(ordered["employee_id"]).shift(fill_value=False)).cumsum()
    by_spell = ordered.groupby(number)
    last = ordered[~number.duplicated(keep="last")]
    exits = ["exit_date", "exit_type", "exit_reason", "notice_date"]
    filled = by_spell.ffill()[[name for name in ordered if name not in ("employee_id", *exits)]].loc[last.index]
    first = ordered[~number.duplicated()].set_index(number[~number.duplicated()])
    key = number.loc[last.index]
    filled["hire_date"] = first["hire_date"].reindex(key).to_numpy()
    filled["service_date"] = first["service_date"].reindex(key).to_numpy()
    return last.assign(**{name: filled[name] for name in filled}).sort_index().reset_index(drop=True), problems


def _goes_on(ordered: pd.DataFrame) -> pd.Series:
    """Return which spells go on in the next row of their person; rows are in the order of person and hire."""
    after = ordered.groupby("employee_id")[["hire_date", "previous_employee_id"]].shift(-1)
    days = (after["hire_date"] - ordered["exit_date"]).dt.days
    is_transfer = (ordered["exit_type"] == "transfer") | after["previous_employee_id"].notna()
    return days.between(0, MOST_DAYS_BETWEEN) & is_transfer


# --- employees --------------------------------------------------------------------------------------------------------
# Rules of the employees table: one row per employment spell.


def _never_came(rows: pd.DataFrame) -> pd.Series:
    """Return which rows are hires who never came: by what is said of it, else by a single day of employment."""
    is_said, single_day = rows["no_show"].astype("boolean"), rows["exit_date"] == rows["hire_date"]
    return is_said.fillna(single_day).astype(bool)


def _is_unexplained(spells: pd.DataFrame) -> pd.Series:
    """Return which rows have an original hire before their own that no earlier spell of the person is."""
    earlier = (spells["original_hire_date"] < spells["hire_date"]) & spells["service_date"].isna()
    first = spells.groupby("employee_id")["hire_date"].transform("min")
    return earlier & ~(first <= spells["original_hire_date"])


def overlaps(spells: pd.DataFrame) -> pd.Series:
    """Return whether a spell begins before an earlier one of the same person has ended (not: on the same day)."""
    known = spells[["hire_date", "exit_date"]].assign(person=coded(spells["employee_id"])[0])
    known = known[(known["person"] >= 0) & known["hire_date"].notna()]
    ordered = known.sort_values(["person", "hire_date"], kind="stable")
    ends = ordered["exit_date"].fillna(pd.Timestamp.max.floor("D")).astype("datetime64[us]")
    latest_end = ends.groupby(ordered["person"]).cummax().groupby(ordered["person"]).shift()
    begun = (ordered["hire_date"] <= latest_end) & ~repeated(ordered, ["person", "hire_date"])
    return begun.reindex(spells.index, fill_value=False)


# Who is no employee, or was hired after the data lock.
STAFF = (
    Rule(
        "no_show",
        "no_show",
        "info",
        "rejected",
        "the person never came, or left on the day of hire: no employment, and the row is left out",
        lambda f, _: _never_came(f),
    ),
    Rule(
        "not_staff",
        "worker_type",
        "info",
        "rejected",
        "the person is no employee by worker_type: neither participant nor comparator, and counted; if such people "
        "belong to the staff, name their kind under staff: in study.yaml",
        lambda f, c: f["worker_type"].notna() & ~f["worker_type"].isin(c.study.staff),
    ),
    after_as_of("hired", "hire_date"),
)
# A spell, and one person's spells together.
SPELLS = (
    Rule(
        "exit_before_hire",
        "exit_date",
        "error",
        "rejected",
        "exit_date lies before hire_date; correct one of them",
        lambda f, _: f["exit_date"] < f["hire_date"],
    ),
    Rule(
        "duplicate_spell",
        "hire_date",
        "error",
        "rejected",
        "an earlier row has the same employee_id and hire_date; keep one row per employment spell",
        lambda f, _: repeated(f, ["employee_id", "hire_date"]) & f["hire_date"].notna(),
    ),
    Rule(
        "overlapping_spells",
        "hire_date",
        "error",
        "rejected",
        "hire_date lies within another spell of the same employee; end that spell before this hire (exit_date is "
        "the last day employed)",
        lambda f, _: overlaps(f),
    ),
    Rule(
        "exit_before_study_start",
        "exit_date",
        "info",
        "kept",
        "exit_date lies before study_start; the spell is kept but not followed",
        lambda f, c: f["exit_date"] < pd.Timestamp(c.study.study_start),
    ),
    Rule(
        "service_after_hire",
        "service_date",
        "warning",
        "set_null",
        "service_date, since when service is continuous, lies after hire_date; tenure counts from hire_date",
        lambda f, _: f["service_date"] > f["hire_date"],
    ),
    Rule(
        "original_hire_before_hire",
        "original_hire_date",
        "warning",
        "kept",
        "original_hire_date lies before hire_date, and no earlier spell and no service_date say whether service "
        "was continuous; tenure counts from hire_date. If it was, write columns: {{employees: {{service_date: …}}}} in "
        "study.yaml, with the column of the original hire",
        lambda f, _: _is_unexplained(f),
    ),
    Rule(
        "exit_after_as_of",
        "exit_date",
        "info",
        "set_null",
        "exit_date lies after as_of: the person is still employed at the data lock",
        lambda f, c: f["exit_date"] > c.as_of,
        nulls=("exit_date", "exit_type", "exit_reason"),
    ),
    Rule(
        "exit_type_without_date",
        "exit_type",
        "warning",
        "set_null",
        "exit_type is given without an exit_date; give the last day employed, or empty the type",
        lambda f, _: f["exit_type"].notna() & f["exit_date"].isna(),
    ),
    Rule(
        "exit_without_type",
        "exit_type",
        "info",
        "kept",
        "exit_date is given without an exit_type: the exit counts as one of unknown kind; give the type if it is known",
        lambda f, c: f["exit_type"].isna() & (f["exit_date"] <= c.as_of),
    ),
    Rule(
        "notice_after_as_of",
        "notice_date",
        "info",
        "set_null",
        "notice_date is after as_of, the end of the data",
        lambda f, c: f["notice_date"] > c.as_of,
    ),
    Rule(
        "notice_after_exit",
        "notice_date",
        "warning",
        "set_null",
        "notice_date lies after exit_date; correct one of them",
        lambda f, _: f["notice_date"] > f["exit_date"],
    ),
    Rule(
        "notice_before_hire",
        "notice_date",
        "warning",
        "set_null",
        "notice_date lies before hire_date; correct one of them",
        lambda f, _: f["notice_date"] < f["hire_date"],
    ),
)


def unknown_kinds(context: Context) -> list[Problem]:
    """Return a warning where so many exits have no kind that leaving by choice cannot be told from other exits."""
    spells = context.rows_of("employees", left=True)
    gone = None if spells is None else spells.loc[spells["exit_date"].notna(), "exit_type"]
    if gone is None or gone.isna().sum() < context.study.min_cell or gone.isna().mean() <= MAX_UNKNOWN_EXITS:
        return []
    message = (
        f"more than {MAX_UNKNOWN_EXITS:.0%} of the exits have no kind, so leaving by choice cannot be told from other "
        "exits, and retention is that of any exit; name the column with the kinds or reasons under columns: "
        "{employees: {exit_type: …}} in study.yaml, or give a file of exits"
    )
    return [study_file_problem("employees", "exits_of_unknown_kind", message, severity="warning")]
