"""Covariates before time zero: their design matrix, missing numbers, and whether the arms are alike in them."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from analysis.measure.employment import Staff, tenure_days
from analysis.plan.catalogue import COVARIATE_SCORES

# --- imputation -------------------------------------------------------------------------------------------------------
# Missing numbers drawn from what is known, several times, so that their uncertainty shows.

CYCLES = 5


def impute(covariates: pd.DataFrame, known: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Return the covariates with every missing number drawn once from its regression on all others.

    Chained equations with Bayesian normal regressions (van Buuren 2018, Flexible Imputation of Missing Data, 2nd ed.,
    ch. 3.2 and 4.5). Covariates without any value, and categories, stay as they are.

    Parameters
    ----------
    known
        What else predicts, such as arm and outcome (White & Royston 2009, Stat Med 28:1982), shape (rows, columns).
    """
    numbers = [c for c in CONTINUOUS if c in covariates and covariates[c].notna().any()]
    values = covariates[numbers].astype(float)
    is_missing, filled = values.isna().to_numpy(), values.fillna(values.mean()).to_numpy(copy=True)
    some = np.flatnonzero(is_missing.any(axis=0))
    for _ in range(CYCLES):
        for j in some:
            x = np.column_stack([np.ones(len(filled)), known, np.delete(filled, j, axis=1)])
            filled[is_missing[:, j], j] = _drawn(x, values[numbers[j]].to_numpy(), is_missing[:, j], rng)
    return covariates.assign(**{numbers[j]: filled[:, j] for j in some})


