"""Monthly headcount lists: who was hired, changed jobs and left is told by what differs from month to month."""

import itertools
from pathlib import Path

import pytest
from openpyxl import Workbook
from studies import TINY_COMPANY, write_study
from test_cli import mentoring

from analysis.ingest.dates import month_end
from analysis.pipeline import OpenStudy, open_study
from analysis.plan.errors import BadInput
from analysis.plan.read_study import load_study

pytestmark = pytest.mark.usefixtures("original_ids")

# Ben is promoted and leaves, Cleo is missing once, Dora comes in February and Emil has left in the list itself.
LISTS = """\
Month,Employee ID,Name,Hire Date,Level,Department,Manager ID,Annual Salary,Status,Termination Date,Exit Type
2023-01,E1,Ada Testperson,2019-03-01,3,North,,50000,Active,,
2023-01,E2,Ben Testperson,2020-01-01,1,North,E1,40000,Active,,
2023-01,E3,Cleo Testperson,2021-01-01,2,South,E1,41000,Active,,
2023-01,E5,Emil Testperson,2021-01-01,2,South,E1,41000,Active,,
2023-02,E1,Ada Testperson,2019-03-01,3,North,,50000,Active,,
2023-02,E2,Ben Testperson,2020-01-01,2,North,E1,45000,On Leave,,
2023-02,E4,Dora Testperson,2023-02-10,1,South,E1,30000,Active,,
2023-02,E5,Emil Testperson,2021-01-01,2,South,E1,41000,Terminated,2023-02-14,Resignation
2023-03,E1,Ada Testperson,2019-03-01,3,North,,50000,Active,,
2023-03,E3,Cleo Testperson,2021-01-01,2,South,E1,41000,Active,,
2023-03,E4,Dora Testperson,2023-02-10,1,South,E1,30000,Active,,
2023-04,E1,Ada Testperson,2019-03-01,3,North,,50000,Active,,
2023-04,E3,Cleo Testperson,2021-01-01,2,South,E1,41000,Active,,
2023-04,E4,Dora Testperson,2023-02-10,1,South,E1,30000,Active,,
"""


def company(
    folder: Path, text: str = LISTS, tables: dict[str, str] | None = None, profile: str = "headcount", **study
) -> OpenStudy:
    """Open a study of one file of headcount lists, and of tables in the contract's own form beside it."""
    write_study(folder / "acme", tables or {}, **({"study_start": "2023-01-31", "as_of": "2023-04-30"} | study))
    (folder / "acme" / "raw" / "lists.csv").write_text(text, encoding="utf-8")
    path = folder / "acme" / "study.yaml"
    source = f"\n- {{table: snapshots, path: raw/lists.csv, profile: {profile}}}\n"
    said = path.read_text(encoding="utf-8").replace("sources: []\n", "sources:\n")
    path.write_text(said.replace("sources:\n", f"sources:{source}", 1), encoding="utf-8")
    return open_study("acme", folder)


def short(profile_rows: str) -> str:
    """Return lists in the contract's own form: a person, a month and, where given, a hire date."""
    return "employee_id,snapshot_date,hire_date\n" + profile_rows.replace(" ", "\n") + "\n"


def spells(opened: OpenStudy) -> list[tuple[str, str, str]]:
    rows = opened.tables.employees.sort_values(["employee_id", "hire_date"])
    days = rows[["hire_date", "exit_date"]].astype("str").fillna("")
    return list(zip(rows["employee_id"], days["hire_date"], days["exit_date"], strict=True))


def told(opened: OpenStudy) -> dict[str, tuple[int, ...]]:
    return {problem.rule: problem.example_rows for problem in opened.problems}


def test_the_lists_say_who_was_employed_and_in_which_job(tmp_path):
    opened = company(tmp_path)
    assert spells(opened) == [
        ("E1", "2019-03-01", ""),
        ("E2", "2020-01-01", "2023-02-28"),
        ("E3", "2021-01-01", ""),
        ("E4", "2023-02-10", ""),
        ("E5", "2021-01-01", "2023-02-14"),
    ]
    jobs = opened.tables.jobs[["employee_id", "effective_date", "job_level", "base_salary"]].astype("str")
    assert jobs.to_numpy().tolist() == [
        ["E1", "2023-01-31", "3.0", "50000.0"],
        ["E2", "2023-01-31", "1.0", "40000.0"],
        ["E2", "2023-02-28", "2.0", "45000.0"],
        ["E3", "2023-01-31", "2.0", "41000.0"],
        ["E4", "2023-02-10", "1.0", "30000.0"],
        ["E5", "2023-01-31", "2.0", "41000.0"],
    ]


def test_kinds_of_exit_come_from_a_column_or_are_unknown(tmp_path):
    kinds = company(tmp_path).tables.employees.set_index("employee_id")["exit_type"]
    assert kinds["E5"] == "voluntary" and kinds.drop("E5").isna().all()


