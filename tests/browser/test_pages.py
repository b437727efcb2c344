"""A demo's pages in a real browser: sorted, copied, a number followed to its origin; on a phone, in the dark."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Page, chromium, executable
from demo_answers import demo_answer

from analysis.report.write import write_answers, write_index

pytestmark = pytest.mark.skipif(executable() is None, reason="there is no Chromium on this machine")
# A copy of axe-core's axe.min.js (https://github.com/dequelabs/axe-core), which is not among this project's libraries.
AXE = os.environ.get("MENTORING_AXE", "")
WIDE, PHONE = 1280, 390
# Texts of pictures are read from so many pixels on.
READABLE = 10
EVERY = "[...document.querySelectorAll('main table')].find(t => /^Every estimate/.test(t.caption.textContent))"
COLUMN = "(table, n) => [...table.tBodies[0].rows].map(row => row.cells[n].textContent)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    reports = tmp_path_factory.mktemp("reports")
    (reports / "northbank").mkdir()
    write_answers(demo_answer("northbank"), reports / "northbank")
    write_index(reports)
    return reports / "northbank"


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


def opened(browser: Page, path: Path, width: int = WIDE, scheme: str = "light") -> Page:
    """Open a page on a screen of a width, in light or dark."""
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=False)
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open(path.as_uri())
    browser.wait(f"document.readyState === 'complete' && location.pathname.endsWith({json.dumps(path.name)})")
    return browser


def test_a_table_is_sorted_by_the_column_that_is_pressed(browser, folder):
    page = opened(browser, folder / "retention.html")
    press = f"(n => {{ const t = {EVERY}; t.tHead.querySelectorAll('button')[n].click(); return ({COLUMN})(t, n) }})"
    estimates = page.value(f"{press}(6)")
    numbers = [float(text.replace("−", "-").replace(",", "")) for text in estimates if text[-1].isdigit()]
    assert numbers == sorted(numbers) and len(numbers) > 10
    assert [text for text in estimates if not text[-1].isdigit()] == estimates[len(numbers) :], (
        "what is missing is last"
    )
    assert page.value(f"{press}(0)") == sorted(page.value(f"({COLUMN})({EVERY}, 0)"))
    assert page.value(f"{EVERY}.tHead.rows[0].cells[0].ariaSort") == "ascending"
    assert page.value(f"{press}(0)") == sorted(page.value(f"({COLUMN})({EVERY}, 0)"), reverse=True)


def test_answers_that_share_a_heading_keep_it_when_they_are_sorted(browser, folder):
    page = opened(browser, folder / "index.html")
    rows = "[...document.querySelectorAll('.answers tbody tr')].map(r => [r.cells[0].textContent, r.dataset.finding])"
    before = page.value("[...document.querySelectorAll('.answers tbody')].flatMap(b => [...b.rows].map(r => "
                        "[b.rows[0].cells[0].textContent, r.dataset.finding]))")  # fmt: skip
    page.value("document.querySelectorAll('.answers thead button')[3].click()")
    after = page.value(rows)
    assert sorted(before) == sorted(after) and before != after


def test_a_table_is_copied_as_spreadsheets_take_it(browser, folder):
    page = opened(browser, folder / "index.html")
    page.value("navigator.clipboard.writeText = async text => { window.copied = text }")
    page.value("document.querySelector('.answers').closest('.wide').nextElementSibling.querySelector('button').click()")
    lines = [line.split("\t") for line in page.wait("window.copied").split("\n")]
    assert lines[0][:4] == ["Question", "Whom", "Verdict", "Difference"] and len(lines) > 8
    assert not any("↕" in cell for line in lines for cell in line)


def test_a_number_leads_to_its_row(browser, folder):
    page = opened(browser, folder / "retention.html")
    row = page.value("(() => { const n = document.querySelector('[data-row]'); n.click(); return n.dataset.row })()")
    page.wait("location.pathname.endsWith('rows.html') && document.readyState === 'complete'")
    assert page.value("location.hash") == f"#{row}" and page.value(f"!!document.getElementById('{row}')")


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_a_page_is_no_wider_than_the_screen_and_loads_nothing(browser, folder, width):
    for path in sorted(folder.glob("*.html")):
        page = opened(browser, path, width)
        assert page.value("document.documentElement.scrollWidth") <= width, path.name
        assert page.value("performance.getEntriesByType('resource').map(one => one.name)") == [], path.name


SMALLEST = """
Promise.all([...document.querySelectorAll('figure img')].map(async (image) => {
  for (const details of document.querySelectorAll('details')) details.open = true;
  await image.decode();
  const text = await (await fetch(image.currentSrc)).text();
  const svg = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  const sizes = [...svg.querySelectorAll('text')].map((one) => parseFloat(one.getAttribute('font-size')));
  return Math.min(...sizes) * image.getBoundingClientRect().width / svg.viewBox.baseVal.width;
}))
"""


def test_every_picture_can_be_read_on_a_phone(browser, folder):
    sizes = [size for path in sorted(folder.glob("*.html")) for size in opened(browser, path, PHONE).value(SMALLEST)]
    assert len(sizes) > 30 and min(sizes) >= READABLE - 0.1


@pytest.mark.skipif(not AXE, reason="MENTORING_AXE names no copy of axe.min.js")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_axe_finds_nothing(browser, folder, width, scheme):
    for path in [*sorted(folder.glob("*.html")), folder.parent / "index.html"]:
        page = opened(browser, path, width, scheme)
        page.value("document.querySelectorAll('details').forEach(one => { one.open = true })")
        page.ask("Runtime.evaluate", expression=Path(AXE).read_text(encoding="utf-8"))
        found = page.value("axe.run().then(r => r.violations.map(v => [v.id, v.nodes[0].html.slice(0, 120)]))")
        assert found == [], path.name
