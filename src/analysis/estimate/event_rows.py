"""Ledger rows about an event, an exit or a promotion, read from two arms."""

from collections.abc import Callable

from analysis.estimate.analyses import SUPPRESSED, Groups, Numbers, Question, Row
from analysis.estimate.arms import Arms
from analysis.estimate.inference import LEAST_CLUSTERS, Interval
from analysis.estimate.retention import days_lost, days_retained, difference, ratio
from analysis.plan.catalogue import CATALOGUE

# A ratio whose interval's ends are farther apart than by this factor tells nothing.
WIDEST_RATIO = 1_000
WEIGHTED, PLAIN = "iptw_aalen_johansen", "aalen_johansen"

_ALONE = "and with one unit nobody can tell the program from the unit"
ONE_REACHED = (
    f"The program has reached one unit that can be compared, {_ALONE}; a second unit reached, while others still wait, "
    "would be needed."
)
ONE_LEFT = (
    f"Only one unit that the program had not reached is left to compare with, {_ALONE}; a second one that waits would "
    "be needed."
)

MEASURES: dict[str, Callable[[Arms, str, int], Interval | None]] = {
    "risk_difference": difference,
    "risk_ratio": ratio,
    "rmst_difference_days": lambda arms, outcome, month: days_retained(arms, month),
    "rmtl_difference_days": days_lost,
}


def event_row(
    question: Question,
    arms: Arms,
    outcome: str,
    month: int,
    measure: str = "risk_difference",
    read: Callable[[], Interval | None] | None = None,
    **naming,
) -> Row:
    """Return one row: a number where the arms are large enough, followed for long and have such events, or why not.

    Parameters
    ----------
    read
        Gives the interval; where not given, the measure's own function does.
    naming
        Other naming columns that differ from those of the main row.
    """
    read = read or (lambda: MEASURES[measure](arms, outcome, month))
    naming = {"outcome": outcome, "horizon_months": month, "measure": measure} | naming
    return Row(why_no_event(question, arms, outcome, month) or _numbers(arms, outcome, month, measure, read), naming)


def _numbers(arms: Arms, outcome: str, month: int, measure: str, read: Callable[[], Interval | None]) -> Numbers | str:
    interval = read()
    if interval is None:
        return "No such event in one of the arms: a ratio has no value."
    if CATALOGUE.measure(measure).is_ratio and interval.high > WIDEST_RATIO * interval.low:
        return f"Too few such events: the ratio's interval spans a factor of over {WIDEST_RATIO:,}."
    return Numbers(interval, Groups(*arms.n_people(), *arms.n_events(outcome, month)))


def why_no_event(question: Question, arms: Arms, outcome: str, month: int) -> str | None:
    """Return why no number can be read off at `month`, or None."""
    if min(arms.n_people()) < question.study.min_cell:
        return SUPPRESSED
    reason = short_follow_up(question, arms, month)
    if reason is None and sum(arms.n_events(outcome, month)) == 0:
        return no_events(month)
    return reason


def no_events(month: int) -> str:
    """Return the reason of a row without an event."""
    return f"No such event in either arm within {month} months."


def short_follow_up(question: Question, arms: Arms, month: int) -> str | None:
    """Return why `month` cannot be read off, or None: one unit in an arm, or too few people followed so far."""
    if arms.by_unit and min(arms.n_clusters) < LEAST_CLUSTERS:
        return ONE_REACHED if arms.n_clusters[0] < LEAST_CLUSTERS else ONE_LEFT
    least = question.study.min_cell
    n_treated, n_control = arms.treated.n_followed(month), arms.control.n_followed(month)
    if min(n_treated, n_control) >= least:
        return None
    who = "those who started" if n_treated < least else "their comparators"
    return (
        f"Fewer than {least} of {who} could be followed for {month} months before the data end or the comparison "
        f"ends; an answer needs a later data lock or a comparison that lasts longer."
    )


def last_read(question: Question, arms: Arms) -> int | None:
    """Return the last horizon that can be read off; None where there is none."""
    return max((h for h in question.study.horizons_months if short_follow_up(question, arms, h) is None), default=None)
