"""Confirmatory factor models with means, in one or several groups, by maximum likelihood, and how well they fit."""

from dataclasses import dataclass, fields

import numpy as np
import scipy

from analysis.measure.normal_models import Normal, Sample, expected_information, independence, log_likelihood, saturated
from analysis.plan.faults import known
from analysis.plan.probability import chi2_tail, noncentral_chi2_share

# --- factor model -----------------------------------------------------------------------------------------------------
# Confirmatory factor models with means, in one or several groups, by maximum likelihood.

# What one more step could add to twice the log-likelihood, so to χ²: nothing that anyone would see.
TOLERANCE = 1e-9
# Smallest eigenvalue of the information with a unit diagonal below which a parameter is undetermined.
FLAT = 1e-10
# A fall of the log-likelihood, as a share of it, that is no more than rounding.
ROUNDING = 1e-13
MAX_STEPS, MAX_HALVINGS = 200, 30
# Of an item's variance: the least that a starting value leaves to its residual.
LEAST_RESIDUAL = 0.2


@dataclass(frozen=True)
class Matrices:
    """What a factor model says of one group: mean = ν + Λα, covariance = ΛΨΛ' + Θ.

    The same five arrays hold values, or the numbers of the parameters that stand there.

    Attributes
    ----------
    loadings
        Λ, shape (variables, factors).
    factor_covariance
        Ψ, shape (factors, factors), symmetric.
    residual_covariance
        Θ, shape (variables, variables), symmetric.
    intercepts
        ν, shape (variables,).
    factor_means
        α, shape (factors,).
    """

    loadings: np.ndarray
    factor_covariance: np.ndarray
    residual_covariance: np.ndarray
    intercepts: np.ndarray
    factor_means: np.ndarray

    def flat(self) -> np.ndarray:
        """Return every cell, one matrix after the other."""
        return np.concatenate([getattr(self, field.name).ravel() for field in fields(self)])

    def like(self, flat: np.ndarray) -> "Matrices":
        """Return matrices of these shapes from what `flat` gives."""
        shapes = [getattr(self, field.name).shape for field in fields(self)]
        parts = np.split(flat, np.cumsum([np.prod(shape, dtype=int) for shape in shapes])[:-1])
        return Matrices(*(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))

    def implied(self) -> Normal:
        """Return the mean and covariance of the variables."""
        covariance = self.loadings @ self.factor_covariance @ self.loadings.T + self.residual_covariance
        return Normal(self.intercepts + self.loadings @ self.factor_means, covariance)


@dataclass(frozen=True)
class FactorModel:
    """A factor model in one or several groups; cells with the same parameter are equal, within and across groups.

    Attributes
    ----------
    parameters
        By group, the number of each cell's parameter, from 0 without gaps; −1 where the cell is fixed.
    fixed
        By group, the value of the fixed cells; the others are not looked at.
    """

    parameters: tuple[Matrices, ...]
    fixed: tuple[Matrices, ...]

    @property
    def n_parameters(self) -> int:
        return 1 + max(int(group.flat().max()) for group in self.parameters)

    def values(self, place: np.ndarray) -> tuple[Matrices, ...]:
        """Return the groups' matrices at parameters of shape (n_parameters,)."""
        numbers = [group.flat() for group in self.parameters]
        return tuple(
            fixed.like(np.where(number < 0, fixed.flat(), place[number]))
            for number, fixed in zip(numbers, self.fixed, strict=True)
        )

    def place(self, values: tuple[Matrices, ...]) -> np.ndarray:
        """Return the parameters nearest to matrices, shape (n_parameters,): the mean of the cells that share one."""
        numbers = np.concatenate([group.flat() for group in self.parameters])
        cells = np.concatenate([group.flat() for group in values])[numbers >= 0]
        numbers = numbers[numbers >= 0]
        return np.bincount(numbers, weights=cells) / np.bincount(numbers)


