"""The demo studies' answers, each made once in a test run, by whichever worker asks first."""

import fcntl
import os
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from analysis.pipeline import answer, open_study
from analysis.pipeline.described import describe, people_flow
from analysis.pipeline.released import find
from analysis.plan.errors import Problem
from analysis.plan.paths import project_dir
from analysis.plan.results import Finding
from analysis.release.answer import Released
from analysis.simulate import demo_scenarios

# Set by conftest.py: the folder of the run, which all its workers share.
FOLDER = "MENTORING_TEST_ANSWERS"


class DemoAnswer(NamedTuple):
    """What was found in a demo study, with exact numbers, and what may be shown of it."""

    findings: tuple[Finding, ...]
    frames: dict[str, pd.DataFrame]
    problems: tuple[Problem, ...]
    released: Released


def demo_answer(name: str) -> Released:
    """Return the answer of a demo study from its raw files, as it may be shown."""
    return demo_exact(name).released


def demo_exact(name: str) -> DemoAnswer:
    """Return the answer of a demo study before and after its release."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return _answered(name)
    path = Path(folder) / f"{name}.pickle"
    with _one_at_a_time(path.with_suffix(".lock")):
        if not path.exists():
            path.write_bytes(pickle.dumps(_answered(name)))
    return pickle.loads(path.read_bytes())


def make_demo_answers(workers: int) -> None:
    """Make every demo's answer, so many at a time; one that fails is made again by the test that asks for it."""
    largest_first = sorted(demo_scenarios().values(), key=lambda scenario: -scenario.employees)
    with ProcessPoolExecutor(workers) as pool:
        wait([pool.submit(_make, scenario.name) for scenario in largest_first])


def _make(name: str) -> None:
    demo_exact(name)


def _answered(name: str) -> DemoAnswer:
    opened = open_study(name, project_dir() / "data")
    found = find(opened)
    described = describe(opened)
    frames = described | {"flow_of_people": people_flow(opened, found)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.pipeline.find", lambda _: found)
        patch.setattr("analysis.pipeline.released.describe", lambda _: described)
        return DemoAnswer(tuple(found), frames, opened.problems, answer(opened))


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other worker is inside."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
