"""Retention, promotion and economics of every program: which design answers, and what stands beside the answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import pandas as pd

from analysis.design.adherence import excused_from
from analysis.design.dashboard import ever_vs_never
from analysis.design.grace import build_grace_trials
from analysis.design.lottery import Lottery, build_lottery
from analysis.design.placebo import build_placebo, placebo_schedule
from analysis.design.promotion import PROMOTION, until_promotion
from analysis.design.trials import Trials, build_trials
from analysis.design.weights import trimmed, weigh
from analysis.estimate.answer_lottery import retention_by_lottery
from analysis.estimate.answer_retention import answer_by_trials, retention_outcome
from analysis.estimate.arms import Arms
from analysis.estimate.ask import Ask, unanswered
from analysis.estimate.economics import ESTIMATOR, answer_economics
from analysis.estimate.event_rows import WEIGHTED
from analysis.estimate.faulted import checks_or_fault, fault_row, part_of, rows_or_fault
from analysis.estimate.main_arms import main_clusters
from analysis.estimate.moderators import direction_row, dose_row, phase_rows, slope_rows
from analysis.estimate.protocol_rows import (
    ADHERENCE,
    CLONES,
    PLACEBO_CONTRAST,
    adherence_row,
    grace_row,
    placebo_checks,
    placebo_rows,
)
from analysis.estimate.sensitivity import moved_row, sensitivity_rows
from analysis.measure.attendance import attended, sessions_within
from analysis.measure.costs import program_costs
from analysis.measure.employment import EXITS
from analysis.measure.exposure import analysed_roles, moved_starts, pairs, participation_end
from analysis.measure.scales import self_scores
from analysis.pipeline.opened import OpenStudy
from analysis.plan.catalogue import COVARIATE_SCORES
from analysis.plan.contract import OTHER_SIDE, Tables
from analysis.plan.faults import isolated
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Check, Estimate, Finding
from analysis.plan.study import Program, Study

NO_LEVELS = Check(
    "eligible job levels",
    None,
    None,
    None,
    "The study has no job history, so colleagues of every level are taken as eligible; those who started may be of "
    "other levels than their comparators.",
)
NO_JOB_HISTORY = "The study has no job history, so who was promoted and when is unknown."
# Who sits where: juniors are the mentors of a reverse program and the mentees of a traditional one.


@dataclass(frozen=True)
class Comparison:
    """Who is compared with whom in one program and role; each analysis set is made once, when first asked for."""

    opened: OpenStudy
    program: Program
    role: str

    def ask(self, hypothesis: str) -> Ask:
        """Return a hypothesis, asked of this program and role."""
        return Ask(self.opened.study, self.program, self.role, load_plan().hypothesis(hypothesis))

    @cached_property
    def trials(self) -> Trials:
        """The target trials, without those who had no colleague nearly as likely to start."""
        return trimmed(build_trials(*self._parts, earlier_scores(self.opened)))

    @cached_property
    def ever(self) -> pd.DataFrame:
        """The dashboard's comparison."""
        return ever_vs_never(*self._parts)

    @cached_property
    def lottery(self) -> Lottery:
        """The randomized comparison."""
        return build_lottery(*self._parts, earlier_scores(self.opened))

    @property
    def is_randomized(self) -> bool:
        """Whether lots decided."""
        return self.program.is_randomized

    @property
    def _parts(self) -> tuple[Tables, Study, Program, str]:
        return self.opened.tables, self.opened.study, self.program, self.role


def comparisons(opened: OpenStudy, program: Program) -> list[Comparison]:
    """Return the comparisons of a program, one for each of its roles; where nobody is enrolled, one of ``any``.

    Where no lots were drawn they are made without those who started on a day that nobody knows.
    """
    roles = analysed_roles(opened.tables.enrolments, program.id) or ["any"]
    return [Comparison(opened if program.is_randomized else opened.dated, program, role) for role in roles]


def earlier_scores(opened: OpenStudy) -> dict[str, pd.DataFrame]:
    """Return the scores that serve as covariates, by construct."""
    found = {c: self_scores(c, opened.tables, opened.instruments) for c in COVARIATE_SCORES}
    return {construct: scores for construct, scores in found.items() if scores is not None}


