"""``mentoring share``: the ledger that may leave the company."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.terminal import Data, Reports, guarded, out
from analysis.plan.paths import data_dir, reports_dir


def share(
    study: Annotated[str, typer.Argument(help="Name of a study folder.")],
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; default: STUDY.share in the folder for reports.")
    ] = None,
    with_naive: Annotated[
        bool,
        typer.Option("--with-naive", help="Share the figures of a dashboard, too, where they give nothing away."),
    ] = False,
    data: Data = None,
    reports: Reports = None,
) -> None:
    """Write what may leave the company: effects, so coarse that no number of people or exits follows from them.

    For a synthesis, a publication, or a reviewer who is not of the company. The report itself is for the inside.
    """
    from analysis.pipeline.released import share_study

    target = to or reports_dir(reports) / f"{study}.share"
    make = partial(share_study, with_naive=with_naive)
    folder = guarded(study, make, study, data_dir(data), target, lambda text: out.print(text, markup=False))
    out.print(f"{study}: {folder}", markup=False)
