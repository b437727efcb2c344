"""A figure as SVG: small, its text as text, no coordinate finer than can be seen, the same bytes twice."""

import re
from functools import cache
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import rgb2hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform

from analysis.report.marks import marked_svg, without_marks

# Text is measured in the first of these fonts; where a reader's machine has another, `textLength` keeps its width.
FONTS = ("DejaVu Sans", "Verdana", "Arial", "sans-serif")
# Above and below the baseline, as parts of the font's size.
ASCENT, DESCENT = 0.76, 0.24
# From one line to the next.
LINE = 1.2
BOLD_FROM = 600
# Font units to the em while a letter is measured.
EM = 100
COMMANDS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "z"}
POINTS_OF = {Path.CURVE3: 2, Path.CURVE4: 3}
SPACES, NO_BREAK = re.compile(r" {2,}|^ +| +$"), "\u00a0"
BLACK, OPAQUE = "#000000", 1.0


def svg_of(figure: Figure) -> str:
    """Return a figure that is laid out as SVG, one unit to the point."""
    renderer = SvgRenderer(*(72 * figure.get_size_inches()))
    figure.draw(renderer)
    return renderer.text()


class SvgRenderer(RendererBase):
    """Writes what matplotlib draws as SVG, and measures its text.

    Every coordinate has a decimal of a point: nothing finer than what is seen can be read back.
    """

    def __init__(self, width: float, height: float) -> None:
        super().__init__()
        self.width, self.height = float(width), float(height)
        self._elements: list[str] = []
        self._clips: dict[str, str] = {}
        self._upside_down = Affine2D().scale(1, -1).translate(0, self.height)

    def text(self) -> str:
        """Return the whole SVG."""
        size = f'width="{_number(self.width)}pt" height="{_number(self.height)}pt"'
        box = f'viewBox="0 0 {_number(self.width)} {_number(self.height)}"'
        fonts = quoteattr(", ".join(FONTS))
        clips = "".join(f'<clipPath id="{name}">{shape}</clipPath>\n' for shape, name in self._clips.items())
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} font-family={fonts}>'
        return "\n".join([head, *([f"<defs>\n{clips}</defs>"] if clips else []), *self._elements, "</svg>\n"])

    def flipy(self) -> bool:
        """SVG counts downwards."""
        return True

    def get_canvas_width_height(self) -> tuple[float, float]:
        """Return the size in points."""
        return self.width, self.height

    def draw_path(self, gc: GraphicsContextBase, path: Path, transform: Transform, rgbFace=None) -> None:
        """Write a line or an area."""
        seen = None if rgbFace is not None else (-1.0, -1.0, self.width + 1, self.height + 1)
        placed = path.cleaned(
            transform + self._upside_down,
            remove_nans=True,
            clip=seen,
            simplify=path.should_simplify and rgbFace is None,
            curves=True,
        )
        d = _commands(placed)
        if d:
            self._write(f'<path d="{d}"{_look(gc, rgbFace)}/>', gc)

    def draw_markers(self, gc, marker_path, marker_trans, path, trans, rgbFace=None) -> None:
        """Write marks; round ones as circles."""
        if marker_path is not Path.unit_circle():
            super().draw_markers(gc, marker_path, marker_trans, path, trans, rgbFace)
            return
        radius = _number(float(marker_trans.transform((1, 0))[0]), 2)
        look = _look(gc, rgbFace)
        for x, y in (trans + self._upside_down).transform(path.vertices):
            if np.isfinite(x) and np.isfinite(y):
                self._write(f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{radius}"{look}/>', gc)

    def draw_text(
        self, gc: GraphicsContextBase, x: float, y: float, s: str, prop: FontProperties, angle: float,
        ismath: bool | Literal["TeX"] = False, mtext: Text | None = None,
    ) -> None:  # fmt: skip
        """Write a line of text, as wide as it was measured whatever font it is shown in."""
        width = self.get_text_width_height_descent(s, prop, ismath)[0]
        at = (_number(x), _number(y))
        told = {
            "x": at[0],
            "y": at[1],
            "font-size": _number(prop.get_size_in_points(), 2),
            "textLength": _number(width),
            "lengthAdjust": "spacingAndGlyphs",
        }
        if _is_bold(prop):
            told["font-weight"] = "bold"
        if angle:
            told["transform"] = f"rotate({_number(-angle)} {at[0]} {at[1]})"
        colour, alpha = rgb2hex(gc.get_rgb()), _alpha(gc, gc.get_rgb())
        if colour != BLACK:
            told["fill"] = colour
        if alpha != OPAQUE:
            told["fill-opacity"] = _number(alpha, 2)
        attributes = " ".join(f'{name}="{value}"' for name, value in told.items())
        self._write(f"<text {attributes}>{marked_svg(escape(SPACES.sub(_held, s)))}</text>", gc)

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath) -> tuple[float, float, float]:
        """Return the size of a line of text in points; its height is the font's, whatever the letters."""
        is_bold, size = _is_bold(prop), prop.get_size_in_points()
        width = sum(_advance(letter, is_bold) for letter in without_marks(s))
        return size * width, size * (ASCENT + DESCENT), size * DESCENT

    def _get_font_height_metrics(self, prop: FontProperties) -> tuple[float, float, float]:
        """Spare matplotlib to look the height up in the font's file for each text."""
        size = prop.get_size_in_points()
        return size * ASCENT, size * DESCENT, size * (LINE - ASCENT - DESCENT)

    def _write(self, element: str, gc: GraphicsContextBase) -> None:
        clip = self._clip(gc)
        self._elements.append(f'<g clip-path="url(#{clip})">{element}</g>' if clip else element)

    def _clip(self, gc: GraphicsContextBase) -> str:
        """Return the name of what an element is seen through; empty where nothing cuts it off."""
        box = gc.get_clip_rectangle()
        if box is None:
            return ""
        x, y, width, height = box.bounds
        numbers = (x, self.height - y - height, width, height)
        named = zip(("x", "y", "width", "height"), numbers, strict=True)
        shape = "<rect " + " ".join(f'{name}="{_number(number)}"' for name, number in named) + "/>"
        # Named by what it is: pictures on one page may share a name, and the shape with it.
        return self._clips.setdefault(shape, "-".join(["c", *(_number(n).replace(".", "_") for n in numbers)]))


