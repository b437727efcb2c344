"""Canonical tables made from arrays, one entry a person, with every column that the contract has."""

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.pipeline import OpenStudy
from analysis.plan.contract import TABLES, Tables
from analysis.plan.instruments import load_instruments
from analysis.plan.study import Study

STUDY_START, AS_OF = dt.date(2021, 1, 1), dt.date(2025, 6, 30)
KINDS = {
    "id": "str",
    "text": "str",
    "date": "datetime64[ns]",
    "number": "float64",
    "integer": "float64",
    "boolean": "boolean",
}
MONTH = 365.25 / 12


def table(name: str, **columns: Sequence) -> pd.DataFrame:
    """Return a canonical table of these columns; the contract's others are empty, and unknown ones are kept."""
    n = len(next(iter(columns.values())))
    kinds = {column: KINDS[spec.kind] for column, spec in TABLES[name].items()}
    frame = pd.DataFrame({column: pd.Series(columns.get(column, [None] * n), dtype=object) for column in kinds})
    return frame.astype(kinds).assign(**{c: v for c, v in columns.items() if c not in kinds})


def ids(n: int) -> np.ndarray:
    """Return the employee ids of `n` people."""
    return np.array([f"E{number:05d}" for number in range(n)], dtype=object)


def exits_from(start: np.ndarray, hazard_per_month: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Return each person's exit day, drawn from a constant hazard from `start` on, shape (people,)."""
    days = draw.exponential(MONTH / hazard_per_month)
    return pd.to_datetime(start) + pd.to_timedelta(np.minimum(np.ceil(days), 30_000), unit="D")


def opened(name: str, program: Mapping, tables: Mapping[str, pd.DataFrame], **study) -> OpenStudy:
    """Return a study of these tables without the detour over files.

    As in validation, an exit after the data lock has not happened.

    Parameters
    ----------
    program
        As in ``study.yaml``; `study` may name further keys of it, `programs` among them.
    """
    named = {"id": "circle", "name": "Circle", "direction": "reverse", "format": "pair"} | dict(program)
    stated = {
        "schema_version": 1,
        "study": name,
        "title": "A simulated company",
        "study_start": STUDY_START,
        "as_of": AS_OF,
        "horizons_months": [12],
        "simulated": True,
        "programs": [named],
    } | study
    found = Study.model_validate(stated)
    employees = tables["employees"]
    known = employees["exit_date"] <= pd.Timestamp(found.as_of)
    kept = {c: employees[c].where(known) for c in ("exit_date", "exit_type")}
    return OpenStudy(found, load_instruments(found), Tables(**{**tables, "employees": employees.assign(**kept)}), ())
