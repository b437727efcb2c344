"""Pictures as SVG: text that can be searched and keeps its width, nothing finer than can be seen, each drawn once."""

import pickle
import re
import xml.etree.ElementTree as ElementTree
from functools import partial

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from picture_numbers import marked_numbers
from picture_texts import cut_off
from test_report import DRAWINGS, acme, anew, retention

from analysis.report import canvas, figures
from analysis.report.canvas import sheet, styled
from analysis.report.drawn import DRAWN, draw_ahead
from analysis.report.layout import name_ticks
from analysis.report.svg import FONTS, SvgRenderer, svg_of

SVG = "{http://www.w3.org/2000/svg}"
LONG = "a name that is a good deal longer than what stands to the left of most panels"


@styled
def tiny(title: str = "A finding", label: str = "label", name: str = "name") -> Figure:
    figure, axes = sheet(title, height=2)
    axes.plot([0, 1, 2], [0, 1, 1.123456789], "o-")
    axes.text(1, 0.5, label)
    name_ticks(axes.yaxis, [0, 1], [name, "one"], bold=[1])
    axes.set_ylabel("height")
    return figure


def texts(svg: str) -> dict[str, dict[str, str]]:
    return {"".join(e.itertext()): e.attrib for e in ElementTree.fromstring(svg).iter(f"{SVG}text")}


def test_text_is_text_in_fonts_that_every_machine_has_one_of():
    svg = tiny(label="<5 & $x$").svg
    assert {"A finding", "<5 & $x$", "name", "one", "height"} <= set(texts(svg))
    assert ElementTree.fromstring(svg).attrib["font-family"] == "DejaVu Sans, Verdana, Arial, sans-serif"


def test_a_text_is_as_wide_in_any_font_as_it_was_measured():
    found = texts(tiny().svg)
    assert all(float(told["textLength"]) > 0 for told in found.values())
    font = FontProperties(family=FONTS[0], size=10)
    measured = SvgRenderer(1, 1).get_text_width_height_descent("A finding", font, False)
    told = float(found["A finding"]["textLength"])
    assert told == pytest.approx(measured[0], rel=0.25) and told > measured[0], "bold is wider"
    assert found["one"]["font-weight"] == "bold" and "font-weight" not in found["name"]


def test_spaces_side_by_side_are_kept():
    assert "low\u00a0\u00a0\u00a0high" in tiny(label="low   high").svg


@pytest.mark.parametrize("name", DRAWINGS)
def test_no_text_reaches_beyond_the_picture(name):
    svg = DRAWINGS[name]().svg
    width, height = (float(x) for x in ElementTree.fromstring(svg).attrib["viewBox"].split()[2:])
    for text, told in texts(svg).items():
        x, y, long = (float(told[key]) for key in ("x", "y", "textLength"))
        if "transform" in told:
            assert y - long >= 0 and y <= height and 0 <= x <= width, text
        else:
            assert x >= 0 and x + long <= width + 0.1 and 0 <= y <= height, text


def test_a_long_name_makes_room_for_itself():
    frames = [drawing.figure().axes[0].get_position() for drawing in (tiny(), tiny(name=LONG))]
    assert frames[1].x0 > 2 * frames[0].x0 and frames[0].x1 == pytest.approx(frames[1].x1, abs=0.05)
    assert float(texts(tiny(name=LONG).svg)[LONG]["x"]) >= 0


def test_no_number_is_finer_than_a_tenth_of_a_point():
    places = re.findall(r'\b(?:d|x|y|cx|cy|textLength|width|height)="([^"]*)"', tiny().svg)
    assert len(places) > 10 and not any(re.search(r"\.\d{2}", place) for place in places)


def test_only_what_is_referred_to_has_an_id_and_pictures_on_one_page_may_share_it():
    drawn = [tiny().svg, DRAWINGS["curves"]().svg]
    clips = [dict(re.findall(r'<clipPath id="([^"]+)">(.*?)</clipPath>', svg)) for svg in drawn]
    assert all(set(re.findall(r'\bid="([^"]+)"', svg)) == set(found) for svg, found in zip(drawn, clips, strict=True))
    shared = set(clips[0]) & set(clips[1])
    assert all(clips[0][name] == clips[1][name] for name in shared)


