"""One common factor behind the items of a scale: its fit by maximum likelihood, and how errors pass into a function."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from analysis.measure.groups import NotEstimable

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
    found = minimize(_discrepancy, start, (correlation,), "L-BFGS-B", jac=True, bounds=limits, options=tight)
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
