"""The scales of every program (H2 to H7): whose scores answer, from which answers, and what stands beside them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from analysis.design.panels import Panel, Panels, build_lottery_panel
from analysis.design.response import SOURCES, TOO_FEW_RATERS, of_enough_raters, others_suffice, with_response
from analysis.estimate.analyses import Question, unanswered
from analysis.estimate.answer_change import answer_change
from analysis.estimate.answer_lottery import why_not_compared
from analysis.estimate.by_scores import ByScores, ScaleScores, main_estimator
from analysis.estimate.change_assumptions import comparable_check, same_direction_check
from analysis.measure.exposure import sessions_until, topics_met
from analysis.measure.items import common_items, rated_scores_of_items, self_scores_of_items
from analysis.measure.scales import rated_scores, scale_of, self_scores
from analysis.pipeline.events import missing_parts
from analysis.pipeline.opened import OpenStudy
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.contract import Tables
from analysis.plan.faults import known
from analysis.plan.hypotheses import load_plan
from analysis.plan.instruments import Scale
from analysis.plan.results import Check, Finding
from analysis.plan.study import Program

UNLINKED = (
    "The survey has no person keys, so who took part cannot be told from who did not; a survey that is linked to the "
    "HR records, by a pseudonym at least, would be needed."
)


def scales_asked(program: Program, role: str) -> list[str]:
    """Return the hypotheses about scales that are asked of a program's role; of all roles where nobody is enrolled."""
    return [
        h.id
        for h in load_plan().scales
        if (role in h.roles or role == "any") and (not h.directions or program.direction in h.directions)
    ]


def scale(opened: OpenStudy, question: Question, panels: Panels) -> Finding:
    """Return the answer to a hypothesis about a scale."""
    return ScaleQuestion(opened, question, panels).finding()


