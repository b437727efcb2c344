"""What a scale question is answered from, and whether it can be."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd

from analysis.design.covariates import DesignMatrix, design_matrix
from analysis.design.eligibility import unit_name
from analysis.design.panels import IN_THE_COMPARISON, Panel
from analysis.estimate.analyses import SUPPRESSED, Groups, Numbers, Question, Row
from analysis.estimate.change import Adjusted, Changed, did_change, itt_score
from analysis.estimate.inference import Interval
from analysis.estimate.staggered import not_adjusted_for
from analysis.plan.results import Check

# Rounding leaves so much where there is no uncertainty because nothing varies.
LEAST_ERROR = 1e-9
UNKNOWN_UNITS = (
    "The program reached one unit after the other, and which unit people belong to is not recorded; a job history with "
    "departments would be needed."
)
DID, ANCOVA, PLAIN = "dr_did", "ancova", "difference_in_means"


@dataclass(frozen=True)
class ScaleScores:
    """The scores that a scale question is answered from.

    Attributes
    ----------
    panel
        Scores before and after.
    earlier
        Of the waves before the start; None under a lottery.
    rater_source
        Whose scores they are, for leadership; None otherwise.
    n_items
        Of the scale; a single item has no score between its answers.
    """

    panel: Panel
    earlier: Panel | None = None
    rater_source: str | None = None
    n_items: int = 0


class Sets(Protocol):
    """What single analyses need beside the main scores, made when asked for (`pipeline.scales.ScaleQuestion`)."""

    def response(self) -> Panel:
        """Return the panel of the main scores, its ``everyone`` with the columns of `design.response.with_response`."""

    def by_others(self, source: str) -> ScaleScores | str | None:
        """Return the scores by another rater source, or why they are not shown; None where there are none."""

    def again(self, answers: str) -> ScaleScores | None:
        """Return the main scores ``without_careless`` answers or from ``common_items``; None where nothing differs."""

    def sessions(self) -> np.ndarray | None:
        """Return sessions attended until the later wave opened, shape (rows of the panel,); None where unknown."""

    def topics(self) -> pd.Series | None:
        """Return what those who started met about, by employee id, a set of names each; None where unknown."""

    def checks(self) -> Iterable[Check]:
        """Return how well the scale was measured."""


@dataclass(frozen=True)
class ByScores:
    """A scale, by the main rater source; whatever costs time is made once, when asked for."""

    question: Question
    main: ScaleScores
    sets: Sets

    @property
    def naming(self) -> dict[str, Any]:
        """The naming columns that all rows share."""
        return {"rater_source": self.main.rater_source}

    @property
    def panel(self) -> Panel:
        """The scores before and after."""
        return self.main.panel

    @property
    def treated(self) -> np.ndarray:
        """Who started, or was offered a place, shape (rows of the panel,)."""
        return self.panel.rows["is_treated"].to_numpy(dtype=bool)

    @cached_property
    def found(self) -> Adjusted | None:
        """The main difference."""
        return estimate_change(self.question, self.main)

    @property
    def changed(self) -> Changed:
        """The main difference where nothing was randomized."""
        if not isinstance(self.found, Changed):
            raise TypeError("no difference in differences")
        return self.found

    @cached_property
    def terms(self) -> np.ndarray:
        """The covariates of the panel's rows, shape (rows, terms)."""
        return covariates_of(self.question, self.panel.covariates, self.panel.rows).values  # noqa: PD011

    def row(self, interval: Interval, **naming) -> Row:
        """Return the row of a number about everybody in the panel."""
        return Row(Numbers(interval, groups(self.panel.rows)), naming)


def main_estimator(question: Question) -> str:
    """Return the name of the estimator of the main row."""
    return ANCOVA if question.program.is_randomized else DID


