"""The comparison that dashboards make, biased as it is: ever mentored against never."""

import numpy as np
import pandas as pd

from analysis.design.eligible import eligible_levels
from analysis.measure.calendar import ONE_DAY, months_between
from analysis.measure.employment import exit_outcome, job_value_at
from analysis.measure.exposure import first_starts
from analysis.plan.contract import Tables
from analysis.plan.known import known
from analysis.plan.study import Program, Study


def ever_vs_never(tables: Tables, study: Study, program: Program, role: str) -> pd.DataFrame:
    """Return everybody of the role's levels from the program's first intake (or hiring, if later), by ever starting.

    One row per employment spell: ``employee_id, is_treated`` (ever started the role before the data lock), ``zero``
    (the day it is counted from), ``job_level`` on it, ``months`` and ``outcome`` as in `design.trials`.
    Those who started had to stay long enough to start: the time before their
    start is immortal and is credited to the program here, which is what is wrong with it. Where the program is older
    than the period observed, everybody who left before that is missing, and so the whole time from the launch to its
    first day is immortal in both groups: as on a dashboard, nobody is left out for having started before it.
    """
    enrolments, spells = known(tables.enrolments), known(tables.employees)
    launch = enrolments.loc[enrolments["program_id"] == program.id, "intake_date"].min()
    lock_end = pd.Timestamp(study.as_of) + ONE_DAY
    present = spells["exit_date"].isna() | (spells["exit_date"] >= launch)
    spells = spells[present & (spells["hire_date"] < lock_end)].reset_index(drop=True)
    zero = spells["hire_date"].clip(lower=launch)
    rule = eligible_levels(tables, program, role)
    level = pd.Series(np.nan, index=spells.index)
    if tables.jobs is not None:
        level = job_value_at(tables.jobs, "job_level", spells["employee_id"], zero, hired=spells["hire_date"])
    if rule.job_level is not None:
        keep = level.between(*rule.job_level)
        spells, zero, level = (kept[keep].reset_index(drop=True) for kept in (spells, zero, level))
    ever = spells["employee_id"].isin(first_starts(enrolments, program.id, role).index)
    elsewhere = spells["employee_id"].isin(first_starts(enrolments, program.id).index) & ~ever
    exit_end = spells["exit_date"] + ONE_DAY
    rows = pd.DataFrame(
        {
            "employee_id": spells["employee_id"],
            "is_treated": ever,
            "zero": zero,
            "job_level": level,
            "months": months_between(zero, exit_end.fillna(lock_end)),
            "outcome": exit_outcome(spells["exit_type"]).where(exit_end.notna(), None),
        }
    )
    return rows[~elsewhere].reset_index(drop=True)
