"""The written rules: families of hypotheses adjusted together, then verdicts that are no better than their evidence."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from analysis.estimate.diagnostics import is_shown, settle_controls
from analysis.estimate.inference import adjusted_p
from analysis.plan.faults import known
from analysis.plan.hypotheses import Hypothesis, load_plan
from analysis.plan.results import Check, Estimate, Finding, Reason, Verdict

FAMILY_METHODS = {"primary": "holm", "secondary": "fdr_bh"}
ARITHMETIC = "arithmetic"
RESTS_ON = "the answers on retention that this is arithmetic on"


@dataclass(frozen=True)
class Judgement:
    """A verdict, and what decided it."""

    verdict: Verdict
    reason: Reason


def verdict(
    estimate: Estimate,
    hypothesis: Hypothesis,
    smallest_effect: float,
    checks: Iterable[Check] = (),
    p_adjusted: float | None = None,
) -> Judgement:
    """Return the verdict by the rule of the plan (``data/hypotheses.yaml``), never from p alone.

    Parameters
    ----------
    checks
        Graded; a failed one leaves the question open, whatever the numbers say.
    p_adjusted
        In place of the row's own, where that has none: of the retention that an arithmetic row rests on.
    """
    if estimate.status == "suppressed":
        return Judgement("suppressed", "small_group")
    if not estimate.is_estimated:
        is_fault = known(estimate.reason).startswith("A fault in this program")
        return Judgement("not_estimable", "fault" if is_fault else "too_little_data")
    failed = next((check.caps for check in checks if check.grade == "failed"), None)
    if failed:
        return Judgement("inconclusive", failed)
    p = estimate.p_adjusted if p_adjusted is None else p_adjusted
    return by_numbers(estimate, hypothesis, smallest_effect, p)


class Answer(Protocol):
    """A number with its interval: an estimate of a study, or one pooled over many."""

    @property
    def value(self) -> float:
        """The number."""
        ...

    @property
    def limits(self) -> tuple[float, float]:
        """Both ends of its interval."""
        ...


def by_numbers(estimate: Answer, hypothesis: Hypothesis, smallest_effect: float, p: float | None) -> Judgement:
    """Return what the interval and the adjusted p say; ``adjusted_p`` is the reason where p alone held it back."""
    sign = hypothesis.claimed_direction
    low, high = sorted(sign * limit for limit in estimate.limits)
    is_arithmetic = hypothesis.family == ARITHMETIC
    passes = p is not None and p < load_plan().diagnostics.alpha
    gains = low > 0 and sign * estimate.value >= smallest_effect
    # Money lost is told as such ("costs more than it saves"), and is no harm to anybody.
    harms = high < 0 and not is_arithmetic
    if passes and (gains or harms):
        return Judgement("supported" if gains else "harmful", "interval")
    reason: Reason = "adjusted_p" if gains or harms else "interval"
    if -smallest_effect < low and high < smallest_effect:
        return Judgement("negligible", reason)
    return Judgement("no_benefit" if high < smallest_effect else "inconclusive", reason)


def adjust(findings: Iterable[Finding], min_cell: int) -> tuple[Finding, ...]:
    """Return the findings with adjusted p-values on their main rows, across programs and roles.

    Holm over the primary family (H1–H3), Benjamini–Hochberg over the secondary one (H4–H8). Rows of groups under
    `min_cell` are not shown and do not count as tests.
    """
    findings = list(findings)
    for family, method in FAMILY_METHODS.items():
        shown = [i for i, f in enumerate(findings) if _family(f) == family and is_shown(f.primary, min_cell)]
        if not shown:
            continue
        adjusted = adjusted_p([known(findings[i].primary.p_value) for i in shown], method)
        for i, p in zip(shown, adjusted, strict=True):
            primary = replace(findings[i].primary, p_adjusted=float(p))
            findings[i] = replace(findings[i], primary=primary, n_family=len(shown))
    return tuple(findings)


def judge(findings: Iterable[Finding], min_cell: int) -> tuple[Finding, ...]:
    """Return the findings of a study with adjusted p-values, settled checks and, by these, their verdicts."""
    found = adjust(settle_controls(findings, min_cell), min_cell)
    retention = [f for f in found if f.hypothesis == "H1_retention"]
    return tuple(
        _judged(_arithmetic(f, retention), retention) if _family(f) == ARITHMETIC else _judged(f, []) for f in found
    )


def _arithmetic(finding: Finding, retention: list[Finding]) -> Finding:
    """Return an answer made by arithmetic, which fails where one of the answers on retention that it rests on does."""
    failed = [(f, c) for f in retention if f.program == finding.program for c in f.graded("failed")]
    if not failed or not finding.primary.is_estimated:
        return finding
    briefs = "; ".join(dict.fromkeys(check.brief for _, check in failed))
    sentence = f"The sum rests on the answers on retention, of which a check failed: {briefs}."
    inherited = Check(RESTS_ON, False, None, None, sentence, grade="failed", brief=briefs, caps=failed[0][1].caps)
    return replace(finding, checks=(*finding.checks, inherited))


def _judged(finding: Finding, retention: list[Finding]) -> Finding:
    hypothesis = load_plan().hypothesis(finding.hypothesis)
    p = [
        f.primary.p_adjusted
        for f in retention
        if f.program == finding.program and f.primary.is_estimated and f.primary.p_adjusted is not None
    ]
    found = verdict(finding.primary, hypothesis, finding.smallest_effect, finding.checks, min(p, default=None))
    return replace(finding, verdict=found.verdict, verdict_reason=found.reason)


def _family(finding: Finding) -> str:
    return load_plan().hypothesis(finding.hypothesis).family
