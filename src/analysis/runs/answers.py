"""One study's answer by its name, from wherever it is there already: this run, the cache, or the data."""

from collections.abc import Callable
from pathlib import Path

import psutil

from analysis.pipeline import answer, open_study
from analysis.pipeline.answer_cache import AnswerCache, Kept
from analysis.pipeline.opened import OpenStudy
from analysis.pipeline.planned import plan
from analysis.pipeline.shared import shared_answer, shared_plan
from analysis.plan.faults import Part, watched
from analysis.plan.paths import data_dir, reports_dir
from analysis.plan.read_study import study_file
from analysis.release.answer import Released
from analysis.release.planning import ReleasedPlan
from analysis.runs.made_from import answered_from, code_files

# What is told while something is computed: which stage it has reached.
Say = Callable[[str], None]


def answered(name: str, data: str | Path | None = None, say: Say = lambda _: None) -> Released:
    """Return the answer of a study: the run's own in a notebook of a report, else the one kept, else made and kept.

    Raises
    ------
    BadInput
        With every problem.
    """
    folder = data_dir(data) / name
    return shared_answer(folder) or _kept_or_made(Released, folder, answer, say)


def planned(name: str, data: str | Path | None = None, say: Say = lambda _: None) -> ReleasedPlan:
    """Return the plan of a study, found as `answered` finds an answer.

    Raises
    ------
    BadInput
        With every problem.
    """
    folder = data_dir(data) / name
    return shared_plan(folder) or _kept_or_made(ReleasedPlan, folder, plan, say)


def _kept_or_made(kind: type[Kept], folder: Path, make: Callable[[OpenStudy], Kept], say: Say) -> Kept:
    study_file(folder.name, folder.parent)  # a name that is a path leads nowhere
    parts, cache = answered_from(folder), AnswerCache(reports_dir())
    kept = cache.kept(kind, folder, parts)
    if kept is not None:
        return kept
    with watched(lambda part: say(f"estimating: {_told(part)}")):
        say("reading and checking the data")
        opened = open_study(folder.name, folder.parent)
        made = make(opened)
    if answered_from(folder) == parts and _runs_what_is_there():
        cache.keep(made, parts)
    return made


def _told(part: Part) -> str:
    """Return what is being made, as one who waits would call it."""
    about = (part.hypothesis, f"{part.program} {part.role}".strip(), part.name.replace("_", " "))
    return ", ".join(text for text in about if text)


def _runs_what_is_there() -> bool:
    """Whether this process runs the code that is there now: none of it has been changed since it started."""
    return max(path.stat().st_mtime for path in code_files()) < psutil.Process().create_time()
