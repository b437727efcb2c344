"""What an answer is held against: the comparison that dashboards make, and a program that never was.

The placebo program is a negative control of exposure (Lipsitch, Tchetgen Tchetgen & Cohen 2010, Epidemiology 21:383):
what cannot have an effect must come out without one. The starts are drawn from what is recorded, so this puts the
design and the weights to the test, not the assumption that nothing unrecorded matters.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.design.covariates import DesignMatrix, design_matrix
from analysis.design.eligibility import eligible_levels, is_eligible
from analysis.design.propensity import fit_propensity
from analysis.design.starts import FLOW_STEPS
from analysis.design.trials import Trials, covariates_of, trial_rows
from analysis.design.weights import MOST_LIKELY
from analysis.measure.employment import (
    ONE_DAY,
    add_months,
    exit_outcome,
    job_history,
    job_value_at,
    months_between,
    staff_on,
    under_notice_on,
)
from analysis.measure.exposure import first_starts, starts_elsewhere
from analysis.plan.contract import Tables
from analysis.plan.faults import known
from analysis.plan.study import Eligibility, Program, Study


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


# --- placebo ----------------------------------------------------------------------------------------------------------
# A program that never was: placebo starts among the staff before the real one began.

# With less to be followed before the program began, a placebo would say little about its first horizon.
LEAST_MONTHS = 6


@dataclass(frozen=True)
class PlaceboSchedule:
    """When placebo starts are made.

    Attributes
    ----------
    launch
        First intake (or start) of the real program: nothing is followed beyond it.
    shift_months
        By how many whole months the real start days are moved back.
    months
        Where the risks can be read off, at most the first horizon; 0 where too little lies before the launch.
    days
        One row per placebo day: ``trial`` (the real trial it stands for), ``trial_date``.
    """

    launch: pd.Timestamp
    shift_months: int
    months: int
    days: pd.DataFrame


@dataclass(frozen=True)
class Placebo:
    """Everybody who could have placebo-started on a day, and how likely.

    Attributes
    ----------
    rows
        As `design.trials.Trials.rows`, nobody treated, follow-up ended by the launch: one row per placebo day and
        person.
    matrix
        The covariates of the same rows, in the terms of the real trials' model, on the scale that they have over both.
    person
        Number of each row's person, shape (rows,).
    chance
        Of a placebo start on that day for who had none before, shape (rows,).
    ever
        As from `design.references.ever_vs_never`, counted from the day on which the placebo program opens, nobody
        treated.
    months
        Where the risks can be read off.
    """

    rows: pd.DataFrame
    matrix: DesignMatrix
    person: np.ndarray
    chance: np.ndarray
    ever: pd.DataFrame
    months: int


def placebo_schedule(
    trials: Trials, enrolments: pd.DataFrame, study: Study, program: Program, first_horizon: int
) -> PlaceboSchedule:
    """Return the real start days, moved back as far as the study observes the company.

    Kept are days at least `LEAST_MONTHS` before the launch. The risks are read off at the latest month, up to the first
    horizon, to which at least half of those who really started on those days could be followed.

    Parameters
    ----------
    trials
        The real ones.
    """
    own = enrolments[enrolments["program_id"] == program.id]
    launch = pd.Timestamp(own[["intake_date", "start_date"]].min().min())
    real = trials.rows.groupby("trial").agg(trial_date=("trial_date", "first"), n_starters=("is_treated", "sum"))
    first, start, shift = real["trial_date"].min(), pd.Timestamp(study.study_start), 0
    while add_months(first, -(shift + 1)) >= start:
        shift += 1
    days = real.assign(trial_date=[add_months(day, -shift) for day in real["trial_date"]]).reset_index()
    days = days[[add_months(day, LEAST_MONTHS) <= launch for day in days["trial_date"]]]
    days = days.drop_duplicates("trial_date").reset_index(drop=True)
    n, months = days["n_starters"], 0
    for month in range(LEAST_MONTHS, first_horizon + 1) if len(days) else ():
        reaches = np.array([add_months(day, month) <= launch for day in days["trial_date"]])
        if n[reaches].sum() >= n.sum() / 2:
            months = month
    months = min(first_horizon, LEAST_MONTHS) if len(days) and not months else months
    return PlaceboSchedule(launch, shift, months, days[["trial", "trial_date"]])


def build_placebo(
    trials: Trials,
    schedule: PlaceboSchedule,
    tables: Tables,
    study: Study,
    program: Program,
    role: str,
    scores: dict[str, pd.DataFrame],
) -> Placebo:
    """Return who could have placebo-started on the scheduled days, eligible as in the real trials.

    Nobody had started the real program by then. What else people start before the launch ends nobody's follow-up: a
    placebo keeps nobody from it, so both arms start it alike.

    Their chance is the real trials' propensity, applied to what was known of them that day, with a constant such that
    the expected share of starters is that of the real trial. Those nearly sure to start are left out, as there.
    """
    rule = eligible_levels(tables, program, role)
    before = study.model_copy(update={"as_of": (schedule.launch - ONE_DAY).date()})
    elsewhere = starts_elsewhere(tables.enrolments, program.id)
    history, parts, before_it = job_history(tables.jobs), [], []
    for number, day in enumerate(schedule.days["trial_date"]):
        staff = staff_on(tables, history, day)
        staff = staff.take(is_eligible(staff, rule) & ~under_notice_on(staff.spells, day).to_numpy())
        nobody, never = np.zeros(len(staff.spells), dtype=bool), pd.Series(pd.NaT, index=staff.spells.index)
        rows = trial_rows(staff, nobody, before, never)
        parts.append(rows.assign(trial=number))
        before_it.append(covariates_of(staff, scores, elsewhere))
    rows, covariates = pd.concat(parts, ignore_index=True), pd.concat(before_it, ignore_index=True)
    matrix, chance = _chance(trials, rows, covariates, schedule.days["trial"].to_numpy(dtype=int))
    kept = chance <= MOST_LIKELY
    ever = _ever(tables, before, program, role, rule, schedule)
    rows = rows[kept].reset_index(drop=True)
    person = pd.factorize(rows["employee_id"])[0]
    return Placebo(rows, matrix.take(kept), person, chance[kept], ever, schedule.months)


def _chance(
    trials: Trials, rows: pd.DataFrame, covariates: pd.DataFrame, real_trial: np.ndarray
) -> tuple[DesignMatrix, np.ndarray]:
    """Return the rows' terms and their chance of a placebo start, by the real trials' model.

    One design matrix of both, so that the terms are the same.
    """
    treated, trial = trials.rows["is_treated"].to_numpy(dtype=bool), trials.rows["trial"].to_numpy(dtype=int)
    together = pd.concat([trials.covariates, covariates], ignore_index=True)
    n, starts = len(treated), np.concatenate([treated, np.zeros(len(covariates), dtype=bool)])
    people = pd.concat([trials.rows["employee_id"], rows["employee_id"]])
    matrix = design_matrix(together, starts, people=people)
    fit = fit_propensity(matrix.values[:n], treated, trial)  # noqa: PD011 (no frame)
    own = matrix.take(np.arange(n, len(together)))
    linear = own.values @ fit.coefficients[1:]  # noqa: PD011 (no frame)
    share = (np.bincount(trial, weights=treated) / np.bincount(trial))[real_trial]
    return own, _with_share(linear, rows["trial"].to_numpy(dtype=int), share)


def _with_share(linear: np.ndarray, day: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return chances with the given mean on each day, from log odds up to a constant; by bisection."""
    low, high = (np.full(len(share), sign * (30 + np.abs(linear).max(initial=0))) for sign in (-1.0, 1.0))
    n = np.maximum(np.bincount(day, minlength=len(share)), 1)  # on some day nobody may be eligible
    for _ in range(60):
        middle = (low + high) / 2
        mean = np.bincount(day, weights=1 / (1 + np.exp(-(middle[day] + linear))), minlength=len(share)) / n
        low, high = np.where(mean < share, middle, low), np.where(mean < share, high, middle)
    return 1 / (1 + np.exp(-(middle[day] + linear)))


