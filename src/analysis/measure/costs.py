"""What the study says of money: the cost of replacing a leaver, and that of the program."""

from dataclasses import dataclass

import pandas as pd

from analysis.measure.employment import job_value_at
from analysis.measure.exposure import first_starts
from analysis.plan.contract import Tables
from analysis.plan.study import Program, Study


@dataclass(frozen=True)
class Costs:
    """Costs in the study's currency.

    Attributes
    ----------
    replacement
        Cost of replacing one leaver; None where the study does not say.
    replacement_source
        How it was found, for the page.
    program
        Cost of the program for everyone who started; None where the study does not say.
    """

    replacement: float | None
    replacement_source: str
    program: float | None
    currency: str


def program_costs(tables: Tables, study: Study, program: Program) -> Costs:
    """Return the costs of a program and of an exit; a share of salary is of the mean salary on the day of the start."""
    starts = first_starts(tables.enrolments, program.id)
    replacement, source = _replacement(tables, study, starts)
    total = None
    if program.cost_fixed is not None or program.cost_per_participant is not None:
        total = (program.cost_fixed or 0.0) + (program.cost_per_participant or 0.0) * len(starts)
    return Costs(replacement, source, total, study.currency)


def _replacement(tables: Tables, study: Study, starts: pd.Series) -> tuple[float | None, str]:
    if study.replacement_cost_amount is not None:
        return study.replacement_cost_amount, "as the study states it"
    if study.replacement_cost_share is None or tables.jobs is None or starts.empty:
        return None, ""
    people = pd.Series(starts.index, index=starts.index)
    salaries = job_value_at(tables.jobs, "base_salary", people, starts).astype(float).dropna()
    # The mean salary of a few people is not theirs to be shown.
    if len(salaries) < study.min_cell:
        return None, ""
    source = f"{study.replacement_cost_share:.0%} of the mean base salary of those who started"
    return study.replacement_cost_share * float(salaries.mean()), source
