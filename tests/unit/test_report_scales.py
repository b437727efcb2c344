"""What a manager reads of the scales: at a glance, before and after, who answered, and were they measured well."""

import re
from dataclasses import replace

import nbformat
import pandas as pd
import pytest
import scale_examples as examples
from test_report import Tags, acme, anew, lost_links, readable, released, retention, row, whole

from analysis.estimate.diagnostics import Trend, trend_check
from analysis.notebook import StudyView, scales_view
from analysis.plan.errors import BadInput
from analysis.plan.hypotheses import load_plan
from analysis.plan.paths import notebooks_dir, project_dir
from analysis.plan.read_study import load_study
from analysis.plan.results import Check
from analysis.release.frames import release_frame
from analysis.release.rule import ReleaseRule
from analysis.report import (
    facts,
    figures,
    figures_measured,
    figures_robust,
    figures_scales,
    measured,
    prose,
    tables,
    tables_measured,
    wording,
)
from analysis.report.execute import notebook_runs
from analysis.report.page import study_pages
from analysis.report.parameters import check_parameters, scale_hypotheses
from analysis.report.pictures import all_pictures, finding_pictures
from analysis.report.quality_page import quality_page

MORALE = examples.scale()
MORALE_ITEMS = examples.ITEM_ANSWERS[examples.ITEM_ANSWERS["construct"] == "morale"]


def with_evidence(**frames: pd.DataFrame):
    return replace(MORALE, evidence=dict(MORALE.evidence) | frames)


# --- every scale at a glance ----------------------------------------------------------------------------------------


def test_every_estimated_scale_is_in_the_forest_and_nothing_else():
    found = prose.answered_scales((*examples.every_scale(), retention()))
    assert len(found) == 10 and "H1_retention" not in {f.hypothesis for f in found}
    mentors = [f.hypothesis for f in found if f.role == "mentor"]
    assert mentors == list(examples.TITLES)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ([(0.1, 0.3), (-0.3, -0.1), (-0.1, 0.1)],
         "Of 3 intervals on scales 1 lies above zero, 1 lies below zero and 1 holds it"),
        ([(0.1, 0.3), (0.2, 0.4)], "Of 2 intervals on scales 2 lie above zero"),
        ([(-0.1, 0.3), (-0.2, 0.4)], "Of 2 answers on scales all hold zero"),
        ([(-0.1, 0.3)], "Of 1 answers on scales the only interval holds zero"),
    ],
)  # fmt: skip
def test_the_forest_counts_where_intervals_lie(limits, said):
    assert prose.forest_title([examples.scale(ci_low=a, ci_high=b) for a, b in limits]) == said


def test_the_naive_mark_beside_an_answer_compares_with_somebody():
    assert figures_scales._simply_compared(MORALE).estimator == "difference_in_means"


# --- before and after -----------------------------------------------------------------------------------------------


def test_before_and_after_are_told_for_both_groups():
    title = figures_scales.trajectory_plot(MORALE, acme()).alt
    assert title == "Morale, before to after: 3.48 to 3.83 in those who started, 3.50 to 3.54 in their comparators"


def test_the_axis_says_how_far_the_answer_scale_runs_and_never_shows_a_sliver_of_it():
    study = load_study("heronmere", project_dir() / "data")
    scale = prose.answer_scale(study, "morale")
    assert (scale.min, scale.max) == (1, 5) and prose.answer_scale(study, "courage") is None
    flat = examples.TRAJECTORIES.assign(mean=3.5, ci_low=3.49, ci_high=3.51)
    axes = figures_scales.trajectory_plot(with_evidence(trajectories=flat), study).figure().axes[0]
    low, high = axes.get_ylim()
    assert high - low >= 1 and "answers run from 1 to 5" in axes.get_ylabel()


EVENTS = examples.EVENT_STUDY


def trend(state: str, is_large: bool = False) -> Check:
    return trend_check(Trend(state, is_large=is_large, largest=0.3, detectable=0.1), smallest_effect=0.15)


@pytest.mark.parametrize(
    ("frame", "check", "said"),
    [
        (EVENTS, trend("quiet"), "No drift to be seen before the start; after it +0.31 points at first, +0.27 at last"),
        (EVENTS, trend("cannot_tell"), "Too few people to tell whether the groups drifted apart before the start;"),
        (EVENTS, trend("drifting", is_large=True), "The groups were drifting apart before the start; after it"),
        (EVENTS[EVENTS["position"].isin([0, 1])], trend("no_waves"), "No earlier waves to compare trends in; after it"),
        (EVENTS[EVENTS["position"] <= 0], trend("quiet"), "no wave after it can be shown"),
    ],
)
def test_the_event_study_says_what_was_before_and_what_came_after(frame, check, said):
    found = replace(with_evidence(event_study=frame), checks=(check,))
    assert said in figures_scales.event_study_plot(found).alt


