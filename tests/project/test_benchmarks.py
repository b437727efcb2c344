"""Every benchmark can be started: it imports what there is, and takes the place of functions that there are."""

import importlib
from pathlib import Path

import pytest

from analysis.pipeline import released

FOLDER = Path(__file__).parents[2] / "benchmarks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_imports_what_there_is(name, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    assert importlib.import_module(name).__doc__


def test_the_stages_of_answers_are_functions_that_there_are(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    stages = importlib.import_module("answers").STAGES
    assert stages and all(callable(getattr(released, name)) for name in stages.values())
