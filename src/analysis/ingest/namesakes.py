"""Employees who share a name, told apart by what a list says of them beside it: exactly, or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.ingest.cells import Reading
from analysis.ingest.columns import Columns, first_filled
from analysis.ingest.export import Export, recoded
from analysis.ingest.names import folded
from analysis.ingest.profile import names_of
from analysis.plan.contract import ROSTERS
from analysis.plan.study import TableName

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
