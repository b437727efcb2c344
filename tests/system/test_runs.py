"""Many reports: what is unchanged is not made again, what fails leaves the others, one key press ends it all."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from in_process import ON_SHELF, make_reports_here, shelve
from studies import TINY_COMPANY, write_study
from test_cli import mentoring as mentoring_here
from test_forked_notebooks import book

from analysis import pipeline
from analysis.cli.live import _line, show_run
from analysis.cli.options import RunOptions
from analysis.plan.errors import BadInput
from analysis.plan.paths import notebooks_dir
from analysis.plan.read_study import load_study
from analysis.plan.study import overriding
from analysis.report.folders import alone
from analysis.runs.batch import read_batch
from analysis.runs.made_from import CHANGED, digests, keyed, why_anew
from analysis.runs.task import GB, Outcome, Task
from analysis.runs.workers import UnderWay, make_all

BOOKS = ("01_data.ipynb", "07_summary.ipynb")


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch) -> Path:
    """Reports here have no notebooks but those that a test puts there."""
    return shelve(monkeypatch, tmp_path / "shelf")


@pytest.fixture
def study(tmp_path) -> Path:
    write_study(tmp_path / "data" / "acme", TINY_COMPANY)
    return tmp_path / "data" / "acme"


def task(study: Path, **changes) -> Task:
    return Task(study.name, study.name, study.parent, study.parents[1] / "reports", **changes)


# --- what a report is made from


def made_from(study: Path, **settings) -> dict[str, str]:
    return keyed(digests(study, settings, is_blind=False, with_png=False))


def reported(study: Path) -> Path:
    """Return a folder that looks like the report of a study as it is."""
    folder = study.parents[1] / "reports" / study.name
    folder.mkdir(parents=True)
    for name in ("index.html", "estimates.csv", "findings.csv", "data_quality.csv"):
        (folder / name).write_text("x")
    (folder / "run.json").write_text(json.dumps({"made_from": made_from(study)}))
    return folder


def why(folder: Path, study: Path, **settings) -> str:
    return why_anew(folder, made_from(study, **settings), study)


def test_a_report_of_which_nothing_has_changed_need_not_be_made(study):
    assert why(reported(study), study) == ""


def test_each_part_that_changes_is_named(study):
    folder = reported(study)
    assert why(folder, study, min_cell=12) == CHANGED["settings"]
    employees = next(study.rglob("employees.csv"))
    employees.write_text(employees.read_text() + "\n")
    assert why(folder, study) == CHANGED["data"]
    with (study / "study.yaml").open("a") as file:
        file.write("# a remark\n")
    (study / "profiles").mkdir(exist_ok=True)
    (study / "profiles" / "own.yaml").write_text("profile: own\n")
    assert why(folder, study) == "; ".join(CHANGED[part] for part in ("data", "study", "cards"))


def test_what_was_not_made_whole_is_made_again(study):
    folder = reported(study)
    (folder / "faults.log").write_text("x")
    assert "fault" in why(folder, study)
    (folder / "faults.log").unlink()
    (folder / "findings.csv").unlink()
    assert "gone" in why(folder, study)
    (folder / "run.json").unlink()
    assert "could not be used" in why(folder, study)
    shutil.rmtree(folder)
    assert "not there" in why(folder, study)


def test_a_folder_that_is_a_link_counts_as_what_it_points_to(study):
    (study / "raw").rename(study / "june")
    shutil.copytree(study / "june", study / "july")
    (study / "raw").symlink_to("june")
    folder = reported(study)
    assert why(folder, study) == ""
    (study / "raw").unlink()
    (study / "raw").symlink_to("july")
    assert why(folder, study) == CHANGED["data"]


def test_a_database_may_have_changed_without_a_file_that_has(study):
    folder = reported(study)
    with (study / "study.yaml").open("a") as file:
        file.write("#\n- query: SELECT 1\n")
    (folder / "run.json").write_text(json.dumps({"made_from": made_from(study)}))
    assert "database" in why(folder, study)


def test_digests_are_keyed(study, tmp_path, monkeypatch):
    """Who has the report and guesses a cell must not be able to try the guess."""
    before = made_from(study)
    monkeypatch.setenv("MENTORING_KEY", str(tmp_path / "another" / "key"))
    (tmp_path / "another").mkdir()
    assert not set(before.values()) & set(made_from(study).values())


# --- a table of reports


def rows_of(study: Path, text: str) -> list:
    path = study.parents[1] / "companies.csv"
    path.write_text(text, encoding="utf-8")
    return read_batch(path, study.parent)


def test_a_table_gives_each_report_its_settings(study):
    table = "study,report,horizons_months,min_cell,title\nacme,,,,\nacme,acme-strict,6;12,20,For the works council\n"
    strict = {"horizons_months": [6, 12], "min_cell": 20, "title": "For the works council"}
    assert rows_of(study, table) == [("acme", "acme", {}), ("acme-strict", "acme", strict)]
    with overriding(strict):
        read = load_study("acme", study.parent)
    assert (read.horizons_months, read.min_cell, read.title) == ((6, 12), 20, "For the works council")
    assert load_study("acme", study.parent).min_cell == 10


@pytest.mark.parametrize(
    ("table", "line", "said"),
    [
        ("study,min_cel\nacme,12\n", 1, "did you mean min_cell?"),
        ("report\nacme\n", 1, "the column study is missing"),
        ("study\nacm\n", 2, "did you mean acme?"),
        ("study,report\nacme,../up\n", 2, "lower-case letters"),
        ("study,min_cell\nacme,2\n", 2, "greater than or equal to 3"),
        ("study,min_cell\nacme,few\n", 2, "whole number"),
        ("study,horizons_months\nacme,12;\n", 2, "whole number"),
        ("study,as_of\nacme,30.6.2024\n", 2, "2024-06-30"),
        ("study\nacme\nacme\n", 3, "stands on line 2 already"),
        ('study,title\nacme,"two\nlines"\nacme,\n', 4, "stands on line 2 already"),
        ("study,title\nacme,For board, and others\n", 2, "more cells (3) than columns"),
        ("study,study\nacme,acme\n", 1, "another column of this name"),
        ("study,\nacme,12\n", 1, "has cells and no name"),
        ('study,title\nacme,\nacme,"open\n', 3, "does not close"),
        ("study\n", 1, "no row"),
        ("", None, "is empty"),
    ],
)
def test_a_mistake_of_the_table_is_told_by_line_and_column(study, table, line, said):
    with pytest.raises(BadInput) as bad:
        rows_of(study, table)
    [problem] = bad.value.problems
    assert said in problem.message and problem.source == "companies.csv"
    assert line is None or problem.example_rows == (line,)


def test_all_mistakes_of_the_table_are_told_at_once(study):
    with pytest.raises(BadInput) as bad:
        rows_of(study, "study,min_cell,round_to,as_off\nacme,1,1,\nnone,12,,\n")
    assert len(bad.value.problems) == 4


@pytest.mark.parametrize(
    "table",
    [
        '\ufeffStudy;Title;Horizons_Months\r\nacme;Für alle, überall;"12;24"\r\n;;\r\n',
        "study\ttitle\thorizons_months\t\nacme\tFür alle, überall\t12;24\t\n",
        '\n"study","title","horizons_months",\n\n"acme","Für alle, überall","12;24",\n,,,\n',
    ],
)
def test_a_table_may_be_as_a_spreadsheet_saves_it(study, table):
    assert rows_of(study, table) == [("acme", "acme", {"title": "Für alle, überall", "horizons_months": [12, 24]})]


# --- one run at a time, and what dead runs leave


def test_a_second_run_of_the_same_report_is_refused(tmp_path):
    with alone(tmp_path, "acme"):
        with pytest.raises(BadInput, match="another run"), alone(tmp_path, "acme"):
            pytest.fail("both inside")
        with alone(tmp_path, "acme-2"):
            pass
    with alone(tmp_path, "acme"):
        pass


def test_what_a_dead_run_left_is_cleared_and_the_report_restored(tmp_path):
    """Killed between the two renames: the old report stands in the staging folder alone."""
    staging, other = tmp_path / ".acme-0a1b2c3d", tmp_path / ".acme-2-0a1b2c3d"
    for folder in (staging / "new", staging / "old", other / "new"):
        folder.mkdir(parents=True)
    (staging / "old" / "index.html").write_text("the old report")
    with alone(tmp_path, "acme"):
        assert (tmp_path / "acme" / "index.html").read_text() == "the old report"
    assert not staging.exists() and other.exists()


# --- workers


def ended(
    tasks: list[Task], workers: int = 2, memory: float = 4 * GB, watch=lambda running, done: None
) -> list[Outcome]:
    return sorted(make_all(tasks, workers, memory, watch), key=lambda outcome: outcome.task.report)


def test_bad_input_of_one_study_leaves_the_other(study):
    bad = study.with_name("bad")
    write_study(bad, TINY_COMPANY | {"employees": "employee_id\n"})
    outcomes = ended([task(study), task(bad)])
    assert [outcome.status for outcome in outcomes] == ["made", "bad input"]
    assert "error" in outcomes[1].failed and outcomes[1].log.endswith("data_quality.csv")
    assert task(study).why() == "" and "could not be used" in task(bad).why()


def test_a_worker_that_is_killed_leaves_the_old_report_and_the_others(study):
    folder = reported(study)
    killed = []

    def kill(running, _) -> None:
        for one in running:
            if one.heard and one.process.is_alive():
                os.kill(one.process.pid, signal.SIGKILL)
                killed.append(one)

    [outcome] = ended([task(study)], watch=kill)
    assert killed and outcome.status == "failed" and "SIGKILL" in outcome.failed
    assert (folder / "index.html").read_text() == "x"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["acme"]


def test_a_worker_that_takes_too_much_memory_is_stopped(study):
    [outcome] = ended([task(study)], workers=1, memory=0.01 * GB)
    assert outcome.status == "failed" and "--memory" in outcome.failed


def test_a_notebook_that_takes_too_much_memory_is_stopped_alone(study, shelf):
    book(shelf / "1.ipynb", "import time; held = []\nwhile True: held.append(bytearray(10**7)); time.sleep(0.01)")
    book(shelf / "2.ipynb", "'good'")
    [outcome] = ended([task(study)], workers=1, memory=1.5 * GB)
    assert outcome.status == "incomplete" and "2.ipynb" not in outcome.failed
    assert "notebook 1.ipynb, cell 3: DeadKernelError (its process was killed" in outcome.failed


def test_a_large_study_waits_until_there_is_room(study):
    """Two that need more than half each never run together."""
    large = study.with_name("large")
    write_study(large, TINY_COMPANY | {"employees": "employee_id\n"})
    with (large / "raw" / "other.bin").open("wb") as file:
        file.truncate(20_000_000)
    together = []
    ended([task(study), task(large)], memory=0.7 * GB, watch=lambda running, _: together.append(len(running)))
    assert max(together) == 1


def test_the_largest_study_begins(study):
    tasks = []
    for name, size in (("small", 0), ("large", 20_000_000), ("middle", 10_000_000)):
        write_study(study.with_name(name), TINY_COMPANY | {"employees": "employee_id\n"})
        with (study.with_name(name) / "raw" / "other.bin").open("wb") as file:
            file.truncate(size)
        tasks.append(task(study.with_name(name)))
    made = make_all(tasks, 1, 4 * GB, lambda running, done: None)
    assert [outcome.task.report for outcome in made] == ["large", "middle", "small"]


def test_a_log_is_named_only_where_it_tells_of_this_run(study):
    reported(study)
    statuses = ("bad input", "incomplete", "failed", "stopped")
    assert [Outcome(task(study), status, failed="x").log for status in statuses] == [
        "acme/data_quality.csv",
        "",
        "",
        "",
    ]


def test_a_run_that_is_stopped_leaves_no_process(study):
    """Nor what workers are forked from, which takes seconds to import and would be waited for."""
    seen = []

    def interrupt(running, _) -> None:
        seen.extend(psutil.Process().children(recursive=True))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ended([task(study)], watch=interrupt)
    assert len(seen) > 1
    assert [
        process for process in psutil.wait_procs(seen, timeout=5)[1] if "forkserver" in str(process.cmdline())
    ] == []


def test_how_long_is_left_stands_before_what_a_narrow_terminal_cuts_off(study):
    line = _line(UnderWay(task=task(study), heard=["acme: notebook 09_promotion_economics.ipynb (9 of 9)"]), 75.0)
    assert line.plain == "acme: 0:00, about 1:14 left, notebook 09_promotion_economics.ipynb (9 of 9)"
    assert line.no_wrap and line.overflow == "ellipsis"


def test_the_table_at_the_end_has_no_empty_column(study, capsys):
    show_run([Outcome(task(study), "made", 3.0)])
    assert "status" in (said := capsys.readouterr().out) and "failed" not in said and "log" not in said


# --- the command


def mentoring(study: Path, *words: str, how: Sequence[str] = ("-m", "analysis")) -> subprocess.Popen:
    places = ["--data", str(study.parent), "--reports", str(study.parents[1] / "reports")]
    command = [sys.executable, "-u", *how, *words, *places]
    tests = {"PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parents[1])])}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | tests,
        # The tests themselves may run under nohup, which hands down that a closed terminal is nothing.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )


def hear(run: subprocess.Popen, word: str) -> None:
    """Read what a run says until it says a word."""
    assert any(word in line for line in run.stdout), f"never said: {word}"


def on_shelf(study: Path, *words: str) -> str:
    """Run the command to its end, its workers with the shelf's notebooks; return what went wrong."""
    run = mentoring(study, *words, how=("-c", ON_SHELF))
    _, err = run.communicate()
    assert run.returncode in (0, 2) and "Traceback" not in err, err
    return err


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of reports without what tells of the run: times, how each ended, and what is kept of it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "run.csv" and path.parent.name != ".cache":
            content = path.read_bytes()
            if path.name in ("run.json", "index.html"):
                content = re.sub(rb'"(created|seconds)": [^\n]*|\d{4}-\d\d-\d\dT[\d:+]+', b"", content)
            found[str(path.relative_to(folder))] = content
    return found


