"""``mentoring reproduce``: the numbers made again from raw files, and compared with those that were to be got."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.options import CORES
from analysis.cli.terminal import (
    BAD_INPUT,
    DONE,
    FAILED,
    Data,
    Reports,
    add_row,
    err,
    new_table,
    out,
    progress,
    show_problems,
    show_table,
)
from analysis.plan.paths import data_dir, project_dir, reports_dir

if TYPE_CHECKING:
    from analysis.runs.reproduction import Compared

FILE = "reproduction.csv"
MOST_TOLD = 20


def reproduce(
    studies: Annotated[list[str] | None, typer.Argument(help="Names of study folders (default: all compared).")] = None,
    against: Annotated[
        Path | None, typer.Option(help="An earlier folder of reports (default: the project's reports/expected).")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="So many studies at a time.")] = CORES,
    data: Data = None,
    reports: Reports = None,
) -> None:
    """Make the ledgers again from raw files, in fresh processes, and compare every row with those of an earlier run.

    Raw files are verified by their checksums first. Estimates, standard errors, limits, p-values and smallest effects
    may differ by one in the last digit that is written; everything else must be the same. reports/reproduction.csv has
    a verdict a row: reproduced, within tolerance, diverged, missing or new. Any of the last three: exit code 1.
    """
    from analysis.pipeline.reproduced import remake_all
    from analysis.report.folders import writing
    from analysis.runs.reproduction import FAILING, compare, comparison_csv, expected_ledgers

    expected = expected_ledgers(against or project_dir() / "reports" / "expected", studies or [])
    found: dict[str, list[Compared]] = {}
    code = DONE
    with progress() as say:
        say(f"made again from raw files: {', '.join(expected)}")
        for remade in remake_all(list(expected), data_dir(data), jobs):
            name = remade.study
            if remade.problems and not remade.ledgers:
                show_problems(remade.problems, f"{name}: not made, because the input cannot be used:", folds=True)
                code = BAD_INPUT
                continue
            for fault in remade.faults:
                err.print(f"{name}: a fault in this program: {fault}", style="bold red", markup=False)
            found[name] = compare(remade, expected[name])
            raw = "raw files verified" if remade.is_verified else "raw files not verified: it has no SHA256SUMS"
            say(f"{name}: compared, {raw}")
    rows = [row for name in expected for row in found.get(name, [])]
    target = reports_dir(reports)
    with writing(target):
        target.mkdir(parents=True, exist_ok=True)
        (target / FILE).write_text(comparison_csv(rows), encoding="utf-8")
    _tell(rows, target / FILE)
    if code == DONE and any(row.verdict in FAILING for row in rows):
        code = FAILED
    raise typer.Exit(code)


def _tell(rows: "list[Compared]", file: Path) -> None:
    """Print each row that differs, as many as can be read, and a summary by study and ledger."""
    from analysis.runs.reproduction import VERDICTS, verdict_counts

    unlike = [row for row in rows if row.verdict != "reproduced"]
    for row in unlike[:MOST_TOLD]:
        out.print(str(row), markup=False)
    if len(unlike) > MOST_TOLD:
        out.print(f"… and {len(unlike) - MOST_TOLD:,} more rows, in {file}", markup=False)
    table = new_table("study", "ledger", *VERDICTS, numbers=VERDICTS)
    for (study, ledger), counts in verdict_counts(rows).items():
        add_row(table, study, ledger, *(counts[verdict] for verdict in VERDICTS))
    show_table(table)
    out.print(f"every row: {file}", markup=False)
