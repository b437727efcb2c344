"""Retention: derivations checked by perturbation, by resampling and by hand, and the whole against simulated truth."""

from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from companies import opened
from scipy import stats

from analysis.design.covariates import impute
from analysis.design.follow_up import follow_up, grown, until_job_event
from analysis.design.propensity import att_weights, fit_propensity, newton, start_log_odds
from analysis.design.references import ever_vs_never
from analysis.design.trials import Trials, build_trials
from analysis.design.weights import (
    ModelledFollowUp,
    WeightedFollowUp,
    WeightModel,
    as_followed,
    interval_weights,
    trimmed,
    weigh,
)
from analysis.estimate.arms import Arms, default_clusters
from analysis.estimate.cox import hazard_ratio
from analysis.estimate.doubly_robust import difference_in_risks, doubly_robust, pseudo_values
from analysis.estimate.inference import FEW_EVENTS, Interval, minus, rubin, std_error
from analysis.estimate.moderators import effect_slope, slope_rows
from analysis.estimate.resampling import WeightedRefit, bootstrap, grouped, leave_one_out, refit_weights
from analysis.estimate.retention import days_lost, days_retained, difference
from analysis.estimate.score_interval import score_difference
from analysis.estimate.survival import aalen_johansen
from analysis.measure.employment import EXITS
from analysis.plan.hypotheses import JobEvent

RISE = JobEvent(column="job_level", change="rise")


@pytest.fixture(scope="module")
def trials() -> Trials:
    company, _ = opened("gradient", "northbank", 500)
    return trimmed(build_trials(company.tables, company.study, company.study.programs[0], "mentor", {}))


@pytest.fixture(scope="module")
def followed(trials):
    return weigh(trials, EXITS, 24)


@pytest.fixture(scope="module")
def arms(followed):
    return Arms.of(followed)


# Weights


def test_the_gradient_of_the_weights_is_their_derivative(trials):
    treated, trial = trials.rows["is_treated"].to_numpy(dtype=bool), trials.rows["trial"].to_numpy(dtype=int)
    terms = np.column_stack([trials.covariates["tenure_years"], trials.covariates["age_years"].fillna(40)])
    terms = (terms - terms.mean(axis=0)) / terms.std(axis=0)
    fit, follow = fit_propensity(terms, treated, trial), follow_up(trials, EXITS, 24.0)
    take = np.flatnonzero(~treated[follow.row])

    def estimate(beta_change: np.ndarray):
        weights = interval_weights(follow, fit.linear + fit.terms @ beta_change, treated, trial)
        return aalen_johansen(follow.entry[take], follow.exit[take], follow.outcome[take], weights[take], (1,))

    model = WeightModel(None, fit, follow, treated, trial, np.zeros(len(follow.row), dtype=bool))
    gradient = model.gradient(take, estimate(np.zeros(3)).influence(0, 12.0))
    for j, step in enumerate(1e-6 * np.eye(3)):
        up, down = (float(estimate(sign * step).risk(0, 12.0)) for sign in (1, -1))
        assert gradient[j] == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-8)


def test_comparators_weigh_as_much_as_the_treated_in_each_trial_and_grow_with_each_start_survived(trials):
    treated, trial = trials.rows["is_treated"].to_numpy(dtype=bool), trials.rows["trial"].to_numpy(dtype=int)
    fit, follow = fit_propensity(np.zeros((len(treated), 0)), treated, trial), follow_up(trials, EXITS, 24.0)
    weights = interval_weights(follow, fit.linear, treated, trial)
    at_start = follow.entry == 0
    by_trial = pd.DataFrame({"trial": trial, "treated": treated, "weight": weights[at_start]})
    sums = by_trial.groupby(["trial", "treated"])["weight"].sum().unstack()
    np.testing.assert_allclose(sums[False], sums[True])
    later = pd.Series(weights[~treated[follow.row]]).groupby(follow.row[~treated[follow.row]])
    assert (later.diff().dropna() > 0).all()


