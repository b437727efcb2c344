"""Personio's reports from a German account; such an account separates with semicolons."""

import pandas as pd

from analysis.simulate.exports.cells import (
    birth_days,
    days,
    first_last,
    german_money,
    numbers,
    of_people,
    sheet,
    words,
)
from analysis.simulate.exports.sheet import Sheet

GERMAN_DAY = "%d.%m.%Y"
UNUSED_LEAVE = pd.Timedelta(days=10)
TYPES = {
    "voluntary": "Kündigung durch Arbeitnehmer",
    "involuntary": "Kündigung durch Arbeitgeber",
    "retirement": "Renteneintritt",
    "death": "Tod",
    "end_of_contract": "Befristung abgelaufen",
    "transfer": "Gesellschaftswechsel",
    "other": "Aufhebungsvertrag",
}
GENDERS = {"male": "männlich", "female": "weiblich", "nonbinary": "divers"}


def personio_employees(employees: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the report on employees: notice, last working day and end of employment are three dates."""
    ids, left = employees["employee_id"], employees["exit_date"]
    columns = {
        "Personalnummer": ids,
        "Vorname": of_people(ids, people, "first_name"),
        "Nachname": of_people(ids, people, "last_name"),
        "E-Mail": of_people(ids, people, "email"),
        "Status": left.isna().map({True: "Aktiv", False: "Inaktiv"}),
        "Geschlecht": words(employees["gender"], GENDERS),
        "Geburtsdatum": days(birth_days(employees["birth_year"]), GERMAN_DAY),
        "Einstellungsdatum": days(employees["hire_date"], GERMAN_DAY),
        "Gekündigt am": days(employees["notice_date"], GERMAN_DAY),
        "Letzter Arbeitstag": days(left - UNUSED_LEAVE, GERMAN_DAY),
        "Kündigung zum": days(left, GERMAN_DAY),
        "Kündigungsart": words(employees["exit_type"], TYPES),
        "Kündigungsgrund": employees["exit_reason"],
        "Büro": employees["location"],
    }
    return sheet(columns, employees.index)


def personio_jobs(jobs: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return the historical report on jobs; salaries are written 52.300,00."""
    ids = jobs["employee_id"]
    columns = {
        "Personalnummer": ids,
        "Name": first_last(ids, people),
        "Gültig ab": days(jobs["effective_date"], GERMAN_DAY),
        "Abteilung": jobs["department"],
        "Jobfamilie": jobs["job_family"],
        "Karrierestufe": numbers(jobs["job_level"]),
        "Vorgesetzter": first_last(jobs["manager_id"], people),
        "FTE": numbers(jobs["fte"]).str.replace(".", ","),
        "Jahresgehalt": german_money(jobs["base_salary"]),
        "Leistungsbewertung": numbers(jobs["performance_rating"]),
    }
    return sheet(columns, jobs.index)
