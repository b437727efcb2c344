"""Rows that name several people become one enrolment a person; the same enrolment in several files is one."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.ingest.cells import Reading
from analysis.ingest.columns import Columns, constant, stacked, with_texts
from analysis.ingest.export import LINE, Export, recoded
from analysis.ingest.keys import attributes_of
from analysis.ingest.personal import without_free_text
from analysis.ingest.translate import apply_values, canonical_columns, without_unknown_values

# --- pairs ------------------------------------------------------------------------------------------------------------
# Rows that name several people become one enrolment a person.

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


# --- same enrolment ---------------------------------------------------------------------------------------------------
# One person, program, intake and role is one enrolment, in however many files and pairs it stands.

KEY = ["program_id", "intake_date", "employee_id", "role"]
SPAN = ["start_earliest", "start_latest"]
SAID = ["applied_date", "offered", "start_date", *SPAN, "start_unknown", "end_date", "status"]
SAID += ["match_id", "topics", "stratum"]
STILL_OPEN = "9999-12-31"


def unite_enrolments(exports: Sequence[Export]) -> None:
    """Make one row of those that tell different things of one person's enrolment.

    Platforms say in one export who applied and in another who was matched, and a mentor of two mentees has two pairs.
    The enrolment runs from the first start to the last end, and is open while one is; its match is the first, its
    status that of the last; what this row does not say comes from the others. Rows of one file with the same match,
    or with none, repeat each other: they are left for validation. Intakes must have been assigned.
    """
    parts = [e for e in exports if e.table == "enrolments" and e.frame is not None and set(KEY) <= set(e.frame)]
    if not parts:
        return
    frames = [e.rows.reindex(columns=[*KEY, *SAID, LINE]).assign(export=n) for n, e in enumerate(parts)]
    rows = pd.concat(frames, keys=range(len(parts)), names=["export_at", "row"]).astype(object)
    rows = rows[rows[KEY].notna().all(axis=1) & rows.duplicated(KEY, keep=False)]
    repeats = rows.duplicated([*KEY, "export", "match_id"], keep=False)
    rows = rows[~repeats.groupby([rows[name] for name in KEY]).transform("any").astype(bool)]
    if rows.empty:
        return
    rows = rows.sort_values("start_date", na_position="last", kind="stable")
    rows = rows.assign(kept_match=rows.groupby(KEY, sort=False)["match_id"].transform("first"))
    first = ~rows.duplicated(KEY)
    united = _united(rows).set_axis(rows.index[first])
    for n, export in enumerate(parts):
        if n in rows.index.get_level_values(0):
            own = rows.index.get_level_values(0) == n
            _put(export, rows[own & first], united, rows[own & ~first])


def _united(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what the rows of each person say together, in the order in which the persons come first."""
    said = rows.groupby(KEY, sort=False)[SAID].first()
    started = rows[rows["start_date"].notna()].assign(end_date=lambda r: r["end_date"].fillna(STILL_OPEN))
    last = started.sort_values("end_date", kind="stable").groupby(KEY, sort=False)[["end_date", "status"]].last()
    last = last.reindex(said.index)
    said["end_date"] = last["end_date"].where(last["end_date"].ne(STILL_OPEN)).where(last["end_date"].notna())
    said["status"] = last["status"].fillna(said["status"])
    if rows[SPAN].notna().any(axis=None):
        ends = rows[SPAN].apply(lambda end: end.fillna(rows["start_date"]))
        said[SPAN] = ends.groupby([rows[name] for name in KEY], sort=False).min()
    return said


def _put(export: Export, stays: pd.DataFrame, united: pd.DataFrame, goes: pd.DataFrame) -> None:
    """Write the united rows into an export and take the others out, each noted."""
    frame = export.rows
    at, gone = stays.index.get_level_values(1), goes.index.get_level_values(1)
    for name in SAID:
        texts = united.loc[stays.index, name]
        if texts.notna().any() or name in frame:
            frame = frame.assign(**{name: with_texts(frame.get(name), len(frame), at, list(texts))})
    export.frame = frame.drop(index=gone).reset_index(drop=True)
    several = goes["match_id"].notna() & goes["start_date"].notna() & (goes["match_id"] != goes["kept_match"])
    if len(at):
        message = "several rows tell of one person, program, intake and role; what the others say was put into this one"
        export.note("same_enrolment", message, stays[LINE])
    out = ~goes[LINE].isin(export.rows[LINE])
    if out.any():
        message = "another row tells of the same person, program, intake and role; what this one says was put into it"
        export.note("same_enrolment", message, goes.loc[out, LINE], action="rejected")
    if several.any():
        message = (
            "the person has several matches at one intake and counts once, from the first start to the last end; a "
            "session of a later match counts for the person only where attendee_ids lists them"
        )
        export.note("several_matches", message, goes.loc[several, LINE], severity="warning", action="kept")
