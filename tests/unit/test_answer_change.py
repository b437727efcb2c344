"""What stands beside the answer on a scale: who is asked of what, the dose, the topics, the silent, the trends."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from companies import opened

from analysis.design.panels import PANEL_COLUMNS, Panel
from analysis.design.response import of_enough_raters
from analysis.estimate.analyses import Question, Told, run
from analysis.estimate.answer_change import SCALES
from analysis.estimate.by_scores import ByScores, ScaleScores
from analysis.estimate.change import own_change
from analysis.estimate.change_assumptions import comparable_check
from analysis.estimate.diagnostics import TREND
from analysis.estimate.staggered import Stack, effect_slope
from analysis.measure.exposure import sessions_until, topics_met
from analysis.pipeline.events import Comparison
from analysis.pipeline.opened import OpenStudy
from analysis.pipeline.scales import ScaleQuestion, scales_asked
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Finding, estimates_frame
from analysis.release.findings import release_finding
from analysis.release.frames import release_frame
from analysis.release.rule import ReleaseRule

DAY = pd.Timestamp


# What is asked of whom


def test_digital_fluency_is_asked_of_the_mentees_of_reverse_programs_alone():
    reverse = opened("asked", "northbank", 200)[0].study.programs[0]
    traditional = reverse.model_copy(update={"direction": "traditional"})
    everywhere = ["H2_morale", "H3_leadership", "H5_cross_generational", "H6_idea_sharing", "H7_recognition"]
    assert scales_asked(reverse, "mentor") == scales_asked(traditional, "mentee") == everywhere
    assert set(scales_asked(reverse, "mentee")) == {*everywhere, "H4_digital_fluency"}
    assert "H4_digital_fluency" in scales_asked(reverse, "any"), "nobody is enrolled: all of it is asked, and refused"


# The effect by age, dose and topic


def by_hand() -> Stack:
    """Return six who started, with effects 1, 2, 3 at the first wave and 4, 4, 7 at the second, and four who did not.

    The comparators' scores rose by 0.5 at the first wave and by 1.5 at the second, each of them.
    """
    y = np.array([1.5, 2.5, 3.5, 5.5, 5.5, 8.5, 0.5, 0.5, 1.5, 1.5])
    treated = np.arange(10) < 6
    position = np.array([1, 1, 1, 2, 2, 2, 1, 1, 2, 2])
    return Stack(y, treated, position - 1, position, np.zeros((10, 0)), np.arange(10))


def test_the_slope_of_the_effect_is_taken_within_each_wave():
    value = np.array([10.0, 20, 30, 100, 110, 120, *[np.nan] * 4])
    found = effect_slope(by_hand(), np.ones(10), value)
    assert found.estimate == pytest.approx((10 * 1 + 10 * 1 + 10 * 1.0 + 10 * 2) / 400)
    ends = np.array([-10.0, 0, 10, -10, 0, 10])
    residual = np.array([-1.0, 0, 1, -1, -1, 2]) - found.estimate * ends
    expected = np.sqrt(6 / 4 * np.sum((ends / 400 * residual) ** 2))
    assert found.std_error == pytest.approx(expected), "comparators who are all alike add nothing"


def test_a_slope_needs_people_and_a_value_that_varies():
    stack, value = by_hand(), np.array([5.0] * 6 + [np.nan] * 4)
    assert effect_slope(stack, np.ones(10), value) is None
    few = np.where(np.arange(10) < 2, np.arange(10.0), np.nan)
    assert effect_slope(stack, np.ones(10), few) is None


def test_a_slope_is_found_where_there_is_one_with_errors_that_fit():
    draw = np.random.default_rng(20)
    found = []
    for _ in range(200):
        n = 400
        age, treated = draw.normal(size=n), draw.random(n) < 0.3
        y = 0.2 * age + np.where(treated, 0.3 + 0.5 * age, 0) + draw.normal(size=n)
        one = np.ones(n, dtype=int)
        stack = Stack(y, treated, one - 1, one, age[:, None], np.arange(n))
        found.append(effect_slope(stack, np.ones(n), np.where(treated, age, np.nan)))
    estimates, errors = (np.array([getattr(f, name) for f in found]) for name in ("estimate", "std_error"))
    assert estimates.mean() == pytest.approx(0.5, abs=3 * estimates.std() / np.sqrt(200))
    assert errors.mean() == pytest.approx(estimates.std(), rel=0.15)


def test_sessions_count_from_the_start_until_the_wave_opens():
    met = pd.DataFrame(
        {
            "employee_id": ["E1", "E1", "E1", "E2"],
            "session_date": [DAY("2022-03-01"), DAY("2022-05-01"), DAY("2022-09-01"), DAY("2022-04-01")],
        }
    )
    rows = pd.DataFrame(
        {
            "employee_id": ["E1", "E1", "E2", "E3"],
            "start_date": [DAY("2022-03-01"), DAY("2022-03-01"), pd.NaT, DAY("2022-03-01")],
            "until": [DAY("2022-05-01"), DAY("2022-12-01"), DAY("2022-12-01"), DAY("2022-12-01")],
        }
    )
    assert sessions_until(met, rows, "start_date").tolist() == [1, 3, 0, 0]


def test_topics_are_told_by_name_and_only_of_those_who_started_in_the_role():
    enrolments = pd.DataFrame(
        [
            ("p", "E1", "mentee", DAY("2022-03-01"), "Social media; data  privacy"),
            ("p", "E1", "mentee", DAY("2023-03-01"), "AI & ethics;"),
            ("p", "E2", "mentor", DAY("2022-03-01"), "careers"),
            ("p", "E3", "mentee", pd.NaT, "careers"),
            ("q", "E4", "mentee", DAY("2022-03-01"), "careers"),
            ("p", "E5", "mentee", DAY("2022-03-01"), None),
        ],
        columns=["program_id", "employee_id", "role", "start_date", "topics"],
    )
    found = topics_met(enrolments, "p", "mentee")
    assert found.to_dict() == {"E1": frozenset({"social_media", "data_privacy", "ai_ethics"})}
    assert topics_met(enrolments[enrolments["topics"].isna()], "p", "mentee") is None


# A panel by hand


def panel(before: list[float], after: list[float], n_treated: int, position: int = 1, **columns) -> Panel:
    """Return one cell of people, the first of whom started."""
    n = len(before)
    rows = pd.DataFrame(index=range(n), columns=PANEL_COLUMNS).assign(
        cell=0, wave_before=1, wave_after=2, wave_position=position, is_treated=np.arange(n) < n_treated,
        employee_id=[f"E{i}" for i in range(n)], is_later_starter=False, before=before, after=after, **columns,
    )  # fmt: skip
    return Panel(rows, pd.DataFrame(index=rows.index))


def test_who_left_or_stayed_silent_is_in_the_panel_and_not_in_the_comparison():
    found = panel([3, 3, np.nan, 4], [4, np.nan, 3, 4], n_treated=2)
    assert found.rows["employee_id"].tolist() == ["E0", "E3"]
    assert found.flow.set_index("step").loc[:, ["n_treated", "n_control"]].to_numpy().tolist() == [
        [2, 2],
        [2, 1],
        [1, 2],
        [1, 1],
    ]
    lots = replace(found, is_randomized=True)
    assert lots.rows["employee_id"].tolist() == ["E0", "E2", "E3"], "a lottery needs no earlier score"


def test_a_cell_in_which_one_arm_is_silent_compares_nobody():
    assert panel([3, 3, 4, 4], [4, 4, np.nan, np.nan], n_treated=2).rows.empty


def test_the_participants_own_change_is_their_mean_with_people_counted_once():
    found = panel([3, 3, 2, 4, 1], [4, 3, 4, 4, 1], n_treated=3)
    own = own_change(found)
    assert own.estimate == pytest.approx(1.0)
    assert own.std_error == pytest.approx(np.std([1, 0, 2], ddof=1) / np.sqrt(3))
    twice = replace(found, everyone=pd.concat([found.everyone] * 2, ignore_index=True))
    twice = replace(twice, known=pd.DataFrame(index=twice.everyone.index))
    assert own_change(twice).std_error == pytest.approx(own.std_error), "the same answers again tell nothing new"


@pytest.fixture(scope="module")
def asked() -> Question:
    found, _ = opened("trends", "northbank", 200)
    return Question(found.study, found.study.programs[0], "mentor", load_plan().hypothesis("H2_morale"))


def drifting(drift: float) -> ScaleScores:
    """Return sixty people of whom thirty start; these had drifted apart by `drift` at each wave before it."""
    draw = np.random.default_rng(8)
    noise = draw.normal(0, 0.1, (4, 60))
    own = drift * (np.arange(60) < 30)
    waves = [3 + at * own + noise[i] for i, at in enumerate((-2, -1, 0, 1))]
    base, after = waves[2].tolist(), waves[3].tolist()
    one, two = (panel(waves[i].tolist(), base, 30, position=p) for i, p in ((1, -1), (0, -2)))
    rows = pd.concat([one.everyone, two.everyone.assign(cell=1)], ignore_index=True)
    return ScaleScores(panel(base, after, 30), Panel(rows, pd.DataFrame(index=rows.index)))


def told(analysis: str, asked: Question, measured: ScaleScores, **sets) -> Told:
    """Return what one analysis says of these scores."""
    beside = SimpleNamespace(**{name: lambda made=made: made for name, made in sets.items()})
    return run([one for one in SCALES["dr_did"] if one.id == analysis], ByScores(asked, measured, beside))


@pytest.mark.parametrize(("drift", "quiet"), [(0.0, True), (0.6, False)])
def test_a_drift_before_the_start_fails_its_check(asked, drift, quiet):
    measured = drifting(drift)
    changed, said = ByScores(asked, measured, None).found, told("trends", asked, measured)
    rows, frames = said.rows, said.frames
    check = next(check for check in said.checks if check.name == TREND)
    assert check.grade == ("passed" if quiet else "failed") and "p = " in check.sentence
    control = next(row for row in rows if row.analysis == "negative_control")
    assert control.estimate == pytest.approx(drift, abs=0.1), "later less earlier: the sign of a gain"
    assert frames["event_study"]["position"].tolist() == [-2, -1, 0, 1]
    assert frames["event_study"]["n_treated"].dropna().tolist() == [30, 30, 30]
    honest = next(row for row in rows if row.estimator == "honest_did")
    assert honest.estimate == changed.interval.estimate
    assert honest.ci_low < changed.interval.low and honest.ci_high > changed.interval.high


def test_waves_of_fewer_people_than_may_be_shown_do_not_enter_the_curve(asked):
    measured = drifting(0.0)
    few = measured.earlier.everyone["wave_position"].eq(-2) & (measured.earlier.everyone.index % 60 < 25)
    measured = replace(measured, earlier=measured.earlier.take(~few.to_numpy()))
    said = told("trends", asked, measured)
    assert said.frames["event_study"]["position"].tolist() == [-1, 0, 1]
    [sentence] = [check.sentence for check in said.checks if check.name == TREND]
    assert "together" not in sentence, "one wave is no joint test"


def test_a_topic_is_compared_where_enough_people_met_about_it_and_enough_did_not(asked):
    measured = drifting(0.0)
    rows = measured.panel.rows
    names = {f"E{i}": frozenset({"apps"} if i < 12 else {"ai", "rare"} if i < 15 else {"ai"}) for i in range(30)}
    found = told("topics", asked, measured, topics=pd.Series(names)).rows
    assert {row.contrast: (row.n_treated, row.n_control) for row in found} == {
        "topic_apps_vs_other_topics": (12, 18),
        "topic_ai_vs_other_topics": (18, 12),
    }
    effect = (rows["after"] - rows["before"]).to_numpy()
    apps = next(row for row in found if "apps" in row.contrast)
    assert apps.estimate == pytest.approx(effect[:12].mean() - effect[12:30].mean())


def test_a_dose_that_would_tell_of_a_few_is_suppressed(asked):
    measured = drifting(0.0)
    sessions = np.where(np.arange(60) < 5, 9, 0)
    (row,) = told("dose", asked, measured, sessions=sessions).rows
    assert row.status == "suppressed" and row.measure == "mean_difference_per_five_sessions"


# Who answered, released


def flow(*steps: int) -> pd.DataFrame:
    names = ["n_people", "n_invited", "n_answered", "n_scored", "n_paired"]
    return pd.DataFrame([{"wave": 2, "arm": "treated", **dict(zip(names, steps, strict=True))}])


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ((103, 85, 60, 45, 30), [100, 85, 60, 45, 30]),
        ((103, 97, 60, 45, 30), [100, 95, 60, 45, 30]),  # six had left: shown, it may be any number from 1 to 9
        ((100, 85, 46, 45, 30), [100, 85, 45, 45, 30]),  # one could not be scored, or up to four
        ((100, 85, 60, 45, 4), [100, 85, 60, 45, None]),
        ((100, 100, 100, 100, 100), [100] * 5),
        ((9, 9, 9, 9, 9), [None] * 5),
        ((30, 20, 0, 0, 0), [30, 20, None, None, None]),
    ],
)
def test_no_small_group_can_be_counted_between_two_steps(steps, told):
    found = release_frame("response", flow(*steps), ReleaseRule(10))
    shown = [None if pd.isna(x) else int(x) for x in found.iloc[0, 2:]]
    assert shown == told


# All of it, on a simulated company


@pytest.fixture(scope="module")
def answered() -> Finding:
    return answer_of(opened("beside", "heronmere", 700)[0], "H5_cross_generational")


def answer_of(found: OpenStudy, hypothesis: str) -> Finding:
    """Return the answer of the participants of a study's first program."""
    comparison = Comparison(found, found.study.programs[0], "participant")
    return ScaleQuestion(found, comparison.question(hypothesis), comparison.panels()).finding()


