"""Whom a warning is about: how many who started in a program, and how many others; what matters most comes first."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.plan.errors import Problem
from analysis.validate.account import lines_known
from analysis.validate.coded import coded
from analysis.validate.listed import NO_RECORD

WHOSE = {
    "employees": "employee_id",
    "jobs": "employee_id",
    "responses": "employee_id",
    "ratings": "ratee_id",
    "enrolments": "employee_id",
}


def with_people(problems: Iterable[Problem], seen: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Return the problems, errors and warnings with the number of people whose rows they are about.

    A line of the enrolments whose person was not found counts as one who started.

    Parameters
    ----------
    seen
        The typed rows of the tables, before any rule, with ``_source`` and ``_line``.
    """
    started = _started(seen.get("enrolments"))
    rows: dict[tuple[str, str], tuple[np.ndarray, np.ndarray, pd.Index]] = {}
    counted = []
    for problem in problems:
        lines = lines_known(problem)
        if problem.severity == "info" or problem.table not in WHOSE or not len(lines):
            counted.append(problem)
            continue
        key = (problem.table, problem.source)
        if key not in rows:
            rows[key] = _people(seen.get(problem.table), *key)
        own_lines, people, ids = rows[key]
        touched = ids[np.unique(people[np.isin(own_lines, lines) & (people >= 0)])]
        n_started = int(touched.isin(started).sum())
        names_some = problem.table == "enrolments" and problem.action == "rejected" and problem.rule != NO_RECORD
        n_lost = len(np.setdiff1d(lines, own_lines)) if names_some else 0
        counted.append(replace(problem, n_started=n_started + n_lost, n_others=len(touched) - n_started))
    return counted


def _started(enrolments: pd.DataFrame | None) -> pd.Index:
    if enrolments is None:
        return pd.Index([])
    return pd.Index(enrolments.loc[enrolments["start_date"].notna(), "employee_id"].dropna().unique())


def _people(rows: pd.DataFrame | None, table: str, source: str) -> tuple[np.ndarray, np.ndarray, pd.Index]:
    """Return the lines of a file's rows, whose each is (a place in the ids; −1 of nobody), and the ids."""
    if rows is None:
        return np.zeros(0, int), np.zeros(0, int), pd.Index([])
    sources, names = coded(rows["_source"])
    own = rows[sources == (names.get_loc(source) if source in names else -2)]
    people, ids = coded(own[WHOSE[table]])
    return own["_line"].to_numpy(int), people, ids
