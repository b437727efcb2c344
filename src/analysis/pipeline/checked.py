"""What `mentoring check` shows: what is wrong with a study's input, and which of its questions can be answered.

The reasons are those that the report gives. No number of people is given. What an estimate needs besides (overlap,
events in an arm, people still followed at the horizon) only the report can say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.design.eligibility import eligible_levels, is_eligible
from analysis.design.starts import FLOW_STEPS, ON_LEAVE, known_enrolments, observed_starts
from analysis.design.trials import Trials
from analysis.estimate.analyses import Question
from analysis.estimate.answer_lottery import NO_INTAKE_OF_BOTH
from analysis.estimate.by_scores import UNKNOWN_UNITS, why_no_pairs
from analysis.estimate.by_trials import retention_outcome, why_no_trial
from analysis.estimate.economics import NO_EXITS_AVOIDED, missing_costs
from analysis.ingest.sources import hidden_headings
from analysis.measure.employment import Staff, exit_outcome, job_history, job_value_at, staff_on, under_notice_on
from analysis.measure.exposure import first_starts, program_costs
from analysis.measure.scales import scale_of
from analysis.pipeline.events import Comparison, comparisons, missing_parts, no_job_history
from analysis.pipeline.opened import OpenStudy, open_study
from analysis.pipeline.scales import ScaleQuestion, scales_asked
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.errors import BadInput, Listed, Problem
from analysis.plan.faults import known
from analysis.plan.hypotheses import Hypothesis, JobEvent, load_plan
from analysis.plan.read_study import load_study
from analysis.plan.results import too_small
from analysis.plan.study import Eligibility
from analysis.release.findings import release_problems
from analysis.release.rule import ReleaseRule


@dataclass(frozen=True)
class AnsweredWaves:
    """The waves that measure one construct.

    Attributes
    ----------
    forms
        One row per person and wave with an answer to the scale: ``employee_id``, ``wave``.
    waves
        The waves with any such answer, in time: ``wave``, ``opens``, ``closes``.
    """

    forms: pd.DataFrame
    waves: pd.DataFrame

    def around(self, starts: pd.Series, horizon: int) -> pd.DataFrame:
        """Return who has a wave that closed before the start and one that opened within the horizon from it on.

        Parameters
        ----------
        starts
            Day of the start by employee id.

        Returns
        -------
        DataFrame
            By employee id, those with such a pair of waves: ``is_answered``, whether they answered in both.
        """
        before = self.waves["closes"].to_numpy() < starts.to_numpy()[:, None]
        return self._answered(starts, (before, self._within(starts, horizon)))

    def after(self, zero: pd.Series, horizon: int) -> pd.DataFrame:
        """Return whose day has a wave that opens on or after it within the horizon, and who answered in one."""
        return self._answered(zero, (self._within(zero, horizon),))

    def answered_twice(self, exclude: pd.Index) -> int:
        """Return how many people, but for those excluded, answered in more than one wave."""
        counts = self.forms.loc[~self.forms["employee_id"].isin(exclude), "employee_id"].value_counts()
        return int((counts > 1).sum())

    def _within(self, days: pd.Series, horizon: int) -> np.ndarray:
        """Return whether each wave opens within the horizon of each person's day, shape (people, waves)."""
        opens, end = self.waves["opens"].to_numpy(), days + pd.DateOffset(months=horizon)
        return (opens >= days.to_numpy()[:, None]) & (opens < end.to_numpy()[:, None])

    def _answered(self, days: pd.Series, periods: Sequence[np.ndarray]) -> pd.DataFrame:
        """Return who has a wave in each period, and whether they answered in one of each."""
        person = days.index.get_indexer(self.forms["employee_id"])
        wave = pd.Index(self.waves["wave"]).get_indexer(self.forms["wave"])
        seen = np.zeros((len(days), len(self.waves)), dtype=bool)
        seen[person[person >= 0], wave[person >= 0]] = True
        answered = np.all([(seen & period).any(axis=1) for period in periods], axis=0)
        has_waves = np.all([period.any(axis=1) for period in periods], axis=0)
        return pd.DataFrame({"is_answered": answered}, index=days.index)[has_waves]


