"""Who started what, and when. Treated = has a start date; the status never decides."""

import pandas as pd

ANALYSED_ROLES = ("mentor", "mentee", "participant")


def analysed_roles(enrolments: pd.DataFrame | None, program_id: str) -> list[str]:
    """Return the roles of a program that are analysed: those with an enrolment; facilitators are staff, not treated."""
    if enrolments is None:
        return []
    present = set(enrolments.loc[enrolments["program_id"] == program_id, "role"])
    return [role for role in ANALYSED_ROLES if role in present]


def first_starts(enrolments: pd.DataFrame, program_id: str, role: str | None = None) -> pd.Series:
    """Return each person's first start in a program (in one role, or in any), by employee id; starters only."""
    rows = enrolments[(enrolments["program_id"] == program_id) & enrolments["start_date"].notna()]
    if role is not None:
        rows = rows[rows["role"] == role]
    return rows.groupby("employee_id")["start_date"].min()


def participation(enrolments: pd.DataFrame) -> pd.DataFrame:
    """Return the way in, one row per program, intake and role: people who enrolled, were offered a place and started.

    Where nobody answered an application (`offered` is missing), everyone who enrolled had a place.
    """
    offered = enrolments["offered"].fillna(True).astype(bool)
    rows = enrolments.assign(is_offered=offered, is_started=enrolments["start_date"].notna())
    grouped = rows.groupby(["program_id", "intake_date", "role"])
    return grouped.agg(
        n_enrolled=("employee_id", "nunique"), n_offered=("is_offered", "sum"), n_started=("is_started", "sum")
    ).reset_index()
