"""What takes all exports of a study: who is who, which wave and intake, and files that hold a part of a table."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import pandas as pd

from analysis.ingest.cells import settle_starts
from analysis.ingest.columns import stacked, with_texts
from analysis.ingest.dates_to_waves import assign_intakes, assign_matches, assign_waves
from analysis.ingest.export import LINE, Export, as_text
from analysis.ingest.ids import unite_ids
from analysis.ingest.linking import (
    directory,
    is_keyed,
    link,
    link_attendees,
    link_other_case,
    namesakes,
    note_lost_zeros,
    take_out,
)
from analysis.ingest.recognise import probable_column
from analysis.ingest.reshape import last_forms, unite_enrolments
from analysis.plan.contract import FED, ROSTERS, is_day
from analysis.plan.study import Study

# --- exits ------------------------------------------------------------------------------------------------------------
# Exits that stand in a file of their own, such as one of exit interviews, become a part of the employees' rows.

# A last day at work and a last day employed may lie so far apart.
MOST_DAYS_APART = 7
TOLD = ["exit_type", "exit_reason"]


class _Spell(NamedTuple):
    """One row of the employees: of which export, at which position, its two days and what it says of the exit."""

    export: int
    at: int
    hired: str | None
    left: str | None
    said: dict[str, str]


def put_in_exits(exports: Sequence[Export]) -> None:
    """Fill kind and reason of exits from the exports of table ``exits``, in place; people must be linked.

    Told is the spell that ends on that day, or up to a week from it. Where no file of employees has a column of exits,
    the list says when people left, too. What the employees' file says stays: where the two disagree, each is noted.
    """
    lists = [export for export in exports if export.table == "exits" and "exit_date" in export.rows]
    employees = [e for e in exports if e.table == "employees" and {"employee_id", "hire_date"} <= set(e.rows)]
    if not lists or not employees:
        return
    has_days = any("exit_date" in export.rows for export in employees)
    spells, told = _spells(employees), dict[tuple[int, int], dict[str, str]]()
    for export in lists:
        alone, against = [], []
        for at, (person, day, *said) in enumerate(_exit_rows(export, ["employee_id", "exit_date", *TOLD])):
            if not (person and is_day(day)):
                continue
            spell = _spell_that_ends(spells.get(person, []), day, has_days)
            if spell is None:
                alone.append(at)
                continue
            new = {name: text for name, text in zip(TOLD, said, strict=True) if text}
            if spell.said.get("exit_type", new.get("exit_type")) != new.get("exit_type", spell.said.get("exit_type")):
                against.append(at)
            new = {name: text for name, text in new.items() if name not in spell.said}
            spell.said.update(new)
            told.setdefault((spell.export, spell.at), {}).update(new if has_days else {"exit_date": day} | new)
        _note_exits(export, alone, against)
    _fill(employees, told)


def _spells(employees: Sequence[Export]) -> dict[str, list[_Spell]]:
    """Return the spells of each person."""
    spells: dict[str, list[_Spell]] = {}
    for n, export in enumerate(employees):
        columns = ["employee_id", "hire_date", "exit_date", *TOLD]
        for at, (person, hired, left, *said) in enumerate(_exit_rows(export, columns)):
            own = {name: text for name, text in zip(TOLD, said, strict=True) if text}
            spells.setdefault(person or "", []).append(_Spell(n, at, hired, left, own))
    return spells


def _exit_rows(export: Export, columns: list[str]) -> Iterator[tuple[str | None, ...]]:
    rows = export.rows.reindex(columns=columns).astype(object)
    return rows.where(rows.notna(), None).itertuples(index=False, name=None)


def _spell_that_ends(spells: list[_Spell], day: str, has_days: bool) -> _Spell | None:
    """Return the spell that ends nearest to a day; where no file says when people left, the last begun by then."""
    if not has_days:
        begun = [spell for spell in spells if is_day(spell.hired) and spell.hired <= day]
        return max(begun, key=lambda spell: spell.hired or "", default=None)
    ended = [(_days_apart(spell.left, day), spell) for spell in spells if is_day(spell.left)]
    near = [(apart, spell) for apart, spell in ended if apart <= MOST_DAYS_APART]
    return min(near, key=lambda one: one[0])[1] if near else None


def _days_apart(one: str, other: str) -> int:
    return abs((dt.date.fromisoformat(one) - dt.date.fromisoformat(other)).days)


def _note_exits(export: Export, alone: list[int], against: list[int]) -> None:
    lines = export.rows[LINE].to_numpy()
    if alone:
        message = (
            f"no employment of the person in the employees' file ends within {MOST_DAYS_APART} days of exit_date (or, "
            "where that file has no exits, began before it), so the row was not used; correct the day here or there"
        )
        export.warn("exit_of_no_spell", message, lines[alone], action="rejected")
    if against:
        message = (
            "the exit_type is not the one that the employees' file, or an earlier row, has of this exit, and that one "
            "stays; make the two agree"
        )
        export.warn("exit_types_differ", message, lines[against])
    if alone:
        export.frame = export.rows.drop(index=alone).reset_index(drop=True)


def _fill(employees: Sequence[Export], told: dict[tuple[int, int], dict[str, str]]) -> None:
    for n, export in enumerate(employees):
        rows = {at: said for (of, at), said in told.items() if of == n}
        for name in ("exit_date", *TOLD):
            texts = {at: said[name] for at, said in rows.items() if name in said}
            if texts:
                cells = with_texts(export.rows.get(name), len(export.rows), list(texts), list(texts.values()))
                export.frame = export.rows.assign(**{name: cells})


# --- ratings history --------------------------------------------------------------------------------------------------
# Performance ratings that stand in a file of their own become changes in jobs.

RATING = "performance_rating"
KEY = ["employee_id", "effective_date"]


class _RatingRow(NamedTuple):
    """A job, or a rating, of one person: since when it holds, in which export and at which position it stands."""

    person: str
    day: str
    is_rating: bool
    export: int
    at: int
    rating: str | None


@dataclass
class _Joined:
    """What became of the ratings.

    Attributes
    ----------
    new
        A rating and the job in which it is a change.
    filled
        Position of an export of jobs and of its row → the rating that the row gets.
    lone, against
        Ratings of a day without a job, and of one of which another rating is known.
    """

    new: list[tuple[_RatingRow, _RatingRow]] = field(default_factory=list)
    filled: dict[tuple[int, int], str] = field(default_factory=dict)
    lone: list[_RatingRow] = field(default_factory=list)
    against: list[_RatingRow] = field(default_factory=list)

    def add(self, rows: Iterable[_RatingRow]) -> None:
        """Join the rows of one person, in the order of their days; of one day jobs come first."""
        job, rated, rating = None, None, None
        for row in rows:
            if not row.is_rating:
                job, rating = row, rating if row.rating is None else None
                if rating is not None:
                    self.filled[row.export, row.at] = rating
            elif job is None:
                self.lone.append(row)
            elif row.day == job.day and job.rating is not None:
                self.against += [row] if not _same(row.rating, job.rating) else []
            elif rated is not None and row.day == rated.day:
                self.against += [row] if not _same(row.rating, rated.rating) else []
            else:
                rated, rating = row, row.rating
                if row.day == job.day:
                    self.filled[job.export, job.at] = row.rating or ""
                else:
                    self.new.append((row, job))


def put_in_ratings(exports: Sequence[Export]) -> list[Export]:
    """Return exports of jobs with a row for each rating of the table ``ratings_history``; people must be linked.

    The row is that of the job that holds on the day, with the new rating. Later jobs that say none keep it, in place,
    until one says another. A rating of a day on which a job begins is that job's, unless it has its own.
    """
    histories = [e for e in exports if e.table == "ratings_history" and {*KEY, RATING} <= set(e.rows)]
    jobs = [e for e in exports if e.table == "jobs" and set(KEY) <= set(e.rows)]
    if not histories:
        return []
    rows = [row for n, export in enumerate(histories) for row in _rating_rows(export, n, is_rating=True)]
    rated, joined = {row.person for row in rows}, _Joined()
    of_jobs = (row for n, export in enumerate(jobs) for row in _rating_rows(export, n, is_rating=False))
    rows += [row for row in of_jobs if row.person in rated]
    for _, own in groupby(sorted(rows, key=lambda row: row[:5]), key=lambda row: row.person):
        joined.add(own)
    for n, export in enumerate(jobs):
        texts = {at: rating for (of, at), rating in joined.filled.items() if of == n}
        if texts:
            cells = with_texts(export.rows.get(RATING), len(export.rows), list(texts), list(texts.values()))
            export.frame = export.rows.assign(**{RATING: cells})
    made = [
        _changes(export, [(r, j) for r, j in joined.new if r.export == n], jobs) for n, export in enumerate(histories)
    ]
    for n, export in enumerate(histories):
        lone = [r.at for r in joined.lone if r.export == n]
        _note_ratings(export, lone, [r.at for r in joined.against if r.export == n])
    return [export for export in made if export is not None]


def _rating_rows(export: Export, n: int, *, is_rating: bool) -> Iterator[_RatingRow]:
    cells = export.rows.reindex(columns=[*KEY, RATING]).astype(object)
    for at, (person, day, rating) in enumerate(cells.where(cells.notna(), None).itertuples(index=False, name=None)):
        if person and is_day(day) and (rating or not is_rating):
            yield _RatingRow(person, day, is_rating, n, at, rating)


def _same(one: str | None, other: str | None) -> bool:
    """Whether two ratings are the same: 3 is 3.0."""
    numbers = pd.to_numeric(pd.Series([one, other], dtype=object), errors="coerce")
    return one == other or bool(numbers[0] == numbers[1])


def _changes(export: Export, new: Sequence[tuple[_RatingRow, _RatingRow]], jobs: Sequence[Export]) -> Export | None:
    """Return the jobs in which a history's ratings are changes, with the ratings' lines; None without any."""
    parts = []
    for n, of in enumerate(jobs):
        pairs = [(rating, job) for rating, job in new if job.export == n]
        if pairs:
            lines = export.rows[LINE].to_numpy()[[rating.at for rating, _ in pairs]]
            said = {KEY[1]: as_text(r.day for r, _ in pairs), RATING: as_text(r.rating for r, _ in pairs), LINE: lines}
            parts.append(of.rows.iloc[[job.at for _, job in pairs]].reset_index(drop=True).assign(**said))
    return Export("jobs", export.source, stacked(parts)) if parts else None


def _note_ratings(export: Export, lone: list[int], against: list[int]) -> None:
    lines = export.rows[LINE].to_numpy()
    if lone:
        message = "no row of jobs holds on effective_date, so the rating is not used; add the job, or correct the day"
        export.warn("rating_without_job", message, lines[lone], action="rejected")
    if against:
        message = (
            "jobs, or another row, has another rating of that person and day, and that one stays; correct one of them"
        )
        export.warn("ratings_differ", message, lines[against], action="rejected")
    if lone or against:
        export.frame = export.rows.drop(index=[*lone, *against]).reset_index(drop=True)


# --- join -------------------------------------------------------------------------------------------------------------
# What takes all exports of a study: who is who, which wave, intake and match, and what each table still lacks.

# What study.yaml may say of a whole export.
AT_SOURCE = {
    "wave": "wave:",
    "instrument": "instrument:",
    "role": "role:",
    "program_id": "program:",
    "snapshot_date": "snapshot_date:",
}


def join_exports(exports: list[Export], study: Study) -> None:
    """Do what takes all exports: people by e-mail or name, waves and intakes by day, the last form of a person."""
    read = [export for export in exports if export.frame is not None]
    # Before anybody is looked up by name: who has two ids would be two people of one name.
    unite_ids(read)
    people = directory(read)
    alike, waves = namesakes(read, people), [e.rows for e in read if e.table == "waves"]
    listed = [e.rows["employee_id"] for e in read if e.table in ROSTERS and "employee_id" in e.rows]
    known = {text for column in listed for text in column.cat.categories}
    ids = pd.Index(sorted(known), dtype="str")
    has_employees = any(e.table in ROSTERS for e in exports)
    is_known = all(e.frame is not None and "employee_id" in e.frame for e in exports if e.table in ROSTERS)
    for export in read:
        if not is_known and export.table not in ROSTERS and is_keyed(export):
            take_out(export)
            continue
        link(export, people if has_employees else None, alike)
        link_other_case(export, ids)
        link_attendees(export, people, known)
        note_lost_zeros(export, ids)
        settle_starts(export, [e.rows for e in read if e.table == "employees"], study.as_of)
        assign_waves(export, waves)
        assign_intakes(export, study)
        if export.is_forms:
            last_forms(export)
    read = [export for export in read if export.frame is not None]
    assign_matches(read)
    exports += put_in_ratings(read)
    put_in_exits(read)
    with_rows = [export for export in read if not (export.is_canonical or export.frame is None or export.frame.empty)]
    unite_enrolments(with_rows)
    for export in with_rows:
        if export.rows.empty:
            # All that this export says has gone into the rows of others: it is used, though it has none left.
            export.frame = None


def check_columns(export: Export) -> None:
    """Take an export out that lacks a column which its table needs, or that has no row left."""
    missing = [n for n, column in FED[export.table].items() if column.required and n not in export.rows]
    at_source = [AT_SOURCE[name] for name in missing if name in AT_SOURCE]
    if export.rows.empty:
        if not export.has_failed:
            export.fail("no_row_left", "no row can be used; the lines above say why each was left out")
    elif missing:
        is_wide = export.table in ("responses", "unlinked_responses") and {"item", "value"} <= set(missing)
        meant = [f"{probable_column(export, name)} for {name}" for name in missing if name in export.probably]
        export.fail(
            "missing_column",
            f"the header has no column {', '.join(missing)}, which the table {export.table} needs; name it in the "
            "file's first line, or say under columns: in study.yaml what it is called"
            + "".join(f", or give {key} at the source" for key in at_source)
            + (", or write profile: wide where a row is a person and a column a question" if is_wide else "")
            + (f"; did you mean {', '.join(meant)}?" if meant else ""),
            [export.header_line],
        )
    if missing or export.rows.empty:
        export.frame = None
