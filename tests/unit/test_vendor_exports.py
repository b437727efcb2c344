"""Each vendor's small invented export becomes the canonical tables that were written down for it by hand."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.ingest.profile import load_profiles
from analysis.ingest.sources import read_exports
from analysis.plan.instruments import load_instruments
from analysis.plan.read_study import load_study
from analysis.validate.surveys import labels_to_numbers
from analysis.validate.tables import typed

EXPORTS = Path(__file__).parents[1] / "fixtures" / "exports"
VENDORS = sorted(path.parent.name for path in EXPORTS.glob("*/study.yaml"))
# What the people of these exports are called, and what every address has.
OF_PEOPLE = ("@", "testperson", "beispiel", "exemple", "ejemplo", "voorbeeld", "esempio", "eksempel", "campione")


def as_typed(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return text rows with the contract's types and every column that is not the contract's as text."""
    rows = typed(frame.reset_index(drop=True), table)
    further = [name for name, kind in rows.dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
    return rows.astype(dict.fromkeys(further, "str"))


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_export_becomes_the_canonical_tables(vendor):
    study = load_study(vendor, EXPORTS)
    raw, cards = read_exports(study), load_instruments(study)
    expected = {path.stem: path for path in (EXPORTS / vendor / "expected").glob("*.csv")}
    assert [str(p) for p in raw.problems if p.severity == "error"] == []
    assert expected.keys() <= raw.tables.keys()
    for table, path in expected.items():
        wanted = as_typed(pd.read_csv(path, dtype="str", keep_default_na=False).replace("", pd.NA), table)
        found = raw.tables[table].drop(columns=["_source", "_line"]).astype("str")
        if "value" in found:
            found, _ = labels_to_numbers(raw.tables[table].astype({"value": "str"}), cards, table)
            found = found.drop(columns=["_source", "_line"])
        found = as_typed(found, table)
        assert set(found) == set(wanted), table
        pd.testing.assert_frame_equal(found[list(wanted)], wanted, check_dtype=False, obj=table)


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_name_nor_address_of_a_person_is_read(vendor):
    tables = read_exports(load_study(vendor, EXPORTS)).tables.values()
    cells = {text.casefold() for rows in tables for column in rows for text in rows[column].dropna().astype("str")}
    assert [text for text in cells if any(sign in text for sign in OF_PEOPLE)] == []


def test_every_profile_but_the_contracts_own_has_an_export():
    assert set(load_profiles()) - {"canonical"} == set(VENDORS)


@pytest.mark.parametrize("name", sorted(set(load_profiles()) - {"canonical"}))
def test_a_profile_names_where_its_format_is_described_or_says_that_it_is_unverified(name):
    profile = load_profiles()[name]
    assert profile.documentation or profile.unverified