def test_the_base_is_drawn_though_nothing_was_estimated_at_it():
    axes = figures_scales.event_study_plot(with_evidence(event_study=EVENTS[EVENTS["position"] != 0])).figure().axes[0]
    assert [0.0] in [list(map(float, line.get_xdata())) for line in axes.lines if line.get_marker() == "s"]


def test_names_of_lines_that_end_together_do_not_touch():
    close = examples.TRAJECTORIES.assign(mean=3.5)
    figure = figures_scales.trajectory_plot(with_evidence(trajectories=close), acme()).figure()
    figure.canvas.draw()
    boxes = [t.get_window_extent() for t in figure.axes[0].texts if t.get_text() != "start"]
    assert len(boxes) == 2 and not boxes[0].overlaps(boxes[1])


# --- who answers ----------------------------------------------------------------------------------------------------


def test_who_answered_is_told_as_shares_of_those_compared():
    shares = prose.response_shares(examples.RESPONSE)
    assert shares.loc[0, "n_scored"] == 29 / 50
    assert "53\u00a0% to 58\u00a0% of those who started, 34\u00a0% to 37\u00a0%" in prose.response_title(MORALE)


def delta_of(lows: list[float], highs: list[float]) -> str:
    frame = pd.DataFrame({"delta": [-0.5, 0.0, 0.5], "estimate": 0.1, "ci_low": lows, "ci_high": highs})
    return prose.delta_title(with_evidence(delta=frame))


def test_the_delta_says_how_much_worse_the_silent_must_be_to_change_the_answer():
    assert delta_of([-0.1, 0.1, 0.2], [1, 1, 1]) == (
        "The interval holds zero once the silent did 0.50 points worse than predicted"
    )
    assert delta_of([-0.1, -0.1, 0.2], [1, 1, 1]) == (
        "The interval leaves out zero once the silent did 0.50 points better than predicted"
    )
    assert delta_of([0.1, 0.1, 0.2], [1, 1, 1]).startswith("The interval leaves out zero, even if the silent did 0.50")
    assert delta_of([-1, -1, -1], [1, 1, 1]).startswith("The interval holds zero, even if the silent did 0.50 points w")


# --- would another analyst agree? -----------------------------------------------------------------------------------


def test_bounds_and_other_raters_are_no_further_ways():
    ways = facts.ways(examples.led())
    assert {w.row.rater_source for w in ways} == {"others"} and len(ways) == 8
    assert not {w.row.estimator for w in ways} & {"lee_bounds_lower", "lee_bounds_upper", "honest_did"}
    assert "only items alike in every wave" in [w.text for w in ways]
    assert prose.other_sources(examples.led()) == [
        "Self-rated: +0.30 [+0.15,\u00a0+0.45] points.",
        f"Manager-rated: +0.05 [{wording.MINUS}0.10,\u00a0+0.20] points.",
    ]


def test_the_way_that_assumes_more_is_marked_and_its_mark_explained():
    finding = examples.scale()
    assert [w.row.estimator for w in facts.ways(finding) if w.text.endswith("*")] == ["ancova"]
    assert "The way marked * assumes more" in prose.ways_sentence(finding)
    assert "marked *" not in prose.ways_sentence(examples.by_lottery()), "by lots it is the main answer"


def test_bounds_are_told_as_bounds():
    lee, honest = prose.bounds_sentences(MORALE)
    assert f"between +0.19 and +0.41 points (95\u00a0% interval for it {wording.MINUS}0.01 to +0.61)" in lee
    assert f"would run from {wording.MINUS}0.14 to +0.76 and hold zero" in honest


def test_the_interval_for_the_effect_itself_goes_before_the_limits_of_both_bounds():
    frame = pd.DataFrame({"lower": [0.19], "upper": [0.41], "low": [0.03], "high": [0.56], "n_treated": [88]})
    assert "interval for it +0.03 to +0.56)" in prose.bounds_sentences(with_evidence(lee=frame))[0]


def test_a_bound_without_its_other_end_is_not_told():
    alone = tuple(e for e in MORALE.alternatives if e.estimator not in ("lee_bounds_upper", "honest_did"))
    assert prose.bounds_sentences(replace(MORALE, alternatives=alone)) == []


