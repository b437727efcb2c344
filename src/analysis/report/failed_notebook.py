"""A notebook that failed: where in the program, and the notebook itself as far as it got, without what was said of it.

An exception's message may hold a person's data, so neither is it kept nor the kernel's traceback that ends with it.
"""

import re
from pathlib import Path

from analysis.plan.faults import Fault, Frame, Part, collected, known, short_file
from analysis.plan.paths import expanded
from analysis.report.notebook_files import nbformat

MARKER_TAG = "papermill-error-cell-tag"
# What a user can do something about.
WHY = {
    "CellTimeoutError": "its time was up: see --time-limit",
    "DeadKernelError": "its process was killed, as where memory runs out: see --memory",
}
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# The head of a frame in IPython's traceback: of a file, or of the notebook's own cell.
FILE_FRAME = re.compile(r"^File (?P<file>.+?\.py):(?P<line>\d+), in (?P<function>[\w<>.]+)")
CELL_FRAME = re.compile(r"^Cell In\[\d+\], line (?P<line>\d+)")


def note_failed_notebook(path: Path, error: BaseException) -> Fault:
    """Keep a notebook's failure as a fault of the collection under way, and conceal what it said in the file.

    Parameters
    ----------
    path
        The notebook as saved, as far as it got; it may be missing, where not even the kernel started.
    error
        papermill's, or whatever else kept the notebook from running.
    """
    part, faults = Part("notebook", path.name), known(collected())
    told = getattr(error, "traceback", None)
    if told is None:
        fault = faults.add(part, error, _failed_cell(path), WHY.get(type(error).__name__, ""))
    else:
        fault = faults.note(part, getattr(error, "ename", type(error).__name__), _frames(told), _failed_cell(path))
    if path.is_file():
        _conceal(path, fault)
    return fault


def _frames(told: list[str]) -> list[Frame]:
    """Return the frames of IPython's traceback: files that there are, and cells; nothing of what it quotes."""
    found = []
    for line in COLOUR.sub("", "\n".join(told)).splitlines():
        in_file, in_cell = FILE_FRAME.match(line), CELL_FRAME.match(line)
        if in_cell:
            found.append(Frame("the failed cell", int(in_cell["line"]), "<module>"))
        elif in_file and expanded(in_file["file"]).is_file():
            file = short_file(str(expanded(in_file["file"])))
            found.append(Frame(file, int(in_file["line"]), in_file["function"].partition("(")[0]))
    return found


def _own_cells(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the cells without those that papermill puts in to point to the failure."""
    return [cell for cell in book.cells if MARKER_TAG not in cell.metadata.get("tags", ())]


def _has_failed(cell: nbformat.NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", ()))


def _was_reached(cell: nbformat.NotebookNode) -> bool:
    """Whether it was run, to its end or until the kernel died: papermill calls both completed."""
    return cell.metadata.get("papermill", {}).get("status") == "completed"


def _failed_cell(path: Path) -> int | None:
    """Return the number of the cell that failed, from 1 on, all cells counted."""
    if not path.is_file():
        return None
    cells = _own_cells(nbformat.read(path, as_version=4))
    failed = [number for number, cell in enumerate(cells, start=1) if _has_failed(cell)]
    reached = [number for number, cell in enumerate(cells, start=1) if _was_reached(cell)]
    return next(iter(failed or reached[-1:]), None)


def _conceal(path: Path, fault: Fault) -> None:
    """Replace what the failure said by the fault's reason, and strip the run's metadata."""
    book = nbformat.read(path, as_version=4)
    book.cells = _own_cells(book)
    for cell in book.cells:
        if _has_failed(cell):
            kept = [o for o in cell.outputs if o.output_type not in ("error", "stream")]
            reason = nbformat.v4.new_output(
                "error", ename=fault.exception, evalue=fault.reason, traceback=[fault.reason]
            )
            cell.outputs = [*kept, reason]
    nbformat.write(book, path)
    strip_run_metadata(path)


def strip_run_metadata(path: Path) -> None:
    """Remove from a notebook what tells when and where it ran, so that the same answers give the same file."""
    book = nbformat.read(path, as_version=4)
    book.metadata.pop("papermill", None)
    for number, cell in enumerate(book.cells):
        cell.id = f"cell-{number}"
        for key in ("papermill", "execution", "ExecuteTime"):
            cell.metadata.pop(key, None)
    nbformat.write(book, path)
