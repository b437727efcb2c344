"""Survey forms, one a row, become answers, one a row."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.ingest.export import LINE, Export, recoded


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
