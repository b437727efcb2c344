"""Pictures of the answers: the naive figure beside the corrected one, and how many left over time."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Estimated, Finding, estimated
from analysis.plan.study import Study
from analysis.report.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    VERMILION,
    is_narrow,
    percent_axis,
    points_axis,
    quiet_grid,
    sheet,
    styled,
    wrapped,
)
from analysis.report.facts import facts, ladder, main_rows, naive_rows
from analysis.report.layout import name_ticks
from analysis.report.prose import comparators, step
from analysis.report.template import say
from analysis.report.wording import (
    count,
    estimate_text,
    event_words,
    is_event,
    is_randomized,
    scaled,
    unit,
)

# Keeps the lines of zero and of the smallest effect from running through a text.
PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 1}
# Characters of a label beside which an estimate stands, on a phone.
LABEL_WIDTH = 27


# Curves of a lottery pool its strata and may differ from the stratified answer: their levels then stay unsaid.
MOST_APART = 0.0015


@styled
def naive_beside_corrected(finding: Finding) -> Figure:
    """Return the ladder from the naive figures to the main answer, each with its interval.

    Under a lottery every horizon has its pair. In percentage points or points of the scale; left of zero is fewer
    events (or a lower score). Dotted lines lead down to what a correction moved; the faint line is the smallest effect
    of interest.
    """
    rungs = _rungs(finding)
    figure, axes = sheet(
        say("pictures.ladder", facts(finding)), height=1.3 + (0.82 if is_narrow() else 0.64) * len(rungs)
    )
    answers = main_rows(finding)
    above = None
    for y, (text, colour, row) in zip(range(len(rungs) - 1, -1, -1), rungs, strict=True):
        is_main = row in answers
        low, mid, high = scaled(row)
        if above is not None:
            _lead_down(axes, scaled(above)[1], y, "" if not is_event(finding) else step(above, row))
        above = None if is_main else row
        axes.plot([low, high], [y, y], color=colour, linewidth=3.2 if is_main else 2, solid_capstyle="butt")
        axes.plot(mid, y, "o", color=colour, markersize=8, markerfacecolor=colour if is_main else "white")
        write = partial(
            axes.text, transform=axes.get_yaxis_transform(), va="bottom", bbox=PAPER,
            fontweight="bold" if is_main else "normal",
        )  # fmt: skip
        write(0, y + 0.18, wrapped(text, LABEL_WIDTH) if is_narrow() else text, ha="left")
        write(1, y + 0.18, estimate_text(row), ha="right", color=INK)
    _mark_worth_having(axes, finding)
    axes.set_ylim(-0.45, len(rungs) - 0.35)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.margins(x=0.06)
    points_axis(axes.xaxis)
    axes.set_xlabel(_difference_axis(finding))
    return figure


def _lead_down(axes, x: float, y: float, said: str) -> None:
    """Lead from the figure above down to the rung at `y`, and say what the correction did."""
    axes.plot([x, x], [y + 1, y], color=GREY, linewidth=1, linestyle=(0, (1, 1.5)), zorder=1)
    axes.annotate(
        said,
        (x, y + 0.72),
        xytext=(5, 0),
        textcoords="offset points",
        color=GREY,
        fontsize=8.5,
        va="center",
        bbox=PAPER,
    )


def _rungs(finding: Finding) -> list[tuple[str, str, Estimated]]:
    """Return label, colour and row of every rung, from the top."""
    naive, fair = naive_rows(finding), [estimated(finding.primary)]
    if is_event(finding) and is_randomized(finding):
        fair = main_rows(finding)
        rows = [e for main in fair for e in (*(n for n in naive if n.horizon_months == main.horizon_months), main)]
    else:
        rows = ladder(finding) if is_event(finding) else [*naive, *fair]
    told, colours = facts(finding), {"enrolled_vs_not": ORANGE} if is_event(finding) else {}
    return [
        (say("pictures.rung", told, row), BLUE if row in fair else colours.get(row.contrast, VERMILION), row)
        for row in rows
    ]


def _difference_axis(finding: Finding) -> str:
    if is_event(finding):
        words = event_words(finding.primary)
        return f"← fewer     difference in {words.plural}, percentage points     more →"
    return "← lower     difference in score, points of the scale     higher →"


def _mark_worth_having(axes, finding: Finding) -> None:
    sign = load_plan().hypothesis(finding.hypothesis).claimed_direction
    at = sign * finding.smallest_effect * unit(finding.primary).scale
    axes.axvline(at, color=GREY, linewidth=0.9, linestyle=(0, (1, 2.5)))
    axes.text(
        at, -0.42, "smallest effect of interest " if sign < 0 else " smallest effect of interest",
        ha="right" if sign < 0 else "left", va="bottom", fontsize=8, color=GREY,
    )  # fmt: skip


@styled
def incidence_curves(finding: Finding, study: Study) -> Figure:
    """Return the share of each group that had the event, by month since time zero, with pointwise intervals.

    Reads evidence ``curves`` (arm, months, cumulative_incidence, ci_low, ci_high, n_at_risk); below the axis, people
    still followed.
    """
    curves = finding.evidence["curves"]
    figure, axes = sheet(_curves_title(finding), height=3.7)
    reached = [h for h in study.horizons_months if h <= curves["months"].max()]
    for horizon in reached:
        axes.axvline(horizon, color=PALE, linewidth=1)
    _label_ends(axes, draw_incidence(axes, curves), arm_names(finding), curves["months"].max())
    axes.set_xlim(0, curves["months"].max() + 0.3)
    axes.set_ylim(bottom=0)
    percent_axis(axes.yaxis)
    quiet_grid(axes, "y")
    has_room = not is_narrow() and curves["n_at_risk"].max() < 1_000 and curves["months"].max() <= 24
    step = 6 if has_room else 12
    regular = range(0, int(curves["months"].max()) + 1, step)
    ticks = sorted({*reached, *(m for m in regular if all(abs(m - h) >= step / 2 + 1 for h in reached))})
    name_ticks(axes.xaxis, ticks, [_followed(curves, m, study.min_cell) for m in ticks])
    since = "the intake" if is_randomized(finding) else "the start"
    axes.set_xlabel(f"months since {since}\n(below each: people still followed, program / comparison)")
    axes.set_ylabel(f"share that {event_words(finding.primary).had}")
    return figure


def draw_incidence(axes, curves: pd.DataFrame) -> dict[str, float]:
    """Draw both groups' cumulative incidence with its intervals; return where each line ends, if there is one.

    Lines break where nothing may be shown.
    """
    ends = {}
    for arm, colour in (("control", GREY), ("treated", BLUE)):
        rows = curves[curves["arm"] == arm].astype(dict.fromkeys(("cumulative_incidence", "ci_low", "ci_high"), float))
        axes.fill_between(
            rows["months"], rows["ci_low"], rows["ci_high"], step="post", color=colour, alpha=0.15, linewidth=0
        )
        axes.plot(rows["months"], rows["cumulative_incidence"], color=colour, drawstyle="steps-post")
        shown = rows["cumulative_incidence"].dropna()
        if len(shown) > 1:
            ends[arm] = shown.iloc[-1]
    return ends


def _followed(curves: pd.DataFrame, month: int, min_cell: int) -> str:
    here = curves[curves["months"] == month].set_index("arm")["n_at_risk"]
    treated, control = (count(here.get(arm), min_cell) for arm in ("treated", "control"))
    return f"{month}\n{treated} / {control}"


def arm_names(finding: Finding) -> dict[str, str]:
    """Return what the two groups are called beside their lines."""
    if is_randomized(finding):
        return {"treated": "offered a place", "control": "not offered"}
    return {"treated": "started", "control": comparators(finding).replace(" ", "\n")}


def _label_ends(axes, ends: dict[str, float], names: dict[str, str], x: float) -> None:
    """Name the lines at their right ends, kept apart where they meet."""
    span = axes.get_ylim()[1]
    order = sorted(ends, key=lambda arm: ends[arm])
    heights = [ends[arm] for arm in order]
    if len(heights) == 2 and heights[1] - heights[0] < 0.11 * span:
        middle = sum(heights) / 2
        heights = [middle - 0.06 * span, middle + 0.06 * span]
    for arm, height in zip(order, heights, strict=True):
        colour = BLUE if arm == "treated" else GREY
        axes.annotate(
            names[arm], (x, height), xytext=(5, 0), textcoords="offset points", color=colour, va="center",
            fontweight="bold", fontsize=8.5, annotation_clip=False,
        )  # fmt: skip


def _curves_title(finding: Finding) -> str:
    """Return both groups' shares at the first horizon, where the curves are of the same comparison."""
    primary, curves = estimated(finding.primary), finding.evidence["curves"]
    here = curves[curves["months"] == primary.horizon_months].set_index("arm")["cumulative_incidence"]
    is_same = len(here) == 2 and here.notna().all()
    is_same = is_same and abs(here["treated"] - here["control"] - primary.estimate) <= MOST_APART
    return say("pictures.curves", facts(finding), [here["treated"], here["control"]] if is_same else None)
