"""Each rule of the canonical tables: it stays silent on good rows and speaks, with the right line, on bad ones."""

from dataclasses import dataclass

import pandas as pd
import pytest
from studies import TINY_COMPANY, as_csv, write_study

from analysis.ingest import read_sources
from analysis.plan.contract import ANSWERS, TABLES
from analysis.plan.errors import BadInput
from analysis.plan.instruments import load_instruments
from analysis.plan.paths import project_dir
from analysis.plan.read_study import load_study
from analysis.validate import check_tables, load_tables
from analysis.validate.rule import Context, Rule, broken_rules
from analysis.validate.tables import PHASES, cell_rules

# The tiny company, its leaves and two of its headcount lists.
COMPANY = TINY_COMPANY | {
    "leave": """\
        employee_id,leave_start,leave_end,leave_type
        E3,2022-04-01,2022-09-30,parental
        E1,2024-11-01,,
        """,
    "snapshots": """\
        employee_id,snapshot_date,employed,hire_date,job_level,exit_type
        E1,2024-11-30,,2019-03-01,5,
        E2,2024-11-30,no,2020-06-15,1,voluntary
        E1,2024-12-31,yes,,5,
        E3,2024-12-31,,2021-01-01,2,
        """,
}

pytestmark = pytest.mark.usefixtures("original_ids")


def open_study(tmp_path, tables, **study_yaml):
    """Write these tables as a study; return the study and its instruments."""
    write_study(tmp_path / "acme", tables, **study_yaml)
    study = load_study("acme", tmp_path)
    return study, load_instruments(study)


def check(tmp_path, tables, **study_yaml):
    """Return the checked tables and the problems."""
    study, instruments = open_study(tmp_path, tables, **study_yaml)
    return check_tables(read_sources(study), study, instruments)


def with_rows(table, rows):
    """Return the tiny company with these rows added at the end of one table, and the first added line's number."""
    text = as_csv(COMPANY[table])
    return COMPANY | {table: text + as_csv(rows).strip() + "\n"}, text.count("\n") + 1


# --- what is good ----------------------------------------------------------------------------------------------------


def test_the_tiny_company_has_no_problem(tmp_path):
    tables, problems = load_tables(*open_study(tmp_path, COMPANY))
    assert problems == ()
    assert (tables.row_counts["rows_in"] == tables.row_counts["rows_kept"]).all()
    assert len(tables.row_counts) == len(COMPANY)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("employees", "E5,2022-01-01,2022-01-02,voluntary,,,,"),  # leaves on the second day
        ("employees", "E2,2023-10-01,,,,,1994,Vienna"),  # comes back the day after
        ("employees", "E5,2020-02-29,,,,,,"),  # a leap day
        ("employees", "E5,2024-12-31,,,,,,"),  # hired on the last day known
        ("employees", "E5,2022-01-01,2024-12-31,other,,2024-12-31,,"),  # leaves on it
        ("employees", "E5,2022-01-01,,,,2022-01-01,,"),  # gives notice on the day of hire
        ("jobs", "E1,2024-12-31,6,,1"),
        ("jobs", "E2,2021-01-01,2.5,E4,1e0"),  # half levels are numbers
        ("jobs", "E3,2023-09-30,2,E2,1"),  # the manager's last day
        ("waves", "1.0,other,2022-03-01,2022-03-01"),  # opens and closes on one day
        ("waves", "3,mini,2024-12-31,2025-01-14"),  # still open at the lock
        ("responses", "E4,2,mini,m1,5,"),
        ("responses", "E4,2,mini,m1,1,2024-12-31"),
        ("responses", "E4,1,mini,m1,1,2022-05-31"),  # answers on the last day
        ("ratings", "E2,E1,manager,1,mini,m2,4"),
        ("enrolments", "genius,2022-06-01,E2,mentee,,NO,,,withdrawn,"),  # another role of the same person
        ("enrolments", "genius,2022-06-01,E3,mentee,,,2022-06-01,2022-06-01,withdrawn,"),
        ("enrolments", "genius,2024-12-31,E3,mentor,2024-12-31,,2024-12-31,2024-12-31,,"),
        ("sessions", "M1,2022-06-08,"),
        ("sessions", "M1,2024-12-31,"),
    ],
)
def test_unusual_but_right_rows_have_no_problem(tmp_path, table, row):
    tables, _ = with_rows(table, row)
    assert check(tmp_path, tables)[1] == []


