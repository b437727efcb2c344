"""What a manager reads: true to the numbers, careful with small groups, and complete on one page."""

import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from analysis.plan.errors import Problem
from analysis.plan.results import Check, Estimate, Finding, estimates_frame
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report import figures, figures_checks, figures_described, prose, tables, wording
from analysis.report.canvas import alt_text, png, svg
from analysis.report.index import index_facts, index_page, read_index_entry
from analysis.report.page import figure_files, study_page

ROW = {
    "study": "acme", "program": "genius", "hypothesis": "H1_retention", "analysis": "primary",
    "outcome": "voluntary_exit", "role": "mentor", "contrast": "enrolled_vs_not", "estimand": "ATT",
    "estimator": "iptw_aalen_johansen", "measure": "risk_difference", "horizon_months": 12,
    "estimate": -0.0441, "std_error": 0.027, "ci_low": -0.0972, "ci_high": 0.0097, "ci_level": 0.95,
    "p_value": 0.109, "p_adjusted": 0.654, "n_treated": 135, "n_control": 664, "events_treated": 10,
    "events_control": 146,
}  # fmt: skip
NUMBERS = ("estimate", "std_error", "ci_low", "ci_high", "ci_level", "p_value", "p_adjusted", "n_treated", "n_control",
           "events_treated", "events_control")  # fmt: skip
MORALE = {"hypothesis": "H2_morale", "outcome": "morale", "measure": "mean_difference", "estimator": "dr_did",
          "estimate": 0.31, "ci_low": 0.12, "ci_high": 0.50, "p_value": 0.0004, "events_treated": None,
          "events_control": None}  # fmt: skip
LOTTERY = {"estimand": "ITT", "contrast": "offered_vs_not", "estimator": "stratified_difference_in_proportions"}


def row(**changes) -> Estimate:
    return Estimate(**(ROW | changes))


def without_number(status: str, reason: str, **changes) -> Estimate:
    return row(**dict.fromkeys(NUMBERS), status=status, reason=reason, **changes)


def finding(primary: Estimate, verdict: str, **parts) -> Finding:
    least = {"risk_difference": 0.03}.get(primary.measure, 0.15)
    detectable = 2.8 * primary.std_error if primary.is_estimated else None
    known = {"smallest_effect": least, "smallest_detectable": detectable} | parts
    return Finding(hypothesis=primary.hypothesis, program=primary.program, role=primary.role, primary=primary,
                   verdict=verdict, **known)  # fmt: skip


def acme(direction: str = "reverse", name: str = "Genius Program", **changes) -> Study:
    program = {"id": "genius", "name": name, "direction": direction, "format": "pair", "assignment": "self_selected"}
    plain = {"schema_version": 1, "study": "acme", "title": "Acme", "study_start": "2021-01-01", "as_of": "2025-06-30",
             "programs": [program]}  # fmt: skip
    return Study.model_validate(plain | changes)


NAIVE = (
    row(analysis="naive", contrast="ever_vs_never", estimator="aalen_johansen", estimand="association",
        estimate=-0.1295, ci_low=-0.1616, ci_high=-0.0800, events_treated=None),
    row(analysis="naive", estimator="aalen_johansen", estimand="association",
        estimate=-0.0633, ci_low=-0.1127, ci_high=-0.0139),
)  # fmt: skip
CURVES = pd.DataFrame({
    "arm": ["treated"] * 3 + ["control"] * 3, "months": [0, 6, 12] * 2,
    "cumulative_incidence": [0, 0.037, 0.0741, 0, 0.05, 0.1182], "ci_low": [0, 0.02, 0.04, 0, 0.04, 0.09],
    "ci_high": [0, 0.09, 0.13, 0, 0.07, 0.15], "n_at_risk": pd.array([135, 128, None, 664, 571, 484], dtype="Int64"),
})  # fmt: skip
EVIDENCE = {
    "curves": CURVES,
    "flow": pd.DataFrame({"step": ["started", "under notice", "analysed"],
                          "n_people": pd.array([150, None, 135], dtype="Int64")}),
    "balance": pd.DataFrame({"covariate": ["performance_rating", "tenure_years"], "smd_before": [0.86, 0.26],
                             "smd_after": [0.02, -0.01]}),
    "overlap": pd.DataFrame({"log_odds_from": [-4.0, -3.0] * 2, "log_odds_to": [-3.0, -2.0] * 2,
                             "arm": ["treated"] * 2 + ["control"] * 2, "share": [0.4, 0.6, 0.8, None],
                             "n_rows": pd.array([54, 81, 900, None], dtype="Int64")}),
}  # fmt: skip
TRAJECTORIES = pd.DataFrame({
    "arm": ["treated", "control"] * 2, "wave_position": [0, 0, 1, 1], "mean": [3.5, 3.5, 3.9, 3.6],
    "ci_low": [3.3, 3.4, 3.7, 3.5], "ci_high": [3.7, 3.6, 4.1, 3.7], "n_people": [35, 190, 35, 190],
})  # fmt: skip
CHECKS = (
    Check("balance", True, 0.02, 0.1, "The groups are alike in what was recorded."),
    Check("overlap", False, 80.0, 135.0, "Too few comparators."),
    Check("no interference", None, None, None, "Nobody can know."),
)


