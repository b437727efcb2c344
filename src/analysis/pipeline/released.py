"""An answer as it may be shown: released, and where asked without effects."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from analysis.pipeline.described import describe, people_flow
from analysis.pipeline.opened import OpenStudy
from analysis.plan.faults import Fault, Part, isolated
from analysis.plan.results import ESTIMATE_NUMBERS, Estimate, Finding
from analysis.release.findings import release_finding, release_frames
from analysis.release.rule import ReleaseRule

# --- blinded ----------------------------------------------------------------------------------------------------------
# A blind answer: everything that a design can be judged by, and no effect.

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
        primary=_without_effects(finding.primary),
        alternatives=tuple(_without_effects(row) for row in finding.alternatives),
        verdict="not_estimable" if is_withheld else finding.verdict,
        verdict_reason="blind" if is_withheld else finding.verdict_reason,
        evidence=evidence,
    )


def _without_effects(row: Estimate) -> Estimate:
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


# --- released ---------------------------------------------------------------------------------------------------------
# Findings and frames through the only door out, each by itself: what a fault takes away does not get out either.


def released_findings(findings: Sequence[Finding], rule: ReleaseRule) -> tuple[Finding, ...]:
    """Return the findings as they may be shown."""
    return tuple(
        isolated(
            Part("analysis", "disclosure control", finding.program, finding.role, finding.hypothesis),
            partial(release_finding, finding, rule),
            partial(_withheld, finding),
        )
        for finding in findings
    )


def _withheld(finding: Finding, fault: Fault) -> Finding:
    """Return a finding of which nothing is shown but that a fault took it away."""
    nothing: dict[str, Any] = dict.fromkeys(ESTIMATE_NUMBERS)
    primary = replace(finding.primary, **nothing, status="not_estimable", reason=fault.reason)
    return replace(
        finding,
        primary=primary,
        alternatives=(),
        checks=(),
        verdict="not_estimable",
        verdict_reason="fault",
        smallest_detectable=None,
        evidence={},
    )


def released_frames(opened: OpenStudy, findings: Sequence[Finding], rule: ReleaseRule) -> dict[str, pd.DataFrame]:
    """Return the frames that describe the study as they may be shown; what a fault takes away is left out.

    Parameters
    ----------
    findings
        As they were found: the participant flow goes on from their own.
    """
    frames = describe(opened)
    flow = isolated(Part("frame", "flow_of_people"), lambda: people_flow(opened, findings), lambda _: None)
    return release_frames(frames | ({} if flow is None else {"flow_of_people": flow}), rule)
