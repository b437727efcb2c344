"""How numbers and terms of the ledger are written: one place, so that page, pictures, tables and notebooks agree."""

import re
from collections.abc import Callable
from typing import Literal

import pandas as pd

from analysis.plan.catalogue import CATALOGUE, EventWords, Measure
from analysis.plan.faults import known
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Estimated, Finding, NotEstimable, Suppressed
from analysis.plan.study import Program
from analysis.report.marks import Answer, Told, marked, step_of
from analysis.synthesis.pooled import NotPooled

LEVEL = 0.95
PERCENT = re.compile(r"(?<=\d) ?%")
MINUS, NBSP, DASH = "\u2212", "\u00a0", "\u2013"


def minus(text: str) -> str:
    """Return `text` with real minus signs for hyphens."""
    return text.replace("-", MINUS)


def number(value: float | None, unit: Measure | int = 2, signed: bool | None = None) -> str:
    """Return a number for a reader: a real minus sign, no negative zero; a dash where it is missing.

    Parameters
    ----------
    unit
        How many decimals, or the measure whose unit, decimals and sign the number gets.
    signed
        Whether it carries a plus; by itself only the number of a measure does, unless that is a ratio.
    """
    if value is None or pd.isna(value):
        return DASH
    scale, decimals = (1.0, unit) if isinstance(unit, int) else (unit.scale, unit.decimals)
    if signed is None:
        signed = not isinstance(unit, int) and not unit.is_ratio
    exact = value.rounded if isinstance(value, Told) else float(value)
    rounded = round(scale * exact, decimals) + 0.0
    sign = "+" if signed and rounded > 0 else ""
    return marked(value, sign + minus(f"{rounded:,.{decimals}f}"))


def trimmed(value: float, unit: Measure | int = 2) -> str:
    """Return a number without a plus and trailing zeros, e.g. ``3`` and ``0.15``."""
    text = number(float(value), unit, signed=False)
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float | None, decimals: int = 0) -> str:
    """Return a proportion as a percentage."""
    return DASH if share is None or pd.isna(share) else number(100 * share, decimals) + NBSP + "%"


def spaced_percent(text: str) -> str:
    """Return a text of another room with its percentages as this one writes them: ``10 %``, on one line."""
    return PERCENT.sub(NBSP + "%", text)


def count(n: float | None, min_cell: int) -> str:
    """Return a released count of people or rows; under `min_cell`, or missing, it is only said to be small."""
    if n is None or pd.isna(n) or n < min_cell:
        return f"<{min_cell}"
    return marked(n, f"{int(n):,}")


def p_text(p: float | None) -> str:
    """Return a p-value as it is printed; a dash where there is none."""
    if p is None or pd.isna(p):
        return DASH
    if p < 0.001:
        return marked(p, "p < 0.001")
    if p > 0.99:
        return marked(p, "p > 0.99")
    return marked(p, f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}")


def unit(estimate: Answer) -> Measure:
    """Return how the measure of a row is shown."""
    return CATALOGUE.measure(estimate.measure)


def scaled(estimate: Estimated) -> tuple[float, float, float]:
    """Return the lower limit, the estimate and the upper limit in the unit of the row's measure."""
    scale, (low, high) = unit(estimate).scale, estimate.limits
    return scale * low, scale * estimate.estimate, scale * high


def value_text(estimate: Answer) -> str:
    """Return the row's estimate in the unit of its measure, signed; a dash without one."""
    return number(Told.of(estimate, "estimate"), unit(estimate))


def interval_text(estimate: Answer) -> str:
    """Return the row's interval, e.g. ``[−9.7, +1.0]``; empty without one."""
    if not estimate.is_estimated:
        return ""
    low, high = limit_texts(estimate)
    return f"[{low},{NBSP}{high}]"


def limit_texts(estimate: Answer) -> tuple[str, str]:
    """Return both ends of the row's interval in the unit of its measure."""
    low, high = (number(Told.of(estimate, end), unit(estimate)) for end in ("ci_low", "ci_high"))
    return low, high


def estimate_text(estimate: Answer) -> str:
    """Return the row's estimate with its interval, which stay on one line."""
    return f"{value_text(estimate)}{NBSP}{interval_text(estimate)}"


def level_text(estimate: Answer) -> str:
    """Return the interval's level, e.g. ``95 %``; that of other rows where this one's number is withheld."""
    return percent(LEVEL if isinstance(estimate, NotEstimable | Suppressed | NotPooled) else estimate.ci_level)


def side(x: float, unit: Measure) -> Literal["less", "none", "more"]:
    """Return on which side of nothing a difference is, as it is shown."""
    rounded = round(x * unit.scale, unit.decimals)
    return "none" if rounded == 0 else "less" if rounded < 0 else "more"


