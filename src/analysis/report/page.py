"""The page of one study: self-contained HTML, the answers first, then everything that they rest on."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from analysis.plan.catalogue import METHODS
from analysis.plan.faults import Fault, Part, collected, isolated
from analysis.plan.hypotheses import load_plan
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report.canvas import Drawing
from analysis.report.index import IndexEntry, index_facts, index_page, read_index_entry
from analysis.report.measured_section import measurement
from analysis.report.pictures import Pictures, all_drawn, all_pictures
from analysis.report.prose import limits
from analysis.report.quality_page import quality_pictures
from analysis.report.sections import (
    answers,
    assumptions,
    day_text,
    described,
    further_answers,
    hypotheses,
    image,
    main_pictures,
    programs,
    quality,
    scales_at_a_glance,
)
from analysis.report.template import render
from analysis.report.wording import is_randomized

# Everything that writes a report needs, from one place.
__all__ = [
    "IndexEntry",
    "figure_files",
    "incomplete_page",
    "index_facts",
    "index_page",
    "read_index_entry",
    "study_page",
]
Made = TypeVar("Made")
NO_ASSUMPTIONS = {
    "is_shared": False,
    "n_tested": 0,
    "n_failed": 0,
    "table": "",
    "further": "",
    "untestable": [],
    "pictures": [],
}


def study_page(released: Released) -> str:
    """Return the report of one study as one HTML page that loads nothing from anywhere.

    Every picture and section is made by itself; what a fault takes away is named at the top.
    """
    images = _images(released)
    findings, run = released.findings, released.run
    # What each section shows, and what stands there in its place.
    sections: dict[str, tuple[Callable[[], object], object]] = {
        "programs": (lambda: programs(released.study), []),
        "answers": (lambda: answers(released), []),
        "further_answers": (lambda: further_answers(released), []),
        "main_pictures": (lambda: main_pictures(released, images), []),
        "scales": (lambda: scales_at_a_glance(images), None),
        "hypotheses": (lambda: hypotheses(released, images), []),
        "measurement": (lambda: measurement(released, images), []),
        "assumptions": (lambda: assumptions(released, images), NO_ASSUMPTIONS),
        "described": (lambda: described(released, images), []),
        "quality": (lambda: quality(released), None),
        "limits": (lambda: limits(released), []),
    }
    values = {name: _section(name, make, instead) for name, (make, instead) in sections.items()}
    values |= {
        "study": released.study,
        "observed": [day_text(released.study.study_start), day_text(released.study.as_of)],
        "is_silent": not any(f.primary.is_estimated for f in findings),
        "is_blind": bool(run.get("blind")),
        "diagnostics": load_plan().diagnostics,
        "methods": METHODS,
        "is_lottery": all(is_randomized(f) for f in findings),
        "created": str(run.get("created", ""))[:10],
        "run": run,
        "faults": faults_told(released.faults),
    }
    return render("study.html.j2", values)


def _section(name: str, make: Callable[[], Made], instead: Made) -> Made:
    return isolated(Part("section", name.replace("_", " ")), make, lambda _: instead)


def _images(released: Released) -> dict[str, dict[str, str]]:
    """Return the study's pictures as images, by name, without those that a fault took away."""
    drawn: Pictures = _section("pictures", lambda: all_pictures(released), {})
    return all_drawn(drawn, image)


def figure_files(released: Released, ending: Literal["svg", "png"] = "svg") -> dict[str, bytes]:
    """Return the study's pictures as files of a kind, by file name, without those that a fault took away."""
    make = Drawing.png if ending == "png" else lambda drawing: drawing.svg.encode()
    drawn: Pictures = _section("pictures", lambda: all_pictures(released), {})
    of_data: Pictures = _section("pictures of the data", lambda: quality_pictures(released), {})
    return {f"{name}.{ending}": content for name, content in all_drawn(drawn | of_data, make).items()}


def faults_told(found: Sequence[Fault]) -> list[str]:
    """Return what is missing of a report, a line each: of the answer, and of what has been made since."""
    faults = collected()
    return [str(fault) for fault in (faults.found if faults else found)]


def incomplete_page(name: str, study: Study | None) -> str:
    """Return the page of a study of which a fault took the page away: what is missing, and where its cause is told."""
    return render("incomplete.html.j2", {"name": name, "study": study, "faults": faults_told(())})
