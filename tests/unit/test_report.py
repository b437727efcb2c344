"""What a manager reads: true to the numbers, careful with small groups, and complete on one page."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from ledger_rows import OFFERED, sample_row

from analysis.plan.errors import Problem
from analysis.plan.results import Check, Estimate, Estimated, Finding, estimates_frame
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report import (
    facts,
    figures,
    figures_checks,
    figures_described,
    figures_robust,
    figures_scales,
    prose,
    tables,
    wording,
)
from analysis.report.drawn import DRAWN
from analysis.report.index import index_facts, index_page, read_index_entry
from analysis.report.page import figure_files, study_page, study_pages
from analysis.report.pictures import described_pictures
from analysis.report.quality_page import quality_page
from analysis.report.template import say

ROW = {"estimate": -0.0441, "std_error": 0.027, "ci_low": -0.0972, "ci_high": 0.0097, "p_value": 0.109,
       "p_adjusted": 0.654, "n_treated": 135, "n_control": 664, "events_treated": 10,
       "events_control": 146}  # fmt: skip
NUMBERS = ("estimate", "std_error", "ci_low", "ci_high", "ci_level", "p_value", "p_adjusted", "n_treated", "n_control",
           "events_treated", "events_control")  # fmt: skip
MORALE = {"hypothesis": "H2_morale", "outcome": "morale", "measure": "mean_difference", "estimator": "dr_did",
          "estimate": 0.31, "ci_low": 0.12, "ci_high": 0.50, "p_value": 0.0004, "events_treated": None,
          "events_control": None}  # fmt: skip


def row(**changes) -> Estimated:
    return sample_row(**ROW | changes)


def without_number(status: str, reason: str, **changes) -> Estimate:
    known = row(**changes)
    return known.suppressed(reason) if status == "suppressed" else known.not_estimable(reason)


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
    Check("overlap", False, 0.6, 1.0, "Too few comparators."),
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
    return finding(row, "not_estimable")


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
                                    "rows_kept": [1801], "rows_repaired": [0], "rows_translated": [0],
                                    "rows_rejected": [0]}),
    }  # fmt: skip
    problem = Problem(severity="warning", table="jobs", source="raw/jobs.csv", rows=4, rule="manager", message="Odd")
    run = {"study": "acme", "created": "2026-11-22T06:21:47+00:00", "commit": "b759346", "versions": {"python": "3.11"},
           "data_digests": {"raw/workers.csv": "ab" * 32}, "seeds": "from names", "parameters": {}}  # fmt: skip
    return Released(study=study or acme(), findings=findings, problems=(problem,), described=described, run=run)


def sensitivity(name: str, **changes) -> Estimate:
    estimator = name if "aalen" in name or name == "e_value" else f"iptw_aalen_johansen_{name}"
    return row(**({"analysis": "sensitivity", "estimator": estimator, "p_adjusted": None} | changes))


WAYS = (
    sensitivity("truncated", estimate=-0.0396, ci_low=-0.0913, ci_high=0.0121),
    sensitivity("few_covariates", estimate=-0.0588, ci_low=-0.1132, ci_high=-0.0044),
    sensitivity("ccw_aalen_johansen", contrast="start_within_grace_vs_not", estimate=-0.03, ci_low=-0.09, ci_high=0.03),
    sensitivity("iptw_aalen_johansen", estimator="iptw_aalen_johansen", horizon_months=6, estimate=0.0028,
                ci_low=-0.0345, ci_high=0.0549),
    row(analysis="secondary", horizon_months=24, estimate=-0.0953, ci_low=-0.179, ci_high=-0.0115, p_adjusted=None),
)  # fmt: skip
# None of these is another way to the main answer: another outcome, another measure, a control.
NO_WAYS = (
    sensitivity("iptw_aalen_johansen", estimator="iptw_aalen_johansen", outcome="any_exit", estimate=-0.08),
    sensitivity("e_value", estimator="e_value", measure="e_value", estimate=2.559, ci_low=1.0, ci_high=5.5),
    row(analysis="secondary", measure="hazard_ratio", estimator="iptw_cox", estimate=0.6069, ci_low=0.3078,
        ci_high=1.1967),
    row(analysis="secondary", measure="risk_ratio", estimate=0.6289, ci_low=0.3297, ci_high=1.1994),
    row(analysis="secondary", outcome="any_exit", measure="rmst_difference_days", estimate=11.2, ci_low=-0.98,
        ci_high=23.3),
    row(analysis="secondary", measure="rmtl_difference_days", estimate=-4.3, ci_low=-14.2, ci_high=5.7),
    row(analysis="negative_control", outcome="involuntary_exit", estimate=-0.0187, ci_low=-0.0409, ci_high=0.0108),
    row(analysis="negative_control", contrast="placebo_start_vs_not", estimate=0.05, ci_low=0.01, ci_high=0.09),
    row(analysis="naive", contrast="placebo_ever_vs_never", estimate=-0.11, ci_low=-0.15, ci_high=-0.07),
    row(analysis="secondary", measure="risk_difference_per_decade_of_age", estimator="pseudo_value_regression",
        estimate=-0.0783, ci_low=-0.1613, ci_high=0.0048),
)  # fmt: skip
KINDS = pd.DataFrame({
    "outcome": ["involuntary_exit"] * 6 + ["other_exit"] * 6, "arm": (["treated"] * 3 + ["control"] * 3) * 2,
    "months": [0, 6, 12] * 4,
    "cumulative_incidence": [0, None, None, 0, 0.01, 0.02, 0, 0.03, 0.08, 0, 0.04, 0.05],
    "ci_low": 0.0, "ci_high": 0.1, "n_at_risk": pd.array([135, 128, 120] * 4, dtype="Int64"),
})  # fmt: skip
MISSING = pd.DataFrame({"covariate": ["performance_rating", "team_size", "job_level"],
                        "n_treated": pd.array([None, 10, None], dtype="Int64"),
                        "n_control": pd.array([75, 30, None], dtype="Int64")})  # fmt: skip


def examined(**parts) -> Finding:
    """Return the answer on retention with everything that can stand beside it."""
    evidence = EVIDENCE | {"curves_by_kind": KINDS, "missing": MISSING}
    return retention(**({"alternatives": (*NAIVE, *WAYS, *NO_WAYS), "evidence": evidence} | parts))


PROMOTED = {"hypothesis": "H8_promotion", "outcome": "promotion", "analysis": "secondary"}


def promotion(**changes) -> Finding:
    about = {"hypothesis": "H8_promotion", "outcome": "promotion"}
    naive = (
        row(**vars(NAIVE[0]) | about | {"estimate": 0.0359, "ci_low": 0.0021, "ci_high": 0.0911}),
        row(**vars(NAIVE[1]) | about | {"estimate": 0.0367, "ci_low": -0.019, "ci_high": 0.0924}),
    )
    primary = row(**PROMOTED | {"estimate": 0.013, "ci_low": -0.0466, "ci_high": 0.0727} | changes)
    return finding(primary, "inconclusive", alternatives=naive, evidence=EVIDENCE)


NET = {"hypothesis": "H9_economics", "analysis": "secondary", "role": "any", "measure": "net_benefit",
       "estimator": "avoided_exits_times_cost", "p_adjusted": None, "events_treated": None, "events_control": None,
       "n_treated": 220, "n_control": 847, "estimate": 27859.8, "std_error": 151990.0, "ci_low": -272690.7,
       "ci_high": 322964.3}  # fmt: skip
AVOIDED = NET | {"measure": "exits_avoided", "estimate": 3.4993, "std_error": 4.9, "ci_low": -6.109, "ci_high": 12.9336}
COSTS = Check("what an exit costs", None, None, None, "It is assumed that replacing a leaver costs 31,280 USD.")


def economics(verdict: str = "inconclusive", avoided: dict | None = None, **changes) -> Finding:
    rows = (row(**AVOIDED | (avoided or {})),)
    return finding(row(**NET | changes), verdict, alternatives=rows, checks=(COSTS,), smallest_effect=1.0,
                   smallest_detectable=425692.5)  # fmt: skip


def without_costs() -> Finding:
    naming = {k: v for k, v in NET.items() if k not in NUMBERS}
    reason = "The study does not say what the program costs (cost_fixed, cost_per_participant), which would be needed."
    return finding(without_number("not_estimable", reason, **naming), "not_estimable", smallest_effect=1.0)


class Tags(HTMLParser):
    """Collects every tag with its attributes."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def whole(answer: Released) -> str:
    """Return every page of a study, one after the other."""
    return "\n".join([*study_pages(answer).values(), quality_page(answer)])


