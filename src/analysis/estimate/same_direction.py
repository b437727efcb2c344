"""Do all items of a scale point the same way? A check of the card that the score rests on."""

from collections.abc import Iterable

from analysis.measure.item_keying import LEAST_PEOPLE, Keying, said_of
from analysis.plan.results import Check

NAME = "every item points the same way"
UNTOLD = (
    f"Whether every item points the same way cannot be tested: fewer than {LEAST_PEOPLE} people answered the whole "
    "scale on one wave, or it has a single item."
)


def same_direction_check(found: Iterable[Keying]) -> Check:
    """Return whether no item runs against the others of its scale, over the rater sources that the score is made of.

    The value is the lowest correlation of an item with the sum of the others; below zero an item counts as running
    against them where that is clearly so (`measure.item_keying.items_against`).
    """
    known = list(found)
    if not known:
        return Check(NAME, None, None, None, UNTOLD)
    worst = min(known, key=lambda k: (not k.against, k.lowest))
    lowest = None if worst.lowest != worst.lowest else round(worst.lowest, 6)
    if worst.against:
        told = said_of(worst)
        return Check(NAME, False, lowest, 0.0, f"{told[0].upper()}{told[1:]}.")
    return Check(NAME, True, lowest, 0.0, "No item runs clearly against the other items of the scale.")