def retention(**parts) -> Finding:
    return finding(row(), "inconclusive", **({"alternatives": NAIVE, "evidence": EVIDENCE, "checks": CHECKS} | parts))


def morale(**parts) -> Finding:
    return finding(row(**MORALE), "supported", **({"evidence": {"trajectories": TRAJECTORIES}} | parts))


def unmeasured() -> Finding:
    changes = MORALE | {"hypothesis": "H3_leadership", "outcome": "leadership"}
    naming = {k: v for k, v in changes.items() if k not in NUMBERS}
    row = without_number("not_estimable", "No survey in the study measures leadership.", **naming)
    return finding(row, "not estimable")


def released(*findings: Finding, study: Study | None = None) -> Released:
    described = {
        "participation": pd.DataFrame({"program_id": "genius", "intake_date": pd.to_datetime(["2022-03-01"] * 2),
                                       "role": ["mentor", "mentee"], "n_enrolled": pd.array([94, 12], dtype="Int64"),
                                       "n_offered": pd.array([56, None], dtype="Int64"),
                                       "n_started": pd.array([52, None], dtype="Int64")}),
        "exit_rates": pd.DataFrame({"year": [2021, 2022], "n_people": [1200, 1250], "person_years": [1100.5, 1077.6],
                                    "voluntary_exit_per_100": [11.6, 12.8], "involuntary_exit_per_100": [1.7, 1.9],
                                    "other_exit_per_100": [2.7, None]}),
        "response_rates": pd.DataFrame({"instrument": "pulse", "wave": [1.0, 2.0],
                                        "opens": pd.to_datetime(["2021-05-10", "2021-11-08"]),
                                        "n_people": [1101, 1092], "n_answered": [430, 416], "share": [0.39, 0.38]}),
        "reliability": pd.DataFrame({"construct": ["morale"], "wave": [1.0], "n_people": [290], "n_items": [5],
                                     "alpha": [0.83], "ci_low": [0.80], "ci_high": [0.86]}),
        "row_counts": pd.DataFrame({"table": ["employees"], "source": ["raw/workers.csv"], "rows_in": [1801],
                                    "rows_kept": [1801], "rows_rejected": [0]}),
    }  # fmt: skip
    problem = Problem(severity="warning", table="jobs", source="raw/jobs.csv", rows=4, rule="manager", message="Odd")
    run = {"study": "acme", "created": "2026-11-22T06:21:47+00:00", "commit": "b759346", "versions": {"python": "3.11"},
           "data_checksums": {"raw/workers.csv": "ab" * 32}, "seeds": "from names", "parameters": {}}  # fmt: skip
    return Released(study=study or acme(), findings=findings, problems=(problem,), described=described, run=run)


class Tags(HTMLParser):
    """Collects every tag with its attributes."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def readable(page: str) -> str:
    """Return a page's text without its images and style, spaces made plain."""
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text.replace("&lt;", "<").replace("&#39;", "'"))


# --- sentences ---------------------------------------------------------------------------------------------------


def test_fewer_exits_in_the_program_read_as_less_often():
    text = prose.finding_sentence(retention(), acme())
    assert text.startswith("Mentors (the juniors) who started the Genius Program left of their own accord")
    assert "4.4 percentage points less often within 12 months" in text
    assert "runs from 9.7 less often to 1.0 more often" in text


