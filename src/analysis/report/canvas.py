"""The paper and ink of every figure: one look, colours that the colour-blind can tell apart, the same bytes twice."""

import copyreg
import gc
import hashlib
import io
import pickle
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, partial, wraps
from itertools import islice
from types import MappingProxyType
from typing import Literal, ParamSpec

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter

from analysis.plan.faults import known
from analysis.plan.study import Study
from analysis.report.drawn import DRAWN
from analysis.report.layout import PAD, Panel, lay_out
from analysis.report.marks import marking, without_marks
from analysis.report.svg import FONTS, svg_of
from analysis.report.wording import NBSP, minus

# Okabe & Ito 2008, Color Universal Design.
BLUE, VERMILION, ORANGE, GREEN, SKY = "#0072B2", "#D55E00", "#E69F00", "#009E73", "#56B4E9"
INK, GREY, PALE = "#1f2933", "#6b7280", "#d9dde3"

STYLE = {
    "font.family": FONTS[0],
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.titley": 1.0,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "lines.linewidth": 1.8,
    # A dollar sign is one, and begins no formula.
    "text.parse_math": False,
}
# Characters of a title to the line, on a figure of the usual width in inches.
TITLE_WIDTH, USUAL_WIDTH = 62, 5.5
# On a phone: the width of a figure in inches, on which its smallest text (8 points) is 10 pixels high there.
NARROW_WIDTH, PIXELS_PER_POINT = 4.0, 1.25
_IS_NARROW: ContextVar[bool] = ContextVar("is_narrow", default=False)
# Drawings that are remembered: more than a study has, in both widths.
MOST_KEPT = 400
# What the key of a narrow drawing ends in.
NARROW = b"narrow"
WIDTH = re.compile(r'viewBox="0 0 ([\d.]+)')
Given = ParamSpec("Given")


@dataclass(frozen=True)
class Drawing:
    """A figure that is drawn; a notebook shows it by itself.

    Attributes
    ----------
    svg
        The picture; the same figure gives the same bytes. Numbers of the ledger name their rows in it.
    alt
        The figure's finding in one line, for those who cannot see it.
    """

    svg: str
    alt: str
    _again: Callable[[], Figure] = field(compare=False)
    _key: bytes = field(compare=False)
    _has_narrow: bool = field(compare=False)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"

    def narrow(self) -> str:
        """Return the picture as SVG for a phone; empty where it has no narrow variant and is scrolled."""
        return _drawn_once(self._key + NARROW, self._again)[0] if self._has_narrow else ""

    @property
    def least_pixels(self) -> int:
        """How wide it must be shown for its smallest text to be read."""
        return round(PIXELS_PER_POINT * float(known(WIDTH.search(self.svg))[1]))

    def figure(self) -> Figure:
        """Return the figure set up and laid out anew, for those who want to change it."""
        with _in_style():
            return self._again()

    def png(self) -> bytes:
        """Return the picture as PNG at 160 dots an inch; the same figure gives the same bytes."""
        buffer = io.BytesIO()
        with _in_style():
            FigureCanvasAgg(self._again()).print_figure(buffer, format="png", dpi=160, metadata={"Software": None})
        return buffer.getvalue()


# What stands for its content alone: a mapping that cannot be changed; a frame, which pandas keeps as it likes; a study,
# in which pydantic keeps a set without an order.
BY_CONTENT = copyreg.dispatch_table | {
    MappingProxyType: lambda mapping: (dict, (dict(mapping),)),
    pd.DataFrame: lambda frame: (list, (_cells(frame),)),
    Study: lambda study: (str, (repr(study),)),
}


def styled(draw: Callable[Given, Figure], has_narrow: bool = True) -> Callable[Given, Drawing]:
    """Make a function that sets up a figure return it drawn, in the house style, nobody's settings changed.

    A figure is a function of what is released: what was drawn of the same before is not drawn again.

    Parameters
    ----------
    has_narrow
        Whether it can be set up narrow, too, for phones (`is_narrow`).
    """

    @wraps(draw)
    def drawn(*args: Given.args, **kwargs: Given.kwargs) -> Drawing:
        again = partial(_laid_out, draw, *args, **kwargs)
        key = _digest((draw.__module__, draw.__qualname__, args, kwargs))
        return Drawing(*_drawn_once(key, again), again, key, has_narrow)

    return drawn