def test_types_are_the_contracts(tmp_path):
    tables, _ = check(tmp_path, COMPANY)
    dtype = {"date": "datetime64[us]", "number": "float64", "integer": "float64", "boolean": "boolean"}
    for table, columns in TABLES.items():
        frame = getattr(tables, table)
        text = "category" if table in ANSWERS else "str"
        expected = {name: dtype.get(column.kind, text) for name, column in columns.items()}
        assert frame.dtypes.astype(str).to_dict() == expected
        assert list(frame.columns) == list(columns)
    assert tables.enrolments["offered"].tolist() == [True, True, False]
    assert tables.jobs["department"].isna().all()


def test_further_columns_are_kept_as_they_came(tmp_path):
    text = "employee_id,hire_date,cost_centre\nE1,2019-03-01,0042\n"
    tables, _ = check(tmp_path, {"employees": text})
    assert tables.employees["cost_centre"].tolist() == ["0042"]
    assert tables.jobs is None


# --- what is bad: rows added to the tiny company ---------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """Rows that break a rule; the line at fault is the first of them."""

    rule: str
    table: str
    rows: str
    severity: str = "error"
    action: str = "rejected"

    def __str__(self):
        return f"{self.table}-{self.rule}"


ERRORS = [
    Case("not_a_date", "snapshots", "E1,2024-10-32,,,5,"),
    Case("not_a_boolean", "snapshots", "E1,2024-10-31,perhaps,,5,"),
    Case("required_empty", "employees", ",2020-01-01,,,,,,"),
    Case("not_a_date", "employees", "E5,2023-02-30,,,,,,"),
    Case("not_a_date", "employees", "E5,2020-01-01,N/A-StillEmployed,,,,,"),
    Case("not_a_date", "employees", "E5,01/02/2020,,,,,,"),
    Case("not_a_date", "employees", "E5,2020-1-2,,,,,,"),
    Case("not_a_date", "employees", "E5,2020-01-02 00:00:00,,,,,,"),
    Case("not_a_number", "employees", "E5,2020-01-01,,,,,1980.5,"),
    Case("not_allowed", "employees", "E5,2020-01-01,2023-01-01,Voluntary,,,,"),
    Case("out_of_range", "employees", "E5,2020-01-01,,,,,80,"),
    Case("date_out_of_range", "employees", "E5,0001-01-01,,,,,,"),
    Case("exit_before_hire", "employees", "E5,2023-01-01,2022-12-31,other,,,,"),
    Case("duplicate_spell", "employees", "E4,2023-02-01,,,,,,"),
    Case("overlapping_spells", "employees", "E2,2023-09-30,,,,,,"),
    Case("overlapping_spells", "employees", "E3,2022-01-01,2022-06-30,other,,,,"),
    Case("not_a_number", "jobs", "E1,2022-01-01,senior,,"),
    Case("not_a_number", "jobs", "E1,2022-01-01,inf,,"),
    Case("not_a_number", "jobs", 'E1,2022-01-01,"1,5",,'),
    Case("required_empty", "jobs", "E1,2022-01-01,,,"),
    Case("out_of_range", "jobs", "E1,2022-01-01,5,,1.01"),
    Case("out_of_range", "jobs", "E1,2022-01-01,1e300,,"),
    Case("unknown_employee", "jobs", "E9,2022-01-01,5,,"),
    Case("leave_end_before_start", "leave", "E3,2023-02-01,2023-01-31,"),
    Case("unknown_employee", "leave", "E9,2023-02-01,,"),
    Case("closes_before_opens", "waves", "3,mini,2024-03-02,2024-03-01"),
    Case("duplicate_wave", "waves", "2,mini,2024-03-01,2024-03-14"),
    Case("out_of_range", "waves", "0,mini,2024-03-01,2024-03-14"),
    Case("date_out_of_range", "waves", "3,mini,2024-03-01,9999-12-31"),
    Case("unknown_instrument", "responses", "E1,1,mini2,m1,4,"),
    Case("unknown_item", "responses", "E1,1,mini,m3,4,"),
    Case("unknown_wave", "responses", "E3,7,mini,m1,4,"),
    Case("answer_out_of_range", "responses", "E3,2,mini,m1,6,"),
    Case("answer_out_of_range", "responses", "E3,2,mini,m1,0,"),
    Case("not_a_number", "responses", "E3,2,mini,m1,quite,"),
    Case("unknown_wave", "unlinked_responses", "R3,7,mini,m1,4,"),
    Case("unknown_item", "unlinked_responses", "R3,1,mini,m3,4,"),
    Case("answer_out_of_range", "unlinked_responses", ",1,mini,m1,6,"),
    Case("required_empty", "unlinked_responses", "R3,,mini,m1,4,"),
    Case("unknown_employee", "ratings", "E9,E1,manager,1,mini,m1,4"),
    Case("not_allowed", "ratings", "E2,E1,boss,1,mini,m2,4"),
    Case("unknown_wave", "ratings", "E2,E1,manager,7,mini,m2,4"),
    Case("unknown_item", "ratings", "E2,E1,manager,1,mini,m3,4"),
    Case("answer_out_of_range", "ratings", "E2,E1,manager,1,mini,m2,5.5"),
    Case("unknown_employee", "enrolments", "genius,2022-06-01,E9,mentor,,,,,,"),
    Case("unknown_program", "enrolments", "wizard,2022-06-01,E3,mentee,,,,,,"),
    Case("duplicate_enrolment", "enrolments", "genius,2022-06-01,E1,mentee,,,,,,"),
    Case("mentor_is_mentee", "enrolments", "genius,2022-06-01,E1,mentor,,,2022-06-08,,,M1"),
    Case("end_before_start", "enrolments", "genius,2023-06-01,E3,mentor,,,2023-06-08,2023-06-07,,"),
    Case("not_a_boolean", "enrolments", "genius,2023-06-01,E3,mentor,,maybe,,,,"),
    Case("not_allowed", "enrolments", "genius,2023-06-01,E3,coach,,,,,,"),
    Case("out_of_range", "sessions", "M1,2022-08-01,-5"),
    Case("out_of_range", "sessions", "M1,2022-08-01,1e308"),
    Case("required_empty", "sessions", ",2022-08-01,60"),
]

