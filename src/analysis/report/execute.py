"""Notebooks run with parameters, which are checked before anything runs."""

import ast
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.plan.errors import BadInput
from analysis.plan.faults import collected
from analysis.plan.paths import NOT_OF_A_REPORT, ONE_THREAD, environment, notebooks_dir
from analysis.report.failed_notebook import note_failed_notebook, strip_run_metadata
from analysis.report.folders import writing
from analysis.report.notebook_files import nbformat
from analysis.report.parameters import check_parameters, scale_hypotheses

if TYPE_CHECKING:
    from analysis.report.forked import KernelParent

START_TIMEOUT_SECONDS = 300
# No notebook of a report needs minutes; one that estimates for itself may need many.
TIME_LIMIT_SECONDS = 3600
# Scales that have a notebook of their own.
TOLD_ELSEWHERE = ("H3_leadership",)


def declared_parameters(notebook: Path) -> dict[str, object]:
    """Return the names and defaults of a notebook's one ``parameters`` cell, in its order.

    Raises
    ------
    ValueError
        The notebook has no such cell, more than one, or something else than plain assignments in it.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    tagged = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", ())]
    if len(tagged) != 1:
        raise ValueError(f"{notebook.name} has {len(tagged)} cells tagged 'parameters'; it needs exactly one")
    found = {}
    for statement in ast.parse(tagged[0]).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]):
                found[name] = ast.literal_eval(statement.value)
            case _:
                raise ValueError(f"{notebook.name}: the parameters cell may hold plain assignments only")
    return found


def execute_notebook(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, object],
    kernels: "KernelParent | None" = None,
    time_limit: float = TIME_LIMIT_SECONDS,
) -> None:
    """Run one notebook and save it with its outputs, the time and machine of the run stripped.

    Parameters
    ----------
    kernels
        What the kernel is forked from (`report.forked`); without it the kernel starts cold, with the same outputs.
    time_limit
        After so many seconds the notebook is stopped, and saved as far as it got.

    Raises
    ------
    BadInput
        The parameters are not the notebook's; nothing has run then.
    papermill.PapermillExecutionError
        A cell failed.
    nbclient.exceptions.CellTimeoutError, nbclient.exceptions.DeadKernelError
        The time was up, or the kernel died.
    """
    check_parameters(parameters, declared_parameters(notebook), notebook.name)
    with writing(output.parent):
        _run(notebook, output, parameters, kernels, time_limit)


def run_in_place(notebook: Path) -> None:
    """Run a notebook with its own defaults and save it over itself, so that its committed outputs are renewed."""
    _run(notebook, notebook, {}, None, TIME_LIMIT_SECONDS)


def _run(
    notebook: Path, output: Path, parameters: Mapping[str, object], kernels: "KernelParent | None", time_limit: float
) -> None:
    import papermill

    from analysis.report.forked import ENGINE

    # What goes wrong is said by this program, in its own words.
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    ends = time.monotonic() + time_limit
    papermill.execute_notebook(
        notebook,
        output,
        dict(parameters),
        progress_bar=False,
        kernel_name="python3",
        start_timeout=START_TIMEOUT_SECONDS,
        extra_arguments=["--log-level=CRITICAL"],
        # The kernel's folder alone: papermill would change that of this process, for whatever else runs in it.
        resources={"metadata": {"path": str(notebook.parent)}},
        # What is left for a cell; nbclient takes 0 for no limit.
        timeout_func=lambda cell: max(ends - time.monotonic(), 0.001),
        # What is printed at one go may come in parts, as chance has it.
        coalesce_streams=True,
        **({"engine_name": ENGINE, "kernels": kernels} if kernels else {}),
    )
    strip_run_metadata(output)


def notebooks_of_reports(pattern: str = "*.ipynb") -> list[Path]:
    """Return the project's notebooks that a report runs, of those whose names match `pattern`."""
    return sorted(path for path in notebooks_dir().glob(pattern) if path.name not in NOT_OF_A_REPORT)


def execute_notebooks(
    study: str,
    data: Path,
    folder: Path,
    jobs: int = 1,
    say: Callable[[str], None] = print,
    pattern: str = "*.ipynb",
    scales: Collection[str] = (),
    time_limit: float | None = None,
) -> None:
    """Run the project's notebooks whose names match `pattern` on a study into `folder`, one more than `jobs` at a time.

    A kernel is waited for half of the time that a notebook takes; the processor then has another one.

    A notebook with a parameter ``hypothesis`` is run once for each of `scales` that has no notebook of its own.
    Where the data are goes through the environment: an executed notebook is passed on, and tells no folder's name.
    A notebook that fails, or takes more than `time_limit` seconds (by default an hour), is saved as far as it got, and
    kept as a fault; the others run on (outside of `plan.faults.collecting` the failure is raised).
    """
    folder.mkdir(parents=True, exist_ok=True)
    limit = TIME_LIMIT_SECONDS if time_limit is None else time_limit
    # papermill takes a second to import: only those who run notebooks wait for it.
    from analysis.report.forked import kernel_parent

    notebooks = notebooks_of_reports(pattern)
    runs = [run for notebook in notebooks for run in notebook_runs(notebook, study, scales)]
    with _kernel_environment(data), kernel_parent() as kernels, ThreadPoolExecutor(max_workers=jobs + 1) as pool:
        running = [
            (name, pool.submit(execute_notebook, notebook, folder / name, given, kernels, limit))
            for notebook, name, given in runs
        ]
        for n, (name, future) in enumerate(running, start=1):
            so_far = f"notebook {name} ({n} of {len(running)})"
            error = future.exception()
            if error is None:
                say(so_far)
            elif isinstance(error, BadInput) or collected() is None:
                raise error
            else:
                say(f"{so_far}: {note_failed_notebook(folder / name, error).reason}")


def notebook_runs(notebook: Path, study: str, scales: Collection[str]) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """Yield every run of a notebook on a study: the notebook, the name of its output, its parameters."""
    given = {"study": study, "data": ""}
    if "hypothesis" not in declared_parameters(notebook):
        yield notebook, notebook.name, given
        return
    for hypothesis in scale_hypotheses():
        if hypothesis in scales and hypothesis not in TOLD_ELSEWHERE:
            yield notebook, f"{notebook.stem}_{hypothesis}.ipynb", given | {"hypothesis": hypothesis}


def _kernel_environment(data: Path) -> AbstractContextManager[None]:
    """Set what the kernels inherit: the data folder, one thread, and no back end, or they would show no picture."""
    return environment(**ONE_THREAD, MENTORING_DATA=str(data.resolve()), MPLBACKEND=None)
