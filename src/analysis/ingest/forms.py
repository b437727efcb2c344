"""Survey forms, one a row, become answers, one a row."""

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from analysis.ingest.columns import Columns
from analysis.ingest.export import LINE, Export, recoded
from analysis.ingest.names import plain
from analysis.plan.instruments import Instrument

_BRACKETS = re.compile(r"\[([^\]]+)\]")


def item_columns(export: Export, columns: Columns, card: Instrument, named: Mapping[str, str]) -> dict[str, str]:
    """Return item code → the export's column of it, in the order of the columns; what cannot be told is an error.

    A column is an item's when `named` (the study's own mapping) says so, when its name, or a part of it, is the item's
    code, or when its question is the item's wording to the letter; case, spaces and punctuation aside.
    """
    by_code = {plain(code): code for code in card.items}
    by_wording = {plain(item.text): code for code, item in card.items.items() if item.text}
    own = {columns.find([column])[0]: code for code, column in named.items() if columns.find([column])}
    found: dict[str, list[str]] = {}
    for column in columns.unused():
        texts = (column, *export.wording.get(column, ()))
        code = own.get(column) or _first(by_code, _codes(texts)) or _first(by_wording, _wordings(texts))
        if code and (column in own or code not in own.values()):
            found.setdefault(code, []).append(column)
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
    if not found:
        export.fail(
            "no_items",
            f"no column is an item of instrument {card.instrument}, by its code or its wording; correct the "
            "instrument, or name the columns under columns: in study.yaml (item: column)",
            [1],
        )
    twice = [code for code, those in found.items() if len(those) > 1]
    if twice:
        export.fail(
            "item_twice",
            f"several columns are the same item ({', '.join(twice)}); say which under columns: in study.yaml",
            [1],
        )
    return {code: those[0] for code, those in found.items()}


def _first(known: Mapping[str, str], texts: Iterable[str]) -> str | None:
    return next((known[plain(text)] for text in texts if plain(text) in known), None)


def _codes(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        yield text
        yield from _BRACKETS.findall(text)
        yield re.split(r"[_.]", text)[-1]


def _wordings(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        yield text
        yield from _BRACKETS.findall(text)
        yield text.rpartition(" - ")[2]


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
