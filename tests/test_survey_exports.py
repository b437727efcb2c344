"""A simulated company's answers, written as each survey tool writes them, are read back as they were."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pandas as pd
import pytest
import yaml
from analysis.simulate.exports import qualtrics, surveys
from analysis.simulate.exports.people import people
from analysis.simulate.exports.sheet import Sheet, workbook
from studies import STUDY

from analysis.ingest.sources import RawTables, read_exports
from analysis.plan.instruments import Instrument, load_instruments
from analysis.plan.study import Study, load_study
from analysis.simulate import scenario_named, simulate
from analysis.validate.cells import typed

ZONE = "Europe/Oslo"
STAFF = """\
profile: staff
title: Invented staff list
unverified: made up for this test
tables:
  employees:
    recognised_by: [employee_id, email]
    directory:
      - {by: email, columns: [email]}
      - {by: first_and_last, columns: [first_name, last_name]}
"""


@cache
def company(like: str = "fjellkode"):
    """Return a small simulated company, its people and the cards of its instruments."""
    simulated = simulate(scenario_named(f"like-{like}", like=like, employees=60))
    names = people(like, simulated.tables.employees["employee_id"])
    return simulated.tables, names, load_instruments(Study.model_validate(simulated.study))


def answers(wave: int = 1, **without: Any) -> pd.DataFrame:
    """Return the pulse's canonical answers of one wave; the columns named in `without` emptied."""
    rows = company()[0].responses
    rows = rows[(rows["instrument"] == "pulse") & (rows["wave"] == wave)].reset_index(drop=True)
    return rows.assign(**without)


def pulse() -> tuple[pd.DataFrame, Instrument]:
    """Return the company's people and the card of the pulse."""
    return company()[1], company()[2]["pulse"]


def read(tmp_path, content: bytes, name: str, **source: Any) -> RawTables:
    """Return what is read of one export, beside a list of the staff."""
    folder = tmp_path / "acme"
    (folder / "profiles").mkdir(parents=True)
    (folder / "profiles" / "staff.yaml").write_text(STAFF, encoding="utf-8")
    staff = company()[1].assign(hire_date="2000-01-01")
    staff.to_csv(folder / "staff.csv", index=False)
    (folder / name).write_bytes(content)
    sources = [{"table": "employees", "path": "staff.csv", "profile": "staff"}, {"path": name} | source]
    study = STUDY | {"study": "acme", "study_start": "2019-01-01", "as_of": "2026-12-31", "timezone": ZONE}
    (folder / "study.yaml").write_text(yaml.safe_dump(study | {"sources": sources}), encoding="utf-8")
    return read_exports(load_study("acme", tmp_path))


def found(raw: RawTables, table: str, columns: list[str]) -> pd.DataFrame:
    """Return the typed rows that were read of a table; any error fails the test."""
    assert [str(p) for p in raw.problems if p.severity == "error"] == []
    rows = typed(raw.tables[table].reset_index(drop=True), table)
    rows = rows.astype(dict.fromkeys(rows.select_dtypes("category"), "str"))
    return rows.reindex(columns=columns)


def assert_same(rows: pd.DataFrame, wanted: pd.DataFrame) -> None:
    assert len(wanted) > 100
    pd.testing.assert_frame_equal(rows, wanted.reset_index(drop=True), check_dtype=False)


def rules(raw: RawTables) -> set[str]:
    return {p.rule for p in raw.problems if p.action == "rejected"}


@dataclass(frozen=True)
class Tool:
    """How one tool's export is written and read."""

    write: Any
    name: str
    source: dict = field(default_factory=dict)
    has_duration: bool = True
    left_out: tuple[str, ...] = ("duplicate_form",)


def _excel(sheet: Sheet) -> bytes:
    return workbook({"Sheet1": sheet})


