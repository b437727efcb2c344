"""Rows beside the main one: starting within a grace period, attending as planned, a program that never was.

All at the first horizon; a placebo may have to be read off earlier. For programs that people choose: where units are
reached in turn, the schedule is nobody's choice.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analysis.design.clones import CloneIntervals, Clones, clones
from analysis.design.protocols import PROTOCOL_MONTHS, STRETCH_MONTHS, Adherence, under_protocol
from analysis.design.references import LEAST_MONTHS, Placebo, placebo_ever, placebo_trials
from analysis.design.weights import as_followed, weigh
from analysis.estimate.analyses import SUPPRESSED, Analysis, Groups, Numbers, Row
from analysis.estimate.arms import Arms
from analysis.estimate.by_trials import ByTrials
from analysis.estimate.diagnostics import control_check
from analysis.estimate.doubly_robust import difference_in_risks
from analysis.estimate.event_rows import PLAIN, WEIGHTED, no_events, short_follow_up
from analysis.estimate.inference import FEW_EVENTS, Interval, wald
from analysis.estimate.resampling import N_REPETITIONS, in_batches
from analysis.estimate.score_interval import score_difference
from analysis.estimate.survival import Incidence, RiskSets
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.faults import known

N_PLACEBOS = 20


def grace_row(c: ByTrials) -> Iterator[Row]:
    """Yield the effect of starting within the grace of an intake, in people like those who do.

    Time zero is the intake: who leaves before starting counts in both arms. The interval is Wald's, with the standard
    error of a bootstrap of people in which the chances of starting are fitted anew; for few exits see `_cloned`.
    """
    trials = c.sets.grace()
    try:
        cloned = clones(trials, c.kinds, c.first, c.question.rng(c.outcome, c.first, "case-cohort"))
    except ValueError:
        yield Row(
            "In no intake did some of the eligible people start within its grace while others, nearly as likely to, "
            "did not; a comparison from the intake needs both."
        )
        return
    groups = Arms.of(as_followed(cloned.whole.by_group, c.kinds, c.first))
    yield c.row(groups, c.first, read=partial(_cloned, c, cloned, groups))


def _cloned(c: ByTrials, cloned: Clones, groups: Arms) -> Interval:
    """Return the difference and its interval.

    With few events in a group it is the score test's at the sizes whose plain proportions would vary as much as the
    risks did in the bootstrap, at most the people in the group. What both arms share before the start is then counted
    in both, so that this interval is a little too long.
    """
    n_people = int(cloned.person.max()) + 1
    numbers = tuple(c.kinds.index(kind) + 1 for kind in CATALOGUE.outcome(c.outcome).kinds)
    found = CloneRisks(cloned, numbers, c.first)
    draws = resampled(found, n_people, c.question.rng(c.outcome, c.first, "grace"), N_REPETITIONS)
    risks = found.risks(np.ones((n_people, 1)))[0]
    if min(groups.n_events(c.outcome, c.first)) >= FEW_EVENTS:
        return wald(risks[0] - risks[1], float(np.nanstd(draws[:, 0] - draws[:, 1], ddof=1)))
    variance = np.maximum(np.nanvar(draws, axis=0, ddof=1), 1e-12)
    sizes = np.minimum(risks * (1 - risks) / variance, groups.n_people())
    sizes = np.where(risks > 0, sizes, groups.n_people())
    return score_difference(risks[0], sizes[0], risks[1], sizes[1])


class CloneRisks:
    """The risks under starting within the grace and under not starting, for any count of the people.

    What does not depend on the counts (risk sets) is made once; the chances of starting are fitted anew.

    Parameters
    ----------
    outcomes
        Kinds of exit that count, as numbers (1, 2, …); the others compete.
    month
        Where the risks are read off.
    """

    def __init__(self, clones: Clones, outcomes: tuple[int, ...], month: float):
        self._clones, self._outcomes, self._month = clones, outcomes, month
        self.n_rows = len(clones.person)
        self._sets = [_risk_sets(arm, month) for arm in (clones.treated, clones.control)]

    def risks(self, counts: np.ndarray) -> np.ndarray:
        """Return both risks in each draw, treated first, shape (draws, 2); NaN without an arm.

        Parameters
        ----------
        counts
            How often each person counts, shape (people, draws). Whoever stands for several counts so many times as
            often.
        """
        of_row = (counts * self._clones.worth[:, None])[self._clones.person]
        chances = self._clones.chances(of_row)
        return np.array([self._both(*of_draw) for of_draw in zip(of_row.T, chances.T, strict=True)])

    def _both(self, counts: np.ndarray, chance: np.ndarray) -> np.ndarray:
        by_arm = self._clones.weights(counts, chance)
        if min(weights.sum() for weights in by_arm) <= 0:
            return np.full(2, np.nan)
        return np.array([self._risk(sets, weights) for sets, weights in zip(self._sets, by_arm, strict=True)])

    def _risk(self, sets: tuple[np.ndarray, RiskSets], weights: np.ndarray) -> float:
        curves = Incidence(sets[1], weights[sets[0]], self._outcomes)
        return float(sum(curves.risk(k, self._month) for k in range(len(self._outcomes))))


def _risk_sets(arm: CloneIntervals, month: float) -> tuple[np.ndarray, RiskSets]:
    take = np.flatnonzero(arm.entry < month)
    outcome = np.where(arm.exit[take] <= month, arm.outcome[take], 0)
    return take, RiskSets.of(arm.entry[take], np.minimum(arm.exit[take], month), outcome)


def resampled(risks: CloneRisks, n_people: int, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return both risks in `n` companies of people drawn with replacement, shape (n, 2); NaN without an arm."""
    even = np.full(n_people, 1 / n_people)
    some = in_batches(risks.n_rows, n)
    return np.concatenate([risks.risks(rng.multinomial(n_people, even, len(each)).T.astype(float)) for each in some])


