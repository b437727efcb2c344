"""Whether one jackknife serves all ways to make an answer: ``PYTHONPATH=tests python -m simulations.one_jackknife``.

The same estimates with three errors: of a jackknife of their own, of influence functions, and of influence functions
stretched by the main row's jackknife (`estimate.arms.Arms.another`), as the sensitivity rows have. Worlds in which the
program does nothing; ways whose assumptions hold there. Results go into ``one_jackknife.csv`` beside this file.
"""

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd

from analysis.design.weights import weigh
from analysis.estimate.arms import Arms
from analysis.estimate.by_trials import ByTrials, main_arms
from analysis.estimate.retention import difference
from analysis.estimate.sensitivity import COVARIATE_SETS, LARGEST_QUANTILE
from analysis.measure.employment import EXITS
from analysis.simulate import simulate
from simulations.one_study import OUTCOME, _comparison
from simulations.worlds import WORLDS

RESULTS = Path(__file__).parent / "one_jackknife.csv"
NAMES = ("null-selected", "null-heavy-exit", "null-few-treated", "null-ties")
WAYS = {
    "truncated": {"largest_quantile": LARGEST_QUANTILE},
    "without_organization": {"exclude": COVARIATE_SETS["without_organization"]},
}


def rows_of(name: str, number: int) -> list[dict]:
    """Return the estimates of one study, one row per way and error."""
    world = next(world for world in WORLDS if world.name == name)
    comparison = _comparison(simulate(world.study(number)), world)
    question = comparison.question("H1_retention")
    asked = ByTrials(question, OUTCOME, comparison.trials, comparison, lambda: comparison.ever)
    return [{"world": name, "number": number} | row for row in _rows(asked)]


def _rows(asked: ByTrials) -> Iterator[dict]:
    for way, choices in WAYS.items():
        followed = weigh(asked.trials, EXITS, asked.first, **choices)
        made = {
            "own jackknife": main_arms(asked.question, followed, OUTCOME),
            "influence functions": Arms.of(followed),
            "main row's jackknife": asked.made_otherwise(followed),
        }
        for error, arms in made.items():
            found = difference(arms, OUTCOME, asked.first)
            yield {"way": way, "error": error, "estimate": found.estimate, "std_error": found.std_error,
                   "holds": found.low <= 0 <= found.high}  # fmt: skip


def main() -> None:
    """Make the studies and write what they show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200, help="studies a world")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.jobs) as pool:
        rows = [
            row for name in NAMES for some in pool.map(partial(rows_of, name), range(asked.studies)) for row in some
        ]
    by = pd.DataFrame(rows).groupby(["world", "way", "error"], sort=False)
    shown = by.agg(n_studies=("number", "size"), bias=("estimate", "mean"), sd=("estimate", "std"),
                   mean_se=("std_error", "mean"), coverage=("holds", "mean"))  # fmt: skip
    shown.reset_index().to_csv(RESULTS, index=False, float_format="%.4f", lineterminator="\n")
    print(shown.round(4).to_string())


if __name__ == "__main__":
    main()
