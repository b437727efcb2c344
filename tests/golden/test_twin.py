"""The demos' raw files, as vendors write them: the tables that the simulator gives today, and the same estimates.

Nothing here writes a vendor's format: the files were made once, are committed and stay as they are.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from demo_answers import demo_answer
from markers import read_rows, write_rows

from analysis.pipeline import OpenStudy, answer, open_study
from analysis.plan.contract import TABLES
from analysis.plan.paths import project_dir
from analysis.plan.results import estimates_frame
from analysis.release.answer import Released
from analysis.simulate import demo_scenarios, simulate, write_company

DATA = project_dir() / "data"


def twin(name: str, folder: Path) -> OpenStudy:
    """Return a demo as it is simulated today, read from files in the contract's own form."""
    made = simulate(demo_scenarios()[name])
    if name == "fjellkode":  # Google Forms does not tell how long a form took
        untimed = made.tables.responses.assign(duration_seconds=float("nan"))
        made = replace(made, tables=replace(made.tables, responses=untimed))
    write_company(made, folder / name)
    return open_study(name, folder)


def ledger(found: Released) -> pd.DataFrame:
    return estimates_frame(e for finding in found.findings for e in finding.estimates)


def assert_same(one: pd.DataFrame, other: pd.DataFrame, what: str = "estimates") -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True, obj=what)


@pytest.mark.parametrize("name", demo_scenarios())
@pytest.mark.usefixtures("original_ids")
def test_a_demos_files_become_the_tables_of_its_twin_in_the_contracts_own_form(name, tmp_path):
    found, wanted = open_study(name, DATA).tables, twin(name, tmp_path).tables
    for table in TABLES:
        rows, own = getattr(found, table), getattr(wanted, table)
        assert (rows is None) == (own is None), table
        if own is None:
            continue
        # The day of the first hire of all, which some vendors' exports have beside the spell's own, is not used here.
        aside = {"original_hire_date": own["original_hire_date"]} if table == "employees" else {}
        assert len(own) > 0
        assert_same(rows.assign(**aside), own, table)


def test_a_demos_files_give_the_estimates_of_its_twin(tmp_path):
    found = ledger(demo_answer("plumetree"))
    assert {"H1_retention", "H2_morale"} <= set(found.loc[found["status"] == "estimated", "hypothesis"])
    assert_same(ledger(answer(twin("plumetree", tmp_path))), found)


def test_no_two_demos_use_the_same_vendors():
    studies = [yaml.safe_load((DATA / name / "study.yaml").read_text(encoding="utf-8")) for name in demo_scenarios()]
    mixes = [frozenset((s["table"], s["profile"]) for s in study["sources"]) for study in studies]
    assert len(set(mixes)) == len(demo_scenarios())
    assert not any(profile == "canonical" for mix in mixes for table, profile in mix if table != "waves"), (
        "a demo shows that exports are read"
    )


def test_no_estimate_depends_on_the_key_of_the_pseudonyms(tmp_path, monkeypatch):
    ids = set(open_study("fjellkode", DATA).tables.employees["employee_id"])
    expected = ledger(demo_answer("fjellkode"))
    monkeypatch.setenv("MENTORING_KEY", str(tmp_path / "another-key"))
    other = open_study("fjellkode", DATA)
    assert ids.isdisjoint(other.tables.employees["employee_id"])
    assert_same(ledger(answer(other)), expected)


def test_no_estimate_depends_on_the_order_of_a_files_rows(tmp_path):
    shutil.copytree(DATA / "fjellkode", tmp_path / "fjellkode", ignore=shutil.ignore_patterns("SHA256SUMS"))
    for path in (tmp_path / "fjellkode" / "raw").glob("*.csv"):
        header, *rows = read_rows(path)
        if not path.name.startswith("pulse"):  # forms come in the order in which they were sent
            write_rows(path, [header, *pd.Series(rows).sample(frac=1, random_state=1)])
    one, two = open_study("fjellkode", DATA), open_study("fjellkode", tmp_path)
    assert not one.tables.sessions.equals(two.tables.sessions) and len(one.tables.sessions) == len(two.tables.sessions)
    assert_same(ledger(answer(two)), ledger(demo_answer("fjellkode")))
