"""One simulated company: its tables, its study file and the truth behind them."""

from dataclasses import dataclass

import pandas as pd

from analysis.plan.contract import Tables
from analysis.simulate import meetings, surveys, tables
from analysis.simulate.reporting import reporting
from analysis.simulate.scenario import ProgramDesign, Scenario
from analysis.simulate.truth import truth
from analysis.simulate.workforce import Workforce, workforce


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
    records = meetings.participation(scenario, company)
    canonical = Tables(
        employees=tables.employees(scenario, company),
        jobs=tables.jobs(scenario, company, managers),
        waves=_or_none(tables.waves(scenario)),
        responses=_or_none(surveys.responses(scenario, company)),
        ratings=_or_none(surveys.ratings(scenario, company, managers)),
        enrolments=tables.enrolments(company, records),
        sessions=meetings.sessions(scenario, company, records),
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
