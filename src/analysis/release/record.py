"""The record of releases: what was shown outside, when and to whom. A line a release, only ever added to.

It holds nothing that was not shown: the rows themselves, and digests. With it a new release can be compared with every
earlier one (`release.differences`).
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from analysis.plan.errors import bad_input
from analysis.plan.paths import STUDY_NAME
from analysis.plan.results import Estimate, with_number

Kind = Literal["share", "bundle", "synthesis"]
# Read from a file a number may differ in its last binary digit.
Number = Annotated[float, AfterValidator(lambda x: round(x, 6))]
RESTORE = "restore it from a copy, or move it away: then nothing can be checked against the releases that it holds"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Part):
    """A row that was shown: what names it, and its numbers as they were shown."""

    row: str
    program: str
    hypothesis: str
    analysis: str
    outcome: str
    role: str
    rater_source: str | None = None
    contrast: str
    estimand: str
    estimator: str
    measure: str
    horizon_months: int | None = None
    estimate: Number
    std_error: Number
    n_treated: int
    n_control: int


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
        None in a line whose rows an earlier line holds; never once a record has been read.
    """

    study: str = Field(pattern=f"^{STUDY_NAME.pattern}$")
    digest: str = ""
    mark: str = ""
    min_cell: int
    round_to: int
    shown: str
    rows: tuple[Row, ...] | None = None

    @property
    def told(self) -> tuple[Row, ...]:
        """The rows."""
        return self.rows or ()


class Release(_Part):
    """One release: its date (UTC), kind and audience, why it was made after a review, and what it showed."""

    date: str
    kind: Kind
    to: str = ""
    reviewed: str = ""
    ledgers: tuple[Ledger, ...]


def shown_rows(estimates: Iterable[Estimate]) -> tuple[Row, ...]:
    """Return the rows of a ledger that hold a number."""
    return tuple(Row(**{name: getattr(e, name) for name in Row.model_fields}) for e in with_number(estimates))


def ledger(study: str, rows: Iterable[Row], **about: Any) -> Ledger:
    """Return a ledger as the record holds it; `about` are its other attributes."""
    rows = tuple(rows)
    told = json.dumps([row.model_dump(mode="json") for row in rows], sort_keys=True)
    return Ledger(study=study, shown=hashlib.sha256(told.encode()).hexdigest(), rows=rows, **about)


# --- the file ---------------------------------------------------------------------------------------------------------
# Each line has a seal: the digest of its release and of the seal before it.


def read_record(path: Path) -> list[Release]:
    """Return the releases on record, the first one first; none where there is no record.

    Raises
    ------
    BadInput
        A line is not as it was written, by file and line.
    """
    return [release for _, release in _read(path)]


def add_to_record(path: Path, release: Release) -> None:
    """Add a release; the file is made, for its owner alone, where there is none."""
    earlier = _read(path)
    held = {ledger.shown for _, one in earlier for ledger in one.ledgers}
    told = release.model_dump(mode="json", exclude_defaults=True)
    for one in told["ledgers"]:
        if one["shown"] in held:
            del one["rows"]
    line = {"release": told, "seal": _seal(earlier[-1][0] if earlier else "", told)}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _read(path: Path) -> list[tuple[str, Release]]:
    """Return the releases with their seals."""
    found: list[tuple[str, Release]] = []
    held: dict[str, tuple[Row, ...]] = {}
    lines = path.read_bytes().splitlines() if path.is_file() else []
    for n, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            seal, release = told["seal"], Release.model_validate(told["release"])
            if seal != _seal(found[-1][0] if found else "", told["release"]):
                raise ValueError
            held |= {one.shown: one.rows for one in release.ledgers if one.rows is not None}
            ledgers = tuple(one.model_copy(update={"rows": held[one.shown]}) for one in release.ledgers)
        except (ValueError, LookupError, TypeError, ValidationError):
            message = f"is not as it was written, or a line before it is missing; {RESTORE}"
            raise bad_input(str(path), message, rule="record_of_releases", line=n) from None
        found.append((seal, release.model_copy(update={"ledgers": ledgers})))
    return found


def _seal(before: str, release: Mapping[str, object]) -> str:
    return hashlib.sha256((before + json.dumps(release, sort_keys=True)).encode()).hexdigest()
