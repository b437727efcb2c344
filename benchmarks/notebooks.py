"""The notebooks of a report, and a page of HTML of each, timed beside stock papermill and nbconvert.

    python benchmarks/notebooks.py                                  # a demo study, 2 notebooks at a time
    python benchmarks/notebooks.py --study northbank --jobs 1

Both sides find the answer made and run the same notebooks with the same parameters. Stock: `papermill.execute_notebook`
as it comes, one cold kernel after the other. Ours: as `mentoring report` runs them, with the pictures that its page has
drawn before. On both sides nbconvert's HTML. Seconds of the processor, kernels included, and of the clock. Stops with
an error where any output differs.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
import papermill
from nbconvert import HTMLExporter

from analysis.answers.shared import shared
from analysis.pipeline import answer, open_study
from analysis.pipeline.planned import plan
from analysis.plan.paths import data_dir
from analysis.release.answer import Released
from analysis.report.execute import ONE_THREAD, execute_notebooks, notebook_runs, notebooks_of_reports
from analysis.report.forked import kernel_parent
from analysis.report.page import figure_files


class Seconds(NamedTuple):
    """What something took."""

    processor: float
    clock: float

    def __str__(self) -> str:
        return f"{self.processor:8.2f} {self.clock:8.2f}"


def main() -> None:
    """Time both sides and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", default="larkfield")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    os.environ.update(ONE_THREAD)
    os.environ.pop("MPLBACKEND", None)
    opened = open_study(asked.study)
    released = answer(opened)
    drawn = figure_files(released)
    print(f"{released.study.study}: {len(drawn)} pictures on the page")
    with shared(released, plan(opened)), tempfile.TemporaryDirectory() as name:
        stock, ours = Path(name) / "stock", Path(name) / "ours"
        stock.mkdir()
        runs = list(runs_of(released))
        start = timed(start_parent)
        took_ours = timed(lambda: run_ours(released, ours, asked.jobs))
        took_stock = timed(lambda: run_stock(runs, stock))
        print_table(len(runs), start, took_ours, took_stock)
        check_equal(stock, ours)


def runs_of(released: Released) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """Yield every run of a report: the notebook, the name of its output, its parameters."""
    for notebook in notebooks_of_reports():
        yield from notebook_runs(notebook, released.study.study, asked_about(released))


def asked_about(released: Released) -> set[str]:
    """Return the hypotheses that have a notebook in a report."""
    return {finding.hypothesis for finding in released.findings if finding.verdict_reason != "too_little_data"}


def start_parent() -> None:
    """Start the process that kernels are forked from, and end it."""
    with kernel_parent() as kernels:
        assert kernels is not None, "kernels cannot be forked here"


def run_ours(released: Released, folder: Path, jobs: int) -> None:
    """Run the notebooks as a report does."""
    execute_notebooks(released.study.study, data_dir(), folder, jobs, lambda said: None, scales=asked_about(released))
    write_html(folder)


def run_stock(runs: list[tuple[Path, str, dict[str, str]]], folder: Path) -> None:
    """Run the notebooks by papermill as it comes."""
    for notebook, name, given in runs:
        papermill.execute_notebook(notebook, folder / name, given, cwd=notebook.parent, progress_bar=False)
    write_html(folder)


def write_html(folder: Path) -> None:
    """Write a page of HTML beside each notebook of a folder."""
    exporter = HTMLExporter()
    for path in sorted(folder.glob("*.ipynb")):
        path.with_suffix(".html").write_text(exporter.from_filename(path)[0], encoding="utf-8")


def check_equal(stock: Path, ours: Path) -> None:
    """Stop where a cell shows something else."""
    for path in sorted(stock.glob("*.ipynb")):
        cold, forked = (nbformat.read(folder / path.name, as_version=4).cells for folder in (stock, ours))
        for one, other in zip(cold, forked, strict=True):
            assert one.get("outputs") == other.get("outputs"), f"{path.name} differs: {one.source}"


def timed(do: Callable[[], None]) -> Seconds:
    """Return what doing it took, in this process and in those that it started and saw end."""
    before, started = _processor(), time.monotonic()
    do()
    return Seconds(_processor() - before, time.monotonic() - started)


def _processor() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def print_table(n: int, start: Seconds, ours: Seconds, stock: Seconds) -> None:
    """Print the seconds of both sides and their ratios."""
    without = Seconds(*(whole - part for whole, part in zip(ours, start, strict=True)))
    print(f"{n} notebooks, HTML included      processor    clock")
    for told, took in (
        ("stock, all", stock),
        ("ours, all", ours),
        ("ours, process that is forked", start),
        ("stock, a notebook", Seconds(*(each / n for each in stock))),
        ("ours, a notebook", Seconds(*(each / n for each in without))),
        ("ours, a notebook, its share of the start included", Seconds(*(each / n for each in ours))),
    ):
        print(f"{told:50} {took}")
    print(f"stock to ours: {stock.processor / without.processor:.1f} by the processor, ", end="")
    print(f"{stock.clock / without.clock:.1f} by the clock; with the start ", end="")
    print(f"{stock.processor / ours.processor:.1f} and {stock.clock / ours.clock:.1f}")


if __name__ == "__main__":
    main()
