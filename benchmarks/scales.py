"""Scale scores and the difference-in-differences with its band, timed, beside pandas, R and libraries for the latter.

    python benchmarks/scales.py                                            # 3,000 employees, everybody answers
    python benchmarks/scales.py --employees 100000 --did-python PYTHON     # PYTHON has the libraries
    python benchmarks/scales.py --employees 100000 --share 0.45            # our side of the DiD alone

The libraries are no dependency of the project: `--did-python` names an interpreter that has some of them (by default
this one), and what is not installed there is said. Times are of one process and thread, processor's (and the clock's),
ratios of the processor's; each side runs in a process of its own, so that the peak memory is its own. Stops with an
error where the answers differ.
"""

import argparse
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from did_libraries import IS_MISSING, LIBRARIES, forget_peak, peak_mb
from generated import CONSTRUCTS, FULL, INSTRUMENT, PROGRAM, ROLE, Generated, generated

from analysis.design.covariates import covariates_on, design_matrix
from analysis.design.panels import Panels
from analysis.estimate.event_study import band, event_curve, overall
from analysis.estimate.staggered import Stack, comparator_weights, not_adjusted_for, stacked
from analysis.measure.employment import job_history, staff_on
from analysis.measure.exposure import first_starts
from analysis.measure.scales import self_scores
from analysis.plan.instruments import Scale
from analysis.plan.probability import rng

AGREEMENT = 1e-9
HERE = Path(__file__).parent
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "RAYON", "NUMBA")}
ONE_THREAD["POLARS_MAX_THREADS"] = "1"


def main() -> None:
    """Run what is asked for and print it, one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--employees", type=int, default=3_000)
    parser.add_argument("--share", type=float, default=FULL, help="of the employees answers on each wave (1 = all)")
    parser.add_argument("--did-python", default=sys.executable, help="an interpreter that has the libraries")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds that a library may take")
    parser.add_argument("--stage", choices=tuple(STAGES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stage == "make":
        make_company(asked.employees, asked.share, asked.folder)
    elif asked.stage:
        company = pickle.loads((asked.folder / "company.pickle").read_bytes())
        STAGES[asked.stage](company, asked.folder)
    else:
        compare(asked)


# ---- the stages, each in a process of its own ----


def make_company(n: int, share: float, folder: Path) -> None:
    """Generate the company and keep it, as it is and as R reads it."""
    company = generated(n, share)
    (folder / "company.pickle").write_bytes(pickle.dumps(company))
    answers, people = company.tables.responses, company.tables.employees["employee_id"]
    card = company.instruments[INSTRUMENT]
    items = [(c, s.construct_name, int(i.reversed)) for s in card.scales.values() for c, i in s.items.items()]
    (folder / "people.txt").write_text("\n".join(people) + "\n")
    pd.DataFrame(items, columns=["item", "construct", "reversed"]).to_csv(folder / "items.csv", index=False)
    (pd.Index(people).get_indexer(answers["employee_id"]) + 1).astype("<i4").tofile(folder / "person.bin")
    (pd.Index([code for code, *_ in items]).get_indexer(answers["item"]) + 1).astype("<i4").tofile(folder / "item.bin")
    answers["wave"].to_numpy().astype("<i4").tofile(folder / "wave.bin")
    answers["value"].to_numpy().astype("<f8").tofile(folder / "value.bin")


@contextmanager
def timed(figures: dict, name: str) -> Iterator[None]:
    """Add the seconds of a block to `figures`, and the process's peak memory after it."""
    forget_peak()
    before, wall, cpu = peak_mb(), time.perf_counter(), time.process_time()
    yield
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    figures[name] = seconds | {"peak_mb": peak_mb(), "peak_mb_before": before}


def ours(company: Generated, folder: Path) -> None:
    """Score all constructs, one after the other, as a study does."""
    figures = {"n_answers": len(company.tables.responses)}
    with timed(figures, "scores"):
        scored = {c: self_scores(c, company.tables, company.instruments) for c in CONSTRUCTS}
    keep_scores(folder, "ours", [s["score"] for s in scored.values()])
    scored["morale"].to_pickle(folder / "morale.pickle")
    (folder / "ours.json").write_text(json.dumps(figures))


