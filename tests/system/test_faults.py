"""A fault of this program takes one part of a report away; everything else is there, and nobody's data are told."""

import errno
import io
import json
import os
import pickle
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import nbformat
import pandas as pd
import pytest
from faulty_company import SECRET, fail, put_in, write_company
from in_process import make_reports_here

from analysis import cli
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.faults import Faults, Part, collecting, faults_text, isolated
from analysis.report.folders import new_folder, writing
from analysis.report.index import read_index_entry
from analysis.report.pictures import safe_name
from analysis.report.write import write_index

# A function of every kind of part, and what is missing where it fails.
RETENTION = {
    "analysis.pipeline.events.ever_vs_never": "dashboard",
    "analysis.estimate.sensitivity.doubly_robust": "aipw_aalen_johansen",
    "analysis.pipeline.events.moved_starts": "iptw_aalen_johansen_starts",
    "analysis.estimate.moderators.hazard_ratios": "phases",
    "analysis.pipeline.events.build_grace_trials": "ccw_aalen_johansen",
    "analysis.estimate.protocol_rows._why_no_protocol": "ipw_adherence_aalen_johansen",
    "analysis.pipeline.events.placebo_schedule": "placebo",
    "analysis.estimate.answer_retention.hazard_ratio": "iptw_cox",
    "analysis.estimate.sensitivity.e_values": "e_value",
}
SCALES = {
    "analysis.estimate.change_assumptions.event_curve": "trends",
    "analysis.estimate.change_assumptions.response_flow": "silent",
    "analysis.estimate.answer_change.effect_slope": "slopes",
    "analysis.estimate.answer_change.mixed_change": "linear_mixed_model",
}
OTHERS = (
    "analysis.pipeline.released.job_event",
    "analysis.pipeline.described.coverage",
    "analysis.pipeline.described.reliability",
    "analysis.pipeline.released.people_flow",
    "analysis.report.figures.naive_beside_corrected",
    "analysis.report.page.limits",
    "analysis.report.sections._method",
)
GOOD, BAD = "1_good.ipynb", "2_bad.ipynb"


def notebook(path: Path, *cells: str) -> None:
    book = nbformat.v4.new_notebook()
    parameters = nbformat.v4.new_code_cell('study = "acme"\ndata = ""')
    parameters.metadata["tags"] = ["parameters"]
    book.cells = [parameters, *map(nbformat.v4.new_code_cell, cells)]
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)


class Run(NamedTuple):
    """How ``mentoring report`` ended, and what it said and wrote."""

    returncode: int
    said: str
    folder: Path

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def report(folder: Path) -> Run:
    out, err = io.StringIO(), io.StringIO()
    words = ["mentoring", "report", "acme", "--data", str(folder / "data"), "--reports", str(folder / "reports")]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", words)
        make_reports_here(patch)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return Run(ended.value.code or 0, out.getvalue() + err.getvalue(), folder / "reports" / "acme")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory) -> Run:
    """The report of a company, with a fault in a part of every kind and in one of two notebooks."""
    folder = tmp_path_factory.mktemp("faulty")
    write_company(folder / "data", n_started=24, is_mentors_only=True)
    books = folder / "notebooks"
    books.mkdir()
    notebook(books / GOOD, "1 + 1")
    # The message is made in the cell, so that its text stands nowhere in the notebook itself.
    notebook(books / BAD, "'before'", f"raise ValueError(' '.join({SECRET.split()!r}))", "'after'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.report.execute.notebooks_dir", lambda: books)
        put_in(patch, [*RETENTION, *SCALES, *OTHERS])
        return report(folder)


def rows(run: Run, hypothesis: str) -> pd.DataFrame:
    frame = pd.read_csv(run.folder / "estimates.csv")
    return frame[frame["hypothesis"] == hypothesis]


@pytest.mark.parametrize(("hypothesis", "groups"), [("H1_retention", RETENTION), ("H2_morale", SCALES)])
def test_a_group_of_rows_becomes_one_row_with_the_reason_and_the_main_answer_stands(faulty, hypothesis, groups):
    found = rows(faulty, hypothesis)
    assert found.iloc[0]["status"] == "estimated"
    lost = found[found["reason"].fillna("").str.contains("fault in this program")]
    assert sorted(lost["estimator"]) == sorted(groups.values())
    assert set(lost["status"]) == {"not_estimable"}
    assert lost["reason"].str.fullmatch(r"A fault in this program \(see faults\.log, fault \d+\)\.").all()


