"""Many studies of a world of scales held against the written bars."""

import numpy as np
import pandas as pd

from simulations.scales_worlds import BAND, HONEST, PRE_TREND, WORLDS
from simulations.summary import ALPHA, LEAST_JUDGED, MC_ERRORS, NOMINAL, bias_is_small, coverage_is_nominal


def summarize(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per world and estimator, in the order in which they were made.

    Columns
    -------
    n_studies, n_estimated
        Studies made; studies in which there was an answer.
    mean_n_treated
        Mean number of those who started (were offered) whose scores there are.
    truth_mean, mean_estimate, bias, mc_error_of_bias, empirical_sd, mean_std_error
        In points; bias = mean of estimate − truth, of each study its own truth; empty where there is no estimate (the
        bounds, the band, the test before the start).
    mean_width
        Of the intervals.
    coverage, mc_error_of_coverage
        Share of the 95 % intervals that hold the truth; of the band, of studies in which it holds the whole curve.
    excludes_zero, p_below_05
        Share of intervals without zero and of p-values under .05: false positives where the program does nothing (and
        of the test before the start everywhere but where trends differ), power elsewhere.
    is_null, assumptions_hold
        Of the world; of the estimator in it.
    passes_bar
        As from `passes`; empty with fewer than `LEAST_JUDGED` answers.
    first_estimate
        That of study 0: what shows that the committed results are those of the code as it is.
    """
    groups = rows.groupby(["scenario", "estimator"], sort=False)
    return pd.DataFrame([_line(*key, group) for key, group in groups])


def _line(scenario: str, estimator: str, group: pd.DataFrame) -> dict:
    world = next(world for world in WORLDS if world.name == scenario)
    found = group[group["status"] == "estimated"]
    n, error = len(found), found["estimate"] - found["truth"]
    spread, coverage = error.std(ddof=1), found["is_covered"].mean()
    excludes = ((found["low"] > 0) | (found["high"] < 0)).mean() if found["low"].notna().any() else np.nan
    first = group.loc[group["number"] == 0, "estimate"]
    line = {
        "scenario": scenario,
        "estimator": estimator,
        "n_studies": len(group),
        "n_estimated": n,
        "mean_n_treated": group["n_treated"].mean(),
        "truth_mean": found["truth"].mean(),
        "mean_estimate": found["estimate"].mean(),
        "bias": error.mean(),
        "mc_error_of_bias": spread / np.sqrt(n) if n else np.nan,
        "empirical_sd": spread,
        "mean_std_error": found["std_error"].mean(),
        "mean_width": (found["high"] - found["low"]).mean(),
        "coverage": coverage,
        "mc_error_of_coverage": np.sqrt(coverage * (1 - coverage) / n) if n else np.nan,
        "excludes_zero": excludes,
        "p_below_05": (found["p_value"] < ALPHA).mean() if found["p_value"].notna().any() else np.nan,
        "is_null": world.is_null,
        "assumptions_hold": estimator in world.holds,
    }
    return line | {
        "passes_bar": passes(line) if n >= LEAST_JUDGED else pd.NA,
        "first_estimate": first.iloc[0] if len(first) else np.nan,
    }


def passes(line: dict) -> bool:
    """Return whether a row is within the bars of the methods note.

    Of an estimate the bias (`simulations.summary.bias_is_small`), the coverage and, where the program does nothing, the
    p-values; of the test before the start its p-values; of the band its coverage; of the bounds that they cover at
    least nominally, since what they allow for is more than what is there.
    """
    if line["estimator"] == PRE_TREND:
        return positives_are_nominal(line)
    if line["estimator"] == BAND:
        return coverage_is_nominal(line)
    if line["estimator"] == HONEST:
        return line["coverage"] >= NOMINAL or coverage_is_nominal(line)
    positives = not line["is_null"] or positives_are_nominal(line)
    return bias_is_small(line) and coverage_is_nominal(line) and positives


def positives_are_nominal(line: dict) -> bool:
    """Return whether the p-values under .05 are as many as they should be, up to chance."""
    mc_error = np.sqrt(ALPHA * (1 - ALPHA) / line["n_estimated"])
    return bool(abs(line["p_below_05"] - ALPHA) <= MC_ERRORS * mc_error)