def keep_scores(folder: Path, name: str, scores: list[pd.Series]) -> None:
    """Write the scores of all constructs one after the other, each in order of person and wave."""
    np.concatenate([s.to_numpy() for s in scores]).astype("<f8").tofile(folder / f"scores_{name}.bin")


def pandas_pivot(company: Generated, folder: Path) -> None:
    """Score with one `pivot_table` over all items: the last answer to an item counts."""
    card, figures = company.instruments[INSTRUMENT], {}
    with timed(figures, "scores"):
        wide = company.tables.responses.pivot_table(
            index=["employee_id", "wave"], columns="item", values="value", aggfunc="last"
        )
        turned = [code for code, item in card.items.items() if item.reversed]
        wide[turned] = card.response.min + card.response.max - wide[turned]
        scores = []
        for scale in card.scales.values():
            items = wide[list(scale.items)]
            enough = items.notna().mean(axis="columns") >= scale.min_answered
            scores.append(items.mean(axis="columns")[enough])
    keep_scores(folder, "pandas_pivot", scores)
    (folder / "pandas_pivot.json").write_text(json.dumps(figures))


def pandas_group(company: Generated, folder: Path) -> None:
    """Score with one `groupby` by person, wave and scale, with no thought of people who answered twice."""
    card, figures = company.instruments[INSTRUMENT], {}
    with timed(figures, "scores"):
        answers = company.tables.responses[["employee_id", "wave", "item", "value"]]
        turned = answers["item"].isin([code for code, item in card.items.items() if item.reversed])
        value = answers["value"].where(~turned, card.response.min + card.response.max - answers["value"])
        scale_of = {code: name for name, scale in card.scales.items() for code in scale.items}
        answers = answers.assign(value=value, scale=answers["item"].map(scale_of))
        means = answers.groupby(["scale", "employee_id", "wave"])["value"].agg(["mean", "count"])
        scores = [_enough(means.loc[scale.construct_name], scale) for scale in card.scales.values()]
    keep_scores(folder, "pandas_group", scores)
    (folder / "pandas_group.json").write_text(json.dumps(figures))


def _enough(means: pd.DataFrame, scale: Scale) -> pd.Series:
    return means.loc[means["count"] / len(scale.items) >= scale.min_answered, "mean"]


def did(company: Generated, folder: Path) -> None:
    """Estimate from the scores: panels, stack, weights, overall effect, curve and band; once more without covariates.

    Where everybody answers, those with a score on every wave alone: the libraries leave out the others.
    """
    scores, figures = pd.read_pickle(folder / "morale.pickle"), {}
    tables, program = company.tables, company.study.programs[0]
    wide = scores.pivot(index="employee_id", columns="wave", values="score")
    if scores["wave"].value_counts().min() > 0.9 * len(tables.employees):
        wide = wide.dropna()
        scores = scores[scores["employee_id"].isin(wide.index)]
        keep_panel(company, folder, wide)
    with timed(figures, "panels"):
        made = Panels(tables, company.study, program, ROLE)
        panels = (made.after(scores), made.before(scores))
    with timed(figures, "estimate"):
        stack, _ = stacked(panels, by_unit=False)
        found = _estimated(stack)
    plain = _estimated(Stack(**vars(stack) | {"terms": stack.terms[:, :0]}))
    shape = {"n_rows": len(stack.y), "n_cells": int(stack.cell.max()) + 1, "n_terms": stack.terms.shape[1]}
    figures |= shape | {"n_treated": int(panels[0].flow["n_treated"].iloc[-1]), "adjusted": found, "plain": plain}
    (folder / "did.json").write_text(json.dumps(figures))


def _estimated(stack: Stack) -> dict:
    """Return the overall effect with its standard error, and the curve with its band."""
    weights = comparator_weights(stack)
    whole, curve = overall(stack, weights).interval(0), event_curve(stack, weights)
    points = band(curve, rng("benchmark", "band"))
    rows = points[["position", "estimate", "std_error", "band_low", "band_high"]].to_numpy(dtype=float)
    return {"overall": (whole.estimate, whole.std_error), "curve": rows.tolist()}


