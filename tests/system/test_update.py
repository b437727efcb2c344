"""`mentoring init --update`: what was mended or came later counts, new files are taken in, nobody's line is touched."""

from pathlib import Path

import pytest
from studies import TINY_COMPANY, write_study
from test_cli import Run, mentoring, snapshot
from test_init import write

from analysis.plan.read_study import load_study

STAFF = ("employee_id,hire_date,exit_date,exit_type", "E1,2020-01-01,,", "E2,2020-02-01,2023-05-05,left")


def update(folder: Path, *words: object) -> Run:
    return mentoring("init", "acme", "--update", *words, "--data", folder / "data")


@pytest.fixture
def acme(tmp_path):
    """A study of a file of employees and one of jobs that could not be read."""
    staff = write(tmp_path / "staff.csv", *STAFF)
    jobs = write(tmp_path / "jobs.csv", "employee_id,effective_date,job_level", "E1")
    run = mentoring("init", "acme", "--employees", staff, "--jobs", jobs, "--data", tmp_path / "data")
    assert run.returncode == 3
    return tmp_path / "data" / "acme"


def text_of(acme: Path) -> str:
    return (acme / "study.yaml").read_text(encoding="utf-8")


def edited(acme: Path, old: str, new: str) -> list[str]:
    """Edit study.yaml as a person would; return its lines."""
    text = text_of(acme)
    assert old in text
    (acme / "study.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return text_of(acme).splitlines()


def test_an_update_without_a_change_leaves_every_byte(tmp_path, acme):
    edited(acme, "title: Acme  # guess: from the study's name", "title: ACME Ltd # ours")
    before = snapshot(acme)
    run = update(tmp_path)
    assert "no entry was added to study.yaml" in run.stdout and "0 changed, 0 new, 0 gone" in run.stdout
    assert snapshot(acme) == before and run.returncode == 3


def test_a_file_that_was_mended_is_taken_up_and_no_other_line_is_touched(tmp_path, acme):
    lines = edited(acme, "sources:", "# what HR says\nsources:  # in this order")
    write(acme / "raw" / "jobs.csv", "employee_id,effective_date,job_level", "E1,2020-01-01,2")
    run = update(tmp_path)
    assert run.returncode == 0, run.stderr
    assert [s.path for s in load_study("acme", tmp_path / "data").sources] == ["raw/staff.csv", "raw/jobs.csv"]
    assert "  +   - {table: jobs, path: raw/jobs.csv, profile: canonical}" in run.stdout
    after = text_of(acme)
    left = [line for line in lines if line not in after.splitlines()]
    assert left[0].startswith("  # unread: raw/jobs.csv") and left[-1] == "  # - {table: jobs, path: raw/jobs.csv}"
    assert "unread:" not in after and "# what HR says\nsources:  # in this order\n" in after


def test_what_a_later_export_has_is_told_and_its_checksum_renewed(tmp_path, acme):
    rows = [f"E{n},2023-07-01,1,2020-01-01,sick" for n in range(10)]
    later = write(tmp_path / "staff.csv", "employee_id,exit_date,fte,hire_date,exit_type", *rows)
    run = update(tmp_path, "--employees", later)
    for told in (
        "raw/staff.csv: changed",
        "raw/staff.csv: new column 3 (fte)",
        "new values of exit_type that mean nothing yet: sick (10)",
        "2023-07-01: the files know of days after as_of",
    ):
        assert told in run.stdout
    assert (acme / "raw" / "staff.csv").read_bytes() == later.read_bytes()
    write(acme / "raw" / "staff.csv", "employee_id,hire_date,exit_type", "E1,2020-01-01,left")
    assert "raw/staff.csv: gone: what was column 2, 3" in update(tmp_path).stdout


def test_a_file_edited_in_raw_is_not_overwritten_by_one_given(tmp_path, acme):
    write(acme / "raw" / "staff.csv", *STAFF, "E3,2021-01-01,,")
    before = snapshot(acme)
    run = update(tmp_path, "--employees", write(tmp_path / "staff.csv", *STAFF, "E4,2021-01-01,,"))
    assert run.returncode == 2 and "would replace raw/staff.csv, which was edited" in run.stderr
    assert snapshot(acme) == before


def test_a_new_wave_gets_its_entry_after_the_waves_that_people_corrected(tmp_path):
    head = "employee_id,wave,instrument,item,value,responded_at"
    first = write(tmp_path / "w1.csv", head.replace("wave,", ""), "E1,pulse,mor1,4,2023-03-06")
    assert mentoring("init", "acme", "--survey", first, "--data", tmp_path / "data").returncode == 0
    acme = tmp_path / "data" / "acme"
    edited(acme, "opens: 2023-03-06, closes: 2023-03-06", "opens: 2023-03-01, closes: 2023-03-31")
    second = write(tmp_path / "w2.csv", head.replace("wave,", ""), "E1,pulse,mor1,4,2024-03-06")
    assert update(tmp_path, "--survey", second).returncode == 0
    study = load_study("acme", tmp_path / "data")
    assert [(w.wave, str(w.opens), str(w.closes)) for w in study.waves] == [
        (1, "2023-03-01", "2023-03-31"),
        (2, "2024-03-06", "2024-03-06"),
    ]
    assert [(s.path, s.wave) for s in study.sources] == [("raw/w1.csv", 1), ("raw/w2.csv", 2)]


def test_the_error_of_a_mended_file_names_the_command_that_renews_its_checksum(tmp_path, acme):
    write(acme / "raw" / "staff.csv", STAFF[0], "E1,2020-01-01,,")
    places = ("--data", tmp_path / "data", "--reports", tmp_path / "reports")
    refused = mentoring("check", "acme", *places)
    assert refused.returncode == 2 and "run mentoring init acme --update, which says what changed" in refused.stderr
    run = update(tmp_path)
    assert "raw/staff.csv: changed" in run.stdout and "SHA256SUMS: written again (1 changed" in run.stdout
    assert mentoring("check", "acme", *places).returncode == 0


def test_a_file_that_is_gone_leaves_the_checksums_and_keeps_its_entry(tmp_path, acme):
    (acme / "raw" / "staff.csv").unlink()
    write(acme / "raw" / "jobs.csv", "employee_id,effective_date,job_level", "E1,2020-01-01,2")
    run = update(tmp_path)
    assert "raw/staff.csv: gone" in run.stdout and "take its entry out" in run.stdout
    assert "raw/staff.csv" not in (acme / "SHA256SUMS").read_text() and "path: raw/staff.csv" in text_of(acme)


def test_a_study_written_by_hand_in_one_line_is_told_what_to_add(tmp_path):
    write_study(tmp_path / "data" / "acme", {"employees": TINY_COMPANY["employees"]})
    acme = tmp_path / "data" / "acme"
    text = text_of(acme)
    start = text.index("sources:")
    flow = "sources: [{table: employees, path: raw/employees.csv, profile: canonical}]\n"
    (acme / "study.yaml").write_text(text[:start] + flow, encoding="utf-8")
    jobs = write(tmp_path / "jobs.csv", "employee_id,effective_date,job_level", "E1,2020-01-01,2")
    run = update(tmp_path, "--jobs", jobs)
    assert "add by hand" in run.stdout and "- {table: jobs, path: raw/jobs.csv, profile: canonical}" in run.stdout
    assert text_of(acme) == text[:start] + flow


def test_a_file_in_raw_that_no_source_names_is_told(tmp_path, acme):
    write(acme / "raw" / "pulse.csv", "employee_id,item,value", "E1,mor1,4")
    assert "raw/pulse.csv: no source names it" in update(tmp_path).stdout


def test_an_update_of_no_study_or_of_a_broken_one_is_refused(tmp_path, acme):
    assert mentoring("init", "other", "--update", "--data", tmp_path / "data").returncode == 2
    edited(acme, "study_start: 2020-01-01", "study_start: soon")
    run = update(tmp_path)
    assert run.returncode == 2 and "study.yaml, line" in run.stderr and "Traceback" not in run.stderr
