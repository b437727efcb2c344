"""The scales' simulation study: a fast look at three of its worlds, and its committed results held against the bars."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulations.scales import N_STUDIES
from simulations.scales_people import ROLE, STUDY, company_of, program_of
from simulations.scales_study import OWN_CHANGE, UNADJUSTED, estimates_of
from simulations.scales_summary import passes, summarize
from simulations.scales_table import BEGIN, END, committed_results, tables
from simulations.scales_worlds import (
    ANCOVA,
    BAND,
    DID,
    HONEST,
    PARALLEL,
    PLAIN,
    PRE_TREND,
    TWFE,
    WEIGHTED,
    WORLDS,
    World,
)

from analysis.design.panels import Panels
from analysis.plan.probability import rng

FOLDER = Path(__file__).parents[1] / "simulations"
# Studies beyond the committed ones, so that these few are no subset of what the README tells.
FIRST_NEW, N_NEW = 1_000, 30
NAIVE = (PLAIN, OWN_CHANGE)
# Rows of worlds where assumptions hold that are beyond a bar: a new one would be a fault, one less an improvement.
BEYOND_A_BAR = {("positive-varied", BAND)}
# Where the main row is biased, each for a reason that the README names.
BROKEN = ("ceiling-morale", "silence-seen", "silence-now-by-arm", "leavers-now", "drift", "late-drift", "dip")


def world(name: str) -> World:
    return next(w for w in WORLDS if w.name == name)


def fast(name: str) -> pd.DataFrame:
    """Return a summary of a few studies, without the estimator that leaves people out again and again."""
    quick = replace(world(name), holds=PARALLEL)
    made = [estimates_of(quick, FIRST_NEW + i) for i in range(N_NEW)]
    return summarize(pd.concat(made, ignore_index=True)).set_index("estimator")


def least_coverage(n: int) -> float:
    return 0.95 - 4 * np.sqrt(0.95 * 0.05 / n)


@pytest.fixture(scope="module")
def null() -> pd.DataFrame:
    return fast("null-staggered")


@pytest.fixture(scope="module")
def positive() -> pd.DataFrame:
    return fast("positive-staggered")


def test_where_the_program_does_nothing_the_estimate_is_nothing_and_the_naive_figures_are_not(null):
    assert abs(null.loc[DID, "bias"]) < 4 * null.loc[DID, "mc_error_of_bias"]
    assert null.loc[DID, "excludes_zero"] <= 1 - least_coverage(N_NEW)
    for naive in NAIVE:
        assert null.loc[naive, "bias"] > 4 * null.loc[naive, "mc_error_of_bias"], naive


def test_an_effect_that_is_there_is_found(positive):
    assert positive.loc[DID, "truth_mean"] == pytest.approx(0.2)
    assert abs(positive.loc[DID, "bias"]) < 4 * positive.loc[DID, "mc_error_of_bias"]
    assert positive.loc[DID, "excludes_zero"] > 0.4


def test_intervals_band_and_bounds_hold_the_truth_and_no_trend_is_seen_where_there_is_none(null, positive):
    for found in (null, positive):
        assert (found.loc[[DID, BAND, HONEST], "coverage"] >= least_coverage(N_NEW)).all()
        assert found.loc[PRE_TREND, "p_below_05"] <= 1 - least_coverage(N_NEW)
        assert 0.7 < found.loc[DID, "mean_std_error"] / found.loc[DID, "empirical_sd"] < 1.4


def test_under_a_lottery_the_offer_is_estimated_with_those_who_never_came():
    found = fast("positive-lottery").loc[ANCOVA]
    assert 0.14 < found["truth_mean"] < 0.18, "four in five of .2"
    assert abs(found["bias"]) < 4 * found["mc_error_of_bias"]
    assert found["coverage"] >= least_coverage(N_NEW)


# The worlds are what they say


def test_a_company_is_as_its_world_says():
    staggered = world("positive-staggered")
    company = company_of(staggered, rng("scales", "a company"))
    enrolments = company.tables.enrolments
    assert enrolments["start_date"].notna().all() and enrolments["employee_id"].is_unique
    effect = company.actual - company.untreated
    started = np.isin(np.arange(staggered.n_people), enrolments["employee_id"].astype(int))
    assert set(np.unique(effect[started, -1].round(9))) == {staggered.effect}
    assert (effect[:, : min(staggered.bases)] == 0).all(), "nothing before the first start"
    assert len(company.scores) == company.is_answered.sum()
    assert not (company.is_answered & ~company.is_there).any(), "nobody answers who has left"
    panel = Panels(company.tables, STUDY, program_of(staggered), ROLE).after(company.scores)
    assert set(panel.rows["wave_position"]) == {1, 2}
    assert company.effect(panel.rows[panel.rows["is_treated"].astype(bool)]) == pytest.approx(staggered.effect)
    assert company.effect(panel.rows[~panel.rows["is_treated"].astype(bool)]) == pytest.approx(0)


def test_scores_of_items_stay_within_the_scale_and_the_truth_with_them():
    company = company_of(world("positive-ceiling"), rng("scales", "a ceiling"))
    for scores in (company.untreated, company.actual):
        assert scores.min() >= 1 and scores.max() == 5
    effect = company.actual - company.untreated
    assert effect.min() >= 0
    assert 0.05 < effect[effect.any(axis=1), -1].mean() < 0.17, "less than the .2 that there would be room for"


def test_the_same_name_makes_the_same_study():
    one, other = (estimates_of(world("null-drift"), 3) for _ in range(2))
    pd.testing.assert_frame_equal(one, other)
    assert not estimates_of(world("null-drift"), 4)["estimate"].equals(one["estimate"])


# The bars


def line(**changes) -> dict:
    """Return a row of results that is just within the bars, but for the changes."""
    good = {"estimator": DID, "is_null": True, "bias": 0.0, "empirical_sd": 1.0, "mc_error_of_bias": 0.03}
    return good | {"coverage": 0.95, "p_below_05": 0.05, "n_estimated": 500} | changes


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"bias": -0.101}, False),
        ({"coverage": 0.920}, False),
        ({"coverage": 0.980}, False),
        ({"p_below_05": 0.08}, False),
        ({"p_below_05": 0.08, "is_null": False}, True),
        ({"estimator": PRE_TREND, "coverage": np.nan, "bias": np.nan}, True),
        ({"estimator": PRE_TREND, "coverage": np.nan, "bias": np.nan, "p_below_05": 0.02}, False),
        ({"estimator": BAND, "bias": np.nan, "coverage": 0.92}, False),
        ({"estimator": HONEST, "bias": np.nan, "coverage": 1.0}, True),
        ({"estimator": HONEST, "bias": np.nan, "coverage": 0.92}, False),
    ],
)
def test_the_bars_are_those_of_the_methods_note(changes, passed):
    assert passes(line(**changes)) is passed


# The committed results


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return committed_results()


def test_no_world_is_missing_and_every_world_has_its_studies_and_estimators(results):
    assert results["scenario"].drop_duplicates().tolist() == [w.name for w in WORLDS]
    assert (results["n_studies"] == N_STUDIES).all()
    for w in WORLDS:
        of_choice = {DID, PRE_TREND, BAND, HONEST, UNADJUSTED, TWFE} | ({WEIGHTED} if w.weighs_response else set())
        made = {ANCOVA, *NAIVE} | (set() if w.is_lottery else of_choice)
        assert set(results.loc[results["scenario"] == w.name, "estimator"]) == made, w.name
    assert (results["n_estimated"] >= 0.95 * N_STUDIES).all()


def test_the_results_keep_the_assumptions_that_the_worlds_state(results):
    stated = [row.estimator in world(row.scenario).holds for row in results.itertuples()]
    assert results["assumptions_hold"].tolist() == stated
    assert results["is_null"].tolist() == [world(name).is_null for name in results["scenario"]]


def test_what_is_said_to_pass_passes(results):
    said = results["passes_bar"].astype(str) == "True"
    assert said.tolist() == [passes(row) for row in results.to_dict("records")]


def test_the_readme_tells_the_results(results):
    written = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert written.partition(BEGIN)[2].partition(END)[0].strip() == tables(results).strip()


@pytest.mark.parametrize("name", ["null-staggered", "positive-growing", "null-silence-seen", "positive-lottery"])
def test_the_committed_results_are_those_of_the_code_as_it_is(results, name):
    committed = results[results["scenario"] == name].set_index("estimator")["first_estimate"].dropna()
    again = estimates_of(world(name), 0).set_index("estimator")["estimate"]
    assert again[committed.index].to_numpy() == pytest.approx(committed.to_numpy(), abs=2e-6)


def test_what_misses_its_bar_is_named_in_words(results):
    missed = results[results["assumptions_hold"] & (results["passes_bar"].astype(str) != "True")]
    assert set(zip(missed["scenario"], missed["estimator"], strict=True)) == BEYOND_A_BAR
    told = in_words()
    assert all(f"`{name}`" in told for name, _ in BEYOND_A_BAR)


def in_words() -> str:
    """Return what the README says of the scales' failures in words."""
    written = (FOLDER / "README.md").read_text(encoding="utf-8")
    return written.partition("### What failed, and why")[2].partition(BEGIN)[0]


