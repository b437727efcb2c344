"""The effect on a scale by other models than the main one: what another analyst would have fitted.

None of them decides. Each has an assumption the main estimate does without, and they differ in which; where all agree,
the answer does not hang on the model.
"""

import numpy as np
import pandas as pd
import scipy

from analysis.design.panels import Panel
from analysis.estimate.change import regression_adjusted
from analysis.estimate.inference import Interval, cluster_sums, wald, wald_on_log
from analysis.estimate.ordinal import proportional_odds
from analysis.measure.groups import NotEstimable
from analysis.measure.normal_models import fit_mixed

# A column that the others tell but for this share of its length adds nothing.
DEPENDENT = 1e-8
# Standard error of a log odds ratio beyond which there is no finite estimate: one arm's answers are all at one end.
NO_FINITE_ESTIMATE = 10.0


def mixed_change(panel: Panel, terms: np.ndarray, manager: np.ndarray | None, by_unit: bool = False) -> Interval | None:
    """Return the arms' difference in change from a linear mixed model, in points.

    Change (after − before) on arm, an intercept for each cell and `terms`, with random intercepts for the person, where
    somebody has several rows, and for the manager, by REML (`measure.normal_models`). Nothing is weighted: where
    effects differ between people, this is an average that counts more where both arms are mixed and rows are many, not
    the mean over those who started. Right only if the covariates' part is linear and the same in both arms.

    Parameters
    ----------
    terms
        Covariates, shape (rows, terms); may depend on each other.
    manager
        Who the row's person reports to, any labels, shape (rows,); missing: nobody shares the manager. None where
        managers are not known.
    by_unit
        Whole units were reached in turn (`rows["unit"]`): they have a random intercept too, and are what is counted.

    Notes
    -----
    The standard error is the model's own; Student's t with one degree of freedom less than the people (units) with
    treated rows.
    """
    rows = panel.rows
    return _mixed(rows, (rows["after"] - rows["before"]).to_numpy(dtype=float), terms, manager, by_unit)


def mixed_score(panel: Panel, terms: np.ndarray, manager: np.ndarray | None, by_unit: bool = False) -> Interval | None:
    """Return the same as `mixed_change` for the later score, the earlier one being a covariate: for a lottery.

    A missing earlier score becomes the mean, with an indicator, as in `estimate.change.itt_score`.
    """
    adjusted = np.column_stack([_earlier(panel.rows), terms])
    return _mixed(panel.rows, panel.rows["after"].to_numpy(dtype=float), adjusted, manager, by_unit)


def _mixed(
    rows: pd.DataFrame, y: np.ndarray, terms: np.ndarray, manager: np.ndarray | None, by_unit: bool
) -> Interval | None:
    if rows.empty:
        return None
    x = _arm_first(rows, np.column_stack([_cells(rows), terms]))
    factors = _factors(rows, manager, by_unit)
    if x is None or not factors:
        return None
    try:
        fit = fit_mixed(y, x, factors)
    except NotEstimable:
        return None
    if not fit.converged:
        return None
    return wald(fit.coefficients[0], np.sqrt(fit.covariance[0, 0]), df=_df(rows, by_unit))


def _factors(rows: pd.DataFrame, manager: np.ndarray | None, by_unit: bool) -> list[np.ndarray]:
    """Return the codes of people, managers and units, without those that tell the same rows apart as another one."""
    person = pd.factorize(rows["employee_id"])[0]
    candidates = [person]
    if manager is not None:
        known = pd.factorize(np.asarray(manager, dtype=object))[0]
        candidates.append(np.unique(np.where(known < 0, known.max() + 1 + person, known), return_inverse=True)[1])
    candidates += [pd.factorize(rows["unit"].fillna("none"))[0]] if by_unit else []
    found: list[np.ndarray] = []
    for codes in candidates:
        same = any(len(np.unique(np.column_stack([codes, f]), axis=0)) == codes.max() + 1 == f.max() + 1 for f in found)
        if 1 <= codes.max() < len(rows) - 1 and not same:
            found.append(codes)
    return found


