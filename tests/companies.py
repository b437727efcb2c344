"""Simulated companies for tests, without the detour over files."""

from dataclasses import replace

import pandas as pd

from analysis.pipeline import OpenStudy
from analysis.plan.instruments import load_instruments
from analysis.plan.study import Study
from analysis.simulate import scenario_named, simulate


def opened(name: str, like: str, employees: int, no_effect: bool = False) -> tuple[OpenStudy, pd.DataFrame]:
    """Return a simulated study without the detour over files, and its truth."""
    company = simulate(scenario_named(name, like=like, employees=employees, no_effect=no_effect))
    study = Study.model_validate(company.study)
    known = company.tables.employees["exit_date"] <= pd.Timestamp(study.as_of)
    employees_then = company.tables.employees.assign(
        exit_date=company.tables.employees["exit_date"].where(known),
        exit_type=company.tables.employees["exit_type"].where(known),
    )
    return OpenStudy(
        study, load_instruments(study), replace(company.tables, employees=employees_then), ()
    ), company.truth
