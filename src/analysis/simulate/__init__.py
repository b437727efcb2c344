"""Companies with a known answer, written in the contract's own form.

`Scenario` says what a company is like, `simulate` makes it, `write_company` puts it on disk as a study folder;
`demo_scenarios` are those that ship, `scenario_named` makes another like one of them.
"""

from analysis.simulate.company import (
    Company,
    demo_scenarios,
    files,
    scenario_named,
    simulate,
    without_effect,
    write_company,
)
from analysis.simulate.scenario import Intake, ProgramDesign, RoleDesign, Scale, Scenario, Shock, Survey

__all__ = [
    "Company",
    "Intake",
    "ProgramDesign",
    "RoleDesign",
    "Scale",
    "Scenario",
    "Shock",
    "Survey",
    "demo_scenarios",
    "files",
    "scenario_named",
    "simulate",
    "without_effect",
    "write_company",
]
