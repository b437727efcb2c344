"""Few exits, few units, whole teams: interval and p-value say the same, and neither says more than the data do."""

from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.design.weights import WeightedFollowUp, as_followed
from analysis.estimate.arms import Arms
from analysis.estimate.by_trials import IN_TEAMS, LEAST_MANAGERS, clusters_check, main_clusters, teams_score
from analysis.estimate.cox import hazard_ratio
from analysis.estimate.economics import exits_avoided
from analysis.estimate.event_rows import ONE_LEFT, ONE_REACHED, short_follow_up
from analysis.estimate.inference import Interval, few_clusters, from_limits, minus, touching
from analysis.estimate.retention import _effective, days_lost, difference, ratio
from analysis.estimate.score_interval import score_difference, score_ratio
from analysis.measure.employment import EXITS

LEFT = "voluntary_exit"


def people(n_treated: int, left_treated: int, n_control: int, left_control: int) -> pd.DataFrame:
    """Return two groups of so many people, of whom so many left, one after the other in months 4 to 11."""
    parts = []
    for is_treated, n, left in ((True, n_treated, left_treated), (False, n_control, left_control)):
        gone = np.arange(n) < left
        months = np.where(gone, 4 + 7 * (np.arange(n) + 0.5) / max(left, 1), 24.0)
        parts.append(pd.DataFrame({"is_treated": is_treated, "months": months, "outcome": np.where(gone, LEFT, None)}))
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(employee_id=[f"E{i}" for i in range(len(rows))], unit=None, manager_id=None)


def agrees(found: Interval, nothing: float = 0.0) -> bool:
    """Whether the interval excludes no difference exactly where p is below .05 (limits to rounding)."""
    return (found.low > nothing or found.high < nothing) == (found.p_value < 0.05)


# One test for interval and p-value


def test_nobody_of_twenty_left_and_95_of_600_did():
    found = score_difference(0, 20, 95 / 600, 600)
    assert found.estimate == pytest.approx(-0.1583, abs=1e-4)
    assert (found.low, found.high) == pytest.approx((-0.1897, 0.0038), abs=1e-4)
    assert found.p_value == pytest.approx(0.0533, abs=1e-4)  # by hand: pooled share 95/620, N/(N − 1)
    pooled = 95 / 620
    by_hand = (95 / 600) / np.sqrt(pooled * (1 - pooled) * (1 / 20 + 1 / 600) * 620 / 619)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(by_hand))


