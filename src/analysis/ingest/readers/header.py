"""Which lines at the top of an export name its columns, and what people write above and below a table."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest
from typing import NamedTuple

import numpy as np

from analysis.ingest.export import LINE, SOURCE, Export
from analysis.ingest.profile import Header, headings_of
from analysis.ingest.text_matching import plain
from analysis.plan.contract import ANSWERS
from analysis.plan.study import TableName

# So many records at the top are looked at.
LINES = 25
# What a record holds and no heading: a number, a day, a moment, an e-mail address.
_VALUE = re.compile(r"[-+]?[\d.,' ]+%?|\d{1,4}([-/.])\d{1,2}\1\d{1,4}\b.*|\S+@\S+[.]\S+")


def is_value(cell: str) -> bool:
    """Whether a cell holds what a record holds and no heading."""
    return bool(_VALUE.fullmatch(cell.strip()))


def lines_above(records: Sequence[Sequence[str]], header: Header) -> int:
    """Return how many of the records at the top stand above the columns' names.

    The names are the first record with the most different headings. Whatever stands above must have fewer cells: a
    title has one, a merged group heading one for several columns, and a prompt ends with a colon.
    """
    if header.names > 1 or header.wording or header.below or header.also:
        return 0
    filled = [{cell.strip().casefold() for cell in record if cell.strip()} for record in records[:LINES]]
    is_prompt = [any(cell.endswith(":") for cell in cells) for cells in filled]
    has_value = [any(map(is_value, cells)) for cells in filled]
    headings = [
        0 if asked or value else len(cells) for cells, asked, value in zip(filled, is_prompt, has_value, strict=True)
    ]
    names = headings.index(max(headings, default=0)) if headings else 0
    above = [0 if asked else len(cells) for cells, asked in zip(filled[:names], is_prompt, strict=False)]
    has_records = any(has_value[names + 1 :])
    return names if above and has_records and headings[names] > max(*above, 1) else 0


def with_groups(above: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return a header's names, those that stand more than once with the heading of their group (Mentor, Mentee) before.

    A heading holds for the columns to its right until the next one. Where it does not tell the names apart, they stay.
    """
    texts = [name.strip() for name in names]
    groups = [*map(str.strip, above), *[""] * (len(texts) - len(above))]
    times = Counter(texts)
    told = [
        f"{group} {name}".strip() if name and times[name] > 1 else name
        for group, name in zip(accumulate(groups, _of_the_left), texts, strict=False)
    ]
    return told if len(set(told) - {""}) == sum(map(bool, told)) and len(set(groups) - {""}) > 1 else list(names)


def _of_the_left(left: str, here: str) -> str:
    return here or left


def note_lines_above(export: Export, line: int) -> None:
    """Tell that the columns' names were found in this line, and not in the first that holds anything."""
    export.header_line = line
    message = (
        f"the header seems to be in line {line}: the columns' names were read from it, and what stands above it (a "
        "title, prompts, group headings) was left out"
    )
    export.warn("lines_above_header", message, [line])


def leave_out_below(export: Export) -> None:
    """Take out what stands below a table and is no record: rows of one cell, where every row above has more.

    Of a survey nothing is taken out: a form may have been sent with a single answer. Nor of a file in the contract's
    own form, in which every row is a record.
    """
    if export.table in ANSWERS or export.is_canonical:
        if export.below:
            export.fail("ragged_row", "has one field only, and the header names more columns", export.below)
        return
    filled = export.rows.drop(columns=LINE).notna().sum(axis=1).to_numpy()
    full = np.flatnonzero(filled > 1)
    end = int(full[-1]) + 1 if len(full) else 0
    if end == 0 or filled[:end].min() < 2:
        end = len(filled)
    below = [*export.rows[LINE][end:], *export.below]
    if not below:
        return
    message = (
        "has hardly a cell and stands below the table: a legend or a total, and no record; if it is one, fill in its "
        "other cells"
    )
    export.warn("hardly_a_cell", message, below, action="rejected")
    export.frame = export.rows[:end].reset_index(drop=True)


# --- broken header ----------------------------------------------------------------------------------------------------
# A header that is broken in two lines, as narrow columns make people do: "Start" and, below it, "date".


class Start(NamedTuple):
    """Where the names of the columns stand.

    Attributes
    ----------
    above
        How many of the records at the top stand above them.
    records
        The records from the names on; of a header in two lines the first has the whole names.
    is_broken
        Whether the header was in two lines, of which the upper one stands above.
    """

    above: int
    records: list[list[str]]
    is_broken: bool = False


def header_start(records: Sequence[list[str]], header: Header, table: TableName) -> Start:
    """Return where the names of the columns stand among the records at the top; of a survey, in the first."""
    if table in ANSWERS:
        return Start(0, [*records])
    names = lines_above(records, header)
    if header.names > 1 or header.wording or header.below or header.also:
        return Start(names, [*records[names:]])
    for upper in (names, names - 1):
        if 0 <= upper < min(len(records) - 1, LINES) and _is_broken(records[upper], records[upper + 1], table):
            return Start(upper + 1, [joined(records[upper], records[upper + 1]), *records[upper + 2 :]], True)
    if not names:
        return Start(0, [*records])
    return Start(names, [with_groups(records[names - 1], records[names]), *records[names + 1 :]])


def joined(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Return the names of which the upper line has the first part and the lower one the second."""
    width = max(len(upper), len(lower))
    pairs = zip(*([*line, *[""] * (width - len(line))] for line in (upper, lower)), strict=True)
    return [" ".join(dict.fromkeys(part.strip() for part in pair if part.strip())) for pair in pairs]


def _is_broken(upper: Sequence[str], lower: Sequence[str], table: TableName) -> bool:
    """Whether two lines are one header: more of their names are known when they are joined than of either alone."""
    if any(is_value(cell) for cell in (*upper, *lower)):
        return False
    known = headings_of(table)
    whole = joined(upper, lower)
    rejoined = [
        plain(name) in known
        for name, above, below in zip(whole, upper, lower, strict=False)
        if above.strip() and below.strip()
    ]
    n_whole, n_upper, n_lower = (sum(plain(name) in known for name in line) for line in (whole, upper, lower))
    return 2 * sum(rejoined) >= len(rejoined) > 0 and n_whole >= n_upper and n_whole > n_lower


def note_start(export: Export, start: Start, line: int) -> None:
    """Tell that the columns' names, or the second half of them, were found in this line and not in the first."""
    if not start.is_broken:
        return note_lines_above(export, line)
    export.header_line = line
    message = (
        f"the header seems to be in two lines, of which line {line} is the second: each column's name was put together "
        "from both"
    )
    return export.warn("header_in_two_lines", message, [line])


# --- header -----------------------------------------------------------------------------------------------------------
# Which lines at the top of an export name its columns, and what the columns are then called.

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
        export.warn("header_line", f"{message}; the line above it alone is the header")
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
