"""Who is no employee, and who never came: by the words for it, which are data (`staff_words.yaml`)."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.ingest.columns import first_filled, is_one_of
from analysis.ingest.exit_words import is_exit, levels, plain_words
from analysis.ingest.export import LINE, Export, recoded
from analysis.plan.contract import WORKER_TYPES
from analysis.plan.yaml_file import load_yaml

WORDS = Path(__file__).parent / "staff_words.yaml"
EMPLOYEE, NO_SHOW, ON_LEAVE = "employee", "no_show", "on_leave"
INTERNAL, MOST_INTERNS = "intern", 0.5
EXTERNAL = ("extern", "externe", "externer", "externes", "externt", "ekstern")
_TURNED_OFF = ("non", "not", "no", "nicht", "kein")


def worker_types(columns: Sequence[pd.Categorical], own: Mapping[str, Sequence[str]]) -> pd.Categorical:
    """Return what kind of worker each row is of, by all columns that say something of it; missing where all are empty.

    In whichever column, a word for people who are no employees counts.

    Parameters
    ----------
    columns
        Cells of columns such as Worker Type and Worker Sub-Type.
    own
        What the study says of values (kind → patterns): it counts before the words.
    """
    kinds = [_by_study(column, own) for column in columns]
    kinds += [recoded(column.codes, _kinds_of(column)) for column in columns]
    kinds += [recoded(column.codes, [EMPLOYEE] * len(column.categories)) for column in columns]
    return first_filled(kinds)


def _by_study(column: pd.Categorical, own: Mapping[str, Sequence[str]]) -> pd.Categorical:
    codes = np.full(len(column), -1)
    for n, patterns in enumerate(own.values()):
        codes[is_one_of(column, patterns) & (codes < 0)] = n
    return recoded(codes, list(own))


def _kinds_of(column: pd.Categorical) -> list[str | None]:
    """Return the kind of worker that each category names where it is none of an employee.

    "Intern" is internal in several languages: it is where the column says "Extern" as well, or of most people.
    """
    words = [plain_words(text) for text in column.categories]
    is_bare = np.array([word == INTERNAL for word in words], dtype=bool)
    share = np.append(is_bare, False)[column.codes].sum() / max((column.codes >= 0).sum(), 1)
    is_internal = share > MOST_INTERNS or any(word in EXTERNAL for word in words)
    return [
        None if bare and is_internal else _worker_type(text)
        for text, bare in zip(column.categories, is_bare, strict=True)
    ]


@cache
def _worker_type(text: str) -> str | None:
    """Return the kind of worker that a text names where it is none of an employee."""
    words = plain_words(text).split()
    others = [kind for kind in WORKER_TYPES if kind != EMPLOYEE]
    return next((kind for kind in others if words == [kind] or _says(words, _phrases()[kind])), None)


def _says(words: list[str], phrases: Sequence[tuple[list[str], bool]]) -> bool:
    """Whether some phrase stands in the words, or is all of them where it must be, without a "non" before it."""
    for phrase, is_whole in phrases:
        found = [n for n in range(len(words)) if words[n : n + len(phrase)] == phrase]
        if any(words[max(n - 1, 0)] not in _TURNED_OFF for n in found) and (not is_whole or words == phrase):
            return True
    return False


def no_shows(columns: Sequence[pd.Categorical]) -> np.ndarray:
    """Return for each row whether some column says that the person never came, as a whole or in one of its levels.

    "No call, no show" is an exit: that person had come before.
    """
    found = np.zeros(len(columns[0]) if columns else 0, dtype=bool)
    phrases = [" ".join(phrase) for phrase, _ in _phrases()[NO_SHOW]]
    for column in columns:
        says = [
            not is_exit(text) and any(part in phrases for part in map(plain_words, levels(text)))
            for text in column.categories
        ]
        found |= np.append(np.array(says, dtype=bool), False)[column.codes]
    return found


def note_leave_status(export: Export) -> None:
    """Tell that a status says who is away today: not from when to when, so nothing is read from it."""
    for name in export.headings:
        if "status" not in name.casefold() or name not in export.rows:
            continue
        cells = export.rows[name].array
        away = [_says(plain_words(text).split(), _phrases()[ON_LEAVE]) for text in cells.categories]
        rows = np.append(np.array(away, dtype=bool), False)[cells.codes]
        if rows.any():
            message = (
                "a status says that the person is on leave today, and not from when to when: nothing is read from it; "
                "a file of leaves (table leave) tells who was away when a program started"
            )
            export.note("leave_status", message, export.rows.loc[rows, LINE], action="kept")


@cache
def _phrases() -> dict[str, list[tuple[list[str], bool]]]:
    """Return kind → phrases, each as its words, and whether it must be the whole cell."""
    listed = load_yaml(WORDS, source=WORDS.name).content
    return {
        kind: [(plain_words(text).split(), text.startswith("=")) for texts in languages.values() for text in texts]
        for kind, languages in listed.items()
    }