def test_two_workers_write_the_same_bytes_as_one_and_nothing_is_made_twice(study, shelf):
    """With two notebooks, so that kernels are forked; that all show the same again is nbval's to say."""
    for name in BOOKS:
        shutil.copy(notebooks_dir() / name, shelf)
    write_study(study.with_name("bolt"), TINY_COMPANY)
    reports, words = study.parents[1] / "reports", ("report", "--all")
    err = on_shelf(study, *words, "--jobs", "2")
    assert (reports / "bolt" / "index.html").is_file(), err
    together = files_of(reports)
    assert {path for path in together if path.endswith(".ipynb")} == {
        f"{name}/notebooks/{book}" for name in ("acme", "bolt") for book in BOOKS
    }
    again, _ = mentoring(study, *words).communicate()
    assert "acme: unchanged" in again and "reading" not in again
    run = list(csv.DictReader((reports / "run.csv").open()))
    assert [(row["report"], row["status"]) for row in run] == [("acme", "unchanged"), ("bolt", "unchanged")]
    planned, _ = mentoring(study, *words, "--dry-run").communicate()
    assert planned.count("nothing has changed") == 2
    on_shelf(study, *words, "--jobs", "1", "--force")
    assert files_of(reports) == together


def test_one_key_press_stops_the_run_and_keeps_the_old_report(study):
    """Within two seconds where the machine is free; it seldom is where tests run."""
    folder = reported(study)
    (folder / "index.html").write_text("the old report")
    run = mentoring(study, "report", "acme", "--force")
    hear(run, "reading")
    pressed = time.monotonic()
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)
    assert time.monotonic() - pressed < 15 and run.returncode == 130
    assert "Stopped" in err and "Traceback" not in err
    assert (folder / "index.html").read_text() == "the old report"
    assert not [path.name for path in folder.parent.iterdir() if path.name.startswith(".")]
    [row] = csv.DictReader((folder.parent / "run.csv").open())
    assert (row["status"], row["failed"]) == ("stopped", "stopped by hand")


