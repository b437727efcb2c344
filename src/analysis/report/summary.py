"""The first screen of a study: a bottom line for each program, every answer in a row, what has none, and the claims."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analysis.estimate.power import sample_size, smallest_detectable_difference
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.hypotheses import Claim, load_plan
from analysis.plan.results import Estimated, Finding, reasons
from analysis.plan.study import Program, Study
from analysis.release.answer import Released
from analysis.report.facts import POWER, comparator_risk, facts
from analysis.report.pictures import slug
from analysis.report.prose import MAIN_HYPOTHESES, label, short_label
from analysis.report.template import say
from analysis.report.wording import (
    hypothesis_title,
    interval_text,
    is_blind,
    is_money,
    is_retention,
    unit,
    value_text,
)

RETENTION = "H1_retention"
MONEY = "H9_economics"
# What a mark of the board shows, by verdict.
MARKS = {
    "supported": "✓",
    "harmful": "✗",
    "negligible": "≈",
    "no_benefit": "○",
    "inconclusive": "?",
    "not_estimable": "–",
    "suppressed": "·",
}
# Beyond so many studies the board counts marks: nobody reads a thousand of them.
MOST_MARKED = 30
LABELS = ("conclude", "how_sure", "cost", "settle")


def page_of(hypothesis: str) -> str:
    """Return the file of a hypothesis' page: ``retention.html``."""
    return f"{hypothesis.partition('_')[2]}.html"


def has_section(finding: Finding) -> bool:
    """Whether there is more to tell of a finding than why there is no answer."""
    return finding.primary.is_estimated or is_blind(finding) or bool(finding.checks)


def has_page(findings: Iterable[Finding], hypothesis: str) -> bool:
    """Whether a hypothesis has a page of its own."""
    return any(has_section(f) for f in findings if f.hypothesis == hypothesis)


def link_to(finding: Finding, findings: Iterable[Finding]) -> str:
    """Return where everything about a finding stands: on its hypothesis' page, or among what cannot be estimated."""
    if has_section(finding):
        return f"{page_of(finding.hypothesis)}#{slug(finding)}"
    return page_of(finding.hypothesis) if has_page(findings, finding.hypothesis) else "index.html#unanswered"


# --- the bottom line --------------------------------------------------------------------------------------------------


def bottom_lines(released: Released) -> list[dict]:
    """Return for each program what to conclude, how sure that is, what it costs and what would settle it."""
    study = released.study
    told = []
    for program in study.programs:
        findings = [f for f in released.findings if f.program == program.id]
        if findings:
            about = program_facts(program, findings, study)
            told.append({"program": program.name} | {name: say(f"summary.{name}", about) for name in LABELS})
    return told


def program_facts(program: Program, findings: Sequence[Finding], study: Study) -> dict[str, object]:
    """Return what the bottom line can name of a program."""
    main = [f for f in findings if f.hypothesis in MAIN_HYPOTHESES]
    answered = [f for f in main if f.primary.is_estimated]
    told: list[dict[str, Any]] = [facts(f, study) for f in answered]
    money = next((f for f in findings if is_money(f) or f.hypothesis == MONEY), None)
    about_money = facts(money, study) if money else None
    return {
        "program": program.name,
        "is_blind": any(is_blind(f) for f in main),
        "is_answered": bool(answered),
        "is_randomized": program.is_randomized,
        "is_open": all(f.verdict == "inconclusive" for f in answered),
        "supported": _about([f for f in answered if f.verdict == "supported"], answered, study),
        "harmful": _about([f for f in answered if f.verdict == "harmful"], answered, study),
        "groups": _by_conclusion(answered, study),
        "reasons": list(dict.fromkeys(reasons(f.primary for f in main))),
        "n_tested": sum(f["n_tested"] for f in told),
        "n_failed": sum(f["n_failed"] for f in told),
        "failed": list(dict.fromkeys(check.brief or check.name for f in told for check in f["failed"])),
        "money": about_money,
        "conclusion_on_money": say("verdict.conclusion", about_money) if about_money else "",
        "power": POWER,
        "lottery": lottery_size([f for f in answered if f.hypothesis == RETENTION]),
    }


