"""This program as it is bundled: its source, from a clone or an installed package alike, so that it can be built."""

import shutil
from pathlib import Path

from analysis.plan.paths import PACKAGE, shipped_dir

# Beside the package: what builds it, what it reads, and what says how columns are to be read.
PARTS = (
    *("pyproject.toml", "requirements.lock", "README.md", "LICENSE", "CITATION.cff"),
    *("data/hypotheses.yaml", "data/literature.csv", "data/README.md", "data/instruments", "notebooks"),
)
WITHOUT = shutil.ignore_patterns("*.pyc", "__pycache__", ".ipynb_checkpoints", "shipped")


def write_program(folder: Path) -> None:
    """Write the program's source into a new folder, in which pip can build it."""
    shutil.copytree(PACKAGE, folder / "src" / PACKAGE.name, ignore=WITHOUT)
    for name in PARTS:
        source, target = shipped_dir() / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=WITHOUT)
        else:
            shutil.copyfile(source, target)
