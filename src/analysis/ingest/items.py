"""Which column of a survey is which item of its card, and what is doubtful in that."""

from collections.abc import Iterator, Mapping, Sequence

from analysis.ingest.columns import Columns
from analysis.ingest.export import Export
from analysis.ingest.names import plain
from analysis.ingest.questions import Match, matches_of
from analysis.plan.instruments import Instrument

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
        export.note(
            "code_and_wording",
            f"{len(touched)} question(s) are not worded as on the card ({_called(export, touched)}); see whether they "
            "still ask the same",
            [1],
            severity="warning",
            action="kept",
        )
    by_code_alone = [match for match in matches if match.fit == "unknown" and not match.is_told]
    if by_code_alone:
        export.note(
            "generic_codes",
            f"{len(by_code_alone)} column(s) are taken for items of {card.instrument} by codes alone that any tool "
            f"gives to any question ({_called(export, by_code_alone)}), and no wording confirms them; compare the "
            "questions, and name the columns under columns: in study.yaml (item: column)",
            [1],
            severity="warning",
            action="kept",
        )


def _note_doubt(export: Export, match: Match, card: Instrument) -> None:
    export.note(
        "code_and_wording",
        f"{export.called(match.column)} has the code of item {_asked(match.code, card)}, but its question in the file "
        "is another one; compare both (the file may be in another language)",
        [1],
        severity="warning",
        action="kept",
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
        export.note(
            "item_column_absent",
            f"study.yaml names columns of items that the header does not have ({', '.join(absent)}); correct the name "
            "there if this file asked them",
            severity="warning",
            action="kept",
        )
