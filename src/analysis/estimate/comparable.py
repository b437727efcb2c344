"""Do the scores mean the same from wave to wave? The check that a change of scores takes for granted."""

import pandas as pd

from analysis.measure.invariance import CFI_FALL
from analysis.plan.results import Check

NAME = "the scale measures the same in every wave"
NEEDED = ("configural", "metric", "scalar")
MEANING = {
    "configural": "the items do not hang together as one scale",
    "metric": "the items do not weigh alike in every wave",
    "scalar": "an item became easier or harder to agree with between waves, whatever people feel",
}


def comparable_check(steps: pd.DataFrame) -> Check:
    """Return whether self-reported scores can be compared across waves: scalar invariance and all below it.

    Parameters
    ----------
    steps
        As from `measure.comparability.across_waves`.
    """
    fitted = steps[steps["step"].isin(NEEDED)]
    full = fitted[fitted["freed_item"].isna()].set_index("step")
    if not set(NEEDED) <= set(full.index):
        reason = next(iter(steps["reason"].dropna()), "the models could not be fitted")
        return Check(NAME, None, None, None, f"Whether scores mean the same in every wave cannot be tested: {reason}.")
    failed = [step for step in NEEDED if not full.loc[step, "holds"]]
    if not failed:
        fall = float(full.loc["scalar", "delta_cfi"])
        sentence = (
            "Items weigh alike and are as easy to agree with in every wave, so that changes of scores are changes."
        )
        return Check(NAME, True, fall, -CFI_FALL, sentence)
    partial = fitted[fitted["freed_item"].notna() & (fitted["step"] == "scalar") & fitted["holds"].fillna(False)]
    rest = f" Without item {partial['freed_item'].iloc[0]} it does." if len(partial) else ""
    fall = full.loc[failed[0], "delta_cfi"]
    sentence = f"The scale does not measure the same in every wave: {MEANING[failed[0]]}.{rest}"
    brief = "the scale does not measure the same in every wave"
    return Check(NAME, False, None if pd.isna(fall) else float(fall), -CFI_FALL, sentence, brief=brief)
