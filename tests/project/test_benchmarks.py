"""Every benchmark can be started: it imports what there is, and takes the place of functions that there are."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from analysis.pipeline import released

FOLDER = Path(__file__).parents[2] / "benchmarks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.fixture
def benchmark_named(monkeypatch):
    """Import a benchmark though a module of the tests may have its name, and leave no trace of it."""
    before = {name: sys.modules.pop(name) for name in NAMES if name in sys.modules}
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    for name in NAMES:
        sys.modules.pop(name, None)
    sys.modules.update(before)


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_imports_what_there_is(name, benchmark_named):
    module: ModuleType = benchmark_named(name)
    assert Path(module.__file__ or "").parent == FOLDER


def test_the_stages_of_answers_are_functions_that_there_are(benchmark_named):
    stages = benchmark_named("answers").STAGES
    assert stages and all(callable(getattr(released, name)) for name in stages.values())
