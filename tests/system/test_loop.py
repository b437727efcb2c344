"""What `mentoring check` says first, whom it counts, and the files for the person who has the exports."""

import csv
import io
import stat
from pathlib import Path

import pandas as pd
import pytest
from studies import TINY_COMPANY, write_study
from test_check import LINKED
from test_cli import Run, mentoring
from test_pair_lists import EMPLOYEES, listed

from analysis.cli.terminal import in_order, line_ranges
from analysis.ingest.export import Export
from analysis.pipeline import open_study


def check(folder: Path, *words: str) -> Run:
    return mentoring("check", "acme", *words, "--data", folder, "--reports", folder / "reports")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


# The verdict


def test_a_good_study_can_be_used_and_its_remarks_are_one_line(tmp_path):
    responses = LINKED["responses"].replace("E1,", "E1\u200b,")
    write_study(tmp_path / "acme", LINKED | {"responses": responses})
    run = check(tmp_path)
    assert run.stdout.splitlines()[0] == "acme: can be used"
    assert "info:" not in run.stderr and "1 remark on what was assumed, translated and left out" in run.stderr
    assert run.stderr.count("--all shows them") == 1
    everything = check(tmp_path, "--all").stderr
    assert "info:" in everything and "--all shows them" not in everything


def test_a_bad_study_cannot_be_used_and_says_how_many_errors_it_has(tmp_path):
    employees = LINKED["employees"].replace("2023-09-30", "2019-09-30").replace("2021-01-01", "soon")
    write_study(tmp_path / "acme", LINKED | {"employees": employees})
    run = check(tmp_path)
    assert run.returncode == 2 and run.stderr.splitlines()[0] == "acme: cannot be used: 2 errors"
    assert run.stderr.splitlines()[1].startswith("  error: ")


def test_what_changes_who_is_compared_is_counted(tmp_path):
    """E2 starts before the intake, and before being hired: two things. To be one's own manager is no third."""
    enrolments = LINKED["enrolments"].replace("2022-06-08,2022-12-08", "2020-06-08,2022-12-08")
    jobs = "employee_id,effective_date,job_level,manager_id\nE2,2021-02-01,1,E2\n"
    write_study(tmp_path / "acme", LINKED | {"enrolments": enrolments, "jobs": jobs}, study_start="2020-01-01")
    run = check(tmp_path)
    assert run.stdout.splitlines()[0] == "acme: can be used; 2 things change who is compared", run.stderr


def test_warnings_come_by_the_people_whom_they_are_about():
    export = Export("enrolments", "a.csv")
    for rule, severity in (("many_rows", "warning"), ("starters", "warning"), ("remark", "info"), ("bad", "error")):
        export.note(rule, rule, range(2, 90 if rule == "many_rows" else 4), severity=severity, action="kept")
    starters = [p if p.rule != "starters" else _about(p, 2) for p in export.problems]
    assert [p.rule for p in in_order(starters)] == ["bad", "starters", "many_rows", "remark"]


def _about(problem, n_started):
    object.__setattr__(problem, "n_started", n_started)
    return problem


def test_a_warning_says_how_many_people_it_is_about(tmp_path):
    """Two managers who were not employed: of one who started, and of one who did not."""
    jobs = (
        "employee_id,effective_date,job_level,manager_id\nE1,2021-02-01,5,E1\nE2,2021-02-01,1,E2\nE3,2021-02-01,2,E3\n"
    )
    write_study(tmp_path / "acme", LINKED | {"jobs": jobs})
    problems = {p.rule: p for p in open_study("acme", tmp_path).problems}
    starters = {"E2", "E1"}  # of studies.TINY_COMPANY
    oneself = problems["manager_is_oneself"]
    assert (oneself.n_started, oneself.n_others) == (len(starters), 3 - len(starters))
    told = next(line for line in check(tmp_path).stderr.splitlines() if "manager_id is" in line)
    assert told.endswith("(concerns 2 who started and 1 other)")


# Who of a list was found


