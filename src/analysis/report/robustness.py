"""Would another analyst agree? The answer made in other ways, in other measures, and where it should be nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isinf

import pandas as pd

from analysis.estimate.diagnostics import TREND
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.known import known
from analysis.plan.results import Estimate, Finding
from analysis.report.scale_words import scale_measures
from analysis.report.wording import (
    NBSP,
    amount,
    estimate_text,
    event_words,
    interval_text,
    is_money,
    is_randomized,
    is_scale,
    level_text,
    limit_texts,
    measured,
    number,
    outcome_name,
    unit,
    value_text,
)


@dataclass(frozen=True)
class Way:
    """One way to make the answer: what is otherwise about it, its row, and what kind of way it is."""

    text: str
    row: Estimate
    kind: str  # "main", "other", or "horizon": the same read off at another time


def ways(finding: Finding) -> list[Way]:
    """Return the main answer and every other one about the same outcome in the same unit, smallest estimate first.

    Readings at other horizons come last, by time. Bounds are none of them, nor are scores that somebody else gave.
    Without the main answer, and for money, there are none.
    """
    main = finding.primary
    if not main.is_estimated or is_money(finding):
        return []
    about = (main.measure, main.outcome, main.rater_source)
    alike = [
        e
        for e in finding.alternatives
        if e.is_estimated and (e.measure, e.outcome, e.rater_source) == about and _kind(e) != "bound"
    ]
    first = [
        Way(_way_text(e), e, "other")
        for e in alike
        if e.analysis == "sensitivity" and e.horizon_months == main.horizon_months
    ]
    later = [
        Way(f"read off at {e.horizon_months} months", e, "horizon")
        for e in alike
        if e.horizon_months != main.horizon_months
        and (e.contrast, e.estimand, e.estimator) == (main.contrast, main.estimand, main.estimator)
    ]
    answers = sorted([Way("the main answer", main, "main"), *first], key=lambda way: way.row.value)
    return [*answers, *sorted(later, key=lambda way: known(way.row.horizon_months))]


def _way_text(row: Estimate) -> str:
    record = CATALOGUE.estimator(row.estimator)
    return f"{record.short} *" if record.assumes_more or record.kind == "other_question" else record.short


def _kind(row: Estimate) -> str:
    return CATALOGUE.estimator(row.estimator).kind


def at_first_horizon(finding: Finding) -> list[Estimate]:
    """Return the rows that answer at the main horizon, the main one among them."""
    return [way.row for way in ways(finding) if way.kind != "horizon"]


def ways_title(finding: Finding) -> str:
    """Return what all ways together say: how far the estimates lie apart and how many intervals hold no difference."""
    rows = at_first_horizon(finding)
    if len(rows) < 2:
        return f"Made in one way only: {estimate_text(finding.primary)} points"
    low, high = (value_text(pick(rows, key=lambda e: e.value)) for pick in (min, max))
    holding = sum(e.holds_zero for e in rows)
    run = f"is {low} points every time" if low == high else f"runs from {low} to {high} points"
    return f"Across {len(rows)} ways to do it the difference {run}; {_of(holding, len(rows))} zero"


def _of(some: int, of_all: int) -> str:
    if some == of_all:
        return f"all {of_all} intervals hold"
    if some == 0:
        return f"none of the {of_all} intervals holds"
    return f"{some} of {of_all} intervals {'holds' if some == 1 else 'hold'}"


def ways_sentence(finding: Finding) -> str:
    """Return what all ways say, and how far to trust it; empty where the answer was made in one way only."""
    found = ways(finding)
    if sum(way.kind != "horizon" for way in found) < 2:
        return ""
    star = _star(way.row.estimator for way in found if way.text.endswith("*"))
    return (
        f"{ways_title(finding)}. The ways share the same people and most of their choices, so their agreeing is no "
        f"further evidence; their disagreeing would be a warning.{star}"
    )


def _star(marked: Iterable[str]) -> str:
    """Return what the mark on some of the ways means."""
    records = [CATALOGUE.estimator(name) for name in dict.fromkeys(marked)]
    said = [f" The way marked * assumes more: {record.assumes_more}" for record in records if record.assumes_more]
    asks_another = any(record.kind == "other_question" for record in records)
    return "".join([*said, " Ways marked * ask a slightly different question." if asks_another else ""])


def e_value_sentence(finding: Finding) -> str:
    """Return how strong something unrecorded would have to be to explain the answer away; empty where nobody asked."""
    rows = measured(finding, "e_value")
    if not rows or is_randomized(finding):
        return ""
    row, words = rows[0], event_words(finding.primary)
    if isinf(row.value):
        return ""
    if round(row.value, 1) == 1:
        return "There is no difference that something unrecorded would have to explain away (E-value 1.0)."
    first = (
        f"To explain this difference away, something unrecorded would have to go with both starting and {words.doing} "
        f"and make each of them {value_text(row)} times as likely (or as unlikely), beyond all that was recorded; "
        f"anything weaker could not"
    )
    limit = number(row.ci_low, 1)
    if row.ci_low == 1:
        return (
            f"{first}. For the interval to include no difference nothing is needed: it already does (E-value {limit})."
        )
    return f"{first}. For the interval to include no difference, {limit} times would be enough."


def measure_sentences(finding: Finding) -> list[str]:
    """Return the same contrast in other measures, at the first horizon: days and ratios, or standard deviations."""
    if not finding.primary.is_estimated or is_money(finding):
        return []
    if is_scale(finding):
        return scale_measures(finding)
    makers = {
        "rmst_difference_days": _days_employed,
        "rmtl_difference_days": _days_lost,
        "risk_ratio": _risk_ratio,
        "hazard_ratio": _rate_ratio,
    }
    main = (finding.primary.contrast, finding.primary.estimand)
    return [
        make(row)
        for measure, make in makers.items()
        for row in measured(finding, measure)
        if (row.contrast, row.estimand) == main
    ]


def _days(row: Estimate, less: str, more: str) -> str:
    mid, low, high = (_days_text(x, row, less, more) for x in (row.value, *row.limits))
    return f"{mid} ({level_text(row)} interval {low} to {high})"


def _days_text(x: float, row: Estimate, less: str, more: str) -> str:
    text = amount(x, row, f"days {less}", f"days {more}")
    return text.replace("days", "day", 1) if text.startswith("1 ") else text


def _days_employed(row: Estimate) -> str:
    return (
        f"Days employed, of the {row.horizon_months} months, whatever the kind of exit: "
        f"{_days(row, 'fewer', 'more')} on average."
    )


def _days_lost(row: Estimate) -> str:
    if row.outcome == "promotion":
        return f"Days since a promotion: {_days(row, 'fewer', 'more')} on average."
    return f"Days lost to {outcome_name(row.outcome)}: {_days(row, 'fewer', 'more')} on average."


def _risk_ratio(row: Estimate) -> str:
    low, high = limit_texts(row)
    who = "Those offered a place" if row.estimand == "ITT" else "Those who started"
    return (
        f"{who} had {value_text(row)} times the risk of {event_words(row).rate_of} ({level_text(row)} interval "
        f"{low} to {high}; 1 is no difference)."
    )


def _rate_ratio(row: Estimate) -> str:
    low, high = limit_texts(row)
    return (
        f"At any time, those still there had {value_text(row)} times the rate of {event_words(row).rate_of} "
        f"({level_text(row)} interval {low} to {high}), if that ratio is the same throughout."
    )


def control_sentences(finding: Finding) -> list[str]:
    """Return the comparisons that should show nothing, and whether they do; then what a dashboard shows there."""
    found = [
        _control(finding, row)
        for row in finding.alternatives
        if row.analysis == "negative_control" and row.is_estimated
    ]
    invented = [e for e in finding.alternatives if e.contrast == "placebo_ever_vs_never" and e.is_estimated]
    return found + [_invented(row) for row in invented]


def _invented(row: Estimate) -> str:
    shown = f"{estimate_text(row)} {unit(row).short}"
    start = f"Ever against never on made-up starts, as a dashboard would show it: {shown}"
    if row.holds_zero:
        return f"{start}; the interval includes no difference."
    return f"{start}, from a program that did not exist. That is bias and nothing else."


def _control(finding: Finding, row: Estimate) -> str:
    shown = f"{value_text(row)} {unit(row).unit or unit(row).label} {interval_text(row)}"
    if row.contrast == "enrolled_vs_not_before_start":
        what = "The same people over the two waves before the start, when nothing can have changed yet"
        # The judgement is the check's, over all waves before the start: one row does not make another.
        judged = next((c.brief for c in finding.checks if c.name == TREND), "")
        return f"{what}: {shown}. {judged[:1].upper()}{judged[1:]}." if judged else f"{what}: {shown}."
    # Made-up starters are drawn from what is recorded: they can show a wrong design, never a hidden difference.
    if row.contrast == "placebo_start_vs_not":
        what = "Starts made up before the program existed, which cannot have had an effect"
        amiss = "the design or the weights are off"
    else:
        what = f"{outcome_name(row.outcome).capitalize()}s, which the program should not change"
        amiss = "the groups may differ in something that was not recorded"
    found = "includes zero, as it should" if row.holds_zero else f"excludes zero: {amiss}"
    return f"{what}: {shown}. The interval {found}."


MODERATOR_CAUTION = (
    "These are secondary and not adjusted for how many were looked at: with several of them, one may look striking by "
    "chance. They tell where to look next, and no more."
)


def moderator_rows(finding: Finding) -> list[tuple[str, Estimate]]:
    """Return for whom, when and with how much of it the difference is larger: label and row, numbers or none."""
    named = ((_moderated_by(e), e) for e in finding.alternatives)
    return [(text, row) for text, row in named if text]


def _moderated_by(row: Estimate) -> str:
    return CATALOGUE.contrast(row.contrast).looked_at or CATALOGUE.measure(row.measure).looked_at


def moderators_table(finding: Finding) -> pd.DataFrame:
    """Return one line per moderator, as text; the reason where there is no number."""
    heads = ["what was looked at", "estimate", "95 % interval", "unit, or why there is none"]
    lines = [(text, *_moderator(row)) for text, row in moderator_rows(finding)]
    return pd.DataFrame(lines, columns=heads)


def _moderator(row: Estimate) -> Sequence[str]:
    if not row.is_estimated:
        return ("not shown" if row.status == "suppressed" else "not estimable", "–", known(row.reason))
    name = unit(row).unit.replace(" ", NBSP) or unit(row).label
    return value_text(row), interval_text(row), name
