"""How far raters of the same person agree with each other and with that person, and what is rater and what is rated."""

import numpy as np
import pandas as pd
import scipy

from analysis.measure.groups import (
    LEVEL,
    NotEstimable,
    by_wave,
    fisher_interval,
    levels_of,
    mean_interval,
    neighbours_merged,
)
from analysis.measure.normal_models import fit_mixed
from analysis.plan.instruments import Response
from analysis.plan.probability import f_quantile, f_tail, student_quantile

# --- agreement --------------------------------------------------------------------------------------------------------
# How far raters of the same person agree, and how people's own view compares with that of others.

# A convention without a derivation (Lance, Butts & Michels 2006, Organizational Research Methods 9:202): told, no gate.
GOOD_AGREEMENT = 0.70
ICC_COLUMNS = ["icc1", "icc1_low", "icc1_high", "icck", "icck_low", "icck_high", "k", "f", "df1", "df2", "p_value"]
MOST_BINS = 5
BIN_COLUMNS = ["bin", "self_mean", "others_mean", "ci_low", "ci_high", "n_people"]
RWG_COLUMNS = ["rwg_mean", "rwg_median", "rwg_share_70", "rwg_share_set_to_zero"]


def icc(scores: np.ndarray, ratee: np.ndarray) -> dict[str, float]:
    """Return the intraclass correlations of one-way random effects: every ratee has raters of their own.

    ``icc1`` is the share of a single rating's variance that lies between ratees, from the analysis of variance at the
    adjusted group size (N − Σn²/N) / (J − 1); ``icck`` the reliability of a ratee's mean over ``k`` raters, by
    Spearman–Brown, with k the harmonic mean of the numbers of raters: means of so many have the mean error variance.
    The intervals are Wald's, exact for normal scores whatever the numbers of raters; where these are all the same they
    are the usual F intervals.

    Parameters
    ----------
    scores
        Shape (ratings,): one rater's score of one ratee.
    ratee
        Shape (ratings,): codes from 0.

    Returns
    -------
    `ICC_COLUMNS` by name; ``f, df1, df2, p_value`` test that ratees do not differ.

    Raises
    ------
    NotEstimable
        Fewer than two ratees, nobody with two raters, or no variance within or between ratees.

    References
    ----------
    Shrout & Fleiss 1979, Psychological Bulletin 86:420; Bliese 2000, in Klein & Kozlowski, Multilevel Theory, Research,
    and Methods in Organizations, 349; Wald 1940, Annals of Mathematical Statistics 11:96 (interval).
    """
    n = np.bincount(ratee)
    total, groups = len(scores), len(n)
    if groups < 2 or total == groups:
        raise NotEstimable("Agreement needs two people who are rated, and somebody with two raters.")
    means = np.bincount(ratee, weights=scores) / n
    within = ((scores - means[ratee]) ** 2).sum() / (total - groups)
    between = (n * (means - scores.mean()) ** 2).sum() / (groups - 1)
    if within < 1e-12 or between < 1e-12:
        raise NotEstimable("All ratings of a person are the same, or all people have the same mean.")
    adjusted, k = (total - (n**2).sum() / total) / (groups - 1), groups / (1 / n).sum()
    single = (between - within) / (between + (adjusted - 1) * within)
    f, df1, df2 = between / within, groups - 1, total - groups
    tails = ((1 + LEVEL) / 2, (1 - LEVEL) / 2)
    shares = [single, *(_share_at(f_quantile(tail, df1, df2) * within, means, n) for tail in tails)]
    stepped = [k * share / (1 + (k - 1) * share) for share in shares]
    values = [*shares, *stepped, k, f, df1, df2, f_tail(f, df1, df2)]
    return dict(zip(ICC_COLUMNS, map(float, values), strict=True))


def _share_at(mean_square: float, means: np.ndarray, n: np.ndarray) -> float:
    """Return the ICC(1) at which group means, weighted by their precision under it, have this mean square.

    The mean square falls as the share rises. Where it is too small even at the least share that the largest group
    allows, that share is the limit.
    """

    def gap(share: float) -> float:
        weight = n * (1 - share) / (1 + (n - 1) * share)
        centre = (weight * means).sum() / weight.sum()
        return (weight * (means - centre) ** 2).sum() / (len(n) - 1) - mean_square

    least = -1 / (n.max() - 1) * (1 - 1e-9)
    return least if gap(least) < 0 else scipy.optimize.brentq(gap, least, 1 - 1e-12, xtol=1e-14, rtol=1e-13)


