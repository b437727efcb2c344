"""UKG Pro: employments and job history."""

import pandas as pd

from analysis.simulate.exports.cells import (
    birth_days,
    endings,
    numbers,
    of_people,
    oracle_days,
    sheet,
    until_next,
    words,
)
from analysis.simulate.exports.sheet import Sheet

HIGH_DATE = "31-DEC-4712"
# A termination is V or I; what kind it was, only the code of its reason says.
TYPES = {
    "voluntary": "V",
    "retirement": "V",
    "death": "V",
    "transfer": "V",
    "involuntary": "I",
    "end_of_contract": "I",
    "other": "O",
}
REASONS = {
    "voluntary": "201",
    "retirement": "202",
    "death": "203",
    "transfer": "TRO",
    "involuntary": "210",
    "end_of_contract": "EOC",
    "other": "299",
}
GENDERS = {"male": "M", "female": "F"}


def ukg_employees(employees: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the employments, one row a hire."""
    ids, left = employees["employee_id"], employees["exit_date"]
    columns = {
        "employeeNumber": ids,
        "firstName": of_people(ids, people, "first_name"),
        "lastName": of_people(ids, people, "last_name"),
        "emailAddress": of_people(ids, people, "email"),
        "employeeStatusCode": left.isna().map({True: "A", False: "T"}),
        "originalHireDate": oracle_days(employees.groupby("employee_id")["hire_date"].transform("min")),
        "lastHireDate": oracle_days(employees["hire_date"]),
        "dateLastWorked": oracle_days(left),
        "dateOfTermination": oracle_days(left, none=HIGH_DATE),
        "termType": words(employees["exit_type"], TYPES),
        "termReason": words(employees["exit_type"], REASONS),
        "terminationReasonDescription": employees["exit_reason"],
        "resignationDate": oracle_days(employees["notice_date"]),
        "dateOfBirth": oracle_days(birth_days(employees["birth_year"])),
        "gender": words(employees["gender"], GENDERS),
        "primaryWorkLocationCode": employees["location"],
    }
    return sheet(columns, employees.index)


def ukg_jobs(jobs: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the job history; rows that record a termination are no jobs."""
    rows = pd.concat([jobs, endings(jobs)], ignore_index=True)
    ids = rows["employee_id"]
    columns = {
        "employeeNumber": ids,
        "firstName": of_people(ids, people, "first_name"),
        "lastName": of_people(ids, people, "last_name"),
        "jobEffectiveDate": oracle_days(rows["effective_date"]),
        "jobEndDate": oracle_days(until_next(jobs).reindex(rows.index), none=HIGH_DATE),
        "isTermination": pd.Series("N", rows.index).where(rows.index < len(jobs), "Y"),
        "jobSalaryGrade": numbers(rows["job_level"]),
        "jobGroupCode": rows["job_family"],
        "orgLevel1Code": rows["department"],
        "supervisorEmployeeNumber": rows["manager_id"],
        "fte": numbers(rows["fte"]),
        "annualSalary": numbers(rows["base_salary"]),
        "performanceRating": numbers(rows["performance_rating"]),
    }
    return sheet(columns, rows.index)
