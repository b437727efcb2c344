"""A blind report shows what a design can be judged by, and no effect: attacked in every file that is written."""

import os
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from in_process import make_reports_here
from scale_examples import by_lottery, scale
from studies import TINY_COMPANY, write_study
from test_report import economics, examined, finding, promotion, readable, released, row
from typer.testing import CliRunner

import analysis.pipeline as pipeline
from analysis.answers.shared import SHARED, is_blind_run
from analysis.cli import app
from analysis.pipeline.released import WITHHELD, blinded
from analysis.plan.results import ESTIMATE_NUMBERS, Check, Finding
from analysis.release.findings import release_finding
from analysis.release.rule import ReleaseRule
from analysis.report.index import index_page, read_index_entry
from analysis.report.wording import estimate_text, interval_text
from analysis.report.write import write_answers

UNLIKE = Check("balance", False, 0.32, 0.25, "The largest difference is 0.32.", grade="failed",
               brief="the groups differ in tenure", caps="groups_not_comparable")  # fmt: skip


def seen() -> tuple[Finding, ...]:
    """Return the answers of a study as they are without the option, every kind of them."""
    return examined(checks=(UNLIKE,)), promotion(), economics(), scale(), scale("H5_cross_generational"), by_lottery()


def effects() -> list:
    """Return every row that says what the program did; what should be nothing is none of them."""
    return [e for f in seen() for e in f.estimates if e.is_estimated and e.analysis != "negative_control"]


def told(folder: Path) -> str:
    """Return all text of a folder, that in pictures too: those on a page are the files beside it.

    Where a picture's lines and words stand is no number that is shown.
    """
    texts = [p.read_text(encoding="utf-8") for p in folder.rglob("*") if p.suffix in (".csv", ".html", ".json")]
    texts = [re.sub(r"base64,[\w+/=]+", "", text) for text in texts]
    return "\n".join([*texts, *(words for svg in folder.rglob("*.svg") for words in words_of(svg.read_text("utf-8")))])


def words_of(svg: str) -> list[str]:
    """Return the texts of a picture."""
    return re.findall(r">([^<]*\S[^<]*)<", svg)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The folder of a blind report."""
    answer = released(*(blinded(f) for f in seen()))
    target = tmp_path_factory.mktemp("reports") / "acme"
    target.mkdir()
    write_answers(replace(answer, run=dict(answer.run) | {"blind": True}), target)
    return target


def test_no_number_of_an_effect_is_in_any_file(folder):
    text = told(folder)
    for effect in effects():
        assert interval_text(effect) not in text and estimate_text(effect) not in text
        for name in ("estimate", "ci_low", "ci_high"):
            digits = repr(getattr(effect, name)).lstrip("-")
            if len(digits.replace(".", "").strip("0")) >= 3:
                assert digits not in text, (effect.hypothesis, name)
    assert text.count("<img") > 3
    assert words_of((folder / "figures" / "genius-mentor-H1_retention-balance.svg").read_text("utf-8"))


def test_the_ledgers_withhold_every_effect_and_keep_what_should_be_nothing(folder):
    ledger = pd.read_csv(folder / "estimates.csv")
    withheld = ledger[ledger["analysis"] != "negative_control"]
    assert withheld[ESTIMATE_NUMBERS].isna().all(axis=None)
    assert (withheld["status"] == "not_estimable").all() and WITHHELD in withheld["reason"].tolist()
    controls = ledger[ledger["analysis"] == "negative_control"]
    assert controls["estimate"].notna().any()
    findings = pd.read_csv(folder / "findings.csv")
    assert set(findings["verdict"]) == {"not_estimable"} and set(findings["verdict_reason"]) == {"blind"}
    assert findings["smallest_detectable"].notna().all() and findings["p_adjusted"].isna().all()
    assert findings.loc[0, "failed"] == "balance" and findings.loc[0, "row"] == examined().primary.row


def test_the_page_says_blind_and_shows_the_design(folder):
    summary = readable((folder / "index.html").read_text(encoding="utf-8"))
    assert "BLIND" in summary and "Withheld" in summary and "Every effect is withheld" in summary
    text = " ".join(readable(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.html")))
    assert "BLIND" in text and "Withheld" in text and "Nothing could be estimated" not in text
    assert "1 of 1 check failed: the groups differ in tenure" in text and "This study could have seen" in text
    assert "which the program should not change" in text, "dismissals, a negative control, are shown"
    names = {p.name for p in (folder / "figures").iterdir()}
    assert {"genius-mentor-H1_retention-balance.svg", "genius-mentor-H1_retention-overlap.svg"} <= names
    assert not [n for n in names if any(kind in n for kind in ("ladder", "curves", "ways", "kinds", "delta", "money"))]


def test_the_index_says_blind(folder):
    text = readable(index_page([read_index_entry(folder)]))
    assert "BLIND: effects withheld" in text and "Withheld" in text


def test_waves_after_the_start_are_withheld_and_those_before_it_stay():
    frame = blinded(scale()).evidence["event_study"]
    assert (frame["position"] <= 0).all() and (frame["position"] < 0).any()
    assert set(blinded(scale()).evidence) & {"honest", "delta", "lee", "curves"} == set()


def test_what_is_too_small_to_be_shown_stays_suppressed():
    few = finding(row(n_treated=4), "supported", checks=(UNLIKE,))
    found = blinded(release_finding(few, ReleaseRule(10)))
    assert (found.verdict, found.verdict_reason, found.checks) == ("suppressed", "small_group", ())


def test_the_notebooks_of_a_blind_run_are_given_no_effect_and_may_not_make_one(tmp_path, monkeypatch):
    """They read the answer of the run; where they could not use it they would make their own, which is blind too."""
    write_study(tmp_path / "tiny", TINY_COMPANY)
    monkeypatch.setattr(pipeline, "find", lambda opened: seen())
    monkeypatch.setattr(pipeline, "released_findings", lambda found, min_cell: found)  # they are released already
    monkeypatch.setattr("analysis.report.write.write_answers", lambda *_: None)
    given = []

    def look(*args, **options):
        given.append((pickle.loads(Path(os.environ[SHARED]).read_bytes()).released, is_blind_run()))

    monkeypatch.setattr("analysis.report.execute.execute_notebooks", look)
    pipeline.report_study("tiny", tmp_path, tmp_path / "reports", is_blind=True, say=lambda text: None)
    [(answer, is_blind)] = given
    assert is_blind and not is_blind_run() and answer.run["blind"] is True
    rows = [e for f in answer.findings for e in f.estimates if e.analysis != "negative_control"]
    assert rows and not any(e.is_estimated for e in rows)


def test_the_command_hands_the_option_on(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(pipeline, "report_study", lambda *args, **options: asked.append((args, options)))
    make_reports_here(monkeypatch)
    write_study(tmp_path / "data" / "tiny", TINY_COMPANY)
    where = ["--data", str(tmp_path / "data"), "--reports", str(tmp_path / "reports")]
    for flags in ([], ["--blind"]):
        CliRunner().invoke(app, ["report", "tiny", *flags, *where])
    (plain, _), (blind, options) = asked
    assert True in (*blind[3:], *options.values()) and True not in plain[5:]