REPAIRED = [
    Case("no_show", "employees", "E5,2022-01-01,2022-01-01,voluntary,,,,", "info", "rejected"),
    Case("snapshot_after_as_of", "snapshots", "E1,2025-01-31,,,5,", "info", "rejected"),
    Case("duplicate_snapshot", "snapshots", "E4,2024-12-31,,,3,\nE4,2024-12-31,,,4,", "warning", "rejected"),
    Case("hired_after_as_of", "employees", "E5,2025-01-01,,,,,,", "info", "rejected"),
    Case("exit_after_as_of", "employees", "E5,2020-01-01,2025-01-01,voluntary,,,,", "info", "set_null"),
    Case("exit_type_without_date", "employees", "E5,2020-01-01,,voluntary,,,,", "warning", "set_null"),
    Case("exit_without_type", "employees", "E5,2020-01-01,2023-01-01,,,,,", "info", "kept"),
    Case("exit_without_type", "employees", "E5,2020-01-01,2024-12-31,,,,,", "info", "kept"),
    Case("exit_before_study_start", "employees", "E5,2020-01-01,2021-12-31,other,,,,", "info", "kept"),
    Case("notice_after_exit", "employees", "E5,2020-01-01,2023-01-01,other,,2023-01-02,,", "warning", "set_null"),
    Case("notice_before_hire", "employees", "E5,2020-01-01,,,,2019-12-31,,", "warning", "set_null"),
    Case("notice_after_as_of", "employees", "E5,2020-01-01,,,,2025-01-01,,", "info", "set_null"),
    Case("job_after_as_of", "jobs", "E1,2025-01-01,6,,1", "info", "rejected"),
    Case("leave_after_as_of", "leave", "E3,2025-01-01,,", "info", "rejected"),
    Case("duplicate_job", "jobs", "E1,2022-01-01,5,,1\nE1,2022-01-01,6,,1", "warning", "rejected"),
    Case("manager_is_oneself", "jobs", "E1,2022-01-01,5,E1,1", "warning", "set_null"),
    Case("manager_in_cycle", "jobs", "E1,2022-01-01,5,E3,1", "warning", "set_null"),
    Case("manager_not_employed", "jobs", "E3,2023-10-01,2,E2,1", "warning", "set_null"),
    Case("manager_not_employed", "jobs", "E3,2022-06-01,2,E4,1", "warning", "set_null"),
    Case("manager_not_employed", "jobs", "E3,2023-10-01,2,E9,1", "warning", "set_null"),
    Case("wave_after_as_of", "waves", "3,mini,2025-03-01,2025-03-14", "info", "rejected"),
    Case("response_after_as_of", "responses", "E3,2,mini,m1,4,2025-01-01", "info", "rejected"),
    Case("unknown_employee", "responses", "E9,2,mini,m1,4,", "warning", "rejected"),
    Case("answered_outside_employment", "responses", "E3,2,mini,m1,4,2020-12-31", "warning", "rejected"),
    Case("answered_outside_employment", "responses", "E4,1,mini,m1,4,2022-07-02", "warning", "rejected"),
    Case("answered_after_exit", "responses", "E4,1,mini,m1,4,2022-06-01", "info", "kept"),
    Case("answered_after_exit", "responses", "E4,1,mini,m1,4,2022-07-01", "info", "kept"),
    Case("duplicate_answer", "responses", "E3,2,mini,m1,4,\nE3,2,mini,m1,5,", "warning", "rejected"),
    Case("label_to_number", "responses", "E3,2,mini,m1,strongly AGREE,", "info", "repaired"),
    Case("response_after_as_of", "unlinked_responses", "R3,2,mini,m1,4,2025-01-01", "info", "rejected"),
    Case("label_to_number", "unlinked_responses", "R3,2,mini,m1,Agree,", "info", "repaired"),
    Case("duplicate_answer", "ratings", "E2,E1,manager,1,mini,m2,4\nE2,E1,manager,1,mini,m2,5", "warning", "rejected"),
    Case("duplicate_answer", "ratings", "E2,,self,1,mini,m2,4\nE2,E2,self,1,mini,m2,5", "warning", "rejected"),
    Case("label_to_number", "ratings", "E2,E1,manager,1,mini,m2,Disagree", "info", "repaired"),
    Case("intake_after_as_of", "enrolments", "genius,2025-01-01,E3,mentor,,,,,,", "info", "rejected"),
    Case("start_after_as_of", "enrolments", "genius,2024-12-01,E3,mentor,,,2025-01-01,,,", "info", "set_null"),
    Case("end_after_as_of", "enrolments", "genius,2024-12-01,E3,mentor,,,2024-12-02,2025-01-01,,", "info", "set_null"),
    Case("applied_after_as_of", "enrolments", "genius,2024-12-01,E3,mentor,2025-01-01,,,,,", "info", "set_null"),
    Case("start_before_intake", "enrolments", "genius,2023-06-01,E3,mentor,,,2023-05-31,,,", "warning", "kept"),
    Case("start_outside_employment", "enrolments", "genius,2023-10-01,E2,mentor,,,2023-10-01,,,", "warning", "kept"),
    Case(
        "status_never_started", "enrolments", "genius,2023-06-01,E3,mentor,,,2023-06-08,,waitlisted,", "warning", "kept"
    ),
    Case("status_started", "enrolments", "genius,2023-06-01,E3,mentor,,,,,active,", "warning", "kept"),
    Case("started_without_offer", "enrolments", "genius,2023-06-01,E3,mentor,,false,2023-06-08,,,", "warning", "kept"),
    Case("end_without_start", "enrolments", "genius,2023-06-01,E3,mentor,,,,2023-06-08,,", "warning", "kept"),
    Case("session_after_as_of", "sessions", "M1,2025-01-01,60", "info", "rejected"),
    Case("unknown_match", "sessions", "M9,2022-08-01,60", "warning", "kept"),
    Case("session_before_start", "sessions", "M1,2022-06-07,60", "info", "kept"),
]


