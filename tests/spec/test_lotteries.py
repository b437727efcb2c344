"""Lotteries of invented employees: within what lots were drawn, who started, when a wait-list began, what follows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from studies import as_csv, write_study

from analysis.design.lottery import LONE_STRATUM, Lottery, build_lottery, differing_odds
from analysis.design.panels import build_lottery_panel
from analysis.estimate.complier import arms_covariance, complier_effect, lots_covariance, strength
from analysis.estimate.lottery import (
    LARGE,
    Offer,
    calibrated,
    draw_lots,
    itt_difference,
    itt_ratio,
    lots_of,
    offer,
    randomized_difference,
)
from analysis.estimate.randomized_score import DrawnScores, randomized_score
from analysis.estimate.score_interval import TwoShares, difference_limits, difference_score, fitted_at_difference
from analysis.pipeline import OpenStudy, open_study
from analysis.pipeline.events import Comparison, retention
from analysis.plan.errors import BadInput
from analysis.plan.read_study import load_study

pytestmark = pytest.mark.usefixtures("original_ids")

LOTTERY = {"id": "genius", "name": "Genius", "direction": "reverse", "format": "pair", "assignment": "lottery"}
WAITLIST = LOTTERY | {"assignment": "waitlist"}
# North is calm and has 3 places for 4 people; in South, which people leave, 1 of 4 is offered a place; West has one.
STAFF = """\
    employee_id,hire_date,exit_date,exit_type,shift
    N1,2019-01-01,,,day
    N2,2019-01-01,,,day
    N3,2019-01-01,,,day
    N4,2019-01-01,,,day
    S1,2019-01-01,2022-06-30,voluntary,day
    S2,2019-01-01,2022-07-31,voluntary,night
    S3,2019-01-01,2022-08-31,voluntary,night
    S4,2019-01-01,,,night
    W1,2019-01-01,,,night
    """
JOBS = """\
    employee_id,effective_date,job_level,department
    N1,2019-01-01,1,North
    N2,2019-01-01,1,North
    N3,2019-01-01,1,North
    N4,2019-01-01,1,North
    S1,2019-01-01,1,South
    S2,2019-01-01,1,South
    S3,2019-01-01,1,South
    S4,2019-01-01,1,South
    W1,2019-01-01,1,West
    """
DRAW = """\
    program_id,intake_date,employee_id,role,offered,start_date
    genius,2022-03-01,N1,mentor,true,2022-03-07
    genius,2022-03-01,N2,mentor,true,2022-03-07
    genius,2022-03-01,N3,mentor,true,2022-03-07
    genius,2022-03-01,N4,mentor,false,
    genius,2022-03-01,S1,mentor,true,2022-03-07
    genius,2022-03-01,S2,mentor,false,
    genius,2022-03-01,S3,mentor,false,
    genius,2022-03-01,S4,mentor,false,
    genius,2022-03-01,W1,mentor,false,
    """


def opened(folder: Path, program: dict, enrolments: str = DRAW, **tables: str) -> OpenStudy:
    write_study(
        folder / "acme", {"employees": STAFF, "jobs": JOBS, "enrolments": enrolments} | tables, programs=[program]
    )
    return open_study("acme", folder)


def lottery_of(study: OpenStudy) -> Lottery:
    return build_lottery(study.tables, study.study, study.study.programs[0], "mentor", {})


def by_person(lottery: Lottery, column: str) -> dict:
    return dict(zip(lottery.rows["employee_id"], lottery.rows[column], strict=True))


def difference(lottery: Lottery, month: int = 12) -> float:
    left = (lottery.rows["outcome"] == "voluntary_exit") & (lottery.rows["months"] <= month)
    return offer(lottery.rows, left.to_numpy(), month).difference


# Within what lots were drawn


def test_departments_with_other_odds_are_compared_within_themselves(tmp_path):
    """Within North nobody left. In South S1 was offered and left, two of the three others left: 1 − 2/3, for 1 of 4."""
    lottery = lottery_of(opened(tmp_path, LOTTERY | {"strata": ["department"]}))
    assert difference(lottery) == pytest.approx(3 / 4 * 0 + 1 / 4 * (1 - 2 / 3))
    assert lottery.flow.set_index("step").loc[LONE_STRATUM].tolist() == [0, 1], "nobody of West was offered a place"
    assert len(lottery.rows) == 8
    pooled = lottery_of(opened(tmp_path, LOTTERY))
    assert difference(pooled) == pytest.approx(1 / 4 - 2 / 5), "as one pot the lottery seems to keep people"


def test_the_list_itself_may_name_the_strata(tmp_path):
    """The same strata, as the organizers wrote them beside the names."""
    named = as_csv(DRAW).replace("start_date\n", "start_date,stratum\n", 1)
    lines = [line if i == 0 else f"{line},{line.split(',')[2][0]}" for i, line in enumerate(named.splitlines())]
    lottery = lottery_of(opened(tmp_path, LOTTERY, "\n".join(lines) + "\n"))
    assert difference(lottery) == pytest.approx(1 / 12)
    assert lottery.is_stratified


def test_a_further_column_of_the_employees_may_be_a_stratum(tmp_path):
    lottery = lottery_of(opened(tmp_path, LOTTERY | {"strata": ["shift"]}))
    assert lottery.flow.set_index("step").loc[LONE_STRATUM].tolist() == [0, 4], "nobody of the night shift was offered"


def test_a_stratum_that_no_table_knows_is_an_error_with_its_line(tmp_path):
    with pytest.raises(BadInput) as error:
        opened(tmp_path, LOTTERY | {"strata": ["department", "site", "exit_type"]})
    found = [p for p in error.value.problems if p.rule == "unknown_stratum"]
    assert [name in p.message for p, name in zip(found, ("site", "exit_type"), strict=True)] == [True, True]
    line = (tmp_path / "acme/study.yaml").read_text(encoding="utf-8").splitlines()[found[0].example_rows[0] - 1]
    assert line.strip() == "strata:"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"assignment": "self_selected", "strata": ["department"]},
            "strata belongs to assignment: lottery or waitlist",
        ),
        ({"strata": ["department", "department"]}, "names a column twice"),
        ({"waitlist_starts": {"2022-03-01": "2022-09-01"}}, "waitlist_starts belongs to assignment: waitlist"),
        ({"assignment": "waitlist", "waitlist_starts": {"2022-03-01": "2022-03-01"}}, "does not lie after its intake"),
    ],
)
def test_what_cannot_be_said_of_lots_is_an_error(tmp_path, keys, said):
    write_study(tmp_path / "acme", {"employees": STAFF}, programs=[LOTTERY | keys])
    with pytest.raises(BadInput) as error:
        load_study("acme", tmp_path)
    assert said in error.value.problems[0].message


def test_a_waitlist_day_of_an_intake_that_nobody_enrolled_in_is_an_error(tmp_path):
    with pytest.raises(BadInput) as error:
        opened(tmp_path, WAITLIST | {"waitlist_starts": {"2022-03-02": "2022-09-01"}})
    assert [p.rule for p in error.value.problems if p.severity == "error"] == ["unknown_intake"]


# Where the odds differ


def large(share_north: int, share_south: int) -> dict[str, str]:
    """Return 60 people of North and 60 of South, of whom so many are offered a place."""
    people = [("North" if i < 60 else "South", f"P{i:03d}", i % 60) for i in range(120)]
    offered = {"North": share_north, "South": share_south}
    return {
        "employees": "employee_id,hire_date,exit_date,exit_type\n"
        + "".join(f"{who},2019-01-01,{'2022-07-01,voluntary' if rank % 6 == 0 else ','}\n" for _, who, rank in people),
        "jobs": "employee_id,effective_date,job_level,department\n"
        + "".join(f"{who},2019-01-01,{1 + rank % 2},{unit}\n" for unit, who, rank in people),
        "enrolments": "program_id,intake_date,employee_id,role,offered,start_date\n"
        + "".join(
            f"genius,2022-03-01,{who},mentor,{str(rank < offered[unit]).lower()},"
            f"{'2022-03-07' if rank < offered[unit] else ''}\n"
            for unit, who, rank in people
        ),
    }


def retention_of(folder: Path, program: dict, tables: dict[str, str]):
    write_study(folder / "acme", tables, programs=[program])
    study = open_study("acme", folder)
    return retention(Comparison(study, study.study.programs[0], "mentor"))


def test_odds_that_differ_by_department_are_named_and_nothing_causal_is_said(tmp_path):
    """42 of 60 in North and 18 of 60 in South: no lots drawn among all 120 do that."""
    found = retention_of(tmp_path, LOTTERY, large(42, 18))
    assert found.primary.status == "not_estimable"
    assert "differ by department" in found.primary.reason
    assert "strata: [department]" in found.primary.reason
    assert {row.analysis for row in found.estimates if row.is_estimated} <= {"naive"}


def test_with_the_strata_named_the_same_lottery_is_answered(tmp_path):
    found = retention_of(tmp_path, LOTTERY | {"strata": ["department"]}, large(42, 18))
    assert found.primary.is_estimated
    assert next(c for c in found.checks if c.name == "the lottery was kept").passed


def test_even_odds_are_no_reason_to_refuse(tmp_path):
    write_study(tmp_path / "acme", large(33, 27), programs=[LOTTERY])
    found = differing_odds(lottery_of(open_study("acme", tmp_path)), np.random.default_rng(1))
    assert list(found["column"]) == ["department", "job_level"]
    assert not found["differs"].any()


# Starting is a fact about the person

AGAIN = """\
    program_id,intake_date,employee_id,role,offered,start_date
    genius,2022-03-01,N1,mentor,true,2022-03-11
    genius,2022-03-01,N2,mentor,true,
    genius,2022-03-01,N3,mentor,false,
    genius,2022-03-01,N4,mentor,false,
    genius,2022-09-01,N3,mentor,true,2022-09-11
    genius,2022-09-01,N4,mentor,false,
    """


def test_who_loses_one_draw_and_wins_the_next_has_started(tmp_path):
    """N3 lost in March and started in September: in March's comparison N3 is not offered, and starts in month 7."""
    rows = lottery_of(opened(tmp_path, LOTTERY, AGAIN)).rows
    march = rows[rows["intake_date"] == "2022-03-01"].set_index("employee_id")
    assert march["is_offered"].to_dict() == {"N1": True, "N2": True, "N3": False, "N4": False}
    assert march["is_started"].to_dict() == {"N1": True, "N2": False, "N3": True, "N4": False}
    assert march["months_to_start"].round(1).to_dict() == {"N1": 0.3, "N2": np.inf, "N3": 6.3, "N4": np.inf}


