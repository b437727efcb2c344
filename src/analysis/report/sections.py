"""What stands in each section of a study's page, ready to be set."""

import base64
import datetime as dt
from collections.abc import Mapping, Sequence

from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Finding
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report import tables
from analysis.report.canvas import Drawing, alt_text, svg
from analysis.report.money import assumption_sentence, break_even_sentence
from analysis.report.pictures import described_pictures, finding_pictures, slug
from analysis.report.prose import (
    MAIN_HYPOTHESES,
    detectable_sentence,
    finding_sentence,
    naive_sentence,
    outcome_note,
    three_sentences,
    verdict_sentence,
)
from analysis.report.robustness import (
    MODERATOR_CAUTION,
    control_sentences,
    e_value_sentence,
    measure_sentences,
    moderator_rows,
    moderators_table,
    ways,
    ways_sentence,
)
from analysis.report.terms import ESTIMATORS
from analysis.report.wording import (
    NBSP,
    count,
    hypothesis_title,
    interval_text,
    is_money,
    is_randomized,
    is_retention,
    level_text,
    p_text,
    short_label,
    value_text,
)

ASSIGNMENTS = {
    "lottery": "a lottery decided who was offered a place",
    "waitlist": "a lottery decided who came first and who waited",
    "rollout": "it reached one unit after the other",
    "self_selected": "people chose to take part",
}
DIRECTIONS = {
    "reverse": "juniors mentor seniors",
    "traditional": "seniors mentor juniors",
    "mutual": "both sides mentor each other",
    "peer": "among peers",
}
CAPTIONS = {
    "curves": "Bands are pointwise 95 % intervals; other kinds of exit compete. Single points stand where "
    "too few were counted to show every month; people still followed are rounded to fives.",
    "ways": "Each line is the same question answered with one choice made otherwise, with its 95 % interval; squares "
    "are the main answer at other horizons.",
    "kinds": "Kinds of exit that compete with the outcome, with pointwise 95 % intervals; those of which a group had "
    "too few to be shown are left out.",
    "money": "The interval is that of retention, carried through; what an exit and the program cost is taken as known.",
    "trajectories": "Averages by survey wave, comparators weighted where nobody drew lots; the answer adjusts further.",
}
CHECK_PICTURES = {
    "balance": "Were the two groups alike in what was recorded?",
    "overlap": "Was there anyone to compare with? Bars of small groups are left out.",
}
MISSING = (
    "Nobody is left out for a gap: an unknown number has an indicator of its own, an unknown category is a category. "
    "What is recorded for everybody is not listed."
)
TABLE_TITLES = {
    "row_counts": "Rows read, kept and rejected",
    "participation": "The way into the program",
    "exit_rates": "Exits by year",
    "response_rates": "Who answered the surveys",
    "reliability": "Reliability of the scales",
}


def image(figure: Drawing) -> dict[str, str]:
    """Return a figure as an image that needs no file: its source and its text for those who cannot see it."""
    return {
        "src": "data:image/svg+xml;base64," + base64.b64encode(svg(figure)).decode(),
        "alt": alt_text(figure),
    }


def day_text(day: dt.date) -> str:
    """Return a day as it is written, e.g. ``30 June 2025``; it stays on one line."""
    return f"{day.day}{NBSP}{day:%B}{NBSP}{day:%Y}"


def programs(study: Study) -> list[str]:
    """Return each program in a line: its name, its direction and how people came into it."""
    return [f"{p.name}: {DIRECTIONS[p.direction]}; {ASSIGNMENTS[p.assignment]}." for p in study.programs]


def answers(released: Released) -> list[dict]:
    """Return the three answers, each with the verdicts of its findings."""
    told = []
    for hypothesis, sentence in zip(MAIN_HYPOTHESES, three_sentences(released), strict=True):
        title, _, text = sentence.partition(": ")
        told.append({"title": title, "text": text[0].upper() + text[1:], "chips": _chips(released, hypothesis)})
    return told


