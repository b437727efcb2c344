"""The forest plot: every company's number, what they say together, and what stands beside it without being pooled."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plan.catalogue import CATALOGUE, Measure
from analysis.plan.faults import known
from analysis.plan.hypotheses import load_plan
from analysis.report.canvas import BLUE, GREEN, GREY, INK, PALE, VERMILION, points_axis, sheet, styled
from analysis.report.layout import name_ticks
from analysis.report.synthesis import Asked, picture_title, question_label
from analysis.report.wording import NBSP, number, percent
from analysis.synthesis.literature import Published
from analysis.synthesis.pooled import Pool, Pooled

WIDTH, HEIGHT_OF_LINE = 8.2, 0.235
# So many companies of an estimand are drawn one by one, the heaviest; the others are counted.
MOST_DRAWN = 40
Z = 1.959964


@dataclass(frozen=True)
class Line:
    """A line of the plot: a heading, a company, a pooled mean, or a published figure; numbers in the measure's unit."""

    kind: Literal["heading", "company", "pooled", "naive", "published", "unadjusted"]
    name: str
    ends: tuple[float, float, float] | None = None
    weight: float | None = None
    prediction: tuple[float, float] | None = None
    text: str = ""


@styled
def forest_plot(asked: Asked) -> Figure:
    """Return the forest plot of one question, an estimand after the other, never together.

    Squares are companies, as large as their weight; a diamond is the mean with its interval, the thin line through it
    the prediction interval. Below: dashboards' figures pooled, and published figures; neither is part of a mean.
    """
    lines = _lines(asked)
    figure, axes = sheet(picture_title(asked), height=1.5 + HEIGHT_OF_LINE * len(lines), width=WIDTH)
    heights = list(range(len(lines) - 1, -1, -1))
    axes.axvline(0, color=GREY, linewidth=1)
    for y, line in zip(heights, lines, strict=True):
        _draw(axes, y, line)
        axes.text(1.01, y, line.text, transform=axes.get_yaxis_transform(), va="center", fontsize=8.5, color=INK,
                  fontweight="bold" if line.kind == "pooled" else "normal")  # fmt: skip
    axes.set_ylim(-0.8, len(lines) - 0.2)
    bold = [n for n, line in enumerate(lines) if line.kind in ("heading", "pooled")]
    name_ticks(axes.yaxis, heights, [line.name for line in lines], bold)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    _mark_smallest_effect(axes, asked)
    axes.margins(x=0.05)
    points_axis(axes.xaxis)
    axes.set_xlabel(_axis(asked))
    return figure


def _lines(asked: Asked) -> list[Line]:
    unit = CATALOGUE.measure(asked.first.measure)
    lines = [line for pool in asked.pools if len(pool.companies) for line in _of_pool(pool, unit)]
    beside = [_pooled(pool.main, unit, "naive") for pool in asked.naive if isinstance(pool.main, Pooled)]
    beside += [line for told in asked.literature for line in _published(told, unit)]
    return [*lines, *([Line("heading", "Beside it, never pooled"), *beside] if beside else [])]


def _published(told: Published, unit: Measure) -> list[Line]:
    """Return what a study printed, and what its data say unadjusted."""
    low, mid, high = (unit.scale * known(x) for x in (told.ci_low, told.estimate, told.ci_high))
    name = f"{told.name}, {told.horizon_months} months"
    lines = [
        Line("published", f"{name} ({told.estimand})", (low, mid, high), text=_text(low, mid, high, unit.decimals))
    ]
    if told.naive is not None:
        at = unit.scale * told.naive
        lines.append(
            Line("unadjusted", "the same people, unadjusted", (at, at, at), text=number(at, unit.decimals, signed=True))
        )
    return lines


