"""Ids: taken for numbers on the way, changed over time, and replaced by pseudonyms once every export has been read."""

import hmac
import os
import re
import secrets
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.ingest.export import LINE, Export, recoded
from analysis.ingest.numbers import CellIssue, Cells
from analysis.ingest.text_matching import all_folded, visible
from analysis.plan.contract import ROSTERS
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.paths import expanded, home_dir, reports_dir

# --- ids --------------------------------------------------------------------------------------------------------------
# Ids that a program took for numbers on the way: some can be repaired, some are lost.

_SIGNS = "[^0-9A-Za-z_-]"
_UNSEEN = "[^!-~]"
_FLOAT = re.compile(r"[0-9]+\.0+")
_EXPONENT = re.compile(r"[0-9](?:[.,][0-9]+)?e\+[0-9]+")
_IN_GROUPS = re.compile(r"[0-9]{1,3}(?:([,.' ’])[0-9]{3}(?:\1[0-9]{3})*)?")


def visible_ids(column: pd.Categorical) -> Cells:
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
    message = "has ids with invisible characters or spaces of another kind in them; these were taken off"
    return Cells.of(column, seen, CellIssue("invisible_characters", "info", "repaired", message, changed))


def clean_ids(column: pd.Categorical) -> Cells:
    """Return a column of ids as text, with what a spreadsheet or a table program did to them repaired or told.

    Parameters
    ----------
    column
        The export's cells, categorical of text.

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
        every = CellIssue("id_as_number", "warning", "repaired", message, np.ones(len(texts), bool))
        return Cells.of(column, [text.partition(".")[0] for text in texts], every)
    exponents = np.array([_EXPONENT.fullmatch(text) is not None for text in texts], bool)
    dropped = "has ids like 1.2E+05, of which a spreadsheet has dropped digits; export the column as text"
    separated = "has ids with thousands separators; export the column as text, without a number format"
    return Cells.of(
        column,
        list(column.categories),
        CellIssue("id_in_exponent_form", "error", "rejected", dropped, exponents),
        CellIssue("id_with_separators", "error", "rejected", separated, _in_groups(texts)),
    )


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
        export.warn("former_id_unclear", message, export.rows.loc[rows, LINE])


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


# --- pseudonyms -------------------------------------------------------------------------------------------------------
# Ids become pseudonyms as soon as every export has been read: nothing further on holds an original id.

KEY = "MENTORING_KEY"
KEY_BYTES = 32
LISTS = "attendee_ids"
PEOPLE = ("employee_id", "previous_employee_id", "manager_id", "ratee_id", "rater_id", LISTS)
OTHERS = (("match_id",), ("respondent_id",))


def key_file() -> Path | None:
    """Return where the user's key is: ``MENTORING_KEY``, else ``mentoring-outcomes/key`` among the configuration.

    None where nothing is named and the user has no home folder.
    """
    if given := os.environ.get(KEY):
        return expanded(given)
    home = home_dir()
    configuration = os.environ.get("XDG_CONFIG_HOME") or (home and home / ".config")
    return Path(configuration) / "mentoring-outcomes" / "key" if configuration else None


def load_key() -> bytes:
    """Return the user's key; it is made the first time that it is needed, for the user's eyes alone.

    Where nothing can be written to the user's configuration the key lives as long as the process: no number depends on
    it.

    Raises
    ------
    BadInput
        Others may read the file, git would take it in, it lies among the reports, or it holds no key.
    """
    path = key_file()
    if path is None:
        return secrets.token_bytes(KEY_BYTES)
    if path.parts[:1] == ("~",):
        raise _bad_key(f"is named with ~, and there is no home folder; give {KEY} the whole path")
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_key(path)
        key, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        if not os.environ.get(KEY):
            return secrets.token_bytes(KEY_BYTES)
        raise _bad_key(f"cannot be read or made ({error.strerror}); name another file in {KEY}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise _bad_key("can be read by other users; run: chmod 600 on it")
    if len(key) < KEY_BYTES:
        raise _bad_key(f"holds fewer than {KEY_BYTES} bytes; remove it, and a new one is made")
    if len(set(key)) == 1:
        raise _bad_key("is one byte over and over; remove it, and a new one is made")
    if path.resolve().is_relative_to(reports_dir().resolve()):
        raise _bad_key("lies among the reports, which are passed on; move it elsewhere")
    if _git_would_take(path):
        raise _bad_key("lies in a repository that does not ignore it; move it outside, or add it to .gitignore")
    return key


def _write_key(path: Path) -> None:
    # made under another name and linked: two runs at the same time end with one key
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, secrets.token_bytes(KEY_BYTES))
    os.close(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _git_would_take(path: Path) -> bool:
    path = path.resolve()
    # git takes longer to start than everything else that an unchanged report takes
    if not any((folder / ".git").exists() for folder in path.parents):
        return False
    try:
        ignored = ["git", "-C", str(path.parent), "check-ignore", "-q", str(path)]
        return subprocess.run(ignored, capture_output=True).returncode != 0
    except OSError:
        return False


def _bad_key(message: str) -> BadInput:
    return bad_input("the key of the pseudonyms", message, rule="pseudonym_key")


def concealed(tables: dict[str, pd.DataFrame], key: bytes) -> dict[str, pd.DataFrame]:
    """Return the tables with pseudonyms for the ids of people, matches and respondents.

    A pseudonym is the rank of the id among all of its kind in the study (8 hexadecimal digits) and a keyed hash of it
    (24). It sorts as the id does, so nothing that is drawn or summed in the order of people depends on the key; without
    the files and the key nobody can go back.
    """
    for columns in (PEOPLE, *OTHERS):
        tables = _concealed(tables, columns, key)
    return tables


def _concealed(tables: dict[str, pd.DataFrame], columns: tuple[str, ...], key: bytes) -> dict[str, pd.DataFrame]:
    found = [(table, name) for table, frame in tables.items() for name in columns if name in frame]
    parts = [_parts(tables[table][name].cat.categories, name) for table, name in found]
    ids = pd.Index(pd.concat(parts).unique(), dtype="str").sort_values() if parts else pd.Index([], dtype="str")
    numbered = enumerate(ids.to_numpy(object))
    pseudonyms = np.array([_pseudonym(rank, text, columns[0], key) for rank, text in numbered], dtype=object)
    for (table, name), part in zip(found, parts, strict=True):
        cells = tables[table][name].array
        hidden = pd.Series(pseudonyms[ids.get_indexer(part)], part.index)
        if name == LISTS:
            joined = hidden.groupby(level=0).agg(";".join).reindex(range(len(cells.categories)))
            column = recoded(cells.codes, list(joined.fillna("")))
        else:
            column = cells.rename_categories(pd.Index(hidden, dtype="str"))
        tables = tables | {table: tables[table].assign(**{name: column})}
    return tables


def _parts(texts: pd.Index, name: str) -> pd.Series:
    """Return the ids in each distinct text, under the text's code."""
    parts = pd.Series(texts, dtype="str")
    if name == LISTS:
        parts = parts.str.split(";").explode().str.strip()
    return parts[parts != ""].astype("str")


def _pseudonym(rank: int, text: str, kind: str, key: bytes) -> str:
    return f"{rank:08x}{hmac.digest(key, f'{kind}:{text}'.encode(), 'sha256').hex()[:24]}"
