"""The arms of the main row, and who is counted together in them: people, their managers' teams, or units."""

import numpy as np
import pandas as pd

from analysis.design.weights import WeightedFollowUp
from analysis.estimate.arms import Arms
from analysis.estimate.ask import Ask
from analysis.estimate.retention import std_error
from analysis.plan.results import Check
from analysis.plan.seeds import rng

# With fewer managers than this in an arm the spread between teams is hardly known, and people alone are counted.
LEAST_MANAGERS = 20
TEAMS = "colleagues of one manager"


def main_arms(ask: Ask, followed: WeightedFollowUp, outcome: str, clusters: np.ndarray | None = None) -> Arms:
    """Return both arms as the main row and all its measures are read from them.

    The variance is that of a delete-a-group jackknife, in a rollout that of few units (`Arms.jackknifed`).

    Parameters
    ----------
    clusters
        Who is counted together, as codes, shape (rows,); where not given, as from `main_clusters`.
    """
    seed = rng(ask.study.study, ask.program.id, ask.role, outcome, "jackknife")
    if clusters is None:
        clusters = main_clusters(followed, outcome, ask.study.horizons_months[0])
    return Arms.jackknifed(followed, seed, clusters)


def main_clusters(followed: WeightedFollowUp, outcome: str, month: int) -> np.ndarray | None:
    """Return the team of each row where counting teams gives the larger standard error, else None: people (or units).

    Whole teams may start, and colleagues leave one after the other: then people are no independent draws (Moulton 1990,
    Rev Econ Stat 72:334). The larger of two standard errors is the safe one where nobody knows at which level chance is
    at work (Cameron & Miller 2015, J Hum Resour 50:317, sec. IV). It is decided once, at the main row, from influence
    functions, which are compared before anything is drawn by lot. Not with fewer than `LEAST_MANAGERS` in an arm.
    """
    teams = None if followed.by_unit else team_codes(followed)
    if teams is None or min(managers_in_arms(followed)) < LEAST_MANAGERS:
        return None
    by_person, by_team = Arms.of(followed), Arms.of(followed, teams, are_few=True)
    return teams if _error(by_team, outcome, month) > _error(by_person, outcome, month) else None


def _error(arms: Arms, outcome: str, month: int) -> float:
    return std_error(arms.treated.risk_influence(outcome, month) - arms.control.risk_influence(outcome, month))


def team_codes(followed: WeightedFollowUp) -> np.ndarray | None:
    """Return each row's team as codes, shape (rows,): the people of the manager at one's first trial day.

    Who has no manager is a team of one. None where no manager is recorded.
    """
    managers = _manager(followed)
    if managers.isna().all():
        return None
    people = followed.rows["employee_id"].astype(str)
    return pd.factorize(("manager " + managers.astype(str)).where(managers.notna(), people))[0]


def managers_in_arms(followed: WeightedFollowUp) -> tuple[int, int]:
    """Return how many managers have people among the treated and among the comparators."""
    managers = _manager(followed)
    return managers[followed.treated].nunique(), managers[~followed.treated].nunique()


def _manager(followed: WeightedFollowUp) -> pd.Series:
    return followed.rows.groupby("employee_id")["manager_id"].transform("first").astype(object)


def clusters_check(followed: WeightedFollowUp, arms: Arms) -> tuple[Check, ...]:
    """Return who was counted together in the main interval, and why; nothing in a rollout, where units are."""
    if followed.by_unit or "manager_id" not in followed.rows or followed.rows["manager_id"].isna().all():
        return ()
    if min(managers_in_arms(followed)) < LEAST_MANAGERS:
        sentence = (
            f"Fewer than {LEAST_MANAGERS} managers have people on both sides of the comparison, so colleagues of one "
            "manager could not be counted together: if people of a team leave together, the interval is too short."
        )
        return (Check(TEAMS, None, None, None, sentence),)
    n_people = followed.rows["employee_id"].nunique()
    is_by_team = arms.clusters.n < n_people
    sentence = "The interval was made from people counted one by one and from colleagues of one manager counted " + (
        "together, and the second, which is wider, is shown: exits come in teams."
        if is_by_team
        else "together, and the first, which is wider, is shown."
    )
    return (Check(TEAMS, True, None, None, sentence),)
