"""Sentences made from numbers: what was found, in words that claim no more than the interval allows."""

from collections.abc import Sequence

from analysis.plan.catalogue import CATALOGUE
from analysis.plan.hypotheses import load_plan
from analysis.plan.known import known
from analysis.plan.results import Estimate, Finding
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report.dashboard import naive_sentence
from analysis.report.money import money_detectable, money_sentence
from analysis.report.verdict_words import in_short, smallest_text, verdict_sentence
from analysis.report.wording import (
    amount,
    comparators,
    event_words,
    is_blind,
    is_event,
    is_money,
    is_randomized,
    level_text,
    limit_texts,
    number,
    outcome_name,
    percent,
    program_phrase,
    role_phrase,
    value_text,
)

__all__ = [
    "detectable_sentence",
    "finding_sentence",
    "naive_sentence",
    "outcome_note",
    "three_sentences",
    "verdict_sentence",
]

MAIN_HYPOTHESES = ("H1_retention", "H2_morale", "H3_leadership")

_SURVEY = "a survey that measures {}, linked to people, with a wave before the start and one after it"
NEEDED = {
    "H1_retention": "HR dates of hire and exit for the whole workforce, the start dates of the program, and colleagues "
    "who could have started and had not",
    "H2_morale": _SURVEY.format("morale"),
    "H3_leadership": "a survey or multi-rater feedback on leadership, linked to people, with a wave before the start "
    "and one after it",
    "H4_digital_fluency": _SURVEY.format("digital fluency"),
    "H5_cross_generational": _SURVEY.format("how people of different ages and levels get on"),
    "H6_idea_sharing": _SURVEY.format("the sharing of ideas"),
    "H7_recognition": _SURVEY.format("recognition"),
    "H8_promotion": "job levels by date for the whole workforce, the start dates of the program, and colleagues who "
    "could have started and had not",
    "H9_economics": "an answer on retention for every role of the program, what replacing a leaver costs, and what the "
    "program costs",
}


def three_sentences(released: Released) -> tuple[str, ...]:
    """Return the answers, a sentence each for retention, morale and leadership, with every program and role."""
    findings, study = released.findings, released.study
    return tuple(_answer(h, [f for f in findings if f.hypothesis == h], study) for h in MAIN_HYPOTHESES)


def _answer(hypothesis_id: str, findings: Sequence[Finding], study: Study) -> str:
    title = load_plan().hypothesis(hypothesis_id).title
    clauses, told = [], set()
    for finding in sorted(findings, key=lambda f: not f.primary.is_estimated):
        clauses.append(_short_clause(finding, study) if finding.program in told else _clause(finding, study))
        told.add(finding.program)
    if any(is_blind(f) for f in findings):
        return f"{title}: withheld, because this report was made blind."
    if not any(f.primary.is_estimated for f in findings):
        reasons = dict.fromkeys(_lower_first(known(f.primary.reason).rstrip(".")) for f in findings)
        said = "; ".join(reasons) if reasons else "nobody was enrolled in a program"
        return f"{title}: this study cannot say, because {said}."
    return f"{title}: {'; '.join(clauses)}."


def _clause(finding: Finding, study: Study) -> str:
    if not finding.primary.is_estimated:
        return _short_clause(finding, study)
    return f"{_lower_first(_statement(finding, study))} {_interval(finding)}, {in_short(finding)}"


def _short_clause(finding: Finding, study: Study) -> str:
    """Return the clause of a further role of a program that the sentence has named already."""
    program, estimate = study.program(finding.program), finding.primary
    of_program = f" of {program_phrase(program)}" if len(study.programs) > 1 else ""
    who = role_phrase(program, finding.role) + of_program
    if estimate.status == "suppressed":
        return f"for {who} a group is too small to be shown"
    if not estimate.is_estimated:
        return f"for {who} it cannot be estimated"
    if not is_event(finding):
        return f"for {who} the difference was {value_text(estimate)} {_interval(finding)}, {in_short(finding)}"
    whom = f"people offered a place as {who}" if is_randomized(finding) else who
    size = amount(estimate.value, estimate, "points less often", "points more often", none="just as often")
    return f"{whom} did so {size} {_interval(finding)}, {in_short(finding)}"


