"""`mentoring init`: from three files to a report; what is guessed is told, and nobody is named."""

import csv
import datetime as dt
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from first_hour import CARD_ITEMS, FIRST, LAST, N_PEOPLE, person, qualtrics, write_files
from in_process import shelve
from openpyxl import Workbook
from rich.console import Console
from studies import INSTRUMENT
from test_cli import Run, mentoring, snapshot

from analysis.cli import terminal
from analysis.ingest import guess, readers
from analysis.ingest.export import Export
from analysis.ingest.look import levels_of
from analysis.ingest.profile import load_profiles
from analysis.ingest.recognise import recognise
from analysis.ingest.sources import read_exports
from analysis.plan.instruments import load_instruments
from analysis.plan.read_study import load_study
from analysis.plan.study import Study

FIXTURES = Path(__file__).parents[1] / "fixtures" / "exports"


def init(folder: Path, *words: object) -> Run:
    return mentoring("init", "acme", *words, "--data", folder / "data")


def begun(folder: Path, *words: object) -> tuple[Study, str, str]:
    """Start a study; return it, the text of its study.yaml and what was printed."""
    run = init(folder, *words)
    assert run.returncode == 0, run.stderr
    text = (folder / "data" / "acme" / "study.yaml").read_text(encoding="utf-8")
    return load_study("acme", folder / "data"), text, run.stdout


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def three_files(tmp_path):
    return write_files(tmp_path / "files")


def options(files: dict[str, Path]) -> list[object]:
    return [word for pair in files.items() for word in pair]


# From three files to a report


def test_three_files_become_a_study_whose_report_can_be_made(tmp_path, three_files, monkeypatch):
    monkeypatch.setenv("MENTORING_KEY", str(tmp_path / "key"))
    shelve(monkeypatch, tmp_path / "no-notebooks")
    assert init(tmp_path, *options(three_files)).returncode == 0
    places = ("--data", tmp_path / "data", "--reports", tmp_path / "reports")
    checked = mentoring("check", "acme", *places)
    assert checked.returncode == 0, checked.stderr
    assert f"Next: mentoring report acme --data {tmp_path / 'data'}" in checked.stdout
    reported = mentoring("report", "acme", *places)
    assert reported.returncode == 0, reported.stderr
    assert (tmp_path / "reports" / "acme" / "index.html").is_file()


def test_the_study_says_what_the_three_files_say(tmp_path, three_files):
    study, _, printed = begun(tmp_path, *options(three_files))
    assert [(s.table, s.path, s.profile) for s in study.sources] == [
        ("employees", "raw/workers.csv", "workday"),
        ("responses", "raw/pulse.csv", "qualtrics"),
        ("enrolments", "raw/connections.xlsx", "chronus"),
    ]
    assert [(w.wave, w.instrument, str(w.opens), str(w.closes)) for w in study.waves] == [
        (1, "pulse", "2023-03-06", "2023-03-14"),
        (2, "pulse", "2024-03-04", "2024-03-12"),
    ]
    assert str(study.study_start) == "2022-06-01" and str(study.as_of) == "2024-11-14"
    program = study.programs[0]
    assert (program.direction, program.format, program.assignment) == ("reverse", "pair", "self_selected")
    assert [str(day) for day in program.intakes] == ["2023-05-02", "2023-10-03"]
    assert printed.rstrip().endswith(f"mentoring check acme --data {tmp_path / 'data'}")


def test_the_files_are_copied_as_they_are_and_their_checksums_written(tmp_path, three_files):
    before = {path: path.read_bytes() for path in three_files.values()}
    begun(tmp_path, *options(three_files))
    folder = tmp_path / "data" / "acme"
    assert {path: path.read_bytes() for path in three_files.values()} == before
    sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert sums == {f"raw/{path.name}": hashlib.sha256(content).hexdigest() for path, content in before.items()}
    assert {p.name for p in folder.iterdir()} == {"raw", "SHA256SUMS", "study.yaml"}


