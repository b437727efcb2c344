"""The list of all studies: what the index needs of each, read back from its folder, and the page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.plan.faults import LOG
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Estimated, Finding
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report.facts import facts
from analysis.report.prose import MAIN_HYPOTHESES, label
from analysis.report.summary import MARKS, board, link_to
from analysis.report.template import render, say
from analysis.report.wording import count, is_money, is_randomized, limit_texts, scaled, unit, value_text


@dataclass(frozen=True)
class IndexEntry:
    """One study in the index.

    Attributes
    ----------
    name
        The study's name and its folder's.
    created
        Day of the run, ISO; empty where the run stopped at bad input.
    designs
        How people came into its programs, as a reader calls it, each once.
    verdicts
        One entry per finding, as `index_facts` writes them.
    is_blind
        Whether its effects are withheld.
    is_incomplete
        A fault of this program took a part of the report away, or all of it.
    is_readable
        Whether the folder holds a report as this version writes it.
    """

    name: str
    title: str
    is_simulated: bool = False
    sector: str = ""
    created: str = ""
    designs: tuple[str, ...] = ()
    verdicts: tuple[Mapping[str, Any], ...] = field(default=())
    is_blind: bool = False
    is_incomplete: bool = False
    is_readable: bool = True

    @property
    def is_answered(self) -> bool:
        """Whether the study got as far as its estimates."""
        return bool(self.verdicts)

    @property
    def page(self) -> str:
        """The page to open first."""
        told = self.is_answered or self.is_incomplete or not self.is_readable
        return f"{self.name}/{'index.html' if told else 'data_quality.html'}"


def index_facts(released: Released) -> dict:
    """Return what the index needs of a study; goes into ``run.json`` under ``index``."""
    study = released.study
    designs = [say("headings.design", program.assignment.value) for program in study.programs]
    return {
        "title": study.page_title,
        "simulated": study.simulated,
        "sector": study.sector,
        "blind": bool(released.run.get("blind")),
        "designs": list(dict.fromkeys(designs)),
        "verdicts": [_finding_facts(f, study, released.findings) for f in released.findings],
    }


def _finding_facts(finding: Finding, study: Study, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return a finding as the index shows it: numbers as they are written, each with the id of its row."""
    told: dict[str, Any] = facts(finding, study)
    row, naive = finding.primary, next(iter(told["naive"]), None)
    fact: dict[str, Any] = {
        "program": finding.program,
        "role": finding.role,
        "label": label(finding, study),
        "hypothesis": finding.hypothesis,
        "verdict": finding.verdict,
        "word": say("verdict.word", told),
        "reason": finding.verdict_reason,
        "href": link_to(finding, findings),
        "checks": say("verdict.failed", told) if finding.is_capped else "",
        "row": row.row,
        "value": "",
        "unit": "",
        "interval": [],
        "bar": None,
        "naive": "",
        "naive_row": "",
        "n": None,
        "size": "",
    }
    return fact | (_numbers(finding, row, naive, study) if isinstance(row, Estimated) else {})


def _numbers(finding: Finding, row: Estimated, naive: Estimated | None, study: Study) -> dict[str, Any]:
    counted = [count(n, study.min_cell) for n in (row.n_treated, row.n_control)]
    found = {
        "value": value_text(row),
        "unit": study.currency if is_money(finding) else unit(row).short,
        "interval": list(limit_texts(row)),
        "bar": list(scaled(row)),
        "n": row.n_treated,
        "size": say("headings.size", is_randomized(finding), *counted),
    }
    return found | ({"naive": value_text(naive), "naive_row": naive.row} if naive and not is_money(finding) else {})