def test_what_only_the_lists_say_is_told_to_be_confirmed(tmp_path):
    rules = told(company(tmp_path))
    assert rules["exit_from_absence"] == (7,), "Ben's last row"
    assert rules["absent_and_back"] == (11,), "Cleo's row after her absence"


def test_every_row_is_accounted_for(tmp_path):
    counts = company(tmp_path).tables.row_counts
    assert counts[["table", "rows_in", "rows_kept"]].to_numpy().tolist() == [["snapshots", 14, 14]]


def test_a_file_of_leavers_beside_the_lists_says_when_and_why(tmp_path):
    leavers = "employee_id,hire_date,exit_date,exit_type\nE2,2020-01-01,2023-03-15,involuntary\n"
    opened = company(tmp_path, tables={"employees": leavers})
    assert spells(opened)[1] == ("E2", "2020-01-01", "2023-03-15")
    assert len(spells(opened)) == 5 and "exit_from_absence" not in told(opened)


def test_who_is_in_a_file_of_leavers_and_came_back_has_both_spells(tmp_path):
    leavers = "employee_id,hire_date,exit_date\nE4,2015-01-01,2020-12-31\n"
    found = [days for person, *days in spells(company(tmp_path, tables={"employees": leavers})) if person == "E4"]
    assert found == [["2015-01-01", "2020-12-31"], ["2023-02-10", ""]]


def test_a_file_of_job_changes_counts_instead_of_the_lists(tmp_path):
    opened = company(tmp_path, tables={"jobs": "employee_id,effective_date,job_level\nE1,2019-03-01,7\n"})
    assert opened.tables.jobs["job_level"].tolist() == [7]


@pytest.mark.parametrize(
    ("months", "hired", "expected"),
    [
        ("1 3 4", "", [("2023-01-31", "")]),  # one list lacks the person
        ("1 4", "", [("2023-01-31", "2023-01-31"), ("2023-04-30", "")]),  # two lists do
        ("1 4", "2019-03-01", [("2019-03-01", "")]),  # the same employment: on leave
        ("2 3", "", [("2023-02-28", "2023-03-31")]),
        ("2", "2023-02-07", [("2023-02-07", "2023-02-28")]),
        ("1 2", "2023-03-01", []),  # listed before being hired
    ],
)
def test_gaps_of_a_person(tmp_path, months, hired, expected):
    others = " ".join(f"E1,2023-0{n},2019-01-01" for n in range(1, 5))
    rows = " ".join(f"E2,2023-0{n},{hired}" for n in months.split())
    opened = company(tmp_path, short(f"{others} {rows}"), profile="canonical")
    assert [days for person, *days in spells(opened) if person == "E2"] == [list(days) for days in expected]


def test_who_comes_back_with_a_new_hire_date_is_a_rehire(tmp_path):
    others = " ".join(f"E1,2023-0{n},2019-01-01" for n in range(1, 5))
    opened = company(tmp_path, short(f"{others} E2,2023-01,2020-01-01 E2,2023-03,2023-03-06"), profile="canonical")
    assert spells(opened)[1:] == [("E2", "2020-01-01", "2023-01-31"), ("E2", "2023-03-06", "2023-03-31")]


def test_a_month_that_is_missing_for_everybody_ends_no_employment(tmp_path):
    rows = " ".join(f"E{i},2023-0{n},2019-01-01" for i in (1, 2) for n in (1, 2, 3, 6))
    opened = company(tmp_path, short(rows), profile="canonical", as_of="2023-06-30")
    assert [exit_ for _, _, exit_ in spells(opened)] == ["", ""]
    assert "snapshot_missing" in told(opened) and "absent_and_back" not in told(opened)


def test_the_first_list_does_not_tell_when_people_were_hired(tmp_path):
    rows = " ".join(f"E1,2023-0{n}," for n in range(1, 5)) + " E2,2023-04,"
    opened = company(tmp_path, short(rows), profile="canonical")
    assert told(opened)["hire_unknown"] == (2,)
    assert spells(opened) == [("E1", "2023-01-31", ""), ("E2", "2023-04-30", "")]


@pytest.mark.parametrize(
    ("study", "rule"),
    [({"study_start": "2022-06-01"}, "before_first_snapshot"), ({"as_of": "2024-04-30"}, "after_last_snapshot")],
)
def test_a_period_that_the_lists_do_not_cover_is_an_error(tmp_path, study, rule):
    with pytest.raises(BadInput) as bad:
        company(tmp_path, **study)
    assert [p.rule for p in bad.value.problems if p.severity == "error"] == [rule]


def test_a_person_twice_in_a_list_is_told_and_the_last_row_holds(tmp_path):
    opened = company(tmp_path, LISTS + "2023-04,E4,Dora Testperson,2023-02-10,4,South,E1,30000,Active,,\n")
    assert told(opened)["duplicate_snapshot"] == (15,)
    assert opened.tables.jobs.query("employee_id == 'E4'")["job_level"].tolist() == [1, 4]