def test_nobody_is_named_on_the_screen_or_in_the_study_file(tmp_path, three_files):
    _, text, printed = begun(tmp_path, *options(three_files))
    said = (text + printed).casefold()
    for n in range(N_PEOPLE):
        assert person(n)["email"] not in said and person(n)["id"] not in said
    assert not [name for name in (*FIRST, *LAST) if name.casefold() in said.split()]
    assert "192.0.2.7" not in said


def test_rules_that_the_files_do_not_touch_are_not_said(tmp_path, three_files):
    _, text, _ = begun(tmp_path, *options(three_files))
    assert "staff:" not in text and "# rule:" not in text


def test_every_guess_stands_in_the_study_file_with_its_reason(tmp_path, three_files):
    _, text, printed = begun(tmp_path, *options(three_files))
    for reason in ("the month of the first exit", "the latest day in the exports", "the mentors are mostly junior to"):
        assert f"# guess: {reason}" in text or f"guess: by year of birth {reason}" in text
        assert reason in printed
    assert "2 of the 17 items of pulse" in text and "America/Denver" in text


def test_values_that_nobody_knows_are_listed_with_their_rows(tmp_path, three_files):
    _, text, printed = begun(tmp_path, *options(three_files))
    assert "Cost Code" in printed and "IPAddress" in printed
    for column, told in (("exit_type", "1 value in fewer than 10 rows"), ("status", "1 value in fewer than 10 rows")):
        assert f"! of {column} unknown: {told}" in printed and f"#     {column}: {{CHOOSE: []}}" in text
    assert "Special Release" not in text + printed and "On Hold" not in text + printed


def test_values_that_many_rows_have_are_named(tmp_path):
    """Ten leavers of one kind, nine of another, and one with a name in the cell."""
    kinds = ["Special Release"] * 10 + ["Sabbatical Leave"] * 9 + ["Zelda Quux"]
    rows = [f"E{n},2020-01-01,2023-01-01,{kind}" for n, kind in enumerate(kinds)]
    path = write(tmp_path / "staff.csv", "employee_id,hire_date,exit_date,exit_type", *rows)
    _, text, printed = begun(tmp_path, "--employees", path)
    assert "exit_type: {CHOOSE: [Special Release]}" in text and "# rows: Special Release 10" in text
    assert "Special Release" in printed and "2 values in fewer than 10 rows" in printed
    assert not [word for word in ("Zelda", "Sabbatical") if word in text + printed]


def test_headings_that_may_hold_data_are_named_on_request_alone(tmp_path):
    head_ = "employee_id,hire_date,Shoe of Zelda Quux,Zelda,Cost code"
    path = write(tmp_path / "staff.csv", head_, "E1,2020-01-01,flu,x,12")
    _, text, printed = begun(tmp_path, "--employees", path)
    assert "Not used: column 3, column 4, Cost code (--show-headings shows all names)" in printed
    assert "Zelda" not in text + printed
    asked = mentoring("init", "other", "--employees", path, "--show-headings", "--data", tmp_path / "data")
    assert "Shoe of Zelda Quux, Zelda, Cost code" in asked.stdout
    assert "Zelda" not in (tmp_path / "data" / "other" / "study.yaml").read_text(encoding="utf-8")


def test_values_that_look_like_people_are_not_listed(tmp_path):
    rows = [f"E{n},2020-01-01,2023-01-{n:02},{person(n)['email']}" for n in range(1, 9)]
    path = write(tmp_path / "staff.csv", "employee_id,hire_date,exit_date,exit_type", *rows)
    _, text, printed = begun(tmp_path, "--employees", path)
    assert "firm.example" not in text + printed
    assert "or like names or ids" in printed and "exit_type: {CHOOSE: []}" in text


# What is refused


def test_a_second_init_is_refused_and_changes_nothing(tmp_path, three_files):
    begun(tmp_path, *options(three_files))
    before = snapshot(tmp_path / "data")
    again = init(tmp_path, *options(three_files))
    assert again.returncode == 2 and "is there already" in again.stderr
    assert snapshot(tmp_path / "data") == before


