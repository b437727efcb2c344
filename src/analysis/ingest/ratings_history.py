"""Performance ratings that stand in a file of their own become changes in jobs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import pandas as pd

from analysis.ingest.columns import stacked, with_texts
from analysis.ingest.export import LINE, Export, as_text
from analysis.plan.bounds import is_day

RATING = "performance_rating"
KEY = ["employee_id", "effective_date"]


class _Row(NamedTuple):
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

    new: list[tuple[_Row, _Row]] = field(default_factory=list)
    filled: dict[tuple[int, int], str] = field(default_factory=dict)
    lone: list[_Row] = field(default_factory=list)
    against: list[_Row] = field(default_factory=list)

    def add(self, rows: Iterable[_Row]) -> None:
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
    rows = [row for n, export in enumerate(histories) for row in _rows(export, n, is_rating=True)]
    rated, joined = {row.person for row in rows}, _Joined()
    rows += [row for n, export in enumerate(jobs) for row in _rows(export, n, is_rating=False) if row.person in rated]
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
        _note(export, [r.at for r in joined.lone if r.export == n], [r.at for r in joined.against if r.export == n])
    return [export for export in made if export is not None]


def _rows(export: Export, n: int, *, is_rating: bool) -> Iterator[_Row]:
    cells = export.rows.reindex(columns=[*KEY, RATING]).astype(object)
    for at, (person, day, rating) in enumerate(cells.where(cells.notna(), None).itertuples(index=False, name=None)):
        if person and is_day(day) and (rating or not is_rating):
            yield _Row(person, day, is_rating, n, at, rating)


def _same(one: str | None, other: str | None) -> bool:
    """Whether two ratings are the same: 3 is 3.0."""
    numbers = pd.to_numeric(pd.Series([one, other], dtype=object), errors="coerce")
    return one == other or bool(numbers[0] == numbers[1])


def _changes(export: Export, new: Sequence[tuple[_Row, _Row]], jobs: Sequence[Export]) -> Export | None:
    """Return the jobs in which a history's ratings are changes, with the ratings' lines; None without any."""
    parts = []
    for n, of in enumerate(jobs):
        pairs = [(rating, job) for rating, job in new if job.export == n]
        if pairs:
            lines = export.rows[LINE].to_numpy()[[rating.at for rating, _ in pairs]]
            said = {KEY[1]: as_text(r.day for r, _ in pairs), RATING: as_text(r.rating for r, _ in pairs), LINE: lines}
            parts.append(of.rows.iloc[[job.at for _, job in pairs]].reset_index(drop=True).assign(**said))
    return Export("jobs", export.source, stacked(parts)) if parts else None


def _note(export: Export, lone: list[int], against: list[int]) -> None:
    lines = export.rows[LINE].to_numpy()
    if lone:
        message = "no row of jobs holds on effective_date, so the rating is not used; add the job, or correct the day"
        export.note("rating_without_job", message, lines[lone], severity="warning", action="rejected")
    if against:
        message = (
            "jobs, or another row, has another rating of that person and day, and that one stays; correct one of them"
        )
        export.note("ratings_differ", message, lines[against], severity="warning", action="rejected")
    if lone or against:
        export.frame = export.rows.drop(index=[*lone, *against]).reset_index(drop=True)