def test_people_of_other_files_are_found_by_the_names_in_the_lists(tmp_path):
    enrolled = "program_id,intake_date,name,role,start_date\ngenius,2023-02-01,Cleo Testperson,mentor,2023-02-01\n"
    opened = company(tmp_path, tables={"enrolments": enrolled})
    assert opened.tables.enrolments["employee_id"].tolist() == ["E3"]


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        *zip(("2023-05", "2023/5", "202305", "05/2023", "5.2023", "2023M05"), itertools.repeat("2023-05-31")),
        *zip(("May 2023", "Mai 2023", "mayo 2023", "May-23", "2023 May", "MAY'23"), itertools.repeat("2023-05-31")),
        ("Feb 2024", "2024-02-29"),
        *zip(("2023-05-01", "31/05/2023", "2023-13", "20235", "45047", "2023", "week 5"), itertools.repeat(None)),
    ],
)
def test_a_month_stands_for_its_last_day(cell, day):
    assert month_end(cell) == day


# What `mentoring init` makes of such files


def drafted(folder: Path, *files: Path):
    words = [word for file in files for word in ("--employees", file)]
    run = mentoring("init", "acme", *words, "--data", folder / "data")
    assert run.returncode == 0, run.stderr
    text = (folder / "data" / "acme" / "study.yaml").read_text(encoding="utf-8")
    return load_study("acme", folder / "data"), " ".join(text.replace("#", " ").split())


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def of_month(month: str) -> list[list[str]]:
    header, *rows = (line.split(",") for line in LISTS.splitlines())
    return [header[1:], *(row[1:] for row in rows if row[0] == month)]


def test_init_recognises_lists_by_how_people_recur(tmp_path):
    study, text = drafted(tmp_path, written(tmp_path / "staff.csv", LISTS))
    assert [(s.table, s.profile) for s in study.sources] == [("snapshots", "headcount")]
    assert (str(study.study_start), str(study.as_of)) == ("2023-01-31", "2023-04-30")
    assert "who is in no later list, the last one counting as the last day employed: to be confirmed" in text
    opened = open_study("acme", tmp_path / "data")
    assert len(opened.tables.employees) == 5 and len(opened.tables.jobs) == 6


def test_init_leaves_who_is_in_the_employees_file_to_it(tmp_path):
    staff = written(
        tmp_path / "staff.csv", "employee_id,hire_date,exit_date\nE1,2019-03-01,\nE2,2020-01-01,2023-03-15\n"
    )
    study, text = drafted(tmp_path, staff, written(tmp_path / "lists.csv", LISTS))
    assert [s.table for s in study.sources] == ["employees", "snapshots"]
    assert "who is in a file of employees is left to that file" in text and "told by who" not in text


def test_init_takes_a_file_a_month_by_their_names(tmp_path):
    files = [
        written(tmp_path / f"headcount_{month}.csv", "\n".join(map(",".join, of_month(month))))
        for month in ("2023-01", "2023-02", "2023-03")
    ]
    study, _ = drafted(tmp_path, *files)
    assert [str(s.snapshot_date) for s in study.sources] == ["2023-01-31", "2023-02-28", "2023-03-31"]
    assert spells(open_study("acme", tmp_path / "data"))[1] == ("E2", "2020-01-01", "2023-02-28")


def test_init_takes_a_sheet_a_month(tmp_path):
    book = Workbook()
    book.active.append(["read me", "first"])
    book.active.append(["a", "b"])
    for month, name in (("2023-01", "Jan"), ("2023-02", "Feb")):
        sheet = book.create_sheet(name)
        for row in of_month(month):
            sheet.append(row)
    book.save(tmp_path / "Headcount 2023.xlsx")
    study, _ = drafted(tmp_path, tmp_path / "Headcount 2023.xlsx")
    assert [(s.sheet, str(s.snapshot_date)) for s in study.sources] == [("Jan", "2023-01-31"), ("Feb", "2023-02-28")]


@pytest.mark.parametrize(
    "text",
    [
        # one list, and employees who were hired once each
        "Report Date,Employee ID,Hire Date\n" + "".join(f"2023-05-31,E{n},2020-01-01\n" for n in range(9)),
        TINY_COMPANY["employees"].replace(" ", ""),
    ],
)
def test_a_file_of_employees_stays_one(tmp_path, text):
    study, _ = drafted(tmp_path, written(tmp_path / "staff_2023-05.csv", text))
    assert [s.table for s in study.sources] == ["employees"]


def test_job_changes_are_no_lists(tmp_path):
    changes = "Month,Employee ID,Level\n" + "".join(f"2023-0{n % 7 + 1},E{n % 5},{n % 3}\n" for n in range(0, 30, 4))
    study, _ = drafted(tmp_path, written(tmp_path / "changes.csv", changes))
    assert [s.table for s in study.sources] == ["employees"]