def says_nothing_of(case, problem):
    """Return whether no cell of the bad rows is quoted in the problem's message (bare words may be)."""
    cells = {cell for cell in case.rows.replace("\n", ",").split(",") if any(letter.isdigit() for letter in cell)}
    return not any(cell in problem.message.split() for cell in cells)


@pytest.mark.parametrize("case", ERRORS, ids=str)
def test_an_error_stops_the_study_and_names_its_line(tmp_path, case):
    rows, line = with_rows(case.table, case.rows)
    tables, problems = check(tmp_path, rows)
    [problem] = problems
    assert (problem.rule, problem.table, problem.source) == (case.rule, case.table, f"raw/{case.table}.csv")
    assert (problem.severity, problem.rows, problem.example_rows) == ("error", 1, (line,))
    assert all(getattr(tables, table) is None for table in TABLES)
    assert says_nothing_of(case, problem)


@pytest.mark.parametrize("case", REPAIRED, ids=str)
def test_what_can_be_lived_with_is_noted_and_does_not_stop(tmp_path, case):
    rows, line = with_rows(case.table, case.rows)
    tables, problems = check(tmp_path, rows)
    [problem] = problems
    assert (problem.rule, problem.table, problem.source) == (case.rule, case.table, f"raw/{case.table}.csv")
    assert (problem.severity, problem.action) == (case.severity, case.action)
    assert (problem.rows, problem.example_rows) == (1, (line,))
    counts = tables.row_counts.set_index("table").loc[case.table]
    assert counts["rows_in"] == counts["rows_kept"] + counts["rows_rejected"]
    assert counts["rows_rejected"] == (case.action == "rejected")
    assert counts["rows_kept"] == len(getattr(tables, case.table))
    assert says_nothing_of(case, problem)


