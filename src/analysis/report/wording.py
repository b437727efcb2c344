"""How numbers, people and terms of the ledger are put in words: one place, so that page and notebooks agree."""

import pandas as pd

from analysis.plan.catalogue import CATALOGUE, EventWords, Measure
from analysis.plan.hypotheses import load_plan
from analysis.plan.known import known
from analysis.plan.results import Estimate, Finding
from analysis.plan.study import Program, Study

LEVEL = 0.95
MINUS, NBSP, DASH = "\u2212", "\u00a0", "\u2013"


def minus(text: str) -> str:
    """Return `text` with real minus signs for hyphens."""
    return text.replace("-", MINUS)


def number(value: float | None, decimals: int = 2, signed: bool = False) -> str:
    """Return a number for a reader: fixed decimals, a real minus sign, no negative zero; a dash where it is missing."""
    if value is None or pd.isna(value):
        return DASH
    rounded = round(float(value), decimals) + 0.0
    sign = "+" if signed and rounded > 0 else ""
    return sign + minus(f"{rounded:,.{decimals}f}")


def trimmed(value: float, decimals: int = 2) -> str:
    """Return a number without trailing zeros, e.g. ``3`` and ``0.15``."""
    text = number(value, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float | None, decimals: int = 0) -> str:
    """Return a proportion as a percentage."""
    return DASH if share is None or pd.isna(share) else number(100 * share, decimals) + NBSP + "%"


def count(n: float | None, min_cell: int) -> str:
    """Return a released count of people or rows; under `min_cell`, or missing, it is only said to be small."""
    if n is None or pd.isna(n) or n < min_cell:
        return f"<{min_cell}"
    return f"{int(n):,}"


def p_text(p: float | None) -> str:
    """Return a p-value as it is printed; a dash where there is none."""
    if p is None or pd.isna(p):
        return DASH
    if p < 0.001:
        return "p < 0.001"
    if p > 0.99:
        return "p > 0.99"
    return f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}"


def unit(estimate: Estimate) -> Measure:
    """Return how the measure of a row is shown."""
    return CATALOGUE.measure(estimate.measure)


def scaled(estimate: Estimate) -> tuple[float, float, float]:
    """Return the lower limit, the estimate and the upper limit in the unit of the row's measure."""
    scale, (low, high) = unit(estimate).scale, estimate.limits
    return scale * low, scale * estimate.value, scale * high


def value_text(estimate: Estimate) -> str:
    """Return the row's estimate in the unit of its measure, signed; a dash without one."""
    shown = unit(estimate)
    value = None if estimate.estimate is None else shown.scale * estimate.estimate
    return number(value, shown.decimals, signed=not shown.is_ratio)


def interval_text(estimate: Estimate) -> str:
    """Return the row's interval, e.g. ``[−9.7, +1.0]``; empty without one."""
    if not estimate.is_estimated:
        return ""
    low, high = limit_texts(estimate)
    return f"[{low},{NBSP}{high}]"


def limit_texts(estimate: Estimate) -> tuple[str, str]:
    """Return both ends of the row's interval in the unit of its measure."""
    shown, (low, _, high) = unit(estimate), scaled(estimate)
    signed = not shown.is_ratio
    return number(low, shown.decimals, signed), number(high, shown.decimals, signed)


def estimate_text(estimate: Estimate) -> str:
    """Return the row's estimate with its interval, which stay on one line."""
    return f"{value_text(estimate)}{NBSP}{interval_text(estimate)}"


def level_text(estimate: Estimate) -> str:
    """Return the interval's level, e.g. ``95 %``; that of other rows where this one's number is withheld."""
    return percent(LEVEL if estimate.ci_level is None else estimate.ci_level)


def amount(x: float, estimate: Estimate, less: str, more: str, none: str = "no difference", name: bool = False) -> str:
    """Return a difference in words: its size and its side; `none` where it rounds to nothing."""
    shown = unit(estimate)
    size = round(abs(x) * shown.scale, shown.decimals)
    if size == 0:
        return none
    side = less if x < 0 else more
    text = number(size, shown.decimals) + (f" {shown.unit}" if name else "")
    return f"{side} by {text}" if side in ("up", "down") else f"{text} {side}"


