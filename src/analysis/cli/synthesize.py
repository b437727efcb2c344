"""``mentoring synthesize``: the report over many companies."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.releases import AfterReview, To
from analysis.cli.terminal import Reports, guarded, out, progress
from analysis.plan.errors import bad_input
from analysis.plan.paths import reports_dir


def synthesize(
    ledgers: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[LEDGER]...",
            help="Folders that mentoring share wrote, or folders of such folders (default: *.share in the reports).",
        ),
    ] = None,
    to: To = "",
    after_review: AfterReview = "",
    reports: Reports = None,
) -> None:
    """Say what many companies' shared ledgers say together: reports/synthesis/, a page, a ledger and forest plots.

    Only what mentoring share wrote is read. A ledger that breaks the data contract stops the whole, with every mistake
    listed by file, line and column. The report shows every company's rows. So it is put on record
    (releases.jsonl), and is refused where a ledger and an earlier one of the same company may differ by too few people.
    """
    from analysis.pipeline.synthesized import FOLDER, write_report

    folder = reports_dir(reports)
    places = ledgers or sorted(folder.glob("*.share"))
    if not places:
        message = "has no folder of mentoring share; share a study first, or name the folders that others sent"
        raise bad_input(str(folder), message, rule="no_shared_ledger", table="estimates")
    with progress() as say:
        page = guarded(FOLDER, write_report, places, folder / FOLDER, say, to, after_review)
    out.print(f"{FOLDER}: {page}", markup=False)
