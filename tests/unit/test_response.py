"""Who answers: the flow of an invented company, and the weights for those who were asked and stayed silent."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from analysis.design.propensity import PRIOR_SD
from analysis.design.response import (
    CUT_AT,
    Asked,
    asked_of,
    chance_and_weights,
    response_balance,
    response_flow,
    response_weights,
    with_response,
)
from analysis.estimate.change import regression_adjusted
from analysis.estimate.nonresponse import (
    comparator_weights,
    covariance,
    degrees_of_freedom,
    once,
    response_weighted_change,
    silent_sensitivity,
    without_groups,
)
from analysis.plan.probability import rng

DAY = pd.Timestamp
WAVES = pd.DataFrame({"wave": [1, 2], "opens": [DAY("2022-03-01"), DAY("2022-09-01")]})


def company() -> SimpleNamespace:
    """Return eight people at two waves: E1 to E4 start between them, E5 to E8 do not.

    E2 left in June, E6 on the day the second wave opened; E3 stays silent; E4 answers too few items to be scored; E7
    has no earlier score; E8 left in July by the books and answered in September.
    """
    ids = [f"E{i}" for i in range(1, 9)]
    exits = {"E2": DAY("2022-06-30"), "E6": DAY("2022-09-01"), "E8": DAY("2022-07-31")}
    return SimpleNamespace(
        employees=pd.DataFrame(
            {"employee_id": ids, "hire_date": DAY("2019-01-01"), "exit_date": [exits.get(i, pd.NaT) for i in ids]}
        ),
        answered=pd.DataFrame({"employee_id": ["E1", "E4", "E5", "E7", "E8"], "wave": 2}),
        rows=pd.DataFrame(
            {
                "cell": 0,
                "wave_before": 1,
                "wave_after": 2,
                "wave_position": 1,
                "employee_id": ids,
                "is_treated": [True] * 4 + [False] * 4,
                "unit": ["finance", "finance", "sales", None] * 2,
                "before": [3.0, 2.0, 4.0, 3.5, 3.0, 2.5, np.nan, 4.0],
                "after": [4.0, np.nan, np.nan, np.nan, 3.5, np.nan, 3.0, 4.5],
            }
        ),
    )


def answering(c: SimpleNamespace) -> pd.DataFrame:
    return with_response(c.rows, c.employees, WAVES, c.answered)


def test_whoever_had_left_was_not_invited_and_whoever_answered_was():
    rows = answering(company()).set_index("employee_id")
    assert rows.index[~rows["is_invited"]].tolist() == ["E2"]
    assert rows.index[rows["is_answered"]].tolist() == ["E1", "E4", "E5", "E7", "E8"]
    assert rows.index[rows["is_scored"]].tolist() == ["E1", "E5", "E7", "E8"]


def test_without_employment_data_nobody_is_seen_to_leave():
    c = company()
    assert with_response(c.rows, None, WAVES, c.answered)["is_invited"].all()


def test_the_waves_of_two_instruments_are_not_mixed():
    c = company()
    with pytest.raises(ValueError, match="listed twice"):
        with_response(c.rows, c.employees, pd.concat([WAVES, WAVES]), c.answered)


def test_the_flow_counts_everybody_once():
    flow = response_flow(answering(company())).set_index("arm")
    told = ["n_people", "n_invited", "n_answered", "n_scored", "n_paired"]
    assert flow.loc["treated", told].tolist() == [4, 3, 2, 1, 1]
    assert flow.loc["control", told].tolist() == [4, 4, 3, 3, 2]


def test_whoever_is_compared_twice_at_a_wave_is_counted_once():
    rows = answering(company())
    twice = pd.concat([rows, rows.assign(cell=1, before=np.nan)], ignore_index=True)
    pd.testing.assert_frame_equal(response_flow(twice), response_flow(rows))


def test_each_step_of_the_flow_holds_the_next():
    draw = rng("flow")
    n = 400
    rows = pd.DataFrame(
        {
            "employee_id": np.arange(n),
            "wave_after": draw.integers(2, 5, n),
            "is_treated": draw.random(n) < 0.4,
            "before": np.where(draw.random(n) < 0.7, 3.0, np.nan),
            "is_invited": draw.random(n) < 0.8,
        }
    )
    rows["is_answered"] = rows["is_invited"] & (draw.random(n) < 0.6)
    rows["is_scored"] = rows["is_answered"] & (draw.random(n) < 0.9)
    flow = response_flow(rows)
    assert len(flow) == 6 and flow["n_people"].sum() == n
    steps = flow[["n_people", "n_invited", "n_answered", "n_scored", "n_paired"]].to_numpy()
    assert (np.diff(steps) < 0).all()
    assert steps[:, 3].sum() == rows["is_scored"].sum()


def test_without_a_lottery_those_with_an_earlier_score_are_compared_by_their_change():
    asked = asked_of(answering(company()), np.zeros((8, 0)))
    assert asked.position.tolist() == [0, 1, 2, 3, 4, 5, 7], "E7 has no earlier score"
    np.testing.assert_allclose(asked.y, [1, np.nan, np.nan, np.nan, 0.5, np.nan, 0.5])
    assert asked.terms.shape == (7, 0) and asked.known.shape[0] == 7


def test_under_a_lottery_all_who_drew_are_compared_by_the_later_score():
    asked = asked_of(answering(company()), np.zeros((8, 0)), is_randomized=True)
    np.testing.assert_allclose(asked.y, [4, np.nan, np.nan, np.nan, 3.5, np.nan, 3, 4.5])
    assert asked.terms.shape == (8, 2), "the earlier score, and whether it is missing"
    assert asked.terms[6, 0] == pytest.approx(0), "a missing score becomes the mean"


def test_clusters_are_people_or_units():
    rows = answering(company())
    assert len(set(asked_of(rows, np.zeros((8, 0))).cluster)) == 7
    assert len(set(asked_of(rows, np.zeros((8, 0)), by_unit=True).cluster)) == 3, "finance, sales, none"


def test_a_cell_without_comparators_is_left_out():
    rows = answering(company()).assign(cell=[0, 0, 0, 1, 0, 0, 0, 0])
    assert asked_of(rows, np.zeros((8, 0))).position.tolist() == [0, 1, 2, 4, 5, 7]
    none = asked_of(rows[rows["is_treated"]], np.zeros((4, 0)))
    assert len(none.y) == 0 and response_weighted_change(none, rng("none")) is None


def survey(seed: int, n: int = 500) -> Asked:
    """Return an invented survey of two cells, nobody gone, the dissatisfied comparators answering less."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 2))
    treated = draw.random(n) < 1 / (1 + np.exp(1 - 0.5 * x[:, 0]))
    before = 3 + 0.7 * draw.normal(size=n)
    chance = 1 / (1 + np.exp(-(0.4 + np.where(treated, 0, 1.2) * (before - 3) + 0.5 * x[:, 1])))
    after = before * 0.5 + 1.6 + 0.3 * treated + 0.4 * draw.normal(size=n)
    rows = pd.DataFrame({"employee_id": np.arange(n), "is_treated": treated, "unit": None, "before": before})
    rows["after"] = np.where(draw.random(n) < chance, after, np.nan)
    rows = rows.assign(cell=draw.integers(0, 2, n), wave_position=1, is_invited=True)
    return asked_of(rows, (x - x.mean(axis=0)) / x.std(axis=0))


