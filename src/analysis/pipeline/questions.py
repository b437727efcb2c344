"""Which analysis answers which hypothesis, for every program and role of a study."""

from collections.abc import Iterator
from dataclasses import replace

from analysis.estimate.verdict import judge
from analysis.measure.exposure import analysed_roles
from analysis.pipeline.events import Comparison, compare_directions, economics, promotion, retention
from analysis.pipeline.opened import OpenStudy
from analysis.pipeline.scales import scale, scales_asked
from analysis.plan.results import Finding


def find(opened: OpenStudy) -> tuple[Finding, ...]:
    """Return the findings for every program and role, before disclosure control.

    Adjustments are over whole families of hypotheses, so all of them are always estimated together, and judged last.
    """
    comparisons = [
        Comparison(opened, program, role)
        for program in opened.study.programs
        for role in analysed_roles(opened.tables.enrolments, program.id) or ["any"]
    ]
    findings = list(_findings(opened, comparisons))
    compared = compare_directions(comparisons, findings)
    findings = [
        replace(f, alternatives=(*f.alternatives, *compared.get((f.hypothesis, f.program, f.role), ())))
        for f in findings
    ]
    return judge(findings, opened.study.min_cell)


def _findings(opened: OpenStudy, comparisons: list[Comparison]) -> Iterator[Finding]:
    for program in opened.study.programs:
        answered = []
        for comparison in [c for c in comparisons if c.program.id == program.id]:
            answered.append(retention(comparison))
            yield answered[-1]
            asked = scales_asked(program, comparison.role)
            yield from (scale(opened, comparison.ask(hypothesis)) for hypothesis in asked)
            yield promotion(comparison)
        yield economics(opened, program, answered)
