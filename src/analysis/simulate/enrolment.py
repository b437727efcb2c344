"""Who comes into the programs, and how participants are dealt out to facilitated groups."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from analysis.plan.probability import rng
from analysis.simulate.hazards import Hazards
from analysis.simulate.people import Careers
from analysis.simulate.scenario import NEVER, Intake, ProgramDesign, RoleDesign, Scenario, day, next_monday

# --- groups -----------------------------------------------------------------------------------------------------------
# How participants are dealt out to facilitated groups, and who leads them.

GROUP_SIZE = 9
LEAST_MEMBERS = 4  # fewer are no group, and nobody starts


def n_groups(n_participants: int, n_facilitators: int) -> int:
    """Return how many groups there are: of about `GROUP_SIZE` where there are facilitators for so many, 0 = none."""
    if n_participants < LEAST_MEMBERS:
        return 0
    return min(max(1, round(n_participants / GROUP_SIZE)), n_facilitators)


def dealt(birth_year: np.ndarray, n: int, random: np.random.Generator) -> np.ndarray:
    """Return each participant's group, 0 to n − 1: dealt out by age, so that every group has young and old."""
    by_age = np.lexsort((random.random(len(birth_year)), birth_year))
    group = np.empty(len(birth_year), dtype=np.int64)
    group[by_age] = np.arange(len(birth_year)) % n
    return group