def estimate_change(question: Question, measured: ScaleScores) -> Adjusted | None:
    """Return the main difference; None where `why_no_answer` has a reason, or scores do not vary.

    Under a lottery the baseline-adjusted intention-to-treat difference, otherwise the doubly robust
    difference-in-differences (`estimate.change.Changed`).
    """
    panel = measured.panel
    if why_no_answer(question, measured):
        return None
    if question.program.is_randomized:
        found = itt_score(panel, question.rng(question.hypothesis.id, "lots"))
    else:
        found = did_change(panel, measured.earlier, question.program.assignment.by_unit)
    return found if found.interval.std_error > LEAST_ERROR else None


def result_of(question: Question, measured: ScaleScores, found: Adjusted | None) -> Numbers | str:
    """Return the numbers of a main difference, or why there are none."""
    if found is not None:
        return Numbers(found.interval, groups(measured.panel.rows))
    present = measured.panel.flow.set_index("step").loc[IN_THE_COMPARISON]
    if ((present > 0) & (present < question.study.min_cell)).any():
        return SUPPRESSED
    return why_no_answer(question, measured) or "The scores do not vary, so that nothing can be said of a difference."


def covariates_of(question: Question, known: pd.DataFrame, rows: pd.DataFrame) -> DesignMatrix:
    """Return the covariates of rows of a panel: the same ones as in the main estimate."""
    unit = unit_name(question.program) if question.program.assignment.by_unit else None
    return design_matrix(known, rows["is_treated"].to_numpy(dtype=bool), not_adjusted_for(unit))


def has_both_arms(panel: Panel) -> bool:
    """Whether both arms have two people at least."""
    counts = panel.rows.groupby("is_treated")["employee_id"].nunique()
    return len(counts) == 2 and counts.min() >= 2


def groups(rows: pd.DataFrame) -> Groups:
    """Return people by arm in rows of a panel."""
    counts = rows.groupby("is_treated")["employee_id"].nunique()
    return Groups(int(counts.get(True, 0)), int(counts.get(False, 0)))


def why_no_answer(question: Question, measured: ScaleScores) -> str | None:
    """Return why nothing can be compared, or None where it can: both arms have two people, and units where these count.

    A rollout counts units: where they are not recorded, or fewer than two were reached or left, nothing does.
    """
    panel = measured.panel
    rows, counts, everyone = panel.rows, panel.flow.set_index("step"), panel.everyone["unit"]
    if question.program.assignment.by_unit and len(everyone) and everyone.isna().all():
        return UNKNOWN_UNITS
    if not has_both_arms(panel):
        return why_no_pairs(question, counts)
    if not question.program.assignment.by_unit:
        return None
    if rows["unit"].isna().any():
        return UNKNOWN_UNITS
    if rows.groupby("is_treated")["unit"].nunique().min() < 2:
        return (
            "Only one unit is left on one side of the comparison, and with one unit nobody can tell the program from "
            "the unit; more units with scores before and after would be needed."
        )
    if rows[~rows["is_treated"].astype(bool)].groupby("cell")["unit"].nunique().max() < 2:
        return (
            "In no pair of waves are two units left that the program had not reached, so how far units differ by "
            "themselves cannot be told; more units with scores before and after would be needed."
        )
    return None


def why_no_pairs(question: Question, counts: pd.DataFrame) -> str:
    """Return why nobody has scores to compare, from the panel's flow by step and arm."""
    compared, both = counts.loc[IN_THE_COMPARISON], counts.loc["answered both"]
    if compared["n_treated"] == 0 and question.program.is_randomized:
        return (
            f"No intake has people of both kinds, offered a place and not, and a survey wave within "
            f"{question.study.horizons_months[0]} months after it."
        )
    if compared["n_treated"] == 0:
        return (
            f"Nobody's start has one wave that closed before it and another that opened within "
            f"{question.study.horizons_months[0]} months after it, so nobody who started has a score before and after; "
            "both would have been needed."
        )
    if compared["n_control"] == 0:
        return (
            "Everybody who could be compared had started by the later wave, so nobody is left to compare with; a later "
            "start for some people or units, or a lottery, would have left a comparison."
        )
    lacking = "those who started" if both["n_treated"] < 2 else "their comparators"
    return (
        f"Fewer than two of {lacking} answered both before and after; more answers, or a survey that is linked to its "
        "earlier waves, would be needed."
    )