def test_a_notebook_shows_the_svg_and_says_the_finding():
    drawing = tiny()
    assert drawing._repr_svg_() == drawing.svg and repr(drawing) == "Picture: A finding"


def test_what_was_drawn_is_not_drawn_again_until_something_in_it_changes(monkeypatch):
    drawn = []
    monkeypatch.setattr(canvas, "svg_of", lambda figure: drawn.append(figure) or svg_of(figure))
    anew(lambda: figures.incidence_curves(retention(), acme()))
    again = figures.incidence_curves(*pickle.loads(pickle.dumps((retention(), acme()))))
    assert len(drawn) == 1 and again.svg.startswith("<svg")
    figures.incidence_curves(retention(smallest_effect=0.07), acme())
    figures.naive_beside_corrected(retention())
    assert len(drawn) == 3


def test_several_processes_draw_what_one_draws(monkeypatch):
    """One that cannot be drawn leaves the others, and is left to whoever asks for it."""
    here = []
    monkeypatch.setattr(canvas, "svg_of", lambda figure: here.append(figure) or svg_of(figure))
    ladder, curves = (
        partial(figures.naive_beside_corrected, retention()),
        partial(figures.incidence_curves, retention(), acme()),
    )
    pictures, drawn = [ladder, curves, partial(figures.naive_beside_corrected, None)], {}
    for processes in (1, 2):
        DRAWN.clear()
        draw_ahead(pictures, processes)
        drawn[processes] = dict(DRAWN)
    assert drawn[1] == drawn[2] and len(drawn[1]) == 4, "wide and narrow"
    assert len(here) == 4 + 2, "of two processes this one draws the first"
    curves()
    assert len(here) == 6, "and finds what the other drew"


def test_a_frame_is_the_same_however_pandas_keeps_it():
    whole = pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": ["x", "y"], "d": [0.5, 1.5]})
    parts = whole[["a"]].copy()
    for column in ("b", "c", "d"):
        parts[column] = whole[column]
    assert canvas._digest(whole) == canvas._digest(parts) == canvas._digest(pickle.loads(pickle.dumps(parts)))
    assert canvas._digest(whole) != canvas._digest(whole.assign(d=[0.5, 1.6]))


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(canvas, "MOST_KEPT", 2)
    DRAWN.clear()
    for title in "abc":
        tiny(title)
    assert len(DRAWN) == 2


def test_nobodys_settings_are_changed_and_garbage_is_looked_for_again():
    import gc

    import matplotlib as mpl

    before = dict(mpl.rcParams)
    anew(tiny)
    with pytest.raises(TypeError):
        tiny(title=3)
    assert dict(mpl.rcParams) == before and gc.isenabled()


@pytest.mark.parametrize("where", ["1.0", "395.0", "9999"])
def test_a_text_that_stands_over_the_edge_is_found(where):
    moved = re.sub(r'<text x="[\d.]+"', f'<text x="{where}"', tiny().svg, count=1)
    assert bool(cut_off(moved)) == (where != "1.0") and not cut_off(tiny().svg)


# On a phone of 390 pixels a page leaves a picture so many; a text is read from so many on.
PHONE, READABLE = 361, 10


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_text_can_be_read_on_a_phone(name):
    drawing = DRAWINGS[name]()
    svg = drawing.narrow() or drawing.svg
    shown = PHONE if drawing.narrow() else drawing.least_pixels
    pixels = shown / float(ElementTree.fromstring(svg).attrib["viewBox"].split()[2])
    assert {text: told["font-size"] for text, told in texts(svg).items()
            if float(told["font-size"]) * pixels < READABLE} == {}  # fmt: skip
    assert cut_off(svg) == []


@pytest.mark.parametrize("name", ["ladder", "ways", "money"])
def test_a_narrow_picture_names_the_rows_that_the_wide_one_names(name):
    drawing = DRAWINGS[name]()
    wide, narrow = ({number[:3] for number in marked_numbers(svg)} for svg in (drawing.svg, drawing.narrow()))
    assert wide == narrow != set()
    assert "".join(drawing.alt.split()) in "".join("".join(texts(drawing.narrow())).split())
