"""What may be said of every run of reports, in one place: the options that ``report`` and ``batch`` share."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from analysis.cli.terminal import Data, Reports
from analysis.plan.errors import bad_input
from analysis.plan.paths import data_dir, reports_dir

if TYPE_CHECKING:
    from analysis.cli.live import Watch
    from analysis.runs.task import Outcome, Task

CORES = os.cpu_count() or 1
SHARED = "options"

Jobs = Annotated[int, typer.Option(min=1, help="Workers here: so many reports at a time.")]
Memory = Annotated[
    float | None,
    typer.Option(min=0.5, help="GB of memory a worker may take (default: its share of what is free)."),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(metavar="MINUTES", min=0.01, help="Minutes a notebook may take; the others run on (default: 60)."),
]
Force = Annotated[bool, typer.Option("--force", help="Make every report, those too of which nothing has changed.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be made, and why, and make nothing.")]
Engine = Annotated[
    Literal["local", "dask"], typer.Option(help="Where reports are made: here, or by the workers of a dask cluster.")
]
Scheduler = Annotated[
    str | None, typer.Option(help="With --engine dask: the scheduler's address, such as tcp://HOST:8786.")
]
WorkerData = Annotated[
    Path | None, typer.Option(help="With --engine dask: the data folder on the workers (default: the same path).")
]


@dataclass(frozen=True)
class RunOptions:
    """What a run of reports was asked for; each field is an option of the command line, with its help."""

    data: Data = None
    reports: Reports = None
    jobs: Jobs = CORES
    memory: Memory = None
    time_limit: TimeLimit = None
    force: Force = False
    dry_run: DryRun = False
    engine: Engine = "local"
    scheduler: Scheduler = None
    worker_data: WorkerData = None

    def __post_init__(self) -> None:
        if self.engine == "dask" and not self.scheduler:
            raise bad_input("--engine dask", "needs the scheduler's address: --scheduler", rule="parameters")
        for name, given in (("--scheduler", self.scheduler), ("--worker-data", self.worker_data)):
            if given and self.engine != "dask":
                raise bad_input(name, "goes with --engine dask alone", rule="parameters")

    @property
    def data_folder(self) -> Path:
        """The folder of study folders."""
        return data_dir(self.data)

    @property
    def reports_folder(self) -> Path:
        """The folder of reports."""
        return reports_dir(self.reports)

    def task(self, report: str, study: str, n: int, **more: Any) -> "Task":
        """Return one of `n` reports to be made, with what it has beside these options."""
        from analysis.runs.task import Task

        notebooks = max(1, self.jobs // n) if self.engine == "local" else 1
        limit = None if self.time_limit is None else 60 * self.time_limit
        return Task(report, study, self.data_folder, self.reports_folder, jobs=notebooks, time_limit=limit, **more)

    def make(self, tasks: "Sequence[Task]", watch: "Watch") -> "Iterator[Outcome]":
        """Make reports where it was asked for, and yield each as it ends."""
        # The scientific libraries take seconds to import, and dask is an extra: --help must not need them.
        if self.engine == "dask":
            from analysis.runs.cluster import make_all_away

            data = self.worker_data or self.data_folder.absolute()
            return make_all_away(tasks, self.scheduler or "", data, self.memory, watch)
        from analysis.runs.workers import make_all, share_of_memory

        workers = min(self.jobs, len(tasks))
        return make_all(tasks, workers, share_of_memory(workers, self.memory), watch)


def with_run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command every option of `RunOptions`, in place of its parameter ``options``.

    Typer makes options of a function's parameters alone, and not of a dataclass's fields.
    """

    @wraps(command)
    def wrapped(**given: Any) -> None:
        shared = {field.name: given.pop(field.name) for field in fields(RunOptions)}
        command(**given, **{SHARED: RunOptions(**shared)})

    own = [parameter for name, parameter in signature(command).parameters.items() if name != SHARED]
    hints = get_type_hints(RunOptions, include_extras=True)
    shared = [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(RunOptions)
    ]
    parameters = [*(parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own), *shared]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    vars(wrapped)["__signature__"] = signature(command).replace(parameters=parameters)
    return wrapped
