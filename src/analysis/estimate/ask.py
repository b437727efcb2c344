"""What is asked of one program and role, and the answer when the data cannot give one."""

from dataclasses import dataclass

from analysis.estimate.rows import Question, not_estimable
from analysis.estimate.verdict import verdict
from analysis.plan.hypotheses import Hypothesis, smallest_effect
from analysis.plan.results import Analysis, Check, Estimate, Finding
from analysis.plan.study import Program, Study

UNTESTABLE = (
    Check(
        "no unmeasured confounding",
        None,
        None,
        None,
        "No data can show that those who started and their comparators were alike in what was not recorded.",
    ),
    Check(
        "no interference",
        None,
        None,
        None,
        "It is assumed that one person's taking part does not change whether colleagues stay or how they feel.",
    ),
)


@dataclass(frozen=True)
class Ask:
    """One hypothesis, asked of one program and role of a study."""

    study: Study
    program: Program
    role: str
    hypothesis: Hypothesis

    @property
    def smallest_effect(self) -> float:
        """Smallest effect of interest, positive, on the measure's own scale."""
        return smallest_effect(self.study, self.hypothesis)

    @property
    def main_analysis(self) -> Analysis:
        """What the main row is called in the ledger: ``primary`` for H1–H3, ``secondary`` for the others."""
        return "primary" if self.hypothesis.family == "primary" else "secondary"

    def question(self, outcome: str | None = None, rater_source: str | None = None) -> Question:
        """Return the naming columns of the main row, at the first horizon."""
        randomized = self.program.is_randomized
        return Question(
            study=self.study.study,
            program=self.program.id,
            hypothesis=self.hypothesis.id,
            role=self.role,
            outcome=outcome or self.hypothesis.outcome,
            contrast="offered_vs_not" if randomized else "enrolled_vs_not",
            estimand="ITT" if randomized else "ATT",
            measure=self.hypothesis.measure,
            horizon_months=self.study.horizons_months[0],
            rater_source=rater_source,
        )


def finding(ask: Ask, primary: Estimate, **parts) -> Finding:
    """Return the finding, with the verdict as far as it goes before the families are adjusted."""
    judged = verdict(primary, ask.hypothesis, ask.smallest_effect)
    return Finding(
        hypothesis=ask.hypothesis.id,
        program=ask.program.id,
        role=ask.role,
        primary=primary,
        verdict=judged.verdict,
        verdict_reason=judged.reason,
        smallest_effect=ask.smallest_effect,
        **parts,
    )


def unanswered(ask: Ask, estimator: str, reason: str, outcome: str | None = None, **parts) -> Finding:
    """Return the finding that the data cannot answer, and why."""
    return finding(ask, not_estimable(ask.question(outcome), ask.main_analysis, estimator, reason), **parts)
