"""One answer for all the notebooks of a run: what has been estimated once is not estimated again in every kernel."""

import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.pipeline.provenance import checksums
from analysis.plan.study import Study
from analysis.release.answer import Released

SHARED = "MENTORING_SHARED_ANSWER"
# Set in a blind run and its kernels: where these cannot use its answer, their own is blind too.
BLIND = "MENTORING_BLIND"


def is_blind_run() -> bool:
    """Whether this process was started by a blind run."""
    return bool(os.environ.get(BLIND))


@contextmanager
def blind_run(is_blind: bool) -> Iterator[None]:
    """Make every answer of the block blind, those of the kernels that it starts too."""
    before = os.environ.get(BLIND)
    if is_blind:
        os.environ[BLIND] = "1"
    try:
        yield
    finally:
        os.environ.pop(BLIND, None)
        if before is not None:
            os.environ[BLIND] = before


@contextmanager
def shared(released: Released) -> Iterator[None]:
    """Let the kernels started inside find this answer, in a file that only this user can read and that is then gone.

    Nothing else than what may be shown is in it, and the checksums of the files that it was made from.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.pickle"
        path.write_bytes(pickle.dumps((checksums(released.study), released)))
        before = os.environ.get(SHARED)
        os.environ[SHARED] = str(path)
        try:
            with blind_run(bool(released.run.get("blind"))):
                yield
        finally:
            os.environ.pop(SHARED, None)
            if before is not None:
                os.environ[SHARED] = before


def shared_answer(study: Study) -> Released | None:
    """Return the answer that this run has found already; None where there is none from the very same files.

    An answer with its effects is none for a blind run.
    """
    path = os.environ.get(SHARED)
    if path is None:
        return None
    files, released = pickle.loads(Path(path).read_bytes())
    same = released.run["study"] == study.study and files == checksums(study)
    same = same and bool(released.run.get("blind")) == is_blind_run()
    return released if same else None