def _of_pool(pool: Pool, unit: Measure) -> list[Line]:
    companies = pool.companies.sort_values("estimate")
    shown = (
        companies.nlargest(MOST_DRAWN, "weight").sort_values("estimate") if len(companies) > MOST_DRAWN else companies
    )
    lines = [Line("heading", question_label(pool.main)), *(_company(row, unit) for _, row in shown.iterrows())]
    if len(shown) < len(companies):
        rest = companies["weight"].sum() - shown["weight"].sum()
        lines.append(Line("heading", f"… and {len(companies) - len(shown):,} more, of {percent(rest)} of the weight"))
    return [*lines, *([_pooled(pool.main, unit, "pooled")] if isinstance(pool.main, Pooled) else [])]


def _company(row: pd.Series, unit: Measure) -> Line:
    half = Z * row["std_error"]
    ends = tuple(float(unit.scale * x) for x in (row["estimate"] - half, row["estimate"], row["estimate"] + half))
    weight = None if pd.isna(row["weight"]) else float(row["weight"])
    share = "" if weight is None else f"  {percent(weight)}"
    low, mid, high = ends
    name = f"{row['study']} ({row['n_treated']:,})"
    return Line("company", name, (low, mid, high), weight, text=_text(low, mid, high, unit.decimals) + share)


def _pooled(row: Pooled, unit: Measure, kind: Literal["pooled", "naive"]) -> Line:
    low, high = (unit.scale * x for x in row.limits)
    mid = unit.scale * row.estimate
    prediction = None
    if kind == "pooled" and row.prediction_low is not None and row.prediction_high is not None:
        prediction = (unit.scale * row.prediction_low, unit.scale * row.prediction_high)
    name = (
        "mean, with prediction interval"
        if prediction
        else "mean"
        if kind == "pooled"
        else "dashboards' figures, pooled"
    )
    return Line(kind, name, (low, mid, high), prediction=prediction, text=_text(low, mid, high, unit.decimals))


def _text(low: float, mid: float, high: float, decimals: int) -> str:
    told_low, told, told_high = (number(x, decimals, signed=True) for x in (low, mid, high))
    return f"{told} [{told_low},{NBSP}{told_high}]"


def _draw(axes: Axes, y: int, line: Line) -> None:
    if line.ends is None:
        return
    low, mid, high = line.ends
    if line.kind in ("pooled", "naive"):
        if line.prediction:
            axes.plot(line.prediction, [y, y], color=BLUE, linewidth=1.2)
        colour = BLUE if line.kind == "pooled" else VERMILION
        axes.fill([low, mid, high, mid], [y, y + 0.32, y, y - 0.32], color=colour, linewidth=0)
        return
    colour = {"company": GREY, "published": GREEN, "unadjusted": VERMILION}[line.kind]
    axes.plot([low, high], [y, y], color=colour, linewidth=1.3, solid_capstyle="butt")
    is_company = line.kind == "company"
    size = 5.0 if not is_company else 4.0 if line.weight is None else 3 + 9 * line.weight**0.5
    axes.plot(mid, y, "s" if is_company else "D", color=colour, markersize=size,
              markerfacecolor=INK if line.weight else "white")  # fmt: skip


def _mark_smallest_effect(axes: Axes, asked: Asked) -> None:
    plan = load_plan().hypothesis(asked.first.hypothesis)
    at = plan.claimed_direction * plan.smallest_effect * CATALOGUE.measure(asked.first.measure).scale
    axes.axvline(at, color=PALE, linewidth=1.2, linestyle=(0, (3, 2)), zorder=0)
    axes.text(at, -0.75, "smallest effect of interest", ha="center", va="bottom", fontsize=7.5, color=GREY)


def _axis(asked: Asked) -> str:
    row = asked.first
    if row.measure == "risk_difference":
        words = CATALOGUE.outcome(row.outcome).words
        plural = words.plural if words else CATALOGUE.outcome(row.outcome).label
        return f"← fewer {plural}     percentage points within {row.horizon_months} months     more {plural} →"
    scale = f" of the scale ({row.scale})" if row.scale else ""
    return f"← lower     points{scale}     higher →"