def _look(gc: GraphicsContextBase, face) -> str:
    """Return how an element is filled and drawn, as attributes."""
    told = {"fill": "none" if face is None else rgb2hex(face)}
    if face is not None and _alpha(gc, face) != OPAQUE:
        told["fill-opacity"] = _number(_alpha(gc, face), 2)
    if gc.get_linewidth() > 0 and gc.get_rgb()[3] > 0:
        told |= {"stroke": rgb2hex(gc.get_rgb()), "stroke-width": _number(gc.get_linewidth(), 2)}
        if _alpha(gc, gc.get_rgb()) != OPAQUE:
            told["stroke-opacity"] = _number(_alpha(gc, gc.get_rgb()), 2)
        offset, dashes = gc.get_dashes()
        if dashes is not None:
            told["stroke-dasharray"] = " ".join(_number(dash, 2) for dash in np.asarray(dashes, dtype=float))
            told["stroke-dashoffset"] = _number(float(offset), 2)
        caps, joins = str(gc.get_capstyle()), str(gc.get_joinstyle())
        if caps != "butt":
            told["stroke-linecap"] = {"projecting": "square"}.get(caps, caps)
        if joins != "miter":
            told["stroke-linejoin"] = joins
    return "".join(f' {name}="{value}"' for name, value in told.items())


def _alpha(gc: GraphicsContextBase, colour) -> float:
    return float(gc.get_alpha() if gc.get_forced_alpha() or len(colour) == 3 else colour[3])


def _commands(path: Path) -> str:
    """Return a path in SVG's own words."""
    told, wanted = [], 0
    points, codes = np.asarray(path.vertices, dtype=float), np.asarray(path.codes)
    for (x, y), code in zip(points.tolist(), codes.tolist(), strict=True):
        if code == Path.STOP:
            continue
        if code == Path.CLOSEPOLY:
            told.append("z")
            continue
        if wanted == 0:
            told.append(COMMANDS[code])
            wanted = POINTS_OF.get(code, 1)
        wanted -= 1
        told.append(f"{_number(x)} {_number(y)} ")
    return "".join(told).rstrip()


def _number(value: float, decimals: int = 1) -> str:
    """Return a number without zeros that say nothing."""
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _held(spaces: re.Match[str]) -> str:
    """Return spaces that SVG does not run together."""
    return NO_BREAK * len(spaces[0])


def _is_bold(prop: FontProperties) -> bool:
    weight = prop.get_weight()
    return weight >= BOLD_FROM if isinstance(weight, int) else weight in ("semibold", "bold", "heavy", "black")


@cache
def _face(is_bold: bool) -> FT2Font:
    font = get_font(fontManager.findfont(FontProperties(family=FONTS[0], weight="bold" if is_bold else "normal")))
    font.set_size(EM, 72)
    return font


@cache
def _advance(letter: str, is_bold: bool) -> float:
    """Return the width of a letter as a part of the font's size; one that the font lacks is as wide as it is high."""
    font = _face(is_bold)
    code = ord(letter)
    if not font.get_char_index(code):
        return 1.0
    return font.load_char(code, flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / EM
