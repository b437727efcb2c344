"""One study of a situation, and what many of them show together."""

import numpy as np
import pandas as pd

from analysis.plan.probability import rng
from simulations.situations.main_row import main_row
from simulations.situations.registry import situation


def study_row(name: str, is_before: bool, number: int) -> dict:
    """Return the main row of one study beside its truth."""
    chosen = situation(name)
    case = chosen.make(rng(name, number), is_before)
    row = main_row(case)
    numbers = {c: getattr(row, c) for c in ("status", "estimate", "std_error", "ci_low", "ci_high", "p_value")}
    return {"number": number, "truth": case.truth} | numbers


def summary(rows: pd.DataFrame) -> dict:
    """Return what a situation's studies show together: bias, spread, mean standard error, coverage, intervals
    without zero; and the first study's estimate, which tells whether today's code has made them."""
    found = rows[rows["status"] == "estimated"]
    error = found["estimate"] - found["truth"]
    n = len(found)
    held = (found["ci_low"] <= found["truth"]) & (found["truth"] <= found["ci_high"])
    excludes_zero = (found["ci_low"] > 0) | (found["ci_high"] < 0)
    return {
        "n_studies": len(rows),
        "n_estimated": n,
        "truth": rows["truth"].mean(),
        "bias": error.mean(),
        "bias_mc_error": error.std() / np.sqrt(n) if n > 1 else np.nan,
        "sd": error.std(),
        "mean_se": found["std_error"].mean(),
        "coverage": held.mean() if n else np.nan,
        "excludes_zero": excludes_zero.mean() if n else np.nan,
        "p_below_05": (found["p_value"] < 0.05).mean() if n else np.nan,
        "first_estimate": rows["estimate"].iloc[0],
    }
