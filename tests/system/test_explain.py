"""`mentoring explain`: from a row of a report's ledger to what it was made by and from, and where it is shown."""

import re

import nbformat
import pytest
from typer.testing import CliRunner

from analysis.cli import app
from analysis.pipeline.explained import shown_text
from analysis.pipeline.reproduced import read_text
from analysis.plan.catalogue import CATALOGUE, METHODS
from analysis.plan.errors import BadInput
from analysis.plan.paths import project_dir
from analysis.report.origins import place_of

STUDY, ROOT = "fjellkode", project_dir()


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """A folder of reports with the ledger of a demo and two executed notebooks, one of them about something else."""
    folder = tmp_path_factory.mktemp("reports")
    ledger = read_text(ROOT / "reports" / "expected" / "estimates.csv")
    (folder / STUDY / "notebooks").mkdir(parents=True)
    ledger[ledger["study"] == STUDY].to_csv(folder / STUDY / "estimates.csv", index=False)
    shown = shown_text(main_row(folder)).replace(" ", "\u00a0")
    for name, hypothesis in (("04_retention", "H1_retention"), ("05_scales", "H2_morale")):
        cells = [nbformat.v4.new_markdown_cell("Title"), nbformat.v4.new_code_cell(f'view.show("{hypothesis}")')]
        cells[1].outputs = [nbformat.v4.new_output("stream", text=f"Main estimate: {shown}\n")]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / STUDY / "notebooks" / f"{name}.ipynb")
    return folder


def main_row(reports) -> dict[str, str]:
    ledger = read_text(reports / STUDY / "estimates.csv")
    told = ledger[(ledger["hypothesis"] == "H1_retention") & (ledger["status"] == "estimated")]
    return told[told["analysis"] == "primary"].to_dict("records")[0]


def run(reports, row: str):
    return CliRunner().invoke(app, ["explain", STUDY, row, "--reports", str(reports)])


def test_a_number_is_followed_to_its_origin(reports):
    row = main_row(reports)
    found = run(reports, row["row"])
    assert found.exit_code == 0, found.output
    plain = re.sub(r"\s+", " ", found.output)
    estimator = CATALOGUE.estimator(row["estimator"])
    for said in (
        f"estimate: {row['estimate']}",
        estimator.label,
        METHODS.methods[estimator.method].title,
        "Aalen and Johansen 1978: Scandinavian Journal of Statistics 5:141",
        "design.weights.weigh src/analysis/design/weights.py:",
        "rows in,",
        "What was left out, and why",
        "notebooks/04_retention.ipynb, cell 2",
    ):
        assert said in plain, said
    assert "05_scales" not in plain, "its cells are about another hypothesis"


def test_a_row_without_a_number_is_explained_too(reports):
    ledger = read_text(reports / STUDY / "estimates.csv")
    silent = ledger[ledger["status"] != "estimated"].iloc[0]
    found = run(reports, silent["row"])
    assert found.exit_code == 0 and "reason: " in found.output and "in no executed notebook" in found.output


def test_a_row_or_a_report_that_is_not_there_is_told_with_what_to_do(reports, tmp_path):
    row = main_row(reports)["row"]
    found = run(reports, row[:-1] + "x")
    assert isinstance(found.exception, BadInput) and f"did you mean {row}?" in str(found.exception)
    found = run(tmp_path, row)
    assert isinstance(found.exception, BadInput) and f"make it with mentoring report {STUDY}" in str(found.exception)


def test_every_function_of_the_catalogue_has_a_file_and_a_line_where_it_begins():
    names = {name for estimator in CATALOGUE.estimators.values() for name in estimator.made_by}
    assert len(names) > 30
    for name in names:
        place = place_of(name)
        line = (ROOT / place.file).read_text(encoding="utf-8").splitlines()[place.line - 1]
        word = name.rpartition(".")[2]
        assert re.match(rf"(def|class) {word}\b|@", line), (name, line)
