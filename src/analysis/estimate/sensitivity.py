"""The main answer made in other ways: what would change if one choice had been another."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from analysis.design.covariates import SCORES
from analysis.design.imputation import impute
from analysis.design.trials import Trials
from analysis.design.weights import WeightedFollowUp, trimmed, weigh
from analysis.estimate.answer_retention import why_no_trial
from analysis.estimate.arms import Arms, default_clusters
from analysis.estimate.ask import Ask
from analysis.estimate.bootstrap import Recount, bootstrap, leave_one_out
from analysis.estimate.doubly_robust import difference_in_risks, doubly_robust
from analysis.estimate.e_value import e_value, e_values
from analysis.estimate.event_rows import WEIGHTED, event_row
from analysis.estimate.faulted import rows_or_fault
from analysis.estimate.inference import FEW_EVENTS, Interval, rubin, wald
from analysis.estimate.main_arms import main_arms, team_codes
from analysis.estimate.retention import difference, ratio
from analysis.estimate.rows import not_estimable
from analysis.measure.employment import EXITS
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.results import Estimate
from analysis.plan.seeds import rng

# Stricter than the main rule: who was more likely to start than not is left out as well.
STRICTER = 0.5
LARGEST_QUANTILE = 0.99
N_IMPUTATIONS = 5
DOUBLY_ROBUST = "aipw_aalen_johansen"
COVARIATE_SETS = {
    "without_scores": SCORES,
    "without_organization": ("job_family", "department", "location", "team_size"),
    "few_covariates": (
        *SCORES,
        *("job_family", "department", "location", "team_size", "log_salary", "n_promotions", "in_other_program"),
    ),
}


def sensitivity_rows(ask: Ask, trials: Trials, outcome: str, pairs: pd.Series) -> list[Estimate]:
    """Return the main difference, made in other ways, at the first horizon (one row: at half of it).

    Parameters
    ----------
    trials
        As the main answer used them, trimmed.
    pairs
        The match of those who started, by employee id.
    """
    first = ask.study.horizons_months[0]
    followed = weigh(trials, EXITS, first)
    arms = main_arms(ask, followed, outcome)
    groups: dict[str, Callable[[], Iterable[Estimate]]] = {
        "half_horizon": lambda: [event_row(ask, arms, outcome, max(first // 2, 1), "sensitivity")],
        **_reweighted(ask, trials, outcome, first),
        f"{WEIGHTED}_imputed": lambda: _imputed(ask, trials, arms, outcome, first),
        f"{WEIGHTED}_reclustered": lambda: _reclustered(ask, followed, outcome, first, pairs),
        DOUBLY_ROBUST: lambda: [_doubly_robust(ask, followed, arms, outcome, first)],
        f"{WEIGHTED}_recounted": lambda: _recounted(ask, followed, arms, outcome, first),
        "e_value": lambda: e_value_rows(ask, arms, outcome, first),
    }
    return [row for name, make in groups.items() for row in rows_or_fault(ask, name, make)]


def moved_row(ask: Ask, trials: Trials, outcome: str, day: str) -> Estimate:
    """Return the main difference with starts of which only a span of days is known moved within it.

    Parameters
    ----------
    trials
        Built from the moved starts, trimmed.
    day
        To which day of the span.
    """
    first, estimator = ask.study.horizons_months[0], f"{WEIGHTED}_starts_{day}"
    if not trials.rows["is_treated"].any():
        return not_estimable(ask.question(outcome), "sensitivity", estimator, why_no_trial(trials))
    arms = main_arms(ask, weigh(trials, EXITS, first), outcome)
    return event_row(ask, arms, outcome, first, "sensitivity", estimator)


def _doubly_robust(ask: Ask, followed: WeightedFollowUp, arms: Arms, outcome: str, month: int) -> Estimate:
    def read() -> Interval:
        return doubly_robust(followed, arms, outcome, month)

    return event_row(ask, arms, outcome, month, "sensitivity", DOUBLY_ROBUST, read=read)


def _reweighted(ask: Ask, trials: Trials, outcome: str, month: int) -> dict[str, Callable[[], list[Estimate]]]:
    """Return how each row with other weights is made, by its estimator: cut, from fewer covariates, trimmed more."""
    ways: dict[str, Callable[[], WeightedFollowUp]] = {
        "truncated": lambda: weigh(trials, EXITS, month, largest_quantile=LARGEST_QUANTILE),
    }
    for name, left_out in COVARIATE_SETS.items():
        ways[name] = partial(weigh, trials, EXITS, month, exclude=left_out)

    def row(make: Callable[[], WeightedFollowUp], estimator: str) -> list[Estimate]:
        return [event_row(ask, main_arms(ask, make(), outcome), outcome, month, "sensitivity", estimator)]

    def stricter() -> list[Estimate]:
        kept, estimator = trimmed(trials, STRICTER), f"{WEIGHTED}_trimmed"
        if kept.rows["is_treated"].any():
            return row(lambda: weigh(kept, EXITS, month), estimator)
        reason = "Everybody who started was, by what is recorded, more likely to start than not."
        return [not_estimable(ask.question(outcome), "sensitivity", estimator, reason)]

    rows = {f"{WEIGHTED}_{name}": partial(row, make, f"{WEIGHTED}_{name}") for name, make in ways.items()}
    return rows | {f"{WEIGHTED}_trimmed": stricter}


def _imputed(ask: Ask, trials: Trials, arms: Arms, outcome: str, month: int) -> list[Estimate]:
    """Return the difference with missing numbers imputed instead of marked, combined by Rubin's rules (Rubin 1987)."""
    seed = rng(ask.study.study, ask.program.id, ask.role, outcome, month, "imputation")
    if not trials.covariates.select_dtypes("number").isna().any(axis=None):
        return []

    def read() -> Interval:
        found = []
        for _ in range(N_IMPUTATIONS):
            complete = replace(trials, covariates=impute(trials.covariates, _predictors(trials.rows, outcome), seed))
            found.append(difference(main_arms(ask, weigh(complete, EXITS, month), outcome), outcome, month))
        return rubin(found)

    return [event_row(ask, arms, outcome, month, "sensitivity", f"{WEIGHTED}_imputed", read=read)]


