"""H1 answered from target trials: the main row, what stands beside it, and the checks."""

from collections.abc import Callable

import pandas as pd

from analysis.design.balance import balance, balance_by_quarter, missing_values, overlap
from analysis.design.trials import BEFORE_PERIOD, BEFORE_UNIT, NOT_STAFF, UNDATED, Trials
from analysis.design.weights import WeightedFollowUp, as_followed, trimmed, weigh
from analysis.estimate.arms import ANY_EXIT, Arms
from analysis.estimate.ask import UNTESTABLE, Ask, finding, unanswered
from analysis.estimate.diagnostics import balance_check, control_check, overlap_check
from analysis.estimate.event_rows import PLAIN, WEIGHTED, event_row, last_read
from analysis.estimate.faulted import checks_or_fault, frames_or_fault, rows_or_fault
from analysis.estimate.hazard import COX, hazard_row
from analysis.estimate.inference import smallest_detectable
from analysis.estimate.main_arms import clusters_check, main_arms
from analysis.estimate.retention import curves
from analysis.estimate.rows import suppressed
from analysis.measure.employment import EXITS, unknown_exit_share
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.contract import MAX_UNKNOWN_EXITS
from analysis.plan.known import known
from analysis.plan.results import Check, Estimate, Finding


def retention_outcome(employees: pd.DataFrame) -> str:
    """Return the primary outcome: voluntary exit, or any exit where too many exits are of unknown kind."""
    return ANY_EXIT if unknown_exit_share(employees) > MAX_UNKNOWN_EXITS else "voluntary_exit"


def answer_by_trials(
    ask: Ask, trials: Trials, ever: pd.DataFrame | None, outcome: str, kinds: tuple[str, ...] = EXITS
) -> Finding:
    """Return H1 (or H8) for a program that people choose or that is rolled out: the ATT from target trials.

    Parameters
    ----------
    ever
        As from `design.dashboard.ever_vs_never`; None where there is none to show.
    outcome
        As from `retention_outcome`, or ``promotion``.
    kinds
        The events that compete.
    """
    trials = trimmed(trials)
    if not trials.rows["is_treated"].any():
        return _no_trial(ask, trials, outcome)
    months = max(ask.study.horizons_months)
    followed = weigh(trials, kinds, months)
    arms = main_arms(ask, followed, outcome)
    first, *later = ask.study.horizons_months
    primary = event_row(ask, arms, outcome, first, ask.main_analysis)
    rows = [] if ever is None else _naive(ask, ever, kinds, outcome, contrast="ever_vs_never")
    rows += _naive(ask, trials.rows, kinds, outcome)
    rows += rows_or_fault(
        ask, "later_horizons", lambda: (event_row(ask, arms, outcome, h, "secondary") for h in later), "secondary"
    )
    rows += rows_or_fault(ask, "other_measures", lambda: _other_measures(ask, arms, outcome), "secondary")
    rows += rows_or_fault(ask, COX, lambda: _hazards(ask, followed, arms, outcome), "secondary", measure="hazard_ratio")
    rows += rows_or_fault(ask, "other_exits", lambda: _other_exits(ask, arms, outcome))
    return finding(
        ask,
        primary,
        alternatives=tuple(rows),
        checks=checks_or_fault(ask, lambda: _checks(followed, arms, rows)),
        evidence=_evidence(ask, trials, followed, arms, outcome),
        smallest_detectable=smallest_detectable(known(primary.std_error)) if primary.is_estimated else None,
    )


def _no_trial(ask: Ask, trials: Trials, outcome: str) -> Finding:
    evidence = {"flow": trials.flow}
    if 0 < trials.flow["n_people"].iloc[0] < ask.study.min_cell:
        row = suppressed(ask.question(outcome), ask.main_analysis, WEIGHTED, ask.study.min_cell)
        return finding(ask, row, evidence=evidence)
    return unanswered(ask, WEIGHTED, why_no_trial(trials), outcome, evidence=evidence, checks=UNTESTABLE)


def why_no_trial(trials: Trials) -> str:
    """Return why nobody could be compared, from the flow of those who started."""
    counts = trials.flow.set_index("step")["n_people"]
    if counts["started"] == 0:
        return "Nobody has a start date in this role, so there is nobody whose retention could be compared."
    if counts.get(NOT_STAFF, 0) == counts["started"]:
        return (
            "Those who started are no employees by their worker_type, or never came; name their kind under staff: in "
            "study.yaml if they belong to the staff."
        )
    if counts.get(UNDATED, 0) == counts["started"]:
        return "It is known of some people that they started, but of none of them on which day; give their start dates."
    if counts.get(BEFORE_UNIT, 0) > counts["no colleague to compare with that day"]:
        return (
            "Those who started did so before their unit was reached, by the dates that study.yaml states or, without "
            "them, by the share of those eligible in a unit who started; state the days on which the program reached "
            "its units under rollout: in the program."
        )
    if counts["no colleague to compare with that day"] > 0:
        return (
            "On no start day was there an eligible colleague left who had not started (in a rollout: in a unit not yet "
            "reached); a later start for some units, or a lottery, would have left a comparison."
        )
    if counts["no colleague nearly as likely to start"] > 0:
        return (
            "Those who started were nearly sure to start, by what is recorded, so no colleague is like them; a lottery "
            "among those who apply would leave a comparison."
        )
    if counts[BEFORE_PERIOD] > 0:
        return (
            "Those who started did so before the period observed (study_start), so that nobody could have been seen "
            "leaving after it; HR records from before the first start would be needed."
        )
    return "Nobody who started was employed, eligible and not under notice on the day of the start."


