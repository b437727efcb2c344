"""Promotion as the event: the first rise in job level after time zero, exits competing."""

import pandas as pd

from analysis.measure.calendar import ONE_DAY, months_between

PROMOTION = "promotion"


def until_promotion(rows: pd.DataFrame, jobs: pd.DataFrame, zero: str) -> pd.DataFrame:
    """Return the rows with follow-up that ends at a promotion, if that comes before its end.

    Parameters
    ----------
    rows
        ``employee_id, job_level`` (at time zero), ``months, outcome`` and the day of time zero; one row per trial and
        person.
    zero
        Name of the column with time zero. A rise that takes effect on that very day was decided before it.
    """
    asked = rows[["employee_id", zero, "job_level"]].assign(row=range(len(rows)))
    later = asked.merge(jobs[["employee_id", "effective_date", "job_level"]], on="employee_id", suffixes=("", "_then"))
    rises = later[(later["effective_date"] > later[zero]) & (later["job_level_then"] > later["job_level"])]
    day = rises.groupby("row")["effective_date"].min().reindex(range(len(rows)))
    months = months_between(rows[zero], day + ONE_DAY)
    promoted = months <= rows["months"].to_numpy()
    return rows.assign(
        months=rows["months"].where(~promoted, months), outcome=rows["outcome"].where(~promoted, PROMOTION)
    )