def keep_panel(company: Generated, folder: Path, wide: pd.DataFrame) -> None:
    """Write what the libraries get: scores, the first wave after each start, covariates as before the first start.

    The covariates are our design matrix less one department and one site: the libraries have an intercept.
    """
    tables = company.tables
    start = first_starts(tables.enrolments, PROGRAM).reindex(wide.index).to_numpy()
    opens = tables.waves["opens"].to_numpy()
    cohort = np.where(np.isnat(start), 0, np.searchsorted(opens, start) + 1)
    staff = staff_on(tables, job_history(tables.jobs), pd.Timestamp(np.nanmin(start)))
    staff = staff.take(pd.Index(staff.spells["employee_id"]).get_indexer(wide.index))
    matrix = design_matrix(covariates_on(staff, {}), cohort > 0, not_adjusted_for(None))
    first = [next(t for t in matrix.terms if t.startswith(f"{c}:")) for c in ("department", "location")]
    terms = np.delete(matrix.values, [matrix.terms.index(term) for term in first], axis=1)
    np.savez(folder / "panel.npz", scores=wide.to_numpy(), cohort=cohort, terms=terms)


STAGES = {"make": None, "ours": ours, "pandas_pivot": pandas_pivot, "pandas_group": pandas_group, "did": did}

# ---- what is printed ----


