"""Pictures of the scales: before and after, effects by wave, every scale at a glance, who answered."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from analysis.plan.faults import known
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Estimated, Finding, estimated
from analysis.plan.study import Study
from analysis.report.canvas import (
    BLUE,
    GREY,
    INK,
    PALE,
    VERMILION,
    is_narrow,
    name_lines,
    panels,
    percent_axis,
    points_axis,
    quiet_grid,
    score_axis,
    sheet,
    styled,
    wrapped,
)
from analysis.report.facts import naive_rows
from analysis.report.figures import PAPER, arm_names
from analysis.report.layout import name_ticks
from analysis.report.prose import (
    STEPS,
    answer_scale,
    answered_scales,
    delta_title,
    event_study_title,
    forest_title,
    frame_of,
    label,
    response_shares,
    response_title,
    scale_name,
    trajectory_title,
)
from analysis.report.wording import (
    estimate_text,
    is_randomized,
    level_text,
)

ARMS = (("control", GREY, 0.04), ("treated", BLUE, -0.04))
# A difference of interest is a small part of an answer scale: an axis shows at least this part, never a sliver.
LEAST_SHOWN = 0.25
# Characters to the line on a phone: of a panel's title, of a key, and of a scale's name.
NARROW_NAME, NARROW_KEY, NARROW_SCALE = 14, 56, 26
FOREST_KEY = (
    "Filled: compared fairly, with 95 % interval. Hollow: scores simply compared. Tick: smallest effect of interest."
)
WAVES = {-1: "one wave\nearlier", 0: "last before\nthe start", 1: "first\nafter", 2: "second\nafter", 3: "third\nafter"}


@styled
def trajectory_plot(finding: Finding, study: Study) -> Figure:
    """Return each group's mean score by wave, before and after the start, with pointwise intervals.

    Reads evidence ``trajectories`` (arm, wave_position, mean, ci_low, ci_high, n_people); comparators are weighted
    where nobody drew lots.
    """
    rows = finding.evidence["trajectories"].dropna(subset="mean").astype({"mean": float})
    figure, axes = sheet(trajectory_title(finding), height=3.5)
    ends = []
    for arm, colour, shift in ARMS:
        part = rows[rows["arm"] == arm].sort_values("wave_position")
        if part.empty:
            continue
        x, mean = part["wave_position"] + shift, part["mean"]
        axes.vlines(x, part["ci_low"].astype(float), part["ci_high"].astype(float), color=colour, linewidth=1.8)
        axes.plot(x, mean, "o-", color=colour, markersize=6, markerfacecolor="white" if arm == "control" else colour)
        ends.append((float(mean.iloc[-1]), arm_names(finding)[arm], colour))
    _wave_axis(axes, rows["wave_position"], room_right=0.2)
    axes.set_ylabel(_score_axis(axes, study, finding))
    name_lines(axes, ends, float(rows["wave_position"].max()) + 0.04)
    axes.set_xlabel(f"survey wave; bars are {level_text(finding.primary)} intervals")
    quiet_grid(axes, "y")
    return figure


def _wave_axis(axes, positions: pd.Series, room_right: float = 0.4) -> None:
    """Name the waves by their place before and after the start, and mark the start.

    The waves on both sides of it have their place, also where nothing may be shown of one: the mark lies on the axis.
    """
    at = sorted({0, 1, *(int(p) for p in positions)})
    name_ticks(axes.xaxis, at, [WAVES.get(p, f"{p}th\nafter" if p > 0 else f"{-p} waves\nearlier") for p in at])
    axes.set_xlim(min(at) - 0.4, max(at) + room_right)
    axes.axvline(0.5, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    axes.annotate(
        "start", (0.5, 1), xycoords=("data", "axes fraction"), xytext=(0, 1), textcoords="offset points", fontsize=8,
        color=GREY, ha="center",
    )  # fmt: skip


def _score_axis(axes, study: Study, finding: Finding) -> str:
    """Widen the axis to a sensible part of the answer scale and return its title, which says how far that runs."""
    low, high = axes.get_ylim()
    scale = answer_scale(study, finding.primary.outcome)
    score_axis(axes.yaxis)
    if scale is None:
        return "mean score, points of the scale"
    least, room = LEAST_SHOWN * (scale.max - scale.min), high - low
    middle = (low + high) / 2
    half = max(room, least) / 2
    axes.set_ylim(max(scale.min, middle - half), min(scale.max, middle + half))
    return f"mean score\n(answers run from {scale.min:g} to {scale.max:g})"


@styled
def event_study_plot(finding: Finding) -> Figure:
    """Return the difference in change by wave around the start: each with its interval, all with their band.

    Reads evidence ``event_study`` (position, estimate, ci_low, ci_high, band_low, band_high); the base, the last wave
    before the start, is zero by definition.
    """
    rows = known(frame_of(finding, "event_study", "position", "estimate")).astype(
        dict.fromkeys(("estimate", "ci_low", "ci_high", "band_low", "band_high"), float)
    )
    figure, axes = sheet(event_study_title(finding), height=3.3)
    axes.axhline(0, color=GREY, linewidth=1)
    for row in rows.itertuples():
        colour = BLUE if row.position > 0 else GREY
        axes.plot([row.position] * 2, [row.band_low, row.band_high], color=colour, alpha=0.45, linewidth=1.4)
        axes.plot([row.position] * 2, [row.ci_low, row.ci_high], color=colour, linewidth=4, solid_capstyle="butt")
        axes.plot(row.position, row.estimate, "o", color=colour, markersize=7, markerfacecolor="white")
    _wave_axis(axes, rows["position"])
    axes.plot(0, 0, "s", color=INK, markersize=7)
    points_axis(axes.yaxis)
    axes.set_ylabel("difference since the last wave\nbefore the start, points")
    level = level_text(finding.primary)
    axes.set_xlabel(f"survey wave; thick: {level} intervals, thin: {level} band for all waves together")
    quiet_grid(axes, "y")
    return figure


@styled
def scales_forest(findings: Sequence[Finding], study: Study) -> Figure:
    """Return every scale that could be estimated, by program and role: answer, interval, naive figure beside it.

    In points of each scale. The hollow mark is the naive difference in scores afterwards, the tick the smallest effect
    of interest.
    """
    found = answered_scales(findings)
    groups = list(dict.fromkeys(label(f, study) for f in found))
    height = 1.6 + (0.44 if is_narrow() else 0.3) * len(found) + 0.36 * len(groups) + 0.3 * is_narrow()
    figure, axes = sheet(forest_title(found), height=height, width=7.4)
    axes.axvline(0, color=GREY, linewidth=1)
    y, bold = 0.0, []
    ticks: list[tuple[float, str]] = []
    for group in groups:
        if is_narrow():
            bold.append(len(ticks))
            ticks.append((y, wrapped(group, NARROW_SCALE)))
        else:
            axes.text(0, y, group, transform=axes.get_yaxis_transform(), va="center", fontweight="bold", bbox=PAPER)
        for finding in [f for f in found if label(f, study) == group]:
            y -= 1
            _forest_line(axes, finding, y)
            ticks.append((y, _forest_name(finding)))
        y -= 1.2
    name_ticks(axes.yaxis, [at for at, _ in ticks], [name for _, name in ticks], bold)
    axes.set_ylim(y + 0.4, 0.6)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    points_axis(axes.xaxis)
    axes.set_xlabel("← lower     difference in score, points of each scale     higher →")
    figure.supxlabel(wrapped(FOREST_KEY, NARROW_KEY) if is_narrow() else FOREST_KEY, fontsize=8.5, color=GREY, x=0.012,
                     ha="left")  # fmt: skip
    return figure


def _forest_name(finding: Finding) -> str:
    """Return what is beside a line of the forest; on a phone its estimate, too, which else stands at its other end."""
    name = scale_name(finding)
    return f"{wrapped(name, NARROW_SCALE)}\n{estimate_text(finding.primary)}" if is_narrow() else name


def _forest_line(axes, finding: Finding, y: float) -> None:
    row, naive = estimated(finding.primary), _simply_compared(finding)
    axes.plot([row.ci_low, row.ci_high], [y, y], color=BLUE, linewidth=2.6, solid_capstyle="butt")
    axes.plot(row.estimate, y, "o", color=BLUE, markersize=7)
    if naive is not None:
        axes.plot(naive.estimate, y, "o", color=VERMILION, markersize=6, markerfacecolor="white", markeredgewidth=1.5)
    sign = load_plan().hypothesis(finding.hypothesis).claimed_direction
    axes.plot([sign * finding.smallest_effect] * 2, [y - 0.34, y + 0.34], color=INK, linewidth=1.1)
    if is_narrow():
        return
    axes.annotate(
        estimate_text(row), (1, y), xycoords=("axes fraction", "data"), xytext=(8, 0), textcoords="offset points",
        va="center", fontsize=8.5, annotation_clip=False,
    )  # fmt: skip


def _simply_compared(finding: Finding) -> Estimated | None:
    """Return the naive difference between groups; participants' own change has nobody to stand beside."""
    return next((e for e in naive_rows(finding) if e.contrast != "after_vs_before"), None)