def events_text(estimate: Estimate, points: str = "percentage points") -> str:
    """Return a difference in events in words, e.g. ``4.4 percentage points fewer exits``."""
    what = event_words(estimate).plural
    return amount(estimate.value, estimate, f"{points} fewer {what}", f"{points} more {what}")


def event_words(estimate: Estimate) -> EventWords:
    """Return how the row's event is put in words; kinds of exit without words of their own as any exit."""
    return CATALOGUE.outcome(estimate.outcome).words or known(CATALOGUE.outcome("any_exit").words)


def program_phrase(program: Program) -> str:
    """Return the program as a noun in a sentence: ``the Genius Clinic program``."""
    name = program.name.removeprefix("The ").removeprefix("the ")
    ends = name.lower().endswith(("program", "programme", "scheme"))
    return f"the {name}" if ends else f"the {name} program"


def role_phrase(program: Program, role: str) -> str:
    """Return a role in the plural; in a reverse program it says who is the junior."""
    told = CATALOGUE.role(role)
    return f"{told.label} ({told.in_reverse})" if told.in_reverse and program.direction == "reverse" else told.label


def label(finding: Finding, study: Study) -> str:
    """Return whom a finding is about: ``Genius Clinic: mentors (the juniors)``; the program alone where it is all."""
    program = study.program(finding.program)
    return program.name if is_money(finding) else f"{program.name}: {role_phrase(program, finding.role)}"


def short_label(finding: Finding, study: Study) -> str:
    """Return whom a finding is about on a page of its own: the role alone where the study has one program."""
    if len(study.programs) > 1:
        return label(finding, study)
    if is_money(finding):
        return "The whole program"
    role = role_phrase(study.program(finding.program), finding.role)
    return role[0].upper() + role[1:]


def hypothesis_title(finding: Finding) -> str:
    """Return the title of the finding's hypothesis."""
    return load_plan().hypothesis(finding.hypothesis).title


def is_blind(finding: Finding) -> bool:
    """Whether the effect is withheld because the report was made blind."""
    return finding.verdict_reason == "blind"


def comparators(finding: Finding) -> str:
    """Return what the comparators are called; after a failed check nobody calls them comparable."""
    return "other colleagues" if finding.is_capped else "comparable colleagues"


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


def naive_rows(finding: Finding) -> list[Estimate]:
    """Return the estimated naive rows, the most biased contrast first."""
    naive = [e for e in finding.alternatives if e.analysis == "naive" and e.is_estimated]
    return [e for e in naive if not e.contrast.startswith("placebo")]


def main_rows(finding: Finding) -> list[Estimate]:
    """Return the main row and, at other horizons, the rows that are the same in everything else."""

    def kind(row: Estimate) -> tuple:
        return row.outcome, row.rater_source, row.contrast, row.estimand, row.estimator, row.measure

    alike = [e for e in finding.estimates if e.is_estimated and kind(e) == kind(finding.primary)]
    return [e for e in alike if e is finding.primary or e.horizon_months != finding.primary.horizon_months]


def measured(finding: Finding, measure: str, **naming) -> list[Estimate]:
    """Return the estimated rows of one measure at the first horizon whose named columns hold these values."""
    return [
        e
        for e in finding.alternatives
        if e.is_estimated
        and e.measure == measure
        and e.horizon_months == finding.primary.horizon_months
        and all(getattr(e, name) == value for name, value in naming.items())
    ]


def outcome_name(outcome: str) -> str:
    """Return an outcome of the ledger as a reader calls it."""
    return CATALOGUE.outcome(outcome).label


def construct_name(construct: str) -> str:
    """Return what a scale measures as a reader calls it; of a study's own cards the words that it is named with."""
    return outcome_name(construct) if construct in CATALOGUE.outcomes else in_words(construct)


def in_words(name: str) -> str:
    """Return a name from the study's files or of a column as words."""
    return name.replace("_", " ")
