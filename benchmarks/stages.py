"""Whole reports, timed by stage, beside those of an older checkout.

    python benchmarks/stages.py                                             # the demo studies, of this checkout
    python benchmarks/stages.py OLDER --python OLDER/.venv/bin/python       # and of one as it was before
    python benchmarks/stages.py OLDER --python … --studies northbank

Seconds of the processor, those of everything that a report starts included, each report in a process of its own
with one thread. What a run imports once for all reports counts for each here.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
# The functions that make a report's parts; the pipeline may import them by name, and is last.
STAGES = {
    "page": "analysis.report.write.write_answers",
    "reading": "analysis.pipeline.open_study",
    "answer": "analysis.pipeline.answer",
    "notebooks": "analysis.pipeline._run_notebooks",
}
COLUMNS = ("imports", "reading", "answer", "page", "notebooks", "whole")
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


def main() -> None:
    """Make the reports, in one checkout or both, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("older", type=Path, nargs="?", help="the checkout to compare with; without one, none is")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has what OLDER needs")
    parser.add_argument(
        "--studies", nargs="*", default=sorted(path.parent.name for path in HERE.glob("data/*/study.yaml"))
    )
    parser.add_argument("--made", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.made:
        make(*asked.made)
        return
    print("| | " + " | ".join(COLUMNS) + " |\n| --- |" + " ---: |" * len(COLUMNS))
    for study in asked.studies:
        now = seconds(HERE, sys.executable, study)
        before = seconds(asked.older, asked.python, study) if asked.older else {}
        cells = [f"{before[part]:.1f} → {now[part]:.1f}" if before else f"{now[part]:.1f}" for part in COLUMNS]
        print(f"| {study} | " + " | ".join(cells) + " |", flush=True)


def seconds(checkout: Path, python: str, study: str) -> dict[str, float]:
    """Return what a report takes in a checkout, by stage, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        # The checkout that an interpreter belongs to is installed: the path comes before it.
        variables = ONE_THREAD | {"PYTHONPATH": str(checkout.resolve() / "src"), "MENTORING_KEY": f"{folder}/key"}
        words = [python, __file__, "--made", study, folder]
        subprocess.run(words, check=True, env=os.environ | variables, cwd=checkout, stdout=subprocess.DEVNULL)
        return json.loads((Path(folder) / "seconds.json").read_text())


# ---- in a process of its own ----


def make(study: str, folder: str) -> None:
    """Make a report and leave its seconds by stage in the folder."""
    took = dict.fromkeys(("imports", *STAGES), 0.0)
    for stage, name in STAGES.items():
        place, _, function = name.rpartition(".")
        module = timed(import_module, took, "imports")(place)
        setattr(module, function, timed(getattr(module, function), took, stage))
    module.report_study(study, Path("data").resolve(), Path(folder) / "reports")
    (Path(folder) / "seconds.json").write_text(json.dumps(took | {"whole": so_far()}))


def timed(function: Callable, took: dict[str, float], stage: str) -> Callable:
    """Return the function with what it takes added to `took`."""

    def run(*given, **named):
        started = so_far()
        try:
            return function(*given, **named)
        finally:
            took[stage] += so_far() - started

    return run


def so_far() -> float:
    """Return what this process and those that it has started and that have ended have taken."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
