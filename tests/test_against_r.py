"""The estimators against R's answers (tests/fixtures/README.md says what R computed, and from what)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.design.weights import fit_propensity, standardized_mean_difference
from analysis.estimate.inference import cluster_sums, newcombe, wald
from analysis.estimate.lottery import N_DRAWS, itt_difference, offer, randomization_p
from analysis.estimate.survival import aalen_johansen
from analysis.measure.scales import cronbach_alpha

FIXTURES = Path(__file__).parent / "fixtures"
CLOSED_FORM, FITTED = 1e-6, 1e-4


def fixture(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"{name}.csv")


def arm(number: int) -> tuple[pd.DataFrame, np.ndarray, int]:
    rows = fixture("survival_input")
    cluster, people = pd.factorize(rows["cluster"])
    chosen = (rows["arm"] == number).to_numpy()
    return rows[chosen], cluster[chosen], len(people)


def influences(found) -> np.ndarray:
    """Return every influence, shape (causes, times, rows)."""
    causes, times = found.cumulative_incidence.shape
    return np.array([[found.influence(k, t) for t in range(times)] for k in range(causes)])


def incidence(rows: pd.DataFrame, times, weights=None):
    weights = rows["weight"] if weights is None else weights
    columns = (rows[c].to_numpy() for c in ("entry", "exit", "event"))
    return aalen_johansen(*columns, np.asarray(weights, dtype=float), np.array(times, dtype=float), (1, 2, 3))


@pytest.mark.parametrize("number", [0, 1])
def test_weighted_cumulative_incidence_and_its_clustered_error_equal_survfit(number):
    rows, cluster, n = arm(number)
    expected = fixture("survival_aj").query("arm == @number").sort_values(["cause", "time"])
    times = sorted(expected["time"].unique())
    found = incidence(rows, times)
    std_error = np.sqrt((cluster_sums(influences(found), cluster, n) ** 2).sum(axis=-1))
    np.testing.assert_allclose(found.cumulative_incidence.ravel(), expected["cif"], rtol=CLOSED_FORM, atol=1e-12)
    np.testing.assert_allclose(std_error.ravel(), expected["se"], rtol=CLOSED_FORM, atol=1e-12)
    assert not np.allclose(std_error.ravel(), expected["se_by_row"], rtol=1e-3), "clustering makes no difference here"


@pytest.mark.parametrize("number", [0, 1])
def test_any_exit_equals_kaplan_meier_with_delayed_entry(number):
    rows, cluster, n = arm(number)
    expected = fixture("survival_km").query("arm == @number and weighted == 1").sort_values("time")
    found = incidence(rows, expected["time"])
    any_exit = cluster_sums(influences(found).sum(axis=0), cluster, n)
    np.testing.assert_allclose(1 - found.cumulative_incidence.sum(axis=0), expected["survival"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(np.sqrt((any_exit**2).sum(axis=-1)), expected["se"], rtol=CLOSED_FORM)


def test_unweighted_survival_equals_kaplan_meier():
    rows, _, _ = arm(1)
    expected = fixture("survival_km").query("arm == 1 and weighted == 0").sort_values("time")
    found = incidence(rows, expected["time"], np.ones(len(rows)))
    np.testing.assert_allclose(1 - found.cumulative_incidence.sum(axis=0), expected["survival"], rtol=CLOSED_FORM)


def test_people_in_both_arms_are_not_counted_as_independent():
    expected = fixture("survival_difference").query("measure == 'probability' and state == '1'").sort_values("time")
    (treated, of_treated, n), (control, of_control, _) = arm(1), arm(0)
    one, zero = incidence(treated, expected["time"]), incidence(control, expected["time"])
    gap = one.cumulative_incidence[0] - zero.cumulative_incidence[0]
    by_person = cluster_sums(influences(one)[0], of_treated, n) - cluster_sums(influences(zero)[0], of_control, n)
    np.testing.assert_allclose(gap, expected["difference"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(np.sqrt((by_person**2).sum(axis=-1)), expected["se"], rtol=CLOSED_FORM)


def test_propensity_without_prior_equals_glm():
    rows, expected = fixture("logit_input"), fixture("logit_glm").set_index("term")
    covariates = rows[["tenure", "age", "level", "rating", "remote", "sales"]].to_numpy(dtype=float)
    fit = fit_propensity(covariates, rows["y"].to_numpy() == 1, np.zeros(len(rows), dtype=int), prior_sd=np.inf)
    share = rows["y"].mean()
    linear = (
        expected.loc["intercept", "estimate"]
        + covariates @ expected.loc[["tenure", "age", "level", "rating", "remote", "sales"], "estimate"].to_numpy()
    )
    np.testing.assert_allclose(fit.linear, linear, rtol=FITTED, atol=1e-8)
    assert fit.probability.mean() == pytest.approx(share)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.inverse_information)), expected["se_model"], rtol=FITTED)
    cluster, people = pd.factorize(rows["cluster"])
    scores = cluster_sums(fit.score.T, cluster, len(people))
    robust = fit.inverse_information @ scores @ scores.T @ fit.inverse_information
    np.testing.assert_allclose(np.sqrt(np.diag(robust)), expected["se_cluster_hc0"], rtol=FITTED)


def test_alpha_and_its_interval_equal_psych():
    expected = fixture("alpha_psych").iloc[0]
    found = cronbach_alpha(fixture("alpha_input").to_numpy(dtype=float))
    np.testing.assert_allclose(
        found, expected[["raw_alpha", "feldt_low", "feldt_high"]].astype(float), rtol=CLOSED_FORM
    )


def test_two_proportions_wald_and_newcombe():
    for row in fixture("two_proportions").itertuples():
        p1, p0 = row.x1 / row.n1, row.x0 / row.n0
        plain = wald(p1 - p0, np.sqrt(p1 * (1 - p1) / row.n1 + p0 * (1 - p0) / row.n0))
        hybrid = newcombe(p1, row.n1, p0, row.n0)
        assert plain.estimate == pytest.approx(row.risk_difference, rel=CLOSED_FORM)
        assert (plain.low, plain.high) == pytest.approx((row.wald_low, row.wald_high), rel=CLOSED_FORM, abs=1e-12)
        assert (hybrid.low, hybrid.high) == pytest.approx(
            (row.newcombe_low, row.newcombe_high), rel=CLOSED_FORM, abs=1e-9
        )


def lottery_rows(*tables: tuple[int, int, int, int]) -> tuple[pd.DataFrame, np.ndarray]:
    """Return people who drew lots, one stratum a table (events offered, offered, events not, not), and who left."""
    parts, left = [], []
    for stratum, (x1, n1, x0, n0) in enumerate(tables):
        parts.append(
            pd.DataFrame({"stratum": stratum, "is_offered": [True] * n1 + [False] * n0, "months_observed": 99.0})
        )
        left += [True] * x1 + [False] * (n1 - x1) + [True] * x0 + [False] * (n0 - x0)
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(employee_id=[f"E{i}" for i in range(len(rows))]), np.array(left)


def test_stratified_lottery_equals_r():
    for row in fixture("stratified_risk_difference").itertuples():
        rows, left = lottery_rows((row.x1_a, row.n1_a, row.x0_a, row.n0_a), (row.x1_b, row.n1_b, row.x0_b, row.n0_b))
        comparison = offer(rows, left, 12)
        influence = comparison.influence_treated - comparison.influence_control
        assert comparison.risk_treated - comparison.risk_control == pytest.approx(row.risk_difference, rel=CLOSED_FORM)
        assert np.sqrt(np.sum(influence**2)) == pytest.approx(row.se_wald, rel=CLOSED_FORM)
        if not comparison.few_events:
            assert itt_difference(comparison).low == pytest.approx(row.risk_difference - 1.959963985 * row.se_wald)


def test_randomization_test_equals_the_enumeration_of_every_draw():
    """One stratum: the chance, over all draws of the lots, of a difference at least as large; to Monte-Carlo error."""
    for row in fixture("two_proportions").itertuples():
        rows, left = lottery_rows((row.x1, row.n1, row.x0, row.n0))
        p = randomization_p(offer(rows, left, 12).counts, np.random.default_rng(1))
        events = row.x1 + row.x0
        among_offered = np.arange(max(0, events - row.n0), min(events, row.n1) + 1)
        chance = stats.hypergeom.pmf(among_offered, row.n1 + row.n0, events, row.n1)
        gap = np.abs(among_offered / row.n1 - (events - among_offered) / row.n0)
        exact = chance[gap >= abs(row.x1 / row.n1 - row.x0 / row.n0) - 1e-12].sum()
        assert p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / N_DRAWS) + 2 / N_DRAWS)


def test_standardized_mean_difference_equals_r():
    rows, expected = fixture("smd_input"), fixture("smd").set_index("covariate")
    treated = rows["treated"].to_numpy() == 1
    for name in ("tenure", "remote"):
        x = rows[name].to_numpy(dtype=float)
        assert standardized_mean_difference(x, treated, np.ones(len(x))) == pytest.approx(
            expected.loc[name, "smd_unweighted"], rel=CLOSED_FORM
        )
        assert standardized_mean_difference(x, treated, rows["weight"].to_numpy()) == pytest.approx(
            expected.loc[name, "smd"], rel=CLOSED_FORM
        )
