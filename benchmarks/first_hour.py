"""The first hour with one's own files: a company of 2,000, ten raw files, a clean clone, and how long each step took.

    PYTHONPATH=tests python benchmarks/first_hour.py [--log benchmarks/first_hour.log]

The files are those of `tests/realistic_company`: an HR report with title lines, suffixes, contingent workers and former
ids, a headcount of every month, absences, a survey whose questions moved and that has a German version, a list of pairs
by name with two header rows and vague dates, a log of meetings without a pair's number. `study.yaml` is edited as
`realistic_company.edits` says, and no raw file is touched; what is read then is held against the truth by
`tests/spec/test_realistic_company.py`. The clone is made in a temporary folder and removed again.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from realistic_company import EDITS, realistic_company, with_edits, write_files

from analysis.plan.paths import project_dir

E = "../exports"
INIT = (
    f".venv/bin/mentoring init brackwell --employees {E}/workers.xlsx --jobs {E}/headcount.csv --leave {E}/absences.csv"
    f" --survey {E}/pulse_1.csv --survey {E}/pulse_2.csv --survey {E}/pulse_3_en.csv --survey {E}/pulse_3_de.csv"
    f" --enrolments '{E}/pairs.xlsx#Pairs' --enrolments '{E}/pairs.xlsx#Waiting list' --sessions {E}/meetings.csv"
    f" --card {E}/pulse.yaml --program 'Reverse Mentoring' --direction reverse --as-of 2025-06-30"
)
CHECK, REPORT = ".venv/bin/mentoring check brackwell", ".venv/bin/mentoring report brackwell"


def edit(clone: Path) -> str:
    """Edit the draft of study.yaml; return what was changed."""
    path = clone / "data" / "brackwell" / "study.yaml"
    path.write_text(with_edits(path.read_text(encoding="utf-8")), encoding="utf-8")
    changes = "".join(f"- {old.rstrip()}\n+ {new.rstrip()}\n" for old, new in EDITS)
    return f"# {len(EDITS)} edits of data/brackwell/study.yaml\n{changes}"


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
        write_files(realistic_company(), Path(folder) / "exports")
        clone = Path(folder) / "mentoring-outcomes"
        subprocess.run(["git", "clone", "--quiet", str(project_dir()), str(clone)], check=True)
        steps = [run(command, clone) for command in ("make venv", INIT, CHECK)]
        steps += [edit(clone), *(run(command, clone) for command in (CHECK, REPORT))]
    log = "\n".join(steps)
    given.log.write_text(log, encoding="utf-8")
    print(log)


if __name__ == "__main__":
    main()
