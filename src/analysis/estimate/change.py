"""Does mentoring change a score? Baseline-adjusted differences in change (H2 to H7)."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.design.covariates import DesignMatrix
from analysis.design.panels import Panel
from analysis.design.propensity import att_weights
from analysis.estimate.event_study import overall
from analysis.estimate.inference import Interval, wald
from analysis.estimate.randomized_score import DrawnScores, randomized_score
from analysis.estimate.staggered import Stack, comparator_weights, effects, stacked


@dataclass(frozen=True)
class Adjusted:
    """The mean difference, treated minus what the comparators say would have happened to them.

    Attributes
    ----------
    interval
        In points of the scale.
    weights
        1 for the treated; comparators' weights, which sum to the treated in each cell; shape (rows,), the panel's.
    """

    interval: Interval
    weights: np.ndarray


@dataclass(frozen=True)
class Changed(Adjusted):
    """The doubly robust difference in change, and the stack of cells that it was made of.

    Attributes
    ----------
    stack, stack_weights
        The panel's rows first, below them those of the waves before the start where there are any.
    matrix
        Covariates of the panel's rows.
    """

    stack: Stack
    stack_weights: np.ndarray
    matrix: DesignMatrix


def did_change(panel: Panel, earlier: Panel | None, by_unit: bool) -> Changed:
    """Return the doubly robust difference-in-differences of the panel's change: `estimate.event_study.overall`.

    Scores before the start are not covariates: the change already removes the level, and conditioning on a noisy
    baseline as well would bring regression to the mean back in.

    Parameters
    ----------
    panel
        With a cell of both arms.
    earlier
        As from `design.panels.Panels.before`, for the waves before the start; it changes nothing but the scale of
        the covariates.
    """
    panels = (panel,) if earlier is None or earlier.rows.empty else (panel, earlier)
    stack, matrix = stacked(panels, by_unit)
    weights = comparator_weights(stack)
    found = overall(stack, weights).interval(0)
    n = len(panel.rows)
    own = replace(matrix, values=stack.terms[:n], raw=matrix.raw.iloc[:n])
    return Changed(found, weights[:n], stack, weights, own)


def regression_adjusted(
    y: np.ndarray,
    treated: np.ndarray,
    cell: np.ndarray,
    terms: np.ndarray,
    weights: np.ndarray,
    cluster: np.ndarray,
    by_unit: bool = False,
) -> Adjusted:
    """Return the treated's mean `y` minus their prediction from one weighted regression among the comparators.

    `estimate.staggered.effects` with slopes shared by all cells.

    Parameters
    ----------
    y, treated, cell, weights, cluster
        Shape (rows,). Every cell has rows of both arms.
    terms
        Covariates, shape (rows, terms); each cell has an intercept of its own.
    by_unit
        Whether clusters are units, which may be few, and not people.
    """
    together = np.ones(len(y), dtype=int)
    stack = Stack(y, treated, cell, together, terms, cluster, by_unit=by_unit)
    return Adjusted(effects(stack, weights, together - 1).interval(0), weights)


def itt_score(panel: Panel, rng: np.random.Generator) -> Adjusted:
    """Return the baseline-adjusted intention-to-treat difference in later scores under a lottery.

    Within a cell (stratum of the lots and wave) those offered are compared with those not; the score is regressed on
    the last score before the intake (a missing one: the mean, with an indicator). Interval and p-value are from
    re-drawn lots: `estimate.randomized_score`.
    """
    rows = panel.rows
    before = rows["before"].astype(float)
    terms = np.column_stack([before.fillna(before.mean()).fillna(0.0), before.isna()])
    terms = terms[:, terms.std(axis=0) > 0]
    y = rows["after"].to_numpy(dtype=float)
    weights = equal_weights(rows["is_treated"].to_numpy(dtype=bool), rows["cell"].to_numpy(dtype=int))
    return Adjusted(randomized_score(DrawnScores.of(rows, y, terms), rng), weights)


def equal_weights(treated: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return 1 for the treated and the same for every comparator of a cell, adding up to its treated, shape (rows,)."""
    return att_weights(np.zeros(len(treated)), treated, cell)


def naive_after(panel: Panel) -> Adjusted:
    """Return the plain difference in later scores, cell by cell: what a slide shows, level differences included."""
    rows = panel.rows
    treated, cell = rows["is_treated"].to_numpy(dtype=bool), rows["cell"].to_numpy(dtype=int)
    person = pd.factorize(rows["employee_id"])[0]
    nothing = np.zeros((len(rows), 0))
    return regression_adjusted(
        rows["after"].to_numpy(dtype=float), treated, cell, nothing, equal_weights(treated, cell), person
    )


def own_change(panel: Panel) -> Interval:
    """Return the treated's mean change and nothing beside it: what a before-and-after slide shows.

    Clustered by person, Student's t.
    """
    rows = panel.rows[panel.rows["is_treated"].astype(bool)].dropna(subset=["before", "after"])
    change = rows["after"] - rows["before"]
    by_person = (change - change.mean()).groupby(rows["employee_id"]).sum()
    n = len(by_person)
    std_error = np.sqrt(n / max(n - 1, 1) * np.sum(by_person**2)) / len(rows)
    return wald(float(change.mean()), float(std_error), df=max(n - 1, 1))


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
