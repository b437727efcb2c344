"""What stands in each section of a study's pages, ready to be set."""

import base64
import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

import pandas as pd

from analysis.plan.catalogue import CATALOGUE, METHODS
from analysis.plan.faults import Part, isolated, known
from analysis.plan.results import Check, Finding, reasons
from analysis.plan.study import LOGO_KINDS, Study
from analysis.release.answer import Released
from analysis.report import tables, tables_measured
from analysis.report.canvas import Drawing
from analysis.report.facts import facts, moderator_rows, ways
from analysis.report.marks import without_rows
from analysis.report.origins import origin_of, row_link
from analysis.report.pictures import placed, slug
from analysis.report.prose import (
    assumption_sentence,
    bounds_sentences,
    break_even_sentence,
    control_sentences,
    delta_sentence,
    detectable_sentence,
    e_value_sentence,
    finding_sentence,
    frame_of,
    is_compact,
    measure_sentences,
    naive_sentence,
    other_sources,
    outcome_note,
    response_sentence,
    short_label,
    trajectory_caption,
    verdict_sentence,
    ways_sentence,
)
from analysis.report.summary import has_section
from analysis.report.template import say, say_each
from analysis.report.wording import (
    NBSP,
    is_blind,
    is_event,
    is_money,
    is_retention,
    is_scale,
    spaced_percent,
)

# --- one answer -------------------------------------------------------------------------------------------------------

# A link in a sentence: ``[within 12 months](#horizon)``.
LINK = re.compile(r"\[(.+)\]\(#([\w-]+)\)")
# What stands for an answer whose section a fault took away, beside its name and the reason.
NO_SECTION = {
    "registered": "",
    "is_estimated": False,
    "word": "Not estimable",
    "note": "",
    "more": [],
    "pictures": [],
    "is_compact": False,
    "agreement": None,
    "answering": None,
    "parts": [],
}


def finding_section(finding: Finding, study: Study, images: Mapping[str, dict]) -> dict:
    """Return everything under one program and role: the answer, its pictures, and what can be laid open."""

    def part(name: str, make: Callable[[], object], instead: object) -> object:
        """Return what can fail by itself; `instead` where a fault takes it away."""
        about = Part("section", name, finding.program, finding.role, finding.hypothesis)
        return isolated(about, make, lambda _: instead)

    return {
        "slug": slug(finding),
        "label": short_label(finding, study),
        "verdict": finding.verdict,
        "word": say("verdict.word", facts(finding)),
        "is_estimated": finding.primary.is_estimated,
        "sentence": finding_sentence(finding, study),
        "note": outcome_note(finding),
        "detectable": detectable_sentence(finding),
        "verdict_sentence": verdict_sentence(finding),
        "registered": say("registration.finding", facts(finding)),
        "more": part("further sentences", lambda: _more(finding), []),
        "pictures": part("pictures", lambda: _pictures(finding, images, _main_kinds(finding)), []),
        "is_compact": is_compact(finding),
        "agreement": part("other analyses", lambda: _agreement(finding, images), None),
        "answering": part("who answers", lambda: _answering(finding, images), None),
        "method": part("method", lambda: _method(finding, study), []),
        "parts": part("further parts", lambda: _parts(finding, study, images), []),
        "table": part("estimates", lambda: _every_estimate(finding, study.min_cell), None),
        "origin": row_link(finding.primary),
        "reasons": list(dict.fromkeys(reasons(finding.alternatives))),
    }


def _every_estimate(finding: Finding, min_cell: int) -> dict | None:
    return shown_table("estimates", tables.estimates_table, tables.estimates_table([finding], min_cell), finding)


def _main_kinds(finding: Finding) -> tuple[str, ...]:
    """Return which pictures stand open under an answer."""
    if is_compact(finding):
        return ("event_study",) if frame_of(finding, "event_study", "band_low") is not None else ("trajectories",)
    if naive_sentence(finding) and is_retention(finding):
        # The ladder of exits is the main picture already.
        return (*placed("open"), "money")
    return ("ladder", *placed("open"), "money")


