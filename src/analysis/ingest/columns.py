"""Columns of an export found by the names that a profile or a study gives them, and put together."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from analysis.ingest.export import LINE, recoded
from analysis.ingest.profile import When
from analysis.ingest.text_matching import matches, plain


class Columns:
    """The columns of an export, looked up by name without case, spaces and punctuation; remembers which were used."""

    def __init__(self, frame: pd.DataFrame):
        self.frame = frame
        self.used: set[str] = set()
        self._exact = {str(name): str(name) for name in frame.columns if name != LINE}
        self._plain: dict[str, str] = {}
        for name in self._exact:
            if plain(name):  # a column called "#" has no other name
                self._plain.setdefault(plain(name), name)

    @property
    def names(self) -> list[str]:
        """All of them, in their order."""
        return list(self._exact)

    def find(self, names: Iterable[str]) -> list[str]:
        """Return the export's columns of these names, in their order, each once."""
        found = [self._exact.get(name) or self._plain.get(plain(name)) for name in names]
        return list(dict.fromkeys(name for name in found if name))

    def take(self, names: Iterable[str]) -> list[pd.Categorical]:
        """Return the cells of the columns of these names, in their order, and remember that they were used."""
        found = self.find(names)
        self.used.update(found)
        return [self.frame[name].array for name in found]

    def unused(self) -> list[str]:
        """Return the columns that nothing has been made of, in their order."""
        return [name for name in self._exact if name not in self.used]


def first_filled(columns: Sequence[pd.Categorical]) -> pd.Categorical:
    """Return, row by row, the first cell that is not missing."""
    if len(columns) == 1:
        return columns[0]
    texts: list[str] = []
    codes = np.full(len(columns[0]), -1, dtype=np.int64)
    for column in columns:
        empty = (codes < 0) & (column.codes >= 0)
        codes[empty] = column.codes[empty].astype(np.int64) + len(texts)
        texts += list(column.categories)
    return recoded(codes, texts)


def replaced(column: pd.Categorical, where: np.ndarray, text: str) -> pd.Categorical:
    """Return the column with `text` in the rows of `where`."""
    codes = np.where(where, len(column.categories), column.codes)
    return recoded(codes, [*column.categories, text])


def emptied(column: pd.Categorical, where: np.ndarray) -> pd.Categorical:
    """Return the column with missing cells in the rows of `where`."""
    return pd.Categorical.from_codes(np.where(where, -1, column.codes), column.categories)


def constant(text: str, n_rows: int) -> pd.Categorical:
    """Return a column of one text."""
    return pd.Categorical.from_codes(np.zeros(n_rows, dtype=np.int8), pd.Index([text], dtype="str"))


def is_one_of(column: pd.Categorical, patterns: Sequence[str]) -> np.ndarray:
    """Return for each row whether its cell matches one of the patterns; an empty pattern stands for a missing cell."""
    lookup = np.append(matches(column.categories, patterns), any(not pattern for pattern in patterns))
    return lookup[column.codes]


def rows_where(when: When, columns: Columns) -> np.ndarray | None:
    """Return for each row whether every column of `when` has one of its patterns; None where a column is not there."""
    found = np.ones(len(columns.frame), dtype=bool)
    for name, patterns in when.items():
        cells = columns.take([name])
        if not cells:
            return None
        found &= is_one_of(cells[0], patterns)
    return found


def with_texts(cells: pd.Series | None, n_rows: int, at: Sequence[int], texts: Sequence[object]) -> pd.Categorical:
    """Return a column with these texts in the rows at these positions; an empty one where there was none."""
    categories = [] if cells is None else list(cells.cat.categories)
    codes = np.full(n_rows, -1) if cells is None else cells.cat.codes.to_numpy(np.int64, copy=True)
    codes[list(at)] = np.arange(len(texts)) + len(categories)
    return recoded(codes, [*categories, *(text if isinstance(text, str) else None for text in texts)])


def stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return frames of categoricals one below the other; a column that a frame lacks is missing there."""
    names = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    if len(frames) == 1:
        return frames[0].reset_index(drop=True)
    parts = {}
    for name in names:
        if name == LINE:
            parts[name] = np.concatenate([frame[name].to_numpy() for frame in frames])
            continue
        texts: list[str] = []
        codes = []
        for frame in frames:
            if name in frame:
                cells = frame[name].array
                codes.append(np.where(cells.codes < 0, -1, cells.codes.astype(np.int32) + len(texts)))
                texts += list(cells.categories)
            else:
                codes.append(np.full(len(frame), -1, dtype=np.int32))
        parts[name] = recoded(np.concatenate(codes), texts)
    return pd.DataFrame(parts)
