"""E-mail addresses and names become employee ids: exactly after normalization, never by likeness."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.ingest.cells import Reading
from analysis.ingest.columns import Columns, first_filled
from analysis.ingest.export import Export, recoded
from analysis.ingest.profile import names_of
from analysis.ingest.text_matching import folded, person_keys, plain_email
from analysis.plan.contract import ROSTERS
from analysis.plan.study import TableName

# --- namesakes --------------------------------------------------------------------------------------------------------
# Employees who share a name, told apart by what a list says of them beside it: exactly, or not at all.

# What a list may say of a person, as what column of the contract, and what people call it beside the vendors.
ATTRIBUTES: dict[str, tuple[TableName, str, tuple[str, ...]]] = {
    "department": (
        "jobs",
        "department",
        ("Dept", "Division", "Team", "Département", "Service", "Afdeling", "Avdelning"),
    ),
    "location": ("employees", "location", ("City", "Ort", "Ville", "Lieu", "Stadt", "Ciudad", "Sede")),
    "job title": (
        "jobs",
        "job_family",
        ("Job Title", "Title", "Position", "Job", "Stelle", "Funktion", "Poste", "Jobtitel"),
    ),
}
MARK = " of@"


def attributes_of(
    reading: Reading, columns: Columns, person: str = "employee_id", role: str = ""
) -> dict[str, pd.Categorical]:
    """Return what an export says of the person whose id is `person`, by names of columns that `link` understands.

    Of a list of pairs the columns that say whose they are (`role`): "Mentor Department", "Standort (Mentee)". Of the
    employees' own exports every column counts, else the first that is filled.
    """
    export, found = reading.export, dict[str, pd.Categorical]()
    own = reading.named
    for attribute, (table, canonical, others) in ATTRIBUTES.items():
        called = [*sorted(names_of(table, canonical)), *others]
        if role:
            called = [text for name in called for text in (f"{role} {name}", f"{role}s {name}", f"{name} {role}")]
        elif canonical in own:
            called = [own[canonical], *called]
        names, column = columns.find(called), f"{attribute}{MARK}{person}"
        if export.table in (*ROSTERS, "jobs"):
            found |= {f"{column}{n}": export.rows[name].array for n, name in enumerate(names)}
        elif names:
            found[column] = first_filled([reading.entered(export.rows[name].array) for name in names])
        if export.table == "enrolments":
            columns.take(names)
    return found


def without_attributes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without what `attributes_of` added."""
    return frame.drop(columns=[name for name in frame if MARK in str(name)])


@dataclass(frozen=True, eq=False)
class Namesakes:
    """What is known of employees who share a key: attribute → employee id → its texts, folded, at any time."""

    known: Mapping[str, Mapping[str, set[str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, frames: Iterable[pd.DataFrame], people: set[str]) -> "Namesakes":
        """Return what the employees' exports say of these people."""
        known: dict[str, dict[str, set[str]]] = {}
        for frame in frames if people else ():
            rows = frame[frame["employee_id"].isin(people)]
            for column in [name for name in frame if MARK in str(name)]:
                texts = known.setdefault(str(column).partition(MARK)[0], {})
                pairs = rows[["employee_id", column]].astype(object).dropna().drop_duplicates()
                for person, text in pairs.itertuples(index=False):
                    texts.setdefault(person, set()).add(folded(text))
        return cls(known)

    def who(self, candidates: Iterable[str], said: Mapping[str, str]) -> str | None:
        """Return the only one of whom all that is said can be true; None where that is nobody, or several.

        Of whom an attribute is not known, anything can be true.
        """
        left = [
            person
            for person in candidates
            if all(folded(text) in self.known.get(a, {}).get(person, {folded(text)}) for a, text in said.items())
        ]
        return left[0] if said and len(left) == 1 else None

    def telling(self, groups: Iterable[Iterable[str]]) -> list[str]:
        """Return the attributes that differ between all people of each group."""
        several = [list(group) for group in groups]
        return [a for a, texts in self.known.items() if all(_differ([texts.get(p, set()) for p in g]) for g in several)]


def tell_apart(
    export: Export, person: str, candidates: Sequence[frozenset[str]], cells: pd.Categorical, namesakes: Namesakes
) -> pd.Categorical:
    """Return the ids of those rows whose person can be told from the namesakes, else missing.

    `candidates` are those whom each distinct cell may mean, none where it means one or nobody.
    """
    columns = {
        str(name).partition(MARK)[0]: export.rows[name].astype(object)
        for name in export.rows
        if str(name).endswith(MARK + person)
    }
    ids = np.full(len(export.rows), None, dtype=object)
    several = np.append([len(some) > 1 for some in candidates], False)[cells.codes]
    for row in np.flatnonzero(several):
        said = {attribute: texts[row] for attribute, texts in columns.items() if isinstance(texts[row], str)}
        ids[row] = namesakes.who(candidates[cells.codes[row]], said)
    codes, distinct = pd.factorize(pd.Series(ids, dtype=object))
    return recoded(codes, list(distinct))


def _differ(texts: Sequence[set[str]]) -> bool:
    return all(texts) and sum(map(len, texts)) == len(set().union(*texts))


# --- keys -------------------------------------------------------------------------------------------------------------
# E-mail addresses and names become employee ids: exactly after normalization, never by likeness.

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
    candidates
        For each distinct cell the employees that it may mean, where they are several.
    """

    ids: pd.Categorical
    unmatched: np.ndarray
    ambiguous: np.ndarray
    candidates: list[frozenset[str]]


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
        known = self.ids[kind]
        # the first key by which a distinct cell names somebody; None where it names nobody
        ways = map(_KEYS[kind], column.categories)
        keys = [next((key for key in some if key in known.index), None) for some in ways]
        at = known.index.get_indexer(pd.Index(keys, dtype="str"))
        at[[key is None for key in keys]] = -1
        ids = np.append(known.to_numpy(object), np.nan)[at]
        nobody, several = at < 0, (at >= 0) & pd.isna(ids)
        return Found(
            recoded(column.codes, [None if pd.isna(id_) else id_ for id_ in ids]),
            np.append(nobody, False)[column.codes],
            np.append(several, False)[column.codes],
            [self.shared[kind].get(key or "", frozenset()) for key in keys],
        )


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
