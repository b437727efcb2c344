"""The canonical tables of the data contract, typed, as the company's systems would hold them at the data lock."""

import numpy as np
import pandas as pd

from analysis.plan.contract import TABLES
from analysis.plan.probability import rng
from analysis.simulate.scenario import NEVER, ProgramDesign, Scenario, as_dates, day
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


def enrolments(company: Workforce, records: pd.DataFrame) -> pd.DataFrame:
    """Return the enrolments table; `records` are the enrolments with their ends, as from `participation`."""
    ids = company.spells["employee_id"].to_numpy()
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


# --- meetings ---------------------------------------------------------------------------------------------------------
# How long people stay in their program, and when they meet.

PLANNED_DAYS = (183, 274)
EARLY_STOP_SHARE, EARLY_STOP_DAYS = 0.08, (30, 120)
WAITLISTED_SHARE = 0.15
TOPICS_A_PERSON = 2
MINUTES = (30, 45, 60, 90)
DAYS_BETWEEN = (14, 24)
ATTENDANCE = {
    "clinic": {"mentor": 0.6, "mentee": 0.45},
    "group": {"participant": 0.8, "facilitator": 1.0},
}  # by format and role; pairs meet when both are there
LEAST_AT_A_WORKSHOP = 3


def participation(scenario: Scenario, company: Workforce) -> pd.DataFrame:
    """Return the enrolment records with ``end``, ``status`` and ``topics`` as known at the data lock.

    One program's records below the other's, in the order of the scenario. Everyone of a match ends together, but for
    those who stop early or leave the company; facilitators do not stop.
    """
    records = company.enrolled.records
    parts = [_taken_part(scenario, p, company, records[records["program"] == p.id]) for p in scenario.programs]
    return pd.concat(parts, ignore_index=True)


def _taken_part(scenario: Scenario, program: ProgramDesign, company: Workforce, records: pd.DataFrame) -> pd.DataFrame:
    random, as_of = rng(*scenario.seeds_of(program, "participation")), day(scenario.as_of)
    n, start = len(records), records["start"].to_numpy(dtype=np.int64)
    match = pd.factorize(records["match_id"])[0]
    planned = start + random.integers(*PLANNED_DAYS, max(match.max(initial=-1) + 1, 1))[match]
    stops = (random.random(n) < EARLY_STOP_SHARE) & (records["role"] != "facilitator").to_numpy()
    planned = np.where(stops, start + random.integers(*EARLY_STOP_DAYS, n), planned)
    left = company.spells["exit"].to_numpy()[records["row"].to_numpy(dtype=np.int64)]
    end, started = np.minimum(planned, left), start < NEVER
    withdrawn = started & (stops | (left < planned))
    known = started & (end <= as_of)
    refused = records["offered"].eq(False).fillna(False).to_numpy(dtype=bool)
    accepted = records["accepted"].to_numpy(dtype=bool)
    unmatched = records["planned_start"].to_numpy(dtype=np.int64) == NEVER
    waiting = (random.random(n) < WAITLISTED_SHARE) & (program.assignment != "lottery")
    status = np.select(
        [known & withdrawn, known, started, refused & waiting, refused, ~accepted, unmatched],
        ["withdrawn", "completed", "active", "waitlisted", "not_selected", "declined", "waitlisted"],
        default="withdrawn",
    )
    n_topics = min(TOPICS_A_PERSON, len(program.topics))
    topics = [";".join(sorted(random.choice(program.topics, n_topics, replace=False))) for _ in range(n)]
    return records.assign(
        end=np.where(known, end, NEVER),
        status=status,
        topics=pd.Series(topics, dtype=object, index=records.index).where(started),
    )


def sessions(scenario: Scenario, company: Workforce, records: pd.DataFrame) -> pd.DataFrame:
    """Return the sessions table: every match meets each two to three weeks while both sides are there.

    Pairs leave ``attendee_ids`` empty (everyone of the match); at clinics and workshops those are listed who came. A
    group goes on without its facilitator when they leave the company.
    """
    rows = [row for p in scenario.programs for row in _met(scenario, p, company, records[records["program"] == p.id])]
    frame = pd.DataFrame(rows, columns=["match_id", "session_date", "minutes", "topic", "attendee_ids"])
    return typed("sessions", frame.assign(session_date=as_dates(frame["session_date"].to_numpy(dtype=np.int64))))


def _met(scenario: Scenario, program: ProgramDesign, company: Workforce, records: pd.DataFrame) -> list[tuple]:
    """Return one program's sessions: match, day, minutes, topic and, but for pairs, the ids of those who came."""
    random, as_of = rng(*scenario.seeds_of(program, "sessions")), day(scenario.as_of)
    ids, attendance = company.spells["employee_id"].to_numpy(), ATTENDANCE.get(program.format)
    rows = []
    for match_id, members in records[records["start"] < NEVER].groupby("match_id"):
        role, who = members["role"].to_numpy(), ids[members["row"].to_numpy(dtype=np.int64)]
        start, end = members["start"].to_numpy(), np.minimum(members["end"].to_numpy(), as_of)
        on = start.min() + random.integers(3, 11)
        while on <= end.max():
            attends = (start <= on) & (on <= end)
            if attendance:
                attends &= random.random(len(members)) < np.array([attendance[r] for r in role])
            if _can_meet(program, role[attends]):
                listed = ";".join(who[attends]) if attendance else None
                rows.append((match_id, on, random.choice(MINUTES), random.choice(program.topics), listed))
            on += random.integers(*DAYS_BETWEEN)
    return rows


def _can_meet(program: ProgramDesign, present: np.ndarray) -> bool:
    """Return whether those present, by role, are enough for a meeting: both sides, or some of a group."""
    if program.format == "group":
        return (present == "participant").sum() >= LEAST_AT_A_WORKSHOP
    return {"mentor", "mentee"} <= set(present)
