"""Ratings in words, and what study.yaml says of one file's columns and values alone."""

from pathlib import Path

import pytest
from studies import write_study
from test_init import begun, write

from analysis.ingest.draft import in_order
from analysis.pipeline import OpenStudy, open_study
from analysis.plan.errors import BadInput

pytestmark = pytest.mark.usefixtures("original_ids")

EMPLOYEES = "employee_id,hire_date\nE1,2019-01-01\nE2,2019-01-01\nE3,2019-01-01\nE4,2019-01-01\n"
JOBS = """\
employee_id,effective_date,job_level,performance_rating
E1,2022-01-01,1,Meets
E2,2022-01-01,1,below
E3,2022-01-01,1,Exceeds
E4,2022-01-01,1,
"""
RATINGS = ["Below", "Meets", "Exceeds"]


def opened(folder: Path, jobs: str = JOBS, **study) -> OpenStudy:
    write_study(folder / "acme", {"employees": EMPLOYEES, "jobs": jobs}, **study)
    return open_study("acme", folder)


def errors(folder: Path, *args, **study) -> list[tuple[str, tuple[int, ...], str]]:
    with pytest.raises(BadInput) as bad:
        opened(folder, *args, **study)
    return [(p.rule, p.example_rows, p.message) for p in bad.value.problems if p.severity == "error"]


def ratings(study: OpenStudy) -> dict[str, float]:
    rows = study.tables.jobs.dropna(subset="performance_rating")
    return dict(zip(rows["employee_id"], rows["performance_rating"], strict=True))


@pytest.mark.parametrize("listed", [RATINGS, [["Below", "Poor"], "Meets", "Exceeds"]])
def test_words_count_as_their_place_in_the_list(tmp_path, listed):
    study = opened(tmp_path, values={"jobs": {"performance_rating": listed}})
    assert ratings(study) == {"E2": 1, "E1": 2, "E3": 3}


def test_what_is_no_rating_is_empty_in_the_long_form(tmp_path):
    values = {"jobs": {"performance_rating": {"1": ["Below"], "2": ["Meets"], "": ["Exceeds"]}}}
    assert ratings(opened(tmp_path, values=values)) == {"E2": 1, "E1": 2}


def test_a_word_outside_the_list_is_one_error_with_its_lines(tmp_path):
    [(rule, lines, message)] = errors(tmp_path, values={"jobs": {"performance_rating": ["Below", "Meets"]}})
    assert (rule, lines) == ("words_for_numbers", (4,)) and "Exceeds (1)" in message


def test_words_without_a_list_are_an_error_that_says_how_to_list_them(tmp_path):
    [(rule, lines, message)] = errors(tmp_path)
    assert (rule, lines) == ("words_for_numbers", (2, 3, 4))
    assert "values: {jobs: {performance_rating: [LOWEST, …, HIGHEST]}}" in message


def test_what_somebody_wrote_in_a_rating_is_not_repeated(tmp_path):
    notes = "Ada did well until she left for her parents' farm in the spring of this year"
    [(_, _, message)] = errors(tmp_path, JOBS.replace("Meets", notes))
    assert "Ada" not in message and "Exceeds" not in message


def test_init_asks_for_the_order_and_proposes_one(tmp_path):
    levels = ["Exceeds expectations", "Meets expectations", "Does not meet", "Outstanding", "Partially meets"]
    rows = [f"E{n},2022-01-01,1,{word}" for n, word in enumerate(levels * 10)]
    file = write(tmp_path / "jobs.csv", "employee_id,effective_date,job_level,performance_rating", *rows)
    _, text, _ = begun(tmp_path, "--jobs", file)
    order = "Does not meet, Partially meets, Meets expectations, Exceeds expectations, Outstanding"
    assert f"#     performance_rating: [{order}]" in text and "in this order?" in text
    assert in_order(["Great", "Poor"]) == ["Poor", "Great"]


def two_files(folder: Path, **of_the_second) -> OpenStudy:
    """Two files of jobs that call the level and the department by other names; the study speaks of the first."""
    raw = folder / "acme" / "raw"
    write_study(folder / "acme", {"employees": EMPLOYEES})
    (raw / "a.csv").write_text("employee_id,effective_date,grade,department\nE1,2022-01-01,3,Sales\n", encoding="utf-8")
    (raw / "b.csv").write_text("employee_id,effective_date,Band,department\nE2,2022-01-01,X,VTR\n", encoding="utf-8")
    sources = [
        {"table": "employees", "path": "raw/employees.csv", "profile": "canonical"},
        {"table": "jobs", "path": "raw/a.csv", "profile": "canonical"},
        {"table": "jobs", "path": "raw/b.csv", "profile": "canonical", **of_the_second},
    ]
    write_study(
        folder / "acme",
        {},
        sources=sources,
        columns={"jobs": {"job_level": "grade"}},
        values={"jobs": {"department": {"Distribution": ["VTR"]}}},
    )
    return open_study("acme", folder)


def test_columns_and_values_of_one_file_count_before_those_of_its_table(tmp_path):
    own = {"columns": {"job_level": "Band"}, "values": {"job_level": ["W", "X"], "department": {"Sales": ["VTR"]}}}
    rows = two_files(tmp_path, **own).tables.jobs.set_index("employee_id")
    assert rows["job_level"].to_dict() == {"E1": 3, "E2": 2}
    assert rows["department"].to_dict() == {"E1": "Sales", "E2": "Sales"}


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"columns": {"job_level": "Bnad"}}, "job_level: Bnad; did you mean Band?"),
        ({"columns": {"job_levl": "Band"}}, "job_levl; did you mean job_level?"),
        ({"values": {"depatment": {"Sales": ["VTR"]}}}, "jobs.depatment; did you mean department?"),
    ],
)
def test_a_name_that_is_not_there_is_an_error_with_the_nearest_that_is(tmp_path, own, told):
    with pytest.raises(BadInput) as bad:
        two_files(tmp_path, **{"columns": {"job_level": "Band"}, **own})
    assert any(told in p.message for p in bad.value.problems if p.severity == "error")


def test_a_survey_of_one_wave_may_have_its_items_elsewhere(tmp_path):
    waves = "wave,instrument,opens,closes\n1,mini,2022-03-01,2022-03-14\n2,mini,2023-03-01,2023-03-14\n"
    write_study(tmp_path / "acme", {"employees": EMPLOYEES, "waves": waves})
    raw = tmp_path / "acme" / "raw"
    (raw / "w1.csv").write_text("ID,First,Second\nE1,4,2\n", encoding="utf-8")
    (raw / "w2.csv").write_text("ID,Second,First\nE1,1,5\n", encoding="utf-8")
    shared = {"table": "responses", "profile": "wide", "instrument": "mini", "codes": "card"}
    sources = [
        {"table": "employees", "path": "raw/employees.csv", "profile": "canonical"},
        {"table": "waves", "path": "raw/waves.csv", "profile": "canonical"},
        shared | {"path": "raw/w1.csv", "wave": 1},
        shared | {"path": "raw/w2.csv", "wave": 2, "columns": {"m1": "Second", "m2": "First"}},
    ]
    columns = {"responses": {"employee_id": "ID", "m1": "First", "m2": "Second"}}
    write_study(tmp_path / "acme", {}, sources=sources, columns=columns)
    answers = open_study("acme", tmp_path).tables.responses
    told = {(w, item): value for w, item, value in answers[["wave", "item", "value"]].itertuples(index=False)}
    assert told == {(1, "m1"): 4, (1, "m2"): 2, (2, "m1"): 1, (2, "m2"): 5}
