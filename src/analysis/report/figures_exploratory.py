"""The picture of a question of one's own."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from analysis.plan.results import Estimated
from analysis.report.canvas import BLUE, GREY, INK, points_axis, sheet, styled
from analysis.report.layout import name_ticks
from analysis.report.template import say
from analysis.report.wording import outcome_name, scaled, unit

HEIGHT_OF_ROW = 0.3


@styled
def own_answers_plot(rows: Sequence[tuple[str, Estimated]]) -> Figure:
    """Return rows with numbers, each with its name and interval, in the unit of their measure; hollow: exploratory.

    Parameters
    ----------
    rows
        At least one; all of one measure and outcome.
    """
    first = rows[0][1]
    clear = sum(not row.holds_zero for _, row in rows)
    title = say("exploratory.title", outcome_name(first.outcome), first.horizon_months, len(rows), clear)
    figure, axes = sheet(title, height=1.2 + HEIGHT_OF_ROW * len(rows))
    heights = range(len(rows) - 1, -1, -1)
    axes.axvline(0, color=GREY, linewidth=1)
    for y, (_, row) in zip(heights, rows, strict=True):
        low, mid, high = scaled(row)
        axes.plot([low, high], [y, y], color=BLUE, linewidth=1.5, solid_capstyle="butt")
        axes.plot(mid, y, "o", color=BLUE, markersize=6, markerfacecolor="white")
    axes.set_ylim(-0.7, len(rows) - 0.3)
    name_ticks(axes.yaxis, heights, [name for name, _ in rows], [])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.05)
    points_axis(axes.xaxis)
    axes.set_xlabel(f"difference, {unit(first).unit or unit(first).label}; lines are 95 % intervals", loc="right")
    return figure
