"""Pictures of the assumptions: were the groups alike, and were there colleagues to compare with?"""

from matplotlib.figure import Figure

from analysis.plan.results import Finding
from analysis.report.canvas import BLUE, GREY, PALE, VERMILION, points_axis, sheet, styled
from analysis.report.facts import facts
from analysis.report.layout import name_ticks
from analysis.report.template import say
from analysis.report.wording import is_randomized

# Standardized differences up to this are commonly called balanced (Austin 2009, Stat Med 28:3083).
BALANCED = 0.1
MOST_SHOWN = 15
# Of a mark, in points.
SIZE, EDGE = 6.3, 0.6


@styled
def love_plot(finding: Finding) -> Figure:
    """Return standardized mean differences before and after weighting, the largest before first; lots leave one value.

    Reads evidence ``balance`` (covariate, smd_before, smd_after).
    """
    shown = finding.evidence["balance"].dropna(subset="smd_after")
    rows, worst = shown.head(MOST_SHOWN), shown["smd_after"].abs().max()
    lots = is_randomized(finding)
    figure, axes = sheet(say("pictures.balance", facts(finding), worst), height=1.3 + 0.24 * len(rows))
    y = list(range(len(rows) - 1, -1, -1))
    axes.axvline(0, color=GREY, linewidth=0.8)
    if not lots:
        axes.axvspan(-BALANCED, BALANCED, color=PALE, alpha=0.45, linewidth=0)
        axes.hlines(y, rows["smd_before"], rows["smd_after"], color=PALE, linewidth=1.2)
        axes.plot(rows["smd_before"], y, "o", markersize=SIZE, markeredgewidth=EDGE, markerfacecolor="white",
                  markeredgecolor=VERMILION, label="before")  # fmt: skip
    axes.plot(rows["smd_after"], y, "o", markersize=SIZE, color=BLUE, label="after")
    name_ticks(axes.yaxis, y, [name.replace("_", " ") for name in rows["covariate"]])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    points_axis(axes.xaxis)
    axes.set_ylabel("")
    axes.set_xlabel("difference, standard deviations" + ("" if lots else " (grey: balanced)"))
    if not lots:
        axes.legend(loc="lower right", frameon=False, fontsize=8.5)
    return figure


@styled
def overlap_plot(finding: Finding) -> Figure:
    """Return the distribution of the estimated odds of starting, those who started above, comparators below.

    Reads evidence ``overlap`` (log_odds_from, log_odds_to, arm, share, n_rows); bars of small groups are left out.
    """
    rows = finding.evidence["overlap"].dropna(subset="share")
    rows = rows[rows["share"] > 0]
    check = next((c for c in finding.checks if c.name == "overlap" and c.statistic is not None), None)
    figure, axes = sheet(say("pictures.overlap", check), height=2.9)
    for arm, colour, side, name in (
        ("treated", BLUE, 1, "started"),
        ("control", GREY, -1, "had not started"),
    ):
        part = rows[rows["arm"] == arm]
        axes.bar(
            part["log_odds_from"], side * part["share"].astype(float), align="edge",
            width=part["log_odds_to"] - part["log_odds_from"], color=colour, alpha=0.85, edgecolor="white",
        )  # fmt: skip
        axes.text(
            0.01, 0.96 if side > 0 else 0.04, name, transform=axes.transAxes, color=colour, fontweight="bold",
            va="top" if side > 0 else "bottom",
        )  # fmt: skip
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.yaxis.set_major_formatter(lambda share, _: f"{abs(100 * share):g}\u00a0%")
    points_axis(axes.xaxis)
    axes.set_xlabel("← less likely     estimated log odds of starting     more likely →")
    axes.set_ylabel("share of the group")
    return figure
