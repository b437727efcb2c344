"""The data-quality ledger as a file: what `mentoring check` writes, and every report too. It needs no picture."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from analysis.plan.errors import Problem, problems_frame
from analysis.report.folders import writing
from analysis.report.safe_cells import export_safe


def write_problems(problems: Iterable[Problem], folder: Path) -> None:
    """Write the data-quality ledger, ``data_quality.csv``."""
    export_safe(problems_frame(problems)).to_csv(folder / "data_quality.csv", index=False, lineterminator="\n")


def replace_problems(ledger: Iterable[Problem], folder: Path) -> Path:
    """Replace the data-quality ledger of a report folder, and nothing else in it; return its path.

    `ledger` is as it may be shown.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".check-", dir=folder) as staging:
            write_problems(ledger, Path(staging))
            (folder / "unmatched.csv").unlink(missing_ok=True)  # of earlier versions; now a private file
            for written in Path(staging).iterdir():
                written.replace(folder / written.name)
    return folder / "data_quality.csv"