def further_answers(released: Released) -> list[dict]:
    """Return the verdicts on what was asked beside the three main hypotheses, one entry per hypothesis."""
    asked = dict.fromkeys(f.hypothesis for f in released.findings if f.hypothesis not in MAIN_HYPOTHESES)
    plan = load_plan()
    return [{"id": h, "title": plan.hypothesis(h).title, "chips": _chips(released, h)} for h in asked]


def _chips(released: Released, hypothesis: str) -> list[dict]:
    return [
        {"label": short_label(f, released.study), "verdict": f.verdict, "slug": slug(f)}
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
        if is_retention(f) and naive_sentence(f)
    ]


def hypotheses(released: Released, images: Mapping[str, dict]) -> list[dict]:
    """Return the sections of the hypotheses, each with its findings by program and role."""
    plan = load_plan()
    found = []
    for hypothesis_id in dict.fromkeys(f.hypothesis for f in released.findings):
        hypothesis = plan.hypothesis(hypothesis_id)
        findings = [_finding(f, released.study, images) for f in released.findings if f.hypothesis == hypothesis_id]
        found.append({"id": hypothesis_id, "plan": hypothesis, "findings": findings})
    return found


def _finding(finding: Finding, study: Study, images: Mapping[str, dict]) -> dict:
    # The ladder of exits is the main picture already.
    kinds = ("curves",) if naive_sentence(finding) and is_retention(finding) else ("ladder", "curves", "trajectories")
    return {
        "slug": slug(finding),
        "label": short_label(finding, study),
        "verdict": finding.verdict,
        "is_estimated": finding.primary.is_estimated,
        "sentence": finding_sentence(finding, study),
        "note": outcome_note(finding),
        "detectable": detectable_sentence(finding),
        "verdict_sentence": verdict_sentence(finding),
        "more": [s for s in (break_even_sentence(finding), assumption_sentence(finding)) if s and is_money(finding)],
        "pictures": _pictures(finding, study, images, (*kinds, "money")),
        "agreement": _agreement(finding, study, images),
        "method": _method(finding, study),
        "parts": _parts(finding, study, images),
        "table": tables.frame_html(tables.estimates_table([finding], study.min_cell)),
        "reasons": list(dict.fromkeys(e.reason for e in finding.alternatives if e.reason)),
    }


def _pictures(finding: Finding, study: Study, images: Mapping[str, dict], kinds: Sequence[str]) -> list[dict]:
    drawn = finding_pictures(finding, study)
    return [
        {"image": images[f"{slug(finding)}-{kind}"], "caption": _caption(finding, kind)}
        for kind in kinds
        if kind in drawn
    ]


def _agreement(finding: Finding, study: Study, images: Mapping[str, dict]) -> dict | None:
    """Return what other ways to make the answer say, and how strong a hidden cause would have to be."""
    sentences = [s for s in (ways_sentence(finding), e_value_sentence(finding)) if s]
    if not sentences:
        return None
    return {
        "sentences": sentences,
        "controls": control_sentences(finding),
        "pictures": _pictures(finding, study, images, ("ways",)),
    }


def _parts(finding: Finding, study: Study, images: Mapping[str, dict]) -> list[dict]:
    """Return what can be laid open under an answer: title, sentences, pictures, a table; empty parts are left out."""
    evidence, least = finding.evidence, study.min_cell
    has_gaps = "missing" in evidence and is_retention(finding)
    parts = [
        {"title": "In other measures: days, risks, rates", "sentences": measure_sentences(finding)},
        {
            "title": "Each way to make the answer, in numbers",
            "table": tables.ways_table(ways(finding)) if ways_sentence(finding) else None,
        },
        {
            "title": "For whom, when, and with how much of it",
            "table": moderators_table(finding),
            "sentences": [MODERATOR_CAUTION] if moderator_rows(finding) else [],
        },
        {"title": "Other kinds of exit", "pictures": _pictures(finding, study, images, ("kinds",))},
        {
            "title": "For how many people something was not recorded",
            "table": tables.missing_table(evidence["missing"], least) if has_gaps else None,
            "sentences": [MISSING] if has_gaps else [],
        },
        {
            "title": "Balance by quarter of the start",
            "table": tables.quarters_table(evidence["balance_by_quarter"], least)
            if "balance_by_quarter" in evidence
            else None,
        },
        {
            "title": "How many people the answer rests on, step by step",
            "table": tables.flow_table(evidence["flow"], least) if "flow" in evidence else None,
        },
    ]
    laid_out = [{"title": "", "sentences": [], "pictures": [], "table": None} | part for part in parts]
    for part in laid_out:
        table = part["table"]
        part["table"] = "" if table is None or table.empty else tables.frame_html(table)
    return [part for part in laid_out if part["sentences"] or part["pictures"] or part["table"]]


