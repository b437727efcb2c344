"""The shared ledger: every number of events behind it may be five numbers at least."""

import numpy as np
import pandas as pd
import pytest
from attacks import RULE, event_of_one, events_like, finding, from_difference_and_ratio, plain
from demo_answers import demo_exact

from analysis.plan.results import Check, Estimate, estimates_frame
from analysis.release.outside import NOT_SHARED, capped_rows, is_ambiguous, possible, shared_rows, step_of
from analysis.release.rule import ReleaseRule
from analysis.simulate import demo_scenarios


def shared(*rows: Estimate) -> pd.DataFrame:
    return estimates_frame(shared_rows([finding(*rows)], RULE))


@pytest.mark.parametrize(
    ("a", "b", "n1", "n0"), [(7, 60, 137, 664), (3, 9, 60, 58), (10, 12, 90, 88), (0, 30, 120, 300), (41, 44, 43, 50)]
)
def test_the_events_behind_a_shared_row_may_be_five_numbers_in_each_arm(a, b, n1, n0):
    """Found by trying all numbers of events, and all sizes that round to those shown, with the plain formula."""
    row = plain(a, b, n1, n0)
    [told] = shared(row).to_dict("records")
    if told["status"] == "suppressed":
        assert told["reason"] == NOT_SHARED and not is_ambiguous([row], RULE)
        return
    treated, control = events_like(pd.Series(told), step_of(row, RULE))
    assert a in treated and b in control and min(len(treated), len(control)) >= 5


@pytest.mark.parametrize(("a", "b", "n1", "n0"), [(0, 10, 10, 10), (10, 0, 10, 20), (9, 2, 10, 10), (10, 2, 10, 20)])
def test_a_row_whose_events_would_follow_even_from_coarse_numbers_is_suppressed(a, b, n1, n0):
    row = plain(a, b, n1, n0)
    assert min(map(len, possible(row, RULE))) < 5
    assert shared(row)["status"].tolist() == ["suppressed"]


def test_a_second_horizon_that_would_pin_the_first_is_suppressed():
    """Each alone may be shared; together they would leave fewer than five: who left by 12 months has left by 24."""
    rows = [plain(2, 20, 200, 400), plain(5, 20, 200, 400, months=24)]
    assert all(is_ambiguous([row], RULE) for row in rows) and not is_ambiguous(rows, RULE)
    assert shared(*rows)["status"].tolist() == ["estimated", "suppressed"]


