"""The estimators against R's answers (tests/fixtures/README.md says what R computed, and from what)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.design.covariates import standardized_mean_difference
from analysis.design.propensity import fit_propensity, newton
from analysis.estimate.cox import cox
from analysis.estimate.inference import cluster_sums, wald
from analysis.estimate.lottery import N_DRAWS, itt_difference, offer, randomization_p
from analysis.estimate.power import power_of, sample_size, smallest_detectable_difference
from analysis.estimate.survival import Incidence, aalen_johansen
from analysis.measure.reliability import cronbach_alpha

FIXTURES = Path(__file__).parents[1] / "fixtures"
CLOSED_FORM, FITTED = 1e-6, 1e-4


def fixture(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"{name}.csv")


def arm(number: int) -> tuple[pd.DataFrame, np.ndarray, int]:
    rows = fixture("survival_input")
    cluster, people = pd.factorize(rows["cluster"])
    chosen = (rows["arm"] == number).to_numpy()
    return rows[chosen], cluster[chosen], len(people)


CAUSES = (1, 2, 3)


def incidence(rows: pd.DataFrame, weights=None) -> Incidence:
    weights = rows["weight"] if weights is None else weights
    columns = (rows[c].to_numpy() for c in ("entry", "exit", "event"))
    return aalen_johansen(*columns, np.asarray(weights, dtype=float), CAUSES)


def risks(found: Incidence, times) -> np.ndarray:
    """Return the cumulative incidences, shape (causes, times)."""
    return np.array([found.risk(k, np.array(times, dtype=float)) for k in range(len(CAUSES))])


def influences(found: Incidence, times) -> np.ndarray:
    """Return every influence, shape (causes, times, rows)."""
    return np.array([[found.influence(k, t) for t in times] for k in range(len(CAUSES))])


@pytest.mark.parametrize("number", [0, 1])
def test_weighted_cumulative_incidence_and_its_clustered_error_equal_survfit(number):
    rows, cluster, n = arm(number)
    expected = fixture("survival_aj").query("arm == @number").sort_values(["cause", "time"])
    times = sorted(expected["time"].unique())
    found = incidence(rows)
    std_error = np.sqrt((cluster_sums(influences(found, times), cluster, n) ** 2).sum(axis=-1))
    np.testing.assert_allclose(risks(found, times).ravel(), expected["cif"], rtol=CLOSED_FORM, atol=1e-12)
    np.testing.assert_allclose(std_error.ravel(), expected["se"], rtol=CLOSED_FORM, atol=1e-12)
    assert not np.allclose(std_error.ravel(), expected["se_by_row"], rtol=1e-3), "clustering makes no difference here"


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("tau", [6, 12, 18, 24])
def test_time_lost_and_its_clustered_error_equal_survfit(number, tau):
    rows, cluster, n = arm(number)
    expected = fixture("survival_rmst").query("arm == @number and tau == @tau").set_index("state")
    found = incidence(rows)
    lost = [found.time_lost(k, tau) for k in range(len(CAUSES))]
    influence = np.array([found.time_lost_influence(k, tau) for k in range(len(CAUSES))])
    errors = np.sqrt((cluster_sums(influence, cluster, n) ** 2).sum(axis=-1))
    states = [str(cause) for cause in CAUSES]
    np.testing.assert_allclose(lost, expected.loc[states, "months"], rtol=CLOSED_FORM, atol=1e-12)
    np.testing.assert_allclose(errors, expected.loc[states, "se"], rtol=CLOSED_FORM, atol=1e-12)
    kept_error = np.sqrt((cluster_sums(influence.sum(axis=0), cluster, n) ** 2).sum())
    assert tau - sum(lost) == pytest.approx(expected.loc["none", "months"], rel=CLOSED_FORM)
    assert kept_error == pytest.approx(expected.loc["none", "se"], rel=CLOSED_FORM)


def test_counted_rows_give_the_coefficients_of_glm_with_prior_weights():
    rows, expected = fixture("grouped_logit_input"), fixture("grouped_logit_glm")
    x = np.column_stack([np.ones(len(rows)), rows[["month", "level", "treated"]]]).astype(float)
    y, counts = rows["y"].to_numpy(dtype=float), rows["n"].to_numpy(dtype=float)
    found = newton(x, y, np.zeros(len(rows)), counts, np.zeros(4), prior_sd=np.inf)
    np.testing.assert_allclose(found, expected["estimate"], rtol=FITTED)


@pytest.mark.parametrize("number", [0, 1])
def test_any_exit_equals_kaplan_meier_with_delayed_entry(number):
    rows, cluster, n = arm(number)
    expected = fixture("survival_km").query("arm == @number and weighted == 1").sort_values("time")
    found = incidence(rows)
    any_exit = cluster_sums(influences(found, expected["time"]).sum(axis=0), cluster, n)
    np.testing.assert_allclose(1 - risks(found, expected["time"]).sum(axis=0), expected["survival"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(np.sqrt((any_exit**2).sum(axis=-1)), expected["se"], rtol=CLOSED_FORM)


def test_unweighted_survival_equals_kaplan_meier():
    rows, _, _ = arm(1)
    expected = fixture("survival_km").query("arm == 1 and weighted == 0").sort_values("time")
    found = incidence(rows, np.ones(len(rows)))
    np.testing.assert_allclose(1 - risks(found, expected["time"]).sum(axis=0), expected["survival"], rtol=CLOSED_FORM)


def test_people_in_both_arms_are_not_counted_as_independent():
    expected = fixture("survival_difference").query("measure == 'probability' and state == '1'").sort_values("time")
    (treated, of_treated, n), (control, of_control, _) = arm(1), arm(0)
    times, one, zero = expected["time"], incidence(treated), incidence(control)
    gap = risks(one, times)[0] - risks(zero, times)[0]
    by_person = cluster_sums(influences(one, times)[0], of_treated, n)
    by_person = by_person - cluster_sums(influences(zero, times)[0], of_control, n)
    np.testing.assert_allclose(gap, expected["difference"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(np.sqrt((by_person**2).sum(axis=-1)), expected["se"], rtol=CLOSED_FORM)


@pytest.mark.parametrize("number", [0, 1])
def test_cumulative_incidence_equals_cuminc(number):
    rows = fixture("cuminc_input").query("arm == @number").assign(entry=0, weight=1.0)
    expected = fixture("cuminc").query("arm == @number").sort_values(["cause", "time"])
    times, found = sorted(expected["time"].unique()), incidence(rows.rename(columns={"months": "exit"}))
    np.testing.assert_allclose(risks(found, times).ravel(), expected["cif"], rtol=CLOSED_FORM)
    # cuminc's variance is another estimate of the same: by Aalen's formula, not the jackknife.
    variance = (influences(found, times) ** 2).sum(axis=-1)
    np.testing.assert_allclose(variance.ravel(), expected["variance"], rtol=0.06)


@pytest.mark.parametrize("cause", ["1", "2", "3", "any"])
def test_hazard_ratio_of_an_arm_equals_coxph(cause):
    rows, expected = fixture("survival_input"), fixture("survival_cox").set_index("cause").loc[cause]
    event = rows["event"] > 0 if cause == "any" else rows["event"] == int(cause)
    fit = cox(rows["entry"], rows["exit"], event, rows["weight"], rows[["arm"]])
    cluster, people = pd.factorize(rows["cluster"])
    by_person = cluster_sums(fit.influence.T, cluster, len(people))[0]
    assert fit.coefficients[0] == pytest.approx(expected["log_hazard_ratio"], rel=CLOSED_FORM)
    assert fit.information[0, 0] ** -0.5 == pytest.approx(expected["se_model"], rel=CLOSED_FORM)
    assert np.sqrt(by_person @ by_person) == pytest.approx(expected["se_cluster"], rel=CLOSED_FORM)


def test_changing_covariates_equal_coxph_with_its_dfbeta():
    rows, expected, dfbeta = fixture("cox_input"), fixture("cox_efron"), fixture("cox_dfbeta")
    fit = cox(rows["entry"], rows["exit"], rows["event"], rows["weight"], rows[["treated", "meetings"]])
    model = np.linalg.inv(fit.information)
    cluster, people = pd.factorize(rows["cluster"], sort=True)
    by_person = cluster_sums(fit.influence.T, cluster, len(people))
    robust = by_person @ by_person.T
    np.testing.assert_allclose(fit.coefficients, expected["log_hazard_ratio"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(np.sqrt(np.diag(model)), expected["se_model"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(np.sqrt(np.diag(robust)), expected["se_cluster"], rtol=CLOSED_FORM)
    assert model[0, 1] == pytest.approx(expected["covariance_model"][0], rel=CLOSED_FORM)
    assert robust[0, 1] == pytest.approx(expected["covariance_cluster"][0], rel=CLOSED_FORM)
    assert (people == dfbeta["cluster"]).all()
    np.testing.assert_allclose(by_person.T, dfbeta[["treated", "meetings"]], rtol=CLOSED_FORM, atol=1e-12)
    assert not np.allclose(expected["se_cluster"], expected["se_model"], rtol=0.05), "clusters make no difference here"


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


def test_two_proportions_wald():
    for row in fixture("two_proportions").itertuples():
        p1, p0 = row.x1 / row.n1, row.x0 / row.n0
        plain = wald(p1 - p0, np.sqrt(p1 * (1 - p1) / row.n1 + p0 * (1 - p0) / row.n0))
        assert plain.estimate == pytest.approx(row.risk_difference, rel=CLOSED_FORM)
        assert (plain.low, plain.high) == pytest.approx((row.wald_low, row.wald_high), rel=CLOSED_FORM, abs=1e-12)


def test_power_and_what_follows_from_it_equal_power_prop_test():
    for row in fixture("power_prop_test").itertuples():
        risks, alpha, n = (row.risk_control, row.risk_treated), row.alpha, row.n_per_arm
        assert power_of(*risks, n, n, alpha) == pytest.approx(row.power, rel=CLOSED_FORM)
        if row.solved == "n_per_arm":
            assert sample_size(*risks, alpha=alpha, power=row.power) == np.ceil(n)
        if row.solved in ("fewer", "more"):
            size = smallest_detectable_difference(row.risk_control, n, n, alpha, row.power, row.solved == "fewer")
            assert size == pytest.approx(abs(row.risk_treated - row.risk_control), rel=CLOSED_FORM)


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
