"""Ids that a program took for numbers on the way: some can be repaired, some are lost."""

import re

import numpy as np
import pandas as pd

from analysis.ingest.export import recoded
from analysis.ingest.finding import Cells, Finding, lines_where
from analysis.ingest.names import all_folded, visible

_SIGNS = "[^0-9A-Za-z_-]"
_UNSEEN = "[^!-~]"
_FLOAT = re.compile(r"[0-9]+\.0+")
_EXPONENT = re.compile(r"[0-9](?:[.,][0-9]+)?e\+[0-9]+")
_IN_GROUPS = re.compile(r"[0-9]{1,3}(?:([,.' ’])[0-9]{3}(?:\1[0-9]{3})*)?")


def visible_ids(column: pd.Categorical, lines: np.ndarray) -> Cells:
    """Return a column of ids without the signs in them that nobody sees.

    Two ids that look alike are one: 17 with a zero-width space behind it is 17.

    Returns
    -------
    Cells
        Findings: `invisible_characters`.
    """
    if not column.categories.str.contains(_UNSEEN).any():
        return Cells(column)
    texts = list(column.categories)
    seen = [visible(text) for text in texts]
    changed = np.array([one != other for one, other in zip(seen, texts, strict=True)], bool)
    if not changed.any():
        return Cells(column)
    message = "has ids with invisible characters or spaces of another kind in them; these were taken off"
    found = Finding("invisible_characters", "info", "repaired", message, lines_where(changed, column, lines))
    return Cells(recoded(column.codes, seen), (found,))


def clean_ids(column: pd.Categorical, lines: np.ndarray) -> Cells:
    """Return a column of ids as text, with what a spreadsheet or a table program did to them repaired or told.

    Parameters
    ----------
    column
        The export's cells, categorical of text.
    lines
        The line of each row's record.

    Returns
    -------
    Cells
        Where every id ends in ``.0`` it is taken off. Findings: `id_as_number` (warning), `id_in_exponent_form`,
        `id_with_separators` (errors).
    """
    if not column.categories.str.contains(_SIGNS).any():
        return Cells(column)
    texts = list(all_folded(column.categories).to_numpy(object))
    if texts and all(map(_FLOAT.fullmatch, texts)):
        message = (
            "was read as a number by the program that wrote the file: the .0 behind each id was taken off, but leading "
            "zeros may be lost; export the column as text"
        )
        every = lines_where(np.ones(len(texts), bool), column, lines)
        whole = [text.partition(".")[0] for text in texts]
        return Cells(recoded(column.codes, whole), (Finding("id_as_number", "warning", "repaired", message, every),))
    exponents = np.array([_EXPONENT.fullmatch(text) is not None for text in texts], bool)
    findings = []
    if exponents.any():
        message = "has ids like 1.2E+05, of which a spreadsheet has dropped digits; export the column as text"
        lost = lines_where(exponents, column, lines)
        findings.append(Finding("id_in_exponent_form", "error", "rejected", message, lost))
    grouped = _in_groups(texts)
    if grouped.any():
        message = "has ids with thousands separators; export the column as text, without a number format"
        separated = lines_where(grouped, column, lines)
        findings.append(Finding("id_with_separators", "error", "rejected", message, separated))
    return Cells(column, tuple(findings))


def lost_zeros(unknown: pd.Index, known: pd.Index) -> np.ndarray:
    """Return which unknown ids would be known with more zeros before them.

    Parameters
    ----------
    unknown, known
        Ids of digits or any text, each once. They are compared as text, so 12 is not 012.
    """
    padded = known[known.str.fullmatch("0[0-9]*").astype(bool)]
    longest = pd.Series(padded.str.len(), padded.str.lstrip("0")).groupby(level=0).max()
    shorter = unknown.str.len() < longest.reindex(unknown.str.lstrip("0")).fillna(0).to_numpy()
    return np.asarray(shorter & unknown.str.fullmatch("[0-9]+").astype(bool))


def _in_groups(texts: list[str]) -> np.ndarray:
    """Return which ids are numbers in groups of three digits.

    Codes may be written in groups too (12.345, 12.346): groups count as thousands separators only where nothing in the
    column is anything but such a number, and a point, a space or an apostrophe only where the first groups differ in
    length.
    """
    found = [match for text in texts if (match := _IN_GROUPS.fullmatch(text))]
    separators = {match[1] for match in found} - {None}
    none = np.zeros(len(texts), bool)
    if len(separators) != 1 or len(found) < len(texts):
        return none
    lengths = {len(match[0]) for match in found}
    if separators != {","} and len(lengths) == 1:
        return none
    return np.array([match[1] is not None for match in found], bool)
