"""Enrolments and meetings of a simulated company as a spreadsheet of pairs that somebody keeps by hand."""

from collections.abc import Mapping

import pandas as pd

from analysis.simulate.exports.enrolled import (
    DOTS,
    ISO,
    SIDES,
    everybody,
    known,
    said,
    side_by_side,
    whole,
    whole_name,
    written,
)
from analysis.simulate.exports.sheet import Sheet

DAYS = {"en": ISO, "de": DOTS}
COLUMNS = {
    "en": {
        "match_id": "Pair",
        "intake_date": "Intake",
        "start_date": "Start",
        "end_date": "End",
        "status": "Status",
        "applied_date": "Applied",
        "offered": "Selected",
        "topics": "Topics",
    },
    "de": {
        "match_id": "Tandem-Nr.",
        "intake_date": "Kohorte Start",
        "start_date": "Beginn",
        "end_date": "Ende",
        "status": "Status",
        "applied_date": "beworben am",
        "offered": "Zusage",
        "topics": "Themen",
    },
}
MEETINGS = {
    "en": ("Pair", "Date", "Minutes", "Topic", "Attendees"),
    "de": ("Tandem-Nr.", "Datum", "Minuten", "Thema", "Anwesend"),
}
STATUS = {
    "en": {
        "active": "ongoing",
        "completed": "finished",
        "withdrawn": "dropped out",
        "waitlisted": "waiting list",
        "declined": "declined",
        "not_selected": "not selected",
    },
    "de": {
        "active": "läuft",
        "completed": "abgeschlossen",
        "withdrawn": "vorzeitig beendet",
        "waitlisted": "Warteliste",
        "declined": "verzichtet",
        "not_selected": "Absage",
    },
}
OFFERED = {"en": {True: "yes", False: "no"}, "de": {True: "ja", False: "nein"}}
WORDS: Mapping[str, Mapping[str, Mapping]] = {"status": STATUS, "offered": OFFERED}
TOGETHER, ALONE = ("start_date", "end_date", "status"), ("applied_date", "offered", "topics")


def pairs_sheet(enrolments: pd.DataFrame, people: pd.DataFrame, language: str = "en") -> Sheet:
    """Return a sheet of pairs, people by name (mentors as "Last, First"), applicants without a match below.

    When a pair starts and ends and how stands once; where the two sides differ it stands for each. German sheets
    (``de``) write 31.12.2024, English ones (``en``) ISO dates, which a workbook makes real dates.

    Parameters
    ----------
    enrolments
        Canonical rows of mentors and mentees of one program: the sheet does not say which.
    people
        Everybody's names (see `exports.people`).
    """
    pairs, words = side_by_side(enrolments), COLUMNS[language]
    rows = {words["match_id"]: pairs["match_id"], "Mentor": _last_first(people, pairs["mentor_employee_id"])}
    rows["Mentee"] = whole_name(people, pairs["mentee_employee_id"])
    rows[words["intake_date"]] = _cells(_shared(pairs, "intake_date"), "intake_date", language)
    for column in TOGETHER:
        rows[words[column]] = _cells(_shared(pairs, column), column, language)
    for side in SIDES:
        for column in (*ALONE, *TOGETHER):
            own = pairs[f"{side}_{column}"]
            own = own.where(_shared(pairs, column).isna()) if column in TOGETHER else own
            rows[f"{side.title()} {words[column]}"] = _cells(own, column, language)
    return Sheet.of(pd.DataFrame(rows))


def pairs_sessions(sessions: pd.DataFrame, people: pd.DataFrame, language: str = "en") -> Sheet:
    """Return a sheet of the pairs' meetings: pair, day, minutes, topic, and the names of those who came."""
    names = whole_name(people, people["employee_id"])
    columns = (
        sessions["match_id"],
        written(sessions["session_date"], DAYS[language]),
        whole(sessions["minutes"]),
        sessions["topic"],
        everybody(sessions["attendee_ids"], people["employee_id"], names),
    )
    return Sheet.of(pd.DataFrame(dict(zip(MEETINGS[language], columns, strict=True))))


def _shared(pairs: pd.DataFrame, column: str) -> pd.Series:
    """Return what both sides of a row have in common; of a row with one side, that side's; else missing."""
    mentor, mentee = pairs[f"mentor_{column}"], pairs[f"mentee_{column}"]
    no_mentor, no_mentee = pairs["mentor_employee_id"].isna(), pairs["mentee_employee_id"].isna()
    return mentor.where(no_mentee | mentor.eq(mentee).fillna(False)).fillna(mentee.where(no_mentor))


def _cells(values: pd.Series, column: str, language: str) -> pd.Series:
    if column.endswith("_date"):
        return written(values, DAYS[language])
    return said(values, WORDS[column][language]) if column in WORDS else values.fillna("")


def _last_first(people: pd.DataFrame, ids: pd.Series) -> pd.Series:
    names = known(people, "last_name", ids).str.cat(known(people, "first_name", ids), ", ")
    return names.where(ids.notna(), "")
