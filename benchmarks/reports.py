"""The reports of many small companies, timed beside notebooks run by stock papermill.

    python benchmarks/reports.py                                    # 40 companies, of which stock papermill gets 2
    python benchmarks/reports.py --companies 4 --stock-companies 1
    python benchmarks/reports.py --folder FOLDER                    # keeps companies, reports and notebooks there

Simulated companies of 200 to 500 people. Ours: ``mentoring report --jobs 2``, that is page, ledgers, figures and
executed notebooks. Stock: the same notebooks by `papermill.execute_notebook`, one cold kernel after the other, each
of which computes what it shows, and nbconvert's HTML of each. Stock runs on the first few companies alone and is
scaled by the number of notebooks. Seconds of the clock and of the processor with everything that either side starts,
and the most memory that its processes had together, looked at twice a second (what several share is counted once).
"""

import argparse
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from analysis.plan.paths import ONE_THREAD, environment

LIKE = ("northbank", "larkfield", "kesselwerk", "fjellkode")
FEWEST, MOST = 200, 500
LOOK_EVERY = 0.5
PR_SET_CHILD_SUBREAPER = 36
# Where the stock side says how many seconds of the processor nbconvert took.
PAGES = "pages.txt"


class Used(NamedTuple):
    """What a side took."""

    clock: float
    processor: float
    memory: float


def main() -> None:
    """Make the companies, run both sides and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=40)
    parser.add_argument("--stock-companies", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only-stock", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only_stock:
        run_stock(asked.only_stock.split(","), asked.folder)
        return
    with (
        folder_of(asked.folder) as folder,
        environment(**ONE_THREAD, MPLBACKEND=None, MENTORING_KEY=str(folder / "key")),
    ):
        names = make_companies(asked.companies, folder / "data")
        places = ["--data", str(folder / "data"), "--reports", str(folder / "reports")]
        ours = used([sys.executable, "-m", "analysis", "report", *names, "--jobs", str(asked.jobs), "--force", *places])
        few = names[: asked.stock_companies]
        stock = used([sys.executable, __file__, "--only-stock", ",".join(few), "--folder", str(folder)])
        n = [len(list((folder / "reports" / name / "notebooks").glob("*.ipynb"))) for name in names]
        print_table(n, len(few), stock, ours, float((folder / "stock" / PAGES).read_text(encoding="utf-8")))


@contextmanager
def folder_of(given: Path | None) -> Iterator[Path]:
    """Yield the folder to work in: the one that is named, or one that is removed."""
    if given:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def make_companies(n: int, data: Path) -> list[str]:
    """Write `n` companies, which resemble the demos in turn, into `data`; return their names."""
    from analysis.simulate import scenario_named, simulate, write_company

    names = [f"company-{number:03d}" for number in range(1, n + 1)]
    for number, name in enumerate(names):
        employees = FEWEST + round((MOST - FEWEST) * number / max(n - 1, 1))
        scenario = scenario_named(name, like=LIKE[number % len(LIKE)], employees=employees)
        write_company(simulate(scenario), data / name, overwrite=True)
    return names


def run_stock(names: list[str], folder: Path) -> None:
    """Run the notebooks that each company's report has by papermill as it comes, and write HTML of each."""
    import papermill
    from nbconvert import HTMLExporter

    exporter, pages = HTMLExporter(), 0.0
    for name in names:
        (folder / "stock" / name).mkdir(parents=True, exist_ok=True)
        for notebook, file, given in runs_of(name, folder):
            output = folder / "stock" / name / file
            # In a folder of its own: another notebook's answer is not there to be used.
            with tempfile.TemporaryDirectory() as reports, environment(MENTORING_REPORTS=reports):
                papermill.execute_notebook(
                    notebook,
                    output,
                    given,
                    cwd=notebook.parent,
                    progress_bar=False,
                    extra_arguments=["--log-level=CRITICAL"],
                )
            before = time.process_time()
            output.with_suffix(".html").write_text(exporter.from_filename(output)[0], encoding="utf-8")
            pages += time.process_time() - before
    (folder / "stock" / PAGES).write_text(str(pages), encoding="utf-8")


def runs_of(name: str, folder: Path) -> list[tuple[Path, str, dict[str, str]]]:
    """Return the runs of notebooks that the report of a company has: notebook, name of the output, parameters."""
    from analysis.plan.paths import notebooks_dir
    from analysis.report.execute import notebook_runs, scale_hypotheses

    made = {path.name for path in (folder / "reports" / name / "notebooks").glob("*.ipynb")}
    found = [
        run for path in sorted(notebooks_dir().glob("*.ipynb")) for run in notebook_runs(path, name, scale_hypotheses())
    ]
    return [(path, file, given | {"data": str(folder / "data")}) for path, file, given in found if file in made]


def used(command: list[str]) -> Used:
    """Run a command and return what it, and everything that it started, took; stops with an error where it fails."""
    # What outlives its parent becomes a child of this process, so that its time is counted, too.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    before, started, memory = _processor(), time.monotonic(), 0.0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        memory = max(memory, _memory())
        time.sleep(LOOK_EVERY)
    clock = time.monotonic() - started
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    assert process.returncode == 0, f"exit code {process.returncode}: {' '.join(command)}"
    return Used(clock, _processor() - before, memory)


def _processor() -> float:
    took = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took.ru_utime + took.ru_stime


def _memory() -> float:
    """Return the bytes that all processes under this one have together."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += process.memory_full_info().pss
    return total


def print_table(notebooks: list[int], few: int, stock: Used, ours: Used, pages: float) -> None:
    """Print both sides as a table of benchmarks/README.md; `pages` are stock's seconds of nbconvert."""
    n, factor = len(notebooks), sum(notebooks) / sum(notebooks[:few])
    print(f"Stock was run on {few} of {n} companies, {sum(notebooks[:few])} of {sum(notebooks)} notebooks,")
    print(f"which took {stock.clock:.0f} seconds by the clock and {stock.processor:.0f} of the processor, and scaled.")
    print(f"\n| {n} companies, {sum(notebooks)} notebooks | stock, scaled | ours | stock to ours |")
    print("| --- | ---: | ---: | ---: |")
    for told, one, other in (
        ("seconds by the clock", factor * stock.clock, ours.clock),
        ("seconds of the processor", factor * stock.processor, ours.processor),
        ("the same, without nbconvert", factor * (stock.processor - pages), ours.processor),
        ("seconds of the processor, a company", factor * stock.processor / n, ours.processor / n),
        ("peak memory, MB", stock.memory / 1e6, ours.memory / 1e6),
    ):
        print(f"| {told} | {one:.0f} | {other:.0f} | **{one / other:.1f}** |")


if __name__ == "__main__":
    main()