@styled
def response_flow_plot(finding: Finding) -> Figure:
    """Return who is still employed, has a score, and had one before, by wave: shares of those in the comparison.

    Reads evidence ``response`` (wave, arm, n_people, n_invited, n_scored, n_paired). Who answered too few items for a
    score is mostly too few to be shown, and stands in the table alone.
    """
    shares = response_shares(finding.evidence["response"])
    figure, parts = panels(response_title(finding), height=2.9, widths=[1] * len(STEPS))
    waves = sorted(shares["wave"].unique())
    for axes, (step, name) in zip(parts, STEPS.items(), strict=True):
        for arm, colour, shift in ARMS:
            part = shares[shares["arm"] == arm].dropna(subset=step).sort_values("wave")
            x = [waves.index(w) + shift for w in part["wave"]]
            fill = "white" if arm == "control" else colour
            axes.plot(x, part[step], "o-", color=colour, markersize=5, markerfacecolor=fill)
        axes.set_title(wrapped(name, NARROW_NAME) if is_narrow() else name, fontsize=9, loc="left")
        name_ticks(axes.xaxis, range(len(waves)), [f"{w:g}" for w in waves])
        axes.set_xlim(-0.4, len(waves) - 0.6)
        quiet_grid(axes, "y")
    parts[0].set_ylim(0, 1.02)
    percent_axis(parts[0].yaxis)
    parts[0].set_ylabel("share of those compared")
    parts[1].set_xlabel("survey wave after the start")
    names = ("offered a place", "not offered") if is_randomized(finding) else ("started", "comparators")
    for y, name, colour in ((0.2, names[0], BLUE), (0.09, names[1], GREY)):
        parts[1].text(0.06, y, name, transform=parts[1].transAxes, color=colour, fontweight="bold", va="center")
    return figure


@styled
def delta_plot(finding: Finding) -> Figure:
    """Return the estimate by how far the silent of the program are off what is predicted for them.

    Reads evidence ``delta`` (delta, estimate, ci_low, ci_high), in points.
    """
    rows = finding.evidence["delta"].dropna().astype(float).sort_values("delta")
    figure, axes = sheet(delta_title(finding), height=2.7)
    axes.axhline(0, color=GREY, linewidth=1)
    axes.axvline(0, color=PALE, linewidth=1)
    axes.fill_between(rows["delta"], rows["ci_low"], rows["ci_high"], color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(rows["delta"], rows["estimate"], color=BLUE)
    at_zero = rows.iloc[(rows["delta"].abs()).argmin()]
    axes.plot(at_zero["delta"], at_zero["estimate"], "o", color=BLUE, markersize=7)
    points_axis(axes.xaxis)
    points_axis(axes.yaxis)
    axes.set_xlabel("← the silent did worse     points off what is predicted     better →")
    axes.set_ylabel("difference, points")
    quiet_grid(axes, "y")
    return figure