@dataclass(frozen=True)
class FactorFit:
    """The maximum of a factor model's likelihood, or, not converged, the place where the search ended.

    Attributes
    ----------
    model
        What was fitted.
    estimates
        By group.
    log_likelihood
        Sum over groups.
    converged
        Whether this is a maximum that determines every parameter.
    """

    model: FactorModel
    estimates: tuple[Matrices, ...]
    log_likelihood: float
    converged: bool

    @property
    def proper(self) -> bool:
        """Whether every group's residual and factor covariances could be covariances: none is negative definite."""
        parts = [part for group in self.estimates for part in (group.residual_covariance, group.factor_covariance)]
        return all(np.linalg.eigvalsh(part)[0] > 0 for part in parts)


@dataclass(frozen=True)
class _Derivatives:
    """Log-likelihood, its derivative by the parameters, and Fisher's information of them."""

    value: float
    score: np.ndarray
    information: np.ndarray


def fit_factor_model(model: FactorModel, samples: list[Sample], start: tuple[Matrices, ...]) -> FactorFit:
    """Return the maximum-likelihood fit by Fisher scoring.

    Each step solves the expected information given the pattern of missing answers and is halved until the likelihood
    rises. Variances are free to become negative, as in lavaan; `FactorFit.proper` says whether one did.

    Parameters
    ----------
    model
        The groups' matrices.
    samples
        One a group, in the model's order.
    start
        Values near which the search begins: `starting_values`, or another model's estimates.

    References
    ----------
    Jöreskog 1969, Psychometrika 34:183; several groups with means: Sörbom 1974, Br J Math Stat Psychol 27:229;
    scoring: Lee & Jennrich 1979, Psychometrika 44:99.
    """
    place = model.place(start)
    here = _derivatives(model, samples, place)
    if here is None:
        return FactorFit(model, model.values(place), -np.inf, False)
    for _ in range(MAX_STEPS):
        step = _solve(here)
        if step is None:
            break
        if here.score @ step < TOLERANCE:
            return FactorFit(model, model.values(place), here.value, True)
        for _ in range(MAX_HALVINGS):
            there = _derivatives(model, samples, place + step)
            if there and there.value >= here.value - ROUNDING * abs(here.value):
                break
            step = step / 2
        else:
            break
        place, here = place + step, there
    return FactorFit(model, model.values(place), here.value, False)


def score_statistic(model: FactorModel, samples: list[Sample], values: tuple[Matrices, ...]) -> float:
    """Return the score test (Lagrange multiplier, χ²) of `values`, the fit of a stricter model, against `model`.

    Its degrees of freedom are the parameters that `model` has more. NaN where the information is singular
    or a group's covariance is not positive definite.
    Rao 1948, Proc Camb Phil Soc 44:50; with the expected information, as lavaan's ``lavTestScore`` on complete data.
    """
    here = _derivatives(model, samples, model.place(values))
    step = None if here is None else _solve(here)
    return float("nan") if here is None or step is None else float(here.score @ step)


def starting_values(model: FactorModel, saturated: list[Normal]) -> tuple[Matrices, ...]:
    """Return rough values of every cell, from each group's unrestricted mean and covariance.

    Loadings are from the first component of a factor's items; factors have variance 1.
    """
    return tuple(_rough(number, normal) for number, normal in zip(model.parameters, saturated, strict=True))


def _rough(number: Matrices, normal: Normal) -> Matrices:
    spread = np.sqrt(np.diag(normal.covariance))
    loadings: np.ndarray = np.zeros(number.loadings.shape)
    for factor, free in enumerate(number.loadings.T >= 0):
        items, k = np.flatnonzero(free), free.sum()
        block = normal.covariance[np.ix_(items, items)] / np.outer(spread[items], spread[items])
        root, vector = (part[..., -1] for part in np.linalg.eigh(block))
        # With equal correlations r the first root is 1 + (k − 1)r and a standardized loading is √r.
        standardized = vector * np.sign(vector.sum()) * np.sqrt(k * (root - 1) / max(k - 1, 1))
        loadings[items, factor] = standardized.clip(-0.9, 0.9) * spread[items]
    scale = (loadings**2).sum(axis=0)
    factor_covariance = (loadings.T @ normal.covariance @ loadings / np.outer(scale, scale)).clip(-0.7, 0.7)
    np.fill_diagonal(factor_covariance, 1.0)
    explained = np.diag(loadings @ factor_covariance @ loadings.T)
    residual = np.diag(np.maximum(spread**2 - explained, LEAST_RESIDUAL * spread**2))
    return Matrices(loadings, factor_covariance, residual, normal.mean, np.zeros(loadings.shape[1]))


