"""Random-effects meta-analysis and meta-regression of effects that are known with their standard errors.

statsmodels (`combine_effects`) has no REML, no limits of the between-company variance and no meta-regression, so the
few formulas stand here; they equal metafor's (``tests/fixtures``). With V = diag(v + τ²), W = V⁻¹ and
P = W − WX(X'WX)⁻¹X'W everything needs sums over the companies alone, so that ten thousand of them are no matrix.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy

from analysis.plan.probability import chi2_quantile, chi2_tail, f_tail, normal_tail, student_quantile, student_tail

Method = Literal["reml", "paule_mandel"]
LEVEL = 0.95
# Fisher scoring ends where τ² moves by less than this, in parts of the typical variance of an effect.
SETTLED, MOST_STEPS = 1e-13, 1000
# The confidence distribution of τ² is taken at so many values, down and up to confidences of nearly nought and one.
N_SPREADS, LEAST_CONFIDENCE = 400, 1e-6


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A fitted model; variances are on the squared scale of the effects.

    Attributes
    ----------
    coefficients, covariance
        Shapes (p,) and (p, p); the covariance is Hartung & Knapp's, never below the classical one.
    df
        Degrees of freedom of Student's t: k − p.
    tau2, tau2_limits
        Between-company variance and its Q-profile interval (Viechtbauer 2007, Stat Med 26:37).
    i2, i2_limits
        Share of the variance of the effects that is between companies (Higgins & Thompson 2002, Stat Med 21:1539).
    q, q_p
        Cochran's Q and its p-value.
    inflation
        Hartung & Knapp's factor of the variance before the guard; below 1 the guard takes 1.
    weights
        Shape (k,): what each company adds to the answer, summing to one.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    df: int
    tau2: float
    tau2_limits: tuple[float, float]
    i2: float
    i2_limits: tuple[float, float]
    q: float
    q_p: float
    inflation: float
    weights: np.ndarray

    @property
    def mean(self) -> float:
        """The first coefficient: the mean effect, where there is no moderator."""
        return float(self.coefficients[0])

    @property
    def std_error(self) -> float:
        """The standard error of the mean."""
        return float(np.sqrt(self.covariance[0, 0]))

    @property
    def limits(self) -> tuple[float, float]:
        """The 95 % interval of the mean, by Student's t with k − p degrees of freedom."""
        return self.at(self._first)[2]

    @property
    def p_value(self) -> float:
        """Two-sided p-value of a mean of zero."""
        return self.at(self._first)[3]

    @property
    def _first(self) -> np.ndarray:
        return np.eye(len(self.coefficients))[0]

    @property
    def plug_in_prediction(self) -> tuple[float, float] | None:
        """Where the true effect of one more company lies, τ² taken for known; None with fewer than three companies.

        Student's t with k − 2 degrees of freedom (Higgins, Thompson & Spiegelhalter 2009, J R Stat Soc A 172:137). In
        small networks it holds that effect too seldom; `prediction_limits` does not.
        """
        if self.df < 2:
            return None
        half = student_quantile((1 + LEVEL) / 2, self.df - 1) * np.sqrt(self.tau2 + self.covariance[0, 0])
        return self.mean - float(half), self.mean + float(half)

    def at(self, values: np.ndarray) -> tuple[float, float, tuple[float, float], float]:
        """Return the effect at values of the design's columns: estimate, standard error, 95 % interval, p-value."""
        estimate, error = float(values @ self.coefficients), float(np.sqrt(values @ self.covariance @ values))
        half = float(student_quantile((1 + LEVEL) / 2, self.df)) * error
        return (
            estimate,
            error,
            (estimate - half, estimate + half),
            float(2 * student_tail(abs(estimate) / error, self.df)),
        )

    @property
    def moderator_p(self) -> float:
        """P-value of no difference by the moderators: an F test of all coefficients but the first."""
        b, c = self.coefficients[1:], self.covariance[1:, 1:]
        return float(f_tail(b @ np.linalg.solve(c, b) / len(b), len(b), self.df))