@pytest.mark.parametrize("key", [signal.SIGTERM, signal.SIGHUP])
def test_a_closed_terminal_and_the_system_end_a_run_as_a_key_press_does(study, key):
    run = mentoring(study, "report", "acme")
    hear(run, "reading")
    run.send_signal(key)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 130 and "Stopped" in err and "Traceback" not in err


def test_workers_end_with_a_run_that_is_killed_and_the_next_run_clears_what_they_left(study, shelf):
    book(shelf / "1.ipynb", "import time; time.sleep(300)")
    run = mentoring(study, "report", "acme", how=("-c", ON_SHELF))
    hear(run, "writing")
    family = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    _, err = run.communicate(timeout=30)
    assert family and not psutil.wait_procs(family, timeout=15)[1] and "Traceback" not in err
    reports = study.parents[1] / "reports"
    assert list(reports.glob(".acme*"))
    with alone(reports, "acme"):
        pass
    assert not list(reports.glob(".acme*"))


def test_a_batch_makes_a_report_a_row(study):
    table = study.parents[1] / "companies.csv"
    table.write_text("study,report,min_cell\nacme,acme,\nacme,acme-strict,3\n")
    on_shelf(study, "batch", str(table))
    parameters = {
        name: json.loads((study.parents[1] / "reports" / name / "run.json").read_text())["parameters"]["min_cell"]
        for name in ("acme", "acme-strict")
    }
    assert parameters == {"acme": 10, "acme-strict": 3}


