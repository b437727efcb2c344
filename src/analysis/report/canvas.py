"""The paper and ink of every figure: one look, colours that the colour-blind can tell apart, the same bytes twice."""

import io
import re
import textwrap
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Literal, ParamSpec, TypeVar

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter

from analysis.report.wording import NBSP, minus

# Okabe & Ito 2008, Color Universal Design.
BLUE, VERMILION, ORANGE, GREEN, SKY = "#0072B2", "#D55E00", "#E69F00", "#009E73", "#56B4E9"
INK, GREY, PALE = "#1f2933", "#6b7280", "#d9dde3"

STYLE = {
    **sns.axes_style("ticks"),
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "analysis",
    "svg.fonttype": "path",
}
# Characters of a title to the line, on a figure of the usual width in inches.
TITLE_WIDTH, USUAL_WIDTH = 62, 5.5
# Where a picture says where something is.
COORDINATES = re.compile(rb'\b(?:d|x|y|x1|y1|x2|y2|width|height|points)="[^"]*"|translate\([^)]*\)')
Given = ParamSpec("Given")
# A drawing, or none where there is nothing to draw.
Drawn = TypeVar("Drawn", bound="Drawing | None")


class Drawing(Figure):
    """A figure that a notebook shows by itself, whatever back end it has."""

    def _repr_png_(self) -> bytes:
        return png(self)


def styled(draw: Callable[Given, Drawn]) -> Callable[Given, Drawn]:
    """Make a drawing function use the house style without changing anybody's settings."""

    @wraps(draw)
    def in_style(*args: Given.args, **kwargs: Given.kwargs) -> Drawn:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return in_style


def sheet(title: str, height: float, width: float = USUAL_WIDTH) -> tuple[Drawing, Axes]:
    """Return an empty figure of that size in inches, and its axes; the title says what is found."""
    per_line = int(TITLE_WIDTH * width / USUAL_WIDTH)
    layout = ConstrainedLayoutEngine(h_pad=0.06, w_pad=0.06)
    figure = Drawing(figsize=(width, height), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    wrapped = "\n".join(textwrap.wrap(title, per_line, break_long_words=False))
    figure.suptitle(wrapped, x=0.012, ha="left", fontsize=10, fontweight="bold", linespacing=1.3)
    return figure, figure.subplots()


def alt_text(figure: Figure) -> str:
    """Return the figure's finding in one line, for those who cannot see it."""
    return figure.get_suptitle().replace("\n", " ")


def percent_axis(axis) -> None:
    """Show shares as percentages."""
    axis.set_major_formatter(FuncFormatter(lambda share, _: minus(f"{100 * share:g}") + NBSP + "%"))


def points_axis(axis) -> None:
    """Show signed numbers with real minus signs."""
    axis.set_major_formatter(FuncFormatter(lambda x, _: minus(f"{x:+g}") if x else "0"))


def score_axis(axis) -> None:
    """Show scores at round steps, all with as many decimals as these need."""
    axis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(ScalarFormatter(useOffset=False))


def quiet_grid(axes: Axes, axis: Literal["x", "y", "both"]) -> None:
    """Draw a faint grid behind the marks."""
    axes.grid(axis=axis, color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)


def name_lines(axes: Axes, ends: Iterable[tuple[float, str, str]], x: float) -> None:
    """Name each line (height of its end, name, colour) to the right of `x`; names that would touch are moved apart."""
    low, high = axes.get_ylim()
    line, top = 0.075 * (high - low), None
    for height, name, colour in sorted(ends):
        half = line * (1 + name.count("\n")) / 2
        at = height if top is None else max(height, top + half)
        top = at + half
        axes.annotate(
            name, (x, at), xytext=(9, 0), textcoords="offset points", color=colour, fontweight="bold", fontsize=8.5,
            va="center", annotation_clip=False,
        )  # fmt: skip


def svg(figure: Figure) -> bytes:
    """Return the figure as SVG; the same figure gives the same bytes.

    Coordinates have a decimal of a point, as much as can be seen: nothing finer than what is drawn can be read back.
    """
    return COORDINATES.sub(_to_a_decimal, _saved(figure, format="svg", metadata={"Date": None}))


def _to_a_decimal(coordinates: re.Match[bytes]) -> bytes:
    return re.sub(rb"-?\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}".encode(), coordinates[0])


def png(figure: Figure) -> bytes:
    """Return the figure as PNG at 160 dots an inch; the same figure gives the same bytes."""
    return _saved(figure, format="png", dpi=160, metadata={"Software": None})


def _saved(figure: Figure, **how) -> bytes:
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, **how)
    return buffer.getvalue()
