"""What may be said of a finding: every fact that a sentence can name, and every judgement that chooses one."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isinf

import pandas as pd

from analysis.estimate.diagnostics import TREND
from analysis.plan.catalogue import CATALOGUE, Estimator
from analysis.plan.faults import known
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Check, Estimate, Estimated, Finding, with_number
from analysis.plan.study import Study
from analysis.report.marks import Told
from analysis.report.template import say
from analysis.report.wording import (
    event_words,
    is_blind,
    is_event,
    is_money,
    is_randomized,
    is_retention,
    is_scale,
    outcome_name,
    role_phrase,
    shown,
    side,
    unit,
)

# A study that can only see effects several times the smallest effect of interest was too small for the question.
FAR_TOO_SMALL = 3
POWER = 0.8
# Reasons that say themselves what would be needed.
SAYS_WHAT_IS_NEEDED = ("need", "would have", "later data lock")
MEASURES = (
    *("rmst_difference_days", "rmtl_difference_days", "risk_ratio", "hazard_ratio"),
    *("standardized_mean_difference", "odds_ratio"),
)
NAIVE_RUNGS = ("ever_vs_never", "enrolled_vs_not")


def facts(finding: Finding, study: Study | None = None) -> dict[str, object]:
    """Return what a template can name of a finding; without the study, nothing of its program.

    Rows are those of the ledger (`plan.results.Estimate`), checks as they were graded (`plan.results.Check`).
    """
    found = _kind(finding) | _verdict(finding) | _rows(finding)
    if isinstance(finding.primary, Estimated):
        found |= _numbers(finding, finding.primary)
    return found if study is None else found | _program(finding, study)


def _kind(finding: Finding) -> dict[str, object]:
    """Return what kind of answer it is, and why there is none."""
    row = finding.primary
    reason = "" if isinstance(row, Estimated) else row.reason
    rated_by = CATALOGUE.rater_source(row.rater_source) if row.rater_source else ""
    return {
        "hypothesis": finding.hypothesis,
        "title": load_plan().hypothesis(finding.hypothesis).title,
        "main": row,
        "unit": unit(row),
        "event": event_words(row),
        "outcome": f"{rated_by} {outcome_name(row.outcome)}".strip(),
        "rated_by": rated_by,
        "is_event": is_event(finding),
        "is_job_event": is_event(finding) and not is_retention(finding),
        "is_scale": is_scale(finding),
        "is_money": is_money(finding),
        "is_randomized": is_randomized(finding),
        "is_blind": is_blind(finding),
        "is_estimated": row.is_estimated,
        "is_suppressed": row.status == "suppressed",
        "counts_any_exit": row.outcome == "any_exit",
        "registered": finding.registered,
        "n_unplanned": n_unplanned(finding),
        "reason": reason,
        "says_what_is_needed": any(said in reason for said in SAYS_WHAT_IS_NEEDED),
    }


def n_unplanned(finding: Finding) -> int:
    """Return how many rows beside the main one the registered plan did not have; 0 without a plan."""
    return sum(finding.registered.of(e) == "exploratory" for e in finding.alternatives) if finding.registered else 0


def _verdict(finding: Finding) -> dict[str, object]:
    """Return what the verdict rests on, and what the checks found."""
    failed, careful = finding.graded("failed"), finding.graded("caution")
    hypothesis, detectable = load_plan().hypothesis(finding.hypothesis), finding.smallest_detectable or 0.0
    return {
        "verdict": finding.verdict,
        "verdict_reason": finding.verdict_reason,
        "is_held_back": finding.verdict_reason == "adjusted_p",
        "is_capped": finding.is_capped,
        "n_family": finding.n_family,
        "is_adjusted": isinstance(finding.primary, Estimated) and pd.notna(finding.primary.p_adjusted),
        "is_main_question": hypothesis.family == "primary",
        "needs": hypothesis.needs,
        "job_column": f"{hypothesis.event.column.replace('_', ' ')}s" if hypothesis.event else "",
        "smallest": finding.smallest_effect,
        "detectable": finding.smallest_detectable,
        "power": POWER,
        "is_too_small": detectable > finding.smallest_effect,
        "is_far_too_small": detectable > FAR_TOO_SMALL * finding.smallest_effect,
        # One unit of the currency is the plan's way to say: break even.
        "wants_to_break_even": is_money(finding) and finding.smallest_effect <= 1,
        "claims_less": hypothesis.claimed_direction < 0,
        "n_tested": len(finding.checks) - len(finding.graded("untestable")),
        "n_failed": len(failed),
        "failed": _each_once(failed),
        "n_careful": len(careful),
        "careful": _each_once(careful),
        "trend": next((check for check in finding.checks if check.name == TREND), None),
    }


def _each_once(checks: Iterable[Check]) -> list[Check]:
    return list({check.brief or check.name: check for check in checks}.values())


def _numbers(finding: Finding, row: Estimated) -> dict[str, object]:
    """Return the estimate with its interval, and where they lie as the claim has it."""
    least = finding.smallest_effect
    sign = load_plan().hypothesis(finding.hypothesis).claimed_direction
    claimed = [sign * limit for limit in row.limits]
    return {
        "value": Told.of(row, "estimate"),
        "low": Told.of(row, "ci_low"),
        "high": Told.of(row, "ci_high"),
        "side": side(row.estimate, unit(row)),
        "lies_on_the_claims_side": min(claimed) > 0,
        "lies_against_the_claim": max(claimed) < 0,
        "largest_possible_drop": _largest_possible_drop(finding, row),
        "is_harm": sign * row.estimate <= -least,
        "may_be_harm": min(claimed) <= -least,
    }


def _program(finding: Finding, study: Study) -> dict[str, object]:
    """Return what the program and its people are called, and what the study says of itself."""
    program = study.program(finding.program)
    return {
        "program": program.name,
        "has_many_programs": len(study.programs) > 1,
        "role": role_phrase(program, finding.role),
        "has_roles": finding.role not in ("participant", "any"),
        "currency": study.currency,
        "min_cell": study.min_cell,
    }


def _rows(finding: Finding) -> dict[str, object]:
    """Return the rows beside the main one, by what is told of them."""
    main, naive, others = finding.primary, naive_rows(finding), with_number(finding.alternatives)
    avoided, lee = next(iter(measured(finding, "exits_avoided")), None), _lee(finding)
    return {
        "naive": naive,
        "naive_at_horizon": next((e for e in naive if e.horizon_months == main.horizon_months), None),
        "rungs": ladder(finding),
        "own_change": next((e for e in naive if e.contrast == "after_vs_before"), None),
        "naive_and_fair": [
            (e, fair) for e in naive for fair in main_rows(finding) if fair.horizon_months == e.horizon_months
        ],
        "avoided": avoided,
        "break_even": _break_even(main, avoided) if avoided and isinstance(main, Estimated) else None,
        "e_value": _e_value(finding),
        "measures": {measure: _in_measure(finding, measure) for measure in MEASURES},
        "controls": [e for e in others if e.analysis == "negative_control"],
        "invented": [e for e in others if e.contrast == "placebo_ever_vs_never"],
        "lee": lee,
        "lee_interval": (lee[0].ci_low, lee[1].ci_high) if lee else None,
        "honest": _by_estimator(finding, "honest_did"),
        "by_other_raters": [
            e
            for e in measured(finding, main.measure, contrast=main.contrast, estimator=main.estimator)
            if e.rater_source and e.rater_source != main.rater_source
        ],
    }


def comparator_risk(finding: Finding, column: str = "cumulative_incidence") -> float | None:
    """Return the comparators' risk at the main horizon, as the released curves have it; None where none is shown.

    Parameters
    ----------
    column
        Of the curves: ``cumulative_incidence``, or an end of its interval.
    """
    curves, month = finding.evidence.get("curves"), finding.primary.horizon_months
    if curves is None:
        return None
    here = curves[(curves["arm"] == "control") & (curves["months"] == month)][column]
    return float(here.iloc[0]) if len(here) == 1 and here.notna().all() else None


def _largest_possible_drop(finding: Finding, row: Estimated) -> float | None:
    """Return the comparators' risk at its upper limit where the interval reaches further below zero; else None.

    No risk falls by more than it is. An interval may say so all the same where few people or events were seen.
    """
    risk = comparator_risk(finding, "ci_high") if is_event(finding) else None
    return risk if risk is not None and row.ci_low < -risk else None


def naive_rows(finding: Finding) -> list[Estimated]:
    """Return the estimated naive rows, the most biased contrast first."""
    naive = [e for e in with_number(finding.alternatives) if e.analysis == "naive"]
    return [e for e in naive if not e.contrast.startswith("placebo")]


def ladder(finding: Finding) -> list[Estimated]:
    """Return the naive rows at the main horizon, the most biased first, and the main row below them."""
    month = finding.primary.horizon_months
    at_horizon = {e.contrast: e for e in naive_rows(finding) if e.horizon_months == month}
    return [*(at_horizon[c] for c in NAIVE_RUNGS if c in at_horizon), *with_number([finding.primary])]


def main_rows(finding: Finding) -> list[Estimated]:
    """Return the main row and, at other horizons, the rows that are the same in everything else."""

    def kind(row: Estimate) -> tuple:
        return row.outcome, row.rater_source, row.contrast, row.estimand, row.estimator, row.measure

    alike = [e for e in with_number(finding.estimates) if kind(e) == kind(finding.primary)]
    return [e for e in alike if e is finding.primary or e.horizon_months != finding.primary.horizon_months]


def measured(finding: Finding, measure: str, **naming) -> list[Estimated]:
    """Return the estimated rows of one measure at the first horizon whose named columns hold these values."""
    return [
        e
        for e in with_number(finding.alternatives)
        if e.measure == measure
        and e.horizon_months == finding.primary.horizon_months
        and all(getattr(e, name) == value for name, value in naming.items())
    ]


def _in_measure(finding: Finding, measure: str) -> list[Estimated]:
    """Return the main contrast in another measure."""
    main = finding.primary
    if not main.is_estimated or is_money(finding):
        return []
    same = {"rater_source": main.rater_source} if is_scale(finding) else {"estimand": main.estimand}
    return measured(finding, measure, contrast=main.contrast, **same)


def _break_even(net: Estimated, avoided: Estimated) -> dict[str, object] | None:
    """Return how many exits a program must avoid to pay for itself, and what reaches it; None where it cannot be told.

    Net benefit is a straight line in exits avoided, of which the ledger holds three points: read off where it is zero.
    """
    (low, high), (net_low, net_high) = avoided.limits, net.limits
    span = high - low
    per_exit = (net_high - net_low) / span if span > 0 else 0.0
    if per_exit <= 0:
        return None
    needed = avoided.estimate - net.estimate / per_exit
    return {
        "at": needed,
        "is_reached": avoided.estimate >= needed,
        "is_reached_by_all": low >= needed,
        "is_reached_by_none": high < needed,
    }


def _e_value(finding: Finding) -> dict[str, object] | None:
    row = next(iter(measured(finding, "e_value")), None)
    if row is None or is_randomized(finding) or isinf(row.estimate):
        return None
    return {"row": row, "is_one": shown(row) == 1, "interval_is_one": row.ci_low == 1}


def _lee(finding: Finding) -> tuple[Estimated, Estimated] | None:
    lower, upper = (_by_estimator(finding, f"lee_bounds_{end}") for end in ("lower", "upper"))
    return (lower, upper) if lower and upper else None


def _by_estimator(finding: Finding, estimator: str) -> Estimated | None:
    source = finding.primary.rater_source
    made = (e for e in with_number(finding.alternatives) if e.estimator == estimator and e.rater_source == source)
    return next(made, None)


@dataclass(frozen=True)
class Way:
    """One way to make the answer: what is otherwise about it, its row, and what kind of way it is."""

    row: Estimated
    kind: str  # "main", "other", or "horizon": the same read off at another time

    @property
    def text(self) -> str:
        """What is otherwise about it; with a mark where more is assumed, or something else is asked."""
        return say("robustness.way", self.kind, self.row, self.is_marked)

    @property
    def record(self) -> Estimator:
        """The catalogue's record of how it is made."""
        return CATALOGUE.estimator(self.row.estimator)

    @property
    def is_marked(self) -> bool:
        """Whether it assumes more than the main answer, or asks something else."""
        return self.kind == "other" and bool(self.record.assumes_more or self.record.kind == "other_question")


