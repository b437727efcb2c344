"""Who had which skill before any program: scores by job level and by age."""

import numpy as np
import pandas as pd

from analysis.measure.employment import job_value_at
from analysis.measure.groups import neighbours_merged
from analysis.measure.means import mean_interval
from analysis.plan.contract import Tables

YEARS = 10
COLUMNS = ["by", "group", "group_from", "group_to", "mean", "ci_low", "ci_high", "n_people"]


def skill_gap(scores: pd.DataFrame, tables: Tables, before: pd.Timestamp | None, least: int) -> pd.DataFrame:
    """Return mean scores before anybody started a program, by job level and by age.

    Parameters
    ----------
    scores
        As from `scales.self_scores`.
    tables
        ``jobs`` for the level, ``employees`` for the year of birth; what is missing is not told of.
    before
        The first start in any program: only waves that closed before it count. None where nobody ever started.
    least
        Fewest people in a group; neighbours are merged until they are that many.

    Returns
    -------
    DataFrame
        One row per group: ``by`` (``job_level`` or ``age``), ``group`` (its name), ``group_from, group_to`` (levels;
        years of age, both included), ``mean`` of each person's last score, ``ci_low, ci_high`` (95 %, Student's t),
        ``n_people``. Level and age are as of the day that the wave opened, age in whole calendar years. Both divisions
        are of the same people, those for whom both are known, so that nobody follows from one and the other.
    """
    last = scores if before is None else scores[scores["closes"] < before]
    last = last.sort_values("opens", kind="stable").drop_duplicates("employee_id", keep="last")
    if last.empty:
        return pd.DataFrame(columns=COLUMNS)
    known = _known(last, tables).dropna(axis="columns", how="all").dropna()
    scored = last.loc[known.index, "score"].to_numpy()
    parts = []
    if "job_level" in known and len(known):
        parts.append(_by_level(known["job_level"].to_numpy(dtype=float), scored, least))
    if "age" in known and len(known):
        parts.append(_by_age(known["age"].to_numpy(dtype=float), scored, least))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _known(last: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Return the job level and the age of each row's person on the day that the wave opened."""
    known = pd.DataFrame({"job_level": np.nan, "age": np.nan}, index=last.index)
    if tables.jobs is not None:
        known["job_level"] = job_value_at(tables.jobs, "job_level", last["employee_id"], last["opens"])
    if tables.employees is not None:
        born = tables.employees.drop_duplicates("employee_id", keep="last").set_index("employee_id")["birth_year"]
        known["age"] = last["opens"].dt.year - last["employee_id"].map(born).astype(float)
    return known


def _by_level(level: np.ndarray, scored: np.ndarray, least: int) -> pd.DataFrame:
    levels, sizes = np.unique(level, return_counts=True)
    group = neighbours_merged(sizes, least)
    rows = []
    for number in range(group.max() + 1):
        low, high = levels[group == number][[0, -1]]
        name = f"{low:g}" if low == high else f"{low:g}–{high:g}"
        rows.append(_row("job_level", name, low, high, scored[(level >= low) & (level <= high)]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _by_age(age: np.ndarray, scored: np.ndarray, least: int) -> pd.DataFrame:
    decades, sizes = np.unique(age // YEARS * YEARS, return_counts=True)
    group = neighbours_merged(sizes, least)
    rows = []
    for number in range(group.max() + 1):
        low, high = decades[group == number][[0, -1]] + [0, YEARS - 1]
        name = f"{low:g}–{high:g}"
        if 0 < number == group.max():
            name = f"{low:g} and over"
        elif number == 0 < group.max():
            name = f"under {high + 1:g}"
        rows.append(_row("age", name, low, high, scored[(age >= low) & (age <= high)]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(by: str, name: str, low: float, high: float, scored: np.ndarray) -> dict:
    found = dict(zip(("mean", "ci_low", "ci_high"), mean_interval(scored), strict=True))
    return {"by": by, "group": name, "group_from": low, "group_to": high, "n_people": len(scored)} | found
