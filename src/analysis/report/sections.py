"""What stands in each section of a study's page, ready to be set."""

import base64
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd

from analysis.plan.faults import Part, isolated
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Check, Finding
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report import tables
from analysis.report.answer_section import NO_SECTION, finding_section
from analysis.report.canvas import Drawing
from analysis.report.pictures import FOREST, placed, slug
from analysis.report.prose import (
    MAIN_HYPOTHESES,
    is_compact,
    naive_sentence,
    short_label,
    three_sentences,
)
from analysis.report.tables_quality import rows_sentence
from analysis.report.template import say
from analysis.report.wording import (
    NBSP,
    hypothesis_title,
    is_event,
    is_retention,
)


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


def answers(released: Released) -> list[dict]:
    """Return the three answers, each with the verdicts of its findings."""
    told = []
    for hypothesis, sentence in zip(MAIN_HYPOTHESES, three_sentences(released), strict=True):
        title, _, text = sentence.partition(": ")
        told.append({"title": title, "text": text[0].upper() + text[1:], "chips": _chips(released, hypothesis)})
    return told


def further_answers(released: Released) -> list[dict]:
    """Return the verdicts on what was asked beside the three main hypotheses, one entry per hypothesis."""
    plan = load_plan()
    asked = [h for h in _asked(released) if h not in MAIN_HYPOTHESES]
    return [{"id": h, "title": plan.hypothesis(h).title, "chips": _chips(released, h)} for h in asked]


def _asked(released: Released) -> list[str]:
    """Return the hypotheses that have findings, in the plan's order."""
    found = {f.hypothesis for f in released.findings}
    return [h.id for h in load_plan().hypotheses if h.id in found]


def _chips(released: Released, hypothesis: str) -> list[dict]:
    return [
        {"label": short_label(f, released.study), "verdict": f.verdict, "reason": f.verdict_reason, "slug": slug(f)}
        for f in released.findings
        if f.hypothesis == hypothesis
    ]


def main_pictures(released: Released, images: Mapping[str, dict]) -> list[dict]:
    """Return the naive figure beside the corrected one, for every retention answer that there is."""
    return [
        {
            "label": short_label(f, released.study),
            "image": images[f"{slug(f)}-ladder"],
            "sentence": naive_sentence(f),
        }
        for f in released.findings
        if is_retention(f) and naive_sentence(f) and f"{slug(f)}-ladder" in images
    ]


def scales_at_a_glance(images: Mapping[str, dict]) -> dict | None:
    """Return the picture of every scale that could be estimated, or None where there is none."""
    return images.get(FOREST)


def hypotheses(released: Released, images: Mapping[str, dict]) -> list[dict]:
    """Return the sections of the hypotheses, each with its findings by program and role."""
    plan = load_plan()
    found = []
    for hypothesis_id in _asked(released):
        hypothesis = plan.hypothesis(hypothesis_id)
        findings = [_finding(f, released.study, images) for f in released.findings if f.hypothesis == hypothesis_id]
        found.append({"id": hypothesis_id, "plan": hypothesis, "findings": findings})
    return found


def _finding(finding: Finding, study: Study, images: Mapping[str, dict]) -> dict:
    """Return what stands under one program and role; where a fault takes it away, that it did."""
    part = Part("section", "answer", finding.program, finding.role, finding.hypothesis)
    return isolated(
        part,
        lambda: finding_section(finding, study, images),
        lambda fault: (
            NO_SECTION
            | {"slug": slug(finding), "label": finding.role, "verdict": finding.verdict, "sentence": fault.reason}
        ),
    )


def assumptions(released: Released, images: Mapping[str, dict]) -> dict:
    """Return the assumptions: those that data can test by finding, the others once each, and their pictures."""
    untestable, tested = {}, []
    for finding in released.findings:
        for check in () if _shares_its_groups(finding, released) else finding.checks:
            if check.grade == "untestable":
                untestable[check.sentence] = check.name
            else:
                tested.append((finding, check))
    further = [(f, c) for f, c in tested if is_compact(f)]
    pictures = [
        {
            "label": _about(f, released.study),
            "caption": say("pictures.caption", kind),
            "image": images[f"{slug(f)}-{kind}"],
        }
        for f in released.findings
        if not _shares_its_groups(f, released)
        for kind in placed("groups")
        if f"{slug(f)}-{kind}" in images
    ]
    return {
        "is_shared": any(_shares_its_groups(f, released) for f in released.findings),
        "n_tested": len(tested),
        "n_failed": sum(check.grade == "failed" for _, check in tested),
        "n_caution": sum(check.grade == "caution" for _, check in tested),
        "table": _checks_html([(f, c) for f, c in tested if not is_compact(f)], released.study),
        "further": _checks_html(further, released.study) if further else "",
        "untestable": [{"name": name, "sentence": sentence} for sentence, name in untestable.items()],
        "pictures": pictures,
    }


def _checks_html(tested: Sequence[tuple[Finding, Check]], study: Study) -> str:
    table = tables.checks_table(check for _, check in tested)
    table.insert(0, "answer", [_about(finding, study) for finding, _ in tested])
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


def _about(finding: Finding, study: Study) -> str:
    return f"{hypothesis_title(finding)}, {short_label(finding, study)}"


def described(released: Released, images: Mapping[str, dict]) -> list[dict]:
    """Return who is in the data: a title, a table and a picture for each frame that there is."""
    least = released.study.min_cell
    makers = {
        "participation": lambda frame: tables.participation_table(frame, least),
        "exit_rates": lambda frame: tables.exit_rates_table(frame, least),
        "response_rates": lambda frame: tables.response_table(frame, least),
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


def quality(released: Released) -> dict:
    """Return the data-quality page in short: what became of the rows, and how many entries of each severity."""
    severities: Sequence[str] = [p.severity for p in released.problems]
    counts = released.described.get("row_counts")
    return {
        "sentence": "" if counts is None or counts.empty else rows_sentence(counts, released.study.min_cell),
        "counts": {name: severities.count(name) for name in ("warning", "info")},
    }
