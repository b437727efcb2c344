"""Where what is shown comes from: the file with its numbers, the function that makes it, the notebook's cell."""

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import pandas as pd

from analysis.plan.catalogue import CATALOGUE, METHODS, Estimator, Method
from analysis.plan.paths import PACKAGE, notebooks_dir, project_dir
from analysis.plan.results import Estimate, Finding, estimates_frame
from analysis.release.answer import Released
from analysis.report.notebook_files import nbformat
from analysis.report.pictures import EVIDENCE, FOREST, MEASURED, Pictures, slug
from analysis.report.prose import answered_scales

TABLES, NOTEBOOK_PAGES = "tables", "notebooks"
ESTIMATES, CHECKS = "estimates", "checks"
ROWS_PAGE, NO_CELL = "rows.html", "methods.html#provenance"
# The notebook that goes through a hypothesis step by step; of any other scale its own run of 05_scales.
NOTEBOOKS = {
    "H1_retention": "04_retention",
    "H3_leadership": "06_leadership",
    "H8_promotion": "09_promotion_economics",
    "H9_economics": "09_promotion_economics",
}
SCALES_NOTEBOOK = "05_scales"
# Where what is not of one hypothesis is shown, in the order in which a view is looked for.
OF_THE_STUDY = ("07_summary", "01_data", "02_measurement", "03_participation", "06_leadership")
# Ledgers, which lie in the report's folder itself.
LEDGERS = (ESTIMATES, "findings", "data_quality")
# The frame whose numbers a picture or a table shows, where that is not the one of its name.
FRAMES = {
    "ladder": ESTIMATES,
    "ways": ESTIMATES,
    "money": ESTIMATES,
    "moderators": ESTIMATES,
    "scales": ESTIMATES,
    "kinds": "curves_by_kind",
    "rows": "row_counts",
    "people": "flow_of_people",
    "gaps": "missingness",
    "problems": "data_quality",
    "answers": "findings",
    "unanswered": ESTIMATES,
    "claims": "findings",
} | {prefix: frame for frame, prefix, *_ in MEASURED}
# What notebooks call the view that shows it, where that is not its name.
VIEWS = {
    "who": ("flow", "missing"),
    "alike": ("balance", "overlap"),
    "answer": ("main_row",),
    "course": ("curves", "trajectories"),
    "beside_naive": ("ladder",),
    "assumptions": ("event_study", "checks"),
    "alternatives": ("ways",),
    "responders": ("response", "delta", "balance_response"),
    "other_exits": ("kinds",),
    "net_benefit": ("money",),
    "other_rows": (ESTIMATES,),
    "scales_at_a_glance": ("scales",),
    "row_counts": ("rows",),
    "quality_table": ("problems",),
    "answers": ("answers", "unanswered", "claims"),
}
CALLED = {shown: view for view, all_shown in VIEWS.items() for shown in all_shown}


@dataclass(frozen=True)
class Place:
    """A function or class of this project: its name, its file and the line on which it begins."""

    name: str
    file: str
    line: int


@dataclass(frozen=True)
class Making:
    """How the numbers of an estimator are made.

    Attributes
    ----------
    method, sources
        In words, and what is cited in them with where it was published; None and empty where the estimator stands for
        rows that a fault took away.
    made_by
        The functions that make it.
    """

    estimator: Estimator
    method: Method | None
    sources: tuple[str, ...]
    made_by: tuple[Place, ...]


@dataclass(frozen=True)
class Origin:
    """Where a picture or a table comes from.

    Attributes
    ----------
    data
        The file with its numbers, in the report's folder.
    how
        The cell of the notebook that shows it, as a link in the report's folder; the methods where no notebook does.
    told
        Notebook, function and where that is defined, in words.
    """

    data: str
    how: str
    told: str


# --- numbers as files -------------------------------------------------------------------------------------------------


def numbers_files(released: Released) -> dict[str, pd.DataFrame]:
    """Return every released frame by its file in the report's folder, and each finding's rows of the ledger."""
    frames = {numbers_file(name): frame for name, frame in released.described.items()}
    for finding in released.findings:
        frames |= {numbers_file(name, finding): frame for name, frame in finding.evidence.items()}
        frames[numbers_file(ESTIMATES, finding)] = estimates_frame(finding.estimates)
    return frames | {numbers_file(CHECKS): checks_frame(released.findings)}


def numbers_file(shown: str, finding: Finding | None = None) -> str:
    """Return the file with the numbers of a picture or a table, in the report's folder."""
    frame = FRAMES.get(shown, shown)
    if frame in LEDGERS and finding is None:
        return f"{frame}.csv"
    if finding is None or frame == CHECKS:
        return f"{TABLES}/{frame}.csv"
    return f"{TABLES}/{slug(finding)}-{frame}.csv"


