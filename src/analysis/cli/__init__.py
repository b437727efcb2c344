"""The command ``mentoring``: what a person types."""

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from analysis.cli.bundle import bundle
from analysis.cli.cache import cache
from analysis.cli.check import check
from analysis.cli.explain import explain
from analysis.cli.init import init
from analysis.cli.register import register
from analysis.cli.releases import releases
from analysis.cli.report import batch, report
from analysis.cli.reproduce import reproduce
from analysis.cli.share import share
from analysis.cli.synthesize import synthesize
from analysis.cli.terminal import (
    BAD_INPUT,
    DONE,
    FAILED,
    Data,
    Reports,
    is_unwritable,
    out,
    progress,
    show_fault,
    show_problems,
    show_table,
)
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.paths import data_dir, environment, home_dir, reports_dir

if TYPE_CHECKING:
    from analysis.estimate.planning import RolePlan

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Does a company's mentoring program work? Honest reports from its own exports.",
)
app.command(epilog="Example: mentoring init acme --employees workers.csv --survey pulse.csv --enrolments pairs.xlsx")(
    init
)
app.command(epilog="Example: mentoring check northbank")(check)
app.command(epilog="Example: mentoring report northbank larkfield --jobs 2")(report)
app.command(epilog="Example: mentoring batch companies.csv --jobs 4")(batch)
app.command(epilog="Example: mentoring register northbank --reason 'a second intake'")(register)
app.command(epilog="Example: mentoring share northbank --out ~/ledger --to 'works council'")(share)
app.command(epilog="Example: mentoring releases northbank")(releases)
app.command(epilog="Example: mentoring reproduce northbank --against ~/reports-of-june")(reproduce)
app.command(epilog="Example: mentoring explain northbank H1-b0df3ad9e0")(explain)
app.command(epilog="Example: mentoring bundle northbank --out ~/for-the-reviewer.zip")(bundle)
app.command(epilog="Example: mentoring cache --clear")(cache)
app.command(epilog="Example: mentoring synthesize ~/ledgers-of-all-companies")(synthesize)


def main() -> None:
    """Run the command; a user's mistake ends with exit code 2 and every problem listed, never with a traceback."""
    with _with_home():
        try:
            app()
        except BadInput as bad:
            show_problems(bad.problems)
            sys.exit(BAD_INPUT)


@contextmanager
def _with_home() -> Iterator[None]:
    """Give this process, and the kernels that it starts, a home folder for as long as it runs where the user has none.

    Libraries keep caches and settings there and stop, or complain, without one.
    """
    if home_dir() is not None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="mentoring-") as folder, environment(HOME=folder):
        yield


def _say_outcome(name: str, page: Path, error: BaseException | None) -> int:
    """Say how a study ended; return its exit code."""
    if error is None:
        out.print(f"{name}: {page}", markup=False)
        return DONE
    if isinstance(error, BadInput):
        why = "its folder cannot be written" if is_unwritable(error) else "the input cannot be used"
        show_problems(error.problems, f"{name}: no report, because {why}:", folds=True)
        return BAD_INPUT
    show_fault(name, error)
    return FAILED


@app.command(epilog="Example: mentoring plan northbank --effect 5")
def plan(
    study: Annotated[str, typer.Argument(help="Name of the study folder.")],
    effect: Annotated[
        list[float] | None,
        typer.Option(help="An effect wanted, in percentage points (fewer leavers of 100); may be given several times."),
    ] = None,
    comparators: Annotated[
        float,
        typer.Option(
            help="Percentage of the comparators that still counts after weighting, where nothing is randomized."
        ),
    ] = 100,
    data: Data = None,
    reports: Reports = None,
) -> None:
    """Before a program starts: what it could show, by its size, and how many people an effect takes."""
    from analysis.pipeline.planned import plan_study

    wanted = effect or []
    _check_percentages({"--effect": wanted, "--comparators": [comparators]})
    target = reports_dir(reports)
    asked = (study, data_dir(data), target, tuple(points / 100 for points in wanted), comparators / 100)
    # As in `report`: a future hands an exception back, whose text might hold somebody's data.
    with progress() as say, ThreadPoolExecutor(1) as pool:
        future = pool.submit(plan_study, *asked, say)
        error = future.exception()
    if error is None:
        for role in future.result().roles:
            _say_plan(role)
    raise typer.Exit(_say_outcome(study, target / f"{study}.plan" / "index.html", error))


def _check_percentages(given: dict[str, list[float]]) -> None:
    wrong = [
        bad_input(option, f"{value:g} is no percentage above 0 and at most 100", rule="parameters")
        for option, values in given.items()
        for value in values
        if not 0 < value <= 100
    ]
    if wrong:
        raise BadInput(problem for bad in wrong for problem in bad.problems)


def _say_plan(role: "RolePlan") -> None:
    """Print one role's plan: the finding in a sentence, then what each size could show and what each effect takes."""
    from analysis.report import planning

    out.print(f"\n{planning.role_label(role)}", style="bold", markup=False)
    out.print(planning.plan_sentence(role), markup=False)
    for title, frame in (
        ("Smallest detectable difference, fewer leavers of 100", planning.detectable_table(role)),
        ("People that an effect takes", planning.size_table(role)),
    ):
        if len(frame):
            table = Table(*frame.columns, title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD)
            for line in frame.itertuples(index=False):
                table.add_row(*line)
            show_table(table)


@app.command(epilog="Example: mentoring simulate acme --like larkfield --employees 900 --no-effect")
def simulate(
    name: Annotated[str, typer.Argument(help="Name of the new study; it alone seeds everything random.")],
    like: Annotated[str, typer.Option(help="The demo company to resemble.")] = "northbank",
    employees: Annotated[int | None, typer.Option(help="How many people ever work there, about.")] = None,
    no_effect: Annotated[bool, typer.Option("--no-effect", help="The program does nothing at all.")] = False,
    data: Data = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a study folder that is there.")] = False,
) -> None:
    """Make a company with a known answer: files in the contract's own form, study.yaml and, apart, truth.csv."""
    from analysis.simulate import scenario_named, write_company
    from analysis.simulate import simulate as make

    scenario = scenario_named(name, like=like, employees=employees, no_effect=no_effect)
    folder = data_dir(data) / name
    write_company(make(scenario), folder, overwrite=force)
    out.print(f"{name}: {folder} (simulated; the true effects are in truth.csv)", markup=False)


@app.command(epilog="Example: mentoring fetch illinois-wellness --from ~/illinois-wellness-data/data/csv")
def fetch(
    name: Annotated[str, typer.Argument(help="A public study: illinois-wellness.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="Folder of the public files, where there is no network.")
    ] = None,
    data: Data = None,
) -> None:
    """Bring a public study into the data folder; its files' checksums are verified first."""
    from analysis.fetch import fetch as bring

    with progress() as say:
        say(f"{name}: fetching")
        folder = bring(
            name, data_dir(data), source, progress=lambda file, n: say(f"{name}: {file}, {n / 1e6:.1f} MB so far")
        )
    out.print(f"{name}: {folder}", markup=False)