# Wait-lists

WAITING = """\
    program_id,intake_date,employee_id,role,offered,start_date
    genius,2022-03-01,N1,mentor,true,2022-03-07
    genius,2022-03-01,N2,mentor,true,2022-03-07
    genius,2022-03-01,N3,mentor,false,2022-04-01
    genius,2022-03-01,N4,mentor,false,2023-03-01
    genius,2022-03-01,S4,mentor,false,2023-03-01
    genius,2022-06-01,S1,mentor,true,2022-06-07
    genius,2022-06-01,W1,mentor,false,
    """


def test_one_who_starts_early_does_not_end_the_wait(tmp_path):
    """N3 starts after a month, the two others after a year; of June's intake W1 still waits."""
    lottery = lottery_of(opened(tmp_path, WAITLIST, WAITING))
    assert lottery.waitlist_starts.loc["2022-03-01"] == pd.Timestamp("2023-03-01")
    assert by_person(lottery, "months_observed")["N4"] == 12
    assert by_person(lottery, "months_observed")["W1"] > 24
    assert by_person(lottery, "months_to_start")["N3"] == 1


def test_the_day_may_be_stated(tmp_path):
    stated = WAITLIST | {"waitlist_starts": {"2022-03-01": "2022-09-01"}}
    lottery = lottery_of(opened(tmp_path, stated, WAITING))
    assert by_person(lottery, "months_observed")["N1"] == 6
    assert by_person(lottery, "months_observed")["S1"] > 24


