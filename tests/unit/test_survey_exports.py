"""What is peculiar to one survey tool's export, in a few lines written by hand."""

from typing import Any

import pytest
import yaml
from studies import STUDY

from analysis.ingest.sources import RawTables, read_exports
from analysis.plan.read_study import load_study
from analysis.validate.tables import typed

STAFF = """\
profile: staff
title: Invented staff list
unverified: made up for this test
tables:
  employees:
    recognised_by: [employee_id, email]
    directory:
      - {by: email, columns: [email]}
"""


def read(tmp_path, *lines: str, **source: Any) -> RawTables:
    """Return what is read of one export's lines, beside a list of the staff; any error fails the test."""
    folder = tmp_path / "acme"
    (folder / "profiles").mkdir(parents=True)
    (folder / "profiles" / "staff.yaml").write_text(STAFF, encoding="utf-8")
    (folder / "staff.csv").write_text("employee_id,email,hire_date\n0007,ada@acme.example,2000-01-01\n")
    (folder / "form.csv").write_text("\n".join(lines), encoding="utf-8")
    sources = [
        {"table": "employees", "path": "staff.csv", "profile": "staff"},
        {"table": "responses", "path": "form.csv", "instrument": "pulse", "wave": 1} | source,
    ]
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY | {"study": "acme", "sources": sources}), encoding="utf-8")
    raw = read_exports(load_study("acme", tmp_path))
    assert [str(p) for p in raw.problems if p.severity == "error"] == []
    return raw


def found(raw: RawTables, table: str, *columns: str) -> list[tuple]:
    """Return the typed rows that were read of a table."""
    rows = typed(raw.tables[table].reset_index(drop=True), table).reindex(columns=list(columns)).astype(object)
    return list(rows.where(rows.notna(), None).itertuples(index=False, name=None))


CODED = {
    "qualtrics": ("Status,Finished,ResponseId,ExternalReference,Q1_who1,Q1_who2", "a,b,c,d,e,f", "0,1,R_1,0007,4,0"),
    "surveymonkey": (
        "Respondent ID,Collector ID,Email Address,How far do you agree?,",
        ",,,who1,who2",
        "118,408,ada@acme.example,4,0",
    ),
    "ms_forms": ("ID,Email,Name,who1,who2", "1,ada@acme.example,Ada Testperson,4,0"),
    "google_forms": ("Email Address,How often? [who1],How often? [who2]", "ada@acme.example,4,0"),
    "limesurvey": (
        "id,submitdate,lastpage,email,G1Q1[who1],G1Q1[who2]",
        "1,1980-01-01 00:00:00,2,ada@acme.example,4,0",
    ),
}


@pytest.mark.usefixtures("original_ids")
@pytest.mark.parametrize("tool", CODED)
def test_items_whose_wording_is_not_ours_are_found_by_their_code_and_answers_without_days_stay_without(tool, tmp_path):
    raw = read(tmp_path, *CODED[tool], profile=tool, instrument="who5")
    answers = found(raw, "responses", "employee_id", "item", "value", "responded_at")
    assert answers == [("0007", "who1", 4, None), ("0007", "who2", 0, None)]


def test_nameless_raters_of_one_person_keep_a_form_each(tmp_path):
    raw = read(
        tmp_path,
        "Status,Progress,Finished,ResponseId,SubjectUniqueIdentifier,ParticipantUniqueIdentifier,Relationship,lmr1",
        "a,b,c,d,e,f,g,h",
        "32,100,1,R_1,0007,,Peer,2",
        "32,100,1,R_2,0007,,Peer,5",
        "32,100,1,R_3,0007,0007,Self,3",
        "32,100,1,R_4,0007,0007,Self,4",
        profile="qualtrics",
        table="ratings",
        instrument="leadership_multirater",
    )
    assert sorted(found(raw, "ratings", "rater_role", "value")) == [("peer", 2), ("peer", 5), ("self", 4)]
    assert [p.rule for p in raw.problems if p.action == "rejected"] == ["duplicate_form"]


def test_a_form_that_records_nobody_is_an_unlinked_survey(tmp_path):
    raw = read(
        tmp_path,
        "ID,Start time,Completion time,Email,Name,I look forward to coming to work.",
        "1,3/14/24 9:00:00,3/14/24 9:02:00,anonymous,,Agree",
        profile="ms_forms",
    )
    assert found(raw, "unlinked_responses", "item") == [("mor1",)]


def test_what_a_tool_writes_for_a_question_seen_and_not_answered_is_no_answer(tmp_path):
    raw = read(
        tmp_path,
        "Status,Progress,Finished,ResponseId,ExternalReference,mor1,mor2",
        "a,b,c,d,e,f,g",
        "0,100,1,R_1,0007,-99,4",
        profile="qualtrics",
    )
    assert found(raw, "responses", "value") == [(None,), (4,)]
