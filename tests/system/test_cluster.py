"""Reports made by the workers of a dask cluster: the same bytes, whoever dies; and mistakes told in one line."""

import csv
import importlib.util
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from studies import TINY_COMPANY, write_study
from test_cli import mentoring
from test_forked_notebooks import book
from test_runs import files_of

from analysis.report.private import LINES_FILE, put_private

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="dask is not installed: pip install '.[dask]'"
)
# Notebooks would take most of the time, and are the same wherever they run: here are those of one folder.
SHELF = "import pathlib, analysis.plan.paths as paths\npaths.notebooks_dir = lambda: pathlib.Path({folder!r})\n"


class Cluster(NamedTuple):
    """A scheduler and two workers, the environment of all, what their processes may use for a while, and notebooks."""

    address: str
    workers: list[subprocess.Popen]
    environment: dict[str, str]
    temporary: Path
    shelf: Path

    def leaves_nothing(self) -> bool:
        """Whether what the workers started is gone, after some seconds at most."""
        return soon(lambda: not list(self.temporary.glob("mentoring-run-*")))


def soon(is_so: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.2)
    return is_so()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    for name in ("shelf", "tmp"):
        (folder / name).mkdir()
    (folder / "sitecustomize.py").write_text(SHELF.format(folder=str(folder / "shelf")), encoding="utf-8")
    path = os.pathsep.join([str(folder), *(str(Path(part).resolve()) for part in sys.path if part)])
    environment = os.environ | {"PYTHONPATH": path, "TMPDIR": str(folder / "tmp")}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = ["worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    started = []
    for words in (scheduler, worker, worker):
        with (folder / f"{len(started)}.log").open("w") as log:
            command = [sys.executable, "-m", "dask", *words]
            started.append(subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log))
    yield Cluster(address, started[1:], environment, folder / "tmp", folder / "shelf")
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def data(tmp_path) -> Path:
    write_study(tmp_path / "data" / "acme", TINY_COMPANY)
    write_study(tmp_path / "data" / "bolt", TINY_COMPANY)
    return tmp_path / "data"


def command(cluster: Cluster, data: Path, reports: str, *words: str) -> subprocess.Popen:
    places = ["--data", str(data), "--reports", str(data.with_name(reports))]
    asked = [sys.executable, "-u", "-m", "analysis", "report", "--all", *places, *words]
    return subprocess.Popen(asked, env=cluster.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def on_the_cluster(cluster: Cluster, data: Path, *words: str) -> subprocess.Popen:
    return command(cluster, data, "away", "--engine", "dask", "--scheduler", cluster.address, *words)


def ended(reports: Path) -> dict[str, tuple[str, str]]:
    with (reports / "run.csv").open(encoding="utf-8") as file:
        return {row["report"]: (row["status"], row["failed"]) for row in csv.DictReader(file)}


def hear(run: subprocess.Popen, word: str) -> None:
    """Read what a run says until it says a word."""
    assert any(word in line for line in run.stdout), f"never said: {word}"


@needs_dask
def test_a_cluster_writes_the_same_bytes_and_nothing_is_sent_twice(cluster, data):
    write_study(data / "faulty", TINY_COMPANY | {"employees": TINY_COMPANY["employees"].replace("2019-03-01", "never")})
    away = on_the_cluster(cluster, data)
    said, _ = away.communicate()
    assert away.returncode == 2 and "Traceback" not in said, said
    here = command(cluster, data, "here", "--jobs", "2")
    here.communicate()
    assert files_of(data.with_name("away")) == files_of(data.with_name("here"))
    assert {name: status for name, (status, _) in ended(data.with_name("away")).items()} == {
        "acme": "made", "bolt": "made", "faulty": "bad input",
    }  # fmt: skip
    assert "acme: on " in said and "acme: estimating" in said
    private = data.with_name("away") / "faulty.private"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (private, private / LINES_FILE)] == [0o700, 0o600]
    again, _ = on_the_cluster(cluster, data).communicate()
    assert "acme: unchanged" in again and "acme: on " not in again and "faulty: on " in again
    assert cluster.leaves_nothing() and not list(data.with_name("away").glob(".*"))