def readable(page: str) -> str:
    """Return a page's text without its images, style and script, spaces made plain; what marks a number is no space."""
    text = re.sub(r"<span data-row[^>]*>([^<]*)</span>", r"\1", page)
    text = re.sub(r"<style>.*?</style>|<script>.*?</script>|<[^>]+>", " ", text, flags=re.DOTALL)
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
    text = prose.finding_sentence(finding(row(**OFFERED), "inconclusive"), acme())
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
    "negligible": (row(estimate=0.0, ci_low=-0.02, ci_high=0.02), "closer to zero than the 3 percentage points"),
    "no_benefit": (row(estimate=0.02, ci_low=-0.02, ci_high=0.10), "leaves out a drop of 3 percentage points"),
    "harmful": (row(estimate=0.06, ci_low=0.02, ci_high=0.10), "lies against the claim"),
    "inconclusive": (row(), "holds both no difference and a drop of 3 percentage points or more"),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_says_what_the_interval_says(verdict):
    estimate, said = VERDICTS[verdict]
    text = prose.verdict_sentence(finding(estimate, verdict))
    assert text.lower().startswith(verdict.replace("_", " ")) and said in text


def test_an_interval_without_zero_that_falls_short_of_worth_having_does_not_hold_no_difference():
    short = finding(row(estimate=-0.02, ci_low=-0.035, ci_high=-0.005), "inconclusive")
    text = prose.verdict_sentence(short)
    assert "falls short of a drop of 3 percentage points" in text and "holds both" not in text


