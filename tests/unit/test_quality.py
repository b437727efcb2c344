"""How good the data are: rows that add up, gaps, coverage, the participant flow, and the page that tells of them."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from demo_answers import demo_exact
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studies import TINY_COMPANY, as_csv, write_study

from analysis.design.eligibility import enrolment_funnel
from analysis.ingest import read_sources
from analysis.measure.described import coverage, missingness
from analysis.measure.employment import job_history, staff_on
from analysis.pipeline import answer, open_study, report_study
from analysis.plan.contract import Tables
from analysis.plan.errors import BadInput, Problem
from analysis.plan.instruments import load_instruments
from analysis.plan.paths import project_dir
from analysis.plan.read_study import load_study
from analysis.release.answer import Released
from analysis.release.findings import release_finding
from analysis.release.frames import release_frame
from analysis.release.rule import ReleaseRule
from analysis.report import figures_quality, tables_quality
from analysis.report.quality_page import NO_MASK, bad_input_page, quality_page, quality_pictures
from analysis.report.tables import row_counts_table
from analysis.report.tables_quality import rows_sentence
from analysis.validate import check_tables
from analysis.validate.account import account
from analysis.validate.rule import Context, Rule, enforce

LEAST = 10
RULE = ReleaseRule(LEAST)
EXPORTS = project_dir() / "tests" / "fixtures" / "exports"


def problem(lines=(), action="rejected", severity="warning", table="responses", source="raw/form.csv", rule="odd"):
    return Problem(
        severity=severity, table=table, source=source, rows=len(lines), example_rows=tuple(lines), rule=rule,
        message="is odd; mend it", action=action, lines=np.array(lines, dtype=int),
    )  # fmt: skip


def rows_of(lines, source="raw/form.csv"):
    return pd.DataFrame({"_source": source, "_line": lines})


def counted(rows_in, kept, problems=()):
    """Return the rows in, kept, repaired, translated and rejected of the only source."""
    [found] = account({("responses", "raw/form.csv"): rows_in}, {"responses": rows_of(kept)}, problems).to_dict(
        "records"
    )
    assert found["rows_in"] == found["rows_kept"] + found["rows_rejected"]
    return [found[f"rows_{name}"] for name in ("in", "kept", "repaired", "translated", "rejected")]


def checked(folder, tables):
    """Return the checked tables of a tiny company and the problems."""
    write_study(folder / "acme", tables)
    study = load_study("acme", folder)
    return check_tables(read_sources(study), study, load_instruments(study))


# --- rows that add up ------------------------------------------------------------------------------------------------


def test_a_form_with_three_answers_is_one_row_and_kept_while_one_answer_is():
    assert counted(2, kept=[2, 2, 3]) == [2, 2, 0, 0, 0]
    assert counted(2, kept=[3]) == [2, 1, 0, 0, 1]


def test_repaired_rows_are_among_the_kept_and_counted_once():
    repairs = [problem([2, 3], "repaired"), problem([3, 4], "set_null"), problem([5], "kept")]
    assert counted(5, kept=[2, 3, 5, 6], problems=repairs) == [5, 4, 2, 0, 1]


def test_a_date_written_otherwise_is_translated_and_no_defect():
    changes = [problem([2, 3, 4], "repaired", "info"), problem([4], "set_null", "info"), problem([5], "repaired")]
    assert counted(4, kept=[2, 3, 4, 5], problems=changes) == [4, 4, 4, 2, 0]


def test_rows_with_an_error_count_as_rejected_though_they_stay_to_be_looked_at():
    assert counted(3, kept=[2, 3, 4], problems=[problem([3], severity="error")]) == [3, 2, 0, 0, 1]


@pytest.mark.parametrize(
    "error",
    [
        problem([], severity="error"),
        problem([1], severity="error"),
        problem([], severity="error", table="study", rule="checksum"),
    ],
    ids=["of no line", "of the header", "of the checksum"],
)
def test_an_error_of_the_whole_file_rejects_all_of_its_rows(error):
    assert counted(3, kept=[2, 3, 4], problems=[error]) == [3, 0, 0, 0, 3]


def test_what_was_repaired_before_a_survey_proved_unlinked_counts():
    key, kept = ("unlinked_responses", "raw/form.csv"), {"unlinked_responses": rows_of([2, 3])}
    [found] = account({key: 2}, kept, [problem([2], "repaired"), problem([3], severity="error")]).to_dict("records")
    assert (found["rows_kept"], found["rows_repaired"], found["rows_rejected"]) == (1, 1, 1)


def test_an_error_of_another_file_rejects_nothing():
    assert counted(1, kept=[2], problems=[problem([2], severity="error", source="raw/other.csv")]) == [1, 1, 0, 0, 0]


def test_the_ledger_counts_records_and_not_the_rows_made_of_them():
    rule = Rule("odd", "value", "warning", "set_null", "value is odd", lambda f, _: f["value"] % 2 == 1)
    frame = rows_of([2, 2, 2, 3]).assign(value=[1, 1, 2, 1])
    context = Context(load_study("northbank", project_dir() / "data"), {})
    [found] = enforce([rule], frame, "responses", context)[1]
    assert (found.rows, found.example_rows, found.lines.tolist()) == (2, (2, 3), [2, 3])


SPOILS = [
    ("employees", "E9,2030-01-01,,,,,,"),
    ("employees", "E8,2023-05-01,2023-01-01,,,,,"),
    ("employees", "E7,2020-01-01,,voluntary,,,,"),
    ("employees", "E7,31.02.2020,,,,,,"),
    ("jobs", "E1,2023-01-01,5,E1,1"),
    ("jobs", "E1,2030-01-01,5,,1"),
    ("jobs", "E1,2023-01-01,x,,1"),
    ("jobs", "E77,2023-01-01,1,,1"),
    ("responses", "E3,2,mini,m1,Agree,"),
    ("responses", "E3,2,mini,m1,4,2030-01-01"),
    ("responses", "Z1,2,mini,m1,4,"),
    ("responses", "E3,2,mini,m1,9,"),
    ("responses", "E1,2,mini,m1,3,"),
    ("enrolments", "genius,2030-06-01,E3,mentor,,,,,,"),
    ("enrolments", "genius,2023-06-01,E3,mentor,,,2030-01-01,,,"),
    ("enrolments", "clinic,2022-06-01,E3,mentor,,,,,,"),
]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(SPOILS), max_size=8))
def test_rows_add_up_whatever_is_wrong(tmp_path, spoilt):
    """Every row of every file is kept, or the ledger names its line as rejected: nothing overlaps, nothing is lost."""
    tables = {name: as_csv(text) for name, text in TINY_COMPANY.items()}
    for table, row in spoilt:
        tables[table] += row + "\n"
    found, problems = checked(tmp_path, tables)
    counts = found.row_counts.set_index("table")
    assert set(counts.index) == set(tables)
    for table, text in tables.items():
        n = text.count("\n") - 1
        gone = [p.lines for p in problems if p.table == table and (p.severity == "error" or p.action == "rejected")]
        n_gone = len(np.unique(np.concatenate(gone))) if gone else 0
        row = counts.loc[table]
        assert (row["rows_in"], row["rows_kept"], row["rows_rejected"]) == (n, n - n_gone, n_gone)
        assert row["rows_repaired"] <= row["rows_kept"]


@pytest.mark.parametrize("vendor", sorted(path.parent.name for path in EXPORTS.glob("*/study.yaml")))
def test_no_vendors_row_is_lost_without_a_line_in_the_ledger(vendor):
    study = load_study(vendor, EXPORTS)
    tables, problems = check_tables(read_sources(study), study, load_instruments(study))
    for row in tables.row_counts.itertuples():
        about = [p for p in problems if p.source == row.source and (p.severity == "error" or p.action == "rejected")]
        named = {int(line) for p in about for line in p.lines}
        assert row.rows_kept + row.rows_rejected == row.rows_in >= row.rows_kept >= row.rows_repaired
        assert row.rows_rejected <= len(named) or any(not len(p.lines) or max(p.lines) <= 1 for p in about)


def test_bad_input_says_what_became_of_the_rows(tmp_path):
    write_study(tmp_path / "acme", TINY_COMPANY | {"jobs": as_csv(TINY_COMPANY["jobs"]) + "E1,2023-01-01,high,,1\n"})
    with pytest.raises(BadInput) as caught:
        open_study("acme", tmp_path)
    jobs = caught.value.row_counts.set_index("table").loc["jobs"]
    assert (jobs["rows_in"], jobs["rows_kept"], jobs["rows_rejected"]) == (6, 5, 1)


# --- coverage and gaps -----------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(tmp_path):
    write_study(tmp_path / "acme", TINY_COMPANY)
    return open_study("acme", tmp_path)


def test_the_tiny_companys_people_are_on_record_from_month_to_month(tiny):
    found = coverage(tiny.tables, tiny.study.study_start, tiny.study.as_of).set_index("month").filter(like="n_")
    assert len(found) == 36
    # E4 is away from June 2022 to January 2023 and has a manager only afterwards; E2 leaves in September 2023.
    assert found.loc["2022-01-01"].tolist() == [4, 4, 2]
    assert found.loc["2022-06-01"].tolist() == [3, 3, 2]
    assert found.loc["2023-02-01"].tolist() == [4, 4, 3]
    assert found.loc["2023-10-01"].tolist() == [3, 3, 2]


def test_coverage_counts_the_people_whom_the_analysis_finds_that_day():
    """The same count made in another way: day by day, person by person."""
    opened = open_study("plumetree", project_dir() / "data")
    found = coverage(opened.tables, opened.study.study_start, opened.study.as_of)
    history = job_history(opened.tables.jobs)
    for row in found.iloc[::7].itertuples():
        staff = staff_on(opened.tables, history, row.month)
        has_job, has_manager = staff.jobs["job_level"].notna(), staff.jobs["manager_id"].notna()
        assert (row.n_employed, row.n_with_job_row, row.n_with_manager) == (
            len(staff.spells),
            has_job.sum(),
            has_manager.sum(),
        )


def test_without_job_history_coverage_tells_the_employed_alone(tiny):
    found = coverage(replace(tiny.tables, jobs=None), tiny.study.study_start, tiny.study.as_of)
    assert found["n_employed"].iloc[0] == 4 and found["n_with_job_row"].isna().all()


def test_the_kind_of_an_exit_is_missing_among_exits_alone(tiny):
    found = missingness(tiny.tables).set_index(["table", "column"])["share_missing"]
    assert found["employees", "exit_type"] == 0 and found["employees", "notice_date"] == 0.5
    assert found["jobs", "manager_id"] == 0.4 and found["jobs", "base_salary"] == 1
    assert ("employees", "exit_date") not in found and ("enrolments", "start_date") not in found


def test_few_gaps_count_as_none_and_a_column_of_few_people_is_masked():
    frame = pd.DataFrame(
        {
            "table": "jobs",
            "column": ["a", "b", "c", "d"],
            "of": "all rows",
            "n_people": [2000, 40, 40, 9],
            "n_rows": [4003, 44, 44, 80],
            "n_missing": [1003, 9, 36, 30],
            "share_missing": 0.0,
        }
    )
    shown = release_frame("missingness", frame, RULE)
    assert (
        shown["share_missing"].tolist()[:3] == [0.25, 0, 1]
        and shown.iloc[3][["n_people", "share_missing"]].isna().all()
    )


def test_who_has_no_job_on_record_cannot_be_counted_by_subtraction():
    frame = pd.DataFrame(
        {"month": pd.to_datetime(["2022-01-01"] * 3), "n_employed": [1201, 1201, 8], "n_with_job_row": [1198, 1000, 7],
         "n_with_manager": [0, 600, 8], "share_with_job_row": 0.9, "share_with_manager": 0.9}
    )  # fmt: skip
    shown = release_frame("coverage", frame, RULE)
    assert list(shown) == ["month", "n_employed", "share_with_job_row", "share_with_manager"]
    assert shown["n_employed"].iloc[:2].tolist() == [1200, 1200] and shown.iloc[2, 1:].isna().all()
    assert shown["share_with_job_row"].iloc[:2].tolist() == pytest.approx([1, 1000 / 1200])
    assert shown["share_with_manager"].iloc[:2].tolist() == [0, 0.5]


def test_a_few_repaired_rows_of_a_file_are_not_counted():
    counts = pd.DataFrame({"table": ["employees", "jobs"], "source": ["a.csv", "b.csv"], "rows_in": [100, 202],
                           "rows_kept": [97, 202], "rows_repaired": [97, 91], "rows_translated": [94, 40],
                           "rows_rejected": [3, 0]})  # fmt: skip
    shown = release_frame("row_counts", counts, RULE)
    assert rows_sentence(shown, LEAST) == "Few of 300 rows were rejected, 55 repaired"
    assert rows_sentence(counts, NO_MASK) == "3 of 302 rows were rejected, 54 repaired"
    table = row_counts_table(shown, LEAST)
    assert table["rejected"].tolist() == ["<10", "<10"] and table["repaired"].tolist() == ["<10", "50"]


# --- from employed to analysed ---------------------------------------------------------------------------------------


def test_the_way_in_is_told_person_by_person(tiny):
    """E2 started; E3 was not selected; E1 is too senior, and E4, of another level as well, had left."""
    found = enrolment_funnel(tiny.tables, tiny.study, tiny.study.programs[0], "mentor")
    assert list(found[["kind", "step", "n_people"]].itertuples(index=False, name=None)) == [
        ("stage", "employed", 4),
        ("loss", "not eligible when an intake opened", 2),
        ("loss", "eligible but not enrolled", 0),
        ("stage", "enrolled", 2),
        ("loss", "not offered a place", 1),
        ("stage", "offered a place", 1),
        ("loss", "did not start", 0),
        ("stage", "started", 1),
    ]


def test_a_colleague_who_could_have_enrolled_is_lost_for_not_enrolling(tiny):
    jobs = tiny.tables.jobs.assign(job_level=tiny.tables.jobs["job_level"].replace(5, 2))
    found = enrolment_funnel(replace(tiny.tables, jobs=jobs), tiny.study, tiny.study.programs[0], "mentor").set_index(
        "step"
    )
    assert found.loc["eligible but not enrolled", "n_people"] == 1


def test_without_hr_dates_the_way_in_begins_with_those_enrolled(tiny):
    found = enrolment_funnel(replace(tiny.tables, employees=None), tiny.study, tiny.study.programs[0], "mentor")
    assert found["step"].iloc[0] == "enrolled" and found["n_people"].iloc[0] == 2


def adds_up(flow: pd.DataFrame) -> bool:
    """Whether in every answer a stage less its losses is the next stage of its unit, but for what is too few."""
    for _, rows in flow.groupby(["program_id", "role", "hypothesis", "unit"]):
        stages = np.flatnonzero(rows["kind"] == "stage")
        told = rows["n_people"].astype("Float64")
        for first, last in pairwise(stages):
            lost, few = told.iloc[first + 1 : last].sum(), told.iloc[first + 1 : last].isna().sum()
            gap = told.fillna(0).iloc[first] - told.fillna(0).iloc[last] - lost
            if not 0 <= gap <= few * (LEAST - 1):
                return False
    return True


def test_a_loss_is_the_difference_of_two_stages_as_they_are_shown():
    rows = [("stage", "employed", 503), ("loss", "not eligible", 303), ("loss", "not enrolled", 96),
            ("stage", "enrolled", 104), ("loss", "not offered", 4), ("stage", "offered a place", 100),
            ("loss", "did not start", 36), ("stage", "started", 64), ("loss", "no score", 56),
            ("stage", "analysed", 8)]  # fmt: skip
    flow = pd.DataFrame(rows, columns=["kind", "step", "n_people"]).assign(program_id="p", role="mentor", unit="people")
    shown = release_frame("flow_of_people", flow.assign(hypothesis="H1_retention"), RULE)
    assert list(shown["n_people"]) == [500, 300, 100, 100, pd.NA, 100, 40, 60, 60, pd.NA]
    assert adds_up(shown)


@pytest.fixture(scope="module", params=["plumetree", "larkfield"])
def answered(request) -> Released:
    """A program that people chose, and a lottery: described and released, without the rest of an answer."""
    exact = demo_exact(request.param)
    described = {name: release_frame(name, frame, RULE) for name, frame in exact.frames.items()}
    findings = tuple(release_finding(f, RULE) for f in exact.findings)
    return Released(study=exact.released.study, findings=findings, problems=exact.problems, described=described)


def test_the_flow_of_a_demo_adds_up_and_ends_with_those_analysed(answered):
    flow = answered.described["flow_of_people"]
    assert adds_up(flow) and (flow["n_people"].dropna() % 5 == 0).all()
    last = flow[flow["step"] == "analysed"].set_index(["hypothesis", "role"])["n_people"]
    for finding in answered.findings:
        if finding.primary.estimand != "ITT" and "flow" in finding.evidence:
            assert last[finding.hypothesis, finding.role] == finding.primary.n_treated
    first = flow.groupby(["role", "hypothesis"]).first()
    assert set(first["step"]) == {"employed"} and len(set(first["n_people"])) == 1


def test_where_lots_are_drawn_people_and_lots_are_not_mixed(answered):
    flow = answered.described["flow_of_people"]
    is_lottery = answered.study.study == "larkfield"
    assert (set(flow["unit"]) == {"people", "lots", "people by arm"}) == is_lottery
    assert ("lots drawn" in set(flow["step"])) == is_lottery


# --- pictures and the page -------------------------------------------------------------------------------------------


COUNTS = pd.DataFrame({"table": ["employees", "jobs"], "source": ["raw/e.csv", "raw/j.csv"], "rows_in": [1000, 2000],
                       "rows_kept": [992, 2000], "rows_repaired": [0, 1120], "rows_translated": [0, 1000],
                       "rows_rejected": [8, 0]})  # fmt: skip


def drawn_text(figure) -> str:
    return " | ".join(re.findall(r"<text [^>]*>(.*?)</text>", figure.svg))


def test_the_picture_of_the_rows_says_what_was_lost_and_why():
    late = problem(range(2, 10), table="employees", source="raw/e.csv", rule="hired_after_as_of")
    unknown = problem(range(2, 122), "set_null", table="jobs", source="raw/j.csv", rule="manager_not_employed")
    problems = [late, unknown]
    figure = figures_quality.rows_plot(COUNTS, problems, NO_MASK)
    assert figure.alt == "8 of 3,000 rows were rejected, 120 repaired"
    assert "8 rejected: hired after as_of" in drawn_text(figure)
    assert "120 repaired: manager not employed" in drawn_text(figure)
    assert figure.svg == figures_quality.rows_plot(COUNTS, problems, NO_MASK).svg


def test_where_no_row_was_rejected_the_sentence_says_that_all_were_kept():
    whole = COUNTS.assign(rows_rejected=0, rows_kept=COUNTS["rows_in"])
    assert rows_sentence(whole, NO_MASK) == "All 3,000 rows were kept, 120 repaired"
    assert rows_sentence(whole.assign(rows_repaired=0, rows_translated=0), NO_MASK).endswith("none repaired")


def test_a_part_of_a_few_rows_can_still_be_seen():
    figure = figures_quality.rows_plot(COUNTS, [], LEAST)
    widths = [patch.get_width() for patch in figure.figure().axes[0].patches if patch.get_width() > 0]
    assert min(widths) >= figures_quality.LEAST_SEEN


def test_many_files_of_a_table_share_a_bar():
    many = pd.concat([COUNTS, *[COUNTS.iloc[:1].assign(table="responses", source=f"raw/w{n}.csv") for n in range(12)]])
    labels = figures_quality.rows_plot(many, [], LEAST).figure().axes[0].yaxis.get_major_formatter().seq
    assert labels == ["employees: e.csv", "jobs: j.csv", "responses: 12 files"]


def test_the_page_tells_the_rows_the_flow_and_the_gaps(answered):
    page = quality_page(answered)
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert rows_sentence(answered.described["row_counts"], LEAST) in text
    for heading in ("Where every row went", "From employed to analysed", "On record over time", "What is missing"):
        assert heading in text
    assert 'href="index.html"' in page and "http" not in page.replace("http://www.w3.org", "")
    assert "Simulated data" in text and "What must be corrected" not in text
    roles = answered.described["flow_of_people"]["role"].nunique()
    assert sum(name.startswith("people-") for name in quality_pictures(answered)) == roles


def test_small_numbers_of_rows_are_masked_on_a_page_for_everybody(answered):
    few = replace(answered, problems=(problem([2, 3, 4], rule="odd_rows"),))
    text = re.sub(r"<[^>]+>", " ", quality_page(few))
    assert "&lt;10" in text and "is odd; mend it" in text


def test_the_page_says_what_is_unverified_and_what_must_be_known(answered):
    remarks = (
        problem(rule="unverified_profile", severity="info", action="kept"),
        problem(rule="remark", action="kept"),
    )
    page = quality_page(replace(answered, problems=remarks))
    assert page.count("is odd; mend it.") == 2 and page.count(">unverified</span>") == 1
    assert "No row was dropped or changed" not in page


def test_a_study_without_tables_still_has_a_page(answered):
    bare = replace(answered, described={}, problems=())
    assert "Where every row went" not in quality_page(bare)


def test_what_was_only_written_otherwise_is_folded_away(answered):
    wrong, otherwise = problem([2] * 20, "set_null", rule="wrong"), problem(range(20), "repaired", "info", rule="dates")
    page = quality_page(replace(answered, problems=(wrong, replace(otherwise, message="was translated"))))
    shown, folded = page.split("What was reformatted only")
    assert "is odd; mend it" in shown and "was translated" not in shown and "was translated" in folded


def test_a_company_too_small_to_be_shown_has_a_page_without_its_people(tiny):
    page = quality_page(answer(tiny))
    assert "Where every row went" in page and "Every file has fewer than 10 rows" in page
    for heading in ("From employed to analysed", "What is missing", "have a job on record"):
        assert heading not in page.split("</header>")[1]


def bad_company(folder):
    tables = TINY_COMPANY | {"employees": TINY_COMPANY["employees"].replace("2019-03-01", "Erika Mustermann")}
    write_study(folder / "data" / "acme", tables | {"ratings": ""})
    with pytest.raises(BadInput):
        report_study("acme", folder / "data", folder / "reports", say=lambda _: None)
    return folder / "reports" / "acme"


def test_bad_input_gets_a_page_for_whoever_must_mend_it(tmp_path):
    folder = bad_company(tmp_path)
    assert sorted(p.name for p in folder.iterdir()) == ["data_quality.csv", "data_quality.html"]
    page = (folder / "data_quality.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))
    assert "A tiny company" in text and "nothing was estimated" in text and "mentoring check acme" in text
    assert re.search(r"raw/employees.csv lines rows what is wrong, and what to do 2 1 hire_date is not a date", text)
    assert re.search(r"raw/ratings.csv .* the whole file", text) and "1 of" in text
    assert (
        "Erika" not in page and 'href="index.html"' not in page and "http" not in page.replace("http://www.w3.org", "")
    )


def test_rows_on_the_page_of_bad_input_add_up(tmp_path):
    page = (bad_company(tmp_path) / "data_quality.html").read_text(encoding="utf-8")
    section = page[page.index('id="rows"') : page.index('id="noticed"')]
    lines = [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in re.findall(r"<tr><td.*?</tr>", section)]
    assert len(lines) == len(TINY_COMPANY) - 1  # the empty file holds no rows
    for table, _, read, kept, translated, repaired, rejected in lines:
        assert int(read) == int(kept) + int(rejected) and int(translated) + int(repaired) <= int(kept)
        assert (int(rejected) == 1) == (table == "employees")


def test_a_bad_study_yaml_gets_a_page_too(tmp_path):
    write_study(tmp_path / "data" / "acme", TINY_COMPANY, as_of="soon")
    with pytest.raises(BadInput):
        report_study("acme", tmp_path / "data", tmp_path / "reports", say=lambda _: None)
    page = (tmp_path / "reports" / "acme" / "data_quality.html").read_text(encoding="utf-8")
    assert "Data quality: acme" in page and "study.yaml" in page and "Where every row went" in page


def test_what_must_be_mended_names_five_lines_and_says_that_there_are_more():
    table = tables_quality.correction_table([problem([2, 3, 4, 5, 6, 7]), problem([]), problem([9])])
    assert table["lines"].tolist() == ["2, 3, 4, 5, 6, …", "the whole file", "9"]


def test_a_company_without_gaps_has_no_picture_of_them(answered):
    whole = answered.described["missingness"].assign(share_missing=0.0)
    without = replace(answered, described=dict(answered.described) | {"missingness": whole})
    assert "gaps" not in quality_pictures(without) and "No column has gaps" in quality_page(without)


def test_columns_that_hold_nothing_are_named_and_not_drawn(answered):
    frame = answered.described["missingness"].iloc[:2].assign(share_missing=[1.0, 0.5])
    table, column = frame.iloc[0][["table", "column"]]
    page = quality_page(replace(answered, described=dict(answered.described) | {"missingness": frame}))
    assert f"Nothing, or for fewer than 10 rows, was recorded in: {table}: {column}." in page
    assert len(figures_quality.gaps_plot(frame, answered.study).figure().axes[0].yaxis.get_major_formatter().seq) == 1


def test_a_page_on_bad_input_needs_no_study_and_no_rows():
    assert "is odd; mend it" in bad_input_page("acme", [problem([2], severity="error")], None, None)


def test_missingness_of_nothing_is_nothing():
    assert missingness(Tables()).empty
