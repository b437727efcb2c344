"""Numbers, parts of full time and truth values become the contract's text; what was found in the cells on the way."""

import decimal as exact
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.ingest.export import recoded
from analysis.ingest.text_matching import folded
from analysis.plan.errors import Action, Severity


@dataclass(frozen=True, eq=False)
class CellIssue:
    """One thing that was found in the cells of one column.

    Attributes
    ----------
    rule, severity, action
        As in the data-quality ledger.
    message
        What is wrong, was assumed or was changed, to be read after the column's name ("hire_date has …"). Holds no
        cell's content.
    concerned
        Whether it is about each distinct cell of the column as it came.
    """

    rule: str
    severity: Severity
    action: Action
    message: str
    concerned: np.ndarray

    def rows(self, column: pd.Categorical) -> np.ndarray:
        """Return which rows of the column as it came are concerned."""
        return np.append(self.concerned, False)[column.codes]


@dataclass(frozen=True, eq=False)
class Cells:
    """A column as the contract writes it.

    Attributes
    ----------
    column
        Categorical of text, row by row as it came. A cell that could not be read stays as it was, so that validation
        reports it with its line.
    findings
        What was found; nothing where the column was as it should be.
    """

    column: pd.Categorical
    findings: tuple[CellIssue, ...] = ()

    @classmethod
    def of(cls, column: pd.Categorical, texts: Sequence[str | None], *issues: CellIssue) -> "Cells":
        """Return a column with new texts for its distinct cells, and the issues that are about any of them."""
        return cls(recoded(column.codes, texts), tuple(issue for issue in issues if issue.concerned.any()))


# --- numbers ----------------------------------------------------------------------------------------------------------
# Numbers as exports write them become digits with a decimal point.

DecimalSign = Literal[".", ","]

_CODES = (
    "usd eur gbp chf sek nok dkk isk pln czk huf ron bgn try jpy cny inr krw sgd hkd aud nzd cad mxn brl zar ils aed"
)
_MONEY = rf"(?:[a-z]{{0,3}}[$€£¥₹₩₺₪₽]|{_CODES.replace(' ', '|')}|kr\.?|zł|fr\.)?"
_CELL = re.compile(
    rf"{_MONEY} ?(?P<sign>[+-]?) ?{_MONEY} ?(?P<digits>[0-9][0-9.,' ]*|[.,][0-9]+)(?P<power>e[+-]?[0-9]+)?"
    rf"(?P<percent> ?%)? ?{_MONEY}"
)
_WHOLE = re.compile(r"([.,])-{1,2}(?=$|[^0-9])")  # 52.000,- has no cents
_ONE_SIGN = str.maketrans("’−", "'-")
_IN_GROUPS = re.compile(r"[0-9]{1,3}([ '])[0-9]{3}(?:\1[0-9]{3})*(?:[.,][0-9]*)?")
_THOUSANDS = {sign: re.compile(rf"[0-9]{{1,3}}(?:{re.escape(sign)}[0-9]{{3}})+") for sign in ".,"}
_OPEN = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}")


class _Number(NamedTuple):
    """A number as written: its sign, its digits with points and commas, its power of ten, and how it is read.

    `decimal` is its decimal sign, empty where it has none; `is_open` says that it might be a thousands separator.
    """

    sign: str
    digits: str
    power: str
    is_percent: bool
    decimal: str
    is_open: bool


def to_numbers(column: pd.Categorical, *, decimal: DecimalSign | None = None, is_share: bool = False) -> Cells:
    """Return a column of numbers with a decimal point and without thousands separators, currencies and percent signs.

    The decimal sign is what the column shows: 1.234,5 and 12,5 have a comma, 1,234.5 and 12.5 a point. Where it shows
    neither, nor a number such as 0.125 or 1.234.567, it cannot be told whether 52.000 is fifty-two or fifty-two
    thousand. What cannot be read stays as it is.

    Parameters
    ----------
    column
        The export's cells, categorical of text.
    decimal
        The decimal sign where it is known.
    is_share
        Whether they are shares of one: 80 % is read as 0.8, which otherwise is no number, and nothing is a thousand.

    Returns
    -------
    Cells
        Findings: `ambiguous_number` (error), `numbers_translated`.
    """
    numbers = [_read(folded(text), is_share) for text in column.categories]
    sign = decimal or _shown(number for number in numbers if number)
    is_unclear = np.array([number is not None and number.is_open and sign is None for number in numbers], bool)
    texts = [
        text if number is None or unclear else _canonical(number, sign, text)
        for text, number, unclear in zip(column.categories, numbers, is_unclear, strict=True)
    ]
    is_changed = np.array([new != old for new, old in zip(texts, column.categories, strict=True)], bool)
    unclear = (
        "has numbers whose point or comma may be a decimal sign or a thousands separator (52.000 is 52 or 52000), and "
        "none that decides it; at the source in study.yaml set decimal: ',' where 52.000 is fifty-two thousand, "
        "decimal: '.' where it is fifty-two (of 52,000 it is the other way round)"
    )
    changed = "has numbers with a decimal comma, thousands separators, a currency or a percent sign; translated"
    return Cells.of(
        column,
        texts,
        CellIssue("ambiguous_number", "error", "rejected", unclear, is_unclear),
        CellIssue("numbers_translated", "info", "repaired", changed, is_changed),
    )


