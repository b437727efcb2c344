"""Exports of a large company read, checked and scored, timed beside plain pandas.

    python benchmarks/ingest.py                                        # 100,000 employees, 2 million answers, long
    python benchmarks/ingest.py --employees 1000000 --shape wide       # 20 million answers, as Qualtrics writes them
    python benchmarks/ingest.py --employees 1000000 --folder FOLDER    # keeps the exports, and finds them again

Seconds by the clock (and the processor's); each side runs in a fresh process, so that the peak memory is its own.
Stops with an error where the scores differ.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from did_libraries import peak_mb
from exports import make_exports
from plain_pandas import plain_scores

from analysis.ingest import read_sources
from analysis.measure.scales import self_scores
from analysis.plan.instruments import load_instruments
from analysis.plan.read_study import load_study
from analysis.validate import check_tables

AGREEMENT = 1e-12
CONSTRUCT = "morale"
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


def main() -> None:
    """Run what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--employees", type=int, default=100_000)
    parser.add_argument("--shape", choices=("long", "wide"), default="long")
    parser.add_argument("--folder", type=Path, help="where the exports are kept; a temporary folder by default")
    parser.add_argument("--side", choices=tuple(SIDES), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        run_side(asked)
    elif asked.folder:
        compare(asked)
    else:
        with tempfile.TemporaryDirectory() as name:
            asked.folder = Path(name)
            compare(asked)


# ---- the two sides, each in a process of its own ----


def ours(folder: Path, _shape: str) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the scores as a study makes them, and seconds of each step; study.yaml knows the shape."""
    study, clock = load_study("company", folder), {}
    cards = load_instruments(study)
    start = time.perf_counter()
    raw = read_sources(study)
    clock["read"], start = time.perf_counter() - start, time.perf_counter()
    tables, problems = check_tables(raw, study, cards)
    clock["check"], start = time.perf_counter() - start, time.perf_counter()
    errors = [str(problem) for problem in problems if problem.severity == "error"]
    if errors:
        sys.exit("\n".join(errors))
    scored = self_scores(CONSTRUCT, tables, cards)
    clock["score"] = time.perf_counter() - start
    return scored, clock


def plain(folder: Path, shape: str) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return what plain pandas makes of the same files."""
    return plain_scores(folder, shape, CONSTRUCT)


SIDES = {"ours": ours, "plain": plain}


def run_side(asked: argparse.Namespace) -> None:
    """Run one side and keep its scores, in order of person and wave, and its figures."""
    cpu = time.process_time()
    scored, clock = SIDES[asked.side](exports_in(asked), asked.shape)
    figures = {"clock": clock, "cpu": time.process_time() - cpu, "peak_mb": peak_mb()}
    np.save(asked.folder / f"{asked.side}.npy", scored[["wave", "score", "n_answered"]].to_numpy(dtype=float))
    (asked.folder / f"{asked.side}.json").write_text(json.dumps(figures))


def exports_in(asked: argparse.Namespace) -> Path:
    """Return the folder of these exports."""
    return asked.folder / f"{asked.shape}_{asked.employees}"


# ---- what is printed ----


def compare(asked: argparse.Namespace) -> None:
    """Make the exports where they are not there yet, run both sides, print them side by side.

    Raises
    ------
    SystemExit
        The scores differ.
    """
    exports = exports_in(asked)
    if not (exports / "company" / "study.yaml").exists():
        make_exports(exports, asked.employees, asked.shape)
    size = sum(file.stat().st_size for file in (exports / "company" / "raw").iterdir()) / 1e6
    print(f"{asked.employees:,} employees, {asked.shape}: {size:,.0f} MB of exports", flush=True)
    found = {side: figures_of(side, asked) for side in SIDES}
    for side, figures in found.items():
        steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in figures["clock"].items())
        print(f"{side}: {total(figures):.1f} s ({steps}; CPU {figures['cpu']:.1f}), peak {figures['peak_mb']:,.0f} MB")
    mine, theirs = (np.load(asked.folder / f"{side}.npy") for side in SIDES)
    gap = np.abs(mine - theirs).max() if mine.shape == theirs.shape else np.inf
    ratio = total(found["plain"]) / total(found["ours"])
    print(f"plain to ours: {ratio:.1f} times; {len(mine):,} scores, largest difference {gap:.1e}", flush=True)
    if not gap < AGREEMENT:
        sys.exit(f"The two sides differ by more than {AGREEMENT:g}.")


def figures_of(side: str, asked: argparse.Namespace) -> dict:
    """Run one side in a process of its own and return its figures."""
    words = [sys.executable, __file__, "--side", side, "--folder", asked.folder, "--shape", asked.shape]
    key = {"MENTORING_KEY": str(asked.folder / "key")}
    subprocess.run(
        [*map(str, words), "--employees", str(asked.employees)], check=True, env=os.environ | ONE_THREAD | key
    )
    return json.loads((asked.folder / f"{side}.json").read_text())


def total(figures: dict) -> float:
    """Return a side's seconds, from the files to the scores."""
    return sum(figures["clock"].values())


if __name__ == "__main__":
    main()
