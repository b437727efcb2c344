"""Measurement invariance: lavaan's steps, what is rejected, which item is freed, and what has no answer."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.measure.factor_model import fit_factor_model, fit_measures, reference, starting_values
from analysis.measure.invariance import (
    COLUMNS,
    STEPS,
    Invariance,
    arms_model,
    invariance_across_arms,
    invariance_across_waves,
)
from analysis.measure.normal_models import sample_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
ITEMS = [f"item{i}" for i in range(1, 7)]
LOADINGS, RESIDUAL_SD = np.array([0.8, 0.7, 0.75, 0.6, 0.7]), np.array([0.6, 0.7, 0.55, 0.7, 0.65])


def fixture(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"factor_{name}.csv")


def result(data: str, case: str, n_items: int = 6) -> Invariance:
    rows = fixture(f"{data}_input").query("case == @case")
    if data == "groups":
        return invariance_across_arms(rows[ITEMS[:n_items]], rows["arm"])
    return invariance_across_waves(long(rows.drop(columns="case")))


def long(wide: pd.DataFrame) -> pd.DataFrame:
    """Return answers as `item_answers` gives them: rows (employee_id, wave), columns items, nobody's empty rows."""
    waves = sorted({name.split("_")[0] for name in wide})
    by_wave = {wave: wide.filter(regex=f"^{wave}_").set_axis(ITEMS, axis=1) for wave in waves}
    answers = pd.concat(by_wave, names=["wave", "employee_id"])
    return answers.swaplevel().dropna(how="all").sample(frac=1, random_state=1)


def two_arms(seed: int, n: int, stronger: float = 0.0, shift: float = 0.0) -> tuple[pd.DataFrame, pd.Series]:
    """Return answers of two arms that differ in the factor; the second also in two loadings, or in one intercept."""
    rng = np.random.default_rng(seed)
    arm = pd.Series(np.arange(n) % 2)
    later = arm.to_numpy() == 1
    loadings = np.where(later[:, None], LOADINGS + stronger * np.array([0, -1, 0, 1, 0]), LOADINGS)
    factor = rng.normal(0.3 * later, 1 + 0.1 * later)
    items = 3 + factor[:, None] * loadings + rng.normal(size=(n, 5)) * RESIDUAL_SD
    items[later, 2] += shift
    return pd.DataFrame(items, columns=ITEMS[:5]), arm


CASES = [
    (data, case) for data in ("groups", "waves2", "waves3") for case in ("invariant", "metric", "scalar", "missing")
]


