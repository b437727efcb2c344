"""The folder of a stand-in: a study in the contract's own form, that everything runs on."""

import hmac
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from analysis.bundle.marginals import Codes, Marginals, plain
from analysis.bundle.nearest import refuse_copies, without_equals
from analysis.bundle.standin import draw
from analysis.bundle.taken import coded, new_name, take
from analysis.ingest.checksums import write_checksums
from analysis.ingest.ids import load_key
from analysis.pipeline.opened import OpenStudy
from analysis.plan.contract import ANSWERS
from analysis.plan.instruments import Instrument
from analysis.plan.paths import shipped
from analysis.plan.study import Study

# Keys that say where files lie, what the company calls things, what it pays, or who it is.
NOT_TOLD = (
    *("sources", "columns", "values", "keep", "brand", "citation", "licence", "events", "waves", "folder"),
    *("currency", "replacement_cost_amount", "timezone", "imprecise_dates"),
)
# What a program costs there, and what an exit does: not the company's.
COSTS = {"cost_fixed": 10_000.0, "cost_per_participant": 300.0}
TAKEN = "taken.json"


def stand_in_name(study: str) -> str:
    """Return what the stand-in of a study is called."""
    return f"{study[:54]}-standin"


@dataclass(frozen=True)
class StandIn:
    """What a stand-in was drawn from, and the share of its people who are near to a real one (`bundle.nearest`)."""

    marginals: Marginals
    near: float


def write_stand_in(opened: OpenStudy, folder: Path) -> StandIn:
    """Write the stand-in of a study into a new folder; what it was drawn from lies beside it.

    Raises
    ------
    BadInput
        The company is too small, or a stand-in's people come too near to real ones (`bundle.nearest`).
    """
    marginals, codes = take(opened)
    content = _content(opened.study, codes)
    seed = hmac.digest(load_key(), str(content["study"]).encode(), "sha256").hex()
    tables = draw(marginals, Study.model_validate(content), seed)
    tables = without_equals(tables, *coded(opened, codes))
    near = refuse_copies(tables, *coded(opened, codes))
    sources = dict(_files(tables))
    (folder / "raw").mkdir(parents=True)
    for path, (_, table) in sources.items():
        table.to_csv(folder / path, index=False, date_format="%Y-%m-%d", lineterminator="\n", float_format="%.6g")
    content["sources"] = [about | {"path": path} for path, (about, _) in sources.items()]
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    (folder / TAKEN).write_text(json.dumps(plain(marginals), indent=1) + "\n", encoding="utf-8")
    _write_cards(opened, marginals, folder / "instruments")
    write_checksums(folder, set(sources))
    return StandIn(marginals, near)


def _content(study: Study, codes: Codes) -> dict[str, Any]:
    """Return the stand-in's ``study.yaml`` without its sources: the study's design, the company's words in code."""
    told = study.model_dump(mode="json", exclude=set(NOT_TOLD), exclude_defaults=True)
    name = stand_in_name(study.study)
    programs = [_program(program, study, codes) for program in told.get("programs", ())]
    about = {"schema_version": 1, "study": name, "title": f"Stand-in for {study.study}", "simulated": True}
    return told | about | {"programs": programs, "replacement_cost_share": 0.5}


def _program(told: dict[str, Any], study: Study, codes: Codes) -> dict[str, Any]:
    """Return a program with its words in code."""
    changed: dict[str, Any] = {"name": told["id"]} | {key: value for key, value in COSTS.items() if key in told}
    if "strata" in told:
        changed["strata"] = [new_name(study, column) for column in told["strata"]]
    if rollout := told.get("rollout"):
        column = rollout.get("unit", "department")
        dates = {codes.word(new_name(study, column), unit): day for unit, day in rollout.get("dates", {}).items()}
        changed["rollout"] = {"unit": new_name(study, column), "dates": dates}
    return told | changed


def _files(tables: dict[str, pd.DataFrame]) -> dict[str, tuple[dict[str, Any], pd.DataFrame]]:
    """Return what each file holds: a table, or of a survey one wave."""
    found: dict[str, tuple[dict[str, Any], pd.DataFrame]] = {}
    for name, table in tables.items():
        about: dict[str, Any] = {"table": name, "profile": "canonical"}
        if name not in ANSWERS:
            found[f"raw/{name}.csv"] = (about, table)
            continue
        for (instrument, wave), rows in table.groupby(["instrument", "wave"]):
            own = about | {"instrument": str(instrument), "wave": int(wave)}
            found[f"raw/{name}_{instrument}_w{wave}.csv"] = (own, rows.drop(columns=["instrument", "wave"]))
    return found


def _write_cards(opened: OpenStudy, marginals: Marginals, folder: Path) -> None:
    """Write the study's own cards without what they ask: a wording may be somebody's property."""
    asked = {survey.instrument for survey in marginals.surveys}
    for name in sorted(asked):
        if (shipped("instruments") / f"{name}.yaml").is_file() and not _own(opened, name):
            continue
        folder.mkdir(exist_ok=True)
        text = yaml.safe_dump(_card(opened.instruments[name]), sort_keys=False, allow_unicode=True, width=110)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def _own(opened: OpenStudy, name: str) -> bool:
    return (opened.study.folder / "instruments" / f"{name}.yaml").is_file()


def _card(card: Instrument) -> dict[str, Any]:
    told = card.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for scale in told["scales"].values():
        scale |= {"source": "see the study's own card", "licence": "the wording is not part of the stand-in"}
        for item in scale["items"].values():
            item.pop("text", None)
    told["response"].pop("labels_in", None)
    told["response"].pop("labels", None)
    return told | {"title": card.instrument}
