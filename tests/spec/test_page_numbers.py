"""Every number of a page is that of the row that it names, and every word of a verdict is the finding's verdict."""

import re
from dataclasses import replace

import pytest
from demo_answers import demo_answer
from ledger_rows import OFFERED
from page_numbers import number_complaints, numbers, page_complaints, verdict_complaints
from test_report import acme, economics, examined, finding, morale, promotion, released, row, unmeasured

from analysis.estimate.diagnostics import TREND, Trend, trend_check
from analysis.plan.catalogue import CATALOGUE
from analysis.release.answer import Released
from analysis.report import prose, wording
from analysis.report.marks import Told, marked, marked_html, marking, without_marks
from analysis.report.page import study_page, study_pages
from analysis.report.pictures import slug
from analysis.report.quality_page import quality_page
from analysis.report.summary import bottom_lines, page_of
from analysis.simulate import demo_scenarios

FINDINGS = (examined(), morale(), unmeasured(), promotion(), economics())
DEMOS = sorted(demo_scenarios())


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return study_pages(released(*FINDINGS))


@pytest.fixture(scope="module", params=DEMOS)
def demo(request) -> tuple[Released, dict[str, str]]:
    answer = demo_answer(request.param)
    return answer, study_pages(answer)


def test_every_number_and_every_verdict_of_a_demos_pages_is_that_of_its_ledgers(demo):
    answer, pages = demo
    assert page_complaints(pages, answer.findings) == []


def test_every_main_row_of_a_demo_stands_on_the_summary_and_on_its_page(demo):
    answer, pages = demo
    for found in (f for f in answer.findings if f.primary.is_estimated):
        for page in (pages["index.html"], pages[page_of(found.hypothesis)]):
            columns = {n.column for n in numbers(page) if n.row == found.primary.row}
            assert {"estimate", "ci_low", "ci_high"} <= columns, slug(found)


# A summary is read in minutes, and a page sent by e-mail.
MOST_WORDS, MOST_BYTES = 1_500, 2_000_000


def in_sight(page: str) -> str:
    """Return the text of a page that is seen before anything is unfolded."""
    shown = re.sub(r"<(style|script)\b.*?</\1>|<head>.*?</head>", " ", page, flags=re.DOTALL)
    shown = re.sub(r"<details>\s*(<summary>.*?</summary>).*?</details>", r"\1", shown, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", shown)


def test_the_summary_of_a_demo_is_short_and_no_page_is_large(demo):
    _, pages = demo
    assert len(re.findall(r"\w[^\s]*", in_sight(pages["index.html"]))) <= MOST_WORDS
    assert {file: len(page) for file, page in pages.items() if len(page.encode()) > MOST_BYTES} == {}


def unreachable_tables(page: str) -> list[str]:
    """Return the tables of a page that the keyboard cannot scroll, or that have no caption."""
    boxed = r'<div class="wide" tabindex="0" role="region" aria-label="[^"]+">\s*<table[^>]*>\s*<caption>[^<]'
    return [page[at : at + 80] for at in (m.start() for m in re.finditer("<table", page))
            if not re.search(boxed, page[max(0, at - 300) : at + 120])]  # fmt: skip


def test_every_table_of_a_demo_has_a_caption_and_scrolls_with_the_keyboard(demo):
    answer, pages = demo
    for file, page in (pages | {"data_quality.html": quality_page(answer)}).items():
        assert unreachable_tables(page) == [], file
    assert unreachable_tables('<div class="wide"><table><caption>A</caption></table></div>')
    assert unreachable_tables('<div class="wide" tabindex="0" role="region" aria-label="A"><table><tr></table></div>')


# The bottom line, which speaks of several findings at a time: what it says, and the verdict that one of them must have.
SAID = {"support the claim": "supported", "went the wrong way": "harmful", "is ruled out": "no_benefit"}


def test_the_bottom_line_says_of_a_demo_what_its_verdicts_are(demo):
    answer, _ = demo
    for line, program in zip(bottom_lines(answer), answer.study.programs, strict=True):
        main = [f for f in answer.findings if f.program == program.id and f.hypothesis in prose.MAIN_HYPOTHESES]
        verdicts = {f.verdict for f in main}
        for words, verdict in SAID.items():
            assert (words in line["conclude"]) == (verdict in verdicts), (words, line)
        checks = [f for f in main if f.primary.is_estimated]
        n_failed = sum(len(f.graded("failed")) for f in checks)
        assert re.search(
            rf"^{n_failed} of|^Of \d+ checks of these answers none failed" if checks else "", line["how_sure"]
        )
        assert ("none failed" in line["how_sure"]) == (n_failed == 0 and bool(checks))
        assert program.is_randomized == ("Places were randomized" in line["how_sure"])


def test_who_rated_a_score_is_said_as_the_row_has_it(demo):
    answer, pages = demo
    for found in (f for f in answer.findings if wording.is_scale(f) and f.primary.is_estimated):
        rated = CATALOGUE.rater_source(found.primary.rater_source) if found.primary.rater_source else ""
        start = pages["index.html"].index(f'data-finding="{slug(found)}"')
        line = pages["index.html"][start : pages["index.html"].index("</tr>", start)]
        assert set(re.findall(r"[\w-]+-rated", line)) == ({rated} - {""})
        sentence = prose.finding_sentence(found, answer.study)
        assert set(re.findall(r"[\w-]+-rated", sentence)) <= {rated}


def test_where_a_picture_shows_another_change_than_the_participants_own_the_caption_says_why(demo):
    answer, pages = demo
    for found in (f for f in answer.findings if wording.is_scale(f) and f.primary.is_estimated):
        own = next((e for e in found.alternatives if e.contrast == "after_vs_before" and e.is_estimated), None)
        page = pages[page_of(found.hypothesis)]
        article = page[page.index(f'id="{slug(found)}"') :].partition("</article>")[0]
        if own is not None and "Averages by survey wave" in article:
            assert f'participants\' own change (<span data-row="{own.row}"' in article.replace("&#39;", "'"), slug(
                found
            )


@pytest.mark.parametrize(
    ("state", "is_large", "said"),
    [
        ("quiet", False, "No drift to be seen before the start"),
        ("cannot_tell", False, "Too few people to tell whether the groups drifted apart"),
        ("drifting", False, "The groups were drifting apart before the start"),
        ("drifting", True, "The groups were drifting apart before the start"),
        ("no_waves", False, "No earlier waves to compare trends in"),
    ],
)
def test_title_and_check_of_a_trend_are_one_judgement(state, is_large, said):
    from scale_examples import scale

    check = trend_check(Trend(state, is_large, 0.2, 0.3, 0.01), 0.15)
    found = replace(scale(), checks=(*(c for c in scale().checks if c.name != TREND), check))
    assert prose.event_study_title(found).startswith(said)
    assert found.is_capped == is_large


def test_a_score_among_other_people_is_told_with_the_people():
    from scale_examples import scale

    told = prose.bounds_sentences(scale())
    assert any("In those who would have answered either way" in s and "fewer people than those whom" in s for s in told)


# --- that these checks find what they must ----------------------------------------------------------------------------


def test_the_pages_of_invented_findings_are_as_their_ledgers(pages):
    assert page_complaints(pages, FINDINGS) == []


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r">4\.4</span> percentage", ">4.5</span> percentage"),
        (r"(>4\.4</span> percentage points) less", r"\1 more"),
        (r">−9\.7</span>", ">+9.7</span>"),
        (r">p = 0\.11</span>", ">p = 0.21</span>"),
        (r">p = 0\.11</span>", ">p < 0.001</span>"),
        (r">135</span> who started", ">140</span> who started"),
        (r'data-row="H1-\w+"', 'data-row="H1-0000000000"'),
        (r"<span data-row[^>]*>(−9\.7)</span>, ?<span data-row[^>]*>(\+1\.0)</span>", r"\1, \2"),
        (r"<span data-row[^>]*>(p = 0\.11)</span>", r"\1"),
    ],
)
def test_a_wrong_number_is_found(pages, pattern, instead):
    wrong, n = re.subn(pattern, instead, pages["retention.html"].replace("\u00a0", " "), count=1)
    assert n == 1
    rows = {row.row: row for found in FINDINGS for row in found.estimates}
    assert list(number_complaints(pages["retention.html"], rows)) == []
    assert list(number_complaints(wrong, rows))


