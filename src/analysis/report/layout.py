"""Where the panels of a figure stand, and the scales beside them: measured once, drawn at one go.

Of matplotlib's own axis the ticks, names and settings are read. Drawn by itself it makes five artists a tick, and
measures each text four times.
"""

import re
from collections.abc import Callable, Collection, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis, YAxis
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.ticker import FixedFormatter, FixedLocator
from matplotlib.transforms import IdentityTransform

from analysis.plan.faults import known
from analysis.report.svg import ASCENT, DESCENT, LINE, SvgRenderer

# Around the whole and between its parts, in points.
PAD = 4.3
# What names beside the first panel, and beside the others, take, about: where ticks are chosen by the room there is.
FIRST_GUESS, NEXT_GUESS = (60.0, 36.0, 10.0, 4.0), (5.0, 36.0, 5.0, 4.0)
# Frames are placed until none moves by as much as this, in points, or so often.
SETTLED, MOST_TRIES = 0.5, 25
# Left of, below, right of and above a panel's frame, in points.
Room = tuple[float, float, float, float]
# Ticks: how long, and how far their names are off; a title off these, or off the panel that it stands above.
LENGTH, OFF, TITLE_OFF, ABOVE = 6.0, 3.5, 4.0, 6.0
# Of ticks, of the title above a panel, and of the names beside it: plain and bold.
WIDTH = 0.8
TITLE_FONT = FontProperties(size=9)
FONTS = (FontProperties(size=8.5), FontProperties(size=8.5, weight="bold"))
# Between the ends of a scale's title: ``← fewer     what is shown     more →``.
ENDS = re.compile(r" {3,}")
# A tick at the very end of a scale is on it, whatever the last digit says.
TOLERANCE = 1e-6


class TickNames(FixedFormatter):
    """Names of ticks that stand where they were set; those of `bold` places are bold."""

    def __init__(self, names: Sequence[str], bold: Collection[int] = ()) -> None:
        super().__init__(names)
        self.bold = frozenset(bold)


def name_ticks(axis: Axis, at: Sequence, names: Sequence[str], bold: Collection[int] = ()) -> None:
    """Set the ticks of an axis and their names."""
    axis.set_major_locator(FixedLocator([float(x) for x in axis.convert_units(list(at))]))
    axis.set_major_formatter(TickNames(list(names), bold))


def lay_out(figure: Figure) -> None:
    """Place the panels of a figure side by side in the room that what stands around them leaves."""
    renderer = SvgRenderer(*figure.bbox.size)
    edges = [(text.get_verticalalignment() == "top", text.get_window_extent(renderer)) for text in figure.texts]
    edges += [(False, legend.get_window_extent(renderer)) for legend in figure.legends]
    top = min(box.y0 for is_above, box in edges if is_above) - PAD
    bottom = max([0.0, *(box.y1 for is_above, box in edges if not is_above)]) + PAD
    panels = list(figure.axes)
    _place(figure, [FIRST_GUESS, *[NEXT_GUESS] * (len(panels) - 1)], bottom, top)
    scales = [(Scale(axes.xaxis, renderer), Scale(axes.yaxis, renderer)) for axes in panels]
    lowest = max(x.depth for x, _ in scales)
    for x, _ in scales:
        x.depth = lowest
    for scale in (scale for of_panel in scales for scale in of_panel):
        scale.axis.set_visible(False)
        scale.axis.axes.add_artist(scale)
    # Again and again: a text in a panel moves with its frame, and then reaches further or less far beyond it.
    last: list[Room] = [(np.inf, np.inf, np.inf, np.inf)] * len(panels)
    for _ in range(MOST_TRIES):
        rooms = [_room(axes, x, y, renderer) for axes, (x, y) in zip(panels, scales, strict=True)]
        _place(figure, rooms, bottom, top)
        if np.abs(np.subtract(rooms, last)).max() < SETTLED:
            break
        last = rooms


def _room(axes: Axes, x: "Scale", y: "Scale", renderer: SvgRenderer) -> Room:
    """Return how far scales and texts reach beyond the frame of a panel."""
    frame = axes.bbox
    texts = [*axes.texts, *([legend] if (legend := axes.get_legend()) else [])]
    boxes = [text.get_window_extent(renderer) for text in texts if text.get_visible()]
    (before, after), (_, over) = x.beyond(renderer), y.beyond(renderer)
    title = axes.get_title("left").split("\n") if axes.get_title("left") else []
    above = ABOVE + _height(title, TITLE_FONT) if title else 0.0
    return (
        max([y.reach, before, *(frame.x0 - box.x0 for box in boxes)]),
        max([x.reach, *(frame.y0 - box.y0 for box in boxes)]),
        max([0.0, after, *(box.x1 - frame.x1 for box in boxes)]),
        max([0.0, above, over, *(box.y1 - frame.y1 for box in boxes)]),
    )


