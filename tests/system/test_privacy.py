"""No person's id, name or e-mail in anything that is produced: every file of a report is searched for every id."""

import base64
import re
from pathlib import Path

import pytest
from demo_answers import demo_answer
from invented_people import people
from picture_texts import cut_off
from studies import TINY_COMPANY, write_study

from analysis.answers.shared import shared
from analysis.pipeline import open_study, report_study
from analysis.plan.paths import project_dir
from analysis.plan.results import too_small
from analysis.simulate import demo_scenarios, simulate

TOKEN = re.compile(rb"[A-Za-z0-9_.@+-]+")
EMBEDDED = re.compile(rb"base64,([A-Za-z0-9+/=]{40,})")


def ids_of(name: str) -> set[bytes]:
    """Return what a demo's exports know its people and matches by: ids, e-mail addresses, and the pseudonyms."""
    tables = simulate(demo_scenarios()[name]).tables
    known = [tables.employees["employee_id"], tables.enrolments["match_id"]]
    known.append(people(name, tables.employees["employee_id"])["email"])
    known.append(open_study(name, project_dir() / "data").tables.employees["employee_id"])
    return {value.encode() for column in known for value in column.dropna()}


def names_of(name: str) -> set[bytes]:
    """Return the whole names of a demo's people."""
    who = people(name, simulate(demo_scenarios()[name]).tables.employees["employee_id"])
    forms = (who["first_name"] + " " + who["last_name"], who["last_name"] + ", " + who["first_name"])
    return {value.encode() for form in forms for value in form}


def test_the_names_searched_for_are_those_of_the_demos_files():
    """Fjellkode's HR export writes "First Last" of everybody."""
    exported = (project_dir() / "data" / "fjellkode" / "raw" / "people.csv").read_bytes()
    who = people("fjellkode", simulate(demo_scenarios()["fjellkode"]).tables.employees["employee_id"])
    assert all(
        f"{first} {last}".encode() in exported for first, last in zip(who["first_name"], who["last_name"], strict=True)
    )
    assert all(email.encode() in exported for email in who["email"])


def leaks(folder: Path, ids: set[bytes], names: set[bytes] = frozenset()) -> list[str]:
    """Return the files in which an id or a whole name stands, embedded pictures included."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        parts = [content, *(base64.b64decode(m) for m in EMBEDDED.findall(content))]
        if any(ids & {t.strip(b".-_") for t in TOKEN.findall(part)} for part in parts) or any(
            name in part for part in parts for name in names
        ):
            found.append(str(path.relative_to(folder)))
    return found


def test_the_search_finds_what_it_must(tmp_path):
    (tmp_path / "page.html").write_text("<p>the case of K00417, who left</p>")
    (tmp_path / "picture.html").write_text("base64," + base64.b64encode(b"<svg><text>K00417</text></svg>" * 3).decode())
    (tmp_path / "clean.csv").write_text("study,estimate\nkesselwerk,0.00417\n")
    assert leaks(tmp_path, {b"K00417"}) == ["page.html", "picture.html"]
    assert leaks(tmp_path, set(), {b"case of"}) == ["page.html"]


@pytest.mark.parametrize("name", sorted(demo_scenarios()))
def test_the_report_of_a_demo_is_whole_and_no_id_is_in_any_file(tmp_path, monkeypatch, name):
    """The smallest study with its executed notebooks, the others without, to save time."""
    if name != "fjellkode":
        monkeypatch.setattr("analysis.report.execute.notebooks_dir", lambda: tmp_path / "none")
    data = project_dir() / "data"
    with shared(demo_answer(name)):
        folder = report_study(name, data, tmp_path / "reports", jobs=2, say=lambda _: None)
    ids, names = ids_of(name), names_of(name)
    assert len(ids) > 50 and len(names) > 50
    files = {p.name for p in folder.rglob("*") if p.is_file()}
    assert {"index.html", "estimates.csv", "data_quality.csv", "run.json"} <= files
    assert ("07_summary.ipynb" in files) == (name == "fjellkode")
    assert "faults.log" not in files
    pictures = {path.name: path.read_text(encoding="utf-8") for path in (folder / "figures").glob("*.svg")}
    assert len(pictures) > 10 and {of: cut_off(svg) for of, svg in pictures.items() if cut_off(svg)} == {}
    assert leaks(folder, ids, names) == []


def test_bad_rows_are_told_by_line_and_never_by_what_stands_in_them(tmp_path, capsys):
    """A column of names by mistake: the ledger and the messages point to lines, and quote nobody."""
    tables = {key: value.replace("E3", "Erika.Mustermann@acme.example") for key, value in TINY_COMPANY.items()}
    tables["employees"] = tables["employees"].replace("2021-01-01", "Erika.Mustermann@acme.example")
    tables["enrolments"] = tables["enrolments"].replace("mentor,2022-05-12", "Erika,2022-05-12")
    write_study(tmp_path / "data" / "acme", tables)
    with pytest.raises(Exception, match="employees") as caught:
        report_study("acme", tmp_path / "data", tmp_path / "reports", say=lambda _: None)
    ledger = (tmp_path / "reports" / "acme" / "data_quality.csv").read_text(encoding="utf-8")
    for said in (str(caught.value), ledger, capsys.readouterr().out):
        assert "Erika" not in said
    assert "raw/employees.csv" in ledger and "raw/enrolments.csv" in ledger


def test_a_group_too_small_to_show_is_not_told_of_in_the_reasons_either():
    """Fjellkode has fewer mentees than min_cell: no row says whether one of them left."""
    findings = demo_answer("fjellkode").findings
    rows = [e for f in findings if (f.hypothesis, f.role) == ("H1_retention", "mentee") for e in f.estimates]
    assert len(rows) > 5
    assert {(e.status, e.reason) for e in rows} == {("suppressed", too_small(10))}
