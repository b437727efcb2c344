"""One simulated company, from its scenario to a study folder on disk; the demonstration companies (`demos.yaml`)."""

import hashlib
import shutil
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import ConfigDict, TypeAdapter

from analysis.plan.contract import Tables
from analysis.plan.errors import bad_input
from analysis.plan.instruments import Instrument
from analysis.plan.paths import STUDY_NAME, shipped
from analysis.plan.yaml_file import load_yaml, validated
from analysis.simulate import surveys, tables
from analysis.simulate.scenario import ProgramDesign, RoleDesign, Scenario
from analysis.simulate.truth import truth
from analysis.simulate.workforce import Workforce, reporting, workforce

# --- company ----------------------------------------------------------------------------------------------------------
# One simulated company: its tables, its study file and the truth behind them.


@dataclass(frozen=True)
class Company:
    """A company with a known answer.

    Attributes
    ----------
    scenario
        What it was made from.
    study
        The content of its ``study.yaml``.
    tables
        The canonical tables, typed as after reading.
    truth
        The true effects, one row per hypothesis, role, rater source and horizon (see `truth.truth`).
    workforce
        What no export holds: traits, both potential outcomes, hazards.
    """

    scenario: Scenario
    study: dict
    tables: Tables
    truth: pd.DataFrame
    workforce: Workforce


def simulate(scenario: Scenario) -> Company:
    """Return the company that a scenario describes; the same name gives the same company to the byte."""
    company = workforce(scenario)
    managers = reporting(scenario, company)
    records = tables.participation(scenario, company)
    canonical = Tables(
        employees=tables.employees(scenario, company),
        jobs=tables.jobs(scenario, company, managers),
        waves=_or_none(tables.waves(scenario)),
        responses=_or_none(surveys.responses(scenario, company)),
        ratings=_or_none(surveys.ratings(scenario, company, managers)),
        enrolments=tables.enrolments(company, records),
        sessions=tables.sessions(scenario, company, records),
    )
    return Company(scenario, study_content(scenario), canonical, truth(scenario, company, managers), company)


def study_content(scenario: Scenario) -> dict:
    """Return the content of ``study.yaml``."""
    return {
        "schema_version": 1,
        "study": scenario.name,
        "title": scenario.title,
        "sector": scenario.sector,
        "simulated": True,
        "study_start": scenario.study_start,
        "as_of": scenario.as_of,
        "horizons_months": list(scenario.horizons_months),
        "min_cell": scenario.min_cell,
        "currency": scenario.currency,
        "replacement_cost_share": 0.5,
        "events": [{"date": shock.date, "label": shock.label} for shock in scenario.shocks],
        "programs": [_program_content(program) for program in scenario.programs],
        "sources": _sources(scenario),
    }


def _program_content(program: ProgramDesign) -> dict:
    return {
        "id": program.id,
        "name": program.name,
        "direction": program.direction,
        "format": program.format,
        "assignment": program.assignment,
        "grace_days": program.grace_days,
        "eligibility": {
            name: {"job_level": list(role.levels), "min_tenure_days": program.min_tenure_days}
            for name, role in program.roles.items()
        },
        "cost_fixed": program.cost_fixed,
        "cost_per_participant": program.cost_per_participant,
        "intakes": sorted({intake.opens for intake in program.intakes}),
    }


def _sources(scenario: Scenario) -> list[dict]:
    """Return the entry of each raw file: one a table, of surveys one a wave, all in the contract's own form."""
    waves = [
        _source("ratings" if survey.multirater else "responses", f"{survey.instrument}_w{wave}")
        | {"wave": wave, "instrument": survey.instrument}
        for survey in scenario.surveys
        for wave, opens in enumerate(survey.opens, start=1)
        if opens <= scenario.as_of
    ]
    tables = ["employees", "jobs", "enrolments", "sessions", *(["waves"] if waves else [])]
    return [*(_source(table, table) for table in tables), *waves]


def _source(table: str, name: str) -> dict:
    return {"table": table, "path": f"raw/{name}.csv", "profile": "canonical"}


def _or_none(frame: pd.DataFrame) -> pd.DataFrame | None:
    return None if frame.empty else frame


# --- write ------------------------------------------------------------------------------------------------------------
# A simulated company on disk, as a study folder.


def write_company(company: Company, folder: Path, *, overwrite: bool = False) -> None:
    """Write a study folder: ``study.yaml``, ``raw/``, ``SHA256SUMS`` and, beside the raw files, ``truth.csv``.

    The folder appears whole or not at all.

    Raises
    ------
    BadInput
        The folder exists and is not empty, and `overwrite` was not asked for.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not overwrite:
        raise bad_input(
            folder.name,
            "is already there and not empty; choose another name, or allow it to be replaced",
            rule="folder_exists",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for leftover in (new, old):
        if leftover.exists():
            shutil.rmtree(leftover)
    (new / "raw").mkdir(parents=True)
    for path, content in files(company).items():
        (new / path).write_bytes(content)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    if old.exists():
        shutil.rmtree(old)


class _Dumper(yaml.SafeDumper):
    """Writes a value that recurs in full each time: anchors are not allowed in a study file."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def files(company: Company) -> dict[str, bytes]:
    """Return the content of every file of the study folder by its path in it."""
    raw = {source["path"]: _csv(_rows(company, source)) for source in company.study["sources"]}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(raw.items()))
    study = yaml.dump(
        company.study, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None
    )
    return raw | {"study.yaml": study.encode(), "SHA256SUMS": sums.encode(), "truth.csv": _csv(company.truth)}


