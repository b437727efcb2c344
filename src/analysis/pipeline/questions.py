"""Which analysis answers which hypothesis, for every program and role of a study."""

from collections.abc import Iterator
from dataclasses import replace

from analysis.estimate.ask import Ask
from analysis.estimate.change_rows import main_estimator
from analysis.estimate.economics import ESTIMATOR
from analysis.estimate.event_rows import WEIGHTED
from analysis.estimate.faulted import finding_or_fault
from analysis.estimate.verdict import adjust
from analysis.measure.exposure import analysed_roles
from analysis.pipeline.events import Comparison, ask_economics, compare_directions, economics, promotion, retention
from analysis.pipeline.opened import OpenStudy
from analysis.pipeline.scales import scale, scales_asked
from analysis.plan.faults import Part, isolated
from analysis.plan.results import Finding
from analysis.plan.study import Program


def find(opened: OpenStudy) -> tuple[Finding, ...]:
    """Return the findings for every program and role, before disclosure control.

    Adjustments are over whole families of hypotheses, so all of them are always estimated together.
    """
    comparisons = [
        Comparison(opened, program, role)
        for program in opened.study.programs
        for role in analysed_roles(opened.tables.enrolments, program.id) or ["any"]
    ]
    findings = list(_findings(opened, comparisons))
    compared = isolated(
        Part("analysis", "directions compared"), lambda: compare_directions(comparisons, findings), lambda _: {}
    )
    together = tuple(
        replace(f, alternatives=(*f.alternatives, *compared.get((f.hypothesis, f.program, f.role), ())))
        for f in findings
    )
    return isolated(
        Part("analysis", "adjusted p-values"), lambda: adjust(together, opened.study.min_cell), lambda _: together
    )


def _findings(opened: OpenStudy, comparisons: list[Comparison]) -> Iterator[Finding]:
    """Yield every main answer; each is made by itself, so that a fault in one leaves the others alone."""
    for program in opened.study.programs:
        answered = []
        for comparison in [c for c in comparisons if c.program.id == program.id]:
            answered.append(_retention(comparison))
            yield answered[-1]
            for hypothesis in scales_asked(program, comparison.role):
                yield _scale(opened, comparison.ask(hypothesis))
            yield _promotion(comparison)
        yield _economics(opened, program, answered)


def _retention(comparison: Comparison) -> Finding:
    return finding_or_fault(comparison.ask("H1_retention"), WEIGHTED, lambda: retention(comparison))


def _scale(opened: OpenStudy, ask: Ask) -> Finding:
    return finding_or_fault(ask, main_estimator(ask), lambda: scale(opened, ask))


def _promotion(comparison: Comparison) -> Finding:
    return finding_or_fault(comparison.ask("H8_promotion"), WEIGHTED, lambda: promotion(comparison))


def _economics(opened: OpenStudy, program: Program, answered: list[Finding]) -> Finding:
    return finding_or_fault(ask_economics(opened, program), ESTIMATOR, lambda: economics(opened, program, answered))
