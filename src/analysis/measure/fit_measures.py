"""How well a factor model fits: χ², CFI, RMSEA, SRMR."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from analysis.measure.factor_model import FactorFit
from analysis.measure.gaussian import Normal, Sample, independence, log_likelihood, saturated
from analysis.plan.distributions import chi2_tail, noncentral_chi2_share
from analysis.plan.known import known

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
        return float(optimize.brentq(gap, 0.0, top, xtol=1e-10))

    return [limit(1 - tail), limit(tail)]


def _srmr(model: Normal, free: Normal) -> float:
    """Return the root mean square of standardized residuals of covariances, variances and means; by observed spread."""
    spread = np.sqrt(np.diag(free.covariance))
    covariances = ((free.covariance - model.covariance) / np.outer(spread, spread))[np.tril_indices(len(spread))]
    means = (free.mean - model.mean) / spread
    return float(np.sqrt(np.mean(np.concatenate([covariances, means]) ** 2)))