def _by_conclusion(findings: Sequence[Finding], study: Study) -> list[tuple[str, list[str]]]:
    """Return each conclusion once, with what it is about; what is supported or harmful is named before them."""
    groups: dict[str, list[Finding]] = {}
    for finding in [f for f in findings if f.verdict not in ("supported", "harmful")]:
        groups.setdefault(say("verdict.conclusion", facts(finding, study)), []).append(finding)
    return [(conclusion, _about(found, findings, study)) for conclusion, found in groups.items()]


def _about(found: Sequence[Finding], among: Sequence[Finding], study: Study) -> list[str]:
    """Return what findings are about, a hypothesis once; with the roles where not all of them are meant."""
    by_roles: dict[tuple[str, ...], list[str]] = {}
    for hypothesis in dict.fromkeys(f.hypothesis for f in found):
        here, all_of_it = ([f for f in fs if f.hypothesis == hypothesis] for fs in (found, among))
        roles = () if len(here) == len(all_of_it) else tuple(CATALOGUE.role(f.role).label for f in here)
        by_roles.setdefault(roles, []).append(hypothesis_title(here[0]).lower())
    return [say("summary.about", titles, list(roles)) for roles, titles in by_roles.items()]


def lottery_size(findings: Iterable[Finding]) -> dict[str, float | int | None] | None:
    """Return what a lottery would take to settle retention, by the role that needs most; None where no risk is shown.

    The comparators' risk at the main horizon, as the released curves have it, is the risk without the program; the
    arithmetic is that of `estimate.power`, two equal groups. People are rounded up to two digits: risks are estimates.
    """
    sizes = [size for size in map(_lottery_size, findings) if size]
    return max(sizes, key=lambda size: size["per_group"] or math.inf, default=None)


def _lottery_size(finding: Finding) -> dict[str, float | int | None] | None:
    row, risk = finding.primary, comparator_risk(finding)
    if not isinstance(row, Estimated) or risk is None or not 0 < risk < 1:
        return None
    smallest, n = finding.smallest_effect, row.n_treated
    return {
        "risk": risk,
        "smallest": smallest,
        "months": row.horizon_months,
        "n": n,
        "per_group": two_digits_up(sample_size(risk, risk - smallest)) if smallest < risk else None,
        "of_this_size": smallest_detectable_difference(risk, n, n) if n else None,
    }


