"""Staggered starts: doubly robust effects from stacked cells, averaged over any sets of treated rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.covariates import DesignMatrix, design_matrix
from analysis.design.panels import Panel
from analysis.design.propensity import att_weights, fit_propensity
from analysis.estimate.inference import Interval, cluster_sums, wald

# A comparator who alone decides a fitted value has no residual to enlarge.
LEAST_FREEDOM = 0.2


def not_adjusted_for(by_unit: bool) -> tuple[str, ...]:
    """Return the covariates that are left out, `by_unit` in a rollout.

    Its schedule decides by department who is reached; the others vary with the level, or are consequences of it.
    """
    return (*(("department",) if by_unit else ()), "log_salary", "team_size", "job_family")


@dataclass(frozen=True)
class Stack:
    """Cells one below the other: in each, those who start in one interval, and those who had not started by its end.

    Attributes
    ----------
    y
        Score at the cell's wave less the score at its base, the last wave before the start; shape (rows,).
    treated, cell
        Shape (rows,).
    position
        The cell's wave counted from its base: 1 = first wave after the start, −1 = the wave before the base.
    terms
        Standardized covariates, shape (rows, terms).
    cluster
        Who is counted together, as codes, shape (rows,).
    """

    y: np.ndarray
    treated: np.ndarray
    cell: np.ndarray
    position: np.ndarray
    terms: np.ndarray
    cluster: np.ndarray


@dataclass(frozen=True)
class Effects:
    """Mean effects in sets of treated rows.

    Attributes
    ----------
    estimates
        In points of the scale, shape (sets,).
    influence
        What each cluster adds to each of them, shape (sets, clusters).
    n_rows, n_clusters
        Treated rows and clusters with treated rows, shape (sets,).
    """

    estimates: np.ndarray
    influence: np.ndarray
    n_rows: np.ndarray
    n_clusters: np.ndarray

    @property
    def df(self) -> np.ndarray:
        """Student's degrees of freedom: clusters with treated rows, less one."""
        return np.maximum(self.n_clusters - 1, 1)

    @property
    def covariance(self) -> np.ndarray:
        """Return the covariance of the estimates, clusters / (clusters − 1) included, shape (sets, sets)."""
        scaled = self.influence * np.sqrt(self.n_clusters / self.df)[:, None]
        return scaled @ scaled.T

    def interval(self, i: int) -> Interval:
        """Return the estimate of the set `i` with Student's interval."""
        return wald(self.estimates[i], np.sqrt(self.covariance[i, i]), df=self.df[i])


def stacked(panels: tuple[Panel, ...], by_unit: bool) -> tuple[Stack, DesignMatrix]:
    """Return the rows of panels of one program and role as one stack, and their covariates.

    Parameters
    ----------
    panels
        Of waves after the start, and of waves before it (`design.panels.build_earlier_panel`) where they are wanted.
    by_unit
        Count units together, not people, and leave the unit out of the covariates: the schedule of a rollout.
    """
    offsets = np.cumsum([0, *(panel.rows["cell"].max() + 1 for panel in panels[:-1])])
    rows = pd.concat(
        [panel.rows.assign(cell=panel.rows["cell"] + n) for panel, n in zip(panels, offsets, strict=True)],
        ignore_index=True,
    )
    treated, position = rows["is_treated"].to_numpy(dtype=bool), rows["wave_position"].to_numpy(dtype=int)
    covariates = pd.concat([panel.covariates for panel in panels], ignore_index=True)
    matrix = design_matrix(covariates, treated, not_adjusted_for(by_unit))
    change = (rows["after"] - rows["before"]).to_numpy(dtype=float)
    cluster = rows["unit"].fillna("none") if by_unit else rows["employee_id"]
    return Stack(
        np.where(position > 0, change, -change),
        treated,
        rows["cell"].to_numpy(dtype=int),
        position,
        matrix.values,
        pd.factorize(cluster)[0],
    ), matrix


def comparator_weights(stack: Stack) -> np.ndarray:
    """Return ATT weights, shape (rows,): 1 for the treated; for comparators the odds of starting.

    One propensity model for each position, over all its cells; in each cell the weights sum to its treated rows.
    """
    weights = np.ones(len(stack.y))
    for rows, cell in _by_position(stack):
        treated = stack.treated[rows]
        propensity = fit_propensity(stack.terms[rows], treated, cell)
        weights[rows] = att_weights(propensity.linear, treated, cell)
    return weights


def _by_position(stack: Stack):
    """Yield the rows of each position, and their cells numbered from zero."""
    for position in np.unique(stack.position):
        rows = np.flatnonzero(stack.position == position)
        yield rows, np.unique(stack.cell[rows], return_inverse=True)[1]


