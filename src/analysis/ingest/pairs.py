"""Rows that name several people become one enrolment a person."""

import re

import numpy as np
import pandas as pd

from analysis.ingest.cells import Reading
from analysis.ingest.columns import Columns, constant, stacked
from analysis.ingest.export import LINE, Export, recoded
from analysis.ingest.namesakes import attributes_of
from analysis.ingest.personal import without_free_text
from analysis.ingest.translate import apply_values, canonical_columns, without_unknown_values

# What stands between two people in one cell. A comma may stand within a name, and a plus within an address.
_BETWEEN = re.compile(r"\s*(?:[;\n\r|&]|\band\b|\bund\b|\bet\b)\s*")


def enrolments_of_pairs(reading: Reading, columns: Columns) -> pd.DataFrame:
    """Return one row per person whom a row of the export names, in the order of the rows and then of the roles.

    A row that names nobody is left out and noted.
    """
    export, parts = reading.export, []
    for n, (role, part) in enumerate(reading.layout.roles.items()):
        cells = canonical_columns(reading, columns, reading.layout.columns | part.columns, {"employee_id": part.keys})
        apply_values(reading, columns, cells)
        without_unknown_values(reading, cells)
        without_free_text(reading, cells)
        if "employee_id@name" in cells:
            cells |= attributes_of(reading, columns, role=role)
        rows = pd.DataFrame(cells | {"role": constant(role, len(export.rows)), LINE: export.rows[LINE]})
        is_named = rows[[c for c in rows if c.partition("@")[0] == "employee_id"]].notna().any(axis="columns")
        parts.append(rows[is_named].assign(**{"_role": n}))
    # what a row says of both people was read, and told, for each of them
    export.problems = list(dict.fromkeys(export.problems))
    order = pd.concat([part[[LINE, "_role"]] for part in parts], ignore_index=True)
    people = stacked([part.drop(columns="_role") for part in parts])
    nobody = export.rows.loc[~export.rows[LINE].isin(people[LINE]), LINE]
    if len(nobody):
        message = "the row names nobody; give the people of the pair by id, e-mail or name"
        export.note("nobody_named", message, nobody, severity="warning", action="rejected")
    people = people.loc[order.sort_values([LINE, "_role"]).index].reset_index(drop=True)
    return _one_person_each(export, _with_matches(people))


def _with_matches(people: pd.DataFrame) -> pd.DataFrame:
    """Make each row of a list that numbers no pairs a match: with two mentees a mentor stands in two of its rows."""
    if "match_id" in people or people.empty:
        return people
    lines = people[LINE].to_numpy()
    is_pair = people.duplicated([LINE], keep=False).to_numpy()
    codes, distinct = pd.factorize(np.where(is_pair, lines, -1))
    return people.assign(match_id=recoded(codes, [f"line {line}" if line >= 0 else None for line in distinct]))


def _one_person_each(export: Export, people: pd.DataFrame) -> pd.DataFrame:
    """Make a row for each of several people in one cell, noted: as a name of nobody they would never have started."""
    for name in [column for column in people if str(column).partition("@")[0] == "employee_id"]:
        cells = people[name].array
        parts = [[part for part in _BETWEEN.split(text) if part] for text in cells.categories]
        n_people = np.append([max(len(those), 1) for those in parts], 1)[cells.codes]
        if (n_people == 1).all():
            continue
        message = "a cell names several people, and each of them became a row"
        export.note("several_in_cell", message, people.loc[n_people > 1, LINE])
        at = np.repeat(np.arange(len(people)), n_people)
        nth = np.arange(len(at)) - np.repeat(np.cumsum(n_people) - n_people, n_people)
        texts = [parts[code][n] if code >= 0 else None for code, n in zip(cells.codes[at], nth, strict=True)]
        people = people.iloc[at].reset_index(drop=True).assign(**{name: _coded(texts)})
    return people


def _coded(texts: list[str | None]) -> pd.Categorical:
    codes, distinct = pd.factorize(pd.Series(texts, dtype=object))
    return recoded(codes, list(distinct))
