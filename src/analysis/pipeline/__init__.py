"""One study, from raw files to released report: the scientific story on one screen."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from analysis.pipeline.described import describe
from analysis.pipeline.opened import OpenStudy, open_study
from analysis.pipeline.people_flow import people_flow
from analysis.pipeline.provenance import provenance
from analysis.pipeline.questions import find
from analysis.pipeline.shared import blind_run, is_blind_run, shared, shared_answer
from analysis.plan.errors import BadInput
from analysis.plan.paths import STUDY_NAME
from analysis.plan.study import Study, load_study
from analysis.release.answer import Released
from analysis.release.blind import blinded
from analysis.release.disclosure import release_described, release_finding
from analysis.report.execute import execute_notebooks
from analysis.report.write import new_folder, write_answers, write_bad_input

__all__ = ["OpenStudy", "answer", "open_study", "report_study"]


def answer(opened: OpenStudy) -> Released:
    """Return everything that may be shown of a study: its findings, who is in the data, and what was repaired.

    In a notebook of `report_study` it is the answer that the run has found already. In a blind run no effect is in it.
    """
    found = shared_answer(opened.study)
    if found is not None:
        return found
    started = time.monotonic()
    min_cell = opened.study.min_cell
    findings = tuple(release_finding(finding, min_cell) for finding in find(opened))
    is_blind = is_blind_run()
    if is_blind:
        findings = tuple(blinded(finding) for finding in findings)
    frames = describe(opened) | {"flow_of_people": people_flow(opened, findings)}
    described = {name: release_described(name, frame, min_cell) for name, frame in frames.items()}
    times = {
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - started, 1),
    }
    return Released(
        study=opened.study,
        findings=findings,
        problems=tuple(replace(problem, lines=None) for problem in opened.problems),
        described=described,
        run=provenance(opened.study) | times | ({"blind": True} if is_blind else {}),
    )


def _study_of(name: str, data: Path) -> Study | None:
    """Return the study whose input is bad; None where its own file is what is bad."""
    try:
        return load_study(name, data)
    except BadInput:
        return None


def report_study(
    name: str,
    data: Path,
    reports: Path,
    jobs: int = 1,
    say: Callable[[str], None] = print,
    is_blind: bool = False,
) -> Path:
    """Make the report of one study: ``reports/<name>/``, replaced whole or not at all. Return that folder.

    Blind, it holds everything but the effects.

    Raises
    ------
    BadInput
        With every problem; the folder then holds the data-quality ledger and the page on the data alone, so that no
        older answer is taken for an answer from the data as they now are.
    """
    try:
        say(f"{name}: reading and checking")
        opened = open_study(name, data)
    except BadInput as bad:
        if STUDY_NAME.fullmatch(name) and (data / name).is_dir():
            with new_folder(reports / name) as folder:
                write_bad_input(bad, name, folder, _study_of(name, data))
        raise
    say(f"{name}: estimating")
    with blind_run(is_blind):
        released = answer(opened)
    with new_folder(reports / name) as folder:
        say(f"{name}: writing the report")
        write_answers(released, folder)
        # A scale that nobody was asked about is told on the page, and needs no notebook to say so again.
        scales = {f.hypothesis for f in released.findings if f.verdict_reason != "too_little_data"}
        with shared(released):
            execute_notebooks(
                name, data, folder / "notebooks", jobs, lambda done: say(f"{name}: {done}"), scales=scales
            )
    return reports / name
