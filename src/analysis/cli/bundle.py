"""``mentoring bundle``: one zip for a reviewer."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.options import CORES
from analysis.cli.releases import AfterReview, To
from analysis.cli.terminal import Data, Reports, guarded, out
from analysis.plan.paths import data_dir, reports_dir


def bundle(
    study: Annotated[str, typer.Argument(help="Name of a study folder.")],
    file: Annotated[
        Path | None,
        typer.Option("--out", help="Zip file; default: STUDY.bundle.zip in the folder for reports."),
    ] = None,
    inside: Annotated[
        bool,
        typer.Option("--inside", help="Add the report for the inside of the company; such a zip must not leave it."),
    ] = False,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(metavar="ROW", help="Id of a shared row that is to be suppressed; may be given several times."),
    ] = None,
    to: To = "",
    after_review: AfterReview = "",
    jobs: Annotated[int, typer.Option(min=1, help="So many notebooks at a time.")] = CORES,
    data: Data = None,
    reports: Reports = None,
) -> None:
    """Write one zip from which a reviewer makes everything again: data, program, libraries, results, and a README.

    Confidential data stay: a synthetic stand-in of the same tables goes in their place, on which everything runs, and
    the shared ledger with the study's own numbers, which is put on record as by mentoring share. Data are confidential
    unless they are simulated, or study.yaml says confidential: false. The README has the form of social science data
    editors; beside it lie the TARGET checklist and RO-Crate metadata.
    """
    from analysis.bundle import make_bundle
    from analysis.pipeline.released import Asked

    record = reports_dir(reports)
    asked = Asked(leave_out=tuple(leave_out or ()), to=to, reviewed=after_review)
    say, make = partial(out.print, markup=False), partial(make_bundle, inside=inside)
    target = file or record / f"{study}.bundle.zip"
    done = guarded(study, make, study, data_dir(data), target, record, asked, jobs, say)
    out.print(f"{study}: {done.file}", markup=False)
    if done.is_inside:
        out.print("The report for the inside is in it: it must not leave the company.", style="yellow", markup=False)
    elif done.is_stand_in:
        message = f"Without the data: {done.report} stands in for them. What it was drawn from is in its taken.json."
        out.print(message, markup=False)
    out.print(f"SHA-256: {done.digest}", markup=False)
