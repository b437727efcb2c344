"""Whether a heading may be shown: one that is made of words that headings are made of, and of nobody's data."""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path

from analysis.ingest.names import folded, plain
from analysis.ingest.profile import Layout, load_profiles
from analysis.plan.contract import TABLES
from analysis.plan.yaml_file import load_yaml

WORDS = Path(__file__).parent / "heading_words.yaml"
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-ZÀ-Þ])(?=[A-ZÀ-Þ][a-zà-ÿ])")
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")
# What tools call a question: Q1, QID12, V3_2.
_CODE = re.compile(r"(g\d{1,2})?(q|qid|qn|qu|v|var|x|f|sq|it|item|col)[ _.-]?\d{1,3}([_.]\d{1,3}){0,2}", re.IGNORECASE)
LEAST_LETTERS = 4
MOST_DIGITS, DIGITS_OF_A_YEAR = 3, 4
# Names of people have fewer.
MOST_WORDS = 4


def is_heading(text: str, known: Collection[str] = ()) -> bool:
    """Whether a column's name is one that the contract, a profile or a card knows, or has no other words than theirs.

    Parameters
    ----------
    known
        Further names (`names.plain`), those that a study or its cards name.
    """
    if plain(text) in known or plain(text) in vendors_names() or _CODE.fullmatch(text.strip()):
        return True
    words = words_of(text)
    return bool(words) and all(map(_is_word, words)) and _has_few_digits(text)


def _is_word(word: str) -> bool:
    """Whether a word is one of headings, or is two of them written together, of which one is no short one: dateof."""
    known = heading_words()
    parts = ((word[:n], word[n:]) for n in range(2, len(word) - 1))
    return word in known or any({*part} <= known and max(map(len, part)) >= LEAST_LETTERS for part in parts)


def is_data(text: str) -> bool:
    """Whether a heading looks like a name, an address or a number, and not like a question or a word for one.

    Two or three words that all begin with a capital are taken for a name, unless they are words of headings.
    """
    words = text.replace(",", " ").split()
    is_name = 1 < len(words) < MOST_WORDS and all(word[:1].isupper() for word in words) and not is_heading(text)
    return "@" in text or is_name or sum(map(len, _DIGITS.findall(text))) > DIGITS_OF_A_YEAR


def shown_sheets(names: Sequence[str], some: Collection[str]) -> str:
    """Return how a message lists some of a workbook's sheets: by name where it is a heading, else by place."""
    return ", ".join(name if is_heading(name) else f"sheet {n}" for n, name in enumerate(names, 1) if name in some)


def _has_few_digits(text: str) -> bool:
    return sum(map(len, _DIGITS.findall(text))) <= MOST_DIGITS


def words_of(text: str) -> set[str]:
    """Return the words of a name, without case: those of ``HireDate`` are hire and date."""
    return {folded(word) for word in _LETTERS.findall(_CAMEL.sub(" ", text))}


@cache
def heading_words() -> frozenset[str]:
    """Return the words that headings are made of."""
    listed = load_yaml(WORDS, source=WORDS.name).content
    words = {word for text in listed.values() for word in text.split()}
    return frozenset(words | {word for name in _names() for word in words_of(name)})


@cache
def vendors_names() -> frozenset[str]:
    """Return the names of the contract's and of any vendor's columns (`names.plain`)."""
    return frozenset(plain(name) for name in _names() if "*" not in name)


def _names() -> Iterator[str]:
    for table in TABLES.values():
        yield from table
    for profile in load_profiles().values():
        for layouts in profile.tables.values():
            for layout in layouts:
                yield from _names_of(layout)


def _names_of(layout: Layout) -> Iterator[str]:
    parts = [layout.columns, *(part.columns for part in layout.roles.values())]
    yield from (name for part in parts for names in part.values() for name in names)
    keys = [*layout.directory, *(key for ways in layout.keys.values() for key in ways)]
    keys += [key for part in layout.roles.values() for key in part.keys]
    yield from (name for key in keys for name in key.columns)
    yield from (name for names in layout.recognised_by for name in names)
    whens = [pick.when for picks in layout.picks.values() for pick in picks]
    yield from (name for when in (*whens, *(reject.when for reject in layout.reject)) for name in when)
    yield from (*layout.ignored, *layout.personal)
    if layout.duration:
        yield from (*layout.duration.begun, *layout.duration.sent)
