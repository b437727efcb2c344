"""Every number that is printed in a demo's pictures is that of the row that it names, or of the frame that is drawn."""

import re
from collections.abc import Iterator

import pandas as pd
import pytest
from demo_answers import demo_answer
from picture_numbers import MINUS, TITLES, marked_numbers, picture_complaints
from test_report import acme, retention

from analysis.release.answer import Released
from analysis.report.figures import incidence_curves, naive_beside_corrected
from analysis.report.origins import numbers_file, numbers_files
from analysis.report.pictures import all_pictures, finding_pictures
from analysis.report.prose import is_compact
from analysis.simulate import demo_scenarios

DEMOS = sorted(demo_scenarios())


def complaints(released: Released) -> Iterator[str]:
    frames = numbers_files(released)
    for finding in released.findings:
        rows = {row.row: row for row in finding.estimates}
        for kind, draw in finding_pictures(finding, released.study).items():
            frame = frames[numbers_file(kind, finding)]
            for said in picture_complaints(draw().svg, rows, frame, finding, TITLES[kind](finding)):
                yield f"{finding.hypothesis} {finding.role} {kind}: {said}"


@pytest.mark.parametrize("name", DEMOS)
def test_the_numbers_in_a_demos_pictures_are_those_of_rows_and_frames(name):
    assert list(complaints(demo_answer(name))) == []


@pytest.mark.parametrize("name", DEMOS)
def test_the_numbers_of_every_scale_at_a_glance_are_those_of_rows(name):
    released = demo_answer(name)
    rows = {row.row: row for finding in released.findings for row in finding.estimates}
    for draw in (draw for name, draw in all_pictures(released).items() if name == "scales"):
        svg = draw().svg
        assert list(picture_complaints(svg, rows, pd.DataFrame(), None, [])) == []
        answers = [f.primary for f in released.findings if is_compact(f) and f.primary.is_estimated]
        assert {row.row for row in answers} <= {number.row for number in marked_numbers(svg)}


# --- that these checks find what they must ----------------------------------------------------------------------------


def said_of(svg: str, kind: str) -> list[str]:
    finding = retention()
    rows = {row.row: row for row in finding.estimates}
    frame = finding.evidence.get(kind, pd.DataFrame())
    return list(picture_complaints(svg, rows, frame, finding, TITLES[kind](finding)))


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r">4\.4</tspan>", ">4.5</tspan>"),
        (rf">{MINUS}9\.7</tspan>", ">+9.7</tspan>"),
        (r'data-row="H1-\w+"', 'data-row="H1-0000000000"'),
        (r"<tspan[^>]*>4\.4</tspan>", "4.4"),
        (r"takes away [\d.]+ points", "takes away 77.7 points"),
    ],
)
def test_a_wrong_number_of_the_ladder_is_found(pattern, instead):
    svg = naive_beside_corrected(retention()).svg
    assert said_of(svg, "ladder") == []
    wrong, n = re.subn(pattern, instead, svg, count=1)
    assert n == 1 and said_of(wrong, "ladder")


def test_a_number_of_another_month_in_the_title_of_curves_is_found():
    svg = incidence_curves(retention(), acme()).svg
    assert said_of(svg, "curves") == []
    found = re.search(r"Within \d+ months ([\d.]+)", svg)
    assert said_of(svg.replace(found[1], "1.2", 1), "curves")
