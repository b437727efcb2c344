"""Ids become pseudonyms as soon as every export has been read: nothing further on holds an original id."""

import hmac
import os
import secrets
import stat
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.ingest.export import recoded
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.paths import expanded, home_dir, reports_dir

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
    try:
        inside = ["git", "-C", str(path.parent), "rev-parse", "--is-inside-work-tree"]
        if subprocess.run(inside, capture_output=True, text=True).stdout.strip() != "true":
            return False
        ignored = ["git", "-C", str(path.parent), "check-ignore", "-q", str(path.resolve())]
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
