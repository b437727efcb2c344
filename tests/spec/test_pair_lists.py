"""Lists of pairs as people keep them: a mentor with several mentees, several people in one cell."""

from pathlib import Path

import pytest
import yaml
from studies import STUDY

from analysis.ingest.readers.header import with_groups
from analysis.pipeline import OpenStudy, open_study

pytestmark = pytest.mark.usefixtures("original_ids")

CASE = Path(__file__).parents[1] / "fixtures" / "cases" / "exports" / "pairs_two_mentees_in_cell"
EMPLOYEES = "\n".join(
    ["employee_id,name,email,hire_date", *(f"{n},F{n} L{n},f{n}+hr@acme.example,2019-01-01" for n in range(1, 7)), ""]
)


def listed(folder: Path, pairs: str, employees: str = EMPLOYEES, profile: str = "canonical") -> OpenStudy:
    """Return the study of a list of pairs by name or e-mail."""
    raw = folder / "acme" / "raw"
    raw.mkdir(parents=True)
    (raw / "e.csv").write_text(employees, encoding="utf-8")
    (raw / "p.csv").write_text(pairs, encoding="utf-8")
    sources = [
        {"table": "employees", "path": "raw/e.csv", "profile": profile},
        {"table": "enrolments", "path": "raw/p.csv", "profile": "pairs"},
    ]
    study = STUDY | {"study": "acme", "sources": sources}
    (folder / "acme" / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    return open_study("acme", folder)


def started(opened: OpenStudy, role: str) -> dict[str, str | None]:
    """Return who started in a role, with the match."""
    rows = opened.tables.enrolments
    rows = rows[(rows["role"] == role) & rows["start_date"].notna()]
    return dict(zip(rows["employee_id"], rows["match_id"].astype(object), strict=True))


def told(opened: OpenStudy, rule: str) -> list[tuple[int, ...]]:
    return [problem.example_rows for problem in opened.problems if problem.rule == rule]


def test_two_mentees_in_one_cell_are_both_found(tmp_path):
    employees, pairs = ((CASE / name).read_text(encoding="utf-8") for name in ("e.csv", "p.csv"))
    opened = listed(tmp_path, pairs, employees, "bamboohr")
    assert started(opened, "mentee") == {"002": "line 2", "003": "line 2", "005": "line 3"}
    assert started(opened, "mentor") == {"001": "line 2", "004": "line 3"}
    assert told(opened, "several_in_cell") == [(2,)] and told(opened, "unmatched_person") == []


@pytest.mark.parametrize("between", ["; ", ";", " & ", " and ", " und ", " | "])
def test_people_may_be_set_apart_in_many_ways(tmp_path, between):
    opened = listed(tmp_path, f"Mentor,Mentee,Start\nF1 L1,F2 L2{between}F3 L3,2022-03-07\n")
    assert set(started(opened, "mentee")) == {"2", "3"}


def test_an_address_with_a_plus_and_a_name_with_and_in_it_are_one_person(tmp_path):
    employees = EMPLOYEES.replace("F2 L2", "Andy Sands")
    opened = listed(tmp_path, "Mentor,Mentee Email,Start\nAndy Sands,f3+hr@acme.example,2022-03-07\n", employees)
    assert set(started(opened, "mentor")) | set(started(opened, "mentee")) == {"2", "3"}
    assert told(opened, "several_in_cell") == []


def test_who_of_several_in_a_cell_is_nobody_is_told_by_line(tmp_path):
    opened = listed(tmp_path, "Mentor,Mentee,Start\nF1 L1,F2 L2; No One,2022-03-07\n")
    assert set(started(opened, "mentee")) == {"2"}
    assert told(opened, "unmatched_person") == [(2,)]


def test_a_mentor_with_two_mentees_in_a_plain_list_counts_once_and_both_mentees_stay(tmp_path):
    opened = listed(tmp_path, "Mentor,Mentee,Start\nF1 L1,F2 L2,2022-03-07\nF1 L1,F3 L3,2022-03-07\n")
    assert set(started(opened, "mentor")) == {"1"}
    assert started(opened, "mentee") == {"2": "line 2", "3": "line 3"}
    assert told(opened, "duplicate_enrolment") == [] and told(opened, "several_matches") == [(3,)]


MEETINGS = (
    "Date,Mentor,Mentee,Minutes\n2022-04-01,F1 L1,F2 L2,45\n2022-04-02,F1 L1,F3 L3,30\n2022-05-01,F4 L4,F5 L5,60\n"
)


def met(folder: Path, pairs: str, meetings: str) -> OpenStudy:
    """Return the study of a list of pairs and a log of meetings, all by name."""
    listed(folder, pairs)
    (folder / "acme" / "raw" / "m.csv").write_text(meetings, encoding="utf-8")
    path = folder / "acme" / "study.yaml"
    study = yaml.safe_load(path.read_text(encoding="utf-8"))
    study["sources"].append({"table": "sessions", "path": "raw/m.csv", "profile": "pairs"})
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    return open_study("acme", folder)


def test_meetings_without_a_pair_number_find_their_pair_by_who_met(tmp_path):
    pairs = "Mentor,Mentee,Start\nF1 L1,F2 L2,2022-03-07\nF1 L1,F3 L3,2022-03-14\n"
    opened = met(tmp_path, pairs, MEETINGS)
    sessions = opened.tables.sessions
    assert list(sessions["match_id"]) == ["line 2", "line 3"] and list(sessions["minutes"]) == [45, 30]
    assert list(sessions["attendee_ids"]) == ["1;2", "1;3"]
    assert told(opened, "match_by_people") == [(2, 3)] and told(opened, "no_match") == [(4,)]


def test_of_a_pairs_two_rounds_the_last_begun_counts(tmp_path):
    pairs = "Pair,Mentor,Mentee,Start\nA,F1 L1,F2 L2,2022-03-07\nB,F1 L1,F2 L2,2023-03-06\n"
    meetings = "Date,Mentor,Mentee\n2022-04-01,F1 L1,F2 L2\n2023-03-06,F1 L1,F2 L2\n2022-01-03,F1 L1,F2 L2\n"
    sessions = met(tmp_path, pairs, meetings).tables.sessions.sort_values("session_date")
    assert list(sessions["match_id"]) == ["A", "A", "B"]


GROUPED = """\
Pairs of 2022,,,,,
,Mentor,,Mentee,,
No.,Name,Department,Name,Department,Start
1,F1 L1,Sales,F2 L2,IT,2022-03-07
2,F3 L3,Sales,F4 L4,IT,2022-03-14
"""


def test_columns_of_one_name_are_told_apart_by_the_heading_of_their_group(tmp_path):
    opened = listed(tmp_path, GROUPED)
    assert set(started(opened, "mentor")) == {"1", "3"} and set(started(opened, "mentee")) == {"2", "4"}


def test_groups_that_do_not_tell_columns_apart_change_no_name():
    assert with_groups(["", "People", "", "", ""], ["No.", "Name", "Dept", "Name", "Dept"])[1] == "Name"
    assert with_groups(["", "A", "", "B"], ["No.", "Name", "Dept", "Name", "Dept"]) == [
        *("No.", "A Name", "A Dept", "B Name", "B Dept")
    ]
