"""The TARGET checklist of a study, filled from what the study, its plan and its ledgers say.

Cashin et al. 2025, Transparent reporting of observational studies emulating a target trial: the TARGET statement, JAMA
334:1084, doi:10.1001/jama.2025.13350. The wording of the items is not free; what each asks is said in our own words.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from analysis.pipeline.reproduced import read_text
from analysis.plan.hypotheses import Hypothesis, load_plan
from analysis.plan.study import Program, Study
from analysis.report.summary import page_of
from analysis.report.template import render, say
from analysis.report.wording import role_phrase

# The numbers of the items; 6 and 7 say of each part of the protocol what the trial would do, and what was done here.
ITEMS = tuple(range(1, 22))
ANCHOR = re.compile(r'\bid="([\w-]+)"')


def target_page(study: Study, report: Path, plan: Mapping[str, object] | None, is_stand_in: bool) -> str:
    """Return the checklist as a page beside the folder ``reports/`` that its links lead into.

    Parameters
    ----------
    study
        That of the report in the bundle.
    report
        Its folder.
    plan
        What is said of the plans that were registered (`plan.registration.registration_facts`); None without any.
    is_stand_in
        Whether the report is that of a stand-in.
    """
    about = {"is_stand_in": is_stand_in, "study": study, "registration": plan, "brand": None}
    return render("target.html.j2", target_facts(study, report) | about)


def target_facts(study: Study, report: Path) -> dict[str, object]:
    """Return what the checklist says of a study: its design, its questions, answers and how they were checked."""
    findings = read_text(report / "findings.csv").to_dict("records")
    asked = [h for h in load_plan().hypotheses if h.id in {line["hypothesis"] for line in findings}]
    there = _places(report)
    verdicts = Counter(str(line["verdict"]) for line in findings)
    return {
        "at": f"reports/{report.name}",
        "has": there,
        "sources": sorted({source.table for source in study.sources}),
        "programs": [_program(program) for program in study.programs],
        "is_randomized": [program.name for program in study.programs if program.is_randomized],
        "is_emulated": [program.name for program in study.programs if not program.is_randomized],
        "questions": [_question(h, there, any(p.is_randomized for p in study.programs)) for h in asked],
        "horizons": study.horizons_months,
        "n_answers": len(findings),
        "n_estimated": len(findings) - verdicts["not_estimable"] - verdicts["suppressed"],
        "verdicts": {name.replace("_", " "): n for name, n in sorted(verdicts.items())},
        "n_failed": sum(int(line["checks_failed"] or 0) for line in findings),
        "n_untestable": sum(int(line["checks_untestable"] or 0) for line in findings),
        "estimands": sorted(set(read_text(report / "estimates.csv")["estimand"])),
        "first_page": next(
            (page_of(h.id) for h in asked if page_of(h.id) in there and h.family == "primary"), "data_quality.html"
        ),
    }


def _places(report: Path) -> set[str]:
    """Return what a link can lead to in a report: a page, or a place on it, ``retention.html#assumptions``."""
    pages = {path.relative_to(report).as_posix(): path for path in report.rglob("*.html")}
    return {
        place
        for name, path in pages.items()
        for place in (name, *(f"{name}#{anchor}" for anchor in ANCHOR.findall(path.read_text(encoding="utf-8"))))
    }


def _program(program: Program) -> dict[str, object]:
    """Return who may take part in a program, and how they came in."""
    return {
        "name": program.name,
        "assignment": program.assignment.value.replace("_", " "),
        "is_randomized": program.is_randomized,
        "strata": list(program.strata),
        "eligible": [
            {
                "role": role_phrase(program, role),
                "levels": [f"{level:g}" for level in (rule.job_level or ())],
                "tenure": rule.min_tenure_days,
            }
            for role, rule in program.eligibility.items()
        ],
    }


def _question(hypothesis: Hypothesis, there: set[str], has_lottery: bool) -> dict[str, object]:
    page = page_of(hypothesis.id)
    return {
        "title": hypothesis.title,
        "question": hypothesis.question,
        "estimand": say("headings.estimand", hypothesis.estimand, has_lottery),
        "page": page if page in there else "index.html",
    }
