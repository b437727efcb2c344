"""The written rules: families of hypotheses adjusted together, then verdicts that are no better than their evidence."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from analysis.estimate.diagnostics import settle_controls
from analysis.estimate.inference import adjusted_p
from analysis.plan.faults import known
from analysis.plan.hypotheses import Hypothesis, load_plan
from analysis.plan.results import (
    Answered,
    Check,
    Estimate,
    Estimated,
    Finding,
    NotEstimable,
    Reason,
    Suppressed,
    Verdict,
    is_shown,
)

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
    if isinstance(estimate, Suppressed):
        return Judgement("suppressed", "small_group")
    if isinstance(estimate, NotEstimable):
        is_fault = estimate.reason.startswith("A fault in this program")
        return Judgement("not_estimable", "fault" if is_fault else "too_little_data")
    failed = next((check.caps for check in checks if check.grade == "failed"), None)
    if failed:
        return Judgement("inconclusive", failed)
    p = estimate.p_adjusted if p_adjusted is None else p_adjusted
    return by_numbers(estimate, hypothesis, smallest_effect, p)


def by_numbers(estimate: Answered, hypothesis: Hypothesis, smallest_effect: float, p: float | None) -> Judgement:
    """Return what the interval and the adjusted p say; ``adjusted_p`` is the reason where p alone held it back."""
    sign = hypothesis.claimed_direction
    low, high = sorted(sign * limit for limit in estimate.limits)
    is_arithmetic = hypothesis.family == ARITHMETIC
    passes = p is not None and p < load_plan().diagnostics.alpha
    gains = low > 0 and sign * estimate.estimate >= smallest_effect
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
        of_family = {n: f.primary for n, f in enumerate(findings) if _family(f) == family}
        rows = {n: row for n, row in of_family.items() if is_shown(row, min_cell)}
        if not rows:
            continue
        adjusted = adjusted_p([known(row.p_value) for row in rows.values()], method)
        for (n, row), p in zip(rows.items(), adjusted, strict=True):
            findings[n] = replace(findings[n], primary=replace(row, p_adjusted=float(p)), n_family=len(rows))
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
    if not failed or not isinstance(finding.primary, Estimated):
        return finding
    briefs = "; ".join(dict.fromkeys(check.brief for _, check in failed))
    sentence = f"The sum rests on the answers on retention, of which a check failed: {briefs}."
    inherited = Check(RESTS_ON, False, None, None, sentence, grade="failed", brief=briefs, caps=failed[0][1].caps)
    return replace(finding, checks=(*finding.checks, inherited))


def _judged(finding: Finding, retention: list[Finding]) -> Finding:
    hypothesis = load_plan().hypothesis(finding.hypothesis)
    rows = [f.primary for f in retention if f.program == finding.program]
    p = [row.p_adjusted for row in rows if isinstance(row, Estimated) and row.p_adjusted is not None]
    found = verdict(finding.primary, hypothesis, finding.smallest_effect, finding.checks, min(p, default=None))
    return replace(finding, verdict=found.verdict, verdict_reason=found.reason)


def _family(finding: Finding) -> str:
    return load_plan().hypothesis(finding.hypothesis).family
