"""Two employees of one name in a list of pairs: what the list says beside the name decides, exactly or not at all."""

from pathlib import Path

import pytest
from test_pair_lists import listed, started, told

from analysis.pipeline import OpenStudy

pytestmark = pytest.mark.usefixtures("original_ids")

# 1 and 2 have the same name; 2 moved from Leeds to York.
EMPLOYEES = """\
employee_id,name,hire_date,exit_date,department,location,job_title
1,Tom Ashwell,2019-01-01,,Sales,Leeds,Analyst
2,Tom Ashwell,2019-01-01,2020-12-31,Finance,Leeds,Analyst
2,Tom Ashwell,2021-01-01,,Finance,York,Analyst
3,Uma Bell,2019-01-01,,Sales,Leeds,Lead
"""


def mentors(opened: OpenStudy) -> set[str]:
    return set(started(opened, "mentor"))


def pair(folder: Path, header: str, cells: str) -> OpenStudy:
    return listed(folder, f"Mentor,Mentee,Start,{header}\nTom Ashwell,Uma Bell,2020-03-07,{cells}\n", EMPLOYEES)


@pytest.mark.parametrize(
    ("header", "cell", "who"),
    [
        ("Mentor Department", "finance ", {"2"}),
        ("Abteilung (Mentor)", "Sales", {"1"}),
        ("Mentor's Dept", "Sales", {"1"}),
        ("Mentor Location", "York", {"2"}),
        ("Mentor Department", "Fin", set()),
        ("Mentor Department", "", set()),
        ("Mentor Location", "Leeds", set()),
        ("Mentor Job Title", "Analyst", set()),
        ("Mentee Department", "Sales", set()),
        ("Department", "Sales", set()),
    ],
)
def test_what_stands_beside_a_name_decides_exactly_or_not_at_all(tmp_path, header, cell, who):
    opened = pair(tmp_path, header, cell)
    assert mentors(opened) == who
    assert told(opened, "namesake") == ([(2,)] if who else [])
    assert told(opened, "ambiguous_person") == ([] if who else [(2,)])


def test_all_that_is_said_must_be_true(tmp_path):
    assert mentors(pair(tmp_path / "a", "Mentor Department,Mentor Location", "Finance,Leeds")) == {"2"}
    assert mentors(pair(tmp_path / "b", "Mentor Department,Mentor Location", "Sales,York")) == set()


def test_the_warning_names_the_column_that_would_decide_and_nobody(tmp_path):
    opened = pair(tmp_path, "Cohort", "A")
    [warning] = [p.message for p in opened.problems if p.rule == "ambiguous_person"]
    assert "a column with the person's department as the employees' exports have it" in warning
    assert "location" not in warning and "Ashwell" not in warning and "Sales" not in warning


def test_in_a_list_of_persons_the_column_needs_no_role(tmp_path):
    people = "Name,Role,Start,Department\nTom Ashwell,Mentor,2020-03-07,Finance\nUma Bell,Mentee,2020-03-07,Sales\n"
    assert mentors(listed(tmp_path, people, EMPLOYEES)) == {"2"}


def test_a_name_that_one_employee_has_needs_nothing_beside_it(tmp_path):
    opened = listed(tmp_path, "Mentor,Mentee,Start,Mentee Department\n1,Uma Bell,2020-03-07,Legal\n", EMPLOYEES)
    assert set(started(opened, "mentee")) == {"3"}
