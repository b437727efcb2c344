"""Companies with a known answer, written in the contract's own form.

`Scenario` says what a company is like, `simulate` makes it, `write_company` puts it on disk as a study folder;
`DEMOS` are those that ship, `scenario_named` makes another like one of them.
"""

from analysis.simulate.company import Company, simulate
from analysis.simulate.demos import DEMOS, scenario_named, without_effect
from analysis.simulate.scenario import Intake, ProgramDesign, RoleDesign, Scale, Scenario, Shock, Survey
from analysis.simulate.write import files, write_company

__all__ = [
    "DEMOS",
    "Company",
    "Intake",
    "ProgramDesign",
    "RoleDesign",
    "Scale",
    "Scenario",
    "Shock",
    "Survey",
    "files",
    "scenario_named",
    "simulate",
    "without_effect",
    "write_company",
]
