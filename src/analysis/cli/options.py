"""What may be said of every run of reports, in one place: the options that ``report`` and ``batch`` share."""

import os
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from analysis.cli.terminal import Data, Reports
from analysis.plan.paths import data_dir, reports_dir

CORES = os.cpu_count() or 1
SHARED = "options"

Jobs = Annotated[int, typer.Option(min=1, help="Workers: so many reports at a time.")]
Memory = Annotated[
    float | None,
    typer.Option(min=0.5, help="GB of memory a worker may take (default: its share of what is free)."),
]
Force = Annotated[bool, typer.Option("--force", help="Make every report, those too of which nothing has changed.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be made, and why, and make nothing.")]


@dataclass(frozen=True)
class RunOptions:
    """What a run of reports was asked for; each field is an option of the command line, with its help."""

    data: Data = None
    reports: Reports = None
    jobs: Jobs = CORES
    memory: Memory = None
    force: Force = False
    dry_run: DryRun = False

    @property
    def data_folder(self) -> Path:
        """The folder of study folders."""
        return data_dir(self.data)

    @property
    def reports_folder(self) -> Path:
        """The folder of reports."""
        return reports_dir(self.reports)


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