def test_every_way_of_the_ledger_has_a_name_in_words():
    for finding in (MORALE, examples.by_lottery()):
        assert all("_" not in way.text and "dr did" not in way.text for way in facts.ways(finding))


def test_the_ways_to_a_score_are_in_points_of_the_scale():
    figure = figures_robust.specification_curve(MORALE).figure()
    assert "points of the scale" in figure.axes[0].get_xlabel() and "leave" not in figure.axes[0].get_xlabel()


def test_the_waves_before_the_start_are_a_comparison_that_should_show_nothing():
    assert "when nothing can have changed yet: +0.02 points" in prose.control_sentences(MORALE)[0]


def test_standard_deviations_and_odds_are_told_as_such():
    odds = row(analysis="sensitivity", outcome="morale", measure="odds_ratio", estimator="ordinal_logit", estimate=1.8,
               ci_low=1.1, ci_high=2.9, hypothesis="H2_morale")  # fmt: skip
    told = prose.measure_sentences(replace(MORALE, alternatives=(*MORALE.alternatives, odds)))
    assert told[0].startswith("In standard deviations") and "+0.45" in told[0]
    assert "1.80 [1.10,\u00a02.90] times (1 is no difference)" in told[1]


def test_for_whom_and_with_what_is_told_in_points():
    shown = tables.moderators_table(MORALE).set_index("what was looked at")
    assert shown.loc["change in the difference per ten years of age", "estimate"] == "+0.04"
    assert "met mainly about digital tools, against other topics (an association)" in shown.index
    assert set(shown["unit, or why there is none"]) == {"points"}


def test_both_naive_figures_of_a_score_are_told():
    text = prose.naive_sentence(MORALE)
    assert "Scores afterwards, simply compared: +0.62 points" in text and "compared with nobody: +0.44" in text
    labels = [t.get_text() for t in figures.naive_beside_corrected(MORALE).figure().axes[0].texts]
    assert "Participants' own change, nobody to compare with" in labels


@pytest.mark.parametrize("hypothesis", examples.TITLES)
def test_a_scale_that_nobody_measured_says_what_would_be_needed(hypothesis):
    text = prose.finding_sentence(examples.unasked(hypothesis), acme())
    assert "no survey in the study measures" in text and "What would be needed: a survey" in text


def test_what_would_be_needed_is_known_for_every_hypothesis():
    """Of a scale it is a survey that measures it, of an event of the job history that history, whichever it is."""
    plan = load_plan()
    assert {h.id for h in plan.hypotheses if not h.needs} <= {h.id for h in (*plan.scales, *plan.job_events)}
    assert all(not h.needs.endswith(".") for h in plan.hypotheses), "the sentence goes on"


# --- were the scales measured well? ---------------------------------------------------------------------------------


def steps(holds: list[bool], freed: str | None = None, **changes) -> pd.DataFrame:
    names = ["configural", "metric", "scalar", "residual"][: len(holds)]
    frame = pd.DataFrame({"construct": "morale", "rater_role": "self", "across": "waves", "step": names,
                          "holds": holds, "freed_item": None, "reason": None} | changes)  # fmt: skip
    if freed:
        frame = pd.concat([frame, frame.tail(1).assign(freed_item=freed, holds=True)], ignore_index=True)
    return frame


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (
            steps([True, True, True, True]),
            "work alike from wave to wave, so a difference in score may be read as one in",
        ),
        (steps([True, True, True, False]), "work alike from wave to wave, so a difference in score may be read"),
        (steps([True, True, False]), "answered higher or lower for a reason of its own from wave to wave"),
        (steps([True, True, False], freed="mor3"), "(with mor3 left free the scalar step holds)"),
        (steps([True, False]), "weigh differently from wave to wave, so scores do not compare"),
        (steps([False]), "do not hang together as one scale from wave to wave"),
        (steps([True, True, True], across="mentors and their comparators"), "alike between mentors and their"),
        (
            pd.concat([steps([True, True, True]), steps([True, True, True], across="mentors and everybody else")]),
            "work alike from wave to wave and between mentors and everybody else, so",
        ),
        (
            pd.concat([steps([True, True, True]), steps([True, False], across="mentors and everybody else")]),
            "in what the scale measures; the questions weigh differently between mentors and everybody else, so",
        ),
        (
            steps([None], reason="a factor needs at least 3 items"),
            "cannot be told, for a factor needs at least 3 items.",
        ),
    ],
)
def test_each_scale_has_one_verdict_on_what_its_scores_may_be_compared_for(frame, said):
    (sentence,) = measured.invariance_sentences(frame)
    assert sentence.startswith("Morale (self-rated)") and said in sentence


