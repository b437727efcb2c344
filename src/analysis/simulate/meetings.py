"""How long people stay in their program, and when they meet."""

import numpy as np
import pandas as pd

from analysis.plan.seeds import rng
from analysis.simulate.days import NEVER, as_dates, day
from analysis.simulate.scenario import ProgramDesign, Scenario
from analysis.simulate.tables import typed
from analysis.simulate.workforce import Workforce

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

    One program's records below the other's, in the order of the scenario. Everyone of a match ends together, unless he
    stops early or leaves the company; facilitators do not stop.
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
    group goes on without its facilitator when he leaves the company.
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