def _naive(ask: Ask, people: pd.DataFrame, kinds: tuple[str, ...], outcome: str, **changes) -> list[Estimate]:
    """Return the naive rows of people followed without weights, or that a fault took them away."""
    months = max(ask.study.horizons_months)

    def make() -> list[Estimate]:
        return naive_rows(ask, Arms.of(as_followed(people, kinds, months)), outcome, **changes)

    return rows_or_fault(ask, PLAIN, make, "naive", estimand="association", **changes)


def naive_rows(ask: Ask, arms: Arms, outcome: str, **changes) -> list[Estimate]:
    """Return the figure of a biased comparison at every horizon."""
    return [
        event_row(ask, arms, outcome, h, "naive", PLAIN, estimand="association", **changes)
        for h in ask.study.horizons_months
    ]


def _other_measures(ask: Ask, arms: Arms, outcome: str) -> list[Estimate]:
    """Return the ratio of risks and days of the same contrast."""
    horizons = ask.study.horizons_months
    rows = [event_row(ask, arms, outcome, h, "secondary", measure="risk_ratio") for h in horizons]
    if CATALOGUE.outcome(outcome).is_exit:
        rows += [event_row(ask, arms, ANY_EXIT, h, "secondary", measure="rmst_difference_days") for h in horizons]
    return rows + [event_row(ask, arms, outcome, h, "secondary", measure="rmtl_difference_days") for h in horizons]


def _hazards(ask: Ask, followed: WeightedFollowUp, arms: Arms, outcome: str) -> list[Estimate]:
    """Return the ratio of hazards of the same contrast."""
    return [hazard_row(ask, followed, arms, outcome, h) for h in ask.study.horizons_months]


def _other_exits(ask: Ask, arms: Arms, outcome: str) -> list[Estimate]:
    """Return exits of other kinds at the first horizon: all together, each by itself; dismissals are the control."""
    if outcome != "voluntary_exit":
        return []
    first = ask.study.horizons_months[0]
    return [
        event_row(ask, arms, ANY_EXIT, first, "sensitivity"),
        event_row(ask, arms, "involuntary_exit", first, "negative_control"),
        event_row(ask, arms, "other_exit", first, "sensitivity"),
    ]


def _evidence(
    ask: Ask, trials: Trials, followed: WeightedFollowUp, arms: Arms, outcome: str
) -> dict[str, pd.DataFrame]:
    model, treated, base = known(followed.model), followed.treated, followed.base
    makers: dict[str, Callable[[], dict[str, pd.DataFrame]]] = {
        "curves": lambda: _curves(ask, followed, arms, outcome),
        "balance": lambda: {"balance": balance(model.matrix, treated, base, followed.rows["employee_id"])},
        "balance_by_quarter": lambda: {"balance_by_quarter": balance_by_quarter(model.matrix, followed.rows, base)},
        "overlap": lambda: {"overlap": overlap(model.propensity.probability, treated)},
        "missing": lambda: {"missing": missing_values(trials.covariates, followed.rows)},
    }
    evidence = {"flow": trials.flow}
    for name, make in makers.items():
        evidence |= frames_or_fault(ask, name, make)
    return evidence


def _curves(ask: Ask, followed: WeightedFollowUp, arms: Arms, outcome: str) -> dict[str, pd.DataFrame]:
    """Return cumulative incidence of the outcome and of the kinds that compete, up to the last horizon that is read."""
    shown = last_read(ask, arms)
    if not shown:
        return {}
    kinds = [kind for kind in followed.kinds if kind != outcome]
    by_kind = [curves(arms, kind, shown).assign(outcome=kind) for kind in kinds]
    return {"curves": curves(arms, outcome, shown), "curves_by_kind": pd.concat(by_kind, ignore_index=True)}


def _checks(followed: WeightedFollowUp, arms: Arms, rows: list[Estimate]) -> tuple[Check, ...]:
    size, n_treated = arms.control.n_effective, arms.treated.n_people
    checks = [
        balance_check(balance(known(followed.model).matrix, followed.treated, followed.base), n_treated, size),
        overlap_check(size, n_treated),
    ]
    start = "The program should not change who is dismissed, and the interval for dismissals "
    checks += [
        control_check(
            "negative control: dismissals",
            control,
            quiet=f"{start}includes no difference.",
            loud=f"{start}excludes no difference: the arms may differ.",
            brief="dismissals differ between the groups, though the program should not change them",
        )
        for control in rows
        if control.analysis == "negative_control" and control.is_estimated
    ]
    return (*checks, *clusters_check(followed, arms), *UNTESTABLE)