def _more(finding: Finding) -> list[str]:
    """Return further sentences: what the money rests on; the naive figures where no picture tells them."""
    if is_money(finding):
        return [s for s in (break_even_sentence(finding), assumption_sentence(finding)) if s]
    return [naive_sentence(finding)] if is_compact(finding) and naive_sentence(finding) else []


def _pictures(finding: Finding, images: Mapping[str, dict], kinds: Sequence[str]) -> list[dict]:
    return [
        {"image": images[f"{slug(finding)}-{kind}"], "caption": _caption(finding, kind)}
        for kind in kinds
        if f"{slug(finding)}-{kind}" in images
    ]


def _agreement(finding: Finding, images: Mapping[str, dict]) -> dict | None:
    """Return what other ways to make the answer say, how far it could be off, and how strong a hidden cause must be."""
    sentences = [s for s in (ways_sentence(finding), e_value_sentence(finding)) if s]
    bounds = bounds_sentences(finding)
    if not sentences and not bounds and not (is_blind(finding) and control_sentences(finding)):
        return None
    return {
        "sentences": sentences,
        "bounds": bounds,
        "controls": control_sentences(finding),
        "methods": _ways_methods(finding),
        "pictures": _pictures(finding, images, ("ways",)),
    }


def _ways_methods(finding: Finding) -> list[tuple[str, str]]:
    """Return where the methods of the other ways to a score are told, as (text, anchor) pairs; each once."""
    told = {e.estimator for e in finding.alternatives if e.is_estimated} if is_scale(finding) else set()
    anchors = dict.fromkeys(record.method for name, record in CATALOGUE.estimators.items() if name in told)
    return [(METHODS.methods[anchor].link, anchor) for anchor in anchors if METHODS.methods[anchor].link]


def _answering(finding: Finding, images: Mapping[str, dict]) -> dict | None:
    """Return who answers and what the silent could change, for the main scales; None where nobody counted them."""
    sentences = _on_the_silent(finding)
    if is_compact(finding) or not sentences:
        return None
    return {"sentences": sentences, "pictures": _pictures(finding, images, placed("silence"))}


def _on_the_silent(finding: Finding) -> list[str]:
    return [s for s in (response_sentence(finding), delta_sentence(finding)) if s]


def _parts(finding: Finding, study: Study, images: Mapping[str, dict]) -> list[dict]:
    """Return what can be laid open under an answer: title, sentences, pictures, a table; empty parts are left out."""
    least = study.min_cell
    # Promotion is asked of the same people as retention, where their gaps are told.
    gaps = _of_frame("missing", tables.missing_table, finding, least) if is_retention(finding) else None
    other_ways = tables.ways_table(ways(finding)) if ways_sentence(finding) else None
    moderators = shown_table("moderators", tables.moderators_table, tables.moderators_table(finding), finding)
    parts = [
        _part(f"measures_of_{'scores' if is_scale(finding) else 'events'}", measure_sentences(finding)),
        _part("ways", [], shown_table("ways", tables.ways_table, other_ways, finding)),
        _part("moderators", [say("robustness.moderators")] if moderator_rows(finding) else [], moderators),
        *(_scale_parts(finding, least) if is_scale(finding) else ()),
        _part("kinds") | {"pictures": _pictures(finding, images, ("kinds",))},
        _part("missing", [] if gaps is None else [say("headings.missing")], gaps),
        _part("balance_by_quarter", [], _of_frame("balance_by_quarter", tables.quarters_table, finding, least)),
        _part("flow", [], _of_frame("flow", tables.flow_table, finding, least)),
    ]
    return [part for part in parts if part["sentences"] or part["pictures"] or part["table"]]


def _scale_parts(finding: Finding, min_cell: int) -> list[dict]:
    """Return what can be laid open under a score alone."""
    asked = _of_frame("response", tables_measured.asked_table, finding, min_cell)
    likeness = _of_frame("balance_response", tables_measured.response_balance_table, finding)
    honest = _of_frame("honest", tables_measured.honest_table, finding)
    return [
        _part("other_sources", other_sources(finding)),
        _part("response", _on_the_silent(finding) if is_compact(finding) else [], asked),
        _part("balance_response", [], None if is_compact(finding) else likeness),
        _part("honest", [], honest),
    ]


