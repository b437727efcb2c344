"""Run the situations: ``PYTHONPATH=tests python -m simulations.situations`` (part of ``make simulations``)."""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.plan.seeds import rng
from simulations.situations.main_row import main_row
from simulations.situations.registry import SITUATIONS, situation
from simulations.situations.table import write_readme
from simulations.situations.world import Situation

HERE = Path(__file__).parent
REPORTED_EVERY = 100


def study_row(name: str, is_before: bool, number: int) -> dict:
    """Return the main row of one study beside its truth."""
    chosen = situation(name)
    case = chosen.make(rng(name, number), is_before)
    row = main_row(case)
    numbers = {c: getattr(row, c) for c in ("status", "estimate", "std_error", "ci_low", "ci_high", "p_value")}
    return {"number": number, "truth": case.truth} | numbers


def summary(rows: pd.DataFrame) -> dict:
    """Return what a situation's studies show together: bias, spread, mean standard error, coverage, intervals
    without zero."""
    found = rows[rows["status"] == "estimated"]
    error = found["estimate"] - found["truth"]
    n = len(found)
    held = (found["ci_low"] <= found["truth"]) & (found["truth"] <= found["ci_high"])
    excludes_zero = (found["ci_low"] > 0) | (found["ci_high"] < 0)
    return {
        "n_studies": len(rows),
        "n_estimated": n,
        "truth": rows["truth"].mean(),
        "bias": error.mean(),
        "bias_mc_error": error.std() / np.sqrt(n) if n > 1 else np.nan,
        "sd": error.std(),
        "mean_se": found["std_error"].mean(),
        "coverage": held.mean() if n else np.nan,
        "excludes_zero": excludes_zero.mean() if n else np.nan,
        "p_below_05": (found["p_value"] < 0.05).mean() if n else np.nan,
    }


def studies(chosen: Situation, is_before: bool, n: int, pool: ProcessPoolExecutor) -> pd.DataFrame:
    """Return the rows of `n` studies of a situation."""
    started, parts = time.monotonic(), []
    for row in pool.map(partial(study_row, chosen.name, is_before), range(n), chunksize=5):
        parts.append(row)
        if len(parts) % REPORTED_EVERY == 0:
            print(f"{chosen.name}: {len(parts)} of {n}, {time.monotonic() - started:.0f} s", flush=True)
    return pd.DataFrame(parts)


def main() -> None:
    """Make every situation whose results are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500, help="studies a situation")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--only", nargs="*", help="these situations alone")
    parser.add_argument("--fresh", action="store_true", help="make again what has been made before")
    parser.add_argument("--before", action="store_true", help="with the code of an earlier commit on PYTHONPATH")
    parser.add_argument("--print", action="store_true", help="show the summary and write nothing")
    asked = parser.parse_args()
    folder = HERE / ("results_before" if asked.before else "results")
    folder.mkdir(exist_ok=True)
    # Spawned, not forked: a fork of a process with threads may wait for ever.
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        for chosen in [s for s in SITUATIONS if not asked.only or s.name in asked.only]:
            path = folder / f"{chosen.name}.csv"
            if path.exists() and not (asked.fresh or asked.print):
                print(f"{chosen.name}: results are there", flush=True)
                continue
            found = pd.DataFrame([summary(studies(chosen, asked.before, asked.studies, pool))])
            if asked.print:
                print(chosen.name, found.T.to_string(header=False), sep="\n", flush=True)
            else:
                found.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
                write_readme()


if __name__ == "__main__":
    main()
