"""Words for exits, for who is no employee, and who never came; they are data (`*_words.yaml`)."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.ingest.columns import first_filled, is_one_of
from analysis.ingest.export import LINE, Export, recoded
from analysis.ingest.text_matching import folded
from analysis.plan.contract import WORKER_TYPES
from analysis.plan.yaml_file import load_yaml

EXIT_WORDS = Path(__file__).parent / "exit_words.yaml"
_LEVELS = re.compile(r"[:>|;,()\[\]]| [-–—]+ ")
_SAME_LETTER = str.maketrans({"ø": "o", "æ": "ae", "ł": "l", "'": " ", "’": " ", "_": " "})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
# Who ended it; the other kinds say what happened and count before these.
_BY_WHOM = ("voluntary", "involuntary")


CONTRADICTION = ""


def exit_kind(text: str) -> str | None:
    """Return the kind of exit that a text names; None where that is not certain, empty where its parts contradict.

    It may be a phrase as a whole, or have levels ("Voluntary - Retirement", "Resigned (career change)") or two names
    ("Layoff/Redundancy"). What happened (a death, a retirement) counts before who ended it, but only where every part
    is known: "Resignation - death of spouse" is a resignation.
    """
    if kind := _kinds().get(plain_words(text)):
        return kind
    names = [name for name in text.split("/") if plain_words(name)]
    if len(names) > 1:
        kinds = {exit_kind(name) for name in names}
        return kinds.pop() if len(kinds) == 1 else None if None in kinds else CONTRADICTION
    found = [_kinds().get(plain_words(part)) for part in _LEVELS.split(text) if plain_words(part)]
    known = {kind for kind in found if kind}
    happened, by_whom = known - {*_BY_WHOM, "other"}, known & {*_BY_WHOM}
    if len(by_whom) > 1 or len(happened) > 1:
        return CONTRADICTION
    if happened and None in found:
        return None
    return next(iter(happened or by_whom), None)


@cache
def _kinds() -> dict[str, str]:
    """Return phrase → kind of exit; German umlauts may be written as two letters."""
    listed = load_yaml(EXIT_WORDS, source=EXIT_WORDS.name).content
    phrases = [
        (text, kind)
        for kind, languages in listed.items()
        for lists in languages.values()
        for texts in lists
        for text in texts
    ]
    return {plain_words(form): kind for text, kind in phrases for form in (text, text.translate(_UMLAUTS))}


def is_exit(text: str) -> bool:
    """Whether a text as a whole is a phrase for a kind of exit."""
    return plain_words(text) in _kinds()


def levels(text: str) -> list[str]:
    """Return a text as a whole, and its parts where it has levels: "Involuntary > No Show"."""
    return [text, *_LEVELS.split(text)]


def plain_words(text: str) -> str:
    """Return the words of a text, without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", folded(text).translate(_SAME_LETTER))
    return " ".join(re.findall(r"\w+", "".join(sign for sign in plain if not unicodedata.combining(sign))))


STAFF_WORDS = Path(__file__).parent / "staff_words.yaml"
# --- staff words ------------------------------------------------------------------------------------------------------
# Who is no employee, and who never came: by the words for it, which are data (`staff_words.yaml`).

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
    listed = load_yaml(STAFF_WORDS, source=STAFF_WORDS.name).content
    return {
        kind: [(plain_words(text).split(), text.startswith("=")) for texts in languages.values() for text in texts]
        for kind, languages in listed.items()
    }
