"""Retention, job events and economics of every program: the analysis sets of each, and which design answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd

from analysis.design.follow_up import until_job_event
from analysis.design.lottery import Lottery, build_lottery
from analysis.design.panels import Panels
from analysis.design.protocols import Adherence, GraceTrials, adherence, build_grace_trials, excused_from
from analysis.design.references import Placebo, PlaceboSchedule, build_placebo, ever_vs_never, placebo_schedule
from analysis.design.trials import Trials, build_trials
from analysis.design.weights import trimmed
from analysis.estimate.analyses import Question, unanswered
from analysis.estimate.answer_lottery import retention_by_lottery
from analysis.estimate.answer_retention import BESIDE, answer_by_trials
from analysis.estimate.by_trials import ByTrials, retention_outcome
from analysis.estimate.economics import ESTIMATOR, answer_economics
from analysis.estimate.event_rows import WEIGHTED
from analysis.estimate.moderators import DOSE_MONTHS, direction_row
from analysis.measure.employment import EXITS
from analysis.measure.exposure import (
    analysed_roles,
    moved_starts,
    pairs,
    participation_end,
    program_costs,
    sessions_within,
)
from analysis.measure.scales import self_scores
from analysis.pipeline.opened import OpenStudy
from analysis.plan.catalogue import CATALOGUE, COVARIATE_SCORES
from analysis.plan.contract import OTHER_SIDE, Tables
from analysis.plan.faults import known
from analysis.plan.hypotheses import Hypothesis, load_plan
from analysis.plan.results import Check, Estimate, Estimated, Finding
from analysis.plan.study import Program, Study

NO_LEVELS = Check.untestable(
    "eligible job levels",
    "The study has no job history, so colleagues of every level are taken as eligible; those who started may be of "
    "other levels than their comparators.",
)


@dataclass(frozen=True)
class Comparison:
    """Who is compared with whom in one program and role; each analysis set is made when it is asked for.

    Those that several answers need are kept; `estimate.by_trials.Sets` says what the others are.
    """

    opened: OpenStudy
    program: Program
    role: str

    def question(self, hypothesis: str) -> Question:
        """Return a hypothesis, asked of this program and role."""
        return Question(self.opened.study, self.program, self.role, load_plan().hypothesis(hypothesis))

    @cached_property
    def trials(self) -> Trials:
        """The target trials, without those who had no colleague nearly as likely to start."""
        return trimmed(build_trials(*self._parts, self._scores))

    @cached_property
    def ever(self) -> pd.DataFrame:
        """The dashboard's comparison."""
        return ever_vs_never(*self._parts)

    @cached_property
    def lottery(self) -> Lottery:
        """The randomized comparison."""
        return build_lottery(*self._parts, self._scores)

    def panels(self) -> Panels:
        """Return what makes a panel of any scores; not kept, since scales alone need it."""
        return Panels(*self._parts)

    @property
    def is_randomized(self) -> bool:
        """Whether lots decided."""
        return self.program.is_randomized

    def matches(self) -> pd.Series:
        """Return the match of those who started, by employee id."""
        return pairs(self._tables.enrolments, self.program.id)

    def moved(self) -> Iterator[tuple[str, Trials]]:
        """Return trials from starts moved within the days that they may mean; none where all are known."""
        days = moved_starts(self._tables.enrolments, pd.Timestamp(self.opened.study.as_of))
        for day, enrolments in days.items():
            tables = replace(self._tables, enrolments=enrolments)
            yield day, trimmed(build_trials(tables, *self._parts[1:], self._scores))

    def ends(self) -> np.ndarray:
        """Return months from each start to the end of taking part."""
        return participation_end(self._tables.enrolments, self.program.id, self.trials.rows)

    def sessions(self) -> np.ndarray | None:
        """Return sessions attended soon after each start."""
        met = self.opened.attended(self.program.id)
        return None if met is None else sessions_within(met, self.trials.rows, months=DOSE_MONTHS)

    def grace(self) -> GraceTrials:
        """Return the trials that begin with the intakes."""
        return build_grace_trials(*self._parts, self._scores)

    def kept(self) -> Adherence | None:
        """Return who attended as planned."""
        met = self.opened.attended(self.program.id)
        if met is None:
            return None
        return adherence(self.trials, met, excused_from(self._tables, self.program.id, self.role, self.trials.rows))

    def placebo(self) -> tuple[PlaceboSchedule, Placebo | None]:
        """Return when placebo starts are drawn, and from what."""
        tables, study, program, _ = self._parts
        schedule = placebo_schedule(self.trials, tables.enrolments, study, program, study.horizons_months[0])
        made = build_placebo(self.trials, schedule, *self._parts, self._scores) if schedule.months else None
        return schedule, made

    @property
    def _tables(self) -> Tables:
        return self.opened.tables

    @property
    def _parts(self) -> tuple[Tables, Study, Program, str]:
        return self.opened.tables, self.opened.study, self.program, self.role

    @property
    def _scores(self) -> dict[str, pd.DataFrame]:
        """The scores that serve as covariates, by construct."""
        found = {c: self_scores(c, self._tables, self.opened.instruments) for c in COVARIATE_SCORES}
        return {construct: scores for construct, scores in found.items() if scores is not None}


