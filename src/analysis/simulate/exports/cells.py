"""Columns of the canonical tables as the text that vendors write: days, numbers, people."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.simulate.exports.sheet import Sheet


def days(column: pd.Series, form: str = "%Y-%m-%d", none: str = "") -> pd.Series:
    """Return days in a `strftime` form; `none` is written where there is no day."""
    return column.dt.strftime(form).astype("str").fillna(none)


def oracle_days(column: pd.Series, none: str = "") -> pd.Series:
    """Return days as 05-MAR-2024."""
    return days(column, "%d-%b-%Y").str.upper().replace("", none)


def odata_days(column: pd.Series, none: str = "") -> pd.Series:
    """Return days as OData's /Date(milliseconds since 1970)/."""
    given = column.notna()
    milliseconds = column.where(given, pd.Timestamp(0)).astype("datetime64[ms]").astype("int64").astype("str")
    return ("/Date(" + milliseconds + ")/").where(given, none)


def numbers(column: pd.Series) -> pd.Series:
    """Return numbers without needless decimals: 1, 0.8, 52300."""
    given = column.dropna().unique()
    return column.map({value: f"{value:.10g}" for value in given}).astype("str").fillna("")


def german_money(column: pd.Series) -> pd.Series:
    """Return amounts as 52.300,00."""
    other = str.maketrans(",.", ".,")
    given = column.dropna().unique()
    return column.map({value: f"{value:,.2f}".translate(other) for value in given}).astype("str").fillna("")


def words(column: pd.Series, meaning: Mapping[str, str], none: str = "") -> pd.Series:
    """Return the vendor's words for canonical values; a value without one stays as it is."""
    return column.map(lambda value: meaning.get(value, value), na_action="ignore").astype("str").fillna(none)


def birth_days(year: pd.Series) -> pd.Series:
    """Return a birthday in each year of birth, a day from 1 to 28 in a month that differ between people."""
    spread = pd.Series(np.arange(len(year)), year.index)
    text = (
        year.astype("Int64").astype("str")
        + "-"
        + (spread % 12 + 1).astype("str")
        + "-"
        + (spread % 28 + 1).astype("str")
    )
    return pd.to_datetime(text.where(year.notna()), format="%Y-%m-%d")


def of_people(ids: pd.Series, people: pd.DataFrame, column: str) -> pd.Series:
    """Return each person's name or address; empty where there is no person."""
    return ids.map(people.set_index("employee_id")[column]).astype("str").fillna("")


def last_first(ids: pd.Series, people: pd.DataFrame) -> pd.Series:
    """Return each person's name as "Last, First"; empty where there is no person."""
    whole = people.assign(whole=people["last_name"] + ", " + people["first_name"])
    return of_people(ids, whole, "whole")


def first_last(ids: pd.Series, people: pd.DataFrame) -> pd.Series:
    """Return each person's name as "First Last"; empty where there is no person."""
    whole = people.assign(whole=people["first_name"] + " " + people["last_name"])
    return of_people(ids, whole, "whole")


def endings(jobs: pd.DataFrame) -> pd.DataFrame:
    """Return the last job of every tenth person: many tools write a row like it when somebody leaves."""
    last = jobs.drop_duplicates("employee_id", keep="last")
    return last.iloc[::10]


def until_next(jobs: pd.DataFrame) -> pd.Series:
    """Return the day before each person's next change; missing in the last row."""
    after = jobs.groupby("employee_id")["effective_date"].shift(-1)
    return after - pd.Timedelta(days=1)


def sheet(columns: Mapping[str, pd.Series | str], rows: pd.Index, extra: pd.DataFrame | None = None) -> Sheet:
    """Return a sheet of these columns by their names, one value standing for a whole column; then `extra` rows."""
    frame = pd.DataFrame(dict(columns), index=rows)
    return Sheet.of(frame if extra is None else pd.concat([frame, extra.reindex(columns=frame.columns)]))
