"""Target trials: what their analyses read from, and who is counted together: people, teams, or units."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd

from analysis.design.protocols import Adherence, GraceTrials
from analysis.design.references import Placebo, PlaceboSchedule
from analysis.design.starts import BEFORE_PERIOD, BEFORE_UNIT, NOT_STAFF, UNDATED
from analysis.design.trials import Trials
from analysis.design.weights import ModelledFollowUp, WeightedFollowUp, weigh
from analysis.estimate.analyses import Question, Row
from analysis.estimate.arms import ANY_EXIT, Arms
from analysis.estimate.event_rows import event_row
from analysis.measure.employment import EXITS, unknown_exit_share
from analysis.plan.contract import MAX_UNKNOWN_EXITS
from analysis.plan.results import Check

# With fewer managers than this in an arm the spread between teams is hardly known, and people alone are counted.
LEAST_MANAGERS = 20
# Above so many standard errors exits come in teams. An excess that this misses leaves intervals that hold the truth in
# .93 of studies or more (see the simulated situations).
IN_TEAMS = 1.0
TEAMS = "colleagues of one manager"


class Sets(Protocol):
    """What single analyses need of a program and role beside its trials, made when asked for; rows are the trials'."""

    def matches(self) -> pd.Series:
        """Return the match of those who started, by employee id."""

    def moved(self) -> Iterable[tuple[str, Trials]]:
        """Return trials from starts moved within the span of days that they may mean, by the day of the span."""

    def ends(self) -> np.ndarray:
        """Return months from the start to the end of taking part, infinite where it had not ended, shape (rows,)."""

    def sessions(self) -> np.ndarray | None:
        """Return sessions attended in the first six months, shape (rows,); None where none is recorded."""

    def grace(self) -> GraceTrials:
        """Return the trials that begin with the intakes."""

    def kept(self) -> Adherence | None:
        """Return who attended as planned; None where no session is recorded."""

    def placebo(self) -> tuple[PlaceboSchedule, Placebo | None]:
        """Return when placebo starts are drawn and from what; from nothing where no month can be read off."""


@dataclass(frozen=True)
class ByTrials:
    """Target trials of one program and role, followed up to an event; whatever costs time is made once, when asked for.

    Attributes
    ----------
    trials
        Trimmed.
    sets
        What single analyses need beside them.
    ever
        Gives the dashboard's comparison, as from `design.references.ever_vs_never`.
    kinds
        The events that compete.
    """

    question: Question
    outcome: str
    trials: Trials
    sets: Sets
    ever: Callable[[], pd.DataFrame]
    kinds: tuple[str, ...] = EXITS

    @property
    def naming(self) -> dict[str, Any]:
        """The naming columns that all rows share."""
        return {"outcome": self.outcome}

    @property
    def horizons(self) -> tuple[int, ...]:
        """The months at which risks are read off."""
        return tuple(self.question.study.horizons_months)

    @property
    def first(self) -> int:
        """The first horizon, that of the main row."""
        return self.horizons[0]

    @cached_property
    def followed(self) -> ModelledFollowUp:
        """Both arms, weighted, up to the last horizon."""
        return weigh(self.trials, self.kinds, max(self.horizons))

    @cached_property
    def arms(self) -> Arms:
        """The arms of the main row."""
        return main_arms(self.question, self.followed, self.outcome)

    @cached_property
    def early(self) -> ModelledFollowUp:
        """Both arms, weighted, up to the first horizon."""
        return weigh(self.trials, self.kinds, self.first)

    @cached_property
    def fixed_arms(self) -> Arms:
        """The arms of the main row with the weights taken as known: nothing is left out and fitted anew."""
        return Arms.of(self.followed, main_clusters(self.followed, self.outcome, self.first))

    def made_otherwise(self, followed: WeightedFollowUp) -> Arms:
        """Return the arms of trials weighted in another way, with the errors of the main row's (`Arms.another`)."""
        teams = team_codes(followed) if counts_teams(self.followed, self.arms) else None
        return self.arms.another(followed, teams, self.outcome, self.first)

    def row(self, arms: Arms, month: int, outcome: str | None = None, **how) -> Row:
        """Return a row read from two arms, as `estimate.event_rows.event_row` does."""
        return event_row(self.question, arms, outcome or self.outcome, month, **how)


def retention_outcome(employees: pd.DataFrame) -> str:
    """Return the primary outcome: voluntary exit, or any exit where too many exits are of unknown kind."""
    return ANY_EXIT if unknown_exit_share(employees) > MAX_UNKNOWN_EXITS else "voluntary_exit"


