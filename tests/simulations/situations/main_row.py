"""The main row of a study, without what stands beside it in a report."""

from analysis.design.weights import weigh
from analysis.estimate.answer_lottery import retention_by_lottery
from analysis.estimate.answer_retention import retention_outcome
from analysis.estimate.arms import Arms
from analysis.estimate.ask import Ask
from analysis.estimate.change_rows import change_row, estimate_change, main_estimator
from analysis.estimate.event_rows import event_row
from analysis.measure.employment import EXITS
from analysis.pipeline.events import Comparison
from analysis.pipeline.scales import ScaleQuestion
from analysis.plan.hypotheses import SCALES
from analysis.plan.results import Estimate
from analysis.plan.seeds import rng
from simulations.situations.world import Case


def main_row(case: Case) -> Estimate:
    """Return the main row of the case's first program, as a report makes it."""
    opened = case.opened
    comparison = Comparison(opened, opened.study.programs[0], case.role)
    ask = comparison.ask(case.hypothesis)
    if case.hypothesis in SCALES:
        return scale_row(ScaleQuestion(opened, ask), ask)
    outcome = retention_outcome(opened.tables.employees)
    if comparison.is_randomized:
        return retention_by_lottery(ask, comparison.lottery, outcome).primary
    followed = weigh(comparison.trials, EXITS, max(ask.study.horizons_months))
    arms = Arms.jackknifed(followed, rng(ask.study.study, ask.program.id, ask.role, outcome, "jackknife"))
    return event_row(ask, arms, outcome, ask.study.horizons_months[0], ask.main_analysis)


def scale_row(question: ScaleQuestion, ask: Ask) -> Estimate:
    """Return the main row of a scale that people report of themselves."""
    scores = question._scored(question.opened.tables)["self"]
    measured = question._measured(scores, "self")
    found = estimate_change(ask, measured)
    return change_row(ask, measured, found and found.interval, ask.main_analysis, main_estimator(ask))