def test_a_list_of_pairs_says_how_many_were_found_and_why_others_were_not(tmp_path):
    """Six pairs: two are fine, one mentor is nobody, one could be two, one has no day, one came before the hire."""
    employees = EMPLOYEES + "7,F1 L1,other@acme.example,2019-01-01\n"
    pairs = """\
Mentor Name,Mentee Name,Start
F2 L2,F3 L3,2022-03-01
F4 L4,F5 L5,2022-03-01
F9 L9,F3 L3,2022-03-01
F1 L1,F6 L6,2022-03-01
F5 L5,F6 L6,
F6 L6,F2 L2,2018-03-01
"""
    opened = listed(tmp_path, pairs, employees)
    (found,) = opened.tables.lists
    assert (found.n_listed, found.n_found, found.is_of_pairs) == (6, 2, True)
    assert {reason: list(lines) for reason, lines in found.lost.items()} == {
        "unmatched_person": [4],
        "ambiguous_person": [5],
        "no_intake": [6],
        "start_outside_employment": [7],
    }
    run = check(tmp_path)
    assert "raw/p.csv: of 6 pairs 2 were found and started; 4 were not, because:" in run.stdout
    assert "  1: several people in the employees' file have the name or e-mail address" in run.stdout
    private = rows(tmp_path / "reports" / "acme.private" / "unmatched.csv")
    assert [(row["line"], row["rule"]) for row in private] == [
        ("4", "unmatched_person"),
        ("5", "ambiguous_person"),
    ]


def test_a_list_of_people_by_id_is_counted_too(tmp_path):
    write_study(tmp_path / "acme", LINKED)
    (found,) = open_study("acme", tmp_path).tables.lists
    people = pd.read_csv(io.StringIO(LINKED["enrolments"].replace(" ", "")))
    assert (found.n_listed, found.n_found) == (len(people), int(people["start_date"].notna().sum()))


def test_an_id_that_is_nobodys_is_counted_where_the_study_cannot_be_used(tmp_path):
    write_study(tmp_path / "acme", LINKED | {"enrolments": LINKED["enrolments"].replace("E3,mentor", "E9,mentor")})
    run = check(tmp_path)
    assert run.returncode == 2 and "1: the id matches no employee in the employees' file" in run.stdout


def test_of_a_list_that_could_not_be_read_nothing_is_counted(tmp_path):
    write_study(tmp_path / "acme", LINKED | {"enrolments": "employee_id,role\nE1\n"})
    assert "were found" not in check(tmp_path).stdout


def test_report_says_it_too(tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.report.execute.notebooks_dir", lambda: tmp_path / "none")
    tables = TINY_COMPANY | {"employees": TINY_COMPANY["employees"].replace("2019-03-01", "never")}
    write_study(tmp_path / "acme", tables)
    run = mentoring("report", "acme", "--data", tmp_path, "--reports", tmp_path / "reports")
    assert run.returncode == 2 and "raw/enrolments.csv: of " in run.stdout
    assert rows(tmp_path / "reports" / "acme.private" / "lines.csv")[0]["rule"] == "not_a_date"


# Every line


BAD_DAYS = "employee_id,hire_date\n" + "".join(f"E{n},{'2020-13-01' if n % 2 else '2020-01-01'}\n" for n in range(72))


def test_every_line_of_a_bad_date_is_named_and_listed(tmp_path):
    write_study(tmp_path / "acme", {"employees": BAD_DAYS})
    assert "lines 3, 5, 7, 9, 11, …" in check(tmp_path).stderr
    assert "71, 73" in check(tmp_path, "--all").stderr
    listed_ = rows(tmp_path / "reports" / "acme.private" / "lines.csv")
    assert [int(row["line"]) for row in listed_] == list(range(3, 74, 2))
    assert {(row["source"], row["column"], row["rule"]) for row in listed_} == {
        ("raw/employees.csv", "hire_date", "not_a_date")
    }
    assert "2020-13-01" not in (tmp_path / "reports" / "acme.private" / "lines.csv").read_text()


def test_the_files_of_lines_are_for_their_owner_alone_and_go_when_nothing_is_wrong(tmp_path):
    write_study(tmp_path / "acme", {"employees": BAD_DAYS})
    check(tmp_path)
    private = tmp_path / "reports" / "acme.private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()} == {0o600}
    assert not (tmp_path / "reports" / "acme" / "lines.csv").exists()
    write_study(tmp_path / "acme", {"employees": BAD_DAYS.replace("-13-", "-12-")})
    check(tmp_path)
    assert not private.exists()


@pytest.mark.parametrize(
    ("lines", "told"), [([], ""), ([4], "4"), ([2, 3, 4, 9], "2-4, 9"), ([9, 2, 3], "2-3, 9"), ([2, 4], "2, 4")]
)
def test_neighbouring_lines_are_a_range(lines, told):
    assert line_ranges(lines) == told
