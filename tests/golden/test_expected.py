"""The committed numbers stand: recomputed from the raw files, compared to the last digit."""

import io

import pandas as pd
import pytest
from expected import EXPECTED, beside_truth, demo_estimates, demo_truths

from analysis.estimate.event_rows import WIDEST_RATIO
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.hypotheses import load_plan

# Numbers are written with six decimals: half of the last one is all that rounding can explain.
HALF_A_DIGIT = 5.0001e-7


@pytest.fixture(scope="module")
def recomputed() -> pd.DataFrame:
    return demo_estimates()


def differences(found: pd.DataFrame, expected: pd.DataFrame) -> list[str]:
    """Return every cell in which two ledgers differ, as ``row, column``; columns and rows first."""
    if list(found.columns) != list(expected.columns):
        return ["columns"]
    if len(found) != len(expected):
        return [f"{len(found)} rows, not {len(expected)}"]
    unlike = []
    for column in expected:
        a, b = found[column], expected[column]
        if pd.api.types.is_numeric_dtype(b) and not pd.api.types.is_bool_dtype(b):
            a, b = a.astype(float), b.astype(float)
            same = ((a - b).abs() <= HALF_A_DIGIT) | (a.isna() & b.isna())
        else:
            same = a.astype(object).where(a.notna(), "").astype(str) == b.astype(object).where(b.notna(), "").astype(
                str
            )
        unlike += [f"row {row}, {column}" for row in expected.index[~same]]
    return unlike


def as_read(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(frame.to_csv(index=False)))


def test_estimates_are_the_expected_ones(recomputed):
    assert differences(as_read(recomputed), pd.read_csv(EXPECTED / "estimates.csv")) == []


def test_the_table_beside_the_truth_is_the_expected_one(recomputed):
    table = beside_truth(recomputed, demo_truths()).round(6)
    assert differences(as_read(table), pd.read_csv(EXPECTED / "truth.csv")) == []


def test_a_ratio_whose_interval_says_nothing_is_not_estimated():
    """With hardly an exit in an arm the limits of a hazard ratio once stood in the hundreds of millions."""
    ledger = pd.read_csv(EXPECTED / "estimates.csv")
    ratios = ledger[ledger["measure"].isin([name for name, m in CATALOGUE.measures.items() if m.is_ratio])]
    told = ratios[(ratios["status"] == "estimated") & (ratios["ci_low"] > 0)]
    assert len(told) > 100 and (told["ci_high"] / told["ci_low"] <= WIDEST_RATIO).all()
    refused = ratios[ratios["reason"].fillna("").str.contains("a factor of over 1,000")]
    assert {"fjellkode", "ostwire", "plumetree"} == set(refused["study"]) and refused["estimate"].isna().all()


def test_every_interval_beside_the_truth_has_one():
    table = pd.read_csv(EXPECTED / "truth.csv")
    estimated = table[table["status"] == "estimated"]
    assert set(table["study"]) == {
        "northbank",
        "kesselwerk",
        "fjellkode",
        "larkfield",
        "ostwire",
        "plumetree",
        "heronmere",
    }
    assert set(estimated["hypothesis"]) == {"H1_retention", *(h.id for h in load_plan().scales), "H8_promotion"}
    assert estimated["truth"].notna().all() and estimated["interval_holds_truth"].notna().all()
    assert table.loc[table["status"] != "estimated", "reason"].notna().all()


@pytest.mark.parametrize("column", ["estimate", "ci_low", "p_value", "n_treated"])
def test_one_changed_digit_is_noticed(column):
    expected = pd.read_csv(EXPECTED / "estimates.csv")
    changed = expected.copy()
    row = expected[column].first_valid_index()
    changed.loc[row, column] += 1 if column == "n_treated" else 1e-6
    assert differences(changed, expected) == [f"row {row}, {column}"]
    assert differences(expected, expected) == []


def test_a_changed_word_is_noticed():
    expected = pd.read_csv(EXPECTED / "estimates.csv")
    changed = expected.assign(status=expected["status"].where(expected.index > 0, "suppressed"))
    assert differences(changed, expected) == ["row 0, status"]
