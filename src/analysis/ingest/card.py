"""A first instrument card for a questionnaire that has none, drafted from the columns of its export."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath

import pandas as pd

from analysis.ingest.draft import scalar
from analysis.ingest.export import is_data
from analysis.ingest.guess import slug
from analysis.ingest.items import is_generic
from analysis.ingest.look import Look
from analysis.ingest.personal import is_called
from analysis.plan.instruments import Instrument

LEAST_ITEMS, MOST_ANSWERS = 3, 11
MOST_LABELS = 7
# The scale of a drafted card: what its items measure is not known yet.
UNSORTED = "unknown"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,19}")
# What LimeSurvey and spreadsheets call a computed column by, and what people call one.
_EQUATION = re.compile(r"^=|^eq[ _]?\d*$|\{.*\}", re.DOTALL | re.IGNORECASE)
COMPUTED = ("total*", "*total", "sum", "*sum", "mean", "*mean", "avg*", "*avg", "*average*", "*score", "*equation*")
_NUMBER = re.compile(r"\d{1,2}")
HEAD = """\
# Drafted by `mentoring init` from the columns of an export. Before any score is read: sort the items into scales, one
# construct each (data/README.md lists those that are analysed), write reversed: true where agreeing means less of it,
# and take out what is no question of the scale.
"""


@dataclass(frozen=True)
class Card:
    """A drafted card: its name, the text of its file, and the export's columns that are its items."""

    name: str
    text: str
    columns: tuple[str, ...]


def draft_card(look: Look, cards: Mapping[str, Instrument]) -> Card | None:
    """Return a card for the columns of a survey that look like answers on one scale; None where fewer than three do.

    Parameters
    ----------
    cards
        The cards that there are: by their labels answers in words may be known, and none of their names is taken.
    """
    asked = {*look.seen.unused, *look.items.values()}
    columns = [str(name) for name in look.export.rows if name in asked and _is_a_question(look, str(name))]
    answers = {name: look.export.rows[name].array for name in columns}
    # words on one scale are answers; numbers may be years, counts or sums
    response = _known_labels(answers, cards) or _unknown_labels(answers) or _numbers(answers)
    if response is None:
        return None
    scale, items = response
    name = _free_name(slug(PurePosixPath(look.source.path).stem), set(cards))
    codes = {_code(look, column, n): _wording(look, column) for n, column in enumerate(items, start=1)}
    lines = [f"instrument: {name}", f"title: {name}", *scale, "scales:", f"  {UNSORTED}:", f"    construct: {UNSORTED}"]
    lines += ["    source: the company's own", "    licence: the company's own", "    items:"]
    texts = {code: "" if is_generic(text) else f"text: {scalar(text)}" for code, text in codes.items()}
    lines += [f"      {scalar(code)}: {{{text}}}" for code, text in texts.items()]
    return Card(name, HEAD + "\n".join(lines) + "\n", tuple(items))


def _is_a_question(look: Look, column: str) -> bool:
    """Whether a column may be one: neither the tool's own, nor computed (a sum, an equation), nor a running number.

    Nor is it one whose heading looks like a name, an address or a number of somebody: a card would repeat it.
    """
    texts = (column, *look.export.wording.get(column, ()))
    is_computed = any(_EQUATION.search(text) for text in texts) or (" " not in column and is_called(column, COMPUTED))
    is_index = look.export.positions.get(column) == 1 and _is_running(look.export.rows[column].array)
    return not (is_computed or is_index or is_called(column, look.layout.ignored) or is_data(_wording(look, column)))


def _is_running(cells: pd.Categorical) -> bool:
    """Whether the rows are numbered, as programs do that write a table with an index."""
    texts = cells.astype(object)
    first = str(texts[0])
    return (
        len(texts) >= LEAST_ITEMS
        and first in ("0", "1")
        and list(texts) == [str(n + int(first)) for n in range(len(texts))]
    )


def _free_name(name: str, taken: set[str]) -> str:
    return next(each for n in count(1) if (each := name if n == 1 else f"{name}-{n}") not in taken)


