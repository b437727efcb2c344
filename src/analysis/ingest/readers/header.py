"""Which lines at the top of an export name its columns, and what the columns are then called."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest

from analysis.ingest.export import LINE, SOURCE, Export
from analysis.ingest.profile import Header

MOST_FURTHER_LINES = 3
# What SurveyMonkey writes below a question that has one part only.
_NO_PART = {"", "response", "open-ended response"}


@dataclass(frozen=True)
class Columns:
    """What the columns of an export are called, in their order; a column without a name is ``""``."""

    names: tuple[str, ...]
    wording: dict[str, tuple[str, ...]] = field(default_factory=dict)
    timezone: str | None = None


def fixed_length(header: Header) -> int:
    """Return how many records the header has at least."""
    return max(header.names, header.wording or 0, header.below or 0)


def lines_to_look_at(header: Header) -> int:
    """Return how many records at the top of an export are needed to read its header."""
    return fixed_length(header) + MOST_FURTHER_LINES + 1


def header_length(top: Sequence[Sequence[str]], header: Header) -> int:
    """Return how many of the records at the top belong to the header."""
    length = fixed_length(header)
    while header.also and length < len(top) and top[length] and top[length][0].strip().startswith(header.also):
        length += 1
    return length


def read_header(top: Sequence[Sequence[str]], header: Header, export: Export) -> Columns | None:
    """Return what the header's records call the columns; None where they cannot be used, each reason noted.

    Parameters
    ----------
    top
        The records at the top of the file, the header's and possibly more.
    """
    if len(top) < fixed_length(header):
        export.fail("empty_file", "ends before its header does; export it again, or correct its profile")
        return None
    names = [name.strip() for name in top[header.names - 1]]
    parts: list[tuple[str, ...]] = [() for _ in names]
    if header.below is not None:
        names, parts = _with_parts(names, [part.strip() for part in top[header.below - 1]])
    if header.wording is not None:
        wording = [text.strip() for text in top[header.wording - 1]]
        parts = [(*part, text) for part, text in zip_longest(parts, wording[: len(parts)], fillvalue="")]
    columns = Columns(
        tuple(names),
        {name: kept for name, part in zip(names, parts, strict=True) if name and (kept := _distinct(part))},
        _timezone(top[fixed_length(header) : header_length(top, header)]),
    )
    return columns if is_good(columns.names, export) else None


def is_good(names: Sequence[str], export: Export) -> bool:
    """Whether the names can be a frame's: each once and none of ours; what is wrong is noted."""
    before = len(export.problems)
    if not any(names):
        export.fail("unnamed_column", "no column has a name in the header; name them", [1])
    if repeated := [name for name, times in Counter(names).items() if times > 1 and name]:
        export.fail(
            "duplicate_column",
            f"{len(repeated)} column name(s) stand more than once in the header; keep one of each",
            [1],
        )
    if {SOURCE, LINE} & set(names):
        export.fail("reserved_column", f"{SOURCE} and {LINE} are no names for an export's columns; rename them", [1])
    return len(export.problems) == before


def _with_parts(questions: list[str], parts: list[str]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return names and wordings of columns that a question and, below it, its part name together."""
    width = max(len(questions), len(parts))
    parts = parts + [""] * (width - len(parts))
    own = questions + [""] * (width - len(questions))
    above = list(accumulate(own, lambda left, here: here or left, initial=""))[1:]
    names = []
    for question, here, part in zip(above, own, parts, strict=True):
        if not here and not part:
            names.append("")
        elif part.casefold() in _NO_PART or part == question:
            names.append(question)
        else:
            names.append(f"{question} {part}".strip())
    return names, list(zip(above, parts, strict=True))


def _distinct(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _timezone(records: Sequence[Sequence[str]]) -> str | None:
    """Return the time zone that Qualtrics writes into the header's third line."""
    for cell in (cell for record in records for cell in record if "timeZone" in cell):
        try:
            zone = json.loads(cell).get("timeZone")
        except (ValueError, AttributeError, RecursionError):
            continue
        if isinstance(zone, str):
            return zone
    return None
