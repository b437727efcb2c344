"""Parts of full time: percentages become shares of one."""

import decimal as exact
import re

import numpy as np
import pandas as pd

from analysis.ingest.export import recoded
from analysis.ingest.finding import Cells, Finding, lines_where

_SAYS_PERCENT = re.compile(r"%|per ?cent|prozent|pourcent|porcent|percentuale|procent|pct", re.IGNORECASE)
# Nobody has so many full-time jobs; nobody works so many hours a week; nobody has so many percent.
MOST_SHARE, MOST_HOURS, MOST_PERCENT = 1.5, 60, 150


def percent_to_share(column: pd.Categorical, lines: np.ndarray, called: str) -> Cells:
    """Return a column of parts of full time as shares of one.

    Percentages are told by the column's size: no share is above 1.5, and every number but 0 is. That they are no hours
    a week must follow from the column's name or from a number that is above 60.

    Parameters
    ----------
    column
        Numbers as the contract writes them, categorical of text.
    lines
        The line of each row's record.
    called
        What the export calls the column.

    Returns
    -------
    Cells
        Findings: `fte_in_percent` (information where the column's name says so, otherwise a warning). What is no
        percentage stays as it is.
    """
    numbers = pd.to_numeric(pd.Series(column.categories.astype(object)), errors="coerce")
    sizes = numbers[numbers != 0]
    says_so = _SAYS_PERCENT.search(called) is not None
    if not len(sizes) or not sizes.between(MOST_SHARE, MOST_PERCENT, inclusive="right").all():
        return Cells(column)
    if not says_so and sizes.max() <= MOST_HOURS:
        return Cells(column)
    shares = [f"{exact.Decimal(text).scaleb(-2).normalize():f}" for text in column.categories]
    message = "holds percentages of full time; read as shares: 80 is 0.8"
    where = lines_where(np.ones(len(shares), bool), column, lines)
    found = Finding("fte_in_percent", "info" if says_so else "warning", "repaired", message, where)
    return Cells(recoded(column.codes, shares), (found,))
