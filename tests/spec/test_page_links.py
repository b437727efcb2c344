"""Every link of every page of a demo leads somewhere; beside every picture and table are its numbers and its origin."""

import re
import shutil
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from demo_answers import demo_answer
from page_links import dead_links

from analysis.plan.paths import notebooks_dir
from analysis.release.answer import Released
from analysis.report import origins
from analysis.report.execute import REPORTED, notebook_runs
from analysis.report.notebook_pages import write_notebook_pages
from analysis.report.pictures import all_pictures
from analysis.report.quality_page import quality_pictures
from analysis.report.summary import has_section
from analysis.report.write import write_answers, write_index
from analysis.simulate import demo_scenarios


@pytest.fixture(scope="module", params=sorted(demo_scenarios()))
def report(request, tmp_path_factory) -> tuple[Released, Path]:
    """Return a demo's answer and its report, the notebooks in it as they ship and not executed."""
    released, reports = demo_answer(request.param), tmp_path_factory.mktemp("reports")
    folder = reports / request.param
    (folder / "notebooks").mkdir(parents=True)
    write_answers(released, folder)
    scales = {f.hypothesis for f in released.findings if has_section(f)}
    for path in notebooks_dir().glob(REPORTED):
        for source, output, _ in notebook_runs(path, request.param, scales):
            shutil.copy(source, folder / "notebooks" / output)
    write_notebook_pages(folder / "notebooks", released.study)
    write_index(reports)
    return released, folder


def test_every_link_leads_somewhere(report):
    _, folder = report
    assert dead_links(folder.parent) == []


def test_every_number_has_an_origin_and_it_is_the_one_that_explain_tells(report):
    released, folder = report
    pages = {page.name: page.read_text(encoding="utf-8") for page in folder.glob("*.html")}
    rows = pages["rows.html"]
    told = {row for page in pages.values() for row in re.findall(r'data-row="([^"]+)"', page)}
    assert told - set(re.findall(r'<tr id="([^"]+)"', rows)) == set()
    for found in (f for f in released.findings if has_section(f)):
        for row in found.estimates:
            line = rows[rows.index(f'<tr id="{row.row}"') :].partition("</tr>")[0]
            assert f'href="#made-{row.estimator}"' in line
            making = rows[rows.index(f'id="made-{row.estimator}"') :].partition("</dd>")[0]
            made = origins.making_of(row.estimator)
            assert all(f"<code>{p.name}</code> ({p.file}:{p.line})" in making for p in made.made_by)
            assert all(source in unescape(making) for source in made.sources)


def test_dead_links_are_found(tmp_path):
    (tmp_path / "b.html").write_text('<p id="here">b</p>')
    page = tmp_path / "a.html"
    page.write_text('<a href="b.html#here">b</a><a href="#top">a</a><p id="top"><img src="data:image/png;base64,x">')
    assert dead_links(tmp_path) == []
    for link in ("c.html", "b.html#there", "#nowhere", "b/", "https://example.org/x.js"):
        page.write_text(f'<a class="x" href="{link}">a</a>')
        assert dead_links(tmp_path) == [f"a.html: {link}"]


ORIGIN = r'<p class="origin"><a href="([^"]+\.csv)" download[^>]*>data</a> <a href="([^"]+)" data-tip="([^"]+)"'


def without_origin(page: str) -> list[str]:
    """Return the figures and tables of a page beside which no origin stands."""
    shown = re.findall(r"<figure>.*?</figure>|<div class=\"wide\".*?</table>\s*</div>.{0,40}", page, re.DOTALL)
    return [found[:120] for found in shown if '<p class="origin">' not in found]


def test_beside_every_picture_and_table_are_its_numbers_and_its_origin(report):
    _, folder = report
    for page in sorted(folder.glob("*.html")):
        text = page.read_text(encoding="utf-8")
        if page.name != "methods.html":
            assert without_origin(text) == [], page.name
        for data, _, told in re.findall(ORIGIN, text):
            assert len(pd.read_csv(folder / data)) > 0, data
            _, file, line = re.fullmatch(r"(?:Notebook \w+; )?([\w.]+), ([\w/.]+):(\d+)", unescape(told)).groups()
            begins = (origins.project_dir() / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
            assert begins.startswith(("def ", "@")), told


def test_a_picture_without_origin_is_found():
    assert without_origin("<figure><img></figure>") and without_origin('<div class="wide"><table></table>\n</div>\n')
    assert not without_origin('<div class="wide"><table></table>\n</div>\n<p class="origin">')


def test_a_notebook_shows_every_kind_of_picture(report):
    released, _ = report
    drawn = all_pictures(released) | quality_pictures(released)
    found = origins.picture_origins(drawn, released.findings)
    by_kind: dict[str, list[bool]] = {}
    for name, origin in found.items():
        by_kind.setdefault(f"{drawn[name].func.__name__}", []).append("#cell-id=" in origin.how)
    assert {kind for kind, has_cell in by_kind.items() if not any(has_cell)} == set()


def test_a_cell_is_found_by_what_it_shows_and_not_by_what_it_needs():
    code = 'view.show("H1", view.other_exits, view.moderators, needs=["curves_by_kind", "honest"])'
    assert origins._names(code, "kinds") and origins._names(code, "moderators")
    assert not origins._names(code, "curves_by_kind") and not origins._names(code, "ladder")


def test_the_numbers_of_a_finding_are_its_released_frames(report):
    released, folder = report
    for found in released.findings:
        ledger = pd.read_csv(folder / origins.numbers_file("estimates", found))
        assert list(ledger["row"]) == [row.row for row in found.estimates]
        for name, frame in found.evidence.items():
            assert pd.read_csv(folder / origins.numbers_file(name, found)).shape == frame.shape, name