def two_digits_up(n: int) -> int:
    """Return a count rounded up to two digits: 1,641 is 1,700."""
    step = 10 ** max(0, len(str(n)) - 2)
    return -(-n // step) * step


# --- every answer in a row --------------------------------------------------------------------------------------------


def answer_groups(released: Released) -> list[dict]:
    """Return the answers by hypothesis, in the plan's order: a row for each program and role that has one."""
    found = [f for f in released.findings if f.primary.is_estimated or is_blind(f)]
    groups = ((h, [f for f in found if f.hypothesis == h.id]) for h in load_plan().hypotheses)
    return [
        {"title": h.title, "page": page_of(h.id), "rows": [_answer_row(f, released.study) for f in findings]}
        for h, findings in groups
        if findings
    ]


def _answer_row(finding: Finding, study: Study) -> dict:
    told: dict[str, Any] = facts(finding, study)
    row = finding.primary
    naive = told["naive_at_horizon"] or next(iter(told["naive"]), None)
    is_shown = row.is_estimated
    return {
        "finding": slug(finding),
        "who": say("summary.whom", short_label(finding, study), told["rated_by"]),
        "verdict": finding.verdict,
        "word": say("verdict.word", told),
        "href": f"{page_of(finding.hypothesis)}#{slug(finding)}",
        "value": value_text(row) if is_shown else "",
        "interval": interval_text(row),
        "unit": (study.currency if is_money(finding) else unit(row).short or unit(row).label) if is_shown else "",
        "naive": value_text(naive) if naive is not None and is_shown and not is_money(finding) else "",
        "checks": say("verdict.beside", told),
    }


# --- what cannot be estimated -----------------------------------------------------------------------------------------


def unanswered(released: Released) -> list[dict]:
    """Return what has no number, one row for each hypothesis and reason: whom it is about, why, and what is needed."""
    study = released.study
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for finding in released.findings:
        if isinstance(finding.primary, Estimated) or is_blind(finding):
            continue
        why = finding.primary.reason
        row = rows.setdefault(
            (finding.hypothesis, why),
            {
                "title": hypothesis_title(finding),
                "who": [],
                "word": say("verdict.word", facts(finding, study)),
                "verdict": finding.verdict,
                "why": why,
                "needs": say("answer.what_is_needed", facts(finding, study)),
            },
        )
        row["who"].append(label(finding, study) if len(study.programs) > 1 else short_label(finding, study))
    order = [h.id for h in load_plan().hypotheses]
    return [rows[key] for key in sorted(rows, key=lambda key: order.index(key[0]))]


def main_pictures(released: Released, images: Mapping[str, dict]) -> list[dict]:
    """Return the naive figure beside the corrected one, for every retention answer that there is."""
    return [
        {"label": short_label(f, released.study), "image": images[f"{slug(f)}-ladder"]}
        for f in released.findings
        if is_retention(f) and f"{slug(f)}-ladder" in images
    ]


# --- what the articles claim ------------------------------------------------------------------------------------------


def claims_of(released: Released) -> dict[str, Any]:
    """Return the claims of the plan with what a study's data say of each, and in a sentence how many it can answer."""
    study = released.study
    answers: dict[str, list[dict]] = {}
    for finding in released.findings:
        told, row = facts(finding, study), finding.primary
        answers.setdefault(finding.hypothesis, []).append(
            {
                "who": short_label(finding, study),
                "verdict": finding.verdict,
                "word": say("verdict.word", told),
                "href": link_to(finding, released.findings),
                "value": value_text(row) if row.is_estimated else "",
                "interval": interval_text(row),
            }
        )
    rows = [_claim(claim, answers) for claim in load_plan().claims]
    return {"rows": rows, "sentence": say("claims.count", *counted(rows))}


def _claim(claim: Claim, answers: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Return a claim with its answers by hypothesis; those that were not asked of a study have none."""
    hypotheses = [load_plan().hypothesis(h) for h in claim.hypotheses]
    return {
        "id": claim.id,
        "text": claim.text,
        "source": claim.source,
        "note": claim.note,
        "is_tested": bool(claim.hypotheses),
        "answers": [{"title": h.title, "found": answers.get(h.id, [])} for h in hypotheses],
    }


def counted(rows: Iterable[Mapping[str, Any]]) -> tuple[int, int, int, int]:
    """Return how many claims there are, data could test, this study answers, and it supports for somebody."""
    rows = list(rows)
    verdicts = [{a["verdict"] for answer in row["answers"] for a in answer["found"]} for row in rows]
    answered = [found - {"not_estimable", "suppressed"} for found in verdicts]
    return (
        len(rows),
        sum(row["is_tested"] for row in rows),
        sum(bool(found) for found in answered),
        sum("supported" in found for found in answered),
    )


def board(studies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the claims with a mark for each study, program and role; with many studies, how many marks of each kind.

    Parameters
    ----------
    studies
        Of each: ``name``, ``title`` and ``verdicts``, as in `index.index_facts`.
    """
    marks: dict[str, list[dict]] = {}
    for study in studies:
        for fact in study["verdicts"]:
            marks.setdefault(fact["hypothesis"], []).append(
                {
                    "mark": MARKS[fact["verdict"]],
                    "verdict": fact["verdict"],
                    "href": f"{study['name']}/{fact['href']}",
                    "label": f"{study['title']}, {fact['label']}: {fact['word']} {fact['value']}".strip(),
                }
            )
    made = marks if len(studies) <= MOST_MARKED else {h: _numbered(found) for h, found in marks.items()}
    return [_claim(claim, made) for claim in load_plan().claims]


def _numbered(marks: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return one mark of each verdict, with how many there are of it."""
    n = Counter(mark["verdict"] for mark in marks)
    return [
        {"mark": f"{sign} {n[verdict]}", "verdict": verdict, "href": "", "label": verdict.replace("_", " ")}
        for verdict, sign in MARKS.items()
        if n[verdict]
    ]