def answered_waves(opened: OpenStudy, question: Question) -> AnsweredWaves | None:
    """Return who answered the scale of a hypothesis in which wave; None where no linked survey measures it."""
    tables, construct = opened.tables, question.hypothesis.construct_name
    parts: list[AnsweredWaves] = []
    for answers, person in ((tables.responses, "employee_id"), (tables.ratings, "ratee_id")):
        found = scale_of(construct, opened.instruments, answers)
        if (
            answers is None
            or found is None
            or (person == "ratee_id" and parts and not CATALOGUE.outcome(construct).is_rated)
        ):
            continue
        name, scale = found
        chosen = (answers["instrument"] == name) & answers["item"].isin(list(scale.items)) & answers["value"].notna()
        forms = answers.loc[chosen, [person, "wave"]].drop_duplicates().rename(columns={person: "employee_id"})
        waves = known(tables.waves)
        waves = waves[(waves["instrument"] == name) & waves["wave"].isin(forms["wave"])]
        if len(forms):
            parts.append(AnsweredWaves(forms, waves.sort_values("opens")[["wave", "opens", "closes"]]))
    # of the two sources of leadership the one with more waves, then with more people
    return max(parts, key=lambda one: (len(one.waves), len(one.forms)), default=None)


# --- answerable -------------------------------------------------------------------------------------------------------
# Which questions a study can answer and which not, and why: by counting people, without estimating anything.

NOT_EMPLOYED, UNDER_NOTICE = "not employed that day", "under notice"
NOT_ELIGIBLE, NOBODY_LEFT = "level or tenure not eligible", "no colleague to compare with that day"
NO_EXIT = (
    "Nobody is recorded as leaving (of their own accord, where kinds of exit are known) between study_start and as_of; "
    "check that exit_date and exit_type are read."
)
NO_JOB_EVENT = {
    "rise": "Nobody's {} is recorded as rising between study_start and as_of.",
    "any": "Nobody's {} is recorded as changing between study_start and as_of.",
}
ONE_WAVE = "Only one survey wave has answers, so no score can be compared with an earlier one."
ONE_UNIT = (
    "The program has reached one unit only, and with one unit nobody can tell the program from the unit; more units "
    "would be needed."
)


@dataclass(frozen=True)
class Answerable:
    """Whether a question can be answered for one program and role.

    Attributes
    ----------
    hypothesis, title
        Its id and its title in ``data/hypotheses.yaml``.
    reason
        Why it cannot be answered, in a sentence; empty where it can.
    """

    program: str
    role: str
    hypothesis: str
    title: str
    reason: str = ""


def answerable(opened: OpenStudy) -> tuple[Answerable, ...]:
    """Return every question of the study, program by program and role by role, in the order of the report."""
    return tuple(question for program in opened.study.programs for question in _of_program(opened, program))


def _of_program(opened: OpenStudy, program) -> Iterator[Answerable]:
    retention = []
    for comparison in comparisons(opened, program):
        counted = _Counted(comparison)
        retention.append(counted.why_no_retention())
        yield _question(counted.question("H1_retention"), retention[-1])
        for hypothesis in scales_asked(program, comparison.role):
            question = counted.question(hypothesis)
            yield _question(question, counted.why_no_scale(question))
        for event in load_plan().job_events:
            yield _question(counted.question(event.id), counted.why_no_job_event(event))
    question = Comparison(opened, program, "any").question("H9_economics")
    reason = missing_parts(opened, question) or missing_costs(program_costs(opened.tables, opened.study, program))
    yield _question(question, reason or (NO_EXITS_AVOIDED if any(retention) else None))


def _question(asked: Question, reason: str | None) -> Answerable:
    return Answerable(asked.program.id, asked.role, asked.hypothesis.id, asked.hypothesis.title, reason or "")


