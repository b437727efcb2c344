"""The simulation study: a fast look at two of its worlds, and its committed results held against the bars."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulations.one_study import N_BOOTSTRAPPED, estimates_of
from simulations.summary import passes, summarize
from simulations.table import BEGIN, END, LADDER, committed_results, tables
from simulations.worlds import WORLDS, World

# The main rows of trials, and of lotteries.
MAIN = ("iptw_aalen_johansen", "stratified_difference_in_proportions")

FOLDER = Path(__file__).parents[1] / "simulations"
PRIMARY = {"lottery": "stratified_difference_in_proportions"}
# Where part of the bias is left in a company of this size.
THIN_OVERLAP = {"null-long-grace", "null-strong-selection"}
# Studies beyond the committed ones, so that these few are no subset of what the README tells.
FIRST_NEW, N_NEW = 1_000, 12


def world(name: str) -> World:
    return next(w for w in WORLDS if w.name == name)


def fast(name: str) -> pd.DataFrame:
    made = [estimates_of(world(name), FIRST_NEW + i) for i in range(N_NEW)]
    return summarize(pd.concat(made, ignore_index=True)).set_index(["estimator", "measure", "horizon_months"])


@pytest.fixture(scope="module")
def selected() -> pd.DataFrame:
    return fast("null-selected")


@pytest.fixture(scope="module")
def protective() -> pd.DataFrame:
    return fast("protective-unselected")


def test_where_the_program_does_nothing_the_estimate_is_nothing_and_the_naive_figure_is_not(selected):
    primary, naive = (selected.loc[(e, "risk_difference", 12)] for e in ("iptw_aalen_johansen", "naive_ever_vs_never"))
    assert primary["n_estimated"] == naive["n_estimated"] == N_NEW
    assert abs(primary["bias"]) < 4 * primary["mc_error_of_bias"]
    assert naive["bias"] < -4 * naive["mc_error_of_bias"]
    assert primary["coverage"] >= 9 / N_NEW > naive["coverage"]


def test_an_effect_that_is_there_is_found(protective):
    for horizon in (12, 24):
        primary = protective.loc[("iptw_aalen_johansen", "risk_difference", horizon)]
        assert primary["truth_mean"] < -0.03
        assert abs(primary["bias"]) < 4 * primary["mc_error_of_bias"]
        assert primary["mean_estimate"] < -3 * primary["mc_error_of_bias"]
        assert primary["coverage"] >= 9 / N_NEW


def test_estimated_standard_errors_are_as_large_as_the_spread_of_the_estimates(selected, protective):
    for found in (selected, protective):
        primary = found.loc[("iptw_aalen_johansen", "risk_difference", 12)]
        assert 0.6 < primary["mean_std_error"] / primary["empirical_sd"] < 1.7


def line(**changes) -> dict:
    """Return a row of results that is just within the bars, but for the changes."""
    good = {"bias": 0.0, "empirical_sd": 1.0, "mc_error_of_bias": 0.03, "coverage": 0.95, "n_estimated": 500}
    return good | changes


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"bias": 0.099}, True),
        ({"bias": -0.101}, False),
        ({"bias": 0.101, "mc_error_of_bias": 0.04}, True),
        ({"coverage": 0.922}, True),
        ({"coverage": 0.920}, False),
        ({"coverage": 0.980}, False),
        ({"coverage": 0.980, "n_estimated": 100}, True),
    ],
)
def test_the_bars_are_those_of_the_methods_note(changes, passed):
    assert passes(line(**changes)) is passed


def test_a_summary_counts_what_it_says():
    rows = pd.DataFrame(
        {
            "scenario": "null-selected",
            "number": range(4),
            "estimator": "iptw_aalen_johansen",
            "measure": "risk_difference",
            "horizon_months": 12,
            "status": ["estimated"] * 3 + ["suppressed"],
            "n_treated": [20, 20, 20, None],
            "truth": 0.0,
            "estimate": [0.1, -0.2, 0.4, None],
            "std_error": [0.1, 0.1, 0.1, None],
            "ci_low": [-0.1, -0.4, 0.2, None],
            "ci_high": [0.3, 0.0, 0.6, None],
            "p_value": [0.3, 0.05, 0.001, None],
        }
    )
    found = summarize(rows).iloc[0]
    assert (found["n_studies"], found["n_estimated"]) == (4, 3)
    assert found["bias"] == pytest.approx(0.1)
    assert found["empirical_sd"] == pytest.approx(0.3)
    assert found["mc_error_of_bias"] == pytest.approx(0.3 / np.sqrt(3))
    assert found["coverage"] == pytest.approx(2 / 3)
    assert found["false_positives"] == pytest.approx(1 / 3)
    assert found["p_below_05"] == pytest.approx(1 / 3), "a p-value of exactly .05 is not below it"
    assert found["first_estimate"] == 0.1
    assert pd.isna(found["passes_bar"]), "three studies say too little"


# The committed results


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return committed_results()


def test_no_scenario_is_missing(results):
    assert set(results["scenario"]) == {w.name for w in WORLDS}


def test_every_scenario_has_its_studies(results):
    bootstrapped = results["estimator"].str.endswith("_bootstrap")
    main = results["estimator"].isin(MAIN) & (results["measure"] == "risk_difference")
    assert (results.loc[main, "n_studies"] >= 500).all() and set(results.loc[main, "scenario"]) == {
        w.name for w in WORLDS
    }
    # Where the main row is refused, as where the odds of a lottery plainly differ, nothing stands beside it.
    estimated = results[main].groupby("scenario")["n_estimated"].min()
    others = results[~bootstrapped & ~main]
    assert (others["n_studies"] >= np.minimum(500, others["scenario"].map(estimated))).all()
    assert (results.loc[bootstrapped, "n_studies"] >= N_BOOTSTRAPPED).all()
    for name in results["scenario"].unique():
        main = PRIMARY.get(name.partition("-")[2], "iptw_aalen_johansen")
        rows = results[(results["scenario"] == name) & (results["measure"] == "risk_difference")]
        assert {12, 24} == set(rows.loc[rows["estimator"] == main, "horizon_months"]), name
        assert rows["estimator"].str.startswith("naive").any(), name


def test_the_results_keep_the_assumptions_that_the_worlds_state(results):
    stated = results["scenario"].map({w.name: w.assumptions_hold for w in WORLDS})
    assert (results["assumptions_hold"] == (stated & ~results["estimator"].str.startswith("naive"))).all()
    assert (results["is_null"] == results["scenario"].map({w.name: w.is_null for w in WORLDS})).all()


def test_what_is_said_to_pass_passes(results):
    known = results[results["passes_bar"].notna()]
    assert len(known) >= 8 * results["scenario"].nunique()
    said = known["passes_bar"].astype(str) == "True"
    assert said.tolist() == [passes(row) for row in known.to_dict("records")]


def test_the_readme_tells_the_results(results):
    written = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert written.partition(BEGIN)[2].partition(END)[0].strip() == tables(results).strip()


def test_on_the_ladder_the_first_rung_is_biased_and_the_last_is_not(results):
    rows = results[results["is_null"] & (results["horizon_months"] == 12) & (results["measure"] == "risk_difference")]
    standing = [w.name for w in WORLDS if w.is_null and w.assumptions_hold and not w.name.endswith("lottery")]
    by_rung = rows.set_index(["scenario", "estimator"])
    not_zero = set()
    for name in standing:
        first, last = by_rung.loc[(name, LADDER[0])], by_rung.loc[(name, LADDER[-1])]
        assert first["bias"] < -10 * first["mc_error_of_bias"], name
        assert abs(last["bias"]) < abs(first["bias"]) / 9, name
        if abs(last["bias"]) > 3 * last["mc_error_of_bias"]:
            not_zero.add(name)
    # A new one would be a fault, one less an improvement; the README says what these are.
    assert not_zero == THIN_OVERLAP
    told = (FOLDER / "README.md").read_text(encoding="utf-8").partition(BEGIN)[0]
    assert all(f"`{name}`" in told for name in THIN_OVERLAP)