def facilitators(may_lead: np.ndarray, led_before: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return who may lead a group (their rows) in the order in which they are asked: first those who did before."""
    rows = np.flatnonzero(may_lead)
    return rows[np.lexsort((random.random(len(rows)), ~led_before[rows]))]


# --- enrolment --------------------------------------------------------------------------------------------------------
# Who comes into the programs: intakes in calendar order, each changing when those who start will leave.

MENTEES_PER_CLINIC = 5
COMMITTEE_NOISE = 0.7


@dataclass(frozen=True)
class Enrolled:
    """What the intakes did.

    Attributes
    ----------
    records
        One row per applicant and intake, and per facilitator and intake: ``row`` (of the spells), ``program`` (its
        id), ``role``, ``intake``, ``applied``, ``offered`` (NA where nobody decided), ``accepted``, ``planned_start``
        (who would start if still there; else `NEVER`), ``start``, ``match_id``.
    decision
        Day each spell's decision to leave falls, with the program as it happened.
    start, program, role
        Day each spell starts a program (`NEVER`), which (empty) and as what (empty); leading a group is no start.
    """

    records: pd.DataFrame
    decision: np.ndarray
    start: np.ndarray
    program: np.ndarray
    role: np.ndarray


@dataclass
class _State:
    """The company as the next intake finds it; every array has one element per spell."""

    decision: np.ndarray
    other_exit: np.ndarray
    start: np.ndarray
    program: np.ndarray
    role: np.ndarray
    may_apply_from: np.ndarray
    leads: np.ndarray
    records: list[pd.DataFrame] = field(default_factory=list)

    def can_start(self, rows: np.ndarray, on: np.ndarray | int) -> np.ndarray:
        """Return which spells are employed beyond the day and not under notice on it."""
        return (self.decision[rows] > on) & (self.other_exit[rows] > on)


def enrol(scenario: Scenario, spells: pd.DataFrame, careers: Careers, hazards: Hazards) -> Enrolled:
    """Run every intake; whoever starts has their hazard of deciding to leave multiplied from the next day on.

    The draw behind each decision stays the same, so that both potential outcomes of a spell are known exactly.
    """
    n, total = len(spells), hazards.decision_total(spells)
    state = _State(
        hazards.decision.day_reached(np.arange(n), total),
        hazards.other_exit(spells)[0],
        np.full(n, NEVER),
        np.full(n, "", dtype=object),
        np.full(n, "", dtype=object),
        np.full(n, -NEVER),
        np.zeros(n, dtype=bool),
    )
    randoms = {program.id: rng(*scenario.seeds_of(program, "enrolment")) for program in scenario.programs}
    n_matches = dict.fromkeys(randoms, 0)
    intakes = [(intake, program) for program in scenario.programs for intake in program.intakes]
    for intake, program in sorted(intakes, key=lambda both: both[0].opens):
        if intake.opens > scenario.as_of:
            continue
        random, first_match = randoms[program.id], n_matches[program.id]
        records = _applicants(program, intake, spells, careers, state, random)
        if program.format == "group":
            records = _grouped(program, intake, records, spells, careers, state, random, first_match)
        else:
            records = _matched(program, records, random, first_match)
        n_matches[program.id] += records["match_id"].nunique()
        state.records.append(_started(scenario, program, records, state, hazards, total))
    records = pd.concat(state.records, ignore_index=True) if state.records else _no_records()
    return Enrolled(records, state.decision, state.start, state.program, state.role)


def treated_total(
    hazards: Hazards, rows: np.ndarray, total: np.ndarray, start: np.ndarray, ratio: np.ndarray | float
) -> np.ndarray:
    """Return the untreated cumulative hazard at which the treated decision falls: the same draw, used up at `ratio`."""
    before = hazards.decision.until(rows, start + 1)
    return before + (total - before) / ratio


def _applicants(
    program: ProgramDesign,
    intake: Intake,
    spells: pd.DataFrame,
    careers: Careers,
    state: _State,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Return the intake's applicants of every role, with who was offered a place and who took it."""
    opens = day(intake.opens)
    eligible = state.can_start(np.arange(len(spells)), opens) & (state.start == NEVER)
    eligible &= spells["hire"].to_numpy() <= opens - program.min_tenure_days
    if intake.department is not None:
        eligible &= careers.department_on(opens) == careers.departments.index(intake.department)
    level, rating = careers.level_on(opens), (careers.rating_on(opens) - 3.2) / 0.85
    rating = np.nan_to_num(rating)  # not yet reviewed: thought of as average
    records, places = [], 0
    for name, role in program.roles.items():
        may_apply = eligible & (state.may_apply_from <= opens)
        rows = np.flatnonzero(may_apply & (level >= role.levels[0]) & (level <= role.levels[1]))
        rows = rows[random.random(len(rows)) < _apply_chance(program, role, rows, spells, rating, opens)]
        offered = _offered(program, role, rating[rows], places, random)
        accepted = offered & (random.random(len(rows)) < program.accept_share)
        places = int(accepted.sum())
        state.may_apply_from[rows] = opens + max(program.sit_out_days, 1)
        records.append(
            pd.DataFrame(
                {
                    "row": rows,
                    "program": program.id,
                    "role": name,
                    "intake": opens,
                    "applied": opens - random.integers(1, 22, len(rows)),
                    "offered": pd.array(offered, dtype="boolean"),
                    "accepted": accepted,
                }
            ).assign(offered=lambda r, everyone=role.offer_share == 1.0: pd.NA if everyone else r["offered"])
        )
    return pd.concat(records, ignore_index=True).astype({"offered": "boolean"})


def _apply_chance(
    program: ProgramDesign, role: RoleDesign, rows: np.ndarray, spells: pd.DataFrame, rating: np.ndarray, opens: int
) -> np.ndarray:
    """Return each eligible person's chance of applying, with the role's share as its mean."""
    if not len(rows):
        return np.zeros(0)
    tenure = np.log(opens - spells["hire"].to_numpy()[rows])
    score = (
        program.on_performance * rating[rows]
        + program.on_morale * spells["morale"].to_numpy()[rows]
        + program.on_tenure * (tenure - tenure.mean()) / max(tenure.std(), 0.1)
    )
    intercept = brentq(lambda a: expit(a + score).mean() - role.apply_share, -30, 30)
    return expit(intercept + score)


def _offered(
    program: ProgramDesign, role: RoleDesign, rating: np.ndarray, mentees: int, random: np.random.Generator
) -> np.ndarray:
    """Return who gets a place: by lot, or the best in the eyes of a committee that sees ratings."""
    places = mentees if role.offer_share is None else round(role.offer_share * len(rating))
    merit = 0.0 if program.assignment == "lottery" else rating
    order = np.argsort(-(merit + COMMITTEE_NOISE * random.normal(size=len(rating))))
    offered = np.zeros(len(rating), dtype=bool)
    offered[order[:places]] = True
    return offered


def _matched(
    program: ProgramDesign, records: pd.DataFrame, random: np.random.Generator, first_match: int
) -> pd.DataFrame:
    """Return the records with a match and a Monday to start, weeks after the intake opens, for who accepted.

    Where one role outnumbers the other, a match has more than one of it; where the other is empty, there are no pairs
    and nobody starts. A pair starts together; people drop in to a clinic one by one.
    """
    accepted = {role: np.flatnonzero(records["accepted"] & (records["role"] == role)) for role in program.roles}
    fewest = min(map(len, accepted.values()))
    if program.format == "pair" and fewest == 0:
        return records.assign(match_id=None, planned_start=NEVER)
    n_matches = max(1, round(len(accepted["mentee"]) / MENTEES_PER_CLINIC) if program.format == "clinic" else fewest)
    match_id, planned = np.full(len(records), None, dtype=object), np.full(len(records), NEVER)
    mondays = 7 * random.integers(0, program.weeks_to_start, n_matches)
    for places in accepted.values():
        match = random.permutation(len(places)) % n_matches
        match_id[places] = [f"{program.id}-{first_match + m + 1:03d}" for m in match]
        own = 7 * random.integers(0, program.weeks_to_start, len(places))
        monday = own if program.format == "clinic" else mondays[match]
        planned[places] = next_monday(records["intake"].to_numpy()[places]) + monday
    return records.assign(match_id=match_id, planned_start=planned)


def _grouped(
    program: ProgramDesign,
    intake: Intake,
    records: pd.DataFrame,
    spells: pd.DataFrame,
    careers: Careers,
    state: _State,
    random: np.random.Generator,
    first_match: int,
) -> pd.DataFrame:
    """Return the records with a group for who accepted and one day on which all begin; facilitators stand below.

    Where facilitators are too few, groups are fewer and larger; where there are none, nobody starts.
    """
    opens, accepted = day(intake.opens), np.flatnonzero(records["accepted"])
    begins = next_monday(opens) + 7 * (program.weeks_to_start - 1)
    may_lead = _may_lead(program, records, spells, careers, state, opens, begins)
    willing = facilitators(may_lead, state.leads, random)
    n = n_groups(len(accepted), len(willing))
    if n == 0:
        return records.assign(match_id=None, planned_start=NEVER)
    names = np.array([f"{program.id}-{first_match + m + 1:03d}" for m in range(n)], dtype=object)
    match_id, planned = np.full(len(records), None, dtype=object), np.full(len(records), NEVER)
    born = spells["birth_year"].to_numpy()[records["row"].to_numpy()[accepted]]
    match_id[accepted], planned[accepted] = names[dealt(born, n, random)], begins
    leaders = willing[:n]
    state.leads[leaders], state.may_apply_from[leaders] = True, NEVER
    below = pd.DataFrame(
        {"row": leaders, "program": program.id, "role": "facilitator", "intake": opens, "applied": NEVER}
        | {"offered": pd.array([pd.NA] * n, dtype="boolean"), "accepted": True}
        | {"match_id": names, "planned_start": begins}
    )
    return pd.concat([records.assign(match_id=match_id, planned_start=planned), below], ignore_index=True)


def _may_lead(
    program: ProgramDesign,
    records: pd.DataFrame,
    spells: pd.DataFrame,
    careers: Careers,
    state: _State,
    opens: int,
    begins: int,
) -> np.ndarray:
    """Return which spells may lead a group: of the right levels, there on the day all begin, never a participant."""
    level, (lowest, highest) = careers.level_on(opens), program.facilitator_levels
    may_lead = state.can_start(np.arange(len(spells)), begins) & (state.start == NEVER)
    may_lead &= (level >= lowest) & (level <= highest) & (spells["hire"].to_numpy() <= opens - program.min_tenure_days)
    may_lead[records["row"].to_numpy(dtype=np.int64)] = False
    return may_lead


def _started(
    scenario: Scenario,
    program: ProgramDesign,
    records: pd.DataFrame,
    state: _State,
    hazards: Hazards,
    total: np.ndarray,
) -> pd.DataFrame:
    """Return the records with the start of those who are still there and not under notice; update the state."""
    rows, planned = records["row"].to_numpy(), records["planned_start"].to_numpy()
    starts = (planned <= day(scenario.as_of)) & state.can_start(rows, planned)
    for name, role in program.roles.items():
        chosen = starts & (records["role"] == name).to_numpy()
        who, when = rows[chosen], planned[chosen]
        state.start[who], state.program[who], state.role[who] = when, program.id, name
        state.decision[who] = hazards.decision.day_reached(
            who, treated_total(hazards, who, total[who], when, role.hazard_ratio)
        )
    return records.assign(start=np.where(starts, planned, NEVER))


def _no_records() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": [],
            "program": [],
            "role": [],
            "intake": [],
            "applied": [],
            "offered": [],
            "accepted": [],
            "match_id": [],
            "planned_start": [],
            "start": [],
        }
    )
