"""The findings ledger: one row per main row, its verdict and what the verdict rests on."""

from collections.abc import Iterable

import pandas as pd

from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Check, Finding, Grade

FINDINGS_COLUMNS = [
    *("study", "program", "hypothesis", "role", "outcome", "rater_source", "row"),
    *("verdict", "verdict_reason", "smallest_effect", "smallest_detectable"),
    *("p_adjusted", "family", "n_family"),
    *("checks_passed", "checks_caution", "checks_failed", "checks_untestable", "failed", "registered"),
]


def findings_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return the findings ledger, columns in the contract's order (``estimates.md``); counts are of checks.

    A suppressed answer has no check left, and its counts are empty. ``registered`` is empty: no plan was registered.
    """
    frame = pd.DataFrame([_line(finding) for finding in findings], columns=FINDINGS_COLUMNS)
    whole = [c for c in FINDINGS_COLUMNS if c.startswith(("n_", "checks_"))]
    numbers = ["smallest_effect", "smallest_detectable", "p_adjusted"]
    return frame.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(numbers, "float64"))


def _line(finding: Finding) -> dict:
    row = finding.primary
    grades: dict[Grade, str] = {"passed": "checks_passed", "caution": "checks_caution", "failed": "checks_failed"}
    grades["untestable"] = "checks_untestable"
    is_shown = finding.verdict != "suppressed"
    counts = {column: len(finding.graded(grade)) if is_shown else None for grade, column in grades.items()}
    return counts | {
        "study": row.study,
        "program": finding.program,
        "hypothesis": finding.hypothesis,
        "role": finding.role,
        "outcome": row.outcome,
        "rater_source": row.rater_source,
        "row": row.row,
        "verdict": finding.verdict,
        "verdict_reason": finding.verdict_reason,
        "smallest_effect": finding.smallest_effect,
        "smallest_detectable": finding.smallest_detectable,
        "p_adjusted": row.p_adjusted,
        "family": load_plan().hypothesis(finding.hypothesis).family,
        "n_family": finding.n_family if is_shown else None,
        "failed": ";".join(_names(finding.graded("failed"))) or None,
        "registered": None,
    }


def _names(checks: Iterable[Check]) -> list[str]:
    """Return the checks' names; ``;`` separates them in a cell."""
    return [check.name.replace(";", ",") for check in checks]
