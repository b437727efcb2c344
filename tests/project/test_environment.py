"""The three files that describe the environment say the same: pyproject.toml, requirements.lock, environment.yml."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")


def locked(lock: str) -> tuple[dict[str, set[str]], list[str]]:
    """Return the pinned versions by name (several where markers differ), and what is wrong with the lock itself."""
    pins, problems = {}, []
    for line in lock.replace("\\\n", " ").splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        pin = PIN.match(line)
        if pin is None or "://" in line:
            problems.append(f"requirements.lock: neither a pin nor a comment: {line[:60]}")
            continue
        pins.setdefault(canonicalize_name(pin["name"]), set()).add(pin["version"])
        if "--hash=sha256:" not in line:
            problems.append(f"requirements.lock: {pin['name']} has no hash")
    return pins, problems


def out_of_step(pyproject: str, lock: str, environment: str) -> list[str]:
    """Return every point on which the three files disagree."""
    project = tomllib.loads(pyproject)["project"]
    pins, problems = locked(lock)
    wanted = project["dependencies"] + [r for extra in project["optional-dependencies"].values() for r in extra]
    for requirement in map(Requirement, wanted):
        versions = pins.get(canonicalize_name(requirement.name), set())
        if not versions:
            problems.append(f"requirements.lock: {requirement.name} is not pinned")
        problems += [
            f"requirements.lock: {requirement.name} {v} is outside {requirement.specifier}"
            for v in versions
            if v not in requirement.specifier
        ]
    return problems + environment_problems(yaml.safe_load(environment), project["requires-python"])


def environment_problems(environment: dict, requires_python: str) -> list[str]:
    """Return how environment.yml departs from the lock: its Python, and what it asks pip to install."""
    problems = []
    pythons = [d.split("=")[1] for d in environment["dependencies"] if str(d).startswith("python=")]
    if len(pythons) != 1 or pythons[0] not in SpecifierSet(requires_python):
        problems.append(f"environment.yml: needs one python within {requires_python}")
    by_pip = [line for d in environment["dependencies"] if isinstance(d, dict) for line in d["pip"]]
    if by_pip != ["-r requirements.lock"]:
        problems.append("environment.yml: pip must install requirements.lock, and only it")
    return problems


@pytest.fixture
def files() -> dict[str, str]:
    return {
        "pyproject": (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
        "lock": (ROOT / "requirements.lock").read_text(encoding="utf-8"),
        "environment": (ROOT / "environment.yml").read_text(encoding="utf-8"),
    }


def test_the_three_files_are_in_step(files):
    assert out_of_step(**files) == []


@pytest.mark.parametrize(
    ("file", "pattern", "replacement", "problem"),
    [
        ("pyproject", '"pandas>=3.1,<4"', '"pandas>=9,<10"', "pandas .* is outside"),
        ("pyproject", '"pandas>=3.1,<4"', '"no-such-package>=1"', "no-such-package is not pinned"),
        ("lock", r"(?m)^pandas==.*\\\n(?: +--hash=.*\n)+", "", "pandas is not pinned"),
        ("lock", r"(?m)^(pandas==\S+) \\\n(?: +--hash=.*\n)+", r"\1\n", "pandas has no hash"),
        ("lock", r"(?m)^pandas==", "pandas>=", "neither a pin nor a comment: pandas"),
        (
            "lock",
            r"\A",
            "--index-url https://packages.example.org/simple\n",
            "neither a pin nor a comment: --index-url",
        ),
        ("lock", r"\A", "thing @ https://packages.example.org/thing.whl\n", "neither a pin nor a comment: thing"),
        ("environment", "python=3.11", "python=3.9", "needs one python"),
        ("environment", "  - python=3.11\n", "", "needs one python"),
        ("environment", "-r requirements.lock", "pandas", "pip must install requirements.lock"),
    ],
)
def test_a_file_out_of_step_is_seen(files, file, pattern, replacement, problem):
    broken, n_changes = re.subn(pattern, replacement, files[file])
    assert n_changes
    found = out_of_step(**files | {file: broken})
    assert re.search(problem, "\n".join(found))


def test_hooks_and_workflow_run_the_locked_tools():
    """Versions stand in requirements.lock alone: a hook is a tool of .venv, and the workflow calls .ci/run."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repo["repo"] for repo in hooks["repos"]} == {"local"}
    tools = {hook["entry"].split()[0] for repo in hooks["repos"] for hook in repo["hooks"]}
    assert tools == {".venv/bin/ruff", ".venv/bin/mypy"}
    assert {canonicalize_name(Path(tool).name) for tool in tools} <= locked((ROOT / "requirements.lock").read_text())[
        0
    ].keys()
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
