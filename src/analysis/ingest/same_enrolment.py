"""One person, program, intake and role is one enrolment, in however many files and pairs it stands."""

from collections.abc import Sequence

import pandas as pd

from analysis.ingest.columns import with_texts
from analysis.ingest.export import LINE, Export

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
