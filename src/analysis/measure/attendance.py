"""Who met whom, how often."""

import numpy as np
import pandas as pd

from analysis.plan.contract import Tables


def attended(tables: Tables, program_id: str) -> pd.DataFrame | None:
    """Return the sessions that people of a program attended; None where the study has no sessions.

    One row per session and attendee: ``employee_id``, ``session_date``. A session without a list of attendees was
    attended by everyone in the match who had started and not ended by then.
    """
    if tables.sessions is None or tables.enrolments is None:
        return None
    enrolled = tables.enrolments
    members = enrolled[(enrolled["program_id"] == program_id) & enrolled["start_date"].notna()]
    sessions = tables.sessions[tables.sessions["match_id"].isin(members["match_id"])]
    listed = sessions[sessions["attendee_ids"].notna()]
    named = listed.assign(employee_id=listed["attendee_ids"].str.split(";")).explode("employee_id")
    named = named.assign(employee_id=named["employee_id"].str.strip())[["employee_id", "session_date"]]
    open_to_all = sessions[sessions["attendee_ids"].isna()].merge(members, on="match_id")
    there = (open_to_all["session_date"] >= open_to_all["start_date"]) & ~(
        open_to_all["session_date"] > open_to_all["end_date"]
    )
    everyone = open_to_all.loc[there, ["employee_id", "session_date"]]
    return pd.concat([named, everyone], ignore_index=True).drop_duplicates(ignore_index=True)


def sessions_within(attended: pd.DataFrame, rows: pd.DataFrame, zero: str, months: int) -> np.ndarray:
    """Return how many sessions each row's person attended in the `months` after time zero, shape (rows,)."""
    until = rows[zero] + pd.DateOffset(months=months)
    return sessions_until(attended, rows.assign(until=until), zero, "until")


def sessions_until(attended: pd.DataFrame, rows: pd.DataFrame, zero: str, end: str) -> np.ndarray:
    """Return how many sessions each row's person attended from time zero to before its `end`, shape (rows,).

    `zero` and `end` are columns of dates; a row without one of them has no sessions.
    """
    asked = rows[["employee_id", zero, end]].assign(row=range(len(rows)))
    met = asked.merge(attended, on="employee_id")
    met = met[(met["session_date"] >= met[zero]) & (met["session_date"] < met[end])]
    return met.groupby("row").size().reindex(range(len(rows)), fill_value=0).to_numpy()
