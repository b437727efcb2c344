"""Whether scores can be compared across the waves of a study and between those who start a program and others."""

import numpy as np
import pandas as pd

from analysis.measure.invariance import COLUMNS, Invariance, invariance_across_arms, invariance_across_waves

# The cost grows with the fourth power of items times waves and with the patterns of who answered which: six waves of
# five items take minutes, and then often to no end, because too few people answered them all.
MOST_WAVES, MOST_VARIABLES, MOST_ITEMS = 3, 15, 15
# Below so many people in common for each item and wave the search for the covariance takes its longest and fails.
LEAST_IN_COMMON = 2
TOO_LONG = f"the scale has more than {MOST_ITEMS} items, too many for a model of two waves"
VERDICTS = ("proper", "holds_by_chi2", "holds_by_chen", "holds")
TEXTS = ("across", "step", "freed_item")
COUNTS = ["n_people", "n_treated", "n_control"]


def across_waves(items: pd.DataFrame) -> pd.DataFrame:
    """Return the invariance of a scale across waves of a study.

    The first, the middle and the last wave are compared; the first and the last where the scale has more than five
    items, or too few people answered all three for a fit. Only items that all of these waves asked are compared;
    reworded ones are among them, for they are the reason to look.

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
    most = MOST_WAVES if asked * MOST_WAVES <= MOST_VARIABLES else 2
    for n_waves in range(min(len(waves), most), 0, -1):
        chosen = [waves[i] for i in np.linspace(0, len(waves) - 1, n_waves).round().astype(int)]
        rows = items[items.index.isin(chosen, level="wave")]
        compared = rows.loc[:, rows.notna().groupby(level="wave").any().all()]
        if n_waves > 2 and _fewest_in_common(rows) <= LEAST_IN_COMMON * asked * n_waves:
            continue
        found = invariance_across_waves(compared) if asked <= MOST_ITEMS else Invariance(pd.DataFrame(), TOO_LONG)
        if len(found.steps) or n_waves <= 2:
            break
    people = {"n_people": rows.dropna(how="all").index.get_level_values(0).nunique()}
    return told(found, "waves", people).assign(waves=", ".join(f"{wave:g}" for wave in chosen))


def _fewest_in_common(items: pd.DataFrame) -> int:
    """Return how many people answered both of two waves, of the pair of waves in which these are fewest."""
    answered = items.notna().any(axis="columns").unstack("wave", fill_value=False).to_numpy(dtype=float)
    return int((answered.T @ answered).min())


def across_arms(
    items: pd.DataFrame, waves: pd.DataFrame, starts: pd.Series, before: pd.Timestamp, across: str
) -> pd.DataFrame:
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
    """Return the steps with their counts of people (missing where nobody was counted so), and why there is no other.

    What kept models from being fitted is a row without a step.
    """
    rows = found.steps.to_dict("records")
    rows += [] if found.reason is None else [{"reason": found.reason}]
    frame = pd.DataFrame([{"reason": None} | row for row in rows]).reindex(columns=[*COLUMNS, "reason"])
    verdicts = {name: frame[name].astype("boolean") for name in VERDICTS}
    numbers = {name: frame[name].astype(float) for name in COLUMNS if name not in (*VERDICTS, *TEXTS)}
    return frame.assign(**numbers, **verdicts).assign(across=across, **dict.fromkeys(COUNTS, np.nan) | people)
