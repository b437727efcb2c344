"""Whether a stand-in's people come nearer to real ones than chance brings real ones to each other.

The distance to the closest record, with the real records' own as the baseline (Platzer & Reutterer 2021, Front Big
Data 4:679939). It finds copies, and near ones. It is no proof of privacy: what protects people is that a stand-in is
drawn from numbers about many (`bundle.marginals`); this test would find a mistake in that.
"""

import numpy as np
import pandas as pd

from analysis.plan.errors import bad_input
from analysis.plan.probability import rng

# A stand-in's person is near where it lies closer to a real one than this share of real ones lie to each other.
NEAR = 0.05
ERRORS, MOST_COMPARED = 3, 2_000


def records(employees: pd.DataFrame, jobs: pd.DataFrame | None) -> pd.DataFrame:
    """Return all that tables say of a person but ids: one row a spell, their first job's columns beside it."""
    ids = employees["employee_id"]
    found = employees.drop(columns="employee_id")
    if jobs is not None:
        first = jobs.drop_duplicates("employee_id").set_index("employee_id")
        held = first.drop(columns=["effective_date", "manager_id"], errors="ignore").reindex(ids)
        found = found.assign(**{f"job_{name}": held[name].to_numpy() for name in held})
    return found.reset_index(drop=True)


def numbers_of(real: pd.DataFrame, drawn: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return both as numbers, so that the distance between two rows is Gower's: a category differs by 1 or not at all.

    Numbers and dates are divided by what their middle nine tenths span; a missing value is a value of its own.
    """
    both = pd.concat([real, drawn], ignore_index=True)
    columns = []
    for name in both:
        values = both[name]
        if pd.api.types.is_datetime64_any_dtype(values):
            values = (values - pd.Timestamp(0)) / pd.Timedelta(days=1)
        if pd.api.types.is_numeric_dtype(values):
            span = float(values.quantile(0.95) - values.quantile(0.05)) or 1.0
            columns += [(values / span).fillna(0).to_numpy(float), values.isna().to_numpy(float)]
        else:
            dummies = pd.get_dummies(values.astype(object).where(values.notna(), "\0")).to_numpy(float)
            columns += list(0.5 * dummies.T)
    table = np.column_stack(columns)
    return table[: len(real)], table[len(real) :]


def closest(rows: np.ndarray, others: np.ndarray, are_the_same: bool = False) -> np.ndarray:
    """Return each row's distance to the closest of the others; of itself not counted where both are the same."""
    found = np.empty(len(rows))
    for n, row in enumerate(rows):
        distances = np.abs(others - row).sum(axis=1)
        if are_the_same:
            distances[n] = np.inf
        found[n] = distances.min()
    return found


def without_equals(
    drawn: dict[str, pd.DataFrame], employees: pd.DataFrame, jobs: pd.DataFrame | None
) -> dict[str, pd.DataFrame]:
    """Return a stand-in without the people who are equal, by chance, to a real one in all that tables say."""
    ids = drawn["employees"]["employee_id"]
    gone = set(ids[_equal(drawn, employees, jobs)])
    keys = ("employee_id", "ratee_id")
    left = {}
    for name, table in drawn.items():
        mine = next((key for key in keys if key in table), None)
        left[name] = table if mine is None else table[~table[mine].isin(gone)].reset_index(drop=True)
    if "jobs" in left:
        left["jobs"] = left["jobs"].assign(
            manager_id=left["jobs"]["manager_id"].where(~left["jobs"]["manager_id"].isin(gone))
        )
    return left


def _equal(drawn: dict[str, pd.DataFrame], employees: pd.DataFrame, jobs: pd.DataFrame | None) -> np.ndarray:
    real, found = told_of_both(drawn, employees, jobs)
    keys = set(_texts(real))
    return np.array([text in keys for text in _texts(found)], bool)


def told_of_both(
    drawn: dict[str, pd.DataFrame], employees: pd.DataFrame, jobs: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    real, found = records(employees, jobs), records(drawn["employees"], drawn.get("jobs"))
    columns = [name for name in real if name in found and name != "job_base_salary"]
    return real[columns], found[columns]


def _texts(rows: pd.DataFrame) -> list[str]:
    """Return each row as one text, in which a number and a date are written in one way only."""
    columns = [rows[name].map(_text) for name in rows]
    return ["\x1f".join(row) for row in zip(*columns, strict=True)]


def _text(cell: object) -> str:
    if pd.isna(cell):  # type: ignore[call-overload]
        return ""
    if isinstance(cell, pd.Timestamp):
        return f"{cell:%Y-%m-%d}"
    return f"{cell:g}" if isinstance(cell, int | float) else str(cell)


def refuse_copies(drawn: dict[str, pd.DataFrame], employees: pd.DataFrame, jobs: pd.DataFrame | None) -> float:
    """Return the share of a stand-in's people who are near to a real one; 0.05 is what chance brings.

    Raises
    ------
    BadInput
        Somebody is equal to a real person, or more are near than chance brings.
    """
    n_equal = int(_equal(drawn, employees, jobs).sum())
    real, found = told_of_both(drawn, employees, jobs)
    random = rng("nearest", len(real), len(found))
    every, mine = numbers_of(real, found)
    some = random.permutation(len(every))[:MOST_COMPARED]
    ours = mine[random.permutation(len(mine))[:MOST_COMPARED]]
    baseline = np.quantile(closest(every[some], every[some], are_the_same=True), NEAR)
    near = float((closest(ours, every[some]) < baseline).mean())
    limit = NEAR + ERRORS * np.sqrt(NEAR * (1 - NEAR) / len(ours))
    if n_equal or near > limit:
        message = (
            f"{n_equal} of its people are equal to real ones and {near:.1%} near to one (chance brings {NEAR:.0%}), "
            "so nothing is written. Please report it: a stand-in is drawn from numbers about many people alone"
        )
        raise bad_input("stand-in", message, rule="stand_in")
    return near