def _place(figure: Figure, rooms: Sequence[Room], bottom: float, top: float) -> None:
    """Place the panels between two heights, their frames as wide to each other as was asked for."""
    width, height = figure.bbox.size
    low, high = bottom + max(room[1] for room in rooms), top - max(room[3] for room in rooms)
    free = width - PAD * (len(rooms) + 1) - sum(room[0] + room[2] for room in rooms)
    shares = np.asarray(known(figure.axes[0].get_gridspec()).get_width_ratios(), dtype=float).tolist()
    at = 0.0
    for axes, room, share in zip(figure.axes, rooms, shares, strict=True):
        at += PAD + room[0]
        wide = free * share / sum(shares)
        axes.set_position((at / width, low / height, wide / width, (high - low) / height))
        at += wide + room[2]


# `Scale` draws the ticks: an axis needs to make none, which takes longer than all the rest of a panel.
class _XAxis(XAxis):
    majorTicks = minorTicks = ()  # type: ignore[assignment]


class _YAxis(YAxis):
    majorTicks = minorTicks = ()  # type: ignore[assignment]


class Panel(Axes):
    """Axes whose axis is asked where its ticks are, and makes none."""

    def _init_axis(self) -> None:
        self.xaxis, self.yaxis = _XAxis(self, clear=False), _YAxis(self, clear=False)
        for spine, axis in zip(("bottom", "top", "left", "right"), [self.xaxis] * 2 + [self.yaxis] * 2, strict=True):
            self.spines[spine].register_axis(axis)

    def clear(self) -> None:
        """Clear the panel; its edges get their place, which a tick would give them."""
        super().clear()
        for spine in self.spines.values():
            spine.set_position(("outward", 0))


class Scale(Artist):
    """The scale below or left of a panel: grid, ticks, their names, and its title.

    Attributes
    ----------
    depth
        How far the names reach from the panel; the title begins there.
    """

    def __init__(self, axis: Axis, renderer: RendererBase) -> None:
        super().__init__()
        self.axis, self.is_below = axis, isinstance(axis, XAxis)
        self.set_zorder(axis.get_zorder())
        self._told = axis.get_tick_params()
        self._ticks = self._named_ticks()
        self._length = float(self._told.get("length", LENGTH))
        self._off = self._length + float(self._told.get("pad", OFF))
        self.depth = self._depth(renderer)
        self._title = self._title_lines(renderer)

    def _title_lines(self, renderer: RendererBase) -> list[str]:
        """Return the lines of the scale's title; one that is wider than the figure has its two ends on a line below."""
        lines = self.axis.label.get_text().split("\n") if self.axis.label.get_text() else []
        room, font = renderer.get_canvas_width_height()[0] - 2 * PAD, self.axis.label.get_fontproperties()
        if not self.is_below or all(_width(line, font, renderer) <= room for line in lines):
            return lines
        return [part for line in lines for part in _in_room(line, lambda text: _width(text, font, renderer) <= room)]

    def _named_ticks(self) -> list[tuple[float, list[str], FontProperties]]:
        """Return the ticks that lie on the scale: where, the lines of the name, its font."""
        low, high = sorted(self.axis.get_view_interval())
        slack = TOLERANCE * (high - low)
        places, formatter = [float(at) for at in self.axis.get_majorticklocs()], self.axis.get_major_formatter()
        bold = formatter.bold if isinstance(formatter, TickNames) else ()
        names = formatter.format_ticks(places)
        if not self._told.get("labelbottom" if self.is_below else "labelleft", True):
            names = [""] * len(places)
        return [
            (at, name.split("\n") if name else [], FONTS[n in bold])
            for n, (at, name) in enumerate(zip(places, names, strict=True))
            if low - slack <= at <= high + slack
        ]

    def _depth(self, renderer: RendererBase) -> float:
        if not any(lines for _, lines, _ in self._ticks):
            return self._length if self._ticks else 0.0
        if self.is_below:
            return self._off + max(_height(lines, font) for _, lines, font in self._ticks)
        return self._off + max(_width(line, font, renderer) for _, lines, font in self._ticks for line in lines)

    @property
    def reach(self) -> float:
        """How far names and title reach from the panel, in points."""
        title = self._title
        return self.depth + (TITLE_OFF + _height(title, self.axis.label.get_fontproperties()) if title else 0.0)

    def beyond(self, renderer: RendererBase) -> tuple[float, float]:
        """Return how far names reach beyond the scale's two ends, in points."""
        start, end = 0.0, 0.0
        frame, along = self.axis.axes.bbox, self._along()
        first, last = (frame.x0, frame.x1) if self.is_below else (frame.y0, frame.y1)
        for at, (_, lines, font) in zip(along, self._ticks, strict=True):
            half = max((_width(line, font, renderer) for line in lines), default=0.0) / 2
            half = half if self.is_below else _height(lines, font) / 2
            start, end = max(start, first - at + half), max(end, at + half - last)
        return start, end

    def _along(self) -> list[float]:
        """Return where the ticks are on the page, along the scale."""
        places, is_below = [at for at, _, _ in self._ticks], self.is_below
        points = [(at, 0.0) if is_below else (0.0, at) for at in places]
        axes = self.axis.axes
        blended = axes.get_xaxis_transform() if is_below else axes.get_yaxis_transform()
        return blended.transform(points)[:, 0 if is_below else 1].tolist() if points else []

    def draw(self, renderer: RendererBase) -> None:
        """Draw grid, ticks, names and title."""
        along, unit = self._along(), _pixels(renderer, 1.0)
        frame = self.axis.axes.bbox
        if self._told.get("gridOn", False):
            self._lines(renderer, along, "grid_color", float(self._told["grid_linewidth"]),
                        *((frame.y0, frame.y1) if self.is_below else (frame.x0, frame.x1)))  # fmt: skip
        edge = frame.y0 if self.is_below else frame.x0
        if self._length:
            self._lines(renderer, along, "color", WIDTH, edge - unit * self._length, edge)
        for at, (_, lines, font) in zip(along, self._ticks, strict=True):
            if self.is_below:
                _write(renderer, lines, font, self._ink, (at, edge - unit * self._off), "below")
            else:
                _write(renderer, lines, font, self._ink, (edge - unit * self._off, at), "left")
        self._write_title(renderer, edge - unit * (self.depth + TITLE_OFF))

    @property
    def _ink(self) -> str:
        return self._told.get("labelcolor", mpl.rcParams["xtick.color"])

    def _lines(
        self, renderer: RendererBase, along: list[float], colour: str, width: float, start: float, end: float
    ) -> None:
        """Draw a line across the scale at every tick, all of them as one path."""
        if not along:
            return
        points = [(at, over) if self.is_below else (over, at) for at in along for over in (start, end)]
        gc = renderer.new_gc()
        gc.set_foreground(self._told.get(colour, mpl.rcParams["xtick.color"]))
        gc.set_linewidth(_pixels(renderer, width))
        renderer.draw_path(gc, Path(points, [Path.MOVETO, Path.LINETO] * len(along)), IdentityTransform())
        gc.restore()

    def _write_title(self, renderer: RendererBase, edge: float) -> None:
        label, frame = self.axis.label, self.axis.axes.bbox
        font, ink = label.get_fontproperties(), to_hex(label.get_color())
        if not self.is_below:
            _write(renderer, self._title, font, ink, (edge, (frame.y0 + frame.y1) / 2), "upwards")
        elif label.get_horizontalalignment() == "right":
            _write(renderer, self._title, font, ink, (frame.x1, edge), "below right")
        else:
            # Under the middle of the panel, unless it would stand over the edge of the figure.
            half = max(_width(line, font, renderer) for line in self._title or [""]) / 2
            least, most = PAD + half, renderer.get_canvas_width_height()[0] - PAD - half
            middle = min(max((frame.x0 + frame.x1) / 2, least), max(least, most))
            _write(renderer, self._title, font, ink, (middle, edge), "below")


