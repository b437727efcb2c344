"""`mentoring check` sees what a report needs: bounds, every mistake at once, lost columns and ids, open questions."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from cases import NAME, write_case
from pydantic import ValidationError
from studies import INSTRUMENT, TINY_COMPANY, as_csv, write_study

from analysis.ingest.ids import KEY, KEY_BYTES, load_key
from analysis.ingest.recognise import is_like
from analysis.ingest.text_matching import visible
from analysis.pipeline.checked import ONE_WAVE, Checked, answerable, check_study
from analysis.pipeline.opened import OpenStudy, open_study
from analysis.plan.contract import Assignment, unprintable
from analysis.plan.errors import BadInput, Problem
from analysis.plan.study import Event, Program, Study

LINKED = {table: text for table, text in TINY_COMPANY.items() if table != "unlinked_responses"}

STUDY_YAML = """\
schema_version: 1
study: acme
title: ACME
study_start: 2022-01-01
as_of: 2024-12-31
horizons_months: [12, 24]
min_cell: 10
replacement_cost_amount: 20000
events: [{date: 2023-02-01, label: Merger}]
smallest_effects: {H1_retention: 0.02}
programs:
  - id: genius
    name: Genius
    direction: reverse
    format: pair
    assignment: self_selected
    grace_days: 45
    cost_fixed: 1000
    eligibility:
      mentor: {job_level: [1, 3], min_tenure_days: 90}
sources:
  - {table: employees, path: raw/employees.csv, profile: canonical}
