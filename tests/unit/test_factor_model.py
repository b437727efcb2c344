"""The factor model's likelihood, derivatives, saturated fit and fit measures: by definition, and against lavaan."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.measure.factor_model import (
    FactorModel,
    Matrices,
    _derivatives,
    fit_factor_model,
    fit_measures,
    reference,
    score_statistic,
    starting_values,
)
from analysis.measure.invariance import arms_model, waves_model
from analysis.measure.normal_models import Normal, independence, log_likelihood, sample_of, saturated

FIXTURES = Path(__file__).parents[1] / "fixtures"
ITEMS = [f"item{i}" for i in range(1, 7)]
STEPS = ["configural", "metric", "scalar", "residual"]
# χ², as a share; CFI, RMSEA and SRMR, on their own scale. RMSEA's interval: R's root finder stops at 1e-4 of λ.
CHI2, INDEX, INTERVAL = 1e-7, 1e-6, 1e-4


def fixture(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"factor_{name}.csv")


def samples_of(data: str, case: str):
    rows = fixture(f"{data}_input").query("case == @case")
    if data == "groups":
        return [sample_of(arm[ITEMS].to_numpy()) for _, arm in rows.groupby("arm")]
    return [sample_of(rows.drop(columns="case").to_numpy(dtype=float))]


def model_of(data: str, level: int, freed: int | None = None, freed_level: int = 0) -> FactorModel:
    equal = np.full(6, level)
    if freed is not None:
        equal[freed] = freed_level
    return arms_model(equal, 2) if data == "groups" else waves_model(equal, int(data[-1]))


def fitted(data: str, case: str, level: int):
    samples = samples_of(data, case)
    to = reference(samples)
    model = model_of(data, level)
    return fit_factor_model(model, samples, starting_values(model, to.saturated)), samples, to


def answers(n: int = 60, missing: float = 0.2) -> np.ndarray:
    """Return invented answers to four correlated items, some missing, one person without any."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(n, 1)) + rng.normal(size=(n, 4)) + [3, 2, 4, 1]
    rows[rng.random((n, 4)) < missing] = np.nan
    rows[0] = np.nan
    return rows


CASES = [
    (data, case) for data in ("groups", "waves2", "waves3") for case in ("invariant", "metric", "scalar", "missing")
]


@pytest.mark.parametrize(("data", "case"), CASES)
@pytest.mark.parametrize("level", range(4))
def test_every_fit_measure_equals_lavaans_from_rough_starting_values(data, case, level):
    expected = fixture("fit").query("data == @data and case == @case and step == @STEPS[@level]").iloc[0]
    fit, samples, to = fitted(data, case, level)
    found = fit_measures(fit, samples, to)
    assert fit.converged and fit.proper
    assert (found.df, to.baseline_df, found.n_people) == (expected["df"], expected["baseline_df"], expected["n_people"])
    assert found.chi2 == pytest.approx(expected["chi2"], rel=CHI2)
    assert to.baseline_chi2 == pytest.approx(expected["baseline_chi2"], rel=CHI2)
    assert found.log_likelihood == pytest.approx(expected["log_likelihood"], rel=1e-10)
    assert to.log_likelihood == pytest.approx(expected["saturated_log_likelihood"], rel=1e-10)
    for name in ("p", "cfi", "rmsea", "srmr"):
        assert getattr(found, name) == pytest.approx(expected[name], abs=INDEX)
    for name in ("rmsea_low", "rmsea_high"):
        assert getattr(found, name) == pytest.approx(expected[name], abs=INTERVAL)


def named(fit, items: list[str], factors: list[str]) -> dict[tuple, float]:
    """Return estimates by group and lavaan's words for them."""
    words = {}
    for group, m in enumerate(fit.estimates, start=1):
        for i, item in enumerate(items):
            words[group, item, "~1", ""] = m.intercepts[i]
            words |= {(group, factor, "=~", item): m.loadings[i, f] for f, factor in enumerate(factors)}
            words |= {(group, item, "~~", other): m.residual_covariance[i, j] for j, other in enumerate(items)}
        for f, factor in enumerate(factors):
            words[group, factor, "~1", ""] = m.factor_means[f]
            words |= {(group, factor, "~~", other): m.factor_covariance[f, g] for g, other in enumerate(factors)}
    return words


