"""Lots drawn again: as many offers in each stratum, to other people."""

import numpy as np


def redrawn(stratum: np.ndarray, offered: np.ndarray, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return who is offered in re-drawn lots, shape (draws, people).

    Parameters
    ----------
    stratum, offered
        Within what each person's lot was drawn, and whether it won; shape (people,).
    """
    lots = np.zeros((n_draws, len(offered)), dtype=bool)
    for code in np.unique(stratum):
        members = np.flatnonzero(stratum == code)
        order = rng.random((n_draws, len(members))).argsort(axis=1)
        lots[:, members] = order < offered[members].sum()
    return lots