def test_every_rule_has_a_case():
    rules = {(table, rule.name) for table, phases in PHASES.items() for phase in phases for rule in phase}
    cases = {(case.table, case.rule) for case in ERRORS + REPAIRED}
    # They need more than one added row, and have tests of their own below, or in test_snapshots and test_staff.
    elsewhere = {(table, "not_hired_by_as_of") for table in ("jobs", "leave", "ratings", "enrolments")}
    elsewhere |= {(table, "wave_after_as_of") for table in ("responses", "unlinked_responses", "ratings")}
    elsewhere |= {(table, "no_employee") for table in ("jobs", "leave", "responses", "ratings", "enrolments")}
    elsewhere |= {("employees", rule) for rule in ("not_staff", "service_after_hire", "original_hire_before_hire")}
    elsewhere |= {("snapshots", rule) for rule in ("absent_and_back", "exit_from_absence", "hire_unknown")}
    elsewhere |= {("enrolments", "start_outside_span")}  # needs columns of its own: test_imprecise_starts
    same_as_responses = {(table, "unknown_instrument") for table in ("unlinked_responses", "ratings")}
    assert rules - cases - elsewhere - same_as_responses == set()
    assert {rule.name for table in TABLES for rule in cell_rules(table)} <= {rule for _, rule in cases}


# --- what the repairs leave ------------------------------------------------------------------------------------------


def last(frame):
    return frame.iloc[-1]


def test_an_exit_after_the_lock_leaves_the_person_employed(tmp_path):
    rows, _ = with_rows("employees", "E5,2020-01-01,2025-01-01,voluntary,moved,2024-12-01,,")
    person = last(check(tmp_path, rows)[0].employees.query("employee_id == 'E5'"))
    assert person[["exit_date", "exit_type", "exit_reason"]].isna().all()
    assert person["notice_date"] == pd.Timestamp("2024-12-01")


def test_the_last_of_duplicate_answers_is_kept(tmp_path):
    rows, _ = with_rows("responses", "E3,2,mini,m1,4,\nE3,2,mini,m1,5,")
    answers = check(tmp_path, rows)[0].responses
    assert answers.query("employee_id == 'E3' and wave == 2")["value"].tolist() == [5]


