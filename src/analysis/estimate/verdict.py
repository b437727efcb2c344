"""The written rules: a verdict from an interval, and families of hypotheses adjusted together."""

from collections.abc import Iterable
from dataclasses import replace

from statsmodels.stats.multitest import multipletests

from analysis.plan.hypotheses import Hypothesis, load_plan
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


FAMILY_METHODS = {"primary": "holm", "secondary": "fdr_bh"}


def adjust(findings: Iterable[Finding], min_cell: int) -> tuple[Finding, ...]:
    """Return the findings with adjusted p-values on their main rows, across programs and roles.

    Holm over the primary family (H1–H3), Benjamini–Hochberg over the secondary one (H4–H8). Rows of groups under
    `min_cell` are not shown and do not count as tests.
    """
    findings = list(findings)
    for family, method in FAMILY_METHODS.items():
        shown = [i for i, f in enumerate(findings) if _family(f) == family and _is_shown(f.primary, min_cell)]
        if not shown:
            continue
        adjusted = multipletests([findings[i].primary.p_value for i in shown], method=method)[1]
        for i, p in zip(shown, adjusted, strict=True):
            findings[i] = replace(findings[i], primary=replace(findings[i].primary, p_adjusted=float(p)))
    return tuple(findings)


def _family(finding: Finding) -> str:
    return load_plan().hypothesis(finding.hypothesis).family


def _is_shown(row: Estimate, min_cell: int) -> bool:
    return row.is_estimated and min(row.n_treated, row.n_control) >= min_cell
