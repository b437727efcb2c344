"""What reading a column's cells gave: the column, and what was found or changed on the way."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.plan.errors import Action, Severity


@dataclass(frozen=True, eq=False)
class CellIssue:
    """One thing that was found in the cells of one column.

    Attributes
    ----------
    rule, severity, action
        As in the data-quality ledger.
    message
        What is wrong, was assumed or was changed, to be read after the column's name ("hire_date has …"). Holds no
        cell's content.
    lines
        The lines of the records concerned, one for each of their rows.
    """

    rule: str
    severity: Severity
    action: Action
    message: str
    lines: np.ndarray


@dataclass(frozen=True, eq=False)
class Cells:
    """A column as the contract writes it.

    Attributes
    ----------
    column
        Categorical of text, row by row as it came. A cell that could not be read stays as it was, so that validation
        reports it with its line.
    findings
        What was found; nothing where the column was as it should be.
    """

    column: pd.Categorical
    findings: tuple[CellIssue, ...] = ()


def lines_where(concerned: np.ndarray, column: pd.Categorical, lines: np.ndarray) -> np.ndarray:
    """Return the lines of the rows whose cell is concerned; `concerned` has a truth value for each distinct cell."""
    return np.asarray(lines)[np.append(concerned, False)[column.codes]]
