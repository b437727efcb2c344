"""BambooHR's reports: employees, and the history of their jobs with supervisors by name alone."""

import pandas as pd

from analysis.simulate.exports.cells import birth_days, days, last_first, numbers, of_people, sheet, words
from analysis.simulate.exports.sheet import Sheet

NO_DAY = "0000-00-00"
TYPES = {
    "voluntary": "Resignation (Voluntary)",
    "involuntary": "Termination (Involuntary)",
    "retirement": "Retirement",
    "death": "Death",
    "end_of_contract": "End of contract",
    "transfer": "Transfer",
    "other": "Other",
}
GENDERS = {"male": "Male", "female": "Female", "nonbinary": "Non-binary"}


def bamboohr_employees(employees: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the report on employees, one row a hire."""
    ids, left = employees["employee_id"], employees["exit_date"]
    columns = {
        "Employee #": ids,
        "Last name, First name": last_first(ids, people),
        "Work Email": of_people(ids, people, "email"),
        "Status": left.isna().map({True: "Active", False: "Inactive"}),
        "Gender": words(employees["gender"], GENDERS),
        "Birth Date": days(birth_days(employees["birth_year"])),
        "Hire Date": days(employees["hire_date"]),
        "Termination Date": days(left, none=NO_DAY),
        "Termination Type": words(employees["exit_type"], TYPES),
        "Termination Reason": employees["exit_reason"],
        "Resignation Date": days(employees["notice_date"], none=NO_DAY),
        "Location": employees["location"],
    }
    return sheet(columns, employees.index)


def bamboohr_jobs(jobs: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the report on job information; who reports to whom is a name, "Last, First"."""
    ids = jobs["employee_id"]
    columns = {
        "Employee #": ids,
        "Last name, First name": last_first(ids, people),
        "Date": days(jobs["effective_date"]),
        "Department": jobs["department"],
        "Job Family": jobs["job_family"],
        "Job Level": numbers(jobs["job_level"]),
        "Reporting to": last_first(jobs["manager_id"], people),
        "FTE": numbers(jobs["fte"]),
        "Annual Salary": numbers(jobs["base_salary"]),
        "Performance Rating": numbers(jobs["performance_rating"]),
    }
    return sheet(columns, jobs.index)