def test_waves_after_the_wait_say_nothing(tmp_path):
    """The wave of June lies within the wait of March's intake, the wave of October after it."""
    stated = WAITLIST | {"waitlist_starts": {"2022-03-01": "2022-09-01"}}
    lottery = lottery_of(opened(tmp_path, stated, WAITING))
    waves = pd.DataFrame({"wave": [1, 2], "opens": pd.to_datetime(["2022-06-15", "2022-10-01"])})
    scores = waves.assign(closes=waves["opens"]).merge(pd.DataFrame({"employee_id": ["N1", "N3", "S1", "W1"]}), "cross")
    everyone = build_lottery_panel(scores.assign(score=3.0), lottery, 12).everyone
    assert set(everyone.loc[everyone["start_date"] == "2022-03-01", "wave_after"]) == {1}
    assert set(everyone.loc[everyone["start_date"] == "2022-06-01", "wave_after"]) == {1, 2}


# p-value and interval from the same lots


def drawn(*tables: tuple[int, int, int, int]) -> Offer:
    """Return strata of (events offered, offered, events not, not)."""
    x1, n1, x0, n0 = np.array(tables).T
    counts = pd.DataFrame({"n_treated": n1, "n_control": n0, "events_treated": x1, "events_control": x0})
    share = n1 / n1.sum()
    return Offer(float(share @ (x1 / n1)), float(share @ (x0 / n0)), np.zeros(1), np.zeros(1), counts, 0)