def test_harm_that_is_not_ruled_out_is_said():
    wide = finding(row(estimate=0.04, ci_low=-0.02, ci_high=0.25), "no_benefit")
    assert "The estimate itself is a harm of at least that size" in prose.verdict_sentence(wide)
    small = finding(row(estimate=0.01, ci_low=-0.02, ci_high=0.25), "no_benefit")
    assert "Harm of that size is not ruled out" in prose.verdict_sentence(small)
    narrow = finding(row(estimate=0.0, ci_low=-0.02, ci_high=0.02), "negligible")
    assert "Harm" not in prose.verdict_sentence(narrow)


def test_a_claim_without_a_lottery_names_what_it_rests_on():
    estimate, _ = VERDICTS["supported"]
    lots = row(**OFFERED | {"estimate": -0.06, "ci_low": -0.10, "ci_high": -0.02})
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
    turned = finding(row(estimate=0.028, ci_low=-0.016, ci_high=0.101), "no_benefit", alternatives=NAIVE)
    assert "moves the figure to +2.8" in prose.naive_sentence(turned)


def rung(value: float) -> Estimate:
    return row(estimate=value, ci_low=value - 0.1, ci_high=value + 0.1)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (-0.129, -0.063, "takes away 6.6 points"),
        (-0.014, -0.084, "adds 7.0 points"),
        (0.014, 0.084, "adds 7.0 points"),
        (0.05, 0.0, "takes away 5.0 points"),
        (-0.0441, -0.0438, "changes nothing"),
        (0.0003, -0.0003, "changes nothing"),
        (-0.134, 0.082, "moves the figure to +8.2"),
        (0.0, -0.028, f"moves the figure to {wording.MINUS}2.8"),
    ],
)
def test_each_step_of_the_ladder_says_what_it_did(before, after, said):
    assert prose.step(rung(before), rung(after)) == said


def test_a_ladder_that_lacks_a_rung_is_not_told_as_steps():
    assert prose.naive_sentence(retention(alternatives=NAIVE[:1])) == ""
    assert prose.naive_sentence(retention(alternatives=())) == ""


def test_made_up_starts_are_no_rung_of_the_ladder():
    invented = row(analysis="naive", contrast="placebo_ever_vs_never", estimate=-0.5, ci_low=-0.6, ci_high=-0.4)
    with_it, without = (retention(alternatives=rows) for rows in ((invented, *NAIVE), NAIVE))
    assert prose.naive_sentence(with_it) == prose.naive_sentence(without)
    assert figures.naive_beside_corrected(with_it).svg == figures.naive_beside_corrected(without).svg


# --- promotion: nobody is said to have left ------------------------------------------------------------------------


