"""The pages of one study: self-contained HTML, the answers on one page, everything that they rest on behind it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal, TypeVar

from analysis.plan.catalogue import METHODS
from analysis.plan.faults import Fault, Part, collected, isolated
from analysis.plan.hypotheses import Hypothesis, load_plan
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report.canvas import Drawing
from analysis.report.index import IndexEntry, index_facts, index_page, read_index_entry
from analysis.report.marks import marked_html, marking
from analysis.report.measured_section import has_measurement, measurement
from analysis.report.origins import ROWS_PAGE, notebook_of, origin_of, with_origins
from analysis.report.pictures import FOREST, Pictures, all_drawn, all_pictures
from analysis.report.prose import limits, registration_sentence
from analysis.report.quality_page import quality_pictures
from analysis.report.rows_section import rows_section
from analysis.report.sections import answers_to, assumptions, brand_of, day_text, image, programs
from analysis.report.summary import answer_groups, bottom_lines, claims_of, has_page, main_pictures, page_of, unanswered
from analysis.report.template import render, say
from analysis.report.wording import is_randomized

# Everything that writes a report needs, from one place.
__all__ = [
    "IndexEntry",
    "evidence_pages",
    "figure_files",
    "incomplete_page",
    "index_facts",
    "index_page",
    "read_index_entry",
    "study_page",
    "study_pages",
]
Made = TypeVar("Made")
SUMMARY, MEASUREMENT, QUALITY, METHODS_PAGE = "index.html", "measurement.html", "data_quality.html", "methods.html"
TERM = re.compile(r'<dt id="([\w-]+)">.*?</dt>\s*<dd>(.*?)</dd>', re.DOTALL)
# A definition is cut to its first sentence, or in so many characters.
SENTENCE, LONGEST_TIP = re.compile(r"(?<=[a-z)])\. (?=[A-Z])"), 300
TABLES_OF_SUMMARY = {"answers": answer_groups, "unanswered": unanswered, "claims": claims_of}
NOTHING: list[dict] = []
NO_ASSUMPTIONS: dict[str, object] = {"is_shared": False, "n_tested": 0, "table": None, "untestable": [], "pictures": []}


@dataclass(frozen=True)
class Pages:
    """The pages of a study; what several of them show is made once.

    Every picture and section is made by itself; what a fault takes away is named at the top of the summary.
    """

    released: Released

    @cached_property
    def measurement(self) -> list[dict]:
        """How well the scales were measured, with its pictures."""
        return _section("measurement", lambda: measurement(self.released, self.images), NOTHING)

    @cached_property
    def images(self) -> dict[str, dict]:
        """The study's pictures as images, by name, without those that a fault took away."""
        return self._drawn(lambda _: True)

    def _drawn(self, is_wanted: Callable[[str], bool]) -> dict[str, dict]:
        drawn: Pictures = _section("pictures", lambda: all_pictures(self.released), {})
        wanted = {name: draw for name, draw in drawn.items() if is_wanted(name)}
        return with_origins(all_drawn(wanted, image), wanted, self.released.findings)

    @cached_property
    def listed(self) -> list[tuple[str, str]]:
        """File and title of every page, in the order in which they are read."""
        measured = [(MEASUREMENT, "Measurement")] if has_measurement(self.released) else []
        asked = [(page_of(h.id), h.title) for h in self.asked]
        return [
            (SUMMARY, "Summary"),
            *asked,
            *measured,
            (QUALITY, "Data"),
            (METHODS_PAGE, "Methods"),
            (ROWS_PAGE, "Origins"),
        ]

    @property
    def asked(self) -> list[Hypothesis]:
        """The hypotheses that have a page."""
        return [h for h in load_plan().hypotheses if has_page(self.released.findings, h.id)]

    @cached_property
    def terms(self) -> dict[str, str]:
        """The terms that the methods page defines, by anchor."""
        return terms(self.methods)

    def summary(self) -> str:
        """Return the answers, on one page."""
        released = self.released
        images = self._drawn(lambda name: name == FOREST or name.endswith("-ladder"))
        # What each section shows, and what stands there in its place.
        sections: dict[str, tuple[Callable[[], object], object]] = {
            "programs": (lambda: programs(released.study), []),
            "bottom_lines": (lambda: bottom_lines(released), []),
            "groups": (lambda: answer_groups(released), []),
            "main_pictures": (lambda: main_pictures(released, images), []),
            "unanswered": (lambda: unanswered(released), []),
            "limits": (lambda: limits(released), []),
            "claims": (lambda: claims_of(released), None),
            "registration": (lambda: registration_sentence(released), ""),
        }

        def values() -> dict[str, object]:
            made = {name: _section(name, make, instead) for name, (make, instead) in sections.items()}
            return made | {
                "observed": [day_text(released.study.study_start), day_text(released.study.as_of)],
                "is_silent": not any(f.primary.is_estimated for f in released.findings),
                "is_lottery": all(is_randomized(f) for f in released.findings),
                "scales": images.get(FOREST),
                "origins": {name: origin_of(name, make) for name, make in TABLES_OF_SUMMARY.items()},
                "faults": faults_told(released.faults),
            }

        return self._page("study.html.j2", SUMMARY, "", values)

    def of_hypothesis(self, hypothesis: str) -> str:
        """Return everything about a hypothesis."""
        released, plan = self.released, load_plan().hypothesis(hypothesis)

        def values() -> dict[str, object]:
            return {
                "hypothesis": plan,
                "estimand": say("headings.estimand", plan.estimand, self._has_lottery),
                "notebook": notebook_of(hypothesis),
                "findings": _section("hypotheses", lambda: answers_to(hypothesis, released, self.images), NOTHING),
                "assumptions": _section(
                    "assumptions", lambda: assumptions(hypothesis, released, self.images), NO_ASSUMPTIONS
                ),
            }

        return self._page("hypothesis.html.j2", page_of(hypothesis), plan.title, values)

    def of_measurement(self) -> str:
        """Return how well the scales were measured."""
        title = "Were the scales measured well?"
        return self._page("measurement.html.j2", MEASUREMENT, title, lambda: {"measurement": self.measurement})

    @cached_property
    def methods(self) -> str:
        """The methods and terms, to which all other pages lead."""

        def values() -> dict[str, object]:
            told = {"diagnostics": load_plan().diagnostics, "methods": METHODS, "run": self.released.run}
            return told | {"has_lottery": self._has_lottery}

        return self._page("methods.html.j2", METHODS_PAGE, "Methods and terms", values)

    def of_rows(self) -> str:
        """Return where each number comes from."""
        nothing: dict[str, object] = {"findings": [], "makings": {}, "went_in": None}

        def values() -> dict[str, object]:
            return {"rows": _section("origins", lambda: rows_section(self.released), nothing)}

        return self._page("rows.html.j2", ROWS_PAGE, "Where each number comes from", values)

    @property
    def _has_lottery(self) -> bool:
        return any(is_randomized(f) for f in self.released.findings)

    def _page(self, template: str, file: str, heading: str, values: Callable[[], Mapping[str, object]]) -> str:
        """Return a page, on which numbers name their rows and terms their definitions."""
        about = {
            "study": self.released.study,
            "pages": self.listed,
            "here": file,
            "heading": heading,
            "brand": _section("brand", lambda: brand_of(self.released.study), None),
            "is_blind": bool(self.released.run.get("blind")),
            "created": str(self.released.run.get("created", ""))[:10],
        }
        with marking():
            page = render(template, about | dict(values()))
        page = marked_html(page)
        return page if file == METHODS_PAGE else with_terms(page, self.terms)


