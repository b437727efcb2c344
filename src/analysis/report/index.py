"""The list of all studies: what the index needs of each, read back from its folder, and the page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.plan.faults import LOG
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import ESTIMATE_COLUMNS, Estimate, estimates_frame
from analysis.release.answer import Released
from analysis.report.facts import facts
from analysis.report.prose import MAIN_HYPOTHESES, checks_sentence, label
from analysis.report.summary import link_to
from analysis.report.template import render, say
from analysis.report.wording import interval_text, scaled, value_text


@dataclass(frozen=True)
class IndexEntry:
    """One study in the index.

    Attributes
    ----------
    name
        The study's name and its folder's.
    created
        Day of the run, ISO; empty where the run stopped at bad input.
    estimates
        Its estimates ledger; empty where there is none.
    verdicts
        One entry per finding: ``program``, ``role``, ``label``, ``hypothesis``, ``verdict``, ``reason``, ``checks``
        (what failed, in words; empty where nothing did).
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
    estimates: pd.DataFrame = field(default_factory=lambda: estimates_frame([]))
    verdicts: tuple[Mapping[str, str], ...] = ()
    is_blind: bool = False
    is_incomplete: bool = False
    is_readable: bool = True

    @property
    def is_answered(self) -> bool:
        """Whether the study got as far as its estimates."""
        return bool(self.verdicts)


def index_facts(released: Released) -> dict:
    """Return what the index needs and the estimates ledger does not hold; goes into ``run.json`` under ``index``."""
    study = released.study
    return {
        "title": study.page_title,
        "simulated": study.simulated,
        "sector": study.sector,
        "blind": bool(released.run.get("blind")),
        "verdicts": [
            {
                "program": f.program,
                "role": f.role,
                "label": label(f, study),
                "hypothesis": f.hypothesis,
                "verdict": f.verdict,
                "word": say("verdict.word", facts(f)),
                "reason": f.verdict_reason,
                "href": link_to(f, released.findings),
                "checks": checks_sentence(f) if f.is_capped else "",
            }
            for f in released.findings
        ],
    }


def read_index_entry(folder: Path) -> IndexEntry:
    """Return a study's entry from its report's folder.

    Without ``run.json`` its input was bad, or a fault stopped it, and nothing is known. A folder that an older version
    wrote, or somebody changed, is said to be unreadable; the other studies' entries stand.
    """
    is_incomplete = (folder / LOG).is_file()
    if not (folder / "run.json").is_file():
        return IndexEntry(folder.name, folder.name, is_incomplete=is_incomplete)
    try:
        return _entry_of_run(folder, is_incomplete)
    except (KeyError, TypeError, ValueError, OSError):
        return IndexEntry(folder.name, folder.name, is_incomplete=is_incomplete, is_readable=False)


def _entry_of_run(folder: Path, is_incomplete: bool) -> IndexEntry:
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    about, ledger = run["index"], folder / "estimates.csv"
    texts = {"study": str, "program": str, "reason": str}
    return IndexEntry(
        name=folder.name,
        title=about["title"],
        is_simulated=about["simulated"],
        sector=about["sector"],
        created=str(run.get("created", ""))[:10],
        estimates=pd.read_csv(ledger, dtype=texts) if ledger.is_file() else estimates_frame([]),
        verdicts=tuple(about["verdicts"]),
        is_blind=about.get("blind", False),
        is_incomplete=is_incomplete,
    )


def index_table(entries: Sequence[IndexEntry]) -> list[dict]:
    """Return the studies with one line per program and role, and in it one cell per main hypothesis."""
    studies = []
    for entry in entries:
        lines: dict[tuple[str, str], dict] = {}
        for fact in [v for v in entry.verdicts if v["hypothesis"] in MAIN_HYPOTHESES]:
            line = lines.setdefault((fact["program"], fact["role"]), {"label": fact["label"], "cells": {}})
            line["cells"][fact["hypothesis"]] = _cell(entry, fact)
        studies.append({"entry": entry, "lines": list(lines.values())})
    return studies


def _cell(entry: IndexEntry, fact: Mapping[str, str]) -> dict:
    rows = entry.estimates
    keys = ("program", "role", "hypothesis")
    here = rows[(rows[list(keys)] == [fact[k] for k in keys]).all(axis=1)]
    # The ledger's first primary row of a finding is its main row, at the first horizon.
    main = [_estimate(r) for _, r in here[here["analysis"] == "primary"].head(1).iterrows()]
    naive = [_estimate(r) for _, r in here[here["analysis"] == "naive"].head(1).iterrows()]
    cell: dict[str, object] = {
        "verdict": fact["verdict"],
        "word": fact["word"],
        "checks": fact.get("checks", ""),
        "href": fact["href"],
        "text": "",
        "naive": "",
        "bar": None,
    }
    cell["naive_name"] = "dashboard" if fact["hypothesis"] == "H1_retention" else "unadjusted"
    if main and main[0].is_estimated:
        cell["text"] = f"{value_text(main[0])} {interval_text(main[0])}"
        cell["bar"] = list(scaled(main[0]))
    if naive and naive[0].is_estimated and cell["text"]:
        cell["naive"] = value_text(naive[0])
    return cell


def _estimate(row: pd.Series) -> Estimate:
    values: dict[str, Any] = {c: None if pd.isna(row[c]) else row[c] for c in ESTIMATE_COLUMNS}
    whole = ("horizon_months", "n_treated", "n_control", "events_treated", "events_control")
    return Estimate(**values | {c: int(values[c]) for c in whole if values[c] is not None})


def widest(studies: Sequence[dict]) -> dict[str, float]:
    """Return, by hypothesis, how far the widest interval reaches from zero: the common scale of the small bars."""
    reach = dict.fromkeys(MAIN_HYPOTHESES, 0.0)
    for study in studies:
        for line in study["lines"]:
            for hypothesis, cell in line["cells"].items():
                ends = [abs(x) for x in cell["bar"] or ()]
                reach[hypothesis] = max([reach.get(hypothesis, 0.0), *ends])
    return reach


def index_page(entries: Sequence[IndexEntry]) -> str:
    """Return the page that lists all studies with their main estimates side by side."""
    studies = index_table(entries)
    plan = load_plan()
    values = {
        "studies": studies,
        "hypotheses": [plan.hypothesis(h) for h in MAIN_HYPOTHESES],
        "reach": widest(studies),
    }
    return render("index.html.j2", values)
