"""`mentoring share`: what is written, and what is not."""

import hashlib
import json
import re

import pandas as pd
import pytest
from studies import TINY_COMPANY, write_study
from typer.testing import CliRunner

from analysis.cli import app
from analysis.pipeline.released import share_study
from analysis.plan.errors import BadInput
from analysis.plan.results import Estimated, Finding
from analysis.release.outside import NOT_SHARED


def test_a_shared_folder_holds_the_ledger_and_what_it_is_of_and_nothing_else(tmp_path):
    write_study(tmp_path / "data" / "acme", TINY_COMPANY)
    folder = share_study("acme", tmp_path / "data", tmp_path / "out", say=lambda _: None)
    assert sorted(path.name for path in folder.iterdir()) == ["estimates.csv", "share.json"]
    ledger = pd.read_csv(folder / "estimates.csv")
    assert len(ledger) and set(zip(ledger["status"], ledger["reason"], strict=True)) == {("suppressed", NOT_SHARED)}
    about = json.loads((folder / "share.json").read_text(encoding="utf-8"))
    assert about["study"] == "acme" and about["audience"] == "outside" and len(about["digest"]) == 64
    raw = [path for path in (tmp_path / "data" / "acme").rglob("*") if path.is_file()]
    told = (folder / "share.json").read_text(encoding="utf-8")
    assert not [path for path in raw if hashlib.sha256(path.read_bytes()).hexdigest() in told or path.name in told]


def test_bad_input_is_not_shared(tmp_path):
    tables = TINY_COMPANY | {"employees": TINY_COMPANY["employees"].replace("2019-03-01", "yesterday")}
    write_study(tmp_path / "data" / "acme", tables)
    with pytest.raises(BadInput):
        share_study("acme", tmp_path / "data", tmp_path / "out", say=lambda _: None)
    assert not (tmp_path / "out").exists()


def test_the_command_says_where_the_ledger_is_and_leaves_the_report_alone(tmp_path):
    write_study(tmp_path / "data" / "acme", TINY_COMPANY)
    run = CliRunner().invoke(app, ["share", "acme", "--data", str(tmp_path / "data"), "--reports", str(tmp_path / "r")])
    assert run.exit_code == 0 and "acme.share" in run.output
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["acme.share", "releases.jsonl"]


# --- over time --------------------------------------------------------------------------------------------------------


def told(n_treated: int, effect: float) -> Finding:
    about = {"hypothesis": "H2_morale", "outcome": "morale", "measure": "mean_difference", "role": "mentor",
             "contrast": "enrolled_vs_not", "estimand": "ATT", "estimator": "dr_did", "horizon_months": 12}  # fmt: skip
    main = Estimated(study="acme", program="genius", analysis="primary", **about, estimate=effect, std_error=0.09,
                    ci_low=effect - 0.18, ci_high=effect + 0.18, ci_level=0.95, n_treated=n_treated,
                    n_control=3 * n_treated)  # fmt: skip
    return Finding(hypothesis="H2_morale", program="genius", role="mentor", primary=main, verdict="inconclusive",
                   smallest_effect=0.2)  # fmt: skip


@pytest.fixture
def share(tmp_path, monkeypatch):
    """Return a function that shares a company of which just one thing is found."""
    write_study(tmp_path / "data" / "acme", TINY_COMPANY)

    def run(n_treated: int, effect: float, *options: str):
        monkeypatch.setattr("analysis.pipeline.released.find", lambda _: (told(n_treated, effect),))
        places = ["--data", str(tmp_path / "data"), "--reports", str(tmp_path / "r")]
        return CliRunner().invoke(app, ["share", "acme", *places, *options])

    return run


def test_a_release_that_tells_of_a_few_people_beside_an_earlier_one_is_refused_and_nothing_is_written(share, tmp_path):
    first = share(60, 0.2, "--to", "works council")
    assert first.exit_code == 0 and "checked against nothing" in first.output
    kept = {path: path.read_bytes() for path in (tmp_path / "r").rglob("*") if path.is_file()}
    found = share(61, 0.24)
    assert isinstance(found.exception, BadInput)
    [problem] = found.exception.problems
    for said in (
        "acme, row H2-",
        "as few as 1 person",
        "this release and release 1 (share of",
        "works council",
        "--leave-out",
    ):
        assert said in problem.message
    assert {path: path.read_bytes() for path in (tmp_path / "r").rglob("*") if path.is_file()} == kept
    elsewhere = share(61, 0.24, "--out", str(tmp_path / "elsewhere" / "ledger"))
    assert isinstance(elsewhere.exception, BadInput) and not (tmp_path / "elsewhere" / "ledger").exists()


def test_without_the_record_it_is_made_and_the_command_says_that_nothing_was_checked(share, tmp_path):
    assert share(60, 0.2).exit_code == 0
    (tmp_path / "r" / "releases.jsonl").unlink()
    found = share(61, 0.24)
    assert found.exit_code == 0 and "checked against nothing" in found.output and "the record is lost" in found.output


def test_what_is_shared_once_more_and_what_many_more_people_changed_is_released(share, tmp_path):
    for n_treated, effect in ((60, 0.2), (60, 0.2), (80, 0.26)):
        assert share(n_treated, effect).exit_code == 0
    lines = (tmp_path / "r" / "releases.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert "checked against 3 earlier releases" in share(80, 0.26).output


def test_a_row_can_be_left_out_or_be_shown_after_a_review(share, tmp_path):
    share(60, 0.2)
    row = pd.read_csv(tmp_path / "r" / "acme.share" / "estimates.csv")["row"].item()
    assert share(61, 0.24, "--leave-out", row).exit_code == 0
    ledger = pd.read_csv(tmp_path / "r" / "acme.share" / "estimates.csv")
    assert ledger["status"].tolist() == ["suppressed"] and ledger["n_treated"].isna().all()
    assert isinstance(share(61, 0.24, "--leave-out", "H2-nothing").exception, BadInput)
    reviewed = share(61, 0.24, "--after-review", "30 people have changed, 15 on each side")
    assert reviewed.exit_code == 0 and "made after a review, although acme, row H2-" in reviewed.output
    told = CliRunner().invoke(app, ["releases", "acme", "--reports", str(tmp_path / "r")]).output
    assert told.count("share") == 3 and "30 people have changed" in told and "not said" in told


def test_releases_lists_those_of_a_study_alone(share, tmp_path):
    places = ["--reports", str(tmp_path / "r")]
    assert "holds no release;" in CliRunner().invoke(app, ["releases", *places]).output
    share(60, 0.2, "--to", "works council")
    assert "works council" in CliRunner().invoke(app, ["releases", *places]).output
    assert "holds no release of other" in CliRunner().invoke(app, ["releases", "other", *places]).output


@pytest.mark.parametrize("label", ["ann@acme.example", "x" * 201, "two\nlines"])
def test_an_address_is_no_audience(share, tmp_path, label):
    assert isinstance(share(60, 0.2, "--to", label).exception, BadInput)
    assert not (tmp_path / "r").exists()


def test_the_record_holds_no_id_of_a_person(share, tmp_path):
    share(60, 0.2)
    record = (tmp_path / "r" / "releases.jsonl").read_text()
    ids = set(re.findall(r"^([^,\n]+),", TINY_COMPANY["employees"], re.M)) - {"employee_id"}
    assert ids and not [one for one in ids if f'"{one}"' in record]
    mark = json.loads(record)["release"]["ledgers"][0]["mark"]
    assert len(mark) == 64 and mark.count("-") > 40, "few people, few digits"
