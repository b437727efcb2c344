"""Workday's custom reports: workers, and their job changes."""

import pandas as pd

from analysis.simulate.exports.cells import birth_days, days, endings, first_last, numbers, of_people, sheet, words
from analysis.simulate.exports.sheet import Sheet

EMPLOYED = "N/A-StillEmployed"
GARDEN_LEAVE = pd.Timedelta(days=14)
# Workday has two categories: whoever retires or dies is filed under the voluntary one.
CATEGORIES = {
    "voluntary": "Terminate_Employee_Voluntary",
    "retirement": "Terminate_Employee_Voluntary",
    "death": "Terminate_Employee_Voluntary",
    "transfer": "Terminate_Employee_Voluntary",
    "involuntary": "Terminate_Employee_Involuntary",
    "end_of_contract": "Terminate_Employee_Involuntary",
    "other": "Terminate_Employee_Other",
}
REASONS = {
    "retirement": "_Retirement",
    "death": "_Death",
    "transfer": "_Transfer_to_Affiliate",
    "end_of_contract": "_End_of_Contract",
}
GENDERS = {"male": "Male", "female": "Female", "nonbinary": "Nonbinary"}


def workday_workers(employees: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the report on workers, one row a hire; one hire was rescinded."""
    ids, left, kind = employees["employee_id"], employees["exit_date"], employees["exit_type"]
    category = words(kind, CATEGORIES)
    is_involuntary = category.eq(CATEGORIES["involuntary"])
    columns = {
        "Employee_ID": ids,
        "Legal_First_Name": of_people(ids, people, "first_name"),
        "Legal_Last_Name": of_people(ids, people, "last_name"),
        "Email_Primary_Work": of_people(ids, people, "email"),
        "Worker_Status": left.isna().map({True: "Active", False: "Terminated"}),
        "Hire_Date": days(employees["hire_date"]),
        "Original_Hire_Date": days(employees.groupby("employee_id")["hire_date"].transform("min")),
        "Termination_Date": days(left, none=EMPLOYED),
        "Last_Day_of_Work": days(left.where(~is_involuntary, left - GARDEN_LEAVE), none=EMPLOYED),
        "Resignation_Date": days(employees["notice_date"]),
        "Primary_Termination_Category": category,
        "Primary_Termination_Reason": (category + _reason(employees)).where(category.ne(""), ""),
        "Local_Termination_Reason": employees["exit_reason"],
        "Termination_Involuntary": is_involuntary.map({True: "1", False: "0"}),
        "Rehire": employees.duplicated("employee_id").map({True: "1", False: "0"}),
        "Hire_Rescinded": "0",
        "Date_of_Birth": days(birth_days(employees["birth_year"])),
        "Gender": words(employees["gender"], GENDERS),
        "Location": employees["location"],
    }
    return sheet(columns, employees.index, _rescinded(employees))


def _reason(employees: pd.DataFrame) -> pd.Series:
    """Return how each code of a reason ends: as its kind says, else as its wording does."""
    wording = "_" + employees["exit_reason"].fillna("Personal_Reasons").str.replace(" ", "_")
    by_kind = employees["exit_type"].map(REASONS)
    return by_kind.where(by_kind.notna(), wording).astype("str")


def _rescinded(employees: pd.DataFrame) -> pd.DataFrame:
    """Return a hire that was rescinded before the first day, under an id that is nobody's."""
    letter = employees["employee_id"].iloc[0][:1]
    hired = days(employees["hire_date"].tail(1)).iloc[0]
    return pd.DataFrame(
        {
            "Employee_ID": [f"{letter}RESC1"],
            "Legal_First_Name": ["Nobody"],
            "Legal_Last_Name": ["Camein"],
            "Worker_Status": ["Terminated"],
            "Hire_Date": [hired],
            "Original_Hire_Date": [hired],
            "Termination_Date": [hired],
            "Last_Day_of_Work": [hired],
            "Hire_Rescinded": ["1"],
        }
    )


def workday_job_changes(jobs: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the report on job changes; some rows record a termination, which is no job."""
    rows = pd.concat([jobs, endings(jobs)], ignore_index=True)
    ids = rows["employee_id"]
    process = rows.duplicated("employee_id").map({True: "Change Job", False: "Hire Employee"})
    columns = {
        "Employee_ID": ids,
        "Worker": first_last(ids, people),
        "Effective_Date": days(rows["effective_date"]),
        "Business_Process_Type": process.where(rows.index < len(jobs), "Terminate Employee"),
        "Job_Level": numbers(rows["job_level"]),
        "Job_Family": rows["job_family"],
        "Supervisory_Organization": rows["department"],
        "Manager_ID": rows["manager_id"],
        "Manager": first_last(rows["manager_id"], people),
        "FTE": numbers(rows["fte"]),
        "Total_Base_Pay_Annualized_-_Amount": numbers(rows["base_salary"]),
        "Performance_Rating": numbers(rows["performance_rating"]),
    }
    return sheet(columns, rows.index)
