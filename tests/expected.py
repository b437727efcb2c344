"""The numbers that a reviewer must get: made anew by ``make expected``, compared by ``test_expected.py``.

``reports/expected/estimates.csv`` is every row of the demo studies' estimates ledgers. ``reports/expected/truth.csv``
sets each effect whose truth is known (main rows of H1 to H8, later horizons too), and the naive figure beside
it, against the known truth of its simulated company.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pandas as pd
from demo_answers import demo_answer

from analysis.plan.paths import data_dir, environment, notebooks_dir, project_dir
from analysis.plan.results import estimates_frame
from analysis.simulate import demo_scenarios

EXPECTED = project_dir() / "reports" / "expected"
DEFAULT_STUDY = "northbank"
KEYS = ["study", "program", "hypothesis", "role", "outcome", "rater_source", "measure", "horizon_months"]
TRUTH_COLUMNS = [
    *KEYS,
    "estimand",
    "naive",
    "estimate",
    "ci_low",
    "ci_high",
    "truth",
    "interval_holds_truth",
    "status",
    "reason",
]


def demo_estimates() -> pd.DataFrame:
    """Return the estimates ledgers of the demo studies, one below the other."""
    ledgers = []
    for name in demo_scenarios():
        findings = demo_answer(name).findings
        ledgers.append(estimates_frame(e for finding in findings for e in finding.estimates))
    return pd.concat(ledgers, ignore_index=True)


def demo_truths() -> pd.DataFrame:
    """Return the known truths of the demo studies, as their ``truth.csv`` say."""
    frames = [
        pd.read_csv(project_dir() / "data" / name / "truth.csv", dtype={"rater_source": object}).assign(study=name)
        for name in demo_scenarios()
    ]
    return pd.concat(frames, ignore_index=True)


def beside_truth(estimates: pd.DataFrame, truths: pd.DataFrame) -> pd.DataFrame:
    """Return effects beside the truth, one row per study, program, hypothesis, role and horizon.

    ``naive`` is the first naive row of the same question: the figure that people quote. Where a row has no number,
    ``status`` and ``reason`` say why.
    """
    truths = truths.assign(rater_source=truths["rater_source"].where(truths["rater_source"].notna(), None))
    naive = (
        estimates[estimates["analysis"] == "naive"]
        .drop_duplicates(KEYS)[[*KEYS, "estimate"]]
        .rename(columns={"estimate": "naive"})
    )
    main = estimates["analysis"].isin(["primary", "secondary"]) & estimates["estimand"].isin(["ATT", "ITT"])
    main &= estimates["measure"].isin(["risk_difference", "mean_difference"])
    main &= estimates["contrast"].isin(["enrolled_vs_not", "offered_vs_not"])
    rows = (
        estimates[main]
        .drop(columns="estimand")
        .merge(naive, on=KEYS, how="left", validate="1:1")
        .merge(truths[[*KEYS, "estimand", "truth"]], on=KEYS, how="left", validate="1:1")
    )
    held = rows["truth"].between(rows["ci_low"], rows["ci_high"]).astype("boolean")
    rows["interval_holds_truth"] = held.where(rows["estimate"].notna() & rows["truth"].notna())
    return rows[TRUTH_COLUMNS]


def write(folder: Path) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    estimates = demo_estimates()
    estimates.to_csv(folder / "estimates.csv", index=False, lineterminator="\n")
    beside_truth(estimates, demo_truths()).round(6).to_csv(folder / "truth.csv", index=False, lineterminator="\n")


def renew_notebooks() -> None:
    """Run every notebook in place on the default demo study, so that its outputs can be compared.

    No report is there, so that what the start page says of reports is the same on every machine.
    """
    from analysis.answers.shared import shared
    from analysis.report.execute import declared_parameters, run_in_place

    with (
        TemporaryDirectory() as empty,
        environment(MENTORING_REPORTS=empty),
        shared(demo_answer(DEFAULT_STUDY)),
    ):
        for notebook in sorted(notebooks_dir().glob("*.ipynb")):
            assert declared_parameters(notebook)["study"] == DEFAULT_STUDY
            run_in_place(notebook)
            _without_widgets(notebook)
            print(notebook.name)


def _without_widgets(path: Path) -> None:
    """Take the widgets out of a notebook: none of them lives longer than its kernel."""
    book = nbformat.read(path, as_version=4)
    book.metadata.pop("widgets", None)
    for cell in book.cells:
        if any("widget-view" in mime for output in cell.get("outputs", ()) for mime in output.get("data", ())):
            cell.outputs, cell.execution_count = [], None
    nbformat.write(book, path)


if __name__ == "__main__":
    assert data_dir() == project_dir() / "data", "unset MENTORING_DATA: the expected numbers are those of the demos"
    write(EXPECTED)
    renew_notebooks()
