"""Whether the program pays, in words: the net benefit with its interval, exits avoided, and where it breaks even."""

from analysis.plan.results import Estimate, Finding
from analysis.plan.study import Study
from analysis.report.wording import NBSP, level_text, measured, number, percent, program_phrase, trimmed

# The one assumption that the arithmetic rests on, as `estimate.economics` names its check.
ASSUMPTION = "what an exit costs"


def money(x: float, study: Study) -> str:
    """Return an amount without its sign, e.g. ``27,860 USD``."""
    return f"{number(abs(x), 0)}{NBSP}{study.currency}" if study.currency else number(abs(x), 0)


def money_sentence(finding: Finding, study: Study) -> str:
    """Return the net benefit with its interval, and the exits avoided that it comes from."""
    row = finding.primary
    program = program_phrase(study.program(finding.program))
    if round(row.value) == 0:
        said = f"{program} avoided as much replacement cost as it cost"
    elif row.value > 0:
        said = f"{program} avoided {money(row.value, study)} more in replacement cost than it cost"
    else:
        said = f"{program} cost {money(row.value, study)} more than the replacement cost that it avoided"
    low, high = (_side(limit, study) for limit in row.limits)
    span = f"the {level_text(row)} interval runs from {low} to {high}"
    return f"By this arithmetic, {said} within {row.horizon_months} months; {span}.{_avoided_text(finding)}"


def _side(x: float, study: Study) -> str:
    if round(x) == 0:
        return "break-even"
    return f"a net {'benefit' if x > 0 else 'loss'} of {money(x, study)}"


def _avoided_text(finding: Finding) -> str:
    avoided = measured(finding, "exits_avoided")
    if not avoided:
        return ""
    row = avoided[0]
    low, mid, high = (number(x, 1, signed=True) for x in (row.ci_low, row.estimate, row.ci_high))
    return (
        f" It counts {mid} exits avoided among {row.n_treated:,} people ({level_text(row)} interval {low} to {high}; "
        f"below zero: exits added)."
    )


def break_even_sentence(finding: Finding) -> str:
    """Return how many exits the program must avoid to pay for itself; empty where that cannot be told.

    Net benefit is a straight line in exits avoided, of which the ledger holds three points: read off where it is zero.
    """
    avoided = measured(finding, "exits_avoided")
    if not finding.primary.is_estimated or not avoided:
        return ""
    needed = _crossing(finding.primary, avoided[0])
    if needed is None:
        return ""
    value, (low, high) = avoided[0].value, avoided[0].limits
    has = "reaches that" if value >= needed else "falls short of that"
    rest = "the whole interval does" if low >= needed else "the interval also holds less"
    if value < needed:
        rest = "none of the interval reaches it" if high < needed else "the interval also holds more"
    return f"It pays for itself from {number(needed, 1)} exits avoided on. The estimate {has}; {rest}."


def _crossing(net: Estimate, avoided: Estimate) -> float | None:
    (low, high), (net_low, net_high) = avoided.limits, net.limits
    span = high - low
    per_exit = (net_high - net_low) / span if span > 0 else 0.0
    return avoided.value - net.value / per_exit if per_exit > 0 else None


def assumption_sentence(finding: Finding) -> str:
    """Return what an exit and the program are taken to cost; empty where the study does not say."""
    return next((check.sentence for check in finding.checks if check.name == ASSUMPTION), "")


def money_detectable(finding: Finding) -> str:
    """Return the net benefit that the study could have told from breaking even."""
    return (
        f"This study could have told a net benefit of about {number(finding.smallest_detectable, 0)}, in its currency, "
        f"from breaking even, with {percent(0.8)} power; it would probably have missed an effect half that size."
    )


def money_verdict(finding: Finding) -> str:
    """Return the verdict in plain words, by the written rule; a loss is a cost, and no harm to anybody."""
    # One unit of the currency is the plan's way to say: break even.
    margin = "break-even"
    if finding.smallest_effect > 1:
        margin = f"the {trimmed(finding.smallest_effect, 0)} named beforehand as the smallest effect of interest"
    return {
        "supported": f"Supported: the interval lies above zero, and the estimate reaches {margin}.",
        "negligible": f"Negligible: the whole interval is closer to zero than {margin}.",
        "no_benefit": _no_benefit(finding, margin),
        "inconclusive": _open(finding, margin),
    }[finding.verdict]


def _no_benefit(finding: Finding, margin: str) -> str:
    if finding.primary.limits[1] < 0:
        return "No benefit: the whole interval is a loss, so the program costs more than it saves."
    return f"No benefit: the interval leaves out {margin}."


def _open(finding: Finding, margin: str) -> str:
    if finding.verdict_reason == "adjusted_p":
        return (
            "Inconclusive: the interval lies above zero, but no answer on retention that it rests on excludes zero "
            "once its p-value is adjusted."
        )
    if finding.primary.limits[0] > 0:
        return f"Inconclusive: the interval leaves out a loss, but the estimate falls short of {margin}."
    return "Inconclusive: the interval holds both a loss and a benefit."