def test_everything_that_the_plan_names_stands_beside_the_main_row(answered):
    rows = estimates_frame(answered.estimates)
    assert answered.primary.analysis == "secondary" and answered.primary.estimator == "dr_did"
    main = rows[(rows["analysis"] == "secondary") & (rows["measure"] == "mean_difference")]
    assert len(main) == 1, "exactly one main row"
    assert {"difference_in_means", "mean_change"} == set(rows.loc[rows["analysis"] == "naive", "estimator"])
    beside = set(rows.loc[rows["analysis"] == "sensitivity", "estimator"])
    assert beside >= {
        *("ancova", "linear_mixed_model", "honest_did", "dr_did_response_weighted", "dr_did_delta"),
        *("lee_bounds_lower", "lee_bounds_upper"),
    }
    assert {"event_study", "honest", "response", "delta", "lee", "balance", "trajectories"} <= set(answered.evidence)


def test_the_lower_bound_is_below_the_upper_and_the_delta_zero_row_is_on_the_curve(answered):
    rows = {row.estimator: row for row in answered.alternatives}
    assert rows["lee_bounds_lower"].estimate <= rows["lee_bounds_upper"].estimate
    at_zero = answered.evidence["delta"].set_index("delta").loc[0.0, "estimate"]
    assert at_zero == pytest.approx(rows["dr_did_delta"].estimate)