def fit(effects: np.ndarray, errors: np.ndarray, design: np.ndarray | None = None, method: Method = "reml") -> Fit:
    """Return a random-effects model of effects with known standard errors.

    The variance is Hartung & Knapp's (2001, Stat Med 20:3875) with the guard of Knapp & Hartung (2003, Stat Med
    22:2693): the factor is at least 1, so that the interval is never narrower than the classical one, nor than that of
    one common effect (Röver, Knapp & Friede 2015, BMC Med Res Methodol 15:99).

    Parameters
    ----------
    effects, errors
        Shape (k,), one entry a company; errors above zero.
    design
        Shape (k, p), the first column ones; the mean alone where it is not given.
    method
        How τ² is estimated: restricted maximum likelihood (Viechtbauer 2005, J Educ Behav Stat 30:261) or Paule and
        Mandel (1982, J Res Natl Bur Stand 87:377).

    Raises
    ------
    ValueError
        Not one company more than coefficients, or an error that is not above zero.
    """
    y, v = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float) ** 2
    x = np.ones((len(y), 1)) if design is None else np.asarray(design, dtype=float)
    df = len(y) - x.shape[1]
    if df < 1 or not (v > 0).all():
        raise ValueError("a model needs more companies than coefficients, and standard errors above zero")
    tau2 = {"reml": _reml, "paule_mandel": _paule_mandel}[method](y, v, x)
    at = _At(y, v, x, tau2)
    fixed = _At(y, v, x, 0.0)
    typical = df / fixed.trace
    limits = tuple(_tau2_where_q_is(chi2_quantile(p, df), y, v, x) for p in ((1 + LEVEL) / 2, (1 - LEVEL) / 2))
    # The weights of one mean; with moderators, of the mean at their averages.
    influence = x.mean(axis=0) @ at.bread @ (x.T * at.w)
    return Fit(
        coefficients=at.coefficients,
        covariance=max(at.q / df, 1.0) * at.bread,
        df=df,
        tau2=tau2,
        tau2_limits=(limits[0], limits[1]),
        i2=tau2 / (tau2 + typical),
        i2_limits=(limits[0] / (limits[0] + typical), limits[1] / (limits[1] + typical)),
        q=fixed.q,
        q_p=float(chi2_tail(fixed.q, df)),
        inflation=at.q / df,
        weights=influence / influence.sum(),
    )


class _At:
    """The weighted fit at one τ²: coefficients, residual sum of squares, and the traces of P and PP."""

    def __init__(self, y: np.ndarray, v: np.ndarray, x: np.ndarray, tau2: float) -> None:
        self.w = 1 / (v + tau2)
        weighted = x.T * self.w
        self.bread = np.linalg.inv(weighted @ x)
        self.coefficients = self.bread @ (weighted @ y)
        self._residuals = y - x @ self.coefficients
        self.q = float(self.w @ self._residuals**2)
        self._x = x

    @property
    def trace(self) -> float:
        return float(self.w.sum() - np.trace(self._folded(2)))

    @property
    def trace_of_square(self) -> float:
        second = self._folded(2)
        return float((self.w**2).sum() - 2 * np.trace(self._folded(3)) + np.trace(second @ second))

    def _folded(self, power: int) -> np.ndarray:
        return self.bread @ ((self._x.T * self.w**power) @ self._x)

    @property
    def score(self) -> float:
        """Twice the slope of the restricted log-likelihood in τ²: y'PPy − tr P."""
        return float(((self.w * self._residuals) ** 2).sum()) - self.trace


def _reml(y: np.ndarray, v: np.ndarray, x: np.ndarray) -> float:
    """Return τ² by Fisher scoring from Paule and Mandel's; zero where the likelihood falls from there on."""
    tau2 = _paule_mandel(y, v, x)
    for _ in range(MOST_STEPS):
        at = _At(y, v, x, tau2)
        step = max(at.score / at.trace_of_square, -tau2)
        tau2 += step
        if abs(step) <= SETTLED * (tau2 + v.min()):
            break
    return tau2


def _paule_mandel(y: np.ndarray, v: np.ndarray, x: np.ndarray) -> float:
    return _tau2_where_q_is(len(y) - x.shape[1], y, v, x)


