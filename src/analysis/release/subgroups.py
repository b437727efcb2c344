"""A subgroup beside its complement: what is shown of one must not tell of a few people in the other."""

from collections.abc import Collection, Sequence

from analysis.release.rule import ReleaseRule


def may_be_told_apart(whole: Sequence[Collection], part: Sequence[Collection], rule: ReleaseRule) -> bool:
    """Whether a subgroup may be shown beside everyone: neither it nor the rest is small, in any arm.

    Who knows the numbers of everyone and of the subgroup knows those of the rest by subtraction, so the rest must be
    large enough as if it were shown itself. An empty group counts as a small one: a subgroup that is empty, or is
    everyone, is hidden as a small one is.

    Parameters
    ----------
    whole, part
        The people of each arm, everyone's and the subgroup's.
    """
    sizes = [n for all_, some in zip(whole, part, strict=True) for n in (len(set(some)), len(set(all_) - set(some)))]
    return all(n >= rule.min_cell for n in sizes)
