"""Rows beside the main one: starting within a grace period, attending as planned, a program that never was.

All at the first horizon; a placebo may have to be read off earlier.
"""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from analysis.design.adherence import PROTOCOL_MONTHS, STRETCH_MONTHS, Adherence, adherence, under_protocol
from analysis.design.clones import Clones, clones
from analysis.design.grace import GraceTrials
from analysis.design.placebo import LEAST_MONTHS, Placebo, PlaceboSchedule, placebo_ever, placebo_trials
from analysis.design.trials import Trials
from analysis.design.weights import as_followed, weigh
from analysis.estimate.arms import Arms
from analysis.estimate.ask import Ask
from analysis.estimate.bootstrap import N_REPETITIONS
from analysis.estimate.clones import CloneRisks, resampled
from analysis.estimate.diagnostics import control_check
from analysis.estimate.doubly_robust import difference_in_risks
from analysis.estimate.event_rows import PLAIN, WEIGHTED, event_row, short_follow_up
from analysis.estimate.few_events import score_difference
from analysis.estimate.inference import FEW_EVENTS, Interval, wald
from analysis.estimate.rows import Groups, estimated, not_estimable, suppressed
from analysis.measure.employment import EXITS
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.known import known
from analysis.plan.results import Check, Estimate
from analysis.plan.seeds import rng

CLONES = "ccw_aalen_johansen"
ADHERENCE = "ipw_adherence_aalen_johansen"
PLACEBO_CONTRAST, PLACEBO_NAIVE = "placebo_start_vs_not", "placebo_ever_vs_never"
N_PLACEBOS = 20


def grace_row(ask: Ask, trials: GraceTrials, outcome: str) -> Estimate:
    """Return the effect of starting within the grace of an intake, in people like those who do.

    Time zero is the intake: who leaves before starting counts in both arms. The interval is Wald's, with the standard
    error of a bootstrap of people in which the chances of starting are fitted anew; for few exits see `_cloned`.

    Parameters
    ----------
    trials
        As from `design.grace.build_grace_trials`.
    """
    month = ask.study.horizons_months[0]
    naming: dict[str, Any] = {"contrast": "start_within_grace_vs_not", "estimand": "ATT", "horizon_months": month}
    try:
        cloned = clones(trials, EXITS, month)
    except ValueError:
        reason = (
            "In no intake did some of the eligible people start within its grace while others, nearly as likely to, "
            "did not; a comparison from the intake needs both."
        )
        return not_estimable(ask.question(outcome), "sensitivity", CLONES, reason, **naming)
    groups = Arms.of(as_followed(cloned.trials.by_group, EXITS, month))
    read = partial(_cloned, ask, cloned, groups, outcome, month)
    return event_row(ask, groups, outcome, month, "sensitivity", CLONES, read=read, **naming)


def _cloned(ask: Ask, cloned: Clones, groups: Arms, outcome: str, month: int) -> Interval:
    """Return the difference and its interval.

    With few events in a group it is the score test's at the sizes whose plain proportions would vary as much as the
    risks did in the bootstrap, at most the people in the group. What both arms share before the start is then counted
    in both, so that this interval is a little too long.
    """
    n_people = int(cloned.person.max()) + 1
    found = CloneRisks(cloned, _numbers(outcome), month)
    seed = rng(ask.study.study, ask.program.id, ask.role, outcome, month, "grace")
    draws = resampled(found, n_people, seed, N_REPETITIONS)
    risks = found.risks(np.ones(n_people))
    if min(groups.n_events(outcome, month)) >= FEW_EVENTS:
        return wald(risks[0] - risks[1], float(np.nanstd(draws[:, 0] - draws[:, 1], ddof=1)))
    variance = np.maximum(np.nanvar(draws, axis=0, ddof=1), 1e-12)
    sizes = np.minimum(risks * (1 - risks) / variance, groups.n_people())
    sizes = np.where(risks > 0, sizes, groups.n_people())
    return score_difference(risks[0], sizes[0], risks[1], sizes[1])


def _numbers(outcome: str) -> tuple[int, ...]:
    wanted = CATALOGUE.outcome(outcome).kinds
    return tuple(EXITS.index(kind) + 1 for kind in wanted)


def adherence_row(
    ask: Ask, trials: Trials, outcome: str, attended: pd.DataFrame | None, excused_months: np.ndarray
) -> Estimate:
    """Return the effect of starting and attending as planned, against not starting.

    Parameters
    ----------
    trials
        As the main answer used them, trimmed.
    attended
        As from `measure.attendance.attended`; None without sessions.
    excused_months
        As from `design.adherence.excused_from`.
    """
    month = ask.study.horizons_months[0]
    naming: dict[str, Any] = {
        "contrast": "attended_vs_not_started",
        "estimand": "per_protocol",
        "horizon_months": month,
    }
    kept = None if attended is None else adherence(trials, attended, excused_months)
    reason = _why_no_protocol(kept)
    if reason:
        return not_estimable(ask.question(outcome), "sensitivity", ADHERENCE, reason, **naming)
    arms = Arms.of(under_protocol(weigh(trials, EXITS, month), known(kept)))
    return event_row(ask, arms, outcome, month, "sensitivity", ADHERENCE, **naming)


