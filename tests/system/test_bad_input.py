"""Files as they should not be: what `mentoring check` says of each names the file, the lines and the remedy."""

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest
import yaml
from studies import TINY_COMPANY, as_csv, write_study
from test_cli import mentoring

from analysis.ingest.readers import spreadsheet

# Whoever these are, no message repeats them.
PEOPLE = ("Testperson", "E1", "E2", "E3", "E4", "Vienna", "moved away", "acme.example")


def employees(*more: str) -> str:
    """Return the tiny company's employees with further lines below."""
    return "\n".join([as_csv(TINY_COMPANY["employees"]).rstrip(), *more, ""])


def with_change(table: str, old: str, new: str) -> dict[str, str]:
    """Return a table of the tiny company with a text replaced by another."""
    text = as_csv(TINY_COMPANY[table])
    assert text.count(old) >= 1
    return {table: text.replace(old, new, 1)}


def sheet(*lines: tuple) -> bytes:
    """Return a spreadsheet of these lines."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    for line in lines:
        book.active.append(line)
    book.save(content)
    return content.getvalue()


def archive(**members: bytes) -> bytes:
    """Return a zip of these members; of their names __ is a slash."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, member in members.items():
            bundle.writestr(name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"), member)
    return content.getvalue()


HEADER = ("employee_id", "hire_date", "exit_date")


@dataclass(frozen=True)
class Case:
    """One bad file of an otherwise good study, and what must be said of it.

    Attributes
    ----------
    files
        What replaces the file of a table: text or bytes.
    entry
        What study.yaml says of that file besides.
    where, told, remedy
        The file with its lines as the message names them, what is wrong, and what to do.
    rule
        The rule in the ledger.
    stops
        It is an error: exit code 2.
    """

    rule: str
    where: str
    told: str
    remedy: str
    files: dict[str, str | bytes]
    entry: dict = field(default_factory=dict)
    name: str = ""
    stops: bool = True


CASES = {
    "empty file": Case("empty_file", "raw/employees.csv:", "is empty", "export it again", {"employees": ""}),
    "header only": Case(
        "empty_file",
        "raw/employees.csv:",
        "a header but no rows",
        "export it again",
        {"employees": "employee_id,hire_date\n"},
    ),
    "wrong delimiter in study.yaml": Case(
        "delimiter",
        "raw/employees.csv, line 1:",
        "delimiter",
        "delimiter:",
        {"employees": employees()},
        {"delimiter": ";"},
    ),
    "mixed encodings": Case(
        "mixed_encodings",
        "raw/employees.csv, line 4:",
        "these lines are Windows-1252",
        "export each by itself",
        {
            "employees": "employee_id,hire_date,location\nE1,2019-03-01,Köln\nE2,2020-06-15,Zürich\n".encode()
            + "E3,2021-01-01,Köln\n".encode("cp1252")
            + "E4,2018-02-01,Wörgl\n".encode()
        },
    ),
    "duplicated headers": Case(
        "duplicate_column",
        "raw/employees.csv, line 1:",
        "stand more than once in the header",
        "keep one of each",
        {"employees": "employee_id,hire_date,hire_date\nE1,2019-03-01,2019-03-01\n"},
    ),
    "ragged rows": Case(
        "ragged_row",
        "raw/employees.csv, line 7:",
        "too many fields",
        "quotation marks",
        {"employees": employees("E7,2019-03-01,a,b")},
    ),
    "a 31st of February": Case(
        "not_a_date",
        "raw/employees.csv, line 3:",
        "hire_date is not a date of the calendar",
        "yyyy-mm-dd",
        with_change("employees", "2020-06-15", "31.02.2020"),
        {"date_order": "dmy"},
    ),
    "a word for still employed in the contract's own form": Case(
        "not_a_date",
        "raw/employees.csv, line 2:",
        "exit_date is not a date",
        "leave the cell empty",
        with_change("employees", "E1,2019-03-01,,", "E1,2019-03-01,N/A-StillEmployed,"),
    ),
    "days and months in two orders": Case(
        "mixed_date_order",
        "raw/employees.csv, line 3:",
        "column Hire Date",
        "yyyy-mm-dd",
        {"employees": "Employee ID,Hire Date\nE1,25/03/2019\nE2,06/25/2020\nE3,26/03/2021\nE4,27/03/2021\n"},
        {"profile": "workday"},
    ),
    "days and months that cannot be told apart": Case(
        "ambiguous_date",
        "raw/employees.csv, lines 2, 3:",
        "day and month cannot be told apart",
        "date_order: dmy",
        {"employees": "Employee ID,Hire Date\nE1,03/04/2019\nE2,05/06/2020\n"},
        {"profile": "workday"},
    ),
    "error cells of a spreadsheet": Case(
        "excel_error",
        "raw/employees.xlsx, line 3:",
        "#N/A",
        "correct them",
        {"employees": sheet(HEADER, ("E1", "2019-03-01", None), ("E2", "#N/A", None))},
        name="raw/employees.xlsx",
    ),
    "formulas that were never computed": Case(
        "formula_without_value",
        "raw/employees.xlsx, line 3:",
        "never calculated",
        "save it",
        {"employees": sheet(HEADER, ("E1", "2019-03-01", None), ("E2", "=TODAY()", None))},
        name="raw/employees.xlsx",
    ),
    "ids read as numbers": Case(
        "id_as_number",
        "raw/sessions.csv, lines 2, 3:",
        "was read as a number",
        "export the column as text",
        {"sessions": "match_id,session_date\n17.0,2022-06-20\n17.0,2022-07-20\n"},
        stops=False,
    ),
    "an exit before the hire": Case(
        "exit_before_hire",
        "raw/employees.csv, line 3:",
        "exit_date",
        "correct",
        with_change("employees", "2023-09-30", "2019-09-30"),
    ),
    "a cycle in the manager tree": Case(
        "manager_in_cycle",
        "raw/jobs.csv, line 2:",
        "manager_id leads back to the employee",
        "correct who reports to whom",
        with_change("jobs", "E1,2019-03-01,5,,1", "E1,2021-03-01,5,E3,1"),
        stops=False,
    ),
    "a survey answered before the hire": Case(
        "answered_outside_employment",
        "raw/responses.csv, lines 4, 5:",
        "before the person was hired",
        "check the key of the form",
        {
            **with_change("employees", "E3,2021-01-01", "E3,2022-06-01"),
            **with_change("jobs", "E3,2021-01-01", "E3,2022-06-01"),
        },
        stops=False,
    ),
    "a mentor who is his own mentee": Case(
        "mentor_is_mentee",
        "raw/enrolments.csv, lines 2, 3:",
        "nobody mentors oneself",
        "correct one of the two",
        with_change("enrolments", "2022-06-01,E1,mentee", "2022-06-01,E2,mentee"),
    ),
    "an enrolment after the exit": Case(
        "start_outside_employment",
        "raw/enrolments.csv, line 2:",
        "is not employed on start_date",
        "check it against hire_date and exit_date",
        with_change("employees", "2023-09-30,voluntary,moved away,2023-08-31", "2022-06-05,voluntary,moved away,"),
        stops=False,
    ),
    "a macro file instead of a spreadsheet": Case(
        "macro_file",
        "raw/employees.xlsx:",
        "holds macros and was not opened",
        "save it without",
        {"employees": archive(xl__workbook_xml=b"<workbook/>", xl__vbaProject_bin=b"x")},
        name="raw/employees.xlsx",
    ),
    "an archive instead of a spreadsheet": Case(
        "not_a_table",
        "raw/employees.xlsx:",
        "is an archive and no spreadsheet",
        "unpack",
        {"employees": archive(readme=b"hello")},
        name="raw/employees.xlsx",
    ),
    "an e-mail address that is nobody's": Case(
        "unmatched_person",
        "raw/enrolments.csv, line 3:",
        "matches no employee in the employees' exports",
        "give the employee's id",
        {
            "employees": "employee_id,hire_date,email\nE1,2019-03-01,e1@acme.example\nE2,2020-06-15,e2@acme.example\n",
            "enrolments": "email,program_id,intake_date,role,start_date\n"
            "e1@acme.example,genius,2022-06-01,mentee,2022-06-08\n"
            "e9@acme.example,genius,2022-06-01,mentor,2022-06-08\n",
            "jobs": "",
            "responses": "",
            "ratings": "",
        },
        stops=False,
    ),
}


def study_with(folder: Path, case: Case) -> None:
    """Write the tiny company with the files of a case in the place of its own; an empty one is left out."""
    tables = {t: text for t, text in TINY_COMPANY.items() if t != "unlinked_responses"}
    write_study(folder, tables)
    study = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    bad = next(iter(case.files))
    for table, content in case.files.items():
        path = case.name if case.name and table == bad else f"raw/{table}.csv"
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        [entry] = [entry for entry in study["sources"] if entry["table"] == table]
        entry |= {"path": path} | (case.entry if table == bad else {})
    if len(case.files) > 3:
        gone = [table for table, content in case.files.items() if not content]
        study["sources"] = [entry for entry in study["sources"] if entry["table"] not in gone]
    (folder / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")


def check(data: Path):
    return mentoring("check", "acme", "--data", data, "--reports", data / "reports")


def ledger(data: Path) -> list[dict]:
    with (data / "reports" / "acme" / "data_quality.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def assert_no_person(said: str) -> None:
    assert not any(word in said for word in PEOPLE), said


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_of_a_bad_file_is_enough_to_mend_it(tmp_path, name):
    case = CASES[name]
    study_with(tmp_path / "acme", case)
    run = check(tmp_path)
    said = run.stdout + run.stderr
    assert "Traceback" not in said
    assert run.returncode == (2 if case.stops else 0), said
    rows = [row for row in ledger(tmp_path) if row["rule"] == case.rule]
    assert rows and all((row["severity"] == "error") == case.stops for row in rows), said
    told = [row for row in rows if case.told in row["message"] and case.remedy in row["message"]]
    assert told, [row["message"] for row in rows]
    assert case.where in said, said
    assert_no_person(said)
    assert_no_person((tmp_path / "reports" / "acme" / "data_quality.csv").read_text(encoding="utf-8"))


def test_a_cell_over_several_lines_leaves_the_lines_below_true(tmp_path):
    text = employees().replace("moved away", '"moved\naway"').replace("E4,2023-02-01", "E4,2023-02-31")
    study_with(tmp_path / "acme", Case("", "", "", "", {"employees": text}))
    run = check(tmp_path)
    assert run.returncode == 2 and "raw/employees.csv, line 7:" in run.stderr


def test_workdays_word_for_still_employed_is_no_exit(tmp_path):
    text = "Employee ID,Hire Date,Termination Date\nE1,2019-03-01,N/A-StillEmployed\nE2,2019-03-01,2023-09-30\n"
    files = {"employees": text, "jobs": "", "responses": "", "ratings": "", "enrolments": "", "sessions": ""}
    study_with(tmp_path / "acme", Case("", "", "", "", files, {"profile": "workday"}))
    run = check(tmp_path)
    assert run.returncode == 0, run.stderr


def test_a_file_of_two_gigabytes_without_a_line_end_is_refused_at_once(tmp_path):
    study_with(tmp_path / "acme", Case("", "", "", "", {"employees": employees()}))
    with (tmp_path / "acme" / "raw" / "employees.csv").open("r+b") as file:
        file.truncate(2 << 30)
    run = check(tmp_path)
    assert run.returncode == 2 and "raw/employees.csv, line" in run.stderr and "NUL bytes" in run.stderr


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(spreadsheet, "BOMB_BYTES", 1 << 20)
    bomb = archive(xl__workbook_xml=b"<workbook/>", xl__worksheets__sheet1_xml=b"0" * (8 << 20))
    study_with(tmp_path / "acme", Case("", "", "", "", {"employees": bomb}, name="raw/employees.xlsx"))
    run = check(tmp_path)
    assert run.returncode == 2 and "raw/employees.xlsx: would unpack to many times its size" in run.stderr


def append(line: str) -> Callable[[str], str]:
    return lambda text: text + line


YAML = {
    "a key given twice": (append("title: Another\n"), "title", "twice"),
    "a tag": (lambda text: text.replace("title: A tiny company", "title: !!python/name:os.system"), "tag", ""),
    "a bomb of anchors": (append("events: &a [*a, *a]\n"), "anchor", ""),
    "a path out of the study": (lambda text: text.replace("raw/jobs.csv", "../../etc/passwd"), "inside the study", ""),
    "an absolute path": (lambda text: text.replace("raw/jobs.csv", "/etc/passwd"), "inside the study", ""),
}


@pytest.mark.parametrize("mistake", YAML)
def test_a_study_file_that_may_not_be_is_told_with_its_line(tmp_path, mistake):
    change, told, more = YAML[mistake]
    write_study(tmp_path / "acme", TINY_COMPANY)
    path = tmp_path / "acme" / "study.yaml"
    text = path.read_text(encoding="utf-8")
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")
    run = check(tmp_path)
    assert run.returncode == 2 and "Traceback" not in run.stderr
    assert "study.yaml, line" in run.stderr and told in run.stderr and more in run.stderr, run.stderr


def test_a_link_out_of_the_study_is_not_followed(tmp_path):
    write_study(tmp_path / "acme", TINY_COMPANY)
    outside = tmp_path / "outside.csv"
    outside.write_text("employee_id,hire_date\nE1,2019-03-01\n", encoding="utf-8")
    path = tmp_path / "acme" / "raw" / "employees.csv"
    path.unlink()
    path.symlink_to(outside)
    run = check(tmp_path)
    assert run.returncode == 2 and "raw/employees.csv: is a link that leads out of the study's folder" in run.stderr


@pytest.mark.parametrize("name", ["study.yaml", "instruments/mini.yaml", "profiles/own.yaml", "SHA256SUMS"])
def test_none_of_a_studys_own_files_may_be_a_link_out_of_it(tmp_path, name):
    write_study(tmp_path / "acme", TINY_COMPANY)
    path, outside = tmp_path / "acme" / name, tmp_path / "elsewhere"
    outside.write_bytes(path.read_bytes() if path.is_file() else b"")
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(outside)
    run = check(tmp_path)
    assert run.returncode == 2 and "Traceback" not in run.stderr
    assert f"{name}: is a link that leads out of the study's folder" in run.stderr


def test_a_text_that_begins_like_a_formula_is_none_in_the_ledger(tmp_path):
    write_study(tmp_path / "acme", TINY_COMPANY)
    study = yaml.safe_load((tmp_path / "acme" / "study.yaml").read_text(encoding="utf-8"))
    study["sources"][0]["path"] = "=cmd.csv"
    (tmp_path / "acme" / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    (tmp_path / "acme" / "=cmd.csv").write_text("employee_id,hire_date\n", encoding="utf-8")
    assert check(tmp_path).returncode == 2
    assert [row["source"] for row in ledger(tmp_path) if row["table"] == "employees"] == ["'=cmd.csv"]