def within_group_agreement(items: pd.DataFrame, response: Response) -> pd.DataFrame:
    """Return r_wg(j) of each ratee: how much less raters differ than if they had answered at random.

    r_wg(j) = j(1 − s²/σ²) / (j(1 − s²/σ²) + s²/σ²), where s² is the mean over j items of the variance (n − 1) between
    raters and σ² = (A² − 1)/12 the variance of A answer options taken equally often. Where raters differ more than
    that it is set to 0 and marked. An item counts that two raters answered.

    Parameters
    ----------
    items
        One column an item; the last level of the index is the rater, the others say who is rated and when.
    response
        Of the instrument's card; the answers are whole steps from its least to its greatest value.

    Returns
    -------
    DataFrame
        One row per ratee and wave (the index without the rater): ``n_raters`` (who answered any item), ``n_items``,
        ``rwg`` (missing with fewer than two raters), ``is_set_to_zero``.

    References
    ----------
    James, Demaree & Wolf 1984, Journal of Applied Psychology 69:85.
    """
    by = items.dropna(how="all").groupby(level=items.index.names[:-1])
    variances = by.var(ddof=1)
    n_items, options = variances.notna().sum(axis="columns"), response.max - response.min + 1
    ratio = variances.mean(axis="columns") / ((options**2 - 1) / 12)
    rwg = n_items * (1 - ratio) / (n_items * (1 - ratio) + ratio)
    is_negative = ratio > 1
    return pd.DataFrame(
        {"n_raters": by.size(), "n_items": n_items, "rwg": rwg.mask(is_negative, 0.0), "is_set_to_zero": is_negative}
    )


def agreement(scores: pd.Series, items: pd.DataFrame, response: Response) -> pd.DataFrame:
    """Return how far raters agree, by wave (and rater source).

    Parameters
    ----------
    scores
        One rater's score of one ratee, indexed as `items`; missing ones are left out.
    items
        Answers of raters other than the ratee, of one source, or of several with a level ``rater_role``; the first
        level of the index is the ratee, the last the rater, and a level is ``wave``.
    response
        Of the instrument's card.

    Returns
    -------
    DataFrame
        One row per wave (and source): ``n_people`` (ratees), ``n_ratings``, `ICC_COLUMNS` (see `icc`), ``n_with_rwg``
        (ratees with two raters), ``rwg_mean, rwg_median, rwg_share_70, rwg_share_set_to_zero`` (shares of them: .70 or
        more; set to zero), ``reason`` why the ICCs are missing, else None.
    """
    alike = within_group_agreement(items, response)
    rows = []
    for keys, group in by_wave(scores.dropna()):
        ratee = pd.factorize(group.index.get_level_values(0))[0]
        sizes = {"n_people": len(np.unique(ratee)), "n_ratings": len(group)}
        found: dict[str, float | str | None]
        try:
            found = {**icc(group.to_numpy(dtype=float), ratee), "reason": None}
        except NotEstimable as why:
            found = {"reason": str(why)}
        chosen = alike.xs(tuple(keys.values()), level=tuple(keys))
        rows.append(keys | sizes | found | _rwg_summary(chosen))
    columns = ["n_people", "n_ratings", *ICC_COLUMNS, "n_with_rwg", *RWG_COLUMNS, "reason"]
    return pd.DataFrame(rows, columns=[*levels_of(scores), *columns])


def _rwg_summary(alike: pd.DataFrame) -> dict:
    known = alike.dropna(subset="rwg")
    rwg = known["rwg"]
    if known.empty:
        return {"n_with_rwg": 0}
    summary = (rwg.mean(), rwg.median(), (rwg >= GOOD_AGREEMENT).mean(), known["is_set_to_zero"].mean())
    return {"n_with_rwg": len(rwg)} | dict(zip(RWG_COLUMNS, summary, strict=True))