def comparisons(opened: OpenStudy, program: Program) -> list[Comparison]:
    """Return the comparisons of a program, one for each of its roles; where nobody is enrolled, one of ``any``.

    Where no lots were drawn they are made without those who started on a day that nobody knows.
    """
    roles = analysed_roles(opened.tables.enrolments, program.id) or ["any"]
    return [Comparison(opened if program.is_randomized else opened.dated, program, role) for role in roles]


def retention(comparison: Comparison) -> Finding:
    """Return H1 of one program and role, with everything that stands beside it."""
    opened, question = comparison.opened, comparison.question("H1_retention")
    reason = missing_parts(opened, question)
    if reason:
        return unanswered(question, WEIGHTED, reason)
    outcome = retention_outcome(opened.tables.employees)
    if comparison.is_randomized:
        return retention_by_lottery(question, comparison.lottery, outcome)
    asked = ByTrials(question, outcome, comparison.trials, comparison, lambda: comparison.ever)
    found = answer_by_trials(asked, BESIDE)
    return found if opened.tables.jobs is not None else replace(found, checks=(NO_LEVELS, *found.checks))


def job_event(comparison: Comparison, hypothesis: Hypothesis) -> Finding:
    """Return the answer on an event of the job history (H8: promotion), exits competing, by the same machinery."""
    opened, question = comparison.opened, comparison.question(hypothesis.id)
    outcome, kinds = hypothesis.outcome, (hypothesis.outcome, *EXITS)
    reason = missing_parts(opened, question) or no_job_history(opened, hypothesis)
    if reason:
        return unanswered(question, WEIGHTED, reason)

    if comparison.is_randomized:
        return retention_by_lottery(question, lottery_until(comparison, hypothesis), outcome, kinds)
    trials = trials_until(comparison, hypothesis)

    def ever() -> pd.DataFrame:
        return _until(comparison, hypothesis, comparison.ever, "zero")

    return answer_by_trials(ByTrials(question, outcome, trials, comparison, ever, kinds))


def trials_until(comparison: Comparison, hypothesis: Hypothesis) -> Trials:
    """Return the comparison's trials with an event of the job history among the ends of follow-up."""
    return replace(comparison.trials, rows=_until(comparison, hypothesis, comparison.trials.rows, "trial_date"))


def lottery_until(comparison: Comparison, hypothesis: Hypothesis) -> Lottery:
    """Return the comparison's lottery with an event of the job history among the ends of follow-up."""
    return replace(comparison.lottery, rows=_until(comparison, hypothesis, comparison.lottery.rows, "intake_date"))


def _until(comparison: Comparison, hypothesis: Hypothesis, rows: pd.DataFrame, zero: str) -> pd.DataFrame:
    jobs = known(comparison.opened.tables.jobs)
    return until_job_event(rows, jobs, zero, known(hypothesis.event), hypothesis.outcome)


def no_job_history(opened: OpenStudy, hypothesis: Hypothesis) -> str | None:
    """Return why an event of the job history cannot be told in a study, or None."""
    jobs, column = opened.tables.jobs, known(hypothesis.event).column
    unknown = f"so which people {known(CATALOGUE.outcome(hypothesis.outcome).words).did} and when is unknown."
    if jobs is None:
        return f"The study has no job history, {unknown}"
    return f"The job history has no {column}, {unknown}" if jobs[column].isna().all() else None


def missing_parts(opened: OpenStudy, question: Question, needs_dates: bool = True) -> str | None:
    """Return which part of the study is missing for a comparison, or None; events need the HR dates."""
    if opened.tables.enrolments is None:
        return "The study has no enrolments, so who took part and when is unknown."
    if question.role == "any" and question.hypothesis.roles != ("any",):
        return "Nobody is enrolled in this program as mentor, mentee or participant."
    if needs_dates and opened.tables.employees is None:
        return "The study has no HR dates (employees), so who left and when is unknown."
    return None


def ask_economics(opened: OpenStudy, program: Program) -> Question:
    """Return H9, asked of a program."""
    return Question(opened.study, program, "any", load_plan().hypothesis("H9_economics"))


def economics(opened: OpenStudy, program: Program, answered: Sequence[Finding]) -> Finding:
    """Return H9 of one program, from the H1 findings of its roles."""
    question = ask_economics(opened, program)
    reason = missing_parts(opened, question)
    if reason:
        return unanswered(question, ESTIMATOR, reason)
    return answer_economics(question, answered, program_costs(opened.tables, opened.study, question.program))


def compare_directions(
    comparisons: Sequence[Comparison], findings: Sequence[Finding]
) -> dict[tuple[str, str, str], list[Estimate]]:
    """Return the comparison of a reverse program with the company's traditional one, by hypothesis, program and role.

    Juniors are compared with juniors and seniors with seniors: the mentors of the one with the mentees of the other.
    """
    answered = {(f.hypothesis, f.program, f.role): f.primary for f in findings if isinstance(f.primary, Estimated)}
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
                compared.setdefault(key, []).append(direction_row(reverse.question(hypothesis), found, other))
    return compared
