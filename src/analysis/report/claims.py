"""What the articles claim, and what data say: each claim with every answer that bears on it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analysis.plan.hypotheses import Claim, load_plan
from analysis.release.answer import Released
from analysis.report.facts import facts
from analysis.report.prose import short_label
from analysis.report.summary import link_to
from analysis.report.template import say
from analysis.report.wording import interval_text, value_text

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
