"""Files of SPSS, Stata and SAS, with their value labels."""

from collections.abc import Callable, Hashable, Iterator
from pathlib import Path

import numpy as np
import pyreadstat

from analysis.ingest.export import Export
from analysis.ingest.readers.cells import text_of
from analysis.ingest.readers.columns import Coded, Coder, Rows, fill
from analysis.ingest.readers.header import Columns, is_good

_READERS: dict[str, Callable[..., tuple[dict[str, np.ndarray], pyreadstat.metadata_container]]] = {
    "sav": pyreadstat.read_sav,
    "por": pyreadstat.read_por,
    "dta": pyreadstat.read_dta,
    "sas7bdat": pyreadstat.read_sas7bdat,
}


def read_statistics(path: Path, kind: str, encoding: str | None, export: Export) -> None:
    """Read one file of a statistics program into `export`.

    A value with a label becomes the label, a value declared missing by the user is missing, and a variable's label
    is its wording. `_line` is 1 + the number of the row.
    """
    try:
        chosen = {} if kind == "por" else {"encoding": encoding}
        cells, meta = _READERS[kind](path, output_format="dict", **chosen)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError, OverflowError, LookupError):
        return export.fail("unreadable_file", "is damaged or of a version that cannot be read; export it again as CSV")
    n_rows = len(next(iter(cells.values()), ()))
    if not n_rows:
        return export.fail("empty_file", "has no rows; export it again, or take it out of study.yaml")
    names = tuple(name.strip() for name in cells)
    if not is_good(names, export):
        return None
    wording: dict[str, tuple[str, ...]] = {
        name.strip(): (label,) for name, label in meta.column_names_to_labels.items() if label
    }
    rows = Rows(_columns(cells, meta.variable_value_labels), np.arange(2, n_rows + 2))
    labels = {
        name.strip(): {text_of(code) or "": label for code, label in known.items()}
        for name, known in meta.variable_value_labels.items()
    }
    return fill(export, Columns(names, wording, labels), rows)


def _columns(cells: dict[str, np.ndarray], labels: dict[str, dict]) -> Iterator[Coded]:
    return (_coded(column, labels.get(name, {})) for name, column in cells.items())


def _coded(column: np.ndarray, label_of: dict) -> Coded:
    coder: Coder[Hashable] = Coder()
    coder.add(column)
    return coder.coded(lambda cell: label_of.get(cell) or text_of(cell))
