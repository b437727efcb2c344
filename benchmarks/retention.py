"""The retention estimate and its bootstrap, timed, beside R's `survival` on the same rows and draws.

    python benchmarks/retention.py                        # 3,000 employees, 500 repetitions, with R
    python benchmarks/retention.py --employees 100000 --repetitions 10
    python benchmarks/retention.py --memory               # peak memory of our side by size, without R

Times are of one process and thread. Each size runs in processes of its own, so that the peak memory is its own.
"""

import argparse
import json
import pickle
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.design.trials import build_trials
from analysis.design.weights import WeightedFollowUp, trimmed, weigh
from analysis.estimate.arms import Arms, default_clusters
from analysis.estimate.resampling import WeightedRefit
from analysis.estimate.retention import difference
from analysis.measure.employment import EXITS
from analysis.plan.probability import rng
from analysis.plan.study import Study
from analysis.simulate import demo_scenarios, simulate

OUTCOME, MONTH, ROLE = "voluntary_exit", 12, "mentor"
AGREEMENT = 1e-6
SIZES = (3_000, 30_000, 100_000)
HERE = Path(__file__).parent


def main() -> None:
    """Run what is asked for and print it, one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--employees", type=int, default=3_000)
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--memory", action="store_true", help="peak memory of our side at three sizes, no R")
    parser.add_argument("--stage", choices=("make", "estimate"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stage == "make":
        make_company(asked.employees, asked.folder)
    elif asked.stage == "estimate":
        estimate(asked.folder, asked.repetitions, for_r=not asked.memory)
    elif asked.memory:
        print_memory()
    else:
        compare(asked.employees, asked.repetitions)


def make_company(n: int, folder: Path) -> None:
    """Simulate a company like the demo Northbank with `n` employees over the years, and keep what is read of it."""
    company = simulate(replace(demo_scenarios()["northbank"], name=f"northbank-{n}", employees=n, surveys=()))
    study = Study.model_validate(company.study)
    (folder / "company.pickle").write_bytes(pickle.dumps((study, company.tables)))


@contextmanager
def timed(figures: dict, name: str) -> Iterator[None]:
    """Add the wall and processor seconds of a block to `figures`."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    figures[name] = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def estimate(folder: Path, n_repetitions: int, for_r: bool) -> None:
    """Make the estimate and its bootstrap; leave the figures, and the input for R, in the folder."""
    study, tables = pickle.loads((folder / "company.pickle").read_bytes())
    before, figures = peak_mb(), {}
    with timed(figures, "trials"):
        trials = trimmed(build_trials(tables, study, study.programs[0], ROLE, {}))
    with timed(figures, "estimate"):
        followed = weigh(trials, EXITS, MONTH)
        arms = Arms.jackknifed(followed, rng("benchmark", len(followed.rows)))
        main_row = difference(arms, OUTCOME, MONTH)
    counts = draws(followed, n_repetitions)
    with timed(figures, "bootstrap"):
        recount = WeightedRefit(followed, (OUTCOME,), MONTH)
        drawn = np.concatenate([recount.differences(count[:, None]) for count in counts()])
    figures |= {
        "n_rows": len(followed.rows),
        "n_treated": int(followed.treated.sum()),
        "n_intervals": len(followed.row),
        "n_terms": followed.model.propensity.terms.shape[1],
        "risk_difference": main_row.estimate,
        "std_error": main_row.std_error,
        "bootstrap_std_error": float(np.nanstd(drawn, ddof=1)),
        "peak_mb": peak_mb(),
        "peak_mb_before": before,
    }
    (folder / "ours.json").write_text(json.dumps(figures))
    drawn.tofile(folder / "drawn.bin")
    if for_r:
        export(folder, followed, n_repetitions)


def draws(followed: WeightedFollowUp, n: int) -> Callable[[], Iterator[np.ndarray]]:
    """Return what makes how often each row counts in each repetition, as `estimate.bootstrap.bootstrap` draws it."""
    person = default_clusters(followed)
    return lambda: (count[person].astype(float) for count in drawn_people(followed, n))


def drawn_people(followed: WeightedFollowUp, n: int) -> Iterator[np.ndarray]:
    """Yield how often each person counts in each of `n` repetitions, shape (people,)."""
    n_people = followed.rows["employee_id"].nunique()
    random, even = rng("benchmark", n_people), np.full(n_people, 1 / n_people)
    return (random.multinomial(n_people, even) for _ in range(n))


