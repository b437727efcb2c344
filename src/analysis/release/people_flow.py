"""The participant flow: no loss of a few people can be read from it, nor follows by subtraction."""

from collections.abc import Iterator

import pandas as pd

WHO = ["program_id", "role"]


def release_people_flow(flow: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return the flow without the stages that lie 1 to `min_cell` − 1 people from another one that is told.

    The stages of all answers of a program and role are looked at together: what an answer's own flow has told comes
    first, the way in after it. Losses on the way to a stage are told by reason where none of them is small, else
    together; a stage less its losses still is the next stage of its unit.

    Parameters
    ----------
    flow
        As from `pipeline.people_flow.people_flow`.
    """
    parts = [
        pd.DataFrame(_told_rows(rows, told, min_cell))
        for _, group in flow.groupby(WHO, sort=False)
        for told in [_told(group, min_cell)]
        for _, rows in group.groupby("hypothesis", sort=False)
    ]
    if not parts:
        return flow
    return pd.concat(parts, ignore_index=True)[list(flow.columns)].astype({"n_people": "Int64"})


def _told(group: pd.DataFrame, min_cell: int) -> set[int]:
    """Return the sizes of stages of the way in that may be told of one program and role."""
    stages = group[(group["kind"] == "stage") & group["n_people"].notna()]
    is_own = _is_own(stages)
    known = {0, *stages.loc[is_own, "n_people"].astype(int)}
    told: set[int] = set()
    # Everyone employed is told first: what lies nearest to the answers gives way.
    for n in sorted(set(stages.loc[~is_own, "n_people"].astype(int)), reverse=True):
        if all(n == other or abs(n - other) >= min_cell for other in known | told):
            told.add(n)
    return told


def _is_own(stages: pd.DataFrame) -> pd.Series:
    """Return which stages the answer itself tells, elsewhere too."""
    return (stages["step"] == "analysed") | (stages["unit"] != "people")


def _told_rows(rows: pd.DataFrame, told: set[int], min_cell: int) -> Iterator[dict]:
    """Yield the rows that are told of one answer: its stages, and before each the losses on the way to it."""
    before, losses, is_merged = None, [], False
    shown = _is_own(rows) | rows["n_people"].isin(list(told))
    for row, is_shown in zip(rows.to_dict("records"), shown, strict=True):
        if row["kind"] == "loss":
            losses.append(row)
        elif is_shown:
            if before is not None and before["unit"] == row["unit"]:
                yield from _told_losses(before, row, losses, is_merged, min_cell)
            yield row
            before, losses, is_merged = row, [], False
        else:
            is_merged = True


def _told_losses(before: dict, after: dict, losses: list[dict], is_merged: bool, min_cell: int) -> list[dict]:
    """Return the losses between two stages: by reason, or where that would tell of a few, all of them together."""
    lost = pd.NA if pd.isna(after["n_people"]) else before["n_people"] - after["n_people"]
    if not losses or (pd.notna(lost) and lost == 0):
        return []
    some = [loss for loss in losses if pd.isna(loss["n_people"]) or loss["n_people"] > 0]
    is_few = any(pd.isna(loss["n_people"]) or loss["n_people"] < min_cell for loss in some)
    if some and not is_few and not is_merged:
        return some
    return [after | {"kind": "loss", "step": _either([loss["step"] for loss in losses]), "n_people": lost}]


def _either(reasons: list[str]) -> str:
    *first, last = reasons
    return ", or ".join([", ".join(first), last]) if first else last
