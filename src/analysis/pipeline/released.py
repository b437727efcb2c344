"""Findings and frames through the only door out, each by itself: what a fault takes away does not get out either."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from analysis.pipeline.described import describe
from analysis.pipeline.opened import OpenStudy
from analysis.pipeline.people_flow import people_flow
from analysis.plan.faults import Fault, Part, isolated
from analysis.plan.results import ESTIMATE_NUMBERS, Finding
from analysis.release.findings import release_finding, release_frames
from analysis.release.rule import ReleaseRule


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
