"""Does mentoring change a score? Baseline-adjusted differences in change (H2, H3)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.balance import balance
from analysis.design.covariates import design_matrix
from analysis.design.panels import Panel
from analysis.design.propensity import att_weights, fit_propensity
from analysis.estimate.inference import Interval, cluster_sums, wald

N_PERMUTATIONS = 2_000
# A comparator who alone decides a fitted value has no residual to enlarge.
LEAST_FREEDOM = 0.2


@dataclass(frozen=True)
class Adjusted:
    """The mean difference, treated minus what the comparators say would have happened to them.

    Attributes
    ----------
    interval
        In points of the scale.
    weights
        1 for the treated; comparators' weights, which sum to the treated in each cell; shape (rows,).
    """

    interval: Interval
    weights: np.ndarray


def did_change(panel: Panel, by_unit: bool) -> tuple[Adjusted, pd.DataFrame]:
    """Return the doubly robust difference-in-differences of the panel's change, and the balance of its covariates.

    Comparators are weighted by their odds of starting and their change is regressed on the same covariates within
    cells; the prediction for the treated is subtracted from their change. Right if either model is (Sant'Anna & Zhao
    2020, J Econometrics 219:101). Scores before the start are not covariates: the change already removes the level,
    and conditioning on a noisy baseline as well would bring regression to the mean back in.
    """
    rows = panel.rows
    treated, cell = rows["is_treated"].to_numpy(dtype=bool), rows["cell"].to_numpy(dtype=int)
    exclude = (
        ("department", "log_salary", "team_size", "job_family")
        if by_unit
        else ("log_salary", "team_size", "job_family")
    )
    matrix = design_matrix(panel.covariates, treated, exclude)
    propensity = fit_propensity(matrix.values, treated, cell)
    weights = att_weights(propensity.linear, treated, cell)
    change = (rows["after"] - rows["before"]).to_numpy(dtype=float)
    cluster = rows["unit"].fillna("none") if by_unit else rows["employee_id"]
    adjusted = regression_adjusted(change, treated, cell, matrix.values, weights, pd.factorize(cluster)[0])
    return adjusted, balance(matrix, treated, weights)


def regression_adjusted(
    y: np.ndarray, treated: np.ndarray, cell: np.ndarray, terms: np.ndarray, weights: np.ndarray, cluster: np.ndarray
) -> Adjusted:
    """Return the treated's mean `y` minus their prediction from a weighted regression among the comparators.

    Parameters
    ----------
    y, treated, cell, weights, cluster
        Shape (rows,). Every cell has rows of both arms.
    terms
        Covariates, shape (rows, terms); each cell has an intercept of its own.

    Notes
    -----
    The influence function takes in that the regression is estimated; the weights are taken as known. Comparators'
    residuals are divided by one minus their leverage, as in HC3 (MacKinnon & White 1985, J Econometrics 29:305): with
    few of them in a cell the fitted residuals are too small. Student's t with one degree of freedom less than the
    clusters with treated rows.
    """
    x = np.column_stack([np.eye(cell.max() + 1)[cell], terms])
    control = ~treated
    xw = x[control] * weights[control, None]
    inverse = np.linalg.pinv(xw.T @ x[control])
    beta = inverse @ (xw.T @ y[control])
    residual = y - x @ beta
    estimate = residual[treated].mean()
    n_treated = treated.sum()
    influence = np.zeros(len(y))
    influence[treated] = (residual[treated] - estimate) / n_treated
    leverage = np.sum((xw @ inverse) * x[control], axis=1)
    influence[control] = (
        -(xw @ (inverse @ x[treated].mean(axis=0))) * residual[control] / (1 - leverage).clip(LEAST_FREEDOM)
    )
    n_treated_clusters = len(np.unique(cluster[treated]))
    summed = cluster_sums(influence, cluster, cluster.max() + 1)
    correction = n_treated_clusters / max(n_treated_clusters - 1, 1)
    std_error = np.sqrt(correction * np.sum(summed**2))
    return Adjusted(wald(estimate, std_error, df=max(n_treated_clusters - 1, 1)), weights)


def itt_score(panel: Panel, rng: np.random.Generator) -> Adjusted:
    """Return the baseline-adjusted intention-to-treat difference in later scores under a lottery.

    Within a cell (intake and wave) those not offered are weighted to the number offered, and the score is regressed on
    the last score before the intake (a missing one: the mean, with an indicator). The p-value re-draws the lots.
    """
    rows = panel.rows
    treated, cell = rows["is_treated"].to_numpy(dtype=bool), rows["cell"].to_numpy(dtype=int)
    n_treated = np.bincount(cell, weights=treated)
    weights = np.where(treated, 1.0, (n_treated / np.bincount(cell, weights=~treated))[cell])
    before = rows["before"].astype(float)
    terms = np.column_stack([before.fillna(before.mean()).fillna(0.0), before.isna()])
    y = rows["after"].to_numpy(dtype=float)
    adjusted = regression_adjusted(
        y, treated, cell, terms[:, terms.std(axis=0) > 0], weights, pd.factorize(rows["employee_id"])[0]
    )
    p = _redraw_p(rows, y, terms, cell, rng)
    return Adjusted(Interval(**(vars(adjusted.interval) | {"p_value": p})), weights)


def _redraw_p(
    rows: pd.DataFrame, y: np.ndarray, terms: np.ndarray, cell: np.ndarray, rng: np.random.Generator
) -> float:
    """Return how often re-drawn lots give a difference in residual scores as large as the real ones did."""
    x = np.column_stack([np.eye(cell.max() + 1)[cell], terms])
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    drawn = rows[["stratum", "employee_id", "is_treated"]].drop_duplicates(
        ["stratum", "employee_id"], ignore_index=True
    )
    key = pd.MultiIndex.from_frame(drawn[["stratum", "employee_id"]])
    person = key.get_indexer(pd.MultiIndex.from_frame(rows[["stratum", "employee_id"]]))
    lots = drawn["is_treated"].to_numpy(dtype=bool)
    blocks = [np.flatnonzero(drawn["stratum"] == s) for s in drawn["stratum"].unique()]

    def statistic(assigned: np.ndarray) -> float:
        z = assigned[person]
        n1, n0 = np.bincount(cell, weights=z), np.bincount(cell, weights=~z)
        both = (n1 > 0) & (n0 > 0)
        gap = (
            np.bincount(cell, weights=z * residual)[both] / n1[both]
            - np.bincount(cell, weights=~z * residual)[both] / n0[both]
        )
        return float(np.average(gap, weights=n1[both]))

    observed, hits = abs(statistic(lots)), 0
    for _ in range(N_PERMUTATIONS):
        shuffled = lots.copy()
        for block in blocks:
            shuffled[block] = rng.permutation(lots[block])
        hits += abs(statistic(shuffled)) >= observed - 1e-12
    return float((1 + hits) / (1 + N_PERMUTATIONS))


def naive_after(panel: Panel) -> Adjusted:
    """Return the plain difference in later scores, cell by cell: what a slide shows, level differences included."""
    rows = panel.rows.dropna(subset=["after"])
    treated, cell = rows["is_treated"].to_numpy(dtype=bool), pd.factorize(rows["cell"])[0]
    n_treated = np.bincount(cell, weights=treated)
    weights = np.where(treated, 1.0, (n_treated / np.bincount(cell, weights=~treated))[cell])
    return regression_adjusted(
        rows["after"].to_numpy(dtype=float),
        treated,
        cell,
        np.zeros((len(rows), 0)),
        weights,
        pd.factorize(rows["employee_id"])[0],
    )


def baseline_sd(panel: Panel) -> float:
    """Return the comparators' standard deviation at their last earlier wave: the standardized difference's unit."""
    controls = panel.rows[~panel.rows["is_treated"].astype(bool)]
    return float(controls.drop_duplicates("employee_id", keep="last")["before"].std(ddof=1))


def trajectories(panel: Panel, weights: np.ndarray) -> pd.DataFrame:
    """Return mean scores by arm before and after: ``arm, wave_position, mean, ci_low, ci_high, n_people``.

    Position 0 is the last wave before the start, 1 the first one after it. Comparators are weighted; intervals are
    pointwise, 95 %, from the weighted mean's linearized standard error.
    """
    rows = panel.rows.assign(weight=weights)
    first = rows[rows["wave_position"] == rows["wave_position"].min()]
    stacked = [(0, first, "before")] + [(p, group, "after") for p, group in rows.groupby("wave_position")]
    parts = []
    for position, group, column in stacked:
        for arm, in_arm in (
            ("treated", group["is_treated"].astype(bool)),
            ("control", ~group["is_treated"].astype(bool)),
        ):
            part = group[in_arm & group[column].notna()]
            if part.empty:
                continue
            share = part["weight"] / part["weight"].sum()
            mean = float(share @ part[column])
            limits = wald(mean, np.sqrt(np.sum((share * (part[column] - mean)) ** 2)))
            parts.append(
                {
                    "arm": arm,
                    "wave_position": int(position),
                    "mean": mean,
                    "ci_low": limits.low,
                    "ci_high": limits.high,
                    "n_people": part["employee_id"].nunique(),
                }
            )
    return pd.DataFrame(parts)
