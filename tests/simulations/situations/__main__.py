"""Run the situations: ``PYTHONPATH=tests python -m simulations.situations`` (part of ``make simulations``)."""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from simulations.situations.one_study import study_row, summary
from simulations.situations.registry import SITUATIONS
from simulations.situations.table import write_readme
from simulations.situations.world import Situation

HERE = Path(__file__).parent
REPORTED_EVERY = 100


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