@dataclass(frozen=True)
class _Counted:
    """One program and role, counted."""

    comparison: Comparison

    def question(self, hypothesis: str) -> Question:
        return self.comparison.question(hypothesis)

    @property
    def _opened(self) -> OpenStudy:
        return self.comparison.opened

    def why_no_retention(self) -> str | None:
        question = self.question("H1_retention")
        return missing_parts(self._opened, question) or self._why_nobody(question) or self._no_exit()

    def why_no_job_event(self, hypothesis: Hypothesis) -> str | None:
        question = self.question(hypothesis.id)
        reason = missing_parts(self._opened, question) or no_job_history(self._opened, hypothesis)
        return reason or self._why_nobody(question) or self._no_job_event(known(hypothesis.event))

    def why_no_scale(self, question: Question) -> str | None:
        waves = answered_waves(self._opened, question)
        reason = missing_parts(self._opened, question, needs_dates=False)
        if reason is None and waves is None:
            reason = ScaleQuestion(self._opened, question, self.comparison.panels()).no_scores({})
        return reason or self._why_no_scores(question, known(waves))

    def _why_no_scores(self, question: Question, waves: AnsweredWaves) -> str | None:
        randomized = self.comparison.is_randomized
        if not randomized and len(waves.waves) < 2:
            return ONE_WAVE
        horizon = question.study.horizons_months[0]
        if randomized:
            zero = self._drew.groupby("employee_id")["intake_date"].min()
            treated = self._drew.groupby("employee_id")["offered"].max().astype(bool)
            pairs = waves.after(zero, horizon)
            in_reach, both = pairs.groupby(treated.reindex(pairs.index)).size(), pairs[pairs["is_answered"]]
            answered = both.groupby(treated.reindex(both.index)).size()
            compared = {arm: int(in_reach.get(arm, 0)) for arm in (True, False)}
            scored = {arm: int(answered.get(arm, 0)) for arm in (True, False)}
        else:
            starts = self._starts
            pairs = waves.around(starts, horizon)
            others = waves.answered_twice(exclude=starts.index)
            compared = {True: len(pairs), False: max(others, len(starts))}
            scored = {True: int(pairs["is_answered"].sum()), False: max(others, int(pairs["is_answered"].sum()))}
        counts = pd.DataFrame(0, index=["in the comparison", "answered both"], columns=["n_treated", "n_control"])
        counts.loc["in the comparison"] = compared[True], compared[False]
        counts.loc["answered both"] = scored[True], scored[False]
        if min(compared.values()) == 0 or min(scored.values()) < 2:
            return why_no_pairs(question, counts)
        return too_small(question.study.min_cell) if min(scored.values()) < question.study.min_cell else None

    def _why_nobody(self, question: Question) -> str | None:
        """Return why nobody could be compared whose exits or promotions are known; None where somebody can."""
        if self.comparison.is_randomized:
            return self._why_no_lots(question.study.min_cell)
        if self.comparison.program.assignment.by_unit:
            units = self._units
            if units is None or units.isna().all():
                return UNKNOWN_UNITS
            if len(units.dropna().unique()) == 1:
                return ONE_UNIT
        flow = self._flow
        if not flow["analysed"]:
            frame = flow.rename_axis("step").rename("n_people").reset_index()
            return why_no_trial(Trials(pd.DataFrame(), pd.DataFrame(), frame, False))
        return too_small(question.study.min_cell) if flow["analysed"] < question.study.min_cell else None

    def _why_no_lots(self, min_cell: int) -> str | None:
        drew, tables = self._drew, self._opened.tables
        days = [
            staff_on(tables, None, day).spells.merge(rows[["employee_id", "offered", "intake_date"]])
            for day, rows in drew.groupby("intake_date")
        ]
        if not days:
            return NO_INTAKE_OF_BOTH
        there = pd.concat(days)
        both = there[there.groupby("intake_date")["offered"].transform("nunique") == 2]
        if both.empty:
            return NO_INTAKE_OF_BOTH
        arms = both.groupby("offered")["employee_id"].nunique()
        return too_small(min_cell) if arms.min() < min_cell else None

    @cached_property
    def _drew(self) -> pd.DataFrame:
        """The enrolments of this role with an answer of the lottery."""
        rows = known(self._opened.tables.enrolments)
        program, role = self.comparison.program.id, self.comparison.role
        return rows[(rows["program_id"] == program) & (rows["role"] == role) & rows["offered"].notna()]

    @cached_property
    def _starts(self) -> pd.Series:
        """The starts that can be trials."""
        return self._observed[0]

    @cached_property
    def _observed(self) -> tuple[pd.Series, dict[str, int]]:
        """The starts that can be trials, and how many of the others fall to each step."""
        lost = dict.fromkeys(FLOW_STEPS, 0)
        enrolled = known_enrolments(self._opened.tables, self._opened.study)
        program, role = self.comparison.program, self.comparison.role
        return observed_starts(enrolled, self._opened.study, program, role, lost), lost

    @cached_property
    def _units(self) -> pd.Series | None:
        """The departments of those who started, on that day."""
        jobs, starts = self._opened.tables.jobs, self._starts
        if jobs is None:
            return None
        return job_value_at(jobs, "department", pd.Series(starts.index), pd.Series(starts.to_numpy()))

    @cached_property
    def _flow(self) -> pd.Series:
        """How many of those who started fall to each step, by the steps of the report's trials."""
        tables, program, role = self._opened.tables, self.comparison.program, self.comparison.role
        first = first_starts(known(tables.enrolments), program.id)
        flow, starts = pd.Series(self._observed[1]), self._starts.sort_values()
        history, rule = job_history(tables.jobs), eligible_levels(tables, program, role)
        employees, days = known(tables.employees), starts.unique()
        starters = replace(tables, employees=employees[employees["employee_id"].isin(starts.index)])
        staff = staff_on(starters, history, days)
        staff = staff.take(starts.reindex(staff.spells["employee_id"]).to_numpy(staff.day.dtype) == staff.day)
        noticed = under_notice_on(staff.spells, staff.day).to_numpy()
        fits = is_eligible(staff, rule) & ~noticed
        flow[NOT_EMPLOYED] += len(starts) - len(fits)
        flow[UNDER_NOTICE] += int(noticed.sum())
        flow[ON_LEAVE] += int((staff.is_away & ~noticed).sum())
        flow[NOT_ELIGIBLE] += int((~noticed & ~staff.is_away & ~fits).sum())
        first = first_starts(known(tables.enrolments), program.id)
        has_colleague = any(_has_colleague(staff_on(tables, history, day), rule, first) for day in days)
        flow["analysed" if has_colleague else NOBODY_LEFT] = int(fits.sum())
        return flow

    def _no_exit(self) -> str | None:
        study, employees = self._opened.study, known(self._opened.tables.employees)
        exits = employees[employees["exit_date"].between(*map(pd.Timestamp, (study.study_start, study.as_of)))]
        outcome = retention_outcome(employees)
        found = exits[exit_outcome(exits["exit_type"]).isin(CATALOGUE.outcome(outcome).kinds)]
        return NO_EXIT if found.empty else None

    def _no_job_event(self, event: JobEvent) -> str | None:
        history = known(job_history(self._opened.tables.jobs))
        before, now = history[event.column].shift(), history[event.column]
        differs = now > before if event.change == "rise" else now.ne(before) & now.notna() & before.notna()
        is_one = differs.fillna(False) & (history["employee_id"] == history["employee_id"].shift())
        start = pd.Timestamp(self._opened.study.study_start)
        return (
            None
            if (is_one & (history["effective_date"] >= start)).any()
            else NO_JOB_EVENT[event.change].format(event.column)
        )


