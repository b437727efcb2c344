"""A variance of effects that holds where few units, and not people, are what a program reached.

What everybody of a unit shares in a wave (a new manager, a bad quarter) is the error that counts. With two of six units
reached the ordinary cluster-robust variance is too small in one arm or the other, and one less than the reached units
says nothing of those left. So the variance is held against a working model in which each unit of a cell has a shock of
its own, all of the same variance: the contributions of each arm are enlarged until their sum of squares has the right
mean under it, and Student's t has the degrees of freedom that the sum has under it (Bell & McCaffrey 2002, Survey
Methodology 28:169; Imbens & Kolesár 2016, Review of Economics and Statistics 98:701). The model decides factors and
degrees of freedom alone; the variance itself is that of the data.
"""

from dataclasses import dataclass

import numpy as np

from analysis.estimate.inference import satterthwaite

# An arm whose contributions answer to less than this share of its shocks says nothing of their variance.
LEAST_SHARE = 1e-6


@dataclass(frozen=True)
class Fit:
    """The regression among the comparators of one position, as a linear map of their scores.

    Attributes
    ----------
    rows, x
        Rows of the stack, both arms, shape (rows,), and their terms, shape (rows, terms).
    is_control
        Shape (rows,).
    inverse, weighted
        As in the regression: of the cross-products, shape (terms, terms); terms times weights of the comparators,
        shape (comparators, terms).
    freedom
        What the comparators' residuals are divided by, shape (comparators,).
    """

    rows: np.ndarray
    x: np.ndarray
    is_control: np.ndarray
    inverse: np.ndarray
    weighted: np.ndarray
    freedom: np.ndarray


@dataclass(frozen=True)
class Scaled:
    """Contributions whose squares sum to the variance, shape (sets, clusters), and degrees of freedom, (sets,)."""

    influence: np.ndarray
    df: np.ndarray


def scaled_by_unit(
    own: np.ndarray,
    control: np.ndarray,
    fits: list[Fit],
    cluster: np.ndarray,
    cell: np.ndarray,
    treated: np.ndarray,
    sets: np.ndarray,
) -> Scaled:
    """Return each set's contributions by unit, enlarged as the module says, and their degrees of freedom.

    Where one arm's shocks leave no trace (one unit in each cell) contributions are missing: there is no variance.

    Parameters
    ----------
    own, control
        Contributions of the treated, and of the comparators through the predictions, shape (sets, clusters).
    cluster, cell
        Of all rows, codes, shape (rows,).
    treated, sets
        Treated rows that are in a set, and the set of each, shape (treated,).
    """
    influence, df = np.full(own.shape, np.nan), np.ones(len(own))
    is_treated = np.isin(np.arange(len(cluster)), treated)
    block = np.unique(2 * (cluster * (cell.max() + 1) + cell) + is_treated, return_inverse=True)[1]
    of_treated = np.zeros(block.max() + 1, dtype=bool)
    of_treated[block[treated]] = True
    for code in range(len(own)):
        chosen = treated[sets == code]
        mine, theirs = _responses(fits, cluster, block, chosen, own.shape[1])
        moved = mine.sum(axis=0) ** 2
        mine -= np.bincount(cluster[chosen], minlength=own.shape[1])[:, None] / len(chosen) * mine.sum(axis=0)
        one = _factor(moved[of_treated], mine[:, of_treated])
        zero = _factor(moved[~of_treated], theirs[:, ~of_treated])
        together = one * mine + zero * theirs
        if np.isfinite(together).all():
            factor = np.sqrt(moved.sum() / np.sum(together**2))
            influence[code] = factor * (one * own[code] + zero * control[code])
            df[code] = satterthwaite(together)
    return Scaled(influence, df)


def _factor(moved: np.ndarray, responses: np.ndarray) -> float:
    """Return by what an arm's contributions are multiplied so that their squares have the estimate's variance."""
    seen = np.sum(responses**2)
    return np.sqrt(moved.sum() / seen) if seen > LEAST_SHARE * moved.sum() else np.nan


def _responses(
    fits: list[Fit], cluster: np.ndarray, block: np.ndarray, chosen: np.ndarray, n_clusters: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return how contributions of the treated (not yet less their mean) and of comparators move with a block's score.

    A block is a unit's rows of one arm in one cell. Shape (clusters, blocks) each; what the treated's add up to is how
    the estimate moves.
    """
    mine, theirs = (np.zeros((n_clusters, block.max() + 1)) for _ in range(2))
    for fit in fits:
        rows, control = fit.rows, fit.rows[fit.is_control]
        products = np.zeros((block.max() + 1, fit.x.shape[1]))
        np.add.at(products, block[control], fit.weighted)
        slopes = products @ fit.inverse
        here = np.isin(rows, chosen)
        if not here.any():
            continue
        x = fit.x[here] / len(chosen)
        np.add.at(mine, (cluster[rows[here]], block[rows[here]]), 1 / len(chosen))
        mine -= _summed(x, cluster[rows[here]], n_clusters) @ slopes.T
        pull = fit.weighted @ (fit.inverse @ x.sum(axis=0)) / fit.freedom
        np.add.at(theirs, (cluster[control], block[control]), -pull)
        theirs += _summed(pull[:, None] * fit.x[fit.is_control], cluster[control], n_clusters) @ slopes.T
    return mine, theirs


def _summed(x: np.ndarray, cluster: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return rows summed by cluster, shape (rows, terms) → (clusters, terms)."""
    found = np.zeros((n_clusters, x.shape[1]))
    np.add.at(found, cluster, x)
    return found