def ways(finding: Finding) -> list[Way]:
    """Return the main answer and every other one about the same outcome in the same unit, smallest estimate first.

    Readings at other horizons come last, by time. Bounds are none of them, nor are scores that somebody else gave.
    Without the main answer, and for money, there are none.
    """
    main = finding.primary
    if not isinstance(main, Estimated) or is_money(finding):
        return []
    about = (main.measure, main.outcome, main.rater_source)
    alike = [
        e
        for e in with_number(finding.alternatives)
        if (e.measure, e.outcome, e.rater_source) == about and CATALOGUE.estimator(e.estimator).kind != "bound"
    ]
    here = [e for e in alike if e.analysis == "sensitivity" and e.horizon_months == main.horizon_months]
    later = [
        e
        for e in alike
        if e.horizon_months != main.horizon_months
        and (e.contrast, e.estimand, e.estimator) == (main.contrast, main.estimand, main.estimator)
    ]
    answers = [Way(main, "main"), *(Way(e, "other") for e in here)]
    return [
        *sorted(answers, key=lambda way: way.row.estimate),
        *(Way(e, "horizon") for e in sorted(later, key=lambda e: known(e.horizon_months))),
    ]


def at_first_horizon(finding: Finding) -> list[Estimated]:
    """Return the rows that answer at the main horizon, the main one among them."""
    return [way.row for way in ways(finding) if way.kind != "horizon"]


def moderator_rows(finding: Finding) -> list[tuple[str, Estimate]]:
    """Return for whom, when and with how much of it the difference is larger: label and row, numbers or none."""
    named = ((CATALOGUE.contrast(e.contrast).looked_at or CATALOGUE.measure(e.measure).looked_at, e)
             for e in finding.alternatives)  # fmt: skip
    return [(text, row) for text, row in named if text]
