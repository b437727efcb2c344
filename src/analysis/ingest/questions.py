"""What a column of a survey asks, held against an instrument's card: by wording first, by code where that says enough.

A survey that is copied and put into another order has the codes of old for other questions; only the wording shows it.
"""

import difflib
import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.ingest.export import Export
from analysis.ingest.names import plain
from analysis.plan.instruments import Instrument

Fit = Literal["same", "near", "other", "unknown"]
# Shares of letters in common (difflib) from which on a wording was only touched up.
NEAR = 0.8
# Letters from which on a beginning that was cut off is the question, and from which on a part of it is near.
LEAST_BEGINNING, LEAST_PART = 40, 8
_TAG = re.compile(r"<[^<>]{1,200}>")
_BRACKETS = re.compile(r"\[([^\]]+)\]")
# "mor1. I look forward …", "Q4_1: …", "G01Q01[mor1]. …"
_LED = re.compile(r"(\S{1,40}?)[.:)]\s+(.+)", re.DOTALL)
_GENERIC = re.compile(
    r"(?:g\d+)?(?:q|qid|qn|qu|v|var|variable|x|f|s|sq|i|it|item|a|col|column|field|feld|spalte|question|frage|matrix|"
    r"statement|row|r)?[ ._-]?\d+(?:[ ._-]\d+)*[a-z]?"
)


@dataclass(frozen=True)
class Match:
    """The item that a column is taken for.

    Attributes
    ----------
    by
        What says so: study.yaml, the column's wording, or its code.
    fit
        How what the column asks fits the card's wording of that item; unknown where one of them has none.
    rival
        The other item of which the column has the wording.
    """

    column: str
    code: str
    by: Literal["study", "wording", "code"]
    fit: Fit
    rival: str | None = None

    @property
    def is_told(self) -> bool:
        """Whether the column is known to be the item: not by a code alone that any tool gives to any question."""
        return self.by != "code" or self.fit in ("same", "near") or not is_generic(self.code)


def is_generic(code: str) -> bool:
    """Whether a code is one that tools give by default (Q1, q01, item1, V1, QID3, SQ001): it tells nothing."""
    return bool(_GENERIC.fullmatch(code.strip().casefold()))


def matches_of(export: Export, names: Sequence[str], card: Instrument, own: Mapping[str, str]) -> list[Match]:
    """Return, column by column, the items of a card that an export has.

    Parameters
    ----------
    names
        The columns that may be questions.
    own
        Column → item, as the study says.
    """
    by_code = {plain(code): code for code in card.items}
    by_wording = {plain(text): code for code, item in card.items.items() for text in item.wordings}
    pieces = {name: [p for text in (name, *export.wording.get(name, ())) for p in _pieces(text)] for name in names}
    shared = Counter(each for those in pieces.values() for each in set(map(plain, those)))
    found = []
    for name in names:
        code = own.get(name) or _first(by_code, _codes(pieces[name]))
        worded = _first(by_wording, pieces[name])
        if code is None and worded is None:
            continue
        if code is None:
            found.append(Match(name, str(worded), "wording", "same"))
            continue
        wording = [each for text in export.wording.get(name) or (name,) for each in _pieces(text)]
        asked = [each for each in wording if shared[plain(each)] == 1 and _is_wording(each, code, name)]
        fit = "same" if worded == code else _best_fit(asked, card.items[code].wordings if code in card.items else ())
        rival = worded if code in card.items and worded != code else None
        found.append(Match(name, code, "study" if name in own else "code", "other" if rival else fit, rival))
    return found


def _first(known: Mapping[str, str], texts: Sequence[str] | Iterator[str]) -> str | None:
    return next((known[plain(text)] for text in texts if plain(text) in known), None)


def _pieces(text: str) -> Iterator[str]:
    """Yield a heading and its parts: in brackets, outside of them, behind a hyphen or a code, without HTML."""
    text = " ".join(html.unescape(_TAG.sub(" ", text)).split()) if "<" in text or "&" in text else text
    yield text
    yield from _BRACKETS.findall(text)
    if "[" in text:
        yield _BRACKETS.sub(" ", text)
    stem, dash, item = text.rpartition(" - ")
    if dash:
        yield from (item, stem)
    if led := _LED.fullmatch(text):
        yield from (led[2], led[1])


def _codes(pieces: Sequence[str]) -> Iterator[str]:
    for piece in pieces:
        yield piece
        yield re.split(r"[_.]", piece)[-1]


def _is_wording(piece: str, code: str, name: str) -> bool:
    """Whether a piece of a heading says in words what is asked: no code, nor the column's name in another spelling."""
    is_a_code = is_generic(piece) or plain(code) in map(plain, _codes([piece]))
    is_name = plain(piece) == plain(name) and " " not in name.strip()
    return any(map(str.isalpha, piece)) and not is_a_code and not is_name


def _is_whole(piece: str) -> bool:
    """Whether a piece has no parts: a stem that leads to a code in brackets is no question of its own."""
    return not (_BRACKETS.search(piece) or " - " in piece or _LED.fullmatch(piece))


def _best_fit(asked: Sequence[str], wordings: Sequence[str]) -> Fit:
    """Return how what is asked fits the wording that it fits best, of a card with several languages."""
    fits = {_fit(asked, wording) for wording in wordings}
    ranked: tuple[Fit, ...] = ("same", "near", "other")
    return next((fit for fit in ranked if fit in fits), "unknown")


def _fit(asked: Sequence[str], wording: str) -> Fit:
    """Return how what is asked fits a card's wording; near where it was touched up, cut off, or led to."""
    if not asked or not plain(wording):
        return "unknown"
    wanted, texts = plain(wording), [plain(each) for each in asked]
    if any(text == wanted or (len(text) >= LEAST_BEGINNING and wanted.startswith(text)) for text in texts):
        return "same"
    # without what leads to several questions: a long stem in common makes no two of them alike
    wanted, texts = plain(wording.rpartition(" - ")[2]), [plain(each) for each in asked if _is_whole(each)]
    is_near = any(_is_near(text, wanted) for text in texts)
    return "near" if is_near else "other" if texts else "unknown"


def _is_near(text: str, wanted: str) -> bool:
    is_part = min(len(text), len(wanted)) >= LEAST_PART and (text.endswith(wanted) or wanted.startswith(text))
    return is_part or difflib.SequenceMatcher(None, text, wanted, autojunk=False).ratio() >= NEAR
