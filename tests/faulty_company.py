"""A company large enough for answers, and faults put into parts of this program; both for tests of what is left."""

import datetime as dt
import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from studies import write_study

# What an exception may say: a person's data, which must not stand anywhere.
SECRET = "Erika Mustermann moved away"


class InjectedFault(Exception):
    """A fault that a test put in."""


def fail(*_: object, **__: object) -> None:
    """Fail as a program does: with somebody's data in the message, and as the result of another failure."""
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        raise InjectedFault(SECRET) from error


def put_in(patch: pytest.MonkeyPatch, places: Iterable[str]) -> None:
    """Let each of these functions fail, named by module and name."""
    for place in places:
        patch.setattr(place, fail)


def company(
    n: int = 120, n_started: int = 32, leaves: float = 0.35, is_surveyed: bool = True, is_mentors_only: bool = False
) -> dict[str, str]:
    """Return the tables of a company: every second starter a mentor, or all; two survey waves around the start day."""
    draw = random.Random(3)
    employees = ["employee_id,hire_date,exit_date,exit_type"]
    jobs = ["employee_id,effective_date,job_level,department"]
    enrolments = ["program_id,intake_date,employee_id,role,start_date"]
    responses = ["employee_id,wave,instrument,item,value"]
    for i in range(n):
        left = dt.date(2022, 3, 1) + dt.timedelta(draw.randint(0, 900)) if draw.random() < leaves else None
        hired = f"2020-0{1 + i % 9}-01"
        employees.append(f"P{i:03d},{hired},{left or ''},{'voluntary' if left else ''}")
        jobs.append(f"P{i:03d},{hired},{1 + i % 2},D{i % 3}")
        role = "mentor" if is_mentors_only or i % 2 else "mentee"
        if i < n_started:
            enrolments.append(f"genius,2022-02-01,P{i:03d},{role},2022-02-10")
        for wave, opens in ((1, dt.date(2022, 1, 10)), (2, dt.date(2022, 9, 5))):
            if left is None or left > opens:
                responses += [f"P{i:03d},{wave},mini,{item},{draw.randint(1, 5)}" for item in ("m1", "m2")]
    tables = {"employees": employees, "jobs": jobs, "enrolments": enrolments}
    if is_surveyed:
        waves = ["wave,instrument,opens,closes", "1,mini,2022-01-10,2022-01-20", "2,mini,2022-09-05,2022-09-15"]
        tables |= {"waves": waves, "responses": responses}
    return {name: "\n".join(lines) + "\n" for name, lines in tables.items()}


OPTIONS = ("n", "n_started", "leaves", "is_surveyed", "is_mentors_only")


def write_company(data: Path, name: str = "acme", **changes: object) -> Path:
    """Write the company as a study; return its folder."""
    tables = company(**{k: changes.pop(k) for k in OPTIONS if k in changes})
    told = {"study_start": "2021-01-01", "as_of": "2024-12-31", "horizons_months": [12]} | changes
    write_study(data / name, tables, **told)
    return data / name
