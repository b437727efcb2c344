"""A registered plan: an edit is found, no plan replaces another, and a report says how each answer stands to it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from studies import TINY_COMPANY, write_study
from test_report import examined, readable
from test_report import released as study_released
from typer.testing import CliRunner

from analysis.cli import app
from analysis.pipeline import answer, open_study
from analysis.pipeline.registered import register
from analysis.pipeline.released import find, share_study
from analysis.plan.errors import BadInput
from analysis.plan.registration import FOLDER, digest_of
from analysis.plan.results import findings_frame
from analysis.report.page import evidence_pages, study_page
from analysis.report.tables import estimates_table
from analysis.runs.task import Task

# Without surveys: a plan is about all that is asked, whether there are data or not.
TABLES = {name: TINY_COMPANY[name] for name in ("employees", "jobs", "enrolments")}
GENIUS = {"id": "genius", "name": "Genius Program", "direction": "reverse", "format": "pair"}
CHOSEN = {"assignment": "self_selected"}


@pytest.fixture
def data(tmp_path) -> Path:
    """A data folder with one tiny company."""
    write_study(tmp_path / "data" / "acme", TABLES)
    return tmp_path / "data"


def registered(data: Path, reason: str = "", **study_yaml):
    """Register the plan of the study, its file changed first."""
    if study_yaml:
        write_study(data / "acme", TABLES, **study_yaml)
    return register("acme", data, data.parent / "reports", reason, say=lambda _: None)


def standing(data: Path, **study_yaml) -> dict[tuple[str, str], str]:
    """Return how every answer stands to the plan after the study's file was changed."""
    write_study(data / "acme", TABLES, **study_yaml)
    lines = findings_frame(find(open_study("acme", data)))
    return {(line.hypothesis, line.role): line.registered for line in lines.itertuples()}


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


# --- what is written --------------------------------------------------------------------------------------------------


def test_a_plan_holds_what_is_asked_how_it_is_judged_and_what_made_it(data):
    done = registered(data)
    content = yaml.safe_load(done.file.read_text(encoding="utf-8"))
    assert done.file == data / "acme" / FOLDER / "1.yaml" and content["digest"] == done.plan.digest == digest_of(
        content
    )
    assert content["version"] == 1 and content["replaces"] == content["effects_seen_at"] == content["reason"] == ""
    assert content["made_by"].keys() == {"version", "commit", "code"} and len(content["made_by"]["code"]) == 64
    assert content["design"]["diagnostics"]["alpha"] == 0.05 and content["design"]["study"]["as_of"] == "2024-12-31"
    retention = next(a for a in content["answers"] if (a["hypothesis"], a["role"]) == ("H1_retention", "mentor"))
    assert (retention["smallest_effect"], retention["horizon_months"], retention["estimand"]) == (0.03, 12, "ATT")
    assert (
        retention["rows"][0].startswith("H1-")
        and "Do people" in content["design"]["hypotheses"]["H1_retention"]["question"]
    )


def test_nothing_of_a_person_is_in_a_plan(data):
    text = registered(data).file.read_text(encoding="utf-8")
    assert not [cell for cell in ("E1", "E2", "E3", "Vienna", "moved away", "M1", "2022-06-08") if cell in text]


def test_a_plan_that_says_the_same_is_not_written_again(data):
    first = registered(data)
    again = registered(data)
    assert first.is_new and not again.is_new and [p.name for p in first.file.parent.iterdir()] == ["1.yaml"]


def test_another_plan_needs_a_reason_and_leaves_the_first_as_it_was(data):
    first = registered(data)
    before = first.file.read_bytes()
    with pytest.raises(BadInput, match="say why with --reason"):
        registered(data, horizons_months=[18])
    assert [p.name for p in first.file.parent.iterdir()] == ["1.yaml"]
    second = registered(data, reason="a later horizon")
    assert first.file.read_bytes() == before and second.file.name == "2.yaml"
    assert (second.plan.version, second.plan.replaces, second.plan.reason) == (2, first.plan.digest, "a later horizon")


# --- what is found out ------------------------------------------------------------------------------------------------


