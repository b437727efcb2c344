"""HiBob's reports: people, and their work history."""

import pandas as pd

from analysis.simulate.exports.cells import birth_days, days, first_last, numbers, of_people, sheet, words
from analysis.simulate.exports.sheet import Sheet

SLASHES = "%d/%m/%Y"
GARDEN_LEAVE = pd.Timedelta(days=21)
TYPES = {"involuntary": "dismissed", "other": "mutual"}
REDUNDANCY = "Position closed"
GENDERS = {"male": "Male", "female": "Female", "nonbinary": "Non-binary"}


def hibob_people(employees: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the report on people, one row a hire; leavers have a garden leave before the termination date."""
    ids, left = employees["employee_id"], employees["exit_date"]
    kind = words(employees["exit_type"], TYPES)
    columns = {
        "Employee ID": ids,
        "Display name": first_last(ids, people),
        "Email": of_people(ids, people, "email"),
        "Date of birth": days(birth_days(employees["birth_year"]), SLASHES),
        "Gender": words(employees["gender"], GENDERS),
        "Start date": days(employees["hire_date"], SLASHES),
        "Lifecycle status": left.isna().map({True: "Employed", False: "Terminated"}),
        "Notice date": days(employees["notice_date"], SLASHES),
        "Last day of work": days(left - GARDEN_LEAVE, SLASHES),
        "Termination date": days(left, SLASHES),
        "Termination type": kind.where(employees["exit_reason"].ne(REDUNDANCY), "redundancy"),
        "Termination reason": employees["exit_reason"],
        "Site": employees["location"],
    }
    return sheet(columns, employees.index)


def hibob_work_history(jobs: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the work history; who reports to whom is an e-mail address, and part time a percentage."""
    ids = jobs["employee_id"]
    percent = numbers((jobs["fte"] * 100).round())
    columns = {
        "Employee ID": ids,
        "Display name": first_last(ids, people),
        "Effective date": days(jobs["effective_date"], SLASHES),
        "Department": jobs["department"],
        "Job family": jobs["job_family"],
        "Job level": numbers(jobs["job_level"]),
        "Reports to": first_last(jobs["manager_id"], people),
        "Reports to email": of_people(jobs["manager_id"], people, "email"),
        "FTE": (percent + "%").where(percent.ne(""), ""),
        "Base salary": numbers(jobs["base_salary"]),
        "Performance rating": numbers(jobs["performance_rating"]),
    }
    return sheet(columns, jobs.index)