def checks_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return one row per assumption and finding (program, role, hypothesis, check, grade, sentence)."""
    rows = [(f.program, f.role, f.hypothesis, c.name, c.grade, c.sentence) for f in findings for c in f.checks]
    return pd.DataFrame(rows, columns=["program", "role", "hypothesis", "check", "grade", "sentence"])


# --- notebooks --------------------------------------------------------------------------------------------------------


def notebook_of(hypothesis: str) -> str:
    """Return the notebook that goes through a hypothesis that has a page, without its ending."""
    return NOTEBOOKS.get(hypothesis, f"{SCALES_NOTEBOOK}_{hypothesis}")


@cache
def _cells(notebook: str) -> tuple[tuple[str, str], ...]:
    """Return id and source of the cells of a notebook that ships; none of one that is not there."""
    path = notebooks_dir() / f"{notebook}.ipynb"
    cells = nbformat.read(path, as_version=4).cells if path.is_file() else []
    return tuple((cell.id, cell.source) for cell in cells if cell.cell_type == "code")


def cell_link(notebook: str, shown: str) -> str:
    """Return the link to the cell that shows something, in the report's folder; to its notebook where none does.

    Where that notebook was deleted it is empty: every number can be made without.

    Parameters
    ----------
    notebook
        As `notebook_of` has it.
    """
    source = SCALES_NOTEBOOK if notebook.startswith(SCALES_NOTEBOOK) else notebook
    if not _cells(source):
        return ""
    page = f"{NOTEBOOK_PAGES}/{notebook}.html"
    cell = next((cell for cell, code in _cells(source) if _names(code, shown)), "")
    return f"{page}#cell-id={cell}" if cell else page


def _names(code: str, shown: str) -> bool:
    """Whether a cell shows something: it names the view, or the frame, and not as what the view needs."""
    return re.search(rf"""(?<!needs=)(?<!needs=\[)["'.]{re.escape(CALLED.get(shown, shown))}\b""", code) is not None


def _study_cell(shown: str) -> str:
    """Return the link to the cell that shows something of the study as a whole; empty where no notebook does."""
    links = (cell_link(notebook, shown) for notebook in OF_THE_STUDY)
    return next((link for link in links if "#" in link), "")


# --- origins ----------------------------------------------------------------------------------------------------------


def making_of(name: str) -> Making:
    """Return how the numbers of an estimator are made, by its name in the ledger."""
    estimator = CATALOGUE.estimator(name)
    cited = METHODS.cited(estimator.method) if estimator.method else []
    return Making(
        estimator,
        METHODS.methods.get(estimator.method),
        tuple(f"{source}: {METHODS.sources[source]}" for source in cited),
        tuple(place_of(function) for function in estimator.made_by),
    )


def row_link(row: Estimate) -> str:
    """Return the link to the origin of a row of the ledger, in the report's folder."""
    return f"{ROWS_PAGE}#{row.row}"


def origin_of(shown: str, make: Callable, finding: Finding | None = None) -> Origin:
    """Return where a picture or a table comes from.

    Parameters
    ----------
    shown
        The kind of the picture, or the table's name.
    make
        The function that makes it.
    finding
        The one that it is about; None of what is about the study as a whole.
    """
    how = cell_link(notebook_of(finding.hypothesis), shown) if finding else _study_cell(shown)
    return _origin(numbers_file(shown, finding), how, make)


def _origin(data: str, how: str, make: Callable) -> Origin:
    book = how.removeprefix(f"{NOTEBOOK_PAGES}/").partition(".html")[0]
    return Origin(data, how or NO_CELL, (f"Notebook {book}; " if how else "") + told_place(make))


def told_place(make: Callable) -> str:
    """Return the name of a function of this package and where it is defined, in words."""
    place = place_of_function(make.func if isinstance(make, partial) else make)
    return f"{place.name}, {place.file}:{place.line}"


def picture_origins(pictures: Pictures, findings: Sequence[Finding] = ()) -> dict[str, Origin]:
    """Return where pictures come from, by the pictures' names (`report.pictures.all_pictures`)."""
    kinds = ("ladder", "ways", "money", "kinds", *EVIDENCE)
    about = {f"{slug(f)}-{kind}": (kind, f) for f in findings for kind in kinds}
    prefixes = {name: next((p for p in FRAMES if name.startswith(p)), name) for name in pictures.keys() - about.keys()}
    found = about | {name: (kind, None) for name, kind in prefixes.items()}
    origins = {name: origin_of(found[name][0], draw, found[name][1]) for name, draw in pictures.items()}
    # Every scale at a glance stands in the notebook of each scale that has no notebook of its own.
    scale = next((f.hypothesis for f in answered_scales(findings) if f.hypothesis not in NOTEBOOKS), None)
    if FOREST in origins and scale:
        origins[FOREST] = _origin(numbers_file(FOREST), cell_link(notebook_of(scale), FOREST), pictures[FOREST])
    return origins


def with_origins(images: Mapping[str, dict], pictures: Pictures, findings: Sequence[Finding] = ()) -> dict[str, dict]:
    """Return images of pictures, by name, each with its origin."""
    origins = picture_origins({name: pictures[name] for name in images}, findings)
    return {name: image | {"origin": origins[name]} for name, image in images.items()}


def place_of(name: str) -> Place:
    """Return where a function of this package is defined, by its name without the package's: ``estimate.cox.cox``."""
    module, _, function = name.rpartition(".")
    return replace(place_of_function(getattr(importlib.import_module(f"{PACKAGE.name}.{module}"), function)), name=name)


def place_of_function(function: Callable) -> Place:
    """Return where a function or class of this package is defined."""
    thing = inspect.unwrap(function)
    code = getattr(thing, "__code__", None)
    line = code.co_firstlineno if code else inspect.getsourcelines(thing)[1]
    file = Path(inspect.getsourcefile(thing) or "").resolve()
    root = project_dir().resolve()
    inside = file.relative_to(root) if file.is_relative_to(root) else file.relative_to(PACKAGE.parent)
    return Place(f"{thing.__module__}.{thing.__qualname__}".removeprefix(f"{PACKAGE.name}."), inside.as_posix(), line)