TOOLS = {
    "qualtrics": Tool(
        lambda frame, who, card: qualtrics.qualtrics_responses(frame, who, card, 1, timezone=ZONE).csv(),
        "responses.csv",
        {"profile": "qualtrics"},
        left_out=("duplicate_form", "preview", "unfinished_form"),
    ),
    "qualtrics, recoded values": Tool(
        lambda frame, who, card: qualtrics.qualtrics_responses(frame, who, card, 1, labels=False, timezone=ZONE).csv(),
        "responses.csv",
        {"profile": "qualtrics"},
        left_out=("duplicate_form", "preview", "unfinished_form"),
    ),
    "qualtrics, legacy": Tool(
        lambda frame, who, card: qualtrics.qualtrics_responses(frame, who, card, 1, legacy=True).csv(),
        "responses.csv",
        {"profile": "qualtrics"},
        left_out=("duplicate_form", "preview", "unfinished_form"),
    ),
    "surveymonkey": Tool(
        lambda frame, who, card: surveys.surveymonkey_responses(frame, who, card, 1).csv(encoding="utf-8-sig"),
        "all.csv",
        {"profile": "surveymonkey", "date_order": "mdy"},
    ),
    "microsoft forms, spreadsheet": Tool(
        lambda frame, who, card: _excel(surveys.ms_forms_responses(frame, who, card, 1)),
        "Pulse(1-40).xlsx",
        {"profile": "ms_forms"},
    ),
    "microsoft forms, csv": Tool(
        lambda frame, who, card: surveys.ms_forms_responses(frame, who, card, 1, as_csv=True).csv(encoding="cp1252"),
        "pulse.csv",
        {"profile": "ms_forms", "date_order": "mdy"},
    ),
    "google forms": Tool(
        lambda frame, who, card: surveys.google_forms_responses(frame, who, card, 1).csv(),
        "pulse.csv",
        {"profile": "google_forms", "date_order": "mdy"},
        has_duration=False,
    ),
    "google forms, german": Tool(
        lambda frame, who, card: surveys.google_forms_responses(frame, who, card, 1, language="de").csv(),
        "pulse.csv",
        {"profile": "google_forms"},
        has_duration=False,
    ),
    "limesurvey": Tool(
        lambda frame, who, card: surveys.limesurvey_responses(frame, who, card, 1).csv(
            delimiter=";", encoding="utf-8-sig", quote_all=True
        ),
        "results-survey123456.csv",
        {"profile": "limesurvey"},
        left_out=("duplicate_form", "unfinished_form"),
    ),
}


def read_responses(tmp_path, tool: Tool, frame: pd.DataFrame) -> RawTables:
    source = {"table": "responses", "instrument": "pulse", "wave": 1} | tool.source
    return read(tmp_path, tool.write(frame, *pulse()), tool.name, **source)


