"""A company's own look of its pages: what study.yaml may say, what is refused with its line, and where it is seen."""

import base64
from pathlib import Path

import pytest
import yaml
from test_report import acme, examined, released

from analysis.plan.read_study import read_study
from analysis.plan.study import LARGEST_LOGO, Brand, contrast_on_white
from analysis.report.page import study_pages
from analysis.report.quality_page import quality_page

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
PLAIN = {"schema_version": 1, "study": "acme", "title": "Acme", "study_start": "2021-01-01", "as_of": "2025-06-30"}


def written(folder: Path, **brand: str) -> Path:
    """Write a study with this brand; return the folder of studies."""
    (folder / "acme").mkdir()
    (folder / "acme" / "study.yaml").write_text(yaml.safe_dump(PLAIN | {"brand": brand}, sort_keys=False))
    (folder / "acme" / "logo.svg").write_bytes(LOGO)
    return folder


def test_logo_colours_and_footer_are_on_every_page_and_nothing_is_loaded(tmp_path):
    data = written(tmp_path, logo="logo.svg", colour="#7a1f5c", accent="#8a4b00", footer="Acme HR & People <Team>")
    read = read_study("acme", data)
    assert read.problems == ()
    study = acme(brand=read.study.brand).model_copy(update={"folder": read.study.folder})
    answer = released(examined(), study=study)
    pages = study_pages(answer) | {"data_quality.html": quality_page(answer)}
    for file, page in pages.items():
        assert f'src="data:image/svg+xml;base64,{base64.b64encode(LOGO).decode()}" alt="Logo"' in page, file
        assert 'style="--brand: #7a1f5c; --brand-accent: #8a4b00"' in page, file
        assert "Acme HR &amp; People &lt;Team&gt;" in page and "logo.svg" not in page, file


def test_a_study_without_a_brand_looks_as_the_others_do():
    assert 'alt="Logo"' not in "".join(study_pages(released(examined())).values())


@pytest.mark.parametrize(
    ("brand", "said"),
    [
        (
            {"colour": "#ffd400"},
            "#ffd400 is too light to be read on white: its contrast is 1.4, at least 4.5 is needed",
        ),
        ({"accent": "purple"}, "'purple' is no colour; give # and six hexadecimal digits"),
        ({"colour": "#fff;background:url(x)"}, "is no colour"),
        ({"logo": "logo.gif"}, "must be a file that ends in .png, .jpg, .jpeg, .svg"),
        ({"logo": "../logo.svg"}, "must lie inside the study's folder"),
        ({"logo": "none.svg"}, "there is no file none.svg in the study's folder"),
        ({"logo": "large.svg"}, "the logo has more than 200 kB"),
        ({"logo": "link.svg"}, "leads out"),
        ({"banner": "x"}, "banner"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line(tmp_path, brand, said):
    data = written(tmp_path, **brand)
    (data / "outside.svg").write_bytes(LOGO)
    (data / "acme" / "link.svg").symlink_to(data / "outside.svg")
    (data / "acme" / "large.svg").write_bytes(b" " * (LARGEST_LOGO + 1))
    problems = [p for p in read_study("acme", data).problems if p.severity == "error"]
    assert len(problems) == 1 and said in problems[0].message, problems
    assert "line 7" in str(problems[0])


def test_contrast_is_that_of_the_guideline():
    assert contrast_on_white("#000000") == pytest.approx(21) and contrast_on_white("#ffffff") == pytest.approx(1)
    assert contrast_on_white("#767676") == pytest.approx(4.54, abs=0.01) and Brand(colour="#767676")
