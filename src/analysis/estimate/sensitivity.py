"""The main answer made in other ways: what would change if one choice had been another."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from analysis.design.covariates import SCORES, impute
from analysis.design.weights import trimmed, weigh
from analysis.estimate.analyses import Analysis, Row
from analysis.estimate.arms import default_clusters
from analysis.estimate.by_trials import ByTrials, team_codes, why_no_trial
from analysis.estimate.doubly_robust import difference_in_risks, doubly_robust
from analysis.estimate.e_value import e_value, e_values
from analysis.estimate.event_rows import WEIGHTED
from analysis.estimate.inference import FEW_EVENTS, Interval, rubin, wald
from analysis.estimate.resampling import WeightedRefit, bootstrap, leave_one_out
from analysis.estimate.retention import difference, ratio
from analysis.plan.catalogue import CATALOGUE

# Stricter than the main rule: who was more likely to start than not is left out as well.
STRICTER = 0.5
LARGEST_QUANTILE = 0.99
N_IMPUTATIONS = 5
COVARIATE_SETS = {
    "without_scores": SCORES,
    "without_organization": ("job_family", "department", "location", "team_size"),
    "few_covariates": (
        *SCORES,
        *("job_family", "department", "location", "team_size", "log_salary", "n_promotions", "in_other_program"),
    ),
}


def reweighted(c: ByTrials, **choices) -> Iterator[Row]:
    """Yield the difference with weights made otherwise; choices as of `design.weights.weigh`."""
    yield c.row(c.made_otherwise(weigh(c.trials, c.kinds, c.first, **choices)), c.first)


def without_likely(c: ByTrials) -> Iterator[Row]:
    """Yield the difference without those who were more likely to start than not."""
    kept = trimmed(c.trials, STRICTER)
    if kept.rows["is_treated"].any():
        yield c.row(c.made_otherwise(weigh(kept, c.kinds, c.first)), c.first)
    else:
        yield Row("Everybody who started was, by what is recorded, more likely to start than not.")


def imputed(c: ByTrials) -> Iterator[Row]:
    """Yield the difference with missing numbers imputed instead of marked, by Rubin's rules (Rubin 1987)."""

    def read() -> Interval:
        seed, known, found = c.question.rng(c.outcome, c.first, "imputation"), _predictors(c.trials.rows, c.outcome), []
        for _ in range(N_IMPUTATIONS):
            complete = c.trials.known_as(impute(c.trials.covariates, known, seed))
            arms = c.made_otherwise(weigh(complete, c.kinds, c.first))
            found.append(difference(arms, c.outcome, c.first))
        return rubin(found)

    yield c.row(c.arms, c.first, read=read)


def _predictors(rows: pd.DataFrame, outcome: str) -> np.ndarray:
    """Return the arm, whether the outcome came about, and the time followed, each for both arms, shape (rows, 5)."""
    treated = rows["is_treated"].to_numpy(dtype=float)
    left = rows["outcome"].isin(CATALOGUE.outcome(outcome).kinds).to_numpy(dtype=float)
    months = np.log1p(rows["months"].to_numpy(dtype=float))
    return np.column_stack([treated, left, months, treated * left, treated * months])


def reclustered(c: ByTrials) -> Iterator[Row]:
    """Yield the same difference with people counted together by manager and by pair, where they are not already."""
    followed, people = c.early, c.early.rows["employee_id"].astype(str)
    matches = people.map(c.sets.matches()).astype(object)
    teams = team_codes(followed)
    groups = {
        "by_manager": default_clusters(followed) if teams is None else teams,
        "by_pair": pd.factorize(matches.where(matches.notna(), people))[0],
    }
    for name, codes in groups.items():
        arms = c.arms.another(followed, codes, c.outcome, c.first)
        yield c.row(arms, c.first, estimator=f"{WEIGHTED}_{name}")


def aipw(c: ByTrials) -> Iterator[Row]:
    """Yield the difference by weighting and regressing."""
    yield c.row(c.arms, c.first, read=lambda: doubly_robust(c.followed, c.arms, c.outcome, c.first))