def test_intervals_of_a_comparator_tile_the_follow_up_without_gap_or_overlap(trials):
    follow = follow_up(trials, EXITS, 24.0)
    frame = pd.DataFrame({"row": follow.row, "entry": follow.entry, "exit": follow.exit})
    assert (frame["exit"] > frame["entry"]).all()
    assert frame.groupby("row")["entry"].first().eq(0).all()
    np.testing.assert_allclose(
        frame["entry"].to_numpy()[1:][follow.row[1:] == follow.row[:-1]],
        frame["exit"].to_numpy()[:-1][follow.row[1:] == follow.row[:-1]],
    )
    ends = frame.groupby("row")["exit"].last().to_numpy()
    np.testing.assert_allclose(ends, trials.rows["months"].clip(upper=24.0))


def test_coarser_cuts_of_the_follow_up_hardly_move_the_estimate(trials, monkeypatch):
    exact = difference(Arms.of(weigh(trials, EXITS, 12)), "any_exit", 12)
    n_exact = len(follow_up(trials, EXITS, 24.0).row)
    monkeypatch.setattr("analysis.design.follow_up.MOST_CUTS", 4)
    # The same trials would be followed as they were before.
    coarse = difference(Arms.of(weigh(replace(trials), EXITS, 12)), "any_exit", 12)
    assert len(follow_up(trials, EXITS, 24.0).row) < n_exact / 2
    assert coarse.estimate == pytest.approx(exact.estimate, abs=0.1 * exact.std_error)
    assert coarse.estimate != exact.estimate


def test_cut_weights_do_not_move_and_stay_below_their_quantile(trials, followed):
    cut = weigh(trials, EXITS, 24, largest_quantile=0.9)
    of_control = ~cut.treated[cut.row]
    largest = np.quantile(followed.weights[of_control], 0.9)
    assert cut.weights[of_control].max() == pytest.approx(largest)
    np.testing.assert_allclose(cut.weights, np.where(of_control, np.minimum(followed.weights, largest), 1.0))
    is_cut = np.flatnonzero(cut.model.is_cut)
    assert len(is_cut) and not cut.model.gradient(is_cut, np.ones(len(is_cut))).any()


def test_who_is_trimmed_is_counted_and_a_trial_without_an_arm_goes(trials):
    """A bound that some people are above: they leave, the flow says how many, numbers of trials stay dense."""
    chance = weigh(trials, EXITS, 12).model.propensity.probability
    bound = float(np.quantile(chance[trials.rows["is_treated"].to_numpy(dtype=bool)], 0.5))
    kept = trimmed(trials, bound)
    flow = kept.flow.set_index("step")["n_people"]
    lost = trials.rows["is_treated"].sum() - kept.rows["is_treated"].sum()
    assert 0 < lost == flow["no colleague nearly as likely to start"]
    assert flow["analysed"] == kept.rows["is_treated"].sum()
    assert flow["started"] == flow.iloc[1:].sum()
    assert kept.rows.groupby("trial")["is_treated"].nunique().eq(2).all()
    assert sorted(kept.rows["trial"].unique()) == list(range(kept.rows["trial"].nunique()))
    assert len(kept.covariates) == len(kept.rows)


# Estimates by hand


def eight_people() -> pd.DataFrame:
    gone = ["voluntary_exit", None, None, None, "voluntary_exit", "voluntary_exit", "involuntary_exit", None]
    return pd.DataFrame(
        {
            "employee_id": [f"E{i}" for i in range(8)],
            "is_treated": [True] * 4 + [False] * 4,
            "months": [3.0, 24, 24, 24, 2, 5, 8, 24],
            "outcome": gone,
        }
    )


def test_without_censoring_risks_are_plain_proportions_and_days_plain_means():
    arms = Arms.of(as_followed(eight_people(), EXITS, 12))
    assert arms.treated.risk("voluntary_exit", 12) == pytest.approx(1 / 4)
    assert arms.control.risk("voluntary_exit", 12) == pytest.approx(2 / 4)
    assert arms.control.risk("any_exit", 12) == pytest.approx(3 / 4)
    assert arms.n_events("voluntary_exit", 12) == (1, 2)
    days = 365.25 / 12
    lost = days_lost(arms, "voluntary_exit", 12)
    assert lost.estimate == pytest.approx(days * (9 / 4 - (10 + 7) / 4))
    assert days_retained(arms, 12).estimate == pytest.approx(days * ((3 + 36) / 4 - (2 + 5 + 8 + 12) / 4))


