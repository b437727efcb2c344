"""The main row of a study, without what stands beside it in a report."""

from analysis.design.weights import weigh
from analysis.estimate.analyses import Question
from analysis.estimate.answer_lottery import retention_by_lottery
from analysis.estimate.by_scores import estimate_change, main_estimator, result_of
from analysis.estimate.by_trials import main_arms, retention_outcome
from analysis.estimate.event_rows import WEIGHTED, event_row
from analysis.measure.employment import EXITS
from analysis.pipeline.events import Comparison
from analysis.pipeline.scales import ScaleQuestion
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Estimate, Finding
from simulations.situations.world import Case


def main_row(case: Case) -> Estimate:
    """Return the main row of the case's first program, as a report makes it."""
    opened = case.opened
    comparison = Comparison(opened, opened.study.programs[0], case.role)
    question = comparison.question(case.hypothesis)
    if case.hypothesis in {h.id for h in load_plan().scales}:
        scale = ScaleQuestion(opened, question, comparison.panels())
        return scale.finding().primary if comparison.is_randomized else scale_row(scale, question)
    outcome = retention_outcome(opened.tables.employees)
    if comparison.is_randomized:
        found = retention_by_lottery(question, comparison.lottery, outcome)
        is_main = case.estimand is None or not found.primary.is_estimated
        return found.primary if is_main else _row_of(found, case.estimand)
    if not comparison.trials.rows["is_treated"].any():
        return question.row(WEIGHTED, "no trial has both arms", {"outcome": outcome})
    followed = weigh(comparison.trials, EXITS, max(question.study.horizons_months))
    arms = main_arms(question, followed, outcome)
    return question.row(WEIGHTED, *event_row(question, arms, outcome, question.study.horizons_months[0]))


def _row_of(found: Finding, estimand: str) -> Estimate:
    """Return the row of another estimand beside the main row."""
    main = found.primary
    return next(
        row
        for row in found.alternatives
        if (row.estimand, row.measure, row.horizon_months) == (estimand, main.measure, main.horizon_months)
    )


def scale_row(scale: ScaleQuestion, question: Question) -> Estimate:
    """Return the main row of a scale that people report of themselves."""
    scores = scale._scored(scale.opened.tables)["self"]
    measured = scale._measured(scores, "self")
    return question.row(main_estimator(question), result_of(question, measured, estimate_change(question, measured)))