def test_nobody_of_20_against_95_of_600_is_not_called_clear():
    """Fisher's p is .056; the interval from the same lots includes zero."""
    comparison = drawn((0, 20, 95, 600))
    found = randomized_difference(comparison, lots_of(comparison, np.random.default_rng(1)))
    assert found.p_value == pytest.approx(0.056, abs=0.006)
    assert found.low < 0 < found.high


@pytest.mark.parametrize(
    "sizes", [((20, 30),), ((8, 4),), ((3, 1),) * 6, ((2, 1), (10, 40)), ((5, 5), (30, 10)), ((90, 60),)]
)
def test_the_interval_excludes_zero_exactly_where_p_is_below_5_percent(sizes):
    random = np.random.default_rng(7)
    for _ in range(30):
        risks = random.random(2)
        comparison = drawn(*((random.binomial(a, risks[0]), a, random.binomial(b, risks[1]), b) for a, b in sizes))
        found = randomized_difference(comparison, lots_of(comparison, random))
        ratio = itt_ratio(comparison, draw_lots(comparison.counts, random, n_draws=1_000))
        assert (found.low > 0 or found.high < 0) == (found.p_value < 0.05)
        assert -1 <= found.low <= found.estimate <= found.high <= 1
        if ratio:
            assert (ratio.low > 1 or ratio.high < 1) == (ratio.p_value < 0.05)


def test_arms_that_no_lots_made_have_an_interval_that_agrees_too():
    for x1 in range(9):
        found = itt_difference(drawn((x1, 20, 9, 30)))
        assert (found.low > 0 or found.high < 0) == (found.p_value < 0.05)


def test_a_score_interval_as_published():
    """56 of 70 against 48 of 80: Newcombe 1998 (Stat Med 17:873), table II, method 6."""
    shares = TwoShares(56 / 70, 70, 48 / 80, 80, 150 / 149)
    assert difference_limits(shares, LARGE) == pytest.approx((0.0528, 0.3382), abs=5e-5)


def test_shares_that_fit_best_have_the_largest_likelihood():
    shares = TwoShares(3 / 10, 10, 1 / 20, 20)
    p1 = np.linspace(0.101, 0.999, 9000)
    likelihood = 3 * np.log(p1) + 7 * np.log(1 - p1) + np.log(p1 - 0.1) + 19 * np.log(1.1 - p1)
    assert fitted_at_difference(shares, 0.1)[0] == pytest.approx(p1[likelihood.argmax()], abs=2e-4)


def test_in_strata_of_one_the_error_is_that_of_the_lots():
    """Four strata of 1 and 1, the event in one person of three of them: each adds ± 1/4, so the variance is 3/16."""
    comparison = drawn((1, 1, 0, 1), (1, 1, 0, 1), (1, 1, 0, 1), (0, 1, 0, 1))
    assert comparison.lots_variance == pytest.approx(3 / 16)
    assert difference_score(comparison.shares, 0.0) == pytest.approx(comparison.difference / np.sqrt(3 / 16))
    assert draw_lots(comparison.counts, np.random.default_rng(1)).p_value == pytest.approx(2 / 8, abs=0.01)


def test_the_critical_value_lies_between_what_is_significant_and_what_is_not():
    statistics = np.repeat([0.0, 1.0, 3.0], [60, 38, 2])
    assert calibrated(3.0, statistics).p_value == pytest.approx(3 / 101)
    assert calibrated(1.0, statistics).p_value == pytest.approx(41 / 101)
    assert calibrated(1.0, statistics).critical == LARGE, "1.96 is between 1 and 3"
    assert 1.0 < calibrated(1.0, statistics * 1.0, quantile=0.5).critical < 3.0


# The effect in those who start because they were offered


def complier(leaves: tuple[int, int], starts: tuple[int, int], n: int = 100):
    """Return the complier effect of `n` offered and `n` not, of whom so many leave and so many start."""
    rows = pd.DataFrame({"stratum": 0, "is_offered": np.repeat([True, False], n), "months_observed": 99.0})
    rows["employee_id"] = [f"E{i}" for i in range(2 * n)]
    left, started = (np.concatenate([np.arange(n) < k for k in counts]) for counts in (leaves, starts))
    outcome, starting = offer(rows, left, 12), offer(rows, started, 12)
    lots = lots_of(outcome, np.random.default_rng(2))
    covariance = arms_covariance(rows, np.array([left, started], dtype=float))
    found = complier_effect(outcome, starting, covariance, lots)
    return found, randomized_difference(outcome, lots), starting