REFUSED = {
    "no file at all": ([], "no file was given"),
    "a file that is not there": (["--survey", "nowhere.csv"], "nowhere.csv: is not there"),
    "a folder": (["--survey", "."], "is a folder"),
    "an unknown profile": (
        ["--employees", "GOOD", "--profile", "peoplesoft"],
        "'peoplesoft' is none; the profiles are",
    ),
    "a day that is none": (["--employees", "GOOD", "--as-of", "2025-02-30"], "--as-of: is no day"),
    "a direction that is none": (["--employees", "GOOD", "--direction", "upwards"], "--direction: is none of"),
    "an empty file": (["--employees", "EMPTY"], "empty.csv: is empty"),
    "a header alone": (["--employees", "HEADER"], "header.csv"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_begun_is_refused_and_leaves_nothing_behind(tmp_path, case):
    words, told = REFUSED[case]
    files = {
        "GOOD": write(tmp_path / "good.csv", "employee_id,hire_date", "E1,2020-01-01"),
        "EMPTY": tmp_path / "empty.csv",
        "HEADER": write(tmp_path / "header.csv", "employee_id,hire_date"),
    }
    files["EMPTY"].write_bytes(b"")
    run = init(tmp_path, *[files.get(word, word) for word in words])
    assert run.returncode == 2 and told in run.stderr and "Traceback" not in run.stderr
    assert not list((tmp_path / "data").glob("*")) if (tmp_path / "data").exists() else True


@pytest.mark.parametrize("name", ["../acme", "ACME", "a/b", ""])
def test_a_name_that_is_none_is_refused(tmp_path, three_files, name):
    run = mentoring("init", name, *options(three_files), "--data", tmp_path / "data")
    assert run.returncode == 2 and "is not a valid study name" in run.stderr
    assert not (tmp_path / "data").exists()


def test_every_refusal_comes_at_once(tmp_path):
    run = mentoring("init", "ACME", "--survey", "nowhere.csv", "--as-of", "soon", "--data", tmp_path)
    for told in ("is not a valid study name", "nowhere.csv", "--as-of"):
        assert told in run.stderr


def test_rows_that_cannot_be_read_are_told_with_their_lines(tmp_path):
    path = write(tmp_path / "ragged.csv", "employee_id,hire_date", "E1,2020-01-01", "E2")
    _, text, printed = begun(tmp_path, "--employees", path)
    assert "has too few or too many fields" in printed and "(line 3)" in printed and "(line 3)" in text


def test_every_file_that_cannot_be_read_is_told_at_once(tmp_path):
    write(tmp_path / "a.csv", "employee_id,hire_date", "E1")
    write(tmp_path / "b.csv", "employee_id,effective_date,job_level", "E1")
    run = init(tmp_path, "--employees", tmp_path / "a.csv", "--jobs", tmp_path / "b.csv")
    assert run.returncode == 2 and "raw/a.csv, line 2" in run.stderr and "raw/b.csv, line 2" in run.stderr


def test_files_that_cannot_be_read_leave_a_draft_of_the_others(tmp_path):
    good = write(tmp_path / "staff.csv", "employee_id,hire_date", "E1,2020-01-01")
    ragged = write(tmp_path / "jobs.csv", "employee_id,effective_date,job_level", "E1")
    empty = write(tmp_path / "met.csv", "employee_id,wave", "E1,{")
    empty.write_bytes(b"")
    words = ["--jobs", ragged, "--employees", good, "--survey", "gone.csv", "--sessions", empty]
    run = init(tmp_path, *words)
    assert run.returncode == 3 and "Traceback" not in run.stderr
    for told in ("gone.csv: is not there", "raw/jobs.csv, line 2: has too few", "raw/met.csv: is empty"):
        assert told in run.stderr
    folder = tmp_path / "data" / "acme"
    assert [s.path for s in load_study("acme", tmp_path / "data").sources] == ["raw/staff.csv"]
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    for entry, why in (
        ("table: jobs, path: raw/jobs.csv", "raw/jobs.csv has too few"),
        ("table: responses, path: raw/gone.csv", "raw/gone.csv is not there"),
        ("table: sessions, path: raw/met.csv", "raw/met.csv is empty"),
    ):
        assert f"  # - {{{entry}}}" in text and f"# unread: {why}" in text
    assert {p.name for p in (folder / "raw").iterdir()} == {"staff.csv", "jobs.csv", "met.csv"}
    assert [line.split()[1] for line in (folder / "SHA256SUMS").read_text().splitlines()] == ["raw/staff.csv"]
    assert "mentoring init acme --update" in run.stdout and "3 when" in mentoring("init", "--help").stdout


# Whose export it is


@pytest.mark.parametrize("vendor", sorted(p.name for p in FIXTURES.iterdir() if (p / "study.yaml").is_file()))
def test_every_vendors_export_is_recognised_without_a_rival(vendor):
    study = load_study(vendor, FIXTURES)
    for source in study.sources:
        if source.profile not in load_profiles():  # the study's own
            continue
        found = recognise(source, load_profiles(), lambda one, header: readers.read_export(one, study, header))
        assert (found.profile.profile, found.rivals) == (source.profile, ()), source.name


def test_a_file_that_nobody_knows_is_told_with_what_is_missing(tmp_path):
    path = write(tmp_path / "list.csv", "Kennung,Beginn am,Sparte", "E1,2020-01-01,Nord")
    _, text, printed = begun(tmp_path, "--employees", path)
    assert "no vendor's export was recognised" in printed and "not found: needed" in printed
    assert "employees: {employee_id: COLUMN, hire_date: COLUMN}" in text and "Kennung, Beginn am, Sparte" in text


def test_an_export_that_fits_two_vendors_is_told(tmp_path):
    path = write(tmp_path / "pairs.csv", "Mentor Email,Mentee Email", "a@firm.example,b@firm.example")
    _, text, printed = begun(tmp_path, "--enrolments", path)
    assert "but it fits as well as" in text and "but it fits as well as" in printed


def test_a_vendor_that_the_user_names_is_taken(tmp_path):
    path = write(tmp_path / "pairs.csv", "Mentor Email,Mentee Email", "a@firm.example,b@firm.example")
    study, text, _ = begun(tmp_path, "--enrolments", path, "--profile", "pushfar")
    assert study.sources[0].profile == "pushfar" and "fits as well" not in text


def test_a_large_file_is_recognised_by_its_head_and_read_whole(tmp_path, three_files, monkeypatch):
    monkeypatch.setattr(readers, "LARGE_BYTES", 1000)
    monkeypatch.setattr(readers, "HEAD_BYTES", 1500)
    study, _, printed = begun(tmp_path, "--employees", three_files["--employees"])
    assert study.sources[0].profile == "workday" and f"employees, {N_PEOPLE} rows" in printed
    assert [p.name for p in (tmp_path / "data" / "acme" / "raw").iterdir()] == ["workers.csv"]


def two_sheets(path: Path) -> Path:
    book = Workbook()
    book.active.title = "Notes"
    book.active.append(["who", "what"])
    book.active.append(["HR", "as of June"])
    people = book.create_sheet("People")
    people.append(["employee_id", "hire_date"])
    people.append(["E1", dt.date(2020, 1, 1)])
    book.save(path)
    return path


def test_of_several_sheets_the_one_that_looks_most_like_the_table_is_read_and_told(tmp_path):
    study, text, _ = begun(tmp_path, "--employees", two_sheets(tmp_path / "hr.xlsx"))
    assert study.sources[0].sheet == "People"
    assert "guess: of its sheets (Notes, People) People is read" in " ".join(text.replace("#", "").split())


def test_a_sheet_that_the_user_names_is_read(tmp_path):
    study, _, printed = begun(tmp_path, "--employees", f"{two_sheets(tmp_path / 'hr.xlsx')}#Notes")
    assert study.sources[0].sheet == "Notes" and "not found: needed" in printed


def test_files_of_one_name_are_both_kept_and_one_file_of_two_tables_is_kept_once(tmp_path):
    both = write(
        tmp_path / "a" / "hr.csv", "employee_id,hire_date,effective_date,job_level", "E1,2020-01-01,2020-01-01,1"
    )
    other = write(tmp_path / "b" / "hr.csv", "employee_id,hire_date", "E2,2020-01-01")
    study, _, _ = begun(tmp_path, "--employees", both, "--jobs", both, "--employees", other)
    assert [(s.table, s.path) for s in study.sources] == [
        ("employees", "raw/hr.csv"),
        ("employees", "raw/hr_2.csv"),
        ("jobs", "raw/hr.csv"),
    ]


# What is guessed

WORKDAY = "Employee_ID,Hire_Date,Termination_Date,Primary_Termination_Category"


def test_days_and_months_are_told_apart_by_another_column_of_the_file(tmp_path):
    path = write(tmp_path / "w.csv", WORKDAY, "00001,25/03/2020,04/05/2023,", "00002,21/02/2021,,")
    study, _, _ = begun(tmp_path, "--employees", path)
    assert study.sources[0].date_order is None
    assert read_exports(study).tables["employees"]["exit_date"].tolist()[0] == "2023-05-04"


def test_days_and_months_that_nothing_tells_apart_are_left_to_the_user(tmp_path):
    path = write(tmp_path / "w.csv", WORKDAY, "00001,04/05/2023,,", "00002,01/02/2021,,")
    study, text, printed = begun(tmp_path, "--employees", path)
    assert study.sources[0].profile == "workday" and study.sources[0].date_order is None
    assert "set date_order: dmy" in " ".join(text.replace("#", "").split()) and "set date_order: dmy" in printed


@pytest.mark.parametrize(("day", "order"), [("25/03/2020", "dmy"), ("03/25/2020", "mdy"), ("03/05/2020", None)])
def test_a_file_of_the_contract_with_days_of_another_form_is_told(tmp_path, day, order):
    path = write(tmp_path / "staff.csv", "employee_id,hire_date", f"E1,{day}", "E2,2021-02-01")
    study, text, _ = begun(tmp_path, "--employees", path)
    assert study.sources[0].date_order == order
    assert ("add date_order: dmy (or mdy) here" in text) == (order is None)


def test_jobs_in_the_employees_own_file_are_taken(tmp_path):
    head_ = f"{WORKDAY},Effective_Date,Management_Level,Department"
    path = write(
        tmp_path / "w.csv", head_, "00001,2020-01-01,,,2020-01-01,2,Sales", "00002,2021-01-01,,,2021-01-01,3,Sales"
    )
    study, _, _ = begun(tmp_path, "--employees", path)
    assert [(s.table, s.path) for s in study.sources] == [("employees", "raw/w.csv"), ("jobs", "raw/w.csv")]


def test_a_snapshot_of_jobs_without_its_day_is_proposed_and_not_taken(tmp_path):
    head_ = f"{WORKDAY},Job_Profile,Management_Level,Department"
    path = write(tmp_path / "w.csv", head_, "00001,2020-01-01,,,Clerk,2,Sales", "00002,2021-01-01,,,Clerk,3,Sales")
    study, text, _ = begun(tmp_path, "--employees", path)
    assert [s.table for s in study.sources] == ["employees"]
    assert "# - {table: jobs, path: raw/w.csv" in text and "but no effective_date" in text


@pytest.mark.parametrize(
    ("texts", "levels"),
    [
        (["L3", "L1", "L2"], {"L1": 1, "L2": 2, "L3": 3}),
        (["Grade 5", "Grade 10"], {"Grade 5": 5, "Grade 10": 10}),
        (["IC3", "M1"], {}),
        (["Junior", "Senior"], {}),
        (["L1", "L01"], {}),
        ([], {}),
    ],
)
def test_levels_are_read_from_one_ladder_only(texts, levels):
    assert levels_of(texts) == levels


def test_levels_in_words_and_numbers_are_proposed_with_a_warning(tmp_path):
    path = write(tmp_path / "j.csv", "employee_id,effective_date,job_level", "E1,2020-01-01,L3", "E2,2020-01-01,L1")
    study, text, _ = begun(tmp_path, "--jobs", path)
    assert study.values == {"jobs": {"job_level": {"1": ["L1"], "3": ["L3"]}}}
    assert "check that 1 is the most junior" in text


def test_levels_in_words_alone_are_left_to_the_user(tmp_path):
    rows = [f"E{n},2020-01-01,{'Junior' if n % 2 else 'Chief'}" for n in range(21)]
    path = write(tmp_path / "j.csv", "employee_id,effective_date,job_level", *rows)
    study, text, _ = begun(tmp_path, "--jobs", path)
    assert study.values == {} and "job_level: {CHOOSE: [Chief, Junior]}" in text


def test_a_file_for_each_wave_gets_its_wave(tmp_path):
    lines = qualtrics().splitlines(keepends=True)
    for wave, year in ((1, "2023"), (2, "2024")):
        rows = [line for line in lines[3:] if line.startswith(year)]
        (tmp_path / f"w{wave}.csv").write_text("".join([*lines[:3], *rows]), encoding="utf-8")
    study, _, _ = begun(tmp_path, "--survey", tmp_path / "w2.csv", "--survey", tmp_path / "w1.csv")
    assert [(s.path, s.wave, s.instrument) for s in study.sources] == [
        ("raw/w2.csv", 2, "pulse"),
        ("raw/w1.csv", 1, "pulse"),
    ]


def test_programs_that_the_export_names_are_all_there(tmp_path):
    head_ = "program_id,intake_date,employee_id,role,start_date,offered"
    path = write(
        tmp_path / "e.csv",
        head_,
        "Reverse Mentoring,2023-01-01,E1,mentor,2023-01-05,true",
        "Lunch Club,2023-01-01,E2,participant,,false",
    )
    study, text, _ = begun(tmp_path, "--enrolments", path)
    assert [(p.id, p.name) for p in study.programs] == [
        ("reverse-mentoring", "Reverse Mentoring"),
        ("lunch-club", "Lunch Club"),
    ]
    assert {p.assignment for p in study.programs} == {"self_selected"}
    assert "write lottery only where places were randomized" in " ".join(text.replace("#", "").split())


def test_a_program_that_the_user_names_gets_the_name(tmp_path, three_files):
    study, text, _ = begun(tmp_path, *options(three_files), "--program", "Genius Bar", "--direction", "mutual")
    assert (study.programs[0].id, study.programs[0].name, study.programs[0].direction) == (
        "genius-bar",
        "Genius Bar",
        "mutual",
    )
    assert "guess: by year of birth" not in text


def test_the_day_that_the_user_names_is_the_data_lock(tmp_path, three_files):
    study, text, _ = begun(tmp_path, *options(three_files), "--as-of", "2024-10-31")
    assert str(study.as_of) == "2024-10-31" and "as_of: 2024-10-31\n" in text


def days(*texts: str) -> np.ndarray:
    return np.array(texts, "datetime64[D]")


def test_runs_of_days_are_parted_where_the_gap_is_larger():
    found = guess.clusters(days("2023-01-01", "2023-01-31", "2023-03-03"), 30)
    assert [(str(a), str(b)) for a, b in found] == [("2023-01-01", "2023-01-31"), ("2023-03-03", "2023-03-03")]
    assert guess.clusters(days(), 30) == []


def test_starts_all_year_round_make_no_intakes(tmp_path):
    first = dt.date(2023, 1, 9)
    rows = [f"E{n},mentor,{first + dt.timedelta(days=30 * n)}" for n in range(12)]
    path = write(tmp_path / "e.csv", "employee_id,role,start_date", *rows)
    study, text, _ = begun(tmp_path, "--enrolments", path)
    assert study.programs[0].intakes == () and "people start all year round" in text


# What check shows


def test_the_rows_of_every_source_add_up_and_so_do_their_totals(tmp_path, three_files, monkeypatch):
    monkeypatch.setenv("MENTORING_KEY", str(tmp_path / "key"))
    begun(tmp_path, *options(three_files))
    printed = mentoring("check", "acme", "--data", tmp_path / "data", "--reports", tmp_path / "reports").stdout
    rows = [
        line.split()[-5:] for line in printed.splitlines() if line.startswith(("  raw", "  employees", "  responses"))
    ]
    rows += [line.split()[-5:] for line in printed.splitlines() if line.startswith(("  enrolments", "  waves"))]
    total = next(line.split()[-5:] for line in printed.splitlines() if line.startswith("  total"))
    counts = np.array(rows, int)
    assert len(counts) == 4 and (counts[:, 0] == counts[:, 1] + counts[:, 4]).all()
    assert counts.sum(axis=0).tolist() == [int(n) for n in total]


def test_errors_come_with_the_rows_and_what_to_mend_first(tmp_path):
    path = write(
        tmp_path / "staff.csv", "employee_id,hire_date,exit_date", "E1,2020-01-01,2019-01-01", "E2,2020-01-01,"
    )
    begun(tmp_path, "--employees", path)
    run = mentoring("check", "acme", "--data", tmp_path / "data", "--reports", tmp_path / "reports")
    assert run.returncode == 2
    assert run.stderr.index("error:") < run.stderr.index("raw/staff.csv, line 2")
    assert "Next: correct 1 error(s) (raw/staff.csv), then: mentoring check acme" in run.stdout
    assert "total" in run.stdout


def test_people_who_are_not_found_are_listed_by_line_and_not_by_name(tmp_path, three_files, monkeypatch):
    monkeypatch.setenv("MENTORING_KEY", str(tmp_path / "key"))
    text = three_files["--survey"].read_text(encoding="utf-8")
    three_files["--survey"].write_text(text.replace(person(2)["email"], "nobody@firm.example"), encoding="utf-8")
    begun(tmp_path, *options(three_files))
    reports = tmp_path / "reports" / "acme.private"
    mentoring("check", "acme", "--data", tmp_path / "data", "--reports", tmp_path / "reports")
    with (reports / "unmatched.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["source"], row["line"]) for row in rows] == [("raw/pulse.csv", "5"), ("raw/pulse.csv", "30")]
    assert "nobody@firm.example" not in (reports / "unmatched.csv").read_text(encoding="utf-8")
    assert {row["rule"] for row in rows} == {"unmatched_person"}
    three_files["--survey"].write_text(text, encoding="utf-8")


# A questionnaire that has no card


def survey(path: Path, *answers: str) -> Path:
    head_ = "Timestamp,Email Address,My work matters.,My boss listens.,I sleep well.,Team"
    stamps = [f"2024-03-{4 + n:02}T09:00:00" for n in range(len(answers))]
    rows = [f"{s},{person(n)['email']},{a},North" for n, (s, a) in enumerate(zip(stamps, answers, strict=True))]
    return write(path, head_, *rows)


def drafted(folder: Path, path: Path) -> tuple[Study, dict, str]:
    study, text, _ = begun(folder, "--survey", path)
    return study, load_instruments(study), text


def test_a_questionnaire_without_a_card_gets_one_of_its_columns(tmp_path):
    study, cards, text = drafted(tmp_path, survey(tmp_path / "Climate 2024.csv", "1,2,5", "4,4,1", "3,2,2"))
    card = cards["climate-2024"]
    assert [item.text for item in card.items.values()] == ["My work matters.", "My boss listens.", "I sleep well."]
    assert (card.response.min, card.response.max) == (1, 5)
    assert (study.sources[0].instrument, study.sources[0].wave) == ("climate-2024", 1)
    assert "instruments/climate-2024.yaml was drafted" in text


def test_answers_in_the_words_of_a_known_scale_get_its_numbers(tmp_path):
    path = survey(tmp_path / "climate.csv", "Agree,Disagree,Neither", "Strongly agree,Agree,Strongly disagree")
    card = drafted(tmp_path, path)[1]["climate"]
    assert card.response.labels == {
        1: "Strongly disagree",
        2: "Disagree",
        3: "Neither",
        4: "Agree",
        5: "Strongly agree",
    }


def test_the_order_of_words_that_nobody_knows_is_not_guessed(tmp_path):
    rows = ["hardly,daily,weekly", "daily,weekly,hardly", "weekly,hardly,daily"]
    card = drafted(tmp_path, survey(tmp_path / "climate.csv", *rows))[1]["climate"]
    assert card.response.labels == {} and len(card.items) == 3
    text = (tmp_path / "data" / "acme" / "instruments" / "climate.yaml").read_text(encoding="utf-8")
    assert "put the labels into their order" in text and "# labels: {1: daily, 2: hardly, 3: weekly}" in text


def test_columns_that_are_no_answers_make_no_card(tmp_path):
    study, cards, text = drafted(tmp_path, survey(tmp_path / "climate.csv", "yes,12,a", "no,250,b", "no,7,c"))
    assert "climate" not in cards and study.sources[0].instrument is None
    assert "write a card in instruments/" in text


# What the user sees


@pytest.mark.parametrize("width", [80, 120])
def test_the_ledger_fits_the_terminal_with_errors_first(monkeypatch, width):
    screen = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=width, soft_wrap=True)
    monkeypatch.setattr(terminal, "err", screen)
    export = Export("employees", "raw/a_rather_long_name_of_an_export_2024.csv")
    export.note("remark", "is a remark about columns such as Q[SQ001] " * 5)
    export.fail("not_a_date", "is no day of the calendar; write it as yyyy-mm-dd", range(2, 40))
    terminal.show_problems(export.problems)
    printed = screen.file.getvalue()
    assert max(map(len, printed.splitlines())) <= width
    assert printed.index("rejected") < printed.index("remark") and "Q[SQ001]" in printed and "38 rows:" in printed


def test_a_file_that_names_no_program_beside_one_that_does_gets_its_own(tmp_path):
    named = write(tmp_path / "a.csv", "program_id,employee_id,role,start_date", "Bridge,E1,mentor,2023-01-05")
    nameless = write(tmp_path / "b.csv", "employee_id,role,start_date", "E1,mentor,2023-09-05")
    study, text, _ = begun(tmp_path, "--enrolments", named, "--enrolments", nameless)
    assert [(p.id, [str(day) for day in p.intakes]) for p in study.programs] == [
        ("bridge", ["2023-01-05"]),
        ("program", ["2023-09-05"]),
    ]
    assert [s.program for s in study.sources] == [None, "program"]
    assert "the file does not say of which program it is" in text


def test_ratings_of_one_wave_get_its_days(tmp_path):
    study, _, _ = begun(tmp_path, "--ratings", FIXTURES / "qualtrics" / "raw" / "leadership_360.csv")
    assert [(w.wave, w.instrument) for w in study.waves] == [(1, "leadership_multirater")]
    assert study.sources[0].wave == 1


def test_where_the_exports_have_no_day_nothing_is_said_of_their_first_one():
    guessed = guess.first_day([], "2024-12-31")
    assert guessed.value == "2024-01-01" and guessed.why.startswith("no day could be read from the exports")


def test_a_copy_may_be_read_by_nobody_who_may_not_read_the_file(tmp_path, three_files):
    three_files["--employees"].chmod(0o600)
    three_files["--survey"].chmod(0o644)
    assert init(tmp_path, *options(three_files)).returncode == 0
    raw = tmp_path / "data" / "acme" / "raw"
    modes = {path.name: path.stat().st_mode & 0o777 for path in raw.iterdir()}
    assert (modes["workers.csv"], modes["pulse.csv"]) == (0o600, 0o644)


def test_a_card_of_ones_own_is_copied_and_its_survey_read_by_it(tmp_path, three_files):
    card = INSTRUMENT.replace("instrument: mini", "instrument: own").replace("Most days drag.", CARD_ITEMS["mor2"])
    path = write(tmp_path / "own.yaml", card)
    study, _, _ = begun(tmp_path, *options(three_files), "--card", path)
    assert (study.folder / "instruments" / "own.yaml").read_text(encoding="utf-8").startswith("instrument: own")
    survey = next(source for source in study.sources if source.table == "responses")
    assert survey.instrument == "own"
    path.write_text("instrument: own\ntitle: no scales\n", encoding="utf-8")
    refused = mentoring("init", "other", *options(three_files), "--card", path, "--data", tmp_path / "data")
    assert refused.returncode == 2 and "instruments/own.yaml" in refused.stderr
    assert not (tmp_path / "data" / "other").exists()
