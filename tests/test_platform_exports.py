"""What a simulated company's mentoring platform exports is read back to the last cell."""

from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import yaml
from analysis.simulate.exports import platforms
from analysis.simulate.exports.pairs import pairs_sessions, pairs_sheet
from analysis.simulate.exports.people import people
from analysis.simulate.exports.sheet import Sheet, workbook

from analysis.ingest.sources import read_exports
from analysis.plan.study import load_study
from analysis.simulate import scenario_named, simulate
from analysis.simulate.company import Company
from analysis.validate.cells import typed

KEY = ["program_id", "intake_date", "role", "employee_id"]


@cache
def company(like: str) -> Company:
    return simulate(scenario_named(f"small-{like}", like=like, employees=400))


@cache
def names(like: str) -> pd.DataFrame:
    """Return names that Windows-1252 can write, as the German sheets need."""
    invented = people(company(like).scenario.name, company(like).tables.employees["employee_id"])
    cells = invented[["first_name", "last_name"]]
    return invented.assign(**cells.apply(lambda c: c.str.encode("cp1252", "ignore").str.decode("cp1252")))


def read_back(
    folder: Path, like: str, profile: str, files: dict[str, tuple[str, bytes, str]]
) -> dict[str, pd.DataFrame]:
    """Return the canonical tables made of a study's exports: file → (table, bytes, program)."""
    content = company(like).study
    as_given = {"program_id": "str", "intake_date": "datetime64[s]"}
    intakes = company(like).tables.enrolments[list(as_given)].astype(as_given).drop_duplicates()
    programs = [
        p | {"intakes": sorted(intakes.loc[intakes["program_id"] == p["id"], "intake_date"].dt.date)}
        for p in content["programs"]
    ]
    sources = [{"table": "employees", "path": "raw/employees.csv", "profile": "canonical"}]
    sources += [
        {"table": table, "path": f"raw/{path}", "profile": profile}
        | ({"program": program} if table == "enrolments" else {})
        for path, (table, _, program) in files.items()
    ]
    study = content | {"study": "twin", "programs": programs, "sources": sources, "timezone": "Europe/Berlin"}
    raw = folder / "twin" / "raw"
    raw.mkdir(parents=True)
    spells = company(like).tables.employees[["employee_id", "hire_date"]].drop_duplicates("employee_id")
    spells.merge(names(like)).to_csv(raw / "employees.csv", index=False)
    for path, (_, written, _) in files.items():
        (raw / path).write_bytes(written)
    (folder / "twin" / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    read = read_exports(load_study("twin", folder))
    assert [str(p) for p in read.problems if p.severity == "error"] == []
    assert not {p.rule for p in read.problems} & {"unmatched_person", "ambiguous_person", "unknown_status"}
    return {t: typed(f.drop(columns=["_source", "_line"]), t) for t, f in read.tables.items()}


def assert_same(found: pd.DataFrame, wanted: pd.DataFrame, by: list[str] | None = None) -> None:
    """Assert that both hold the same cells; in the order of `by`, or as they stand."""
    days = dict.fromkeys(wanted.select_dtypes("datetime"), "datetime64[s]")
    frames = [frame[list(wanted)].astype(days) for frame in (found, wanted)]
    if by:
        frames = [frame.sort_values(by, kind="stable", ignore_index=True) for frame in frames]
    pd.testing.assert_frame_equal(*frames, check_dtype=False)


PLATFORMS = {
    "chronus": (platforms.chronus_participants, platforms.chronus_meetings),
    "together": (platforms.together_participants, platforms.together_sessions),
    "qooper": (platforms.qooper_participants, platforms.qooper_meetings),
    "pushfar": (platforms.pushfar_participants, platforms.pushfar_meetings),
}


@pytest.mark.parametrize("vendor", PLATFORMS)
@pytest.mark.parametrize("like", ["northbank", "heronmere"])
def test_a_clinic_and_its_groups_come_back_from_every_platform(tmp_path, vendor, like):
    tables, (participants, meetings) = company(like).tables, PLATFORMS[vendor]
    program = company(like).study["programs"][0]["id"]
    found = read_back(
        tmp_path,
        like,
        vendor,
        {
            "participants.csv": ("enrolments", participants(tables.enrolments, names(like)).csv(), program),
            "meetings.csv": ("sessions", meetings(tables.sessions, names(like)).csv(), ""),
        },
    )
    assert_same(found["enrolments"], tables.enrolments)
    assert_same(found["sessions"], tables.sessions)


@pytest.mark.parametrize("language", ["en", "de"])
def test_pairs_of_two_programs_come_back_from_sheets_kept_by_hand(tmp_path, language):
    tables, like = company("ostwire").tables, "ostwire"
    as_file = (
        (lambda sheet: sheet.csv(";", "cp1252")) if language == "de" else (lambda sheet: workbook({"Pairs": sheet}))
    )
    ending = "csv" if language == "de" else "xlsx"
    files = {
        f"{program}.{ending}": ("enrolments", as_file(pairs_sheet(rows, names(like), language)), program)
        for program, rows in tables.enrolments.groupby("program_id")
    }
    meetings = pairs_sessions(tables.sessions, names(like), language)
    found = read_back(tmp_path, like, "pairs", files | {f"meetings.{ending}": ("sessions", as_file(meetings), "")})
    assert_same(found["enrolments"], tables.enrolments, KEY)
    assert_same(found["sessions"], tables.sessions)


def test_connections_come_back_with_what_a_pair_shares(tmp_path):
    tables, like = company("ostwire").tables, "ostwire"
    rows = tables.enrolments[(tables.enrolments["program_id"] == "uplink") & tables.enrolments["match_id"].notna()]
    sheet = platforms.chronus_connections(rows, names(like)).csv()
    found = read_back(tmp_path, like, "chronus", {"connections.csv": ("enrolments", sheet, "uplink")})["enrolments"]
    shared = ["program_id", "intake_date", "employee_id", "role", "start_date", "match_id"]
    assert_same(found[shared], rows[shared], KEY)


def test_what_only_one_side_of_a_pair_did_stands_beside_its_name():
    rows = pd.DataFrame(
        {
            "program_id": "genius",
            "intake_date": pd.Timestamp("2022-02-28"),
            "employee_id": ["1", "2", "3"],
            "role": ["mentor", "mentee", "mentor"],
            "applied_date": pd.NaT,
            "offered": pd.array([None, None, False], dtype="boolean"),
            "start_date": pd.to_datetime(["2022-03-14", "2022-03-14", None]),
            "end_date": pd.to_datetime(["2022-05-02", None, None]),
            "status": ["withdrawn", "active", "not_selected"],
            "match_id": ["g-1", "g-1", None],
            "topics": None,
        }
    )
    team = pd.DataFrame(
        {
            "employee_id": ["1", "2", "3"],
            "first_name": ["Ada", "Ben", "Cleo"],
            "last_name": ["Testperson", "Beispiel", "Exemple"],
        }
    )
    header, pair, alone = pairs_sheet(rows, team).cells
    cells = {name: (one, other) for name, one, other in zip(header, pair, alone, strict=True)}
    assert cells["Mentor"] == ("Testperson, Ada", "Exemple, Cleo") and cells["Mentee"] == ("Ben Beispiel", "")
    assert cells["Start"] == ("2022-03-14", "") and cells["End"] == ("", "")
    assert cells["Mentor End"] == ("2022-05-02", "") and cells["Mentee End"] == ("", "")
    assert cells["Status"] == ("", "not selected") and cells["Mentor Status"][0] == "dropped out"
    assert cells["Mentor Selected"] == ("", "no") and cells["Pair"] == ("g-1", "")


def test_an_empty_program_is_a_header_and_the_rows_that_reading_rejects():
    tables = company("northbank").tables
    nobody, none_met = tables.enrolments.head(0), tables.sessions.head(0)
    for participants, meetings in PLATFORMS.values():
        assert len(participants(nobody, names("northbank")).cells) == 2
        assert isinstance(meetings(none_met, names("northbank")), Sheet)