def test_more_exits_in_the_program_read_as_more_often():
    worse = finding(row(estimate=0.0441, ci_low=-0.0097, ci_high=0.0972), "inconclusive")
    text = prose.finding_sentence(worse, acme())
    assert "4.4 percentage points more often" in text
    assert "runs from 1.0 less often to 9.7 more often" in text


def test_a_higher_score_reads_as_up_and_a_lower_one_as_down():
    down = finding(row(**MORALE | {"estimate": -0.31, "ci_low": -0.50, "ci_high": -0.12}), "harmful")
    assert "moved up by 0.31 points" in prose.finding_sentence(morale(), acme())
    assert "moved down by 0.31 points" in prose.finding_sentence(down, acme())


def test_a_lottery_speaks_of_the_offer_and_never_of_those_who_started():
    text = prose.finding_sentence(finding(row(**LOTTERY), "inconclusive"), acme())
    assert text.startswith("People offered a place in the Genius Program as mentors (the juniors)")
    assert "those not offered one" in text and "started" not in text


def test_roles_name_the_junior_only_where_the_program_is_reversed():
    assert "juniors" not in prose.finding_sentence(retention(), acme(direction="traditional"))


def test_a_program_that_is_no_mentoring_is_not_called_so():
    wellness = acme(direction="peer", name="iThrive")
    text = " ".join(prose.three_sentences(released(retention(), morale(), unmeasured(), study=wellness)))
    assert "the iThrive program" in text and "entoring" not in text


VERDICTS = {
    "supported": (row(estimate=-0.06, ci_low=-0.10, ci_high=-0.02), "the estimate reaches the 3 percentage points"),
    "not supported": (row(estimate=0.03, ci_low=-0.02, ci_high=0.10), "leaves out a drop of 3 percentage points"),
    "harmful": (row(estimate=0.06, ci_low=0.02, ci_high=0.10), "lies against the claim"),
    "inconclusive": (row(), "holds both no difference and a drop of 3 percentage points or more"),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_says_what_the_interval_says(verdict):
    estimate, said = VERDICTS[verdict]
    text = prose.verdict_sentence(finding(estimate, verdict))
    assert text.lower().startswith(verdict) and said in text


def test_an_interval_without_zero_that_falls_short_of_worth_having_does_not_hold_no_difference():
    short = finding(row(estimate=-0.02, ci_low=-0.035, ci_high=-0.005), "inconclusive")
    text = prose.verdict_sentence(short)
    assert "falls short of a drop of 3 percentage points" in text and "holds both" not in text


def test_harm_that_is_not_ruled_out_is_said():
    wide = finding(row(estimate=0.04, ci_low=-0.02, ci_high=0.25), "not supported")
    assert "Harm of that size is not ruled out" in prose.verdict_sentence(wide)
    narrow = finding(row(estimate=0.0, ci_low=-0.02, ci_high=0.02), "not supported")
    assert "Harm" not in prose.verdict_sentence(narrow)


def test_a_claim_without_a_lottery_names_what_it_rests_on():
    estimate, _ = VERDICTS["supported"]
    lots = row(**LOTTERY | {"estimate": -0.06, "ci_low": -0.10, "ci_high": -0.02})
    assert "not recorded" in prose.verdict_sentence(finding(estimate, "supported"))
    assert "not recorded" not in prose.verdict_sentence(finding(lots, "supported"))


def test_what_is_not_estimable_says_why_and_what_would_be_needed():
    text = prose.finding_sentence(unmeasured(), acme())
    assert "no survey in the study measures leadership" in text and "What would be needed" in text
    assert prose.verdict_sentence(unmeasured()) == prose.detectable_sentence(unmeasured()) == ""


def test_what_is_suppressed_says_how_many_people_it_takes():
    small = finding(without_number("suppressed", "A group has fewer than 10 people."), "suppressed")
    assert "At least 10 people in each group would be needed" in prose.finding_sentence(small, acme())


def test_the_ladder_in_words_adds_up():
    text = prose.naive_sentence(retention())
    assert "12.9 percentage points fewer exits" in text or "13.0 percentage points fewer exits" in text
    first, second = (float(x) for x in re.findall(r"takes away ([\d.]+) points", text))
    start = float(re.search(r"([\d.]+) percentage points fewer", text)[1])
    assert round(start - first - second, 1) == 4.4 and f"{wording.MINUS}4.4" in text


def test_a_correction_that_turns_the_sign_takes_nothing_away():
    turned = finding(row(estimate=0.028, ci_low=-0.016, ci_high=0.101), "not supported", alternatives=NAIVE)
    assert "moves the figure to +2.8" in prose.naive_sentence(turned)


def test_three_sentences_hold_every_role_and_end_once():
    mentee = finding(row(role="mentee", estimate=0.01), "inconclusive")
    told = prose.three_sentences(released(retention(), mentee, morale(), unmeasured()))
    assert len(told) == 3 and all(t.endswith(".") and not t.endswith("..") for t in told)
    assert "mentors (the juniors)" in told[0] and "mentees (the seniors)" in told[0]
    assert "cannot say" in told[2]


def test_a_study_far_too_small_says_so_in_the_answer_itself():
    tiny = finding(row(estimate=0.04, ci_low=-0.13, ci_high=0.25), "inconclusive", smallest_detectable=0.27)
    told = prose.three_sentences(released(tiny))[0]
    assert "too few people to see a difference of less than about 27 points" in told
    assert "too few people" not in prose.three_sentences(released(retention()))[0]


def test_what_could_have_been_seen_is_measured_against_what_is_worth_having():
    assert "about 7.6 percentage points" in prose.detectable_sentence(retention())
    assert "more than the 3 percentage points" in prose.detectable_sentence(retention())
    assert "no more than the 3" in prose.detectable_sentence(retention(smallest_detectable=0.02))


# --- numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("p", "text"), [(0.0001, "p < 0.001"), (0.0042, "p = 0.004"), (0.034, "p = 0.03"),
                                         (0.999, "p > 0.99"), (None, "–")])  # fmt: skip
