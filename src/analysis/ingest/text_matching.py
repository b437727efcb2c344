"""When two texts are the same: names of columns, cells and patterns, e-mail addresses, names of people."""

import fnmatch
import re
import unicodedata
from collections.abc import Iterable

import numpy as np
import pandas as pd

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_ONE_SIGN = str.maketrans(dict.fromkeys("’‘ʼ`´", "'") | dict.fromkeys("‐‑–−", "-"))
_UNPLAIN = "[^!-~ ]|  |^ | $"
_SPECIAL = re.compile(r"([\[?])")
# What tools write behind a name: a status with its day; in brackets also a number, pronouns, a code of a few letters.
_STATES = """active, aktiv, inactive, inaktiv, inactief, inactif, inactivo, inativo, inattivo, nieaktywny, terminated,
termed, leaver, left, former, ex, deceased, retired, resigned, dismissed, on notice, notice period, pending, new hire,
rehire, future hire, contractor, contingent, contingent worker, external, extern, externe, externo, esterno, temp,
temporary, intern, leave, loa, on leave, on long-term leave, on long term leave, leave of absence, maternity leave,
parental leave, sick leave, sabbatical, suspended, ausgeschieden, gekündigt, beurlaubt, elternzeit, in elternzeit,
mutterschutz, freigestellt, ruhend, sorti, sortie, parti, partie, en congé, baja, de baja, cessato, uit dienst,
met verlof, desligado, slutat, tjänstledig, fratrådt, orlov, zwolniony, zwolniona"""
_STATE = f"(?:{'|'.join(text.strip() for text in _STATES.split(','))})(?: (?:on|since|am|seit)? ?[0-9][0-9./-]*)?"
_BRACKETED = rf"[(\[] ?(?:{_STATE}|[a-z]{{0,4}}[-_# ]?[0-9]+|\w{{1,5}}(?:/\w{{1,5}})+|[a-z]{{1,3}}) ?[)\]]"
_SUFFIX = re.compile(rf" ?{_BRACKETED}| - {_STATE}$")
_IN_BRACKETS = re.compile(r"[^<>]*<([^<>]*)>")
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\".]+(\.[^\s@<>()\[\],;:\".]+)+")


def visible(text: str) -> str:
    """Return the text without signs that nobody sees, its spaces single and plain, and none at either end.

    Zero-width spaces, soft hyphens, marks of direction and control characters come with text that was copied; a
    no-break space is a space.
    """
    seen = "".join(" " if sign.isspace() else sign for sign in _INVISIBLE.sub("", text))
    return " ".join("".join(sign for sign in seen if unicodedata.category(sign) != "Cc").split())


def folded(text: str) -> str:
    """Return the text without what writers differ in and readers do not see.

    Case, compatibility forms (NFKC: a no-break space is a space, full-width digits are digits), invisible signs, and
    the number of spaces.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold())
    return " ".join(text.casefold().split())


def all_folded(texts: pd.Index) -> pd.Index:
    """Return each text `folded`, all at once where they are plain ASCII."""
    if texts.str.contains(_UNPLAIN).any():
        return pd.Index([folded(text) for text in texts.to_numpy(object)], dtype="str")
    return texts.str.lower()


def plain(text: str) -> str:
    """Return the letters and digits of a column's name, without case: ``Hire_Date`` is ``hireDate``."""
    return "".join(sign for sign in folded(text) if sign.isalnum())


def matches(texts: Iterable[str], patterns: Iterable[str]) -> np.ndarray:
    """Return for each text whether one of the patterns is all of it.

    Compared as `folded`; ``*`` stands for any text, every other sign for itself. The empty pattern is for empty cells
    and matches no text.
    """
    cells = all_folded(pd.Index(texts, dtype="str"))
    wanted = [folded(pattern) for pattern in patterns if pattern.strip()]
    found = np.asarray(cells.isin([pattern for pattern in wanted if "*" not in pattern]))
    open_ = [fnmatch.translate(_SPECIAL.sub(r"[\1]", pattern)) for pattern in wanted if "*" in pattern]
    if open_:
        some = re.compile("|".join(open_))
        found |= np.array([some.match(text) is not None for text in cells.to_numpy(object)], bool)
    return found


def plain_email(text: str) -> str | None:
    """Return the e-mail address in the form in which addresses are compared; None where the text is none.

    Without case, spaces, ``mailto:``, quotes around it and the name before ``<…>``. The part before the @ is not
    changed otherwise: dots and what follows a plus may tell two people apart.
    """
    text = folded(text)
    bracketed = _IN_BRACKETS.fullmatch(text)
    address = (bracketed[1] if bracketed else text).strip(" '\";,").removeprefix("mailto:").strip()
    return address if _EMAIL.fullmatch(address) else None


def plain_person(text: str) -> str | None:
    """Return a person's name in the form in which names are compared; None where there is none.

    Without case and differences of spaces, apostrophes and hyphens; "Last, First Middle" becomes "first middle last".
    Nothing is guessed away: titles, suffixes and initials are part of the name.
    """
    parts = [part.strip() for part in folded(text.translate(_ONE_SIGN)).strip(" ,").split(",")]
    name = f"{parts[1]} {parts[0]}" if len(parts) == 2 else ", ".join(parts)
    return name or None


def person_keys(text: str) -> tuple[str, ...]:
    """Return the names by which a text names a person, in the form of `plain_person`: as it is written, then without
    what tools write in brackets: "Ito, Ana (Terminated)", "Ana Ito (12345)", "Ana Ito [C]".
    """
    bare = _SUFFIX.sub("", folded(text.translate(_ONE_SIGN)))
    keys = (plain_person(text), plain_person(bare))
    return tuple(dict.fromkeys(key for key in keys if key))
