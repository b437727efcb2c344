"""The demonstration companies (`demos.yaml`), and new ones like them."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from analysis.plan.errors import bad_input
from analysis.plan.instruments import Instrument
from analysis.plan.paths import STUDY_NAME, shipped
from analysis.plan.yaml_file import load_yaml, validated
from analysis.simulate.scenario import RoleDesign, Scenario

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
