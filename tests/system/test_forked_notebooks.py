"""Notebooks run in forked kernels: the outputs of cold ones, nothing left behind, nothing taken along by a failure."""

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import nbformat
import papermill
import pytest
from demo_answers import demo_answer
from expected import DEFAULT_STUDY
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from analysis.answers.shared import shared, shared_answer
from analysis.plan.errors import BadInput
from analysis.plan.faults import Faults, collecting
from analysis.plan.paths import notebooks_dir, project_dir
from analysis.report import execute
from analysis.report.execute import execute_notebook, execute_notebooks
from analysis.report.forked import ENGINE, ForkingProvisioner, KernelParent, kernel_parent
from analysis.report.parameters import check_parameters

PARAMETERS = {"study": DEFAULT_STUDY, "data": ""}
DEFAULTS = f"study = {DEFAULT_STUDY!r}\ndata = ''"


@pytest.fixture(scope="module")
def kernels():
    data = project_dir() / "data"
    with execute._kernel_environment(data), shared(demo_answer(DEFAULT_STUDY)), kernel_parent() as parent:
        yield parent


def book(path: Path, *cells: str) -> Path:
    """Write a notebook of the usual parameters and these cells."""
    written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (DEFAULTS, *cells)])
    written.cells[0].metadata["tags"] = ["parameters"]
    written.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(written, path)
    return path


def cells(path: Path) -> list[nbformat.NotebookNode]:
    """Return the code cells of a notebook, but for the parameters', and for widgets."""
    found = nbformat.read(path, as_version=4).cells
    tags = {"parameters", "injected-parameters", "nbval-ignore-output"}
    return [c for c in found if c.cell_type == "code" and not tags & set(c.metadata.get("tags", ()))]


def run(path: Path, kernels: KernelParent | None, **options: float) -> list[list[nbformat.NotebookNode]]:
    """Run a notebook and return what each of its cells showed."""
    output = path.with_name(f"{path.stem}-{'cold' if kernels is None else 'forked'}.ipynb")
    execute_notebook(path, output, PARAMETERS, kernels, **options)
    return [cell.outputs for cell in cells(output)]


def printed(shown: list[list[nbformat.NotebookNode]]) -> list[str]:
    return ["".join(output.get("text", "") for output in outputs).strip() for outputs in shown]


# The outputs


def comparable(outputs: list[nbformat.NotebookNode]) -> list[dict]:
    """Return outputs without their numbering and without pictures' bytes, which depend on the machine's fonts."""
    return [
        {k: v for k, v in output.items() if k not in ("execution_count", "data")}
        | {mime: mime.startswith("image/") or shown for mime, shown in output.get("data", {}).items()}
        for output in outputs
    ]


@pytest.mark.parametrize("path", sorted(notebooks_dir().glob("*.ipynb")), ids=lambda p: p.stem)
def test_every_notebook_shows_what_it_shows_from_a_cold_kernel(path, kernels, tmp_path):
    """The committed outputs are a cold kernel's (`make expected`)."""
    given = execute.declared_parameters(path)
    execute_notebook(path, tmp_path / path.name, given, kernels)
    for cold, forked in zip(cells(path), cells(tmp_path / path.name), strict=True):
        assert cold.source == forked.source
        assert comparable(cold.outputs) == comparable(forked.outputs), cold.source


KINDS = (
    "import analysis.notebook, logging, warnings\nsorted(map(str, warnings.filters)), logging.root.handlers",
    "print('out'); import sys; print('err', file=sys.stderr); 1 + 1",
    "!echo from another process",
    "import os; _ = os.write(1, b'past sys.stdout\\n')",
    "%%capture kept\nprint('captured')",
    "kept.stdout",
    "import pandas as pd\npd.DataFrame({n: [10.0**n, -1.0] for n in range(30)})",
    "print(pd.describe_option(_print_desc=False).replace('UTF-8', 'utf-8'))",
    "from IPython.display import Markdown, display\nhandle = display(Markdown('*before*'), display_id='one')",
    "handle.update(Markdown('*after*'))",
    "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2], [1, 2])",
    "import matplotlib as mpl; print(mpl.rcParams)",
    "mpl.get_backend(), os.environ['MPLBACKEND'], plt.rcParams['figure.figsize']",
    "import asyncio\nawait asyncio.sleep(0, 'awaited')",
    "import warnings; warnings.simplefilter('always')\nimport signal; signal.getsignal(signal.SIGINT)",
    "sys.argv[0].rsplit('/')[-1].removesuffix('.py'), __name__, os.getsid(0) == os.getpid()",
    "import threading; len(threading.enumerate())",
    "get_ipython().__class__, os.getcwd(), sorted(n for n in os.environ if n not in ('JPY_PARENT_PID',))",
)


def test_outputs_of_every_kind_are_those_of_a_cold_kernel(kernels, tmp_path):
    path = book(tmp_path / "kinds.ipynb", *KINDS)
    for source, cold, forked in zip(KINDS, run(path, None), run(path, kernels), strict=True):
        assert cold == forked, source


