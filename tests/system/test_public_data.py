"""The Illinois Workplace Wellness Study through the whole pipeline: the published figures, to their printed digits.

Jones, Molitor & Reif 2019, Quarterly Journal of Economics 134(4):1747–1791; public-use data, CC0.
"""

import os
import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.fetch import fetch
from analysis.pipeline import report_study

# Offered minus not, and participants minus non-participants among those offered: percentage points [95 % interval].
PUBLISHED = {
    ("primary", "ITT", 12): (-1.3, -3.2, 0.7),
    ("primary", "ITT", 30): (0.2, -2.2, 2.7),
    ("naive", "association", 12): (-8.0, -10.2, -5.8),
    ("naive", "association", 30): (-6.7, -9.5, -3.9),
    ("secondary", "CACE", 30): (0.4, -4.0, 4.7),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """The study's report, without its notebooks."""
    folder = os.environ.get("MENTORING_REAL_DATA")
    if not folder:
        pytest.skip("MENTORING_REAL_DATA names no folder: the public data are not here to be read")
    base = tmp_path_factory.mktemp("illinois")
    fetch("illinois-wellness", base / "data", Path(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.report.execute.notebooks_dir", lambda: base / "none")
        return report_study("illinois-wellness", base / "data", base / "reports", say=lambda _: None)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: "-".join(map(str, row)))
def test_the_published_figure_comes_out_to_its_digits(report, row):
    ledger = pd.read_csv(report / "estimates.csv")
    analysis, estimand, months = row
    rows = ledger[
        (ledger["hypothesis"] == "H1_retention")
        & (ledger["analysis"] == analysis)
        & (ledger["estimand"] == estimand)
        & (ledger["horizon_months"] == months)
        & (ledger["measure"] == "risk_difference")
    ]
    assert len(rows) == 1 and rows["outcome"].item() == "any_exit"
    found = tuple(round(100 * rows[c].item(), 1) for c in ("estimate", "ci_low", "ci_high"))
    assert found == PUBLISHED[row]


def test_the_page_shows_them_side_by_side_and_says_what_they_are(report):
    read = "\n".join((report / name).read_text(encoding="utf-8") for name in ("index.html", "retention.html"))
    page = re.sub(r"<[^>]+>", "", read).replace("\u00a0", " ").replace("&nbsp;", " ")
    for shown in ("−1.3", "[−3.2, +0.7]", "+0.2", "[−2.2, +2.7]", "−8.0", "−6.7"):
        assert shown in page
    for said in ("wellness program, not a mentoring program", "Jones, D., Molitor, D.", "CC0"):
        assert said in page


def test_what_the_public_files_do_not_hold_is_not_estimable(report):
    ledger = pd.read_csv(report / "estimates.csv").set_index("hypothesis")
    assert set(ledger.loc[["H2_morale", "H3_leadership"], "status"]) == {"not_estimable"}
    assert ledger.loc["H2_morale", "reason"]
