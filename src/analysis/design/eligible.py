"""Who may take a role, by job level, tenure and leave."""

import numpy as np

from analysis.measure.employment import Staff, job_value_at, tenure_days
from analysis.plan.contract import Tables
from analysis.plan.study import Eligibility, Program


def eligible_levels(tables: Tables, program: Program, role: str) -> Eligibility:
    """Return the role's eligibility: as the study states it, else the job levels seen among that role's applicants.

    Levels are those held before the intake. Without job history levels cannot be looked at, and everyone's will do; so
    does it where nobody has applied.
    """
    stated = next((rule for of, rule in program.eligibility.items() if of == role), Eligibility())
    if tables.jobs is None:
        return stated.model_copy(update={"job_level": None})
    if stated.job_level is not None or tables.enrolments is None:
        return stated
    applied = tables.enrolments[(tables.enrolments["program_id"] == program.id) & (tables.enrolments["role"] == role)]
    seen = job_value_at(tables.jobs, "job_level", applied["employee_id"], applied["intake_date"]).dropna()
    bounds = (float(seen.min()), float(seen.max())) if len(seen) else None
    return stated.model_copy(update={"job_level": bounds})


def is_eligible(staff: Staff, rule: Eligibility) -> np.ndarray:
    """Return who may take the role that day: not on leave, of its job levels and tenure; an unknown level is none."""
    fits = ~staff.is_away & (tenure_days(staff.spells, staff.day).to_numpy() >= rule.min_tenure_days)
    if rule.job_level is None:
        return fits
    level = staff.jobs["job_level"].to_numpy(dtype=float)
    return fits & (level >= rule.job_level[0]) & (level <= rule.job_level[1])
