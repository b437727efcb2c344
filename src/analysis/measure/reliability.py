"""How reliable the scores of a scale are, and how each item serves it; one common factor behind the items."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from analysis.measure.groups import LEVEL, NotEstimable, answered_in_full, by_wave, fisher_interval, levels_of
from analysis.plan.probability import f_quantile, normal_quantile

# --- one factor -------------------------------------------------------------------------------------------------------
# One common factor behind the items of a scale: its fit by maximum likelihood, and how errors pass into a function.

# A unique variance below this share of an item's variance is a boundary (Heywood) solution, as in R's factanal.
LEAST_UNIQUE = 0.005


@dataclass(frozen=True)
class OneFactor:
    """A fitted factor: `loadings` and `unique` variances, each of shape (items,), in the items' own units."""

    loadings: np.ndarray
    unique: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """The covariance that the model implies, shape (items, items)."""
        return np.outer(self.loadings, self.loadings) + np.diag(self.unique)


def fit_one_factor(covariance: np.ndarray) -> OneFactor:
    """Return the maximum-likelihood fit of one factor to a covariance matrix of at least three items.

    The loadings are profiled out: given the unique variances they are the first eigenvector of the scaled
    correlations. The sign is chosen so that the loadings sum to a positive number.

    Raises
    ------
    NotEstimable
        Items that are linear combinations of one another; fewer than three that share a factor; an item without
        variance of its own (a Heywood case).

    References
    ----------
    Jöreskog 1967, Psychometrika 32:443; Lawley & Maxwell 1971, Factor Analysis as a Statistical Method, 2nd ed.
    """
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    if np.linalg.eigvalsh(correlation)[0] < 1e-10:
        raise NotEstimable("An item is a combination of the others.")
    start = 0.5 / np.diag(np.linalg.inv(correlation))
    limits = [(LEAST_UNIQUE, 1.0)] * len(start)
    tight = {"ftol": 0.0, "gtol": 1e-10, "maxiter": 1000}
    found = scipy.optimize.minimize(
        _discrepancy, start, (correlation,), "L-BFGS-B", jac=True, bounds=limits, options=tight
    )
    unique, loadings = found.x, _loadings(found.x, correlation)
    if (unique <= LEAST_UNIQUE).any():
        raise NotEstimable("An item has no variance of its own in the one-factor model (a Heywood case).")
    # with fewer than three that share it, loadings and unique variances do not follow from the covariances
    if (np.abs(loadings) > 1e-6).sum() < 3:
        raise NotEstimable("Fewer than three items have a factor in common.")
    return OneFactor(loadings * scale * (np.sign(loadings.sum()) or 1.0), unique * scale**2)


def _scaled(unique: np.ndarray, correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.linalg.eigh(correlation / np.sqrt(np.outer(unique, unique)))


def _loadings(unique: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    values, vectors = _scaled(unique, correlation)
    return np.sqrt(unique) * vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0.0))


def _discrepancy(unique: np.ndarray, correlation: np.ndarray) -> tuple[float, np.ndarray]:
    """Return ln|Σ| + tr(SΣ⁻¹) − ln|S| − p at the best loadings, and its slope in the unique variances."""
    values, _ = _scaled(unique, correlation)
    loadings = _loadings(unique, correlation)
    rest = values[:-1] if values[-1] > 1 else values
    slope = (loadings**2 + unique - np.diag(correlation)) / unique**2
    return float((rest - np.log(rest) - 1).sum()), slope


