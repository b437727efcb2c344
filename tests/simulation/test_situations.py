"""The study of situations: its committed results held against the bars, and a few of them made again."""

from pathlib import Path

import pandas as pd
import pytest
from simulations.diagnostics import ANY, BAR, GRADES, RESULTS, grades, summarize
from simulations.situations.one_study import study_row, summary
from simulations.situations.registry import SITUATIONS, situation
from simulations.situations.table import BEGIN, END, LEAST_STUDIES, passes, result, table
from simulations.situations.world import Situation

FOLDER = Path(__file__).parents[1] / "simulations" / "situations"
# What misses its bar; the README says why.
MISSED = {"rolling-surveyed", "rolling-surveyed-few", "rolling-surveyed-effect"}
# Made again in a test: one of each way in which an answer is found.
AGAIN = (
    *("thirty_departments", "lottery-odds", "lottery-one-in-five-morale", "scales-graduates", "few-exits", "teams"),
    *("rollout-3-of-6", "rollout_comparators_lost"),
)


def found(**changes) -> pd.Series:
    """Return the figures of a situation that passes."""
    figures = {"n_studies": 500, "n_estimated": 500, "bias": 0.001, "sd": 0.02, "bias_mc_error": 0.001}
    return pd.Series(figures | {"coverage": 0.95} | changes)


@pytest.mark.parametrize(
    ("changes", "special", "passed"),
    [
        ({}, {}, True),
        ({"bias": 0.0031}, {}, False),
        ({"coverage": 0.929}, {}, False),
        ({"coverage": 0.99}, {}, True),
        ({"coverage": 0.99}, {"is_too_wide_a_fault": True}, False),
        ({}, {"is_refused": True}, False),
        ({"n_estimated": 5}, {"is_refused": True}, True),
    ],
)
def test_a_situation_is_held_against_its_bar(changes, special, passed):
    assert passes(Situation("one", "about", lambda draw, is_before: None, **special), found(**changes)) is passed


def test_a_summary_counts_what_it_says():
    rows = pd.DataFrame(
        {
            "status": ["estimated", "estimated", "not_estimable"],
            "truth": [0.1, 0.1, 0.1],
            "estimate": [0.2, 0.4, None],
            "std_error": [0.1, 0.1, None],
            "ci_low": [0.0, 0.2, None],
            "ci_high": [0.4, 0.6, None],
            "p_value": [0.05, 0.001, None],
        }
    )
    told = summary(rows)
    assert (told["n_studies"], told["n_estimated"], told["first_estimate"]) == (3, 2, 0.2)
    assert told["bias"] == pytest.approx(0.2)
    assert (told["coverage"], told["excludes_zero"], told["p_below_05"]) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("name", [s.name for s in SITUATIONS])
def test_every_situation_has_its_studies_and_passes_its_bar(name):
    told = result("results", situation(name))
    assert told is not None and told["n_studies"] >= LEAST_STUDIES
    assert passes(situation(name), told) is (name not in MISSED)


def test_the_readme_tells_the_results():
    written = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert written.partition(BEGIN)[2].partition(END)[0].strip() == table().strip()
    assert all(f"`{name}`" in written.partition(BEGIN)[0] for name in MISSED)


@pytest.mark.parametrize("name", AGAIN)
def test_the_committed_results_are_todays(name):
    committed = result("results", situation(name))["first_estimate"]
    assert study_row(name, False, 0)["estimate"] == pytest.approx(committed, rel=1e-4)


@pytest.mark.parametrize("world", ["scales-null-few", "null-lottery"])
def test_every_check_of_a_simulated_world_has_a_grade(world):
    lines = grades(world, 0)
    assert {"balance", ANY} <= {line["check"] for line in lines}
    assert {line["grade"] for line in lines} <= set(GRADES)


def test_failed_checks_are_counted_over_all_studies_and_held_against_the_bar():
    lines = [{"world": "w", "number": n, "check": ANY, "grade": "failed" if n < 16 else "passed"} for n in range(100)]
    told = next(summarize(lines, 100))
    assert (told["failed"], told["passed"], told["share_failed"], told["passes_bar"]) == (16, 84, 0.16, False)
    assert next(summarize(lines, 200))["passes_bar"], "checks of a hundred more studies had no answer"


def test_where_assumptions_hold_a_check_fails_in_one_of_twenty_studies_at_most():
    told = pd.read_csv(RESULTS)
    assert set(told["world"]) >= {"null-selected", "null-few-treated", "null-lottery", "null-rollout"}
    assert {"scales-null-staggered", "scales-null-few"} <= set(told["world"]), "of the scales too"
    assert (told["n_studies"] >= 200).all()
    assert (told["share_failed"] <= BAR + 3 * told["mc_error"]).all()