@pytest.mark.parametrize(
    ("events", "people_", "low", "high"),
    [
        ((56, 48), (70, 80), 0.0528, 0.3382),
        ((9, 3), (10, 10), 0.1700, 0.8406),
        ((5, 0), (56, 29), -0.0326, 0.1933),
    ],
)
def test_score_intervals_are_those_that_newcombe_prints(events, people_, low, high):
    """The examples of Newcombe 1998, Stat Med 17:873, table II, by Miettinen & Nurminen's method."""
    found = score_difference(events[0] / people_[0], people_[0], events[1] / people_[1], people_[1])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_p_and_interval_of_shares_agree_in_every_table_of_a_grid():
    for n1, n0 in product((10, 23, 80), (15, 200)):
        for d1, d0 in product((0, 1, 2, 4, 7, 9, 10), range(0, n0, max(n0 // 11, 1))):
            found = score_difference(d1 / n1, n1, d0 / n0, n0)
            assert found.low <= found.estimate <= found.high
            assert agrees(found), (n1, n0, d1, d0)
            if d1 > 0 and d0 > 0:
                relative = score_ratio(d1 / n1, n1, d0 / n0, n0)
                assert agrees(relative, 1.0)
                assert relative.p_value == pytest.approx(found.p_value)


def test_p_and_interval_agree_for_every_measure_of_two_arms():
    for n1, n0 in ((12, 60), (60, 240)):
        for d1, d0 in product((0, 1, 3, 9, 12), (0, 2, 10, 30)):
            followed = as_followed(people(n1, d1, n0, d0), EXITS, 12)
            arms = Arms.of(followed)
            assert agrees(difference(arms, LEFT, 12)) and agrees(days_lost(arms, LEFT, 12))
            for relative in (ratio(arms, LEFT, 12), hazard_ratio(followed, arms, LEFT, 12)):
                assert relative is None or agrees(relative, 1.0)


def test_p_and_interval_agree_where_an_interval_is_made_of_others():
    values = np.linspace(-0.2, 0.2, 9)
    for a, b in product(values, values):
        one, other = Interval(a, 0, a - 0.05, a + 0.11, 0), Interval(b, 0, b - 0.02, b + 0.06, 0)
        assert agrees(minus(one, other))
        assert agrees(from_limits(a, a - 0.07, a + 0.13))
        rows = [SimpleNamespace(n_treated=30, estimate=x, limits=(x - 0.05, x + 0.11), std_error=0.04) for x in (a, b)]
        assert agrees(exits_avoided(rows))


def test_an_interval_that_ends_at_zero_has_a_p_of_5_percent():
    assert touching(0.10, 0.0, 0.40) == pytest.approx(0.05)
    assert touching(-0.10, -0.12, 0.0) == pytest.approx(0.05)
    assert touching(0.0, -0.1, 0.1) == 1.0


# Few units


def by_units(risks: dict[str, tuple[bool, float]], n: int = 100) -> WeightedFollowUp:
    """Return a rollout: each unit with `n` people, reached or not, and the share of them that left."""
    parts = [
        people(n, round(n * risk), 0, 0).assign(is_treated=is_reached, unit=unit)
        for unit, (is_reached, risk) in risks.items()
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows["employee_id"] = [f"E{i}" for i in range(len(rows))]
    return replace(as_followed(rows, EXITS, 12), by_unit=True)


def test_two_of_six_units_have_the_error_of_two_means_and_welchs_degrees_of_freedom():
    shares = {"A": (True, 0.40), "B": (True, 0.50)} | {
        unit: (False, risk) for unit, risk in zip("CDEF", (0.2, 0.3, 0.4, 0.5), strict=True)
    }
    arms = Arms.of(by_units(shares))
    found = difference(arms, LEFT, 12)
    assert found.estimate == pytest.approx(0.45 - 0.35)
    variance = np.var([0.4, 0.5], ddof=1) / 2 + np.var([0.2, 0.3, 0.4, 0.5], ddof=1) / 4
    assert found.std_error == pytest.approx(np.sqrt(variance))
    assert arms.df == pytest.approx((1 / 2 + 1 / 4) ** 2 / ((1 / 2) ** 2 / 1 + (1 / 4) ** 2 / 3))
    assert found.high == pytest.approx(found.estimate + stats.t.ppf(0.975, arms.df) * found.std_error)
    assert agrees(found)


def test_units_that_the_program_made_alike_count_as_they_were_before():
    """Risks of .1 to .2 in reached units, .3 in the others: what varies is the hazard, and the program lowered it."""
    arms = Arms.of(by_units({"A": (True, 0.1), "B": (True, 0.2)} | dict.fromkeys("CDEF", (False, 0.3))))
    spread = (0.7 * np.log(0.7)) / (0.85 * np.log(0.85))
    assert difference(arms, LEFT, 12).std_error == pytest.approx(spread * np.sqrt(np.var([0.1, 0.2], ddof=1) / 2))


def test_degrees_of_freedom_of_units_before_and_after_equal_those_of_the_matrices():
    w1, w0 = np.array([0.5, 0.3, 0.2, 0, 0, 0]), np.array([0, 0.1, 0.2, 0.3, 0.2, 0.2])
    m1, m0 = ((w / np.sqrt(1 - w))[:, None] * (np.eye(6) - w) for w in (w1, w0))
    smallest = []
    for m in (m1 - m0, np.hstack([m1, -m0])):
        squares = m @ m.T
        smallest.append(np.trace(squares) ** 2 / np.trace(squares @ squares))
    assert few_clusters(w1, w0).df == pytest.approx(min(smallest))


def test_units_of_unequal_size_have_fewer_degrees_of_freedom():
    equal, unequal = (
        few_clusters(np.array([0.5, 0.5, 0, 0]), np.array([0, 0, 0.5, 0.5])),
        few_clusters(np.array([0.9, 0.1, 0, 0]), np.array([0, 0, 0.5, 0.5])),
    )
    assert equal.df == pytest.approx(2.0)
    assert unequal.df < equal.df


@pytest.mark.parametrize(("reached", "reason"), [("A", ONE_REACHED), ("ABCDE", ONE_LEFT), ("AB", None)])
def test_one_unit_on_a_side_is_no_comparison(reached, reason):
    arms = Arms.of(by_units({u: (u in reached, 0.2) for u in "ABCDEF"}))
    assert short_follow_up(SimpleNamespace(study=SimpleNamespace(min_cell=10)), arms, 12) == reason


# Teams


def in_teams(n_teams: int, leave_together: bool) -> WeightedFollowUp:
    """Return teams of six, every other one treated; a sixth leaves: whole teams, or one of each."""
    n = 6 * n_teams
    team, place = np.arange(n) // 6, np.arange(n) % 6
    gone = (team // 2) % 6 == 0 if leave_together else place == team % 6
    rows = pd.DataFrame(
        {
            "employee_id": [f"E{i}" for i in range(n)],
            "is_treated": team % 2 == 0,
            "months": np.where(gone, 6.0, 24.0),
            "outcome": np.where(gone, LEFT, None),
            "manager_id": [f"M{t}" for t in team],
            "unit": None,
        }
    )
    return as_followed(rows, EXITS, 12)


def test_where_whole_teams_leave_teams_are_counted_and_where_single_people_do_people_are():
    together, alone = in_teams(60, True), in_teams(60, False)
    teams = main_clusters(together, LEFT, 12)
    assert len(np.unique(teams)) == 60
    assert main_clusters(alone, LEFT, 12) is None
    by_team, by_person = Arms.of(together, teams, are_few=True), Arms.of(together)
    wider = difference(by_team, LEFT, 12).std_error / difference(by_person, LEFT, 12).std_error
    assert wider == pytest.approx(np.sqrt(6), rel=0.03)  # a team is one draw, not six
    assert clusters_check(together, by_team)[0].sentence.startswith(
        "Exits come in teams: the interval counts colleagues"
    )
    assert "the interval counts people one by one" in clusters_check(alone, Arms.of(alone))[0].sentence


def test_by_how_many_errors_colleagues_go_together():
    # Two teams of two, contributions 1, 1 and 2, -1: products 1 and -2, an excess of 2 x (1 - 2) = -2, whose error is
    # the root of 4 x (1 + 4).
    assert teams_score(np.array([1, 1, 2, -1]), np.array([0, 0, 1, 1])) == pytest.approx(-2 / np.sqrt(20))
    assert teams_score(np.array([1.0, 1, -1, -1]), np.array([0, 1, 2, 3])) == 0.0


def test_independent_people_seldom_seem_to_go_together():
    draw = np.random.default_rng(5)
    team = np.arange(600) % 60
    scores = [teams_score(draw.normal(size=600), team) for _ in range(2000)]
    assert np.mean(scores) == pytest.approx(0, abs=0.07) and np.std(scores) == pytest.approx(1, abs=0.06)
    together = [teams_score(draw.normal(size=600) + 0.5 * draw.normal(size=60)[team], team) for _ in range(200)]
    assert np.mean(np.array(together) > IN_TEAMS) > 0.99


@pytest.mark.parametrize(("n_people", "by_unit", "worth"), [(1200, False, 800), (700, False, 700), (1200, True, 500)])
def test_comparators_of_many_exits_are_worth_what_their_spread_says_and_few_exits_no_more_than_their_weights(
    n_people, by_unit, worth
):
    # By Kish's number the arms are worth 100 and 500 people, by their spread 200 and 800.
    treated, control = SimpleNamespace(n_effective=100.0), SimpleNamespace(n_effective=500.0, n_people=n_people)
    arms = SimpleNamespace(treated=treated, control=control, by_unit=by_unit, n_events=lambda *_: (3, 60))
    # Contributions of two people each, so that the variance is two squares times 2.
    parts = [np.full(2, np.sqrt(share * (1 - share) / n) / 2) for share, n in ((0.03, 200), (0.06, 800))]
    assert _effective(arms, LEFT, 12, [0.03, 0.06], parts) == pytest.approx([100, worth])


def test_with_few_managers_people_are_counted_and_the_check_says_so():
    few = in_teams(2 * LEAST_MANAGERS - 2, True)
    assert main_clusters(few, LEFT, 12) is None
    found = clusters_check(few, Arms.of(few))[0]
    assert found.passed is None and "too short" in found.sentence
