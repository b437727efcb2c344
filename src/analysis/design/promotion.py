"""Promotion as the event: the first rise in job level after time zero, exits competing."""

import pandas as pd

from analysis.measure.calendar import ONE_DAY, months_between
from analysis.measure.employment import job_value_at

PROMOTION = "promotion"


def until_promotion(rows: pd.DataFrame, jobs: pd.DataFrame, zero: str) -> pd.DataFrame:
    """Return the rows with follow-up that ends at a promotion, if that comes before its end.

    Parameters
    ----------
    rows
        ``employee_id, job_level`` (as known before time zero), ``months, outcome`` and the day of time zero; one row
        per trial and person.
    zero
        Name of the column with time zero. A rise that takes effect on that very day was decided before it: it is no
        promotion, and later levels are compared with the one that it led to.
    """
    held = job_value_at(jobs, "job_level", rows["employee_id"], rows[zero], on_the_day=True) if len(rows) else None
    level = rows["job_level"] if held is None else held.fillna(rows["job_level"])
    asked = rows[["employee_id", zero]].assign(job_level=level, row=range(len(rows)))
    later = asked.merge(jobs[["employee_id", "effective_date", "job_level"]], on="employee_id", suffixes=("", "_then"))
    rises = later[(later["effective_date"] > later[zero]) & (later["job_level_then"] > later["job_level"])]
    day = rises.groupby("row")["effective_date"].min().reindex(range(len(rows)))
    months = months_between(rows[zero], day + ONE_DAY)
    promoted = months <= rows["months"].to_numpy()
    return rows.assign(
        months=rows["months"].where(~promoted, months), outcome=rows["outcome"].where(~promoted, PROMOTION)
    )