def test_days_have_the_error_of_plain_means_and_with_few_exits_a_score_interval():
    def days_of(copies: int) -> Interval:
        rows = pd.concat([eight_people()] * copies, ignore_index=True).assign(employee_id=np.arange(8 * copies))
        return days_lost(Arms.of(as_followed(rows, EXITS, 12)), "voluntary_exit", 12)

    # The variance of each arm's mean, with the factor n/(n − 1) for all clusters together.
    values, days = [np.array([9, 0, 0, 0]), np.array([10, 7, 0, 0])], 365.25 / 12
    many, few = days_of(10), days_of(9)
    assert many.std_error == pytest.approx(days * np.sqrt(sum(v.var() / 40 for v in values) * 80 / 79))
    assert many.high - many.estimate == pytest.approx(1.959964 * many.std_error)
    # One of four loses 9 of 12 months; of the others one 10 and one 7. c = E[X²] / E[X] over both arms alike.
    shares = [v / 12 for v in values]
    c = sum(np.mean(x**2) for x in shares) / sum(x.mean() for x in shares)
    means = [x.mean() / c for x in shares]
    sizes = [min(m * (1 - m) * c**2 / (x.var() / 36 * 72 / 71), 36) for m, x in zip(means, shares, strict=True)]
    expected = score_difference(means[0], sizes[0], means[1], sizes[1])
    for found, read in ((few.low, expected.low), (few.high, expected.high), (few.std_error, expected.std_error)):
        assert found == pytest.approx(12 * days * c * read)
    assert few.p_value == pytest.approx(expected.p_value)


def test_an_exit_without_delay_and_one_at_the_horizon_both_count():
    rows = eight_people().assign(months=[12.0, 24, 24, 24, 12.01, 24, 24, 24])
    arms = Arms.of(as_followed(rows, EXITS, 24))
    assert arms.n_events("voluntary_exit", 12) == (1, 0)
    assert arms.treated.risk("voluntary_exit", 12) == pytest.approx(1 / 4)
    assert arms.control.risk("voluntary_exit", 12) == 0


def test_a_promotion_is_the_first_rise_after_time_zero_and_before_the_end_of_follow_up():
    zero = pd.Timestamp("2022-01-10")
    rows = pd.DataFrame(
        {
            "employee_id": list("ABCDEF"),
            "trial_date": zero,
            "job_level": [2.0] * 6,
            "months": [24.0, 24, 24, 5, 24, 24],
            "outcome": [None, None, None, "voluntary_exit", None, None],
        }
    )
    jobs = pd.DataFrame(
        [
            ("A", "2021-05-01", 1), ("A", "2022-01-10", 3), ("A", "2023-01-09", 4),  # that very day: decided before
            ("B", "2022-06-01", 1), ("B", "2022-12-01", 2),  # down and back is no rise above time zero
            ("C", "2022-07-10", 3), ("C", "2023-07-10", 4),  # the first rise counts
            ("D", "2022-08-01", 3),  # after the exit
            ("E", "2023-01-10", 3),  # twelve months later: outside a horizon of twelve
        ],
        columns=["employee_id", "effective_date", "job_level"],
    ).assign(effective_date=lambda j: pd.to_datetime(j["effective_date"]))  # fmt: skip
    found = until_job_event(rows, jobs, "trial_date", RISE, "promotion")
    assert found["outcome"].astype(object).where(found["outcome"].notna(), None).tolist() == [
        "promotion", None, "promotion", "voluntary_exit", "promotion", None,
    ]  # fmt: skip
    assert found["months"].tolist()[1] == 24 and found["months"].tolist()[3] == 5
    assert found["months"][0] == pytest.approx(12.0)
    assert found["months"][2] == pytest.approx(6 + 1 / 31)
    assert found["months"][4] > 12


# Estimates by resampling


