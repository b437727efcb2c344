"""``mentoring share``: the ledger that may leave the company."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.releases import AfterReview, To
from analysis.cli.terminal import Data, Reports, guarded, out
from analysis.plan.paths import data_dir, reports_dir


def share(
    study: Annotated[str, typer.Argument(help="Name of a study folder.")],
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; default: STUDY.share in the folder for reports.")
    ] = None,
    with_naive: Annotated[
        bool,
        typer.Option("--with-naive", help="Share the figures of a dashboard, too, where they give nothing away."),
    ] = False,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(metavar="ROW", help="Id of a row that is to be suppressed; may be given several times."),
    ] = None,
    to: To = "",
    after_review: AfterReview = "",
    data: Data = None,
    reports: Reports = None,
) -> None:
    """Write what may leave the company: effects, so coarse that no number of people or exits follows from them.

    For a synthesis, a publication, or a reviewer who is not of the company. The report itself is for the inside.

    What is shared is put on record in the folder for reports (releases.jsonl). A ledger whose difference from an
    earlier one may be about fewer people than min_cell is refused: exit code 2, and nothing is written.
    """
    from analysis.pipeline.released import Asked, share_study

    record = reports_dir(reports)
    target = folder or record / f"{study}.share"
    asked = Asked(with_naive=with_naive, leave_out=tuple(leave_out or ()), to=to, reviewed=after_review)
    say = partial(out.print, markup=False)
    written = guarded(study, share_study, study, data_dir(data), target, say, asked, record)
    out.print(f"{study}: {written}", markup=False)
