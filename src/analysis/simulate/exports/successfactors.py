"""SAP SuccessFactors Employee Central: employments and job information, as OData names and writes them."""

import pandas as pd

from analysis.simulate.exports.cells import (
    birth_days,
    endings,
    numbers,
    odata_days,
    of_people,
    sheet,
    until_next,
    words,
)
from analysis.simulate.exports.sheet import Sheet

OPEN_END = "/Date(253402214400000)/"  # 9999-12-31
NO_MANAGER = "NO_MANAGER"
# Each company makes its own codes; here the retired and the dead stand under those of a voluntary end.
EVENT_REASONS = {
    "voluntary": "TERVOL",
    "retirement": "TERVOLRET",
    "death": "TERVOLDEATH",
    "involuntary": "TERINVOL",
    "end_of_contract": "TEREOC",
    "transfer": "TERTRF",
    "other": "TEROTH",
}
GENDERS = {"male": "M", "female": "F"}


def successfactors_employment(employees: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the employments, several a person who came back, each with a user of its own."""
    ids, left = employees["employee_id"], employees["exit_date"]
    columns = {
        "personIdExternal": ids,
        "userId": _users(ids),
        "personalInfoNav/firstName": of_people(ids, people, "first_name"),
        "personalInfoNav/lastName": of_people(ids, people, "last_name"),
        "emailNav/emailAddress": of_people(ids, people, "email"),
        "personNav/dateOfBirth": odata_days(birth_days(employees["birth_year"])),
        "personalInfoNav/gender": words(employees["gender"], GENDERS),
        "startDate": odata_days(employees["hire_date"]),
        "endDate": odata_days(left, none=OPEN_END),
        "empEmploymentTerminationNav/lastDateWorked": odata_days(left),
        "empEmploymentTerminationNav/eventReason": words(employees["exit_type"], EVENT_REASONS),
        "resignationDate": odata_days(employees["notice_date"]),
        "reasonForLeaving": employees["exit_reason"],
        "jobInfoNav/location": employees["location"],
        "isContingentWorker": "false",
    }
    return sheet(columns, employees.index)


def successfactors_job_info(jobs: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the history of job information; a row of status T follows some last jobs, and is none."""
    rows = pd.concat([jobs, endings(jobs)], ignore_index=True)
    is_job = rows.index < len(jobs)
    manager = rows["manager_id"]
    columns = {
        "userId": rows["employee_id"],
        "employmentNav/personIdExternal": rows["employee_id"],
        "seqNumber": "1",
        "startDate": odata_days(rows["effective_date"]),
        "endDate": odata_days(until_next(jobs).reindex(rows.index), none=OPEN_END),
        "event": pd.Series("5", rows.index).where(is_job, "26"),
        "eventReason": pd.Series("DATACHG", rows.index).where(is_job, "TERVOL"),
        "emplStatus": pd.Series("A", rows.index).where(is_job, "T"),
        "jobCodeNav/jobLevel": numbers(rows["job_level"]),
        "jobCodeNav/jobFunction": rows["job_family"],
        "department": rows["department"],
        "fte": numbers(rows["fte"]),
        "managerId": manager.fillna(NO_MANAGER),
        "managerEmploymentNav/personIdExternal": manager,
        "annualizedSalary": numbers(rows["base_salary"]),
        "performanceRating": numbers(rows["performance_rating"]),
    }
    return sheet(columns, rows.index)


def _users(ids: pd.Series) -> pd.Series:
    spell = ids.groupby(ids).cumcount() + 1
    return ids.where(spell == 1, ids + "-" + spell.astype("str"))