def test_what_is_released_of_the_event_study_keeps_its_waves_and_hides_small_ones(answered):
    evidence = dict(answered.evidence)
    evidence["event_study"] = evidence["event_study"].assign(
        n_treated=lambda f: f["n_treated"].where(f["position"] != 1, 4)
    )
    shown = release_finding(replace(answered, evidence=evidence), ReleaseRule(10)).evidence["event_study"]
    assert shown["position"].notna().all()
    assert shown.loc[shown["position"] == 1, ["estimate", "ci_low", "band_high", "n_treated"]].isna().all(axis=None)


# Raters, and whether waves compare


def test_a_source_of_fewer_than_three_raters_is_not_used_and_a_manager_is():
    scores = pd.DataFrame({"employee_id": ["E1", "E2", "E3"], "wave": 1, "n_raters": [3, 2, 1], "score": 3.0})
    assert of_enough_raters(scores, "peer")["employee_id"].tolist() == ["E1"]
    assert of_enough_raters(scores, "manager")["employee_id"].tolist() == ["E1", "E2", "E3"]


def steps(**holds: bool) -> pd.DataFrame:
    rows = [{"step": step, "holds": held, "delta_cfi": -0.02 if not held else 0.0} for step, held in holds.items()]
    return pd.DataFrame(rows).assign(freed_item=None, reason=None)


