"""What stands in each section of a study's pages, ready to be set."""

import base64
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd

from analysis.plan.faults import Part, isolated
from analysis.plan.results import Check, Finding
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report import tables
from analysis.report.answer_section import NO_SECTION, finding_section
from analysis.report.canvas import Drawing
from analysis.report.pictures import placed, slug
from analysis.report.prose import short_label
from analysis.report.summary import has_section
from analysis.report.template import say
from analysis.report.wording import NBSP, is_event, is_retention


def image(drawing: Drawing) -> dict[str, str]:
    """Return a picture as an image that needs no file: its source and its text for those who cannot see it.

    As an image it is a document of its own: no id and no style of it can clash with those of the page.
    """
    return {
        "src": "data:image/svg+xml;base64," + base64.b64encode(drawing.svg.encode()).decode(),
        "alt": drawing.alt,
    }


def day_text(day: dt.date) -> str:
    """Return a day as it is written, e.g. ``30 June 2025``; it stays on one line."""
    return f"{day.day}{NBSP}{day:%B}{NBSP}{day:%Y}"


def programs(study: Study) -> list[str]:
    """Return each program in a line: its name, its direction and how people came into it."""
    return [say("headings.program", program) for program in study.programs]


def answers_to(hypothesis: str, released: Released, images: Mapping[str, dict]) -> list[dict]:
    """Return the findings of a hypothesis that have anything to tell, each with its pictures and tables."""
    found = [f for f in released.findings if f.hypothesis == hypothesis and has_section(f)]
    return [_answer(finding, released.study, images) for finding in found]


def _answer(finding: Finding, study: Study, images: Mapping[str, dict]) -> dict:
    part = Part("section", "answer", finding.program, finding.role, finding.hypothesis)
    return isolated(
        part,
        lambda: finding_section(finding, study, images),
        lambda fault: (
            NO_SECTION
            | {"slug": slug(finding), "label": finding.role, "verdict": finding.verdict, "sentence": fault.reason}
        ),
    )


def assumptions(hypothesis: str, released: Released, images: Mapping[str, dict]) -> dict:
    """Return a hypothesis' assumptions: those that data can test, the others once each, and pictures."""
    findings = [f for f in released.findings if f.hypothesis == hypothesis]
    own = [f for f in findings if not _shares_its_groups(f, released)]
    untestable = {check.sentence: check.name for f in own for check in f.graded("untestable")}
    tested = [(f, check) for f in own for check in f.checks if check.grade != "untestable"]
    pictures = [
        {
            "label": short_label(f, released.study),
            "caption": say("pictures.caption", kind),
            "image": images[f"{slug(f)}-{kind}"],
        }
        for f in own
        for kind in placed("groups")
        if f"{slug(f)}-{kind}" in images
    ]
    return {
        "is_shared": len(own) < len(findings),
        "n_tested": len(tested),
        "n_failed": sum(check.grade == "failed" for _, check in tested),
        "n_caution": sum(check.grade == "caution" for _, check in tested),
        "table": _checks_html(tested, released.study) if tested else "",
        "untestable": [{"name": name, "sentence": sentence} for sentence, name in untestable.items()],
        "pictures": pictures,
    }


def _checks_html(tested: Sequence[tuple[Finding, Check]], study: Study) -> str:
    table = tables.checks_table(check for _, check in tested)
    table.insert(0, "answer", [short_label(finding, study) for finding, _ in tested])
    return tables.frame_html(table)


def _shares_its_groups(finding: Finding, released: Released) -> bool:
    """Whether a finding compares the very groups of an answer on retention, whose checks and gaps are then its own."""
    return (
        is_event(finding)
        and not is_retention(finding)
        and any(
            is_retention(f) and f.primary.is_estimated and (f.program, f.role) == (finding.program, finding.role)
            for f in released.findings
        )
    )


def described(released: Released, images: Mapping[str, dict]) -> list[dict]:
    """Return who is in the data: a title, a table and a picture for each frame that there is."""
    least = released.study.min_cell
    makers = {
        "participation": lambda frame: tables.participation_table(frame, least),
        "exit_rates": lambda frame: tables.exit_rates_table(frame, least),
    }
    frames = {name: released.described[name] for name in makers if name in released.described}
    parts = [_described(name, partial(makers[name], frame), images) for name, frame in frames.items() if len(frame)]
    return [part for part in parts if part is not None]


def _described(name: str, table: Callable[[], pd.DataFrame], images: Mapping[str, dict]) -> dict | None:
    """Return a title, a table and a picture; None where a fault takes them away."""
    title = say("headings.heading", name)

    def make() -> dict:
        return {"title": title, "table": tables.frame_html(table()), "image": images.get(name)}

    return isolated(Part("section", title), make, lambda _: None)
