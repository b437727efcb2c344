"""The index of all studies: every main answer, the claims board, and what studies are found, filtered and sorted by."""

import json
import re
from dataclasses import replace
from typing import get_args

import pytest
from page_numbers import number_complaints, numbers
from test_report import (
    CHECKS,
    economics,
    examined,
    morale,
    promotion,
    readable,
    released,
    report_folder,
    unmeasured,
)

from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Check, Verdict
from analysis.report.index import IndexEntry, index_facts, index_page, index_table, read_index_entry
from analysis.report.page import study_page
from analysis.report.summary import MARKS, MOST_MARKED, board, claims_of, counted

FAILED = Check("balance", False, 0.32, 0.25, "Apart.", grade="failed", brief="the groups differ in tenure",
               caps="groups_not_comparable")  # fmt: skip
FINDINGS = (examined(checks=(FAILED, *CHECKS), verdict_reason="groups_not_comparable"), morale(), unmeasured(),
            promotion(), economics())  # fmt: skip


@pytest.fixture
def entry(tmp_path) -> IndexEntry:
    report_folder(tmp_path / "acme", released(*FINDINGS))
    return read_index_entry(tmp_path / "acme")


def test_every_main_answer_is_in_the_index_and_each_of_its_numbers_names_its_row(entry):
    page, rows = index_page([entry]), {row.row: row for f in FINDINGS for row in f.estimates}
    assert list(number_complaints(page, rows)) == []
    told = {(n.row, n.column) for n in numbers(page)}
    for found in (f for f in FINDINGS if f.primary.is_estimated):
        assert {(found.primary.row, c) for c in ("estimate", "ci_low", "ci_high")} <= told, found.hypothesis
    assert list(number_complaints(page.replace(">−4.4</span>", ">−4.5</span>"), rows))


def test_design_size_failed_checks_and_the_way_to_the_page_are_told(entry):
    page = index_page([entry])
    text = readable(page)
    assert "self-selected" in text and "135 started, 664 compared" in text
    assert "1 of 3 checks failed: the groups differ in tenure" in text
    assert 'href="acme/retention.html#genius-mentor-H1_retention"' in page
    assert 'href="acme/economics.html#genius-any-H9_economics"' in page


def test_what_a_study_is_found_by_is_on_the_page(entry):
    [study] = index_table([entry])
    keys = study["found_by"]
    assert "acme" in keys["text"] and "genius program" in keys["text"] and keys["failed"] and keys["size"] == 220
    assert "H2_morale:supported" in keys["verdicts"].split() and keys["first"] == [pytest.approx(-4.41), 0.31, None]
    tag = re.search(r"<tbody data-name[^>]*>", index_page([entry]))[0]
    for attribute in ('data-design="self-selected"', 'data-failed="yes"', 'data-first0="-4.41"', 'data-first2=""'):
        assert attribute in tag


def test_the_index_loads_nothing_and_its_script_stands_in_it(entry):
    page = index_page([entry])
    assert page.count("<script>") == 1 and "<script src" not in page
    assert not re.search(r"""(src|href)=["'](https?:)?//|@import|url\(|fetch\(|XMLHttpRequest""", page)


def test_a_report_of_another_version_is_not_read(tmp_path):
    (tmp_path / "old").mkdir()
    about = index_facts(released(*FINDINGS))
    del about["verdicts"][0]["row"]
    (tmp_path / "old" / "run.json").write_text(json.dumps({"index": about}), encoding="utf-8")
    found = read_index_entry(tmp_path / "old")
    assert not found.is_readable and "written by another version" in readable(index_page([found]))


def test_a_thousand_studies_are_one_page(entry):
    """Read and written in one go; the time is measured in a browser, see docs/many_companies.md."""
    many = [replace(entry, name=f"acme{n}", title=f"Acme {n}") for n in range(1000)]
    page = index_page(many)
    assert page.count("<tbody data-name") == 1000 and len(page) < 8_000_000


# --- claims -----------------------------------------------------------------------------------------------------------


def test_every_claim_stands_with_every_answer_that_bears_on_it():
    told = {row["id"]: row for row in claims_of(released(*FINDINGS))["rows"]}
    plan = load_plan()
    assert list(told) == [claim.id for claim in plan.claims]
    for claim in plan.claims:
        for hypothesis, answer in zip(claim.hypotheses, told[claim.id]["answers"], strict=True):
            found = [f for f in FINDINGS if f.hypothesis == hypothesis]
            assert [a["verdict"] for a in answer["found"]] == [f.verdict for f in found]
    assert not told["C17"]["is_tested"] and told["C07"]["answers"][0]["found"][0]["value"] == "−4.4"


def test_claims_are_counted_by_what_data_can_say():
    plan = load_plan()
    n, tested, answered, supported = counted(claims_of(released(*FINDINGS))["rows"])
    told = {f.hypothesis for f in FINDINGS if f.primary.is_estimated}
    assert (n, tested) == (len(plan.claims), sum(bool(c.hypotheses) for c in plan.claims))
    assert answered == sum(bool(told & set(c.hypotheses)) for c in plan.claims)
    assert supported == sum("H2_morale" in c.hypotheses for c in plan.claims)
    assert counted(claims_of(released(unmeasured()))["rows"])[2:] == (0, 0)


def test_the_summary_ends_with_the_claims_and_says_what_no_data_can_test():
    page = study_page(released(*FINDINGS))
    section = page[page.index('<section id="claims">') :]
    assert section.count("<section") == 1 and "HR data cannot test this." in section
    assert "Five articles on reverse mentoring make 31 claims." in section
    assert all(f'id="{claim.id}"' in section for claim in load_plan().claims)


def test_the_board_has_a_mark_for_each_study_and_role(entry):
    other = replace(entry, name="bolt", title="Bolt")
    claim = next(c for c in board([vars(entry), vars(other)]) if c["id"] == "C07")
    retention, on_morale = claim["answers"]
    assert [m["mark"] for m in retention["found"]] == [MARKS["inconclusive"]] * 2
    assert [m["href"] for m in on_morale["found"]] == [
        f"{name}/morale.html#genius-mentor-H2_morale" for name in ("acme", "bolt")
    ]
    assert on_morale["found"][1]["label"].startswith("Bolt, Genius Program: mentors (the juniors): Supported")


def test_beyond_many_studies_the_board_counts_marks(entry):
    many = [vars(replace(entry, name=f"acme{n}")) for n in range(MOST_MARKED + 1)]
    claim = next(c for c in board(many) if c["id"] == "C01")
    assert [m["mark"] for m in claim["answers"][0]["found"]] == [f"✓ {MOST_MARKED + 1}"]


def test_every_verdict_has_its_mark():
    verdicts = set(get_args(Verdict))
    assert set(MARKS) == verdicts and len(set(MARKS.values())) == len(MARKS)