def test_promotion_is_told_as_promotion():
    text = prose.finding_sentence(promotion(), acme())
    assert "were promoted 1.3 percentage points more often within 12 months" in text
    assert "runs from 4.7 less often to 7.3 more often" in text
    assert "more promotions within 12 months" in prose.naive_sentence(promotion())
    assert "adds 0.1 points" in prose.naive_sentence(promotion())
    assert "a rise of 3 percentage points" in prose.verdict_sentence(promotion())


def test_nothing_on_promotion_speaks_of_leaving():
    found = promotion()
    titles = [figures.naive_beside_corrected(found).alt, figures.incidence_curves(found, acme()).alt]
    texts = [prose.finding_sentence(found, acme()), prose.naive_sentence(found), prose.verdict_sentence(found), *titles]
    said = " ".join(texts).replace("What is left is", "")
    assert re.search(r"\b(left|leave|leaving|exits?)\b", said) is None
    assert "more promotions" in titles[0]


def test_promotion_under_a_lottery_is_by_offer():
    lots = promotion(**OFFERED)
    text = prose.finding_sentence(lots, acme())
    assert text.startswith("People offered a place") and "were promoted" in text


def test_promotion_without_job_levels_says_what_would_be_needed():
    reason = "The study has no job history, so who was promoted and when is unknown."
    text = prose.finding_sentence(finding(without_number("not_estimable", reason, **PROMOTED), "not_estimable"), acme())
    assert "no job history" in text and "What would be needed: job levels by date" in text


# --- money ----------------------------------------------------------------------------------------------------------


def test_money_is_told_in_the_currency_with_its_interval_and_the_exits_it_comes_from():
    text = prose.finding_sentence(economics(), acme(currency="USD"))
    assert f"avoided 30,000{wording.NBSP}USD more in replacement cost than it cost within 12 months" in text
    assert f"a net loss of 270,000{wording.NBSP}USD to a net benefit of 320,000{wording.NBSP}USD" in text
    assert "+3.5 exits avoided among 220 people" in text and "6.1 to +12.9" in text


def test_a_loss_is_called_a_loss():
    lost = economics("no_benefit", estimate=-300000.0, ci_low=-500000.0, ci_high=-100000.0)
    assert "more than the replacement cost that it avoided" in prose.finding_sentence(lost, acme())
    assert "the whole interval is a loss" in prose.verdict_sentence(lost)
    assert "A net loss of 300,000" in figures_robust.net_benefit_plot(lost, acme()).alt


@pytest.mark.parametrize(
    ("std_error", "amounts", "said"),
    [
        (151990.0, (27859.8, -272690.7, 322964.3), "+30,000 [−270,000,\u00a0+320,000]"),
        (189000.0, (-372976.0, -747048.0, -4000.0), "−370,000 [−750,000,\u00a0−10,000]"),
        (850.0, (1234.0, -432.0, 2900.0), "+1,230 [−430,\u00a0+2,900]"),
        (4.0, (3.6, -4.4, 11.6), "+4 [−4,\u00a0+12]"),
    ],
)
def test_money_is_as_precise_as_its_standard_error_and_an_interval_stays_off_zero(std_error, amounts, said):
    values = dict(zip(("estimate", "ci_low", "ci_high"), amounts, strict=True))
    found = row(**NET | values | {"std_error": std_error})
    assert f"{wording.value_text(found)} {wording.interval_text(found)}" == said


def test_a_part_of_an_interval_that_no_risk_can_have_is_called_impossible():
    wide = finding(row(ci_low=-0.2), "inconclusive", evidence=EVIDENCE)
    assert "Of 100 comparators at most 15.0 had left" in prose.outcome_note(wide)
    assert "below −15.0 is impossible" in prose.outcome_note(wide)
    assert "impossible" in readable(study_page(released(wide)))
    assert prose.outcome_note(retention()) == "" and "impossible" not in readable(study_page(released(retention())))


def test_no_currency_is_made_up():
    assert "30,000 more in replacement cost" in prose.finding_sentence(economics(), acme(currency=""))


@pytest.mark.parametrize(
    ("avoided", "said"),
    [
        ({}, "The estimate reaches that; the interval also holds less."),
        ({"ci_low": 3.0, "ci_high": 22.0426}, "The estimate reaches that; the whole interval does."),
        ({"estimate": 1.0, "ci_low": -8.6083}, "falls short of that; the interval also holds more."),
    ],
)
def test_break_even_is_read_off_the_line_of_benefit_in_exits(avoided, said):
    """31,280 an exit and 81,600 for the program: 2.6 exits pay for it."""
    exits = AVOIDED | avoided
    net = {k: 31280 * exits[k] - 81600 for k in ("estimate", "ci_low", "ci_high")}
    text = prose.break_even_sentence(economics(avoided=avoided, **net))
    assert text.startswith("It pays for itself from 2.6 exits avoided on.") and said in text


