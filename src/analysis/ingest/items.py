"""Which column of a survey is which item of its card, by wording or code, and what its numbers stand for."""

import difflib
import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from analysis.ingest.columns import Columns
from analysis.ingest.export import LINE, Export
from analysis.ingest.text_matching import plain
from analysis.plan.instruments import Instrument

# --- questions --------------------------------------------------------------------------------------------------------
# What a column of a survey asks, held against an instrument's card: by wording first, by code where that says
# enough.
# A survey that is copied and put into another order has the codes of old for other questions; only the wording
# shows it.

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


# --- items ------------------------------------------------------------------------------------------------------------
# Which column of a survey is which item of its card, and what is doubtful in that.

MOST_SHOWN = 8


def item_columns(export: Export, columns: Columns, card: Instrument, named: Mapping[str, str]) -> dict[str, str]:
    """Return item code → the export's column of it, in the order of the columns; what cannot be told is an error.

    A column is an item's when `named` (the study's own mapping) says so, when its question is the item's wording to
    the letter, or when its name, or a part of it, is the item's code; case, spaces and punctuation aside. Where file
    and card both have a wording, and it disagrees with the code, nothing is guessed.
    """
    export.known |= {plain(text) for code, item in card.items.items() for text in (code, item.text) if text}
    own = {columns.find([column])[0]: code for code, column in named.items() if columns.find([column])}
    matches = matches_of(export, columns.unused(), card, own)
    found: dict[str, list[str]] = {}
    for match in _believed(export, matches, card):
        if match.by == "study" or match.code not in own.values():
            found.setdefault(match.code, []).append(match.column)
    _note_absent(export, columns, card, named)
    if not matches:
        export.fail(
            "no_items",
            f"no column is an item of instrument {card.instrument}, by its code or its wording; correct the "
            "instrument, or name the columns under columns: in study.yaml (item: column)",
            [1],
        )
    twice = {code: those for code, those in found.items() if len(those) > 1}
    if twice:
        listed = ", ".join(f"{code}: {' and '.join(map(export.called, those))}" for code, those in twice.items())
        export.fail(
            "item_twice",
            f"several columns are the same item ({listed}); say which under columns: in study.yaml",
            [1],
        )
    return {code: those[0] for code, those in found.items()}


def _believed(export: Export, matches: Sequence[Match], card: Instrument) -> Iterator[Match]:
    """Yield the columns that are taken for items; what is doubtful is a warning, what is contradictory an error."""
    is_another_language = not any(match.fit in ("same", "near") for match in matches)
    for match in matches:
        if match.rival is None and (match.fit != "other" or match.by == "study"):
            yield match
        elif match.rival is None and (card.items[match.code].reworded_in or (is_another_language and match.is_told)):
            _note_doubt(export, match, card)
            yield match
        else:
            _note_contradiction(export, match, card)
    touched = [m for m in matches if m.fit == "near" or (m.fit == "other" and m.by == "study" and m.rival is None)]
    if touched:
        export.warn(
            "code_and_wording",
            f"{len(touched)} question(s) are not worded as on the card ({_called(export, touched)}); see whether they "
            "still ask the same",
            [1],
        )
    by_code_alone = [match for match in matches if match.fit == "unknown" and not match.is_told]
    if by_code_alone:
        export.warn(
            "generic_codes",
            f"{len(by_code_alone)} column(s) are taken for items of {card.instrument} by codes alone that any tool "
            f"gives to any question ({_called(export, by_code_alone)}), and no wording confirms them; compare the "
            "questions, and name the columns under columns: in study.yaml (item: column)",
            [1],
        )


def _note_doubt(export: Export, match: Match, card: Instrument) -> None:
    export.warn(
        "code_and_wording",
        f"{export.called(match.column)} has the code of item {_asked(match.code, card)}, but its question in the file "
        "is another one; compare both (the file may be in another language)",
        [1],
    )


def _note_contradiction(export: Export, match: Match, card: Instrument) -> None:
    """Note a column that is one item's by code and another one's by wording: as in a survey copied and changed."""
    says = "is named in study.yaml as item" if match.by == "study" else "has the code of item"
    but = f"the question of item {_asked(match.rival, card)}" if match.rival else "another question in the file"
    advice = (
        "correct columns: in study.yaml, or take the item out there, so that the wording decides"
        if match.by == "study"
        else "give the card's items codes of their own, that are no column's name, so that the wording decides; or "
        "name each item's column under columns: in study.yaml"
    )
    message = f"{export.called(match.column)} {says} {_asked(match.code, card)}, but has {but}; {advice}"
    export.fail("code_and_wording", message, [1])


