"""``mentoring explain``: where a number comes from."""

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.terminal import Data, Reports, guarded, out
from analysis.plan.paths import data_dir, reports_dir

if TYPE_CHECKING:
    from analysis.pipeline.explained import Explained

WIDTH = 110


def explain(
    study: Annotated[str, typer.Argument(help="Name of a study that has a report.")],
    row: Annotated[str, typer.Argument(help="Id of a row of its estimates.csv, such as H1-b0df3ad9e0.")],
    data: Data = None,
    reports: Reports = None,
) -> None:
    """Say where a number comes from: its row, its method and source, the code, what went in, the notebook cell.

    The study's files are read again for what went in, in exact numbers: they are for the terminal of whoever has the
    files, and stand in no report.
    """
    from analysis.pipeline.explained import explain as explained

    found = guarded(study, explained, study, row, data_dir(data), reports_dir(reports))
    for title, lines in sections(found).items():
        out.print(f"\n{title}", style="bold", markup=False)
        for line in lines:
            out.print(textwrap.indent(textwrap.fill(line, WIDTH, subsequent_indent="  "), "  "), markup=False)


def sections(found: "Explained") -> dict[str, list[str]]:
    """Return what is said of a number, by heading, a line each."""
    made = found.making
    method = [f"{made.method.title}: {made.method.text.strip()}"] if made.method else []
    files = found.row_counts.itertuples(index=False)
    counts = [f"{file.source}: {file.rows_in:,} rows in, {file.rows_kept:,} kept" for file in files]
    cells = found.cells or ("in no executed notebook of this report with its interval; it is a row of the ledger",)
    return {
        "The row": [f"{column}: {cell}" for column, cell in found.row.items()],
        "The estimator": [f"{found.row['estimator']}: {made.estimator.label}", *method, *made.sources],
        "The code": [f"{place.name}  {place.file}:{place.line}" for place in made.made_by],
        "What went in": counts,
        "What was left out, and why": [str(problem) for problem in found.excluded] or ["no row"],
        "Where it is shown": list(cells),
    }
