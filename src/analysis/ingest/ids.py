"""Ids that a program took for numbers on the way, and people who had another id before."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.ingest.cell_issues import CellIssue, Cells, lines_where
from analysis.ingest.export import LINE, Export, recoded
from analysis.ingest.text_matching import all_folded, visible
from analysis.plan.contract import ROSTERS

# --- ids --------------------------------------------------------------------------------------------------------------
# Ids that a program took for numbers on the way: some can be repaired, some are lost.

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
    found = CellIssue("invisible_characters", "info", "repaired", message, lines_where(changed, column, lines))
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
        return Cells(recoded(column.codes, whole), (CellIssue("id_as_number", "warning", "repaired", message, every),))
    exponents = np.array([_EXPONENT.fullmatch(text) is not None for text in texts], bool)
    findings = []
    if exponents.any():
        message = "has ids like 1.2E+05, of which a spreadsheet has dropped digits; export the column as text"
        lost = lines_where(exponents, column, lines)
        findings.append(CellIssue("id_in_exponent_form", "error", "rejected", message, lost))
    grouped = _in_groups(texts)
    if grouped.any():
        message = "has ids with thousands separators; export the column as text, without a number format"
        separated = lines_where(grouped, column, lines)
        findings.append(CellIssue("id_with_separators", "error", "rejected", message, separated))
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


# --- former ids -------------------------------------------------------------------------------------------------------
# People who had another id before: in every file they get the id that they have now.

IDS = ("employee_id", "manager_id", "ratee_id", "rater_id", "attendee_ids")
FORMER = "previous_employee_id"


def unite_ids(exports: Sequence[Export]) -> None:
    """Give everybody the latest of their ids, as the employees' files say, in every file; and say so.

    A former id that two people claim, or that leads back to itself, stays as it is, with a warning.
    """
    pairs = [e.rows[[FORMER, "employee_id"]].astype("str").dropna() for e in exports if _names_former(e)]
    if not pairs:
        return
    claimed = pd.concat(pairs).drop_duplicates()
    claimed = claimed[claimed[FORMER] != claimed["employee_id"]]
    twice = claimed[FORMER].duplicated(keep=False)
    now = dict(claimed[~twice].to_numpy())
    latest = {former: _followed(former, now) for former in now}
    unclear = {*claimed.loc[twice, FORMER], *(former for former, id_ in latest.items() if id_ is None)}
    for export in exports:
        if _names_former(export):
            _note_unclear(export, unclear)
        for name in IDS:
            if name in export.rows:
                _replace(export, name, {former: id_ for former, id_ in latest.items() if id_ is not None})


def _names_former(export: Export) -> bool:
    return export.table in ROSTERS and {FORMER, "employee_id"} <= set(export.rows)


def _followed(former: str, now: dict[str, str]) -> str | None:
    """Return the last id that a former one leads to; None where it leads back to one before."""
    seen, id_ = {former}, now[former]
    while id_ in now:
        if id_ in seen:
            return None
        seen.add(id_)
        id_ = now[id_]
    return None if id_ in seen else id_


def _note_unclear(export: Export, unclear: set[str]) -> None:
    cells = export.rows[FORMER].array
    rows = np.append(cells.categories.isin(list(unclear)), False)[cells.codes]
    if rows.any():
        message = "previous_employee_id is claimed by two people, or leads back to itself, and is not used; correct it"
        export.note("former_id_unclear", message, export.rows.loc[rows, LINE], severity="warning", action="kept")


def _replace(export: Export, name: str, latest: dict[str, str]) -> None:
    cells = export.rows[name].array
    texts = [";".join(latest.get(part.strip(), part) for part in text.split(";")) for text in cells.categories]
    is_former = np.append(np.array(texts, dtype=object) != cells.categories.to_numpy(object), False)[cells.codes]
    if is_former.any():
        message = (
            f"{name} is the former id of somebody whose present one the employees' file says, and was taken for it"
        )
        export.note("former_id", message, export.rows.loc[is_former, LINE])
        export.frame = export.rows.assign(**{name: recoded(cells.codes, texts)})
