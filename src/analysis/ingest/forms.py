"""Survey forms, one a row, become answers, one a row; their numbers may be codes of the tool that wrote them."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.ingest.cells import Reading
from analysis.ingest.columns import emptied
from analysis.ingest.export import LINE, Export, recoded
from analysis.plan.instruments import Instrument, Response

# --- answer codes -----------------------------------------------------------------------------------------------------
# Answers in numbers: those of the instrument's card, or codes of the tool that wrote them, which need not be the
# same.
# Qualtrics numbers the choices of a question in the order in which they were made: strongly agree may be 4, and
# seven answers from Never (0 on the card) are 1 to 7. What the file or study.yaml says of its numbers counts; else
# there is a warning.

LARGEST_CODE = 100
_NUMBER = re.compile(r"-?\d{1,6}(?:[.]\d{1,6})?")
Answers = dict[str, pd.Categorical]


def card_answers(reading: Reading, items: Mapping[str, str], card: Instrument) -> Answers:
    """Return column → its answers as the card has them, for the columns of `items`; what is doubtful is noted.

    Parameters
    ----------
    items
        Item code → the export's column of it.
    """
    export, scale = reading.export, card.response
    answers = {
        column: reading.entered(export.rows[column].array, export.labels.get(column)) for column in items.values()
    }
    answers = {column: _without_marks(export, column, cells, scale) for column, cells in answers.items()}
    codes = reading.source.codes
    if isinstance(codes, dict):
        return {column: _recoded(export, column, cells, codes) for column, cells in answers.items()}
    if codes is None:
        answers = {column: _labelled(export, column, cells, scale) for column, cells in answers.items()}
        unsure = {column: cells for column, cells in answers.items() if not _numbers_meant(export, column, scale)}
        if reading.layout.own_codes or _starts_late(unsure, scale):
            _judge(export, unsure, card)
    return answers


def numbers_of(cells: pd.Categorical) -> list[float]:
    """Return the distinct numbers among the answers."""
    return [float(text) for text in cells.remove_unused_categories().categories if _NUMBER.fullmatch(text)]


def _without_marks(export: Export, column: str, cells: pd.Categorical, scale: Response) -> pd.Categorical:
    """Empty labels that the file gives to a code off the scale, and that the card does not know: -99, 9, "Refused"."""
    known = export.labels.get(column, {})
    off = [code for code, label in known.items() if scale.number_of(label) is None and not _is_on(code, scale)]
    marks = {text for code in off for text in (code, known[code])}
    gone = np.append([text in marks for text in cells.categories], False).astype(bool)[cells.codes]
    if gone.any():
        message = f"{export.called(column)} has labelled codes that are no answer of the scale; read as empty"
        export.note("nothing_entered", message, export.rows.loc[gone, LINE], severity="warning", action="set_null")
    return emptied(cells, gone)


def _is_on(code: str, scale: Response) -> bool:
    return bool(_NUMBER.fullmatch(code)) and scale.min <= float(code) <= scale.max


def _recoded(export: Export, column: str, cells: pd.Categorical, codes: Mapping[float, float]) -> pd.Categorical:
    """Return the answers with the number on the card in place of each code, as study.yaml says."""
    strange = [bool(_NUMBER.fullmatch(text)) and float(text) not in codes for text in cells.categories]
    lines = export.rows.loc[np.append(strange, False).astype(bool)[cells.codes], LINE]
    if len(lines):
        export.fail("tool_codes", f"{export.called(column)} has numbers that are not under codes: in study.yaml", lines)
    texts = [f"{codes.get(float(t), float(t)):g}" if _NUMBER.fullmatch(t) else t for t in cells.categories]
    return recoded(cells.codes, texts)


def _labelled(export: Export, column: str, cells: pd.Categorical, scale: Response) -> pd.Categorical:
    """Return the answers with the label in place of each number that the file has a label for.

    A number without one is the card's only where those with labels are.
    """
    label_of = {float(c): label for c, label in export.labels.get(column, {}).items() if _NUMBER.fullmatch(c)}
    meant = _numbers_meant(export, column, scale)
    open_ = [number for number in numbers_of(cells) if number not in label_of]
    if open_ and any(code != number for code, number in meant.items()):
        export.fail(
            "tool_codes",
            f"{export.called(column)} has numbers without a label, and the labels of the others show that they are not "
            "the card's; label all of them in the file, export choice text, or give codes: at the source in study.yaml",
            [1],
        )
    texts = [label_of.get(float(t), t) if _NUMBER.fullmatch(t) and meant else t for t in cells.categories]
    return recoded(cells.codes, texts)


def _numbers_meant(export: Export, column: str, scale: Response) -> dict[float, float]:
    """Return what the file's own labels say of its numbers: code → the card's number."""
    known = {
        float(c): scale.number_of(label) for c, label in export.labels.get(column, {}).items() if _NUMBER.fullmatch(c)
    }
    return {code: number for code, number in known.items() if number is not None}


def _starts_late(answers: Answers, scale: Response) -> bool:
    """Whether nobody gave the 0 of a scale that begins there: most tools count from 1."""
    given = [number for cells in answers.values() for number in numbers_of(cells)]
    return scale.min == 0 and bool(given) and min(given) >= 1


def _judge(export: Export, answers: Answers, card: Instrument) -> None:
    """Tell that answers are the tool's own codes: an error where they do not even fit the card's range."""
    scale = card.response
    numbers = {column: found for column, cells in answers.items() if (found := numbers_of(cells))}
    off = [column for column, found in numbers.items() if min(found) < scale.min or max(found) > scale.max]
    given = [number for found in numbers.values() for number in found] or [0]
    # What is no code may be somebody's number, and is not said.
    are_codes = all(number.is_integer() and abs(number) < LARGEST_CODE for number in map(float, given))
    told = f"the answers are numbers from {min(given):g} to {max(given):g}" if are_codes else "the answers are numbers"
    told += f" and card {card.instrument} has {scale.min:g} to {scale.max:g}"
    advice = (
        "export choice text, or give codes: at the source in study.yaml (card, or the card's number of each code), or "
        "labels_from: (an export of the same answers with choice text)"
    )
    if off:
        export.fail(
            "tool_codes",
            f"{told}: {_called(export, off)} cannot be the card's numbers and may be the tool's own codes; {advice}",
            [1],
        )
    elif numbers:
        export.note(
            "tool_codes",
            f"{told}, but may be the tool's own codes, in which a label can have any number; {advice}",
            [1],
            severity="warning",
            action="kept",
        )


def _called(export: Export, columns: Sequence[str]) -> str:
    shown = ", ".join(map(export.called, columns[:8]))
    return f"{shown} and {len(columns) - 8} more" if len(columns) > 8 else shown


# --- forms ------------------------------------------------------------------------------------------------------------
# Survey forms, one a row, become answers, one a row.


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
