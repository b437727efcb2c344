"""Every table and figure of a report, and the code that makes it: the map that a replication package has."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.pipeline.explained import LEDGER
from analysis.pipeline.reproduced import read_text
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.paths import PACKAGE
from analysis.report import figures, figures_quality, figures_robust, figures_scales
from analysis.report.ledger import write_problems
from analysis.report.origins import TABLES, Place, place_of
from analysis.report.page import evidence_pages, study_page
from analysis.report.pictures import DESCRIBED, EVIDENCE, FOREST, MEASURED
from analysis.report.quality_page import quality_page
from analysis.report.write import write_estimates, write_findings, write_numbers

# How each picture is drawn: by the end of its file's name, by its whole name, and by the name's beginning.
BY_KIND: dict[str, Callable] = {kind: one.draw for kind, one in EVIDENCE.items()} | {
    "ladder": figures.naive_beside_corrected,
    "ways": figures_robust.specification_curve,
    "kinds": figures_robust.other_exits_plot,
    "money": figures_robust.net_benefit_plot,
}
BY_NAME: dict[str, Callable] = {name: draw for name, (draw, _) in DESCRIBED.items()} | {
    FOREST: figures_scales.scales_forest,
    "rows": figures_quality.rows_plot,
    "coverage": figures_quality.coverage_plot,
    "gaps": figures_quality.gaps_plot,
}
BY_BEGINNING: dict[str, Callable] = {f"{prefix}-": draw for _, prefix, _, _, draw in MEASURED} | {
    "people-": figures_quality.people_flow_plot
}
BY_TABLE: dict[str, Callable] = {
    "estimates.csv": write_estimates,
    "findings.csv": write_findings,
    "data_quality.csv": write_problems,
    "index.html": study_page,
    "data_quality.html": quality_page,
}


@dataclass(frozen=True)
class Exhibit:
    """A file of a report and the function that makes it."""

    file: str
    place: Place


def exhibits(report: Path) -> Iterator[Exhibit]:
    """Yield every page, ledger and figure of a report's folder with the function that makes it, by file."""
    files = [path for path in sorted(report.rglob("*")) if path.suffix in (".csv", ".html", ".svg")]
    for path in files:
        if path.parent.name != "notebooks":
            yield Exhibit(path.relative_to(report).as_posix(), _place(made_by(path)))


def made_by(path: Path) -> Callable:
    """Return the function that makes a file of a report."""
    if path.parent.name == TABLES:
        return write_numbers
    if path.suffix != ".svg":
        return BY_TABLE.get(path.name, evidence_pages)
    found = BY_NAME.get(path.stem) or BY_KIND.get(path.stem.rpartition("-")[2])
    return found or next(draw for beginning, draw in BY_BEGINNING.items() if path.stem.startswith(beginning))


def estimators(report: Path) -> list[tuple[str, str, list[Place]]]:
    """Return every estimator of a report's ledger: its term, what it is called, and the functions that make it."""
    terms = sorted(set(read_text(report / LEDGER)["estimator"]))
    records = {term: CATALOGUE.estimator(term) for term in terms}
    return [(term, one.label, [_bundled(place_of(name)) for name in one.made_by]) for term, one in records.items()]


def _place(function: Callable) -> Place:
    module = function.__module__.removeprefix(f"{PACKAGE.name}.")
    return _bundled(place_of(f"{module}.{function.__name__}"))


def _bundled(place: Place) -> Place:
    """Return a place by where its file lies in a bundle, whether the program runs from a clone or is installed."""
    return replace(place, file=f"program/src/{place.file.removeprefix('src/')}")
