"""The written rules: a verdict from an interval, and families of hypotheses adjusted together."""

from collections.abc import Iterable
from dataclasses import replace

from statsmodels.stats.multitest import multipletests

from analysis.plan.hypotheses import Hypothesis
from analysis.plan.results import Estimate, Finding, Verdict


def verdict(estimate: Estimate, hypothesis: Hypothesis, smallest_effect: float) -> Verdict:
    """Return the verdict by the rule of the plan, never from p alone.

    ``harmful``: the interval excludes zero against the claim; ``supported``: it excludes zero in the claimed
    direction and the estimate reaches the smallest effect of interest; ``not supported``: it excludes the smallest
    effect; ``inconclusive``: otherwise.
    """
    if not estimate.is_estimated:
        return "suppressed" if estimate.status == "suppressed" else "not estimable"
    sign = hypothesis.claimed_direction
    low, high = sorted((sign * estimate.ci_low, sign * estimate.ci_high))
    if high < 0:
        return "harmful"
    if low > 0 and sign * estimate.estimate >= smallest_effect:
        return "supported"
    return "not supported" if high < smallest_effect else "inconclusive"


def adjust_primary(findings: Iterable[Finding], min_cell: int) -> tuple[Finding, ...]:
    """Return the findings with Holm-adjusted p-values on the H1–H3 main rows, across programs and roles.

    Rows of groups under `min_cell` are not shown and do not count as tests.
    """
    findings = tuple(findings)
    shown = [
        i
        for i, f in enumerate(findings)
        if f.primary.is_estimated
        and f.primary.analysis == "primary"
        and min(f.primary.n_treated, f.primary.n_control) >= min_cell
    ]
    if not shown:
        return findings
    adjusted = multipletests([findings[i].primary.p_value for i in shown], method="holm")[1]
    by_index = dict(zip(shown, adjusted, strict=True))
    return tuple(
        replace(f, primary=replace(f.primary, p_adjusted=float(by_index[i]))) if i in by_index else f
        for i, f in enumerate(findings)
    )
