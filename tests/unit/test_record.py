"""The record of releases: what is in it, that it is only added to, and what happens to one that was changed."""

import json
import stat

import pytest
from networks import shared_row

from analysis.plan.errors import BadInput
from analysis.plan.results import estimates_frame
from analysis.release.record import Release, add_to_record, read_record, shown_ledgers


def one(effect: float = -0.05, study: str = "acme", **about) -> Release:
    told = estimates_frame([shared_row(study, effect, 0.02)])
    ledgers = shown_ledgers(told, {study: {"min_cell": 10, "round_to": 5, "digest": "d"}})
    return Release(**{"date": "2026-03-01T09:00:00+00:00", "kind": "share", "ledgers": ledgers} | about)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "releases.jsonl"


def test_what_was_put_on_record_is_read_again(path):
    assert read_record(path) == []
    made = [one(), one(-0.1, to="works council"), one(-0.05, reviewed="40 people have changed"), one(0.1, "other")]
    for release in made:
        add_to_record(path, release)
    assert read_record(path) == made


def test_a_line_once_written_stays_and_only_the_owner_can_read_it(path):
    add_to_record(path, one())
    before = path.read_bytes()
    add_to_record(path, one(-0.1))
    assert path.read_bytes().startswith(before) and len(path.read_bytes().splitlines()) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_rows_that_a_line_before_holds_are_not_written_again(path):
    for _ in range(3):
        add_to_record(path, one())
    first, *others = ((json.loads(line)["release"]["ledgers"][0]) for line in path.read_text().splitlines())
    assert "rows" in first and not any("rows" in other for other in others)
    assert [len(release.ledgers[0].told) for release in read_record(path)] == [1, 1, 1]


def test_nothing_is_on_record_that_was_not_shown(path):
    add_to_record(path, one())
    assert json.loads(path.read_text())["release"]["ledgers"][0]["rows"] == (
        "buddies,H1_retention,primary,voluntary_exit,mentor,,enrolled_vs_not,ATT,iptw_aalen_johansen,risk_difference,12,"
        "-0.05,0.02,100,300"
    )


def test_a_row_is_read_as_it_was_shown_and_has_its_id(path):
    add_to_record(path, one())
    [row], told = read_record(path)[0].ledgers[0].told, shared_row("acme", -0.05, 0.02)
    assert row.numbers == (told.estimate, told.std_error, told.n_treated, told.n_control)
    assert read_record(path)[0].ledgers[0].row_id(row) == told.row


def changed(lines: list[str]) -> list[str]:
    return [lines[0].replace("-0.05", "-0.06"), *lines[1:]]


def relabelled(lines: list[str]) -> list[str]:
    return [*lines[:2], lines[2].replace("council", "board")]


DAMAGE = {
    "a number changed": (changed, 1),
    "the last audience changed": (relabelled, 3),
    "the first line taken out": (lambda lines: lines[1:], 1),
    "a line taken out": (lambda lines: [lines[0], lines[2]], 2),
    "two lines exchanged": (lambda lines: [lines[1], lines[0], lines[2]], 1),
    "cut off in the middle": (lambda lines: [*lines[:2], lines[2][:80]], 3),
    "no JSON": (lambda lines: [lines[0], "what?"], 2),
    "another shape": (lambda lines: [lines[0], "[1]"], 2),
    "an empty line": (lambda lines: [lines[0], "", lines[1]], 2),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_record_that_is_not_as_it_was_written_is_told_by_its_line(path, name):
    for release in (one(), one(-0.1), one(-0.2, to="works council")):
        add_to_record(path, release)
    damage, line = DAMAGE[name]
    path.write_text("\n".join(damage(path.read_text().splitlines())) + "\n")
    before = path.read_bytes()
    for act in (lambda: read_record(path), lambda: add_to_record(path, one())):
        with pytest.raises(BadInput) as caught:
            act()
        [problem] = caught.value.problems
        assert str(path) in problem.source and f", line {line}" in str(problem) and "restore it" in problem.message
    assert path.read_bytes() == before
