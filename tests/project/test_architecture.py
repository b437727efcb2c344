"""Each room imports from the rooms below it only; nothing in `estimate` draws, nothing in `report` computes."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "analysis"

FROM_THE_GROUND = (
    "plan",
    "ingest",
    "validate",
    "measure",
    "design",
    "estimate",
    "synthesis",
    "release",
    "report",
    "answers",
    "pipeline",
    "runs",
    "bundle",
    "notebook",
    "kernels",
    "cli",
    "__main__",
)
BELOW = {room: set(FROM_THE_GROUND[:floor]) for floor, room in enumerate(FROM_THE_GROUND)}
BELOW |= {"__init__": set(), "simulate": {"plan"}, "fetch": {"plan"}}
BELOW["cli"] |= {"simulate", "fetch"}

MOST_LINES = 400
FORBIDDEN = {"estimate": {"matplotlib", "seaborn"}, "report": {"statsmodels", "scipy"}}


def imported_modules(path: Path, package: Path) -> set[str]:
    """Return the full names of what a module imports, anywhere in it; a relative import is resolved."""
    home = [package.name, *path.relative_to(package).parent.parts]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = home[: len(home) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def violations(package: Path) -> list[str]:
    """Return every import that breaks the rules, and every room that has no place in the order."""
    found = []
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package)
        room = module.parts[0].removesuffix(".py")
        if room not in BELOW:
            found.append(f"{module} stands in no known room")
            continue
        for name in sorted(imported_modules(path, package)):
            top, *rest = name.split(".")
            if top == package.name and rest and rest[0] in BELOW.keys() - BELOW[room] - {room}:
                found.append(f"{module} imports {name}")
            if top in FORBIDDEN.get(room, ()):
                found.append(f"{module} imports {name}")
    return found


def test_rooms_import_from_below_only():
    assert violations(PACKAGE) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("estimate/cox.py", "from analysis.design.trials import Trials"),
        ("estimate/cox.py", "from analysis.estimate.ties import efron"),
        ("estimate/cox.py", "from .ties import efron"),
        ("report/tables.py", "import pandas as pd"),
        ("simulate/company.py", "from analysis.plan import contract"),
        ("cli.py", "from analysis.simulate import company"),
        ("cli.py", "from analysis import __version__"),
        ("cli.py", "import scipy"),
    ],
)
def test_what_is_allowed_passes(tmp_path, module, line):
    write_module(tmp_path / "analysis" / module, line)
    assert violations(tmp_path / "analysis") == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("plan/study.py", "from analysis.ingest.read import read"),
        ("plan/study.py", "def late():\n    import analysis.cli"),
        ("measure/scales.py", "from analysis import report"),
        ("measure/scales.py", "from ..design.trials import Trials"),
        ("measure/scales.py", "from .. import design"),
        ("simulate/company.py", "from analysis.ingest.read import read"),
        ("fetch/wellness.py", "from analysis.simulate.company import company"),
        ("pipeline/run.py", "from analysis.simulate.company import company"),
        ("design/trials.py", "from analysis.simulate.company import company"),
        ("estimate/cox.py", "import matplotlib.pyplot as plt"),
        ("estimate/cox.py", "from seaborn import lineplot"),
        ("report/tables.py", "from scipy import stats"),
        ("report/tables.py", "import statsmodels.api as sm"),
        ("utils.py", "import pandas as pd"),
    ],
)
def test_what_is_not_allowed_is_seen(tmp_path, module, line):
    write_module(tmp_path / "analysis" / module, line)
    assert len(violations(tmp_path / "analysis")) == 1


def oversized(package: Path) -> list[str]:
    """Return every module that is longer than can be read in one go."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sorted(package.rglob("*.py"))}
    return [f"{path.relative_to(package)}: {n}" for path, n in lengths.items() if n > MOST_LINES]


def test_no_module_is_too_long():
    assert oversized(PACKAGE) == []


def test_a_module_that_is_too_long_is_seen(tmp_path):
    write_module(tmp_path / "plan" / "short.py", "\n" * (MOST_LINES - 1))
    write_module(tmp_path / "plan" / "long.py", "\n" * MOST_LINES)
    assert oversized(tmp_path) == [f"plan/long.py: {MOST_LINES + 1}"]


def write_module(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