def retention(comparison: Comparison) -> Finding:
    """Return H1 of one program and role, with everything that stands beside it."""
    opened, ask = comparison.opened, comparison.ask("H1_retention")
    reason = missing_parts(opened, ask)
    if reason:
        return unanswered(ask, WEIGHTED, reason)
    outcome = retention_outcome(opened.tables.employees)
    if comparison.is_randomized:
        return retention_by_lottery(ask, comparison.lottery, outcome)
    ever, never_made = _ever(comparison, ask)
    found = answer_by_trials(ask, comparison.trials, ever, outcome)
    found = replace(found, alternatives=(*never_made, *found.alternatives))
    if opened.tables.jobs is None:
        found = replace(found, checks=(NO_LEVELS, *found.checks))
    if not found.primary.is_estimated:
        return found
    beside = _beside(comparison, ask, outcome) + protocol_rows(comparison, ask, outcome)
    quiet = checks_or_fault(ask, lambda: placebo_checks(beside))
    return replace(found, alternatives=(*found.alternatives, *beside), checks=(*found.checks, *quiet))


def _ever(comparison: Comparison, ask: Ask) -> tuple[pd.DataFrame | None, list[Estimate]]:
    """Return the dashboard's comparison; where a fault took it away, none and the row that says so."""
    name, naming = "dashboard", {"contrast": "ever_vs_never", "estimand": "association"}
    return isolated(
        part_of(ask, name),
        lambda: (comparison.ever, []),
        lambda fault: (None, [fault_row(ask, name, fault, "naive", **naming)]),
    )


def missing_parts(opened: OpenStudy, ask: Ask, needs_dates: bool = True) -> str | None:
    """Return which part of the study is missing for a comparison, or None; events need the HR dates."""
    if opened.tables.enrolments is None:
        return "The study has no enrolments, so who took part and when is unknown."
    if ask.role == "any" and ask.hypothesis.roles != ("any",):
        return "Nobody is enrolled in this program as mentor, mentee or participant."
    if needs_dates and opened.tables.employees is None:
        return "The study has no HR dates (employees), so who left and when is unknown."
    return None


def _beside(comparison: Comparison, ask: Ask, outcome: str) -> list[Estimate]:
    """Return the sensitivity rows, and for whom and when the effect was larger."""
    opened, trials = comparison.opened, comparison.trials
    first = ask.study.horizons_months[0]
    enrolled = opened.tables.enrolments
    rows = rows_or_fault(
        ask, "sensitivity", lambda: sensitivity_rows(ask, trials, outcome, pairs(enrolled, ask.program.id))
    )
    rows += rows_or_fault(ask, f"{WEIGHTED}_starts", lambda: _moved(comparison, ask, outcome))
    return rows + rows_or_fault(ask, "moderators", lambda: _moderators(comparison, ask, outcome, first), "secondary")


def _moved(comparison: Comparison, ask: Ask, outcome: str) -> list[Estimate]:
    """Return the main difference from starts moved within the days that they may mean; nothing where all are known."""
    opened, rows = comparison.opened, []
    for day, enrolments in moved_starts(opened.tables.enrolments, pd.Timestamp(ask.study.as_of)).items():
        tables = replace(opened.tables, enrolments=enrolments)
        trials = build_trials(tables, ask.study, ask.program, ask.role, earlier_scores(opened))
        rows.append(moved_row(ask, trimmed(trials), outcome, day))
    return rows


def _moderators(comparison: Comparison, ask: Ask, outcome: str, first: int) -> list[Estimate]:
    """Return for whom, when and with how much of it the effect was larger; each of these by itself."""
    opened, trials = comparison.opened, comparison.trials
    enrolled, met = opened.tables.enrolments, attended(opened.tables, ask.program.id)
    followed = weigh(trials, EXITS, max(ask.study.horizons_months))
    arms = Arms.of(followed, main_clusters(followed, outcome, first))

    def phases() -> list[Estimate]:
        ends = participation_end(enrolled, ask.program.id, trials.rows)
        return phase_rows(ask, followed, arms, ends, outcome, first)

    def dose() -> list[Estimate]:
        if met is None:
            return []
        sessions = sessions_within(met, trials.rows, "trial_date", months=6)
        return dose_row(ask, followed, arms, sessions, outcome)

    rows = rows_or_fault(
        ask, "slopes", lambda: slope_rows(ask, followed, arms, trials.covariates, outcome, first), "secondary"
    )
    rows += rows_or_fault(ask, "phases", phases, contrast="during_program_vs_not", measure="hazard_ratio")
    return rows + rows_or_fault(ask, "dose", dose, "descriptive", contrast="more_vs_fewer_sessions")


