"""The files of one study's report, written whole or not at all."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from analysis.plan.errors import BadInput, Problem
from analysis.plan.faults import LOG, Part, collected, faults_text, isolated
from analysis.plan.paths import STUDY_NAME
from analysis.plan.results import Estimate, estimates_frame, findings_frame
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report.drawn import draw_ahead
from analysis.report.folders import writing
from analysis.report.index import index_facts, index_page, read_index_entry
from analysis.report.ledger import write_problems
from analysis.report.origins import ROWS_PAGE, TABLES, numbers_files
from analysis.report.page import Pages, evidence_pages, figure_files, incomplete_page, study_page
from analysis.report.pdf import FILE as PDF
from analysis.report.pdf import pdf_of
from analysis.report.pictures import all_pictures
from analysis.report.quality_page import bad_input_page, quality_page
from analysis.report.safe_cells import export_safe

PAGE, QUALITY = "index.html", "data_quality.html"

# Everything that writes a report needs, from one place.
__all__ = [
    "write_answers",
    "write_bad_input",
    "write_index",
    "write_page",
    "write_pdf",
    "write_shared",
    "write_stopped",
]


def write_bad_input(bad: BadInput, name: str, folder: Path, study: Study | None) -> None:
    """Write what is left of a report when the input is bad: the data-quality ledger and the page on the data.

    Parameters
    ----------
    study
        None where ``study.yaml`` itself cannot be read.
    """
    _file(folder, "data_quality.csv", lambda: write_problems(bad.problems, folder))
    _page(folder, QUALITY, lambda: bad_input_page(name, bad.problems, bad.row_counts, study), name, study)
    write_faults(folder)


def write_answers(released: Released, folder: Path, with_png: bool = False, processes: int = 1) -> None:
    """Write the ledgers, the numbers behind what is shown, the figures, the pages and ``run.json`` of one study.

    Each of them is made by itself: a fault in one leaves the others alone, and the page says what is missing.

    Parameters
    ----------
    with_png
        Whether each figure is a PNG file, too, beside SVG.
    processes
        That draw at once.
    """
    if processes > 1:
        draw_ahead(list(all_pictures(released).values()), processes)
    _file(folder, "estimates.csv", lambda: write_estimates(released, folder))
    _file(folder, "findings.csv", lambda: write_findings(released, folder))
    _file(folder, "data_quality.csv", lambda: write_problems(released.problems, folder))
    _file(folder, TABLES, lambda: write_numbers(released, folder))
    (folder / "figures").mkdir()
    for name, content in (figure_files(released) | (figure_files(released, "png") if with_png else {})).items():
        (folder / "figures" / name).write_bytes(content)
    _page(folder, QUALITY, lambda: quality_page(released), released.study.study, released.study)
    for name, make in evidence_pages(released).items():
        _page(folder, name, make, released.study.study, released.study)
    write_page(released, folder)


def write_pdf(released: Released, folder: Path) -> None:
    """Write the pages of a report as one PDF, the ledger's rows left out, which only a screen can look through."""
    files = [file for file, _ in Pages(released).listed if file != ROWS_PAGE]
    pages = {file: (folder / file).read_text(encoding="utf-8") for file in files}
    _file(folder, PDF, lambda: (folder / PDF).write_bytes(pdf_of(pages)))


def write_estimates(released: Released, folder: Path) -> None:
    """Write the estimates ledger."""
    estimates = estimates_frame(e for finding in released.findings for e in finding.estimates)
    export_safe(estimates).to_csv(folder / "estimates.csv", index=False, lineterminator="\n")


def write_numbers(released: Released, folder: Path) -> None:
    """Write the numbers of every picture and table, a file each."""
    (folder / TABLES).mkdir()
    for file, frame in numbers_files(released).items():
        export_safe(frame).to_csv(folder / file, index=False, lineterminator="\n")


def write_shared(rows: Iterable[Estimate], about: Mapping[str, object], folder: Path) -> None:
    """Write a shared ledger: its rows, and ``share.json``, which says of which study and run they are."""
    export_safe(estimates_frame(rows)).to_csv(folder / "estimates.csv", index=False, lineterminator="\n")
    _write(
        folder / "share.json", json.dumps({"audience": "outside"} | dict(about), indent=1, ensure_ascii=False) + "\n"
    )


def write_findings(released: Released, folder: Path) -> None:
    """Write the findings ledger."""
    findings = findings_frame(released.findings)
    export_safe(findings).to_csv(folder / "findings.csv", index=False, lineterminator="\n")


def write_page(released: Released, folder: Path) -> None:
    """Write the summary and ``run.json``, which say what is missing so far; last, ``faults.log`` where anything is."""
    _page(folder, PAGE, lambda: study_page(released), released.study.study, released.study)
    _file(folder, "run.json", lambda: _write_run(released, folder))
    write_faults(folder)


def _file(folder: Path, name: str, write: Callable[[], object]) -> None:
    """Write a file of the report; where a fault takes it away it is left out, half-written or not."""

    def written() -> None:
        with writing(folder):
            write()

    isolated(Part("file", name), written, lambda _: _remove(folder / name))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _page(folder: Path, file: str, make: Callable[[], str], name: str, study: Study | None) -> None:
    """Write a page of a study; where a fault takes it away, a page that says so."""
    _file(folder, file, lambda: _write(folder / file, make()))
    if not (folder / file).exists():
        _write(folder / file, incomplete_page(name, study))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _write_run(released: Released, folder: Path) -> None:
    faults = collected()
    told = [str(fault) for fault in faults.found] if faults else []
    run = dict(released.run) | {"index": index_facts(released)} | ({"faults": told} if told else {})
    _write(folder / "run.json", json.dumps(run, indent=1, ensure_ascii=False) + "\n")


def write_faults(folder: Path) -> None:
    """Write ``faults.log`` where there is any fault so far."""
    faults = collected()
    if faults and faults.found:
        _write(folder / LOG, faults_text(faults.found))


def write_stopped(name: str, study: Study | None, problems: Iterable[Problem] | None, folder: Path) -> None:
    """Write what is left of a report that a fault stopped before there was any answer.

    Parameters
    ----------
    study, problems
        None where the fault stopped the reading of it.
    """
    if problems is not None:
        kept = list(problems)
        _file(folder, "data_quality.csv", lambda: write_problems(kept, folder))
    _write(folder / PAGE, incomplete_page(name, study))
    write_faults(folder)


def write_index(reports: Path) -> Path:
    """Write ``index.html`` over every study with a folder in `reports`; return its path."""
    with writing(reports):
        ledgers = [*reports.glob("*/data_quality.csv"), *reports.glob(f"*/{LOG}")]
        folders = sorted({p.parent for p in ledgers if STUDY_NAME.fullmatch(p.parent.name)})
        page, staging = reports / "index.html", reports / ".index.html"
        try:
            _write(staging, index_page([read_index_entry(folder) for folder in folders]))
            return staging.replace(page)
        finally:
            staging.unlink(missing_ok=True)
