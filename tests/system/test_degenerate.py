"""Legal but odd studies come out whole: every question answered or refused with a reason, and no warning or "nan".

A fast subset; ``python -m simulations.degenerate`` makes many more.
"""

import shutil
from pathlib import Path

import nbformat
import pytest
from degenerate import COMBINED, LIGHT, ODDITIES, odd_company, write
from in_process import make_reports_here
from page_links import dead_links
from typer.testing import CliRunner
from whole_report import complaints, few_draws, page_text, shown, text_complaints

from analysis.cli import app
from analysis.pipeline import answer, open_study
from analysis.plan.paths import notebooks_dir

PEOPLE = 32
# Those that once stopped a report or showed a "nan", and one of each kind of oddity.
FAST = (
    ("nobody_leaves", "one_unit", "nobody_is_promoted", "one_item", "an_event_far_away"),
    ("everybody_gone_before_study_start", "no_variance_in_answers"),
    ("a_lottery_without_answers", "everybody_hired_late"),
    ("a_waitlist_that_never_starts", "two_items", "exits_of_unknown_kind"),
    ("a_rollout_all_at_once", "no_jobs", "those_who_stay_out_never_change"),
    ("a_second_program_with_the_same_people", "no_hr_file", "one_wave"),
    ("no_enrolment", "a_survey_without_names"),
    ("four_people", "no_jobs", "nothing_optional"),
)
# Tables of results and pictures, the one where nobody was promoted among them.
NOTEBOOKS = ("04_retention.ipynb", "09_promotion_economics.ipynb")


def test_every_oddity_is_in_one_of_the_studies_of_the_long_run():
    assert set(ODDITIES) == {name for names in COMBINED for name in names} | set(LIGHT)


@pytest.mark.parametrize("names", FAST, ids="+".join)
def test_an_odd_study_comes_out_whole(names, tmp_path):
    write(odd_company((*names, *LIGHT), people=PEOPLE), tmp_path / "odd")
    with few_draws():
        assert complaints("odd", tmp_path) == []


def test_the_command_reports_an_odd_study_with_its_notebooks(tmp_path, monkeypatch):
    shelf = tmp_path / "notebooks"
    shelf.mkdir()
    for name in NOTEBOOKS:
        shutil.copy(notebooks_dir() / name, shelf)
    monkeypatch.setattr("analysis.report.execute.notebooks_dir", lambda: shelf)
    make_reports_here(monkeypatch)
    data, reports = tmp_path / "data", tmp_path / "reports"
    write(odd_company(("nobody_leaves", "nobody_is_promoted", "no_survey", *LIGHT), people=PEOPLE), data / "odd")
    with few_draws():
        ran = CliRunner().invoke(app, ["report", "odd", "--data", str(data), "--reports", str(reports), "--jobs", "2"])
    assert ran.exit_code == 0, ran.output
    assert "warning" not in ran.output.lower() and text_complaints(ran.output) == []
    pages = {Path(name).with_suffix(".html").name for name in NOTEBOOKS}
    assert {path.name for path in (reports / "odd" / "notebooks").iterdir()} == {*NOTEBOOKS, *pages, "index.html"}
    assert [link for link in dead_links(reports) if any(page in link for page in pages)] == []
    assert written_complaints(reports / "odd") == []


def test_a_study_in_which_nobody_is_promoted_has_its_report_and_says_so(tmp_path):
    """A job history with one row a person once stopped a notebook, and with it the whole report."""
    case = Path(__file__).parents[1] / "fixtures" / "cases" / "exports" / "no_promotions_report_crash"
    (tmp_path / "nopromo" / "raw").mkdir(parents=True)
    for file in case.iterdir():
        folder = tmp_path / "nopromo" / ("raw" if file.suffix == ".csv" else "")
        (folder / file.name).write_bytes(file.read_bytes())
    with few_draws():
        assert complaints("nopromo", tmp_path, notebooks=True) == []
        findings = answer(open_study("nopromo", tmp_path)).findings
    promoted = [f.primary for f in findings if f.hypothesis == "H8_promotion"]
    assert [row.status for row in promoted] == ["not_estimable"] * 2
    assert all(row.reason for row in promoted)


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
