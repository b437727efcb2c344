"""``mentoring cache``: the answers that are kept for the notebooks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.terminal import Reports, add_row, new_table, out, show_table
from analysis.plan.errors import bad_input
from analysis.plan.paths import reports_dir

if TYPE_CHECKING:
    from analysis.answers.cache import AnswerCache


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove them all; notebooks then compute again.")] = False,
    reports: Reports = None,
) -> None:
    """List the answers that are kept for the notebooks, with their sizes, or remove them."""
    # What an answer is made of takes seconds to import: --help need not wait for it.
    from analysis.answers.cache import AnswerCache

    kept = AnswerCache(reports_dir(reports))
    if clear:
        n = _cleared(kept)
        out.print(f"{n} answer{'' if n == 1 else 's'} removed from {kept.folder}", markup=False)
    else:
        _show(kept)


def _cleared(kept: "AnswerCache") -> int:
    try:
        return kept.clear()
    except OSError as error:
        message = f"cannot be emptied ({error.strerror}); check its permissions"
        raise bad_input(str(kept.folder), message, rule="unwritable_folder") from None


def _show(kept: "AnswerCache") -> None:
    files = kept.files()
    if not files:
        out.print(f"No answer is kept in {kept.folder}", markup=False)
        return
    table = new_table("study", "what", "kB", title=str(kept.folder), numbers=("kB",))
    for path in files:
        add_row(table, path.stem.rpartition("-")[0], path.suffix[1:], f"{_size(path) / 1000:,.0f}")
    show_table(table)
    out.print(f"{sum(map(_size, files)) / 1e6:.1f} MB in all; mentoring cache --clear removes them", markup=False)


def _size(path: Path) -> int:
    return path.stat().st_size
