"""What must be there: a value that another rule has made sure of."""

from typing import TypeVar

Value = TypeVar("Value")


def known(value: Value | None) -> Value:
    """Return a value that cannot be missing here.

    Raises
    ------
    ValueError
        It is missing all the same: a fault of this program.
    """
    if value is None:
        raise ValueError("a value is missing that should be known here")
    return value