def _numbers(answers: Mapping[str, pd.Categorical]) -> tuple[list[str], list[str]] | None:
    """Return the scale and the columns of answers in whole numbers."""
    values = {name: list(map(int, cells.categories)) for name, cells in answers.items() if _are_numbers(cells)}
    values = {
        name: given for name, given in values.items() if max(given) > 1
    } or values  # 0 and 1 beside a scale are flags
    if len(values) < LEAST_ITEMS:
        return None
    least, most = min(map(min, values.values())), max(map(max, values.values()))
    told = "# guess: the least and the greatest answer given; write what could be answered"
    return ["response:", f"  {told}", f"  min: {least}", f"  max: {most}"], list(values)


def _are_numbers(cells: pd.Categorical) -> bool:
    texts = list(cells.categories)
    return 1 < len(texts) <= MOST_ANSWERS and all(_NUMBER.fullmatch(t) and int(t) < MOST_ANSWERS for t in texts)


def _are_all_numbers(cells: pd.Categorical) -> bool:
    return all(_NUMBER.fullmatch(text) for text in cells.categories)


def _known_labels(
    answers: Mapping[str, pd.Categorical], cards: Mapping[str, Instrument]
) -> tuple[list[str], list[str]] | None:
    """Return the scale and the columns of answers in the words of another card's scale."""
    best: tuple[list[str], list[str]] | None = None
    for card in cards.values():
        number_of = card.response.number_of
        fits = [
            n for n, c in answers.items() if len(c.categories) and all(number_of(t) is not None for t in c.categories)
        ]
        if len(fits) >= max(LEAST_ITEMS, len(best[1]) + 1 if best else 0):
            given = [text for name in fits for text in answers[name].categories]
            texts = {number: text for text in given if (number := number_of(text)) is not None}
            if len(texts) < len(card.response.labels) - 1:  # the words may be of another, shorter scale
                continue
            labels = ", ".join(f"{number:g}: {scalar(texts[number])}" for number in sorted(texts))
            told = f"# guess: the scale of the card {card.instrument}, whose labels the answers are"
            limits = [f"  min: {card.response.min:g}", f"  max: {card.response.max:g}"]
            best = ["response:", f"  {told}", *limits, f"  labels: {{{labels}}}"], fits
    return best


def _unknown_labels(answers: Mapping[str, pd.Categorical]) -> tuple[list[str], list[str]] | None:
    """Return the scale and the columns of answers in words that several columns share; their order is left open."""
    sets = {name: set(cells.categories) for name, cells in answers.items() if not _are_all_numbers(cells)}
    scales = [own for own in sets.values() if 2 < len(own) <= MOST_LABELS]
    groups = [[name for name, some in sets.items() if len(some & own) > len(some | own) / 2] for own in scales]
    given = Counter(text for name in max(groups, key=len, default=[]) for text in sets[name])
    texts = sorted(
        text for text, times in given.items() if times > 1
    )  # what stands in one column may be somebody's own
    items = [name for name, some in sets.items() if some and some <= set(texts)]
    if len(items) < LEAST_ITEMS or len(texts) > MOST_LABELS:
        return None
    labels = ", ".join(f"{n}: {scalar(text)}" for n, text in enumerate(texts, start=1))
    told = "# put the labels into their order, from least to most, and take the # before them away"
    return ["response:", "  min: 1", f"  max: {len(texts)}", f"  {told}", f"  # labels: {{{labels}}}"], items


def _code(look: Look, column: str, n: int) -> str:
    """Return an item's code: the column's name, unless it is one that any tool gives to any question.

    Such a one may be another question's in the next wave; where the file has the wording, that will tell.
    """
    if is_generic(column) and _wording(look, column) != column:
        return next(code for code in (f"item{n}", f"item_{n}", f"question_{n}") if code not in look.export.rows)
    return column if _CODE.fullmatch(column) else f"q{n}"


def _wording(look: Look, column: str) -> str:
    return next(reversed(look.export.wording.get(column, (column,))))
