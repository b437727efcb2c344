"""`mentoring share`: what is written, and what is not."""

import hashlib
import json

import pandas as pd
import pytest
from studies import TINY_COMPANY, write_study
from typer.testing import CliRunner

from analysis.cli import app
from analysis.pipeline.released import share_study
from analysis.plan.errors import BadInput
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
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["acme.share"]
