"""Which lines at the top of an export name its columns, and what the columns are then called."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest

from analysis.ingest.export import LINE, SOURCE, Export
from analysis.ingest.profile import Header

MOST_FURTHER_LINES = 3
# Records below the header that are looked at to tell a second header line from somebody's answers.
RECORDS_TO_COMPARE = 50
# What only a record holds, never a heading: an e-mail address, an IP address, a day, a moment.
_DATUM = re.compile(
    r"\S+@\S+[.]\S+|(\d{1,3}[.]){3}\d{1,3}|\d{4}([-/.])\d{1,2}\2\d{1,2}\b.*|\d{1,2}([-/.])\d{1,2}\3\d{2,4}\b.*"
)
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)*\s*%?")
# What SurveyMonkey writes below a question that has one part only.
_NO_PART = {"", "response", "open-ended response"}


@dataclass(frozen=True)
class Columns:
    """What the columns of an export are called, in their order; a column without a name is ``""``."""

    names: tuple[str, ...]
    wording: dict[str, tuple[str, ...]] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    timezone: str | None = None
    is_headless: bool = False


def fixed_length(header: Header) -> int:
    """Return how many records the header has at least."""
    return max(header.names, header.wording or 0, header.below or 0)


def lines_to_look_at(header: Header) -> int:
    """Return how many records at the top of an export are needed to read its header."""
    return fixed_length(header) + MOST_FURTHER_LINES + RECORDS_TO_COMPARE


def header_length(top: Sequence[Sequence[str]], header: Header) -> int:
    """Return how many of the records at the top belong to the header."""
    length = fixed_length(as_found(top, header))
    while length < len(top) and _is_further(top[length], header):
        length += 1
    return length


def _is_further(line: Sequence[str], header: Header) -> bool:
    """Whether a line begins as the header's further ones do, an index that another program put before it aside."""
    return bool(header.also) and any(cell.strip().startswith(header.also) for cell in line[:2])


def as_found(top: Sequence[Sequence[str]], header: Header) -> Header:
    """Return the header without its second line where the file has none: where somebody's answers stand there.

    Such lines are taken out by hand, or another tool's file is read as this one's; a person's answers must never
    become names of columns.
    """
    second = header.below or header.wording
    if second is None or len(top) < second:
        return header
    rest = [row for row in top[second:] if not _is_further(row, header)]
    line, above = top[second - 1], top[header.names - 1]
    if not _is_further(line, header) and is_header_line(line, rest, above):
        return header
    return header.model_copy(update={"below": None, "wording": None})


def is_header_line(line: Sequence[str], records: Sequence[Sequence[str]], above: Sequence[str] | None = None) -> bool:
    """Whether most cells of a line look like headings and not like what stands below them.

    An address or a day makes it a record; numbers, and what stands in a record below as well, speak for one.

    Parameters
    ----------
    above
        The line with the names, where this is a line below it: what stands under a blank (but the first column's, an
        index) continues the question to its left and is a heading.
    """
    below = {cell.strip() for row in records for cell in row}
    headings = values = 0
    for place, cell in enumerate(map(str.strip, line)):
        if above is not None and cell and 0 < place < len(above) and not above[place].strip():
            headings += 1
        elif _DATUM.fullmatch(cell):
            return False
        elif cell:
            is_value = bool(_NUMBER.fullmatch(cell)) or cell in below
            values, headings = values + is_value, headings + (not is_value)
    return headings >= values


def read_header(top: Sequence[Sequence[str]], header: Header, export: Export) -> Columns | None:
    """Return what the header's records call the columns; None where they cannot be used, each reason noted.

    Parameters
    ----------
    top
        The records at the top of the file, the header's and, to compare them with, those below.
    """
    found = as_found(top, header)
    if len(top) < fixed_length(found):
        export.fail("empty_file", "ends before its header does; export it again, or correct its profile")
        return None
    if found != header:
        message = f"line {header.below or header.wording} is no line of headings, as the tool writes it, but a record"
        export.note(
            "header_line", f"{message}; the line above it alone is the header", severity="warning", action="kept"
        )
    length = header_length(top, header)
    names = [name.strip() for name in top[found.names - 1]]
    parts: list[tuple[str, ...]] = [() for _ in names]
    if found.below is not None:
        names, parts = _with_parts(names, [part.strip() for part in top[found.below - 1]])
    if found.wording is not None:
        wording = [text.strip() for text in top[found.wording - 1]]
        parts = [(*part, text) for part, text in zip_longest(parts, wording[: len(parts)], fillvalue="")]
    further = top[fixed_length(found) : length]
    columns = Columns(
        tuple(names),
        {
            name: kept
            for name, part in reversed([*zip(names, parts, strict=True)])
            if name and (kept := _distinct(part))
        },
        {name: known for line in further for name, cell in zip(names, line, strict=False) if (known := _labels(cell))},
        _timezone(further),
        not is_header_line(top[found.names - 1], top[length:]),
    )
    return columns if is_usable(columns.names, export) else None


def is_usable(names: Sequence[str], export: Export) -> bool:
    """Whether some column has a name, and none has one of ours; what is wrong is noted."""
    before = len(export.problems)
    if not any(names):
        export.fail("unnamed_column", "no column has a name in the header; name them", [1])
    if {SOURCE, LINE} & set(names):
        export.fail("reserved_column", f"{SOURCE} and {LINE} are no names for an export's columns; rename them", [1])
    return len(export.problems) == before


def is_good(names: Sequence[str], export: Export) -> bool:
    """Whether the names can be a frame's: each once as well; what is wrong is noted."""
    if repeated := [name for name, times in Counter(names).items() if times > 1 and name]:
        at = {name: ", ".join(str(n) for n, other in enumerate(names, 1) if other == name) for name in repeated[:8]}
        shown = ", ".join(f"{' '.join(name.split())[:40]} (columns {places})" for name, places in at.items())
        more = f" and {len(repeated) - 8} more" if len(repeated) > 8 else ""
        export.fail(
            "duplicate_column",
            f"{len(repeated)} column name(s) stand more than once in the header: {shown}{more}; keep one of each, or "
            "give each a name of its own (in a query, with AS)",
            [1],
        )
    return is_usable(names, export) and not repeated


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
    zones = [known.get("timeZone") for record in records for cell in record for known in _objects(cell)]
    return next((zone for zone in zones if isinstance(zone, str)), None)


def _labels(cell: str) -> dict[str, str]:
    """Return what the numbers of a column stand for, where a line of JSON in the header says so."""
    for known in (value for found in _objects(cell) for value in found.values() if isinstance(value, dict)):
        if known and all(_NUMBER.fullmatch(code) and isinstance(label, str) for code, label in known.items()):
            return known
    return {}


def _objects(cell: str) -> Iterator[dict]:
    if cell.lstrip().startswith("{"):
        try:
            yield json.loads(cell)
        except (ValueError, RecursionError):
            return
