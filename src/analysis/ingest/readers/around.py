"""What people and report tools write around a table: titles, prompts and group headings above, legends below."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from analysis.ingest.export import LINE, Export
from analysis.ingest.profile import Header
from analysis.plan.contract import ANSWERS

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
    export.note("lines_above_header", message, [line], severity="warning", action="kept")


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
    export.note("hardly_a_cell", message, below, severity="warning", action="rejected")
    export.frame = export.rows[:end].reset_index(drop=True)
