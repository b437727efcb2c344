"""A worker's kernels: those of cold ones in what they show, each report's its own, and gone when the worker is."""

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
from in_process import shelve
from studies import TINY_COMPANY, write_study
from test_forked_notebooks import KINDS, book, cells, printed, run

from analysis.answers.shared import SHARED
from analysis.report.execute import _kernel_environment
from analysis.runs.task import GB, Outcome, Task
from analysis.runs.workers import make_all


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Path:
    return shelve(monkeypatch, tmp_path / "shelf")


def made(tmp_path: Path, *names: str, watch=lambda running, done: None) -> list[Outcome]:
    """Make the reports of companies in one run, one after the other."""
    for name in names:
        write_study(tmp_path / "data" / name, TINY_COMPANY)
    tasks = [Task(name, name, tmp_path / "data", tmp_path / "reports") for name in names]
    return list(make_all(tasks, 1, 4 * GB, watch))


def shown(tmp_path: Path, name: str, notebook: Path) -> list:
    return [cell.outputs for cell in cells(tmp_path / "reports" / name / "notebooks" / notebook.name)]


def test_kernels_of_a_worker_show_what_cold_ones_do(tmp_path, shelf, monkeypatch):
    kinds = (*KINDS, "sys.path, sys.flags")
    path = book(shelf / "kinds.ipynb", *kinds)
    assert [outcome.status for outcome in made(tmp_path, "acme")] == ["made"]
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv(SHARED, "")
    with _kernel_environment(tmp_path / "data"):
        for source, cold, forked in zip(kinds, run(path, None), shown(tmp_path, "acme", path), strict=True):
            assert cold == forked, source


LOOK = """
import gc, os, psutil
from analysis.plan.contract import Tables
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report.drawn import DRAWN

def look():
    gc.unfreeze()  # what is frozen is not listed
    objects = gc.get_objects()
    studies = {one.study for one in objects if isinstance(one, Study)}
    answers = {one.study.study for one in objects if isinstance(one, Released)}
    tables = sum(isinstance(one, Tables) for one in objects)
    print(sorted(studies), sorted(answers), tables, len(DRAWN))

look()
"""
LEAK = "from analysis.pipeline import open_study\nkept = open_study('bolt', os.environ['MENTORING_DATA'])\nlook()"


def test_a_kernel_holds_the_answer_of_its_own_report_and_nobodys_rows(tmp_path, shelf):
    """Everything in its memory is looked at, and seen where something is: the last cell opens another company."""
    look = "print('forkserver' in ' '.join(psutil.Process(os.getppid()).cmdline()))"
    path = book(shelf / "look.ipynb", LOOK, look, LEAK)
    made(tmp_path, "bolt", "acme", "cogs")
    for name in ("acme", "cogs"):
        held, is_forked, leaked = printed(shown(tmp_path, name, path))
        drawn = held.split()[-1]
        assert held == f"['{name}'] ['{name}'] 0 {drawn}" and drawn != "0"
        assert is_forked == "True"
        assert leaked == f"['{name}', 'bolt'] ['{name}'] 1 {drawn}" if name < "bolt" else "['bolt', 'cogs']" in leaked


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_kernels_and_what_they_are_forked_from_go_with_their_worker(tmp_path, shelf, how):
    book(
        shelf / "slow.ipynb",
        f"import json, os, pathlib\npart = pathlib.Path({str(tmp_path / 'pids.part')!r})\n"
        f"part.write_text(json.dumps([os.getpid(), os.getppid()]))\npart.rename({str(tmp_path / 'pids')!r})",
        "import time; time.sleep(300)",
    )
    found: list[psutil.Process] = []

    def watch(running, _) -> None:
        if not found and (tmp_path / "pids").exists():
            found.extend(psutil.Process(pid) for pid in json.loads((tmp_path / "pids").read_text()))
            # a worker, what it forked and a kernel have most of their memory in common
            assert 0 < running[0].takes(exactly=True) < 0.7 * running[0].takes()
            if how == "stopped":
                raise KeyboardInterrupt
            os.kill(running[0].process.pid, signal.SIGKILL)

    if how == "stopped":
        with pytest.raises(KeyboardInterrupt):
            made(tmp_path, "acme", watch=watch)
    else:
        assert [outcome.status for outcome in made(tmp_path, "acme", watch=watch)] == ["failed"]
    assert len(found) == 2
    assert psutil.wait_procs(found, timeout=20)[1] == []
