"""Frames of answers by wave, and by rater source where there is one; and why a number could not be had."""

from collections.abc import Iterator

import pandas as pd

LEVELS = ("wave", "rater_role")


class NotEstimable(ValueError):
    """A number that these answers do not determine; the message is the reason, and names neither person nor item."""


def levels_of(frame: pd.DataFrame | pd.Series) -> list[str]:
    """Return the levels of the index that keep groups apart: ``wave``, and ``rater_role`` where it is there."""
    return [level for level in LEVELS if level in frame.index.names]


def by_wave(frame: pd.DataFrame | pd.Series) -> Iterator[tuple[dict, pd.DataFrame | pd.Series]]:
    """Yield the keys and the rows of each wave, and of each rater source in it; sources are never pooled."""
    levels = levels_of(frame)
    for keys, rows in frame.groupby(level=levels):
        yield dict(zip(levels, keys, strict=True)), rows