def ordinal_odds_ratio(panel: Panel, terms: np.ndarray, by_unit: bool = False) -> Interval | None:
    """Return the odds ratio of a higher later answer, for a scale of a single item.

    Cumulative logit of the later answer (`estimate.ordinal`) on arm, cell, the earlier answer and `terms`. The earlier
    answer is linear (missing: the mean, with an indicator), since options that few have ticked would otherwise leave
    it without a finite estimate. The standard error, of the logarithm, sums scores within persons (units), times
    G/(G − 1); Student's t with one degree of freedom less than the people (units) with treated rows.

    None where all answer alike, there is one arm, or an arm's answers are all at one end of the others'.

    Notes
    -----
    It is assumed that the odds ratio is the same at each step of the scale, and that people of the same earlier answer
    would have answered alike (see `ancova_change`). Given covariates an odds ratio is farther from 1 than without them,
    so that it is not comparable with that of another set (Greenland, Robins & Pearl 1999, Statistical Science 14:29).
    """
    rows = panel.rows
    if rows.empty:
        return None
    nuisance = np.column_stack([_cells(rows)[:, 1:], _earlier(rows), terms])
    x = _arm_first(rows, nuisance - nuisance.mean(axis=0))
    fit = None if x is None else proportional_odds(rows["after"].to_numpy(dtype=float), x)
    if fit is None or not np.sqrt(fit.covariance[0, 0]) < NO_FINITE_ESTIMATE:
        return None
    cluster = _cluster(rows, by_unit)
    n = cluster.max() + 1
    if n < 2:
        return None
    summed = cluster_sums(fit.influence[0], cluster, n)
    return wald_on_log(fit.coefficients[0], np.sqrt(n / (n - 1) * summed @ summed), df=_df(rows, by_unit))


def ancova_change(panel: Panel, terms: np.ndarray, weights: np.ndarray, by_unit: bool = False) -> Interval:
    """Return the treated's mean later score less their prediction from earlier score and `terms`, in points.

    As `estimate.change.regression_adjusted`, with the earlier score among the covariates, pooled over the cells.

    Parameters
    ----------
    terms
        Shape (rows, terms).
    weights
        1 for the treated; comparators', shape (rows,).
    by_unit
        Whole units were reached in turn and are counted together, not people.

    Notes
    -----
    A cross-check only, unless lots were drawn. Difference-in-differences assumes that without the program both arms
    would have changed as much; this assumes that people of the same earlier score and covariates would have scored the
    same later, whatever their arm. Where the arms' true levels differ for reasons that last and are not among the
    covariates, the two cannot both hold (Lord 1967, Psychological Bulletin 68:304). An earlier score is measured with
    error, so that among people with the same one those from the higher arm are in truth higher: they fall back less
    towards the common mean than is predicted, and the difference that remains looks like an effect, of the sign of
    the difference before the start. Difference-in-differences has no such error, but takes recovery for an effect
    where people start because their measured score was low, for which this adjusts (Angrist & Pischke 2009, Mostly
    Harmless Econometrics, 5.4; Ding & Li 2019, Political Analysis 27:605: each is right under its own assumption, and
    the two differ in a known direction).
    """
    rows = panel.rows
    treated, cell = rows["is_treated"].to_numpy(dtype=bool), pd.factorize(rows["cell"])[0]
    adjusted = regression_adjusted(
        rows["after"].to_numpy(dtype=float),
        treated,
        cell,
        np.column_stack([terms, _earlier(rows)]),
        weights,
        _cluster(rows, by_unit),
        by_unit,
    )
    return adjusted.interval


def _earlier(rows: pd.DataFrame) -> np.ndarray:
    """Return the earlier score, a missing one being the mean, and where it was missing; what does not vary is out."""
    before = rows["before"].astype(float)
    columns = np.column_stack([before.fillna(before.mean()).fillna(0.0), before.isna()]).astype(float)
    return columns[:, columns.std(axis=0) > 0]


def _cells(rows: pd.DataFrame) -> np.ndarray:
    codes = pd.factorize(rows["cell"])[0]
    return np.eye(codes.max() + 1)[codes]


def _cluster(rows: pd.DataFrame, by_unit: bool) -> np.ndarray:
    return pd.factorize(rows["unit"].fillna("none") if by_unit else rows["employee_id"])[0]


def _df(rows: pd.DataFrame, by_unit: bool) -> int:
    """Return one less than the people with treated rows; of units, than those of the arm that has fewer."""
    counted, treated = _cluster(rows, by_unit), rows["is_treated"].to_numpy(dtype=bool)
    arms = (treated, ~treated) if by_unit else (treated,)
    return max(min(len(np.unique(counted[arm])) for arm in arms) - 1, 1)


def _arm_first(rows: pd.DataFrame, others: np.ndarray) -> np.ndarray | None:
    """Return the arm, centred, and the columns of `others` that do not follow from the rest; None where the arm does.

    Centring the arm changes no coefficient of interest: cells, or thresholds, take in the constant.
    """
    arm = rows["is_treated"].to_numpy(dtype=float)
    arm = arm - arm.mean()
    others = others / np.linalg.norm(others, axis=0).clip(np.finfo(float).tiny)
    q, r, order = scipy.linalg.qr(others, mode="economic", pivoting=True)
    rank = int((np.abs(np.diag(r)) > DEPENDENT).sum())
    left_over = arm - q[:, :rank] @ (q[:, :rank].T @ arm)
    if np.linalg.norm(left_over) <= DEPENDENT * np.sqrt(len(arm)):
        return None
    return np.column_stack([arm, others[:, np.sort(order[:rank])]])
