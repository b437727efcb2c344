"""Every question of a study answered, and the answer as it may be shown, here or outside."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from analysis.design.panels import Panels
from analysis.estimate.analyses import Question, finding_or_fault
from analysis.estimate.by_scores import main_estimator
from analysis.estimate.economics import ESTIMATOR
from analysis.estimate.event_rows import WEIGHTED
from analysis.estimate.verdict import judge
from analysis.pipeline.described import describe, people_flow
from analysis.pipeline.events import (
    Comparison,
    ask_economics,
    compare_directions,
    comparisons,
    economics,
    job_event,
    retention,
)
from analysis.pipeline.opened import OpenStudy, open_study
from analysis.pipeline.provenance import digest, provenance
from analysis.pipeline.recorded import new_release, own_ledger, recorded
from analysis.pipeline.scales import scale, scales_asked
from analysis.plan.faults import Fault, Part, isolated
from analysis.plan.hypotheses import Hypothesis, load_plan
from analysis.plan.registration import with_plan
from analysis.plan.results import Estimate, Estimated, Finding
from analysis.plan.study import Program
from analysis.release.findings import release_finding, release_frames
from analysis.release.outside import capped_rows, shared_rows, without_rows
from analysis.release.record import Kind
from analysis.release.rule import ReleaseRule
from analysis.report.folders import new_folder


def find(opened: OpenStudy) -> tuple[Finding, ...]:
    """Return the findings for every program and role, before disclosure control.

    Adjustments are over whole families of hypotheses, so all of them are always estimated together, and judged last.
    """
    asked = {program.id: comparisons(opened, program) for program in opened.study.programs}
    findings = list(_findings(opened, asked))
    everything = [comparison for those in asked.values() for comparison in those]
    compared = isolated(
        Part("analysis", "directions compared"), lambda: compare_directions(everything, findings), lambda _: {}
    )
    together = tuple(
        replace(f, alternatives=(*f.alternatives, *compared.get((f.hypothesis, f.program, f.role), ())))
        for f in findings
    )
    judged = isolated(Part("analysis", "verdicts"), lambda: judge(together, opened.study.min_cell), lambda _: together)
    return with_plan(judged, opened.plans, opened.study, opened.instruments)


def _findings(opened: OpenStudy, asked: Mapping[str, list[Comparison]]) -> Iterator[Finding]:
    """Yield every main answer; each is made by itself, so that a fault in one leaves the others alone."""
    for program in opened.study.programs:
        answered = []
        for comparison in asked[program.id]:
            answered.append(_retention(comparison))
            yield answered[-1]
            panels = comparison.panels()
            for hypothesis in scales_asked(program, comparison.role):
                yield _scale(comparison.opened, comparison.question(hypothesis), panels)
            for event in load_plan().job_events:
                yield _job_event(comparison, event)
        yield _economics(opened, program, answered)


def _retention(comparison: Comparison) -> Finding:
    return finding_or_fault(comparison.question("H1_retention"), WEIGHTED, lambda: retention(comparison))


def _scale(opened: OpenStudy, question: Question, panels: Panels) -> Finding:
    return finding_or_fault(question, main_estimator(question), lambda: scale(opened, question, panels))


def _job_event(comparison: Comparison, hypothesis: Hypothesis) -> Finding:
    return finding_or_fault(comparison.question(hypothesis.id), WEIGHTED, lambda: job_event(comparison, hypothesis))


def _economics(opened: OpenStudy, program: Program, answered: list[Finding]) -> Finding:
    return finding_or_fault(ask_economics(opened, program), ESTIMATOR, lambda: economics(opened, program, answered))


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
    is_withheld = isinstance(row, Estimated) and row.analysis != "negative_control"
    return row.not_estimable(WITHHELD) if is_withheld else row


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
    return replace(
        finding,
        primary=finding.primary.not_estimable(fault.reason),
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


# --- sharing ----------------------------------------------------------------------------------------------------------
# One study's shared ledger: what may leave the company, for a synthesis, a publication or a foreign reviewer.


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a study is to be shared.

    Attributes
    ----------
    with_naive
        Whether the figures of a dashboard are shared, too, where they leave the number of events ambiguous.
    leave_out
        Ids of rows that are to be suppressed.
    to, reviewed
        For whom it is, and why it may be shown, as in `pipeline.recorded.new_release`.
    """

    with_naive: bool = False
    leave_out: tuple[str, ...] = ()
    to: str = ""
    reviewed: str = ""


def share_study(
    name: str,
    data: Path,
    target: Path,
    say: Callable[[str], None] = print,
    asked: Asked = Asked(),
    record: Path | None = None,
) -> Path:
    """Write the shared ledger of one study into the folder `target`, replaced whole or not at all; return that folder.

    Parameters
    ----------
    record
        The folder with the record of releases; where `target` is if none is given.

    Raises
    ------
    BadInput
        With every problem; nothing is written then. Or the folder cannot be written, a row to be left out is none of
        the ledger, or the difference from an earlier release may be about too few people (`pipeline.recorded`).
    """
    say(f"{name}: reading and checking")
    opened = open_study(name, data)
    say(f"{name}: estimating")
    with new_folder(target, "--out") as folder, sharing(opened, "share", record or target.parent, say, asked) as write:
        write(folder)
    return target


@contextmanager
def sharing(
    opened: OpenStudy, kind: Kind, record: Path, say: Callable[[str], None], asked: Asked
) -> Iterator[Callable[[Path], None]]:
    """Yield what writes a study's shared ledger into a folder, and put it on record when the block ends well.

    Raises
    ------
    BadInput
        A row to be left out is none of the ledger, or the release is refused (`pipeline.recorded.recorded`).
    """
    from analysis.report.write import write_shared  # which draws: whoever only looks at a study does not wait for it

    study, run = opened.study, provenance(opened.study)
    findings = find(opened)
    rows = shared_rows(findings, ReleaseRule.of(study), with_naive=asked.with_naive)
    rows = without_rows(rows, asked.leave_out)
    about = {key: run[key] for key in ("study", "parameters", "versions", "commit")}
    about |= {"digest": digest(study), "capped": capped_rows(findings, rows)}
    release = new_release(kind, [own_ledger(opened, rows)], asked.to, asked.reviewed)
    with recorded(release, record, say):
        yield partial(write_shared, rows, about | shared_facts(opened))


def shared_facts(opened: OpenStudy) -> dict[str, object]:
    """Return what a synthesis needs to know of a study beside its rows, nothing of which is about people.

    That is its sector, how each program was designed, and from where to where the points of a scale go.
    """
    study = opened.study
    design = {
        p.id: {"direction": p.direction, "format": p.format, "assignment": p.assignment.value} for p in study.programs
    }
    about = {"simulated": study.simulated, "sector": study.sector}
    return about | {"programs": design, "scales": _scale_ends(opened)}


def _scale_ends(opened: OpenStudy) -> dict[str, list[float]]:
    """Return the lowest and the highest score by construct of the plan, where all cards that asked about it agree."""
    asked = {hypothesis.construct_name for hypothesis in load_plan().scales}
    used = set() if opened.tables.waves is None else set(opened.tables.waves["instrument"])
    found: dict[str, set[tuple[float, float]]] = {}
    for card in (card for name, card in opened.instruments.items() if name in used):
        for each in card.scales.values():
            times = len(each.items) if each.score == "sum" else 1
            ends = (0.0, 1.0) if each.score == "top_box" else (times * card.response.min, times * card.response.max)
            found.setdefault(each.construct_name, set()).add(ends)
    return {name: list(next(iter(ends))) for name, ends in sorted(found.items()) if name in asked and len(ends) == 1}
