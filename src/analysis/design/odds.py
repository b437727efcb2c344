"""Were the odds of being offered a place the same for everybody who drew within a stratum?"""

import numpy as np
import pandas as pd

from analysis.design.lottery import Lottery

# The chance that a lottery with equal odds is refused, over all columns looked at.
FALSE_ALARMS = 0.005
# Draws of the lots: a few to see that nothing is amiss, else enough for so small a chance.
FIRST_DRAWS, N_DRAWS = 500, 20_000
CLEARLY_ALIKE = 0.02


def differing_odds(lottery: Lottery, rng: np.random.Generator) -> pd.DataFrame:
    """Return whether the odds differ by something recorded, one row per column: ``column, p_value, differs``.

    For each column the levels (departments, say) are split in the two groups whose shares of offers differ most, given
    the strata; the chance of so clear a split is that among re-drawn lots, so it holds for small counts. A split finds
    what a test with a degree of freedom for each level would miss: 70 % in some departments and 30 % in the others.
    With several intakes it is looked for in all of them together, and in each (odds may differ the other way round).
    `FALSE_ALARMS` is shared out over the columns and ways of looking (Bonferroni).
    """
    rows, found = lottery.rows, {}
    offered, stratum = rows["is_offered"].to_numpy(dtype=bool), rows["stratum"].to_numpy(dtype=int)
    intake = pd.factorize(rows["intake_date"])[0]
    blocks = [np.zeros_like(intake)] + ([intake] if len(rows) and intake.max() > 0 else [])
    for name, values in lottery.recorded.items():
        level = pd.factorize(values, sort=True)[0]
        if level.max(initial=0) > 0:
            chances = [_chance(offered, stratum, level, block, rng) for block in blocks]
            found[name] = min(1.0, min(chances) * len(blocks))
    threshold = FALSE_ALARMS / max(1, len(found))
    frame = pd.DataFrame({"column": list(found), "p_value": list(found.values())})
    return frame.assign(differs=frame["p_value"] < threshold)


def _chance(
    offered: np.ndarray, stratum: np.ndarray, level: np.ndarray, block: np.ndarray, rng: np.random.Generator
) -> float:
    """Return the chance of a split at least as clear, the splits of the blocks (intakes, or all rows) added up."""
    tables = [_Table.of(offered[block == b], stratum[block == b], level[block == b]) for b in np.unique(block)]
    observed = sum(table.clearest_split(table.offered[None])[0] for table in tables)
    p = 1.0
    for n_draws in (FIRST_DRAWS, N_DRAWS):
        drawn = sum(table.clearest_split(table.redrawn(n_draws, rng)) for table in tables)
        p = (1 + np.sum(drawn >= observed - 1e-9)) / (1 + n_draws)
        if p > CLEARLY_ALIKE:
            break
    return float(p)


class _Table:
    """Offers by level within strata: people of each level in each stratum, and how many of them were offered."""

    def __init__(self, people: np.ndarray, n_offered: np.ndarray, offered: np.ndarray):
        self.people, self.n_offered, self.offered = people, n_offered, offered
        n = people.sum(axis=1)
        share = n_offered / n
        self.expected = share @ people
        spread = share * (1 - share) * n / np.maximum(n - 1, 1)
        within = people / n[:, None]
        # The hypergeometric covariance of the offers, added up over strata (Mantel & Haenszel 1959, JNCI 22:719).
        self.covariance = np.diag(spread @ people) - np.einsum("s,sk,sl->kl", spread * n, within, within)

    @classmethod
    def of(cls, offered: np.ndarray, stratum: np.ndarray, level: np.ndarray) -> "_Table":
        """Count people and offers by stratum and level."""
        codes, levels = np.unique(stratum, return_inverse=True)[1], np.unique(level, return_inverse=True)[1]
        people = np.zeros((codes.max() + 1, levels.max() + 1), dtype=int)
        np.add.at(people, (codes, levels), 1)
        chosen = np.bincount(levels, weights=offered, minlength=people.shape[1])
        return cls(people, np.bincount(codes, weights=offered).astype(int), chosen)

    def redrawn(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Return offers by level in re-drawn lots, shape (draws, levels)."""
        total = np.zeros((n_draws, self.people.shape[1]))
        for people, n in zip(self.people, self.n_offered, strict=True):
            total += rng.multivariate_hypergeometric(people, n, size=n_draws, method="marginals")
        return total

    def clearest_split(self, offered: np.ndarray) -> np.ndarray:
        """Return the largest chi-square of the levels split in two by their share of offers, shape (draws,).

        Of all splits one that respects the order of the shares is the clearest (Breiman et al. 1984, Classification
        and Regression Trees, sect. 4.2.2).
        """
        surplus = offered - self.expected
        order = np.argsort(surplus / np.maximum(self.expected, 1e-9), axis=1)
        gap = np.cumsum(np.take_along_axis(surplus, order, axis=1), axis=1)[:, :-1]
        best = np.zeros(len(offered))
        variance = np.zeros(len(offered))
        taken = np.zeros((len(offered), self.people.shape[1]))
        draws = np.arange(len(offered))
        for i in range(gap.shape[1]):
            new = order[:, i]
            variance += self.covariance[new, new] + 2 * np.einsum("dk,dk->d", taken, self.covariance[new])
            taken[draws, new] = 1.0
            best = np.maximum(best, np.where(variance > 1e-9, gap[:, i] ** 2 / np.maximum(variance, 1e-9), 0.0))
        return best
