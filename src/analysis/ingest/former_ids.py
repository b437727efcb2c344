"""People who had another id before: in every file they get the id that they have now."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.ingest.export import LINE, Export, recoded
from analysis.plan.contract import ROSTERS

IDS = ("employee_id", "manager_id", "ratee_id", "rater_id", "attendee_ids")
FORMER = "previous_employee_id"


def unite_ids(exports: Sequence[Export]) -> None:
    """Give everybody the latest of their ids, as the employees' files say, in every file; and say so.

    A former id that two people claim, or that leads back to itself, stays as it is, with a warning.
    """
    pairs = [e.rows[[FORMER, "employee_id"]].astype("str").dropna() for e in exports if _names_former(e)]
    if not pairs:
        return
    claimed = pd.concat(pairs).drop_duplicates()
    claimed = claimed[claimed[FORMER] != claimed["employee_id"]]
    twice = claimed[FORMER].duplicated(keep=False)
    now = dict(claimed[~twice].to_numpy())
    latest = {former: _followed(former, now) for former in now}
    unclear = {*claimed.loc[twice, FORMER], *(former for former, id_ in latest.items() if id_ is None)}
    for export in exports:
        if _names_former(export):
            _note_unclear(export, unclear)
        for name in IDS:
            if name in export.rows:
                _replace(export, name, {former: id_ for former, id_ in latest.items() if id_ is not None})


def _names_former(export: Export) -> bool:
    return export.table in ROSTERS and {FORMER, "employee_id"} <= set(export.rows)


def _followed(former: str, now: dict[str, str]) -> str | None:
    """Return the last id that a former one leads to; None where it leads back to one before."""
    seen, id_ = {former}, now[former]
    while id_ in now:
        if id_ in seen:
            return None
        seen.add(id_)
        id_ = now[id_]
    return None if id_ in seen else id_


def _note_unclear(export: Export, unclear: set[str]) -> None:
    cells = export.rows[FORMER].array
    rows = np.append(cells.categories.isin(list(unclear)), False)[cells.codes]
    if rows.any():
        message = "previous_employee_id is claimed by two people, or leads back to itself, and is not used; correct it"
        export.note("former_id_unclear", message, export.rows.loc[rows, LINE], severity="warning", action="kept")


def _replace(export: Export, name: str, latest: dict[str, str]) -> None:
    cells = export.rows[name].array
    texts = [";".join(latest.get(part.strip(), part) for part in text.split(";")) for text in cells.categories]
    is_former = np.append(np.array(texts, dtype=object) != cells.categories.to_numpy(object), False)[cells.codes]
    if is_former.any():
        message = (
            f"{name} is the former id of somebody whose present one the employees' file says, and was taken for it"
        )
        export.note("former_id", message, export.rows.loc[is_former, LINE])
        export.frame = export.rows.assign(**{name: recoded(cells.codes, texts)})