def test_a_dry_run_of_a_study_that_is_not_there_says_so_and_ends_with_2(study):
    run = mentoring(study, "report", "acm", "acme", "--dry-run")
    said, err = run.communicate()
    assert run.returncode == 2 and "there is no such study" in said and "Traceback" not in err


def test_memory_is_shared_by_as_many_workers_as_there_are_reports(study, monkeypatch):
    """A machine with many cores, and not so much memory: two reports have half of it each."""
    asked = []
    monkeypatch.setattr(
        "analysis.runs.workers.make_all", lambda tasks, workers, memory, _: asked.append((workers, memory)) or []
    )
    options = RunOptions(jobs=64, memory=None)
    monkeypatch.setattr("analysis.runs.workers.psutil.virtual_memory", lambda: SimpleNamespace(available=10 * GB))
    options.make([task(study)] * 2, lambda *_: None)
    assert asked == [(2, 4.5 * GB)]


# --- the time that a notebook may take


@pytest.mark.parametrize(("given", "seconds"), [((), None), (("--time-limit", "1.5"), 90)])
@pytest.mark.parametrize("command", ["report", "batch"])
def test_both_commands_hand_the_time_limit_on(study, monkeypatch, command, given, seconds):
    table, asked = study.parents[1] / "companies.csv", []
    table.write_text("study\nacme\n")
    monkeypatch.setattr(pipeline, "report_study", lambda *_, **options: asked.append(options["time_limit"]))
    make_reports_here(monkeypatch)
    where = ("--data", study.parent, "--reports", study.parents[1] / "reports")
    mentoring_here(command, table if command == "batch" else "acme", *given, *where)
    assert asked == [seconds]


def test_a_notebook_that_exceeds_the_time_limit_is_a_fault_of_that_notebook_alone(study, shelf, monkeypatch):
    reports = study.parents[1] / "reports"
    book(shelf / "1.ipynb", "import time; time.sleep(300)")
    book(shelf / "2.ipynb", "'good'")
    monkeypatch.setattr("analysis.report.execute.notebooks_dir", lambda: shelf)
    make_reports_here(monkeypatch)
    run = mentoring_here("report", "acme", "--time-limit", 0.25, "--data", study.parent, "--reports", reports)
    assert run.returncode == 1 and "notebook 2.ipynb (2 of 2)\n" in run.stdout
    faults = (reports / "acme" / "faults.log").read_text(encoding="utf-8")
    assert "1.ipynb" in faults and "CellTimeoutError" in faults and "2.ipynb" not in faults
    assert "notebook 1.ipynb, cell 3: CellTimeoutError" in run.stderr and "--time-limit" in run.stderr
    assert "Timeout waiting" not in run.stderr, "the libraries' own words"
    assert (reports / "acme" / "estimates.csv").is_file()
