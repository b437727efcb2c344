"""The picture of a plan: what a program of each size could show."""

from itertools import pairwise

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from analysis.estimate.planning import PlanRow, RolePlan
from analysis.plan.faults import known
from analysis.report.canvas import BLUE, GREEN, GREY, INK, ORANGE, SKY, VERMILION, Drawing, quiet_grid, sheet, styled
from analysis.report.layout import name_ticks
from analysis.report.planning import people_name, plan_facts, size_of, sized_rows
from analysis.report.template import say
from analysis.report.wording import trimmed

COLOURS = (BLUE, VERMILION, GREEN, ORANGE, SKY)
MARKS = ("o", "s", "D", "^", "v")
# Two sizes whose ratio is smaller have no room for both their numbers.
CLOSEST = 1.25


def detectable_plot(plan: RolePlan) -> Drawing | None:
    """Return the smallest detectable difference by size of the program; None where there is no risk to plan with."""
    return _detectable_plot(plan) if sized_rows(plan) else None


@styled
def _detectable_plot(plan: RolePlan) -> Figure:
    """Return one line per horizon, in points of 100 people, on a logarithmic axis of sizes.

    A hollow mark stands where not even a program that nobody leaves could be told from chance, at the share that leaves
    anyway.
    """
    rows = sized_rows(plan)
    figure, axes = sheet(say("planning.title", plan_facts(plan)), height=3.7)
    horizons = sorted({r.horizon_months for r in rows})
    for n, horizon in enumerate(horizons):
        _line(axes, [r for r in rows if r.horizon_months == horizon], COLOURS[n % len(COLOURS)], MARKS[n % len(MARKS)])
    if any(r.status == "undetectable" for r in rows):
        axes.plot([], [], "o", markerfacecolor="white", markeredgecolor=GREY, label="not even if nobody left")
    axes.legend(
        frameon=False,
        fontsize=8.5,
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=3,
        columnspacing=1,
        handlelength=1.4,
    )
    least = 100 * plan.smallest_effect
    axes.axhline(least, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    sizes = sorted({size_of(r) for r in rows})
    axes.annotate(
        f"smallest effect of interest: {trimmed(least, 1)}", (sizes[0], least), (0, -3), textcoords="offset points",
        color=INK, va="top", fontsize=8.5,
    )  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    told = [*(n for n, after in pairwise(sizes) if n * CLOSEST <= after), sizes[-1]]
    name_ticks(axes.xaxis, told, [f"{n:,}" for n in told])
    axes.set_ylim(0, 1.12 * max(least, *(_height(r) for r in rows)))
    axes.yaxis.set_major_formatter(lambda x, _: trimmed(x, 1))
    axes.margins(x=0.06)
    quiet_grid(axes, "y")
    axes.set_xlabel(f"{people_name(plan)} in the program (logarithmic scale)")
    axes.set_ylabel("smallest detectable difference,\nfewer leavers of 100")
    return figure


def _line(axes, rows: list[PlanRow], colour: str, mark: str) -> None:
    look = {"marker": mark, "markersize": 7, "color": colour}
    found = [r for r in rows if r.status == "estimated"]
    never = [r for r in rows if r.status == "undetectable"]
    axes.plot(
        [r.n_treated for r in found], [_height(r) for r in found],
        label=f"within {rows[0].horizon_months} months", markeredgecolor="white", **look,
    )  # fmt: skip
    axes.plot(
        [r.n_treated for r in never], [_height(r) for r in never], linestyle="none", markerfacecolor="white", **look
    )


def _height(row: PlanRow) -> float:
    return 100 * (known(row.risk) if row.difference is None else row.difference)
