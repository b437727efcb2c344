"""Ratings and exits that stand in files of their own: ratings become changes in jobs, exits a part of employees."""

from pathlib import Path

import pytest
from studies import write_study
from test_init import begun, write

from analysis.pipeline import OpenStudy, open_study
from analysis.plan.errors import BadInput

pytestmark = pytest.mark.usefixtures("original_ids")

EMPLOYEES = """\
    employee_id,hire_date,exit_date,exit_type
    E1,2019-01-01,,
    E2,2019-01-01,2023-05-31,
    E3,2019-01-01,2022-06-30,involuntary
    E3,2023-01-01,2024-03-31,
    """
JOBS = """\
    employee_id,effective_date,job_level,department
    E1,2020-01-01,1,Sales
    E1,2023-07-01,2,Legal
    E2,2020-01-01,3,Sales
    """


def opened(folder: Path, **tables: str) -> OpenStudy:
    write_study(folder / "acme", {"employees": EMPLOYEES, "jobs": JOBS} | tables)
    return open_study("acme", folder)


def jobs(study: OpenStudy) -> list[tuple[str, str, float, str, float | None]]:
    rows = study.tables.jobs.assign(day=study.tables.jobs["effective_date"].dt.strftime("%Y-%m-%d"))
    rows = rows[["employee_id", "day", "job_level", "department", "performance_rating"]].astype(object)
    return [tuple(row) for row in rows.where(rows.notna(), None).itertuples(index=False)]


def exits(study: OpenStudy) -> list[tuple[str, str | None, str | None]]:
    rows = study.tables.employees.dropna(subset="exit_date").sort_values(["employee_id", "exit_date"])
    rows = rows.assign(day=rows["exit_date"].dt.strftime("%Y-%m-%d"))[["employee_id", "day", "exit_type"]].astype(
        object
    )
    return [tuple(row) for row in rows.where(rows.notna(), None).itertuples(index=False)]


def told(study: OpenStudy, *rules: str) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(p.rule, p.severity, p.example_rows) for p in study.problems if p.rule in rules]


RATING_RULES = ("rating_without_job", "ratings_differ", "duplicate_job")
EXIT_RULES = ("exit_of_no_spell", "exit_types_differ", "unmatched_person")


def test_a_rating_is_a_change_in_the_job_that_holds_that_day_and_later_jobs_keep_it(tmp_path):
    history = "employee_id,effective_date,performance_rating\nE1,2021-12-31,3\nE1,2022-12-31,4\nE2,2020-01-01,2\n"
    study = opened(tmp_path, ratings_history=history)
    assert jobs(study) == [
        ("E1", "2020-01-01", 1, "Sales", None),
        ("E1", "2021-12-31", 1, "Sales", 3),
        ("E1", "2022-12-31", 1, "Sales", 4),
        ("E1", "2023-07-01", 2, "Legal", 4),
        ("E2", "2020-01-01", 3, "Sales", 2),
    ]
    assert told(study, *RATING_RULES) == []
    assert not hasattr(study.tables, "ratings_history")


def test_a_rating_that_jobs_has_itself_stays_and_ends_the_one_before(tmp_path):
    own = """\
        employee_id,effective_date,job_level,performance_rating
        E1,2020-01-01,1,5
        E1,2022-01-01,1,2
        E1,2023-01-01,1,
        """
    history = "employee_id,effective_date,performance_rating\nE1,2020-01-01,4\nE1,2021-01-01,3\nE1,2022-01-01,2.0\n"
    study = opened(tmp_path, jobs=own, ratings_history=history)
    assert [(day, rating) for _, day, _, _, rating in jobs(study)] == [
        ("2020-01-01", 5),
        ("2021-01-01", 3),
        ("2022-01-01", 2),
        ("2023-01-01", None),
    ]
    assert told(study, *RATING_RULES) == [("ratings_differ", "warning", (2,))]


