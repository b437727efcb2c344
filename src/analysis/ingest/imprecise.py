"""Starts of which a list says a span of days become one day of it: the one that study.yaml asks for."""

import datetime as dt
from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.ingest.export import LINE, Export, as_text
from analysis.ingest.undated import EARLIEST, LATEST
from analysis.plan.bounds import is_day
from analysis.plan.study import ImpreciseDates

TAKEN: dict[ImpreciseDates, str] = {"first_day": "first day", "midpoint": "middle day", "last_day": "last day"}
# Days of an enrolment that lie before its start, and after it.
BEFORE, AFTER = ["applied_date", "intake_date"], ["end_date"]
STILL_EMPLOYED = "9999-12-31"


def settle_starts(export: Export, employees: Sequence[pd.DataFrame], as_of: dt.date) -> None:
    """Give a start that is a span of days the day that ``imprecise_dates`` asks for, noted; people must be linked.

    The span is cut to what else is known: a person starts while employed, after applying and the intake's opening,
    before the end and the data lock. A day that would leave nothing of it cuts nothing. Days are ISO text, which sorts
    as days do.
    """
    frame = export.rows
    if export.table != "enrolments" or export.imprecise_dates is None or not {EARLIEST, LATEST} <= set(frame):
        return
    rows = frame.reindex(columns=["employee_id", "start_date", "start_unknown", EARLIEST, LATEST, *BEFORE, *AFTER])
    rows = rows.astype(object).where(rows.notna(), None)
    is_open = rows[["start_date", "start_unknown"]].isna().all(axis=1)
    is_open &= rows[[EARLIEST, LATEST]].map(is_day).all(axis=1)
    if not is_open.any():
        return
    spells = _spells(employees, set(rows.loc[is_open, "employee_id"]))
    for at, row in rows[is_open].iterrows():
        own = spells.get(row["employee_id"], [])
        first, last = _cut((row[EARLIEST], row[LATEST]), row[BEFORE], [*row[AFTER], str(as_of)], own)
        rows.loc[at, ["start_date", EARLIEST, LATEST]] = [_day(first, last, export.imprecise_dates), first, last]
    export.frame = frame.assign(**{name: as_text(rows[name]) for name in ("start_date", EARLIEST, LATEST)})
    export.note(
        "imprecise_start",
        f"start_date says a month, a quarter or another span of days; the {TAKEN[export.imprecise_dates]} of it was "
        "taken, as imprecise_dates in study.yaml says, and rows beside the main answer move it to the other ends. Give "
        "the day as yyyy-mm-dd where it is known",
        frame.loc[is_open, LINE],
        severity="warning",
    )


def _spells(employees: Sequence[pd.DataFrame], people: set[str]) -> dict[str, list[tuple[str, str]]]:
    """Return first and last day of each spell of these people, in their order; of the rows that say so."""
    found: dict[str, list[tuple[str, str]]] = {}
    for frame in employees:
        rows = frame.reindex(columns=["employee_id", "hire_date", "exit_date"]).astype(object)
        for person, hired, left in rows[rows["employee_id"].isin(people)].itertuples(index=False):
            if is_day(hired):
                found.setdefault(person, []).append((hired, left if is_day(left) else STILL_EMPLOYED))
    return {person: sorted(spells) for person, spells in found.items()}


def _cut(
    span: tuple[str, str], before: Iterable[object], after: Iterable[object], spells: Iterable[tuple[str, str]]
) -> tuple[str, str]:
    first, last = span
    employed = next(((hired, left) for hired, left in spells if hired <= last and left >= first), span)
    for day in (*before, employed[0]):
        first = day if is_day(day) and first < day <= last else first
    for day in (*after, employed[1]):
        last = day if is_day(day) and first <= day < last else last
    return first, last


def _day(first: str, last: str, which: ImpreciseDates) -> str:
    if which == "midpoint":
        begin, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
        return str(begin + (end - begin) // 2)
    return first if which == "first_day" else last
