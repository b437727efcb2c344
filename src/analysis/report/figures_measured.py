"""Pictures of how the scales were measured: answers by item, own view and that of others, gaps, unlinked waves."""

import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.report.canvas import (
    BLUE,
    GREY,
    INK,
    PALE,
    VERMILION,
    name_lines,
    panels,
    quiet_grid,
    score_axis,
    sheet,
    styled,
    styled_wide,
)
from analysis.report.layout import name_ticks
from analysis.report.measured import scale_by
from analysis.report.template import say
from analysis.report.wording import construct_name

# From least to most, the middle pale: ColorBrewer PuOr (Brewer 2003), which the colour-blind can tell apart.
DIVERGING = ["#b35806", "#e08214", "#fdb863", "#fee0b6", "#f7f7f7", "#d8daeb", "#b2abd2", "#8073ac", "#542788"]
SHADES = {2: (1, 7), 3: (1, 4, 7), 4: (0, 2, 6, 8), 5: (0, 2, 4, 6, 8), 6: (0, 1, 3, 5, 7, 8),
          7: (0, 1, 3, 4, 5, 7, 8), 9: tuple(range(9))}  # fmt: skip
# A group of ages has a longer name than a job level.
WIDTH_OF = {"job_level": 1.0, "age": 1.9}
NEUTRAL = "#e6e8eb"
# Characters: of a question's line, and of all answers' names on one line below.
TEXT_WIDTH, LONGEST_KEY = 38, 62


@styled_wide
def item_bars(frame: pd.DataFrame) -> Figure:
    """Return how the items of one scale were answered, in its first and its last wave, centred on the middle answer.

    `frame` has one row per wave, item and answer (construct, rater_role, wave, item, text, value, label, share), keyed
    the right way round, of one construct and rater source. Without wording the item's code stands in for it.
    """
    rows = frame.dropna(subset="share").astype({"share": float, "value": float})
    values, waves = sorted(rows["value"].unique()), sorted(rows["wave"].unique())
    waves = waves[:1] if len(waves) == 1 else [waves[0], waves[-1]]
    items = list(dict.fromkeys(rows["item"]))
    colours = _shades(len(values))
    figure, axes = sheet(_items_title(rows, values, waves), height=1.35 + len(items) * (0.16 + 0.25 * len(waves)))
    usual = _usual_labels(rows, values[-1])
    ticks, y = [], 0.0
    for item in items:
        top = y
        for wave in waves:
            answered = rows[(rows["item"] == item) & (rows["wave"] == wave)].set_index("value")["share"]
            _stack(axes, y, answered.reindex(values, fill_value=0.0), colours)
            axes.annotate(
                f"wave {wave:g}", (1, y), xycoords=("axes fraction", "data"), xytext=(4, 0), va="center",
                textcoords="offset points", fontsize=8, color=GREY, annotation_clip=False,
            )  # fmt: skip
            y -= 1
        ticks.append(((top + y + 1) / 2, _item_name(rows, item, usual)))
        y -= 0.6
    axes.axvline(0, color=INK, linewidth=0.8)
    name_ticks(axes.yaxis, [at for at, _ in ticks], [name for _, name in ticks])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(y + 0.9, 0.6)
    axes.margins(x=0.02)
    axes.xaxis.set_major_formatter(lambda share, _: f"{abs(100 * share):g}")
    turned = "\n↔ asked the other way round: its answers are turned" if any("↔" in n for _, n in ticks) else ""
    axes.set_xlabel(f"← unfavourable     answers, %     favourable →{turned}")
    _answer_key(figure, usual, colours)
    return figure


def _shades(n: int) -> list[str]:
    chosen = SHADES.get(n) or tuple(round(i * (len(DIVERGING) - 1) / (n - 1)) for i in range(n))
    colours = [DIVERGING[i] for i in chosen]
    return [NEUTRAL if c == DIVERGING[4] else c for c in colours]


