"""Pictures of how good the data are: where every row went, who is on record, what is missing, who is analysed."""

import textwrap
from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.plan.errors import Problem
from analysis.plan.study import Study
from analysis.report.canvas import (
    BLUE,
    GREY,
    INK,
    PALE,
    SKY,
    VERMILION,
    name_lines,
    percent_axis,
    quiet_grid,
    sheet,
    styled_wide,
)
from analysis.report.layout import name_ticks
from analysis.report.tables_quality import (
    coverage_sentence,
    flow_sentence,
    gaps,
    gaps_sentence,
    n_repaired,
    reasons,
    rows_sentence,
    stage_name,
)
from analysis.report.template import say
from analysis.report.wording import count

WIDTH = 8.4
# With more files than this, those of one table share a bar.
MOST_BARS = 12
LONGEST_NAME = 26
REASON_WIDTH, LOSS_WIDTH = 48, 84
# A few rows among many would not be seen: their part of a bar has this share of it at least.
LEAST_SEEN = 0.012
REPAIRS = ("repaired", "set_null")
PARTS = {"kept": BLUE, "kept, repaired": SKY, "rejected": VERMILION}


@styled_wide
def rows_plot(counts: pd.DataFrame, problems: Sequence[Problem], min_cell: int) -> Figure:
    """Return where every row went: a bar per file (of many files: per table), parted into kept, repaired, rejected.

    Parameters
    ----------
    counts
        As from `validate.account.account`; missing counts are few. Rows that were reformatted only are drawn as
        kept.
    min_cell
        Fewer rows are only said to be few; 0 where the reader may know.
    """
    bars = _bars(counts)
    figure, axes = sheet(rows_sentence(counts, min_cell), height=1.25 + 0.36 * len(bars), width=WIDTH)
    y = list(range(len(bars) - 1, -1, -1))
    for at, bar in zip(y, bars.itertuples(), strict=True):
        _draw_parts(axes, at, bar)
        about = [p for p in problems if p.table == bar.table and p.source in bar.sources]
        axes.text(-0.02, at, count(bar.rows_in, min_cell), ha="right", va="center", fontsize=8.5)
        axes.text(1.02, at, _outcome(bar, about, min_cell), ha="left", va="center", fontsize=8,
                  color=GREY if _is_untouched(bar) else INK)  # fmt: skip
    name_ticks(axes.yaxis, y, bars["label"])
    axes.tick_params(axis="y", length=0, pad=46, labelcolor=INK)
    axes.set_xticks([])
    axes.set_xlim(0, 2.05)
    axes.set_ylim(-0.6, len(bars) + 0.15)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.text(-0.02, len(bars) - 0.55, "rows read", ha="right", va="bottom", fontsize=8.5, color=GREY)
    parts = [Patch(color=colour, label=name) for name, colour in PARTS.items()]
    axes.legend(handles=parts, loc="lower left", bbox_to_anchor=(0, len(bars) - 0.55), ncols=len(parts), frameon=False,
                bbox_transform=axes.transData, fontsize=8.5, handlelength=1, borderaxespad=0, borderpad=0)  # fmt: skip
    return figure


def _bars(counts: pd.DataFrame) -> pd.DataFrame:
    """Return what each bar shows: a file, or all files of a table."""
    told = ["rows_in", "rows_kept", "rows_rejected"]
    rows = counts.assign(all_repaired=n_repaired(counts), **{c: counts[c].fillna(0).astype(int) for c in told})
    by = ["table", "source"] if len(rows) <= MOST_BARS else ["table"]
    bars = rows.groupby(by, sort=False).agg(
        sources=("source", tuple),
        rows_in=("rows_in", "sum"),
        rows_kept=("rows_kept", "sum"),
        rows_rejected=("rows_rejected", "sum"),
        all_repaired=("all_repaired", "sum"),
    )
    bars = bars.reset_index()
    return bars.assign(label=[_label(bar) for bar in bars.itertuples()])


def _label(bar) -> str:
    name = bar.sources[0].rpartition("/")[2]
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    files = f"{len(bar.sources)} files" if len(bar.sources) > 1 else short
    return f"{bar.table.replace('_', ' ')}: {files}"


def _is_untouched(bar) -> bool:
    return not (bar.rows_rejected or bar.all_repaired)


def _draw_parts(axes, at: int, bar) -> None:
    total = max(bar.rows_in, 1)
    rejected = max(bar.rows_rejected / total, LEAST_SEEN) if bar.rows_rejected else 0
    repaired = max(bar.all_repaired / total, LEAST_SEEN) if bar.all_repaired else 0
    repaired = min(repaired, 1 - rejected)
    widths = [1 - repaired - rejected, repaired, rejected]
    left = [0, widths[0], widths[0] + widths[1]]
    axes.barh([at] * len(widths), widths, left=left, height=0.56, color=list(PARTS.values()))