def export(folder: Path, followed: WeightedFollowUp, n_repetitions: int) -> None:
    """Write what R starts from: arrays as raw numbers, so that both sides hold the same doubles; positions from 1."""
    model, follow = followed.model, followed.model.follow
    reals = {
        "terms": model.propensity.terms.T,  # column after column
        "coefficients": model.propensity.coefficients,
        "entry": followed.entry,
        "exit": followed.exit,
        "log_factor": follow.log_factor,
    }
    integers = {
        "treated": model.treated,
        "trial": model.trial + 1,
        "person": default_clusters(followed) + 1,
        "order": follow.order + 1,
        "row": followed.row + 1,
        "outcome": followed.outcome,
        "survived_begin": follow.survived[:, 0] + 1,
        "survived_end": follow.survived[:, 1] + 1,
        "counts": np.array(list(drawn_people(followed, n_repetitions))),
    }
    for name, values in reals.items():
        np.ascontiguousarray(values, dtype="<f8").tofile(folder / f"{name}.bin")
    for name, values in integers.items():
        np.ascontiguousarray(values, dtype="<i4").tofile(folder / f"{name}.bin")


def peak_mb() -> float:
    """Return the process's peak resident memory in MB."""
    per_mb = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_mb


def stage(name: str, folder: Path, employees: int, repetitions: int, *options: str) -> None:
    """Run a stage in a process of its own."""
    words = [sys.executable, __file__, "--stage", name, "--folder", folder, "--employees", employees]
    subprocess.run([*map(str, words), "--repetitions", str(repetitions), *options], check=True)


def print_memory() -> None:
    """Print our side's peak memory at each size."""
    print("employees  trial rows  intervals  peak MB (of which before the estimate)")
    for employees in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            stage("make", Path(folder), employees, 0)
            stage("estimate", Path(folder), employees, 3, "--memory")
            ours = json.loads((Path(folder) / "ours.json").read_text())
            print(
                f"{employees:9,d}  {ours['n_rows']:10,d}  {ours['n_intervals']:9,d}  {ours['peak_mb']:7,.0f}"
                f" ({ours['peak_mb_before']:,.0f})",
                flush=True,
            )


def compare(employees: int, repetitions: int) -> None:
    """Print our times, R's on the same input, their ratio, and how far the two answers lie apart.

    Raises
    ------
    SystemExit
        The answers differ, or there is no R.
    """
    if shutil.which("Rscript") is None:
        sys.exit("R is needed (Rscript with the package survival): apt install r-base-core r-cran-survival")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage("make", folder, employees, repetitions)
        stage("estimate", folder, employees, repetitions)
        subprocess.run(["Rscript", HERE / "retention.R", folder, str(repetitions), str(MONTH)], check=True)
        ours = json.loads((folder / "ours.json").read_text())
        theirs = pd.read_csv(folder / "r_times.csv", index_col="what")
        drawn = pd.read_csv(folder / "r_drawn.csv").assign(ours=np.fromfile(folder / "drawn.bin"))
        main_row = float((folder / "r_estimate.txt").read_text())
    print_comparison(employees, repetitions, ours, theirs)
    gap = max(
        abs(main_row / ours["risk_difference"] - 1),
        *((drawn[side] / drawn["ours"] - 1).abs().max() for side in theirs.index),
    )
    print(f"largest relative difference of any of the {repetitions + 1} answers: {gap:.1e}")
    if not gap < AGREEMENT:
        sys.exit(f"The two sides differ by more than {AGREEMENT:g}.")


def print_comparison(employees: int, repetitions: int, ours: dict, theirs: pd.DataFrame) -> None:
    """Print the sizes, our times and R's."""
    print(
        f"{employees:,} employees: {ours['n_rows']:,} trial rows, {ours['n_intervals']:,} intervals, "
        f"{ours['n_terms']} terms, {ours['n_treated']:,} started"
    )
    print(
        f"risk difference at {MONTH} months {ours['risk_difference']:+.5f}, standard error {ours['std_error']:.5f} "
        f"(bootstrap {ours['bootstrap_std_error']:.5f})"
    )
    for name in ("trials", "estimate"):
        print(f"ours, {name}: {ours[name]['wall']:.2f} s")
    boot = ours["bootstrap"]
    print(f"ours, {repetitions} repetitions: {boot['wall']:.1f} s, {1000 * boot['cpu'] / repetitions:.1f} ms CPU each")
    for side, row in theirs.iterrows():
        print(
            f"R, {side}, {repetitions} repetitions: {row['wall']:.1f} s, {1000 * row['cpu'] / repetitions:.1f} ms CPU "
            f"each; ratio {row['wall'] / boot['wall']:.1f} (CPU {row['cpu'] / boot['cpu']:.1f})"
        )


if __name__ == "__main__":
    main()
