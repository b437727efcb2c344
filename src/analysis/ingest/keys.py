"""E-mail addresses and names become employee ids: exactly after normalization, never by likeness."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.ingest.export import recoded
from analysis.ingest.names import person_keys, plain_email

KeyKind = Literal["email", "name"]


def _address(text: str) -> tuple[str, ...]:
    address = plain_email(text)
    return (address,) if address else ()


# The keys that a text may stand for, the closest first.
_KEYS: dict[KeyKind, Callable[[str], tuple[str, ...]]] = {"email": _address, "name": person_keys}


class Found(NamedTuple):
    """The employees that a column names, row by row.

    Attributes
    ----------
    ids
        The employee's id; missing where the cell is empty, unmatched or ambiguous.
    unmatched
        Whether the cell is filled and nobody is known by it.
    ambiguous
        Whether several employees are known by it.
    """

    ids: pd.Categorical
    unmatched: np.ndarray
    ambiguous: np.ndarray


@dataclass(frozen=True, eq=False)
class Directory:
    """By what else than their ids the employees are known.

    Attributes
    ----------
    ids
        Kind of key → the employee's id, under each normalized key; missing where several employees carry the key. An
        employee may be known by several keys, at one time or one after the other.
    shared
        Kind of key → the ids of those who carry the key, where they are several.
    """

    ids: dict[KeyKind, pd.Series]
    shared: dict[KeyKind, dict[str, frozenset[str]]]

    @classmethod
    def of(cls, frames: Iterable[pd.DataFrame]) -> "Directory":
        """Return the directory of these rows: `employee_id` and, where known, `email` and `name` (categoricals)."""
        frames = list(frames)
        known = {kind: _known(frames, kind) for kind in _KEYS}
        return cls(
            {kind: _ids_by_key(pairs) for kind, pairs in known.items()},
            {kind: _shared(pairs) for kind, pairs in known.items()},
        )

    def find(self, kind: KeyKind, column: pd.Categorical) -> Found:
        """Return who is meant by the cells of a column of e-mail addresses or of names."""
        known, keys = self.ids[kind], self._keys(kind, column)
        at = known.index.get_indexer(pd.Index(keys, dtype="str"))
        at[[key is None for key in keys]] = -1
        ids = np.append(known.to_numpy(object), np.nan)[at]
        nobody, several = at < 0, (at >= 0) & pd.isna(ids)
        return Found(
            recoded(column.codes, [None if pd.isna(id_) else id_ for id_ in ids]),
            np.append(nobody, False)[column.codes],
            np.append(several, False)[column.codes],
        )

    def candidates(self, kind: KeyKind, column: pd.Categorical) -> list[frozenset[str]]:
        """Return for each distinct cell the employees that it may mean, where they are several."""
        shared = self.shared[kind]
        return [shared.get(key or "", frozenset()) for key in self._keys(kind, column)]

    def _keys(self, kind: KeyKind, column: pd.Categorical) -> list[str | None]:
        """Return the key by which each distinct cell names somebody; None where it names nobody."""
        known = self.ids[kind].index
        return [next((key for key in _KEYS[kind](text) if key in known), None) for text in column.categories]


def first_and_last(first: pd.Categorical, last: pd.Categorical) -> pd.Categorical:
    """Return the column of whole names, "First Last"; missing where one of both is."""
    n_last = max(len(last.categories), 1)
    pairs = np.where((first.codes < 0) | (last.codes < 0), -1, first.codes.astype("int64") * n_last + last.codes)
    codes, distinct = pd.factorize(pairs)
    names = [
        None if pair < 0 else f"{first.categories[pair // n_last]} {last.categories[pair % n_last]}"
        for pair in distinct
    ]
    return recoded(codes, names)


def _known(frames: list[pd.DataFrame], kind: KeyKind) -> pd.DataFrame:
    pairs = [_pairs(frame, kind) for frame in frames if kind in frame]
    return pd.concat([_NOBODY, *pairs]).drop_duplicates()


def _shared(known: pd.DataFrame) -> dict[str, frozenset[str]]:
    several = known[known["key"].duplicated(keep=False)]
    return {str(key): frozenset(ids) for key, ids in several.groupby("key")["employee_id"]}


def _ids_by_key(known: pd.DataFrame) -> pd.Series:
    known = known.copy()
    shared = known["key"].duplicated(keep=False)
    known["employee_id"] = known["employee_id"].mask(shared)
    return known.drop_duplicates("key").set_index("key")["employee_id"]


_NOBODY = pd.DataFrame({"key": pd.Series(dtype="str"), "employee_id": pd.Series(dtype="str")})


def _pairs(frame: pd.DataFrame, kind: KeyKind) -> pd.DataFrame:
    """Return each normalized key with each id that it stands beside, once."""
    column = frame[kind].array
    ways = [_KEYS[kind](text) for text in column.categories]
    found = [_NOBODY]
    for n in range(max(map(len, ways), default=0)):
        keys = recoded(column.codes, [some[n] if n < len(some) else None for some in ways])
        found.append(pd.DataFrame({"key": keys, "employee_id": frame["employee_id"].array}).drop_duplicates().dropna())
    return pd.concat(found).astype("str")
