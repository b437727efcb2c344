"""Which analysis answers which hypothesis, for every program and role of a study."""

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from analysis.design.dashboard import ever_vs_never
from analysis.design.lottery import build_lottery
from analysis.design.panels import build_lottery_panel, build_panel
from analysis.design.sources import others_suffice
from analysis.design.trials import build_trials
from analysis.estimate.answer_change import Measured, answer_change
from analysis.estimate.answer_lottery import retention_by_lottery
from analysis.estimate.answer_retention import retention_by_trials, retention_outcome
from analysis.estimate.ask import Ask, unanswered
from analysis.estimate.verdict import adjust_primary
from analysis.measure.exposure import analysed_roles
from analysis.measure.scales import rated_scores, self_scores
from analysis.pipeline.opened import OpenStudy
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Check, Finding

NO_LEVELS = Check(
    "eligible job levels",
    None,
    None,
    None,
    "The study has no job history, so colleagues of every level are taken as eligible; those who started may be of "
    "other levels than their comparators.",
)
HYPOTHESES = ("H1_retention", "H2_morale", "H3_leadership")


def find(opened: OpenStudy) -> tuple[Finding, ...]:
    """Return the findings of H1–H3 for every program and role, before disclosure control.

    Holm's adjustment is over the whole primary family, so all of them are always estimated together.
    """
    return adjust_primary(_findings(opened), opened.study.min_cell)


def _findings(opened: OpenStudy) -> Iterator[Finding]:
    for program in opened.study.programs:
        for role in analysed_roles(opened.tables.enrolments, program.id) or ["any"]:
            retention, *scales = (Ask(opened.study, program, role, load_plan().hypothesis(h)) for h in HYPOTHESES)
            yield _retention(opened, retention)
            yield from (_scale(opened, ask) for ask in scales)


def _missing(opened: OpenStudy, ask: Ask) -> str | None:
    """Return why nothing can be compared, or None."""
    if opened.tables.enrolments is None:
        return "The study has no enrolments, so who took part and when is unknown."
    if ask.role == "any":
        return "Nobody is enrolled in this program as mentor, mentee or participant."
    return None


def _retention(opened: OpenStudy, ask: Ask) -> Finding:
    study, tables = opened.study, opened.tables
    reason = _missing(opened, ask)
    if tables.employees is None:
        reason = "The study has no HR dates (employees), so who left and when is unknown."
    if reason:
        return unanswered(ask, "iptw_aalen_johansen", reason)
    scores = _scores(opened)
    outcome = retention_outcome(tables.employees)
    if ask.program.assignment in ("lottery", "waitlist"):
        return retention_by_lottery(ask, build_lottery(tables, study, ask.program, ask.role, scores), outcome)
    trials = build_trials(tables, study, ask.program, ask.role, scores)
    found = retention_by_trials(ask, trials, ever_vs_never(tables, study, ask.program, ask.role), outcome)
    return found if tables.jobs is not None else replace(found, checks=(NO_LEVELS, *found.checks))


def _scores(opened: OpenStudy) -> dict[str, pd.DataFrame]:
    """Return the scores that serve as covariates, by construct."""
    found = {c: self_scores(c, opened.tables, opened.instruments) for c in ("morale", "leadership")}
    return {construct: scores for construct, scores in found.items() if scores is not None}


def _scale(opened: OpenStudy, ask: Ask) -> Finding:
    construct = ask.hypothesis.construct_name
    reason = _missing(opened, ask)
    own = self_scores(construct, opened.tables, opened.instruments)
    rated = rated_scores(construct, opened.tables, opened.instruments, "others")
    own, rated = (None if scores is None or scores.empty else scores for scores in (own, rated))
    if own is None and rated is None:
        reason = f"No survey in the study measures {construct}, or nobody answered enough of it to be scored."
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