def _rows(company: Company, source: dict) -> pd.DataFrame:
    """Return the rows of one raw file; of a survey those of its wave, which study.yaml names."""
    rows = getattr(company.tables, source["table"])
    if "wave" not in source:
        return rows
    is_here = (rows["wave"] == source["wave"]) & (rows["instrument"] == source["instrument"])
    return rows[is_here].drop(columns=["wave", "instrument"])


def _csv(frame: pd.DataFrame) -> bytes:
    """Return a typed table as the contract writes it; columns that are empty and need not be there are left out."""
    needless = [name for name in ("attendee_ids", "responded_at") if name in frame and frame[name].isna().all()]
    frame = frame.drop(columns=needless)
    whole = [c for c in frame.select_dtypes("float64") if (frame[c].dropna() % 1 == 0).all()]
    text = frame.astype(dict.fromkeys(whole, "Int64"))
    flags = {c: text[c].map({True: "true", False: "false"}) for c in text.select_dtypes("boolean")}
    lines = text.assign(**flags).to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n", float_format="%.6g")
    return lines.encode()


# --- demos ------------------------------------------------------------------------------------------------------------
# The demonstration companies (`demos.yaml`), and new ones like them.

FEWEST_EMPLOYEES, MOST_EMPLOYEES = 40, 20_000


@cache
def demo_scenarios() -> dict[str, Scenario]:
    """Return the companies that ship, by the name of their study."""
    path = Path(__file__).with_name("demos.yaml")
    written = load_yaml(path, source=path.name).content
    demos = {name: {"name": name} | knobs | {"surveys": _asked(knobs["surveys"])} for name, knobs in written.items()}
    return TypeAdapter(dict[str, Scenario], config=ConfigDict(extra="forbid")).validate_python(demos)


def _asked(surveys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return surveys with the items of the scales that they name, as the instruments' cards have them."""
    return [survey | {"scales": _scales(survey["instrument"], survey["scales"])} for survey in surveys]


def _scales(instrument: str, constructs: list[str]) -> list[dict[str, Any]]:
    path = shipped("instruments") / f"{instrument}.yaml"
    card = validated(Instrument, load_yaml(path, source=path.name), source=path.name)
    items = {scale.construct_name: list(scale.items) for scale in card.scales.values()}
    return [
        {
            "construct": construct,
            "items": items[construct],
            "reversed_items": [item for item in items[construct] if card.items[item].reversed],
        }
        for construct in constructs
    ]


def scenario_named(
    name: str, *, like: str = "northbank", employees: int | None = None, no_effect: bool = False
) -> Scenario:
    """Return a new company like one of the demos.

    Parameters
    ----------
    name
        The study's name; it alone seeds everything that is random.
    like
        The demo whose knobs are taken.
    employees
        About how many people ever work there; the demo's own number where not given.
    no_effect
        The program does nothing.

    Raises
    ------
    BadInput
        The name may not be a study's, there is no such demo, or the number of employees is out of range.
    """
    if not STUDY_NAME.fullmatch(name):
        raise bad_input(
            name[:80],
            "is not a study's name: use lower-case letters, digits, - and _ (at most 63, the first a letter or digit)",
            rule="study_name",
        )
    if like not in demo_scenarios():
        raise bad_input(like[:80], f"is not a demo; choose one of {', '.join(demo_scenarios())}", rule="unknown_demo")
    demo = demo_scenarios()[like]
    employees = demo.employees if employees is None else employees
    if not FEWEST_EMPLOYEES <= employees <= MOST_EMPLOYEES:
        raise bad_input(name, f"must have {FEWEST_EMPLOYEES} to {MOST_EMPLOYEES} employees", rule="employees")
    title = demo.title if name == like else f"{name}, a company like {demo.title}"
    scenario = replace(demo, name=name, title=title, employees=employees)
    return without_effect(scenario) if no_effect else scenario


def without_effect(scenario: Scenario) -> Scenario:
    """Return the same company with programs that do nothing."""
    programs = [
        replace(p, mentor=_idle(p.mentor), mentee=_idle(p.mentee), participant=_idle(p.participant))
        for p in scenario.programs
    ]
    return replace(scenario, programs=tuple(programs))


def _idle(role: RoleDesign | None) -> RoleDesign | None:
    if role is None:
        return None
    return replace(role, hazard_ratio=1.0, promotion_odds_ratio=1.0, effects={}, response_shift=0.0)
