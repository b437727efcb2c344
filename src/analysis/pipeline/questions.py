"""Which analysis answers which hypothesis, for every program and role of a study."""

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from analysis.design.lottery import build_lottery
from analysis.design.panels import build_lottery_panel, build_panel
from analysis.design.sources import others_suffice
from analysis.estimate.answer_change import Measured, answer_change
from analysis.estimate.ask import Ask
from analysis.estimate.verdict import adjust
from analysis.measure.exposure import analysed_roles
from analysis.measure.scales import rated_scores, scale_of, self_scores
from analysis.pipeline.events import Comparison, compare_directions, economics, missing_parts, promotion, retention
from analysis.pipeline.opened import OpenStudy
from analysis.plan.results import Finding

UNLINKED = (
    "The survey has no person keys, so who took part cannot be told from who did not; a survey that is linked to the "
    "HR records, by a pseudonym at least, would be needed."
)
SCALES = ("H2_morale", "H3_leadership")


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
    compared = compare_directions(comparisons, findings)
    findings = [
        replace(f, alternatives=(*f.alternatives, *compared.get((f.hypothesis, f.program, f.role), ())))
        for f in findings
    ]
    return adjust(findings, opened.study.min_cell)


def _findings(opened: OpenStudy, comparisons: list[Comparison]) -> Iterator[Finding]:
    for program in opened.study.programs:
        answered = []
        for comparison in [c for c in comparisons if c.program.id == program.id]:
            answered.append(retention(comparison))
            yield answered[-1]
            yield from (_scale(opened, comparison.ask(hypothesis)) for hypothesis in SCALES)
            yield promotion(comparison)
        yield economics(opened, program, answered)


def _scale(opened: OpenStudy, ask: Ask) -> Finding:
    construct = ask.hypothesis.construct_name
    reason = missing_parts(opened, ask, needs_dates=False)
    own = self_scores(construct, opened.tables, opened.instruments)
    rated = rated_scores(construct, opened.tables, opened.instruments, "others")
    own, rated = (None if scores is None or scores.empty else scores for scores in (own, rated))
    if own is None and rated is None:
        reason = f"No survey in the study measures {construct}, or nobody answered enough of it to be scored."
        if scale_of(construct, opened.instruments, opened.tables.unlinked_responses) is not None:
            reason = UNLINKED
    if reason:
        return answer_change(ask, Measured(None, reason=reason))
    if construct != "leadership":
        return answer_change(ask, _measured(opened, ask, own, None))
    sources = {
        name: _measured(opened, ask, scores, name)
        for name, scores in (("others", rated), ("self", own))
        if scores is not None
    }
    carried = "others" in sources and ("self" not in sources or others_suffice(sources["others"].panel, rated))
    main = "others" if carried else "self"
    return answer_change(ask, sources[main], tuple(m for name, m in sources.items() if name != main))


def _measured(opened: OpenStudy, ask: Ask, scores: pd.DataFrame, rater_source: str | None) -> Measured:
    study, tables = opened.study, opened.tables
    if ask.program.assignment in ("lottery", "waitlist"):
        lottery = build_lottery(tables, study, ask.program, ask.role, {})
        # Once the wait-list starts nobody is left to compare with: later waves say nothing.
        horizon = int(min(study.horizons_months[0], lottery.waitlist_months))
        return Measured(build_lottery_panel(scores, lottery.rows, horizon), None, rater_source)
    build = (scores, tables, study, ask.program, ask.role)
    return Measured(build_panel(*build), build_panel(*build, placebo=True), rater_source)
