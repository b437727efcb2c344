"""Estimates: derivations checked by hand or by perturbation, and the whole estimator against simulated truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from analysis.design.dashboard import ever_vs_never
from analysis.design.lottery import build_lottery
from analysis.design.trials import Trials, build_trials
from analysis.design.weights import (
    Propensity,
    WeightSlope,
    fit_propensity,
    follow_up,
    interval_weights,
)
from analysis.estimate.change import regression_adjusted
from analysis.estimate.inference import wald
from analysis.estimate.lottery import itt_curves, offer
from analysis.estimate.retention import KINDS, difference, unweighted_arms, weigh_trials
from analysis.estimate.survival import aalen_johansen
from analysis.estimate.verdict import adjust_primary, verdict
from analysis.measure.employment import OTHER_EXIT, exit_outcome
from analysis.pipeline import OpenStudy
from analysis.plan.hypotheses import load_plan
from analysis.plan.instruments import load_instruments
from analysis.plan.results import Estimate, Finding
from analysis.plan.study import Study
from analysis.simulate import scenario_named, simulate


def opened(name: str, like: str, employees: int, no_effect: bool = False) -> tuple[OpenStudy, pd.DataFrame]:
    """Return a simulated study without the detour over files, and its truth."""
    company = simulate(scenario_named(name, like=like, employees=employees, no_effect=no_effect))
    study = Study.model_validate(company.study)
    known = company.tables.employees["exit_date"] <= pd.Timestamp(study.as_of)
    employees_then = company.tables.employees.assign(
        exit_date=company.tables.employees["exit_date"].where(known),
        exit_type=company.tables.employees["exit_type"].where(known),
    )
    return OpenStudy(
        study, load_instruments(study), replace(company.tables, employees=employees_then), ()
    ), company.truth


def small_trials() -> Trials:
    company, _ = opened("gradient", "northbank", 500)
    return build_trials(company.tables, company.study, company.study.programs[0], "mentor", {})


def test_the_gradient_of_the_weights_is_their_derivative():
    trials = small_trials()
    treated, trial = trials.rows["is_treated"].to_numpy(dtype=bool), trials.rows["trial"].to_numpy(dtype=int)
    terms = np.column_stack([trials.covariates["tenure_years"], trials.covariates["age_years"].fillna(40)])
    terms = (terms - terms.mean(axis=0)) / terms.std(axis=0)
    fit, follow = fit_propensity(terms, treated, trial), follow_up(trials, KINDS, 24.0)

    def estimate(beta_change: np.ndarray):
        linear = fit.linear + fit.terms @ beta_change
        moved = Propensity(1 / (1 + np.exp(-linear)), linear, fit.inverse_information, fit.score, fit.terms)
        weights = interval_weights(follow, moved, treated, trial)
        take = np.flatnonzero(~treated[follow.row])
        return (
            take,
            aalen_johansen(
                follow.entry[take], follow.exit[take], follow.outcome[take], weights[take], np.array([12.0]), (1,)
            ),
        )

    take, at_fit = estimate(np.zeros(3))
    gradient = WeightSlope(follow, fit, treated, trial).gradient(take, at_fit.influence(0, 0))
    for j, step in enumerate(1e-6 * np.eye(3)):
        up, down = (estimate(sign * step)[1].cumulative_incidence[0, 0] for sign in (1, -1))
        assert gradient[j] == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-8)


def test_comparators_weigh_as_much_as_the_treated_in_each_trial_and_grow_with_each_start_survived():
    trials = small_trials()
    treated, trial = trials.rows["is_treated"].to_numpy(dtype=bool), trials.rows["trial"].to_numpy(dtype=int)
    fit, follow = fit_propensity(np.zeros((len(treated), 0)), treated, trial), follow_up(trials, KINDS, 24.0)
    weights = interval_weights(follow, fit, treated, trial)
    at_start = follow.entry == 0
    by_trial = pd.DataFrame({"trial": trial, "treated": treated, "weight": weights[at_start]})
    sums = by_trial.groupby(["trial", "treated"])["weight"].sum().unstack()
    np.testing.assert_allclose(sums[False], sums[True])
    later = pd.Series(weights[~treated[follow.row]]).groupby(follow.row[~treated[follow.row]])
    assert (later.diff().dropna() > 0).all()


def test_intervals_of_a_comparator_tile_the_follow_up_without_gap_or_overlap():
    trials = small_trials()
    follow = follow_up(trials, KINDS, 24.0)
    frame = pd.DataFrame({"row": follow.row, "entry": follow.entry, "exit": follow.exit})
    assert (frame["exit"] > frame["entry"]).all()
    assert frame.groupby("row")["entry"].first().eq(0).all()
    np.testing.assert_allclose(
        frame["entry"].to_numpy()[1:][follow.row[1:] == follow.row[:-1]],
        frame["exit"].to_numpy()[:-1][follow.row[1:] == follow.row[:-1]],
    )
    ends = frame.groupby("row")["exit"].last().to_numpy()
    np.testing.assert_allclose(ends, trials.rows["months"].clip(upper=24.0))


def test_coarser_cuts_of_the_follow_up_hardly_move_the_estimate(monkeypatch):
    trials = small_trials()
    exact = difference(weigh_trials(trials, 12).arms, "any_exit", 12)
    n_exact = len(follow_up(trials, KINDS, 24.0).row)
    monkeypatch.setattr("analysis.design.weights.MOST_CUTS", 4)
    coarse = difference(weigh_trials(trials, 12).arms, "any_exit", 12)
    assert len(follow_up(trials, KINDS, 24.0).row) < n_exact / 2
    assert coarse.estimate == pytest.approx(exact.estimate, abs=0.1 * exact.std_error)
    assert coarse.estimate != exact.estimate


def test_without_censoring_the_risk_is_the_plain_proportion():
    rows = pd.DataFrame(
        {
            "employee_id": [f"E{i}" for i in range(8)],
            "is_treated": [True] * 4 + [False] * 4,
            "months": [3.0, 24, 24, 24, 2, 5, 8, 24],
            "outcome": [
                "voluntary_exit",
                None,
                None,
                None,
                "voluntary_exit",
                "voluntary_exit",
                "involuntary_exit",
                None,
            ],
        }
    )
    arms = unweighted_arms(rows, 12)
    assert arms.treated.incidence["voluntary_exit"][12] == pytest.approx(1 / 4)
    assert arms.control.incidence["voluntary_exit"][12] == pytest.approx(2 / 4)
    assert arms.control.incidence["any_exit"][12] == pytest.approx(3 / 4)
    assert arms.control.events["voluntary_exit"][12] == 2


def test_an_exit_of_unknown_kind_is_never_silently_voluntary():
    assert exit_outcome(pd.Series(["voluntary", None, "retirement"])).tolist() == [
        "voluntary_exit",
        OTHER_EXIT,
        OTHER_EXIT,
    ]


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


def estimate(value: float, low: float, high: float, p: float = 0.01, **changes) -> Estimate:
    return Estimate(
        **(
            {
                "study": "acme",
                "program": "genius",
                "hypothesis": "H1_retention",
                "analysis": "primary",
                "outcome": "voluntary_exit",
                "role": "mentor",
                "contrast": "enrolled_vs_not",
                "estimand": "ATT",
                "estimator": "iptw_aalen_johansen",
                "measure": "risk_difference",
                "horizon_months": 12,
                "estimate": value,
                "std_error": 0.01,
                "ci_low": low,
                "ci_high": high,
                "ci_level": 0.95,
                "p_value": p,
                "n_treated": 50,
                "n_control": 90,
            }
            | changes
        )
    )


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (-0.06, -0.10, -0.02, "supported"),
        (-0.02, -0.025, -0.015, "not supported"),
        (-0.02, -0.04, -0.005, "inconclusive"),
        (0.01, -0.02, 0.04, "not supported"),
        (-0.01, -0.05, 0.03, "inconclusive"),
        (0.05, 0.01, 0.09, "harmful"),
    ],
)
def test_the_verdict_comes_from_the_interval_and_the_smallest_effect(value, low, high, said):
    assert verdict(estimate(value, low, high), H1, 0.03) == said


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
    found = adjust_primary([finding(0.01), finding(0.04), finding(0.001, n_treated=4)], min_cell=10)
    assert [f.primary.p_adjusted for f in found] == [pytest.approx(0.02), pytest.approx(0.04), None]


# Simulated truth: a fast look at what the simulation study proves at length


@pytest.fixture(scope="module")
def null_worlds() -> pd.DataFrame:
    """Twelve companies whose program does nothing, but whose people leave fast and volunteer selectively."""
    rows = []
    for i in range(12):
        company, _ = opened(f"null-{i}", "northbank", 900, no_effect=True)
        program = company.study.programs[0]
        trials = build_trials(company.tables, company.study, program, "mentor", {})
        dashboard = unweighted_arms(ever_vs_never(company.tables, company.study, program, "mentor"), 12)
        naive, primary = (difference(arms, "voluntary_exit", 12) for arms in (dashboard, weigh_trials(trials, 12).arms))
        rows.append(
            {
                "naive": naive.estimate,
                "naive_misses": naive.high < 0,
                "primary": primary.estimate,
                "primary_covers": primary.low <= 0 <= primary.high,
            }
        )
    return pd.DataFrame(rows)


def test_a_null_world_with_heavy_exit_comes_out_null_and_the_naive_figure_does_not(null_worlds):
    spread = null_worlds["primary"].std() / np.sqrt(len(null_worlds))
    assert abs(null_worlds["primary"].mean()) < 3 * spread
    assert null_worlds["primary_covers"].sum() >= 10
    assert null_worlds["naive"].mean() < -0.08
    assert null_worlds["naive_misses"].sum() >= 9


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


def test_wald_uses_student_for_few_clusters():
    assert wald(1.0, 0.5, df=5).high - 1 == pytest.approx(2.5706 * 0.5, rel=1e-4)