def test_an_answer_that_is_rejected_anyway_does_not_push_out_an_earlier_one(tmp_path):
    rows, _ = with_rows("responses", "E3,2,mini,m1,4,2023-03-02\nE3,2,mini,m1,5,2025-01-01")
    answers = check(tmp_path, rows)[0].responses
    assert answers.query("employee_id == 'E3' and wave == 2")["value"].tolist() == [4]


def test_labels_become_the_numbers_of_the_card(tmp_path):
    rows, _ = with_rows("responses", "E3,2,mini,m1,Strongly agree,\nE3,2,mini,m2,disagree,")
    assert check(tmp_path, rows)[0].responses["value"].tolist()[-2:] == [5, 2]


LABELS_OF_A_FORM = [
    ("Stimme eher zu", 4),
    ("pas du  tout D’ACCORD", 1),  # spaces, case and the typographer's apostrophe
    ("De acuerdo", 4),
    ("Niet mee eens en niet mee oneens", 3),
    ("Completamente d'accordo", 5),
    ("Neither agree nor disagree", 3),
    ("5 - Strongly agree", 5),
    ("5 Strongly agree", 5),
    ("Strongly agree (5)", 5),
    ("2: disagree", 2),
    ("1 - Strongly agree", None),  # counts the other way round: not for us to turn
    ("Agree (5)", None),
    ("Rather nice", None),
    ("4", None),
    ("1 -", None),
]


@pytest.mark.parametrize(("answer", "number"), LABELS_OF_A_FORM)
def test_a_label_in_a_language_of_the_card_stands_for_its_number_and_nothing_else_does(tmp_path, answer, number):
    _, instruments = open_study(tmp_path, COMPANY)
    for name in ("pulse", "leadership", "leadership_multirater"):
        assert instruments[name].response.number_of(answer) == number


def test_labels_of_several_languages_in_one_file_become_numbers(tmp_path):
    opens = "3,pulse,2023-09-01,2023-09-14"
    waves, _ = with_rows("waves", opens)
    rows, _ = with_rows("responses", "E3,3,pulse,mor1,Stimme zu,\nE3,3,pulse,mor2,2 - Pas d'accord,")
    answers = check(tmp_path, rows | {"waves": waves["waves"]})[0].responses
    assert answers["value"].tolist()[-2:] == [4, 2]


def test_a_number_and_a_label_that_disagree_are_an_error_with_its_line(tmp_path):
    rows, line = with_rows("responses", "E3,2,mini,m1,5 - Strongly disagree,")
    [problem] = check(tmp_path, rows)[1]
    assert (problem.severity, problem.table, problem.example_rows) == ("error", "responses", (line,))


def test_a_manager_who_cannot_be_is_unknown_and_the_job_stays(tmp_path):
    rows, _ = with_rows("jobs", "E3,2023-10-01,2,E2,1")
    job = last(check(tmp_path, rows)[0].jobs.query("employee_id == 'E3'"))
    assert pd.isna(job["manager_id"])
    assert job["job_level"] == 2


def test_a_cycle_is_one_only_while_it_lasts(tmp_path):
    # E3 reports to E1 from 2021; E1 to E4 from 2023-03, E4 to E3 from 2023-06: closed by E4's row alone,
    # open again once E3 reports to nobody.
    rows, line = with_rows(
        "jobs",
        """\
        E1,2023-03-01,5,E4,1
        E4,2023-02-15,3,,1
        E4,2023-06-01,3,E3,1
        E3,2023-07-01,2,,1
        E1,2023-08-01,5,E4,1
        """,
    )
    [problem] = check(tmp_path, rows)[1]
    assert (problem.rule, problem.example_rows) == ("manager_in_cycle", (line + 2,))


def test_a_row_that_breaks_two_rules_is_rejected_once(tmp_path):
    rows, line = with_rows("responses", "E9,2,mini,m1,4,2025-01-01")
    tables, problems = check(tmp_path, rows)
    assert {(p.rule, p.example_rows) for p in problems} == {
        ("unknown_employee", (line,)),
        ("response_after_as_of", (line,)),
    }
    counts = tables.row_counts.set_index("table").loc["responses"]
    assert counts[["rows_in", "rows_kept", "rows_rejected"]].tolist() == [6, 5, 1]


