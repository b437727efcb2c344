"""Columns of an export that were not read and are called almost as a column of the contract: "did you mean …?"."""

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from analysis.ingest.export import Export
from analysis.ingest.personal import is_called
from analysis.ingest.profile import Layout
from analysis.ingest.text_matching import plain
from analysis.plan.contract import FED
from analysis.plan.study import Source

# As difflib counts: twice the letters in common over all letters; "exitdt" and "exitdate" share .86 of theirs.
ALIKE = 0.8
ALIKE_BUT_FOR_THE_FIRST = 0.9
# Enough to be listed first.
SOMEWHAT_ALIKE = 0.7
LEAST_LETTERS = 3
# What a name may leave out at its end: "exit" for exit_date, "manager" for manager_id.
ENDINGS = ("date", "id", "type")
_WORDS = re.compile(r"[A-Za-z]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def resembling(unused: Sequence[str], absent: Iterable[str]) -> dict[str, str]:
    """Return canonical column → the export's column that is probably meant by it, each at most once.

    Parameters
    ----------
    unused
        Columns of the export that nothing was made of.
    absent
        Canonical columns that the export does not have.
    """
    found: dict[str, str] = {}
    for name in absent:
        near = [column for column in unused if column not in found.values() and is_like(column, name)]
        if near:
            found[name] = max(near, key=lambda column: _share(plain(column), plain(name)))
    return found


def most_like(columns: Sequence[str], names: Collection[str]) -> list[str]:
    """Return the columns that are called like one of some names, the likest first."""
    shares = {column: max((_likeness(column, name) for name in names), default=0.0) for column in columns}
    like = [column for column in columns if shares[column] >= SOMEWHAT_ALIKE]
    return sorted(like, key=lambda column: -shares[column])


def _likeness(column: str, name: str) -> float:
    return 1.0 if is_like(column, name) else _share(plain(column), plain(name))


@lru_cache(maxsize=50_000)
def is_like(column: str, canonical: str) -> bool:
    """Whether a column's name is a slip or an abbreviation of a canonical name: exit_dt, dept, Manager."""
    short, long = plain(column), plain(canonical)
    if len(short) < LEAST_LETTERS or short == long:
        return False
    # A slip at the first letter is rare, and Ende is no slip of gender.
    alike = ALIKE if short[0] == long[0] else ALIKE_BUT_FOR_THE_FIRST
    if _share(short, long) >= alike or any(short + ending == long for ending in ENDINGS):
        return True
    words, known = _words(column), canonical.split("_")
    return len(words) == len(known) and all(map(_abbreviates, words, known))


@lru_cache(maxsize=50_000)
def _share(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(_CAMEL.sub(" ", name))]


def _abbreviates(short: str, word: str) -> bool:
    """Whether a word begins like another and has some of its letters in their order: mgr for manager."""
    rest = iter(word)
    is_part = all(letter in rest for letter in short)
    return is_part and len(short) >= 2 and short[0] == word[0]


def note_misspelt(export: Export, unused: Sequence[str], layout: Layout, source: Source) -> None:
    """Warn of columns that were probably meant to be read; what a required column probably is goes to the export.

    Only a heading that is close to a name of the contract is repeated: any other may be somebody's data.
    """
    table = FED.get(export.table, {})
    absent = [name for name in table if name not in export.rows and name not in source.fills]
    absent = [name for name in absent if not any(f"{name}@" in str(column) for column in export.rows)]
    export.probably = resembling([name for name in unused if not is_called(name, layout.ignored)], absent)
    for name in export.probably:
        if not table[name].required:
            export.note(
                "column_unused",
                f"{probable_column(export, name)} is not read: did you mean {name}? Then call it so, or write "
                f"columns: {{{export.table}: {{{name}: {export.probably[name]}}}}} in study.yaml",
                [export.header_line],
                severity="warning",
                action="kept",
            )


def probable_column(export: Export, name: str) -> str:
    """Return where the column stands that is probably meant by a canonical name, and what it is called."""
    column = export.probably[name]
    return f"column {export.headings.index(column) + 1} ({' '.join(column.split())[:40]})"