def test_the_main_row_holds_its_bars_wherever_its_assumptions_hold(results):
    held = results[results["assumptions_hold"] & (results["estimator"] == DID)]
    assert len(held) >= 10
    assert (held["passes_bar"].astype(str) == "True").all()


@pytest.mark.parametrize("ending", BROKEN)
def test_where_an_assumption_is_broken_the_failure_is_shown_and_named(results, ending):
    row = results.set_index(["scenario", "estimator"]).loc[(f"null-{ending}", DID)]
    assert not row["assumptions_hold"]
    assert abs(row["bias"]) > 3 * row["mc_error_of_bias"]
    assert f"`null-{ending}`" in in_words()


def test_the_test_before_the_start_sees_a_dip_seldom_a_drift_and_never_what_begins_later(results):
    seen = results[results["estimator"] == PRE_TREND].set_index("scenario")["p_below_05"]
    assert seen["null-dip"] > 0.8
    assert 0.1 < seen["null-drift"] < 0.3
    assert seen["null-late-drift"] < 0.08


def test_the_honest_bounds_cover_everywhere_and_show_nothing(results):
    bounds = results[results["estimator"] == HONEST]
    assert (bounds["coverage"] >= 0.99).all()
    assert (bounds["excludes_zero"] < 0.02).all()


@pytest.mark.parametrize("naive", [*NAIVE, TWFE])
def test_the_naive_figures_are_biased_on_the_same_data(results, naive):
    chosen = results[(results["estimator"] == naive) & ~results["assumptions_hold"]]
    chosen = chosen[~chosen["scenario"].isin(["null-ceiling-morale"] if naive == TWFE else [])]
    assert len(chosen) >= 20
    assert (chosen["bias"].abs() > 8 * chosen["mc_error_of_bias"]).all()


def test_two_way_fixed_effects_fail_where_the_effect_grows_and_only_for_that_reason(results):
    rows = results[results["estimator"] == TWFE].set_index("scenario")
    assert rows.loc["positive-growing", "bias"] < -0.2 * rows.loc["positive-growing", "truth_mean"]
    assert rows.loc["positive-growing", "coverage"] < 0.5
    assert str(rows.loc["positive-level", "passes_bar"]) == "True"
