"""One study, from raw files to released report: the scientific story on one screen."""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from analysis.answers.cache import AnswerCache
from analysis.answers.shared import blind_run, is_blind_run, shared, shared_answer
from analysis.pipeline.opened import OpenStudy, open_study
from analysis.pipeline.planned import plan
from analysis.pipeline.provenance import provenance
from analysis.pipeline.released import blinded, find, released_findings, released_frames
from analysis.plan.errors import BadInput, Listed, Problem
from analysis.plan.faults import Faults, Part, collected, collecting, isolated, known
from analysis.plan.paths import STUDY_NAME
from analysis.plan.read_study import load_study
from analysis.plan.registration import registration_facts
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.release.findings import release_problems
from analysis.release.planning import ReleasedPlan
from analysis.release.rule import ReleaseRule
from analysis.report.drawn import DRAWN
from analysis.report.folders import new_folder
from analysis.report.private import private_dir, write_private

__all__ = ["OpenStudy", "answer", "open_study", "report_study"]


def answer(opened: OpenStudy) -> Released:
    """Return everything that may be shown of a study: its findings, who is in the data, and what was repaired.

    Every analysis runs by itself: what a fault of this program takes away says so, and is listed in ``faults``. In a
    notebook of `report_study` it is the answer that the run has found already. In a blind run no effect is in it.
    """
    known_already = shared_answer(opened.study.folder)
    if known_already is not None:
        return known_already
    started = time.monotonic()
    is_blind = is_blind_run()
    with collecting(Faults(opened.study.study)) as faults:
        rule, found = ReleaseRule.of(opened.study), find(opened)
        findings = released_findings(found, rule)
        if is_blind:
            findings = tuple(blinded(finding) for finding in findings)
        described = released_frames(opened, found, rule)
    times = {
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - started, 1),
    }
    return Released(
        study=opened.study,
        findings=findings,
        problems=_ledger(opened),
        described=described,
        run=provenance(opened.study) | registration_facts(opened.plans) | times | ({"blind": True} if is_blind else {}),
        faults=tuple(faults.found),
    )


def _ledger(opened: OpenStudy) -> tuple[Problem, ...]:
    """Return the data-quality ledger of a study that can be answered, as it may be shown."""
    return release_problems(opened.problems, ReleaseRule.of(opened.study))


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
    faults: Faults | None = None,
    is_blind: bool = False,
    tell: Callable[[tuple[Listed, ...]], None] = lambda _: None,
    report: str | None = None,
    parts: Mapping[str, str] | None = None,
    with_png: bool = False,
    with_pdf: bool = False,
    time_limit: float | None = None,
) -> Path:
    """Make the report of one study: ``reports/<name>/``, replaced whole or not at all. Return that folder.

    Parameters
    ----------
    faults
        Where faults of this program are to be collected; each leaves the other parts of the report alone.
    is_blind
        Everything but the effects is in it.
    jobs
        Processes that draw, and notebooks that run, at once.
    tell
        Is given what became of the lists of participants, in exact numbers: for the terminal, and for no file.
    report
        The report's folder, where it is not called like the study.
    parts
        What the report is made from (`runs.made_from`), to be remembered.
    with_png
        Whether each figure is a PNG file, too, beside SVG.
    with_pdf
        Whether the pages are one PDF, too (`report.pdf`).
    time_limit
        Seconds that a notebook may take; None for the usual limit.

    Raises
    ------
    BadInput
        With every problem; the folder then holds the data-quality ledger and the page on the data alone, so that no
        older answer is taken for an answer from the data as they now are. Or the folder cannot be written.
    """
    # What draws and what runs notebooks takes seconds to import: those who only look at a study do not wait for it.
    from analysis.report.write import write_answers, write_pdf, write_stopped

    target = reports / (report or name)
    with collecting(Faults(name) if faults is None else faults), blind_run(is_blind):
        opened = isolated(Part("analysis", "reading"), lambda: _opened(name, data, target, say), lambda _: None)
        if opened is not None:
            tell(opened.tables.lists)
        say(f"{target.name}: estimating")
        released = None
        if opened is not None:
            released = isolated(Part("analysis", "answer"), lambda: answer(opened), lambda _: None)
        with new_folder(target) as folder:
            say(f"{target.name}: writing the report")
            if opened is None or released is None:
                study, problems = (None, None) if opened is None else (opened.study, _ledger(opened))
                write_stopped(target.name, study, problems, folder)
                return target
            DRAWN.clear()  # pictures of another company are not for this one's kernels
            released = replace(released, run=dict(released.run) | ({"made_from": dict(parts)} if parts else {}))
            write_answers(released, folder, with_png, jobs)
            _run_notebooks(
                opened, released, data, reports, folder, jobs, lambda done: say(f"{target.name}: {done}"), time_limit
            )
            if with_pdf:
                say(f"{target.name}: writing the PDF")
                write_pdf(released, folder)
    return target


def _opened(name: str, data: Path, target: Path, say: Callable[[str], None]) -> OpenStudy:
    """Open a study; where its input is bad, write what is left of a report and raise."""
    try:
        say(f"{target.name}: reading and checking")
        opened = open_study(name, data)
        _write_private(opened.problems, target)
        return opened
    except BadInput as bad:
        if STUDY_NAME.fullmatch(name) and (data / name).is_dir():
            from analysis.report.write import write_bad_input

            with new_folder(target) as folder:
                write_bad_input(bad, target.name, folder, _study_of(name, data))
            _write_private(bad.problems, target)
        raise


def _write_private(problems: tuple[Problem, ...], target: Path) -> None:
    part = Part("file", "private files")
    isolated(part, lambda: write_private(problems, private_dir(target.parent, target.name)), lambda _: [])


def _run_notebooks(
    opened: OpenStudy,
    released: Released,
    data: Path,
    reports: Path,
    folder: Path,
    jobs: int,
    say: Callable[[str], None],
    time_limit: float | None,
) -> None:
    """Run the notebooks on the answer; where one fails, write the page again, which says so."""
    from analysis.report.execute import execute_notebooks
    from analysis.report.notebook_pages import write_notebook_pages
    from analysis.report.summary import has_section
    from analysis.report.write import write_page

    name, so_far = released.study.study, tuple(known(collected()).found)
    # A scale that nobody was asked about is told on the page, and needs no notebook to say so again.
    scales = {f.hypothesis for f in released.findings if f.verdict_reason != "too_little_data" or has_section(f)}

    def run() -> None:
        planned = isolated(Part("analysis", "plan"), lambda: plan(opened), lambda _: None)
        answered = replace(released, faults=so_far)
        _keep(answered, planned, reports)
        with shared(answered, planned):
            execute_notebooks(name, data, folder / "notebooks", jobs, say, scales=scales, time_limit=time_limit)

    isolated(Part("notebook", "(all)"), run, lambda _: None)
    pages = Part("file", "notebooks as pages")
    isolated(pages, lambda: write_notebook_pages(folder / "notebooks", released.study), lambda _: None)
    if len(known(collected()).found) > len(so_far):
        write_page(released, folder)


def _keep(released: Released, planned: ReleasedPlan | None, reports: Path) -> None:
    """Keep an answer, its pictures and its plan for the notebooks that somebody opens, where it is known from what."""
    parts, cache = released.run.get("made_from"), AnswerCache(reports)
    if isinstance(parts, Mapping):
        cache.keep(released, parts, DRAWN)
        if planned is not None:
            cache.keep(planned, parts)