def _drawn(x: np.ndarray, y: np.ndarray, is_missing: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return draws for the missing values from the posterior predictive distribution of a linear regression."""
    spread = x.std(axis=0)
    x = np.where(spread > 0, (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0), x)
    seen, values = x[~is_missing], y[~is_missing]
    # A trace of a ridge keeps covariates that say the same apart (their mean and last value, with one wave so far).
    inverse = np.linalg.inv(seen.T @ seen + 1e-5 * len(seen) * np.eye(x.shape[1]))
    coefficients = inverse @ (seen.T @ values)
    residual = values - seen @ coefficients
    variance = residual @ residual / rng.chisquare(max(len(seen) - x.shape[1], 1))
    drawn = coefficients + np.sqrt(variance) * np.linalg.cholesky(inverse) @ rng.normal(size=x.shape[1])
    return x[is_missing] @ drawn + np.sqrt(variance) * rng.normal(size=is_missing.sum())


# --- covariates -------------------------------------------------------------------------------------------------------
# What may differ between those who start and the others: covariates before time zero, and their design matrix.

# Earlier scores: the mean of all, and the last.
SCORES = tuple(f"{score}_{which}" for score in COVARIATE_SCORES for which in ("mean", "last"))
CONTINUOUS = (
    "tenure_years",
    "age_years",
    "job_level",
    "log_salary",
    "performance_rating",
    "n_promotions",
    "team_size",
    *SCORES,
    "in_other_program",
)
CATEGORICAL = ("job_family", "department", "location")
FLEXIBLE = ("tenure_years", "age_years")
SPLINE_DF = 3
# A level with fewer people than this in all says more of them than of the level: such levels are one together.
LEAST_PEOPLE = 5


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
            "age_years": pd.DatetimeIndex(day).year - spells["birth_year"].to_numpy(dtype=float),
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
        frame = frame.assign(**_earlier_scores(construct, scored, staff))
    return frame


def _earlier_scores(construct: str, scored: pd.DataFrame, staff: Staff) -> dict[str, np.ndarray]:
    """Return the mean and the last score of the waves that closed before each row's day."""
    people = staff.spells["employee_id"]
    means, lasts = (np.full(len(people), np.nan) for _ in range(2))
    closes = np.unique(scored["closes"].dropna().to_numpy("datetime64[us]"))
    n_closed = np.searchsorted(closes, staff.day)
    for n in np.unique(n_closed[n_closed > 0]):
        earlier = scored[scored["closes"] <= closes[n - 1]].sort_values(["opens", "closes"], kind="stable")
        by_person, rows = earlier.groupby("employee_id")["score"], n_closed == n
        means[rows] = by_person.mean().reindex(people[rows]).to_numpy()
        lasts[rows] = by_person.last().reindex(people[rows]).to_numpy()
    return {f"{construct}_mean": means, f"{construct}_last": lasts}


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
    levels
        The columns of `raw` that are levels of one covariate, by covariate.
    n_pooled
        How many levels of a covariate are one together, for having fewer than `LEAST_PEOPLE` people each.
    """

    values: np.ndarray
    terms: tuple[str, ...]
    raw: pd.DataFrame
    n_missing: dict[str, int]
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    n_pooled: dict[str, int] = field(default_factory=dict)

    def take(self, chosen: np.ndarray) -> "DesignMatrix":
        """Return the rows chosen (a mask, or positions); terms keep the scale that they have over all rows."""
        return replace(self, values=self.values[chosen], raw=self.raw.iloc[chosen].reset_index(drop=True))


def design_matrix(
    covariates: pd.DataFrame,
    treated: np.ndarray,
    exclude: tuple[str, ...] = (),
    people: np.ndarray | pd.Series | None = None,
) -> DesignMatrix:
    """Return the covariates as a numeric matrix in which no row is dropped.

    A missing number becomes the median with an indicator of its own; a missing category is a level. Every level keeps
    an indicator of its own, whether or not somebody of it is treated: what levels are like is told apart by the
    weights, whose prior (`design.propensity`) keeps one without treated people finite. Only levels of fewer than
    `LEAST_PEOPLE` people are one together, and counted. Tenure and age enter as natural cubic splines. Covariates that
    do not vary are left out.

    Parameters
    ----------
    treated
        Shape (rows,); not looked at: a covariate is divided in the same way whoever is treated.
    people
        Who each row is of, shape (rows,); where it is left out each row is somebody.
    """
    flexible: dict[str, np.ndarray] = {}
    raw, n_missing, levels, n_pooled = {}, {}, {}, {}
    person = np.arange(len(covariates)) if people is None else pd.factorize(people)[0]
    for name in [c for c in CONTINUOUS if c in covariates and c not in exclude]:
        column = covariates[name].to_numpy(dtype=float, na_value=np.nan)
        is_missing = np.isnan(column)
        if is_missing.all():
            continue
        n_missing[name] = int(is_missing.sum())
        filled = np.where(is_missing, np.nanmedian(column), column)
        raw[name] = filled
        if n_missing[name]:
            raw[f"{name} missing"] = is_missing.astype(float)
        if name in FLEXIBLE and len(np.unique(filled)) > 10:
            import patsy

            basis = np.asarray(patsy.cr(filled, df=SPLINE_DF, constraints="center"))
            flexible |= {f"{name} spline {i + 1}": basis[:, i] for i in range(basis.shape[1])}
    for name in [c for c in CATEGORICAL if c in covariates and c not in exclude]:
        n_missing[name] = int(covariates[name].isna().sum())
        found, n_pooled[name] = _indicators(name, covariates[name], person)
        raw |= found
        levels[name] = tuple(found)
    replaced = {c for c in FLEXIBLE if any(term.startswith(f"{c} spline") for term in flexible)}
    terms = {k: v for k, v in raw.items() if k not in replaced} | flexible
    spread = {k: v.std() for k, v in (raw | flexible).items()}
    scaled = {k: (v - v.mean()) / spread[k] for k, v in terms.items() if spread[k] > 1e-9}
    values = np.column_stack(list(scaled.values())) if scaled else np.zeros((len(covariates), 0))
    kept = pd.DataFrame({k: v for k, v in raw.items() if spread[k] > 1e-9}, index=range(len(covariates)))
    return DesignMatrix(
        values,
        tuple(scaled),
        kept,
        n_missing,
        {name: columns for name, columns in levels.items() if columns},
        {name: n for name, n in n_pooled.items() if n},
    )


def _indicators(name: str, column: pd.Series, person: np.ndarray) -> tuple[dict[str, np.ndarray], int]:
    """Return an indicator of each level, and how many levels are one together."""
    value, values = pd.factorize(column)
    if not len(values):
        return {}, 0
    # What is missing has the code −1, and with it the last label.
    labels, label = np.unique(np.array([*map(str, values), "missing"], dtype=object), return_inverse=True)
    n = person.max() + 1
    pairs = np.unique(label[value] * n + person)
    sizes = np.bincount(pairs // n, minlength=len(labels))
    thin = (sizes > 0) & (sizes < LEAST_PEOPLE)
    n_pooled = int(thin.sum()) if thin.sum() > 1 else 0
    if n_pooled:
        labels = np.where(thin, f"{n_pooled} levels of under {LEAST_PEOPLE} people", labels)
    found, level = np.unique(labels[sizes > 0], return_inverse=True)
    if len(found) < 2:
        return {}, 0
    of_label = np.zeros(len(labels), dtype=int)
    of_label[sizes > 0] = level
    codes = of_label[label[value]]
    # Small integers: with many levels these columns are most of what is kept.
    return {f"{name}: {each}": (codes == code).astype(np.uint8) for code, each in enumerate(found)}, n_pooled


# --- balance ----------------------------------------------------------------------------------------------------------
# Were the arms alike? Standardized differences before and after weighting, effective numbers, overlap.

BALANCED = 0.1
# Of fewer levels each is shown by itself: two differ by the same.
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
    mean, n = np.abs(values).mean(axis=0), len(values)
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


QUARTER_COLUMNS = ["quarter", "n_treated", "n_control", "covariate", "worst_before", "worst_after"]


def balance_by_quarter(matrix: DesignMatrix, rows: pd.DataFrame, weights: np.ndarray) -> pd.DataFrame:
    """Return the worst standardized difference in the trials of each calendar quarter, one row per quarter.

    Columns ``quarter, n_treated, n_control`` (people), ``covariate`` (the worst after weighting), ``worst_before,
    worst_after``; no row where nothing is recorded that varies. The denominator is that of the pooled table, since a
    few people's own spread is no yardstick. Of a covariate with many levels the mean absolute difference counts: in a
    quarter one of thirty is always far off.
    """
    treated, people = rows["is_treated"].to_numpy(dtype=bool), rows["employee_id"].to_numpy()
    x = matrix.raw.to_numpy(dtype=float)
    spread = np.array([_spread(column, treated) for column in x.T])
    groups = _compared_as_one(matrix)
    # By the trial's first day: where several days are one trial, an arm of it may begin in the next quarter alone.
    begins = rows.groupby("trial")["trial_date"].transform("min")
    quarters = begins.dt.to_period("Q").astype(str).to_numpy()
    found = []
    for quarter in np.unique(quarters) if x.shape[1] else ():
        one, zero = (quarters == quarter) & treated, (quarters == quarter) & ~treated
        before = np.abs(x[one].mean(axis=0) - x[zero].mean(axis=0)) / spread
        after = np.abs(x[one].mean(axis=0) - np.average(x[zero], axis=0, weights=weights[zero])) / spread
        by_group = np.array([[before[columns].mean(), after[columns].mean()] for columns in groups.values()])
        n_treated, n_control = (len(np.unique(people[arm])) for arm in (one, zero))
        worst = by_group.max(axis=0)
        found.append((quarter, n_treated, n_control, list(groups)[int(by_group[:, 1].argmax())], *worst.tolist()))
    return pd.DataFrame(found, columns=QUARTER_COLUMNS)


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
    edges = np.linspace(log_odds.min(), log_odds.max(), 21)
    parts = []
    for name, chosen in (("treated", treated), ("control", ~treated)):
        counts = np.histogram(log_odds[chosen], edges)[0]
        columns = {"log_odds_from": edges[:-1], "log_odds_to": edges[1:], "arm": name, "share": counts / counts.sum()}
        parts.append(pd.DataFrame(columns | {"n_rows": counts, "n_rows_of_arm": counts.sum()}))
    return pd.concat(parts, ignore_index=True)


def missing_values(covariates: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return whom a covariate is missing for, one row per covariate: ``covariate, n_treated, n_control`` (people).

    Nobody is left out for it: a missing number has an indicator of its own, a missing category is a category.
    """
    treated, people = rows["is_treated"].to_numpy(dtype=bool), rows["employee_id"].to_numpy()
    found = []
    for name, column in covariates.items():
        missing = column.isna().to_numpy()
        counts = [len(np.unique(people[missing & arm])) for arm in (treated, ~treated)]
        found.append({"covariate": name, "n_treated": counts[0], "n_control": counts[1]})
    frame = pd.DataFrame(found, columns=["covariate", "n_treated", "n_control"])
    return frame.sort_values("n_treated", ascending=False, kind="stable", ignore_index=True)
