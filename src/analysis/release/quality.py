"""Frames about the quality of the data, made so coarse that no small group can be read from them."""

import pandas as pd

from analysis.release.measured import share_steps

SHARES = {"n_with_job_row": "share_with_job_row", "n_with_manager": "share_with_manager"}


def coverage_in_shares(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return who is on record by month with shares instead of counts, in steps worth `min_cell` people at least.

    From counts of those employed and of those with a job row, the few without one would follow.
    """
    steps = frame["n_employed"].map(lambda n: share_steps(n, min_cell))
    shares = {
        share: (frame[count].astype(float) / frame["n_employed"] * steps).round() / steps
        for count, share in SHARES.items()
    }
    return frame.drop(columns=list(SHARES)).assign(**shares)


def missingness_in_steps(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return the gaps of columns in steps worth `min_cell` people at least: whole percent at the best."""
    steps = frame["n_people"].map(lambda n: share_steps(n, min_cell))
    return frame.assign(share_missing=(frame["share_missing"] * steps).round() / steps)


def few_repairs_apart(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return what became of the rows without counting a few repaired ones of a source: few rows are few people.

    Rows in, kept and rejected are told as they are, since they must add up; those translated are not told where the
    few would be left over from them.
    """
    mended = frame["rows_repaired"] - frame["rows_translated"]
    is_few = (mended > 0) & (mended < min_cell)
    hidden = ["rows_repaired", "rows_translated"]
    return frame.assign(**{name: frame[name].astype("Int64").mask(is_few) for name in hidden})