def test_what_an_exit_is_taken_to_cost_is_printed_on_the_page():
    text = readable(whole(released(retention(), economics(), study=acme(currency="USD"))))
    assert COSTS.sentence in text and "The whole program" in text and "pays for itself from 2.6" in text


@pytest.mark.parametrize(
    ("verdict", "changes", "said"),
    [
        ("supported", {"ci_low": 100.0}, "lies above zero"),
        ("inconclusive", {}, "holds both a loss and a benefit"),
        ("no_benefit", {"estimate": -10.0, "ci_high": 0.5}, "leaves out break-even"),
    ],
)
def test_each_verdict_on_money_says_what_the_interval_says(verdict, changes, said):
    text = prose.verdict_sentence(economics(verdict, **changes))
    assert text.lower().startswith(verdict.replace("_", " ")) and said in text
    assert ("not recorded" in text) == (verdict != "inconclusive")


def test_without_costs_the_page_says_what_is_lacking_and_draws_nothing():
    answer = released(retention(), without_costs())
    text = readable(whole(answer))
    assert "The study does not say what the program costs" in text or "the study does not say what" in text
    assert prose.break_even_sentence(without_costs()) == "" and prose.verdict_sentence(without_costs()) == ""
    assert not [name for name in figure_files(answer) if "H9" in name]


# --- would another analyst agree? -------------------------------------------------------------------------------------


def test_every_way_to_the_same_answer_is_there_and_nothing_else():
    found = facts.ways(examined())
    assert [w.row.estimate for w in found] == [-0.0588, -0.0441, -0.0396, -0.03, 0.0028, -0.0953]
    assert [w.kind for w in found] == ["other", "main", "other", "other", "horizon", "horizon"]
    assert found[-2].text == "read off at 6 months" and found[2].text == "weights cut at the 99th percentile"


def test_the_title_of_the_ways_counts_intervals_and_says_how_far_they_lie_apart():
    title = figures_robust.specification_curve(examined()).alt
    assert title.startswith("Across 4 ways to do it the difference runs from −5.9 to −3.0 points")
    assert title.endswith("3 of 4 intervals hold zero")


@pytest.mark.parametrize(
    ("highs", "said"),
    [((0.1, 0.1), "all 3 intervals hold zero"), ((-0.01, 0.1), "2 of 3 intervals hold zero")],
)
def test_intervals_that_hold_zero_are_counted(highs, said):
    rows = [sensitivity(name, ci_high=high) for name, high in zip(("truncated", "by_pair"), highs, strict=True)]
    assert said in prose.ways_title(examined(alternatives=tuple(rows)))


def test_one_interval_or_none_that_holds_zero_is_said_in_grammar():
    clear = row(ci_high=-0.01)
    with_one = finding(clear, "supported", alternatives=(sensitivity("by_pair", ci_high=0.01),))
    with_none = finding(clear, "supported", alternatives=(sensitivity("by_pair", ci_high=-0.02),))
    assert prose.ways_title(with_one).endswith("is −4.4 points every time; 1 of 2 intervals holds zero")
    assert prose.ways_title(with_none).endswith("none of the 2 intervals holds zero")


def test_an_answer_made_in_one_way_has_no_picture_of_ways():
    alone = retention()
    assert prose.ways_sentence(alone) == "" and len(facts.ways(alone)) == 1
    assert "genius-mentor-H1_retention-ways.svg" not in figure_files(released(alone))
    assert "genius-mentor-H1_retention-ways.svg" in figure_files(released(examined()))


def test_no_answer_has_no_ways():
    small = finding(without_number("suppressed", "A group has fewer than 10 people."), "suppressed", alternatives=WAYS)
    assert facts.ways(small) == [] and prose.ways_sentence(small) == ""
    assert prose.measure_sentences(small) == []


def test_a_way_without_a_number_is_left_out_of_the_picture():
    failed = without_number("not_estimable", "Nobody met.", analysis="sensitivity", estimator="aipw_aalen_johansen")
    assert len(facts.ways(retention(alternatives=(failed,)))) == 1