def _asked(code: str, card: Instrument) -> str:
    return f"{code}, which card {card.instrument} asks as “{card.items[code].text}”"


def _called(export: Export, matches: Sequence[Match]) -> str:
    shown = ", ".join(f"{export.called(match.column)} for {match.code}" for match in matches[:MOST_SHOWN])
    return f"{shown} and {len(matches) - MOST_SHOWN} more" if len(matches) > MOST_SHOWN else shown


def _note_absent(export: Export, columns: Columns, card: Instrument, named: Mapping[str, str]) -> None:
    absent = [
        f"{code}: {column}" for code, column in named.items() if code in card.items and not columns.find([column])
    ]
    if absent:
        export.warn(
            "item_column_absent",
            f"study.yaml names columns of items that the header does not have ({', '.join(absent)}); correct the name "
            "there if this file asked them",
        )


# --- labels -----------------------------------------------------------------------------------------------------------
# What the numbers of a survey stand for, learnt from a second export of the same answers that has labels.

# Share of the numbers' rows that a column of both files must find among the labels' rows, to tell which is which.
LEAST_MATCHED = 0.5
Pairs = dict[str, str]


def learn_labels(
    export: Export, items: Mapping[str, str], labelled: Export, card: Instrument, named: Mapping[str, str]
) -> None:
    """Give the answers of an export the labels that another export has for the same rows, as if the file had them.

    Rows are matched by a column that tells them apart in both files. A number that stands for two labels of an item, or
    a label for two numbers, is an error: nothing is guessed.

    Parameters
    ----------
    items
        Item code → the export's column of it.
    labelled
        The other export, under the same header and profile.
    named
        Item → column, as study.yaml says it of both.
    """
    if labelled.frame is None:
        export.problems += [problem for problem in labelled.problems if problem.severity == "error"]
        return
    found = item_columns(labelled, Columns(labelled.rows), card, named)
    key = _key(export, labelled, {*items.values(), *found.values()})
    if key is None:
        export.fail(
            "labels_from",
            "no column tells which rows of it and of the file under labels_from: are the same; export both with the "
            "tool's response id",
        )
        return
    rows = export.rows.astype(object).merge(labelled.rows.astype(object), on=key, suffixes=("", " (labelled)"))
    pairs = {code: _pairs(rows, items[code], column) for code, column in found.items() if code in items}
    unclear = [export.called(items[code]) for code, known in pairs.items() if known is None]
    if unclear:
        export.fail(
            "labels_from",
            f"{', '.join(unclear[:8])}: a number stands beside two labels of the file under labels_from:, or a label "
            "beside two numbers; see whether both are exports of the same answers",
        )
        return
    for code, column in items.items():
        export.labels[column] = (pairs.get(code) or {}) | export.labels.get(column, {})
    message = f"what its numbers stand for was learnt from {len(rows)} rows of the file under labels_from:"
    export.note("labels_from", message, action="kept")


def _key(export: Export, labelled: Export, answers: set[str]) -> str | None:
    """Return the column of both that tells rows apart and finds the most of them; None where none finds half."""
    both = [name for name in export.rows if name in labelled.rows and name not in {*answers, LINE}]
    apart = [name for name in both if all(rows[name].dropna().is_unique for rows in (export.rows, labelled.rows))]
    shares = {name: export.rows[name].astype(object).isin(labelled.rows[name].dropna()).mean() for name in apart}
    best = max(shares, key=lambda name: shares[name], default=None)
    return best if best is not None and shares[best] >= LEAST_MATCHED else None


def _pairs(rows: pd.DataFrame, numbers: str, labels: str) -> Pairs | None:
    """Return number → label of one item; None where they are not one to one."""
    beside = f"{labels} (labelled)" if f"{labels} (labelled)" in rows else labels
    seen = rows[[numbers, beside]].dropna().drop_duplicates()
    is_one_to_one = seen[numbers].is_unique and seen[beside].is_unique
    return dict(zip(seen[numbers], seen[beside], strict=True)) if is_one_to_one else None
