"""Sentences about findings: their words are in the templates, what they may name in `facts`."""

from collections.abc import Sequence

from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Estimate, Finding
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report.facts import at_first_horizon, facts, ways
from analysis.report.template import say, say_each
from analysis.report.wording import hypothesis_title, is_blind, is_money, is_randomized, is_scale, role_phrase

MAIN_HYPOTHESES = ("H1_retention", "H2_morale", "H3_leadership")
# The one assumption that the arithmetic of money rests on, as `estimate.economics` names its check.
ASSUMPTION = "what an exit costs"


def three_sentences(released: Released) -> tuple[str, ...]:
    """Return the answers, a sentence each for retention, morale and leadership, with every program and role."""
    findings, study = released.findings, released.study
    return tuple(_answer(h, [f for f in findings if f.hypothesis == h], study) for h in MAIN_HYPOTHESES)


def _answer(hypothesis: str, findings: Sequence[Finding], study: Study) -> str:
    """Return the answers to a hypothesis in one sentence, those with a number first."""
    ordered = sorted(findings, key=lambda f: not f.primary.is_estimated)
    programs = [f.program for f in ordered]
    told = [facts(f, study) | {"is_first_of_program": programs.index(f.program) == n} for n, f in enumerate(ordered)]
    return say("answer.in_one_sentence", load_plan().hypothesis(hypothesis).title, told)


def finding_sentence(finding: Finding, study: Study) -> str:
    """Return what was found for one program and role, with its interval; or why there is no number."""
    return say("answer.finding", facts(finding, study))


def detectable_sentence(finding: Finding) -> str:
    """Return the smallest effect that the study could have seen, to be read before any p-value; empty without one."""
    return say("answer.detectable", facts(finding))


def outcome_note(finding: Finding) -> str:
    """Return why exits of every kind are counted where voluntary ones cannot be told apart; empty otherwise."""
    return say("answer.note", facts(finding))


def verdict_sentence(finding: Finding) -> str:
    """Return the verdict in plain words, by the written rule, and what the checks found; empty without an estimate."""
    return say("verdict.sentence", facts(finding))


def checks_sentence(finding: Finding) -> str:
    """Return how many checks failed or call for caution, and what they found; empty where nothing could be tested."""
    return say("verdict.checks", facts(finding))


def naive_sentence(finding: Finding) -> str:
    """Return what a dashboard would show, and what is left of it once the comparison is fair; empty without either."""
    return say("dashboard.naive", facts(finding))


def events_text(estimate: Estimate, points: str = "percentage points") -> str:
    """Return a difference in events in words, e.g. ``4.4 percentage points fewer exits``."""
    return say("dashboard.events", estimate, points)


def step(before: Estimate, after: Estimate) -> str:
    """Return what a correction did to the figure, from the numbers as they are shown: points off, on, or a turn."""
    return say("dashboard.step", before, after)


def break_even_sentence(finding: Finding) -> str:
    """Return how many exits the program must avoid to pay for itself; empty where that cannot be told."""
    return say("money.break_even", facts(finding))


def assumption_sentence(finding: Finding) -> str:
    """Return what an exit and the program are taken to cost; empty where the study does not say."""
    return next((check.sentence for check in finding.checks if check.name == ASSUMPTION), "")


def money_title(finding: Finding, study: Study) -> str:
    """Return the net benefit, and on which side of breaking even its interval lies."""
    return say("money.title", facts(finding, study))


def ways_title(finding: Finding) -> str:
    """Return what all ways together say: how far the estimates lie apart and how many intervals hold no difference."""
    return say("robustness.ways_title", facts(finding), at_first_horizon(finding))


def ways_sentence(finding: Finding) -> str:
    """Return what all ways say, and how far to trust it; empty where the answer was made in one way only."""
    found = ways(finding)
    marked = {way.row.estimator: way.record for way in found if way.is_marked}
    rows = [way.row for way in found if way.kind != "horizon"]
    return say("robustness.ways", facts(finding), rows, list(marked.values()))


def e_value_sentence(finding: Finding) -> str:
    """Return how strong something unrecorded would have to be to explain the answer away; empty where nobody asked."""
    return say("robustness.e_value", facts(finding))


def measure_sentences(finding: Finding) -> list[str]:
    """Return the same contrast in other measures, at the first horizon: days and ratios, or standard deviations."""
    return say_each("robustness.measures", facts(finding))


def control_sentences(finding: Finding) -> list[str]:
    """Return the comparisons that should show nothing, and whether they do; then what a dashboard shows there."""
    return say_each("robustness.controls", facts(finding))


def limits(released: Released) -> list[str]:
    """Return, in sentences, what this study cannot tell; which of them apply depends on its design and its gaps."""
    findings = released.findings
    answered = [f for f in findings if f.primary.is_estimated]
    told = {f.hypothesis for f in answered}
    apply = {
        "is_blind": any(is_blind(f) for f in findings),
        "is_simulated": released.study.simulated,
        "is_answered": bool(answered),
        "has_choice": any(not is_randomized(f) for f in answered),
        "has_lottery": any(is_randomized(f) for f in answered),
        "has_scales": any(is_scale(f) for f in answered),
        "has_money": any(is_money(f) for f in answered),
        "silent": list(dict.fromkeys(hypothesis_title(f).lower() for f in findings if f.hypothesis not in told)),
    }
    return say_each("limits.limits", apply)


def comparators(finding: Finding) -> str:
    """Return what the comparators are called; after a failed check nobody calls them comparable."""
    return say("names.comparators", facts(finding))


def label(finding: Finding, study: Study) -> str:
    """Return whom a finding is about: ``Genius Clinic: mentors (the juniors)``; the program alone where it is all."""
    program = study.program(finding.program)
    return program.name if is_money(finding) else f"{program.name}: {role_phrase(program, finding.role)}"


def short_label(finding: Finding, study: Study) -> str:
    """Return whom a finding is about on a page of its own: the role alone where the study has one program."""
    return label(finding, study) if len(study.programs) > 1 else say("names.in_a_label", facts(finding, study))
