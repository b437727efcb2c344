"""The factor models of one scale on several occasions, with what is to be equal between them."""

from dataclasses import dataclass, replace

import numpy as np

from analysis.measure.factor_model import FactorModel, Matrices


@dataclass(frozen=True)
class _Numbers:
    """Numbers of parameters; −1 is fixed. Of items: shape (occasions, items); of factors: shape (occasions,)."""

    loadings: np.ndarray
    intercepts: np.ndarray
    residual_variances: np.ndarray
    factor_variances: np.ndarray
    factor_means: np.ndarray


class _Fresh:
    """Gives parameters numbers that none has had before."""

    def __init__(self) -> None:
        self.used = 0

    def __call__(self, *shape: int) -> np.ndarray:
        numbers = self.used + np.arange(np.prod(shape, dtype=int)).reshape(shape)
        self.used += numbers.size
        return numbers

    def pairs(self, size: int) -> np.ndarray:
        """Return a symmetric matrix, shape (size, size), each pair with its number."""
        numbers = np.triu(self(size, size))
        return numbers + np.triu(numbers, 1).T


def waves_model(equal: np.ndarray, n_waves: int) -> FactorModel:
    """Return the model of the same people on several waves: one group, one factor a wave.

    Factors covary freely, and so do the residuals of the same item on different waves.

    Parameters
    ----------
    equal
        By item, what is equal on all occasions: 0 nothing, 1 its loading, 2 its intercept as well, 3 its residual
        variance as well. Shape (items,).
    n_waves
        The variables are ordered by wave, then by item.
    """
    fresh, p = _Fresh(), n_waves * len(equal)
    numbers = _numbers(fresh, equal, n_waves)
    wave, item = np.divmod(np.arange(p), len(equal))
    loadings = np.where(wave[:, None] == np.arange(n_waves), numbers.loadings.reshape(p, 1), -1)
    factors, residuals = fresh.pairs(n_waves), np.where(item[:, None] == item, fresh.pairs(p), -1)
    np.fill_diagonal(factors, numbers.factor_variances)
    np.fill_diagonal(residuals, numbers.residual_variances)
    return _from_zero([Matrices(loadings, factors, residuals, numbers.intercepts.ravel(), numbers.factor_means)])


def arms_model(equal: np.ndarray, n_arms: int) -> FactorModel:
    """Return the model of different people in several arms: a group and a factor each; `equal` as in `waves_model`."""
    numbers = _numbers(_Fresh(), equal, n_arms)
    on_diagonal = np.eye(len(equal), dtype=bool)
    return _from_zero(
        [
            Matrices(
                numbers.loadings[[arm]].T,
                numbers.factor_variances[[[arm]]],
                np.where(on_diagonal, numbers.residual_variances[arm], -1),
                numbers.intercepts[arm],
                numbers.factor_means[[arm]],
            )
            for arm in range(n_arms)
        ]
    )


def _numbers(fresh: _Fresh, equal: np.ndarray, n_occasions: int) -> _Numbers:
    """Return the parameters of items and factors: equal cells share the first occasion's number.

    The first occasion's factor has variance 1 and mean 0. Another's variance is free once any loading is equal to the
    first's, and its mean once any intercept is.
    """
    items = []
    for level in (1, 2, 3):
        own = fresh(n_occasions, len(equal))
        items.append(np.where(equal >= level, own[0], own))
    later = np.arange(n_occasions) > 0
    factors = [np.where(later & (equal >= level).any(), fresh(n_occasions), -1) for level in (1, 2)]
    return _Numbers(*items, *factors)


def _from_zero(groups: list[Matrices]) -> FactorModel:
    """Return the model with parameters numbered without gaps; factor variances are fixed at 1 and all else at 0."""
    flat = np.concatenate([group.flat() for group in groups])
    used = np.unique(flat[flat >= 0])
    parameters = [group.like(np.where(group.flat() < 0, -1, np.searchsorted(used, group.flat()))) for group in groups]
    fixed = [
        replace(group.like(np.zeros(len(group.flat()))), factor_covariance=np.eye(len(group.factor_means)))
        for group in groups
    ]
    return FactorModel(tuple(parameters), tuple(fixed))
