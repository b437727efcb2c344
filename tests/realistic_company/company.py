"""The people, jobs, pairs and answers of the company, before they are written down."""

import datetime as dt
from dataclasses import dataclass, replace
from functools import cache

import pandas as pd
from invented_people import people

from analysis.plan.probability import rng
from analysis.simulate import Company, scenario_named, simulate
from analysis.simulate.scenario import Intake, ProgramDesign, RoleDesign, Scale, Scenario, Survey

NAME = "brackwell"
N_EMPLOYEES = 2_000
N_TRANSFERS, N_CONTINGENT, N_INTERNS, N_NO_SHOWS, N_FUTURE_EXITS, N_NAMESAKES, N_ON_LEAVE = 24, 60, 30, 8, 10, 6, 70
DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Realistic:
    """The company as it was.

    Attributes
    ----------
    company
        The employees, with one id a person throughout.
    people
        One row per person, the others included: ``employee_id``, ``first_name``, ``last_name``, ``email``,
        ``preferred`` (a first name other than the legal one; missing for most).
    others
        One row per person who is no employee: ``employee_id``, ``kind`` (contingent, intern, no_show), ``hire_date``,
        ``exit_date``.
    transfers
        One row per person who went over to another entity of the group: ``employee_id``, ``day``, ``new_id``.
    future_exits
        By employee id, a last day after the data were drawn.
    leave
        One row per absence: ``employee_id``, ``leave_start``, ``leave_end``, ``leave_type``.
    """

    company: Company
    people: pd.DataFrame
    others: pd.DataFrame
    transfers: pd.DataFrame
    future_exits: dict[str, pd.Timestamp]
    leave: pd.DataFrame


def scenario() -> Scenario:
    """Return an insurer with a reverse program of pairs that people choose, three intakes, and three surveys."""
    days = [dt.date(2022, 3, 7), dt.date(2022, 10, 3), dt.date(2023, 3, 6)]
    surveys = [dt.date(2022, 1, 17), dt.date(2023, 1, 16), dt.date(2024, 1, 15)]
    morale = Scale(construct="morale", items=("mor1", "mor2", "mor3", "mor4", "mor5"), reversed_items=("mor3", "mor5"))
    fluency = Scale(construct="digital_fluency", items=("dig1", "dig2", "dig3"))
    program = ProgramDesign(
        id="reverse",
        name="Reverse Mentoring",
        format="pair",
        assignment="self_selected",
        intakes=tuple(Intake(opens=day) for day in days),
        mentor=RoleDesign(levels=(1, 3), apply_share=0.16, offer_share=None, hazard_ratio=0.7),
        mentee=RoleDesign(levels=(5, 8), apply_share=0.28, offer_share=0.9, effects={"digital_fluency": 0.3}),
    )
    return replace(
        scenario_named(NAME, like="northbank", employees=N_EMPLOYEES),
        title="Brackwell Insurance",
        sector="insurance",
        id_letter="1",
        currency="EUR",
        departments=("Claims", "Underwriting", "Actuarial", "Sales", "IT", "Finance"),
        programs=(program,),
        surveys=(Survey(instrument="pulse", scales=(morale, fluency), opens=tuple(surveys), response_share=0.5),),
        return_share=0.12,
    )


@cache
def realistic_company() -> Realistic:
    """Return the company; always the same."""
    made = simulate(scenario())
    draw = rng(NAME, "realistic")
    spells = made.tables.employees
    single = spells[~spells["employee_id"].duplicated(keep=False)]
    as_of = pd.Timestamp(made.scenario.as_of)
    stays = single[single["exit_date"].isna() & (single["hire_date"] < "2021-01-01")]["employee_id"].to_numpy()
    picked = draw.permutation(stays)
    moved, late = picked[:N_TRANSFERS], picked[N_TRANSFERS : N_TRANSFERS + N_FUTURE_EXITS]
    days = pd.to_datetime("2021-06-01") + pd.to_timedelta(draw.integers(0, 36, N_TRANSFERS) * 30, unit="D")
    transfers = pd.DataFrame(
        {
            "employee_id": moved,
            "day": days.to_period("M").to_timestamp(),
            "new_id": [f"9{k:05}" for k in range(N_TRANSFERS)],
        }
    )
    others = _others(draw, as_of)
    return Realistic(
        company=made,
        people=_named(draw, made, others),
        others=others,
        transfers=transfers,
        future_exits={who: as_of + (20 + 7 * k) * DAY for k, who in enumerate(late)},
        leave=_leave(draw, single),
    )


def _others(draw, as_of: pd.Timestamp) -> pd.DataFrame:
    kinds = ["contingent"] * N_CONTINGENT + ["intern"] * N_INTERNS + ["no_show"] * N_NO_SHOWS
    hired = pd.Timestamp("2020-06-01") + pd.to_timedelta(draw.integers(0, 1_500, len(kinds)), unit="D")
    length = {"contingent": 400, "intern": 150, "no_show": 0}
    exits = hired + pd.to_timedelta([length[kind] for kind in kinds], unit="D")
    ids = [f"8{k:05}" for k in range(len(kinds))]
    frame = pd.DataFrame({"employee_id": ids, "kind": kinds, "hire_date": hired, "exit_date": exits})
    return frame.assign(exit_date=frame["exit_date"].where(frame["exit_date"] <= as_of))


def _named(draw, made: Company, others: pd.DataFrame) -> pd.DataFrame:
    """Name everybody: a tenth go by another first name, and a few pairs share theirs, of different departments."""
    named = people(NAME, [*made.tables.employees["employee_id"], *others["employee_id"]])
    goes_by = named["first_name"].sample(frac=1, random_state=7).to_numpy()
    named["preferred"] = pd.Series(goes_by).where(draw.random(len(named)) < 0.1)
    started = made.tables.enrolments.loc[made.tables.enrolments["start_date"].notna(), "employee_id"].unique()
    last = made.tables.jobs.groupby("employee_id")["department"].agg(["first", "nunique"])
    settled = last[last["nunique"] == 1]["first"]
    namesakes = [who for who in sorted(started) if who in settled.index][:N_NAMESAKES]
    free = [who for who in settled.index if who not in set(started)]
    at = named.set_index("employee_id")
    for who in namesakes:
        other = next(o for o in free if settled[o] != settled[who])
        free.remove(other)
        at.loc[other, ["first_name", "last_name", "preferred"]] = [*at.loc[who, ["first_name", "last_name"]], None]
        at.loc[who, "preferred"] = None
    return at.reset_index()


def _leave(draw, spells: pd.DataFrame) -> pd.DataFrame:
    chosen = draw.choice(spells["employee_id"].to_numpy(), N_ON_LEAVE, replace=False)
    start = pd.Timestamp("2021-03-01") + pd.to_timedelta(draw.integers(0, 1_200, N_ON_LEAVE), unit="D")
    kind = draw.choice(["Parental leave", "Sabbatical", "Long-term illness"], N_ON_LEAVE)
    return pd.DataFrame(
        {"employee_id": chosen, "leave_start": start, "leave_end": start + 180 * DAY, "leave_type": kind}
    )