def test_pseudo_values_average_to_the_risk(followed, arms):
    values = pseudo_values(followed, arms, "any_exit", 12)
    for arm, chosen in ((arms.treated, followed.treated), (arms.control, ~followed.treated)):
        mean = np.average(values[chosen], weights=followed.base[chosen])
        assert mean == pytest.approx(arm.risk("any_exit", 12))


def test_recounting_everybody_once_gives_the_main_estimate(followed, arms):
    recount = WeightedRefit(followed, ("voluntary_exit",), 12)
    once, without_others = recount.differences(np.column_stack([np.ones(len(followed.rows)), followed.treated]))
    assert once == pytest.approx(difference_in_risks(arms, "voluntary_exit", 12), abs=1e-9)
    assert np.isnan(without_others)


def test_weights_of_many_draws_at_once_are_those_of_refits_one_by_one(trials):
    """Groups left out, and people drawn with replacement, with trials that lose an arm among them."""
    random = np.random.default_rng(5)
    for followed in (weigh(trials, EXITS, 24), weigh(trials, EXITS, 24, largest_quantile=0.9)):
        codes = default_clusters(followed)
        n, model, follow = codes.max() + 1, followed.model, followed.model.follow
        left_out = (grouped(codes, random, n_groups=20)[:, None] != np.arange(20)).astype(float)
        drawn = random.multinomial(n, np.full(n, 1 / n), 20).T[codes].astype(float)
        for counts in np.hstack([left_out, drawn]).T:
            offset = start_log_odds(model.treated.astype(float), model.trial, counts)[model.trial]
            rows = np.flatnonzero((counts > 0) & np.isfinite(offset))
            part = model.treated[rows], np.unique(model.trial[rows], return_inverse=True)[1]
            fit = fit_propensity(model.propensity.terms[rows, 1:], *part, counts=counts[rows])
            base = np.zeros(len(counts))
            linear = offset + model.propensity.terms @ fit.coefficients
            base[rows] = att_weights(fit.linear, *part, counts[rows])
            weights = grown(follow, base, np.exp(linear), model.treated)
            if model.largest_quantile < 1:
                of_control = ~model.treated[follow.row] & (weights > 0)
                largest = np.quantile(weights[of_control], model.largest_quantile)
                weights = np.where(of_control, np.minimum(weights, largest), weights)
            expected, found = weights * counts[follow.row], refit_weights(followed, counts[:, None])[:, 0]
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-9)
            risks = [risk_difference(followed, each) for each in (found, expected)]
            assert risks[0] == pytest.approx(risks[1], abs=1e-6)


def risk_difference(followed: WeightedFollowUp, weights: np.ndarray) -> float:
    risks = []
    for arm in (followed.treated, ~followed.treated):
        take = np.flatnonzero(arm[followed.row])
        intervals = (getattr(followed, name)[take] for name in ("entry", "exit", "outcome"))
        risks.append(float(aalen_johansen(*intervals, weights[take], (1,)).risk(0, 12.0)))
    return risks[0] - risks[1]


def test_counting_people_twice_equals_having_them_twice(trials, followed):
    """Integer counts are copies: the same estimate from rows that really are there twice."""
    codes = default_clusters(followed)
    counts = 1.0 + (np.random.default_rng(1).random(codes.max() + 1) < 0.4)[codes]
    found = WeightedRefit(followed, ("voluntary_exit",), 12).differences(counts[:, None])[0]
    extra = np.flatnonzero(counts == 2)
    model, follow = followed.model, followed.model.follow
    rows = np.concatenate([np.arange(len(codes)), extra])
    x, treated, trial = model.propensity.terms[rows], model.treated[rows], model.trial[rows]
    y, ones = treated.astype(float), np.ones(len(rows))
    offset = start_log_odds(y, trial, ones)[trial]
    linear = offset + x @ newton(x, y, offset, ones, np.zeros(x.shape[1]))
    base = att_weights(linear, treated, trial)[: len(codes)]
    weights = interval_weights(follow, linear[: len(codes)], model.treated, model.trial)
    plain = att_weights(linear[: len(codes)], model.treated, model.trial)
    weights = counts[follow.row] * weights / plain[follow.row] * base[follow.row]
    assert found == pytest.approx(risk_difference(followed, weights), abs=1e-6)


