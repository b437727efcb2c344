"""Cells of files that people open in a spreadsheet program: none of them may run as a formula."""

import re

import pandas as pd

_STARTS_A_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def export_safe(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with an apostrophe before each text that a spreadsheet program would take for a formula.

    Those begin with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return, and are no plain number. Numbers, dates
    and everything else that is no text stays as it is.
    """
    texts = frame.select_dtypes(["object", "str", "string"])
    safe = {name: pd.Series([_safe(cell) for cell in texts[name]], frame.index, texts[name].dtype) for name in texts}
    return frame.assign(**safe)


def _safe(cell: object) -> object:
    if isinstance(cell, str) and _STARTS_A_FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