def self_and_others(own: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Return people's own score beside the mean of others', one row per person and wave that has both.

    Parameters
    ----------
    own, others
        As from `scales.rated_scores` for the source ``self`` and for another: ``employee_id, wave, score, n_raters``.

    Returns
    -------
    DataFrame
        ``employee_id, wave, self_score, others_score, difference`` (self − others, in points), ``n_raters`` (others).
    """
    key = ["employee_id", "wave"]
    mine = own[[*key, "score"]].rename(columns={"score": "self_score"})
    theirs = others[[*key, "score", "n_raters"]].rename(columns={"score": "others_score"})
    both = mine.merge(theirs, on=key, validate="one_to_one").dropna(subset=["self_score", "others_score"])
    both.insert(4, "difference", both["self_score"] - both["others_score"])
    return both.sort_values(key, ignore_index=True)


def self_other_agreement(both: pd.DataFrame) -> pd.DataFrame:
    """Return how people's own scores compare with others', one row per wave.

    Parameters
    ----------
    both
        As from `self_and_others`.

    Returns
    -------
    DataFrame
        ``wave, n_people, mean_difference`` (self − others), ``difference_low, difference_high`` (Student's t, paired),
        ``correlation, correlation_low, correlation_high`` (Pearson, Fisher's z), ``reason`` why a number is missing,
        else None.

    References
    ----------
    Fleenor, Smither, Atwater, Braddy & Sturm 2010, Leadership Quarterly 21:1005.
    """
    rows = [{"wave": wave} | _compare(group) for wave, group in both.groupby("wave")]
    names = ["mean_difference", "difference_low", "difference_high"]
    names += ["correlation", "correlation_low", "correlation_high"]
    return pd.DataFrame(rows, columns=["wave", "n_people", *names, "reason"])


def _compare(group: pd.DataFrame) -> dict:
    n, difference = len(group), group["difference"]
    if n < 4:
        return {"n_people": n, "reason": "Fewer than four people were rated by themselves and by others."}
    half = student_quantile((1 + LEVEL) / 2, n - 1) * difference.std(ddof=1) / np.sqrt(n)
    centre = difference.mean()
    found = {
        "n_people": n,
        "mean_difference": centre,
        "difference_low": centre - half,
        "difference_high": centre + half,
    }
    if min(np.ptp(group["self_score"]), np.ptp(group["others_score"])) == 0:
        return found | {"reason": "One side gave everybody the same score, so there is no correlation."}
    r = float(group["self_score"].corr(group["others_score"]))
    low, high = fisher_interval(r, n)
    return found | {"correlation": r, "correlation_low": low, "correlation_high": high, "reason": None}


def self_other_bins(both: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return how others rate people, by how these rate themselves.

    People are ordered by their own rating and divided into up to five groups as equal as ties allow; each person counts
    once, with the means over their waves. As ratings are not without error, the groups' means by others lie nearer
    together than their own even where the two agree on everything that is real.

    Parameters
    ----------
    both
        As from `self_and_others`.
    least
        Fewest people in a group.

    Returns
    -------
    DataFrame
        ``bin`` (1 = who rate themselves lowest), ``self_mean, others_mean``, ``ci_low, ci_high`` (95 % of the others'
        mean, Student's t), ``n_people``.
    """
    people = both.groupby("employee_id")[["self_score", "others_score"]].mean()
    if people.empty:
        return pd.DataFrame(columns=BIN_COLUMNS)
    n_bins = min(MOST_BINS, max(1, len(people) // least))
    place = ((people["self_score"].rank() - 0.5) / len(people) * n_bins).astype(int)
    _, code, sizes = np.unique(place, return_inverse=True, return_counts=True)
    rows = []
    for number, group in people.groupby(neighbours_merged(sizes, least)[code]):
        limits = dict(zip(("others_mean", "ci_low", "ci_high"), mean_interval(group["others_score"]), strict=True))
        rows.append({"bin": number + 1, "self_mean": group["self_score"].mean(), "n_people": len(group)} | limits)
    return pd.DataFrame(rows, columns=BIN_COLUMNS)


# --- leniency ---------------------------------------------------------------------------------------------------------
# How much of a rating is about the person rated, how much is about the rater, and what is left.

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
    with ratees, by REML (`measure.normal_models`). "Ratee" counts what is lasting and what is of one wave, for raters
    of a wave agree on both. "Rater" is leniency: kinder or stricter than others to everybody and on every wave. "Rest"
    is the rater's impression of this one person, and chance.

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
    wave after wave is taken for leniency where they rate few others.

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