def _caption(finding: Finding, kind: str) -> str:
    return naive_sentence(finding) if kind == "ladder" else CAPTIONS[kind]


def _method(finding: Finding, study: Study) -> list[tuple[str, str]]:
    """Return the line under an answer, as (text, anchor in the methods section) pairs."""
    row = finding.primary
    line = [
        (row.estimand, row.estimand.lower()),
        (ESTIMATORS.get(row.estimator, row.estimator.replace("_", " ")), row.estimator),
    ]
    if row.horizon_months is not None:
        line.append((f"within {row.horizon_months} months", "horizon"))
    if not row.is_estimated:
        return line
    groups = ("offered", "not offered") if is_randomized(finding) else ("who started", "comparators")
    people = zip((row.n_treated, row.n_control), groups, strict=True)
    line.append((", ".join(f"{count(n, study.min_cell)} {who}" for n, who in people), "people"))
    currency = f" {study.currency}" if is_money(finding) and study.currency else ""
    line.append((f"{value_text(row)} {interval_text(row)}{currency}, {level_text(row)} interval", "interval"))
    line.append((p_text(row.p_value), "p-value"))
    if row.p_adjusted is not None and row.p_adjusted == row.p_adjusted:
        family = load_plan().hypothesis(finding.hypothesis).family
        line.append((f"adjusted {p_text(row.p_adjusted)}", "holm" if family == "primary" else "benjamini-hochberg"))
    return line


def assumptions(released: Released, images: Mapping[str, dict]) -> dict:
    """Return the assumptions: those that data can test by finding, the others once each, and their pictures."""
    about, tested, untestable = [], [], {}
    for finding in released.findings:
        for check in () if _shares_its_groups(finding, released) else finding.checks:
            if check.passed is None:
                untestable[check.sentence] = check.name
            else:
                about.append(_about(finding, released.study))
                tested.append(check)
    table = tables.checks_table(tested)
    table.insert(0, "answer", about)
    pictures = [
        {"label": _about(f, released.study), "caption": caption, "image": images[f"{slug(f)}-{kind}"]}
        for f in released.findings
        if not _shares_its_groups(f, released)
        for kind, caption in CHECK_PICTURES.items()
        if f"{slug(f)}-{kind}" in images
    ]
    return {
        "is_shared": any(_shares_its_groups(f, released) for f in released.findings),
        "n_tested": len(tested),
        "n_failed": sum(not c.passed for c in tested),
        "table": tables.frame_html(table),
        "untestable": [{"name": name, "sentence": sentence} for sentence, name in untestable.items()],
        "pictures": pictures,
    }


def _shares_its_groups(finding: Finding, released: Released) -> bool:
    """Whether a finding compares the very groups of an answer on retention, whose checks and gaps are then its own."""
    return finding.primary.outcome == "promotion" and any(
        is_retention(f) and f.primary.is_estimated and (f.program, f.role) == (finding.program, finding.role)
        for f in released.findings
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
        "reliability": lambda frame: tables.reliability_table(frame, least),
        "row_counts": tables.row_counts_table,
    }
    drawn = described_pictures(released)
    return [
        {
            "title": TABLE_TITLES[name],
            "table": tables.frame_html(make(released.described[name])),
            "image": images[name] if name in drawn else None,
        }
        for name, make in makers.items()
        if name in released.described and len(released.described[name])
    ]


def quality(released: Released) -> dict:
    """Return the data-quality ledger: how many entries of each severity, and the table."""
    severities: Sequence[str] = [p.severity for p in released.problems]
    return {
        "counts": {name: severities.count(name) for name in ("error", "warning", "info")},
        "table": tables.frame_html(tables.quality_table(released.problems, released.study.min_cell)),
    }
