"""One study's answer by its name, from wherever it is there already: this run, the cache, or the data."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import psutil

from analysis.answers.cache import AnswerCache, Kind
from analysis.answers.shared import shared_answer, shared_plan
from analysis.plan.faults import Part, watched
from analysis.plan.paths import data_dir, reports_dir
from analysis.plan.read_study import study_file
from analysis.release.answer import Released
from analysis.runs.made_from import answered_from, code_files

if TYPE_CHECKING:
    from analysis.pipeline.opened import OpenStudy
    from analysis.release.planning import ReleasedPlan

# Called while something is computed, with the stage that it has reached.
Say = Callable[[str], None]
Found = TypeVar("Found", "Released", "ReleasedPlan")


def answered(name: str, data: str | Path | None = None, say: Say = lambda _: None) -> Released:
    """Return the answer of a study: the run's own in a notebook of a report, else the one kept, else made and kept.

    Raises
    ------
    BadInput
        With every problem.
    """

    def make(opened: "OpenStudy") -> Released:
        from analysis.pipeline import answer

        return answer(opened)

    folder = study_file(name, data_dir(data)).parent
    return shared_answer(folder) or _kept_or_made("answer", folder, make, say)


def planned(name: str, data: str | Path | None = None, say: Say = lambda _: None) -> "ReleasedPlan":
    """Return the plan of a study, found as `answered` finds an answer.

    Raises
    ------
    BadInput
        With every problem.
    """

    def make(opened: "OpenStudy") -> "ReleasedPlan":
        from analysis.pipeline.planned import plan

        return plan(opened)

    folder = study_file(name, data_dir(data)).parent
    return shared_plan(folder) or _kept_or_made("plan", folder, make, say)


def _kept_or_made(kind: Kind, folder: Path, make: "Callable[[OpenStudy], Found]", say: Say) -> Found:
    parts, cache = answered_from(folder), AnswerCache(reports_dir())
    kept = cache.kept(kind, folder, parts)
    if kept is not None:
        return cast(Found, kept)
    with watched(lambda part: say(f"estimating: {_told(part)}")):
        say("reading and checking the data")
        # What reads and estimates takes seconds to import: whoever opens an answer that is kept does not wait for it.
        from analysis.pipeline.opened import open_study

        made = make(open_study(folder.name, folder.parent))
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