@pytest.mark.parametrize("data", ["groups", "waves2", "waves3"])
@pytest.mark.parametrize("level", [1, 2])
def test_every_estimate_equals_lavaans(data, level):
    expected = fixture("estimate").query("data == @data and case == 'scalar' and step == @STEPS[@level]")
    waves = range(1, 1 + (0 if data == "groups" else int(data[-1])))
    items = [f"w{wave}_{item}" for wave in waves for item in ITEMS] or ITEMS
    found = named(fitted(data, "scalar", level)[0], items, [f"F{wave}" for wave in waves] or ["F"])
    keys = zip(expected["group"], expected["lhs"], expected["op"], expected["rhs"].fillna(""), strict=True)
    np.testing.assert_allclose([found[key] for key in keys], expected["estimate"], atol=2e-5)
    assert len(expected) >= 40


@pytest.mark.parametrize("data", ["groups", "waves2", "waves3"])
@pytest.mark.parametrize("case", ["invariant", "metric", "scalar"])
@pytest.mark.parametrize("level", [1, 2])
def test_score_tests_of_releasing_an_item_equal_lavtestscore(data, case, level):
    expected = fixture("score").query("data == @data and case == @case and step == @STEPS[@level]")
    fit, samples, _ = fitted(data, case, level)
    free = [model_of(data, level, item, level - 1) for item in range(6)]
    found = [score_statistic(model, samples, fit.estimates) for model in free]
    np.testing.assert_allclose(found, expected["score_chi2"], rtol=1e-4, atol=1e-5)
    # The item's own loading (or intercept) and nothing else becomes free on every later occasion.
    assert [model.n_parameters - fit.model.n_parameters for model in free] == expected["df"].to_list()


def test_the_likelihood_of_missing_answers_is_the_sum_over_people_of_what_each_answered():
    rows, mean = answers(), np.array([3.1, 2.0, 4.2, 0.9])
    covariance = np.eye(4) * 1.1 + 0.8
    written_out = 0.0
    for row in rows:
        known = ~np.isnan(row)
        if known.any():
            part = covariance[np.ix_(known, known)]
            written_out += stats.multivariate_normal(mean[known], part).logpdf(row[known])
    assert log_likelihood(sample_of(rows), Normal(mean, covariance)).value == pytest.approx(written_out, rel=1e-12)


def test_who_answered_nothing_is_not_counted():
    assert sample_of(answers()).n_people == (~np.isnan(answers())).any(axis=1).sum() == 59


@pytest.mark.parametrize("missing", [0.0, 0.25])
def test_the_saturated_fit_is_where_nothing_raises_the_likelihood(missing):
    sample = sample_of(answers(80, missing))
    top = saturated(sample)
    here = log_likelihood(sample, top)
    np.testing.assert_allclose(here.by_mean, 0, atol=1e-3)
    np.testing.assert_allclose(here.by_covariance, 0, atol=1e-3)