def test_ways_that_ask_another_question_are_marked():
    assert "Ways marked * ask a slightly different question" in prose.ways_sentence(examined())
    assert "*" not in prose.ways_sentence(examined(alternatives=WAYS[:2]))


def test_the_e_value_says_that_nothing_is_needed_where_the_interval_includes_no_difference():
    text = prose.e_value_sentence(examined())
    assert "both starting and leaving and make each of them 2.6 times as likely" in text
    assert "nothing is needed: it already does (E-value 1.0)" in text


def test_the_e_value_of_the_limit_is_said_where_the_interval_leaves_out_no_difference():
    strong = sensitivity("e_value", measure="e_value", estimate=2.6, ci_low=1.4, ci_high=4.0)
    assert "1.4 times would be enough" in prose.e_value_sentence(examined(alternatives=(strong,)))


def test_without_a_difference_there_is_nothing_to_explain_away():
    none = sensitivity("e_value", measure="e_value", estimate=1.0, ci_low=1.0, ci_high=2.0)
    assert "no difference that something unrecorded" in prose.e_value_sentence(examined(alternatives=(none,)))


def test_no_e_value_is_told_under_a_lottery():
    lots = finding(row(**OFFERED), "inconclusive", alternatives=(NO_WAYS[1],))
    assert prose.e_value_sentence(lots) == ""


def test_days_ratios_and_rates_are_told_in_words():
    told = " ".join(prose.measure_sentences(examined()))
    assert "11 days more (95 % interval 1 day fewer to 23 days more)" in told
    assert "Days lost to voluntary exit: 4 days fewer" in told
    assert "0.63 times the risk of voluntary exit" in told and "0.61 times the rate" in told


def test_controls_say_whether_they_show_nothing():
    dismissed, placebo, naive = prose.control_sentences(examined())
    assert "includes zero, as it should" in dismissed
    assert placebo.startswith("Starts made up before the program existed") and "excludes zero: the design" in placebo
    assert "from a program that did not exist" in naive


def test_moderators_give_numbers_or_the_reason_and_a_caution():
    naming = {"contrast": "more_vs_fewer_sessions", "measure": "risk_difference_per_five_sessions"}
    unknown = without_number("not_estimable", "Too few exits.", analysis="descriptive", **naming)
    shown = tables.moderators_table(examined(alternatives=(NO_WAYS[-1], unknown)))
    assert shown["estimate"].tolist() == [f"{wording.MINUS}7.8", "not estimable"]
    assert shown.iloc[1, -1] == "Too few exits." and "not adjusted" in say("robustness.moderators")


def test_only_kinds_of_exit_of_which_both_groups_can_be_shown_are_drawn():
    assert figures_robust.shown_kinds(KINDS) == ["other_exit"]
    title = figures_robust.other_exits_plot(examined()).alt
    assert "within 12 months: 8.0 % of those who started, 5.0 %" in title
    hidden = KINDS.assign(cumulative_incidence=KINDS["cumulative_incidence"].where(KINDS["months"] == 0))
    few = examined(evidence=EVIDENCE | {"curves_by_kind": hidden})
    assert not [name for name in figure_files(released(few)) if "kinds" in name]


def test_the_overlap_picture_says_what_was_found():
    worth = Check("overlap", False, 0.6, 1.0, "Too few comparators.")
    title = figures_checks.overlap_plot(retention(checks=(worth,))).alt
    assert "worth 0.6 each: thin ground" in title
    enough = Check("overlap", True, 2.27, 1.0, "Enough.")
    assert "worth 2.3 each: enough" in figures_checks.overlap_plot(retention(checks=(enough,))).alt


def test_the_page_of_an_examined_answer_holds_all_of_it():
    text = readable(whole(released(examined(), promotion(), economics())))
    for said in ("Would another analyst agree?", "4 ways to do it", "By age, tenure, timing and dose",
                 "Nobody is left out for a gap", "as it should", "In other measures"):  # fmt: skip
        assert said in text, said
    assert "None" not in text and "nan" not in text.lower().split()


def test_the_first_sentences_stay_three_and_the_others_follow_as_verdicts():
    answer = released(examined(), promotion(), economics())
    assert len(prose.three_sentences(answer)) == 3
    page = study_page(answer)
    assert 'href="economics.html#genius-any-H9_economics"' in page
    assert 'href="promotion.html#genius-mentor-H8_promotion"' in page