def _interval(finding: Finding) -> str:
    return f"({level_text(finding.primary)} interval {' to '.join(_limits(finding))})"


def _limits(finding: Finding) -> tuple[str, str]:
    """Return both ends of the interval: in words for events, where a minus is easily misread, signed for scores."""
    estimate = finding.primary
    if is_event(finding):
        low, high = estimate.limits
        return _often(low, estimate), _often(high, estimate)
    return limit_texts(estimate)


def _often(x: float, estimate: Estimate) -> str:
    return amount(x, estimate, "less often", "more often")


def finding_sentence(finding: Finding, study: Study) -> str:
    """Return what was found for one program and role, with its interval; or why there is no number."""
    if not finding.primary.is_estimated:
        return _no_number(finding, study)
    if is_money(finding):
        return money_sentence(finding, study)
    low, high = _limits(finding)
    return f"{_statement(finding, study)}; the {level_text(finding.primary)} interval runs from {low} to {high}."


def _statement(finding: Finding, study: Study) -> str:
    """Return the estimate in words, without its interval and without a full stop."""
    estimate = finding.primary
    who, others = subject(finding, study)
    if is_event(finding):
        verb = event_words(estimate).did
        size = amount(estimate.value, estimate, "less often", "more often", none="just as often", name=True)
        link = "as" if size == "just as often" else "than"
        return f"{who} {verb} {size} within {estimate.horizon_months} months {link} {others}"
    scored = f"the {_construct(finding)} of {_lower_first(who)}"
    if is_randomized(finding):
        size = amount(estimate.value, estimate, "lower", "higher", none="the same", name=True)
        compared = f"{size} {'as' if size == 'the same' else 'than'} that of {others}"
        return f"Earlier scores taken into account, {scored} was afterwards {compared}"
    size = amount(estimate.value, estimate, "down", "up", none="neither up nor down", name=True)
    return f"Relative to {others}, {scored} moved {size}"


def subject(finding: Finding, study: Study) -> tuple[str, str]:
    """Return who is compared with whom, in words."""
    program = study.program(finding.program)
    role = role_phrase(program, finding.role)
    if is_randomized(finding):
        place = "" if finding.role in ("participant", "any") else f" as {role}"
        return f"People offered a place in {program_phrase(program)}{place}", "those not offered one"
    had_not = " who had not started" if is_event(finding) else ""
    return (
        f"{role[0].upper()}{role[1:]} who started {program_phrase(program)}",
        f"{comparators(finding)}{had_not}",
    )


def _construct(finding: Finding) -> str:
    outcome = outcome_name(finding.primary.outcome)
    source = finding.primary.rater_source
    return f"{CATALOGUE.rater_source(source)} {outcome} score" if source else outcome


def _no_number(finding: Finding, study: Study) -> str:
    reason = known(finding.primary.reason)
    if is_blind(finding):
        return reason
    if finding.primary.status == "suppressed":
        return f"Not shown: {_lower_first(reason)} At least {study.min_cell} people in each group would be needed."
    if any(said in reason for said in ("need", "would have", "later data lock")):
        return f"Cannot be estimated: {_lower_first(reason)}"
    return f"Cannot be estimated: {_lower_first(reason)} What would be needed: {NEEDED[finding.hypothesis]}."


def detectable_sentence(finding: Finding) -> str:
    """Return the smallest effect that the study could have seen, to be read before any p-value; empty without one."""
    if finding.smallest_detectable is None:
        return ""
    if is_money(finding):
        return money_detectable(finding)
    shown = CATALOGUE.measure(finding.primary.measure)
    size = number(shown.scale * finding.smallest_detectable, shown.decimals)
    beside = "more" if finding.smallest_detectable > finding.smallest_effect else "no more"
    return (
        f"This study could have seen a difference of about {size} {shown.unit} with {percent(0.8)} power; it would "
        f"probably have missed an effect half that size. That is {beside} than the {smallest_text(finding)} named "
        f"beforehand as the smallest effect of interest."
    )


def outcome_note(finding: Finding) -> str:
    """Return why exits of every kind are counted where voluntary ones cannot be told apart; empty otherwise."""
    if finding.primary.outcome != "any_exit":
        return ""
    return "For more than a tenth of exits the kind is not recorded, so exits of every kind are counted."


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