def styled_wide(draw: Callable[Given, Figure]) -> Callable[Given, Drawing]:
    """Make a function that sets up a figure return it drawn, as `styled`; it is wide on phones, too."""
    return styled(draw, has_narrow=False)


def _drawn_once(key: bytes, again: Callable[[], Figure]) -> tuple[str, str]:
    """Return a figure as SVG and its title; narrow where its key says so."""
    if key not in DRAWN:
        while len(DRAWN) >= MOST_KEPT:
            del DRAWN[next(iter(DRAWN))]
        with _in_style(), marking(), _narrow(key.endswith(NARROW)):
            figure = again()
            DRAWN[key] = (svg_of(figure), without_marks(figure.get_suptitle().replace("\n", " ")))
    return DRAWN[key]


@contextmanager
def _narrow(is_narrow: bool) -> Iterator[None]:
    token = _IS_NARROW.set(is_narrow)
    try:
        yield
    finally:
        _IS_NARROW.reset(token)


def is_narrow() -> bool:
    """Whether the figure that is being set up is the one for phones."""
    return _IS_NARROW.get()


@contextmanager
def _in_style() -> Iterator[None]:
    """Have the house style in the block; and no search for garbage, of which a figure makes much, but only at its end.

    The search goes through everything that a process holds, again and again while a figure is set up.
    """
    was_searching = gc.isenabled()
    gc.disable()
    try:
        with mpl.rc_context(_style()):
            yield
    finally:
        if was_searching:
            gc.enable()


@cache
def _style() -> dict:
    # seaborn takes a second to import: a notebook of which every picture is drawn already does not wait for it.
    import seaborn as sns

    return {**sns.axes_style("ticks"), **STYLE}


def _digest(content: object) -> bytes:
    """Return a checksum of content, whichever of its parts happen to be one object."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=4)
    pickler.fast = True
    pickler.dispatch_table = BY_CONTENT
    pickler.dump(content)
    return hashlib.sha256(buffer.getbuffer()).digest()


def _cells(frame: pd.DataFrame) -> list:
    """Return what a frame holds."""
    columns = [frame.iloc[:, n] for n in range(frame.shape[1])]
    cells = [c.to_numpy() if isinstance(c.dtype, np.dtype) else c.tolist() for c in columns]
    return [frame.columns.tolist(), frame.index.tolist(), [str(c.dtype) for c in columns], cells]


def _laid_out(draw: Callable[Given, Figure], *args: Given.args, **kwargs: Given.kwargs) -> Figure:
    figure = draw(*args, **kwargs)
    lay_out(figure)
    return figure


def sheet(title: str, height: float, width: float = USUAL_WIDTH) -> tuple[Figure, Axes]:
    """Return an empty figure of that size in inches, and its axes; the title says what is found."""
    figure, [axes] = panels(title, height, [1], width)
    return figure, axes


def panels(title: str, height: float, widths: Sequence[float], width: float = USUAL_WIDTH) -> tuple[Figure, list[Axes]]:
    """Return an empty figure and its panels side by side, on one vertical axis, of these widths to each other."""
    width = NARROW_WIDTH if is_narrow() else width
    per_line = int(TITLE_WIDTH * width / USUAL_WIDTH)
    figure = Figure(figsize=(width, height), dpi=72, facecolor="white")
    figure.suptitle(
        wrapped(title, per_line), x=0.012, y=1 - PAD / (72 * height), ha="left", va="top", fontsize=10,
        fontweight="bold", linespacing=1.3,
    )  # fmt: skip
    parts = figure.subplots(
        1, len(widths), sharey=True, squeeze=False, width_ratios=widths, subplot_kw={"axes_class": Panel}
    )
    return figure, list(parts[0])


def wrapped(text: str, width: int) -> str:
    """Return a text in lines of at most so many characters; marks of numbers take no room."""
    lines = textwrap.wrap(without_marks(text), width, break_long_words=False, break_on_hyphens=False)
    words = iter(text.split(" "))
    return "\n".join(" ".join(islice(words, line.count(" ") + 1)) for line in lines)


def percent_axis(axis) -> None:
    """Show shares as percentages."""
    axis.set_major_formatter(FuncFormatter(lambda share, _: minus(f"{100 * share:g}") + NBSP + "%"))


def points_axis(axis) -> None:
    """Show signed numbers with real minus signs."""
    axis.set_major_formatter(FuncFormatter(lambda x, _: minus(f"{x:+g}") if x else "0"))
    if is_narrow() and axis.axis_name == "x":
        axis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))


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
