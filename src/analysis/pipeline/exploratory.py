"""A question of one's own, asked of the study's data by the study's methods: exploratory, through the same door.

It is asked after the study was planned, often after its answers were seen, and of as many outcomes and subgroups as
somebody likes. So it gets numbers with intervals and neither a verdict nor a place in the study's ledgers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.design.covariates import CATEGORICAL, CONTINUOUS
from analysis.design.lottery import Lottery
from analysis.design.panels import Panel
from analysis.design.trials import Trials
from analysis.design.weights import trimmed
from analysis.estimate.analyses import SUPPRESSED, Question
from analysis.estimate.answer_change import balanced
from analysis.estimate.answer_lottery import STRATIFIED, retention_by_lottery
from analysis.estimate.answer_retention import comparable
from analysis.estimate.by_scores import ByScores, main_estimator, result_of
from analysis.estimate.by_trials import ByTrials
from analysis.estimate.event_rows import WEIGHTED
from analysis.measure.employment import EXITS
from analysis.pipeline.events import (
    Comparison,
    comparisons,
    lottery_until,
    missing_parts,
    no_job_history,
    trials_until,
)
from analysis.pipeline.opened import OpenStudy
from analysis.pipeline.scales import ScaleQuestion, scales_asked
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.contract import LONGEST_HORIZON
from analysis.plan.contradictions import did_you_mean
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.hypotheses import Hypothesis, load_plan
from analysis.plan.results import AnalysisKind, Check, Estimate, Estimated
from analysis.plan.study import Study
from analysis.release.findings import release_check, release_estimate
from analysis.release.rule import ReleaseRule
from analysis.release.subgroups import may_be_told_apart

EVERYONE, SUBGROUP, OTHERS = "everyone", "the subgroup", "everyone else"
# Of the row of a question of one's own: neither an answer of the study nor another way to make one.
KIND: AnalysisKind = "descriptive"
COVARIATES = (*CONTINUOUS, *CATEGORICAL)


@dataclass(frozen=True)
class OwnQuestion:
    """What somebody asks beyond the study's plan.

    Attributes
    ----------
    outcome
        An outcome of the ledger: a kind of exit, ``promotion``, or a construct.
    horizon_months
        Months after time zero; of a score, within how many months of the start the later wave opened.
    subgroup
        Covariate, as known just before time zero → from and to, both included, or of a category its values. Everyone
        where it is empty.
    left_out
        Covariates that are not adjusted for, where nothing was randomized.

    Raises
    ------
    BadInput
        With every mistake of it.
    """

    outcome: str
    horizon_months: int
    subgroup: Mapping[str, Sequence]
    left_out: Sequence[str] = ()

    def __post_init__(self):
        found = [bad_input("this notebook", mistake, rule="parameters") for mistake in _mistakes(self)]
        if found:
            raise BadInput(problem for bad in found for problem in bad.problems)

    @property
    def hypothesis(self) -> Hypothesis:
        """The hypothesis whose methods answer it."""
        asked = "voluntary_exit" if CATALOGUE.outcome(self.outcome).is_exit else self.outcome
        return next(h for h in load_plan().hypotheses if h.outcome == asked)

    def chosen(self, covariates: pd.DataFrame) -> np.ndarray:
        """Return which rows are of the subgroup, shape (rows,); who has no value is not."""
        chosen = np.ones(len(covariates), dtype=bool)
        for name, values in self.subgroup.items():
            if name not in covariates:
                return np.zeros(len(covariates), dtype=bool)
            column = covariates[name]
            chosen &= (column.between(*values) if name in CONTINUOUS else column.isin(list(values))).to_numpy(
                dtype=bool
            )
        return chosen

    def subgroup_facts(self) -> list[dict[str, object]]:
        """Return by what the subgroup is made, one covariate after the other, for a sentence."""
        return [
            {
                "name": name.replace("_", " "),
                "is_range": name in CONTINUOUS,
                "low": str(values[0]),
                "high": str(values[-1]),
                "named": ", ".join(map(str, values)),
            }
            for name, values in self.subgroup.items()
        ]


@dataclass(frozen=True)
class OwnAnswer:
    """One row of a question of one's own, as it may be shown.

    Attributes
    ----------
    group
        Whom it is about: everyone, the subgroup, or everyone else.
    checks
        Whether the arms are alike and overlap, in words.
    """

    group: str
    row: Estimate
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Explored:
    """The answers to a question of one's own, by program, role and group."""

    study: Study
    own: OwnQuestion
    answers: tuple[OwnAnswer, ...]


