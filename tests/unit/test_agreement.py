"""Agreement of raters, and of people with their raters: by hand, against R and by simulation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.measure.agreement import (
    ICC_COLUMNS,
    agreement,
    icc,
    self_and_others,
    self_other_agreement,
    within_group_agreement,
)
from analysis.measure.groups import NotEstimable
from analysis.plan.instruments import Response
from analysis.plan.probability import rng

FIXTURES = Path(__file__).parents[1] / "fixtures"
CLOSED_FORM = 1e-6
FIVE = Response(min=1, max=5)


def fixture(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"{name}.csv")


def rated(ratee, items, wave=1, role: str | None = None) -> pd.DataFrame:
    """Return ratings as `scales` has them: one row per ratee, wave (source) and rater, one column per item."""
    frame = pd.DataFrame(np.asarray(items, dtype=float))
    frame.columns = [f"item{j + 1}" for j in range(frame.shape[1])]
    levels = {"ratee_id": list(ratee), "wave": np.broadcast_to(wave, len(frame))}
    levels |= {"rater_role": [role] * len(frame)} if role else {}
    levels["rater"] = [f"R{i}" for i in range(len(frame))]
    return frame.set_axis(pd.MultiIndex.from_arrays(list(levels.values()), names=list(levels)))


def test_with_equal_numbers_of_raters_the_icc_and_its_exact_interval_equal_psych():
    rows, expected = fixture("icc_input"), fixture("icc_psych").set_index("type")
    found = icc(rows.drop(columns="ratee").to_numpy().ravel(), np.repeat(np.arange(40), 3))
    for name, row in (("icc1", expected.loc["ICC1"]), ("icck", expected.loc["ICC1k"])):
        limits = (found[name], found[f"{name}_low"], found[f"{name}_high"])
        np.testing.assert_allclose(limits, row[["icc", "ci_low", "ci_high"]].astype(float), rtol=CLOSED_FORM)
    tests = [found[name] for name in ("f", "df1", "df2", "p_value")]
    np.testing.assert_allclose(tests, expected.loc["ICC1", ["f", "df1", "df2", "p_value"]].astype(float), rtol=1e-6)
    assert found["k"] == pytest.approx(3)


def test_with_unequal_numbers_of_raters_the_icc_equals_r():
    rows, expected = fixture("ratings_input"), fixture("icc_unbalanced").iloc[0]
    items = rated(rows["ratee"], rows.drop(columns="ratee"))
    found = agreement(items.mean(axis="columns"), items, FIVE).iloc[0]
    np.testing.assert_allclose(
        found[ICC_COLUMNS].astype(float), expected[ICC_COLUMNS].astype(float), rtol=CLOSED_FORM, atol=1e-25
    )
    assert found["n_people"] == 40 and found["n_ratings"] == len(rows)


def test_icc_by_hand():
    """Ratings 1, 3 and 5, 7: mean squares 16 between and 2 within, so ICC(1) = 14/18 and ICC(2) = 14/16."""
    found = icc(np.array([1.0, 3, 5, 7]), np.array([0, 0, 1, 1]))
    assert found["icc1"] == pytest.approx(14 / 18) and found["icck"] == pytest.approx(14 / 16)
    assert (found["df1"], found["df2"], found["f"]) == pytest.approx((1, 2, 8))


@pytest.mark.parametrize(
    ("scores", "ratee"),
    [([1, 2, 4], [0, 0, 0]), ([1, 2, 4], [0, 1, 2]), ([1, 1, 4, 4], [0, 0, 1, 1]), ([1, 3, 1, 3], [0, 0, 1, 1])],
    ids=["one ratee", "one rater each", "raters never differ", "ratees never differ"],
)
def test_where_there_is_nothing_to_agree_on_a_reason_and_no_number(scores, ratee):
    with pytest.raises(NotEstimable):
        icc(np.array(scores, dtype=float), np.array(ratee))
    items = rated(ratee, np.array(scores)[:, None])
    found = agreement(items["item1"], items, FIVE).iloc[0]
    assert found[ICC_COLUMNS].isna().all() and found["reason"]


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7])
def test_with_unequal_numbers_of_raters_the_interval_covers_the_truth(share):
    """600 companies of 60 ratees with one rater or eight; bounds are three Monte-Carlo errors beside 95 %."""
    random, draws = rng("agreement", "coverage", share), 600
    covered, estimates = 0, []
    for _ in range(draws):
        ratee = np.repeat(np.arange(60), random.choice([1, 1, 8], 60))
        scores = random.normal(0, np.sqrt(share), 60)[ratee] + random.normal(0, np.sqrt(1 - share), len(ratee))
        found = icc(scores, ratee)
        covered += found["icc1_low"] <= share <= found["icc1_high"]
        estimates.append(found["icc1"])
    assert abs(covered / draws - 0.95) < 3 * np.sqrt(0.95 * 0.05 / draws)
    assert abs(np.mean(estimates) - share) < np.std(estimates) / 5


def test_rwg_equals_the_formula_in_r():
    rows, expected = fixture("rwg_input"), fixture("rwg")
    found = within_group_agreement(rated(rows["ratee"], rows.drop(columns="ratee")), FIVE)
    np.testing.assert_allclose(found["rwg"], expected["rwg"], rtol=CLOSED_FORM, atol=1e-12)
    assert found["n_raters"].tolist() == expected["n_raters"].tolist()
    assert found["is_set_to_zero"].tolist() == expected["is_set_to_zero"].astype(bool).tolist()
    assert found["is_set_to_zero"].sum() == 1


def test_rwg_by_hand():
    """Two items, variances ½ and ½ against 2 by chance: ratio ¼, r_wg(2) = 2·¾ / (2·¾ + ¼) = 6/7; one item gives ¾."""
    both = rated(["A", "A"], [[3, 4], [4, 5]])
    assert within_group_agreement(both, FIVE)["rwg"].tolist() == pytest.approx([6 / 7])
    assert within_group_agreement(both[["item1"]], FIVE)["rwg"].tolist() == pytest.approx([3 / 4])


def test_rwg_depends_on_the_number_of_answer_options():
    """Seven options vary by 4 by chance: ratio 1/8."""
    found = within_group_agreement(rated(["A", "A"], [[3], [4]]), Response(min=1, max=7))
    assert found["rwg"].tolist() == pytest.approx([7 / 8])


def test_rwg_needs_two_raters_and_counts_items_that_two_answered():
    items = rated(["A", "B", "B", "B"], [[3, 4], [3, 4], [4, np.nan], [np.nan, np.nan]])
    found = within_group_agreement(items, FIVE).reset_index()
    assert np.isnan(found["rwg"][0]) and found["rwg"][1] == pytest.approx(3 / 4)
    assert found["n_raters"].tolist() == [1, 2] and found["n_items"].tolist() == [0, 1]


def test_raters_who_disagree_more_than_chance_are_set_to_zero_and_told():
    items = rated(["A", "A", "B", "B"], [[1, 5], [5, 1], [3, 4], [4, 5]])
    found = agreement(items.mean(axis="columns"), items, FIVE).iloc[0]
    assert found["rwg_mean"] == pytest.approx((0 + 6 / 7) / 2) and found["rwg_share_set_to_zero"] == 0.5
    assert found["rwg_share_70"] == 0.5 and found["n_with_rwg"] == 2


def test_sources_and_waves_are_never_pooled():
    rows = fixture("ratings_input")
    part = [
        rated(rows["ratee"], rows.drop(columns="ratee"), wave, role) for wave, role in ((1, "peer"), (2, "manager"))
    ]
    items = pd.concat(part)
    found = agreement(items.mean(axis="columns"), items, FIVE)
    assert list(zip(found["wave"], found["rater_role"], strict=True)) == [(1, "peer"), (2, "manager")]
    assert (found["icc1"] == found["icc1"][0]).all() and (found["n_people"] == 40).all()


def scored(people, scores, n_raters=1, wave=1) -> pd.DataFrame:
    return pd.DataFrame({"employee_id": people, "wave": wave, "score": scores, "n_raters": n_raters})


def test_self_and_others_equal_the_paired_t_test_and_the_correlation_test():
    rows, expected = fixture("self_other_input"), fixture("self_other").iloc[0]
    people = [f"E{i:02d}" for i in range(len(rows))]
    both = self_and_others(scored(people, rows["self_score"]), scored(people, rows["others_score"], 4))
    found = self_other_agreement(both).iloc[0]
    np.testing.assert_allclose(found[list(expected.index)].astype(float), expected.astype(float), rtol=CLOSED_FORM)
    assert found["n_people"] == 60 and found["reason"] is None


def test_only_who_has_both_scores_in_a_wave_is_compared():
    own = pd.concat([scored(["A", "B"], [4.0, 3.0]), scored(["A"], [5.0], wave=2)])
    both = self_and_others(own, scored(["B", "C"], [2.5, 4.0], 3))
    assert both.to_dict("records") == [
        {"employee_id": "B", "wave": 1, "self_score": 3.0, "others_score": 2.5, "difference": 0.5, "n_raters": 3}
    ]


def test_few_pairs_or_a_constant_side_get_a_reason():
    few = self_and_others(scored(list("ABC"), [3.0, 4, 5]), scored(list("ABC"), [3.0, 3, 4]))
    flat = self_and_others(scored(list("ABCD"), [3.0, 4, 5, 4]), scored(list("ABCD"), [3.0] * 4))
    assert "four people" in self_other_agreement(few).loc[0, "reason"]
    found = self_other_agreement(flat).iloc[0]
    assert found["mean_difference"] == 1 and np.isnan(found["correlation"]) and "correlation" in found["reason"]