def test_scales_of_the_same_verdict_share_a_sentence():
    both = pd.concat([steps([True, True, True]), steps([True, True, True]).assign(construct="recognition")])
    (sentence,) = measured.invariance_sentences(both)
    assert sentence.startswith("Morale (self-rated), Recognition (self-rated): the questions work alike")


def test_a_scale_below_the_convention_is_named():
    low = examples.RELIABILITY.assign(alpha=examples.RELIABILITY["alpha"] - 0.15)
    assert "Below 0.70 in some wave: Morale (self-rated)" in measured.reliability_sentences(low)[0]
    assert "No scale falls below" in measured.reliability_sentences(examples.RELIABILITY)[0]


def test_reliability_without_rater_sources_still_reads():
    old = pd.DataFrame({"construct": ["morale"], "wave": [1.0], "n_people": [8], "n_items": [5], "alpha": [0.83],
                        "ci_low": [0.80], "ci_high": [0.86]})  # fmt: skip
    shown = tables_measured.reliability_table(old)
    assert shown.columns.tolist() == ["scale", "wave", "people", "items", "α", "95 % interval"]
    assert shown.loc[0, "people"] == "<10" and measured.reliability_sentences(old)


def test_bars_of_answers_lie_on_the_middle_answer():
    axes = figures_measured.item_bars(MORALE_ITEMS).figure().axes[0]
    first = sorted((p for p in axes.patches if abs(p.get_y() + 0.41) < 1e-9), key=lambda p: p.get_x())
    middle = first[2]
    assert middle.get_x() + middle.get_width() / 2 == pytest.approx(0)
    assert sum(p.get_width() for p in first) == pytest.approx(1)


def test_an_even_number_of_answers_splits_between_the_two_middle_ones():
    four = MORALE_ITEMS[MORALE_ITEMS["value"] < 5].assign(share=0.25)
    axes = figures_measured.item_bars(four).figure().axes[0]
    edges = [round(p.get_x(), 6) for p in axes.patches][:4]
    assert edges == [-0.5, -0.25, 0.0, 0.25]


def test_questions_without_wording_stand_by_their_code_and_turned_ones_are_marked():
    def names(frame: pd.DataFrame) -> list[str]:
        axes = figures_measured.item_bars(frame).figure().axes[0]
        return axes.yaxis.get_major_formatter().seq

    assert names(MORALE_ITEMS)[:3] == [
        "I look forward to coming to work.", "My team is in good spirits.", "Most days drag. ↔",
    ]  # fmt: skip
    other = examples.ITEM_ANSWERS[examples.ITEM_ANSWERS["construct"] == "leadership"]
    assert names(other) == ["mlq vision1", "mlq vision2", "mlq vision3"]


def test_an_unlinked_survey_is_shown_with_its_warning_in_the_title():
    assert "linked to nobody" in figures_measured.unlinked_plot(examples.UNLINKED).alt
    assert "nothing can be compared" in figures_measured.unlinked_plot(examples.UNLINKED).alt


def test_the_gap_is_told_from_the_lowest_to_the_highest_group_that_can_be_shown():
    title = figures_measured.skill_gap_plot(examples.SKILL_GAP).alt
    assert title.endswith("by job level 3.9 (1–2) to 3.3 (5–6); by age 4.1 (under 30) to 2.9 (60 and over)")


def test_own_ratings_and_those_by_others_are_told_at_both_ends():
    title = figures_measured.self_other_plot(examples.SELF_OTHER_BINS).alt
    assert "themselves highest (4.6) get 3.7 from others, those lowest (2.7) 3.2" in title


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ([0.05, 0.059], "Pulse: 5.0\u00a0% to 5.9\u00a0% of forms of a wave show some sign"),
        ([0.05, None], "Pulse: 5.0\u00a0% of forms show some sign"),
        ([0.0, 0.0], "Pulse: no form shows a sign"),
        ([0.0, None], "Pulse: in no wave are there enough"),
    ],
)
def test_careless_forms_are_told_as_far_as_they_may_be(shares, said):
    frame = pd.DataFrame({"instrument": "pulse", "wave": [1.0, 2.0], "flag": "flagged", "share_flagged": shares})
    assert measured.careless_sentences(frame)[0].startswith(said)