def test_the_chance_to_answer_is_where_the_penalized_likelihood_written_out_is_largest():
    asked = survey(1)
    arm, z = asked.treated.astype(float), asked.known
    x = np.column_stack([np.ones(len(arm)), asked.cell == 0, asked.cell == 1, arm, arm * z[:, 0], z])
    y = asked.is_scored

    def loss(beta):
        linear = x @ beta
        return -(y * linear - np.logaddexp(0, linear)).sum() + (beta[1:] ** 2).sum() / (2 * PRIOR_SD**2)

    found = optimize.minimize(loss, np.zeros(x.shape[1]), method="BFGS", options={"gtol": 1e-7})
    np.testing.assert_allclose(response_weights(asked).probability, 1 / (1 + np.exp(-x @ found.x)), rtol=1e-5)


def test_weights_are_the_arms_share_over_the_chance_and_the_largest_are_cut():
    asked = survey(2)
    found, scored = response_weights(asked), asked.is_scored
    share = np.where(asked.treated, scored[asked.treated].mean(), scored[~asked.treated].mean())
    raw = (share / found.probability)[scored]
    np.testing.assert_allclose(found.weights[scored], np.minimum(raw, np.quantile(raw, CUT_AT)))
    assert (found.weights[~scored] == 0).all()
    assert found.n_cut == (raw > np.quantile(raw, CUT_AT)).sum() > 0
    assert found.weights[scored].mean() == pytest.approx(1, abs=0.05)


def test_where_everybody_answers_every_weight_is_one():
    asked = survey(3)
    found = response_weights(asked.take(asked.is_scored))
    assert (found.weights == 1).all() and (found.probability == 1).all() and found.n_cut == 0


