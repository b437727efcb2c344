"""The three files that a company has on the first day, of invented people: Workday, Qualtrics and Chronus."""

import csv
import datetime as dt
import io
from pathlib import Path

from openpyxl import Workbook

FIRST = ("Ada", "Boris", "Chandra", "Dieter", "Elif", "Farouk", "Greta", "Hiroshi", "Ines", "Jonas")
LAST = ("Testperson", "Mustermann", "Sample", "Exempel", "Voorbeeld")
N_PEOPLE, N_PAIRS = 50, 12
CARD_ITEMS = {"mor1": "I look forward to coming to work.", "mor2": "My team is in good spirits."}
LABELS = ("Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree")


def person(n: int) -> dict[str, str]:
    """Return the n-th invented person's id, names and address."""
    first, last = FIRST[n % len(FIRST)], LAST[n // len(FIRST)]
    return {"id": f"{n + 1:05}", "first": first, "last": last, "email": f"{first}.{last}@firm.example".lower()}


def workday() -> str:
    """Return a worker report: everybody hired from 2015 on, every seventh has left, one of them against his will."""
    head = ["Employee_ID", "Legal_First_Name", "Legal_Last_Name", "Email_Primary_Work", "Hire_Date"]
    head += ["Termination_Date", "Primary_Termination_Category", "Date_of_Birth", "Location", "Cost Code"]
    rows = []
    for n in range(N_PEOPLE):
        who, left = person(n), n % 7 == 6
        hired = dt.date(2015, 1, 15) + dt.timedelta(days=37 * n)
        end = dt.date(2022, 2, 10) + dt.timedelta(days=21 * n)
        kind = "Special Release" if n == 13 else "Terminate_Employee_Voluntary"
        rows.append(
            [who["id"], who["first"], who["last"], who["email"], f"{hired:%m/%d/%Y}"]
            + ([f"{end:%m/%d/%Y}", kind] if left else ["N/A-StillEmployed", ""])
            + [f"{n % 12 + 1:02}/{n % 27 + 1:02}/{1965 + n % 35}", ("Leeds", "York")[n % 2], f"C{n % 3}"]
        )
    return _csv([head, *rows])


def qualtrics() -> str:
    """Return a survey of two rounds, half a year apart, in Qualtrics' three header lines; with a preview."""
    head = ["StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished"]
    head += ["RecordedDate", "ResponseId", "RecipientEmail", "DistributionChannel", "UserLanguage", *CARD_ITEMS]
    wording = [*head[: -len(CARD_ITEMS)], *CARD_ITEMS.values()]
    imports = [f'{{"ImportId":"{name}","timeZone":"America/Denver"}}' for name in head]
    rows = []
    for wave, opened in enumerate((dt.date(2023, 3, 6), dt.date(2024, 3, 4))):
        for n in range(0, N_PEOPLE, 2):
            day = opened + dt.timedelta(days=n % 9)
            answers = [LABELS[(n + wave + k) % 5] for k in range(len(CARD_ITEMS))]
            status = "Survey Preview" if (wave, n) == (0, 0) else "IP Address"
            times = [f"{day} 09:00:00", f"{day} 09:04:00"]
            form = [*times, status, "192.0.2.7", "100", "240", "True", times[1], f"R_{wave}{n:03}"]
            rows.append([*form, person(n)["email"], "email", "EN", *answers])
    return _csv([head, wording, imports, *rows])


def chronus() -> bytes:
    """Return connections in a spreadsheet: two intakes of pairs, the mentor being the younger of the two."""
    book = Workbook()
    sheet = book.active
    people = ["Mentor Name", "Mentor Email Address", "Mentee Name", "Mentee Email Address"]
    sheet.append(["Mentoring Connection Name", *people, "Connection Status", "Started On", "Closed On"])
    for k in range(N_PAIRS):
        junior, senior = person(N_PEOPLE - 1 - k), person(k)
        start = (dt.date(2023, 5, 2), dt.date(2023, 10, 2))[k % 2] + dt.timedelta(days=k)
        names = [f"{p['first']} {p['last']}" for p in (junior, senior)]
        status, end = ("Closed", start + dt.timedelta(days=180)) if k % 3 else ("On Hold", None)
        row = [f"Pair {k + 1}", names[0], junior["email"], names[1], senior["email"], status, start, end]
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def write_files(folder: Path) -> dict[str, Path]:
    """Write the three files; return their paths by the option of `mentoring init` that takes each."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / file for name, file in FILES.items()}
    paths["--employees"].write_text(workday(), encoding="utf-8")
    paths["--survey"].write_text(qualtrics(), encoding="utf-8")
    paths["--enrolments"].write_bytes(chronus())
    return paths


FILES = {"--employees": "workers.csv", "--survey": "pulse.csv", "--enrolments": "connections.xlsx"}
