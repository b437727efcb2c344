"""Which analysis answers which hypothesis, for every program and role of a study."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from analysis.estimate.analyses import Question, finding_or_fault
from analysis.estimate.by_scores import main_estimator
from analysis.estimate.economics import ESTIMATOR
from analysis.estimate.event_rows import WEIGHTED
from analysis.estimate.verdict import judge
from analysis.pipeline.events import (
    Comparison,
    ask_economics,
    compare_directions,
    comparisons,
    economics,
    job_event,
    retention,
)
from analysis.pipeline.opened import OpenStudy
from analysis.pipeline.scales import scale, scales_asked
from analysis.plan.faults import Part, isolated
from analysis.plan.hypotheses import Hypothesis, load_plan
from analysis.plan.results import Finding
from analysis.plan.study import Program


def find(opened: OpenStudy) -> tuple[Finding, ...]:
    """Return the findings for every program and role, before disclosure control.

    Adjustments are over whole families of hypotheses, so all of them are always estimated together, and judged last.
    """
    asked = {program.id: comparisons(opened, program) for program in opened.study.programs}
    findings = list(_findings(opened, asked))
    everything = [comparison for those in asked.values() for comparison in those]
    compared = isolated(
        Part("analysis", "directions compared"), lambda: compare_directions(everything, findings), lambda _: {}
    )
    together = tuple(
        replace(f, alternatives=(*f.alternatives, *compared.get((f.hypothesis, f.program, f.role), ())))
        for f in findings
    )
    return isolated(Part("analysis", "verdicts"), lambda: judge(together, opened.study.min_cell), lambda _: together)


def _findings(opened: OpenStudy, asked: Mapping[str, list[Comparison]]) -> Iterator[Finding]:
    """Yield every main answer; each is made by itself, so that a fault in one leaves the others alone."""
    for program in opened.study.programs:
        answered = []
        for comparison in asked[program.id]:
            answered.append(_retention(comparison))
            yield answered[-1]
            for hypothesis in scales_asked(program, comparison.role):
                yield _scale(comparison.opened, comparison.question(hypothesis))
            for event in load_plan().job_events:
                yield _job_event(comparison, event)
        yield _economics(opened, program, answered)


def _retention(comparison: Comparison) -> Finding:
    return finding_or_fault(comparison.question("H1_retention"), WEIGHTED, lambda: retention(comparison))


def _scale(opened: OpenStudy, question: Question) -> Finding:
    return finding_or_fault(question, main_estimator(question), lambda: scale(opened, question))


def _job_event(comparison: Comparison, hypothesis: Hypothesis) -> Finding:
    return finding_or_fault(comparison.question(hypothesis.id), WEIGHTED, lambda: job_event(comparison, hypothesis))


def _economics(opened: OpenStudy, program: Program, answered: list[Finding]) -> Finding:
    return finding_or_fault(ask_economics(opened, program), ESTIMATOR, lambda: economics(opened, program, answered))
