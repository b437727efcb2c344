"""Columns by their distinct values: each value is judged once, however many rows have it."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

# Rows are compared by a table of all combinations of values while it has no more places than this for each row.
PLACES_A_ROW = 8
_MOST = 2**62


def coded(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return which value each row has, shape (rows,), −1 where it is missing, and the distinct values.

    Of a categorical these are its categories, among them those that no row has.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), column.cat.categories
    codes, distinct = pd.factorize(column)
    return codes, pd.Index(distinct)


def ascending(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return which value each row has, as `coded` does, and the values: those that occur, in ascending order."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return pd.factorize(column, sort=True)
    codes, values = coded(column)
    occurs = np.flatnonzero(np.bincount(codes + 1, minlength=len(values) + 1)[1:])
    order = occurs[values[occurs].argsort()]
    new = np.empty(len(values), dtype=np.int32)
    new[order] = np.arange(len(order), dtype=np.int32)
    return spread(codes, new, -1), values[order]


def spread(codes: np.ndarray, of_each: np.ndarray, missing: object) -> np.ndarray:
    """Return for each row what `of_each` says of its value, `missing` where it has none."""
    return np.append(of_each, np.asarray([missing], dtype=of_each.dtype))[codes]


def positions(values: pd.Index, known: pd.Index) -> np.ndarray:
    """Return where in `known`, which has nothing twice, each value stands, shape (values,); −1 where it does not.

    Texts are compared all at once, as Arrow has them: an index would make an object of each.
    """
    codes, _ = pd.factorize(pd.concat([known.to_series(), values.to_series()]))
    return np.where(codes[len(known) :] < len(known), codes[len(known) :], -1)


def among(column: pd.Series, known: pd.Index) -> pd.Series:
    """Return whether each row's value is among `known`, which has nothing twice; False where it is missing."""
    codes, values = coded(column)
    return pd.Series(spread(codes, positions(values, known) >= 0, False), index=column.index)


def together_among(frame: pd.DataFrame, columns: Sequence[str], known: pd.MultiIndex) -> pd.Series:
    """Return whether each row's values of several columns are together among `known`; False where one is missing."""
    # One number for each combination, with one place more in each column for what is not known, or missing.
    n_places = math.prod(len(level) + 1 for level in known.levels)
    is_small = n_places <= PLACES_A_ROW * (len(frame) + len(known))
    kind = np.int32 if n_places < 2**31 else np.int64
    number: np.ndarray = np.zeros(len(frame), kind)
    listed: np.ndarray = np.zeros(len(known), kind)
    for column, level, of_known in zip(columns, known.levels, known.codes, strict=True):
        codes, values = coded(frame[column])
        position = level.get_indexer(values)
        position = np.where(position < 0, len(level), position).astype(kind)
        number = number * kind(len(level) + 1) + spread(codes, position, len(level))
        listed = listed * kind(len(level) + 1) + of_known
    if not is_small:
        return pd.Series(np.isin(number, listed), index=frame.index)
    is_listed = np.zeros(n_places, dtype=bool)
    is_listed[listed] = True
    return pd.Series(is_listed[number], index=frame.index)


def repeated(frame: pd.DataFrame, columns: Sequence[str], *, keep: str = "first") -> pd.Series:
    """Return which rows repeat others in `columns`, as `DataFrame.duplicated` does: missing values are equal."""
    number, n_places = _numbered(frame, columns)
    if n_places > PLACES_A_ROW * len(frame):
        return pd.Series(number, index=frame.index).duplicated(keep=keep)
    order = np.arange(len(frame), dtype=np.int32)
    kept = np.empty(n_places, dtype=np.int32)
    # Of equal rows the one written last stays.
    if keep == "last":
        kept[number] = order
    else:
        kept[number[::-1]] = order[::-1]
    return pd.Series(kept[number] != order, index=frame.index)


def _numbered(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[np.ndarray, int]:
    """Return a number for each row, the same where all columns are, and how many such numbers there can be."""
    number, n_places = np.zeros(len(frame), dtype=np.int64), 1
    for column in columns:
        codes, values = coded(frame[column])
        has_missing = int(codes.min(initial=0) < 0)
        n_values = len(values) + has_missing
        if n_places * n_values > _MOST:
            number, distinct = pd.factorize(number)
            n_places = len(distinct)
        number, n_places = number * n_values + codes + has_missing, n_places * n_values
    return number, n_places
