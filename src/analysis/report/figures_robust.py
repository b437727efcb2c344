"""Pictures of how much hangs on one choice, of the other kinds of exit, and of money."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from analysis.plan.results import Finding, estimated
from analysis.plan.study import Study
from analysis.report.canvas import (
    BLUE,
    GREY,
    INK,
    PALE,
    is_narrow,
    panels,
    percent_axis,
    points_axis,
    quiet_grid,
    sheet,
    styled,
    wrapped,
)
from analysis.report.facts import at_first_horizon, facts, ways
from analysis.report.figures import draw_incidence
from analysis.report.layout import name_ticks
from analysis.report.prose import comparators, ways_title
from analysis.report.template import say
from analysis.report.wording import (
    event_words,
    is_randomized,
    is_scale,
    number,
    outcome_name,
    scaled,
)

HEIGHT_OF_WAY = 0.235
# Characters that the titles of all panels side by side have room for.
TITLES, NARROW_TITLES = 66, 44
# Characters of a way's name on a phone.
NARROW_NAME = 26


@styled
def specification_curve(finding: Finding) -> Figure:
    """Return the main answer and every other way to make it, each with its interval.

    In percentage points or points of the scale. Sorted by estimate, the main answer filled; below a line, the main
    answer read off at other horizons (squares).
    """
    found = ways(finding)
    names = [wrapped(way.text, NARROW_NAME) if is_narrow() else way.text for way in found]
    n_lines = sum(1 + 0.6 * name.count("\n") for name in names)
    figure, axes = sheet(ways_title(finding), height=1.25 + HEIGHT_OF_WAY * n_lines)
    heights = range(len(found) - 1, -1, -1)
    axes.axvline(0, color=GREY, linewidth=1)
    for y, way in zip(heights, found, strict=True):
        is_main = way.kind == "main"
        colour = BLUE if is_main else GREY
        low, mid, high = scaled(way.row)
        axes.plot([low, high], [y, y], color=colour, linewidth=3 if is_main else 1.5, solid_capstyle="butt")
        axes.plot(
            mid, y, "s" if way.kind == "horizon" else "o", color=colour, markersize=7 if is_main else 5,
            markerfacecolor=colour if is_main else "white",
        )  # fmt: skip
    n_later = len(found) - len(at_first_horizon(finding))
    if n_later:
        axes.axhline(n_later - 0.5, color=PALE, linewidth=1)
    axes.set_ylim(-0.7, len(found) - 0.3)
    bold = [n for n, way in enumerate(found) if way.kind == "main"]
    name_ticks(axes.yaxis, heights, names, bold)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.05)
    points_axis(axes.xaxis)
    # Aligned right, for the names of the ways leave the axis little room.
    axes.set_xlabel(_ways_axis(finding), loc="right")
    return figure


def _ways_axis(finding: Finding) -> str:
    if is_scale(finding):
        return "← lower     points of the scale     higher →"
    do = event_words(finding.primary).do
    return f"← fewer {do}     percentage points     more {do} →"


def shown_kinds(curves: pd.DataFrame) -> list[str]:
    """Return the kinds of event of which both groups show more than their beginning."""
    seen = curves.dropna(subset="cumulative_incidence").groupby(["outcome", "arm"], sort=False).size().unstack()
    enough = (seen.reindex(columns=["treated", "control"]) > 1).all(axis="columns")
    return [kind for kind in dict.fromkeys(curves["outcome"]) if enough.get(kind, False)]


@styled
def other_exits_plot(finding: Finding) -> Figure:
    """Return both groups' cumulative incidence of the competing kinds of exit, one panel each, on one scale.

    Reads evidence ``curves_by_kind`` (outcome, arm, months, cumulative_incidence, ci_low, ci_high); kinds of which a
    group had too few are left out.
    """
    curves = finding.evidence["curves_by_kind"]
    kinds = shown_kinds(curves)
    figure, parts = panels(_kinds_title(finding, kinds), height=2.9, widths=[1] * len(kinds))
    names = ("offered a place", "not offered") if is_randomized(finding) else ("started", comparators(finding))
    if is_narrow():
        names = (names[0], names[1].replace(" ", "\n"))
    for axes, kind in zip(parts, kinds, strict=True):
        draw_incidence(axes, curves[curves["outcome"] == kind])
        axes.set_title(
            wrapped(outcome_name(kind), (NARROW_TITLES if is_narrow() else TITLES) // len(kinds)),
            fontsize=9,
            loc="left",
        )
        axes.set_ylabel("")
        axes.set_xlabel("months")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MultipleLocator(6))
        quiet_grid(axes, "y")
    percent_axis(parts[0].yaxis)
    parts[0].set_ylabel("share with such an exit")
    for y, name, colour in ((0.95, names[0], BLUE), (0.86, names[1], GREY)):
        parts[0].text(0.04, y, name, transform=parts[0].transAxes, color=colour, fontweight="bold", va="top")
    return figure


def _kinds_title(finding: Finding, kinds: list[str]) -> str:
    """Return what both groups' curves of the first kind have reached where both are shown for the last time."""
    curves = finding.evidence["curves_by_kind"]
    shown = curves[curves["outcome"] == kinds[0]].dropna(subset="cumulative_incidence")
    by_month = shown.pivot(index="months", columns="arm", values="cumulative_incidence").dropna()
    shares = by_month[["treated", "control"]].iloc[-1].tolist()
    return say("pictures.kinds", facts(finding), kinds[0], by_month.index[-1], shares)


@styled
def net_benefit_plot(finding: Finding, study: Study) -> Figure:
    """Return the net benefit with its interval against breaking even, in the study's currency."""
    row = estimated(finding.primary)
    figure, axes = sheet(say("money.title", facts(finding, study)), height=1.5)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.plot(row.limits, [0, 0], color=BLUE, linewidth=3.2, solid_capstyle="butt")
    axes.plot(row.estimate, 0, "o", color=BLUE, markersize=8)
    axes.set_ylim(-1, 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.08)
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda x, _: number(x, 0, signed=True))
    currency = f", {study.currency}" if study.currency else ""
    axes.set_xlabel(f"← costs more than it saves     net benefit{currency}     saves more than it costs →")
    return figure