def _derivatives(model: FactorModel, samples: list[Sample], place: np.ndarray) -> _Derivatives | None:
    """Return value, score and information, summed over groups; None where a covariance is not positive definite."""
    value, score = 0.0, np.zeros(len(place))
    information = np.zeros((len(place), len(place)))
    for number, values, sample in zip(model.parameters, model.values(place), samples, strict=True):
        found = log_likelihood(sample, values.implied())
        if found is None:
            return None
        by_mean, by_covariance = _jacobian(number, values, len(place))
        of_mean, of_covariance = expected_information(sample, found.precision)
        value += found.value
        score += by_mean @ found.by_mean + by_covariance @ found.by_covariance.ravel()
        information += by_mean @ of_mean @ by_mean.T + by_covariance @ of_covariance @ by_covariance.T
    return _Derivatives(value, score, information)


def _jacobian(number: Matrices, values: Matrices, n_parameters: int) -> tuple[np.ndarray, np.ndarray]:
    """Return one group's derivatives of the mean, (parameters, p), and of the covariance's cells, (parameters, p²)."""
    p = len(values.intercepts)
    unit = np.eye(p)
    by_mean, by_covariance = np.zeros((n_parameters, p)), np.zeros((n_parameters, p, p))

    def add(total: np.ndarray, numbers: np.ndarray, cells: tuple[np.ndarray, ...], slopes: np.ndarray) -> None:
        np.add.at(total, numbers[cells], slopes)

    item, factor = cells = np.nonzero(number.loadings >= 0)
    loaded = (values.loadings @ values.factor_covariance).T[factor]
    outer = unit[item][:, :, None] * loaded[:, None, :]
    add(by_covariance, number.loadings, cells, outer + outer.transpose(0, 2, 1))
    add(by_mean, number.loadings, cells, unit[item] * values.factor_means[factor][:, None])
    for numbers, columns in ((number.factor_covariance, values.loadings.T), (number.residual_covariance, unit)):
        row, column = cells = np.nonzero(numbers >= 0)
        add(by_covariance, numbers, cells, columns[row][:, :, None] * columns[column][:, None, :])
    for numbers, columns in ((number.intercepts, unit), (number.factor_means, values.loadings.T)):
        cells = np.nonzero(numbers >= 0)
        add(by_mean, numbers, cells, columns[cells[0]])
    return by_mean, by_covariance.reshape(n_parameters, p * p)


def _solve(here: _Derivatives) -> np.ndarray | None:
    """Return Fisher's step, or None where the information is singular; parameters are in units of their own error."""
    scale = np.sqrt(np.diag(here.information))
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        return None
    roots, vectors = np.linalg.eigh(here.information / np.outer(scale, scale))
    if roots[0] < FLAT:
        return None
    return vectors @ ((vectors.T @ (here.score / scale)) / roots) / scale


# --- fit measures -----------------------------------------------------------------------------------------------------
# How well a factor model fits: χ², CFI, RMSEA, SRMR.

# Coverage of RMSEA's interval, as usual.
LEVEL = 0.90


@dataclass(frozen=True)
class Reference:
    """What every factor model of the same samples is measured by.

    Attributes
    ----------
    saturated
        Each group's unrestricted mean and covariance.
    log_likelihood
        Of the saturated model, summed over groups.
    baseline_chi2, baseline_df
        Of uncorrelated variables with free means and variances against the saturated model.
    """

    saturated: list[Normal]
    log_likelihood: float
    baseline_chi2: float
    baseline_df: int


