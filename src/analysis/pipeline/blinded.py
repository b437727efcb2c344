"""A blind answer: everything that a design can be judged by, and no effect."""

from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.plan.results import ESTIMATE_NUMBERS, Estimate, Finding

WITHHELD = "Withheld: the report was made blind."
# Who is compared, how alike they are, who answers: known without an outcome.
SHOWN = ("flow", "balance", "balance_by_quarter", "overlap", "missing", "response", "balance_response")
# Scores by wave, and the column that counts waves from the last one before the start, which is 0.
BEFORE_THE_START = {"event_study": "position", "trajectories": "wave_position"}


def blinded(finding: Finding) -> Finding:
    """Return a released finding without its effects: numbers, verdict, and every frame that would tell of them.

    What should be nothing (negative controls, trends before the start) stays, and so does what the study could have
    seen. A suppressed answer stays suppressed.
    """
    is_withheld = finding.primary.is_estimated
    evidence = {name: _before(name, frame) for name, frame in finding.evidence.items() if _may_stay(name)}
    return replace(
        finding,
        primary=_withheld(finding.primary),
        alternatives=tuple(_withheld(row) for row in finding.alternatives),
        verdict="not_estimable" if is_withheld else finding.verdict,
        verdict_reason="blind" if is_withheld else finding.verdict_reason,
        evidence=evidence,
    )


def _withheld(row: Estimate) -> Estimate:
    if not row.is_estimated or row.analysis == "negative_control":
        return row
    nothing: dict[str, Any] = dict.fromkeys(ESTIMATE_NUMBERS)
    return replace(row, **nothing, status="not_estimable", reason=WITHHELD)


def _may_stay(name: str) -> bool:
    return name in SHOWN or name in BEFORE_THE_START


def _before(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    if name not in BEFORE_THE_START:
        return frame
    return frame[frame[BEFORE_THE_START[name]] <= 0].reset_index(drop=True)
