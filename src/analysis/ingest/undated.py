"""Starts that a list of participants says without a day: read apart from those of people who never started."""

import numpy as np
import pandas as pd

from analysis.ingest.columns import emptied, is_one_of, replaced
from analysis.ingest.export import LINE, Export, recoded

# Words that elsewhere stand for no date. In a list of participants they say that there is a start, and not when.
WITHOUT_DAY = ("n/a", "na", "tbc", "tbd", "tba", "unknown", "?", "x", "yes", "pending", "open", "offen", "unbekannt")
# What such a cell says until all columns of the list have been read: no day of any calendar.
UNDATED = "undated"


def set_apart(column: pd.Categorical) -> tuple[pd.Categorical, np.ndarray]:
    """Return a column of starts without its words for an unknown day, and the rows that have one."""
    undated = is_one_of(column, WITHOUT_DAY)
    return emptied(column, undated), undated


def put_back(column: pd.Categorical, undated: np.ndarray) -> pd.Categorical:
    """Return the column with its unknown days marked."""
    return replaced(column, undated, UNDATED) if undated.any() else column


def note_undated(export: Export) -> None:
    """Empty the starts that are no day of the calendar and say so in ``start_unknown``, each noted.

    Whoever has one is neither treated nor a comparator: taken for never started, the treated would be among the
    comparators. Where the order of day and month is in doubt, that must be settled first.
    """
    in_doubt = any(problem.rule in ("ambiguous_date", "mixed_date_order") for problem in export.problems)
    if export.table != "enrolments" or "start_date" not in export.rows or in_doubt:
        return
    cells = export.rows["start_date"].array
    days = pd.to_datetime(pd.Series(cells.categories, dtype=object), format="%Y-%m-%d", errors="coerce")
    is_undated = np.append(days.isna().to_numpy(), False)[cells.codes]
    if not is_undated.any():
        return
    message = (
        "start_date says that the person started, and not on which day; such people are neither participants nor "
        "comparators, and are counted. Give the day as yyyy-mm-dd, or leave the cell empty for who never started"
    )
    lines = export.rows.loc[is_undated, LINE]
    export.note("undated_start", message, lines, severity="warning", action="set_null", column="start_date")
    export.frame = export.rows.assign(
        start_date=emptied(cells, is_undated), start_unknown=recoded(np.where(is_undated, 0, -1), ["true"])
    )
