"""Whose ratings count: sources of enough raters, and the rule that picks the primary one before outcomes are read."""

import pandas as pd

from analysis.design.panels import Panel

MIN_RATERS = 3
MIN_SHARE = 0.70
SOURCES = ("manager", "peer", "direct_report")
TOO_FEW_RATERS = f"Nobody has {MIN_RATERS} raters of this source at one wave, below which their scores are not used."


def of_enough_raters(scores: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return the scores of one rater source without those of people whom fewer than `MIN_RATERS` of it rated.

    Who said what of whom would be plain; a manager, of whom there is one, is known to have rated.

    Parameters
    ----------
    scores
        As from `measure.scales.rated_scores`: ``employee_id, wave, n_raters``.
    """
    return scores if source == "manager" else scores[scores["n_raters"] >= MIN_RATERS]


def others_suffice(panel: Panel, other_scores: pd.DataFrame) -> bool:
    """Return whether others' ratings can carry the answer: enough raters before and after, in enough of both arms.

    At least `MIN_SHARE` of each arm must have `MIN_RATERS` raters in both waves of a cell. Only the number of raters is
    looked at, never a score.

    Parameters
    ----------
    panel
        The panel of others' scores.
    other_scores
        As from `measure.scales.rated_scores`: ``employee_id, wave, n_raters``.
    """
    if panel.rows.empty:
        return False
    n_raters = other_scores.set_index(["employee_id", "wave"])["n_raters"]
    enough = pd.Series(True, index=panel.rows.index)
    for side in ("wave_before", "wave_after"):
        keys = pd.MultiIndex.from_frame(panel.rows[["employee_id", side]])
        enough &= (n_raters.reindex(keys) >= MIN_RATERS).to_numpy()
    shares = enough.groupby(panel.rows["is_treated"]).mean()
    return len(shares) == 2 and bool((shares >= MIN_SHARE).all())