def _in_room(line: str, fits: Callable[[str], bool]) -> list[str]:
    """Return a line in as many as it needs: what stands between two ends first, then the ends, or word by word."""
    if fits(line):
        return [line]
    if (ends := ENDS.split(line)) and len(ends) == 3:
        return [*_in_room(ends[1], fits), f"{ends[0]}     {ends[2]}"]
    words = line.split(" ")
    n = next((n for n in range(len(words) - 1, 0, -1) if fits(" ".join(words[:n]))), 1)
    return [" ".join(words[:n]), *(_in_room(" ".join(words[n:]), fits) if words[n:] else [])]


def _write(
    renderer: RendererBase, lines: Sequence[str], font: FontProperties, ink: str, at: tuple[float, float], side: str
) -> None:
    """Write lines of text: ``below`` a point, centred or ending there; to its ``left``; or left of it, ``upwards``."""
    size = _pixels(renderer, font.get_size_in_points())
    block = size * ((len(lines) - 1) * LINE + ASCENT + DESCENT)
    gc = renderer.new_gc()
    gc.set_foreground(ink)
    for n, line in enumerate(lines):
        width = renderer.get_text_width_height_descent(line, font, False)[0]
        down = size * (ASCENT + n * LINE)
        if side == "upwards":
            x, y = at[0] - block + down, at[1] - width / 2
        elif side == "left":
            x, y = at[0] - width, at[1] + block / 2 - down
        else:
            x, y = at[0] - (width if side == "below right" else width / 2), at[1] - down
        if renderer.flipy():
            y = renderer.get_canvas_width_height()[1] - y
        renderer.draw_text(gc, x, y, line, font, 90 if side == "upwards" else 0)
    gc.restore()


def _pixels(renderer: RendererBase, points: float) -> float:
    return float(np.asarray(renderer.points_to_pixels(points)))


def _height(lines: Sequence[str], font: FontProperties) -> float:
    return font.get_size_in_points() * ((len(lines) - 1) * LINE + ASCENT + DESCENT) if lines else 0.0


def _width(line: str, font: FontProperties, renderer: RendererBase) -> float:
    return renderer.get_text_width_height_descent(line, font, False)[0]
