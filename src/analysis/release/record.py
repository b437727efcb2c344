"""The record of releases: what was shown outside, when and to whom. A line a release, only ever added to.

It holds nothing that was not shown: the rows themselves, and digests. With it a new release can be compared with every
earlier one (`release.differences`).
"""

import csv
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.plan.errors import bad_input
from analysis.plan.paths import STUDY_NAME
from analysis.plan.results import NAMING, row_id

Kind = Literal["share", "bundle", "synthesis"]
RESTORE = "restore it from a copy, or move it away: then nothing can be checked against the releases that it holds"
NAMES = NAMING[1:]
WHOLE = ("horizon_months", "n_treated", "n_control")
# Read from a file a number may differ in its last binary digit.
DIGITS = 6


class Row(NamedTuple):
    """A row that was shown: what names it within its study, and its numbers as they were shown."""

    program: str
    hypothesis: str
    analysis: str
    outcome: str
    role: str
    rater_source: str
    contrast: str
    estimand: str
    estimator: str
    measure: str
    horizon_months: str
    estimate: float
    std_error: float
    n_treated: int
    n_control: int

    @property
    def name(self) -> tuple[str, ...]:
        """What names it within its study."""
        return tuple(map(str, self[: len(NAMES)]))

    @property
    def numbers(self) -> tuple[float, float, int, int]:
        """Its numbers."""
        return self.estimate, self.std_error, self.n_treated, self.n_control


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ledger(_Part):
    """The rows of one study that were shown together.

    Attributes
    ----------
    digest
        Of the study's files, keyed.
    mark
        Of its workforce (`pipeline.recorded.workforce_mark`); empty where a ledger came from another company.
    min_cell, round_to
        The rule under which it was shown.
    shown
        Digest of the rows.
    rows
        As CSV, the columns of `Row`. None in a line of the file whose rows an earlier line holds.
    """

    study: str = Field(pattern=f"^{STUDY_NAME.pattern}$")
    digest: str = ""
    mark: str = ""
    min_cell: int
    round_to: int
    shown: str
    rows: str | None = None

    @property
    def told(self) -> list[Row]:
        """The rows, read."""
        cells = csv.reader((self.rows or "").splitlines())
        return [Row._make((*row[:-4], *map(float, row[-4:-2]), *map(int, row[-2:]))) for row in cells]

    def row_id(self, row: Row) -> str:
        """Return the id of one of the rows in the study's ledger of estimates."""
        return row_id(row.hypothesis, (self.study, *row.name))


class Release(_Part):
    """One release: its date (UTC), kind and audience, why it was made after a review, and what it showed."""

    date: str
    kind: Kind
    to: str = ""
    reviewed: str = ""
    ledgers: tuple[Ledger, ...]


def shown_ledgers(rows: pd.DataFrame, about: Mapping[str, Mapping[str, Any]]) -> tuple[Ledger, ...]:
    """Return ledgers as the record holds them.

    Parameters
    ----------
    rows
        With the columns of the ledger of estimates, of any number of studies; those without a number are left out.
    about
        The other attributes of `Ledger`, by study.
    """
    told = rows.loc[rows["status"] == "estimated", ["study", *Row._fields]]
    told = told.astype(dict.fromkeys(WHOLE, "Int64") | dict.fromkeys(("estimate", "std_error"), float)).round(DIGITS)
    lines = told[[*Row._fields]].to_csv(index=False, header=False, lineterminator="\n").splitlines()
    of: dict[str, list[str]] = {study: [] for study in about}
    for study, line in zip(told["study"], lines, strict=True):
        of[study].append(line)
    return tuple(_ledger(study, "\n".join(of[study]), more) for study, more in about.items())


def _ledger(study: str, rows: str, about: Mapping[str, Any]) -> Ledger:
    return Ledger(study=study, rows=rows, shown=hashlib.sha256(rows.encode()).hexdigest(), **about)


# --- the file ---------------------------------------------------------------------------------------------------------
# Each line has a seal: the digest of the seal before it and of its own text.


def read_record(path: Path) -> list[Release]:
    """Return the releases on record, the first one first; none where there is no record.

    Raises
    ------
    BadInput
        A line is not as it was written, by file and line.
    """
    return _read(path)[0]


def add_to_record(path: Path, release: Release) -> None:
    """Add a release; the file is made, for its owner alone, where there is none.

    Raises
    ------
    BadInput
        A line is not as it was written.
    """
    earlier, before = _read(path)
    held = {ledger.shown for one in earlier for ledger in one.ledgers}
    told = release.model_dump(mode="json", exclude_defaults=True)
    for one in told["ledgers"]:
        if one["shown"] in held:
            del one["rows"]
    text = json.dumps(told, ensure_ascii=False)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_line(before, text) + "\n")


def _line(before: str, release: str) -> str:
    seal = hashlib.sha256((before + release).encode()).hexdigest()
    return f'{{"seal": "{seal}", "release": {release}}}'


def _read(path: Path) -> tuple[list[Release], str]:
    """Return the releases, and the seal of the last one."""
    found: list[Release] = []
    held: dict[str, str | None] = {}
    seal, start = "", len(_line("", "")) - 1
    lines = path.read_bytes().split(b"\n") if path.is_file() else [b""]
    for n, raw in enumerate(lines[:-1] if not lines[-1] else lines, 1):
        try:
            line = raw.decode()
            if line != _line(seal, line[start:-1]):
                raise ValueError
            told = json.loads(line)
            release = Release.model_validate(told["release"])
            held |= {one.shown: one.rows for one in release.ledgers if one.rows is not None}
            ledgers = tuple(one.model_copy(update={"rows": held[one.shown]}) for one in release.ledgers)
        except (ValueError, LookupError, TypeError, ValidationError):
            message = f"is not as it was written, or a line before it is missing; {RESTORE}"
            raise bad_input(str(path), message, rule="record_of_releases", line=n) from None
        seal = told["seal"]
        found.append(release.model_copy(update={"ledgers": ledgers}))
    return found, seal
