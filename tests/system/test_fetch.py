"""Public studies are brought in whole, from the published files alone."""

import functools
import hashlib
import http.server
import os
import threading
from pathlib import Path

import pytest
from studies import as_csv

from analysis.fetch import STUDIES, fetch
from analysis.plan.errors import BadInput
from analysis.plan.read_study import load_study
from analysis.validate import load_tables

NAME = "illinois-wellness"

# Five invented people: offered and took part, offered and did not (left by 2017), not offered (left by 2019), …
FIRM_ADMIN = as_csv("""\
    treat,hra_c_yr1,male,terminated_0717,terminated_0119
    1,1,0,0,0
    1,0,1,1,1
    0,,0,0,1
    0,,1,0,0
    1,1,1,0,1
    """)
MANIFEST = {"firm_admin.csv": hashlib.sha256(FIRM_ADMIN.encode()).hexdigest()}


@pytest.fixture
def public(tmp_path):
    """Return a folder of the public files."""
    folder = tmp_path / "public"
    folder.mkdir()
    (folder / "firm_admin.csv").write_text(FIRM_ADMIN, encoding="utf-8")
    return folder


@pytest.fixture
def address(public, monkeypatch):
    """Serve the public files on this machine and return their address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    monkeypatch.setenv("no_proxy", "*")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(public)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def the_problem(stop):
    [problem] = stop.value.problems
    return problem


def in_folder(data: Path) -> dict[str, bytes]:
    return {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("original_ids")
def test_the_files_become_a_study_in_the_contracts_form(tmp_path, public):
    folder = fetch(NAME, tmp_path / "data", public, manifest=MANIFEST)
    assert folder == tmp_path / "data" / NAME
    study = load_study(NAME, tmp_path / "data")
    tables, problems = load_tables(study, {})
    assert {p.rule for p in problems} == {"exit_without_type"}
    people = tables.enrolments.merge(tables.employees, on="employee_id")
    assert people["employee_id"].tolist() == ["P0001", "P0002", "P0003", "P0004", "P0005"]
    assert people["offered"].tolist() == [True, True, False, False, True]
    assert people["start_date"].notna().tolist() == [True, False, False, False, True]
    exits = people["exit_date"].dt.strftime("%Y-%m-%d").fillna("").tolist()
    assert exits == ["", "2017-07-31", "2019-01-31", "", "2019-01-31"]
    assert people["exit_type"].isna().all()
    assert (people["exit_reason"] == "not recorded").tolist() == [False, True, True, False, True]
    assert set(people["role"]) == {"participant"}
    assert people["intake_date"].eq("2016-08-01").all()
    assert people["hire_date"].eq("2016-08-01").all()


def test_the_study_says_what_it_is_and_whose(tmp_path, public):
    fetch(NAME, tmp_path, public, manifest=MANIFEST)
    study = load_study(NAME, tmp_path)
    assert "wellness" in study.title
    assert "not a mentoring program" in study.title
    assert "Jones" in study.citation
    assert "134(4)" in study.citation
    assert study.licence.startswith("CC0-1.0")
    assert study.horizons_months == (12, 30)
    assert [program.assignment for program in study.programs] == ["lottery"]
    assert study.min_cell == 10


def test_the_folder_may_be_the_one_above(tmp_path, public):
    above = tmp_path / "above"
    above.mkdir()
    public.rename(above / "illinois_wellness")
    fetch(NAME, tmp_path / "data", above, manifest=MANIFEST)
    assert (tmp_path / "data" / NAME / "study.yaml").is_file()


def test_without_a_folder_the_files_are_downloaded(tmp_path, address):
    heard = []
    fetch(
        NAME,
        tmp_path / "data",
        None,
        address,
        manifest=MANIFEST,
        progress=lambda file, size: heard.append((file, size)),
    )
    assert load_study(NAME, tmp_path / "data").study == NAME
    assert heard[-1] == ("firm_admin.csv", len(FIRM_ADMIN))


def test_downloaded_and_copied_studies_are_the_same(tmp_path, public, address):
    fetch(NAME, tmp_path / "a", public, manifest=MANIFEST)
    fetch(NAME, tmp_path / "b", None, address, manifest=MANIFEST)
    assert in_folder(tmp_path / "a") == in_folder(tmp_path / "b")


def test_an_unknown_study_lists_the_known_ones(tmp_path):
    with pytest.raises(BadInput) as stop:
        fetch("ohio-wellness", tmp_path)
    assert the_problem(stop).rule == "unknown_public_study"
    assert NAME in the_problem(stop).message


def test_a_changed_file_is_refused_and_nothing_is_written(tmp_path, public):
    (public / "firm_admin.csv").write_text(FIRM_ADMIN.replace("1,1,0,0,0", "1,1,0,0,1"), encoding="utf-8")
    with pytest.raises(BadInput) as stop:
        fetch(NAME, tmp_path / "data", public, manifest=MANIFEST)
    assert the_problem(stop).rule == "checksum_mismatch"
    assert not (tmp_path / "data").exists()


def test_a_changed_download_is_refused(tmp_path, address):
    with pytest.raises(BadInput) as stop:
        fetch(NAME, tmp_path / "data", None, address)  # the published file's own sum
    assert the_problem(stop).rule == "checksum_mismatch"


def test_a_missing_file_says_where_it_was_sought(tmp_path):
    with pytest.raises(BadInput) as stop:
        fetch(NAME, tmp_path / "data", tmp_path / "nowhere", manifest=MANIFEST)
    assert the_problem(stop).rule == "missing_file"
    assert "--from" in the_problem(stop).message


def test_a_file_that_is_not_there_to_download_says_what_to_do(tmp_path, address):
    with pytest.raises(BadInput) as stop:
        fetch(NAME, tmp_path / "data", None, f"{address}/elsewhere", manifest=MANIFEST)
    assert the_problem(stop).rule == "download_failed"
    assert "--from" in the_problem(stop).message


def test_no_network_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(BadInput) as stop:
        fetch(NAME, tmp_path / "data", None, "http://127.0.0.1:9", manifest=MANIFEST)
    assert the_problem(stop).rule == "download_failed"
    assert "--from" in the_problem(stop).message


def test_every_files_problem_is_told_at_once(tmp_path, public):
    with pytest.raises(BadInput) as stop:
        fetch(NAME, tmp_path / "data", public, manifest={"firm_admin.csv": "0" * 64, "participation.csv": "0" * 64})
    assert [p.rule for p in stop.value.problems] == ["checksum_mismatch", "missing_file"]


def test_a_file_of_another_form_is_refused_with_its_line(tmp_path, public):
    text = FIRM_ADMIN.replace("0,,1,0,0", "2,,1,0,0")
    (public / "firm_admin.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as stop:
        fetch(NAME, tmp_path / "data", public, manifest={"firm_admin.csv": hashlib.sha256(text.encode()).hexdigest()})
    assert (the_problem(stop).rule, the_problem(stop).example_rows) == ("not_a_flag", (5,))


def test_a_folder_that_is_there_is_replaced_whole(tmp_path, public):
    old = tmp_path / "data" / NAME
    old.mkdir(parents=True)
    (old / "leftover.txt").write_text("old", encoding="utf-8")
    fetch(NAME, tmp_path / "data", public, manifest=MANIFEST)
    assert not (old / "leftover.txt").exists()
    assert [path.name for path in (tmp_path / "data").iterdir()] == [NAME]


def test_a_folder_that_is_there_stays_when_something_goes_wrong(tmp_path, public, monkeypatch):
    old = tmp_path / "data" / NAME
    old.mkdir(parents=True)
    (old / "leftover.txt").write_text("old", encoding="utf-8")
    rename = Path.rename

    def fail_on_the_second(path, target):
        if path.name == "study":
            raise OSError("disk full")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_on_the_second)
    with pytest.raises(OSError, match="disk full"):
        fetch(NAME, tmp_path / "data", public, manifest=MANIFEST)
    assert in_folder(tmp_path / "data") == {f"{NAME}/leftover.txt": b"old"}


def test_the_address_is_a_fixed_version():
    assert STUDIES[NAME].base_url.split("/")[-3] == "d94e43c3df1d1a40355a8c1834a6558e7829210f"


def test_the_published_file_gives_the_published_differences(tmp_path):
    real = os.environ.get("MENTORING_REAL_DATA")
    if not real:
        pytest.skip("MENTORING_REAL_DATA names no folder of the public data")
    fetch(NAME, tmp_path, Path(real))
    tables, _ = load_tables(load_study(NAME, tmp_path), {})
    people = tables.enrolments.merge(tables.employees, on="employee_id")
    offered = people["offered"].astype(bool)
    took_part = people["start_date"].notna()
    assert (offered.sum(), (~offered).sum()) == (3300, 1534)

    def points(day, group, others):
        gone = people["exit_date"] <= day
        return round(100 * (gone[group].mean() - gone[others].mean()), 1)

    assert points("2017-07-31", offered, ~offered) == -1.3
    assert points("2019-01-31", offered, ~offered) == 0.2
    assert points("2017-07-31", offered & took_part, offered & ~took_part) == -8.0
    assert points("2019-01-31", offered & took_part, offered & ~took_part) == -6.7