def test_without_the_only_silent_one_nothing_is_fitted():
    """A group left out, or a bootstrap sample, may hold nobody who is silent, or nobody who is not."""
    asked = survey(3, n=60)
    asked = asked.take(asked.is_scored | (np.arange(60) == np.flatnonzero(~asked.is_scored)[0]))
    silent = ~asked.is_scored
    counts = np.column_stack([np.ones(len(silent)), ~silent, silent]).astype(float)
    chance, weights, _ = chance_and_weights(asked, counts)
    assert silent.sum() == 1 and (chance[:, 0] < 1).all() and (chance[:, 1:] == 1).all()
    assert (weights[~silent, 1] == 1).all() and (weights[silent] == 0).all()


def test_weighted_answers_resemble_those_invited_and_plain_ones_do_not():
    asked = survey(4, n=3000)
    found = response_balance(pd.DataFrame({"before": asked.before}), asked, response_weights(asked).weights)
    control = found.set_index("arm").loc["control"]
    assert control["mean_invited"] == pytest.approx(asked.before[~asked.treated].mean())
    assert control["mean_scored"] == pytest.approx(asked.before[~asked.treated & asked.is_scored].mean())
    assert control["smd_before"] > 0.15 > 0.05 > abs(control["smd_after"])
    assert (found["smd_after"].abs() < 0.05).all()


def test_with_everybody_scored_the_difference_is_that_of_the_doubly_robust_estimator():
    asked = survey(6)
    asked = asked.take(asked.is_scored)
    rows = (asked.y, asked.treated, asked.cell, asked.terms, comparator_weights(asked, once(asked))[:, 0])
    expected = regression_adjusted(*rows, np.arange(len(asked.y))).interval
    found = response_weighted_change(asked, rng("all answer"))
    assert found.estimate == pytest.approx(expected.estimate, abs=1e-10)
    assert found.std_error == pytest.approx(expected.std_error, rel=0.15)


def test_the_silent_are_stood_in_for_by_prediction_and_by_what_it_missed_weighted():
    """Written out for a lottery of one cell without covariates, where the mean score of each arm is all there is."""
    asked = survey(6)
    plain = replace(asked, is_randomized=True, cell=asked.cell * 0, known=np.zeros((500, 0)), terms=np.zeros((500, 0)))
    scored = plain.is_scored
    means = [plain.y[arm & scored].mean() for arm in plain.arms]
    assert response_weighted_change(plain, rng("plain")).estimate == pytest.approx(means[0] - means[1])


def test_weights_repair_a_prediction_that_is_wrong():
    """Among many, of whom the dissatisfied comparators answer less, and whose scores bend with the earlier one."""
    draw = np.random.default_rng(11)
    before, treated = draw.normal(size=20_000), draw.random(20_000) < 0.5
    chance = 1 / (1 + np.exp(-np.where(treated, 1.0, 0.5 + before)))
    after = np.where(draw.random(20_000) < chance, before**2 + 0.3 * treated + draw.normal(size=20_000), np.nan)
    rows = pd.DataFrame({"employee_id": np.arange(20_000), "is_treated": treated, "before": before, "after": after})
    asked = asked_of(rows.assign(cell=0, unit=None, is_invited=True), np.zeros((20_000, 0)), is_randomized=True)
    asked = replace(asked, cluster=asked.person % 20)
    predicted = silent_sensitivity(asked, 0.1, np.zeros(1), rng("bent")).at_zero
    weighted = response_weighted_change(asked, rng("bent"))
    assert abs(predicted.estimate - 0.3) > 5 * predicted.std_error
    assert abs(weighted.estimate - 0.3) < 2 * weighted.std_error


def test_leaving_out_one_by_one_gives_the_textbook_variance_of_a_mean():
    asked = survey(7, n=60)
    asked = asked.take(asked.is_scored)
    without = without_groups(mean_and_one, asked, rng("mean"))
    expected = asked.y.var(ddof=1) / len(asked.y)
    np.testing.assert_allclose(covariance(without), [[expected, 0], [0, 0]], rtol=1e-10, atol=1e-15)


def mean_and_one(asked: Asked, counts: np.ndarray) -> np.ndarray:
    return np.column_stack([counts.T @ asked.y / counts.sum(axis=0), np.ones(counts.shape[1])])


def test_people_in_one_cluster_are_left_out_together():
    asked = survey(8)
    pairs = replace(asked, cluster=asked.person // 10)
    left = without_groups(lambda _, counts: counts.sum(axis=0)[:, None], pairs, rng("pairs"))
    assert len(left) == 50 and set(left[:, 0]) == {490}


def test_few_treated_mean_few_degrees_of_freedom():
    asked = survey(9)
    few = replace(asked, treated=np.isin(asked.person, np.flatnonzero(asked.is_scored)[:6]))
    assert degrees_of_freedom(few) == 5
    assert degrees_of_freedom(asked, 30) == 29


def test_a_statistic_that_never_exists_has_no_jackknife():
    assert without_groups(lambda _, counts: np.full((counts.shape[1], 1), np.nan), survey(10), rng("never")) is None
