"""What may differ between those who start and the others: covariates before time zero, and their design matrix."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import patsy

from analysis.measure.employment import Staff, tenure_days

CONTINUOUS = (
    "tenure_years",
    "age_years",
    "job_level",
    "log_salary",
    "performance_rating",
    "n_promotions",
    "team_size",
    "morale_mean",
    "morale_last",
    "leadership_mean",
    "leadership_last",
    "in_other_program",
)
CATEGORICAL = ("job_family", "department", "location")
FLEXIBLE = ("tenure_years", "age_years")
SPLINE_DF = 3
# A category with fewer people than this among the treated cannot be balanced by itself.
MIN_CATEGORY = 10


def covariates_on(staff: Staff, scores: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what is known of each person just before the day, one row per person, in the order given.

    Parameters
    ----------
    staff
        The people, their spells and their jobs on the day, which is time zero. Nothing after it is read.
    scores
        Scores by construct (as from `measure.scales`); only waves that closed before the day count.
    """
    day, spells, jobs_then = staff.day, staff.spells, staff.jobs
    frame = pd.DataFrame(
        {
            "tenure_years": (tenure_days(spells, day) / 365.25).to_numpy(),
            "age_years": day.year - spells["birth_year"].to_numpy(dtype=float),
            "job_level": jobs_then["job_level"].to_numpy(dtype=float),
            "log_salary": np.log(jobs_then["base_salary"].where(jobs_then["base_salary"] > 0).to_numpy(dtype=float)),
            "performance_rating": jobs_then["performance_rating"].to_numpy(dtype=float),
            "n_promotions": jobs_then["n_promotions"].to_numpy(dtype=float),
            "team_size": jobs_then["team_size"].to_numpy(dtype=float),
            "job_family": jobs_then["job_family"].to_numpy(),
            "department": jobs_then["department"].to_numpy(),
            "location": spells["location"].to_numpy(),
        }
    )
    for construct, scored in scores.items():
        earlier = scored[scored["closes"] < day].sort_values(["opens", "closes"], kind="stable")
        by_person = earlier.groupby("employee_id")["score"]
        frame[f"{construct}_mean"] = by_person.mean().reindex(spells["employee_id"]).to_numpy()
        frame[f"{construct}_last"] = by_person.last().reindex(spells["employee_id"]).to_numpy()
    return frame


@dataclass(frozen=True)
class DesignMatrix:
    """Covariates as numbers.

    Attributes
    ----------
    values
        Shape (rows, terms): every term centred and scaled to unit standard deviation over the rows.
    terms
        Names of the columns.
    raw
        The terms on their own scale, before splines and scaling, for balance: one column per covariate, category
        and missing-value indicator; shape (rows, covariates).
    n_missing
        People-rows without a value, by covariate.
    """

    values: np.ndarray
    terms: tuple[str, ...]
    raw: pd.DataFrame
    n_missing: dict[str, int]


def design_matrix(covariates: pd.DataFrame, treated: np.ndarray, exclude: tuple[str, ...] = ()) -> DesignMatrix:
    """Return the covariates as a numeric matrix in which no row is dropped.

    A missing number becomes the median with an indicator of its own; a missing category is a category. Categories
    with fewer than `MIN_CATEGORY` treated rows are pooled as "other". Tenure and age enter as natural cubic splines.
    Covariates that do not vary are left out.
    """
    raw, flexible, n_missing = {}, {}, {}
    for name in [c for c in CONTINUOUS if c in covariates and c not in exclude]:
        column = covariates[name].astype(float)
        if column.notna().sum() == 0:
            continue
        n_missing[name] = int(column.isna().sum())
        filled = column.fillna(column.median()).to_numpy()
        raw[name] = filled
        if n_missing[name]:
            raw[f"{name} missing"] = column.isna().to_numpy(dtype=float)
        if name in FLEXIBLE and len(np.unique(filled)) > 10:
            basis = np.asarray(patsy.cr(filled, df=SPLINE_DF, constraints="center"))
            flexible |= {f"{name} spline {i + 1}": basis[:, i] for i in range(basis.shape[1])}
    for name in [c for c in CATEGORICAL if c in covariates and c not in exclude]:
        raw |= _indicators(name, covariates[name], treated, n_missing)
    replaced = {c for c in FLEXIBLE if any(term.startswith(f"{c} spline") for term in flexible)}
    terms = {k: v for k, v in raw.items() if k not in replaced} | flexible
    scaled = {k: (v - v.mean()) / v.std() for k, v in terms.items() if v.std() > 1e-9}
    values = np.column_stack(list(scaled.values())) if scaled else np.zeros((len(covariates), 0))
    kept = {k: v for k, v in raw.items() if v.std() > 1e-9}
    return DesignMatrix(values, tuple(scaled), pd.DataFrame(kept, index=range(len(covariates))), n_missing)


def _indicators(name: str, column: pd.Series, treated: np.ndarray, n_missing: dict[str, int]) -> dict[str, np.ndarray]:
    if column.notna().sum() == 0:
        return {}
    n_missing[name] = int(column.isna().sum())
    labels = column.astype(object).where(column.notna(), "missing").to_numpy()
    counts = pd.Series(labels[treated]).value_counts()
    common = {label for label, n in counts.items() if n >= MIN_CATEGORY}
    labels = np.array([label if label in common else "other" for label in labels], dtype=object)
    found = sorted(set(labels))
    if len(found) < 2:
        return {}
    return {f"{name}: {label}": (labels == label).astype(float) for label in found}