def _predictors(rows: pd.DataFrame, outcome: str) -> np.ndarray:
    """Return the arm, whether the outcome came about, and the time followed, each for both arms, shape (rows, 5)."""
    treated = rows["is_treated"].to_numpy(dtype=float)
    left = rows["outcome"].isin(CATALOGUE.outcome(outcome).kinds).to_numpy(dtype=float)
    months = np.log1p(rows["months"].to_numpy(dtype=float))
    return np.column_stack([treated, left, months, treated * left, treated * months])


def _reclustered(
    ask: Ask, followed: WeightedFollowUp, outcome: str, month: int, pairs: pd.Series
) -> Iterator[Estimate]:
    """Yield the same difference with people counted together by manager and by pair, where they are not already."""
    if followed.by_unit:
        return
    people = followed.rows["employee_id"].astype(str)
    of_pair = people.map(pairs).astype(object).where(lambda match: match.notna(), people)
    teams = team_codes(followed)
    groups = {
        "by_manager": default_clusters(followed) if teams is None else teams,
        "by_pair": pd.factorize(of_pair)[0],
    }
    for name, codes in groups.items():
        arms = main_arms(ask, followed, outcome, codes)
        yield event_row(ask, arms, outcome, month, "sensitivity", f"{WEIGHTED}_{name}")


def _recounted(ask: Ask, followed: WeightedFollowUp, arms: Arms, outcome: str, month: int) -> Iterator[Estimate]:
    """Yield the bootstrap, and the extremes of leaving one manager's people out; nothing where events are few."""
    if min(arms.n_events(outcome, month)) < FEW_EVENTS:
        return
    recount = Recount(followed, CATALOGUE.outcome(outcome).kinds, month)
    seed = rng(ask.study.study, ask.program.id, ask.role, outcome, month, "bootstrap")
    draws = bootstrap(recount, arms.clusters.codes, seed)
    drawn = wald(difference_in_risks(arms, outcome, month), np.nanstd(draws, ddof=1), arms.df)
    yield event_row(ask, arms, outcome, month, "sensitivity", f"{WEIGHTED}_bootstrap", read=lambda: drawn)
    yield from _without_one_manager(ask, followed, arms, outcome, month, recount)


def _without_one_manager(
    ask: Ask, followed: WeightedFollowUp, arms: Arms, outcome: str, month: int, recount: Recount
) -> Iterator[Estimate]:
    """Yield the smallest and the largest difference when one manager's people are left out.

    Their interval is as wide as the main one, and their groups are those of the main row: counts without one team
    would tell of that team by subtraction.
    """
    managers = pd.factorize(followed.rows["manager_id"])[0]
    with_treated = np.unique(managers[followed.treated & (managers >= 0)])
    if len(with_treated) < 2:
        return
    groups = np.full(len(managers), -1)
    for position, manager in enumerate(with_treated):
        groups[managers == manager] = position
    without = leave_one_out(recount, groups)
    main = difference(arms, outcome, month)
    for name, value in (("lower", np.nanmin(without)), ("upper", np.nanmax(without))):
        shift = value - main.estimate
        p = wald(value, main.std_error, arms.df).p_value
        moved = partial(Interval, float(value), main.std_error, main.low + shift, main.high + shift, p)
        yield event_row(
            ask,
            arms,
            outcome,
            month,
            "sensitivity",
            f"{WEIGHTED}_without_one_manager_{name}",
            read=moved,
        )


def e_value_rows(ask: Ask, arms: Arms, outcome: str, month: int) -> list[Estimate]:
    """Return how strong an unrecorded cause of starting and leaving would have to be to explain the answer away.

    The interval runs from the E-value of the limit closer to no difference (1 where the interval holds it) to that of
    the other limit; its standard error is that of the log risk ratio.
    """

    def read() -> Interval | None:
        risks = ratio(arms, outcome, month)
        if risks is None:
            return None
        values = e_values(risks.estimate, risks.low, risks.high)
        farther = max(e_value(risks.low), e_value(risks.high))
        return Interval(values.estimate, risks.std_error, values.limit, farther, risks.p_value)

    return [event_row(ask, arms, outcome, month, "sensitivity", "e_value", measure="e_value", read=read)]
