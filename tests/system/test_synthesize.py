"""`mentoring synthesize`: from folders that companies sent to a page, a ledger and forest plots."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from networks import invented_network, shared_row, write_ledger, write_network
from typer.testing import CliRunner

from analysis.cli import app
from analysis.plan.errors import BadInput
from analysis.synthesis.pooled import COLUMNS


def run(*arguments: object):
    return CliRunner().invoke(app, ["synthesize", *map(str, arguments)])


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report over thirty invented companies."""
    folder = tmp_path_factory.mktemp("thirty")
    invented_network(folder / "ledgers", 30, np.random.default_rng(11))
    found = run(folder / "ledgers", "--reports", folder / "reports")
    assert found.exit_code == 0, found.output
    return folder / "reports" / "synthesis"


def test_the_folder_holds_page_ledger_plots_and_what_went_in(report):
    assert sorted(p.name for p in report.iterdir()) == ["figures", "index.html", "pooled.csv", "run.json"]
    assert len(list((report / "figures").glob("forest-*.svg"))) == 4
    ledger = pd.read_csv(report / "pooled.csv")
    assert list(ledger.columns) == [*COLUMNS, "row"]
    assert {"primary", "sensitivity", "naive"} == set(ledger["analysis"])
    assert {"all", "without", "assignment", "direction", "sector", "size"} & set(ledger["group"]) >= {"all", "without"}


def test_the_page_tells_every_pooled_answer_and_loads_nothing(report):
    page = (report / "index.html").read_text(encoding="utf-8")
    ledger = pd.read_csv(report / "pooled.csv")
    judged = ledger[ledger["verdict"].notna()]
    assert len(judged) and all(row in page for row in judged["row"])
    assert not re.search(r"(src|href)=[\"'](https?:)?//", page)
    for said in ("Over 20 companies", "One more company like these", "What the dashboards of 30 companies would claim",
                 "more companies were asked and", "Jones, Molitor &amp; Reif", "Paule and Mandel", "C07"):  # fmt: skip
        assert said in page, said
    assert "Simulated data: no real company" in page


def test_the_naive_figures_stand_apart_and_say_what_dashboards_would(report):
    ledger = pd.read_csv(report / "pooled.csv")
    alike = ledger[(ledger["group"] == "all") & (ledger["estimator"] == "reml") & (ledger["role"] == "mentor")]
    risks = alike[alike["measure"] == "risk_difference"].set_index("estimand")["estimate"]
    assert risks["association"] < min(risks["ATT"], risks["ITT"]) - 0.04


def test_no_number_of_a_company_is_finer_than_it_shared(report, tmp_path):
    """Whatever is shown of a single company is its shared row: estimate and interval, in a plot that has a decimal."""
    plot = (report / "figures" / "forest-H1_retention-mentor-12.svg").read_text(encoding="utf-8")
    told = re.findall(r">([−+]?\d+\.\d+) \[", plot)
    assert told and all(re.fullmatch(r"[−+]?\d+\.\d", number) for number in told)


def test_a_broken_ledger_ends_with_two_and_leaves_the_report_alone(report, tmp_path):
    before = (report / "index.html").read_bytes()
    folder = write_ledger(tmp_path, [shared_row("acme", -0.06, 0.02)])
    (folder / "share.json").write_text("[]", encoding="utf-8")
    found = run(folder, "--reports", report.parent)
    assert isinstance(found.exception, BadInput) and "Traceback" not in found.output
    assert (report / "index.html").read_bytes() == before


def test_without_a_name_the_shared_folders_of_the_reports_are_taken(tmp_path):
    write_network(tmp_path / "ledgers", [-0.02, -0.03], [0.02, 0.03])
    for path in list((tmp_path / "ledgers").iterdir()):
        path.rename(tmp_path / f"{path.name}.share")
    assert run("--reports", tmp_path).exit_code == 0
    assert "2 companies" in (tmp_path / "synthesis" / "index.html").read_text(encoding="utf-8")
    found = run("--reports", tmp_path / "synthesis")
    assert isinstance(found.exception, BadInput) and "share a study first" in str(found.exception)


def test_one_company_alone_has_a_page_that_says_so(tmp_path):
    write_network(tmp_path / "ledgers", [-0.02], [0.02])
    assert run(tmp_path / "ledgers", "--reports", tmp_path).exit_code == 0
    page = (tmp_path / "synthesis" / "index.html").read_text(encoding="utf-8")
    assert "there is nothing to pool" in page and "Not estimable" in page
    assert "across 1 company<" in page and "shared ledger of one company says" in page and "1 companies" not in page


# --- over time --------------------------------------------------------------------------------------------------------


def test_a_report_is_put_on_record_and_the_same_ledgers_may_be_shown_again(tmp_path):
    write_network(tmp_path / "ledgers", [-0.02, -0.03], [0.02, 0.03])
    first = run(tmp_path / "ledgers", "--reports", tmp_path / "r", "--to", "the companies")
    assert first.exit_code == 0 and "checked against nothing" in first.output
    again = run(tmp_path / "ledgers", "--reports", tmp_path / "r")
    assert again.exit_code == 0 and "checked against 1 earlier release" in again.output
    told = [json.loads(line)["release"] for line in (tmp_path / "r" / "releases.jsonl").read_text().splitlines()]
    assert [(one["kind"], one.get("to")) for one in told] == [("synthesis", "the companies"), ("synthesis", None)]


@pytest.mark.parametrize(
    ("effects", "names", "said"),
    [
        ([-0.02, -0.04], ["company-00", "company-01"], "company-01, row H1-"),
        ([-0.02, -0.03], ["company-00", "company-x"], "showed the same ledger as company-01"),
    ],
)
def test_a_company_a_few_people_later_or_unnamed_stops_the_report(tmp_path, effects, names, said):
    write_network(tmp_path / "before", [-0.02, -0.03], [0.02, 0.03])
    assert run(tmp_path / "before", "--reports", tmp_path / "r").exit_code == 0
    page = (tmp_path / "r" / "synthesis" / "index.html").read_bytes()
    for name, effect, error in zip(names, effects, [0.02, 0.03], strict=True):
        write_ledger(tmp_path / "now", [shared_row(name, effect, error)])
    found = run(tmp_path / "now", "--reports", tmp_path / "r")
    assert isinstance(found.exception, BadInput) and said in str(found.exception)
    assert "release 1 (synthesis of" in str(found.exception)
    assert (tmp_path / "r" / "synthesis" / "index.html").read_bytes() == page
    assert len((tmp_path / "r" / "releases.jsonl").read_text().splitlines()) == 1
    reviewed = run(tmp_path / "now", "--reports", tmp_path / "r", "--after-review", "company-01 has no objection")
    assert reviewed.exit_code == 0