def _why_no_protocol(kept: Adherence | None) -> str | None:
    protocol = f"a session in every {STRETCH_MONTHS} months of the first {PROTOCOL_MONTHS}"
    if kept is None:
        return "The study has no sessions, so who attended as planned is unknown."
    if not kept.has_kept.any():
        return f"Nobody who started attended as planned ({protocol}) up to where it could first be judged."
    if not kept.deviates.any():
        return f"Everybody who started attended as planned ({protocol}): the main answer is the one per protocol."
    return None


def placebo_rows(ask: Ask, schedule: PlaceboSchedule, placebo: Placebo | None, outcome: str) -> list[Estimate]:
    """Return what a program that never was would seem to do, by the main answer's design and by the dashboard's.

    The mean over drawings of placebo starts, its standard error and t interval from their spread: what chance in the
    drawing alone would do, the staff and their exits taken as they are. Counts are means over the drawings.

    Parameters
    ----------
    placebo
        As from `design.placebo.build_placebo`; None where the schedule has no month to read off.
    """
    month = schedule.months or ask.study.horizons_months[0]
    kinds: tuple[dict[str, Any], ...] = (
        {"analysis": "negative_control", "estimator": WEIGHTED, "contrast": PLACEBO_CONTRAST, "estimand": "ATT"},
        {"analysis": "naive", "estimator": PLAIN, "contrast": PLACEBO_NAIVE, "estimand": "association"},
    )
    question = ask.question(outcome)
    if placebo is None:
        reason = (
            f"Fewer than {LEAST_MONTHS} months after a placebo start were observed before the program began; earlier "
            "HR records would allow this control."
        )
        return [not_estimable(question, reason=reason, horizon_months=month, **row) for row in kinds]
    drawings = [_drawn(ask, placebo, number) for number in range(N_PLACEBOS)]
    drawn = [both for both in drawings if both is not None]
    return [
        _over_drawings(ask, [both[place] for both in drawn], outcome, month, row) for place, row in enumerate(kinds)
    ]


def _drawn(ask: Ask, placebo: Placebo, number: int) -> tuple[Arms, Arms] | None:
    """Return one drawing's arms, by the main design and by the dashboard's; None where nobody was drawn."""
    trials = placebo_trials(placebo, rng(ask.study.study, ask.program.id, ask.role, "placebo", number))
    if trials.rows.empty:
        return None
    ever = placebo_ever(placebo, trials)
    return Arms.of(weigh(trials, EXITS, placebo.months)), Arms.of(as_followed(ever, EXITS, placebo.months))


def _over_drawings(ask: Ask, drawn: list[Arms], outcome: str, month: int, naming: dict[str, Any]) -> Estimate:
    """Return the mean difference of the drawings, or why there is none."""
    question, naming = ask.question(outcome), naming | {"horizon_months": month}
    analysis, estimator = naming.pop("analysis"), naming.pop("estimator")
    people = np.mean([arms.n_people() for arms in drawn], axis=0) if drawn else np.zeros(2)
    if people.min() < ask.study.min_cell:
        return suppressed(question, analysis, estimator, ask.study.min_cell, **naming)
    events = np.mean([arms.n_events(outcome, month) for arms in drawn], axis=0)
    reason = short_follow_up(ask, drawn[0], month)
    if reason is None and events.sum() == 0:
        reason = f"No such event in either arm within {month} months."
    if reason:
        return not_estimable(question, analysis, estimator, reason, **naming)
    values = np.array([difference_in_risks(arms, outcome, month) for arms in drawn])
    interval = wald(values.mean(), values.std(ddof=1) / np.sqrt(len(values)), len(values) - 1)
    groups = Groups(*(round(float(n)) for n in (*people, *events)))
    return estimated(question, analysis, estimator, interval, groups, **naming)


def placebo_checks(rows: list[Estimate]) -> tuple[Check, ...]:
    """Return whether the interval of the placebo starts includes no difference; nothing where there is none."""
    start = (
        "Starts drawn at random before the program began, from what is recorded, should change nothing, and over "
        f"{N_PLACEBOS} drawings the interval "
    )
    rest = ". This tests the design and the weights, not whether something unrecorded matters."
    return tuple(
        control_check(
            "negative control: placebo starts before launch",
            row,
            quiet=f"{start}includes no difference{rest}",
            loud=f"{start}excludes no difference: design and weights leave about this much of one{rest}",
            brief="starts made up before the launch seem to have an effect",
        )
        for row in rows
        if row.contrast == PLACEBO_CONTRAST and row.is_estimated
    )
