"""Enrolments and answers that cannot be as they stand: own mentors, starts after exit, forms from before the hire."""

import pytest
from test_validate import check, with_rows


def ledger(tmp_path, table, rows):
    """Return rule → (severity, action, lines) of the tiny company with these rows below one table, and the tables."""
    given, first = with_rows(table, rows)
    tables, problems = check(tmp_path, given)
    told = [p for p in problems if p.rule != "booleans_translated"]  # of the tiny company itself
    return {p.rule: (p.severity, p.action, p.example_rows) for p in told}, tables, first


def test_nobody_is_his_own_mentor(tmp_path):
    found, tables, first = ledger(
        tmp_path,
        "enrolments",
        """\
        genius,2023-06-01,E3,mentor,,,2023-06-08,,,M2
        genius,2023-06-01,E3,mentee,,,2023-06-08,,,M2
        """,
    )
    assert found == {"mentor_is_mentee": ("error", "rejected", (first, first + 1))}
    assert tables.enrolments is None


@pytest.mark.parametrize(
    "rows",
    [
        # two people mentor each other
        """\
        genius,2023-06-01,E3,mentor,,,2023-06-08,,,M2
        genius,2023-06-01,E3,mentee,,,2023-06-08,,,M2
        genius,2023-06-01,E4,mentor,,,2023-06-08,,,M2
        genius,2023-06-01,E4,mentee,,,2023-06-08,,,M2
        """,
        # mentor of one match and mentee of another, or of the same one at another intake
        """\
        genius,2023-06-01,E3,mentor,,,2023-06-08,,,M2
        genius,2023-06-01,E3,mentee,,,2023-06-08,,,M3
        genius,2024-06-03,E3,mentee,,,2024-06-10,,,M2
        """,
        # applied for both roles and got neither
        """\
        genius,2023-06-01,E3,mentor,,,,,waitlisted,
        genius,2023-06-01,E3,mentee,,,,,waitlisted,
        """,
    ],
)
def test_both_roles_are_fine_with_somebody_on_the_other_side_or_in_two_matches(tmp_path, rows):
    assert ledger(tmp_path, "enrolments", rows)[0] == {}


def test_a_start_after_exit_or_between_two_spells_is_told_and_kept(tmp_path):
    found, tables, first = ledger(
        tmp_path,
        "enrolments",
        """\
        genius,2023-10-02,E2,mentor,,,2023-10-09,,,
        genius,2022-10-03,E4,mentor,,,2022-10-10,,,
        genius,2023-03-01,E4,mentee,,,2023-03-06,,,
        """,
    )
    assert found == {"start_outside_employment": ("warning", "kept", (first, first + 1))}
    assert len(tables.enrolments) == 6


def test_an_answer_from_before_the_hire_is_left_out_with_its_whole_form(tmp_path):
    found, tables, first = ledger(
        tmp_path, "responses", "E4,1,mini,m1,4,2018-01-31\nE4,1,mini,m2,4,2018-01-31\nE4,2,mini,m1,3,2023-03-02\n"
    )
    assert found == {"answered_outside_employment": ("warning", "rejected", (first, first + 1))}
    assert len(tables.responses) == 6 and tables.responses["wave"].tolist().count(2) == 2


def test_leavers_may_answer_an_exit_survey_for_a_month_and_not_later(tmp_path):
    found, tables, first = ledger(
        tmp_path,
        "responses",
        """\
        E2,2,mini,m1,4,2023-09-30
        E2,2,mini,m2,4,2023-10-31
        E4,1,mini,m1,4,2022-07-02
        E4,1,mini,m2,4,2023-01-31
        """,
    )
    assert found == {
        "answered_after_exit": ("info", "kept", (first + 1,)),
        "answered_outside_employment": ("warning", "rejected", (first + 2, first + 3)),
    }
    assert len(tables.responses) == 7


def test_answers_without_a_day_or_of_nobody_known_are_not_judged_by_employment(tmp_path):
    found, _, first = ledger(tmp_path, "responses", "E4,2,mini,m1,4,\nE9,2,mini,m1,4,2010-01-01\n")
    assert found == {"unknown_employee": ("warning", "rejected", (first + 1,))}


@pytest.mark.parametrize(
    ("row", "rule", "severity"),
    [
        ("E5,2023-01-01,2022-12-31,other,,,,", "exit_before_hire", "error"),
        ("E5,2020-01-01,2023-01-01,other,,2023-01-02,,", "notice_after_exit", "warning"),
        ("E5,2020-01-01,,,,2019-12-31,,", "notice_before_hire", "warning"),
    ],
)
def test_employment_that_runs_backwards_is_told(tmp_path, row, rule, severity):
    found, _, first = ledger(tmp_path, "employees", row)
    assert found[rule][0] == severity and found[rule][2] == (first,)
