"""Survey forms, one a row, become answers, one a row."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.ingest.columns import Columns
from analysis.ingest.export import LINE, Export, recoded
from analysis.ingest.questions import Match, matches_of
from analysis.plan.instruments import Instrument

def item_columns(export: Export, columns: Columns, card: Instrument, named: Mapping[str, str]) -> dict[str, str]:
    """Return item code → the export's column of it, in the order of the columns; what cannot be told is an error.

    A column is an item's when `named` (the study's own mapping) says so, when its question is the item's wording to the
    letter, or when its name, or a part of it, is the item's code; case, spaces and punctuation aside. Where file and card
    both have a wording and code and wording disagree, nothing is guessed.
    """
    own = {columns.find([column])[0]: code for code, column in named.items() if columns.find([column])}
    matches = matches_of(export, columns.unused(), card, own)
    found: dict[str, list[str]] = {}
    for match in _believed(export, matches, card):
        if match.by == "study" or match.code not in own.values():
            found.setdefault(match.code, []).append(match.column)
    _note_absent(export, columns, card, named)
    if not found and not export.has_failed:
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
    is_another_wording = not any(match.fit in ("same", "near") for match in matches)
    for match in matches:
        if match.rival or (match.fit == "other" and match.by == "code"):
            item = card.items[match.code]
            is_doubt = not match.rival and (item.reworded_in or (is_another_wording and match.is_told))
            _note_moved(export, match, card, is_doubt=bool(is_doubt))
            if not is_doubt:
                continue
        yield match
    _note_near(export, [m for m in matches if not m.rival and (m.fit == "near" or (m.fit, m.by) == ("other", "study"))])
    told_by_code = [match for match in matches if not match.is_told and match.fit == "unknown"]
    if told_by_code:
        export.note(
            "generic_codes",
            f"{len(told_by_code)} column(s) are taken for items of {card.instrument} by their codes alone, which any tool "
            f"gives to any question ({_called(export, told_by_code)}), and no wording confirms them; compare the questions, "
            "and name the columns under columns: in study.yaml (item: column)",
            [1],
            severity="warning",
            action="kept",
        )


def _note_moved(export: Export, match: Match, card: Instrument, *, is_doubt: bool) -> None:
    """Note a column whose code says one item and whose question another: of a survey that was copied and changed."""
    asks = f"{match.code}, which card {card.instrument} asks as “{card.items[match.code].text}”"
    says = "is named in study.yaml as item" if match.by == "study" else "has the code of item"
    but = (
        f"its question in the file is that of item {match.rival}: “{card.items[match.rival].text}”"
        if match.rival
        else "its question in the file is another one"
    )
    advice = (
        "compare both (the file may be in another language)"
        if is_doubt
        else "correct columns: in study.yaml, or take the item out there, so that the wording decides"
        if match.by == "study"
        else "give the card's items codes of their own, that are no column's name, so that the wording decides; or name the "
        "column of each item under columns: in study.yaml"
    )
    message = f"{export.called(match.column)} {says} {asks}, but {but}; {advice}"
    if is_doubt:
        export.note("code_and_wording", message, [1], severity="warning", action="kept")
    else:
        export.fail("code_and_wording", message, [1])


def _note_near(export: Export, matches: Sequence[Match]) -> None:
    if matches:
        export.note(
            "code_and_wording",
            f"{len(matches)} question(s) are not worded as on the card ({_called(export, matches)}); see whether they still "
            "ask the same",
            [1],
            severity="warning",
            action="kept",
        )


def _called(export: Export, matches: Sequence[Match]) -> str:
    shown = ", ".join(f"{export.called(match.column)} for {match.code}" for match in matches[:8])
    return f"{shown} and {len(matches) - 8} more" if len(matches) > 8 else shown


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


def long_answers(frame: pd.DataFrame, cells: Mapping[str, pd.Categorical], items: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per form and item: `cells` of the form, ``item``, ``value`` and ``_line``.

    Parameters
    ----------
    frame
        The export, one row per form.
    cells
        What holds for the whole form: the person, the day.
    items
        Item code → the export's column of it.
    """
    n_forms, n_items = len(frame), len(items)
    codes = np.empty((n_forms, n_items), dtype=np.int32)
    texts: list[str] = []
    for at, column in enumerate(items.values()):
        answers = frame[column].array
        codes[:, at] = np.where(answers.codes < 0, -1, answers.codes.astype(np.int32) + len(texts))
        texts += list(answers.categories)
    whole = {
        name: pd.Categorical.from_codes(np.repeat(column.codes, n_items), column.categories)
        for name, column in cells.items()
    }
    item = np.tile(np.arange(n_items, dtype=np.int16), n_forms)
    return pd.DataFrame(
        whole
        | {
            "item": pd.Categorical.from_codes(item, pd.Index(list(items), dtype="str")),
            "value": recoded(codes.ravel(), texts),
            LINE: np.repeat(frame[LINE].to_numpy(), n_items),
        }
    )


def last_forms(export: Export) -> None:
    """Leave the last form that a person sent in a wave; the earlier ones are noted.

    The last is the one of the latest day, and of one day the one that stands last in the file.
    """
    who = [name for name in ("employee_id", "ratee_id", "rater_id", "rater_role", "wave") if name in export.rows]
    person = "ratee_id" if "ratee_id" in who else "employee_id"
    if person not in who:
        return
    forms = export.rows.drop_duplicates(LINE)
    forms = forms[forms[person].notna() & (forms["rater_id"].notna() if "rater_id" in forms else True)]
    if "responded_at" in forms:
        forms = forms.assign(day=forms["responded_at"].astype("str")).sort_values(["day", LINE], na_position="first")
    earlier = forms.loc[forms.duplicated(who, keep="last"), LINE]
    if len(earlier):
        export.note(
            "duplicate_form",
            "the same person sent a later form in this wave, and the last one counts",
            earlier,
            severity="warning",
            action="rejected",
        )
        export.frame = export.rows[~export.rows[LINE].isin(earlier)].reset_index(drop=True)
