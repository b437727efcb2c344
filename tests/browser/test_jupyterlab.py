"""The notebooks as somebody works in them: JupyterLab in a real browser; opened, run, changed, run again, misspelt."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser import Page, chromium, executable
from demo_answers import demo_answer

from analysis.answers.cache import AnswerCache
from analysis.plan.paths import notebooks_dir, project_dir
from analysis.runs.made_from import answered_from

pytestmark = pytest.mark.skipif(executable() is None, reason="there is no Chromium on this machine")
TOKEN = "a-token-of-this-test"
STUDIES = ("northbank", "plumetree")
OWN_FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
NOTHING_OPEN = "this notebook: no study is open; see what is wrong with the parameters, and run all cells again"
CELLS = "window.jupyterapp.shell.currentWidget.content.widgets"


class Lab:
    """JupyterLab in the browser, with one notebook open."""

    def __init__(self, page: Page, address: str):
        self.page, self.address = page, address

    def open(self, notebook: str) -> None:
        """Open a notebook in an empty workspace and wait for its kernel."""
        # Another one is open already, maybe with changes: the browser must not ask.
        self.page.value("window.onbeforeunload = null")
        self.page.open(f"{self.address}/lab/workspaces/{Path(notebook).stem}/tree/notebooks/{notebook}?token={TOKEN}")
        self.wait_for(notebook)

    def wait_for(self, notebook: str) -> None:
        """Wait until a notebook is open and its kernel there."""
        self.page.wait(
            f"window.jupyterapp?.shell?.currentWidget?.context?.path === 'notebooks/{notebook}'"
            " && window.jupyterapp.shell.currentWidget.context.isReady"
        )
        self.page.wait("window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'")

    def start_all(self) -> None:
        """Run all cells."""
        self.page.value(
            "void (window.ran = false, "
            "window.jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.ran = true; }))"
        )

    def run_all(self) -> None:
        """Run all cells and wait until every one has ended, or one has failed."""
        self.start_all()
        self.wait_for_all()

    def wait_for_all(self, seconds: float = 60) -> None:
        """Wait until every cell has ended, or one has failed."""
        self.page.wait("window.ran === true", seconds)

    def change(self, old: str, new: str) -> None:
        """Replace text in the notebook's cell of parameters, as typing would."""
        is_there = self.page.value(
            f"{CELLS}.some(cell => {{ const model = cell.model.sharedModel; const text = model.getSource();"
            f"if (cell.model.type !== 'code' || !text.includes({json.dumps(old)})) return false;"
            f"model.setSource(text.replace({json.dumps(old)}, {json.dumps(new)})); return true; }})"
        )
        assert is_there, old

    def insert_first(self, source: str) -> None:
        """Put a cell of somebody's own at the end and another in front."""
        self.page.value(
            "(() => { const model = window.jupyterapp.shell.currentWidget.content.model.sharedModel;"
            f"for (const at of [model.cells.length, 0]) "
            f"model.insertCell(at, {{cell_type: 'code', source: {json.dumps(source)}}}); }})()"
        )

    def outputs(self) -> list[dict]:
        """Return the outputs of all cells, as the notebook would save them."""
        return json.loads(
            self.page.value(
                f"JSON.stringify({CELLS}.filter(cell => cell.model.type === 'code')"
                ".flatMap(cell => cell.model.outputs.toJSON()))"
            )
        )

    def shown(self) -> str:
        """Return all that the outputs say in Markdown, or as errors."""
        return "\n".join(_text(output) for output in self.outputs())

    def errors(self) -> list[dict]:
        """Return the outputs of cells that failed."""
        return [output for output in self.outputs() if output["output_type"] == "error"]


