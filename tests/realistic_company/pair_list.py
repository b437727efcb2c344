"""What the program's manager kept: an Excel list of pairs by name, a waiting list, and a log of meetings."""

import datetime as dt
from collections.abc import Iterator
from itertools import product

import pandas as pd
from openpyxl.styles import PatternFill

from analysis.plan.probability import rng
from realistic_company.company import NAME, Realistic
from realistic_company.hr_files import book_of, bytes_of, text_of

LEGEND = ["Green = still meeting", "Grey = ended", "Please do not sort!"]
SEASONS = {12: "Winter", 1: "Winter", 2: "Winter", 3: "Spring", 4: "Spring", 5: "Spring"} | {
    **dict.fromkeys((6, 7, 8), "Summer"),
    **dict.fromkeys((9, 10, 11), "Autumn"),
}


def matches(found: Realistic) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each match with the rows of its people."""
    rows = found.company.tables.enrolments
    yield from rows[rows["match_id"].notna()].groupby("match_id")


def pairs_of(those: pd.DataFrame) -> Iterator[tuple]:
    """Yield mentor and mentee of each pair of a match: a mentor of two mentees stands in two rows of the list."""
    mentors, mentees = (list(those[those["role"] == role].itertuples()) or [None] for role in ("mentor", "mentee"))
    yield from product(mentors, mentees)


def spoken_names(found: Realistic) -> dict[str, str]:
    """Return by id the name by which colleagues know somebody."""
    people = found.people
    names = people["preferred"].fillna(people["first_name"]) + " " + people["last_name"]
    return dict(zip(people["employee_id"], names, strict=True))


def written_starts(found: Realistic) -> dict[str, object]:
    """Return by match what stands in the list as its start: a date, a text that is one, a vague text, or "tbc"."""
    draw, written = rng(NAME, "starts"), {}
    for match, rows in matches(found):
        day = rows["start_date"].min()
        how = draw.random()
        if how < 0.70:
            written[match] = day.to_pydatetime()
        elif how < 0.88:
            written[match] = f"{day.day} {day:%B %Y}"
        elif how < 0.93:
            written[match] = f"{day:%B %Y}"
        elif how < 0.96:
            written[match] = f"{SEASONS[day.month]} {day.year}"
        else:
            written[match] = "tbc"
    return written


def pair_list(found: Realistic) -> bytes:
    """Return the workbook: a title, two header rows with merged cells, a colour legend below, a second sheet."""
    departments = found.company.tables.jobs.groupby("employee_id")["department"].last()
    starts, names = written_starts(found), spoken_names(found)
    rows: list[list[object]] = [
        ["Reverse Mentoring – pairs"],
        [None, "Mentor", None, "Mentee", None, "Meetings", None, None],
        ["No.", "Name", "Department", "Name", "Department", "Start", "End", "Status"],
    ]
    pairs = [(match, *pair) for match, those in matches(found) for pair in pairs_of(those)]
    for n, (match, mentor, mentee) in enumerate(pairs, start=1):
        known = mentee or mentor
        end = None if pd.isna(known.end_date) else known.end_date.to_pydatetime()
        people = [(names[p.employee_id], departments[p.employee_id]) if p else (None, None) for p in (mentor, mentee)]
        rows.append([n, *people[0], *people[1], starts[match], end, known.status.title()])
    rows += [[], *([line] for line in LEGEND)]
    waiting: list[list[object]] = [["Name", "Department", "Role", "Applied"]]
    listed = found.company.tables.enrolments
    for row in listed[listed["match_id"].isna()].itertuples():
        applied: dt.datetime = row.applied_date.to_pydatetime()
        waiting.append([names[row.employee_id], departments[row.employee_id], row.role.title(), applied])
    book = book_of({"Pairs": rows, "Waiting list": waiting})
    sheet = book["Pairs"]
    for cells in ("A1:H1", "B2:C2", "D2:E2", "F2:H2"):
        sheet.merge_cells(cells)
    for k, colour in enumerate(("C6E0B4", "D9D9D9", "FFFFFF")):
        sheet.cell(len(rows) - 2 + k, 1).fill = PatternFill("solid", fgColor=colour)
    return bytes_of(book)


def meetings(found: Realistic) -> str:
    """Return the log of meetings: who met whom when, without a pair's number."""
    names = spoken_names(found)
    who = {match: next(pairs_of(rows)) for match, rows in matches(found)}
    rows: list[list[object]] = [["Date", "Mentor", "Mentee", "Minutes", "Topic"]]
    for met in found.company.tables.sessions.itertuples():
        met_by = [names[person.employee_id] if person else "" for person in who[met.match_id]]
        rows.append([f"{met.session_date:%Y-%m-%d}", *met_by, int(met.minutes), met.topic])
    return text_of(rows)
