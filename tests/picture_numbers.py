"""Whether the numbers that are printed in a picture are those of the ledger's rows or of the frame that it draws."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from page_numbers import MINUS, Number, agrees, half_a_step

from analysis.plan.results import Check, Estimate, Finding

SVG = "{http://www.w3.org/2000/svg}"
# Beside a scale: nothing but a number and its unit, a count a line, or a calendar's.
TICK = re.compile(rf"[+{MINUS}]?[\d.,]+(\s%)?")
# A number with decimals, or a share: what is measured, and no count, wave or month.
MEASURED = re.compile(
    rf"(?<![\w.,])([+{MINUS}]?\d[\d,]*(?:\.\d+)?)(?:\s%|(?<=\.\d)|(?<=\.\d\d)|(?<=\.\d\d\d))(?![\d.])"
)
LEVEL = "95"
# Nothing but a title is bold and of this size.
TITLE_SIZE = "10"


class Text(NamedTuple):
    """A text of a picture: what it says, the same without the numbers that name their rows, and these."""

    said: str
    loose: str
    marked: list[Number]
    is_title: bool


def texts(svg: str) -> Iterator[Text]:
    """Yield the texts of a picture; a title is broken into lines, each a text of its own."""
    for element in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        marked = [Number(t.attrib["data-row"], t.attrib["data-column"], t.text or "", t.tail or "") for t in element]
        loose = (element.text or "") + "".join(f" {number.behind}" for number in marked)
        is_title = element.attrib["font-size"] == TITLE_SIZE and element.attrib.get("font-weight") == "bold"
        yield Text("".join(element.itertext()), loose, marked, is_title)


def marked_numbers(svg: str) -> list[Number]:
    """Return the numbers of a picture that name their rows, with what is said next, be it on the next line."""
    told = list(texts(svg))
    found = []
    for text, following in zip(told, [*told[1:], Text("", "", [], False)], strict=True):
        found += [m if m.behind.strip() else m._replace(behind=following.said) for m in text.marked]
    return found


def picture_complaints(
    svg: str,
    rows: Mapping[str, Estimate],
    frame: pd.DataFrame,
    finding: Finding | None,
    of_title: Iterable[float] | None,
) -> Iterator[str]:
    """Yield the numbers of a picture that are not those of the row that they name, of its frame, or of its title.

    Parameters
    ----------
    frame
        What is drawn.
    of_title
        What the title may tell beside rows of the ledger; None for anything of the frame.
    """
    for number in marked_numbers(svg):
        row = rows.get(number.row)
        if row is None or not agrees(number, row):
            yield f"{number.text!r} is {row and getattr(row, number.column)} in {number.row}"
    anything = known_numbers(frame, finding)
    for text in texts(svg):
        known = anything if of_title is None or not text.is_title else list(of_title)
        if not TICK.fullmatch(text.said):
            loose = (n for n in measured(text.loose) if not any(fits(n, x) for x in known))
            yield from (f"{n!r} of {text.said!r} is in no row" for n in loose)


def measured(text: str) -> list[str]:
    """Return the numbers of a text that were measured."""
    return [n for n in MEASURED.findall(text) if n != LEVEL]


def fits(text: str, value: float) -> bool:
    """Whether a number is written as a value is, or as a share of it in per cent; signs may stand in words."""
    shown = float(text.replace(",", "").replace(MINUS, "-"))
    exact = (value, 100 * value) if text[0] in f"+{MINUS}" else (abs(value), 100 * abs(value))
    return any(abs(shown - x) <= half_a_step(text) for x in exact)


def known_numbers(frame: pd.DataFrame, finding: Finding | None) -> list[float]:
    """Return what a picture of a frame may tell: its numbers, and what a finding was planned with."""
    found = frame.select_dtypes("number").to_numpy(dtype=float, na_value=np.nan).ravel()
    numbers = found[np.isfinite(found)].tolist()
    if finding is None:
        return numbers
    told = [finding.smallest_effect, *(c.statistic for c in finding.checks if c.statistic is not None)]
    return numbers + told + differences(finding)


def differences(finding: Finding) -> list[float]:
    """Return how far the naive figures and the answer lie from each other, from the numbers as they are shown."""
    told = [e for e in finding.estimates if e.is_estimated and (e.analysis == "naive" or e is finding.primary)]
    shown = [abs(round(100 * e.estimate, 1)) for e in told if e.measure == "risk_difference"]
    return [a - b for a in shown for b in shown]


def _at(frame: pd.DataFrame, column: str, **where: object) -> list[float]:
    rows = frame
    for name, value in where.items():
        rows = rows[rows[name] == value]
    return rows[column].dropna().astype(float).tolist()


def _shares_scored(finding: Finding) -> list[float]:
    flow = finding.evidence["response"]
    return (flow["n_scored"].astype(float) / flow["n_people"].astype(float)).dropna().tolist()


def _last_shown(finding: Finding) -> list[float]:
    curves = finding.evidence["curves_by_kind"].dropna(subset="cumulative_incidence")
    first = curves[curves["outcome"] == curves["outcome"].iloc[0]]
    months = set.intersection(*(set(part["months"]) for _, part in first.groupby("arm")))
    return _at(first, "cumulative_incidence", months=max(months))


def _overlap(finding: Finding) -> list[float]:
    checks: Iterable[Check] = (c for c in finding.checks if c.name == "overlap" and c.statistic is not None)
    return [c.statistic for c in checks]


# What a picture's title may tell of its frame, by kind: the numbers at that place and no others.
TITLES: Mapping[str, Callable[[Finding], list[float]]] = {
    "curves": lambda f: _at(f.evidence["curves"], "cumulative_incidence", months=f.primary.horizon_months),
    "kinds": _last_shown,
    "balance": lambda f: [f.evidence["balance"]["smd_after"].abs().max()],
    "overlap": _overlap,
    "trajectories": lambda f: [x for at in (0, 1) for x in _at(f.evidence["trajectories"], "mean", wave_position=at)],
    "event_study": lambda f: f.evidence["event_study"].query("position > 0")["estimate"].dropna().tolist(),
    "response": _shares_scored,
    "delta": lambda f: f.evidence["delta"]["delta"].tolist(),
    "ladder": differences,
    "ways": lambda f: [],
    "money": lambda f: [],
}
