"""The files of one study's report, written whole or not at all."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from analysis.plan.errors import BadInput, Problem, problems_frame
from analysis.plan.findings import findings_frame
from analysis.plan.paths import STUDY_NAME
from analysis.plan.results import estimates_frame
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.release.cells import export_safe
from analysis.report.index import index_facts, index_page, read_index_entry
from analysis.report.page import figure_files, study_page
from analysis.report.quality_page import bad_input_page, quality_page

QUALITY = "data_quality.html"

UNMATCHED = ("unmatched_person", "ambiguous_person")


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces `target` when the block ends well, and vanishes when it does not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        new, old = staging / "new", staging / "old"
        new.mkdir()
        yield new
        if target.exists():
            target.rename(old)
        new.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_problems(problems: Iterable[Problem], folder: Path) -> None:
    """Write the data-quality ledger, ``data_quality.csv``, and ``unmatched.csv`` where people were not found."""
    problems = list(problems)
    export_safe(problems_frame(problems)).to_csv(folder / "data_quality.csv", index=False, lineterminator="\n")
    unmatched = _unmatched(problems)
    if len(unmatched):
        export_safe(unmatched).to_csv(folder / "unmatched.csv", index=False, lineterminator="\n")


def _unmatched(problems: Iterable[Problem]) -> pd.DataFrame:
    """Return the lines whose person was not found or could be several, one row each, without saying who it is."""
    rows = [(p.source, line, p.rule, p.message) for p in problems if p.rule in UNMATCHED for line in p.lines]
    return pd.DataFrame(rows, columns=["source", "line", "rule", "reason"])


def write_bad_input(bad: BadInput, name: str, folder: Path, study: Study | None) -> None:
    """Write what is left of a report when the input is bad: the data-quality ledger and the page on the data.

    Parameters
    ----------
    study
        None where ``study.yaml`` itself cannot be read.
    """
    write_problems(bad.problems, folder)
    page = bad_input_page(name, bad.problems, bad.row_counts, study)
    (folder / QUALITY).write_text(page, encoding="utf-8")


def replace_problems(problems: Iterable[Problem], folder: Path) -> Path:
    """Replace the data-quality ledger of a report folder, and nothing else in it; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".check-", dir=folder) as staging:
        write_problems(problems, Path(staging))
        (folder / "unmatched.csv").unlink(missing_ok=True)
        for written in Path(staging).iterdir():
            written.replace(folder / written.name)
    return folder / "data_quality.csv"


def write_answers(released: Released, folder: Path) -> None:
    """Write the page, the page on the data, the ledgers, the figures and ``run.json`` of one study."""
    estimates = estimates_frame(e for finding in released.findings for e in finding.estimates)
    export_safe(estimates).to_csv(folder / "estimates.csv", index=False, lineterminator="\n")
    export_safe(findings_frame(released.findings)).to_csv(folder / "findings.csv", index=False, lineterminator="\n")
    write_problems(released.problems, folder)
    run = dict(released.run) | {"index": index_facts(released)}
    (folder / "run.json").write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(study_page(released), encoding="utf-8")
    (folder / QUALITY).write_text(quality_page(released), encoding="utf-8")
    figures = folder / "figures"
    figures.mkdir()
    for name, content in figure_files(released).items():
        (figures / name).write_bytes(content)


def write_index(reports: Path) -> Path:
    """Write ``index.html`` over every study with a folder in `reports`; return its path."""
    ledgers = reports.glob("*/data_quality.csv")
    folders = sorted(p.parent for p in ledgers if STUDY_NAME.fullmatch(p.parent.name))
    page, staging = reports / "index.html", reports / ".index.html"
    staging.write_text(index_page([read_index_entry(folder) for folder in folders]), encoding="utf-8")
    return staging.replace(page)