@pytest.mark.parametrize(
    ("file", "pattern", "instead"),
    [
        ("index.html", r">Inconclusive</a>", ">Supported</a>"),
        ("index.html", r">Supported</a>", ">Negligible</a>"),
        ("retention.html", r"<p>Inconclusive: the interval", "<p>Harmful by the written rule: the interval"),
        ("morale.html", r"<p>Supported: the interval", "<p>No benefit: the interval"),
        ("economics.html", r"<p>Inconclusive: the interval", "<p>The program costs more than it saves: the interval"),
    ],
)
def test_a_wrong_verdict_is_found(pages, file, pattern, instead):
    wrong, n = re.subn(pattern, instead, pages[file], count=1)
    assert n == 1 and list(verdict_complaints(pages[file], FINDINGS)) == []
    assert list(verdict_complaints(wrong, FINDINGS))


# --- marks ------------------------------------------------------------------------------------------------------------


def test_numbers_are_marked_on_a_page_alone():
    told = Told.of(row(), "ci_low")
    assert (
        told == row().ci_low and abs(told).source == told.source and Told.of(unmeasured().primary, "estimate") is None
    )
    assert marked(told, "−9.7") == "−9.7" and wording.interval_text(row()).startswith("[−9.7")
    with marking():
        text = marked(told, "−9.7")
        assert marked(-0.1, "−10.0") == "−10.0"
        assert without_marks(wording.interval_text(row())) == "[−9.7,\u00a0+1.0]"
    assert without_marks(text) == "−9.7" != text
    assert marked_html(f'<p title="{text}">{text}</p>') == (
        f'<p title="−9.7"><span data-row="{row().row}" data-column="ci_low">−9.7</span></p>'
    )


def test_no_mark_is_left_on_a_page(pages):
    assert not [file for file, page in pages.items() if re.search("[\ue000-\ue00f]", page)]


def test_a_lottery_speaks_of_offers_on_every_page_and_other_studies_of_no_lottery():
    lots = acme(programs=[vars(acme().programs[0]) | {"assignment": "lottery"}])
    offered = study_pages(released(finding(row(**OFFERED), "inconclusive"), study=lots))
    assert "offered a place" in offered["retention.html"] and "Intention to treat" in offered["methods.html"]
    chosen = study_pages(released(examined()))
    for file in ("retention.html", "methods.html"):
        assert not re.search(r"\blotter(y|ies)\b|\bITT\b|offered", chosen[file]), file


def test_a_study_without_programs_has_its_page():
    assert "What this study can and cannot say" in study_page(released(unmeasured(), study=acme()))