def _text(output: dict) -> str:
    if output["output_type"] == "error":
        return "\n".join(output["traceback"])
    return "".join(output.get("data", {}).get("text/markdown", ""))


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[Lab]:
    """Start JupyterLab on copies of the notebooks and the demos, whose answers are kept, and a browser."""
    root = tmp_path_factory.mktemp("lab")
    shutil.copytree(notebooks_dir(), root / "notebooks")
    cache = AnswerCache(root / "reports")
    for study in STUDIES:
        shutil.copytree(project_dir() / "data" / study, root / "data" / study)
        cache.keep(demo_answer(study), answered_from(root / "data" / study))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        name: str(root / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    places = {"MENTORING_DATA": str(root / "data"), "MENTORING_REPORTS": str(root / "reports")}
    command = [sys.executable, "-m", "jupyterlab", *lab_options(), "--no-browser"]
    command += [f"--port={port}", f"--IdentityProvider.token={TOKEN}", "--allow-root"]
    command += ["--LabApp.expose_app_in_browser=True", "--ServerApp.log_level=CRITICAL"]
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"} | own | places
    with ExitStack() as stack:
        server = subprocess.Popen(
            command, env=environment, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        stack.callback(server.wait, 15)
        stack.callback(server.terminate)
        page = stack.enter_context(chromium(root / "browser"))
        _wait_for(f"http://127.0.0.1:{port}/api?token={TOKEN}")
        yield Lab(page, f"http://127.0.0.1:{port}")


def lab_options() -> list[str]:
    """Return how ``make lab`` starts JupyterLab."""
    make = ["make", "--no-print-directory", "--dry-run", "lab"]
    said = subprocess.run(make, cwd=project_dir(), capture_output=True, text=True, check=True).stdout
    return shlex.split(said.replace("\\\n", " ").strip().splitlines()[-1])[2:]


def _wait_for(address: str, seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)
        else:
            return


def screenshot(lab: Lab, name: str) -> None:
    """Write a picture where somebody wants to look at it."""
    folder = os.environ.get("MENTORING_SCREENSHOTS")
    if folder:
        lab.page.screenshot(Path(folder) / f"{name}.png")


def test_a_notebook_runs_again_with_another_study_and_a_misspelt_one_is_told_in_one_line(lab):
    lab.open("07_summary.ipynb")
    lab.insert_first("data_frame = [1]\nmonths = 12")
    lab.run_all()
    assert lab.errors() == [] and "Northbank" in lab.shown()
    screenshot(lab, "summary")
    lab.change('"northbank"', '"plumetree"')
    lab.run_all()
    assert lab.errors() == [] and "Northbank" not in lab.shown() and "Plumetree" in lab.shown()
    lab.change('"plumetree"', '"plumtree"')
    lab.run_all()
    screenshot(lab, "misspelt")
    first, *others = lab.errors()
    assert len(first["traceback"]) == 1 and first["traceback"][0].endswith("did you mean plumetree?")
    # JupyterLab may run cells after one that failed: they must not show the study that was open before.
    assert "Plumetree" not in lab.shown() and all(e["traceback"] == [NOTHING_OPEN] for e in others)
    lab.change('study = "plumtree"', 'studdy = "northbank"')
    lab.run_all()
    assert lab.errors()[0]["traceback"] == [
        "this notebook: there is no parameter 'studdy'; the parameters are study, data; did you mean study?"
    ]


def test_jupyterlab_opens_on_the_start_page_which_shows_any_study_without_code(lab):
    lab.page.open(f"{lab.address}/?token={TOKEN}")
    lab.wait_for("00_start.ipynb")
    lab.run_all()
    lists = "[...document.querySelectorAll('.jp-OutputArea select')]"
    last = "[...document.querySelectorAll('.jp-OutputArea')].at(-1).innerText"
    lab.page.wait(f"{lists}.length === 2 && {last}.includes('Northbank')")
    screenshot(lab, "start")
    lab.page.value(
        f"(() => {{ const [study] = {lists}; study.selectedIndex = [...study.options]"
        ".findIndex(o => o.text.includes('plumetree')); study.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )
    lab.page.wait(f"{last}.includes('Plumetree') && !{last}.includes('Northbank')")
    screenshot(lab, "picked")
    assert lab.errors() == []


def test_a_question_of_ones_own_is_answered_and_whoever_waits_sees_how_far_it_is(lab):
    lab.open("own_analysis.ipynb")
    lab.change('"northbank"', '"plumetree"')
    lab.start_all()
    lab.page.wait("document.body.innerText.includes(' s so far)')")
    lab.wait_for_all()
    screenshot(lab, "own")
    assert lab.errors() == [] and "**Exploratory:" in lab.shown()
    assert not any("so far" in _text(output) for output in lab.outputs())
