"""Nothing about a small group leaves."""

import numpy as np
import pandas as pd
import pytest

from analysis.plan.results import Check, Estimate, Finding
from analysis.release.disclosure import release_curves, release_estimate, release_finding, release_flow, release_frame

ROW = {
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
    "estimate": -0.0512345678,
    "std_error": 0.02,
    "ci_low": -0.09,
    "ci_high": -0.01,
    "ci_level": 0.95,
    "p_value": 0.01,
    "n_treated": 40,
    "n_control": 300,
    "events_treated": 12,
    "events_control": 90,
}


def estimate(**changes) -> Estimate:
    return Estimate(**(ROW | changes))


@pytest.mark.parametrize("small", [{"n_treated": 9}, {"n_control": 9}])
def test_a_group_under_min_cell_suppresses_every_number_of_its_row(small):
    released = release_estimate(estimate(**small), 10)
    assert released.status == "suppressed" and "10" in released.reason
    numbers = [
        getattr(released, c)
        for c in (
            "estimate",
            "std_error",
            "ci_low",
            "ci_high",
            "ci_level",
            "p_value",
            "p_adjusted",
            "n_treated",
            "n_control",
            "events_treated",
            "events_control",
        )
    ]
    assert numbers == [None] * 11


def test_a_group_of_min_cell_is_shown():
    assert release_estimate(estimate(n_treated=10), 10).status == "estimated"


def test_few_events_hide_their_count_and_not_the_estimate():
    released = release_estimate(estimate(events_treated=9), 10)
    assert released.status == "estimated" and released.events_treated is None and released.events_control == 90
    assert released.estimate == -0.051235


def test_a_small_cell_takes_the_other_numbers_of_its_row_with_it():
    frame = pd.DataFrame(
        {
            "arm": ["treated"] * 3,
            "months": [0, 6, 12],
            "cumulative_incidence": [0.0, 0.1, 0.25],
            "n_at_risk": [20, 12, 9],
        }
    )
    released = release_frame(frame, 10)
    assert released["n_at_risk"].tolist()[:2] == [20, 12] and pd.isna(released.loc[2, "n_at_risk"])
    assert np.isnan(released.loc[2, "cumulative_incidence"]) and released.loc[2, "months"] == 12
    assert frame.loc[2, "n_at_risk"] == 9, "the caller's frame stays as it was"


def test_nobody_is_not_a_small_group():
    assert release_frame(pd.DataFrame({"step": ["under notice"], "n_people": [0]}), 10)["n_people"].tolist() == [0]


def test_a_suppressed_answer_takes_its_figures_and_checks_with_it():
    curves = pd.DataFrame(
        {"arm": ["control"], "months": [12], "cumulative_incidence": [0.2], "ci_low": [0.1], "ci_high": [0.3]}
        | {"n_at_risk": [300], "n_events": [60]}
    )
    flow = pd.DataFrame({"step": ["started", "analysed"], "n_people": [12, 8]})
    found = Finding(
        hypothesis="H1_retention",
        program="genius",
        role="mentor",
        primary=estimate(n_treated=8),
        checks=(Check("overlap", True, 300.0, 8.0, "300 against 8 who started"),),
        verdict="supported",
        smallest_effect=0.03,
        smallest_detectable=0.05,
        evidence={"curves": curves, "flow": flow},
    )
    released = release_finding(found, 10)
    assert released.verdict == "suppressed" and released.checks == () and released.smallest_detectable is None
    assert list(released.evidence) == ["flow"] and pd.isna(released.evidence["flow"]["n_people"][1])


STEPS = ["started", "not employed that day", "under notice", "analysed"]


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([137, 0, 12, 125], {"started": 137, "not employed that day": 0, "under notice": 12, "analysed": 125}),
        ([137, 4, 12, 121], {"started": 137, "could not be compared": 16, "analysed": 121}),
        ([137, 2, 0, 135], {"analysed": 135}),
    ],
)
def test_no_small_step_follows_from_the_others_by_subtraction(counts, told):
    released = release_flow(pd.DataFrame({"step": STEPS, "n_people": counts}), 10)
    assert dict(zip(released["step"], released["n_people"], strict=True)) == told


def test_the_number_of_items_counts_no_people():
    released = release_frame(pd.DataFrame({"wave": [1], "n_people": [80], "n_items": [5], "alpha": [0.8]}), 10)
    assert released.loc[0, "alpha"] == 0.8 and released.loc[0, "n_items"] == 5


def test_no_single_exit_can_be_read_from_a_curve():
    events = [0, 1, 4, 9, 10, 11, 19, 20, 24]
    treated = pd.DataFrame(
        {
            "arm": "treated",
            "months": range(9),
            "cumulative_incidence": [e / 135 for e in events],
            "ci_low": 0.0,
            "ci_high": 0.5,
            "n_at_risk": [135 - e for e in events],
            "n_events": [float(e) for e in events],
        }
    )
    control = treated.assign(arm="control", n_events=np.nan)
    released = release_curves(pd.concat([treated, control], ignore_index=True), 10)
    shown = released[released["cumulative_incidence"].notna()].groupby("arm")["months"].agg(list)
    assert shown["treated"] == [0, 4, 7], "ten more people have left at every point that is shown"
    assert shown["control"] == list(range(9)), "a weighted curve counts nobody"
    assert "n_events" not in released and (released["n_at_risk"] % 5 == 0).all()