def _has_colleague(staff: Staff, rule: Eligibility, first: pd.Series) -> bool:
    """Whether somebody might have started on the day of the staff and has not."""
    started = first.reindex(staff.spells["employee_id"]).to_numpy(staff.day.dtype) <= staff.day
    return bool((is_eligible(staff, rule) & ~under_notice_on(staff.spells, staff.day).to_numpy() & ~started).any())


# --- checked ----------------------------------------------------------------------------------------------------------
# A study's input looked at and nothing more: what is wrong with it, and where the rows of its files went.


@dataclass(frozen=True)
class Checked:
    """What `mentoring check` shows.

    Attributes
    ----------
    problems
        The data-quality ledger, with its lines: for whoever has the files.
    ledger
        The same as it may be shown.
    row_counts
        One row per table and source (`validate.account`); None where no file was read.
    questions
        Which questions can be answered, and why others cannot; none where the input is bad.
    lists
        What became of each list of participants.
    """

    problems: tuple[Problem, ...]
    ledger: tuple[Problem, ...]
    row_counts: pd.DataFrame | None
    questions: tuple[Answerable, ...] = ()
    lists: tuple[Listed, ...] = ()

    @property
    def is_good(self) -> bool:
        """Whether the study can be reported."""
        return not any(problem.severity == "error" for problem in self.problems)


def check_study(name: str, data: Path) -> Checked:
    """Read and validate one study; bad input is what it returns, not what it raises."""
    try:
        opened = open_study(name, data)
    except BadInput as bad:
        return Checked(bad.problems, bad.problems, bad.row_counts, lists=bad.lists)
    ledger = release_problems(opened.problems, ReleaseRule.of(opened.study))
    return Checked(opened.problems, ledger, opened.tables.row_counts, answerable(opened), opened.tables.lists)


def headings_by_place(name: str, data: Path) -> dict[str, dict[int, str]]:
    """Return the headings that messages call by their place alone (`ingest.sources.hidden_headings`).

    Nothing where study.yaml cannot be read, which the messages say already.
    """
    try:
        return hidden_headings(load_study(name, data))
    except BadInput:
        return {}
