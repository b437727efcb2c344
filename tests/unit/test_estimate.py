"""Estimates: derivations checked by hand or by perturbation, and the whole estimator against simulated truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from companies import opened
from ledger_rows import sample_row
from statsmodels.stats.multitest import multipletests

from analysis.design.lottery import build_lottery
from analysis.estimate.change import regression_adjusted
from analysis.estimate.inference import adjusted_p, wald
from analysis.estimate.lottery import itt_curves, offer
from analysis.estimate.verdict import adjust, verdict
from analysis.measure.employment import OTHER_EXIT, exit_outcome
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Estimated, Finding


def test_an_exit_of_unknown_kind_is_never_silently_voluntary():
    assert exit_outcome(pd.Series(["voluntary", None, "retirement"])).tolist() == [
        "voluntary_exit",
        OTHER_EXIT,
        OTHER_EXIT,
    ]


@pytest.mark.parametrize("method", ["holm", "fdr_bh"])
def test_adjusted_p_values_equal_those_of_statsmodels(method):
    several = np.random.default_rng(4).beta(0.3, 1, (200, 9))
    several[:, 3] = several[:, 5]  # ties
    for p in [*several, several[0, :1], np.array([0.04, 0.9, 0.04])]:
        assert adjusted_p(p, method) == pytest.approx(multipletests(p, method=method)[1], rel=1e-12)


def test_regression_adjustment_equals_predicting_the_treated_from_a_regression_among_comparators():
    rng = np.random.default_rng(3)
    n = 300
    cell, treated, x = rng.integers(0, 3, n), rng.random(n) < 0.3, rng.normal(size=(n, 2))
    y, weights = x @ [0.5, -0.2] + 0.3 * treated + rng.normal(size=n), np.where(treated, 1.0, rng.uniform(0.2, 3, n))
    design = np.column_stack([np.eye(3)[cell], x])
    fitted = sm.WLS(y[~treated], design[~treated], weights=weights[~treated]).fit()
    expected = (y[treated] - fitted.predict(design[treated])).mean()
    found = regression_adjusted(y, treated, cell, x, weights, np.arange(n))
    assert found.interval.estimate == pytest.approx(expected)
    left_out = [
        regression_adjusted(
            *(v[np.arange(n) != i] for v in (y, treated, cell, x, weights)), np.arange(n - 1)
        ).interval.estimate
        for i in range(n)
    ]
    jackknife = np.sqrt((n - 1) / n * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    assert found.interval.std_error == pytest.approx(jackknife, rel=0.03)


def test_people_who_recur_make_the_interval_wider():
    rng = np.random.default_rng(5)
    person, n = np.repeat(np.arange(80), 3), 240
    treated, y = np.repeat(rng.random(80) < 0.4, 3), np.repeat(rng.normal(size=80), 3) + 0.1 * rng.normal(size=240)
    flat = (treated, np.zeros(n, dtype=int), np.zeros((n, 0)), np.ones(n))
    alone, clustered = (regression_adjusted(y, *flat, c).interval.std_error for c in (np.arange(n), person))
    assert clustered > 1.5 * alone


def test_lottery_curves_end_in_the_main_row():
    company, _ = opened("curves", "larkfield", 900)
    lottery = build_lottery(company.tables, company.study, company.study.programs[0], "mentor", {})
    event = (lottery.rows["outcome"] == "voluntary_exit") & (lottery.rows["months"] <= 12)
    comparison = offer(lottery.rows, event.to_numpy(), 12)
    curve = itt_curves(lottery.rows, ("voluntary_exit",), 12).set_index(["arm", "months"])["cumulative_incidence"]
    assert curve["treated", 12] == pytest.approx(comparison.risk_treated)
    assert curve["control", 12] == pytest.approx(comparison.risk_control)
    assert curve["treated", 0] == curve["control", 0] == 0


# Verdicts and families

H1 = load_plan().hypothesis("H1_retention")


def estimate(value: float, low: float, high: float, p: float = 0.01, **changes) -> Estimated:
    numbers = {"estimate": value, "std_error": 0.01, "ci_low": low, "ci_high": high, "p_value": p}
    return sample_row(**numbers | {"n_treated": 50, "n_control": 90} | changes)


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (-0.06, -0.10, -0.02, "supported"),
        (-0.02, -0.025, -0.015, "negligible"),
        (-0.02, -0.04, -0.005, "inconclusive"),
        (0.01, -0.02, 0.04, "no_benefit"),
        (-0.01, -0.05, 0.03, "inconclusive"),
        (0.05, 0.01, 0.09, "harmful"),
    ],
)
def test_the_verdict_comes_from_the_interval_and_the_smallest_effect(value, low, high, said):
    assert verdict(estimate(value, low, high, p_adjusted=0.01), H1, 0.03).verdict == said


def finding(p: float, **changes) -> Finding:
    return Finding(
        hypothesis="H1_retention",
        program="genius",
        role="mentor",
        smallest_effect=0.03,
        verdict="inconclusive",
        primary=estimate(-0.05, -0.1, 0.0, p, **changes),
    )


def test_holm_is_over_the_rows_that_are_shown():
    found = adjust([finding(0.01), finding(0.04), finding(0.001, n_treated=4)], min_cell=10)
    assert [f.primary.p_adjusted for f in found] == [pytest.approx(0.02), pytest.approx(0.04), None]


def test_the_estimate_follows_a_strong_true_effect():
    """The true effects of eight lotteries lie, on average, where intention-to-treat finds them."""
    errors = []
    for i in range(8):
        company, truth = opened(f"draw-{i}", "larkfield", 1500)
        lottery = build_lottery(company.tables, company.study, company.study.programs[0], "mentor", {})
        left = (lottery.rows["outcome"] == "voluntary_exit") & (lottery.rows["months"] <= 24)
        comparison = offer(lottery.rows, left.to_numpy(), 24)
        known = truth.query("hypothesis == 'H1_retention' and role == 'mentor' and horizon_months == 24")["truth"].iloc[
            0
        ]
        assert known < -0.03, "the scenario has an effect to be found"
        errors.append(comparison.risk_treated - comparison.risk_control - known)
    assert abs(np.mean(errors)) < 3 * np.std(errors, ddof=1) / np.sqrt(len(errors))


def test_secondary_hypotheses_are_adjusted_among_themselves_by_benjamini_and_hochberg():
    secondary = [replace(finding(p), hypothesis="H8_promotion") for p in (0.01, 0.04, 0.03)]
    found = adjust([*secondary, finding(0.02)], min_cell=10)
    assert [f.primary.p_adjusted for f in found] == pytest.approx([0.03, 0.04, 0.04, 0.02])


def test_wald_uses_student_for_few_clusters():
    assert wald(1.0, 0.5, df=5).high - 1 == pytest.approx(2.5706 * 0.5, rel=1e-4)
