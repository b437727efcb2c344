"""Months without a day, as headcount lists name them, become days of the calendar."""

import calendar
import re

import numpy as np
import pandas as pd

from analysis.ingest.date_forms import MONTHS, without_accents
from analysis.ingest.export import recoded
from analysis.ingest.finding import Cells, Finding, lines_where

_YEAR = "(?P<year>(?:19|20)[0-9]{2})"
_FORMS = (
    re.compile(rf"{_YEAR}(?:(?: ?[-/.] ?| )?m|[-/.]| )(?P<month>[0-9]{{1,2}})"),  # 2023-05, 2023/5, 2023 M05
    re.compile(rf"{_YEAR}(?P<month>[0-9]{{2}})"),  # 202305
    re.compile(rf"m?(?P<month>[0-9]{{1,2}})[-/. ]{_YEAR}"),  # 05/2023
    re.compile(r"(?P<name>[^\W\d_]+)\.?[ '\u2019/-]*(?P<year>(?:19|20)?[0-9]{2})"),  # May 2023, May-23
    re.compile(rf"{_YEAR}[ /-]*(?P<name>[^\W\d_]+)\.?"),  # 2023 May
)


def month_ends(column: pd.Categorical, lines: np.ndarray) -> Cells:
    """Return a column of days with each month that has no day as its last day, yyyy-mm-dd; other cells as they are.

    The state of a month's list is known by its end at the latest: nothing is dated before it could be known.

    Parameters
    ----------
    column
        The export's cells, categorical of text.
    lines
        The line of each row's record.

    Returns
    -------
    Cells
        Finding: `month_without_day`.
    """
    ends = [month_end(text) for text in column.categories]
    is_month = np.array([end is not None for end in ends], bool)
    found: tuple[Finding, ...] = ()
    if is_month.any():
        message = "names months without a day; each stands for its last day"
        found = (Finding("month_without_day", "info", "repaired", message, lines_where(is_month, column, lines)),)
    return Cells(recoded(column.codes, [end or text for end, text in zip(ends, column.categories, strict=True)]), found)


def month_end(text: str) -> str | None:
    """Return the last day of the month that a text names; None where it names none, or a day as well."""
    folded = " ".join(text.casefold().split())
    for form in _FORMS:
        found = form.fullmatch(folded)
        if found is None:
            continue
        parts = found.groupdict()
        month = int(parts["month"]) if "month" in parts else MONTHS.get(without_accents(parts["name"]), 0)
        if 1 <= month <= 12:
            year = int(parts["year"]) + (2000 if len(parts["year"]) == 2 else 0)
            return f"{year}-{month:02}-{calendar.monthrange(year, month)[1]}"
    return None