def test_the_saturated_fit_of_complete_answers_is_their_mean_and_covariance():
    rows = answers(80, 0.0)[1:]
    top = saturated(sample_of(rows))
    np.testing.assert_allclose(top.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(top.covariance, np.cov(rows.T, ddof=0), rtol=1e-10)


def test_independence_is_each_items_own_mean_and_variance():
    rows = answers()
    apart = independence(sample_of(rows))
    np.testing.assert_allclose(apart.mean, np.nanmean(rows, axis=0))
    np.testing.assert_allclose(apart.covariance, np.diag(np.nanvar(rows, axis=0)), atol=1e-15)


@pytest.mark.parametrize(("data", "case"), [("groups", "missing"), ("waves2", "metric")])
def test_the_score_is_the_likelihoods_derivative_by_every_parameter(data, case):
    samples = samples_of(data, case)
    model = model_of(data, 2)
    place = model.place(starting_values(model, [saturated(sample) for sample in samples])) * 1.03 + 0.02
    score, h = _derivatives(model, samples, place).score, 1e-5
    for i in range(model.n_parameters):
        step = h * np.eye(model.n_parameters)[i]
        up, down = (_derivatives(model, samples, place + sign * step).value for sign in (1, -1))
        assert score[i] == pytest.approx((up - down) / (2 * h), rel=1e-4, abs=1e-3)


def test_information_is_the_variance_of_the_score():
    """Of complete answers drawn from the model, by its definition: the mean square of one person's score."""
    model = arms_model(np.zeros(3, dtype=int), 1)
    place = np.array([0.8, 0.7, 0.6, 0.3, 0.4, 0.5, 1.0, 2.0, 3.0])
    truth = model.values(place)[0].implied()
    rows = np.random.default_rng(5).multivariate_normal(truth.mean, truth.covariance, 1500)
    scores = np.array([_derivatives(model, [sample_of(row[None])], place).score for row in rows])
    information = _derivatives(model, [sample_of(rows)], place).information / len(rows)
    np.testing.assert_allclose(np.cov(scores.T), information, atol=5 * information.max() / np.sqrt(1500))


def test_a_fit_does_not_depend_on_the_units_of_the_items():
    samples = samples_of("groups", "metric")
    rows = fixture("groups_input").query("case == 'metric'")
    scaled = [sample_of(arm[ITEMS].to_numpy() * [1, 100, 1, 0.01, 1, 10] + 7) for _, arm in rows.groupby("arm")]
    chi2 = []
    for these in (samples, scaled):
        to, model = reference(these), model_of("groups", 2)
        chi2.append(fit_measures(fit_factor_model(model, these, starting_values(model, to.saturated)), these, to).chi2)
    assert chi2[0] == pytest.approx(chi2[1], rel=1e-8)


def test_items_keyed_the_other_way_round_fit_as_well():
    rows = fixture("groups_input").query("case == 'invariant'")
    turned = [sample_of(arm[ITEMS].to_numpy() * [1, -1, 1, -1, 1, -1]) for _, arm in rows.groupby("arm")]
    to, model = reference(turned), model_of("groups", 1)
    fit = fit_factor_model(model, turned, starting_values(model, to.saturated))
    expected = fixture("fit").query("data == 'groups' and case == 'invariant' and step == 'metric'")["chi2"].item()
    assert fit.converged
    assert fit_measures(fit, turned, to).chi2 == pytest.approx(expected, rel=CHI2)


def test_a_model_that_is_not_identified_does_not_converge():
    rows = fixture("groups_input").query("case == 'invariant'")[ITEMS[:2]].to_numpy()
    model, sample = arms_model(np.zeros(2, dtype=int), 1), sample_of(rows)
    assert not fit_factor_model(model, [sample], starting_values(model, [saturated(sample)])).converged


def test_a_negative_residual_variance_is_not_proper():
    """Three items with correlations .8, .8 and .5: the first would have a squared loading of .8 · .8 / .5."""
    covariance = np.array([[1, 0.8, 0.8], [0.8, 1, 0.5], [0.8, 0.5, 1]])
    rows = np.random.default_rng(6).multivariate_normal(np.zeros(3), np.eye(3), 500)
    rows = (rows - rows.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T, ddof=0))).T
    sample = sample_of(rows @ np.linalg.cholesky(covariance).T)
    model = arms_model(np.zeros(3, dtype=int), 1)
    fit = fit_factor_model(model, [sample], starting_values(model, [saturated(sample)]))
    assert fit.converged and not fit.proper
    np.testing.assert_allclose(fit.estimates[0].loadings.ravel() ** 2, [1.28, 0.5, 0.5], rtol=1e-5)


@pytest.mark.parametrize("rows", ["constant", "sum of others", "never together"])
def test_there_is_no_reference_where_the_covariance_is_not_determined(rows):
    x = answers(80, 0.0)[1:]
    if rows == "constant":
        x[:, 0] = 3
    elif rows == "sum of others":
        x[:, 0] = x[:, 1:].sum(axis=1)
    else:
        x = x[:3]
    assert reference([sample_of(x)]) is None


def test_a_covariance_that_is_singular_but_for_rounding_has_no_likelihood(monkeypatch):
    """Answers that are copies of each other may pass the decomposition and not the inversion, by the last digits."""

    def refused(matrix):
        raise np.linalg.LinAlgError("Singular matrix")

    x = sample_of(answers(80, 0.0)[1:])
    assert log_likelihood(x, independence(x)) is not None
    monkeypatch.setattr(np.linalg, "inv", refused)
    assert log_likelihood(x, independence(x)) is None and reference([x]) is None


def test_matrices_read_back_what_they_were_made_of():
    model = waves_model(np.array([2, 1, 3]), 3)
    place = np.arange(model.n_parameters, dtype=float)
    np.testing.assert_array_equal(model.place(model.values(place)), place)
    for field in fields(Matrices):
        part = getattr(model.values(place)[0], field.name)
        if field.name.endswith("covariance"):
            np.testing.assert_array_equal(part, part.T)
