"""Were the arms alike? Standardized differences before and after weighting, effective numbers, overlap."""

import numpy as np
import pandas as pd

from analysis.design.covariates import DesignMatrix

BALANCED = 0.1
# Of fewer levels each is told by itself alone: two differ by the same.
MANY_LEVELS = 3


def effective_sample_size(weights: np.ndarray, person: np.ndarray) -> float:
    """Return Kish's effective number of people: (Σw)² / Σw², with w summed within each person (Kish 1965)."""
    by_person = np.bincount(person, weights=weights)
    return float(by_person.sum() ** 2 / np.sum(by_person**2))


def balance(
    matrix: DesignMatrix, treated: np.ndarray, weights: np.ndarray, people: np.ndarray | pd.Series | None = None
) -> pd.DataFrame:
    """Return standardized mean differences before and after weighting, one row per covariate and per level.

    Columns ``covariate, kind, levels, smd_before, smd_after, n_treated, n_control``. ``kind`` is ``covariate``; of one
    with many levels, as departments, ``largest`` (of all its levels, in absolute size) and ``mean`` (of the absolute
    sizes), both with the number of ``levels`` (else missing); and ``level`` for each of them. Levels come last,
    else the largest before weighting first. The denominator is the treated's unweighted standard deviation, as is usual
    for the ATT (Austin & Stuart 2015, Stat Med 34:3661). A level's row counts its people, any other one everybody, so
    that the release can leave out what is of a few.

    Parameters
    ----------
    people
        Who each row is of, shape (rows,); where it is left out each row is somebody.
    """
    differences = {
        name: (
            standardized_mean_difference(x, treated, np.ones(len(x))),
            standardized_mean_difference(x, treated, weights),
        )
        for name, column in matrix.raw.items()
        for x in [column.to_numpy(dtype=float)]
    }
    of_many = {name: columns for name, columns in matrix.levels.items() if len(columns) >= MANY_LEVELS}
    is_level = {column for columns in of_many.values() for column in columns}
    rows = [
        {"covariate": name, "kind": "level" if name in is_level else "covariate", "levels": np.nan}
        | {"smd_before": before, "smd_after": after}
        for name, (before, after) in differences.items()
    ]
    rows += [row for name, columns in of_many.items() for row in _summaries(name, [differences[c] for c in columns])]
    frame = pd.DataFrame(rows, columns=["covariate", "kind", "levels", "smd_before", "smd_after"])
    people = np.arange(len(treated)) if people is None else people
    frame = frame.assign(**_people_of(matrix, treated, people, frame["covariate"]))
    order = np.lexsort((-frame["smd_before"].abs(), frame["kind"] == "level"))
    return frame.iloc[order].reset_index(drop=True)


def _summaries(name: str, differences: list[tuple[float, float]]) -> list[dict]:
    """Return what the levels of one covariate show together: the largest difference, and the mean absolute one."""
    values = np.array(differences)
    largest = values[np.abs(values).argmax(axis=0), [0, 1]]
    mean = np.abs(values).mean(axis=0)
    n = len(values)
    return [
        {"covariate": f"{name} ({kind} of {n} levels)", "kind": kind, "levels": n}
        | {"smd_before": float(both[0]), "smd_after": float(both[1])}
        for kind, both in (("largest", largest), ("mean", mean))
    ]


def _people_of(
    matrix: DesignMatrix, treated: np.ndarray, people: np.ndarray | pd.Series, names: pd.Series
) -> dict[str, list[int]]:
    """Return how many people each row is of, by arm: those of the level, or everybody."""
    codes, everybody = pd.factorize(np.asarray(people))[0], np.ones(len(treated), dtype=bool)
    is_level = {column for columns in matrix.levels.values() for column in columns}
    there = [matrix.raw[name].to_numpy() > 0 if name in is_level else everybody for name in names]
    arms = {"n_treated": treated, "n_control": ~treated}
    return {name: [len(np.unique(codes[rows & arm])) for rows in there] for name, arm in arms.items()}


def standardized_mean_difference(x: np.ndarray, treated: np.ndarray, weights: np.ndarray) -> float:
    """Return (mean of treated − weighted mean of comparators) / standard deviation of the treated.

    Where the treated are all the same, the standard deviation of everybody stands in.
    """
    difference = x[treated].mean() - np.average(x[~treated], weights=weights[~treated])
    return float(difference / _spread(x, treated))


