"""What a person types: good runs, bad input told all at once, other studies of the run unharmed."""

import csv
import hashlib
import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from in_process import make_reports_here, shelve
from studies import TINY_COMPANY, write_study

from analysis import cli, pipeline
from analysis.notebook.own import OWN_PARAMETERS
from analysis.plan.errors import BadInput
from analysis.plan.paths import notebooks_dir
from analysis.report.execute import declared_parameters, execute_notebook
from analysis.report.folders import new_folder
from analysis.report.parameters import check_parameters


class Run(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def mentoring(*words: object) -> Run:
    """Run the command as a person would, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["mentoring", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return Run(ended.value.code or 0, out.getvalue(), err.getvalue())


def test_the_installed_command_and_the_module_are_the_same(tmp_path):
    for command in ([str(Path(sys.executable).with_name("mentoring"))], [sys.executable, "-m", "analysis"]):
        run = subprocess.run([*command, "check", "nowhere", "--data", tmp_path], capture_output=True, text=True)
        assert run.returncode == 2 and "nowhere/study.yaml" in run.stderr and "Traceback" not in run.stderr


def snapshot(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.mark.parametrize("command", ["init", "report", "check", "plan", "simulate", "fetch"])
def test_every_command_has_help_with_an_example(command):
    run = mentoring(command, "--help")
    assert run.returncode == 0 and f"Example: mentoring {command}" in run.stdout


def test_a_good_study_is_checked_with_its_remarks(tmp_path):
    write_study(tmp_path / "data" / "acme", TINY_COMPANY)
    run = mentoring("check", "acme", "--data", tmp_path / "data", "--reports", tmp_path / "reports")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "reports" / "acme" / "data_quality.csv").is_file()


def test_headings_that_may_hold_data_are_named_on_request_and_written_nowhere(tmp_path):
    employees = TINY_COMPANY["employees"].strip().splitlines()
    shoes = "\n".join(
        line.strip() + end for line, end in zip(employees, [",Shoe of Zelda Quux", *[",x"] * 9], strict=False)
    )
    write_study(tmp_path / "data" / "acme", TINY_COMPANY | {"employees": shoes})
    at = ("--data", tmp_path / "data", "--reports", tmp_path / "reports")
    assert "Zelda" not in mentoring("check", "acme", *at).stdout
    place = len(employees[0].split(",")) + 1
    asked = mentoring("check", "acme", "--show-headings", *at)
    assert f"column {place} is Shoe of Zelda Quux" in " ".join(asked.stdout.split())
    written = [path.read_text(encoding="utf-8") for path in (tmp_path / "reports").rglob("*") if path.is_file()]
    assert written and not any("Zelda" in text for text in written)


def broken(table: str, old: str, new: str) -> dict[str, str]:
    assert old in TINY_COMPANY[table]
    return TINY_COMPANY | {table: TINY_COMPANY[table].replace(old, new, 1)}


BAD_INPUT = {
    "a missing column": (broken("employees", "hire_date", "hired_on"), "missing_column"),
    "a date that is none": (broken("employees", "2019-03-01", "N/A-StillEmployed"), "not_a_date"),
    "an exit before the hire": (
        broken("employees", "2020-06-15,2023-09-30", "2020-06-15,2019-09-30"),
        "exit_before_hire",
    ),
    "a duplicate spell": (
        broken("employees", "E3,2021-01-01", "E2,2020-06-15,,,,,,\n        E3,2021-01-01"),
        "duplicate_spell",
    ),
    "an unknown employee in enrolments": (broken("enrolments", "E3,mentor", "E9,mentor"), "unknown_employee"),
    "an item that no instrument knows": (broken("responses", "E1,1,mini,m1", "E1,1,mini,m7"), "unknown_item"),
    "an empty file": (TINY_COMPANY | {"sessions": ""}, "empty_file"),
}


@pytest.mark.parametrize("mistake", BAD_INPUT)
def test_bad_input_gets_its_line_in_the_ledger_and_exit_code_2(tmp_path, mistake):
    tables, rule = BAD_INPUT[mistake]
    write_study(tmp_path / "data" / "acme", tables)
    run = mentoring("check", "acme", "--data", tmp_path / "data", "--reports", tmp_path / "reports")
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    with (tmp_path / "reports" / "acme" / "data_quality.csv").open(encoding="utf-8") as ledger:
        errors = [row for row in csv.DictReader(ledger) if row["severity"] == "error"]
    assert rule in {row["rule"] for row in errors}
    assert all(row["source"] in run.stderr and row["message"] in run.stderr for row in errors)


def test_a_missing_file_is_told(tmp_path):
    write_study(tmp_path / "acme", TINY_COMPANY)
    (tmp_path / "acme" / "raw" / "employees.csv").unlink()
    run = mentoring("check", "acme", "--data", tmp_path, "--reports", tmp_path / "reports")
    assert run.returncode == 2 and "raw/employees.csv" in run.stderr and "Traceback" not in run.stderr


@pytest.mark.parametrize("name", ["../acme", "/etc", "ACME", "a/b", ""])
def test_a_name_that_is_a_path_is_refused(tmp_path, name):
    write_study(tmp_path / "data" / "acme", TINY_COMPANY)
    for command in ("check", "report"):
        run = mentoring(command, name, "--data", tmp_path / "data", "--reports", tmp_path / "reports")
        assert run.returncode == 2 and "Traceback" not in run.stderr
    assert not list(tmp_path.glob("reports/*"))


def test_all_problems_come_at_once(tmp_path):
    tables = broken("employees", "2019-03-01", "2019-02-30")
    tables["enrolments"] = tables["enrolments"].replace("E3,mentor", "E9,mentor")
    tables["responses"] = tables["responses"].replace("E1,1,mini,m1", "E1,1,mini,m7")
    write_study(tmp_path / "acme", tables)
    run = mentoring("check", "acme", "--data", tmp_path, "--reports", tmp_path / "reports")
    for told in ("raw/employees.csv, line 2", "raw/enrolments.csv, line 4", "raw/responses.csv, line 2"):
        assert told in run.stderr


def test_a_bad_study_leaves_the_other_studies_of_the_run_alone(tmp_path, monkeypatch):
    """The good one gets its report; the bad one its ledger and the page on the data, and nothing else."""
    shelve(monkeypatch, tmp_path / "no-notebooks")
    write_study(tmp_path / "data" / "bad", broken("employees", "2019-03-01", "never"))
    write_study(tmp_path / "data" / "good", TINY_COMPANY)
    ended = mentoring("report", "bad", "good", "--data", tmp_path / "data", "--reports", tmp_path / "reports")
    assert ended.returncode == 2
    assert sorted(p.name for p in (tmp_path / "reports" / "bad").iterdir()) == [
        "data_quality.csv",
        "data_quality.html",
    ]
    assert {"index.html", "estimates.csv", "data_quality.csv", "data_quality.html", "run.json"} <= {
        p.name for p in (tmp_path / "reports" / "good").iterdir()
    }
    assert "good" in (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    run = json.loads((tmp_path / "reports" / "good" / "run.json").read_text(encoding="utf-8"))
    assert run["study"] == "good" and str(tmp_path) not in json.dumps(run)


def test_a_fault_of_the_program_takes_only_its_own_study_down_and_tells_no_data(tmp_path, monkeypatch):
    shelve(monkeypatch, tmp_path / "no-notebooks")
    write_study(tmp_path / "data" / "one", TINY_COMPANY)
    write_study(tmp_path / "data" / "two", TINY_COMPANY)
    real = pipeline.answer

    def faulty(opened):
        if opened.study.study == "one":
            raise KeyError("E2 moved away")
        return real(opened)

    monkeypatch.setattr(pipeline, "answer", faulty)
    make_reports_here(monkeypatch)
    ended = mentoring("report", "--all", "--data", tmp_path / "data", "--reports", tmp_path / "reports")
    assert ended.returncode == 1
    one, two = tmp_path / "reports" / "one", tmp_path / "reports" / "two"
    assert sorted(p.name for p in one.iterdir()) == ["data_quality.csv", "faults.log", "index.html"]
    assert (two / "estimates.csv").is_file() and not (two / "faults.log").exists()
    assert "KeyError" in ended.stderr and "moved away" not in ended.stdout + ended.stderr
    assert not [p for p in (tmp_path / "reports").rglob("*") if p.is_file() and b"moved away" in p.read_bytes()]
    index = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert "Incomplete: a fault in this program" in index and "its input has errors" not in index


def test_a_report_folder_is_replaced_whole_or_not_at_all(tmp_path):
    target = tmp_path / "acme"
    with new_folder(target) as folder:
        (folder / "run.json").write_text("old")
    before = snapshot(target)
    with pytest.raises(ZeroDivisionError), new_folder(target) as folder:
        (folder / "half.txt").write_text("half")
        raise ZeroDivisionError
    assert snapshot(target) == before
    with new_folder(target) as folder:
        (folder / "new.txt").write_text("new")
    assert list(snapshot(target)) == ["new.txt"] and [p.name for p in tmp_path.iterdir()] == ["acme"]


def test_nothing_to_do_is_said(tmp_path):
    for words in (["report"], ["report", "--all", "--data", tmp_path]):
        run = mentoring(*words)
        assert run.returncode == 2 and "Nothing to do" in run.stderr


def test_simulate_writes_a_study_that_can_be_checked(tmp_path):
    run = mentoring("simulate", "tiny", "--like", "fjellkode", "--employees", 60, "--no-effect", "--data", tmp_path)
    assert run.returncode == 0, run.stderr
    again = mentoring("simulate", "tiny", "--like", "fjellkode", "--data", tmp_path)
    assert again.returncode == 2 and "tiny" in again.stderr
    assert mentoring("check", "tiny", "--data", tmp_path, "--reports", tmp_path / "reports").returncode == 0


# Notebooks' parameters

NOTEBOOK = notebooks_dir() / "07_summary.ipynb"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"stduy": "acme", "data": ""}, "there is no parameter 'stduy'"),
        ({"data": ""}, "parameter 'study' is missing"),
        ({"study": 7, "data": ""}, "parameter 'study' must be str, not int"),
    ],
)
def test_misspelt_missing_or_mistyped_parameters_are_refused_before_anything_runs(tmp_path, given, told):
    with pytest.raises(BadInput, match=told):
        execute_notebook(NOTEBOOK, tmp_path / "out.ipynb", given)
    assert not list(tmp_path.iterdir())


def test_every_mistake_in_the_parameters_is_told():
    with pytest.raises(BadInput) as caught:
        check_parameters({"stduy": "acme", "data": 1}, {"study": "", "data": ""}, "a notebook")
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("notebook", sorted(notebooks_dir().glob("*.ipynb")), ids=lambda p: p.stem)
def test_every_notebook_has_one_parameters_cell_with_the_default_demo(notebook):
    more = {"hypothesis": "H2_morale"} if notebook.stem == "05_scales" else {}
    if notebook.stem == "own_analysis":
        more = {"outcome": "any_exit", "horizon_months": 18, "subgroup": {"tenure_years": [0, 5]}, "left_out": []}
        assert more.keys() | {"study", "data"} == OWN_PARAMETERS.keys()
    assert declared_parameters(notebook) == {"study": "northbank", "data": ""} | more


@pytest.mark.parametrize("cell", ["study, data = '', ''", "study = data = ''", "study: str = ''", "paths.data = ''"])
def test_a_parameters_cell_that_holds_more_than_plain_assignments_is_refused(cell, tmp_path):
    tagged = nbformat.v4.new_code_cell(cell, metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[tagged]), tmp_path / "odd.ipynb")
    with pytest.raises(ValueError, match=r"odd\.ipynb: the parameters cell may hold plain assignments only"):
        declared_parameters(tmp_path / "odd.ipynb")


def test_papermill_on_its_own_does_not_run_on_with_the_default_study_after_a_misspelling(tmp_path):
    """papermill only warns of an unknown parameter; the notebook itself refuses it."""
    papermill = pytest.importorskip("papermill")
    with pytest.raises(papermill.PapermillExecutionError, match="stduy"):
        papermill.execute_notebook(
            NOTEBOOK,
            tmp_path / "out.ipynb",
            {"stduy": "fjellkode"},
            cwd=NOTEBOOK.parent,
            progress_bar=False,
            log_output=False,
        )