def _outcome(bar, problems: Sequence[Problem], min_cell: int) -> str:
    """Return what was repaired and rejected of a bar's rows, and why."""
    if _is_untouched(bar):
        return f"fewer than {min_cell} rejected or repaired" if min_cell else "all kept"
    lines = []
    if bar.rows_rejected:
        lines.append(
            _because(f"{count(bar.rows_rejected, min_cell)} rejected", reasons(problems, ("rejected",), min_cell))
        )
    if bar.all_repaired:
        repairs = [p for p in problems if p.severity != "error" and not p.is_translation]
        why = reasons(repairs, REPAIRS, min_cell)
        lines.append(_because(f"{count(bar.all_repaired, min_cell)} repaired", why))
    return "\n".join(lines)


def _because(what: str, why: str) -> str:
    return textwrap.fill(f"{what}: {why}" if why else what, REASON_WIDTH)


@styled_wide
def coverage_plot(frame: pd.DataFrame, study: Study) -> Figure:
    """Return the share of those employed who have a job, and a manager, on record, by month.

    `frame` has one row per month (month, n_employed, share_with_job_row, share_with_manager); below the axis, people
    employed.
    """
    figure, axes = sheet(coverage_sentence(frame, study.min_cell), height=3.0, width=WIDTH)
    ends = []
    for column, name, colour in (("share_with_job_row", "a job", BLUE), ("share_with_manager", "a manager", VERMILION)):
        values = frame[column].astype(float)
        axes.plot(frame["month"], values, color=colour)
        if values.notna().any():
            ends.append((float(values.dropna().iloc[-1]), name, colour))
    # Months in which nothing may be shown count, too: names stand behind the last.
    axes.update_datalim([(axes.convert_xunits(month), 0) for month in frame["month"].iloc[[0, -1]]])
    axes.autoscale_view()
    axes.set_ylim(0, 1.04)
    name_lines(axes, ends, axes.convert_xunits(frame["month"].max()))
    percent_axis(axes.yaxis)
    yearly = frame[(frame["month"].dt.month == 1) | (frame.index == 0)]
    ticks = [f"{row.month:%b %Y}\n{count(row.n_employed, study.min_cell)}" for row in yearly.itertuples()]
    name_ticks(axes.xaxis, yearly["month"], ticks)
    axes.set_xlabel("first of the month (below: people employed)")
    axes.set_ylabel("share of those employed")
    quiet_grid(axes, "y")
    return figure


@styled_wide
def gaps_plot(frame: pd.DataFrame, study: Study) -> Figure:
    """Return the columns in which something is missing, with how much.

    `frame` has one row per table and column (table, column, of, share_missing); columns that are empty altogether are
    not drawn.
    """
    found = gaps(frame).sort_values(["table", "share_missing"], ascending=[True, False], kind="stable")
    figure, axes = sheet(gaps_sentence(frame, study.min_cell), height=1.0 + 0.3 * len(found), width=WIDTH)
    y = list(range(len(found) - 1, -1, -1))
    axes.barh(y, 1, height=0.5, color=PALE)
    axes.barh(y, found["share_missing"].astype(float), height=0.5, color=VERMILION)
    for at, row in zip(y, found.itertuples(), strict=True):
        axes.text(1.01, at, say("quality.share", row), va="center", fontsize=8.5)
    name_ticks(axes.yaxis, y, [f"{row.table}: {row.column}" for row in found.itertuples()])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_xlim(0, 1.25)
    axes.set_xticks([])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return figure


@styled_wide
def people_flow_plot(rows: pd.DataFrame, study: Study) -> Figure:
    """Return the way from everyone employed to those analysed, of one program, role and answer.

    `rows` are those of one answer (program_id, role, unit, kind, step, n_people), in order: a bar per stage, and
    between two of them who was lost and why.
    """
    program, role = study.program(rows["program_id"].iloc[0]), rows["role"].iloc[0]
    lines = [
        textwrap.wrap(f"− {count(row.n_people, study.min_cell)}  {row.step}", LOSS_WIDTH) for row in rows.itertuples()
    ]
    height = [0.62 if kind == "stage" else 0.15 + 0.15 * len(ls) for kind, ls in zip(rows["kind"], lines, strict=True)]
    figure, axes = sheet(flow_sentence(rows, program, study.min_cell), height=0.75 + sum(height), width=WIDTH)
    widest, y, ticks = float(rows["n_people"].astype(float).max()), 0.0, []
    for row, room, loss in zip(rows.itertuples(), height, lines, strict=True):
        y -= room / 2
        n = count(row.n_people, study.min_cell)
        if row.kind == "stage":
            size = 0 if pd.isna(row.n_people) else float(row.n_people)
            axes.barh(y, size, height=0.44, color=BLUE if row.step == "analysed" else SKY)
            axes.text(size + 0.012 * widest, y, f"{n} {row.unit}", va="center", fontsize=9, fontweight="bold")
            ticks.append((y, stage_name(row.step, program, role)))
        else:
            axes.text(0.02 * widest, y, "\n".join(loss), va="center", fontsize=8.5, color=GREY)
        y -= room / 2
    name_ticks(axes.yaxis, [at for at, _ in ticks], [name for _, name in ticks])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_xlim(0, 1.15 * widest)
    axes.set_ylim(y, 0)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    return figure