def adherence_row(c: ByTrials) -> Iterator[Row]:
    """Yield the effect of starting and attending as planned, against not starting."""
    kept = c.sets.kept()
    reason = _why_no_protocol(kept)
    if reason:
        yield Row(reason)
        return
    yield c.row(Arms.of(under_protocol(weigh(c.trials, c.kinds, c.first), known(kept))), c.first)


def _why_no_protocol(kept: Adherence | None) -> str | None:
    protocol = f"a session in every {STRETCH_MONTHS} months of the first {PROTOCOL_MONTHS}"
    if kept is None:
        return "The study has no sessions, so who attended as planned is unknown."
    if not kept.has_kept.any():
        return f"Nobody who started attended as planned ({protocol}) up to where it could first be judged."
    if not kept.deviates.any():
        return f"Everybody who started attended as planned ({protocol}): the main answer is the one per protocol."
    return None


def placebo_rows(c: ByTrials) -> Iterator[Row]:
    """Yield what a program that never was would seem to do, by the main answer's design and by the dashboard's.

    The mean over drawings of placebo starts, its standard error and t interval from their spread: what chance in the
    drawing alone would do, the staff and their exits taken as they are. Counts are means over the drawings.
    """
    schedule, placebo = c.sets.placebo()
    at = {"horizon_months": schedule.months or c.first}
    results: list[Numbers | str] = [
        f"Fewer than {LEAST_MONTHS} months after a placebo start were observed before the program began; earlier "
        "HR records would allow this control."
    ] * 2
    if placebo is not None:
        drawn = [both for number in range(N_PLACEBOS) if (both := _drawn(c, placebo, number)) is not None]
        results = [_over_drawings(c, [both[place] for both in drawn], at["horizon_months"]) for place in (0, 1)]
    as_dashboard = {"analysis": "naive", "estimator": PLAIN, "contrast": "placebo_ever_vs_never"}
    yield Row(results[0], at)
    yield Row(results[1], at | as_dashboard | {"estimand": "association"})


def _drawn(c: ByTrials, placebo: Placebo, number: int) -> tuple[Arms, Arms] | None:
    """Return one drawing's arms, by the main design and by the dashboard's; None where nobody was drawn."""
    trials = placebo_trials(placebo, c.question.rng("placebo", number))
    if trials.rows.empty:
        return None
    ever = placebo_ever(placebo, trials)
    return Arms.of(weigh(trials, c.kinds, placebo.months)), Arms.of(as_followed(ever, c.kinds, placebo.months))


def _over_drawings(c: ByTrials, drawn: list[Arms], month: int) -> Numbers | str:
    """Return the mean difference of the drawings, or why there is none."""
    people = np.mean([arms.n_people() for arms in drawn], axis=0) if drawn else np.zeros(2)
    if people.min() < c.question.study.min_cell:
        return SUPPRESSED
    events = np.mean([arms.n_events(c.outcome, month) for arms in drawn], axis=0)
    reason = short_follow_up(c.question, drawn[0], month)
    if reason or events.sum() == 0:
        return reason or no_events(month)
    values = np.array([difference_in_risks(arms, c.outcome, month) for arms in drawn])
    interval = wald(values.mean(), values.std(ddof=1) / np.sqrt(len(values)), len(values) - 1)
    return Numbers(interval, Groups(*(round(float(n)) for n in (*people, *events))))


_START = (
    "Starts drawn at random before the program began, from what is recorded, should change nothing, and over "
    f"{N_PLACEBOS} drawings the interval "
)
_REST = ". This tests the design and the weights, not whether something unrecorded matters."


def _is_chosen(c: ByTrials) -> bool:
    return c.question.program.assignment.by_choice


PROTOCOL: tuple[Analysis[ByTrials], ...] = (
    Analysis(
        "ccw_aalen_johansen",
        grace_row,
        naming={"contrast": "start_within_grace_vs_not", "estimand": "ATT"},
        applies=_is_chosen,
    ),
    Analysis(
        "ipw_adherence_aalen_johansen",
        adherence_row,
        naming={"contrast": "attended_vs_not_started", "estimand": "per_protocol"},
        applies=_is_chosen,
    ),
    Analysis(
        "placebo",
        placebo_rows,
        "negative_control",
        WEIGHTED,
        {"contrast": "placebo_start_vs_not", "estimand": "ATT"},
        applies=_is_chosen,
        control=partial(
            control_check,
            "negative control: placebo starts before launch",
            quiet=f"{_START}includes no difference{_REST}",
            loud=f"{_START}excludes no difference: design and weights leave about this much of one{_REST}",
            brief="starts made up before the launch seem to have an effect",
        ),
    ),
)
