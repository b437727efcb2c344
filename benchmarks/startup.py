"""How long a person waits before anything happens: the package's import, ``mentoring --help`` and ``mentoring check``.

Wall and processor seconds, the least of several runs. ``--imports`` names the modules that take longest to import.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from analysis.plan.paths import project_dir

COMMANDS = {
    "import analysis": ("-c", "import analysis"),
    "mentoring --help": ("-m", "analysis", "--help"),
    "mentoring check plumetree": ("-m", "analysis", "check", "plumetree"),
}
SLOWEST = 15


def seconds(command: tuple[str, ...], environment: dict[str, str]) -> tuple[float, float]:
    """Return wall and processor seconds of one run of Python."""
    before, started = os.times(), time.monotonic()
    subprocess.run([sys.executable, *command], env=environment, check=True, capture_output=True)
    wall, after = time.monotonic() - started, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def slowest_imports(module: str) -> list[str]:
    """Return the lines of ``-X importtime`` of the modules that take longest with what they import."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stderr.splitlines()[1:]
    return sorted(lines, key=lambda line: int(line.split("|")[1]), reverse=True)[:SLOWEST]


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--imports", metavar="MODULE", help="e.g. analysis.pipeline.checked")
    given = parser.parse_args()
    if given.imports:
        print("\n".join(slowest_imports(given.imports)))
        return
    with tempfile.TemporaryDirectory() as reports:
        own = {"MENTORING_DATA": str(project_dir() / "data"), "MENTORING_REPORTS": str(Path(reports))}
        for name, command in COMMANDS.items():
            runs = [seconds(command, os.environ | own) for _ in range(given.runs)]
            wall, processor = (min(each) for each in zip(*runs, strict=True))
            print(f"{name:28} {wall:5.2f} s, {processor:5.2f} s of a processor")


if __name__ == "__main__":
    main()
