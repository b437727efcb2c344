"""A company of 2,000 from its raw files: with ten edits of study.yaml what is read is what was, or the flow says."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from realistic_company import Realistic, options, realistic_company, with_edits, write_files
from realistic_company.hr_files import on_day
from realistic_company.pair_list import matches, written_starts

from analysis.design.starts import UNDATED
from analysis.design.trials import build_trials
from analysis.pipeline import OpenStudy, open_study
from analysis.pipeline.drafted import LEAVE, NO_SHOW, SERVICE, TRANSFER
from analysis.pipeline.study_folder import InitOptions, start_study

AS_OF = pd.Timestamp("2025-06-30")


@dataclass(frozen=True)
class Read:
    """The company as it was, and as it was read."""

    true: Realistic
    opened: OpenStudy
    raw: Path
    files: Path
    draft: str


@pytest.fixture(scope="module")
def read(tmp_path_factory) -> Iterator[Read]:
    folder = tmp_path_factory.mktemp("brackwell")
    true, files = realistic_company(), folder / "files"
    write_files(true, files)
    tables, asked = options(files)
    start_study("brackwell", tables, folder, InitOptions(**asked), say=lambda _: None)
    path = folder / "brackwell" / "study.yaml"
    draft = path.read_text(encoding="utf-8")
    path.write_text(with_edits(draft), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.ingest.sources.concealed", lambda tables, key: tables)
        yield Read(true, open_study("brackwell", folder), folder / "brackwell" / "raw", files, draft)


def now_id(true: Realistic) -> dict[str, str]:
    """Return the id that each person has now: another one for those who went over to another entity."""
    return dict(zip(true.transfers["employee_id"], true.transfers["new_id"], strict=True))


def test_no_raw_file_was_touched(read):
    for copy in read.raw.iterdir():
        assert (
            hashlib.sha256(copy.read_bytes()).digest() == hashlib.sha256((read.files / copy.name).read_bytes()).digest()
        )


def test_the_draft_says_who_is_staff_and_which_rules_hold(read):
    staff = next(line for line in read.draft.splitlines() if line.startswith("staff:"))
    assert staff.startswith("staff: [employee]  # guess:")
    assert "contingent (60 rows)" in staff and "intern (30 rows)" in staff
    rules = " ".join(read.draft.replace("#   ", "").split())
    assert all(f"# rule: {rule}" in rules for rule in (SERVICE, NO_SHOW, TRANSFER, LEAVE))


def test_employment_is_what_it_was(read):
    """Future exits have not happened, a move within the group is none; who is no employee or never came is left out."""
    found = read.opened.tables.employees
    true = read.true.company.tables.employees.assign(
        employee_id=lambda e: e["employee_id"].replace(now_id(read.true)),
        exit_type=lambda e: e["exit_type"].where(e["exit_date"] <= AS_OF),
        exit_date=lambda e: e["exit_date"].where(e["exit_date"] <= AS_OF),
    )
    columns = ["employee_id", "hire_date", "exit_date", "exit_type"]
    both = [frame.sort_values(columns[:2])[columns].reset_index(drop=True).astype("str") for frame in (found, true)]
    pd.testing.assert_frame_equal(*both)


@pytest.mark.parametrize("day", ["2021-03-31", "2022-03-31", "2023-10-31", "2025-06-30"])
def test_jobs_are_what_the_months_say(read, day):
    true = on_day(read.true, pd.Timestamp(day)).set_index("employee_id")
    true.index = true.index.map(lambda who: now_id(read.true).get(who, who))
    jobs = read.opened.tables.jobs
    held = jobs[jobs["effective_date"] <= day].groupby("employee_id").last().reindex(true.index)
    for name in ("job_level", "department", "job_family", "base_salary", "performance_rating"):
        known = true[name].notna().to_numpy()
        assert (held[name].to_numpy(object)[known] == true[name].to_numpy(object)[known]).all(), name
    np.testing.assert_allclose(held["fte"], true["fte"])


def test_every_answer_is_that_persons_to_that_question(read):
    keys = ["employee_id", "wave", "item"]
    true = read.true.company.tables.responses.dropna(subset=["value"])
    true = true.assign(employee_id=true["employee_id"].replace(now_id(read.true))).set_index(keys)["value"].sort_index()
    found = read.opened.tables.responses.dropna(subset=["value"]).astype({"employee_id": "str", "item": "str"})
    found = found.set_index(keys)["value"].sort_index()
    assert len(found) == len(true) and (found == true).all()


def starts(true: Realistic) -> dict[tuple[str, str], pd.Timestamp | None]:
    """Return by role and person the first start that the list gives a day; None where it gives none for any."""
    written, found = written_starts(true), {}
    for match, rows in matches(true):
        day = rows["start_date"].min() if is_a_day(written[match], rows["start_date"].min()) else None
        for row in rows.itertuples():
            key = (row.role, now_id(true).get(row.employee_id, row.employee_id))
            found[key] = min(filter(None, (day, found.get(key))), default=None)
    return found


def is_a_day(text: object, day: pd.Timestamp) -> bool:
    return not isinstance(text, str) or text == f"{day.day} {day:%B %Y}"


def test_who_started_when_is_what_it_was_or_is_told(read):
    rows = read.opened.tables.enrolments
    dated = rows.dropna(subset=["start_date"]).groupby(["role", "employee_id"])["start_date"].min()
    unknown = rows[rows["start_unknown"].fillna(False).astype(bool)]
    true = starts(read.true)
    assert dated.to_dict() == {key: day for key, day in true.items() if day is not None}
    lost = set(zip(unknown["role"], unknown["employee_id"], strict=True)) - set(dated.index)
    assert lost == {key for key, day in true.items() if day is None}
    study = read.opened.dated.study
    for role in ("mentor", "mentee"):
        flow = build_trials(read.opened.dated.tables, study, study.programs[0], role, {}).flow
        steps = flow.set_index("step")["n_people"]
        assert steps["started"] == sum(of == role for of, _ in true)
        assert steps.drop("started").sum() == steps["started"]
        assert steps[UNDATED] >= sum(of == role and day is None for (of, _), day in true.items()) > 0


def test_nobody_on_leave_is_compared_that_day(read):
    dated = read.opened.dated
    rows = build_trials(dated.tables, dated.study, dated.study.programs[0], "mentor", {}).rows
    away = rows.merge(dated.tables.leave, on="employee_id")
    during = (away["leave_start"] <= away["trial_date"]) & ~(away["leave_end"] < away["trial_date"])
    assert len(dated.tables.leave) > 50 and not during.any()


def test_every_meeting_is_credited_to_the_pair_that_met(read):
    """Who shares a name with a colleague is left off the list of who came: the log of meetings has no department."""
    found, true = read.opened.tables.sessions, read.true.company.tables.sessions
    assert len(found) == len(true) and found["minutes"].sum() == true["minutes"].sum()
    rows = read.opened.tables.enrolments.dropna(subset=["match_id"])
    members = rows.groupby("match_id")["employee_id"].agg(set)
    came = found["attendee_ids"].str.split(";").map(set)
    for match, who in zip(found["match_id"], came, strict=True):
        assert who & members[match], "of a mentor's second pair the mentee stands for it"
    told = {(day, tuple(sorted(who))) for day, who in zip(found["session_date"], came, strict=True)}
    for match, those in matches(read.true):
        people = {now_id(read.true).get(who, who) for who in those["employee_id"]}
        for day in true.loc[true["match_id"] == match, "session_date"]:
            assert any(day == when and set(who) <= people for when, who in told)
