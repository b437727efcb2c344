"""What the numbers of a survey stand for, learnt from a second export of the same answers that has labels."""

from collections.abc import Mapping

import pandas as pd

from analysis.ingest.columns import Columns
from analysis.ingest.export import LINE, Export
from analysis.ingest.items import item_columns
from analysis.plan.instruments import Instrument

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