def open_numbers(texts: Iterable[str]) -> bool:
    """Whether texts are numbers of which not one shows if its point or comma is a decimal sign: 52.000 and 61.500."""
    numbers = [number for text in texts if (number := _read(folded(text), False)) and number.decimal]
    return bool(numbers) and _shown(numbers) is None and all(number.is_open for number in numbers)


def _read(text: str, is_share: bool) -> _Number | None:
    """Return the number that a folded text writes, None where it is none."""
    text = _WHOLE.sub(r"\g<1>00", text.translate(_ONE_SIGN))
    found = _CELL.fullmatch(text)
    if found is None or (found["percent"] and not (is_share and not found["power"])):
        return None
    digits = found["digits"].strip()
    if " " in digits or "'" in digits:
        if not _IN_GROUPS.fullmatch(digits):
            return None
        digits = digits.replace(" ", "").replace("'", "")
    decimal = _decimal_sign(digits)
    if decimal is None:
        return None
    is_open = not (found["power"] or is_share) and _OPEN.fullmatch(digits) is not None
    return _Number(found["sign"], digits, found["power"] or "", bool(found["percent"]), decimal, is_open)


def _decimal_sign(digits: str) -> str | None:
    """Return which sign must be the decimal one, or may be where it is open; None where this is no number."""
    signs = [sign for sign in digits if sign in ".,"]
    if not signs:
        return ""
    if len(signs) == 1:
        return signs[0]
    other = "," if signs[0] == "." else "."
    whole, _, _ = digits.partition(other)
    return other if _THOUSANDS[signs[0]].fullmatch(whole) and signs.count(other) <= 1 else None


def _shown(numbers: Iterable[_Number]) -> str | None:
    """Return the decimal sign that a column shows, None where it shows both or cannot be told."""
    shown = {number.decimal for number in numbers if number.decimal and not number.is_open}
    return shown.pop() if len(shown) == 1 else None


def _canonical(number: _Number, sign: str | None, text: str) -> str:
    """Return the number with a decimal point; `text` itself where it is written so."""
    decimal = sign if number.is_open else number.decimal
    digits = number.digits if not decimal else number.digits.replace("," if decimal == "." else ".", "")
    digits = digits.replace(",", ".")
    if number.is_percent:
        digits = f"{exact.Decimal(digits).scaleb(-2).normalize():f}"
    result = number.sign + digits + number.power
    return text if result == text.casefold() else result


# --- shares -----------------------------------------------------------------------------------------------------------
# Parts of full time: percentages become shares of one.

_SAYS_PERCENT = re.compile(r"%|per ?cent|prozent|pourcent|porcent|percentuale|procent|pct", re.IGNORECASE)
# Nobody has so many full-time jobs; nobody works so many hours a week; nobody has so many percent.
MOST_SHARE, MOST_HOURS, MOST_PERCENT = 1.5, 60, 150


def percent_to_share(column: pd.Categorical, called: str) -> Cells:
    """Return a column of parts of full time as shares of one.

    Percentages are told by the column's size: no share is above 1.5, and every number but 0 is. That they are no hours
    a week must follow from the column's name or from a number that is above 60.

    Parameters
    ----------
    column
        Numbers as the contract writes them, categorical of text.
    called
        What the export calls the column.

    Returns
    -------
    Cells
        Findings: `fte_in_percent` (information where the column's name says so, otherwise a warning). What is no
        percentage stays as it is.
    """
    numbers = pd.to_numeric(pd.Series(column.categories.astype(object)), errors="coerce")
    sizes = numbers[numbers != 0]
    says_so = _SAYS_PERCENT.search(called) is not None
    if not len(sizes) or not sizes.between(MOST_SHARE, MOST_PERCENT, inclusive="right").all():
        return Cells(column)
    if not says_so and sizes.max() <= MOST_HOURS:
        return Cells(column)
    shares = [f"{exact.Decimal(text).scaleb(-2).normalize():f}" for text in column.categories]
    message = "holds percentages of full time; read as shares: 80 is 0.8"
    severity: Severity = "info" if says_so else "warning"
    return Cells.of(
        column, shares, CellIssue("fte_in_percent", severity, "repaired", message, np.ones(len(shares), bool))
    )


# --- truths -----------------------------------------------------------------------------------------------------------
# Truth values as exports write them become true and false.

_TRUE = ("true", "yes", "ja", "oui", "sí", "si", "y", "j", "x", "1", "checked")
_FALSE = ("false", "no", "nein", "non", "n", "0", "unchecked")
_UNDERSTOOD = {"true", "false", "yes", "no", "1", "0"}
TRUTHS = dict.fromkeys(_TRUE, "true") | dict.fromkeys(_FALSE, "false")


def to_booleans(column: pd.Categorical) -> Cells:
    """Return a column of truth values with other words for ``true`` and ``false`` translated.

    What the contract's columns may hold anyway (true and false, yes and no, 1 and 0) stays as it is, and so does what
    is no truth value at all.

    Parameters
    ----------
    column
        The export's cells, categorical of text.

    Returns
    -------
    Cells
        Finding: `booleans_translated`.
    """
    words = [folded(text) for text in column.categories]
    is_translated = np.array([word in TRUTHS and word not in _UNDERSTOOD for word in words], bool)
    texts = [
        TRUTHS[word] if other else text
        for word, text, other in zip(words, column.categories, is_translated, strict=True)
    ]
    message = "has words for true and false; translated"
    return Cells.of(column, texts, CellIssue("booleans_translated", "info", "repaired", message, is_translated))
