"""Ten thousand shared ledgers checked and pooled, timed beside reading the same files with pandas, one by one.

    python benchmarks/synthesis.py                    # 10,000 companies with 28 rows each
    python benchmarks/synthesis.py --companies 1000

Seconds by the clock, and of the processor. "ours" is the whole command but its start: every ledger found, read, checked
by the contract, all pooled, page and plots written. "pandas" only reads the ledgers, one `read_csv` a file, and puts
them together.
Stops with an error where the two do not see the same rows.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from analysis.pipeline.synthesized import write_report
from analysis.plan.hypotheses import load_plan
from analysis.plan.paths import project_dir
from analysis.synthesis.ledgers import read_shared

Made = TypeVar("Made")
SEED = 20261201
SCALES = [hypothesis.id for hypothesis in load_plan().scales]


def main() -> None:
    """Print the seconds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=10_000)
    asked = parser.parse_args()
    sys.path.append(str(project_dir() / "tests"))
    from networks import invented_network

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "ledgers"
        invented_network(folder, asked.companies, np.random.default_rng(SEED), SCALES)
        clock = {}
        _, clock["ours, all of it"] = timed(lambda: write_report([folder], Path(name) / "synthesis", lambda _: None))
        ours, clock["ours, read and checked"] = timed(lambda: read_shared([folder]).rows)
        paths = sorted(folder.glob("*/estimates.csv"))
        theirs, clock["pandas, read alone"] = timed(lambda: pd.concat([pd.read_csv(path) for path in paths]))
    if ours["estimate"].fillna(9).tolist() != theirs["estimate"].fillna(9).tolist():
        sys.exit("the two sides do not see the same rows")
    print(f"{asked.companies:,} ledgers, {len(ours):,} rows")
    for what, (wall, processor) in clock.items():
        print(f"{what:24} {wall:6.1f} s, {processor:6.1f} s of a processor")
    ratio = clock["pandas, read alone"][1] / clock["ours, read and checked"][1]
    print(f"reading alone takes pandas {ratio:.1f} times the processor that reading and checking takes us")


def timed(make: Callable[[], Made]) -> tuple[Made, tuple[float, float]]:
    """Return what a function makes, and the seconds by the clock and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    made = make()
    return made, (time.perf_counter() - wall, time.process_time() - processor)


if __name__ == "__main__":
    main()
