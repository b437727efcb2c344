"""One answer for all the notebooks of a run: nothing is read and estimated again in every kernel."""

import hashlib
import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.plan.paths import environment
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report.drawn import DRAWN
from analysis.report.folders import writing

if TYPE_CHECKING:
    # It is estimated with libraries that take a second to import, and few notebooks show a plan.
    from analysis.release.planning import ReleasedPlan

SHARED = "MENTORING_SHARED_ANSWER"
# Set in a blind run and its kernels: where these cannot use its answer, their own is blind too.
BLIND = "MENTORING_BLIND"


@dataclass(frozen=True)
class Shared:
    """What the kernels of a run may use: nothing else than what may be shown is in it.

    Attributes
    ----------
    folder
        The study's, from the root.
    files
        The checksums of the files that it was made from.
    planned
        None where there is none.
    drawn
        The pictures that were drawn of it (`report.drawn.DRAWN`).
    """

    folder: Path
    files: dict[str, str]
    released: Released
    planned: "ReleasedPlan | None"
    drawn: dict[bytes, tuple[str, str]]


def is_blind_run() -> bool:
    """Whether this process was started by a blind run."""
    return bool(os.environ.get(BLIND))


def blind_run(is_blind: bool) -> AbstractContextManager[None]:
    """Make every answer of the block blind, those of the kernels that it starts too."""
    return environment(**{BLIND: "1"} if is_blind else {})


@contextmanager
def shared(released: Released, planned: "ReleasedPlan | None" = None) -> Iterator[None]:
    """Let the kernels started inside find this answer, in a file that only this user can read and that is then gone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.pickle"
        found = Shared(released.study.folder.resolve(), checksums(released.study), released, planned, dict(DRAWN))
        with writing(path.parent, "TMPDIR"):
            path.write_bytes(pickle.dumps(found))
        with environment(**{SHARED: str(path)}), blind_run(bool(released.run.get("blind"))):
            yield


def shared_answer(folder: Path) -> Released | None:
    """Return the answer that this run has found already on the study in a folder.

    None where there is none from the very same files; an answer with its effects is none for a blind run.
    """
    found = _found(folder)
    is_the_same = found is not None and bool(found.released.run.get("blind")) == is_blind_run()
    return found.released if found is not None and is_the_same else None


def shared_plan(folder: Path) -> "ReleasedPlan | None":
    """Return the plan that this run has made already of the study in a folder, from the very same files."""
    found = _found(folder)
    return None if found is None else found.planned


def hold(path: str) -> None:
    """Read what is shared in a file into this process, so that kernels forked from it have it."""
    DRAWN.update(_read(path).drawn)


def _found(folder: Path) -> Shared | None:
    if SHARED not in os.environ:
        return None
    found = _read(os.environ[SHARED])
    return found if found.folder == folder.resolve() and found.files == _present(found) else None


def _present(found: Shared) -> dict[str, str]:
    """Return the checksums that the files have now; none where one of them cannot be read any more."""
    try:
        return checksums(found.released.study.model_copy(update={"folder": found.folder}))
    except OSError:
        return {}


@lru_cache(1)
def _read(path: str) -> Shared:
    return pickle.loads(Path(path).read_bytes())


def checksums(study: Study) -> dict[str, str]:
    """Return the SHA-256 of each of the study's files; for this machine alone."""
    return {name: hashlib.sha256((study.folder / name).read_bytes()).hexdigest() for name in _files(study)}


def _files(study: Study) -> list[str]:
    cards = sorted(f"instruments/{p.name}" for p in (study.folder / "instruments").glob("*.yaml"))
    profiles = sorted(f"profiles/{p.name}" for p in (study.folder / "profiles").glob("*.yaml"))
    return ["study.yaml", *cards, *profiles, *sorted({s.path for s in study.sources if s.path})]
