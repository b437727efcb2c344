"""Frames of answers by wave and rater source, with a mean or a correlation and its interval."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from analysis.plan.probability import normal_quantile, student_quantile

# What every interval of this room covers.
LEVEL = 0.95

# --- correlation ------------------------------------------------------------------------------------------------------
# A correlation with its interval.


def fisher_interval(r: float, n: int) -> tuple[float, float]:
    """Return the limits of a correlation of `n` pairs by Fisher's z; NaN with fewer than four pairs.

    References
    ----------
    Fisher 1921, Metron 1:3.
    """
    if n < 4:
        return np.nan, np.nan
    if abs(r) == 1:
        return r, r
    half = normal_quantile((1 + LEVEL) / 2) / np.sqrt(n - 3)
    return float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))


# --- means ------------------------------------------------------------------------------------------------------------
# A mean with its interval.


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of `values`, shape (people,), and its limits by Student's t; these are NaN for a single value.

    References
    ----------
    Student 1908, Biometrika 6:1.
    """
    n, centre = len(values), float(np.mean(values))
    if n < 2:
        return centre, np.nan, np.nan
    half = float(student_quantile((1 + LEVEL) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return centre, centre - half, centre + half


# --- groups -----------------------------------------------------------------------------------------------------------
# Frames of answers by wave, and by rater source where there is one; and why a number could not be had.

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


def answered_in_full(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one wave that answered every item asked; an item that nobody answered was not asked."""
    return answers.dropna(axis="columns", how="all").dropna()


def neighbours_merged(sizes: Sequence[int] | np.ndarray, least: int) -> np.ndarray:
    """Return the group of each of several neighbours, from 0: small ones are merged with the next, shape (len(sizes),).

    Every group then holds `least` people at least, unless all of them together are fewer. The last, where it is small,
    goes to the one before it.
    """
    group, held, found = 0, 0, []
    for size in sizes:
        if held >= least:
            group, held = group + 1, 0
        held += size
        found.append(group)
    return np.minimum(found, max(group - 1, 0) if held < least else group)