@needs_dask
def test_workers_may_have_the_data_elsewhere_but_not_others(cluster, data):
    there = data.with_name("there")
    write_study(there / "acme", TINY_COMPANY)
    write_study(there / "bolt", TINY_COMPANY)
    employees = there / "bolt" / "raw" / "employees.csv"
    employees.write_text(employees.read_text().replace("1994", "1995"))
    on_the_cluster(cluster, data, "--worker-data", str(there)).communicate()
    found = ended(data.with_name("away"))
    assert found["acme"] == ("made", "") and found["bolt"][0] == "failed"
    assert "has not the same raw files" in found["bolt"][1]
    on_the_cluster(cluster, data, "--worker-data", str(there / "nowhere"), "--force").communicate()
    assert "--worker-data" in ended(data.with_name("away"))["acme"][1]
    assert (data.with_name("away") / "acme" / "index.html").is_file(), "what was there before is kept"


@needs_dask
def test_one_key_press_ends_what_the_cluster_makes(cluster, data):
    endless = book(cluster.shelf / "endless.ipynb", "import time; time.sleep(600)")
    run = on_the_cluster(cluster, data)
    hear(run, "writing the report")
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=30)
    assert run.returncode == 130 and "Stopped" in said and "Traceback" not in said, said
    assert set(ended(data.with_name("away")).values()) == {("stopped", "stopped by hand")}
    assert cluster.leaves_nothing() and not list(data.with_name("away").glob(".*"))
    endless.unlink()


@needs_dask
def test_the_report_of_a_worker_that_is_killed_is_made_by_another(cluster, data):
    run = on_the_cluster(cluster, data)
    hear(run, "reading")
    cluster.workers.pop().kill()
    said, _ = run.communicate()
    assert run.returncode == 0 and "Traceback" not in said, said
    assert ended(data.with_name("away")) == {"acme": ("made", ""), "bolt": ("made", "")}
    assert all((data.with_name("away") / name / "index.html").is_file() for name in ("acme", "bolt"))
    assert cluster.leaves_nothing() and not list(data.with_name("away").glob(".*"))


# --- mistakes


def told(data: Path, *words: str) -> str:
    """Return the one line by which a mistake is told."""
    run = mentoring("report", "acme", "--data", data, "--reports", data.with_name("away"), *words)
    assert run.returncode == 2 and "Traceback" not in run.stderr
    [line] = run.stderr.strip().splitlines()
    return line


@needs_dask
def test_an_address_at_which_no_scheduler_answers_is_told(data):
    started = time.monotonic()
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        assert f"no dask scheduler answers at {address}" in told(data, "--engine", "dask", "--scheduler", address)
    assert "no dask scheduler answers at odd://x" in told(data, "--engine", "dask", "--scheduler", "odd://x")
    assert time.monotonic() - started < 20


def test_a_missing_dask_is_told_with_what_to_install(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    line = told(data, "--engine", "dask", "--scheduler", "tcp://127.0.0.1:9")
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"pip install '{project['name']}[dask]'" in line
    assert set(project["optional-dependencies"]["dask"]) <= set(project["optional-dependencies"]["dev"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--engine", "dask"), "needs the scheduler's address: --scheduler"),
        (("--scheduler", "tcp://127.0.0.1:9"), "--scheduler: goes with --engine dask alone"),
        (("--worker-data", "there"), "--worker-data: goes with --engine dask alone"),
    ],
)
def test_options_that_do_not_go_together_are_told(data, words, said):
    assert said in told(data, *words)


# --- private files


def test_private_files_that_came_from_elsewhere_are_for_their_owner_alone(tmp_path):
    folder = tmp_path / "acme.private"
    [path] = put_private({LINES_FILE: b"line\n1\n", "../out.csv": b"x"}, folder)
    assert [stat.S_IMODE(one.stat().st_mode) for one in (folder, path)] == [0o700, 0o600]
    assert path.read_bytes() == b"line\n1\n" and put_private({}, folder) == [] and not folder.exists()