def study_page(released: Released) -> str:
    """Return the summary of one study as one HTML page that loads nothing from anywhere."""
    return Pages(released).summary()


def evidence_pages(released: Released) -> dict[str, Callable[[], str]]:
    """Return how every page behind the summary is made, by file: one a hypothesis, and those of all."""
    pages = Pages(released)
    made: dict[str, Callable[[], str]] = {page_of(h.id): partial(pages.of_hypothesis, h.id) for h in pages.asked}
    if has_measurement(released):
        made[MEASUREMENT] = pages.of_measurement
    return made | {METHODS_PAGE: lambda: pages.methods, ROWS_PAGE: pages.of_rows}


def study_pages(released: Released) -> dict[str, str]:
    """Return every page of a study but the one on its data, by file, the summary first."""
    behind = {file: make() for file, make in evidence_pages(released).items()}
    return {SUMMARY: study_page(released)} | behind


def terms(methods_page: str) -> dict[str, str]:
    """Return the terms that the methods page defines: by anchor, the first sentence of the definition."""
    plain = {anchor: " ".join(re.sub(r"<[^>]+>", "", text).split()) for anchor, text in TERM.findall(methods_page)}
    return {anchor: SENTENCE.split(text)[0].rstrip(".")[:LONGEST_TIP] + "." for anchor, text in plain.items()}


def with_terms(page: str, told: Mapping[str, str]) -> str:
    """Return a page whose links to a term lead to the methods page, and show what it means when they are pointed at."""
    for anchor, text in told.items():
        tip = text.replace('"', "&#34;")
        page = page.replace(f'href="#{anchor}"', f'href="{METHODS_PAGE}#{anchor}" data-tip="{tip}"')
    return page


def _section(name: str, make: Callable[[], Made], instead: Made) -> Made:
    return isolated(Part("section", name.replace("_", " ")), make, lambda _: instead)


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
    return render("incomplete.html.j2", {"brand": None, "name": name, "study": study, "faults": faults_told(())})