def problem(data: Path) -> tuple[str, str, tuple[int, ...]]:
    with pytest.raises(BadInput) as caught:
        open_study("acme", data)
    [found] = caught.value.problems
    return found.source, found.message, tuple(found.example_rows)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("smallest_effect: 0.03", "smallest_effect: 0.01"),
        ("effects_seen_at: ''", "effects_seen_at: '2024-01-01'"),
        ("alpha: 0.05", "alpha: 0.2"),
        ("registered_at: '20", "registered_at: '19"),
    ],
)
def test_an_edited_plan_stops_the_study(data, old, new):
    file = registered(data).file
    edit(file, old, new)
    source, message, lines = problem(data)
    assert source == "registrations/1.yaml" and "was edited" in message and "register again" in message
    assert file.read_text(encoding="utf-8").splitlines()[lines[0] - 1].startswith("digest:")


def test_a_comment_is_no_edit(data):
    file = registered(data).file
    [before] = open_study("acme", data).plans
    edit(file, "schema_version: 1", "schema_version: 1  # as agreed in March")
    assert "as agreed in March" in file.read_text(encoding="utf-8")
    assert open_study("acme", data).plans == (before,)


def test_a_plan_that_was_edited_with_its_digest_no_longer_leads_to_the_next(data):
    first = registered(data)
    registered(data, reason="a later horizon", horizons_months=[18])
    content = yaml.safe_load(first.file.read_text(encoding="utf-8")) | {"reason": "none"}
    first.file.write_text(yaml.safe_dump(content | {"digest": digest_of(content)}), encoding="utf-8")
    source, message, _ = problem(data)
    assert source == "registrations/2.yaml" and "does not follow the plan before it" in message


def test_a_plan_that_was_taken_away_is_missed(data):
    first = registered(data)
    registered(data, reason="a later horizon", horizons_months=[18])
    first.file.unlink()
    assert problem(data)[:2][0] == "registrations/1.yaml" and "is missing" in problem(data)[1]


def test_a_plan_of_another_study_is_refused(data):
    write_study(data / "other", TABLES)
    theirs = register("other", data, data.parent / "reports", "", say=lambda _: None).file
    (data / "acme" / FOLDER).mkdir()
    (data / "acme" / FOLDER / "1.yaml").write_bytes(theirs.read_bytes())
    assert "is of the study other" in problem(data)[1]


# --- what a report says -----------------------------------------------------------------------------------------------


def test_without_a_plan_the_ledger_says_nothing(data):
    assert set(standing(data).values()) == {None}


def test_what_was_planned_is_registered(data):
    registered(data)
    assert set(standing(data).values()) == {"registered"}


def test_another_smallest_effect_deviates_where_it_counts_and_says_from_what(data):
    registered(data)
    found = standing(data, smallest_effects={"H1_retention": 0.05})
    assert {key for key, status in found.items() if status == "deviates"} == {
        ("H1_retention", "mentor"), ("H1_retention", "mentee")
    }  # fmt: skip
    finding = find(open_study("acme", data))[0]
    [off] = finding.registered.deviations
    assert (off.what, off.planned, off.now) == ("smallest_effect", "0.03", "0.05")


@pytest.mark.parametrize(
    "changed",
    [
        {"as_of": "2024-11-30"},
        {"programs": [GENIUS | CHOSEN | {"grace_days": 10}]},
        {"programs": [GENIUS | {"assignment": "waitlist"}]},
        {"values": {"employees": {"exit_type": {"voluntary": ["Resigned"]}}}},
        {"horizons_months": [18]},
    ],
)
def test_what_decides_every_answer_makes_every_answer_deviate(data, changed):
    registered(data)
    found = standing(data, **changed)
    assert {status for (hypothesis, _), status in found.items() if hypothesis == "H1_retention"} == {"deviates"}


def test_what_decides_nothing_makes_none_deviate(data):
    registered(data)
    assert set(standing(data, title="Another title", min_cell=5, round_to=10).values()) == {"registered"}


def test_costs_count_for_money_alone(data):
    registered(data)
    found = standing(data, replacement_cost_share=0.5)
    assert {key[0] for key, status in found.items() if status == "deviates"} == {"H9_economics"}


def test_another_scoring_counts_for_that_scale_alone(data):
    write_study(data / "acme", TINY_COMPANY)
    registered(data)
    edit(data / "acme" / "instruments" / "mini.yaml", "reversed: true", "reversed: false")
    lines = findings_frame(find(open_study("acme", data)))
    assert set(lines.loc[lines["registered"] == "deviates", "hypothesis"]) == {"H2_morale"}