def recounted(c: ByTrials) -> Iterator[Row]:
    """Yield the bootstrap, and the extremes of leaving one manager's people out."""
    arms, month = c.arms, c.first
    recount = WeightedRefit(c.early, CATALOGUE.outcome(c.outcome).kinds, month)
    draws = bootstrap(recount, arms.clusters.codes, c.question.rng(c.outcome, month, "bootstrap"))
    drawn = wald(difference_in_risks(arms, c.outcome, month), np.nanstd(draws, ddof=1), arms.df)
    yield c.row(arms, month, read=lambda: drawn, estimator=f"{WEIGHTED}_bootstrap")
    for end, moved in zip(("lower", "upper"), _without_one_manager(c, recount), strict=False):
        yield c.row(arms, month, read=lambda found=moved: found, estimator=f"{WEIGHTED}_without_one_manager_{end}")


def _without_one_manager(c: ByTrials, recount: WeightedRefit) -> Iterator[Interval]:
    """Yield the smallest and the largest difference when one manager's people are left out.

    Their interval is as wide as the main one, and their groups are those of the main row: counts without one team
    would tell of that team by subtraction.
    """
    managers = pd.factorize(c.early.rows["manager_id"])[0]
    with_treated = np.unique(managers[c.early.treated & (managers >= 0)])
    if len(with_treated) < 2:
        return
    groups = np.full(len(managers), -1)
    for position, manager in enumerate(with_treated):
        groups[managers == manager] = position
    without = leave_one_out(recount, groups)
    main = difference(c.arms, c.outcome, c.first)
    for value in (float(np.nanmin(without)), float(np.nanmax(without))):
        shift = value - main.estimate
        p = wald(value, main.std_error, c.arms.df).p_value
        yield Interval(value, main.std_error, main.low + shift, main.high + shift, p)


def strength_of_a_cause(c: ByTrials) -> Iterator[Row]:
    """Yield how strong an unrecorded cause of starting and leaving would have to be to explain the answer away.

    The interval runs from the E-value of the limit closer to no difference (1 where the interval holds it) to that of
    the other limit; its standard error is that of the log risk ratio.
    """

    def read() -> Interval | None:
        risks = ratio(c.arms, c.outcome, c.first)
        if risks is None:
            return None
        values = e_values(risks.estimate, risks.low, risks.high)
        farther = max(e_value(risks.low), e_value(risks.high))
        return Interval(values.estimate, risks.std_error, values.limit, farther, risks.p_value)

    yield c.row(c.arms, c.first, measure="e_value", read=read)


def moved(c: ByTrials) -> Iterator[Row]:
    """Yield the difference with starts of which only a span of days is known moved within it."""
    for day, trials in c.sets.moved():
        naming = {"estimator": f"{WEIGHTED}_starts_{day}"}
        if not trials.rows["is_treated"].any():
            yield Row(why_no_trial(trials), naming)
            continue
        yield c.row(c.made_otherwise(weigh(trials, c.kinds, c.first)), c.first, **naming)


SENSITIVITY: tuple[Analysis[ByTrials], ...] = (
    Analysis("half_horizon", lambda c: [c.row(c.arms, max(c.first // 2, 1))], estimator=WEIGHTED),
    Analysis(f"{WEIGHTED}_truncated", partial(reweighted, largest_quantile=LARGEST_QUANTILE)),
    *(Analysis(f"{WEIGHTED}_{name}", partial(reweighted, exclude=out)) for name, out in COVARIATE_SETS.items()),
    Analysis(f"{WEIGHTED}_trimmed", without_likely),
    Analysis(
        f"{WEIGHTED}_imputed",
        imputed,
        applies=lambda c: c.trials.covariates.select_dtypes("number").isna().any(axis=None),
    ),
    Analysis(f"{WEIGHTED}_reclustered", reclustered, applies=lambda c: not c.early.by_unit),
    Analysis("aipw_aalen_johansen", aipw),
    Analysis(
        f"{WEIGHTED}_recounted",
        recounted,
        applies=lambda c: min(c.arms.n_events(c.outcome, c.first)) >= FEW_EVENTS,
    ),
    Analysis("e_value", strength_of_a_cause),
    Analysis(f"{WEIGHTED}_starts", moved),
)
