"""Faults that a review of the reading found, each shown by the input that told it."""

import pytest
from exports import study_in
from test_init import init, write

from analysis.ingest.sources import read_exports
from analysis.plan.study import Source, Study

PULSE = """\
instrument: pulse
title: Pulse
response: {min: 1, max: 5}
scales:
  morale:
    construct: morale
    source: invented
    licence: CC0-1.0
    items:
      q1: {text: I look forward to work.}
      q2: {text: I am glad to be here.}
"""


def read(folder, files, **keys):
    """Return what is read from files (path → text) as study.yaml says in `keys`, and rule → lines of its ledger."""
    for path, text in files.items():
        write(folder / path, text)
    given = study_in(folder).model_dump() | keys
    raw = read_exports(Study.model_validate(given).model_copy(update={"folder": folder}))
    return raw, {p.rule: list(p.lines) for p in raw.problems if p.lines is not None}


def program():
    return {"id": "genius", "name": "Genius", "direction": "reverse", "format": "pair", "assignment": "self_selected"}


def test_no_row_goes_unsaid_where_an_address_is_none_and_there_are_no_employees(tmp_path):
    pairs = "Mentor Email,Mentee Email,Start Date\na@x.com,b@x.com,2023-01-02\nnobody,nobody else,2023-01-02\n"
    source = Source(table="enrolments", path="pairs.csv", profile="pairs")
    raw, told = read(tmp_path, {"pairs.csv": pairs}, sources=[source.model_dump()], programs=[program()])
    assert set(raw.tables["enrolments"]["_line"]) == {2}
    assert told["unmatched_person"] == [3]


def test_a_day_in_two_waves_is_in_none(tmp_path):
    forms = "Timestamp,Email Address,q1,q2\n2023-01-31,a@x.com,1,2\n2023-02-01,b@x.com,3,4\n"
    waves = [
        {"wave": 1, "instrument": "pulse", "opens": "2023-01-01", "closes": "2023-01-31"},
        {"wave": 2, "instrument": "pulse", "opens": "2023-01-31", "closes": "2023-02-28"},
    ]
    source = Source(table="responses", path="forms.csv", profile="google_forms", instrument="pulse")
    files = {"forms.csv": forms, "instruments/pulse.yaml": PULSE}
    raw, told = read(tmp_path, files, sources=[source.model_dump()], waves=waves)
    assert list(raw.tables["responses"]["wave"].astype(str).unique()) == ["2"]
    assert told["outside_waves"] == [2]


@pytest.mark.parametrize(
    "twice",
    [
        {"query": "SELECT 1 AS employee_id", "url_env": "DATABASE", "profile": "canonical", "table": "employees"},
        {"path": "raw/meetings.csv", "profile": "canonical", "table": "sessions"},
    ],
)
def test_a_table_is_not_read_twice_from_one_place(tmp_path, twice):
    other = twice | ({"path": "./raw/meetings.csv"} if "path" in twice else {"query": "SELECT 2 AS employee_id"})
    with pytest.raises(ValueError, match="two sources read the table"):
        read(tmp_path, {}, sources=[twice, other])


def test_one_form_may_hold_the_items_of_two_instruments():
    source = {"table": "responses", "path": "raw/form.csv", "profile": "qualtrics"}
    both = [source | {"instrument": "pulse"}, source | {"instrument": "climate"}]
    study = Study(study="s", title="S", schema_version=1, study_start="2022-01-01", as_of="2025-01-01", sources=both)
    assert [source.instrument for source in study.sources] == ["pulse", "climate"]


def test_names_and_ids_of_others_stay_at_the_door(tmp_path):
    rows = [f"E{n:02},2020-01-{n:02},Ada {n % 3},Bo {n % 2},u{n}x,{70000 + n},{n % 4},{n}.5" for n in range(1, 15)]
    head = "employee_id,hire_date,Manager,HRBP,Account,Clock No,Site,Commute"
    source = Source(table="employees", path="e.csv", profile="canonical")
    raw, _ = read(tmp_path, {"e.csv": "\n".join([head, *rows])}, sources=[source.model_dump()])
    kept = set(raw.tables["employees"]) - {"_line", "_source"}
    assert kept == {"employee_id", "hire_date", "Site", "Commute"}


def test_the_first_line_of_a_file_without_a_header_is_shown_nowhere(tmp_path):
    file = write(tmp_path / "e.csv", "E01,Ada Secret,ada@x.com,2020-01-02", "E02,Bo Hidden,bo@x.com,2020-01-03")
    run = init(tmp_path, "--employees", file)
    drafted = (tmp_path / "data/acme/study.yaml").read_text(encoding="utf-8")
    for text in ("Secret", "ada@x.com", "E01"):
        assert text not in drafted
        assert text not in run.stdout + run.stderr
    assert "looks like data" in drafted


@pytest.mark.parametrize("vendor", ["bamboohr", "oracle", "successfactors", "ukg", "workday"])
def test_deaths_and_retirements_filed_as_voluntary_are_none(tmp_path, vendor):
    texts = ["Voluntary - Death", "VOLUNTARY_DEATH", "Voluntary - Retirement", "Voluntary - End of contract"]
    rows = [f"E{n},2020-01-01,2023-05-05,{text}" for n, text in enumerate(texts)]
    file = "\n".join(["employee_id,hire_date,exit_date,exit_type", *rows])
    source = Source(table="employees", path="e.csv", profile=vendor)
    raw, _ = read(tmp_path, {"e.csv": file}, sources=[source.model_dump()])
    assert list(raw.tables["employees"]["exit_type"]) == ["death", "death", "retirement", "end_of_contract"]


def test_a_pattern_of_the_study_does_not_make_the_involuntary_voluntary(tmp_path):
    rows = "Employee_ID,Hire_Date,Termination_Date,Primary_Termination_Category\n"
    rows += "E1,2020-01-01,2023-05-05,Involuntary - Performance\nE2,2020-01-01,2023-05-05,Own wish (voluntary)\n"
    source = Source(table="employees", path="e.csv", profile="workday")
    values = {"employees": {"exit_type": {"voluntary": ["*voluntary*"]}}}
    raw, told = read(tmp_path, {"e.csv": rows}, sources=[source.model_dump()], values=values)
    assert told["contested_exit_type"] == [2]
    values = {"employees": {"exit_type": {"voluntary": ["own wish*"]}}}
    raw, told = read(tmp_path, {"e.csv": rows}, sources=[source.model_dump()], values=values)
    assert list(raw.tables["employees"]["exit_type"]) == ["involuntary", "voluntary"]
    assert "contested_exit_type" not in told
