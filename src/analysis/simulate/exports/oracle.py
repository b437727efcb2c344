"""Oracle Fusion HCM: work relationships and assignments, as extracts of its tables write them."""

import pandas as pd

from analysis.simulate.exports.cells import (
    birth_days,
    endings,
    last_first,
    numbers,
    of_people,
    oracle_days,
    sheet,
    until_next,
    words,
)
from analysis.simulate.exports.sheet import Sheet

HIGH_DATE = "31-DEC-4712"
# The retired resign, says the action; the reason says that they retire.
ACTIONS = {
    "voluntary": "RESIGNATION",
    "retirement": "RESIGNATION",
    "death": "DEATH",
    "involuntary": "INVOLUNTARY_TERMINATION",
    "end_of_contract": "INVOLUNTARY_TERMINATION",
    "transfer": "GLB_TRANSFER",
    "other": "OTHER",
}
REASONS = {"retirement": "RETIREMENT", "death": "DEATH", "end_of_contract": "END_OF_CONTRACT"}
GENDERS = {"male": "M", "female": "F"}


def oracle_work_relationships(employees: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the work relationships, one row a hire; the last row is a contingent worker's."""
    ids, left = employees["employee_id"], employees["exit_date"]
    columns = {
        "PERSON_NUMBER": ids,
        "LIST_NAME": last_first(ids, people),
        "EMAIL_ADDRESS": of_people(ids, people, "email"),
        "PERIOD_TYPE": "E",
        "DATE_START": oracle_days(employees["hire_date"]),
        "ACTUAL_TERMINATION_DATE": oracle_days(left, none=HIGH_DATE),
        "LAST_WORKING_DATE": oracle_days(left),
        "NOTIFICATION_DATE": oracle_days(employees["notice_date"]),
        "ACTION_CODE": words(employees["exit_type"], ACTIONS),
        "REASON_CODE": employees["exit_type"].map(REASONS),
        "TERMINATION_REASON": employees["exit_reason"],
        "DATE_OF_BIRTH": oracle_days(birth_days(employees["birth_year"])),
        "SEX": words(employees["gender"], GENDERS),
        "LOCATION_NAME": employees["location"],
    }
    contingent = pd.DataFrame(
        {
            "PERSON_NUMBER": ["C" + ids.iloc[0]],
            "PERIOD_TYPE": ["C"],
            "DATE_START": [oracle_days(employees["hire_date"]).iloc[0]],
            "ACTUAL_TERMINATION_DATE": [HIGH_DATE],
        }
    )
    return sheet(columns, employees.index, contingent)


def oracle_assignments(jobs: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the assignments; those that became inactive when somebody left are none."""
    rows = pd.concat([jobs, endings(jobs)], ignore_index=True)
    ids = rows["employee_id"]
    columns = {
        "PERSON_NUMBER": ids,
        "ASSIGNMENT_NUMBER": "E" + ids,
        "ASSIGNMENT_STATUS_TYPE": pd.Series("ACTIVE", rows.index).where(rows.index < len(jobs), "INACTIVE"),
        "EFFECTIVE_START_DATE": oracle_days(rows["effective_date"]),
        "EFFECTIVE_END_DATE": oracle_days(until_next(jobs).reindex(rows.index), none=HIGH_DATE),
        "EFFECTIVE_LATEST_CHANGE": "Y",
        "GRADE_CODE": numbers(rows["job_level"]),
        "JOB_FAMILY_NAME": rows["job_family"],
        "DEPARTMENT_NAME": rows["department"],
        "MANAGER_PERSON_NUMBER": rows["manager_id"],
        "FTE_VALUE": numbers(rows["fte"]),
        "SALARY_AMOUNT": numbers(rows["base_salary"]),
        "PERFORMANCE_RATING": numbers(rows["performance_rating"]),
    }
    return sheet(columns, rows.index)
