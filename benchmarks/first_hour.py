"""The first hour with one's own files: three raw files, four commands from a clean clone, and how long each took.

    python benchmarks/first_hour.py [--log benchmarks/first_hour.log]

The files are a simulated bank's, as Workday, Qualtrics and Chronus write them: 1,800 employees, six rounds of a survey
in one file, everybody who applied to a program. The clone is made in a temporary folder and removed again.
"""

import argparse
import csv
import io
import os
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from analysis.plan.paths import project_dir
from analysis.simulate import files, scenario_named, simulate

COMMANDS = (
    "make venv",
    ".venv/bin/mentoring init acme --employees ../exports/workers.csv --survey ../exports/pulse.csv"
    " --enrolments ../exports/participants.xlsx --program Genius --direction reverse --as-of 2025-06-30",
    ".venv/bin/mentoring check acme",
    ".venv/bin/mentoring report acme",
)
HEADER_LINES = 3


def write_exports(folder: Path) -> None:
    """Write the three files."""
    bank = scenario_named("acme", like="northbank", employees=1_800)
    raw = files(simulate(replace(bank, surveys=bank.surveys[:1])))
    folder.mkdir()
    (folder / "workers.csv").write_bytes(raw["raw/workers.csv"])
    (folder / "participants.xlsx").write_bytes(raw["raw/genius_participants.xlsx"])
    waves = [list(csv.reader(io.StringIO(raw[path].decode(), newline=""))) for path in sorted(raw) if "pulse" in path]
    rows = [*waves[0][:HEADER_LINES], *(row for wave in waves for row in wave[HEADER_LINES:])]
    with (folder / "pulse.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows(rows)


def run(command: str, clone: Path) -> str:
    """Return a command, what it printed and how long it took."""
    started = time.monotonic()
    # the key of the pseudonyms is a new one, as on a machine that has not seen the project
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    settings = own | {"XDG_CONFIG_HOME": str(clone.parent / "config"), "COLUMNS": "120"}
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, shell=True, cwd=clone, env=settings, **how)
    seconds = time.monotonic() - started
    said = "\n".join(line.rstrip() for line in done.stdout.replace(str(clone), ".").splitlines()).rstrip()
    return f"$ {command}\n{said}\n[exit code {done.returncode}, {seconds:.0f} s]\n"


def main() -> None:
    """Make the files and the clone, run the commands, write the log."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, default=Path(__file__).with_suffix(".log"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_exports(Path(folder) / "exports")
        clone = Path(folder) / "mentoring-outcomes"
        subprocess.run(["git", "clone", "--quiet", str(project_dir()), str(clone)], check=True)
        log = "\n".join(run(command, clone) for command in COMMANDS)
    given.log.write_text(log, encoding="utf-8")
    print(log)


if __name__ == "__main__":
    main()
