"""Which kind of exit a word for it means: whole phrases, which are data (`exit_words.yaml`), never a part of one."""

import re
import unicodedata
from functools import cache
from pathlib import Path

from analysis.ingest.text_matching import folded
from analysis.plan.yaml_file import load_yaml

WORDS = Path(__file__).parent / "exit_words.yaml"
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
    listed = load_yaml(WORDS, source=WORDS.name).content
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