def test_a_failing_cell_is_told_and_saved_as_by_a_cold_kernel(kernels, tmp_path):
    path = book(tmp_path / "bad.ipynb", "'before'", "def fail():\n    raise ValueError('no')\n\nfail()", "'after'")
    told = []
    for parent in (None, kernels):
        with pytest.raises(papermill.PapermillExecutionError, match="ValueError: no") as caught:
            run(path, parent)
        told.append(str(caught.value))
    assert told[0] == told[1]
    cold, forked = (cells(tmp_path / f"bad-{how}.ipynb") for how in ("cold", "forked"))
    assert [c.outputs for c in cold] == [c.outputs for c in forked]
    assert forked[0].outputs and forked[1].outputs[0].ename == "ValueError" and not forked[2].outputs


# Nothing is left behind

LEAVE = """
import builtins, os, random, sys
import matplotlib as mpl, numpy as np, pandas as pd
import analysis.plan.probability as module
builtins.left = left = 1
os.environ["LEFT"] = "1"
os.chdir("/")
np.random.seed(1); random.seed(1)
mpl.rcParams["lines.linewidth"] = 99
pd.set_option("display.max_rows", 3)
module.left = 1
sys.modules["left"] = sys
"""
LOOK = """
import builtins, os, random, sys
import matplotlib as mpl, numpy as np, pandas as pd
import analysis.plan.probability as module
print("left" in globals(), hasattr(builtins, "left"), "LEFT" in os.environ, os.getcwd() == "/")
print(mpl.rcParams["lines.linewidth"] == 99, pd.get_option("display.max_rows") == 3, hasattr(module, 'left'))
print("left" in sys.modules)
"""
DRAW = "import random, numpy as np; print(np.random.random(), random.random(), np.random.default_rng().random())"


def test_nothing_of_one_notebook_is_left_in_the_next(kernels, tmp_path):
    run(book(tmp_path / "first.ipynb", LEAVE), kernels)
    [seen] = printed(run(book(tmp_path / "second.ipynb", LOOK), kernels))
    assert set(seen.split()) == {"False"}
    [seen] = printed(run(book(tmp_path / "both.ipynb", LEAVE + LOOK), kernels))
    assert set(seen.split()) == {"True"}  # what it would look like


def test_no_two_kernels_draw_the_same_numbers(kernels, tmp_path):
    drawn = [printed(run(book(tmp_path / f"{n}.ipynb", DRAW), kernels))[0].split() for n in range(2)]
    assert all(one != other for one, other in zip(*drawn, strict=True))


