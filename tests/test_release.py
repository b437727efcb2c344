"""Nothing about a small group leaves."""

import numpy as np
import pandas as pd
import pytest

from analysis.plan.results import Check, Estimate, Finding
from analysis.release.counts import release_counts
from analysis.release.disclosure import (
    release_curves,
    release_estimate,
    release_finding,
    release_flow,
    release_frame,
    release_quarters,
)

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


# --- counts that stand beside one another


def told(*rows: Estimate) -> list[tuple]:
    """Return what is told of each row: both groups, both counts of events."""
    return [(r.n_treated, r.n_control, r.events_treated, r.events_control) for r in release_counts(rows, 10)]


def sensitivity(**changes) -> Estimate:
    return estimate(**({"analysis": "sensitivity", "estimator": "iptw_aalen_johansen_trimmed"} | changes))


def test_a_stricter_analysis_does_not_tell_how_few_it_left_out():
    main, stricter = told(estimate(), sensitivity(n_treated=37, events_treated=11))
    assert main == (40, 300, 12, 90), "the main row stays as it is"
    assert stricter == (40, 300, None, 90), "three people are left out, and nobody can tell whether one of them left"


def test_a_group_that_differs_by_min_cell_people_is_told():
    assert told(estimate(), sensitivity(n_treated=30, events_treated=None))[1][0] == 30
    assert told(estimate(), sensitivity(n_treated=31, events_treated=None))[1][0] == 40


def test_groups_of_two_sensitivity_rows_are_not_subtracted_either():
    sizes = [r[0] for r in told(estimate(n_treated=80), sensitivity(n_treated=60), sensitivity(n_treated=56))]
    assert sizes == [80, 60, 60]


@pytest.mark.parametrize("contrast", ["reverse_vs_traditional", "placebo_start_vs_not", "more_vs_fewer_sessions"])
def test_other_people_are_counted_as_they_are(contrast):
    assert told(estimate(), sensitivity(contrast=contrast, n_treated=37, n_control=295))[1][:2] == (37, 295)


def test_the_few_who_left_between_two_horizons_do_not_follow_by_subtraction():
    later = [told(estimate(), sensitivity(horizon_months=24, events_treated=n))[1][2] for n in (12, 15, 22)]
    assert later == [12, None, 22]


def test_the_few_dismissed_do_not_follow_from_all_exits_less_the_voluntary_ones():
    every = sensitivity(outcome="any_exit", events_treated=15, events_control=120)
    assert told(estimate(), every)[1][2:] == (None, 120)


def test_the_one_kind_that_is_masked_is_not_what_remains_of_all_exits():
    kinds = [
        sensitivity(outcome="any_exit", events_treated=40, events_control=120),
        sensitivity(outcome="other_exit", events_treated=24, events_control=15),
        sensitivity(outcome="involuntary_exit", events_treated=None, events_control=15),
    ]
    assert [r[2:] for r in told(estimate(), *kinds)] == [(12, 90), (None, 120), (24, 15), (None, 15)]


def test_exits_that_do_not_lie_within_one_another_are_told():
    """Voluntary exits within 24 months and all within 12 differ by few, and nothing follows from it."""
    rows = [
        estimate(events_treated=12),
        sensitivity(horizon_months=24, events_treated=30),
        sensitivity(outcome="any_exit", events_treated=26),
    ]
    assert [r[2] for r in told(*rows)] == [12, 30, 26]


def test_a_finding_is_released_with_counts_that_cannot_be_subtracted():
    found = Finding(
        hypothesis="H1_retention",
        program="genius",
        role="mentor",
        primary=estimate(),
        alternatives=(sensitivity(n_treated=37),),
        verdict="inconclusive",
        smallest_effect=0.03,
    )
    assert release_finding(found, 10).alternatives[0].n_treated == 40


# --- frames


def by_kind(treated: dict[str, list[int]]) -> pd.DataFrame:
    arms = [
        pd.DataFrame(
            {"outcome": kind, "arm": "treated", "months": range(len(events)), "n_events": [float(e) for e in events]}
        )
        for kind, events in treated.items()
    ]
    shape = {"ci_low": 0.0, "ci_high": 0.5, "n_at_risk": 100}
    return pd.concat(arms, ignore_index=True).assign(cumulative_incidence=lambda f: f["n_events"] / 135, **shape)


def test_each_kind_of_exit_is_counted_by_itself():
    """Counted on from the voluntary ones, ten dismissals would never be reached, or be reached too early."""
    curves = by_kind({"involuntary_exit": [0, 5, 12], "other_exit": [0, 9, 11]})
    released = release_curves(curves, 10)
    shown = released[released["cumulative_incidence"].notna()].groupby("outcome")["months"].agg(list).to_dict()
    assert shown == {"involuntary_exit": [0, 2], "other_exit": [0, 2]}


def test_a_kind_of_exit_that_few_took_shows_its_beginning_alone():
    found = Finding(
        hypothesis="H1_retention",
        program="genius",
        role="mentor",
        primary=estimate(),
        verdict="inconclusive",
        smallest_effect=0.03,
        evidence={"curves_by_kind": by_kind({"involuntary_exit": [0, 3, 9], "other_exit": [0, 10, 30]})},
    )
    released = release_finding(found, 10).evidence["curves_by_kind"]
    assert released["cumulative_incidence"].notna().tolist() == [True, False, False, True, True, True]
    assert "n_events" not in released


def test_few_people_with_a_gap_are_not_counted():
    gaps = pd.DataFrame({"covariate": ["rating", "team"], "n_treated": [9, 0], "n_control": [76, 10]})
    released = release_frame(gaps, 10)
    assert released["n_treated"].isna().tolist() == [True, False] and released["n_control"].tolist() == [76, 10]


def quarters(n_treated: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "quarter": [f"2022Q{i + 1}" for i in range(len(n_treated))],
            "n_treated": n_treated,
            "n_control": 200,
            "worst_before": 0.5,
            "worst_after": 0.05,
            "covariate": "tenure_years",
        }
    )


@pytest.mark.parametrize(
    ("n_treated", "shown"),
    [
        ([30, 20, 0, 12], [True, True, True, True]),
        ([30, 20, 9, 12], [True, True, False, False]),
        ([30, 20, 6, 7], [True, True, False, False]),
        ([40, 3], [False, False]),
    ],
)
def test_a_quarter_of_few_starts_says_nothing_and_does_not_follow_from_the_others(n_treated, shown):
    released = release_quarters(quarters(n_treated), 10)
    for column in ("n_treated", "n_control", "worst_before", "worst_after", "covariate"):
        assert released[column].notna().tolist() == shown
    assert released["quarter"].tolist() == quarters(n_treated)["quarter"].tolist()


def test_the_reason_of_a_small_groups_row_is_hidden_with_its_numbers():
    frame = pd.DataFrame(
        {"wave": [1, 2], "n_people": [4, 40], "alpha": [None, None], "reason": ["said alike", "few items"]}
    )
    shown = release_frame(frame.astype({"alpha": float}), 10)
    assert shown["reason"].isna().tolist() == [True, False]