def why_no_trial(trials: Trials) -> str:
    """Return why nobody could be compared, from the flow of those who started."""
    counts = trials.flow.set_index("step")["n_people"]
    if counts["started"] == 0:
        return "Nobody has a start date in this role, so there is nobody whose retention could be compared."
    if counts.get(NOT_STAFF, 0) == counts["started"]:
        return (
            "Those who started are no employees by their worker_type, or never came; name their kind under staff: in "
            "study.yaml if they belong to the staff."
        )
    if counts.get(UNDATED, 0) == counts["started"]:
        return "It is known of some people that they started, but of none of them on which day; give their start dates."
    if counts.get(BEFORE_UNIT, 0) > counts["no colleague to compare with that day"]:
        return (
            "Those who started did so before their unit was reached, by the dates that study.yaml states or, without "
            "them, by the share of those eligible in a unit who started; state the days on which the program reached "
            "its units under rollout: in the program."
        )
    if counts["no colleague to compare with that day"] > 0:
        return (
            "On no start day was there an eligible colleague left who had not started (in a rollout: in a unit not yet "
            "reached); a later start for some units, or a lottery, would have left a comparison."
        )
    if counts["no colleague nearly as likely to start"] > 0:
        return (
            "Those who started were nearly sure to start, by what is recorded, so no colleague is like them; a lottery "
            "among those who apply would leave a comparison."
        )
    if counts[BEFORE_PERIOD] > 0:
        return (
            "Those who started did so before the period observed (study_start), so that nobody could have been seen "
            "leaving after it; HR records from before the first start would be needed."
        )
    return "Nobody who started was employed, eligible and not under notice on the day of the start."


def main_arms(question: Question, followed: ModelledFollowUp, outcome: str, clusters: np.ndarray | None = None) -> Arms:
    """Return both arms as the main row and all its measures are read from them.

    The variance is that of a delete-a-group jackknife, in a rollout that of few units (`Arms.jackknifed`).

    Parameters
    ----------
    clusters
        Who is counted together, as codes, shape (rows,); where not given, as from `main_clusters`.
    """
    if clusters is None:
        clusters = main_clusters(followed, outcome, question.study.horizons_months[0])
    return Arms.jackknifed(followed, question.rng(outcome, "jackknife"), clusters)


def main_clusters(followed: WeightedFollowUp, outcome: str, month: int) -> np.ndarray | None:
    """Return the team of each row where exits come in teams (`teams_score`), else None: people (or units) are counted.

    Whole teams may start, and colleagues leave one after the other: then people are no independent draws (Moulton 1990,
    Rev Econ Stat 72:334). Decided once, at the main row, from influence functions, before anything is random. Not
    with fewer than `LEAST_MANAGERS` in an arm.
    """
    teams = None if followed.by_unit else team_codes(followed)
    if teams is None or min(managers_in_arms(followed)) < LEAST_MANAGERS:
        return None
    arms = Arms.of(followed)
    parts = arms.treated.risk_influence(outcome, month) - arms.control.risk_influence(outcome, month)
    of_person = np.zeros(len(parts), dtype=int)
    of_person[arms.clusters.codes] = teams
    return teams if teams_score(parts, of_person) > IN_TEAMS else None


def teams_score(parts: np.ndarray, team: np.ndarray) -> float:
    """Return by how many standard errors the variance by team exceeds that by person.

    The excess is the sum of the products of colleagues' contributions, and has mean zero where people are independent
    (the score-variance test of MacKinnon, Nielsen & Webb 2023, J Econom 235:2027). The larger of the two errors, taken
    in every study, would be too large by the noise of the second.

    Parameters
    ----------
    parts
        What each person contributes to the estimate, shape (people,).
    team
        Each person's team as codes, shape (people,).
    """
    sums, squares, fourths = (np.bincount(team, weights=parts**power) for power in (1, 2, 4))
    variance = 2 * np.sum(squares**2 - fourths)
    # Without colleagues only rounding is left.
    if variance <= 1e-12 * np.sum(squares) ** 2:
        return 0.0
    return float(np.sum(sums**2 - squares) / np.sqrt(variance))


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


def counts_teams(followed: WeightedFollowUp, arms: Arms) -> bool:
    """Whether the colleagues of one manager are counted together."""
    return not followed.by_unit and arms.clusters.n < followed.rows["employee_id"].nunique()


def clusters_check(followed: WeightedFollowUp, arms: Arms) -> tuple[Check, ...]:
    """Return who was counted together in the main interval, and why; nothing in a rollout, where units are."""
    if followed.by_unit or "manager_id" not in followed.rows or followed.rows["manager_id"].isna().all():
        return ()
    if min(managers_in_arms(followed)) < LEAST_MANAGERS:
        sentence = (
            f"Fewer than {LEAST_MANAGERS} managers have people on both sides of the comparison, so colleagues of one "
            "manager could not be counted together: if people of a team leave together, the interval is too short."
        )
        return (Check.untestable(TEAMS, sentence),)
    is_by_team = counts_teams(followed, arms)
    sentence = (
        "Exits come in teams: the interval counts colleagues of one manager together."
        if is_by_team
        else "Exits do not come in teams more than chance would bring: the interval counts people one by one."
    )
    return (Check(TEAMS, True, None, None, sentence),)