def test_most_groups_of_a_hundred_are_shared_and_groups_of_ten_keep_their_events_to_themselves():
    statuses = {n: shared(plain(n // 12, n // 6, n, 3 * n))["status"].iloc[0] for n in (100, 200, 1000)}
    assert set(statuses.values()) == {"estimated"}
    few = shared(plain(1, 3, 11, 30)).iloc[0]
    if few["status"] == "estimated":
        assert len(possible(plain(1, 3, 11, 30), RULE)[0]) >= 5


def test_without_coarse_numbers_the_events_follow():
    """The attack on the ledger as it is inside: the difference and its standard error give both risks."""
    told = pd.Series({"estimate": 7 / 137 - 60 / 664, "n_treated": 137, "n_control": 664,
                      "std_error": plain(7, 60, 137, 664).std_error})  # fmt: skip
    treated, _ = events_like(told, 1e-6)
    assert treated == {7}
    assert from_difference_and_ratio(told["estimate"], (7 / 137) / (60 / 664), 137) == pytest.approx(7)


def test_a_later_horizon_does_not_narrow_an_earlier_one_to_less_than_five():
    """Whoever left within 12 months has left within 24."""
    for a, later in ((7, 7), (7, 8), (4, 12), (9, 10)):
        rows = [plain(a, 60, 137, 664), plain(later, 90, 137, 664, months=24)]
        told = [row for row, status in zip(rows, shared(*rows)["status"], strict=True) if status == "estimated"]
        assert not told or is_ambiguous(told, RULE)


def test_two_shared_ledgers_a_person_apart_tell_of_some_and_not_of_others():
    """Where both numbers round alike nothing follows; where they do not, it does: the README promises it of neither."""
    release = lambda *counts: tuple(shared_rows([finding(plain(*counts))], RULE))  # noqa: E731
    told = [event_of_one(release, a, 60, n1, 664) for n1 in (90, 137, 180) for a in range(3, 23)]
    silent = [had == had_not == {True, False} for had, had_not in told]
    assert 0.3 < np.mean(silent) < 0.8


def test_the_step_follows_from_what_is_shown():
    """Chosen by hidden numbers it would tell of them."""
    steps = {step_of(plain(a, 60, n, 664), RULE) for a in (0, 7, 60) for n in range(135, 140)}
    assert len(steps) == 1


def test_of_events_nothing_but_the_difference_is_shared():
    ratio = plain(7, 60, 137, 664, measure="risk_ratio", estimate=0.57, analysis="secondary")
    hazard = plain(7, 60, 137, 664, measure="hazard_ratio", estimator="stratified_cox", analysis="secondary")
    naive = plain(9, 66, 140, 670, analysis="naive", contrast="ever_vs_never")
    other = plain(2, 20, 137, 664, outcome="involuntary_exit", analysis="sensitivity")
    told = shared(plain(7, 60, 137, 664), ratio, hazard, naive, other)
    assert told["measure"].tolist() == ["risk_difference"]
    assert told[["events_treated", "events_control", "p_value", "p_adjusted"]].isna().all(axis=None)
    assert told[["n_treated", "n_control"]].iloc[0].tolist() == [135, 660]


DASHBOARD = {"analysis": "naive", "contrast": "ever_vs_never", "estimand": "association"}


def with_naive(*rows: Estimate) -> pd.DataFrame:
    return estimates_frame(shared_rows([finding(*rows)], RULE, with_naive=True))


def test_a_dashboards_figure_is_shared_where_that_was_asked_for_alone():
    rows = [plain(60, 300, 600, 2400), plain(61, 306, 604, 2410, **DASHBOARD)]
    assert shared(*rows)["analysis"].tolist() == ["primary"]
    told = with_naive(*rows)
    assert told["analysis"].tolist() == ["primary", "naive"] and set(told["status"]) == {"estimated"}
    assert told[["events_treated", "events_control", "p_value"]].isna().all(axis=None)


@pytest.mark.parametrize("n1", [60, 90, 137, 237])
def test_a_main_row_and_a_dashboards_of_nearly_the_same_people_leave_five_numbers_together(n1):
    """Attack: the reader knows by how many events the two differ, and keeps the numbers that are true of both."""
    silenced = 0
    for a in range(0, 30, 2):
        rows = [plain(a, 60, n1, 664), plain(a + 1, 66, n1 + 3, 670, **DASHBOARD)]
        told = with_naive(*rows)
        kept = [row for row, status in zip(rows, told["status"], strict=True) if status == "estimated"]
        silenced += len(kept) < 2
        for arm, name in enumerate(("events_treated", "events_control")):
            off = [set(possible(row, RULE)[arm] - getattr(row, name)) for row in kept]
            assert not kept or len(set.intersection(*off)) >= 5, (a, n1, name)
    assert silenced or n1 > 200, "the rule has something to do where groups are small"


def test_what_each_row_alone_would_leave_open_may_not_hold_for_both():
    """With the rule for one row at a time there are pairs that leave fewer than five numbers: the rule is needed."""
    pairs = [
        (plain(a, 60, n1, 664), plain(a + 1, 66, n1 + 3, 670, **DASHBOARD)) for n1 in (45, 60, 90) for a in range(25)
    ]
    alone = [rows for rows in pairs if all(is_ambiguous([row], RULE) for row in rows)]
    assert [rows for rows in alone if not is_ambiguous(rows, RULE)]


def test_why_a_row_has_no_number_is_not_told():
    """That nobody left, or how few there were, is a number too."""
    none = plain(1, 2, 80, 400).not_estimable("No event.")
    small = plain(1, 2, 8, 40)
    for row in (none, small):
        told = shared(row).iloc[0]
        assert (told["status"], told["reason"]) == ("suppressed", NOT_SHARED) and pd.isna(told["n_treated"])


@pytest.mark.parametrize("mean", [0.123456, -0.5, 0.004])
def test_effects_on_scores_are_shared_in_hundredths(mean):
    row = plain(5, 5, 43, 81, hypothesis="H2_morale", outcome="morale", measure="mean_difference", estimate=mean,
                std_error=0.0876, events_treated=None, events_control=None)  # fmt: skip
    told = shared(row).iloc[0]
    assert (told["estimate"], told["std_error"]) == (round(mean, 2) + 0.0, 0.09)
    assert told["ci_high"] == pytest.approx(told["estimate"] + 1.96 * 0.09, abs=1e-4), "the interval follows"
    assert (told["n_treated"], told["n_control"]) == (40, 80)


def test_no_shared_number_is_finer_than_a_quarter_of_a_point():
    rng = np.random.default_rng(3)
    for _ in range(60):
        n1, n0 = rng.integers(10, 400, 2)
        told = shared(plain(int(rng.integers(0, n1 + 1)), int(rng.integers(0, n0 + 1)), int(n1), int(n0))).iloc[0]
        if told["status"] == "estimated":
            steps = np.array([told["estimate"], told["std_error"]], dtype=float) / 0.0025
            assert np.allclose(steps, np.round(steps), atol=1e-3) and told["std_error"] > 0


def test_that_a_check_failed_is_told_of_rows_with_a_number_and_not_that_events_are_few():
    """Too little data would tell of few events, and so would a mark at a row that has no number."""

    def capped(*rows: Estimate, caps: str | None = "groups_not_comparable") -> list[str]:
        check = Check("overlap", False, None, None, "Found.", grade="failed" if caps else "caution", caps=caps)
        found = finding(*rows, checks=(check,))
        return capped_rows([found], shared_rows([found], RULE, with_naive=True))

    rows = plain(60, 300, 600, 2400), plain(90, 400, 600, 2400, months=24), plain(61, 306, 604, 2410, **DASHBOARD)
    assert capped(*rows) == sorted(row.row for row in rows[:2])
    assert capped(*rows, caps="too_little_data") == capped(*rows, caps=None) == []
    assert capped(plain(1, 2, 8, 40)) == []


@pytest.mark.parametrize("name", sorted(demo_scenarios()))
def test_a_report_is_not_what_is_shared(name):
    """The answer that the inside sees has ratios, days and naive rows; a shared ledger holds main rows alone."""
    exact = demo_exact(name)
    inside = {e.measure for f in exact.findings for e in f.estimates}
    rows = shared_rows(exact.findings, ReleaseRule.of(exact.released.study))
    assert {e.measure for e in rows} <= {"risk_difference", "mean_difference", "standardized_mean_difference"} < inside


@pytest.mark.parametrize("name", sorted(demo_scenarios()))
def test_the_events_behind_each_shared_row_of_a_demo_may_be_five_numbers(name):
    exact = demo_exact(name)
    rule, found = ReleaseRule.of(exact.released.study), {e.row: e for f in exact.findings for e in f.estimates}
    told = [e for e in shared_rows(exact.findings, rule) if e.is_estimated and e.measure == "risk_difference"]
    # In Fjellkode 1 and 3 people left: nothing that is true of five numbers in each group can be told of so few.
    assert bool(told) == (name != "fjellkode")
    for row in told:
        assert min(map(len, possible(found[row.row], rule))) >= 5