def _stack(axes: Axes, y: float, shares: pd.Series, colours: list[str]) -> None:
    """Stack one bar of answers so that the middle answer (or the line between the two middle ones) lies on zero."""
    half = len(shares) / 2
    below = shares.iloc[: int(half)].sum() + (shares.iloc[int(half)] / 2 if len(shares) % 2 else 0.0)
    left = shares.cumsum() - shares - below
    axes.barh([y] * len(shares), shares, left=left, height=0.82, color=colours, edgecolor="white", linewidth=0.6)


def _item_name(rows: pd.DataFrame, item: str, usual: pd.Series) -> str:
    """Return an item's wording (else its code), marked where its answers run the other way than those of the others."""
    mine = rows[rows["item"] == item]
    text = mine["text"].iloc[0]
    name = "\n".join(textwrap.wrap(text, TEXT_WIDTH)) if isinstance(text, str) and text else item.replace("_", " ")
    return f"{name} ↔" if _labels(mine).iloc[-1] == usual.iloc[0] != usual.iloc[-1] else name


def _labels(rows: pd.DataFrame) -> pd.Series:
    """Return what each answer is called; where the card names only some, the others stand by their number."""
    labels = rows.drop_duplicates("value").sort_values("value").set_index("value")["label"]
    return pd.Series([text if isinstance(text, str) and text else f"{at:g}" for at, text in labels.items()])


def _usual_labels(rows: pd.DataFrame, best: float) -> pd.Series:
    """Return what the answers are called on most questions, told apart by what the most favourable one is called."""
    top = rows[rows["value"] == best].drop_duplicates("item").set_index("item")["label"].fillna("")
    usual = top[top == top.mode().iloc[0]].index[0]
    return _labels(rows[rows["item"] == usual])


def _answer_key(figure: Figure, names: pd.Series, colours: list[str]) -> None:
    """Name the answers below the picture."""
    patches = [
        Patch(facecolor=colour, edgecolor=PALE, linewidth=0.6, label=name)
        for colour, name in zip(colours, names, strict=True)
    ]
    is_long = names.str.len().sum() > LONGEST_KEY and len(names) > 4
    figure.legend(
        handles=patches, loc="lower center", borderaxespad=0.2, ncols=3 if is_long else len(names), frameon=False,
        fontsize=8, handlelength=1, handleheight=1, columnspacing=1.2,
    )  # fmt: skip


def _items_title(rows: pd.DataFrame, values: list[float], waves: list[float]) -> str:
    """Return between which shares the items got an answer above the middle in the last wave."""
    scale = scale_by(*rows[["construct", "rater_role"]].iloc[0])
    middle = (values[0] + values[-1]) / 2
    last = rows[rows["wave"] == waves[-1]]
    shares = last["share"].where(last["value"] > middle, 0.0).groupby(last["item"]).sum()
    return say("pictures.items", scale, waves[-1], shares.min(), shares.max())


@styled
def self_other_plot(frame: pd.DataFrame) -> Figure:
    """Return how others rate people, by how these rate themselves; on the diagonal the two agree.

    `frame` has one row per group of people (bin, self_mean, others_mean, ci_low, ci_high, n_people) of one construct.
    """
    rows = frame.dropna(subset=["self_mean", "others_mean"]).sort_values("self_mean")
    rows = rows.astype(dict.fromkeys(("self_mean", "others_mean", "ci_low", "ci_high"), float))
    figure, axes = sheet(_self_other_title(rows), height=3.9)
    ends = rows[["self_mean", "ci_low", "ci_high"]]
    low, high = ends.min().min() - 0.2, ends.max().max() + 0.2
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    # The name of the diagonal stands where hardly anybody is: seen best by others of all, and better than by oneself.
    axes.annotate(
        "as they see\nthemselves", (high, high), xytext=(-26, -4), textcoords="offset points", color=GREY,
        fontsize=8.5, va="top", ha="right",
    )  # fmt: skip
    axes.vlines(rows["self_mean"], rows["ci_low"], rows["ci_high"], color=BLUE, linewidth=1.8)
    axes.plot(rows["self_mean"], rows["others_mean"], "o-", color=BLUE, markersize=7, linewidth=1)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal", adjustable="box")
    for axis in (axes.xaxis, axes.yaxis):
        score_axis(axis)
    axes.set_xlabel("how people rate themselves, in groups by own rating")
    axes.set_ylabel("how others rate them (95 % intervals)")
    quiet_grid(axes, "both")
    return figure