def test_what_was_not_planned_is_exploratory(data):
    registered(data)
    found = findings_frame(
        find(_opened_with(data, programs=[GENIUS | CHOSEN, GENIUS | CHOSEN | {"id": "later", "name": "Later"}]))
    )
    assert set(found.loc[found["program"] == "genius", "registered"]) == {"registered"}
    assert set(found.loc[found["program"] == "later", "registered"]) == {"exploratory"}


def _opened_with(data: Path, **study_yaml):
    write_study(data / "acme", TABLES, **study_yaml)
    return open_study("acme", data)


def test_a_row_beyond_the_plan_is_exploratory_though_its_answer_is_registered(data):
    registered(data, horizons_months=[12])
    finding = find(_opened_with(data, horizons_months=[12, 24]))[0]
    by_horizon = {row.horizon_months: finding.registered.of(row) for row in finding.estimates}
    assert finding.registered.status == "registered" and by_horizon[12] == "registered"
    assert by_horizon.get(24, "exploratory") == "exploratory"
    assert set(estimates_table([finding])["plan"]) == {finding.registered.of(row) for row in finding.estimates}


@pytest.mark.parametrize(
    ("run", "status"), [({"created": "2025-01-01"}, "exploratory"), ({"blind": True}, "registered")]
)
def test_a_plan_counts_only_where_no_report_with_effects_was_there(data, run, status):
    report = data.parent / "reports" / "acme"
    report.mkdir(parents=True)
    (report / "run.json").write_text(json.dumps(run), encoding="utf-8")
    assert registered(data).plan.effects_seen_at == run.get("created", "")
    assert set(standing(data).values()) == {status}


def test_a_ledger_that_was_shared_was_seen(data):
    share_study("acme", data, data.parent / "reports" / "acme.share", lambda _: None)
    assert registered(data).plan.effects_seen_at.startswith("20")
    assert set(standing(data).values()) == {"exploratory"}


def test_a_plan_made_after_effects_were_seen_does_not_take_the_place_of_the_first(data):
    registered(data)
    (data.parent / "reports" / "acme").mkdir(parents=True)
    (data.parent / "reports" / "acme" / "run.json").write_text("{}", encoding="utf-8")
    second = registered(data, reason="it looked better", smallest_effects={"H1_retention": 0.001})
    assert second.plan.effects_seen_at == "unknown"
    found = standing(data, smallest_effects={"H1_retention": 0.001})
    assert found["H1_retention", "mentor"] == "deviates" and found["H2_morale", "mentor"] == "registered"
    page = readable(study_page(answer(open_study("acme", data))))
    assert "The last of 2 plans was registered after effects had been seen" in page


def test_the_pages_say_it_in_one_line_and_at_every_answer(data):
    registered(data)
    released = answer(_opened_with(data, smallest_effects={"H1_retention": 0.05}))
    summary = readable(study_page(released))
    assert (
        "Plan 1 was registered on" in summary
        and "2 deviate (Retention; the page of an answer says from what)" in summary
    )
    shown = study_released(replace(examined(), registered=released.findings[0].registered))
    page = readable(evidence_pages(shown)["retention.html"]())
    assert "Deviates from the registered plan: smallest_effect 0.05 instead of 0.03." in page
    assert released.run["registration"]["counts"] and released.run["registration"]["is_same_code"]


def test_a_page_without_a_plan_says_nothing_of_one(data):
    assert "plan was registered" not in readable(study_page(answer(open_study("acme", data)))).lower()


def test_a_report_is_made_again_after_a_plan_was_registered(data):
    report = data.parent / "reports" / "acme"
    report.mkdir(parents=True)
    task = Task("acme", "acme", data, data.parent / "reports", is_blind=True)
    (report / "run.json").write_text(json.dumps({"blind": True, "made_from": task.parts}))
    for name in ("index.html", "estimates.csv", "findings.csv", "data_quality.csv"):
        (report / name).touch()
    assert task.why() == ""
    registered(data)
    assert task.why() == "a plan was registered"


def test_the_command_says_what_it_wrote_and_what_that_proves(data):
    asked = ["register", "acme", "--data", str(data), "--reports", str(data.parent / "reports")]
    first, again = (CliRunner().invoke(app, asked) for _ in range(2))
    assert first.exit_code == 0 and "plan 1 registered" in first.output and "it proves no date" in first.output
    assert again.exit_code == 0 and "nothing written" in again.output