def test_a_rating_before_any_job_and_two_of_one_day_are_told_and_the_rows_add_up(tmp_path):
    history = "employee_id,effective_date,performance_rating\nE1,2019-06-30,4\nE1,2021-01-01,3\nE1,2021-01-01,5\n"
    study = opened(tmp_path, ratings_history=history)
    assert [rating for *_, rating in jobs(study)] == [None, 3, 3, None]
    assert told(study, *RATING_RULES) == [("rating_without_job", "warning", (2,)), ("ratings_differ", "warning", (4,))]
    counts = study.tables.row_counts.set_index("table").loc["ratings_history"]
    assert (counts["rows_in"], counts["rows_kept"], counts["rows_rejected"]) == (3, 1, 2)


def test_ratings_in_words_by_name_at_the_end_of_a_period(tmp_path):
    named = "employee_id,name,hire_date\nE1,Ada A,2019-01-01\nE2,Bo B,2019-01-01\n"
    results = 'name,Period End,Result\n"A, Ada",2021-12-31,Meets\n'
    write_study(
        tmp_path / "acme",
        {"employees": named, "jobs": JOBS, "ratings_history": results},
        columns={"ratings_history": {"effective_date": "Period End", "performance_rating": "Result"}},
        values={"ratings_history": {"performance_rating": ["Below", "Meets"]}},
    )
    assert jobs(open_study("acme", tmp_path))[1] == ("E1", "2021-12-31", 1, "Sales", 2)


def test_exits_of_a_list_fill_the_spell_that_ends_within_a_week(tmp_path):
    left = """\
        employee_id,exit_date,exit_type,exit_reason
        E2,2023-05-29,Resignation,Pay
        E3,2024-03-31,voluntary,Pay
        """
    study = opened(tmp_path, exits=left)
    assert exits(study) == [
        ("E2", "2023-05-31", "voluntary"),
        ("E3", "2022-06-30", "involuntary"),
        ("E3", "2024-03-31", "voluntary"),
    ]
    assert study.tables.employees["exit_reason"].dropna().tolist() == ["Pay", "Pay"]
    assert told(study, *EXIT_RULES, "exit_without_type") == []


def test_a_kind_that_the_employees_file_has_stays_and_a_day_of_no_exit_is_not_used(tmp_path):
    left = (
        "employee_id,exit_date,exit_type\nE3,2022-06-30,voluntary\nE1,2022-06-30,voluntary\nE2,2023-06-08,voluntary\n"
    )
    study = opened(tmp_path, exits=left)
    assert exits(study)[:2] == [("E2", "2023-05-31", None), ("E3", "2022-06-30", "involuntary")]
    assert told(study, *EXIT_RULES) == [
        ("exit_of_no_spell", "warning", (3, 4)),
        ("exit_types_differ", "warning", (2,)),
    ]


def test_where_the_employees_file_knows_no_exits_the_list_says_when_people_left(tmp_path):
    bare = "employee_id,hire_date\nE1,2019-01-01\nE2,2019-01-01\nE2,2022-01-01\n"
    study = opened(tmp_path, employees=bare, exits="employee_id,exit_date,exit_type\nE2,2020-12-31,retirement\n")
    assert exits(study) == [("E2", "2020-12-31", "retirement")]


def test_a_row_of_a_list_that_is_no_day_stops_the_study_with_its_line(tmp_path):
    with pytest.raises(BadInput) as bad:
        opened(tmp_path, exits="employee_id,exit_date,exit_type\nE2,soon,voluntary\n")
    errors = [(p.rule, p.table, p.example_rows) for p in bad.value.problems if p.severity == "error"]
    assert errors == [("not_a_date", "exits", (2,))]


def test_init_takes_both_files(tmp_path):
    ratings = write(tmp_path / "r.csv", "employee_id,effective_date,performance_rating", "E1,2021-12-31,3")
    left = write(tmp_path / "x.csv", "employee_id,exit_date,exit_type", "E2,2023-05-31,voluntary")
    study, _, _ = begun(tmp_path, "--ratings-history", ratings, "--exits", left)
    assert {(s.table, s.profile) for s in study.sources} == {("ratings_history", "canonical"), ("exits", "canonical")}