def amount(x: float, unit: Measure, less: str, more: str, none: str) -> str:
    """Return a difference in words for its side, in which braces stand for its size: ``{} points fewer``."""
    said = {"less": less, "none": none, "more": more}[side(x, unit)]
    return said.replace("{}", number(abs(x), unit, signed=False))


def shown(estimate: Estimated) -> float:
    """Return the row's estimate as it is shown, in the unit of its measure."""
    return round(scaled(estimate)[1], unit(estimate).decimals) + 0.0


def change(before: Estimated, after: Estimated) -> Literal["none", "turned", "less", "more"]:
    """Return what became of a figure, from the numbers as they are shown."""
    was, now = shown(before), shown(after)
    if was == now:
        return "none"
    if was * now < 0 or was == 0:
        return "turned"
    return "less" if abs(now) < abs(was) else "more"


def event_words(estimate: Answer) -> EventWords:
    """Return how the row's event is put in words; kinds of exit without words of their own as any exit."""
    return CATALOGUE.outcome(estimate.outcome).words or known(CATALOGUE.outcome("any_exit").words)


def role_phrase(program: Program, role: str) -> str:
    """Return a role in the plural; in a reverse program it says who is the junior."""
    told = CATALOGUE.role(role)
    return f"{told.label} ({told.in_reverse})" if told.in_reverse and program.direction == "reverse" else told.label


def hypothesis_title(finding: Finding) -> str:
    """Return the title of the finding's hypothesis."""
    return load_plan().hypothesis(finding.hypothesis).title


def is_blind(finding: Finding) -> bool:
    """Whether the effect is withheld because the report was made blind."""
    return finding.verdict_reason == "blind"


def is_randomized(finding: Finding) -> bool:
    """Whether lots decided who was offered a place."""
    return finding.primary.estimand == "ITT"


def is_event(finding: Finding) -> bool:
    """Whether the outcome happens to people or not (an exit, a promotion) and its risks are compared."""
    return finding.primary.measure == "risk_difference"


def is_retention(finding: Finding) -> bool:
    """Whether the outcome is an exit, compared between people: neither a promotion, nor a score, nor money."""
    return is_event(finding) and CATALOGUE.outcome(finding.primary.outcome).is_exit


def is_money(finding: Finding) -> bool:
    """Whether the answer is an amount of money."""
    return finding.primary.measure == "net_benefit"


def is_scale(finding: Finding) -> bool:
    """Whether the outcome is a score."""
    return not is_event(finding) and not is_money(finding)


def outcome_name(outcome: str) -> str:
    """Return an outcome of the ledger as a reader calls it."""
    return CATALOGUE.outcome(outcome).label


def construct_name(construct: str) -> str:
    """Return what a scale measures as a reader calls it; of a study's own cards the words that it is named with."""
    return outcome_name(construct) if construct in CATALOGUE.outcomes else in_words(construct)


def in_words(name: str) -> str:
    """Return a name from the study's files or of a column as words."""
    return name.replace("_", " ")


def upper_first(text: str) -> str:
    """Return text that begins a sentence."""
    bare = text.strip("\n")
    return bare[:1].upper() + bare[1:]


def lower_first(text: str) -> str:
    """Return a sentence as it stands within another."""
    bare = text.strip("\n")
    return bare[:1].lower() + bare[1:]


def of_100(share: float | None) -> str:
    """Return a share as people of 100, with one decimal."""
    return number(None if share is None else 100 * share, 1)


def known_as(value: float, row: Estimated) -> float:
    """Return an amount that a row's interval leads to, no more precise than the row."""
    step = step_of(row, "estimate")
    return value if step is None else step * round(value / step)


# What a template may do to a fact. Numbers get into a sentence through these and in no other way.
FILTERS: dict[str, Callable] = {
    "number": number,
    "trimmed": trimmed,
    "percent": percent,
    "of_100": of_100,
    "count": count,
    "p": p_text,
    "side": side,
    "amount": amount,
    "upper_first": upper_first,
    "lower_first": lower_first,
    "clause": lambda reason: lower_first(reason).rstrip("."),
    # Of a row of the ledger.
    "value": value_text,
    "interval": interval_text,
    "estimate": estimate_text,
    "level": level_text,
    "low": lambda row: limit_texts(row)[0],
    "high": lambda row: limit_texts(row)[1],
    "told": Told.of,
    "known_as": known_as,
    "shown": shown,
    "change": change,
    "unit": unit,
    "event": event_words,
    "estimator": lambda row: CATALOGUE.estimator(row.estimator),
    "outcome": outcome_name,
    "rated_by": lambda row: CATALOGUE.rater_source(row.rater_source),
}
