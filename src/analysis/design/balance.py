"""Were the arms alike? Standardized differences before and after weighting, effective numbers, overlap."""

import numpy as np
import pandas as pd

from analysis.design.covariates import DesignMatrix

BALANCED = 0.1


def effective_sample_size(weights: np.ndarray, person: np.ndarray) -> float:
    """Return Kish's effective number of people: (Σw)² / Σw², with w summed within each person (Kish 1965)."""
    by_person = np.bincount(person, weights=weights)
    return float(by_person.sum() ** 2 / np.sum(by_person**2))


def balance(matrix: DesignMatrix, treated: np.ndarray, weights: np.ndarray) -> pd.DataFrame:
    """Return standardized mean differences before and after weighting, one row per covariate, largest before first.

    Columns ``covariate, smd_before, smd_after``. The denominator is the treated's unweighted standard deviation, as
    is usual for the ATT (Austin & Stuart 2015, Stat Med 34:3661).
    """
    rows = [
        {
            "covariate": name,
            "smd_before": standardized_mean_difference(x, treated, np.ones(len(x))),
            "smd_after": standardized_mean_difference(x, treated, weights),
        }
        for name, x in matrix.raw.items()
        for x in [x.to_numpy(dtype=float)]
    ]
    frame = pd.DataFrame(rows, columns=["covariate", "smd_before", "smd_after"])
    return frame.sort_values("smd_before", key=np.abs, ascending=False, ignore_index=True)


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
    few people's own spread is no yardstick.
    """
    treated, people = rows["is_treated"].to_numpy(dtype=bool), rows["employee_id"].to_numpy()
    x = matrix.raw.to_numpy(dtype=float)
    spread = np.array([_spread(column, treated) for column in x.T])
    quarters = pd.PeriodIndex(rows["trial_date"], freq="Q").astype(str).to_numpy()
    found = []
    for quarter in sorted(set(quarters)) if len(spread) else ():
        one, zero = (quarters == quarter) & treated, (quarters == quarter) & ~treated
        before = np.abs(x[one].mean(axis=0) - x[zero].mean(axis=0)) / spread
        after = np.abs(x[one].mean(axis=0) - np.average(x[zero], axis=0, weights=weights[zero])) / spread
        found.append(
            {
                "quarter": quarter,
                "n_treated": len(np.unique(people[one])),
                "n_control": len(np.unique(people[zero])),
                "covariate": matrix.raw.columns[int(after.argmax())],
                "worst_before": float(before.max()),
                "worst_after": float(after.max()),
            }
        )
    columns = ["quarter", "n_treated", "n_control", "covariate", "worst_before", "worst_after"]
    return pd.DataFrame(found, columns=columns)


def overlap(probability: np.ndarray, treated: np.ndarray) -> pd.DataFrame:
    """Return the distribution of the log odds of starting: ``log_odds_from, log_odds_to, arm, share, n_rows``."""
    log_odds = np.log(probability / (1 - probability))
    edges = np.linspace(*np.quantile(log_odds, [0, 1]), 21)
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
