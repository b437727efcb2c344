"""An answer through the door: its rows, its checks and the frames behind it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from analysis.plan.catalogue import CATALOGUE
from analysis.plan.errors import Problem
from analysis.plan.faults import Part, isolated, known
from analysis.plan.results import Check, Estimate, Estimated, Finding, Suppressed, too_small
from analysis.release.frames import release_frame
from analysis.release.rule import ReleaseRule, to_digits

# How many rows have a value, behind the value in a message.
VALUE_COUNT = re.compile(r" \(\d[\d,]*\)")
PEOPLE = ("n_treated", "n_control")
EVENTS = ("events_treated", "events_control")


def release_estimate(estimate: Estimate, rule: ReleaseRule) -> Estimate:
    """Return the row as it may be shown: suppressed for a small group, else as precise as pages, with rounded counts.

    Few events are rounded like any others and not hidden: the effect tells of them anyway. Finer decimals would tell
    how many people a group has, and two such groups how many lie between them.
    """
    if not isinstance(estimate, Estimated):
        return estimate
    if estimate.smaller_group < rule.min_cell:
        return estimate.suppressed(too_small(rule.min_cell))
    counts: dict[str, Any] = {name: rule.rounded(getattr(estimate, name)) for name in PEOPLE}
    counts |= {name: rule.down(getattr(estimate, name)) for name in EVENTS}
    unit, (low, high) = CATALOGUE.measure(estimate.measure), estimate.limits
    numbers: dict[str, Any] = {
        "estimate": unit.rounded(estimate.estimate),
        "ci_low": unit.limit(low),
        "ci_high": unit.limit(high),
    }
    numbers["std_error"] = to_digits(estimate.std_error, 2)
    p_values = {name: getattr(estimate, name) for name in ("p_value", "p_adjusted")}
    numbers |= {name: None if p is None else round(to_digits(p, 2), 4) for name, p in p_values.items()}
    return replace(estimate, **numbers, **counts)


def release_check(check: Check, rule: ReleaseRule) -> Check:
    """Return the check as it may be shown: its shares of people made of rounded counts, in words where few have it."""
    shares = {name: _share_text(part, whole, rule) for name, (part, whole) in check.shares.items()}
    sentence = check.sentence.format(**shares) if shares else check.sentence
    return replace(check, sentence=sentence, shares={}, p_value=None)


def _share_text(part: int, whole: int, rule: ReleaseRule) -> str:
    if part < rule.min_cell:
        return f"fewer than {rule.min_cell}"
    if whole - part < rule.min_cell:
        return f"all but fewer than {rule.min_cell}"
    return f"{rule.rounded(part) / rule.rounded(whole):.0%}"


def release_frames(
    frames: Mapping[str, pd.DataFrame], rule: ReleaseRule, part: Part | None = None
) -> dict[str, pd.DataFrame]:
    """Return frames as they may be shown, each by itself: one without a schema is left out, and is a fault."""
    made = {
        name: isolated(
            Part("frame", name) if part is None else replace(part, name=name),
            partial(release_frame, name, frame, rule),
            lambda _: None,
        )
        for name, frame in frames.items()
    }
    return {name: frame for name, frame in made.items() if frame is not None}


def release_finding(finding: Finding, rule: ReleaseRule) -> Finding:
    """Return the finding as it may be shown; a suppressed answer takes its figures and checks with it."""
    primary, *others = (release_estimate(estimate, rule) for estimate in finding.estimates)
    part = Part("frame", "", finding.program, finding.role, finding.hypothesis)
    seen, unit = finding.smallest_detectable, CATALOGUE.measure(finding.primary.measure)
    released = replace(
        finding,
        primary=primary,
        alternatives=tuple(others),
        smallest_detectable=None if seen is None else unit.limit(seen),
    )
    if isinstance(primary, Suppressed):
        flow = {name: frame for name, frame in finding.evidence.items() if name == "flow"}
        return replace(
            released,
            checks=(),
            verdict="suppressed",
            verdict_reason="small_group",
            n_family=None,
            smallest_detectable=None,
            evidence=release_frames(flow, rule, part),
        )
    checks = tuple(release_check(check, rule) for check in finding.checks)
    return replace(released, checks=checks, evidence=release_frames(finding.evidence, rule, part))


def release_problems(problems: Iterable[Problem], rule: ReleaseRule) -> tuple[Problem, ...]:
    """Return the data-quality ledger as it may be shown: rows rounded, missing where few, and no line of a file.

    One with an error stays as it is: it stops the study, is for whoever has the files, and no answer stands beside.
    """
    problems = tuple(problems)
    if any(problem.severity == "error" for problem in problems):
        return problems
    return tuple(_released(problem, rule) for problem in problems)


def _released(problem: Problem, rule: ReleaseRule) -> Problem:
    rows = None if 0 < known(problem.rows) < rule.min_cell else rule.down(problem.rows)
    message = VALUE_COUNT.sub("", problem.told or problem.message)
    return replace(problem, rows=rows, message=message, told=None, example_rows=(), lines=None, n_started=0, n_others=0)