def test_the_process_that_is_forked_has_one_thread_and_no_zeromq_context():
    check = (
        "import threading, zmq, analysis.kernels.__main__; "
        "assert threading.active_count() == 1 and zmq.Context._instance is None"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


# A failure takes nothing along

KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def test_a_kernel_that_is_killed_and_one_that_takes_too_long_leave_the_others_alone(tmp_path, monkeypatch):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    book(shelf / "1.ipynb", "'before'", KILLED, "'after'")
    book(shelf / "2.ipynb", "'before'", "import time; time.sleep(300)", "'after'")
    book(shelf / "3.ipynb", "'good'")
    monkeypatch.setattr(execute, "notebooks_dir", lambda: shelf)
    said: list[str] = []
    with collecting(Faults("acme")) as faults:
        execute_notebooks("acme", tmp_path, tmp_path / "out", jobs=3, say=said.append, time_limit=20)
    assert [(fault.part.name, fault.exception) for fault in faults.found] == [
        ("1.ipynb", "DeadKernelError (its process was killed, as where memory runs out: see --memory)"),
        ("2.ipynb", "CellTimeoutError, from Empty (its time was up: see --time-limit)"),
    ]
    assert said[2] == "notebook 3.ipynb (3 of 3)"
    for name in ("1", "2"):
        before, _, after = cells(tmp_path / "out" / f"{name}.ipynb")
        assert before.outputs[0].data["text/plain"] == "'before'" and not after.outputs
    assert cells(tmp_path / "out" / "3.ipynb")[0].outputs[0].data["text/plain"] == "'good'"


@pytest.mark.parametrize("is_forked", [True, False])
def test_the_time_limit_is_a_notebooks_and_not_a_cells(is_forked, kernels, tmp_path):
    path = book(tmp_path / "slow.ipynb", *["import time; time.sleep(2)"] * 4)
    with pytest.raises(CellTimeoutError):
        run(path, kernels if is_forked else None, time_limit=6)


def test_when_the_parent_dies_so_do_its_kernels_and_the_next_start_cold(tmp_path):
    with kernel_parent() as parent:
        look = book(tmp_path / "look.ipynb", "import sys; 'analysis.notebook' in sys.modules")
        assert run(look, parent)[0][0].data["text/plain"] == "True"
        kill = f"import os, signal, time; os.kill({parent.pid}, signal.SIGKILL); time.sleep(300)"
        with pytest.raises(DeadKernelError):
            run(book(tmp_path / "kill.ipynb", kill), parent)
        assert run(look, parent)[0][0].data["text/plain"] == "False"


def test_a_kernel_that_ends_as_it_starts_is_started_once_more(kernels, tmp_path, monkeypatch):
    """As where another one has taken one of its ports. One that ends a second time is a fault."""
    launch, started = ForkingProvisioner.launch_kernel, []

    async def launch_and_kill(self, cmd, **options):
        info = await launch(self, cmd, **options)
        started.append(self.pid)
        if len(started) != 2:
            os.kill(self.pid, signal.SIGKILL)
        return info

    monkeypatch.setattr(ForkingProvisioner, "launch_kernel", launch_and_kill)
    path = book(tmp_path / "again.ipynb", "1 + 1")
    assert run(path, kernels)[0][0].data["text/plain"] == "2" and len(started) == 2
    with pytest.raises(RuntimeError, match="Kernel died before replying"):
        run(path, kernels)
    assert len(started) == 4


A_THREAD = "import threading, time; threading.Thread(target=time.sleep, args=[600], daemon=True).start()"


@pytest.mark.parametrize("preparation", ["raise SystemExit(3)", A_THREAD])
def test_a_parent_that_cannot_be_forked_is_none(preparation, tmp_path, monkeypatch):
    settings = f"import sys\nif 'analysis.kernels' in sys.orig_argv:\n    {preparation}"
    (tmp_path / "sitecustomize.py").write_text(settings, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with kernel_parent() as parent:
        assert parent is None


# The answer


def test_the_answer_is_found_from_the_kernels_folder_too_and_while_its_files_are_there(tmp_path, monkeypatch):
    folder = tmp_path / "data" / DEFAULT_STUDY
    shutil.copytree(project_dir() / "data" / DEFAULT_STUDY, folder)
    monkeypatch.chdir(tmp_path)
    released = demo_answer(DEFAULT_STUDY)
    relative = replace(released, study=released.study.model_copy(update={"folder": Path("data") / DEFAULT_STUDY}))
    with shared(relative):
        monkeypatch.chdir("/")
        assert shared_answer(folder) is not None and shared_answer(folder.parent) is None
        (folder / "study.yaml").unlink()
        assert shared_answer(folder) is None


# papermill on its own


def test_the_command_of_papermill_runs_a_notebook_with_and_without_the_engine(tmp_path):
    path = book(tmp_path / "book.ipynb", "import sys; study, 'analysis.notebook' in sys.modules")
    register = "import analysis.report.forked, papermill.cli; papermill.cli.papermill()"
    for how, is_prepared in ((["-m", "papermill"], "False"), (["-c", register, "--engine", ENGINE], "True")):
        command = [sys.executable, *how, str(path), str(tmp_path / "out.ipynb"), "-p", "study", "acme"]
        subprocess.run(command, check=True, capture_output=True)
        assert cells(tmp_path / "out.ipynb")[0].outputs[0].data["text/plain"] == f"('acme', {is_prepared})"


def test_the_engine_is_an_entry_point_of_the_package():
    project = tomllib.loads((project_dir() / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, name = project["entry-points"]["papermill.engine"][ENGINE].split(":")
    assert issubclass(getattr(import_module(module), name), papermill.engines.Engine)


# Parameters


def test_the_nearest_right_name_is_told():
    with pytest.raises(BadInput, match=r"there is no parameter 'stduy'.*did you mean study"):
        check_parameters({"stduy": "acme", "data": ""}, {"study": "", "data": ""}, "a notebook")


VIEW = "from analysis.notebook import study_view\nview = study_view(globals())\nprint(view.study.study)"


def test_a_notebook_runs_any_number_of_times_in_one_kernel_beside_cells_of_ones_own(kernels, tmp_path):
    own = "studies, hypothesis, table = 7, [1], {'data': 2}"
    path = book(tmp_path / "again.ipynb", own, VIEW, VIEW, f"study = {DEFAULT_STUDY!r}", VIEW)
    assert printed(run(path, kernels)) == ["", DEFAULT_STUDY, DEFAULT_STUDY, "", DEFAULT_STUDY]


def test_a_misspelt_study_is_answered_in_one_line_with_the_nearest_name(kernels, tmp_path):
    misspelt = DEFAULT_STUDY[1:]
    path = book(tmp_path / "misspelt.ipynb", f"study = {misspelt!r}", VIEW)
    with pytest.raises(papermill.PapermillExecutionError):
        run(path, kernels)
    [error] = cells(tmp_path / "misspelt-forked.ipynb")[1].outputs
    [line] = error.traceback
    assert line.startswith(f"{misspelt}/study.yaml: there is no such file") and f"did you mean {DEFAULT_STUDY}?" in line