def test_a_main_question_that_fails_is_not_estimable_and_the_others_are_answered(faulty):
    promotion = rows(faulty, "H8_promotion")
    assert list(promotion["status"]) == ["not_estimable"] and "faults.log" in promotion.iloc[0]["reason"]
    assert len(rows(faulty, "H9_economics")) == 1


def test_ledgers_pages_pictures_and_the_other_notebook_are_written(faulty):
    files = {str(p.relative_to(faulty.folder)) for p in faulty.folder.rglob("*") if p.is_file()}
    assert {"index.html", "data_quality.html", "data_quality.csv", "run.json", "faults.log"} <= files
    assert "figures/genius-mentor-H1_retention-curves.svg" in files
    assert "figures/genius-mentor-H1_retention-ladder.svg" not in files
    good = nbformat.read(faulty.folder / "notebooks" / GOOD, as_version=4)
    assert good.cells[-1].outputs[0].data["text/plain"] == "2"


def test_the_notebook_that_failed_is_saved_as_far_as_it_got(faulty):
    cells = nbformat.read(faulty.folder / "notebooks" / BAD, as_version=4).cells
    before, failed, after = (cell for cell in cells if "study" not in cell.source)
    assert before.outputs[0].data["text/plain"] == "'before'" and after.outputs == []
    assert failed.outputs[0].ename == "ValueError" and "faults.log" in failed.outputs[0].evalue
    number = cells.index(failed) + 1
    assert f"notebook {BAD}, cell {number}: ValueError" in faulty.said


def test_every_fault_is_told_at_the_end_on_the_page_and_in_the_log_and_the_exit_code_is_1(faulty):
    assert faulty.returncode == 1 and "Traceback" not in faulty.said
    page, log = faulty.read("index.html"), faulty.read("faults.log")
    told = json.loads(faulty.read("run.json"))["faults"]
    assert len(told) >= len(RETENTION) + len(SCALES) + len(OTHERS)
    for what in ("acme: analysis trends (genius mentor, H2_morale)", "picture genius-mentor-H1_retention-ladder"):
        assert what in faulty.said
    for what in ("frame coverage", "frame reliability", "frame flow_of_people", "section limits", f"notebook {BAD}"):
        assert what in faulty.said and what in page
        assert f"part: {what}" in log
    assert "Incomplete: a fault in this program" in page
    assert "exception: InjectedFault, from KeyError" in log and "faulty_company.py, line" in log
    assert "analysis/pipeline/events.py, line" in log and "analysis/plan/faults.py" in log


def test_the_index_says_that_the_program_is_at_fault_and_not_the_input(faulty):
    index = (faulty.folder.parent / "index.html").read_text(encoding="utf-8")
    assert "Incomplete: a fault in this program" in index and "its input has errors" not in index


def test_what_the_exceptions_said_stands_in_no_file_and_on_no_terminal(faulty):
    assert SECRET not in faulty.said
    words = [SECRET.encode(), str(faulty.folder.parent.parent).encode()]
    for path in (p for p in faulty.folder.parent.rglob("*") if p.is_file() and p.name != BAD):
        assert not [word for word in words if word in path.read_bytes()], path.name
    assert SECRET not in faulty.read(f"notebooks/{BAD}")


# The one place that catches

PART = Part("analysis", "something")


def test_outside_of_a_report_a_fault_is_raised_as_it_is():
    with pytest.raises(Exception, match=SECRET):
        isolated(PART, fail, lambda _: None)


@pytest.mark.parametrize("passing", [bad_input("a.csv", "is wrong", rule="x"), KeyboardInterrupt()])
def test_a_users_mistake_and_a_users_wish_to_stop_are_no_faults(passing):
    def stop() -> None:
        raise passing

    with collecting(Faults("acme")) as faults, pytest.raises(type(passing)):
        isolated(PART, stop, lambda _: None)
    assert faults.found == []


def test_the_same_fault_of_the_same_part_is_told_once_and_every_fault_has_its_number():
    with collecting(Faults("acme")) as faults:
        told = [isolated(part, fail, str) for part in (PART, PART, Part("picture", "curves"))]
    assert [fault.number for fault in faults.found] == [1, 2]
    assert told[0] == told[1] and "(fault 2)" in told[2]
    text = faults_text(faults.found)
    assert SECRET not in text and "part: picture curves" in text
    assert pickle.loads(pickle.dumps(tuple(faults.found))) == tuple(faults.found)


