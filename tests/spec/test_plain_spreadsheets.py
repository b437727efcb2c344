"""A plain spreadsheet with the contract's columns may name people by e-mail address or by name."""

import pandas as pd
import pytest

from analysis.ingest.sources import RawTables, read_exports
from analysis.plan.study import Study

EMPLOYEES = """\
employee_id,first_name,last_name,work_email,hire_date
007,Ada,Testperson,ada@plain.example,2019-05-01
008,Ben,Testperson,ben@plain.example,2020-03-01
009,Ada,Zweitname,ada.z@plain.example,2020-03-01
"""
PROGRAM = {
    "id": "exchange",
    "name": "Exchange",
    "direction": "reverse",
    "format": "pair",
    "assignment": "self_selected",
}


def read(folder, **files: str) -> RawTables:
    """Return what is read of a study in canonical files, one a table."""
    for table, text in ({"employees": EMPLOYEES} | files).items():
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")
    sources = [{"table": t, "path": f"{t}.csv", "profile": "canonical"} for t in ("employees", *files)]
    study = Study(
        schema_version=1,
        study="plain",
        title="Plain",
        study_start="2021-01-01",
        as_of="2024-12-31",
        programs=[PROGRAM],
        sources=sources,
    )
    return read_exports(study.model_copy(update={"folder": folder}))


def texts(frame: pd.DataFrame, column: str) -> list[str | None]:
    cells = frame[column].astype(object)
    return cells.where(cells.notna(), None).tolist()


@pytest.mark.parametrize(
    "people",
    [
        "email,{}\nADA@plain.example,{}\nben@plain.example,{}\n",
        'full_name,{}\nAda Testperson,{}\n"Testperson, Ben",{}\n',
        "first_name,last_name,{}\nAda,Testperson,{}\nBen,Testperson,{}\n",
    ],
    ids=["by e-mail", "by name", "by first and last name"],
)
def test_enrolments_may_name_people_as_the_organiser_does(people, tmp_path):
    columns, row = "program_id,intake_date,role", "exchange,2022-03-01,mentor"
    found = read(tmp_path, enrolments=people.format(columns, row, row)).tables["enrolments"]
    assert texts(found, "employee_id") == ["007", "008"]
    assert set(found) == {"employee_id", *columns.split(","), "_source", "_line"}


def test_an_id_counts_before_an_address_and_the_address_before_a_name(tmp_path):
    enrolments = (
        "employee_id,email,name,program_id,intake_date,role\n"
        "009,ada@plain.example,Ben Testperson,exchange,2022-03-01,mentor\n"
        ",ada@plain.example,Ben Testperson,exchange,2022-03-01,mentee\n"
        ",,Ben Testperson,exchange,2022-03-01,mentee\n"
    )
    assert texts(read(tmp_path, enrolments=enrolments).tables["enrolments"], "employee_id") == ["009", "007", "008"]


def test_a_manager_may_be_a_name(tmp_path):
    jobs = "employee_id,effective_date,job_level,manager\n008,2021-01-01,2,Ada Testperson\n007,2021-01-01,5,\n"
    assert texts(read(tmp_path, jobs=jobs).tables["jobs"], "manager_id") == ["007", None]


def test_ratings_may_name_both_people_by_their_addresses(tmp_path):
    ratings = (
        "ratee_email,rater_email,rater_role,wave,instrument,item,value\n"
        "ada@plain.example,ben@plain.example,peer,1,leadership_multirater,lmr1,4\n"
    )
    found = read(tmp_path, ratings=ratings).tables["ratings"]
    assert (texts(found, "ratee_id"), texts(found, "rater_id")) == (["007"], ["008"])


def test_a_first_name_alone_is_nobody(tmp_path):
    enrolments = (
        "name,program_id,intake_date,role\nAda,exchange,2022-03-01,mentor\nBen Testperson,exchange,2022-03-01,mentee\n"
    )
    raw = read(tmp_path, enrolments=enrolments)
    assert texts(raw.tables["enrolments"], "employee_id") == ["008"]
    (unmatched,) = [p for p in raw.problems if p.rule == "unmatched_person"]
    assert unmatched.example_rows == (2,) and "Ada" not in str(unmatched)


def test_names_and_addresses_are_not_in_the_tables(tmp_path):
    found = read(tmp_path).tables["employees"]
    assert set(found) == {"employee_id", "hire_date", "_source", "_line"}