def _spread(x: np.ndarray, treated: np.ndarray) -> float:
    """Return the standard deviation of the treated, that of everybody where they are all the same, else infinity."""
    own = x[treated].std(ddof=1) if treated.sum() > 1 else 0.0
    return float(own or x.std(ddof=1) or np.inf)


def balance_by_quarter(matrix: DesignMatrix, rows: pd.DataFrame, weights: np.ndarray) -> pd.DataFrame:
    """Return the worst standardized difference in the trials of each calendar quarter, one row per quarter.

    Columns ``quarter, n_treated, n_control`` (people), ``covariate`` (the worst after weighting), ``worst_before,
    worst_after``; no row where nothing is recorded that varies. The denominator is that of the pooled table, since a
    few people's own spread is no yardstick. Of a covariate with many levels the mean absolute difference counts: in a
    quarter one of thirty is always far off.
    """
    treated, people = rows["is_treated"].to_numpy(dtype=bool), rows["employee_id"].to_numpy()
    x = matrix.raw.to_numpy(dtype=float)
    if not x.shape[1]:
        return pd.DataFrame(columns=["quarter", "n_treated", "n_control", "covariate", "worst_before", "worst_after"])
    spread = np.array([_spread(column, treated) for column in x.T])
    groups = _compared_as_one(matrix)
    quarters = pd.PeriodIndex(rows["trial_date"], freq="Q").astype(str).to_numpy()
    found = []
    for quarter in sorted(set(quarters)) if len(spread) else ():
        one, zero = (quarters == quarter) & treated, (quarters == quarter) & ~treated
        before = np.abs(x[one].mean(axis=0) - x[zero].mean(axis=0)) / spread
        after = np.abs(x[one].mean(axis=0) - np.average(x[zero], axis=0, weights=weights[zero])) / spread
        by_group = np.array([[before[columns].mean(), after[columns].mean()] for columns in groups.values()])
        found.append(
            {
                "quarter": quarter,
                "n_treated": len(np.unique(people[one])),
                "n_control": len(np.unique(people[zero])),
                "covariate": list(groups)[int(by_group[:, 1].argmax())],
                "worst_before": float(by_group[:, 0].max()),
                "worst_after": float(by_group[:, 1].max()),
            }
        )
    columns = ["quarter", "n_treated", "n_control", "covariate", "worst_before", "worst_after"]
    return pd.DataFrame(found, columns=columns)


def _compared_as_one(matrix: DesignMatrix) -> dict[str, list[int]]:
    """Return the positions of the columns of `raw` by what they are called: many levels of one covariate together."""
    groups: dict[str, list[int]] = {}
    name_of = {
        column: f"{name} (mean of {len(columns)} levels)"
        for name, columns in matrix.levels.items()
        for column in columns
        if len(columns) >= MANY_LEVELS
    }
    for position, column in enumerate(matrix.raw.columns):
        groups.setdefault(name_of.get(column, column), []).append(position)
    return groups


def overlap(probability: np.ndarray, treated: np.ndarray) -> pd.DataFrame:
    """Return the distribution of the log odds of starting, one row per arm and bin.

    Columns ``log_odds_from, log_odds_to, arm, share, n_rows, n_rows_of_arm``.
    """
    log_odds = np.log(probability / (1 - probability))
    least, greatest = np.quantile(log_odds, [0, 1])
    edges = np.linspace(least, greatest, 21)
    parts = []
    for name, chosen in (("treated", treated), ("control", ~treated)):
        counts = np.histogram(log_odds[chosen], edges)[0]
        parts.append(
            pd.DataFrame(
                {
                    "log_odds_from": edges[:-1],
                    "log_odds_to": edges[1:],
                    "arm": name,
                    "share": counts / counts.sum(),
                    "n_rows": counts,
                    "n_rows_of_arm": counts.sum(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def missing_values(covariates: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return whom a covariate is missing for, one row per covariate: ``covariate, n_treated, n_control`` (people).

    Nobody is left out for it: a missing number has an indicator of its own, a missing category is a category.
    """
    treated = rows["is_treated"].to_numpy(dtype=bool)
    people = rows["employee_id"].to_numpy()
    found = []
    for name, column in covariates.items():
        missing = column.isna().to_numpy()
        counts = [len(np.unique(people[missing & arm])) for arm in (treated, ~treated)]
        found.append({"covariate": name, "n_treated": counts[0], "n_control": counts[1]})
    frame = pd.DataFrame(found, columns=["covariate", "n_treated", "n_control"])
    return frame.sort_values("n_treated", ascending=False, kind="stable", ignore_index=True)