def test_the_bootstrap_agrees_with_the_influence_functions(followed, arms):
    recount = WeightedRefit(followed, EXITS, 12)
    draws = bootstrap(recount, default_clusters(followed), np.random.default_rng(2), n=200)
    error = difference(arms, "any_exit", 12).std_error
    # 200 draws know a standard error to 5 %; trials that lose an arm in a draw add some.
    assert np.nanstd(draws, ddof=1) == pytest.approx(error, rel=0.25)


def test_the_jackknife_leaves_groups_out_in_earnest(followed, arms):
    found = Arms.jackknifed(followed, np.random.default_rng(3), n_groups=40)
    assert found.df == 39
    assert found.treated.risk("voluntary_exit", 12) == arms.treated.risk("voluntary_exit", 12)
    groups = grouped(arms.clusters.codes, np.random.default_rng(3), n_groups=40)
    without = leave_one_out(WeightedRefit(followed, ("voluntary_exit",), 12), groups)
    variance = 39 / 40 * np.sum((without - without.mean()) ** 2)
    assert error(found) == pytest.approx(np.sqrt(variance), rel=1e-6)
    # Forty random groups know a standard error to 11 %.
    assert error(found) == pytest.approx(error(arms), rel=0.35)


def error(arms: Arms) -> float:
    treated, control = (arm.risk_influence("voluntary_exit", 12) for arm in (arms.treated, arms.control))
    return std_error(treated - control)


def test_another_way_to_weigh_has_the_error_of_the_main_jackknife(followed):
    main = Arms.jackknifed(followed, np.random.default_rng(3), n_groups=40)
    # The same way again: the comparators' error is the jackknife's, that of the treated exact.
    same = main.another(followed, None, "voluntary_exit", 12)
    of = [std_error(arms.control.risk_influence("voluntary_exit", 12)) for arms in (main, same, Arms.of(followed))]
    assert of[1] == pytest.approx(of[0], rel=1e-9) and of[0] != pytest.approx(of[2], rel=1e-3)
    exact = [std_error(arms.treated.risk_influence("voluntary_exit", 12)) for arms in (same, Arms.of(followed))]
    assert exact[0] == pytest.approx(exact[1], rel=1e-9)
    assert same.df == main.df and np.isinf(same.score_df)
    # Another way, all weights cut at half: its own influence functions, stretched alike.
    cut = replace(followed, weights=np.minimum(followed.weights, np.median(followed.weights)))
    stretched, plain = main.another(cut, None, "voluntary_exit", 12), Arms.of(cut)
    of_cut = [std_error(arms.control.risk_influence("voluntary_exit", 12)) for arms in (stretched, plain)]
    assert of_cut[0] / of_cut[1] == pytest.approx(of[0] / of[2], rel=1e-9)
    assert stretched.control.risk("voluntary_exit", 12) == plain.control.risk("voluntary_exit", 12)


@pytest.mark.parametrize(("month", "near"), [(12, 0.2), (24, 0.05)])
def test_the_jackknife_of_the_hazard_ratio_steps_to_where_a_refit_ends(followed, month, near):
    # Most of the comparators' exits are taken away, so that the ratio is far from 1.
    left = followed.treated[followed.row] | (np.random.default_rng(1).random(len(followed.row)) < 0.25)
    followed = replace(followed, outcome=np.where(left, followed.outcome, 0))
    found = Arms.jackknifed(followed, np.random.default_rng(3), n_groups=10)
    groups = grouped(found.clusters.codes, np.random.default_rng(3), n_groups=10)
    refitted = []
    for group in range(10):
        weights = refit_weights(followed, (groups != group).astype(float)[:, None])[:, 0]
        kept = weights > 0
        parts = (getattr(followed, name)[kept] for name in ("row", "entry", "exit", "outcome"))
        without = WeightedFollowUp(followed.rows, EXITS, 24, *parts, weights[kept])
        refitted.append(np.log(hazard_ratio(without, Arms.of(without), "any_exit", month).estimate))
    found = hazard_ratio(followed, found, "any_exit", month)
    spread = np.sqrt(9 / 10 * np.sum((refitted - np.mean(refitted)) ** 2))
    assert found.std_error == pytest.approx(spread, rel=near)
    plain = hazard_ratio(followed, Arms.of(followed), "any_exit", month)
    assert found.estimate == pytest.approx(plain.estimate, rel=1e-12)


