"""Cells of typed files as canonical text: ISO dates, decimal points, no ``.0`` behind whole numbers."""

import datetime as dt
import math
from decimal import Decimal


def text_of(value: object) -> str | None:
    """Return one cell as text; None where it holds nothing.

    Dates become ``yyyy-mm-dd``, times of day ``hh:mm:ss`` (a duration may have more hours), datetimes
    ``yyyy-mm-ddThh:mm:ss`` (with their offset where they have one), truth values ``true`` and ``false``.
    """
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _number(value)
        case Decimal():
            return _decimal(value)
        case dt.datetime() | dt.time():
            return value.isoformat(timespec="seconds") if value == value else None  # NaT differs from itself
        case dt.timedelta():
            return _duration(value)
    return str(value)


def _number(value: float) -> str | None:
    if math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(float(value))


def _decimal(value: Decimal) -> str | None:
    if not value.is_finite():
        return None if value.is_nan() else str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _duration(value: dt.timedelta) -> str:
    seconds = abs(int(value.total_seconds()))
    sign = "-" if value < dt.timedelta(0) else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
