"""Whether scores can be compared across the waves of a study and between those who start a program and others."""

from itertools import pairwise

import numpy as np
import pandas as pd

from analysis.measure.invariance import Invariance, invariance_across_arms, invariance_across_waves

# Items times waves in one model: fifteen take a second or two, thirty minutes, and then often to no end, because too
# few people answered so many waves.
MOST_VARIABLES = 15
TOO_LONG = f"the scale has too many items for a model of two waves (more than {MOST_VARIABLES})"
COUNTS = ["n_people", "n_treated", "n_control"]


def across_waves(items: pd.DataFrame) -> pd.DataFrame:
    """Return the invariance of a scale across waves of a study.

    As many waves are compared as one model can hold (`MOST_VARIABLES` items in all), at least two where there are; they
    are spread evenly from the first to the last. Where too few people answered them all for a fit, fewer are taken. Only
    items that all of these waves asked are compared; reworded ones are, for they are the reason to look.

    Parameters
    ----------
    items
        As from `scales.item_answers`: index (employee_id, wave), one column an item, right way round.

    Returns
    -------
    DataFrame
        One row per model, as `invariance.Invariance.steps`, with ``across`` = ``waves``, ``waves`` (those compared, as
        text), ``reason``. What kept models from being fitted is a row of its own, without ``step``.
    """
    waves = sorted(items.index.unique("wave"))
    asked = int(items.notna().any().sum())
    most = min(len(waves), max(2, MOST_VARIABLES // max(asked, 1)))
    for n_waves in range(most, 0, -1):
        chosen = [waves[i] for i in np.linspace(0, len(waves) - 1, n_waves).round().astype(int)]
        rows = items[items.index.isin(chosen, level="wave")]
        compared = rows.loc[:, rows.notna().groupby(level="wave").any().all()]
        found = _fitted(compared, n_waves)
        if len(found.steps) or n_waves <= 2:
            break
    people = {"n_people": rows.dropna(how="all").index.get_level_values(0).nunique()}
    return told(found, "waves", people).assign(waves=", ".join(f"{wave:g}" for wave in chosen))


def _fitted(items: pd.DataFrame, n_waves: int) -> Invariance:
    """Return the steps, or why there are none, without searching where the search would take long and find nothing."""
    if items.shape[1] * n_waves > 2 * MOST_VARIABLES:
        return Invariance(pd.DataFrame(), TOO_LONG)
    return invariance_across_waves(items)


def across_arms(items: pd.DataFrame, waves: pd.DataFrame, starts: pd.Series, before: pd.Timestamp, across: str):
    """Return whether those who are to start answer the items in the same way as everybody else does, before the start.

    Parameters
    ----------
    items
        As for `across_waves`.
    waves
        Of the instrument: ``wave, closes``.
    starts
        First starts in the role, by employee id.
    before
        The first start of anybody in the program. The last wave that closed before it counts.
    across
        What stands in the column of that name.

    Returns
    -------
    DataFrame
        As `across_waves`, with ``n_treated, n_control``: people who answered.
    """
    asked = items.index.unique("wave")
    earlier = waves.loc[(waves["closes"] < before) & waves["wave"].isin(asked)].sort_values("closes")
    if earlier.empty:
        nobody = dict.fromkeys(COUNTS, 0)
        return told(Invariance(pd.DataFrame(), "no wave closed before the first start"), across, nobody)
    wave = earlier["wave"].iloc[-1]
    rows = items.xs(wave, level="wave").dropna(axis="columns", how="all").dropna(how="all")
    is_treated = pd.Series(rows.index.isin(starts.index), index=rows.index)
    sizes = (len(rows), int(is_treated.sum()), int((~is_treated).sum()))
    found = invariance_across_arms(rows, is_treated)
    return told(found, across, dict(zip(COUNTS, sizes, strict=True))).assign(waves=f"{wave:g}")


def told(found: Invariance, across: str, people: dict[str, int]) -> pd.DataFrame:
    """Return the steps with their counts of people, and what is missing as a row without a step."""
    rows = found.steps.assign(reason=None)
    if found.reason is not None:
        rows = pd.concat([rows, pd.DataFrame([{"reason": found.reason}])], ignore_index=True)
    return rows.assign(across=across, **people)
