"""The answers of the demo studies, timed by stage, beside those of an older checkout, and compared row by row.

    python benchmarks/answers.py OLDER                            # a folder with the project as it was before
    python benchmarks/answers.py OLDER --studies northbank larkfield
    python benchmarks/answers.py OLDER --employees 600            # and a company whose people start on any day

Processor seconds of one process and thread. Each answer is made in a process of its own, so that the peak memory is its
own. Stops with an error where a number of the ledgers differs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from did_libraries import peak_mb

from analysis.pipeline import OpenStudy, answer, open_study, released
from analysis.plan.contract import Tables
from analysis.plan.paths import project_dir
from analysis.plan.results import estimates_frame
from analysis.simulate import demo_scenarios, simulate, write_company

AGREEMENT = 1e-9
HERE = project_dir()
# The functions of `pipeline.released` that make a stage's findings.
STAGES = {"retention": "_retention", "scales": "_scale", "job events": "_job_event"}
ANY_DAY, SPREAD_DAYS = "any-day", 28
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


def main() -> None:
    """Run what is asked for and print it, one study after the other.

    Raises
    ------
    SystemExit
        The ledgers differ.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("older", type=Path, nargs="?", help="the checkout to compare with; without one, none is")
    parser.add_argument("--studies", nargs="*", default=list(demo_scenarios()))
    parser.add_argument("--employees", type=int, help=f"of a company whose starts lie {SPREAD_DAYS} days apart")
    parser.add_argument("--made", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.made:
        make(asked.made, asked.employees, asked.folder)
        return
    studies = [*asked.studies, *([ANY_DAY] if asked.employees else [])]
    unlike = [study for study in studies if not compare(study, asked.employees, asked.older)]
    if unlike:
        sys.exit(f"The ledgers of {', '.join(unlike)} differ.")


def compare(study: str, employees: int | None, older: Path | None) -> bool:
    """Print the seconds of both checkouts, or of this one alone; return whether the ledgers agree."""
    now, ledger = made_by(HERE, study, employees)
    if older is None:
        print(f"{study}: " + ", ".join(f"{name} {now[name]:.1f}" for name in now), flush=True)
        return True
    before, expected = made_by(older, study, employees)
    figures = (f"{name} {before[name]:.1f} → {now[name]:.1f} ({before[name] / now[name]:.1f})" for name in now)
    gap = largest_gap(ledger, expected)
    print(f"{study}: {', '.join(figures)}; {len(ledger)} rows, largest relative difference {gap:.0e}", flush=True)
    return gap < AGREEMENT


def made_by(checkout: Path, study: str, employees: int | None) -> tuple[dict[str, float], pd.DataFrame]:
    """Return the figures and the ledger of a study's answer, made by a checkout in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        words = [sys.executable, __file__, "--made", study, "--folder", name]
        words += ["--employees", str(employees)] if employees else []
        # The checkout that this file lies in is installed: the path comes before it.
        path = {"PYTHONPATH": str(checkout.resolve() / "src")}
        subprocess.run(words, check=True, env=os.environ | ONE_THREAD | path)
        return json.loads((Path(name) / "figures.json").read_text()), pd.read_pickle(Path(name) / "ledger.pickle")


def largest_gap(found: pd.DataFrame, expected: pd.DataFrame) -> float:
    """Return the largest relative difference of two ledgers' numbers; infinity where anything else differs."""
    numbers = list(found.select_dtypes("float").columns)
    a, b = (frame[numbers].to_numpy() for frame in (found, expected))
    others = [frame.drop(columns=numbers).astype(str) for frame in (found, expected)]
    if not others[0].equals(others[1]) or (np.isnan(a) != np.isnan(b)).any():
        return np.inf
    return float(np.nanmax(np.abs(a - b) / np.maximum(np.abs(b), 1e-12), initial=0.0))


# ---- in a process of its own ----


def make(study: str, employees: int | None, folder: Path) -> None:
    """Make an answer; leave processor seconds by stage, the peak memory and the ledger in the folder."""
    figures = dict.fromkeys(("open", *STAGES, "answer"), 0.0)
    for stage, name in STAGES.items():
        setattr(released, name, timed(getattr(released, name), figures, stage))
    opened = any_day(int(employees or 0), folder) if study == ANY_DAY else timed(demo, figures, "open")(study)
    findings = timed(answer, figures, "answer")(opened).findings
    ledger = estimates_frame(row for finding in findings for row in finding.estimates)
    ledger.to_pickle(folder / "ledger.pickle")
    (folder / "figures.json").write_text(json.dumps(figures | {"MB": peak_mb()}))


def timed(make_it: Callable, figures: dict[str, float], name: str) -> Callable:
    """Return the function with its processor seconds added to `figures`."""

    def run(*given):
        start = time.process_time()
        try:
            return make_it(*given)
        finally:
            figures[name] += time.process_time() - start

    return run


def demo(name: str) -> OpenStudy:
    """Return a demo study, read from its raw files in this checkout."""
    return open_study(name, HERE / "data")


def any_day(employees: int, folder: Path) -> OpenStudy:
    """Return a company like Northbank without surveys whose people start on any of the days after an intake."""
    scenario = replace(demo_scenarios()["northbank"], name=f"{ANY_DAY}-{employees}", employees=employees, surveys=())
    write_company(simulate(scenario), folder / scenario.name)
    opened = open_study(scenario.name, folder)
    return replace(opened, tables=spread(opened.tables, pd.Timestamp(opened.study.as_of)))


def spread(tables: Tables, lock: pd.Timestamp) -> Tables:
    """Return the tables with what is known at the data lock, each start moved to a day of its own after the intake."""
    people, enrolled = tables.employees, tables.enrolments
    left = people["exit_date"] <= lock
    people = people.assign(exit_date=people["exit_date"].where(left), exit_type=people["exit_type"].where(left))
    days = np.random.default_rng(1).integers(0, SPREAD_DAYS, len(enrolled))
    moved = (enrolled["intake_date"] + pd.to_timedelta(days, unit="D")).astype(enrolled["start_date"].dtype)
    enrolled = enrolled.assign(start_date=moved.where(enrolled["start_date"].notna()))
    return replace(tables, employees=people, enrolments=enrolled)


if __name__ == "__main__":
    main()