def test_without_end_a_recursion_is_told_in_short():
    def deeper() -> None:
        deeper()

    with collecting(Faults("acme")) as faults:
        isolated(PART, deeper, lambda _: None)
    assert faults.found[0].exception == "RecursionError" and len(faults.found[0].frames) <= 60


# Folders


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "you may not write there"),
        (errno.EROFS, "can only be read"),
        (errno.ENOSPC, "the disk is full"),
    ],
)
def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(tmp_path, monkeypatch, number, told):
    """As root, which may write everywhere, the refusal has to be played."""
    write_company(tmp_path / "data", n=20, n_started=4)

    def refuse(prefix: str, dir: Path) -> str:
        raise OSError(number, os.strerror(number), str(dir))

    monkeypatch.setattr("analysis.report.folders.tempfile.mkdtemp", refuse)
    monkeypatch.setattr("analysis.pipeline.answer", lambda opened: None)
    run = report(tmp_path)
    assert run.returncode == 2 and "Traceback" not in run.said
    assert told in run.said and "--reports" in run.said and str(run.folder) in run.said
    assert "the input cannot be used" not in run.said


def test_a_file_where_the_folder_of_reports_should_be_is_told(tmp_path, monkeypatch):
    write_company(tmp_path / "data", n=20, n_started=4)
    (tmp_path / "reports").write_text("a file")
    monkeypatch.setattr("analysis.pipeline.answer", lambda opened: None)
    run = report(tmp_path)
    assert run.returncode == 2 and "a file stands where a folder is needed" in run.said
    assert (tmp_path / "reports").read_text() == "a file"


def test_a_disk_that_fills_up_midway_is_no_fault_of_a_part(tmp_path):
    def write() -> None:
        with writing(tmp_path):
            raise OSError(errno.ENOSPC, "No space left on device")

    with collecting(Faults("acme")) as faults, pytest.raises(BadInput, match="the disk is full"):
        isolated(PART, write, lambda _: None)
    assert faults.found == []


def test_an_error_about_another_file_is_not_taken_for_the_folder(tmp_path):
    with pytest.raises(PermissionError), writing(tmp_path / "reports" / "acme"):
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere/export.csv")


def test_the_old_report_is_there_again_when_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    target = tmp_path / "acme"
    with new_folder(target) as folder:
        (folder / "run.json").write_text("old")
    rename = Path.rename

    def fail_on_the_second(path: Path, to: Path) -> Path:
        if path.name == "new":
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", fail_on_the_second)
    with pytest.raises(BadInput, match="the disk is full"), new_folder(target) as folder:
        (folder / "new.txt").write_text("new")
    assert [p.name for p in target.iterdir()] == ["run.json"] and [p.name for p in tmp_path.iterdir()] == ["acme"]


def test_a_folder_of_somebody_elses_files_is_not_replaced(tmp_path):
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="did not write") as bad, new_folder(tmp_path / "acme", "--out"):
        pytest.fail("it would be replaced")
    assert "--out" in str(bad.value) and (tmp_path / "acme" / "thesis.txt").read_text() == "years of work"


def test_a_message_names_the_folder_and_not_where_it_is_prepared(tmp_path):
    with pytest.raises(BadInput) as bad, new_folder(tmp_path / "acme") as folder, writing(folder / "notebooks"):
        raise OSError(errno.ENOSPC, "No space left on device")
    [problem] = bad.value.problems
    assert problem.source == str(tmp_path / "acme" / "notebooks")


def test_an_index_that_cannot_be_written_leaves_no_half_of_it(tmp_path, monkeypatch):
    def half(path: Path, text: str) -> None:
        path.write_text(text[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("analysis.report.write._write", half)
    with pytest.raises(BadInput, match="the disk is full"):
        write_index(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "a\\b", "x" * 300, "CON:", ".hidden"])
def test_an_odd_id_never_leads_out_of_the_folder(name):
    safe = safe_name(name)
    assert safe == Path(safe).name and not safe.startswith(".") and len(safe) <= 60
    assert safe_name("../etc") != safe_name("./etc") and safe_name("mentoring-2024") == "mentoring-2024"


def test_a_folder_that_another_version_wrote_leaves_the_index_standing(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "run.json").write_text('{"index": ', encoding="utf-8")
    assert not read_index_entry(tmp_path / "old").is_readable