def test_rows_of_people_hired_after_the_lock_go_with_them(tmp_path):
    tables = with_rows("employees", "E5,2025-01-01,,,,,,")[0]
    for table, row in {
        "jobs": "E5,2024-12-31,1,,1",
        "ratings": "E5,E1,manager,1,mini,m1,4",
        "enrolments": "genius,2024-12-01,E5,mentor,,,,,,",
    }.items():
        tables = tables | {table: with_rows(table, row)[0][table]}
    checked, problems = check(tmp_path, tables)
    assert {p.table for p in problems if p.rule == "not_hired_by_as_of"} == {"jobs", "ratings", "enrolments"}
    assert {p.severity for p in problems} == {"info"}
    assert "E5" not in set(checked.jobs["employee_id"]) | set(checked.enrolments["employee_id"])


def test_answers_of_a_wave_after_the_lock_go_with_it(tmp_path):
    tables = with_rows("waves", "3,mini,2025-01-01,2025-01-14")[0]
    for table, row in {"responses": "E3,3,mini,m1,4,", "ratings": "E2,E1,manager,3,mini,m1,4"}.items():
        tables = tables | {table: with_rows(table, row)[0][table]}
    checked, problems = check(tmp_path, tables)
    assert [(p.table, p.rule, p.rows) for p in problems] == [
        (table, "wave_after_as_of", 1) for table in ("waves", "responses", "ratings")
    ]
    assert checked.responses["wave"].max() == checked.waves["wave"].max() == 2


def test_answers_of_unnamed_raters_are_not_duplicates(tmp_path):
    rows, _ = with_rows("ratings", "E2,,peer,1,mini,m1,4\nE2,,peer,1,mini,m1,4")
    assert check(tmp_path, rows)[1] == []


# --- studies with fewer tables, several files, several problems ------------------------------------------------------


def test_answers_without_the_waves_table_are_an_error(tmp_path):
    tables = {name: text for name, text in COMPANY.items() if name != "waves"}
    _, problems = check(tmp_path, tables)
    assert [(p.severity, p.table, p.source, p.rule) for p in problems] == [
        ("error", "responses", "study.yaml", "missing_waves"),
        ("error", "unlinked_responses", "study.yaml", "missing_waves"),
        ("error", "ratings", "study.yaml", "missing_waves"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "wave,instrument,item,value\n1,mini,m1,4\n2,mini,m1,5\n",
        "employee_id,wave,instrument,item,value\n,1,mini,m1,4\n",
    ],
)
def test_a_survey_without_person_keys_is_kept_apart_and_said_so(tmp_path, text):
    tables = {name: rows for name, rows in COMPANY.items() if name != "unlinked_responses"}
    checked, [problem] = check(tmp_path, tables | {"responses": text})
    assert (problem.severity, problem.table, problem.rule) == ("warning", "unlinked_responses", "unlinked_survey")
    assert (problem.action, problem.rows) == ("kept", len(text.splitlines()) - 1)
    assert "employee_id" in problem.message and "columns:" in problem.message
    assert checked.responses is None
    assert list(checked.unlinked_responses.columns) == list(TABLES["unlinked_responses"])
    assert checked.unlinked_responses["respondent_id"].isna().all()
    counts = checked.row_counts.set_index("table").loc["unlinked_responses"]
    assert counts["rows_in"] == counts["rows_kept"] == problem.rows


def test_a_linked_file_and_an_unlinked_one_are_both_read(tmp_path):
    more = "wave,instrument,item,value\n1,mini,m1,4\n"
    tables = {name: rows for name, rows in COMPANY.items() if name != "unlinked_responses"}
    checked, [problem] = check(tmp_path, tables | {"responses/anonymous": more})
    assert (problem.rule, problem.source) == ("unlinked_survey", "raw/responses_anonymous.csv")
    assert (len(checked.responses), len(checked.unlinked_responses)) == (5, 1)


def test_an_empty_survey_is_not_taken_for_an_unlinked_one(tmp_path):
    _, problems = check(tmp_path, COMPANY | {"responses": "employee_id,wave,instrument,item,value\n"})
    assert "unlinked_survey" not in {problem.rule for problem in problems}


