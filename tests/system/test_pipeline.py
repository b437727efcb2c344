"""A study without some of its tables gives the parts that it can, and says why the rest is not to be had."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from whole_report import few_draws

from analysis.answers.shared import shared, shared_answer
from analysis.pipeline import answer, open_study
from analysis.plan.results import estimates_frame
from analysis.release.answer import Released
from analysis.simulate import scenario_named, simulate, write_company


@pytest.fixture(scope="module", autouse=True)
def drawing_little():
    """Nothing here looks at how wide an interval is."""
    with few_draws():
        yield


def company_of(employees: int, data: Path) -> Path:
    """Return the folder of a simulated company on disk, in the contract's own form."""
    write_company(simulate(scenario_named("smallbank", like="northbank", employees=employees)), data / "smallbank")
    return data / "smallbank"


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> Path:
    """A company large enough that the mentors' scales may be shown."""
    return company_of(700, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def smaller(tmp_path_factory) -> Path:
    """A company in which their retention may be shown."""
    return company_of(300, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(company) -> Released:
    """The released answers of the company with all its tables."""
    return answer(open_study("smallbank", company.parent))


def without(company, tmp_path, *tables: str):
    """Return the released answers of a company without some tables."""
    folder = tmp_path / "smallbank"
    shutil.copytree(company, folder)
    study = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    study["sources"] = [s for s in study["sources"] if s["table"] not in tables]
    (folder / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    (folder / "SHA256SUMS").unlink(missing_ok=True)
    return answer(open_study("smallbank", tmp_path))


def primary(released) -> pd.DataFrame:
    rows = estimates_frame(e for f in released.findings for e in f.estimates)
    return rows[rows["analysis"] == "primary"].set_index(["hypothesis", "role"])


def test_the_whole_study_answers_every_hypothesis_for_both_roles(whole):
    rows = primary(whole)
    assert sorted(rows.index) == sorted(
        (h, r) for h in ("H1_retention", "H2_morale", "H3_leadership") for r in ("mentee", "mentor")
    )
    assert rows.loc[("H1_retention", "mentor"), "status"] == "estimated"
    assert rows["p_adjusted"].notna().sum() == (rows["status"] == "estimated").sum()


def test_without_a_survey_retention_is_still_answered(smaller, tmp_path):
    released = without(smaller, tmp_path, "responses", "waves")
    rows = primary(released)
    assert rows.loc[("H1_retention", "mentor"), "status"] == "estimated"
    assert rows.loc[("H2_morale", "mentor"), "status"] == "not_estimable"
    assert "survey" in rows.loc[("H2_morale", "mentor"), "reason"]
    assert "response_rates" not in released.described and "exit_rates" in released.described


def test_a_survey_without_person_keys_answers_nothing_and_says_why(smaller, tmp_path):
    folder = tmp_path / "keyless" / "smallbank"
    shutil.copytree(smaller, folder)
    (folder / "SHA256SUMS").unlink(missing_ok=True)
    for path in folder.glob("raw/pulse_w*.csv"):
        pd.read_csv(path, dtype=str).drop(columns="employee_id").to_csv(path, index=False)
    released = answer(open_study("smallbank", tmp_path / "keyless"))
    rows = primary(released)
    assert rows.loc[("H1_retention", "mentor"), "status"] == "estimated"
    assert rows.loc[("H2_morale", "mentor"), "status"] == "not_estimable"
    assert "person keys" in rows.loc[("H2_morale", "mentor"), "reason"]
    assert "unlinked_survey" in {problem.rule for problem in released.problems}


def test_without_hr_dates_the_scales_are_still_answered(company, tmp_path):
    released = without(company, tmp_path, "employees", "jobs")
    rows = primary(released)
    assert rows.loc[("H2_morale", "mentor"), "status"] == "estimated"
    assert rows.loc[("H1_retention", "mentor"), "status"] == "not_estimable"
    assert "HR dates" in rows.loc[("H1_retention", "mentor"), "reason"]
    assert "exit_rates" not in released.described


def test_without_job_history_retention_is_still_answered(smaller, tmp_path):
    rows = primary(without(smaller, tmp_path, "jobs"))
    assert rows.loc[("H1_retention", "mentor"), "status"] == "estimated"


def test_without_enrolments_nothing_is_compared_and_the_company_is_described(smaller, tmp_path):
    released = without(smaller, tmp_path, "enrolments", "sessions")
    rows = primary(released)
    assert (rows["status"] == "not_estimable").all() and rows["reason"].str.contains("enrolments").all()
    assert {"exit_rates", "response_rates", "reliability"} <= set(released.described)


def test_the_same_study_gives_the_same_numbers_twice(company, whole):
    again = answer(open_study("smallbank", company.parent))
    frames = [estimates_frame(e for f in released.findings for e in f.estimates) for released in (whole, again)]
    pd.testing.assert_frame_equal(*frames)


def test_many_exits_of_unknown_kind_make_any_exit_the_outcome(smaller, tmp_path):
    folder = tmp_path / "smallbank"
    shutil.copytree(smaller, folder)
    path = folder / "raw" / "employees.csv"
    employees = pd.read_csv(path, dtype=str)
    employees["exit_type"] = employees["exit_type"].where(employees.index % 5 > 0)
    employees.to_csv(path, index=False)
    (folder / "SHA256SUMS").unlink(missing_ok=True)
    rows = primary(answer(open_study("smallbank", tmp_path)))
    assert rows.loc[("H1_retention", "mentor"), "outcome"] == "any_exit"


def test_a_shared_answer_serves_the_same_files_alone(company, whole, tmp_path, monkeypatch):
    shutil.copytree(company, tmp_path / "smallbank")
    moved = whole.study.model_copy(update={"folder": tmp_path / "smallbank"})
    with shared(replace(whole, study=moved)):
        monkeypatch.setattr("analysis.pipeline.find", lambda opened: pytest.fail("estimated again"))
        again = answer(open_study("smallbank", tmp_path))
        assert estimates_frame(again.findings[0].estimates).equals(estimates_frame(whole.findings[0].estimates))
        study = tmp_path / "smallbank" / "study.yaml"
        study.write_text(study.read_text().replace("min_cell: 10", "min_cell: 12"))
        assert shared_answer(tmp_path / "smallbank") is None
    assert shared_answer(tmp_path / "smallbank") is None
