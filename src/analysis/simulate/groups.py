"""How participants are dealt out to facilitated groups, and who leads them."""

import numpy as np

GROUP_SIZE = 9
LEAST_MEMBERS = 4  # fewer are no group, and nobody starts


def n_groups(n_participants: int, n_facilitators: int) -> int:
    """Return how many groups there are: of about `GROUP_SIZE` where there are facilitators for so many, 0 = none."""
    if n_participants < LEAST_MEMBERS:
        return 0
    return min(max(1, round(n_participants / GROUP_SIZE)), n_facilitators)


def dealt(birth_year: np.ndarray, n: int, random: np.random.Generator) -> np.ndarray:
    """Return each participant's group, 0 to n − 1: dealt out by age, so that every group has young and old."""
    by_age = np.lexsort((random.random(len(birth_year)), birth_year))
    group = np.empty(len(birth_year), dtype=np.int64)
    group[by_age] = np.arange(len(birth_year)) % n
    return group


def facilitators(may_lead: np.ndarray, led_before: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return who may lead a group (their rows) in the order in which they are asked: first those who did before."""
    rows = np.flatnonzero(may_lead)
    return rows[np.lexsort((random.random(len(rows)), ~led_before[rows]))]