def test_without_employees_nobody_is_looked_up(tmp_path):
    tables = {name: text for name, text in TINY_COMPANY.items() if name != "employees"}
    checked, problems = check(tmp_path, tables)
    assert problems == []
    assert checked.employees is None


def test_an_unreadable_table_makes_nobody_unknown(tmp_path):
    tables = COMPANY | {"employees": "employee_id,hire_date\nE1\nE2,2020-06-15\n"}
    _, problems = check(tmp_path, tables)
    assert [(p.rule, p.example_rows) for p in problems] == [("ragged_row", (2,))]


def test_one_line_of_the_ledger_for_each_rule_and_source(tmp_path):
    text = as_csv(COMPANY["responses"])
    bad = "employee_id,wave,instrument,item,value\n" + "E1,1,mini,m1,9\n" * 7
    _, problems = check(tmp_path, COMPANY | {"responses": text + "E3,2,mini,m2,9,\n", "responses/more": bad})
    found = {p.source: (p.rows, p.example_rows) for p in problems if p.rule == "answer_out_of_range"}
    assert found == {"raw/responses.csv": (1, (7,)), "raw/responses_more.csv": (7, (2, 3, 4, 5, 6))}


def test_every_error_is_told_at_once_the_warnings_with_them(tmp_path):
    tables = COMPANY
    for case in [case for case in ERRORS + REPAIRED if case.rule not in ("duplicate_spell", "overlapping_spells")]:
        text = as_csv(tables[case.table])
        tables = tables | {case.table: text + case.rows + "\n"}
    with pytest.raises(BadInput) as stop:
        load_tables(*open_study(tmp_path, tables))
    found = {(p.table, p.rule) for p in stop.value.problems}
    missing = {(c.table, c.rule) for c in ERRORS if "spell" not in c.rule} - found
    assert missing == set()
    assert {p.severity for p in stop.value.problems} == {"error", "warning", "info"}


def test_nothing_of_a_person_stands_in_a_message(tmp_path):
    person = "Jane Roe <jane.roe@example.com>"
    columns = {table: as_csv(text).splitlines()[0] for table, text in COMPANY.items()}
    everywhere = {
        table: f"{header}\n" + ",".join([person] * len(header.split(","))) + "\n" for table, header in columns.items()
    }
    with pytest.raises(BadInput) as stop:
        load_tables(*open_study(tmp_path, everywhere))
    assert len(stop.value.problems) > 30
    assert "roe" not in str(stop.value).casefold()
    assert not any("roe" in repr(problem).casefold() for problem in stop.value.problems)


# --- rules really fail ------------------------------------------------------------------------------------------------

# Whoever looks something up finds nothing.
NOTHING = Context(load_study("northbank", project_dir() / "data"), {})
FRAME = pd.DataFrame({"city": ["Graz", None, "Wien", None]}, dtype="str").assign(_source="f", _line=[2, 3, 4, 5])


@pytest.mark.parametrize(
    ("test", "broken"),
    [
        (lambda f, _: f["city"].isna(), [1, 3]),  # missing cells are judged too
        (lambda f, _: f["city"] != "Graz", [1, 2, 3]),
        (lambda f, _: f["_line"] <= 5, [0, 1, 2, 3]),  # a rule sees the other columns
        (lambda f, _: f["_line"] <= 1, None),
    ],
)
def test_rules_run_on_every_row(test, broken):
    found = broken_rules([Rule("r", "city", "error", "rejected", "m", test)], FRAME, NOTHING)
    assert [list(rows) for _, rows in found] == ([] if broken is None else [broken])


def test_a_test_that_crashes_is_no_finding():
    rule = Rule("r", "city", "error", "rejected", "m", lambda f, _: f["no such column"])
    with pytest.raises(KeyError):
        broken_rules([rule], FRAME, NOTHING)


def test_a_rule_for_a_column_that_is_not_there_is_no_finding():
    rule = Rule("r", "street", "error", "rejected", "m", lambda f, _: f["city"].isna())
    with pytest.raises(KeyError):
        broken_rules([rule], FRAME, NOTHING)