def _part(name: str, sentences: Sequence[str] = (), table: dict | None = None) -> dict:
    return {"title": say("headings.heading", name), "sentences": sentences, "pictures": [], "table": table}


def _of_frame(name: str, make: Callable[..., pd.DataFrame], finding: Finding, *min_cell: int) -> dict | None:
    """Return what `make` makes of a frame of evidence as a table; None without the frame."""
    frame = finding.evidence.get(name)
    return None if frame is None else shown_table(name, make, make(frame, *min_cell), finding)


def shown_table(name: str, make: Callable, table: pd.DataFrame | None, finding: Finding | None = None) -> dict | None:
    """Return a table as HTML with its origin; None where it has no row."""
    if table is None or table.empty:
        return None
    return {"html": tables.frame_html(table), "origin": origin_of(name, make, finding)}


def _caption(finding: Finding, kind: str) -> str:
    if kind == "trajectories":
        return trajectory_caption(finding)
    return naive_sentence(finding) if kind == "ladder" else say("pictures.caption", kind)


def _method(finding: Finding, study: Study) -> list[tuple[str, ...]]:
    """Return the line under an answer, as (text, anchor in the methods section) pairs."""
    if not finding.primary.is_estimated:
        return []
    return [known(LINK.fullmatch(link)).groups() for link in say_each("answer.method", facts(finding, study))]


# --- sections of a page -----------------------------------------------------------------------------------------------


def image(drawing: Drawing) -> dict:
    """Return a picture as an image that needs no file: its source and its text for those who cannot see it.

    As an image it is a document of its own: no id and no style of it can clash with those of the page.
    """
    narrow = drawing.narrow()
    return {
        "src": svg_source(drawing.svg),
        "narrow": svg_source(narrow) if narrow else "",
        "least": drawing.least_pixels,
        "alt": drawing.alt,
        "origin": None,
    }


def svg_source(svg: str) -> str:
    """Return a picture as the source of an image that needs no file."""
    return "data:image/svg+xml;base64," + base64.b64encode(without_rows(svg).encode()).decode()


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
        "table": _checks_table(tested, released.study) if tested else None,
        "untestable": [{"name": name, "sentence": spaced_percent(sentence)} for sentence, name in untestable.items()],
        "pictures": pictures,
    }


def _checks_table(tested: Sequence[tuple[Finding, Check]], study: Study) -> dict | None:
    table = tables.checks_table(check for _, check in tested)
    table.insert(0, "answer", [short_label(finding, study) for finding, _ in tested])
    return shown_table("checks", tables.checks_table, table, tested[0][0])


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
    makers = {"participation": tables.participation_table, "exit_rates": tables.exit_rates_table}
    frames = {name: released.described[name] for name in makers if name in released.described}
    parts = [_described(name, makers[name], frame, least, images) for name, frame in frames.items() if len(frame)]
    return [part for part in parts if part is not None]


def _described(
    name: str, make: Callable[..., pd.DataFrame], frame: pd.DataFrame, min_cell: int, images: Mapping[str, dict]
) -> dict | None:
    """Return a title, a table and a picture; None where a fault takes them away."""
    title = say("headings.heading", name)

    def described_part() -> dict:
        return {"title": title, "table": shown_table(name, make, make(frame, min_cell)), "image": images.get(name)}

    return isolated(Part("section", title), described_part, lambda _: None)


# --- the company's own look ------------------------------------------------------------------------------------------


def brand_of(study: Study | None) -> dict[str, str] | None:
    """Return a study's look: the logo as a source that needs no file, colours as style, footer; None without."""
    if study is None or study.brand is None:
        return None
    brand = study.brand
    colours = {"--brand": brand.colour, "--brand-accent": brand.accent or brand.colour}
    return {
        "logo": _logo_source(study, brand.logo) if brand.logo else "",
        "style": "; ".join(f"{name}: {colour}" for name, colour in colours.items() if colour),
        "footer": brand.footer,
    }


def _logo_source(study: Study, logo: str) -> str:
    kind, content = LOGO_KINDS[PurePosixPath(logo).suffix.lower()], (study.folder / logo).read_bytes()
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
