"""The page of one study: self-contained HTML, the answers first, then everything that they rest on."""

from collections.abc import Callable

from analysis.plan.hypotheses import load_plan
from analysis.release.answer import Released
from analysis.report.canvas import Drawing, png
from analysis.report.index import IndexEntry, index_facts, index_page, read_index_entry
from analysis.report.limits import limits
from analysis.report.measured_section import measurement
from analysis.report.pictures import all_pictures
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
__all__ = ["IndexEntry", "figure_files", "index_facts", "index_page", "read_index_entry", "study_page"]


def study_page(released: Released) -> str:
    """Return the report of one study as one HTML page that loads nothing from anywhere."""
    images: dict[str, dict[str, str]] = {name: image(draw()) for name, draw in all_pictures(released).items()}
    run = released.run
    values = {
        "study": released.study,
        "observed": [day_text(released.study.study_start), day_text(released.study.as_of)],
        "programs": programs(released.study),
        "answers": answers(released),
        "further_answers": further_answers(released),
        "is_silent": not any(f.primary.is_estimated for f in released.findings),
        "is_blind": bool(run.get("blind")),
        "diagnostics": load_plan().diagnostics,
        "is_lottery": all(is_randomized(f) for f in released.findings),
        "main_pictures": main_pictures(released, images),
        "scales": scales_at_a_glance(images),
        "hypotheses": hypotheses(released, images),
        "measurement": measurement(released, images),
        "assumptions": assumptions(released, images),
        "described": described(released, images),
        "quality": quality(released),
        "limits": limits(released),
        "created": str(run.get("created", ""))[:10],
        "run": run,
    }
    return render("study.html.j2", values)


def figure_files(released: Released) -> dict[str, bytes]:
    """Return the study's pictures as PNG files, by file name."""
    drawn: dict[str, Callable[[], Drawing]] = all_pictures(released) | quality_pictures(released)
    return {f"{name}.png": png(draw()) for name, draw in drawn.items()}