def test_where_everybody_keeps_to_the_lots_the_complier_effect_is_that_of_the_offer():
    found, itt, _ = complier((10, 25), (100, 0))
    assert found.estimate == pytest.approx(itt.estimate)
    assert (found.low, found.high) == pytest.approx((itt.low, itt.high), abs=0.01)


def test_the_covariance_of_lots_is_that_of_the_difference():
    """In a stratum of 2 and 1, and one of 1 and 1, for one value it is the variance of the difference over the lots."""
    comparison = drawn((1, 2, 0, 1), (0, 1, 1, 1))
    rows = pd.DataFrame({"stratum": [0, 0, 0, 1, 1], "is_offered": [True, True, False, True, False]})
    assert lots_covariance(rows, np.array([[1.0, 0, 0, 0, 1]])).item() == pytest.approx(comparison.lots_variance)


def test_crossovers_are_counted_and_the_interval_agrees_with_the_test():
    """15 points of leaving for 50 points of starting: −30 points in those whom the offer made start."""
    found, itt, _ = complier((10, 25), (80, 30))
    assert found.estimate == pytest.approx(-0.30)
    assert found.p_value == itt.p_value < 0.05
    assert -1 <= found.low < found.high < 0


def test_an_offer_that_hardly_moves_starting_tells_nothing_of_starting():
    found, _, starting = complier((10, 25), (6, 5))
    assert strength(starting) < 1
    assert found.startswith("The offer raised starting by 1 percentage points, too little")


def test_no_complier_effect_lies_beyond_what_a_share_can_do():
    found, _, _ = complier((40, 90), (40, 10))
    assert isinstance(found, str)


# Scores


def scored(n1: int, n0: int, n_strata: int, effect: float, seed: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(n_strata), n1 + n0)
    rows = pd.DataFrame({"stratum": stratum, "cell": stratum, "employee_id": np.arange(len(stratum))})
    rows["is_treated"] = np.tile(np.arange(n1 + n0) < n1, n_strata)
    before = random.normal(size=len(rows)) + stratum
    return rows.assign(after=before + effect * rows["is_treated"] + random.normal(size=len(rows))), before[:, None]


def test_scores_of_equal_strata_are_compared_as_by_regression():
    """Strata of 4 and 4: the difference is that of a regression with a level for each stratum and arm's own slope."""
    rows, before = scored(4, 4, 6, 0.5)
    found = randomized_score(DrawnScores.of(rows, rows["after"].to_numpy(), before), np.random.default_rng(1))
    frame = rows.assign(before=before[:, 0], arm=rows["is_treated"].astype(int))
    slope = smf.ols("after ~ C(stratum):C(arm) + before", frame).fit().params["before"]
    adjusted = frame["after"] - slope * frame["before"]
    assert found.estimate == pytest.approx(adjusted[frame["arm"] == 1].mean() - adjusted[frame["arm"] == 0].mean())


def test_scores_of_singletons_have_the_spread_between_strata():
    """Five pairs, all alike in size: the variance is that of the five differences over five (Imai 2008)."""
    rows, _ = scored(1, 1, 5, 0.0)
    found = randomized_score(
        DrawnScores.of(rows, rows["after"].to_numpy(), np.zeros((len(rows), 0))), np.random.default_rng(1)
    )
    gaps = rows.pivot(index="stratum", columns="is_treated", values="after")
    gaps = gaps[True] - gaps[False]
    assert found.estimate == pytest.approx(gaps.mean())
    assert found.std_error == pytest.approx(np.sqrt(gaps.var(ddof=1) / 5))


@pytest.mark.parametrize("size", [(3, 1, 12), (2, 2, 4), (6, 3, 2)])
def test_the_interval_of_scores_agrees_with_their_test(size):
    for seed, effect in enumerate(np.linspace(0, 1.5, 8)):
        rows, before = scored(*size, effect, seed)
        found = randomized_score(DrawnScores.of(rows, rows["after"].to_numpy(), before), np.random.default_rng(1))
        assert (found.low > 0 or found.high < 0) == (found.p_value < 0.05)
