"""`mentoring reproduce`: ledgers made again in a fresh process; a changed digit anywhere is named."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from studies import TINY_COMPANY, write_study
from typer.testing import CliRunner

from analysis.cli import app
from analysis.ingest.checksums import SUMS
from analysis.pipeline.reproduced import Remade, read_text, remake
from analysis.plan.errors import BadInput
from analysis.plan.paths import project_dir
from analysis.plan.results import ESTIMATE_COLUMNS
from analysis.runs.reproduction import (
    LEDGERS,
    ONE_IN_THE_LAST_DIGIT,
    VERDICTS,
    compare,
    comparison_csv,
    expected_ledgers,
)

EXPECTED = project_dir() / "reports" / "expected"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory) -> Path:
    """A data folder with a tiny study, and beside it the ledgers that an earlier run wrote of it."""
    folder = tmp_path_factory.mktemp("earlier")
    write_study(folder / "data" / "acme", TINY_COMPANY)
    made = remake("acme", folder / "data")
    target = folder / "reports" / "acme"
    target.mkdir(parents=True)
    for name, ledger in made.ledgers.items():
        ledger.to_csv(target / name, index=False)
    (target / "run.json").write_text("{}", encoding="utf-8")
    return folder


def run(folder: Path, *arguments: object):
    asked = ["--data", folder / "data", "--reports", folder / "out", "--jobs", 1]
    return CliRunner().invoke(app, ["reproduce", *map(str, [*arguments, *asked])])


def test_what_is_made_again_is_the_same_and_every_row_has_its_verdict(earlier):
    found = run(earlier, "acme", "--against", earlier / "reports")
    assert found.exit_code == 0, found.output
    rows = pd.read_csv(earlier / "out" / "reproduction.csv")
    assert set(rows["verdict"]) == {"reproduced"} and set(rows["ledger"]) == {"estimates.csv", "findings.csv"}
    n = sum(len(read_text(earlier / "reports" / "acme" / name)) for name in LEDGERS)
    assert len(rows) == n > 10


def test_a_changed_digit_ends_with_one_and_is_named_with_row_and_column(earlier, tmp_path):
    shutil.copytree(earlier / "data", tmp_path / "data")
    shutil.copytree(earlier / "reports", tmp_path / "reports")
    path = tmp_path / "reports" / "acme" / "findings.csv"
    ledger = read_text(path)
    ledger.loc[0, "verdict"] = "supported"
    ledger.to_csv(path, index=False)
    found = run(tmp_path, "acme", "--against", tmp_path / "reports")
    assert found.exit_code == 1
    assert f"acme/findings.csv, row {ledger.loc[0, 'row']}: diverged; verdict: supported →" in found.output


def test_a_raw_file_that_is_not_the_one_of_its_checksum_ends_with_two(earlier, tmp_path):
    shutil.copytree(earlier / "data", tmp_path / "data")
    listed = sorted(p.relative_to(tmp_path / "data" / "acme") for p in (tmp_path / "data" / "acme").rglob("*.csv"))
    sums = "".join(f"{'0' * 64}  {path.as_posix()}\n" for path in listed)
    (tmp_path / "data" / "acme" / SUMS).write_text(sums, encoding="utf-8")
    found = run(tmp_path, "acme", "--against", earlier / "reports")
    assert found.exit_code == 2 and "raw/employees.csv: is no" in found.output and SUMS in found.output


def test_a_study_without_expected_numbers_is_told(earlier):
    found = run(earlier, "nobody", "--against", earlier / "reports")
    assert isinstance(found.exception, BadInput) and "has no ledger of nobody" in str(found.exception)
    with pytest.raises(BadInput, match="has no ledger;"):
        expected_ledgers(earlier / "data", [])


# --- every cell of the demos' ledger ----------------------------------------------------------------------------------


def expected(study: str) -> dict[str, pd.DataFrame]:
    return expected_ledgers(EXPECTED, [study])[study]


def changed(value: str) -> str:
    """Return a cell with its last digit changed by two, or a text with a letter more."""
    if value and value[-1].isdigit():
        return value[:-1] + str((int(value[-1]) + 2) % 10)
    return value + "x"


@pytest.mark.parametrize("column", [*ESTIMATE_COLUMNS])
def test_one_changed_digit_anywhere_in_the_ledger_is_named(column):
    """Every cell of a demo's ledger: its row and its column are told, and no other; all of a column at once."""
    before = expected("larkfield")
    ledger = before["estimates.csv"]
    now = ledger.assign(**{column: ledger[column].map(changed)})
    told = compare(Remade("larkfield", {"estimates.csv": now}), before)
    assert [row.row for row in told] == ledger["row"].tolist()
    assert {tuple(d.split(":")[0] for d in row.differences) for row in told} == {(column,)}
    assert {row.verdict for row in told} == {"diverged"}


def test_one_changed_cell_leaves_every_other_row_reproduced():
    before = expected("larkfield")
    now = before["estimates.csv"].copy()
    now.loc[17, "n_control"] = changed(now.loc[17, "n_control"])
    verdicts = [row.verdict for row in compare(Remade("larkfield", {"estimates.csv": now}), before)]
    assert [n for n, verdict in enumerate(verdicts) if verdict != "reproduced"] == [17]


@pytest.mark.parametrize(
    ("column", "before", "now", "verdict"),
    [
        ("estimate", "-0.044", "-0.045", "within tolerance"),
        ("estimate", "-0.044", "-0.046", "diverged"),
        ("estimate", "-0.04", "-0.040", "reproduced"),
        ("estimate", "0.1", "0.11", "within tolerance"),
        ("p_value", "0.17", "0.16", "within tolerance"),
        ("p_value", "0.17", "", "diverged"),
        ("n_treated", "135", "136", "diverged"),
        ("horizon_months", "12", "13", "diverged"),
        ("status", "estimated", "suppressed", "diverged"),
    ],
)
def test_the_tolerance_is_one_in_the_last_digit_of_computed_numbers_and_nothing_else(column, before, now, verdict):
    was = {"estimates.csv": pd.DataFrame({"row": ["H1-x"], column: [before]})}
    [found] = compare(Remade("acme", {"estimates.csv": pd.DataFrame({"row": ["H1-x"], column: [now]})}), was)
    assert found.verdict == verdict


def test_rows_that_are_missing_or_new_and_columns_are_told():
    before = expected("larkfield")
    ledger = before["estimates.csv"]
    other = ledger.iloc[1:].assign(row=["H1-new", *ledger["row"].iloc[2:]])
    found = {r.row: r.verdict for r in compare(Remade("larkfield", {"estimates.csv": other}), before)}
    assert found[ledger["row"].iloc[0]] == found[ledger["row"].iloc[1]] == "missing" and found["H1-new"] == "new"
    [header, *_] = compare(Remade("larkfield", {"estimates.csv": ledger.drop(columns="p_value")}), before)
    assert (header.row, header.verdict, header.differences) == ("(header)", "diverged", ("column p_value",))
    assert all(r.verdict == "missing" for r in compare(Remade("larkfield"), before))


def test_the_tolerance_is_said_where_people_look_it_up():
    codebook = (project_dir() / "data" / "README.md").read_text(encoding="utf-8")
    told = codebook.partition("### reproduction.csv")[2].partition("\n#")[0]
    assert all(f"`{name}`" in told for name in (*ONE_IN_THE_LAST_DIGIT, *VERDICTS))
    assert "study,ledger,row,verdict,differences" in comparison_csv([])
