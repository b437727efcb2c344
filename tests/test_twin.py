"""One company as its vendors write it and in the contract's own form: the same estimates, to the last digit."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from analysis.pipeline import OpenStudy, answer, open_study
from analysis.plan.results import estimates_frame
from analysis.simulate import Scenario, scenario_named, simulate, write_company
from analysis.simulate.exports.sheet import Sheet
from analysis.simulate.scenario import Vendors

CANONICAL = Vendors()
THREE_VENDORS = Vendors(hr="workday", platform="chronus", survey="qualtrics")
BY_NAME = Vendors(hr="bamboohr", platform="pairs", survey="limesurvey")
TABLES = ("employees", "jobs", "waves", "responses", "enrolments", "sessions")


def bank() -> Scenario:
    """Return a small bank like northbank, with one scale and one horizon so that an answer takes seconds."""
    like = scenario_named("twin", like="northbank", employees=700)
    pulse = like.surveys[0]
    morale = replace(pulse, scales=pulse.scales[:1], opens=pulse.opens[1:5])
    return replace(like, surveys=(morale,), horizons_months=(12,))


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Callable[[Vendors], OpenStudy]:
    """Return a function that opens the bank, written as these vendors write it."""

    @cache
    def study(vendors: Vendors) -> OpenStudy:
        return written_and_opened(vendors, tmp_path_factory.mktemp("data"))

    return study


@pytest.fixture(scope="module")
def estimates(opened) -> Callable[[Vendors], pd.DataFrame]:
    """Return a function that gives the bank's ledger of estimates."""
    return cache(lambda vendors: ledger(opened(vendors)))


def written_and_opened(vendors: Vendors, data: Path) -> OpenStudy:
    write_company(simulate(replace(bank(), vendors=vendors)), data / "twin")
    return open_study("twin", data)


def ledger(study: OpenStudy) -> pd.DataFrame:
    return estimates_frame(e for finding in answer(study).findings for e in finding.estimates)


def assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize("vendors", [THREE_VENDORS, BY_NAME], ids=["three vendors", "by name"])
@pytest.mark.parametrize("table", TABLES)
def test_vendors_files_become_the_tables_of_the_contracts_own_form(opened, vendors, table):
    rows = getattr(opened(CANONICAL).tables, table)
    assert len(rows) > 0
    # The day of the first hire of all, which some vendors' exports have beside the spell's own, is not used here.
    aside = {"original_hire_date": rows["original_hire_date"]} if table == "employees" else {}
    assert_same(getattr(opened(vendors).tables, table).assign(**aside), rows)


@pytest.mark.parametrize("vendors", [THREE_VENDORS, BY_NAME], ids=["three vendors", "by name"])
def test_vendors_files_give_the_estimates_of_the_contracts_own_form(estimates, vendors):
    found = estimates(CANONICAL)
    assert {"H1_retention", "H2_morale"} <= set(found.loc[found["status"] == "estimated", "hypothesis"])
    assert_same(estimates(vendors), found)


def test_no_estimate_depends_on_the_key_of_the_pseudonyms(opened, estimates, tmp_path, monkeypatch):
    monkeypatch.setenv("MENTORING_KEY", str(tmp_path / "another-key"))
    other = written_and_opened(THREE_VENDORS, tmp_path)
    ids = set(opened(THREE_VENDORS).tables.employees["employee_id"])
    assert ids.isdisjoint(other.tables.employees["employee_id"])
    assert_same(ledger(other), estimates(THREE_VENDORS))


def test_no_estimate_depends_on_the_order_of_a_files_rows(opened, estimates, tmp_path, monkeypatch):
    in_order = Sheet.of

    def shuffled(frame: pd.DataFrame, *above) -> Sheet:
        # forms, which stand below several header lines, come in the order in which they were sent
        return in_order(frame, *above) if above else in_order(frame.sample(frac=1, random_state=1))

    monkeypatch.setattr(Sheet, "of", shuffled)
    other = written_and_opened(THREE_VENDORS, tmp_path)
    one, two = (study.tables.sessions for study in (opened(THREE_VENDORS), other))
    assert not one.equals(two) and len(one) == len(two)
    assert_same(ledger(other), estimates(THREE_VENDORS))
