"""Was the lottery one? Who started without an offer, and whether the arms are as alike as lots make them."""

import numpy as np
import pandas as pd

from analysis.design.covariates import DesignMatrix
from analysis.design.lottery import Lottery
from analysis.estimate.ask import UNTESTABLE, Ask
from analysis.estimate.diagnostics import balance_check, lottery_check
from analysis.estimate.redraw import redrawn
from analysis.plan.results import Check
from analysis.plan.seeds import rng

N_DRAWS = 2_000
# Of lotteries that were kept, so many have a larger standardized difference somewhere than is called balanced.
FALSE_ALARMS = 0.01


def unequal_odds(lottery: Lottery, differing: pd.DataFrame) -> str | None:
    """Return why nothing can be compared where the odds of a place plainly differ; None where they do not.

    Parameters
    ----------
    differing
        As from `design.odds.differing_odds`.
    """
    columns = list(differing.loc[differing["differs"].astype(bool), "column"])
    if not columns:
        return None
    named = " and by ".join(column.replace("_", " ") for column in columns)
    column = columns[0]
    if lottery.is_stratified:
        return (
            f"Within the strata of the study the odds of being offered a place still differ by {named}, more than "
            f"randomization allows; add {column} to the program's strata in study.yaml if places were randomized "
            "within it."
        )
    return (
        f"The odds of being offered a place differ by {named}, more than randomization among everybody allows; name "
        f"the strata that places were randomized within in study.yaml (strata: [{column}]), or in a column stratum of "
        f"the enrolments."
    )


def lottery_checks(ask: Ask, lottery: Lottery, matrix: DesignMatrix | None, smd: pd.DataFrame | None) -> tuple:
    """Return the checks of a lottery.

    Parameters
    ----------
    matrix, smd
        Covariates of the lottery's rows and their standardized differences (`design.balance.balance`), if there are
        any.
    """
    checks = [_kept(lottery, ask.study.horizons_months[0])]
    if matrix is not None and smd is not None and len(smd):
        checks.append(_balance(lottery, matrix, smd, rng(ask.study.study, ask.program.id, ask.role, "balance")))
    return (*checks, UNTESTABLE[1])


def _kept(lottery: Lottery, month: int) -> Check:
    """Return whether few of those not offered started by the horizon, or until the wait-list did."""
    rows = lottery.rows
    until = np.minimum(rows["months_observed"], month)
    started, offered = rows["months_to_start"] < until, rows["is_offered"].astype(bool)
    taken, crossed = ((int(started[arm].sum()), int(arm.sum())) for arm in (offered, ~offered))
    return lottery_check(taken, crossed, month)


def _balance(lottery: Lottery, matrix: DesignMatrix, smd: pd.DataFrame, rng: np.random.Generator) -> Check:
    """Return whether the largest standardized difference is one that lots leave, over all covariates at once."""
    allowed = float(np.quantile(largest_by_chance(lottery.rows, matrix, rng), 1 - FALSE_ALARMS))
    offered = lottery.rows["is_offered"].astype(bool)
    return balance_check(smd, float(offered.sum()), float((~offered).sum()), by_chance=allowed)


def largest_by_chance(rows: pd.DataFrame, matrix: DesignMatrix, rng: np.random.Generator) -> np.ndarray:
    """Return the largest standardized difference of all covariates in re-drawn lots, shape (draws,).

    A simultaneous test, exact whatever the covariates' correlation (as Hansen & Bowers 2008, Stat Sci 23:219, do by a
    chi-square). The unit is the standard deviation of those offered, as in the table of balance.
    """
    offered, stratum = rows["is_offered"].to_numpy(dtype=bool), rows["stratum"].to_numpy(dtype=int)
    n, n1 = np.bincount(stratum), np.bincount(stratum, weights=offered)
    x = matrix.raw.to_numpy(dtype=float)
    own = x[offered].std(axis=0, ddof=1) if offered.sum() > 1 else np.zeros(x.shape[1])
    x = x / np.where(own > 0, own, np.where(x.std(axis=0) > 0, x.std(axis=0), np.inf))
    # A stratum's difference counts by its offered: each of them 1 / offered, each other one −share / (1 − share) of it.
    one, zero = 1 / n1.sum(), (n1 / (n - n1))[stratum] / n1.sum()
    lots = redrawn(stratum, offered, N_DRAWS, rng)
    return np.abs(np.where(lots, one, -zero) @ x).max(axis=1)
