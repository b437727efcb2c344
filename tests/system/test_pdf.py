"""The report as one PDF: from the pages as they are, links within it; and a clear word where it cannot be made."""

import re

import pytest
from studies import TINY_COMPANY, write_study
from test_report import economics, examined, morale, promotion, released
from typer.testing import CliRunner

from analysis.cli import app
from analysis.report import pdf
from analysis.report.page import Pages, study_pages
from analysis.report.quality_page import quality_page

needs_weasyprint = pytest.mark.skipif(not pdf.can_make_pdf(), reason="WeasyPrint or Pango is not installed")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    answer = released(examined(), morale(), promotion(), economics())
    made = study_pages(answer) | {"data_quality.html": quality_page(answer)}
    return {file: made[file] for file, _ in Pages(answer).listed if file != "rows.html"}


def parts(pages: dict[str, str]) -> str:
    return "".join(pdf._as_part(file, page, pages) for file, page in pages.items())


def lost(html: str) -> set[str]:
    """Return the links that lead to no place of the PDF."""
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    return {to for to in re.findall(r'<a\b[^>]*\bhref="([^"]*)"', html) if to.removeprefix("#") not in ids}


def test_links_lead_from_part_to_part_and_nowhere_else(pages):
    together = parts(pages)
    assert lost(together) == set()
    assert 'href="#retention--genius-mentor-H1_retention"' in together and 'href="#methods--interval"' in together
    assert "estimates.csv" in together and 'href="estimates.csv"' not in together
    assert "<script" not in together and "<nav" not in together
    assert lost(together + '<a class="x" href="#retention--nowhere">x</a>')


@needs_weasyprint
def test_the_pages_are_one_pdf(pages, caplog):
    made = pdf.pdf_of({file: pages[file] for file in ("index.html", "retention.html", "methods.html")})
    assert made.startswith(b"%PDF-") and made.rstrip().endswith(b"%%EOF")
    wrong = [record.getMessage() for record in caplog.records if "anchor" in record.getMessage().lower()]
    assert [said for said in wrong if not re.search("morale|economics|promotion|data_quality|index", said)] == []


def test_without_weasyprint_it_is_said_what_to_install_and_nothing_is_made(tmp_path, monkeypatch):
    write_study(tmp_path / "data" / "acme", TINY_COMPANY)

    def absent(name: str):
        raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr(pdf.importlib, "import_module", absent)
    where = ["--data", str(tmp_path / "data"), "--reports", str(tmp_path / "reports")]
    ended = CliRunner().invoke(app, ["report", "acme", "--pdf", *where])
    assert ended.exit_code == 2
    said = " ".join(ended.output.split())
    assert "pip install 'mentoring-outcomes[pdf]'" in said and "Pango" in said and "Traceback" not in said
    assert not (tmp_path / "reports").exists()
