"""One answer for all notebooks of a test run: each shows the default demo study, and none has to make it anew."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from demo_answers import FOLDER, demo_answer, make_demo_answers
from expected import DEFAULT_STUDY

from analysis.answers.shared import shared


def pytest_configure(config: pytest.Config) -> None:
    """Make the answer before the workers start; their notebooks' kernels find it as those of a report do.

    The key of the pseudonyms is one of the run's own: tests never touch the user's.
    """
    is_worker = hasattr(config, "workerinput")
    if not is_worker:
        folder = tempfile.TemporaryDirectory()
        os.environ["MENTORING_KEY"] = str(Path(folder.name) / "key")
        os.environ[FOLDER] = folder.name
        config.add_cleanup(folder.cleanup)
    if is_worker or config.option.collectonly or not getattr(config.option, "nbval", False):
        return
    workers = len(getattr(config.option, "tx", None) or ())
    if workers:
        make_demo_answers(workers)
    stack = ExitStack()
    stack.enter_context(shared(demo_answer(DEFAULT_STUDY)))
    config.add_cleanup(stack.close)


# Files that take more than half a minute. The last file of a run keeps one worker busy alone: it must be a short one.
LONGEST_FIRST = (
    "test_twin.py",
    "test_runs.py",
    "test_pipeline.py",
    "test_bundle.py",
    "test_degenerate.py",
    "test_forked_notebooks.py",
    "test_privacy.py",
    "test_protocols.py",
    "test_scale_simulations.py",
    "test_markers.py",
    "test_adding.py",
    "test_simulations.py",
    "test_package.py",
    "test_ingest_properties.py",
    "test_realistic_company.py",
    "test_planning.py",
    "test_cells.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first, and leave the others in their order: the Makefile has xdist keep it."""
    rank = {name: n for n, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


@pytest.fixture
def original_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave ids as they stand in the files, so that a test can name its invented people."""
    monkeypatch.setattr("analysis.ingest.sources.concealed", lambda tables, key: tables)
