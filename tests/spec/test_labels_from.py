"""Answers in a tool's numbers, and a second export of them with labels that says what the numbers stand for."""

from pathlib import Path

import pytest
from studies import write_study

from analysis.pipeline import OpenStudy, open_study
from analysis.plan.errors import BadInput

pytestmark = pytest.mark.usefixtures("original_ids")

# The tool counts from the other end, and gave m2's last choice the number 9.
NUMBERS = """\
Response ID,Employee ID,m1,m2
R1,E1,1,9
R2,E2,5,1
R3,E3,2,
R4,E4,2,5
"""
LABELS = """\
Response ID,Employee ID,m1,m2
R2,E2,Strongly disagree,Strongly agree
R1,E1,Strongly agree,Neither
R3,E3,Agree,
"""


def opened(folder: Path, numbers: str = NUMBERS, labels: str = LABELS, **keys) -> OpenStudy:
    study = folder / "acme"
    people = "".join(f"E{n},2019-01-01\n" for n in range(1, 6))
    write_study(study, {"employees": f"employee_id,hire_date\n{people}"})
    (study / "raw" / "numbers.csv").write_text(numbers, encoding="utf-8")
    (study / "raw" / "labels.csv").write_text(labels, encoding="utf-8")
    survey = {"table": "responses", "path": "raw/numbers.csv", "profile": "wide", "wave": 1, "instrument": "mini"}
    employees = {"table": "employees", "path": "raw/employees.csv", "profile": "canonical"}
    waves = [{"wave": 1, "instrument": "mini", "opens": "2022-03-01", "closes": "2022-03-14"}]
    write_study(study, {}, sources=[employees, survey | {"labels_from": "raw/labels.csv"} | keys], waves=waves)
    return open_study("acme", folder)


def errors(folder: Path, **changes) -> list[tuple[str, str]]:
    with pytest.raises(BadInput) as bad:
        opened(folder, **changes)
    return [(p.rule, p.message) for p in bad.value.problems if p.severity == "error"]


def test_numbers_become_what_the_labels_of_the_same_rows_say(tmp_path):
    study = opened(tmp_path, NUMBERS.replace("R4,E4,2,5\n", "R4,E4,2,1\n"))
    rows = study.tables.responses[["employee_id", "item", "value"]].dropna().astype(object)
    assert {(person, item): value for person, item, value in rows.itertuples(index=False)} == {
        ("E1", "m1"): 5,
        ("E2", "m1"): 1,
        ("E3", "m1"): 4,
        ("E4", "m1"): 4,
        ("E1", "m2"): 3,
        ("E2", "m2"): 5,
        ("E4", "m2"): 5,
    }
    [told] = [p for p in study.problems if p.rule == "labels_from"]
    assert (told.severity, "3 rows" in told.message) == ("info", True)
    assert not [p for p in study.problems if p.rule == "tool_codes"]


def test_a_number_that_nobody_gave_in_the_labelled_rows_is_an_error(tmp_path):
    """m2 has a 5 in the fourth row alone."""
    [(rule, message)] = errors(tmp_path)
    assert rule == "tool_codes" and "(m2) has numbers without a label" in message


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (LABELS.replace("R3,E3,Agree", "R3,E3,Agree,\nR4,E4,Disagree"), "(m1): a number stands beside two labels"),
        (LABELS.replace("R3,E3,Agree", "R3,E3,Strongly agree"), "(m1): a number stands beside two labels"),
        (LABELS.replace("Response ID,Employee ID", "No,Person"), "no column tells which rows"),
        (LABELS.replace("R1,E1", "X,Y").replace("R2,E2", "Z,W"), "no column tells which rows"),
    ],
)
def test_what_is_not_one_to_one_or_cannot_be_matched_is_refused(tmp_path, labels, told):
    assert any(rule == "labels_from" and told in message for rule, message in errors(tmp_path, labels=labels))


def test_a_labelled_file_that_is_not_there_is_told(tmp_path):
    assert [rule for rule, _ in errors(tmp_path, labels_from="raw/gone.csv")] == ["missing_file"]


def test_codes_and_labels_are_not_given_together(tmp_path):
    assert any("give either codes or labels_from" in message for _, message in errors(tmp_path, codes="card"))
