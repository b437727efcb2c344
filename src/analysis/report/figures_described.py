"""Pictures of who is in the data: exits by year, the way into the program, who answered."""

import datetime as dt

import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.plan.study import Study
from analysis.report.canvas import (
    BLUE,
    GREEN,
    GREY,
    PALE,
    SKY,
    VERMILION,
    name_lines,
    percent_axis,
    quiet_grid,
    sheet,
    styled,
    styled_wide,
)
from analysis.report.layout import name_ticks
from analysis.report.template import say
from analysis.report.wording import count, role_phrase

EXIT_KINDS = (
    ("voluntary_exit_per_100", "voluntary", VERMILION),
    ("involuntary_exit_per_100", "dismissals", BLUE),
    ("other_exit_per_100", "other", GREY),
)
INSTRUMENT_COLOURS = (BLUE, VERMILION, GREEN, SKY, GREY)


@styled
def exit_rates_plot(frame: pd.DataFrame, study: Study) -> Figure:
    """Return exits per 100 person-years by calendar year and kind, with the study's events.

    `frame` has one row per year (year, voluntary_exit_per_100, involuntary_exit_per_100, other_exit_per_100); the
    rate of a part-year is per year as well.
    """
    rates = frame["voluntary_exit_per_100"].dropna()
    figure, axes = sheet(say("pictures.exit_rates", *_ends(rates)), height=2.9)
    middle = frame["year"] + 0.5
    ends = []
    for column, name, colour in EXIT_KINDS:
        values = frame[column].astype(float)
        axes.plot(middle, values, "o-", color=colour, markersize=5)
        seen = values.dropna()
        if len(seen):
            ends.append((float(seen.iloc[-1]), name, colour))
    axes.set_ylim(0, 1.2 * axes.get_ylim()[1])
    name_lines(axes, ends, float(middle.max()))
    name_ticks(axes.xaxis, middle, [_year(int(y), study) for y in frame["year"]])
    axes.set_xlim(frame["year"].min(), frame["year"].max() + 1)
    _draw_events(axes, study, as_year=True)
    axes.set_ylabel("exits per 100 person-years")
    quiet_grid(axes, "y")
    return figure


def _year(year: int, study: Study) -> str:
    """Name a calendar year, and where observation begins or ends within it."""
    if year == study.as_of.year and study.as_of < dt.date(year, 12, 31):
        return f"{year}\nto {study.as_of:%B}"
    if year == study.study_start.year and study.study_start > dt.date(year, 1, 1):
        return f"{year}\nfrom {study.study_start:%B}"
    return str(year)


def _draw_events(axes, study: Study, as_year: bool) -> None:
    """Mark the study's events; those outside the period observed have no place on the axis."""
    for event in study.events:
        if not study.study_start <= event.date <= study.as_of:
            continue
        when = pd.Timestamp(event.date)
        x = when.year + (when.day_of_year - 1) / 365.25 if as_year else when
        axes.axvline(x, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.annotate(
            event.label, (x, 1), xycoords=("data", "axes fraction"), xytext=(4, -2), textcoords="offset points",
            fontsize=8, color=GREY, va="top",
        )  # fmt: skip


@styled_wide
def participation_plot(frame: pd.DataFrame, study: Study) -> Figure:
    """Return the enrolment funnel of each intake and role: enrolled, offered a place, started.

    `frame` has one row per program, intake and role (program_id, intake_date, role, n_enrolled, n_offered, n_started).
    """
    rows = frame.reset_index(drop=True)
    total, started = rows["n_enrolled"].sum(), rows["n_started"].sum()
    small = rows[["n_enrolled", "n_started"]].isna().any(axis=None)
    title = say("pictures.participation", None if small else total, started)
    figure, axes = sheet(title, height=1.1 + 0.42 * len(rows))
    y = list(range(len(rows) - 1, -1, -1))
    for column, height, colour in (
        ("n_enrolled", 0.7, PALE),
        ("n_offered", 0.7, SKY),
        ("n_started", 0.36, BLUE),
    ):
        axes.barh(y, rows[column].astype(float).fillna(0), height=height, color=colour)
    for at, row in zip(y, rows.itertuples(), strict=True):
        n = [count(x, study.min_cell) for x in (row.n_enrolled, row.n_offered, row.n_started)]
        end = float(row.n_enrolled) if pd.notna(row.n_enrolled) else 0
        axes.annotate(
            f"{n[0]} enrolled, {n[1]} offered, {n[2]} started", (end, at), xytext=(5, 0), textcoords="offset points",
            va="center", fontsize=8, annotation_clip=False,
        )  # fmt: skip
    name_ticks(axes.yaxis, y, [_intake(row, study) for row in rows.itertuples()])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    widest = rows["n_enrolled"].astype(float).max()
    axes.set_xlim(0, 1.4 * (widest if widest > 0 else 1))
    # The names of intakes may leave the bars a third of the width.
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.set_xlabel("people: pale enrolled, light offered, dark started")
    return figure


def _ends(shown: pd.Series) -> tuple[float | None, float | None]:
    """Return the lowest and the highest number; None where there is none."""
    return (shown.min(), shown.max()) if len(shown) else (None, None)


def _intake(row, study: Study) -> str:
    program = study.program(row.program_id)
    name = f"{program.name}, " if len(study.programs) > 1 else ""
    return f"{name}{row.intake_date:%Y-%m-%d}, {role_phrase(program, row.role)}"


@styled
def response_plot(frame: pd.DataFrame, study: Study) -> Figure:
    """Return the share of those employed who answered, by wave and instrument, with the study's events.

    `frame` has one row per instrument and wave (instrument, wave, opens, n_people, n_answered, share).
    """
    shares = frame["share"].dropna()
    figure, axes = sheet(say("pictures.response_rates", *_ends(shares)), height=2.8)
    ends = []
    for (name, rows), colour in zip(frame.groupby("instrument"), INSTRUMENT_COLOURS * len(frame), strict=False):
        ordered = rows.sort_values("opens")
        axes.plot(ordered["opens"], ordered["share"].astype(float), "o-", color=colour, markersize=5)
        seen = ordered["share"].dropna()
        if len(seen):
            ends.append((float(seen.iloc[-1]), str(name).replace("_", " "), colour))
    axes.set_ylim(0, 1)
    name_lines(axes, ends, axes.convert_xunits(frame["opens"].max()))
    _draw_events(axes, study, as_year=False)
    percent_axis(axes.yaxis)
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.set_ylabel("share of those employed")
    axes.set_xlabel("opening day of the wave")
    quiet_grid(axes, "y")
    return figure