def compare(asked: argparse.Namespace) -> None:
    """Print our figures and everybody else's, their ratios, and how far the answers lie apart.

    Raises
    ------
    SystemExit
        The answers differ.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage("make", folder, asked)
        stage("ours", folder, asked)
        print_scores(folder, asked)
        stage("did", folder, asked)
        print_did(folder)
        if (folder / "panel.npz").exists():
            for library in LIBRARIES:
                print_library(library, folder, asked)


def stage(name: str, folder: Path, asked: argparse.Namespace) -> None:
    """Run a stage in a process of its own."""
    words = [sys.executable, __file__, "--stage", name, "--folder", folder, "--employees", asked.employees]
    subprocess.run(
        [*map(str, words), "--share", str(asked.share)], check=True, env=os.environ | ONE_THREAD, cwd=Path.cwd()
    )


def print_scores(folder: Path, asked: argparse.Namespace) -> None:
    """Print the scoring by us, by pandas and by R."""
    mine = json.loads((folder / "ours.json").read_text())
    print(f"{asked.employees:,} employees, share {asked.share:g}: {mine['n_answers']:,} answers", flush=True)
    print(f"scores, ours: {words(mine['scores'])}", flush=True)
    for way in ("pandas_pivot", "pandas_group"):
        stage(way, folder, asked)
        theirs = json.loads((folder / f"{way}.json").read_text())["scores"]
        _print_way(folder, way, words(theirs), theirs["cpu"] / mine["scores"]["cpu"])
    if not has_data_table():
        return print("scores, R: not run (needs Rscript with data.table: apt install r-cran-data.table)")
    subprocess.run(["Rscript", HERE / "scales.R", folder, "0.5", "1", "5"], check=True, env=os.environ | ONE_THREAD)
    for way, row in pd.read_csv(folder / "r_times.csv", index_col="what").iterrows():
        seconds = f"{row['cpu']:.2f} s CPU ({row['wall']:.2f} s), R's own peak {row['peak_mb']:,.0f} MB"
        _print_way(folder, way, seconds, row["cpu"] / mine["scores"]["cpu"])


def has_data_table() -> bool:
    """Return whether there is an R with the package data.table."""
    ask = ["Rscript", "-e", "quit(status = !requireNamespace('data.table', quietly = TRUE))"]
    return shutil.which("Rscript") is not None and subprocess.run(ask, check=False).returncode == 0


def _print_way(folder: Path, way: str, seconds: str, ratio: float) -> None:
    mine, theirs = (np.fromfile(folder / f"scores_{name}.bin") for name in ("ours", way))
    gap = np.abs(mine - theirs).max() if len(mine) == len(theirs) else np.inf
    print(f"scores, {way}: {seconds}; ratio {ratio:.2f}; largest difference {gap:.1e}", flush=True)
    if not gap < AGREEMENT:
        sys.exit(f"The two sides differ by more than {AGREEMENT:g}.")


def words(figure: dict) -> str:
    """Return seconds and memory in words."""
    seconds = f"{figure['cpu']:.2f} s CPU ({figure['wall']:.2f} s)"
    return f"{seconds}, peak {figure['peak_mb']:,.0f} MB (before {figure['peak_mb_before']:,.0f})"


def print_did(folder: Path) -> None:
    """Print our side of the difference-in-differences."""
    mine = json.loads((folder / "did.json").read_text())
    print(
        f"DiD: {mine['n_rows']:,} rows in {mine['n_cells']} cells, {mine['n_terms']} terms, "
        f"{mine['n_treated']:,} started and answered both"
    )
    print(f"DiD, ours, panels from the tables: {words(mine['panels'])}")
    print(f"DiD, ours, stack to band: {words(mine['estimate'])}")
    print(f"DiD, ours: {mine['adjusted']['overall'][0]:+.5f} (SE {mine['adjusted']['overall'][1]:.5f})", flush=True)


def print_library(library: str, folder: Path, asked: argparse.Namespace) -> None:
    """Run one library with and without covariates, and print it beside ours."""
    n_terms = np.load(folder / "panel.npz")["terms"].shape[1]
    found = {}
    for name, terms in (("plain", 0), ("adjusted", n_terms)):
        command = [asked.did_python, str(HERE / "did_libraries.py"), library, str(folder), str(terms)]
        try:
            done = subprocess.run(
                command, check=False, capture_output=True, timeout=asked.limit, env=os.environ | ONE_THREAD
            )
        except subprocess.TimeoutExpired:
            return print(f"DiD, {library}, {name}: not done after {asked.limit:g} s", flush=True)
        if done.returncode == IS_MISSING:
            return print(f"DiD, {library}: not run, since {asked.did_python} does not have it", flush=True)
        if done.returncode:
            last = done.stderr.decode().strip().splitlines()[-1:]
            return print(f"DiD, {library}, {name}: failed ({' '.join(last)[:200]})", flush=True)
        found[name] = json.loads((folder / f"{library}.json").read_text())
    print_library_figures(library, json.loads((folder / "did.json").read_text()), found)


def print_library_figures(library: str, mine: dict, found: dict) -> None:
    """Print a library's time and answers beside ours; stop where the unadjusted answers differ."""
    theirs, seconds = found["adjusted"], found["adjusted"]["cpu"]
    estimate, whole = mine["estimate"]["cpu"], mine["estimate"]["cpu"] + mine["panels"]["cpu"]
    effect, error = theirs["overall"]
    gap = max(_gap(mine["plain"], found["plain"]))
    apart, width = _gap(mine["adjusted"], theirs)[0] / error, _band_width(mine["adjusted"], theirs)
    print(
        f"DiD, {library} {theirs['version']}: {words(theirs)}; ratio {seconds / estimate:.2f} to stack to band, "
        f"{seconds / whole:.2f} with panels; {effect:+.5f} (SE {error:.5f}), {apart:.2f} SE from ours; "
        + ("no band for the curve; " if np.isnan(width) else f"band {width:.3f} times as wide; ")
        + f"without covariates the answers differ by {gap:.1e}",
        flush=True,
    )
    if not gap < AGREEMENT:
        sys.exit(f"The two sides differ by more than {AGREEMENT:g}.")


def _gap(mine: dict, theirs: dict) -> tuple[float, float]:
    """Return the largest difference of the overall effect, and of any point of the curve."""
    points = _points(theirs)
    ends = [abs(row[1] - points[int(row[0])][1]) for row in mine["curve"]]
    return abs(mine["overall"][0] - theirs["overall"][0]), max(ends)


def _points(theirs: dict) -> dict[int, list[float]]:
    """Return a library's curve by our positions: theirs call the first wave after the start 0, and the base −1."""
    return {int(row[0]) + 1: row for row in theirs["curve"]}


def _band_width(mine: dict, theirs: dict) -> float:
    points = _points(theirs)
    return float(np.mean([(points[int(r[0])][4] - points[int(r[0])][3]) / (r[4] - r[3]) for r in mine["curve"]]))


if __name__ == "__main__":
    main()