def effects(stack: Stack, weights: np.ndarray, sets: np.ndarray) -> Effects:
    """Return doubly robust group-time effects, averaged over sets of treated rows.

    The effects of Callaway & Sant'Anna 2021 (J Econometrics 225:200), with who had not started yet or never did as
    comparators and the last wave before the start as base. A company's cells are too small to carry a model each:
    regressions are pooled over the cells of a position, with an intercept for each cell. Right if either the
    regression or the propensity is (Sant'Anna & Zhao 2020, J Econometrics 219:101). Positions are not pooled: what a
    covariate adds to a trend grows with time.

    Every cell has rows of both arms.

    Parameters
    ----------
    weights
        As from `comparator_weights`, shape (rows,).
    sets
        The set of each treated row, as codes 0, 1, … with none skipped, −1 for no set; comparators' are not read;
        shape (rows,). Cells give group-time effects, positions an event study, all alike the overall effect.

    Notes
    -----
    A set weights its cells by their treated rows, and that these are a sample is part of the influence. So is that
    regressions are estimated; comparators' weights are taken as known. Comparators' residuals are
    divided by one minus their leverage, as in HC3 (MacKinnon & White 1985, J Econometrics 29:305).
    """
    treated = np.flatnonzero(stack.treated & (sets >= 0))
    codes = sets[treated]
    n = np.bincount(codes)
    means = np.zeros((len(n), len(stack.y)))
    means[codes, treated] = 1 / n[codes]
    residual, influence = _against_comparators(stack, weights, means)
    estimates = np.bincount(codes, weights=residual[treated]) / n
    influence[codes, treated] = (residual[treated] - estimates[codes]) / n[codes]
    people = pd.DataFrame({"set": codes, "cluster": stack.cluster[treated]}).drop_duplicates()
    return Effects(
        estimates, cluster_sums(influence, stack.cluster, stack.cluster.max() + 1), n, np.bincount(people["set"])
    )


def _against_comparators(stack: Stack, weights: np.ndarray, combinations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row less its prediction from the comparators, shape (rows,), and what the prediction adds.

    The latter is the comparators' influence on each linear combination of the treated's residuals; the treated's own
    is left zero; combinations and influence of shape (combinations, rows).
    """
    influence, residual = np.zeros_like(combinations), np.zeros(len(stack.y))
    for rows, cell in _by_position(stack):
        x = np.column_stack([np.eye(cell.max() + 1)[cell], stack.terms[rows]])
        control = ~stack.treated[rows]
        fitted = _Regression.of(x[control], stack.y[rows][control], weights[rows][control])
        residual[rows] = stack.y[rows] - x @ fitted.coefficients
        influence[:, rows[control]] = -(combinations[:, rows] @ x) @ fitted.influence
    return residual, influence


def effect_slope(stack: Stack, weights: np.ndarray, value: np.ndarray) -> Interval | None:
    """Return by how many points the effect after the start rises with one unit of `value`, shape (rows,).

    Least squares of the treated's effects (what `effects` averages) on the value, with a level for each position:
    later waves may have more of the effect and more of the value. Rows without a value are left out; comparators' are
    not read. None with fewer than three clusters, or where the value does not vary.
    """
    chosen = np.flatnonzero(stack.treated & (stack.position > 0) & ~np.isnan(value))
    position = np.unique(stack.position[chosen], return_inverse=True)[1]
    centred = _within(value[chosen], position)
    people = np.unique(stack.cluster[chosen])
    if len(people) < 3 or (centred**2).sum() < 1e-9:
        return None
    slopes = np.zeros((1, len(stack.y)))
    slopes[0, chosen] = centred / (centred**2).sum()
    residual, influence = _against_comparators(stack, weights, slopes)
    estimate = slopes[0, chosen] @ residual[chosen]
    influence[0, chosen] = slopes[0, chosen] * (_within(residual[chosen], position) - estimate * centred)
    summed = cluster_sums(influence, stack.cluster, stack.cluster.max() + 1)
    df = len(people) - 2
    return wald(estimate, np.sqrt(len(people) / df * np.sum(summed**2)), df=df)


def _within(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the values less their mean in each group."""
    return values - (np.bincount(group, weights=values) / np.bincount(group))[group]


@dataclass(frozen=True)
class _Regression:
    """A weighted regression: coefficients, shape (terms,), and what each row adds to them, shape (terms, rows)."""

    coefficients: np.ndarray
    influence: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> "_Regression":
        xw = x * weights[:, None]
        solved = np.linalg.pinv(xw.T @ x) @ xw.T
        coefficients = solved @ y
        leverage = np.sum(solved.T * x, axis=1)
        return cls(coefficients, solved * ((y - x @ coefficients) / (1 - leverage).clip(LEAST_FREEDOM)))
