"""What the contract says of a single cell, and how its text becomes a date, a number or a truth value."""

import math
import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis.plan.bounds import FIRST_DAY, LAST_DAY, is_day
from analysis.plan.contract import ANSWERS, FED, Column
from analysis.validate.coded import ascending, coded, spread
from analysis.validate.rule import Rule

# Where a row stands in its file: no column of the table.
SOURCE_COLUMNS = ("_source", "_line")
BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def cell_rules(table: str) -> list[Rule]:
    """Return the rules that the contract's columns give for the text of one table, all of them errors."""
    return [rule for name, column in FED[table].items() for rule in _column_rules(name, column)]


def typed(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return the text rows with the contract's types: dates, float64, nullable boolean, text.

    A cell that is not what its column says becomes missing: `cell_rules` has reported it. The contract's columns stand
    first, empty where the file has none; further columns follow as they came. Text is `str`; in the tables of answers,
    which have many rows of few texts, it is a category whose categories are those that occur, in ascending order.
    """
    as_text = _category if table in ANSWERS else _text
    columns = {
        name: _typed(frame[name], column, as_text) if name in frame else _empty(frame.index, column, as_text)
        for name, column in FED[table].items()
    }
    further = {
        name: frame[name] if name in SOURCE_COLUMNS else as_text(frame[name]) for name in frame if name not in columns
    }
    return pd.DataFrame(columns | further, index=frame.index, copy=False)


def _column_rules(name: str, column: Column) -> list[Rule]:
    rules = []
    if not column.nullable:
        rules.append(_error("required_empty", name, "is empty; every row needs it", lambda f: f[name].notna()))
    if column.kind in _READABLE:
        rule, message, readable = _READABLE[column.kind]
        rules.append(_error(rule, name, message, _each(name, readable)))
    if column.kind == "date":
        span = f"before {FIRST_DAY}" if column.is_open_ended else f"before {FIRST_DAY} or after {LAST_DAY}"
        rules.append(
            _error(
                "date_out_of_range",
                name,
                f"lies {span}; correct it, or leave the cell empty where the contract allows it",
                _each(name, lambda text: not is_day(text) or _is_of_our_time(text, column)),
            )
        )
    if column.allowed:
        rules.append(
            _error(
                "not_allowed",
                name,
                f"is none of {', '.join(column.allowed)}; correct it, or translate "
                "the export's values under values: in study.yaml",
                _each(name, column.allowed.__contains__),
            )
        )
    if column.minimum is not None or column.maximum is not None:
        low = -math.inf if column.minimum is None else column.minimum
        high = math.inf if column.maximum is None else column.maximum
        limits = f"less than {low:,.15g}" if high == math.inf else f"not between {low:,.15g} and {high:,.15g}"
        rules.append(
            _error(
                "out_of_range",
                name,
                f"is {limits}; correct it",
                _each(name, lambda text: not is_number(text) or low <= float(text) <= high),
            )
        )
    return rules


def _error(rule: str, column: str, message: str, test: Callable[[pd.DataFrame], pd.Series]) -> Rule:
    return Rule(rule, column, "error", "rejected", f"{column} {message}", test)


def _each(column: str, fine: Callable[[str], bool]) -> Callable[[pd.DataFrame], pd.Series]:
    """Return the test that every cell of `column` is empty or `fine`; each distinct text is judged once."""

    def test(frame: pd.DataFrame) -> pd.Series:
        codes, texts = coded(frame[column])
        return pd.Series(spread(codes, _judged(texts, fine), True), index=frame.index)

    return test


def _judged(texts: pd.Index, fine: Callable[[str], bool]) -> np.ndarray:
    return np.fromiter((fine(text) for text in texts), dtype=bool, count=len(texts))


def _is_of_our_time(day: str, column: Column) -> bool:
    # days in this form sort as text
    return str(FIRST_DAY) <= day and (column.is_open_ended or day <= str(LAST_DAY))


def is_number(text: str) -> bool:
    """Whether the text is a finite decimal number."""
    return bool(_NUMBER.fullmatch(text)) and math.isfinite(float(text))


def is_whole(text: str) -> bool:
    """Whether the text is a whole number; 3.0 is one."""
    return is_number(text) and float(text).is_integer()


def is_boolean(text: str) -> bool:
    """Whether the text is true or false, 1 or 0, yes or no, in any case."""
    return text.casefold() in BOOLEANS


_READABLE: dict[str, tuple[str, str, Callable[[str], bool]]] = {
    "date": (
        "not_a_date",
        "is not a date of the calendar; write it as yyyy-mm-dd, or leave the cell empty where the contract allows it",
        is_day,
    ),
    "number": (
        "not_a_number",
        "is not a number; write digits with a decimal point and no thousands separator, or "
        "leave the cell empty where the contract allows it",
        is_number,
    ),
    "integer": ("not_a_number", "is not a whole number; write digits alone", is_whole),
    "boolean": (
        "not_a_boolean",
        "is neither true nor false; write one of them, or leave the cell empty where there was no answer",
        is_boolean,
    ),
}

_DTYPE = {"date": "datetime64[us]", "number": "float64", "integer": "float64", "boolean": "boolean"}


def _typed(cells: pd.Series, column: Column, as_text: Callable[[pd.Series], pd.Series]) -> pd.Series:
    if column.kind not in _READABLE:
        return as_text(cells)
    codes, texts = coded(cells)
    readable = pd.Series(texts, dtype="str").where(_judged(texts, _READABLE[column.kind][2]))
    values = pd.api.extensions.take(_converted(readable, column.kind).array, codes, allow_fill=True)
    return pd.Series(values, index=cells.index)


def _converted(readable: pd.Series, kind: str) -> pd.Series:
    """Return texts that can be read, or are missing, as what they say."""
    if kind == "date":
        return pd.to_datetime(readable, format="%Y-%m-%d").astype("datetime64[us]")
    if kind == "boolean":
        return readable.str.casefold().map(BOOLEANS).astype("boolean")
    return pd.to_numeric(readable).astype("float64")


def _text(cells: pd.Series) -> pd.Series:
    codes, texts = coded(cells)
    return pd.Series(texts.astype("str").array.take(codes, allow_fill=True), index=cells.index)


def _category(cells: pd.Series) -> pd.Series:
    """Return the texts as a category, its categories those that occur, in ascending order."""
    codes, texts = ascending(cells)
    return pd.Series(pd.Categorical.from_codes(codes, texts.astype("str")), index=cells.index)


def _empty(index: pd.Index, column: Column, as_text: Callable[[pd.Series], pd.Series]) -> pd.Series:
    empty = pd.Series(None, index=index, dtype=_DTYPE.get(column.kind, "str"))
    return empty if column.kind in _READABLE else as_text(empty)
