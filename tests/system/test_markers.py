"""No cell and no heading of a file is said by `init` or `check`, unless a profile, a card or the study names it."""

import csv
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markers import PEOPLE, WAYS, further_column, leaks, read_rows, write_rows
from openpyxl import Workbook
from studies import TINY_COMPANY, as_csv
from test_cli import mentoring

from analysis.ingest.export import is_heading
from analysis.plan.read_study import load_study

EXPORTS = Path(__file__).parents[1] / "fixtures" / "exports"
OPTIONS = {
    "employees": "--employees",
    "jobs": "--jobs",
    "leave": "--leave",
    "responses": "--survey",
    "ratings": "--ratings",
    "enrolments": "--enrolments",
    "sessions": "--sessions",
    "waves": "--waves",
}
# Programs are named by the study: by nothing else than the export's column of them.
NAMES_OF_PROGRAMS = ("program", "programme", "program_id", "track", "class")


def is_plain(path: Path) -> bool:
    text = path.read_bytes()
    return path.suffix == ".csv" and b"\x00" not in text and text.decode("utf-8", errors="replace").count("\ufffd") == 0


def vendors_files() -> list[tuple[str, str, Path]]:
    """Return table, profile and path of each export of a vendor that is plain CSV."""
    found = []
    for folder in sorted(p for p in EXPORTS.iterdir() if (p / "study.yaml").is_file()):
        for source in load_study(folder.name, EXPORTS).sources:
            path = folder / str(source.path)
            if is_plain(path) and max(map(len, read_rows(path))) > 1:
                found.append((source.table.removeprefix("unlinked_"), source.profile, path))
    return found


FILES = vendors_files()


def said_of(folder: Path, table: str, path: Path) -> str:
    """Return everything that `init` and `check` say and write of one file."""
    places = ("--data", folder / "data", "--reports", folder / "reports")
    runs = [mentoring("init", "acme", OPTIONS[table], path, *places[:2])]
    runs += [mentoring("check", "acme", *words, *places) for words in ((), ("--all",))]
    runs += [mentoring("init", "acme", "--update", *places[:2])]
    assert all("Traceback" not in run.stderr and run.returncode in (0, 2, 3) for run in runs), runs
    acme = folder / "data" / "acme"
    written = [acme / "study.yaml", *acme.glob("instruments/*"), *(folder / "reports").rglob("*.csv")]
    return "\n".join([*(run.stdout + run.stderr for run in runs), *(p.read_text() for p in written if p.is_file())])


@st.composite
def spoiled(draw):
    """Return a vendor's file with somebody's data in some place of it."""
    table, profile, path = draw(st.sampled_from(FILES))
    rows = read_rows(path)
    width = min(map(len, rows[:2]))
    at = draw(st.integers(0, width - 1))
    way = draw(st.sampled_from(WAYS))
    marks = draw(st.permutations(PEOPLE))
    if rows[0][at].casefold().strip() in NAMES_OF_PROGRAMS:
        way = further_column
    return table, f"{profile}: {path.name}, column {at}, {way.__name__}", way(rows, at, marks)


GENERIC = {
    "employees": (
        "Kennung,Beginn am,Sparte,Ende",
        [f"E{n},2020-01-{n:02},Nord," for n in range(1, 13)],
    ),
    "responses": (
        "Timestamp,Email Address,My work matters.,My boss listens.,I sleep well.,Team",
        [f"2024-03-{n:02}T09:00,a{n}@firm.example,{1 + n % 5},{1 + n % 4},{1 + n % 3},Nord" for n in range(1, 13)],
    ),
    "enrolments": (
        "Mentor,Mentee,Start,Notes",
        [f"E{n},F{n},2022-01-{n:02},ok" for n in range(1, 13)],
    ),
}
OWN = {table: list(csv.reader(as_csv(text).splitlines())) for table, text in TINY_COMPANY.items() if table in OPTIONS}
OWN |= {f"{table} of no tool": [line.split(",") for line in (head, *rows)] for table, (head, rows) in GENERIC.items()}


def as_workbook(path: Path, rows: list[list[str]]) -> Path:
    book = Workbook()
    book.active.title = "People"
    for row in rows:
        book.active.append(row)
    book.create_sheet("Zqxva Quuxley").append(["Quuxley", "98167.43"])
    book.save(path.with_suffix(".xlsx"))
    return path.with_suffix(".xlsx")


def as_json(path: Path, rows: list[list[str]]) -> Path:
    lines = [json.dumps(dict(zip(rows[0], row, strict=False))) for row in rows[1:]]
    path.with_suffix(".jsonl").write_text("\n".join(lines), encoding="utf-8")
    return path.with_suffix(".jsonl")


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(sorted(OWN)),
    st.integers(0, 30),
    st.sampled_from(WAYS),
    st.permutations(PEOPLE),
    st.sampled_from([write_rows, as_workbook, as_json]),
)
def test_nothing_of_a_file_of_the_contracts_form_or_of_none_is_said(kind, at, way, marks, write):
    rows = OWN[kind]
    table, at = kind.split()[0], at % len(rows[0])
    if rows[0][at] in NAMES_OF_PROGRAMS:
        way = further_column
    if table == "responses":  # a sentence above answers is a question, which a drafted card asks
        marks = [mark for mark in marks if not mark.startswith("told")]
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "export.csv", way(rows, at, marks))
        assert leaks(said_of(Path(folder), table, path)) == [], (kind, at, way.__name__, write.__name__)


@pytest.mark.parametrize("text", PEOPLE)
def test_a_marker_is_no_heading_and_the_search_finds_it(text):
    assert not is_heading(text)
    assert leaks("fine\nso: " + text[:40]) == ["so: " + text[:40]]


@pytest.mark.parametrize("text", ["Cost Code", "IPAddress", "Personalnummer", "exit_date", "Q7", "Last login from"])
def test_a_heading_of_the_words_of_headings_may_be_said(text):
    assert is_heading(text)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(spoiled())
def test_nothing_of_a_vendors_file_is_said_that_may_be_somebodys(file):
    table, what, rows = file
    with tempfile.TemporaryDirectory() as folder:
        path = write_rows(Path(folder) / "export.csv", rows)
        assert leaks(said_of(Path(folder), table, path)) == [], what
