"""The canonical tables of the data contract, typed, as the company's systems would hold them at the data lock."""

import numpy as np
import pandas as pd

from analysis.plan.contract import TABLES
from analysis.plan.seeds import rng
from analysis.simulate.days import NEVER, as_dates, day
from analysis.simulate.scenario import Scenario
from analysis.simulate.workforce import NOBODY, Reporting, Workforce

UNKNOWN_EXIT_TYPE_SHARE = 0.03
FUTURE_EXIT_SHARE = 0.5
REASONS = {
    "voluntary": ("Career step elsewhere", "Pay", "Relocation", "Family", "Further study"),
    "involuntary": ("Position closed", "Performance"),
    "transfer": ("Moved to a sister company",),
}
KINDS = {
    "id": "str",
    "text": "str",
    "date": "datetime64[s]",
    "number": "float64",
    "integer": "float64",
    "boolean": "boolean",
}


def typed(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with every column of the contract's table, in its order and kind; empty where it had none."""
    columns = TABLES[table]
    return frame.reindex(columns=list(columns)).astype({name: KINDS[c.kind] for name, c in columns.items()})


def employees(scenario: Scenario, company: Workforce) -> pd.DataFrame:
    """Return the employees table; nothing after the data lock is known, but for a few exits already announced."""
    random, as_of = rng(scenario.name, "employees"), day(scenario.as_of)
    spells = company.spells
    n, left, decision = len(spells), spells["exit"].to_numpy(), spells["decision"].to_numpy()
    voluntary = (spells["exit_kind"] == "voluntary").to_numpy()
    announced = voluntary & (decision <= as_of) & (left > as_of) & (random.random(n) < FUTURE_EXIT_SHARE)
    known = (left <= as_of) | announced
    typeless = random.random(n) < UNKNOWN_EXIT_TYPE_SHARE
    picks = random.random(n)
    reasons = [
        REASONS[kind][int(pick * len(REASONS[kind]))] if kind in REASONS else None
        for kind, pick in zip(spells["exit_kind"], picks, strict=True)
    ]
    return typed(
        "employees",
        spells[["employee_id", "gender", "location", "birth_year"]]
        .assign(
            hire_date=as_dates(spells["hire"]),
            exit_date=as_dates(np.where(known, left, NEVER)),
            exit_type=spells["exit_kind"].where(known & ~typeless),
            exit_reason=pd.Series(reasons, dtype=object).where(known & ~typeless),
            # notice given and overtaken by another exit is still in the file
            notice_date=as_dates(np.where(known & (decision <= np.minimum(left, as_of)), decision, NEVER)),
        )
        .sort_values(["hire_date", "employee_id"], ignore_index=True),
    )


def jobs(scenario: Scenario, company: Workforce, managers: Reporting) -> pd.DataFrame:
    """Return the jobs table: the state at the first record, then one row per day on which something changed."""
    career, spells = company.careers, company.spells
    last = np.minimum(spells["exit"].to_numpy(), day(scenario.as_of))
    ids = spells["employee_id"].to_numpy()
    days = np.unique(np.concatenate([career.reviews, career.promotions, career.moves, managers.reviewed]))
    states = [_state(company, managers, np.arange(len(spells)), career.first)]
    states += [_state(company, managers, np.flatnonzero((career.first < on) & (last >= on)), on) for on in days]
    rows = pd.concat(states, ignore_index=True).sort_values(["row", "on"], kind="stable", ignore_index=True)
    what = rows.drop(columns="on").astype({"rating": "Int64"}).fillna({"rating": 0})
    rows = rows.loc[(what != what.shift()).any(axis=1)]
    who = rows["row"].to_numpy()
    own = spells.iloc[who].reset_index(drop=True)
    salary = 30_000 * 1.24 ** (rows["level"].to_numpy() - 1) * own["pay_factor"]
    return typed(
        "jobs",
        pd.DataFrame(
            {
                "employee_id": ids[who],
                "effective_date": as_dates(rows["on"]),
                "job_level": rows["level"].to_numpy(),
                "job_family": own["job_family"],
                "department": np.array(career.departments, dtype=object)[rows["department"]],
                "manager_id": np.where(rows["manager"] == NOBODY, None, ids[rows["manager"]]),
                "fte": own["fte"],
                "base_salary": (salary / 100).round() * 100,
                "performance_rating": rows["rating"].to_numpy(),
            }
        ).sort_values(["employee_id", "effective_date"], ignore_index=True),
    )


def waves(scenario: Scenario) -> pd.DataFrame:
    """Return the waves table; those that open after the data lock are not in it."""
    rows = [
        (n, survey.instrument, opens, day(opens) + survey.window_days)
        for survey in scenario.surveys
        for n, opens in enumerate(survey.opens, start=1)
        if opens <= scenario.as_of
    ]
    frame = pd.DataFrame(rows, columns=["wave", "instrument", "opens", "closes"])
    return typed("waves", frame.assign(closes=as_dates(frame["closes"].to_numpy(dtype=np.int64))))


def enrolments(company: Workforce, participation: pd.DataFrame) -> pd.DataFrame:
    """Return the enrolments table; `participation` are the enrolment records with their ends (see `meetings`)."""
    ids = company.spells["employee_id"].to_numpy()
    records = participation
    return typed(
        "enrolments",
        records[["role", "offered", "status", "topics"]]
        .assign(
            program_id=records["program"],
            intake_date=as_dates(records["intake"]),
            employee_id=ids[records["row"].to_numpy(dtype=np.int64)],
            applied_date=as_dates(records["applied"]),
            start_date=as_dates(records["start"]),
            end_date=as_dates(records["end"]),
            match_id=records["match_id"].where(records["start"] < NEVER),
        )
        .sort_values(["program_id", "intake_date", "role", "employee_id"], ignore_index=True),
    )


def _state(company: Workforce, managers: Reporting, rows: np.ndarray, on: np.ndarray | int) -> pd.DataFrame:
    """Return the job of spells `rows` on a day; on their first record where `on` has one day a spell."""
    career = company.careers
    if isinstance(on, np.ndarray):
        first = (career.first_level, career.first_department, career.first_rating, managers.first)
    else:
        first = (career.level_on(on), career.department_on(on), career.rating_on(on), managers.manager_on(on))
    level, department, rating, manager = (values[rows] for values in first)
    return pd.DataFrame(
        {"row": rows, "on": on, "level": level, "department": department, "rating": rating, "manager": manager}
    )
