"""Legal but odd studies come out whole: every question answered or refused with a reason, and no warning or "nan".

A fast subset; ``python -m simulations.degenerate`` makes many more.
"""

from pathlib import Path

import nbformat
import pytest
from degenerate import COMBINED, LIGHT, ODDITIES, odd_company, write
from typer.testing import CliRunner
from whole_report import complaints, few_draws, page_text, shown, text_complaints

from analysis.cli import app

PEOPLE = 40
# What is odd about them hides in one role or one scale: they keep both roles and every survey.
IN_FULL = {"two_items", "only_self_ratings"}


def test_every_oddity_is_in_one_of_the_studies():
    assert set(ODDITIES) == {name for names in COMBINED for name in names} | set(LIGHT)


@pytest.mark.parametrize("names", COMBINED, ids="+".join)
def test_an_odd_study_comes_out_whole(names, tmp_path):
    light = () if IN_FULL & set(names) else LIGHT
    write(odd_company((*names, *light), people=PEOPLE), tmp_path / "odd")
    with few_draws():
        assert complaints("odd", tmp_path) == []


@pytest.mark.parametrize("names", [("four_people", "no_jobs", "no_survey"), ("no_hr_file", "one_wave")], ids="+".join)
def test_the_command_reports_an_odd_study_with_its_notebooks(names, tmp_path):
    data, reports = tmp_path / "data", tmp_path / "reports"
    write(odd_company(names, people=PEOPLE), data / "odd")
    ran = CliRunner().invoke(app, ["report", "odd", "--data", str(data), "--reports", str(reports), "--jobs", "1"])
    assert ran.exit_code == 0, ran.output
    assert "warning" not in ran.output.lower() and text_complaints(ran.output) == []
    assert written_complaints(reports / "odd") == []


def written_complaints(folder: Path) -> list[str]:
    """Return what the files of a report show that they should not."""
    found = []
    for path in sorted(folder.rglob("*.html")):
        found += [f"{path.name} {said}" for said in text_complaints(page_text(path.read_text(encoding="utf-8")))]
    for path in sorted(folder.rglob("*.ipynb")):
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        for output in (output for cell in cells for output in cell.outputs):
            text = output.get("text") or shown(output.get("data", {}))
            found += [f"{path.name} {said}" for said in text_complaints(text)]
            if output.get("name") == "stderr" or output.output_type == "error":
                found.append(f"{path.name}: {output}")
    return found


def test_a_number_that_is_none_is_seen():
    assert text_complaints("the risk was nan points")
    assert text_complaints("between -inf and inf")
    assert text_complaints("The reason: None")
    assert text_complaints("not estimable: a fault in this program")
    assert not text_complaints("None of them left; information on finance, non-exempt staff")
