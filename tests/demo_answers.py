"""The demo studies' answers, each made once in a test run, by whichever worker asks first."""

import fcntl
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.pipeline import answer, open_study
from analysis.plan.paths import project_dir
from analysis.release.answer import Released

# Set by conftest.py: the folder of the run, which all its workers share.
FOLDER = "MENTORING_TEST_ANSWERS"


def demo_answer(name: str) -> Released:
    """Return the answer of a demo study from its raw files."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return answer(open_study(name, project_dir() / "data"))
    path = Path(folder) / f"{name}.pickle"
    with _one_at_a_time(path.with_suffix(".lock")):
        if not path.exists():
            path.write_bytes(pickle.dumps(answer(open_study(name, project_dir() / "data"))))
    return pickle.loads(path.read_bytes())


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other worker is inside."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