def _tau2_where_q_is(target: float, y: np.ndarray, v: np.ndarray, x: np.ndarray) -> float:
    """Return the τ² at which the weighted sum of squares is `target`; zero where it is below that everywhere."""
    above: Callable[[float], float] = lambda tau2: _q(y, v, x, tau2) - target  # noqa: E731
    if above(0.0) <= 0:
        return 0.0
    high = float(v.max())
    while above(high) > 0:
        high *= 4
    return float(scipy.optimize.brentq(above, 0.0, high, xtol=1e-15, rtol=1e-13))


def _q(y: np.ndarray, v: np.ndarray, x: np.ndarray, tau2: float) -> float:
    """Return the weighted sum of squares at one τ², of the mean alone without matrices: it is asked for most often."""
    if x.shape[1] > 1:
        return _At(y, v, x, tau2).q
    w = 1 / (v + tau2)
    residuals = y - (w @ y) / w.sum()
    return float(w @ residuals**2)


def prediction_limits(effects: np.ndarray, errors: np.ndarray) -> tuple[float, float] | None:
    """Return where the true effect of one more company lies in 95 of 100; None with fewer than three companies.

    At the true τ² the weighted sum of squares Q is chi-squared and independent of the mean, so that it gives τ² a
    confidence distribution: τ² is at most t with confidence P(χ² > Q(t)). The effect of one more company is the mixture
    over it of normal distributions around the mean at each τ², with variance τ² + 1/Σw (Iyer, Wang & Mathew 2004, J Am
    Stat Assoc 99:1060; Nagashima, Noma & Furukawa 2019, Stat Methods Med Res 28:1689, by a bootstrap).
    """
    y, v = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float) ** 2
    df = len(y) - 1
    if df < 2:
        return None
    largest = max(_tau2_where_q_is(chi2_quantile(LEAST_CONFIDENCE, df), y, v, np.ones((len(y), 1))), v.min())
    tau2 = np.concatenate([[0.0], np.geomspace(LEAST_CONFIDENCE * largest, largest, N_SPREADS)])
    w = 1 / (v + tau2[:, None])
    total = w.sum(axis=1)
    mean = (w @ y) / total
    q = (w * (y - mean[:, None]) ** 2).sum(axis=1)
    mass = np.diff(chi2_tail(q, df), prepend=0.0)
    mass, spread = mass / mass.sum(), np.sqrt(tau2 + 1 / total)
    ends = float((mean - 9 * spread).min()), float((mean + 9 * spread).max())

    def quantile(p: float) -> float:
        return float(scipy.optimize.brentq(lambda x: mass @ normal_tail((mean - x) / spread) - p, *ends, xtol=1e-12))

    return quantile((1 - LEVEL) / 2), quantile((1 + LEVEL) / 2)


def without_each(effects: np.ndarray, errors: np.ndarray, chosen: np.ndarray) -> list[Fit]:
    """Return the mean again without each of the chosen companies (their positions), one at a time."""
    return [fit(np.delete(effects, n), np.delete(errors, n)) for n in chosen]


def most_influential(effects: np.ndarray, fitted: Fit, n: int) -> np.ndarray:
    """Return the positions of the `n` companies without which the mean moves most, τ² being as it is."""
    shift = np.abs(fitted.weights * (effects - fitted.mean) / (1 - fitted.weights))
    return np.argsort(-shift, kind="stable")[:n]


@dataclass(frozen=True)
class SmallStudies:
    """Whether effects go with their standard errors: the slope, its p-value, and the effect where the error is zero."""

    slope: float
    p_value: float
    at_no_error: float


def small_studies(effects: np.ndarray, errors: np.ndarray) -> SmallStudies:
    """Return Egger's regression of effects on standard errors, weighted by precision (1997, BMJ 315:629).

    Student's t with k − 2 degrees of freedom; the residual variance multiplies, as in its first form.

    Raises
    ------
    ValueError
        Fewer than three companies, or all have one standard error.
    """
    y, s = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float)
    if len(y) < 3 or np.ptp(s) == 0:
        raise ValueError("a slope needs three companies at least, of different precision")
    at = _At(y, s**2, np.column_stack([np.ones_like(s), s]), 0.0)
    df = len(y) - 2
    t = at.coefficients[1] / np.sqrt(at.bread[1, 1] * at.q / df)
    return SmallStudies(float(at.coefficients[1]), float(2 * student_tail(abs(t), df)), float(at.coefficients[0]))