def test_p_values(p, text):
    assert wording.p_text(p) == text


def test_numbers_have_real_minus_signs_and_no_negative_zero():
    assert wording.number(-1.25, 2, signed=True) == "\u22121.25"
    assert wording.number(-0.001, 1, signed=True) == "0.0"


@pytest.mark.parametrize(("n", "text"), [(0, "0"), (1, "<10"), (9, "<10"), (10, "10"), (None, "<10"), (pd.NA, "<10"),
                                         (1234, "1,234")])  # fmt: skip
def test_small_counts_are_only_said_to_be_small(n, text):
    assert wording.count(n, 10) == text


def test_no_table_shows_a_count_under_min_cell():
    few = retention(alternatives=(row(analysis="secondary", events_treated=3, events_control=7),))
    flow = pd.DataFrame({"step": ["a"], "n_treated": [4], "n_control": [9]})
    assert tables.estimates_table([few])["events"].tolist() == ["10 / 146", "<10 / <10"]
    assert tables.flow_table(flow).loc[0, ["program", "comparison"]].tolist() == ["<10", "<10"]
    assert tables.quality_table(released().problems)["rows"].tolist() == ["<10"]


def test_masked_cells_read_as_under_ten():
    assert "<10" in tables.participation_table(released().described["participation"])["started"].tolist()


def test_a_row_without_a_number_says_why_it_has_none():
    shown = tables.estimates_table([unmeasured()])
    assert shown["estimate"].tolist() == ["not estimable"] and shown["people"].tolist() == ["–"]


def test_tables_are_escaped():
    assert "<script" not in tables.frame_html(pd.DataFrame({"what": ["<script>alert(1)</script>"]}))


# --- figures ------------------------------------------------------------------------------------------------------