@dataclass(frozen=True)
class FitMeasures:
    """As lavaan gives them by default for ``estimator = "ML"``, also with several groups and with ``missing = "fiml"``.

    Attributes
    ----------
    chi2, df, p
        Likelihood ratio test against the saturated model; p is NaN without degrees of freedom.
    cfi
        Comparative fit index: Bentler 1990, Psychol Bull 107:238; baseline: uncorrelated variables.
    rmsea, rmsea_low, rmsea_high
        Root mean square error of approximation with its 90 % interval (Steiger & Lind 1980; Browne & Cudeck 1993, in
        Bollen & Long (eds), Testing Structural Equation Models, p. 136), times √groups (Steiger 1998, Struct Equ
        Modeling 5:411).
    srmr
        Standardized root mean square residual of covariances and means: Bentler 1995, EQS Manual; groups averaged by
        their people.
    log_likelihood
        Of the model.
    n_people
        In all groups, with at least one answer.
    """

    chi2: float
    df: int
    p: float
    cfi: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmr: float
    log_likelihood: float
    n_people: int


def reference(samples: list[Sample]) -> Reference | None:
    """Return the saturated and the independence model of each group; None where a group has no saturated fit."""
    normals = [normal for normal in map(saturated, samples) if normal is not None]
    if len(normals) < len(samples):
        return None
    free = sum(known(log_likelihood(*pair)).value for pair in zip(samples, normals, strict=True))
    apart = sum(known(log_likelihood(sample, independence(sample))).value for sample in samples)
    df = sum(sample.n_variables * (sample.n_variables - 1) // 2 for sample in samples)
    return Reference(normals, free, max(2 * (free - apart), 0.0), df)


def fit_measures(fit: FactorFit, samples: list[Sample], to: Reference) -> FitMeasures:
    """Return the fit measures of a converged model.

    Notes
    -----
    Degrees of freedom are the means, variances and covariances of all groups less the parameters. Across waves the
    baseline is lavaan's as well, though it is not nested in models with equal means (Widaman & Thompson 2003, Psychol
    Methods 8:16).
    """
    moments = sum(sample.n_variables * (sample.n_variables + 3) // 2 for sample in samples)
    n, df = sum(sample.n_people for sample in samples), moments - fit.model.n_parameters
    chi2 = max(2 * (to.log_likelihood - fit.log_likelihood), 0.0)
    worst = max(chi2 - df, to.baseline_chi2 - to.baseline_df, 0.0)
    cfi = 1 - max(chi2 - df, 0.0) / worst if worst > 0 else 1.0
    beyond = (chi2 - df, *_noncentrality(chi2, df))
    rmsea, low, high = (_rmsea(more, df, n, len(samples)) for more in beyond)
    shares = [sample.n_people / n for sample in samples]
    residuals = [_srmr(group.implied(), free) for group, free in zip(fit.estimates, to.saturated, strict=True)]
    p = float(chi2_tail(chi2, df)) if df else float("nan")
    srmr = float(np.dot(shares, residuals))
    return FitMeasures(chi2, df, p, cfi, rmsea, low, high, srmr, fit.log_likelihood, n)


def _rmsea(noncentrality: float, df: int, n: int, n_groups: int) -> float:
    return float(np.sqrt(max(noncentrality, 0.0) / (n * df) * n_groups)) if df else 0.0


def _noncentrality(chi2: float, df: int) -> list[float]:
    """Return the interval of the noncentrality that makes `chi2` neither too small nor too large."""
    if df == 0:
        return [0.0, 0.0]
    tail = (1 - LEVEL) / 2

    def limit(probability: float) -> float:
        def gap(noncentrality: float) -> float:
            return float(noncentral_chi2_share(chi2, df, noncentrality)) - probability

        if gap(0.0) <= 0:
            return 0.0
        top = max(chi2, 1.0)
        while gap(top) > 0:
            top *= 2
        return float(scipy.optimize.brentq(gap, 0.0, top, xtol=1e-10))

    return [limit(1 - tail), limit(tail)]


def _srmr(model: Normal, free: Normal) -> float:
    """Return the root mean square of standardized residuals of covariances, variances and means; by observed spread."""
    spread = np.sqrt(np.diag(free.covariance))
    covariances = ((free.covariance - model.covariance) / np.outer(spread, spread))[np.tril_indices(len(spread))]
    means = (free.mean - model.mean) / spread
    return float(np.sqrt(np.mean(np.concatenate([covariances, means]) ** 2)))