@dataclass(frozen=True)
class ScaleQuestion:
    """A hypothesis about a scale, asked of one program and role of an open study.

    Attributes
    ----------
    panels
        Of that program and role; what they know without the scores serves all its scales.
    """

    opened: OpenStudy
    question: Question
    panels: Panels

    def finding(self) -> Finding:
        """Return the answer, by the rater source that the plan's rule picks, or why there is none."""
        if isinstance(self.main, str):
            return unanswered(self.question, main_estimator(self.question), self.main)
        return answer_change(ByScores(self.question, self.main, self))

    @cached_property
    def main(self) -> ScaleScores | str:
        """The scores that answer it, or why there are none."""
        reason = missing_parts(self.opened, self.question, needs_dates=False) or self.no_scores(self._scores)
        return reason or self._no_equal_odds() or self._carried[self._main]

    @cached_property
    def _scores(self) -> dict[str, pd.DataFrame]:
        return self._scored(self.opened.tables)

    @cached_property
    def _carried(self) -> dict[str, ScaleScores]:
        """The sources that can carry the main answer."""
        return {source: self._measured(scores, source) for source, scores in self._scores.items()}

    @cached_property
    def _main(self) -> str:
        """The source that does: others, where enough of them rated."""
        if "others" not in self._scores or "self" not in self._scores:
            return next(iter(self._scores))
        suffice = others_suffice(self._carried["others"].panel, self._scores["others"])
        return "others" if suffice else "self"

    @property
    def construct(self) -> str:
        """What the scale measures."""
        return self.question.hypothesis.construct_name

    def _scored(self, tables: Tables) -> dict[str, pd.DataFrame]:
        """Return the scores by rater source; sources that nobody is scored by are left out."""
        cards = self.opened.instruments
        found = {"others": rated_scores(self.construct, tables, cards, "others")} if self._is_rated else {}
        found["self"] = self_scores(self.construct, tables, cards)
        return {source: scores for source, scores in found.items() if scores is not None and len(scores)}

    def by_others(self, source: str) -> ScaleScores | str | None:
        """Return the scores by another rater source, of those whom enough of them rated, or why not one is shown."""
        if source not in SOURCES:
            return self._carried.get(source) if source != self._main else None
        tables = self.opened.tables
        is_asked = self._is_rated and tables.ratings is not None
        scores = rated_scores(self.construct, tables, self.opened.instruments, source) if is_asked else None
        if scores is None or scores.empty:
            return None
        shown = of_enough_raters(scores, source)
        return self._measured(shown, source) if len(shown) else TOO_FEW_RATERS

    @property
    def _is_rated(self) -> bool:
        return CATALOGUE.outcome(self.construct).is_rated

    def no_scores(self, scored: dict[str, pd.DataFrame]) -> str | None:
        """Return why there are no scores, or None where there are some."""
        if scored:
            return None
        if scale_of(self.construct, self.opened.instruments, self.opened.tables.unlinked_responses) is not None:
            return UNLINKED
        named = self.construct.replace("_", " ")
        return f"No survey in the study measures {named}, or nobody answered enough of it to be scored."

    def _measured(self, scores: pd.DataFrame, source: str) -> ScaleScores:
        told: dict[str, Any] = {
            "rater_source": source if self._is_rated else None,
            "n_items": len(self._scale(source)[1].items),
        }
        if self.question.program.is_randomized:
            panel = build_lottery_panel(scores, self.panels.lottery, self.question.study.horizons_months[0])
            return ScaleScores(panel, **told)
        return ScaleScores(self.panels.after(scores), self.panels.before(scores), **told)

    def _no_equal_odds(self) -> str | None:
        """Return why the lots compare nothing, where the odds of a place differ by something recorded."""
        if not self.question.program.is_randomized or self.panels.lottery.rows.empty:
            return None
        return why_not_compared(self.question, self.panels.lottery)

    def _answers(self, source: str) -> pd.DataFrame:
        """Return the table that these scores come from: ratings, or the survey where it measures the construct."""
        tables = self.opened.tables
        is_surveyed = scale_of(self.construct, self.opened.instruments, tables.responses) is not None
        return tables.responses if source == "self" and is_surveyed else tables.ratings

    def _scale(self, source: str) -> tuple[str, Scale]:
        """Return the instrument and its scale."""
        return known(scale_of(self.construct, self.opened.instruments, self._answers(source)))

    def _waves(self, source: str) -> pd.DataFrame:
        waves = known(self.opened.tables.waves)
        return waves[waves["instrument"] == self._scale(source)[0]]

    def response(self) -> Panel:
        """Return the main panel with who was asked and who answered at the later wave."""
        return self._with_response(self._carried[self._main].panel, self._main)

    def _with_response(self, panel: Panel, source: str) -> Panel:
        answers = self._answers(source).rename(columns={"ratee_id": "employee_id"})
        here = answers[(answers["instrument"] == self._scale(source)[0]) & answers["value"].notna()]
        if "rater_role" in here:
            here = here[(here["rater_role"] == "self") == (source == "self")]
        everyone = with_response(panel.everyone, self.opened.tables.employees, self._waves(source), here)
        return replace(panel, everyone=everyone)

    def again(self, answers: str) -> ScaleScores | None:
        """Return the scores without careless forms, or from the items that stayed alike, where these differ."""
        scores = self._attentive() if answers == "without_careless" else self._of_common_items()
        return None if scores is None else self._measured(scores, self._main)

    def _attentive(self) -> pd.DataFrame | None:
        scores = self._scored(self.opened.attentive).get(self._main)
        return None if scores is None or scores.equals(self._scores[self._main]) else scores

    def _of_common_items(self) -> pd.DataFrame | None:
        cards, tables = self.opened.instruments, self.opened.tables
        items = common_items(self.construct, tables, cards, self._main)
        if not items:
            return None
        if self._main == "self":
            return self_scores_of_items(self.construct, items, tables, cards)
        return rated_scores_of_items(self.construct, items, tables, cards, self._main)

    def checks(self) -> Iterator[Check]:
        """Yield whether self-reported scores can be compared across waves, and whether every item points one way."""
        steps = self.opened.comparability.get(self.construct)
        if self._main == "self" and steps is not None:
            yield comparable_check(steps)
        keyed = (k for k in self.opened.keyings if k.construct == self.construct)
        yield same_direction_check(k for k in keyed if (k.rater_role == "self") == (self._main == "self"))

    def sessions(self) -> np.ndarray | None:
        """Return the sessions that each row's person attended from the start until the later wave opened."""
        met, panel = self.opened.attended(self.question.program.id), self._carried[self._main].panel
        if met is None or panel.rows.empty:
            return None
        opens = self._waves(self._main).set_index("wave")["opens"]
        rows = panel.rows.assign(until=opens.reindex(panel.rows["wave_after"]).to_numpy())
        return sessions_until(met, rows, "start_date")

    def topics(self) -> pd.Series | None:
        """Return what those who started met about."""
        return topics_met(self.opened.tables.enrolments, self.question.program.id, self.question.role)
