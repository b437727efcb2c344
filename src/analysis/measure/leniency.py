"""How much of a rating is about the person rated, how much is about the rater, and what is left."""

import numpy as np
import pandas as pd

from analysis.measure.groups import NotEstimable
from analysis.measure.mixed_model import fit_mixed

# Leniency is what a rater has in common towards different people whom others rate too. It is told only where at least
# this share of the forms can show it; the rest of the forms would have to be taken for the same by assumption.
LEAST_CROSSED = 0.5
COUNTS = ["n_ratees", "n_raters", "n_forms"]
PARTS = ["ratee", "rater", "rest"]
COLUMNS = ["rater_role", *COUNTS, *(f"{part}_sd" for part in PARTS), *(f"{part}_share" for part in PARTS), "reason"]
UNNAMED = "The ratings do not say who gave them, so that a kind rater cannot be recognized."
ONE_RATEE = (
    "Most ratings are by people who rate one person only, so that leniency cannot be told from their impression."
)
ONE_RATER = "Most people have one rater only, so that a lenient rater cannot be told from good people."
SEARCH_FAILED = "The search for the variances did not end."


def leniency(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the variance of ratings by who is rated and who rates, for each rater source.

    A form's score = mean of its wave + ratee + ratee on that wave + rater + rest: random intercepts, raters crossed
    with ratees, by REML (`measure.mixed_model`). "Ratee" counts what is lasting and what is of one wave, for raters of
    a wave agree on both. "Rater" is leniency: kinder or stricter than others to everybody and on every wave. "Rest" is
    the rater's impression of this one person, and chance.

    Parameters
    ----------
    scores
        One row per rater's form: ``ratee_id, rater_id, rater_role, wave, score``. Forms without a rater or a score are
        left out.

    Returns
    -------
    DataFrame
        One row per rater source: ``rater_role``; ``n_ratees, n_raters, n_forms`` with a named rater;
        ``ratee_sd, rater_sd, rest_sd`` in points; ``ratee_share, rater_share, rest_share`` of a form's variance;
        ``reason`` why there are none, otherwise missing.

    Notes
    -----
    At least half of the forms must be by raters who rate several people, and half about people who have several raters,
    be it on different waves. Self-ratings fail the first, a manager's ratings the second: a kind manager and a good
    team look alike. Without an intercept for the ratee's wave, raters of one person on several waves would seem less
    lenient than they are, for others' ratings of that person differ between waves. What a rater thinks of one person
    wave after wave is taken for leniency where he rates few others.

    References
    ----------
    Cronbach, Gleser, Nanda & Rajaratnam 1972, The Dependability of Behavioral Measurements; Scullen, Mount & Goff 2000,
    Journal of Applied Psychology 85:956; Putka, Le, McCloy & Diaz 2008, Journal of Applied Psychology 93:959 (crossed
    random effects where raters and ratees are neither fully crossed nor nested).
    """
    rows = [{"rater_role": role} | _decomposed(forms) for role, forms in scores.groupby("rater_role")]
    return pd.DataFrame(rows, columns=COLUMNS)


def _decomposed(forms: pd.DataFrame) -> dict:
    named = forms.dropna(subset=["rater_id", "score"])
    sizes = dict(zip(COUNTS, (named["ratee_id"].nunique(), named["rater_id"].nunique(), len(named)), strict=True))
    reason = _why_not(named)
    if reason:
        return sizes | {"reason": reason}
    try:
        variances = _variances(named)
    except NotEstimable as why:
        return sizes | {"reason": str(why)}
    shares = variances / variances.sum()
    found = {f"{part}_sd": float(sd) for part, sd in zip(PARTS, np.sqrt(variances), strict=True)}
    found |= {f"{part}_share": float(share) for part, share in zip(PARTS, shares, strict=True)}
    return sizes | found | {"reason": None}


def _why_not(named: pd.DataFrame) -> str | None:
    if named.empty:
        return UNNAMED
    n_ratees = named.groupby("rater_id")["ratee_id"].transform("nunique")
    n_raters = named.groupby("ratee_id")["rater_id"].transform("nunique")
    if (n_ratees > 1).mean() < LEAST_CROSSED:
        return ONE_RATEE
    return ONE_RATER if (n_raters > 1).mean() < LEAST_CROSSED else None


def _variances(named: pd.DataFrame) -> np.ndarray:
    """Return the variances of a form by ratee, rater and rest, in square points, shape (3,).

    What is of one wave is told apart where somebody is rated on two waves, and somebody by two raters on one.
    """
    ratee, rater = (pd.factorize(named[who])[0] for who in ("ratee_id", "rater_id"))
    occasion = named.groupby(["ratee_id", "wave"], sort=False).ngroup().to_numpy()
    wave = pd.get_dummies(named["wave"]).to_numpy(dtype=float)
    on_a_wave = (occasion,) if ratee.max() < occasion.max() < len(named) - 1 else ()
    fit = fit_mixed(named["score"].to_numpy(dtype=float), wave, (rater, ratee, *on_a_wave))
    if not fit.converged:
        raise NotEstimable(SEARCH_FAILED)
    return np.array([fit.variances[1:].sum(), fit.variances[0], fit.residual_variance])