@pytest.mark.parametrize(("data", "case"), [*CASES, ("groups", "three_items")])
def test_steps_and_their_differences_equal_lavaans(data, case):
    expected = fixture("fit").query("data == @data and case == @case")
    changes = fixture("difference").query("data == @data and case == @case")
    found = result(data, "invariant", 3) if case == "three_items" else result(data, case)
    steps = found.steps.iloc[:4]
    assert found.reason is None and list(steps["step"]) == list(STEPS)
    assert list(steps["df"]) == list(expected["df"]) and list(steps["n_people"]) == list(expected["n_people"])
    np.testing.assert_allclose(steps["chi2"], expected["chi2"], rtol=1e-6, atol=1e-6)
    for name in ("cfi", "rmsea", "srmr"):
        np.testing.assert_allclose(steps[name], expected[name], atol=1e-6)
        np.testing.assert_allclose(steps[f"delta_{name}"][1:], np.diff(expected[name]), atol=1e-6)
    np.testing.assert_allclose(steps["delta_chi2"][1:], changes["delta_chi2"], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(steps["delta_df"][1:], changes["delta_df"])
    np.testing.assert_allclose(steps["delta_p"][1:], changes["delta_p"], rtol=1e-4, atol=1e-12)
    assert steps.loc[0, [name for name in COLUMNS if name.startswith("delta")]].isna().all()


@pytest.mark.parametrize("data", ["groups", "waves2", "waves3"])
def test_what_was_made_different_is_what_does_not_hold(data):
    for case, failed in (("invariant", None), ("metric", "metric"), ("scalar", "scalar")):
        full = result(data, case).steps.query("freed_item.isna()").set_index("step")["holds"]
        after = STEPS.index(failed) if failed else len(STEPS)
        assert list(full) == [i < after for i in range(len(STEPS))], case


@pytest.mark.parametrize("data", ["groups", "waves2", "waves3", "missing"])
def test_the_item_whose_intercept_moved_is_freed_and_then_the_scale_holds(data):
    steps = result("waves3", "missing").steps if data == "missing" else result(data, "scalar").steps
    partial = steps[steps["freed_item"].notna()]
    assert list(partial["step"]) == ["scalar", "residual"]
    assert set(partial["freed_item"]) == {"item3"} and partial["holds"].all()
    free, full = partial["df"].to_numpy(), steps["df"].to_numpy()[2:4]
    occasions = {"groups": 2, "waves2": 2}.get(data, 3)
    assert list(full - free) == [occasions - 1, 2 * (occasions - 1)], "intercept, then its residual variance as well"


def test_partial_steps_equal_lavaans():
    expected = fixture("fit").query("case == 'item3_free'")
    partial = result("groups", "scalar").steps.query("freed_item.notna()")
    for name in ("chi2", "df", "cfi", "rmsea", "srmr"):
        np.testing.assert_allclose(partial[name], expected[name], rtol=1e-6, atol=1e-6)


def test_an_item_with_its_own_loading_keeps_its_own_intercept_in_later_steps():
    steps = result("groups", "metric").steps
    partial = steps[steps["freed_item"].notna()]
    assert list(partial["step"]) == ["metric", "scalar", "residual"]
    assert set(partial["freed_item"]) <= {"item2", "item5"}
    assert list(steps["df"].to_numpy()[1:4] - partial["df"].to_numpy()) == [1, 2, 3]
    assert not partial["holds"].any(), "the other loading differs as well"


def test_two_loadings_that_differ_are_rejected_by_several_hundred_in_large_data():
    metric = invariance_across_arms(*two_arms(1, 5000, stronger=0.3)).steps.iloc[1]
    assert metric["delta_df"] == 4 and metric["delta_chi2"] > 200 and metric["delta_p"] < 1e-40
    assert not metric["holds"]


def test_a_trifle_among_thousands_is_rejected_by_the_test_and_still_holds():
    scalar = invariance_across_arms(*two_arms(2, 20_000, shift=0.08)).steps.iloc[2]
    assert not scalar["holds_by_chi2"] and scalar["holds_by_chen"] and scalar["holds"]


def test_chance_among_few_moves_cfi_and_still_holds():
    """Chen's cut-off alone would reject some of twenty small invariant scales that the test does not."""
    steps = [invariance_across_arms(*two_arms(seed, 90)).steps.iloc[1] for seed in range(20)]
    by_chance = [step for step in steps if step["holds_by_chi2"] and not step["holds_by_chen"]]
    assert by_chance and all(step["holds"] for step in by_chance)


@pytest.mark.parametrize(("stronger", "rate", "replications"), [(0.0, 0.05, 200), (0.3, 1.0, 30)])
def test_the_metric_test_rejects_at_its_level_and_finds_two_loadings(stronger, rate, replications):
    models = [arms_model(np.full(5, level), 2) for level in (0, 1)]
    rejected = 0
    for seed in range(replications):
        answers, arm = two_arms(1000 + seed, 300, stronger)
        samples = [sample_of(rows.to_numpy()) for _, rows in answers.groupby(arm)]
        to = reference(samples)
        fits = [fit_factor_model(model, samples, starting_values(model, to.saturated)) for model in models]
        assert all(fit.converged for fit in fits)
        free, equal = (fit_measures(fit, samples, to).chi2 for fit in fits)
        # The upper 5 % of χ² with 4 degrees of freedom.
        rejected += equal - free > 9.487729
    noise = 3 * np.sqrt(rate * (1 - rate) / replications) if stronger == 0 else 0.1
    assert abs(rejected / replications - rate) <= noise


def test_three_arms_have_twice_the_degrees_of_freedom():
    answers, arm = two_arms(3, 300)
    steps = invariance_across_arms(answers, arm + (answers.index < 100)).steps
    assert list(steps["delta_df"][1:4]) == [8, 8, 10]


def test_three_items_on_two_waves_have_five_degrees_of_freedom():
    rows = fixture("waves2_input").query("case == 'invariant'").drop(columns="case")
    steps = invariance_across_waves(long(rows)[ITEMS[:3]]).steps
    assert list(steps["df"]) == [5, 7, 9, 12]


def test_a_configural_model_that_fits_badly_fails_and_everything_after_it():
    """Six items of two unrelated traits are no single factor."""
    rng = np.random.default_rng(8)
    traits = np.repeat(rng.normal(size=(400, 2)), 3, axis=1)
    answers = pd.DataFrame(traits + rng.normal(size=(400, 6)), columns=ITEMS)
    steps = invariance_across_arms(answers, pd.Series(np.arange(400) % 2)).steps
    assert not steps["holds"].any() and steps["freed_item"].isna().all()
    assert not steps.loc[0, "holds_by_chi2"] and not steps.loc[0, "holds_by_chen"]


def test_a_wrong_level_does_not_pass_for_a_moved_factor():
    """The factor's mean may differ between arms, all intercepts with it; one item alone may not."""
    answers, arm = two_arms(4, 400)
    together = invariance_across_arms(answers + LOADINGS * 0.5 * arm.to_numpy()[:, None], arm).steps
    alone = invariance_across_arms(answers.assign(item3=answers["item3"] + 0.5 * arm), arm).steps
    assert together.iloc[2]["holds"] and not alone.iloc[2]["holds"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda answers, arm: (answers[ITEMS[:2]], arm), "at least 3 items, the scale has 2"),
        (lambda answers, arm: (answers, arm * 0), "only one of the arms"),
        (lambda answers, arm: (answers.iloc[:10], arm[:10]), "no more people than"),
        (lambda answers, arm: (answers.assign(item4=3.0), arm), "do not vary"),
        (lambda answers, arm: (answers.assign(item4=answers["item1"] + answers["item2"]), arm), "a sum of others"),
        (
            lambda answers, arm: (answers.assign(item1=answers["item1"].where(answers.index < 100),
                                                 item2=answers["item2"].where(answers.index >= 100)), arm),
            "hardly ever answered by the same people",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_has_a_reason_and_no_number(spoil, reason):
    answers, arm = two_arms(5, 200)
    found = invariance_across_arms(*spoil(answers, arm))
    assert reason in found.reason and found.steps.empty and list(found.steps.columns) == COLUMNS


def test_a_step_without_a_maximum_ends_the_rows_and_says_so():
    answers, arm = two_arms(5, 12)
    found = invariance_across_arms(answers, arm)
    assert found.reason == "the metric model has no maximum that the search could find"
    assert list(found.steps["step"]) == ["configural"] and np.isfinite(found.steps["chi2"]).all()


def test_one_wave_has_nothing_to_compare():
    rows = fixture("waves2_input").query("case == 'invariant'").drop(columns="case")
    found = invariance_across_waves(long(rows).query("wave == 'w1'"))
    assert found.steps.empty and "only one of the waves" in found.reason


def test_no_reason_tells_of_a_count_of_people():
    rows = fixture("waves2_input").query("case == 'invariant'").drop(columns="case").head(9)
    found = invariance_across_waves(long(rows))
    assert "no more people than" in found.reason and not any(letter.isdigit() for letter in found.reason)