def test_waves_compare_where_scalar_invariance_holds():
    assert comparable_check(steps(configural=True, metric=True, scalar=True, residual=False)).passed is True


@pytest.mark.parametrize(
    ("failing", "said"), [("metric", "do not weigh alike"), ("scalar", "easier or harder"), ("configural", "one scale")]
)
def test_a_step_that_fails_is_named(failing, said):
    found = comparable_check(steps(**{step: step != failing for step in ("configural", "metric", "scalar")}))
    assert found.passed is False and said in found.sentence
    assert (found.statistic, found.threshold) == (-0.02, -0.01)


def test_the_item_that_changed_is_named_where_the_others_hold():
    freed = pd.DataFrame([{"step": "scalar", "holds": True, "delta_cfi": 0.0, "freed_item": "mor2", "reason": None}])
    rows = pd.concat([steps(configural=True, metric=True, scalar=False), freed], ignore_index=True)
    assert "Without item mor2 it does" in comparable_check(rows).sentence


def test_what_cannot_be_fitted_is_told_with_its_reason():
    found = comparable_check(pd.DataFrame([{"step": None, "freed_item": None, "reason": "one wave only"}]))
    assert found.passed is None and "one wave only" in found.sentence


def test_flagged_forms_are_left_out_in_a_row_of_their_own():
    found, _ = opened("careless", "heronmere", 600)
    rows = {row.estimator: row for row in answer_of(found, "H2_morale").alternatives}
    assert len(found.attentive.responses) < len(found.tables.responses)
    assert rows["dr_did_without_careless"].n_control < rows["linear_mixed_model"].n_control


def test_a_changed_item_brings_the_answer_from_the_items_that_stayed():
    found, _ = opened("changed", "heronmere", 600)
    answers = found.tables.responses
    dropped = answers[(answers["item"] != "rec1") | (answers["wave"] > 2)]
    found = replace(found, tables=replace(found.tables, responses=dropped))
    rows = {row.estimator: row for row in answer_of(found, "H7_recognition").estimates}
    assert rows["dr_did_common_items"].estimate != rows["dr_did"].estimate