def in_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return text rows with the labels of the pulse as its numbers (which validation does in a study)."""
    numbers = {text: pulse()[1].response.number_of(text) for text in rows["value"].dropna().unique()}
    value = rows["value"].astype("str").map({t: t if n is None else f"{n:g}" for t, n in numbers.items()})
    return rows.assign(value=value)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS.keys())
def test_the_answers_are_read_back_as_they_were(tmp_path, tool):
    frame = answers()
    raw = read_responses(tmp_path, tool, frame)
    rows = found(RawTables({"responses": in_numbers(raw.tables["responses"])}, raw.problems), "responses", [*frame])
    assert_same(rows, frame if tool.has_duration else frame.assign(duration_seconds=float("nan")))
    assert rules(raw) == set(tool.left_out)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS.keys())
def test_answers_without_days_stay_without(tmp_path, tool):
    frame = answers(responded_at=pd.NaT, duration_seconds=float("nan"))
    raw = read_responses(tmp_path, tool, frame)
    rows = found(RawTables({"responses": in_numbers(raw.tables["responses"])}, raw.problems), "responses", [*frame])
    assert_same(rows, frame)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS.keys())
def test_no_name_nor_address_of_a_person_is_read(tmp_path, tool):
    frame, who = answers(), company()[1]
    rows = read_responses(tmp_path, tool, frame).tables["responses"]
    personal = {*who["email"], *who["first_name"], *who["last_name"]}
    assert personal.isdisjoint({text for column in rows for text in rows[column].astype("str")})


def test_the_same_export_is_written_on_every_day():
    frame, (who, card) = answers(), pulse()
    for tool in TOOLS.values():
        assert tool.write(frame, who, card) == tool.write(frame, who, card)


def test_evaluations_of_a_360_project_are_read_back_as_they_were(tmp_path):
    tables, _, cards = company("heronmere")
    ratings = tables.ratings[tables.ratings["wave"] == 1].reset_index(drop=True)
    sheet = qualtrics.qualtrics_ratings(ratings, cards["leadership_multirater"], 1, labels=False)
    source = {"table": "ratings", "instrument": "leadership_multirater", "wave": 1, "profile": "qualtrics"}
    raw = read(tmp_path, sheet.csv(), "360.csv", **source)
    assert_same(found(raw, "ratings", [*ratings]), ratings)
    assert rules(raw) == {"duplicate_form", "unfinished_form"}


def test_nameless_raters_of_one_person_keep_a_form_each(tmp_path):
    tables, _, cards = company("heronmere")
    ratings = tables.ratings[tables.ratings["wave"] == 1].reset_index(drop=True)
    ratings = ratings.assign(rater_id=ratings["rater_id"].mask(ratings["rater_role"] == "peer"))
    sheet = qualtrics.qualtrics_ratings(ratings, cards["leadership_multirater"], 1, labels=False)
    source = {"table": "ratings", "instrument": "leadership_multirater", "wave": 1, "profile": "qualtrics"}
    raw = read(tmp_path, sheet.csv(), "360.csv", **source)
    assert_same(found(raw, "ratings", [*ratings]), ratings)


def test_a_form_that_records_nobody_is_an_unlinked_survey(tmp_path):
    lines = [
        "ID,Start time,Completion time,Email,Name,I look forward to coming to work.",
        "1,3/14/24 9:00:00,3/14/24 9:02:00,anonymous,,Agree",
    ]
    source = {"table": "responses", "instrument": "pulse", "wave": 1, "profile": "ms_forms"}
    raw = read(tmp_path, "\n".join(lines).encode(), "form.csv", **source)
    assert found(raw, "unlinked_responses", ["item"])["item"].tolist() == ["mor1"]


def test_what_a_tool_writes_for_a_question_seen_and_not_answered_is_no_answer(tmp_path):
    lines = [
        "Status,Progress,Finished,ResponseId,ExternalReference,mor1,mor2",
        "a,b,c,d,e,f,g",
        "0,100,1,R_1,0007,-99,4",
    ]
    source = {"table": "responses", "instrument": "pulse", "wave": 1, "profile": "qualtrics"}
    raw = read(tmp_path, "\n".join(lines).encode(), "form.csv", **source)
    assert found(raw, "responses", ["value"])["value"].tolist() == pytest.approx([float("nan"), 4], nan_ok=True)


def test_a_de_identified_extract_keeps_the_department_and_no_person(tmp_path):
    frame = answers()
    departments = pd.Series({**dict.fromkeys(frame["employee_id"], "Sales"), frame["employee_id"][0]: "Legal"})
    sheet = surveys.culture_amp_responses(frame, departments, pulse()[1])
    source = {"table": "unlinked_responses", "instrument": "pulse", "wave": 1, "profile": "culture_amp"}
    raw = read(tmp_path, workbook({"Responses": sheet}), "extract.xlsx", **source)
    wanted = frame.assign(department=frame["employee_id"].map(departments))
    columns = ["department", "wave", "instrument", "item", "value"]
    assert_same(found(raw, "unlinked_responses", columns), wanted[columns])
    assert raw.tables["unlinked_responses"].get("respondent_id", pd.Series()).isna().all()


def test_qualtrics_writes_three_header_lines_and_of_old_two():
    frame, (who, card) = answers(), pulse()
    names, wording, ids, *_ = qualtrics.qualtrics_responses(frame, who, card, 1, timezone=ZONE).cells
    assert names[:3] == ["StartDate", "EndDate", "Status"]
    assert ids[0] == '{"ImportId":"startDate","timeZone":"America/Denver"}'
    assert wording[names.index("Q1_1")].endswith(" - I look forward to coming to work.")
    old_names, old_wording, *_ = qualtrics.qualtrics_responses(frame, who, card, 1, legacy=True).cells
    assert (old_names[:2], old_wording[:2]) == (["V1", "V2"], ["ResponseID", "ResponseSet"])
    assert old_names[-1] == old_wording[-1] == ""


def test_items_whose_wording_is_not_ours_are_found_by_their_code(tmp_path):
    who, card = company()[1], company()[2]["who5"]
    codes = dict(zip(["mor1", "mor2", "mor3", "mor4", "mor5"], card.items, strict=True))
    frame = answers(instrument="who5")
    frame = frame.assign(item=frame["item"].map(codes)).dropna(subset="item").reset_index(drop=True)
    for name in ("qualtrics", "surveymonkey", "microsoft forms, csv", "google forms", "limesurvey"):
        tool, source = TOOLS[name], {"table": "responses", "instrument": "who5", "wave": 1}
        raw = read(tmp_path / name, tool.write(frame, who, card), tool.name, **source, **tool.source)
        assert raw.tables["responses"]["item"].astype("str").tolist() == frame["item"].tolist()