def protocol_rows(comparison: Comparison, ask: Ask, outcome: str) -> list[Estimate]:
    """Return what other trials of the same program say: by intake, by attendance, by a placebo before the launch.

    For programs that people choose; where units are reached in turn the schedule is nobody's choice.
    """
    opened, program, role = comparison.opened, ask.program, ask.role
    if not program.assignment.by_choice:
        return []
    tables, study = opened.tables, opened.study

    def grace() -> list[Estimate]:
        trials = build_grace_trials(tables, study, program, role, earlier_scores(opened))
        return [grace_row(ask, trials, outcome)]

    def attending() -> list[Estimate]:
        trials = comparison.trials
        excused = excused_from(tables, program.id, role, trials.rows)
        return [adherence_row(ask, trials, outcome, attended(tables, program.id), excused)]

    def placebo() -> list[Estimate]:
        trials, parts = comparison.trials, (tables, study, program, role, earlier_scores(opened))
        schedule = placebo_schedule(trials, tables.enrolments, study, program, study.horizons_months[0])
        made = build_placebo(trials, schedule, *parts) if schedule.months else None
        return placebo_rows(ask, schedule, made, outcome)

    rows = rows_or_fault(ask, CLONES, grace, contrast="start_within_grace_vs_not")
    rows += rows_or_fault(ask, ADHERENCE, attending, contrast="attended_vs_not_started", estimand="per_protocol")
    return rows + rows_or_fault(ask, "placebo", placebo, "negative_control", contrast=PLACEBO_CONTRAST)


def promotion(comparison: Comparison) -> Finding:
    """Return H8 of one program and role: the first rise in job level, exits competing, by the same machinery."""
    opened, ask = comparison.opened, comparison.ask("H8_promotion")
    reason = missing_parts(opened, ask)
    if reason is None and opened.tables.jobs is None:
        reason = NO_JOB_HISTORY
    if reason:
        return unanswered(ask, WEIGHTED, reason)
    jobs = opened.tables.jobs
    if comparison.is_randomized:
        rows = until_promotion(comparison.lottery.rows, jobs, "intake_date")
        return retention_by_lottery(ask, replace(comparison.lottery, rows=rows), PROMOTION, (PROMOTION, *EXITS))
    trials = replace(comparison.trials, rows=until_promotion(comparison.trials.rows, jobs, "trial_date"))
    ever, never_made = _ever(comparison, ask)
    followed = None if ever is None else until_promotion(ever, jobs, "zero")
    found = answer_by_trials(ask, trials, followed, PROMOTION, (PROMOTION, *EXITS))
    return replace(found, alternatives=(*never_made, *found.alternatives))


def ask_economics(opened: OpenStudy, program: Program) -> Ask:
    """Return H9, asked of a program."""
    return Ask(opened.study, program, "any", load_plan().hypothesis("H9_economics"))


def economics(opened: OpenStudy, program: Program, answered: Sequence[Finding]) -> Finding:
    """Return H9 of one program, from the H1 findings of its roles."""
    ask = ask_economics(opened, program)
    reason = missing_parts(opened, ask)
    if reason:
        return unanswered(ask, ESTIMATOR, reason)
    return answer_economics(ask, answered, program_costs(opened.tables, opened.study, ask.program))


def compare_directions(
    comparisons: Sequence[Comparison], findings: Sequence[Finding]
) -> dict[tuple[str, str, str], list[Estimate]]:
    """Return the comparison of a reverse program with the company's traditional one, by hypothesis, program and role.

    Juniors are compared with juniors and seniors with seniors: the mentors of the one with the mentees of the other.
    """
    answered = {(f.hypothesis, f.program, f.role): f.primary for f in findings if f.primary.is_estimated}
    chosen = [c for c in comparisons if c.program.assignment.by_choice]
    compared: dict[tuple[str, str, str], list[Estimate]] = {}
    for reverse, traditional in product(chosen, chosen):
        directions = reverse.program.direction, traditional.program.direction
        if directions != ("reverse", "traditional") or OTHER_SIDE.get(reverse.role) != traditional.role:
            continue
        for hypothesis in ("H1_retention", *(h.id for h in load_plan().scales)):
            key = (hypothesis, reverse.program.id, reverse.role)
            found, other = answered.get(key), answered.get((hypothesis, traditional.program.id, traditional.role))
            if found and other and found.rater_source == other.rater_source:
                compared.setdefault(key, []).append(direction_row(reverse.ask(hypothesis), found, other))
    return compared
