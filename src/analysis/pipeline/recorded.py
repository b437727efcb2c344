"""A release checked against every earlier one, and put on record: what was shown outside, when and to whom."""

import datetime as dt
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.pipeline.opened import OpenStudy
from analysis.pipeline.provenance import digest
from analysis.plan.errors import BadInput, Problem
from analysis.plan.results import Estimate, estimates_frame
from analysis.plan.study import Study
from analysis.release.differences import NO_PLACE, Difference, Renamed, differences, renamed
from analysis.release.record import Kind, Ledger, Release, add_to_record, read_record, shown_ledgers
from analysis.report.folders import writing
from analysis.synthesis.ledgers import Shared

RECORD = "releases.jsonl"
PLACES = 64


def new_release(kind: Kind, ledgers: Iterable[Ledger], to: str = "", reviewed: str = "") -> Release:
    """Return a release of today.

    Parameters
    ----------
    to
        For whom it is: an audience, and no person.
    reviewed
        Why it may be shown although its difference from an earlier one may be about few people; empty without a review.
    """
    date = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return Release(date=date, kind=kind, to=to, reviewed=reviewed, ledgers=tuple(ledgers))


@contextmanager
def recorded(release: Release, reports: Path, say: Callable[[str], None] = print) -> Iterator[None]:
    """Check a release against all that are on record, and put it there too when the block ends well.

    The block writes what is released. Other releases of the same folder wait.

    Raises
    ------
    BadInput
        Its difference from an earlier release may be about too few people, and nobody has reviewed that; the record is
        not as it was written, or cannot be written.
    """
    path = reports / RECORD
    with writing(reports):
        reports.mkdir(parents=True, exist_ok=True)
        with _alone(reports):
            earlier = read_record(path)
            remedy = "the ledger out" if release.kind == "synthesis" else "the row out (--leave-out)"
            found = [_message(one, earlier, remedy) for one in differences(release, earlier)]
            found += [_named(one, earlier) for one in renamed(release, earlier)]
            if found and not release.reviewed:
                raise BadInput(_problem(message, path) for message in found)
            for message in found:
                say(f"made after a review, although {message}")
            n = len(earlier)
            some = f"checked against {n:,} earlier release{'s' if n > 1 else ''}"
            none = f"checked against nothing: {path} holds no release; if there were any, the record is lost"
            say(some if n else none)
            yield
            add_to_record(path, release)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other run makes a release in this folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _message(found: Difference, earlier: Sequence[Release], remedy: str) -> str:
    row, people = found.row, "1 person" if found.n == 1 else f"{found.n:,} people"
    months = f", {row.horizon_months} months" if row.horizon_months else ""
    now, then = found.ledger.row_id(row), found.before.row_id(found.earlier)
    other = "" if now == then else f" (there row {then})"
    return (
        f"{found.ledger.study}, row {now} ({row.hypothesis}, {row.role}{months}): as few as {people} may lie "
        f"between this release and {_told(found.release, earlier)}{other}, and who has both can subtract them; leave "
        f"{remedy}, wait until {found.min_cell} people more are in each group, or have it reviewed and say why it may "
        "be shown (--after-review)"
    )


def _named(found: Renamed, earlier: Sequence[Release]) -> str:
    return (
        f"{found.ledger.study}: {_told(found.release, earlier)} showed the same ledger as {found.was}, so the new name "
        "hides nothing; use the earlier one, leave the ledger out, or have it reviewed and say why it may be shown "
        "(--after-review)"
    )


def _told(n: int, earlier: Sequence[Release]) -> str:
    one = earlier[n - 1]
    return f"release {n} ({one.kind} of {one.date[:10]}{f', to {one.to}' if one.to else ''})"


def _problem(message: str, path: Path) -> Problem:
    return Problem(
        severity="error", table="estimates", source=str(path), rule="difference", message=message, action="rejected"
    )


# --- ledgers ----------------------------------------------------------------------------------------------------------


def own_ledger(opened: OpenStudy, rows: Iterable[Estimate]) -> Ledger:
    """Return what the record holds of a study of this company, with the rows that are to be shown of it."""
    study = opened.study
    employees = opened.tables.employees
    mark = "" if employees is None else workforce_mark(employees["employee_id"])
    about = {"digest": digest(study), "mark": mark, "min_cell": study.min_cell, "round_to": study.round_to}
    [ledger] = shown_ledgers(estimates_frame(rows), {study.study: about})
    return ledger


def received_ledgers(shared: Shared) -> tuple[Ledger, ...]:
    """Return what the record holds of shared ledgers, in the order of their studies."""
    default = {name: Study.model_fields[name].default for name in ("min_cell", "round_to")}
    about = {
        study: default | {"digest": about.digest} | about.parameters.model_dump(exclude_none=True)
        for study, about in shared.about.items()
    }
    return shown_ledgers(shared.rows, about)


def workforce_mark(pseudonyms: pd.Series) -> str:
    """Return a mark of a workforce by which it is known again when its study has another name or newer files.

    People are dealt into 64 places by their pseudonyms' keyed hashes, and of the least hash of each place four bits are
    kept: a hexadecimal digit. Two workforces agree in about as many places as they have people in common (one
    permutation hashing, Li, Owen & Zhang 2012, NIPS; with few bits, Li & König 2010, WWW). Four bits tell of nobody.
    """
    hashes = np.array([int(text[-12:], 16) for text in pseudonyms.dropna().unique()], dtype=np.int64)
    least = pd.Series(hashes // PLACES).groupby(hashes % PLACES).min().reindex(range(PLACES))
    return "".join(NO_PLACE if pd.isna(n) else f"{int(n) % 16:x}" for n in least)