def test_the_index_has_money_among_the_further_answers(tmp_path):
    report_folder(tmp_path / "acme", released(retention(), economics()))
    text = readable(index_page([read_index_entry(tmp_path / "acme")]))
    assert "mentors (the juniors)" in text and "Economics Inconclusive +30,000" in text


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


@pytest.mark.parametrize(("n", "text"), [(0, "<10"), (1, "<10"), (9, "<10"), (10, "10"), (None, "<10"), (pd.NA, "<10"),
                                         (1234, "1,234")])  # fmt: skip
def test_small_counts_are_only_said_to_be_small(n, text):
    assert wording.count(n, 10) == text


def test_no_table_shows_a_count_under_min_cell():
    few = retention(alternatives=(row(analysis="secondary", events_treated=3, events_control=7),))
    flow = pd.DataFrame({"step": ["a"], "n_treated": [4], "n_control": [9]})
    assert tables.estimates_table([few])["events"].tolist() == ["10 / 146", "<10 / <10"]
    assert tables.flow_table(flow).loc[0, ["program", "comparison"]].tolist() == ["<10", "<10"]
    assert tables.quality_table(released().problems)["rows"].tolist() == ["<10"]


def test_gaps_are_listed_for_what_has_any():
    shown = tables.missing_table(MISSING)
    assert shown.to_numpy().tolist() == [["performance rating", "<10", "75"], ["team size", "10", "30"]]


QUARTERS = pd.DataFrame({
    "quarter": ["2022Q1", "2022Q2"], "n_treated": pd.array([30, None], dtype="Int64"),
    "n_control": pd.array([200, None], dtype="Int64"), "worst_before": [0.5, None], "worst_after": [0.04, None],
    "covariate": ["tenure_years", None],
})  # fmt: skip


def test_balance_by_quarter_masks_what_was_hidden():
    page = whole(released(examined(evidence=EVIDENCE | {"balance_by_quarter": QUARTERS})))
    assert "Balance by quarter of the start" in page and "2022Q2" in page
    shown = tables.quarters_table(QUARTERS).to_numpy().tolist()
    assert shown[0] == ["2022Q1", "30", "200", "+0.50", "+0.04", "tenure years"]
    assert shown[1] == ["2022Q2", "<10", "<10", "–", "–", "–"]


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
    "trajectories": lambda: figures_scales.trajectory_plot(morale(), acme()),
    "balance": lambda: figures_checks.love_plot(retention()),
    "overlap": lambda: figures_checks.overlap_plot(retention()),
    "ways": lambda: figures_robust.specification_curve(examined()),
    "kinds": lambda: figures_robust.other_exits_plot(examined()),
    "money": lambda: figures_robust.net_benefit_plot(economics(), acme(currency="USD")),
    "exit_rates": lambda: figures_described.exit_rates_plot(released().described["exit_rates"], acme()),
    "participation": lambda: figures_described.participation_plot(released().described["participation"], acme()),
    "response_rates": lambda: figures_described.response_plot(released().described["response_rates"], acme()),
}


def anew(draw):
    """Draw though it is remembered."""
    DRAWN.clear()
    return draw()


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_same_numbers_give_the_same_bytes(name):
    draw = DRAWINGS[name]
    assert anew(draw).svg == anew(draw).svg


@pytest.mark.parametrize(
    ("name", "counts"),
    [("participation", "n_"), ("exit_rates", ("voluntary", "involuntary", "other")), ("response_rates", "share")],
)
def test_what_is_masked_everywhere_is_not_drawn(name, counts):
    frame = released().described[name]
    assert name in described_pictures(released())
    hidden = frame.assign(**{column: np.nan for column in frame if column.startswith(counts)})
    described = released().described | {name: hidden}
    assert name not in described_pictures(replace(released(), described=described))


def test_the_same_picture_gives_the_same_png():
    draw = DRAWINGS["ladder"]
    assert draw().png() == draw().png()


def test_the_ladder_says_both_figures_in_its_title():
    title = DRAWINGS["ladder"]().alt
    assert "4.4 points fewer exits" in title and "\u22129.7" in title


def test_the_title_says_what_share_of_each_group_had_left_however_few_they_are():
    few = finding(row(events_treated=5), "inconclusive", evidence=EVIDENCE)
    assert "7.4" in figures.incidence_curves(few, acme()).alt