def _ever(
    tables: Tables, before: Study, program: Program, role: str, rule: Eligibility, schedule: PlaceboSchedule
) -> pd.DataFrame:
    """Return the dashboard's staff of the placebo program, counted from its opening or from hiring."""
    opening = max(add_months(schedule.launch, -schedule.shift_months), pd.Timestamp(before.study_start))
    employees = known(tables.employees)
    gone = employees["exit_date"] < schedule.launch
    exits = {column: employees[column].where(gone) for column in ("exit_date", "exit_type")}
    opened = known(tables.enrolments).iloc[:1].assign(program_id=program.id, intake_date=opening, start_date=pd.NaT)
    stated = program.model_copy(update={"eligibility": {role: rule}})
    then = replace(tables, employees=employees.assign(**exits), enrolments=opened)
    return ever_vs_never(then, before, stated, role)


def placebo_trials(placebo: Placebo, rng: np.random.Generator) -> Trials:
    """Return the trials of one drawing of placebo starts; who has started is no comparator later, as in real ones."""
    rows, person = placebo.rows, placebo.person
    drawn, day = rng.random(len(rows)) < placebo.chance, rows["trial"].to_numpy(dtype=int)
    # Days are numbered in the order of time.
    never = len(rows)
    first = np.full(person.max(initial=-1) + 1, never)
    np.minimum.at(first, person[drawn], day[drawn])
    start, date = first[person], rows["trial_date"].to_numpy()
    is_treated, starts_later = drawn & (start == day), (start > day) & (start < never)
    to_start = np.full(len(rows), np.inf)
    date_of = np.zeros(day.max(initial=-1) + 1, dtype=date.dtype)
    date_of[day] = date
    to_start[starts_later] = months_between(date[starts_later], date_of[start[starts_later]])
    is_cut = to_start < rows["months"].to_numpy(dtype=float)
    rows = rows.assign(
        is_treated=is_treated,
        months=np.where(is_cut, to_start, rows["months"]),
        outcome=rows["outcome"].where(~is_cut, None),
    )
    flow = pd.DataFrame({"step": FLOW_STEPS, "n_people": 0})
    flow.loc[flow["step"].isin(["started", "analysed"]), "n_people"] = int(is_treated.sum())
    nothing = pd.DataFrame(index=rows.index)
    return Trials(rows, nothing, flow, False, matrix=placebo.matrix).take(start >= day)


def placebo_ever(placebo: Placebo, trials: Trials) -> pd.DataFrame:
    """Return what a dashboard would make of a drawing: whoever ever placebo-started, counted from the opening."""
    starters = trials.rows.loc[trials.rows["is_treated"], "employee_id"]
    return placebo.ever.assign(is_treated=placebo.ever["employee_id"].isin(starters))