def test_hypotheses_stand_in_the_order_of_the_plan():
    jumbled = examples.study_of_scales(examples.scale("H7_recognition"), MORALE, examples.scale("H4_digital_fluency"))
    pages = list(study_pages(jumbled))
    places = [pages.index(file) for file in ("morale.html", "digital_fluency.html", "recognition.html")]
    assert places == sorted(places)
    summary = study_pages(jumbled)["index.html"]
    rows = [summary.index(f'data-finding="genius-mentor-{h}"') for h in ("H2_morale", "H4_digital_fluency",
                                                                        "H7_recognition")]  # fmt: skip
    assert rows == sorted(rows)


TABLES = {
    "reliability": tables_measured.reliability_table,
    "item_statistics": tables_measured.item_statistics_table,
    "invariance": tables_measured.invariance_table,
    "item_changes": tables_measured.item_changes_table,
    "careless": tables_measured.careless_table,
    "agreement": tables_measured.agreement_table,
    "self_other": tables_measured.self_other_table,
    "leniency": tables_measured.leniency_table,
    "skill_gap": tables_measured.skill_gap_table,
    "unlinked": tables_measured.unlinked_table,
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_on_measurement_hold_text_alone_and_no_small_count(name):
    frame = examples.DESCRIBED[name]
    people = {c: 3 for c in frame if c.startswith("n_") and not c.startswith("n_items")}
    shown = TABLES[name](release_frame(name, frame.assign(**people), ReleaseRule(10)))
    assert shown.map(lambda cell: isinstance(cell, str)).all(axis=None)
    assert not re.search(r"\bnan\b|None|<NA>", tables.frame_html(shown))
    counted = [column for column in shown if column in ("people", "forms", "people rated", "ratings")]
    assert (shown[counted] == "<10").all(axis=None) and (counted or name == "item_changes")


def test_few_of_the_asked_are_only_said_to_be_few():
    few = release_frame("response", examples.RESPONSE.assign(n_paired=[3, 150, 39, 220, 52, 300]), ReleaseRule(10))
    assert tables_measured.asked_table(few)["scored before too"].tolist()[:3] == ["<10", "150", "35"]


# --- small groups ---------------------------------------------------------------------------------------------------


def test_figures_stand_masked_cells():
    masked = {n: release_frame(n, f.assign(**_first_small(f)), ReleaseRule(10)) for n, f in examples.EVIDENCE.items()}
    found = replace(MORALE, evidence=masked)
    assert all(draw().svg for draw in finding_pictures(found, acme()).values())
    described = {
        n: release_frame(n, f.assign(**_first_small(f)), ReleaseRule(10)) for n, f in examples.DESCRIBED.items()
    }
    assert all(draw().svg for draw in all_pictures(replace(released(), described=described)).values())


def _first_small(frame: pd.DataFrame) -> dict[str, list]:
    return {c: [3, *list(frame[c])[1:]] for c in frame if c.startswith("n_") and not c.startswith("n_items")}


def test_a_group_that_is_masked_everywhere_has_no_picture():
    hidden = {name: frame.assign(**{c: None for c in frame.select_dtypes("number") if c not in ("wave", "position")})
              for name, frame in examples.EVIDENCE.items()}  # fmt: skip
    assert set(finding_pictures(replace(MORALE, evidence=hidden), acme())) == {"ladder", "ways"}


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page() -> str:
    return whole(examples.study_of_scales())


def test_the_page_opens_the_scales_with_all_of_them_and_tells_how_they_were_measured(page):
    text = readable(page)
    assert text.index("Every scale at a glance") < text.index("Does taking part raise morale?")
    for said in ("Were the scales measured well?", "Who answers?", "How far off the answer could be",
                 "If trends had diverged", "Signs of carelessness", "linked to nobody"):  # fmt: skip
        assert said in text, said
    assert "None" not in text and "nan" not in text.lower().split()


def test_links_ids_and_signs_are_right_on_the_page_of_scales(page):
    found = Tags(page).found
    answer = examples.study_of_scales()
    assert lost_links(study_pages(answer) | {"data_quality.html": quality_page(answer)}) == []
    assert re.search(r"[\s\[(]-\d", readable(page)) is None
    assert all(len(attributes["alt"]) > 10 for tag, attributes in found if tag == "img")


def test_a_further_scale_takes_one_open_picture(page):
    for hypothesis in ("H5_cross_generational", "H6_idea_sharing"):
        start = page.index(f'id="genius-mentor-{hypothesis}"')
        article = page[start : page.index("</article>", start)]
        folded = re.sub(r"<details>.*?</details>", "", article, flags=re.DOTALL)
        assert folded.count("<img") == 1 and "Would another analyst agree?" not in folded


def test_a_lottery_has_no_event_study_and_the_page_reads_all_the_same():
    lots = examples.by_lottery()
    assert "event_study" not in finding_pictures(lots, acme())
    text = readable(whole(examples.study_of_scales(lots)))
    assert "offered a place" in text and "If trends had diverged: " not in text
    assert "None" not in text


def test_a_study_without_the_new_frames_reads_as_before():
    waves = examples.TRAJECTORIES[examples.TRAJECTORIES["wave_position"] >= 0]
    old = replace(MORALE, alternatives=(), evidence={"trajectories": waves})
    text = readable(whole(released(old)))
    assert "Morale" in text and "Who answers?" not in text and "If trends had diverged: " not in text
    assert "Do the questions of a scale belong together?" in text


def test_the_same_scale_gives_the_same_bytes():
    draw = all_pictures(examples.study_of_scales(MORALE))
    for name in ("scales", "genius-mentor-H2_morale-event_study", "items-morale-self"):
        assert anew(draw[name]).svg == anew(draw[name]).svg, name


# --- notebooks ------------------------------------------------------------------------------------------------------

SCALES = notebooks_dir() / "05_scales.ipynb"


def test_one_notebook_is_run_for_every_scale_but_leadership():
    runs = list(notebook_runs(SCALES, "acme", scale_hypotheses()))
    assert [name for _, name, _ in runs] == [
        "05_scales_H2_morale.ipynb", "05_scales_H4_digital_fluency.ipynb", "05_scales_H5_cross_generational.ipynb",
        "05_scales_H6_idea_sharing.ipynb", "05_scales_H7_recognition.ipynb",
    ]  # fmt: skip
    assert {notebook for notebook, _, _ in runs} == {SCALES}
    assert runs[1][2] == {"study": "acme", "data": "", "hypothesis": "H4_digital_fluency"}


def test_another_notebook_is_run_once():
    other = notebooks_dir() / "06_leadership.ipynb"
    assert list(notebook_runs(other, "acme", ())) == [(other, "06_leadership.ipynb", {"study": "acme", "data": ""})]


@pytest.mark.parametrize("wrong", ["H2_moral", "morale", "H1_retention", ""])
def test_a_misspelt_hypothesis_is_refused_with_the_known_ones(wrong):
    declared = {"study": "", "data": "", "hypothesis": ""}
    with pytest.raises(BadInput, match="H2_morale, H3_leadership, H4_digital_fluency"):
        check_parameters({"study": "northbank", "data": "", "hypothesis": wrong}, declared, "a notebook")
    with pytest.raises(BadInput, match="no hypothesis"):
        scales_view({"study": "northbank", "data": "", "hypothesis": wrong})


def test_a_missing_hypothesis_is_told_once():
    with pytest.raises(BadInput) as caught:
        check_parameters({"study": "a", "data": ""}, {"study": "", "data": "", "hypothesis": ""}, "a notebook")
    assert [p.message for p in caught.value.problems] == ["parameter 'hypothesis' is missing"]


def test_every_scale_can_be_named():
    assert scale_hypotheses() == list(examples.TITLES)


def test_views_of_a_notebook_show_something_or_say_that_there_is_nothing(capsys):
    view = StudyView(examples.study_of_scales(MORALE))
    bare = replace(MORALE, alternatives=(), evidence={})
    for name in ("response", "event_study", "delta", "balance"):
        assert not isinstance(view.picture(name)(MORALE), str)
        assert "nothing to draw" in view.picture(name)(bare)
    for shown in (view.asked, view.honest, view.response_balance):
        assert isinstance(shown(MORALE), pd.DataFrame) and "nothing to show" in shown(bare)
    assert view.bounds(bare).startswith("*There are no") and view.answering(bare).startswith("*There are no")


@pytest.mark.parametrize("name", ["02_measurement", "05_scales", "06_leadership"])
def test_notebooks_hold_no_loops_no_functions_and_no_number_in_their_prose(name):
    for cell in nbformat.read(notebooks_dir() / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\d", cell.source), cell.source
        elif "parameters" not in cell.metadata.tags:
            assert not re.search(r"^\s*(def|for|while|class|if)\b", cell.source, re.M), cell.source
            assert len(cell.source.splitlines()) <= 10