@pytest.mark.filterwarnings("error")
def test_a_hazard_ratio_that_hangs_on_one_group_of_people_has_no_bounds(followed):
    groups = grouped(default_clusters(followed), np.random.default_rng(3), n_groups=10)
    followed = replace(followed, outcome=np.where(groups[followed.row] == 0, followed.outcome, 0))
    found = Arms.jackknifed(followed, np.random.default_rng(3), n_groups=10)
    ratio = hazard_ratio(followed, found, "any_exit", 24)
    assert (ratio.low, ratio.high, ratio.p_value) == (0.0, np.inf, 1.0) and 0 < ratio.estimate < np.inf


def test_the_doubly_robust_error_is_that_of_leaving_groups_out(followed):
    arms = Arms.jackknifed(followed, np.random.default_rng(3), n_groups=10)
    groups = grouped(arms.clusters.codes, np.random.default_rng(3), n_groups=10)
    covariates = followed.model.matrix.values  # noqa: PD011 (no frame)
    base = followed.at_start(refit_weights(followed, (groups != 4).astype(float)[:, None])[:, 0])
    means = [np.average(covariates[a], axis=0, weights=base[a]) for a in (followed.treated, ~followed.treated)]
    left = means[0] - means[1]
    np.testing.assert_allclose(arms.jackknife.imbalance[4], left)
    assert min(arms.n_events("any_exit", 24)) >= FEW_EVENTS
    found, plain = (doubly_robust(followed, a, "any_exit", 24) for a in (arms, Arms.of(followed)))
    assert found.estimate == pytest.approx(plain.estimate)
    assert found.std_error == pytest.approx(plain.std_error, rel=0.5)
    assert found.std_error != pytest.approx(difference(arms, "any_exit", 24).std_error, rel=1e-6)


def test_with_few_exits_the_doubly_robust_interval_is_the_plain_one_moved(followed):
    arms = Arms.of(followed)
    assert min(arms.n_events("other_exit", 12)) < FEW_EVENTS
    plain, found = difference(arms, "other_exit", 12), doubly_robust(followed, arms, "other_exit", 12)
    moved = found.estimate - plain.estimate
    assert moved != 0 and found.low - plain.low == pytest.approx(moved) == found.high - plain.high


def test_where_nobody_can_be_left_out_the_influence_functions_serve(trials):
    """One treated person: without his group no trial has both arms."""
    first = trials.rows.index[trials.rows["is_treated"].astype(bool)][0]
    one_day = trials.rows["trial"] == trials.rows.loc[first, "trial"]
    chosen = (one_day & (~trials.rows["is_treated"].astype(bool) | (trials.rows.index == first))).to_numpy()
    followed = weigh(trials.take(chosen), EXITS, 12)
    n_groups = 1
    found = Arms.jackknifed(followed, np.random.default_rng(1), n_groups=n_groups)
    assert found.df == np.inf
    assert error(found) == error(Arms.of(followed))


def test_groups_by_lot_are_of_equal_size_and_keep_a_persons_rows_together():
    clusters = np.repeat(np.arange(25), 3)
    groups = grouped(clusters, np.random.default_rng(1), n_groups=10)
    assert pd.Series(groups).groupby(clusters).nunique().eq(1).all()
    assert pd.Series(groups[::3]).value_counts().between(2, 3).all() and groups.max() == 9
    assert grouped(clusters, np.random.default_rng(1), n_groups=100).max() == 24


