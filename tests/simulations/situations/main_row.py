"""The main row of a study, without what stands beside it in a report."""

from analysis.design.weights import weigh
from analysis.estimate.answer_lottery import retention_by_lottery
from analysis.estimate.answer_retention import retention_outcome
from analysis.estimate.arms import Arms
from analysis.estimate.ask import Ask
from analysis.estimate.change_rows import change_row, estimate_change, main_estimator
from analysis.estimate.event_rows import WEIGHTED, event_row
from analysis.estimate.rows import not_estimable
from analysis.measure.employment import EXITS
from analysis.pipeline.events import Comparison
from analysis.pipeline.scales import ScaleQuestion
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Estimate, Finding
from analysis.plan.seeds import rng
from simulations.situations.world import Case

try:
    from analysis.estimate.main_arms import main_arms
except ImportError:  # the code before this study

    def main_arms(ask, followed, outcome):
        return Arms.jackknifed(followed, rng(ask.study.study, ask.program.id, ask.role, outcome, "jackknife"))


def main_row(case: Case) -> Estimate:
    """Return the main row of the case's first program, as a report makes it."""
    opened = case.opened
    comparison = Comparison(opened, opened.study.programs[0], case.role)
    ask = comparison.ask(case.hypothesis)
    if case.hypothesis in {h.id for h in load_plan().scales}:
        question = ScaleQuestion(opened, ask)
        return question.finding().primary if comparison.is_randomized else scale_row(question, ask)
    outcome = retention_outcome(opened.tables.employees)
    if comparison.is_randomized:
        found = retention_by_lottery(ask, comparison.lottery, outcome)
        is_main = case.estimand is None or not found.primary.is_estimated
        return found.primary if is_main else _row_of(found, case.estimand)
    if not comparison.trials.rows["is_treated"].any():
        return not_estimable(ask.question(outcome), ask.main_analysis, WEIGHTED, "no trial has both arms")
    followed = weigh(comparison.trials, EXITS, max(ask.study.horizons_months))
    return event_row(ask, main_arms(ask, followed, outcome), outcome, ask.study.horizons_months[0], ask.main_analysis)


def _row_of(found: Finding, estimand: str) -> Estimate:
    """Return the row of another estimand beside the main row."""
    main = found.primary
    return next(
        row
        for row in found.alternatives
        if (row.estimand, row.measure, row.horizon_months) == (estimand, main.measure, main.horizon_months)
    )


def scale_row(question: ScaleQuestion, ask: Ask) -> Estimate:
    """Return the main row of a scale that people report of themselves."""
    scores = question._scored(question.opened.tables)["self"]
    measured = question._measured(scores, "self")
    found = estimate_change(ask, measured)
    return change_row(ask, measured, found and found.interval, ask.main_analysis, main_estimator(ask))
