"""Many studies of a scenario held against the written bars."""

import numpy as np
import pandas as pd

from simulations.worlds import WORLDS

NOMINAL, ALPHA = 0.95, 0.05
MC_ERRORS, TENTH = 3, 0.1
# Studies with a number below which no bar is set.
LEAST_JUDGED = 30
KEYS = ["scenario", "estimator", "measure", "horizon_months"]


def summarize(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per scenario, estimator, measure and horizon, in the order in which they were made.

    Columns
    -------
    n_studies, n_estimated
        Studies made; studies in which there was a number.
    truth_mean, mean_estimate, bias
        Ratios by their logarithms. Bias = mean of estimate − truth, of each study its own truth.
    empirical_sd
        Standard deviation of estimate − truth; ``mc_error_of_bias`` is it over √n.
    mean_std_error
        Mean of the estimated standard errors.
    coverage
        Share of the 95 % intervals that hold the truth; ``mc_error_of_coverage`` is √(c(1 − c)/n).
    false_positives, p_below_05
        Share of intervals without zero, and of p-values under .05: false positives where the program does nothing,
        power elsewhere.
    assumptions_hold
        Of the scenario, and the estimator is not a naive one.
    passes_bar
        As from `passes`; empty where no truth is known or fewer than `LEAST_JUDGED` studies have a number.
    first_estimate
        That of study 0000: what shows that the committed results are those of the code as it is.
    """
    groups = rows.groupby(KEYS, sort=False)
    return pd.DataFrame([dict(zip(KEYS, key, strict=True)) | _line(key[0], key[1], group) for key, group in groups])


def _line(scenario: str, estimator: str, group: pd.DataFrame) -> dict:
    found = group[group["status"] == "estimated"]
    n, error = len(found), found["estimate"] - found["truth"]
    bias, spread = error.mean(), error.std(ddof=1)
    covered = found["truth"].between(found["ci_low"], found["ci_high"])
    knows_truth = bool(n) and found["truth"].notna().all()
    coverage = covered.mean() if knows_truth else np.nan
    world = next(world for world in WORLDS if world.name == scenario)
    line = {
        "n_studies": len(group),
        "n_estimated": n,
        "truth_mean": found["truth"].mean(),
        "mean_estimate": found["estimate"].mean(),
        "bias": bias,
        "mc_error_of_bias": spread / np.sqrt(n),
        "empirical_sd": spread if knows_truth else found["estimate"].std(ddof=1),
        "mean_std_error": found["std_error"].mean(),
        "coverage": coverage,
        "mc_error_of_coverage": np.sqrt(coverage * (1 - coverage) / n) if n else np.nan,
        "false_positives": ((found["ci_low"] > 0) | (found["ci_high"] < 0)).mean(),
        "p_below_05": (found["p_value"] < ALPHA).mean(),
        "is_null": world.is_null,
        "assumptions_hold": world.assumptions_hold and not estimator.startswith("naive"),
    }
    first = group.loc[group["number"] == 0, "estimate"]
    return line | {
        "passes_bar": passes(line) if knows_truth and n >= LEAST_JUDGED else pd.NA,
        "first_estimate": first.iloc[0] if len(first) else np.nan,
    }


def passes(line: dict) -> bool:
    """Return whether bias and coverage are within the bars of the methods note.

    Coverage within 3 Monte-Carlo standard errors of nominal (which in a null world bounds false positives alike), bias
    under a tenth of the standard deviation or within 3 of its Monte-Carlo errors of zero.
    """
    return bias_is_small(line) and coverage_is_nominal(line)


def bias_is_small(line: dict) -> bool:
    """Return whether the bias is under a tenth of the standard deviation, or chance."""
    return bool(abs(line["bias"]) <= max(TENTH * line["empirical_sd"], MC_ERRORS * line["mc_error_of_bias"]))


def coverage_is_nominal(line: dict) -> bool:
    """Return whether the coverage is nominal, up to chance."""
    mc_error = np.sqrt(NOMINAL * (1 - NOMINAL) / line["n_estimated"])
    return bool(abs(line["coverage"] - NOMINAL) <= MC_ERRORS * mc_error)
