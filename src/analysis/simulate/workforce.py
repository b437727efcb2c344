"""Everyone's employment as it happened: first spells with the program, then those who came back."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.simulate.careers import Careers, careers
from analysis.simulate.days import NEVER, day
from analysis.simulate.enrolment import Enrolled, enrol
from analysis.simulate.hazards import OTHER_KINDS, Hazards, hazards
from analysis.simulate.people import first_spells, returning_spells
from analysis.simulate.scenario import Scenario


@dataclass(frozen=True)
class Workforce:
    """Every spell and what became of it.

    Attributes
    ----------
    spells
        One row per spell, first spells first: attributes, traits and draws (see `people`), then ``decision`` (the day
        notice is given), ``exit`` (last day employed), ``exit_kind``, ``start``, ``program`` (its id, empty = none) and
        ``role`` in it, and ``untreated_decision``. Days are numbers, `NEVER` = beyond the simulation; nothing is hidden
        at the data lock.
    careers
        In the order of `spells`.
    hazards
        Of the first spells only: nobody who came back takes part.
    enrolled
        Rows of the enrolment records count in `spells`.
    """

    spells: pd.DataFrame
    careers: Careers
    hazards: Hazards
    enrolled: Enrolled

    def employed_on(self, on: int) -> np.ndarray:
        """Return which spells are employed on a day."""
        return (self.spells["hire"].to_numpy() <= on) & (self.spells["exit"].to_numpy() >= on)


def workforce(scenario: Scenario) -> Workforce:
    """Simulate every spell of the company, the programs' intakes among them."""
    spells = first_spells(scenario)
    left_before = _exits(spells, hazards(scenario, spells), decision=None)["exit"] < day(scenario.study_start)
    spells = spells.loc[~left_before].reset_index(drop=True)
    hazard, career = hazards(scenario, spells), careers(scenario, spells, "first")
    enrolled = enrol(scenario, spells, career, hazard)
    untreated = _exits(spells, hazard, decision=None)["decision"]
    first = _exits(spells, hazard, enrolled.decision).assign(
        start=enrolled.start, program=enrolled.program, role=enrolled.role, untreated_decision=untreated
    )
    career = career.with_program(scenario, first, enrolled.start, _odds_ratios(scenario, enrolled))
    second = _second_spells(scenario, first, career)
    if second.empty:
        return Workforce(first, career, hazard, enrolled)
    career = career.joined(careers(scenario, second, "second"))
    return Workforce(pd.concat([first, second], ignore_index=True), career, hazard, enrolled)


def _exits(spells: pd.DataFrame, hazard: Hazards, decision: np.ndarray | None) -> pd.DataFrame:
    """Return the spells with their decision (untreated where not given), exit and exit kind: the first counts."""
    if decision is None:
        decision = hazard.decision.day_reached(np.arange(len(spells)), hazard.decision_total(spells))
    voluntary = hazard.last_day(np.minimum(decision + spells["notice_days"].to_numpy(), NEVER))
    other, kind = hazard.other_exit(spells)
    left = np.minimum(voluntary, other)
    kinds = np.where(voluntary <= other, "voluntary", np.array(OTHER_KINDS, dtype=object)[kind])
    kinds[left == NEVER] = None
    return spells.assign(decision=decision, exit=left, exit_kind=kinds)


def _odds_ratios(scenario: Scenario, enrolled: Enrolled) -> np.ndarray:
    """Return what each spell's part in a program multiplies its odds of promotion by."""
    roles = scenario.roles()
    mine = zip(enrolled.program, enrolled.role, strict=True)
    return np.array([roles[part].promotion_odds_ratio if part in roles else 1.0 for part in mine])


def _second_spells(scenario: Scenario, first: pd.DataFrame, career: Careers) -> pd.DataFrame:
    leavers = (first["exit_kind"] == "voluntary") & (first["exit"] < day(scenario.as_of)) & (first["start"] == NEVER)
    leavers = first.assign(level=career.level_at(first["exit"].to_numpy())).loc[leavers]
    second = returning_spells(scenario, leavers)
    if second.empty:
        return second
    second = _exits(second, hazards(scenario, second), decision=None)
    return second.assign(start=NEVER, program="", role="", untreated_decision=second["decision"])
