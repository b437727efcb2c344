"""Run the study: ``PYTHONPATH=tests python -m simulations`` (``make simulations``)."""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd

from simulations.one_study import estimates_of
from simulations.summary import summarize
from simulations.table import write_readme
from simulations.worlds import WORLDS, World

HERE = Path(__file__).parent
RAW = HERE.parents[1] / "build" / "simulations"
REPORTED_EVERY = 100


def main() -> None:
    """Make every scenario that is not there yet, then the results and the README's table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500, help="studies a scenario")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--only", nargs="*", help="these scenarios alone; the committed results stay as they are")
    parser.add_argument("--fresh", action="store_true", help="make again what build/simulations already holds")
    parser.add_argument("--so-far", action="store_true", help="make none; results of the scenarios that are there")
    asked = parser.parse_args()
    RAW.mkdir(parents=True, exist_ok=True)
    chosen = [world for world in WORLDS if not asked.only or world.name in asked.only]
    if asked.so_far:
        chosen = [world for world in chosen if raw_file(world, asked.studies).exists()]
    with ProcessPoolExecutor(asked.jobs) as pool:
        raw = [scenario_rows(world, asked.studies, pool, asked.fresh) for world in chosen]
    results = summarize(pd.concat(raw, ignore_index=True))
    if asked.only:
        print(results.to_string())
        return
    results.to_csv(HERE / "results.csv", index=False, float_format="%.6g", lineterminator="\n")
    write_readme(HERE)


def raw_file(world: World, n: int) -> Path:
    """Return where a scenario's rows are kept, so that a run that was broken off goes on with the next scenario."""
    return RAW / f"{world.name}_{n}.csv"


def scenario_rows(world: World, n: int, pool: ProcessPoolExecutor, fresh: bool) -> pd.DataFrame:
    """Return the rows of `n` studies of a scenario, from the file of an earlier run where there is one."""
    path, started = raw_file(world, n), time.monotonic()
    if fresh or not path.exists():
        parts = []
        for part in pool.map(partial(estimates_of, world), range(n), chunksize=5):
            parts.append(part)
            if len(parts) % REPORTED_EVERY == 0:
                print(f"{world.name}: {len(parts)} of {n}, {time.monotonic() - started:.0f} s", flush=True)
        unfinished = path.with_suffix(".part")
        pd.concat(parts, ignore_index=True).to_csv(unfinished, index=False)
        unfinished.rename(path)
    return pd.read_csv(path)


if __name__ == "__main__":
    main()