def _self_other_title(rows: pd.DataFrame) -> str:
    return say("pictures.self_other", scale_by(rows["construct"].iloc[0]), rows.iloc[0], rows.iloc[-1])


@styled_wide
def skill_gap_plot(frame: pd.DataFrame) -> Figure:
    """Return mean scores before any program by job level and by age, with 95 % intervals.

    `frame` has one row per group (construct, by, group, group_from, mean, ci_low, ci_high, n_people) of one construct.
    """
    rows = frame.dropna(subset="mean").astype(dict.fromkeys(("mean", "ci_low", "ci_high"), float))
    kinds = [kind for kind in ("job_level", "age") if (rows["by"] == kind).any()]
    widths = [max(2, (rows["by"] == kind).sum()) * WIDTH_OF[kind] for kind in kinds]
    figure, parts = panels(_gap_title(rows, kinds), height=3.1, widths=widths)
    for axes, kind in zip(parts, kinds, strict=True):
        part = rows[rows["by"] == kind].sort_values("group_from")
        x = range(len(part))
        axes.vlines(x, part["ci_low"], part["ci_high"], color=BLUE, linewidth=1.8)
        axes.plot(x, part["mean"], "o", color=BLUE, markersize=7)
        name_ticks(axes.xaxis, x, ["\n".join(textwrap.wrap(str(g), 7)) for g in part["group"]])
        axes.set_xlim(-0.5, len(part) - 0.5)
        axes.set_xlabel("job level" if kind == "job_level" else "age, years")
        quiet_grid(axes, "y")
    score_axis(parts[0].yaxis)
    parts[0].set_ylabel("mean score (95 % intervals)")
    return figure


def _gap_title(rows: pd.DataFrame, kinds: list[str]) -> str:
    gaps = []
    for kind in kinds:
        part = rows[rows["by"] == kind].sort_values("group_from").to_dict("records")
        gaps.append((kind, part[0], part[-1]))
    return say("pictures.skill_gap", scale_by(rows["construct"].iloc[0]), gaps)


@styled
def unlinked_plot(frame: pd.DataFrame) -> Figure:
    """Return the means of a survey that is linked to nobody, by wave; its title says that they compare nothing.

    `frame` has one row per construct and wave (construct, wave, opens, mean, ci_low, ci_high, n_forms) of one
    instrument.
    """
    rows = frame.dropna(subset="mean").astype(dict.fromkeys(("mean", "ci_low", "ci_high"), float))
    instrument = str(rows["instrument"].iloc[0]).replace("_", " ")
    figure, axes = sheet(
        say("pictures.unlinked", instrument),
        height=3,
    )
    ends = []
    for (construct, part), colour in zip(rows.groupby("construct"), (BLUE, VERMILION, GREY) * 9, strict=False):
        ordered = part.sort_values("opens")
        axes.vlines(ordered["opens"], ordered["ci_low"], ordered["ci_high"], color=colour, linewidth=1.8)
        axes.plot(ordered["opens"], ordered["mean"], "o", color=colour, markersize=6)
        ends.append((float(ordered["mean"].iloc[-1]), construct_name(construct), colour))
    days = sorted(rows["opens"].unique())
    name_ticks(axes.xaxis, days, [f"{pd.Timestamp(day):%b\n%Y}" for day in days])
    axes.margins(x=0.08)
    name_lines(axes, ends, axes.convert_xunits(rows["opens"].max()))
    score_axis(axes.yaxis)
    axes.set_ylabel("mean of all forms\n(95 % intervals)")
    axes.set_xlabel("opening day of the wave; who answered may differ from wave to wave")
    quiet_grid(axes, "y")
    return figure
