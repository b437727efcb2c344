"""A person who stands in two exports, or in two pairs, has one enrolment."""

import textwrap

import numpy as np
import pandas as pd

from analysis.ingest.export import Export, as_text
from analysis.ingest.reshape import unite_enrolments

COLUMNS = ["employee_id", "role", "applied_date", "offered", "start_date", "end_date", "status", "match_id"]


def export(source: str, rows: str, program: str = "genius") -> Export:
    """Return enrolments of one intake; ``line:`` before a row is its line, else lines follow each other."""
    cells = [line.split(",") for line in textwrap.dedent(rows).strip().splitlines()]
    lines = [int(row[0].partition(":")[0]) if ":" in row[0] else n for n, row in enumerate(cells, start=2)]
    cells = [[row[0].rpartition(":")[2], *row[1:]] for row in cells]
    frame = pd.DataFrame({name: as_text(row[n] for row in cells) for n, name in enumerate(COLUMNS)})
    frame = frame.assign(
        program_id=as_text([program] * len(frame)), intake_date=as_text(["2022-02-28"] * len(frame)), _line=lines
    )
    return Export("enrolments", source, frame, rows_in=len(set(lines)))


def cells(of: Export) -> list[str]:
    return [",".join("" if pd.isna(cell) else cell for cell in row) for row in of.frame[COLUMNS].to_numpy(object)]


def notes(of: Export) -> dict[tuple[str, str], list[int]]:
    return {(p.rule, p.action): p.lines.tolist() for p in of.problems}


def test_who_applied_in_one_export_and_was_matched_in_the_other_has_one_enrolment():
    people = export(
        "people.csv", "E1,mentor,2022-02-08,true,,,,\nE2,mentee,2022-02-09,true,,,,\nE3,mentee,2022-02-10,false,,,,"
    )
    pairs = export("pairs.csv", "2:E1,mentor,,,2022-03-14,2022-09-30,completed,M1\n2:E2,mentee,,,2022-03-14,,active,M1")
    unite_enrolments([people, pairs])
    assert cells(people) == ["E3,mentee,2022-02-10,false,,,,"]
    assert cells(pairs) == [
        "E1,mentor,2022-02-08,true,2022-03-14,2022-09-30,completed,M1",
        "E2,mentee,2022-02-09,true,2022-03-14,,active,M1",
    ]
    assert notes(people) == {("same_enrolment", "rejected"): [2, 3]}
    assert notes(pairs) == {("same_enrolment", "repaired"): [2]}


def test_a_mentor_of_two_mentees_counts_once_from_the_first_start_to_the_last_end():
    pairs = export(
        "pairs.csv",
        """\
        2:E1,mentor,,,2022-04-04,2022-12-01,completed,M2
        2:E2,mentee,,,2022-04-04,2022-12-01,completed,M2
        3:E1,mentor,,,2022-03-14,2022-05-02,withdrawn,M1
        3:E3,mentee,,,2022-03-14,2022-05-02,withdrawn,M1
        """,
    )
    unite_enrolments([pairs])
    assert cells(pairs) == [
        "E2,mentee,,,2022-04-04,2022-12-01,completed,M2",
        "E1,mentor,,,2022-03-14,2022-12-01,completed,M1",
        "E3,mentee,,,2022-03-14,2022-05-02,withdrawn,M1",
    ]
    # line 2 still tells of the mentee
    assert notes(pairs) == {("same_enrolment", "repaired"): [3], ("several_matches", "kept"): [2]}


def test_an_enrolment_is_open_while_one_of_its_matches_is():
    pairs = export("pairs.csv", "E1,mentor,,,2022-03-14,,active,M1\nE1,mentor,,,2022-04-04,2022-06-01,withdrawn,M2")
    unite_enrolments([pairs])
    assert cells(pairs) == ["E1,mentor,,,2022-03-14,,active,M1"]


def test_who_never_started_stays_so_and_keeps_what_any_row_says():
    one, other = export("a.csv", "E1,mentor,2022-02-08,,,,,"), export("b.csv", "E1,mentor,,false,,,not_selected,")
    unite_enrolments([one, other])
    assert cells(one) == ["E1,mentor,2022-02-08,false,,,not_selected,"] and cells(other) == []


def test_rows_that_repeat_each_other_are_left_for_validation():
    same = export("a.csv", "E1,mentor,,,2022-03-14,,active,M1\nE1,mentor,,,2022-03-14,,active,M1")
    none = export("b.csv", "E2,mentor,2022-02-08,,,,,\nE2,mentor,2022-02-09,,,,,")
    unite_enrolments([same, none])
    assert len(same.frame) == len(none.frame) == 2 and not same.problems + none.problems


def test_other_programs_roles_and_tables_are_left_alone():
    one = export("a.csv", "E1,mentor,,,2022-03-14,,active,M1")
    other = export("b.csv", "E1,mentor,,,2022-03-14,,active,B1", program="bridge")
    role = export("c.csv", "E1,mentee,,,2022-03-14,,active,M9")
    sessions = Export("sessions", "s.csv", pd.DataFrame({"match_id": as_text(["M1"]), "_line": np.array([2])}))
    unite_enrolments([one, other, role, sessions, Export("enrolments", "broken.csv")])
    assert [len(e.frame) for e in (one, other, role, sessions)] == [1, 1, 1, 1]