def test_leaving_a_group_out_equals_estimating_without_it(trials, followed):
    groups = np.where(followed.rows["unit"] == followed.rows["unit"].iloc[0], 0, -1)
    found = leave_one_out(WeightedRefit(followed, ("voluntary_exit",), 12), groups)
    terms = followed.model.propensity.terms[:, 1:]
    kept = trials.take(groups == -1)
    treated, trial = kept.rows["is_treated"].to_numpy(dtype=bool), kept.rows["trial"].to_numpy(dtype=int)
    alive = trials.rows["trial"].isin(trials.rows.loc[groups == -1].groupby("trial").filter(
        lambda t: t["is_treated"].nunique() == 2)["trial"])  # fmt: skip
    fit = fit_propensity(terms[(groups == -1) & alive.to_numpy()], treated, trial)
    follow = follow_up(kept, EXITS, 24.0)
    weights = interval_weights(follow, fit.linear, treated, trial)
    risks = []
    for arm in (treated, ~treated):
        take = np.flatnonzero(arm[follow.row])
        curves = aalen_johansen(follow.entry[take], follow.exit[take], follow.outcome[take], weights[take], (1,))
        risks.append(float(curves.risk(0, 12.0)))
    # The rows that went are no longer cut points of those who stay: the weights differ by what one cut adds.
    assert found[0] == pytest.approx(risks[0] - risks[1], abs=2e-3)


def test_doubly_robust_repairs_what_wrong_weights_leave():
    """Weights from half of the confounders; the regression among comparators knows all of them."""
    errors = {"weights": [], "both": []}
    rng = np.random.default_rng(8)
    for _ in range(30):
        n = 1500
        x = rng.normal(size=n)
        treated = rng.random(n) < 1 / (1 + np.exp(1.5 - x))
        left = rng.random(n) < np.clip(0.3 + 0.12 * x, 0.01, 0.99)
        rows = pd.DataFrame(
            {
                "trial": 0,
                "trial_date": pd.Timestamp("2022-01-03"),
                "employee_id": [f"E{i}" for i in range(n)],
                "is_treated": treated,
                "unit": "A",
                "months": np.where(left, 6.0, 24.0),
                "outcome": np.where(left, "voluntary_exit", None),
            }
        )
        flow = pd.DataFrame({"step": ["started"], "n_people": [treated.sum()]})
        right = weigh(Trials(rows, pd.DataFrame({"performance_rating": x}), flow, False), EXITS, 12)
        equal = replace(right, weights=np.where(treated, 1.0, treated.mean() / (1 - treated.mean())))
        arms = Arms.of(without_model(equal))
        errors["weights"].append(difference_in_risks(arms, "voluntary_exit", 12))
        errors["both"].append(doubly_robust(equal, arms, "voluntary_exit", 12).estimate)
    assert np.mean(errors["weights"]) > 0.08
    assert abs(np.mean(errors["both"])) < 3 * np.std(errors["both"], ddof=1) / np.sqrt(30)


def without_model(followed: ModelledFollowUp) -> WeightedFollowUp:
    """Return the same follow-up, its weights taken as known."""
    return WeightedFollowUp(**{each.name: getattr(followed, each.name) for each in fields(WeightedFollowUp)})


def test_the_standard_error_of_the_hazard_ratio_counts_the_estimated_weights(followed, arms):
    found = hazard_ratio(followed, arms, "any_exit", 24)
    fixed = without_model(followed)
    without = hazard_ratio(fixed, Arms.of(fixed), "any_exit", 24)
    assert found.estimate == pytest.approx(without.estimate)
    assert found.std_error != pytest.approx(without.std_error, rel=1e-3)


def test_the_slope_of_the_effect_is_found():
    """The program keeps the old and not the young: 2 points more with every year."""
    rng, n = np.random.default_rng(4), 20_000
    age, treated = rng.uniform(20, 60, n), rng.random(n) < 0.5
    risk = 0.5 - np.where(treated, 0.01 * (age - 40), 0.0)
    left = rng.random(n) < risk
    rows = pd.DataFrame(
        {
            "employee_id": np.arange(n).astype(str),
            "is_treated": treated,
            "months": np.where(left, 6.0, 24.0),
            "outcome": np.where(left, "voluntary_exit", None),
        }
    )
    followed = as_followed(rows, EXITS, 12)
    found = effect_slope(followed, Arms.of(followed), age / 10, "voluntary_exit", 12)
    assert found.low < -0.1 < found.high
    assert found.std_error < 0.01


