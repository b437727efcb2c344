"""A header that is broken in two lines, as narrow columns make people do: "Start" and, below it, "date"."""

from collections.abc import Sequence
from typing import NamedTuple

from analysis.ingest.export import Export
from analysis.ingest.profile import Header, headings_of
from analysis.ingest.readers.around import LINES, is_value, lines_above, note_lines_above, with_groups
from analysis.ingest.text_matching import plain
from analysis.plan.contract import ANSWERS
from analysis.plan.study import TableName


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
    return export.note("header_in_two_lines", message, [line], severity="warning", action="kept")
