"""Tails and quantiles are those of scipy.stats."""

import numpy as np
import pytest
from scipy import stats

from analysis.plan import probability

P, X = np.array([0.0001, 0.025, 0.5, 0.9, 0.975, 0.99999]), np.array([-2.5, 0.0, 0.3, 4.0])


def test_normal():
    np.testing.assert_allclose([probability.normal_quantile(p) for p in P], stats.norm.ppf(P), rtol=1e-12)
    np.testing.assert_allclose(probability.normal_tail(X), stats.norm.sf(X), rtol=1e-12)


@pytest.mark.parametrize("df", [1, 3.7, 40, np.inf])
def test_student(df):
    np.testing.assert_allclose(probability.student_quantile(P, df), stats.t.ppf(P, df), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(probability.student_tail(X, df), stats.t.sf(X, df), rtol=1e-10)


def test_f():
    np.testing.assert_allclose(probability.f_quantile(P, 3, 40.5), stats.f.ppf(P, 3, 40.5), rtol=1e-10)
    np.testing.assert_allclose(probability.f_tail(X[1:], 3, 40.5), stats.f.sf(X[1:], 3, 40.5), rtol=1e-10)


def test_chi_squared():
    np.testing.assert_allclose(probability.chi2_tail(X[1:], 4), stats.chi2.sf(X[1:], 4), rtol=1e-12)
    for x in X[1:]:
        assert probability.noncentral_chi2_share(x, 4, 2.5) == pytest.approx(stats.ncx2.cdf(x, 4, 2.5), rel=1e-9)