DRAWINGS = {
    "ladder": lambda: figures.naive_beside_corrected(retention()),
    "curves": lambda: figures.incidence_curves(retention(), acme()),
    "trajectories": lambda: figures.trajectory_plot(morale(), acme()),
    "balance": lambda: figures_checks.love_plot(retention()),
    "overlap": lambda: figures_checks.overlap_plot(retention()),
    "exit_rates": lambda: figures_described.exit_rates_plot(released().described["exit_rates"], acme()),
    "participation": lambda: figures_described.participation_plot(released().described["participation"], acme()),
    "response_rates": lambda: figures_described.response_plot(released().described["response_rates"], acme()),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_same_numbers_give_the_same_bytes(name):
    draw = DRAWINGS[name]
    assert svg(draw()) == svg(draw())


def test_the_same_picture_gives_the_same_png():
    draw = DRAWINGS["ladder"]
    assert png(draw()) == png(draw())


def test_the_ladder_says_both_figures_in_its_title():
    title = alt_text(DRAWINGS["ladder"]())
    assert "4.4 points fewer exits" in title and "\u22129.7" in title


def test_levels_stay_unsaid_where_their_events_are_too_few_to_count():
    few = retention()
    hidden = finding(row(events_treated=None), "inconclusive", evidence=EVIDENCE)
    assert "7.4" in alt_text(figures.incidence_curves(few, acme()))
    assert "7.4" not in alt_text(figures.incidence_curves(hidden, acme()))


def test_figures_are_png_files_by_program_role_and_hypothesis():
    files = figure_files(released(retention()))
    assert "genius-mentor-H1_retention-ladder.png" in files
    assert all(content.startswith(b"\x89PNG") for content in files.values())


# --- the page -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page() -> str:
    return study_page(released(retention(), morale(), unmeasured()))


def test_the_page_loads_nothing(page):
    for tag, attributes in Tags(page).found:
        assert tag not in ("script", "link", "iframe")
        assert attributes.get("src", "data:").startswith("data:")
        assert not attributes.get("href", "#").startswith(("http", "//"))
    assert "@import" not in page and "url(" not in page


def test_every_picture_has_a_text(page):
    images = [attributes for tag, attributes in Tags(page).found if tag == "img"]
    assert images and all(len(image["alt"]) > 10 for image in images)


def test_every_link_on_the_page_leads_somewhere(page):
    found = Tags(page).found
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    wanted = {attributes["href"][1:] for _, attributes in found if attributes.get("href", "").startswith("#")}
    assert len(ids) == len(set(ids)) and wanted <= set(ids)


def test_every_main_number_is_on_the_page(page):
    text = readable(page)
    for f in (retention(), morale()):
        shown = (wording.value_text(f.primary), *wording.limit_texts(f.primary), wording.p_text(f.primary.p_value))
        assert all(number in text for number in shown)


def test_no_hyphen_stands_for_a_minus(page):
    assert re.search(r"[\s\[(]-\d", readable(page)) is None


def test_masked_cells_are_on_the_page(page):
    assert "<10" in readable(page)


def test_simulated_data_are_called_so_in_plain_sight():
    banner = "Simulated data: no real company, no real employees."
    assert banner in study_page(released(retention(), study=acme(simulated=True)))
    assert banner not in study_page(released(retention()))


def test_public_data_are_cited():
    cited = acme(citation="Jones, Molitor & Reif 2019", licence="CC0-1.0")
    text = readable(study_page(released(retention(), study=cited)))
    assert "Jones, Molitor &amp; Reif 2019" in text and "CC0-1.0" in text


def test_a_study_that_can_answer_nothing_still_reads():
    small = finding(without_number("suppressed", "A group has fewer than 10 people."), "suppressed")
    text = readable(study_page(released(small, unmeasured())))
    assert "What this study can and cannot say" in text and "What would be needed" in text
    assert "None" not in text and "nan" not in text.lower().split()


def test_a_study_without_anything_described_still_reads():
    bare = Released(study=acme(), findings=(unmeasured(),), problems=(), described={}, run={})
    assert "cannot say" in readable(study_page(bare))


# --- the index ----------------------------------------------------------------------------------------------------


def report_folder(folder, answer: Released) -> None:
    folder.mkdir()
    estimates = estimates_frame(e for f in answer.findings for e in f.estimates)
    estimates.to_csv(folder / "estimates.csv", index=False)
    (folder / "run.json").write_text(json.dumps(dict(answer.run) | {"index": index_facts(answer)}), encoding="utf-8")


def test_the_index_shows_each_main_estimate_with_the_naive_one_beside_it(tmp_path):
    report_folder(tmp_path / "acme", released(retention(), morale(), unmeasured(), study=acme(simulated=True)))
    text = readable(index_page([read_index_entry(tmp_path / "acme")]))
    assert f"{wording.MINUS}4.4 [{wording.MINUS}9.7, +1.0]" in text
    assert f"dashboard: {wording.value_text(NAIVE[0])}" in text
    assert "Simulated data" in text and "Not estimable" in text and "2026-11-22" in text


def test_the_index_lists_a_study_whose_input_was_bad(tmp_path):
    (tmp_path / "broken").mkdir()
    page = index_page([read_index_entry(tmp_path / "broken")])
    assert "broken/data_quality.csv" in page and "Not answered" in page
