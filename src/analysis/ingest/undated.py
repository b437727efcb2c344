"""Starts without a day: those with a span of days get one of it, the others are read apart."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from analysis.ingest.columns import emptied, first_filled
from analysis.ingest.date_forms import read_day, read_span, split
from analysis.ingest.dates import YEARS_AHEAD
from analysis.ingest.export import LINE, Export, as_text, recoded
from analysis.ingest.text_matching import folded, matches
from analysis.plan.contract import ISO_DATE, is_day
from analysis.plan.study import ImpreciseDates

# --- imprecise --------------------------------------------------------------------------------------------------------
# Starts of which a list says a span of days become one day of it: the one that study.yaml asks for.

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
    export.warn(
        "imprecise_start",
        f"start_date says a month, a quarter or another span of days; the {TAKEN[export.imprecise_dates]} of it was "
        "taken, as imprecise_dates in study.yaml says, and rows beside the main answer move it to the other ends. Give "
        "the day as yyyy-mm-dd where it is known",
        frame.loc[is_open, LINE],
        action="repaired",
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


# --- undated ----------------------------------------------------------------------------------------------------------
# Starts that a list of participants says without a day: read apart from those of people who never started.

# Words that elsewhere stand for no date. In a list of participants they say that there is a start, and not when.
WITHOUT_DAY = ("n/a", "na", "tbc", "tbd", "tba", "unknown", "?", "x", "yes", "pending", "open", "offen", "unbekannt")
# What such a cell says until all columns of the list have been read: no day of any calendar. A span of days says its
# first and its last, with this sign between them (ISO 8601).
UNDATED, TO = "undated", "/"
_SPAN = re.compile(rf"({ISO_DATE.pattern}){TO}({ISO_DATE.pattern})")
EARLIEST, LATEST = "start_earliest", "start_latest"


def set_apart(column: pd.Categorical, year: int) -> tuple[pd.Categorical, pd.Categorical]:
    """Return a column of starts without its cells that name no day, and these: unknown days and spans of days.

    `year` is the data lock's, for years of two digits.
    """
    words = matches(column.categories, WITHOUT_DAY)
    said = [UNDATED if word else _span(text, year) for text, word in zip(column.categories, words, strict=True)]
    apart = recoded(column.codes, said)
    return emptied(column, apart.codes >= 0), apart


def _span(text: str, year: int) -> str | None:
    text, latest = folded(text), year + YEARS_AHEAD
    span = None if read_day(split(text).day, latest) else read_span(text, latest)
    return span and f"{span.first}{TO}{span.last}"


def put_back(column: pd.Categorical, apart: pd.Categorical) -> pd.Categorical:
    """Return the column with the cells that were set apart."""
    return first_filled([apart, column])


def is_span(text: str) -> bool:
    """Whether the text is a span of days as `set_apart` writes it."""
    return _SPAN.fullmatch(text) is not None


def note_undated(export: Export) -> None:
    """Empty the starts that are no day of the calendar and say so in ``start_unknown``, each noted.

    Whoever has one is neither treated nor a comparator: taken for never started, the treated would be among the
    comparators. A span of days becomes ``start_earliest`` and ``start_latest`` where the study says which of its days
    is to be taken. Where the order of day and month is in doubt, that must be settled first.
    """
    in_doubt = any(problem.rule in ("ambiguous_date", "mixed_date_order") for problem in export.problems)
    if export.table != "enrolments" or in_doubt or not {"start_date", EARLIEST, LATEST} & set(export.rows):
        return
    starts = _cells(export, "start_date")
    spans = [found.groups() if (found := _SPAN.fullmatch(text)) else (None, None) for text in starts.categories]
    ends = {
        name: first_filled([_cells(export, name), recoded(starts.codes, [span[n] for span in spans])])
        for n, name in enumerate((EARLIEST, LATEST))
    }
    has_span = np.any([cells.codes >= 0 for cells in ends.values()], axis=0)
    is_whole = np.all([cells.codes >= 0 for cells in ends.values()], axis=0)
    days = pd.to_datetime(pd.Series(starts.categories, dtype=object), format="%Y-%m-%d", errors="coerce")
    is_day = np.append(days.notna().to_numpy(), False)[starts.codes]
    is_undated = ~is_day & ((starts.codes >= 0) | has_span)
    if export.imprecise_dates:
        is_undated &= ~is_whole
    is_empty = ~is_day & (starts.codes >= 0)
    if is_empty.any():
        export.frame = export.rows.assign(start_date=emptied(starts, is_empty))
    if export.imprecise_dates and has_span.any():
        export.frame = export.rows.assign(**ends)
    if is_undated.any():
        _note(export, is_undated, names_span=(is_undated & has_span).any())


def _cells(export: Export, name: str) -> pd.Categorical:
    return export.rows[name].array if name in export.rows else recoded(np.full(len(export.rows), -1), [])


def _note(export: Export, is_undated: np.ndarray, *, names_span: bool) -> None:
    message = (
        "start_date says that the person started, and not on which day; such people are neither participants nor "
        "comparators, and are counted. Give the day as yyyy-mm-dd, or leave the cell empty for who never started"
    )
    if names_span and not export.imprecise_dates:
        message += (
            "; or, for a month, quarter or season, set imprecise_dates: first_day, midpoint or last_day at the source "
            "in study.yaml"
        )
    lines = export.rows.loc[is_undated, LINE]
    export.warn("undated_start", message, lines, action="set_null", column="start_date")
    unknown = [recoded(np.where(is_undated, 0, -1), ["true"]), _cells(export, "start_unknown")]
    export.frame = export.rows.assign(start_unknown=first_filled(unknown))