def explore(opened: OpenStudy, own: OwnQuestion, say: Callable[[str], None] = lambda _: None) -> Explored:
    """Return the answers to a question of one's own, after disclosure control.

    A subgroup is shown beside everyone else, and only where both have `min_cell` people in each arm.
    """
    study = opened.study.model_copy(update={"horizons_months": (own.horizon_months,)})
    opened, rule = replace(opened, study=study), ReleaseRule.of(study)
    answers: list[OwnAnswer] = []
    for comparison in (c for program in study.programs for c in comparisons(opened, program)):
        say(f"estimating: {comparison.program.id} {comparison.role}")
        answers += _answers(comparison, own)
    return Explored(study, own, tuple(_released(answer, rule) for answer in answers))


def _mistakes(own: OwnQuestion) -> list[str]:
    """Return why a question cannot be asked, a sentence a mistake."""
    exits = [outcome for outcome in CATALOGUE.outcomes if CATALOGUE.outcome(outcome).is_exit]
    asked = [h.outcome for h in load_plan().hypotheses if h.id != "H9_economics"]
    mistakes = [*_unknown("outcome", [own.outcome], dict.fromkeys([*exits, *asked]))]
    if not 1 <= own.horizon_months <= LONGEST_HORIZON:
        mistakes.append(f"horizon_months must be from 1 to {LONGEST_HORIZON}")
    mistakes += _unknown("covariate", [*own.subgroup, *own.left_out], COVARIATES)
    for name, values in own.subgroup.items():
        if name in CONTINUOUS and not _is_range(values):
            mistakes.append(f"subgroup: {name} needs two numbers, from and to, such as [1, 3]")
        elif name in CATEGORICAL and not (isinstance(values, list | tuple) and values):
            mistakes.append(f"subgroup: {name} needs a list of values")
    return mistakes


