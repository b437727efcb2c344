"""Nothing that the project writes for people runs as a formula when it is opened in a spreadsheet program."""

import pandas as pd
import pytest

from analysis.plan.errors import Problem
from analysis.report.ledger import write_problems
from analysis.report.safe_cells import export_safe


@pytest.mark.parametrize("cell", ["=1+1", '=HYPERLINK("x")', "+1+1", "-1-1", "@SUM(A1)", "\t=1", "\r=1", "+", "-1,5"])
def test_a_text_that_would_run_gets_an_apostrophe(cell):
    assert export_safe(pd.DataFrame({"a": [cell]})).loc[0, "a"] == f"'{cell}"


@pytest.mark.parametrize("cell", ["-1.5", "+3", "-2e-05", "-.5", "a=b", "", "'=1", "1-2", " =1", -1.5, None, True])
def test_everything_else_stays_as_it_is(cell):
    frame = pd.DataFrame({"a": pd.Series([cell, "text"], dtype=object)})
    pd.testing.assert_frame_equal(export_safe(frame), frame)


def test_numbers_keep_their_type():
    frame = pd.DataFrame({"n": [-1.5, None], "k": [1, -2], "t": ["a", None]})
    pd.testing.assert_frame_equal(export_safe(frame), frame)


def test_the_ledger_is_written_safe(tmp_path):
    write_problems([Problem(severity="info", table="jobs", source="=cmd.csv", rule="r", message="+x")], tmp_path)
    line = (tmp_path / "data_quality.csv").read_text().splitlines()[1]
    assert ",'=cmd.csv," in line
    assert ",'+x," in line
