"""Meetings that name who met whom, and no pair: whose match it was."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.ingest.cells import Reading
from analysis.ingest.columns import Columns, first_filled
from analysis.ingest.export import LINE, Export, as_text

MATCH = ["match_id", "employee_id", "start_date"]


def who_met(reading: Reading, columns: Columns, cells: Mapping[str, pd.Categorical]) -> pd.Categorical | None:
    """Return the people whom a row names in columns of their own, as one list; None where a list is there, or nobody.

    Parameters
    ----------
    cells
        What was read of the row so far.
    """
    if "attendee_ids" in cells:
        return None
    named = [reading.entered(c) for names in reading.layout.met for c in columns.take(columns.find(names)[:1])]
    if not named:
        return None
    rows = zip(*(column.astype(object) for column in named), strict=True)
    return as_text(";".join(text for text in row if isinstance(text, str)) or None for row in rows)


def assign_matches(exports: Sequence[Export]) -> None:
    """Give meetings without a match the one in which everybody who met stands; of several the last begun by then,
    before all of them the first.

    To be called when people have ids and before rows of one enrolment are united, for then a mentor has one match left.
    """
    starts, members = _matches(exports)
    for export in exports:
        if export.table != "sessions" or "attendee_ids" not in export.rows:
            continue
        frame = export.rows
        rows = frame.reindex(columns=["attendee_ids", "session_date"]).astype(object)
        lacking = ~frame["match_id"].notna().to_numpy() if "match_id" in frame else np.ones(len(frame), dtype=bool)
        lacking &= frame["attendee_ids"].notna().to_numpy()
        found = as_text(
            _match_of(met.split(";"), day, starts, members) if lacks else None
            for met, day, lacks in zip(rows["attendee_ids"], rows["session_date"], lacking, strict=True)
        )
        lost = lacking & (found.codes < 0)
        if lost.any():
            message = (
                "no match of the enrolments holds everybody who met, so the meeting counts for nobody; correct the "
                "names, or give match_id"
            )
            export.note("no_match", message, frame.loc[lost, LINE], severity="warning", action="rejected")
        if (lacking & ~lost).any():
            message = "the meeting's match was found by the people who met"
            export.note("match_by_people", message, frame.loc[lacking & ~lost, LINE])
        given = [frame["match_id"].array] if "match_id" in frame else []
        export.frame = frame.assign(match_id=first_filled([*given, found]))[~lost].reset_index(drop=True)


def _matches(exports: Sequence[Export]) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Return the day on which each match began ("" where it has none), and the matches of each person."""
    parts = [e.rows for e in exports if e.table == "enrolments" and {"match_id", "employee_id"} <= set(e.rows)]
    starts: dict[str, str] = {}
    members: dict[str, set[str]] = defaultdict(set)
    for part in parts:
        rows = part.reindex(columns=MATCH).astype(object)
        for match, who, start in rows[rows[MATCH[:2]].notna().all(axis=1)].itertuples(index=False, name=None):
            members[who].add(match)
            starts[match] = start if isinstance(start, str) else starts.get(match, "")
    return starts, members


def _match_of(met: list[str], day: object, starts: dict[str, str], members: dict[str, set[str]]) -> str | None:
    everybodys = set.intersection(*(members.get(who, set()) for who in met))
    shared = sorted(everybodys, key=lambda match: (starts[match], match))
    begun = [match for match in shared if isinstance(day, str) and starts[match] <= day]
    return begun[-1] if begun else next(iter(shared), None)
