"""Scales where something is missing, odd or small: what is said then, and what must not follow from what is said."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from companies import opened
from studies import write_study

from analysis.design.panels import Panel, Panels
from analysis.design.response import others_suffice
from analysis.estimate.analyses import Groups, Numbers, Question
from analysis.estimate.by_scores import ByScores, ScaleScores, estimate_change, result_of, why_no_answer
from analysis.estimate.change_assumptions import silence
from analysis.estimate.moderators import direction_row
from analysis.measure.scales import self_scores
from analysis.pipeline import OpenStudy, open_study
from analysis.pipeline.scales import ScaleQuestion
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Check, Finding


def company(name: str, like: str, size: int, **tables) -> OpenStudy:
    found, _ = opened(name, like, size)
    return replace(found, tables=replace(found.tables, **tables))


def question(found: OpenStudy, hypothesis: str = "H2_morale", role: str = "mentor") -> ScaleQuestion:
    parts = found.study, found.study.programs[0], role
    return ScaleQuestion(found, Question(*parts, load_plan().hypothesis(hypothesis)), Panels(found.tables, *parts))


def finding(found: OpenStudy, *asked: str) -> Finding:
    return question(found, *asked).finding()


# Something is missing


@pytest.mark.parametrize("missing", [{"jobs": None}, {"jobs": None, "employees": None}])
def test_a_rollout_without_units_has_no_answer_and_says_so(missing):
    found = finding(company("unitless", "kesselwerk", 700, **missing))
    assert found.primary.status == "not_estimable" and "which unit people belong to" in found.primary.reason


def test_one_unit_on_a_side_is_no_comparison():
    found = question(company("one-unit", "kesselwerk", 900))
    scores = found._scored(found.opened.tables)["self"]
    measured = found._measured(scores, "self")
    everyone = measured.panel.everyone
    alone = everyone.assign(unit=everyone["unit"].where(~everyone["is_treated"].astype(bool), "Boilers"))
    assert "Only one unit" in why_no_answer(
        found.question, replace(measured, panel=replace(measured.panel, everyone=alone))
    )
    assert why_no_answer(found.question, measured) is None


def test_a_lottery_that_recorded_no_draw_has_no_answer():
    found, _ = opened("no-draw", "larkfield", 500)
    drawn = found.tables.enrolments.assign(offered=None)
    found = finding(replace(found, tables=replace(found.tables, enrolments=drawn)))
    assert found.primary.status == "not_estimable" and "offered a place and not" in found.primary.reason


def test_sessions_of_enrolments_without_matches_are_told_of_and_no_fault(tmp_path):
    write_study(
        tmp_path / "acme",
        {
            "employees": "employee_id,hire_date,exit_date\nE1,2019-01-01,\n",
            "enrolments": "program_id,intake_date,employee_id,role,start_date\n"
            "genius,2022-03-01,E1,mentor,2022-06-06\n",
            "sessions": "match_id,session_date,minutes\nM1,2022-07-01,60\n",
        },
    )
    problems = open_study("acme", tmp_path).problems
    assert any(p.table == "sessions" and "match_id is in no enrolment" in p.message for p in problems)


def test_where_everybody_has_started_nobody_is_left_to_compare_with():
    found, _ = opened("all-start", "northbank", 400)
    asked = question(found)
    measured = asked._measured(self_scores("morale", found.tables, found.instruments), "self")
    rows = measured.panel.everyone["is_treated"].to_numpy(dtype=bool)
    alone = replace(measured, panel=measured.panel.take(rows), earlier=None)
    assert estimate_change(asked.question, alone) is None
    assert "nobody is left to compare with" in why_no_answer(asked.question, alone)


def test_scores_that_do_not_vary_have_no_interval_without_width():
    rows = pd.DataFrame(
        {"cell": 0, "wave_position": 1, "employee_id": range(40), "is_treated": np.arange(40) < 20, "unit": None}
    ).assign(manager_id=None, before=3.0, after=4.0)
    found, _ = opened("flat", "northbank", 200)
    asked = question(found).question
    flat = ScaleScores(Panel(rows, pd.DataFrame(index=rows.index)))
    assert estimate_change(asked, flat) is None
    assert "do not vary" in result_of(asked, flat, None)


def test_what_scales_share_is_not_mixed_up_between_scores_of_other_people_and_waves():
    found = company("shared", "northbank", 500, employees=None, jobs=None)
    scores = self_scores("morale", found.tables, found.instruments)
    some = scores[scores["employee_id"].isin(scores["employee_id"].unique()[::2])]
    parts = found.tables, found.study, found.study.programs[0], "mentor"
    shared = Panels(*parts)
    for own in (scores, some, scores[scores["wave"] > 1]):
        alone = Panels(*parts)
        for one, other in ((shared.after(own), alone.after(own)), (shared.before(own), alone.before(own))):
            pd.testing.assert_frame_equal(one.everyone, other.everyone)


def test_waves_are_ordered_by_their_dates_whatever_their_numbers():
    found, _ = opened("renumbered", "northbank", 700)
    scores = self_scores("morale", found.tables, found.instruments)
    turned = scores.assign(wave=7 - scores["wave"])
    panels = Panels(found.tables, found.study, found.study.programs[0], "mentor")
    one, other = (panels.after(each).rows for each in (scores, turned))
    pd.testing.assert_frame_equal(one[["employee_id", "before", "after"]], other[["employee_id", "before", "after"]])
    assert len(one)


def test_who_starts_later_is_marked_among_the_comparators():
    found, _ = opened("later", "northbank", 700)
    scores = self_scores("morale", found.tables, found.instruments)
    program = found.study.programs[0]
    rows = Panels(found.tables, found.study, program, "mentor").after(scores).everyone
    started = found.tables.enrolments.dropna(subset=["start_date"])["employee_id"]
    later = rows[~rows["is_treated"].astype(bool) & rows["employee_id"].isin(started)]
    assert len(later) and later["is_later_starter"].all()
    assert rows["is_later_starter"].sum() == len(later)


# Whose answers


def test_only_the_source_in_question_counts_as_having_answered():
    found, _ = opened("raters", "heronmere", 600)
    tables = found.tables
    silent = tables.ratings["ratee_id"].isin(tables.ratings["ratee_id"].unique()[::3])
    rated = tables.ratings[~(silent & (tables.ratings["rater_role"] == "self"))]
    asked = question(replace(found, tables=replace(tables, ratings=rated)), "H3_leadership", "participant")
    panel = asked._with_response(asked._carried["self"].panel, "self")
    rows = panel.everyone
    own = rated[rated["rater_role"] == "self"]
    told = pd.MultiIndex.from_frame(rows.loc[rows["is_answered"], ["employee_id", "wave_after"]])
    assert told.isin(pd.MultiIndex.from_frame(own[["ratee_id", "wave"]])).all()


def rated_panel(n_raters: list[int]) -> tuple[Panel, pd.DataFrame]:
    """Return ten people with two waves of ratings, the first five of whom started, each rated by so many."""
    rows = pd.DataFrame({"cell": 0, "employee_id": range(10), "is_treated": np.arange(10) < 5, "wave_before": 1})
    rows = rows.assign(wave_after=2, before=3.0, after=3.0)
    both = [pd.DataFrame({"employee_id": range(10), "wave": wave, "n_raters": n_raters}) for wave in (1, 2)]
    return Panel(rows, pd.DataFrame(index=rows.index)), pd.concat(both)


@pytest.mark.parametrize(
    ("n_raters", "suffices"),
    [([3] * 10, True), ([2] * 10, False), ([3] * 5 + [2] * 5, False), ([3, 3, 3, 3, 2] * 2, True)],
)
def test_three_raters_in_seven_of_ten_of_both_arms_suffice(n_raters, suffices):
    assert others_suffice(*rated_panel(n_raters)) is suffices


def test_beside_a_secondary_main_row_the_other_direction_is_descriptive():
    found, _ = opened("directions", "northbank", 200)
    interval = type("I", (), {"estimate": 0.1, "std_error": 0.1, "low": -0.1, "high": 0.3, "p_value": 0.3})()
    for hypothesis, analysis in (("H2_morale", "secondary"), ("H5_cross_generational", "descriptive")):
        asked = question(found, hypothesis).question
        row = asked.row("dr_did", Numbers(interval, Groups(30, 80)))
        assert direction_row(asked, row, row).analysis == analysis


def test_a_few_silent_people_are_neither_counted_nor_drawn():
    found = question(company("few-silent", "heronmere", 700), "H3_leadership", "participant")
    measured = found._measured(found._scored(found.opened.tables)["others"], "others")
    everyone = measured.panel.everyone.copy()
    treated = np.flatnonzero(everyone["is_treated"].astype(bool) & everyone["before"].notna())
    everyone.loc[treated, "after"] = everyone.loc[treated, "after"].fillna(3.0)
    everyone.loc[treated[:3], "after"] = np.nan
    panel = found._with_response(replace(measured.panel, everyone=everyone), "others")
    said = list(
        silence(ByScores(found.question, replace(measured, panel=panel), SimpleNamespace(response=lambda: panel)))
    )
    evidence = {name: frame for one in said if isinstance(one, dict) for name, frame in one.items()}
    checks = [one for one in said if isinstance(one, Check)]
    assert "delta" not in evidence and evidence["lee"][["response_treated", "trimmed_share"]].isna().all(axis=None)
    alike = next(check for check in checks if check.name == "both groups answer alike")
    assert alike.statistic is None and "%" not in alike.sentence.replace("10%", "")