"""


def checked(folder: Path) -> Checked:
    return check_study(folder.name, folder.parent)


def errors(result: Checked) -> list[Problem]:
    return [problem for problem in result.problems if problem.severity == "error"]


def of_rule(result: Checked, rule: str) -> list[Problem]:
    return [problem for problem in result.problems if problem.rule == rule]


def tiny(folder: Path, changed: dict[str, str] | None = None, **study) -> Checked:
    """Check the tiny company with some of its tables replaced."""
    write_study(folder, LINKED | (changed or {}), **study)
    return checked(folder)


def with_text(folder: Path, text: str) -> Checked:
    """Check a study of employees alone that has this study.yaml."""
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    (folder / "raw" / "employees.csv").write_text(as_csv(LINKED["employees"]), encoding="utf-8")
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return checked(folder)


# --- bounds of study.yaml ---


def test_the_study_file_that_is_broken_below_is_good(tmp_path):
    assert errors(with_text(tmp_path / "acme", STUDY_YAML)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "line", "told"),
    [
        ("study_start: 2022-01-01", "study_start: 0001-01-01", 4, "between 1900-01-01 and 2100-12-31"),
        ("as_of: 2024-12-31", "as_of: 9999-12-31", 5, "between 1900-01-01 and 2100-12-31"),
        ("[12, 24]", "[12, 1000000000000]", 6, "less than or equal to 240"),
        ("[12, 24]", "[.inf]", 6, "finite number"),
        ("min_cell: 10", "min_cell: 100000000", 7, "less than or equal to 1000"),
        ("20000", ".inf", 8, "finite number"),
        ("20000", ".nan", 8, "finite number"),
        ("20000", "1.0e+308", 8, "less than or equal to"),
        ("date: 2023-02-01", "date: 0001-01-01", 9, "between 1900-01-01 and 2100-12-31"),
        ("date: 2023-02-01", "date: 9999-12-31", 9, "between 1900-01-01 and 2100-12-31"),
        ("label: Merger", 'label: "Mer\\a"', 9, "control character"),
        ("label: Merger", 'label: "Mer\\uD800ger"', 9, "half a character"),
        ("0.02", ".inf", 10, "finite number"),
        ("0.02", "2", 10, "difference of risks"),
        ("H1_retention", "H1_retentoin", 10, "there is no hypothesis H1_retentoin"),
        ("id: genius", "id: ../genius", 12, "letters, digits, - and _"),
        ("id: genius", "id: a/b", 12, "letters, digits, - and _"),
        ("name: Genius", 'name: "Gen\\0ius"', 13, "control character"),
        ("grace_days: 45", "grace_days: 1000000000000", 17, "less than or equal to 36525"),
        ("cost_fixed: 1000", "cost_fixed: .inf", 18, "finite number"),
        ("[1, 3]", "[1, .inf]", 20, "finite number"),
        ("[1, 3]", "[3, 1]", 20, "from the lowest to the highest"),
        ("min_tenure_days: 90", "min_tenure_days: 1000000", 20, "less than or equal to 36525"),
        ("profile: canonical", "profile: canonical, timezone: Europe/Belrin", 22, "is no time zone"),
        ("profile: canonical", "profile: canonical, sheet: People", None, "has no sheets"),
        ("profile: canonical", "profile: canonical, program: genuis", 22, "did you mean genius?"),
        ("raw/employees.csv", '"raw/\\0.csv"', 22, "control character"),
    ],
)
def test_what_no_company_has_is_told_with_its_line(tmp_path, right, wrong, line, told):
    assert right in STUDY_YAML
    found = errors(with_text(tmp_path / "acme", STUDY_YAML.replace(right, wrong, 1)))
    assert len(found) == 1, [str(problem) for problem in found]
    assert told in found[0].message
    assert line is None or found[0].example_rows == (line,)
    assert not unprintable(str(found[0]))


def test_a_control_character_in_the_file_itself_is_told_with_its_line(tmp_path):
    (found,) = errors(with_text(tmp_path / "acme", STUDY_YAML.replace("name: Genius", "name: Gen\x07ius")))
    assert (found.source, found.example_rows) == ("study.yaml", (13,))
    assert "control character" in found.message


def test_a_title_over_two_lines_is_one_line(tmp_path):
    text = STUDY_YAML.replace("title: ACME", "title: >\n  ACME and\n  sons")
    result = with_text(tmp_path / "acme", text)
    assert errors(result) == []
    assert open_study("acme", tmp_path).study.title == "ACME and sons"


@pytest.mark.parametrize("good", ["genius", "Genius-2_b", "2023", "v1.2", "förderung", "g" * 100])
def test_an_id_that_can_name_a_file_is_allowed(good):
    assert Program(id=good, name="", direction="peer", format="pair", assignment="lottery").id == good


@pytest.mark.parametrize(
    "bad", ["", "..", ".", "a..b", ".a", "a.", "a/b", "a\\b", "-a", "a b", "a:b", "a\n", "g" * 101]
)
def test_an_id_that_could_name_a_file_elsewhere_is_not(bad):
    with pytest.raises(ValidationError):
        Program(id=bad, name="", direction="peer", format="pair", assignment="lottery")


def test_two_ids_that_differ_in_case_alone_would_be_one_file():
    program = {"name": "", "direction": "peer", "format": "pair", "assignment": "lottery"}
    two = [program | {"id": one} for one in ("a", "A")]
    with pytest.raises(ValidationError, match="two programs have the same id"):
        Study(schema_version=1, study="acme", title="", study_start="2022-01-01", as_of="2023-01-01", programs=two)


def test_an_event_outside_the_study_is_kept_and_told(tmp_path):
    text = STUDY_YAML.replace("date: 2023-02-01", "date: 2015-01-01")
    result = with_text(tmp_path / "acme", text)
    (found,) = of_rule(result, "event_outside_study")
    assert result.is_good
    assert (found.severity, found.example_rows, found.action) == ("warning", (9,), "kept")
    assert open_study("acme", tmp_path).study.events == (Event(date="2015-01-01", label="Merger"),)


# --- every mistake at once ---


def test_mistakes_of_study_file_cards_and_data_are_told_in_one_run(tmp_path):
    folder = tmp_path / "acme"
    employees = as_csv(LINKED["employees"]).replace("2023-09-30", "2019-09-30")
    write_study(folder, LINKED | {"employees": employees, "jobs": LINKED["jobs"].replace("E3,2021", "E9,2021")})
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    text = text.replace("2024-12-31", "2021-12-31").replace("- 12\n- 24", "- 24\n- 12").replace("pair", "trio")
    (folder / "study.yaml").write_text(text + "min_cell: 1\nkeep: {employees: [Nowhere]}\n", encoding="utf-8")
    (folder / "instruments" / "other.yaml").write_text(INSTRUMENT.replace("max: 5", "max: 0"), encoding="utf-8")
    told = " ".join(str(problem) for problem in errors(checked(folder)))
    for mistake in (
        "line 4: as_of must lie after study_start",
        "horizons_months must rise",
        "'pair', 'group' or 'clinic'",
        "min_cell: Input should be greater than or equal to 3",
        "instruments/other.yaml, line 3: response",
        "no file of employees has a column Nowhere",
        "raw/employees.csv, line 3: exit_date lies before hire_date",
        "raw/jobs.csv, line 4: employee_id is not in the employees table",
    ):
        assert mistake in told, told


def test_a_bad_key_of_one_entry_does_not_hide_or_move_the_mistakes_of_others(tmp_path):
    more = (
        "  - {table: jobs, path: ../jobs.csv, profile: canonical, wave: 0}\n"
        "  - {table: jobs, profile: canonical}\n"
        "  - {table: jobs, path: raw/employees.csv, profile: canonical, timezone: Nowhere, decimal: x}\n"
    )
    found = errors(with_text(tmp_path / "acme", STUDY_YAML + more))
    assert sorted(problem.example_rows for problem in found) == [(23,), (23,), (24,), (25,), (25,)]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("id: genius", "id: gen/ius"), ("direction: reverse", "direction: backwards"), ("employees.csv", "../e.csv")],
)
def test_what_only_follows_from_a_mistake_of_the_study_file_is_not_told_as_one_of_the_data(tmp_path, right, wrong):
    write_study(tmp_path / "acme", LINKED)
    path = tmp_path / "acme" / "study.yaml"
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    found = errors(checked(tmp_path / "acme"))
    assert [problem.source for problem in found] == ["study.yaml"], [str(problem) for problem in found]


def test_a_broken_card_is_told_and_not_every_answer_to_it(tmp_path):
    write_study(tmp_path / "acme", LINKED)
    (tmp_path / "acme" / "instruments" / "mini.yaml").write_text(INSTRUMENT.replace("max: 5", "max: .inf"))
    (found,) = errors(checked(tmp_path / "acme"))
    assert found.source == "instruments/mini.yaml" and "finite number" in found.message


def test_a_file_that_is_no_yaml_is_told_with_the_mistakes_of_the_cards(tmp_path):
    write_study(tmp_path / "acme", LINKED)
    (tmp_path / "acme" / "study.yaml").write_text("programs: [")
    (tmp_path / "acme" / "instruments" / "mini.yaml").write_text("instrument: mini")
    assert {problem.source for problem in errors(checked(tmp_path / "acme"))} == {"study.yaml", "instruments/mini.yaml"}


# --- columns ---


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        ("exit_dt", "exit_date"),
        ("ExitDt", "exit_date"),
        ("Exit", "exit_date"),
        ("dept", "department"),
        ("loc", "location"),
        ("Manager", "manager_id"),
        ("exit_tpye", "exit_type"),
        ("start_dat", "start_date"),
        ("mployee_id", "employee_id"),
    ],
)
def test_a_slip_or_an_abbreviation_is_like_the_name(column, meant):
    assert is_like(column, meant)


@pytest.mark.parametrize(
    ("column", "canonical"),
    [
        ("Cost centre", "location"),
        ("note", "notice_date"),
        ("Region", "location"),
        ("id", "match_id"),
        ("x", "fte"),
        ("Ende", "gender"),
    ],
)
def test_another_column_is_not(column, canonical):
    assert not is_like(column, canonical)


def test_a_misspelt_optional_column_is_asked_about(tmp_path):
    result = checked(write_case("misspelt_optional_column", tmp_path))
    (found,) = of_rule(result, "column_unused")
    assert (found.severity, found.source, found.example_rows) == ("warning", "raw/employees.csv", (1,))
    assert "column 3 (exit_dt) is not read: did you mean exit_date?" in found.message
    retention = next(q for q in result.questions if q.hypothesis == "H1_retention" and q.role == "mentor")
    assert "check that exit_date" in retention.reason


def test_a_misspelt_department_is_asked_about(tmp_path):
    jobs = """\
        employee_id,effective_date,job_level,dept
        E1,2019-03-01,5,Sales
        E2,2020-06-15,1,Sales
        """
    found = of_rule(tiny(tmp_path / "acme", {"jobs": jobs}), "column_unused")
    assert "column 4 (dept) is not read: did you mean department?" in found[0].message


def test_a_misspelt_required_column_is_named_in_the_error(tmp_path):
    employees = as_csv(LINKED["employees"]).replace("hire_date", "hire_dt")
    (found,) = errors(tiny(tmp_path / "acme", {"employees": employees}))
    assert "did you mean column 2 (hire_dt) for hire_date?" in found.message


def test_a_heading_that_is_like_none_of_ours_is_not_repeated(tmp_path):
    employees = as_csv(LINKED["employees"]).replace("birth_year", "Anna Muster")
    result = tiny(tmp_path / "acme", {"employees": employees})
    assert not any("Muster" in str(problem) for problem in result.problems if problem.rule == "column_unused")


@pytest.mark.parametrize(
    ("study", "told"),
    [
        ({"columns": {"employees": {"exit_dat": "Leave"}}}, "no canonical column exit_dat; did you mean exit_date?"),
        ({"columns": {"responses": {"m9": "Q1"}}}, "no canonical column or item m9"),
        ({"columns": {"employees": {"gender": "Sex"}}}, "names columns that the header does not have (gender: Sex)"),
        ({"values": {"employees": {"exit_type": {"volunatry": ["X"]}}}}, "did you mean voluntary?"),
        ({"values": {"employees": {"exit_tpye": {"voluntary": ["X"]}}}}, "did you mean exit_type?"),
        ({"keep": {"employees": ["Cost centre"]}}, "no file of employees has a column Cost centre"),
        ({"timezone": "Mars/Olympus"}, "is no time zone"),
    ],
)
def test_what_study_yaml_names_must_be_there(tmp_path, study, told):
    found = errors(tiny(tmp_path / "acme", **study))
    assert len(found) == 1 and told in found[0].message, [str(problem) for problem in found]


def test_a_key_of_columns_is_told_with_its_line(tmp_path):
    text = STUDY_YAML + "columns:\n  employees:\n    hire_date: Hired\n    exit_dat: Leave\n"
    assert {problem.example_rows for problem in errors(with_text(tmp_path / "acme", text))} >= {(26,)}


# --- ids ---


def test_signs_that_nobody_sees_are_taken_off():
    assert visible("E\u200b1\u00a0") == "E1"
    assert visible("\ufeff E\u00a0 1\x07") == "E 1"
    assert visible("Größe") == "Größe"


def test_an_id_with_a_zero_width_space_is_the_same_id(tmp_path):
    result = tiny(tmp_path / "acme", {"responses": as_csv(LINKED["responses"]).replace("E1,", "E1\u200b,")})
    (found,) = of_rule(result, "invisible_characters")
    assert (found.action, found.rows, result.is_good) == ("repaired", 3, True)
    assert of_rule(result, "unknown_employee") == []


def test_an_id_in_another_case_is_linked_with_a_warning(tmp_path):
    result = tiny(tmp_path / "acme", {"enrolments": as_csv(LINKED["enrolments"]).replace(",E2,", ",e2,")})
    (found,) = of_rule(result, "id_in_other_case")
    assert (found.severity, found.action, found.example_rows, result.is_good) == ("warning", "repaired", (2,), True)


def test_an_id_in_another_case_of_which_there_are_several_is_not_guessed(tmp_path):
    employees = as_csv(LINKED["employees"]) + "xy,2020-01-01,,,,,1990,Graz\nXY,2020-01-01,,,,,1990,Graz\n"
    responses = as_csv(LINKED["responses"]) + "Xy,1,mini,m1,4,2022-03-02\n"
    result = tiny(tmp_path / "acme", {"employees": employees, "responses": responses})
    (found,) = of_rule(result, "id_in_other_case")
    assert (found.severity, found.action, found.example_rows) == ("warning", "kept", (7,))
    assert "nobody is guessed" in found.message
    assert [problem.example_rows for problem in of_rule(result, "unknown_employee")] == [(7,)]


# --- cells ---


@pytest.mark.parametrize(
    ("table", "old", "new", "rule", "severity"),
    [
        ("jobs", "job_level,", "job_level,base_salary,", "out_of_range", "error"),
        ("jobs", "2019-03-01,5", "2019-03-01,1e300", "out_of_range", "error"),
        ("sessions", "2022-06-20,60", "2022-06-20,1e308", "out_of_range", "error"),
        ("waves", "1,mini,2022-03-01,2022-03-14", "1,mini,2022-03-01,9999-12-31", "date_out_of_range", "error"),
        ("employees", "E1,2019-03-01", "E1,0001-01-01", "date_out_of_range", "error"),
        ("employees", "2023-08-31", "1800-01-01", "date_out_of_range", "error"),
        ("employees", "E1,2019-03-01,", "E1,2019-03-01,9999-12-31", "exit_after_as_of", "info"),
        ("enrolments", "2022-12-08", "9999-12-31", "end_after_as_of", "info"),
    ],
)
def test_a_cell_that_no_company_has_is_told(tmp_path, table, old, new, rule, severity):
    text = as_csv(LINKED[table])
    assert old in text
    text = text.replace(old, new, 1)
    if "base_salary" in new:
        first, *lines = text.splitlines()
        text = "\n".join([first, *(re.sub(r"^(\w+,[\d-]+,\d),", r"\1,1e308,", line) for line in lines), ""])
    result = tiny(tmp_path / "acme", {table: text})
    assert {problem.severity for problem in of_rule(result, rule)} == {severity}
    assert result.is_good == (severity != "error")


# --- surveys that link to nobody ---


def test_a_survey_that_links_to_nobody_is_told_and_retention_is_still_answered(tmp_path):
    result = checked(write_case("survey_links_to_nobody", tmp_path))
    found = of_rule(result, "file_unused")
    assert result.is_good and len(found) == 3
    assert all(problem.severity == "warning" and "none of the" in problem.message for problem in found)
    assert {problem.source: re.search(r"[\d,]+ forms", problem.message)[0] for problem in found} == {
        "raw/pulse_w1.csv": "12 forms",
        "raw/pulse_w3.csv": "61 forms",
        "raw/pulse_w5.csv": "12 forms",
    }
    assert open_study(NAME, tmp_path).tables.responses is None
    said = {q.hypothesis: q.reason for q in result.questions if q.role == "mentor"}
    assert said["H1_retention"] == "" and said["H2_morale"].startswith("No survey in the study measures morale")


def test_the_same_ids_in_lower_case_are_linked(tmp_path):
    folder = write_case("survey_links_to_nobody", tmp_path)
    for path in folder.glob("raw/pulse_*.csv"):
        path.write_text(path.read_text().replace("SF", "f"))
    result = checked(folder)
    assert of_rule(result, "file_unused") == of_rule(result, "unknown_employee") == []
    assert len(of_rule(result, "id_in_other_case")) == 3


def test_everybody_gone_before_the_study_is_told(tmp_path):
    result = checked(write_case("all_left_before_study_start", tmp_path))
    assert result.is_good and len(of_rule(result, "file_unused")) == 3
    retention = {q.reason for q in result.questions if q.hypothesis == "H1_retention"}
    assert retention == {"Nobody who started was employed, eligible and not under notice on the day of the start."}


def test_a_good_study_is_told_nothing_of_the_kind(tmp_path):
    result = checked(write_case("event_outside_the_study", tmp_path))
    assert of_rule(result, "file_unused") == [] and len(of_rule(result, "event_outside_study")) == 1


# --- what can be answered ---


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> OpenStudy:
    data = tmp_path_factory.mktemp("data")
    write_case("event_outside_the_study", data)
    return open_study(NAME, data)


def said(opened: OpenStudy, hypothesis: str, role: str = "mentor") -> str:
    return next(q.reason for q in answerable(opened) if (q.hypothesis, q.role) == (hypothesis, role))


def without(opened: OpenStudy, **tables) -> OpenStudy:
    return replace(opened, tables=replace(opened.tables, **tables))


def test_what_can_be_answered_is_said_so(company):
    assert said(company, "H1_retention") == said(company, "H8_promotion") == ""


def test_no_count_below_the_least_is_told(company):
    reasons = " ".join(q.reason for q in answerable(company))
    assert {int(number) for number in re.findall(r"\d+", reasons)} <= {company.study.min_cell, 12}


def test_what_is_missing_is_named(company):
    tables = company.tables
    no_start = tables.enrolments.assign(
        start_date=tables.enrolments["start_date"].mask(tables.enrolments["role"].notna())
    )
    after = tables.enrolments["start_date"].max() + pd.Timedelta(days=1)
    later = company.study.model_copy(update={"study_start": after.date()})
    for opened, hypothesis, reason in (
        (without(company, enrolments=None), "H1_retention", "The study has no enrolments"),
        (without(company, employees=None), "H1_retention", "The study has no HR dates"),
        (without(company, jobs=None), "H8_promotion", "The study has no job history"),
        (without(company, enrolments=no_start), "H1_retention", "Nobody has a start date in this role"),
        (without(company, responses=None), "H2_morale", "No survey in the study measures morale"),
        (without(company, responses=tables.responses[tables.responses["wave"] == 1]), "H2_morale", ONE_WAVE),
        (without(company, responses=tables.responses[tables.responses["wave"] <= 2]), "H2_morale", ONE_WAVE),
        (replace(company, study=later), "H1_retention", "Those who started did so before the period observed"),
    ):
        role = "any" if opened.tables.enrolments is None else "mentor"
        assert said(opened, hypothesis, role).startswith(reason), hypothesis


def test_where_everybody_starts_on_one_day_nobody_is_left_to_compare_with(company):
    people = company.tables.employees["employee_id"].drop_duplicates()
    enrolled = company.tables.enrolments
    row = enrolled[(enrolled["role"] == "mentor") & enrolled["start_date"].notna()].iloc[[0]]
    everyone = row.loc[row.index.repeat(len(people))].assign(employee_id=people.to_numpy()).reset_index(drop=True)
    reason = said(without(company, enrolments=everyone), "H1_retention")
    assert reason.startswith("On no start day was there an eligible colleague left")


def test_a_lottery_needs_offers_of_both_kinds(company):
    drawn = replace(company, study=_assigned(company.study, "lottery"))
    assert said(drawn, "H1_retention").startswith(("No intake has people of both kinds", "A group has fewer"))


def test_a_rollout_that_has_reached_one_unit_cannot_be_told_from_it(company):
    rolled = replace(company, study=_assigned(company.study, "rollout"))
    one = without(rolled, jobs=company.tables.jobs.assign(department="Sales"))
    assert said(one, "H1_retention").startswith("The program has reached one unit only")
    none = without(rolled, jobs=company.tables.jobs.assign(department=None))
    assert "which unit people belong to is not recorded" in said(none, "H1_retention")


def _assigned(study: Study, assignment: str) -> Study:
    programs = tuple(program.model_copy(update={"assignment": Assignment(assignment)}) for program in study.programs)
    return study.model_copy(update={"programs": programs})


# --- files that cannot be read ---


def test_without_a_home_a_key_lives_as_long_as_the_process(monkeypatch):
    def homeless(*_):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(KEY)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert len(load_key()) == KEY_BYTES
    monkeypatch.setenv(KEY, "~/key")
    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(BadInput, match="no home folder"):
        load_key()


def test_a_bad_key_is_told_with_the_mistakes_of_the_data(tmp_path, monkeypatch):
    key = tmp_path / "key"
    key.write_bytes(b"short")
    key.chmod(0o600)
    monkeypatch.setenv(KEY, str(key))
    employees = as_csv(LINKED["employees"]).replace("2023-09-30", "2019-09-30")
    found = {problem.rule for problem in errors(tiny(tmp_path / "acme", {"employees": employees}))}
    assert found == {"pseudonym_key", "exit_before_hire"}


def test_a_folder_in_the_place_of_the_study_file_is_told(tmp_path):
    (tmp_path / "acme" / "study.yaml").mkdir(parents=True)
    (found,) = errors(checked(tmp_path / "acme"))
    assert (found.rule, "is a folder" in found.message) == ("unreadable_file", True)


def test_a_folder_in_the_place_of_a_card_is_told(tmp_path):
    write_study(tmp_path / "acme", LINKED)
    (tmp_path / "acme" / "instruments" / "more.yaml").mkdir()
    (found,) = errors(checked(tmp_path / "acme"))
    assert (found.source, "is a folder" in found.message) == ("instruments/more.yaml", True)


def test_a_study_folder_that_may_not_be_entered_is_told(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    write_study(tmp_path / "acme", LINKED)
    monkeypatch.setattr(Path, "exists", refused)
    (found,) = errors(checked(tmp_path / "acme"))
    assert (found.rule, "Permission denied" in found.message) == ("unreadable_file", True)


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n"])
def test_an_empty_study_file_is_told(tmp_path, content):
    (found,) = errors(with_text(tmp_path / "acme", content))
    assert found.source == "study.yaml" and "mapping" in found.message


def test_checksums_that_cannot_be_read_are_told(tmp_path, monkeypatch):
    write_study(tmp_path / "acme", LINKED)
    (tmp_path / "acme" / "SHA256SUMS").write_text("")
    read = Path.read_text

    def refused(path, *given, **named):
        if path.name == "SHA256SUMS":
            raise PermissionError(13, "Permission denied")
        return read(path, *given, **named)

    monkeypatch.setattr(Path, "read_text", refused)
    (found,) = errors(checked(tmp_path / "acme"))
    assert (found.source, found.rule) == ("SHA256SUMS", "unreadable_file")


def test_a_source_of_a_broken_profile_is_not_read_and_not_blamed(tmp_path):
    write_study(tmp_path / "acme", LINKED)
    study = yaml.safe_load((tmp_path / "acme" / "study.yaml").read_text())
    study["sources"][0]["profile"] = "ours"
    (tmp_path / "acme" / "study.yaml").write_text(yaml.safe_dump(study))
    (tmp_path / "acme" / "profiles").mkdir()
    (tmp_path / "acme" / "profiles" / "ours.yaml").write_text("profile: ours\n")
    assert {problem.source for problem in errors(checked(tmp_path / "acme"))} == {"profiles/ours.yaml"}