def test_a_curve_breaks_where_nothing_may_be_shown():
    months = pd.DataFrame({"months": range(6), "cumulative_incidence": [0.0, 0.1, np.nan, np.nan, 0.2, 0.3]})
    curves = pd.concat([months.assign(arm=arm, ci_low=0.0, ci_high=0.5) for arm in ("treated", "control")])
    axes = plt.figure().subplots()
    assert figures.draw_incidence(axes, curves) == {"treated": 0.3, "control": 0.3}
    assert all(np.isnan(line.get_ydata()).tolist() == [False, False, True, True, False, False] for line in axes.lines)


def test_figures_are_files_by_program_role_and_hypothesis():
    files = figure_files(released(retention()))
    assert "genius-mentor-H1_retention-ladder.svg" in files
    assert all(content.startswith(b"<svg ") for content in files.values())
    as_png = figure_files(released(retention()), "png")
    assert [name.removesuffix(".png") for name in as_png] == [name.removesuffix(".svg") for name in files]
    assert all(content.startswith(b"\x89PNG") for content in as_png.values())


# --- the page -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    answer = released(examined(), morale(), unmeasured(), promotion(), economics())
    return study_pages(answer) | {"data_quality.html": quality_page(answer)}


@pytest.fixture(scope="module")
def page(pages) -> str:
    return "\n".join(pages.values())


def test_the_page_loads_nothing(page):
    for tag, attributes in Tags(page).found:
        assert tag not in ("link", "iframe") and (tag != "script" or not attributes)
        assert attributes.get("src", "data:").startswith("data:")
        assert not attributes.get("href", "#").startswith(("http", "//"))
    assert "@import" not in page and "url(" not in page


def test_every_picture_has_a_text(page):
    images = [attributes for tag, attributes in Tags(page).found if tag == "img"]
    assert images and all(len(image["alt"]) > 10 for image in images)


WRITTEN_BESIDE = {"estimates.csv", "findings.csv", "data_quality.csv", "run.json", "../index.html"}


def lost_links(pages: dict[str, str]) -> list[str]:
    """Return the links of a study's pages that lead nowhere, and the ids that are on a page twice.

    Notebooks and files of numbers, which are written beside the pages, are opened in tests/spec/test_page_links.py.
    """
    ids = {file: [a["id"] for _, a in Tags(page).found if "id" in a] for file, page in pages.items()}
    found = [f"{file}#{one} twice" for file, own in ids.items() for one in set(own) if own.count(one) > 1]
    for file, page in pages.items():
        for href in (a["href"] for _, a in Tags(page).found if "href" in a):
            if href.startswith(("notebooks/", "tables/")):
                continue
            to, _, anchor = href.partition("#")
            if href not in WRITTEN_BESIDE and anchor not in ["", *ids.get(to or file, [])]:
                found.append(f"{file}: {href}")
            if to not in WRITTEN_BESIDE and (to or file) not in ids:
                found.append(f"{file}: {href}")
    return found


def test_every_link_on_the_pages_leads_somewhere(pages):
    assert lost_links(pages) == []
    assert lost_links(pages | {"index.html": pages["index.html"] + '<a href="retention.html#nowhere">x</a>'})
    assert lost_links({"index.html": pages["index.html"]})


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
    assert banner in whole(released(retention(), study=acme(simulated=True)))
    assert banner not in whole(released(retention()))


def test_public_data_are_cited():
    cited = acme(citation="Jones, Molitor & Reif 2019", licence="CC0-1.0")
    text = readable(whole(released(retention(), study=cited)))
    assert "Jones, Molitor &amp; Reif 2019" in text and "CC0-1.0" in text


def test_a_study_that_can_answer_nothing_still_reads():
    small = finding(without_number("suppressed", "A group has fewer than 10 people."), "suppressed")
    text = readable(whole(released(small, unmeasured())))
    assert "What this study can and cannot say" in text and "What would be needed" in text
    assert "None" not in text and "nan" not in text.lower().split()


def test_a_study_without_anything_described_still_reads():
    bare = Released(study=acme(), findings=(unmeasured(),), problems=(), described={}, run={})
    assert "cannot say" in readable(whole(bare))


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
    assert "broken/data_quality.html" in page and "broken/index.html" not in page and "Not answered" in page
