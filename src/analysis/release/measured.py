"""Frames about measurement, made so coarse that no small group can be read from them or follows by subtraction.

Each function here comes before `release.disclosure.release_frame`, which hides the numbers of small rows.
"""

import numpy as np
import pandas as pd

# Steps to which shares are rounded: so many to the whole.
STEPS = (100, 50, 20, 10, 5, 4, 2, 1)
VERDICTS = ("proper", "holds_by_chi2", "holds_by_chen", "holds")


def coarse_answers(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return the shares of answers in steps that are worth `min_cell` people at least; they still add up to 1.

    Shares up to and including each answer are rounded. A share then is right to within a step, and how many of the few
    took an answer can neither be read from it nor be solved for with the item's mean.
    """
    parts = [
        rows.assign(share=_in_steps(rows["share"].to_numpy(dtype=float), int(rows["n_people"].iloc[0]), min_cell))
        for _, rows in frame.groupby(["construct", "rater_role", "wave", "item"], sort=False)
    ]
    return pd.concat(parts) if parts else frame


def _in_steps(shares: np.ndarray, n_people: int, min_cell: int) -> np.ndarray:
    steps = share_steps(n_people, min_cell)
    return np.diff(np.round(np.cumsum(shares) * steps) / steps, prepend=0.0)


def share_steps(n_people: float, min_cell: int) -> int:
    """Return into how many steps, of `min_cell` people at least, a share of so many people is rounded."""
    return next((steps for steps in STEPS if steps * min_cell <= n_people), 1)


def coarse_agreement(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return the agreement of raters with shares of people in steps that are worth `min_cell` of them at least."""
    steps = frame["n_with_rwg"].map(lambda n: share_steps(n, min_cell))
    shares = [c for c in frame.columns if c.startswith("rwg_share")]
    return frame.assign(**{c: (frame[c].astype(float) * steps).round() / steps for c in shares})


def careless_apart(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return the counts without an index that flags all but a few of the flagged forms: those few would follow."""
    total = frame[frame["flag"] == "flagged"].set_index(["instrument", "wave"])["n_flagged"]
    of_row = total.reindex(pd.MultiIndex.from_frame(frame[["instrument", "wave"]])).to_numpy()
    rest = of_row - frame["n_flagged"]
    is_near = (frame["flag"] != "flagged") & (of_row >= min_cell) & (rest > 0) & (rest < min_cell)
    hidden = {name: frame[name].astype(float).mask(is_near) for name in ("n_flagged", "share_flagged")}
    return frame.assign(**hidden)


def invariance_of_many(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return the steps without what was found, verdicts and counts included, where an arm or all have few people."""
    counts = frame.reindex(columns=["n_people", "n_treated", "n_control"]).astype(float)
    few = ((counts > 0) & (counts < min_cell)).any(axis="columns")
    # One is a small count: it takes every number of the row with it.
    hidden = {name: frame[name].astype(float).mask(few, 1.0) for name in counts if name in frame}
    verdicts = {name: frame[name].astype("boolean").mask(few) for name in VERDICTS}
    return frame.assign(freed_item=frame["freed_item"].mask(few), **hidden, **verdicts)


def changes_of_many(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return the changes of items without those of a wave that few answered, in which a skipped item looks dropped."""
    few = (frame["n_forms"] > 0) & (frame["n_forms"] < min_cell)
    return frame.assign(changed=frame["changed"].mask(few), n_items=frame["n_items"].astype(float).mask(few))
