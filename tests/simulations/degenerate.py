"""Odd but legal studies through the whole report: ``PYTHONPATH=tests python -m simulations.degenerate --studies N``.

First those of `degenerate.COMBINED`, in which every oddity is; after them each draws up to six oddities of
`degenerate.ODDITIES`. How many people there are and who they are is drawn as well. A study is made anew from its
number: ``--first NUMBER --studies 1``.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from degenerate import COMBINED, ODDITIES, odd_company, write
from whole_report import complaints

from analysis.plan.probability import rng

MOST_TOGETHER = 6
FEWEST_PEOPLE, MOST_PEOPLE = 4, 160
REPORTED_EVERY = 25


def drawn(number: int) -> tuple[tuple[str, ...], int]:
    """Return the oddities of a study, in the order in which they are applied, and how many people it has."""
    draw = rng("degenerate", number)
    people = int(draw.integers(FEWEST_PEOPLE, MOST_PEOPLE))
    n = int(draw.integers(1, MOST_TOGETHER + 1))
    drawn_names = set(draw.choice(list(ODDITIES), n, replace=False))
    chosen = set(COMBINED[number]) if number < len(COMBINED) else drawn_names
    return tuple(name for name in ODDITIES if name in chosen), people


def outcome(number: int, notebooks: bool = True) -> tuple[int, tuple[str, ...], list[str]]:
    """Return a study's number, its oddities and what is wrong with its report."""
    names, people = drawn(number)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("MENTORING_KEY", str(Path(tempfile.gettempdir()) / f"degenerate-{os.getpid()}-key"))
        write(odd_company(names, people, seed=number), Path(folder) / "odd")
        return number, names, list(dict.fromkeys(complaints("odd", Path(folder), notebooks)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the studies and print every one that did not come out whole; return 1 if any did not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="number of the first study")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--no-notebooks", action="store_true", help="pages and pictures alone")
    asked = parser.parse_args(arguments)
    started, failed = time.monotonic(), 0
    numbers = range(asked.first, asked.first + asked.studies)
    with ProcessPoolExecutor(asked.jobs) as pool:
        made = pool.map(partial(outcome, notebooks=not asked.no_notebooks), numbers)
        for done, (number, names, found) in enumerate(made, start=1):
            if found:
                failed += 1
                print(f"study {number} ({', '.join(names)}):", *found, sep="\n    ", flush=True)
            if done % REPORTED_EVERY == 0:
                print(f"{done} of {asked.studies}, {time.monotonic() - started:.0f} s, {failed} failed", flush=True)
    print(f"{asked.studies} odd studies, {failed} of which did not come out whole")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
