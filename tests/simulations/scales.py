"""Run the scales' study: ``PYTHONPATH=src:tests python -m simulations.scales`` (part of ``make simulations``)."""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd

from simulations.scales_study import estimates_of
from simulations.scales_summary import summarize
from simulations.scales_table import results_path, write_readme
from simulations.scales_worlds import WORLDS, World

HERE = Path(__file__).parent
RAW = HERE.parents[1] / "build" / "simulations"
N_STUDIES = 500


def main() -> None:
    """Make every world whose results are not there yet, going on where it was broken off, and the README's tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--only", nargs="*", help="these worlds alone")
    parser.add_argument("--fresh", action="store_true", help="make again what has been made before")
    asked = parser.parse_args()
    RAW.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(asked.jobs) as pool:
        for world in [w for w in WORLDS if not asked.only or w.name in asked.only]:
            path, started = results_path(world), time.monotonic()
            if path.exists() and not asked.fresh:
                continue
            results = summarize(world_rows(world, pool, asked.fresh))
            path.parent.mkdir(exist_ok=True)
            results.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
            print(f"{world.name}: {time.monotonic() - started:.0f} s", flush=True)
    write_readme(HERE)


def world_rows(world: World, pool: ProcessPoolExecutor, fresh: bool) -> pd.DataFrame:
    """Return the rows of a world's studies, made where they are missing."""
    path = RAW / f"scales-{world.name}.csv"
    if fresh:
        path.unlink(missing_ok=True)
    made = set(pd.read_csv(path)["number"]) if path.exists() else set()
    missing = [number for number in range(N_STUDIES) if number not in made]
    for rows in pool.map(partial(estimates_of, world), missing, chunksize=5):
        rows.to_csv(path, mode="a", header=not path.exists(), index=False)
    return pd.read_csv(path)


if __name__ == "__main__":
    main()