@pytest.mark.parametrize("whose", ["everybody", "the treated"])
def test_where_an_arm_has_one_value_there_is_no_slope_and_no_fault(whose):
    """Everybody was hired on one day, or all who started were."""
    treated = np.arange(80) < 40
    rows = pd.DataFrame(
        {
            "employee_id": np.arange(80).astype(str),
            "is_treated": treated,
            "months": np.where(np.arange(80) % 2, 6.0, 24.0),
            "outcome": np.where(np.arange(80) % 2, "voluntary_exit", None),
        }
    )
    years = np.where(treated if whose == "the treated" else np.ones(80, dtype=bool), 3.3, np.arange(80) / 7)
    followed = as_followed(rows, EXITS, 12)
    covariates = pd.DataFrame({"age_years": np.full(80, np.nan), "tenure_years": years})
    trials = SimpleNamespace(covariates=covariates)
    context = SimpleNamespace(
        trials=trials, followed=followed, fixed_arms=Arms.of(followed), outcome="voluntary_exit", first=12
    )
    assert list(slope_rows(context)) == []


# Missing values


def test_imputed_numbers_keep_the_relation_that_the_known_ones_show():
    rng, n = np.random.default_rng(9), 4000
    level = rng.integers(1, 5, n).astype(float)
    morale = 2 + 0.4 * level + 0.5 * rng.normal(size=n)
    seen = rng.random(n) < 1 / (1 + np.exp(2 - level))  # the higher the level, the more often known
    covariates = pd.DataFrame({"job_level": level, "morale_last": np.where(seen, morale, np.nan), "location": "A"})
    found = impute(covariates, np.zeros((n, 1)), np.random.default_rng(1))
    assert found["morale_last"].notna().all()
    assert found.loc[seen, "morale_last"].equals(covariates.loc[seen, "morale_last"])
    assert found["morale_last"].mean() == pytest.approx(morale.mean(), abs=0.05)
    assert covariates["morale_last"].mean() > morale.mean() + 0.1, "those who are known are others"
    slope, _ = np.polyfit(level[~seen], found["morale_last"][~seen], 1)
    assert slope == pytest.approx(0.4, abs=0.06)
    assert found["morale_last"][~seen].std() == pytest.approx(morale[~seen].std(), rel=0.1)


def test_a_difference_of_two_estimates_keeps_their_asymmetry():
    found = minus(Interval(-0.05, 0.0, -0.09, 0.00, 0.0), Interval(0.01, 0.0, -0.02, 0.09, 0.0))
    assert found.estimate == pytest.approx(-0.06)
    assert found.low == pytest.approx(-0.06 - np.hypot(0.04, 0.08))
    assert found.high == pytest.approx(-0.06 + np.hypot(0.05, 0.03))


def test_rubins_rules_by_hand():
    found = rubin([Interval(1.0, 0.3, 0, 0, 0), Interval(1.4, 0.4, 0, 0, 0), Interval(1.2, 0.5, 0, 0, 0)])
    within, between = (0.09 + 0.16 + 0.25) / 3, 0.04
    total = within + 4 / 3 * between
    df = 2 * (total / (4 / 3 * between)) ** 2
    assert found.estimate == pytest.approx(1.2)
    assert found.std_error == pytest.approx(np.sqrt(total))
    assert found.high - 1.2 == pytest.approx(stats.t.ppf(0.975, df) * np.sqrt(total))


# Simulated truth: a fast look at what the simulation study proves at length


@pytest.fixture(scope="module")
def null_worlds() -> pd.DataFrame:
    """Twelve companies whose program does nothing, but whose people leave fast and volunteer selectively."""
    rows = []
    for i in range(12):
        company, _ = opened(f"null-{i}", "northbank", 900, no_effect=True)
        program = company.study.programs[0]
        trials = build_trials(company.tables, company.study, program, "mentor", {})
        ever = ever_vs_never(company.tables, company.study, program, "mentor")
        naive = difference(Arms.of(as_followed(ever, EXITS, 12)), "voluntary_exit", 12)
        primary = difference(Arms.of(weigh(trials, EXITS, 12)), "voluntary_exit", 12)
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
