"""Forms on which the ticks have nothing to do with the person."""

import numpy as np

from analysis.simulate.scales import HIGHEST, LOWEST

STRAIGHT_LINE_SHARE = 0.5  # of the careless; the others tick at random
HASTE = 0.25


def careless_forms(ticked: np.ndarray, share: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the answers with some of the forms filled in carelessly, and which.

    A straight line ticks one answer, each as likely, from the first item to the last, whichever way they are worded; or
    every item is ticked at random. Either way the expected answer is the middle of the scale: with a share c the
    expected score over all forms is (1 − c) × the attentive one + c × 3, and an effect on it (1 − c) × the true one.
    Who is careless is drawn by lot for every form, whatever the person and the program. What was skipped stays so.

    Parameters
    ----------
    ticked
        Forms × items, attentive; NaN = skipped.
    share
        Expected share of careless forms.
    """
    is_careless = random.random(len(ticked)) < share
    line = np.broadcast_to(random.integers(LOWEST, HIGHEST + 1, (len(ticked), 1)), ticked.shape)
    anything = random.integers(LOWEST, HIGHEST + 1, ticked.shape)
    is_line = random.random(len(ticked)) < STRAIGHT_LINE_SHARE
    heedless = np.where(is_line[:, None], line, anything)
    return np.where(is_careless[:, None] & ~np.isnan(ticked), heedless, ticked), is_careless