def influence(fit: OneFactor, slope: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """Return what each row contributes to the error of a function of the fit, shape (rows,); its mean is 0.

    The square root of the summed squares, over the number of rows, is the standard error that does not rest on normal
    answers (the sandwich with the expected information; the delta method).

    Parameters
    ----------
    fit
        From the covariance of `deviations` (divided by the number of rows).
    slope
        Shape (2 · items,): derivatives in the loadings, then in the unique variances.
    deviations
        Shape (rows, items): answers less their mean.

    References
    ----------
    Browne 1984, British Journal of Mathematical and Statistical Psychology 37:62; Satorra & Bentler 1994, in von Eye &
    Clogg, Latent Variables Analysis, 399.
    """
    inverse = np.linalg.inv(fit.covariance)
    toward = np.linalg.solve(_information(fit, inverse), slope)
    by_loading, by_unique = np.split(toward, 2)
    moved = np.outer(by_loading, fit.loadings)
    middle = inverse @ (moved + moved.T + np.diag(by_unique)) @ inverse / 2
    quadratic = ((deviations @ middle) * deviations).sum(axis=1)
    return quadratic - quadratic.mean()


def _information(fit: OneFactor, inverse: np.ndarray) -> np.ndarray:
    """Return the expected information of one person, loadings first; element ½ tr(Σ⁻¹ ∂Σ Σ⁻¹ ∂Σ)."""
    along = inverse @ fit.loadings
    loadings = np.outer(along, along) + (fit.loadings @ along) * inverse
    mixed = inverse * along
    return np.block([[loadings, mixed], [mixed.T, inverse**2 / 2]])


# --- reliability ------------------------------------------------------------------------------------------------------
# How reliable the scores of a scale are, and how each item serves it.

# Feldt's F needs people, not many; three leave its smaller degrees of freedom at two.
MIN_PEOPLE = 3
COEFFICIENTS = {
    "alpha": ("alpha", "ci_low", "ci_high"),
    "omega": ("omega", "omega_low", "omega_high"),
    "spearman_brown": ("spearman_brown", "spearman_brown_low", "spearman_brown_high"),
}


def cronbach_alpha(items: np.ndarray, person: np.ndarray | None = None) -> tuple[float, float, float]:
    """Return Cronbach's alpha of complete answers with its interval.

    The interval is Feldt's, exact for normal answers that are equally correlated. Where several rows are about the
    same person it would be too short, so then errors are summed within persons (delta method on ln(1 − alpha)).

    Parameters
    ----------
    items
        Shape (rows, items), no missing values; at least two of each.
    person
        Shape (rows,): codes from 0 of whom each row is about; None where every row is another person's.

    Returns
    -------
    alpha, low, high

    References
    ----------
    Cronbach 1951, Psychometrika 16:297; Feldt, Woodruff & Salih 1987, Applied Psychological Measurement 11:93;
    Bonett 2002, Journal of Educational and Behavioral Statistics 27:335 (the logarithm);
    Maydeu-Olivares, Coffman & Hartmann 2007, Psychological Methods 12:157 (error without normality).
    """
    (n, k), alpha = items.shape, alpha_alone(items)
    if person is not None:
        return _on_log_of_error(alpha, _alpha_influence(items), person)
    tail = (1 - LEVEL) / 2
    df1, df2 = n - 1, (n - 1) * (k - 1)
    low = 1 - (1 - alpha) * f_quantile(1 - tail, df1, df2)
    high = 1 - (1 - alpha) * f_quantile(tail, df1, df2)
    return alpha, float(low), float(high)


def alpha_alone(items: np.ndarray) -> float:
    """Return Cronbach's alpha without its interval."""
    k = items.shape[1]
    return float(k / (k - 1) * (1 - items.var(axis=0, ddof=1).sum() / items.sum(axis=1).var(ddof=1)))


def _alpha_influence(items: np.ndarray) -> np.ndarray:
    """Return each row's part in the error of alpha: its derivative in the covariances times the row's products."""
    k, deviations = items.shape[1], items - items.mean(axis=0)
    own, total = (deviations**2).sum(axis=1), deviations.sum(axis=1) ** 2
    return k / (k - 1) * (own.mean() / total.mean() ** 2 * total - own / total.mean())


def _on_log_of_error(estimate: float, contribution: np.ndarray, person: np.ndarray) -> tuple[float, float, float]:
    """Return a reliability with limits that are symmetric in ln(1 − reliability), so that none passes 1."""
    std_error = np.sqrt((np.bincount(person, weights=contribution) ** 2).sum()) / len(person)
    half = normal_quantile((1 + LEVEL) / 2) * std_error / (1 - estimate)
    return float(estimate), float(1 - (1 - estimate) * np.exp(half)), float(1 - (1 - estimate) * np.exp(-half))


def mcdonald_omega(items: np.ndarray, person: np.ndarray) -> tuple[float, float, float]:
    """Return McDonald's omega (total): the share of the sum score's variance that one common factor makes.

    ω = (Σλ)² / ((Σλ)² + Σθ) from a one-factor maximum-likelihood fit, as lavaan has it. The interval is by the delta
    method on ln(1 − ω) and rests on neither normal answers nor one row a person; with fewer than about 50 people it
    is somewhat short.

    Parameters
    ----------
    items
        Shape (rows, items), no missing values.
    person
        Shape (rows,): codes from 0 of whom each row is about; errors are summed within.

    Returns
    -------
    omega, low, high

    Raises
    ------
    NotEstimable
        Fewer than three items; no more than two people an item (as many as the fit has parameters); see
        `fit_one_factor`.

    References
    ----------
    McDonald 1999, Test Theory: A Unified Treatment, ch. 6; Kelley & Pornprasertmanit 2016, Psychological Methods 21:69
    (intervals).
    """
    n, k = items.shape
    if k < 3:
        raise NotEstimable("Omega needs three items.")
    if person.max() + 1 <= 2 * k:
        raise NotEstimable("Omega needs more than two people for each item.")
    deviations = items - items.mean(axis=0)
    fit = fit_one_factor(deviations.T @ deviations / n)
    common, unique = fit.loadings.sum(), fit.unique.sum()
    variance = common**2 + unique
    slope = np.repeat([2 * common * unique, -(common**2)], k) / variance**2
    return _on_log_of_error(common**2 / variance, influence(fit, slope, deviations), person)


def spearman_brown(items: np.ndarray) -> tuple[float, float, float]:
    """Return the Spearman–Brown reliability 2r / (1 + r) of two items; its limits are those of r by Fisher's z.

    Rows are taken for different people.

    References
    ----------
    Spearman 1910, British Journal of Psychology 3:271; Brown 1910, the same 3:296; Eisinga, te Grotenhuis & Pelzer
    2013, International Journal of Public Health 58:637 (for scales of two items).
    """
    r = np.corrcoef(items, rowvar=False)[0, 1]
    estimate, low, high = (2 * x / (1 + x) for x in (r, *fisher_interval(r, len(items))))
    return float(estimate), float(low), float(high)


def reliability(items: pd.DataFrame) -> pd.DataFrame:
    """Return the reliability of a scale by wave (and rater source), from complete answers only.

    Parameters
    ----------
    items
        Answers right way round, one column an item, as from `scales.item_answers`. The first level of the index is
        the person whom the answers are about, a level is ``wave``, and with a level ``rater_role`` sources are kept
        apart. Items that nobody answered in a wave were not asked in it.

    Returns
    -------
    DataFrame
        One row per wave (and source): ``wave``, ``rater_role`` where it was in the index, ``n_people``, ``n_forms``
        (complete questionnaires, more than people where one is rated by several), ``n_items``, ``alpha, ci_low,
        ci_high``, ``omega, omega_low, omega_high``, ``spearman_brown, spearman_brown_low, spearman_brown_high`` (two
        items and one form a person), ``reason``: why a number is missing, else None. Intervals of 95 %.
    """
    rows = []
    for keys, group in by_wave(items):
        complete = answered_in_full(group)
        person = pd.factorize(complete.index.get_level_values(0))[0]
        sizes = {"n_people": len(np.unique(person)), "n_forms": len(complete), "n_items": complete.shape[1]}
        rows.append(keys | sizes | _coefficients(complete.to_numpy(dtype=float), person))
    counted = ["n_people", "n_forms", "n_items"]
    names = [name for columns in COEFFICIENTS.values() for name in columns]
    return pd.DataFrame(rows, columns=[*levels_of(items), *counted, *names, "reason"])


def _coefficients(items: np.ndarray, person: np.ndarray) -> dict:
    """Return every coefficient of one group by column name, and why the rest is missing."""
    reason = _why_not(items, person)
    if reason:
        return {"reason": reason}
    several = len(np.unique(person)) < len(person)
    found = dict(zip(COEFFICIENTS["alpha"], cronbach_alpha(items, person if several else None), strict=True))
    if items.shape[1] == 2 and not several:
        found |= dict(zip(COEFFICIENTS["spearman_brown"], spearman_brown(items), strict=True))
    try:
        found |= dict(zip(COEFFICIENTS["omega"], mcdonald_omega(items, person), strict=True))
    except NotEstimable as why:
        reason = str(why)
    return found | {"reason": reason}


def _why_not(items: np.ndarray, person: np.ndarray) -> str | None:
    """Return why nothing at all can be said of these answers; None where something can."""
    if items.shape[1] < 2:
        return "One item has no reliability."
    if len(np.unique(person)) < MIN_PEOPLE:
        return "Fewer than three people answered every item."
    if (np.ptp(items, axis=0) == 0).any():
        return "An item has the same answer from everybody."
    return "Everybody has the same score." if np.ptp(items.sum(axis=1)) == 0 else None


def item_statistics(items: pd.DataFrame) -> pd.DataFrame:
    """Return how each item serves its scale, by wave (and rater source), from complete answers only.

    Parameters
    ----------
    items
        As for `reliability`.

    Returns
    -------
    DataFrame
        One row per wave (and source) and item: ``wave``, ``rater_role`` where it was in the index, ``item``,
        ``n_people``, ``mean``, ``sd`` (n − 1), ``item_rest`` (correlation with the sum of the other items),
        ``alpha_if_dropped`` (missing where one item would be left), ``reason``.

    References
    ----------
    Nunnally & Bernstein 1994, Psychometric Theory, 3rd ed., ch. 8 (corrected item-total correlation).
    """
    parts = []
    for keys, group in by_wave(items):
        complete = answered_in_full(group)
        person = pd.factorize(complete.index.get_level_values(0))[0]
        reason = _why_not(complete.to_numpy(dtype=float), person)
        found = pd.DataFrame({"item": list(complete.columns)}) if reason else _items_of(complete)
        parts.append(found.assign(**keys, n_people=len(np.unique(person)), reason=reason))
    columns = [*levels_of(items), "item", "n_people", "mean", "sd", "item_rest", "alpha_if_dropped", "reason"]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns) if parts else pd.DataFrame(columns=columns)


def _items_of(complete: pd.DataFrame) -> pd.DataFrame:
    values = complete.to_numpy(dtype=float)
    covariance, k = np.cov(values, rowvar=False), values.shape[1]
    own, with_all = np.diag(covariance), covariance.sum(axis=0)
    rest = covariance.sum() - 2 * with_all + own
    # where the other items add up to a constant, neither number exists
    with np.errstate(divide="ignore", invalid="ignore"):
        item_rest = np.where(rest > 0, (with_all - own) / np.sqrt(own * rest), np.nan)
        dropped = np.where(rest > 0, (k - 1) / np.float64(k - 2) * (1 - (own.sum() - own) / rest), np.nan)
    return pd.DataFrame(
        {
            "item": complete.columns,
            "mean": values.mean(axis=0),
            "sd": np.sqrt(own),
            "item_rest": item_rest,
            "alpha_if_dropped": dropped if k > 2 else np.nan,
        }
    )
