"""Starts that say a month, a quarter or a season: unknown, or one day of it where study.yaml says which."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from studies import STUDY, write_study
from test_init import begun

from analysis.ingest.date_forms import read_span
from analysis.ingest.text_matching import folded
from analysis.pipeline import OpenStudy, open_study
from analysis.pipeline.events import comparisons, retention
from analysis.plan.errors import BadInput

pytestmark = pytest.mark.usefixtures("original_ids")

EMPLOYEES = """\
    employee_id,hire_date,exit_date,exit_type
    E1,2019-01-01,,
    E2,2023-04-10,,
    E3,2019-01-01,2023-04-20,voluntary
    E4,2019-01-01,,
    """
# E2 was hired in the spring, E3 left in it, E4's start has a day.
LIST = """\
    program_id,intake_date,employee_id,role,start_date,end_date
    genius,2023-03-01,E1,mentor,Spring 2023,
    genius,2023-03-01,E2,mentor,Spring 2023,
    genius,2023-03-01,E3,mentor,Spring 2023,
    genius,2023-03-01,E4,mentor,2023-03-07,
    """


def opened(folder: Path, enrolments: str = LIST, **study) -> OpenStudy:
    write_study(folder / "acme", {"employees": EMPLOYEES, "enrolments": enrolments}, **study)
    return open_study("acme", folder)


def starts(study: OpenStudy, column: str = "start_date") -> dict[str, str]:
    rows = study.tables.enrolments.dropna(subset=[column])
    return dict(zip(rows["employee_id"], rows[column].dt.strftime("%Y-%m-%d"), strict=True))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2023", "2023-01-01", "2023-12-31"),
        ("H1 2023", "2023-01-01", "2023-06-30"),
        ("2. Halbjahr 2023", "2023-07-01", "2023-12-31"),
        ("Q3 2022", "2022-07-01", "2022-09-30"),
        ("2022-Q3", "2022-07-01", "2022-09-30"),
        ("third quarter of 2022", "2022-07-01", "2022-09-30"),
        ("3. kvartal 2022", "2022-07-01", "2022-09-30"),
        ("Spring 2023", "2023-03-01", "2023-05-31"),
        ("im Frühjahr 2023", "2023-03-01", "2023-05-31"),
        ("été 2023", "2023-06-01", "2023-08-31"),
        ("Fall '23", "2023-09-01", "2023-11-30"),
        ("Winter 2022/23", "2022-12-01", "2023-02-28"),
        ("October 2023", "2023-10-01", "2023-10-31"),
        ("Feb-24", "2024-02-01", "2024-02-29"),
        ("octubre de 2023", "2023-10-01", "2023-10-31"),
        ("10/2023", "2023-10-01", "2023-10-31"),
        ("2023-10", "2023-10-01", "2023-10-31"),
        ("KW 12 2023", "2023-03-20", "2023-03-26"),
        ("2023-W12", "2023-03-20", "2023-03-26"),
        ("mid May 2023", "2023-05-11", "2023-05-20"),
        ("Ende Februar 2023", "2023-02-21", "2023-02-28"),
        ("early 2023", "2023-01-01", "2023-04-30"),
        ("Anfang Q3 2023", "2023-07-01", "2023-07-31"),
        ("Nov 2022 - Jan 2023", "2022-11-01", "2023-01-31"),
        ("Q1/Q2 2023", "2023-01-01", "2023-06-30"),
    ],
)
def test_a_span_is_all_the_days_that_it_may_mean(text, first, last):
    assert read_span(folded(text), 2034) == (dt.date.fromisoformat(first), dt.date.fromisoformat(last))


@pytest.mark.parametrize(
    "text", ["Winter 2023", "Oct 22", "10/23", "13/2023", "KW 60 2023", "Q5 2023", "Spring", "tbc", "Nov - Jan 2023"]
)
def test_what_may_mean_two_things_or_nothing_is_no_span(text):
    assert read_span(folded(text), 2034) is None


@pytest.mark.parametrize("day", ["10-11-2023", "Jan-10-2023", "1 October 2023", "2023-10-05", "20231005", "Oct 5, 23"])
def test_a_day_stays_a_day(tmp_path, day):
    enrolled = f'Mentor ID,Mentee ID,Start\nE1,E4,{"13-11-2023"}\nE2,E3,"{day}"\n'
    write_study(tmp_path / "acme", {"employees": EMPLOYEES}, imprecise_dates="last_day")
    add_pairs(tmp_path / "acme", enrolled)
    study = open_study("acme", tmp_path)
    assert not study.tables.enrolments["start_earliest"].notna().any()
    assert len(starts(study)) == 4


def add_pairs(folder: Path, pairs: str) -> None:
    (folder / "raw" / "pairs.csv").write_text(pairs, encoding="utf-8")
    file = folder / "study.yaml"
    entry = "- {table: enrolments, path: raw/pairs.csv, profile: pairs}\n"
    file.write_text(file.read_text(encoding="utf-8").replace("sources:\n", f"sources:\n{entry}"), encoding="utf-8")


@pytest.mark.parametrize(
    ("which", "spring"),
    [
        ("first_day", {"E1": "2023-03-01", "E2": "2023-04-10", "E3": "2023-03-01"}),
        ("midpoint", {"E1": "2023-04-15", "E2": "2023-05-05", "E3": "2023-03-26"}),
        ("last_day", {"E1": "2023-05-31", "E2": "2023-05-31", "E3": "2023-04-20"}),
    ],
)
def test_one_day_is_taken_of_those_on_which_the_person_was_there(tmp_path, which, spring):
    study = opened(tmp_path, imprecise_dates=which)
    assert starts(study) == spring | {"E4": "2023-03-07"}
    assert starts(study, "start_earliest") == {"E1": "2023-03-01", "E2": "2023-04-10", "E3": "2023-03-01"}
    assert starts(study, "start_latest") == {"E1": "2023-05-31", "E2": "2023-05-31", "E3": "2023-04-20"}
    [told] = [p for p in study.problems if p.rule == "imprecise_start"]
    assert (told.severity, told.action, told.example_rows) == ("warning", "repaired", (2, 3, 4))
    assert study.dated is study, "nobody's start is unknown"


def test_without_the_key_such_a_start_stays_unknown_and_the_key_is_named(tmp_path):
    study = opened(tmp_path)
    assert starts(study) == {"E4": "2023-03-07"}
    [told] = [p for p in study.problems if p.rule == "undated_start"]
    assert told.example_rows == (2, 3, 4) and "imprecise_dates: first_day, midpoint or last_day" in told.message


def test_an_end_and_the_data_lock_cut_the_span(tmp_path):
    enrolled = LIST.replace("E1,mentor,Spring 2023,", "E1,mentor,2024,2024-02-10")
    study = opened(tmp_path, enrolled.replace("E2,mentor,Spring 2023", "E2,mentor,2024"), imprecise_dates="last_day")
    assert (starts(study)["E1"], starts(study)["E2"]) == ("2024-02-10", "2024-12-31")


def test_a_word_for_an_unknown_day_stays_one(tmp_path):
    study = opened(tmp_path, LIST.replace("E1,mentor,Spring 2023", "E1,mentor,tbc"), imprecise_dates="midpoint")
    assert "E1" not in starts(study)
    assert [p.example_rows for p in study.problems if p.rule == "undated_start"] == [(2,)]


def test_the_source_says_it_for_its_file_alone(tmp_path):
    opened(tmp_path, imprecise_dates="first_day")
    file = tmp_path / "acme" / "study.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("path: raw/enrolments.csv\n", "path: raw/enrolments.csv\n  imprecise_dates: last_day\n")
    )
    assert starts(open_study("acme", tmp_path))["E1"] == "2023-05-31"


def test_a_file_may_give_the_two_ends_itself(tmp_path):
    enrolled = """\
        program_id,intake_date,employee_id,role,start_date,start_earliest,start_latest
        genius,2023-03-01,E1,mentor,,2023-03-01,2023-03-31
        genius,2023-03-01,E4,mentor,2023-03-10,2023-03-07,2023-03-31
        """
    assert starts(opened(tmp_path / "a", enrolled, imprecise_dates="midpoint")) == {
        "E1": "2023-03-16",
        "E4": "2023-03-10",
    }
    unknown = opened(tmp_path / "b", enrolled)
    assert starts(unknown) == {"E4": "2023-03-10"}
    is_unknown = unknown.tables.enrolments.set_index("employee_id")["start_unknown"].fillna(False)
    assert is_unknown.to_dict() == {"E1": True, "E4": False}
    with pytest.raises(BadInput) as bad:
        opened(tmp_path / "c", enrolled.replace("2023-03-10,", "2023-04-10,"))
    assert [(p.rule, p.example_rows) for p in bad.value.problems if p.severity == "error"] == [
        ("start_outside_span", (3,))
    ]


def test_two_rows_of_one_enrolment_keep_the_span_of_the_first_start(tmp_path):
    """E1 is in two pairs: one from a day in March on, the other from some day of May."""
    write_study(
        tmp_path / "acme",
        {"employees": EMPLOYEES},
        imprecise_dates="midpoint",
        programs=[STUDY["programs"][0] | {"intakes": ["2023-03-01"]}],
    )
    add_pairs(tmp_path / "acme", "Mentor ID,Mentee ID,Start\nE1,E4,May 2023\nE1,E2,2023-03-07\n")
    rows = open_study("acme", tmp_path).tables.enrolments.set_index("employee_id")
    of_e1 = rows.loc["E1", ["start_earliest", "start_date", "start_latest"]]
    assert list(of_e1.astype("str")) == ["2023-03-07"] * 3


def company(folder: Path, start: str, **study) -> OpenStudy:
    """Return 120 people of whom every third leaves, four days after the other, and when the 40th to 69th started."""
    day = dt.timedelta(days=1)
    employees, enrolled = (
        ["employee_id,hire_date,exit_date,exit_type"],
        ["program_id,intake_date,employee_id,role,start_date"],
    )
    for n in range(120):
        left = f"{dt.date(2023, 3, 2) + 4 * n * day},voluntary" if n % 3 == 0 else ","
        employees.append(f"E{n:03},{dt.date(2015, 1, 1) + 53 * n % 1501 * day},{left}")
        if 40 <= n < 70:
            enrolled.append(f"genius,2023-02-01,E{n:03},mentor,{start}")
    tables = {"employees": "\n".join(employees), "enrolments": "\n".join(enrolled)}
    write_study(folder / "acme", tables, horizons_months=[12], **study)
    return open_study("acme", folder)


def main_and_moved(study: OpenStudy) -> dict[str, float]:
    found = retention(comparisons(study, study.study.programs[0])[0])
    rows = [found.primary, *(row for row in found.alternatives if "_starts_" in row.estimator)]
    return {row.estimator.removeprefix("iptw_aalen_johansen").removeprefix("_starts_"): row.estimate for row in rows}


def test_beside_the_answer_stands_what_the_other_two_ends_would_say(tmp_path):
    """Each row is the answer of the same list with that day written in it."""
    by_day = {}
    for name, day in {"first_day": "2023-02-01", "midpoint": "2023-02-14", "last_day": "2023-02-28"}.items():
        by_day[name] = main_and_moved(company(tmp_path / name, day))[""]
    assert len(set(by_day.values())) > 1
    found = main_and_moved(company(tmp_path / "month", "February 2023", imprecise_dates="midpoint"))
    assert found.keys() == {"", "first_day", "last_day"}
    for name, value in found.items():
        assert np.isclose(value, by_day[name or "midpoint"], rtol=0, atol=1e-12)


def test_where_every_start_has_its_day_nothing_stands_beside(tmp_path):
    assert main_and_moved(company(tmp_path, "2023-02-14", imprecise_dates="midpoint")).keys() == {""}


def test_init_proposes_the_key_where_a_list_needs_it(tmp_path):
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("Mentor,Mentee,Start\nAda A,Bo B,Spring 2023\nCy C,Di D,2023-03-07\n", encoding="utf-8")
    _, text, _ = begun(tmp_path, "--enrolments", pairs)
    assert "# imprecise_dates: midpoint" in text and "# intakes: []" in text
