"""What the HR department sent: a worker report, a headcount of every month, absences."""

import csv
import io
from collections.abc import Iterable, Sequence

import pandas as pd
from openpyxl import Workbook

from realistic_company.company import DAY, Realistic

EXIT_WORDS = {
    "voluntary": "Terminate Employee > Voluntary > Resignation",
    "involuntary": "Terminate Employee > Involuntary > Performance",
    "retirement": "Terminate Employee > Voluntary > Retirement",
    "end_of_contract": "Terminate Employee > Other > End of Contract",
    "transfer": "Terminate Employee > Other > Transfer to Group Company",
    "death": "Terminate Employee > Other > Death",
    "other": "Terminate Employee > Other > Other",
}
MOVED = "Terminate Employee > Other > Transfer to Brackwell Services GmbH"
RATINGS = {1: "Unsatisfactory", 2: "Below expectations", 3: "Meets expectations", 4: "Exceeds expectations"} | {
    5: "Outstanding"
}


def text_of(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


def book_of(sheets: dict[str, list[list[object]]]) -> Workbook:
    """Return a workbook of these rows by sheet."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


def bytes_of(book: Workbook) -> bytes:
    """Return a workbook's file."""
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def entity_spells(found: Realistic) -> pd.DataFrame:
    """Return one row per spell with one employer of the group: who went over to another has two, of two ids."""
    spells = found.company.tables.employees.copy()
    late = spells["employee_id"].map(found.future_exits)
    spells["exit_date"] = spells["exit_date"].fillna(late)
    spells["exit_type"] = spells["exit_type"].astype(object).where(late.isna(), "voluntary")
    spells = spells.assign(original_hire=spells["hire_date"], former=None, words=spells["exit_type"].map(EXIT_WORDS))
    moved = found.transfers.set_index("employee_id")
    goes = spells["employee_id"].isin(moved.index)
    after = spells[goes].copy()
    day, new = after["employee_id"].map(moved["day"]), after["employee_id"].map(moved["new_id"])
    after = after.assign(hire_date=day, former=after["employee_id"], employee_id=new)
    before = spells[goes].assign(exit_date=day - DAY, words=MOVED)
    first = spells.groupby("employee_id")["hire_date"].transform("min")
    rest = spells.assign(original_hire=first)[~goes]
    return pd.concat([rest, before, after]).sort_values(["hire_date", "employee_id"]).reset_index(drop=True)


def _worker_name(person: pd.Series, has_left: bool, is_away: bool) -> str:
    suffix = " (Terminated)" if has_left else " (On Leave)" if is_away else ""
    return f"{person['last_name']}, {person['first_name']}{suffix}"


def workers(found: Realistic) -> bytes:
    """Return the worker report: title lines, names with suffixes, contingent workers and interns among employees."""
    people = found.people.set_index("employee_id")
    as_of = pd.Timestamp(found.company.scenario.as_of)
    is_away = (found.leave["leave_start"] <= as_of) & (found.leave["leave_end"] >= as_of)
    away = set(found.leave.loc[is_away, "employee_id"])
    head = ["Employee ID", "Worker", "Preferred Name", "Primary Work Email", "Worker Type", "Worker Sub-Type"]
    head += ["Hire Date", "Original Hire Date", "Continuous Service Date", "Former Employee ID", "Termination Date"]
    head += ["Primary Termination Reason", "Location", "Gender", "Date of Birth", "Local Comment"]
    title = [["Workers incl. Terminated"], ["Run by", "HR Reporting"], ["Effective as of", as_of.to_pydatetime()], []]
    rows: list[list[object]] = [*title, head]
    for spell in entity_spells(found).itertuples():
        who = people.loc[spell.former or spell.employee_id]
        has_left = pd.notna(spell.exit_date) and spell.exit_date <= as_of
        preferred = who["preferred"] if isinstance(who["preferred"], str) else who["first_name"]
        service = spell.original_hire if spell.former else spell.hire_date
        born = pd.Timestamp(int(spell.birth_year), 5, 17) if pd.notna(spell.birth_year) else pd.NaT
        row = [
            spell.employee_id,
            _worker_name(who, has_left, spell.employee_id in away),
            f"{preferred} {who['last_name']}",
        ]
        row += [who["email"], "Employee", "Regular", _day(spell.hire_date), _day(spell.original_hire), _day(service)]
        row += [spell.former, _day(spell.exit_date), spell.words if pd.notna(spell.exit_date) else None]
        rows.append([*row, spell.location, spell.gender.capitalize(), _day(born), None])
    rows += [_other(other, people.loc[other.employee_id]) for other in found.others.itertuples()]
    return bytes_of(book_of({"Workers": rows}))


def _other(other, who: pd.Series) -> list[object]:
    kinds = {"contingent": ("Contingent Worker", "Contractor"), "intern": ("Employee", "Intern")}
    kind, sub = kinds.get(other.kind, ("Employee", "Regular"))
    reason = "Terminate Employee > Voluntary > No Show" if other.kind == "no_show" else None
    name = f"{who['first_name']} {who['last_name']}"
    start = [_day(other.hire_date)] * 3
    return [
        *(other.employee_id, _worker_name(who, pd.notna(other.exit_date), False), name, who["email"], kind, sub),
        *(*start, None, _day(other.exit_date), reason, "Head office", "Female", None, "see ticket"),
    ]


def _day(day: pd.Timestamp) -> object:
    return None if pd.isna(day) else day.to_pydatetime()


def headcount(found: Realistic) -> str:
    """Return one row per worker and month: who was employed on its last day, and in what job."""
    as_of = pd.Timestamp(found.company.scenario.as_of)
    months = pd.date_range("2021-01-31", as_of, freq="ME")
    head = ["Month", "Employee ID", "Worker", "Worker Type", "Management Level", "Job Family", "Department"]
    head += ["Manager ID", "FTE %", "Annual Base Salary", "Last Performance Rating"]
    names = found.people.set_index("employee_id")
    worker = (names["last_name"] + ", " + names["first_name"]).to_dict()
    rows: list[list[object]] = [head]
    for month in months:
        label, moved = f"{month:%b %Y}", found.transfers[found.transfers["day"] <= month]
        new = dict(zip(moved["employee_id"], moved["new_id"], strict=True))
        for job in on_day(found, month).itertuples():
            who, boss = job.employee_id, job.manager_id if isinstance(job.manager_id, str) else ""
            level, pay, rating = int(job.job_level), f"{job.base_salary:,.2f}", RATINGS.get(job.performance_rating, "")
            own = [label, new.get(who, who), worker[who], "Employee", level, job.job_family, job.department]
            rows.append([*own, new.get(boss, boss), round(job.fte * 100), pay, rating])
        here = found.others[(found.others["hire_date"] <= month) & ~(found.others["exit_date"] < month)]
        for other in here[here["kind"] == "contingent"].itertuples():
            rows.append([label, other.employee_id, worker[other.employee_id], "Contingent Worker"])
            rows[-1] += [3, "Support", "IT", "", 100, "", ""]
    return text_of(rows)


def on_day(found: Realistic, day: pd.Timestamp) -> pd.DataFrame:
    """Return the jobs of those employed on a day."""
    spells, jobs = found.company.tables.employees, found.company.tables.jobs
    here = spells[(spells["hire_date"] <= day) & ~(spells["exit_date"] < day)]["employee_id"]
    known = jobs[(jobs["effective_date"] <= day) & jobs["employee_id"].isin(here)]
    return known.groupby("employee_id", as_index=False).nth(-1).sort_values("employee_id")


def absences(found: Realistic) -> str:
    """Return one row per absence, the last ones without an end."""
    as_of = pd.Timestamp(found.company.scenario.as_of)
    rows: list[list[object]] = [["Employee ID", "Absence Type", "First Day of Leave", "Last Day of Leave"]]
    for row in found.leave.itertuples():
        end = f"{row.leave_end:%d/%m/%Y}" if row.leave_end <= as_of else ""
        rows.append([row.employee_id, row.leave_type, f"{row.leave_start:%d/%m/%Y}", end])
    return text_of(rows)