def _unknown(what: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    there = list(known)
    for name in names:
        if name not in there:
            near = did_you_mean(name, there) or f"; there is {', '.join(there)}"
            yield f"there is no {what} {name!r}{near}"


def _is_range(values: Sequence) -> bool:
    is_pair = isinstance(values, list | tuple) and len(values) == 2
    return is_pair and all(isinstance(value, int | float) for value in values) and values[0] <= values[1]


def _released(answer: OwnAnswer, rule: ReleaseRule) -> OwnAnswer:
    row = release_estimate(answer.row, rule)
    checks = tuple(release_check(check, rule) for check in answer.checks) if isinstance(row, Estimated) else ()
    return OwnAnswer(answer.group, row, checks)


def _answers(comparison: Comparison, own: OwnQuestion) -> Iterator[OwnAnswer]:
    """Yield the answers for one program and role."""
    hypothesis, opened = own.hypothesis, comparison.opened
    question = comparison.question(hypothesis.id)
    if hypothesis.measure == "mean_difference":
        if hypothesis.id in scales_asked(comparison.program, comparison.role):
            yield from _by_scores(ScaleQuestion(opened, question, comparison.panels()), own)
        return
    reason = missing_parts(opened, question)
    reason = reason or (no_job_history(opened, hypothesis) if hypothesis.event else None)
    if reason:
        yield OwnAnswer(EVERYONE, question.row(WEIGHTED, reason, {"outcome": own.outcome}, KIND))
    elif comparison.is_randomized:
        yield from _by_lottery(question, comparison, own)
    else:
        yield from _by_trials(question, comparison, own)


def _by_group(
    question: Question,
    own: OwnQuestion,
    people: pd.DataFrame,
    covariates: pd.DataFrame,
    row: Callable[[str, np.ndarray], OwnAnswer],
    arm: str = "is_treated",
) -> Iterator[OwnAnswer]:
    """Yield the answer for everyone, or for the subgroup and everyone else where both are large enough.

    Parameters
    ----------
    people, covariates
        One row per person in the comparison, or several: ``employee_id`` and the column `arm`; what was known of them.
    row
        Makes the answer of a group from its name and its rows (a mask).
    """
    if not own.subgroup:
        yield row(EVERYONE, np.ones(len(people), dtype=bool))
        return
    chosen, in_arm, ids = own.chosen(covariates), people[arm].to_numpy(dtype=bool), people["employee_id"]
    whole, part = ([set(ids[some & side]) for side in (in_arm, ~in_arm)] for some in (True, chosen))
    is_shown = may_be_told_apart(whole, part, ReleaseRule.of(question.study))
    small = question.row(_estimator(question), SUPPRESSED, {"outcome": own.outcome}, KIND)
    for group, rows in ((SUBGROUP, chosen), (OTHERS, ~chosen)):
        yield row(group, rows) if is_shown else OwnAnswer(group, small)


def _estimator(question: Question) -> str:
    if question.hypothesis.measure == "mean_difference":
        return main_estimator(question)
    return STRATIFIED if question.program.is_randomized else WEIGHTED


def _by_trials(question: Question, comparison: Comparison, own: OwnQuestion) -> Iterator[OwnAnswer]:
    """Yield the answers on an event where people chose, or were reached in turn: the ATT from target trials."""
    is_exit, hypothesis = CATALOGUE.outcome(own.outcome).is_exit, question.hypothesis
    trials = comparison.trials if is_exit else trials_until(comparison, hypothesis)
    kinds = EXITS if is_exit else (own.outcome, *EXITS)

    def row(group: str, chosen: np.ndarray) -> OwnAnswer:
        part = trimmed(_without(trials if chosen.all() else trials.take(chosen), own.left_out))
        if not part.rows["is_treated"].any():
            return OwnAnswer(group, question.row(WEIGHTED, SUPPRESSED, {"outcome": own.outcome}, KIND))
        asked = ByTrials(question, own.outcome, part, comparison, lambda: comparison.ever, kinds)
        found = question.row(WEIGHTED, *asked.row(asked.arms, asked.first), KIND)
        return OwnAnswer(group, found, tuple(comparable(asked)))

    yield from _by_group(question, own, trials.rows, trials.covariates, row)


def _without(trials: Trials, names: Sequence[str]) -> Trials:
    """Return the trials without some covariates, of those who start elsewhere too."""
    if not names:
        return trials
    competing = tuple(replace(one, covariates=_dropped(one.covariates, names)) for one in trials.competing_starts)
    return replace(trials, covariates=_dropped(trials.covariates, names), competing_starts=competing)


def _dropped(covariates: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return covariates.drop(columns=list(names), errors="ignore")


def _by_lottery(question: Question, comparison: Comparison, own: OwnQuestion) -> Iterator[OwnAnswer]:
    """Yield the answers on an event under a lottery: the intention-to-treat effect."""
    is_exit = CATALOGUE.outcome(own.outcome).is_exit
    lottery = comparison.lottery if is_exit else lottery_until(comparison, question.hypothesis)
    kinds = EXITS if is_exit else (own.outcome, *EXITS)

    def row(group: str, chosen: np.ndarray) -> OwnAnswer:
        found = retention_by_lottery(question, _drawn(lottery, chosen), own.outcome, kinds)
        return OwnAnswer(group, replace(found.primary, analysis=KIND), found.checks)

    yield from _by_group(question, own, lottery.rows, lottery.covariates, row, "is_offered")


def _drawn(lottery: Lottery, chosen: np.ndarray) -> Lottery:
    """Return the lottery among these rows (a mask), without strata that are left with one arm."""
    arms = lottery.rows["is_offered"].where(chosen).groupby(lottery.rows["stratum"]).transform("nunique")
    kept = chosen & (arms == 2).to_numpy()
    rows, covariates, recorded = (
        frame[kept].reset_index(drop=True) if len(frame) else frame
        for frame in (lottery.rows, lottery.covariates, lottery.recorded)
    )
    rows = rows.assign(stratum=pd.factorize(rows["stratum"], sort=True)[0])
    return replace(lottery, rows=rows, covariates=covariates, recorded=recorded)


def _by_scores(asked: ScaleQuestion, own: OwnQuestion) -> Iterator[OwnAnswer]:
    """Yield the answers on a scale, by the rater source of the study's own answer."""
    question, main = asked.question, asked.main
    if isinstance(main, str):
        yield OwnAnswer(EVERYONE, question.row(main_estimator(question), main, {}, KIND))
        return
    panel, earlier = main.panel, main.earlier

    def row(group: str, _: np.ndarray) -> OwnAnswer:
        before = None if earlier is None else _part(earlier, own, group)
        found = ByScores(question, replace(main, panel=_part(panel, own, group), earlier=before), asked)
        result = result_of(question, found.main, found.found)
        checks = balanced(found) if found.found is not None and not question.program.is_randomized else ()
        estimate = question.row(main_estimator(question), result, found.naming, KIND)
        return OwnAnswer(group, estimate, tuple(check for check in checks if isinstance(check, Check)))

    yield from _by_group(question, own, panel.rows, panel.covariates, row)


def _part(panel: Panel, own: OwnQuestion, group: str) -> Panel:
    """Return the panel of a group, without the covariates that are left out."""
    chosen = own.chosen(panel.known)
    taken = panel if group == EVERYONE else panel.take(chosen if group == SUBGROUP else ~chosen)
    return replace(taken, known=_dropped(taken.known, own.left_out))
