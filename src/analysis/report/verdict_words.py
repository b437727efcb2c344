"""The verdict in words: what decided it, what the checks found, and no claim that the evidence does not carry."""

from analysis.plan.catalogue import CATALOGUE
from analysis.plan.hypotheses import Hypothesis, load_plan
from analysis.plan.results import Check, Finding
from analysis.report.money import money_verdict
from analysis.report.wording import is_event, is_money, is_randomized, number, p_text, trimmed

IN_SHORT = {
    "supported": "which supports the claim",
    "harmful": "which points the wrong way",
    "negligible": "which is less than the smallest effect of interest, in either direction",
    "inconclusive": "which leaves the question open",
}
# A study that can only see effects several times the smallest effect of interest was too small for the question.
FAR_TOO_SMALL = 3

UNRECORDED = (
    "This rests on those who started and their comparators being alike in everything that was not recorded, which no "
    "data can show."
)
# What may be said of a program where a check failed, by the verdict's reason.
CAPPED = {
    "groups_not_comparable": "the groups are not comparable",
    "control_not_null": "a comparison that should show nothing shows a difference",
    "drifting_before_start": "the groups were drifting apart before the start",
    "lottery_not_kept": "the lottery was not kept",
}


def hypothesis_of(finding: Finding) -> Hypothesis:
    """Return the plan's hypothesis that a finding answers."""
    return load_plan().hypothesis(finding.hypothesis)


def smallest_text(finding: Finding) -> str:
    """Return the smallest effect of interest with its unit, e.g. ``3 percentage points``."""
    shown = CATALOGUE.measure(finding.primary.measure)
    return f"{trimmed(shown.scale * finding.smallest_effect, shown.decimals)} {shown.unit}"


def benefit_text(finding: Finding) -> str:
    """Return the smallest benefit of interest, e.g. ``a drop of 3 percentage points or more``."""
    kind = "a drop" if hypothesis_of(finding).claimed_direction < 0 else "a rise"
    return f"{kind} of {smallest_text(finding)} or more"


def in_short(finding: Finding) -> str:
    """Return the verdict as the end of a sentence."""
    if finding.is_capped:
        return f"which leaves the question open: {_briefs(finding.graded('failed'))}"
    if finding.verdict == "no_benefit":
        return f"which speaks against {benefit_text(finding)}"
    if finding.verdict == "inconclusive" and finding.verdict_reason == "adjusted_p":
        return "which leaves the question open, since so many answers were looked at together"
    seen = finding.smallest_detectable or 0.0
    if finding.verdict == "inconclusive" and seen > FAR_TOO_SMALL * finding.smallest_effect:
        size = number(CATALOGUE.measure(finding.primary.measure).scale * seen, 0 if is_event(finding) else 1)
        return f"which leaves the question open: too few people to see a difference of less than about {size} points"
    return IN_SHORT[finding.verdict]


def verdict_sentence(finding: Finding) -> str:
    """Return the verdict in plain words, by the written rule, and what the checks found; empty without an estimate.

    Where effects are withheld, what the checks found stands alone.
    """
    if finding.verdict_reason == "blind":
        return checks_sentence(finding)
    if not finding.primary.is_estimated:
        return ""
    rests = finding.verdict != "inconclusive" and not is_randomized(finding)
    said = (_words(finding), checks_sentence(finding), UNRECORDED if rests else "")
    return " ".join(sentence for sentence in said if sentence)


def _words(finding: Finding) -> str:
    if finding.is_capped:
        return f"Inconclusive, whatever the interval says: {CAPPED[finding.verdict_reason]}."
    if is_money(finding):
        return money_verdict(finding)
    sign = hypothesis_of(finding).claimed_direction
    low, high = sorted(sign * limit for limit in finding.primary.limits)
    makers = {
        "supported": _supported,
        "harmful": _harmful,
        "negligible": _negligible,
        "no_benefit": _no_benefit,
        "inconclusive": _inconclusive,
    }
    return makers[finding.verdict](finding, low, high)


def _supported(finding: Finding, low: float, high: float) -> str:
    return (
        f"Supported: the interval excludes zero, and the estimate reaches the {smallest_text(finding)} "
        f"named beforehand as the smallest effect of interest."
    )


def _harmful(finding: Finding, low: float, high: float) -> str:
    return "Harmful by the written rule: the interval excludes zero, and lies against the claim."


def _negligible(finding: Finding, low: float, high: float) -> str:
    return (
        f"Negligible: the whole interval is closer to zero than the {smallest_text(finding)} named beforehand as the "
        f"smallest effect of interest, in either direction.{_held_back(finding)}"
    )


def _no_benefit(finding: Finding, low: float, high: float) -> str:
    sign = hypothesis_of(finding).claimed_direction
    harm = "Harm of that size is not ruled out."
    if sign * finding.primary.value <= -finding.smallest_effect:
        harm = "The estimate itself is a harm of at least that size."
    start = "there seems to be an effect in the claimed direction, but " if low > 0 else ""
    return (
        f"No benefit: {start}the interval leaves out {benefit_text(finding)}, the smallest effect of interest. {harm}"
        f"{_held_back(finding)}"
    )


def _inconclusive(finding: Finding, low: float, high: float) -> str:
    held_back = _held_back(finding)
    if held_back:
        return f"Inconclusive.{held_back}"
    if low > 0:
        return (
            f"Inconclusive: the interval excludes zero, but the estimate falls short of "
            f"{benefit_text(finding)}, which the interval still allows."
        )
    harm = " Harm of that size is not ruled out either." if low <= -finding.smallest_effect else ""
    return f"Inconclusive: the interval holds both no difference and {benefit_text(finding)}.{harm}"


def _held_back(finding: Finding) -> str:
    """Return why the adjusted p kept the verdict from being more; empty where it did not."""
    if finding.verdict_reason != "adjusted_p":
        return ""
    together = f", adjusted for {finding.n_family} answers looked at together," if finding.n_family else ""
    return f" The interval excludes zero, but the p-value{together} does not ({p_text(finding.primary.p_adjusted)})."


def checks_sentence(finding: Finding) -> str:
    """Return how many checks failed or call for caution, and what they found; empty where nothing could be tested."""
    n_tested = len(finding.checks) - len(finding.graded("untestable"))
    if not n_tested:
        return ""
    failed, careful = finding.graded("failed"), finding.graded("caution")
    checks = "check" if n_tested == 1 else "checks"
    said = [f"Of {n_tested} {checks} none failed."]
    if failed:
        said = [f"{len(failed)} of {n_tested} {checks} failed: {_briefs(failed)}."]
    if careful:
        said.append(f"{len(careful)} {'calls' if len(careful) == 1 else 'call'} for caution: {_briefs(careful)}.")
    return " ".join(said)


def _briefs(checks: tuple[Check, ...]) -> str:
    return "; ".join(dict.fromkeys(check.brief or f"not so: {check.name}" for check in checks))