def read_index_entry(folder: Path) -> IndexEntry:
    """Return a study's entry from its report's folder.

    Without ``run.json`` its input was bad, or a fault stopped it, and nothing is known. A folder that an older version
    wrote, or somebody changed, is said to be unreadable; the other studies' entries stand.
    """
    is_incomplete = (folder / LOG).is_file()
    if not (folder / "run.json").is_file():
        return IndexEntry(folder.name, folder.name, is_incomplete=is_incomplete)
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return _entry_of_run(folder.name, run, is_incomplete)
    except (AttributeError, KeyError, TypeError, ValueError, OSError):
        return IndexEntry(folder.name, folder.name, is_incomplete=is_incomplete, is_readable=False)


def _entry_of_run(name: str, run: Mapping[str, Any], is_incomplete: bool) -> IndexEntry:
    about = run["index"]
    needed = {"href", "word", "row", "interval", "size"}
    if any(needed - set(fact) for fact in about["verdicts"]):
        raise KeyError("written by another version")
    return IndexEntry(
        name=name,
        title=about["title"],
        is_simulated=about["simulated"],
        sector=about["sector"],
        created=str(run.get("created", ""))[:10],
        designs=tuple(about["designs"]),
        verdicts=tuple(about["verdicts"]),
        is_blind=about["blind"],
        is_incomplete=is_incomplete,
    )


def index_table(entries: Sequence[IndexEntry]) -> list[dict]:
    """Return the studies with a line per program and role: a cell per main hypothesis, and the further answers."""
    studies = []
    for entry in entries:
        lines: dict[tuple[str, str], dict] = {}
        for fact in entry.verdicts:
            key = (fact["program"], fact["role"])
            line = lines.setdefault(key, {"label": fact["label"], "size": "", "cells": {}, "further": []})
            line["size"] = line["size"] or fact["size"]
            if fact["hypothesis"] in MAIN_HYPOTHESES:
                line["cells"][fact["hypothesis"]] = fact
            elif fact["value"]:
                line["further"].append(fact)
        shown = [line for line in lines.values() if line["cells"] or line["further"]]
        studies.append({"entry": entry, "lines": shown, "found_by": _found_by(entry)})
    return studies


def _found_by(entry: IndexEntry) -> dict[str, Any]:
    """Return what a study is found, filtered and sorted by."""
    first: dict[str, float] = {}
    for fact in entry.verdicts:
        if fact["bar"]:
            first.setdefault(fact["hypothesis"], fact["bar"][1])
    labels = dict.fromkeys(fact["label"] for fact in entry.verdicts)
    return {
        "text": " ".join([entry.title, entry.name, entry.sector, *labels]).lower(),
        "verdicts": " ".join(dict.fromkeys(f"{f['hypothesis']}:{f['verdict']}" for f in entry.verdicts)),
        "failed": any(fact["checks"] for fact in entry.verdicts),
        "size": max([fact["n"] or 0 for fact in entry.verdicts], default=0),
        "first": [first.get(h) for h in MAIN_HYPOTHESES],
    }


def widest(studies: Sequence[dict]) -> dict[str, float]:
    """Return, by hypothesis, how far the widest interval reaches from zero: the common scale of the small bars."""
    cells = [cell for study in studies for line in study["lines"] for cell in line["cells"].values()]
    return {
        hypothesis: max([0.0, *(abs(x) for c in cells if c["hypothesis"] == hypothesis for x in c["bar"] or ())])
        for hypothesis in MAIN_HYPOTHESES
    }


def index_page(entries: Sequence[IndexEntry]) -> str:
    """Return the page that lists all studies with their main estimates side by side."""
    studies = index_table(entries)
    plan = load_plan()
    answered = [vars(entry) for entry in entries if entry.is_answered]
    values = {
        "brand": None,
        "studies": studies,
        "hypotheses": [plan.hypothesis(h) for h in MAIN_HYPOTHESES],
        "titles": {h.id: h.title for h in plan.hypotheses},
        "reach": widest(studies),
        "designs": sorted({design for entry in entries for design in entry.designs}),
        "marks": MARKS,
        "claims": board(answered),
        "n_answered": len(answered),
    }
    return render("index.html.j2", values)
