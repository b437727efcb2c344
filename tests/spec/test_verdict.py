"""A verdict is never better than its evidence: the rule, every grade of every check, and what each of them caps."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ledger_rows import OFFERED
from test_report import acme, finding, released, row, whole, without_number

from analysis.estimate.diagnostics import (
    TREND,
    balance_check,
    control_check,
    judge_trend,
    lottery_check,
    overlap_check,
    settle_controls,
    trend_check,
)
from analysis.estimate.verdict import RESTS_ON, judge, verdict
from analysis.plan.hypotheses import load_plan
from analysis.plan.paths import project_dir
from analysis.plan.results import (
    FINDINGS_COLUMNS,
    NAMING,
    Check,
    Finding,
    NotEstimable,
    estimates_frame,
    findings_frame,
)
from analysis.release.findings import release_finding
from analysis.release.rule import ReleaseRule
from analysis.report import prose
from analysis.report.index import index_facts

H1, H9 = (load_plan().hypothesis(h) for h in ("H1_retention", "H9_economics"))


def judged(points: float, low: float, high: float, p: float = 0.001, checks: tuple[Check, ...] = ()) -> tuple[str, str]:
    """Return verdict and reason of a difference in exits in percentage points, where 3 points are of interest."""
    numbers = {"estimate": points / 100, "ci_low": low / 100, "ci_high": high / 100, "p_adjusted": p}
    found = verdict(row(**numbers), H1, 0.03, checks)
    return found.verdict, found.reason


# --- the rule ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "low", "high", "p", "said"),
    [
        (-6, -10, -2, 0.01, ("supported", "interval")),
        (-6, -10, -2, 0.08, ("inconclusive", "adjusted_p")),
        (-2, -5, -0.5, 0.01, ("inconclusive", "interval")),  # fewer exits, but not as many fewer as are of interest
        (6, 2, 10, 0.01, ("harmful", "interval")),
        (6, 2, 10, 0.08, ("no_benefit", "adjusted_p")),
        (0, -2, 2, 0.9, ("negligible", "interval")),
        (1, 0.2, 2, 0.2, ("negligible", "interval")),
        (1.7, -2.5, 5.9, 0.9, ("no_benefit", "interval")),
        (-1, -5, 3, 0.9, ("inconclusive", "interval")),
    ],
)
def test_each_verdict_follows_from_interval_adjusted_p_and_smallest_effect(points, low, high, p, said):
    if said == ("negligible", "interval") and low > 0:
        said = ("negligible", "adjusted_p")
    assert judged(points, low, high, p) == said


def test_a_large_harm_that_chance_could_make_does_not_read_like_a_small_difference():
    """The program adds 12 leavers of 100; the company sees +13.6, or it sees +1.7: both lack a benefit, no more."""
    large, small = (finding(row(estimate=e, ci_low=low, ci_high=high), "no_benefit")
                    for e, low, high in ((0.136, -0.026, 0.299), (0.017, -0.025, 0.059)))  # fmt: skip
    assert judged(13.6, -2.6, 29.9, p=0.5)[0] == judged(1.7, -2.5, 5.9, p=0.5)[0] == "no_benefit"
    assert "The estimate itself is a harm of at least that size" in prose.verdict_sentence(large)
    assert "not ruled out" in prose.verdict_sentence(small) and "itself" not in prose.verdict_sentence(small)


def test_twenty_five_people_with_an_smd_of_0_32_and_an_adjusted_p_of_0_08_are_not_called_harmed():
    apart = balance_check(smds(tenure_years=0.32), 25, 60)
    assert judged(12, 1, 23, p=0.08)[0] != "harmful"
    assert judged(12, 1, 23, p=0.001, checks=(apart,)) == ("inconclusive", "groups_not_comparable")


def test_without_a_number_there_is_no_verdict_whatever_the_checks_say():
    failed = lottery_check((90, 100), (50, 100), 12)
    small = without_number("suppressed", "A group has fewer than 10 people.")
    missing = without_number("not_estimable", "Nobody started.")
    assert verdict(small, H1, 0.03, (failed,)).verdict == "suppressed"
    assert verdict(missing, H1, 0.03, (failed,)).verdict == "not_estimable"


def test_a_program_that_costs_more_than_it_saves_is_not_called_harmful():
    loss = row(measure="net_benefit", estimate=-5e4, ci_low=-9e4, ci_high=-1e4, p_adjusted=None)
    assert verdict(loss, H9, 1.0).verdict == "no_benefit"
    told = finding(replace(loss, hypothesis="H9_economics", role="any"), "no_benefit", smallest_effect=1.0)
    assert "costs more than it saves" in prose.verdict_sentence(told)


# --- grades -----------------------------------------------------------------------------------------------------------


def smds(**after: float) -> pd.DataFrame:
    """Return a balance table: covariate ("department: Sales" is a level) and SMD after weighting."""
    frame = pd.DataFrame(
        {
            "covariate": pd.Series(list(after), dtype=str),
            "smd_before": 0.5,
            "smd_after": pd.Series(after.values(), dtype=float),
        }
    )
    is_level, is_sum = frame["covariate"].str.contains(": "), frame["covariate"].str.contains("largest")
    return frame.assign(kind=np.select([is_sum, is_level], ["largest", "level"], "covariate"))


@pytest.mark.parametrize(
    ("table", "grade"),
    [
        (smds(tenure_years=0.05, team_size=-0.09), "passed"),
        (smds(tenure_years=0.12), "caution"),
        (smds(tenure_years=-0.26), "failed"),
        (smds(job_level=0.26), "failed"),
        (smds(performance_rating=0.26), "failed"),
        (smds(morale_last=0.26), "failed"),
        (smds(team_size=0.60), "caution"),  # no key covariate: said, and no more
        (smds(**{"department: Sales": 0.8}), "failed"),
        (smds(**{"location: Graz": 0.8}), "caution"),
        (
            smds(tenure_years=0.02, **{"department (largest of 30 levels)": 0.9}),
            "passed",
        ),
        (smds(), "untestable"),
    ],
)
def test_a_balance_table_is_graded_by_the_plans_thresholds(table, grade):
    check = balance_check(table, 100, 300)
    assert check.grade == grade
    assert bool(check.brief) == (grade in ("caution", "failed"))


def test_a_small_department_that_chance_left_apart_is_no_fault():
    """Twenty started, one of them in Sales where two were to be expected; 0.3 is what chance does there."""
    levels = {f"department: D{i}": (-1) ** i * 0.1 for i in range(30)} | {"department: Sales": 0.3}
    assert balance_check(smds(**levels), 20, 60).grade == "passed"
    assert balance_check(smds(**levels), 2000, 6000).grade == "caution"


def test_many_departments_that_are_all_a_little_apart_are_a_fault_together():
    levels = {f"department: D{i}": (-1) ** i * 0.45 for i in range(30)}
    assert balance_check(smds(**levels), 40, 100).grade == "failed"


def test_lots_leave_differences_that_are_no_fault():
    """Where re-drawn lots leave differences of up to 1.1, one of 0.4 in tenure is what lots do; of 2, they do not."""
    assert balance_check(smds(tenure_years=0.4), 20, 7, by_chance=1.1).grade == "passed"
    assert balance_check(smds(tenure_years=2.0), 20, 7, by_chance=1.1).grade == "failed"


def test_comparators_worth_fewer_people_than_started_call_for_caution_and_cap_nothing():
    check = overlap_check(80.0, 100)
    assert check.grade == "caution" and judged(-6, -10, -2, checks=(check,)) == ("supported", "interval")
    assert overlap_check(120.0, 100).grade == "passed"


@pytest.mark.parametrize(("crossed", "grade"), [(0, "passed"), (4, "passed"), (10, "caution"), (39, "failed")])
def test_a_lottery_is_kept_or_not(crossed, grade):
    check = lottery_check((90, 100), (crossed, 100), 12)
    assert check.grade == grade
    assert (judged(-6, -10, -2, checks=(check,)) == ("inconclusive", "lottery_not_kept")) == (grade == "failed")


def waves(*told: tuple[int, float, float]) -> pd.DataFrame:
    """Return waves before the start: position, difference from the base and its standard error."""
    columns = ["position", "estimate", "std_error"]
    frame = pd.DataFrame(told, columns=columns).astype({"position": int, "estimate": float, "std_error": float})
    return frame.assign(band_low=frame["estimate"] - 2.2 * frame["std_error"],
                        band_high=frame["estimate"] + 2.2 * frame["std_error"])  # fmt: skip


@pytest.mark.parametrize(
    ("before", "joint_p", "state", "grade"),
    [
        (waves((-1, 0.01, 0.04)), None, "quiet", "passed"),
        (waves((-1, 0.05, 0.20)), None, "cannot_tell", "caution"),
        (waves((-1, -0.10, 0.03)), None, "drifting", "caution"),  # a drift, smaller than what is of interest
        (waves((-1, -0.40, 0.10)), None, "drifting", "failed"),
        (waves((-2, 0.30, 0.10), (-1, 0.01, 0.10)), 0.02, "drifting", "failed"),
        (waves((-2, 0.05, 0.04), (-1, -0.05, 0.04)), 0.02, "drifting", "caution"),
        (waves(), None, "no_waves", "untestable"),
    ],
)
def test_one_judgement_on_trends_makes_check_sentence_and_title(before, joint_p, state, grade):
    trend = judge_trend(before, joint_p, smallest_effect=0.15)
    check = trend_check(trend, 0.15)
    assert (trend.state, check.grade, check.name) == (state, grade, TREND)
    curve = pd.DataFrame({"position": [-1, 0, 1], "estimate": [0.0, 0.0, 0.3], "band_low": [-0.9, 0.0, 0.1],
                          "band_high": [0.9, 0.0, 0.5]})  # fmt: skip
    title = prose.event_study_title(finding(row(), "inconclusive", checks=(check,), evidence={"event_study": curve}))
    said = {"quiet": "No drift to be seen", "cannot_tell": "Too few people to tell", "drifting": "were drifting apart",
            "no_waves": "No earlier waves"}  # fmt: skip
    assert said[state] in title
    assert ("drifting apart" in check.sentence) == (state == "drifting")


def test_a_drift_is_told_as_the_gain_before_the_start():
    assert judge_trend(waves((-1, -0.40, 0.10)), None, 0.15).largest == 0.40


# --- negative controls ------------------------------------------------------------------------------------------------


def control(p: float, name: str = "negative control: dismissals", low: float = 0.01) -> Check:
    found = row(estimate=0.05, ci_low=low, ci_high=0.09, p_value=p, analysis="negative_control")
    return control_check(name, found, "Nothing.", "Something.", "dismissals differ")


def test_a_control_fails_when_it_excludes_zero_among_all_controls_of_the_study():
    """Two programs with a control each: p of .03 is one in thirty, and there were two chances of it."""
    alone = settle_controls([finding(row(), "inconclusive", checks=(control(0.03),))], 10)
    assert alone[0].checks[0].grade == "failed"
    two = [finding(row(), "inconclusive", checks=(control(p),)) for p in (0.03, 0.6)]
    assert [f.checks[0].grade for f in settle_controls(two, 10)] == ["caution", "caution"]
    sure = [finding(row(), "inconclusive", checks=(control(p),)) for p in (0.01, 0.6)]
    assert settle_controls(sure, 10)[0].checks[0].grade == "failed"


def test_a_control_that_includes_zero_passes_and_one_of_too_few_people_is_no_test():
    assert control(0.2, low=-0.01).grade == "passed"
    few = finding(row(n_treated=4), "inconclusive", checks=(control(0.001),))
    assert settle_controls([few], 10)[0].checks[0].grade == "caution"


# --- a study ----------------------------------------------------------------------------------------------------------

BETTER = {"estimate": -0.06, "ci_low": -0.10, "ci_high": -0.02, "p_value": 0.001, "p_adjusted": None}


def test_verdicts_wait_for_the_families_adjustment():
    """Alone, a p of .03 is enough; as one of three answers it is not."""
    one = finding(row(**BETTER | {"p_value": 0.03}), "inconclusive")
    assert judge([one], 10)[0].verdict == "supported"
    others = [
        finding(row(role=role, p_value=0.5, p_adjusted=None), "inconclusive") for role in ("mentee", "participant")
    ]
    found = judge([one, *others], 10)[0]
    assert (found.verdict, found.verdict_reason, found.n_family) == ("inconclusive", "adjusted_p", 3)
    assert "adjusted for 3 answers" in prose.verdict_sentence(found) and "p = 0.09" in prose.verdict_sentence(found)


def economics(**changes) -> Finding:
    money = row(hypothesis="H9_economics", analysis="secondary", role="any", measure="net_benefit", estimate=9e4,
                ci_low=2e4, ci_high=16e4, p_value=0.01, p_adjusted=None)  # fmt: skip
    return finding(money, "inconclusive", smallest_effect=1.0, **changes)


def test_money_is_no_better_founded_than_the_retention_that_it_is_reckoned_from():
    sound = finding(row(**BETTER), "inconclusive")
    assert judge([sound, economics()], 10)[1].verdict == "supported"
    unsure = finding(row(**BETTER | {"p_value": 0.2}), "inconclusive")
    assert judge([unsure, economics()], 10)[1].verdict_reason == "adjusted_p"
    unlike = finding(row(**BETTER), "inconclusive", checks=(balance_check(smds(tenure_years=0.4), 100, 300),))
    money = judge([unlike, economics()], 10)[1]
    assert (money.verdict, money.verdict_reason) == ("inconclusive", "groups_not_comparable")
    assert RESTS_ON in [check.name for check in money.graded("failed")]


def unlike(**parts) -> Finding:
    """Return an answer that would be supported, of groups that differ in tenure."""
    checks = (balance_check(smds(tenure_years=0.32), 135, 300), overlap_check(80.0, 135), overlap_check(200.0, 135))
    return judge([finding(row(**BETTER), "inconclusive", checks=checks, **parts)], 10)[0]


def test_after_a_failed_check_nobody_is_called_comparable():
    text = " ".join(
        [
            prose.finding_sentence(unlike(), acme()),
            prose.verdict_sentence(unlike()),
            *prose.three_sentences(released(unlike())),
        ]
    )
    assert "comparable colleagues" not in text and "other colleagues who had not started" in text
    assert "Inconclusive" in text and "1 of 3 checks failed: the groups differ in tenure." in text
    assert "1 calls for caution: the comparators are worth fewer people than started." in text
    page = whole(released(unlike()))
    assert "comparable colleagues" not in page and "because of the program" not in page
    facts = index_facts(released(unlike()))["verdicts"][0]
    assert facts["verdict"] == "inconclusive" and "differ in tenure" in facts["checks"]


def test_a_check_that_passed_leaves_the_words_as_they_are():
    sound = judge([finding(row(**BETTER), "inconclusive", checks=(overlap_check(300.0, 135),))], 10)[0]
    assert "comparable colleagues" in prose.finding_sentence(sound, acme())
    assert "Of 1 check none failed." in prose.verdict_sentence(sound)


# --- findings.csv and row ids -----------------------------------------------------------------------------------------


def test_the_findings_ledger_has_one_row_a_main_row_that_says_what_it_rests_on():
    [line] = findings_frame([unlike()]).to_dict("records")
    assert list(line) == FINDINGS_COLUMNS
    assert (line["verdict"], line["verdict_reason"]) == ("inconclusive", "groups_not_comparable")
    assert [line[f"checks_{g}"] for g in ("passed", "caution", "failed", "untestable")] == [1, 1, 1, 0]
    assert line["failed"] == "balance" and line["row"] == unlike().primary.row
    assert (line["family"], line["n_family"], line["p_adjusted"]) == ("primary", 1, pytest.approx(0.001))
    assert line["registered"] is None or pd.isna(line["registered"])


def test_a_suppressed_answer_tells_nothing_in_the_ledger_of_findings():
    few = replace(unlike(), primary=replace(unlike().primary, n_treated=4))
    [line] = findings_frame([release_finding(few, ReleaseRule(10))]).to_dict("records")
    assert (line["verdict"], line["verdict_reason"]) == ("suppressed", "small_group")
    told = ("smallest_detectable", "p_adjusted", "n_family", "checks_passed", "checks_failed", "failed")
    assert all(pd.isna(line[name]) for name in told)


def test_a_row_keeps_its_id_when_its_numbers_change_and_shares_it_with_none():
    one, later = row(), row(estimate=-0.05, ci_low=-0.11)
    assert one.row == later.row and one.row.startswith("H1-")
    assert row(**OFFERED).row != one.row and row(horizon_months=24).row != one.row
    assert estimates_frame([one])["row"].tolist() == [one.row]


def test_no_two_rows_of_the_demo_studies_have_the_same_id():
    ledger = pd.read_csv(project_dir() / "reports" / "expected" / "estimates.csv", dtype=str)
    for _, rows in ledger.groupby("study"):
        named = rows[list(NAMING)].astype(object).where(rows[list(NAMING)].notna(), None)
        ids = [NotEstimable(**dict(zip(NAMING, values, strict=True)), reason="-").row
               for values in named.itertuples(index=False)]  # fmt: skip
        assert len(set(ids)) == len(rows)
