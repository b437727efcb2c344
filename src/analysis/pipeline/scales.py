"""The scales of every program (H2 to H7): whose scores answer, from which answers, and what stands beside them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from analysis.design.lottery import Lottery, build_lottery
from analysis.design.panels import Panel, build_earlier_panel, build_lottery_panel, build_panel
from analysis.design.response import with_response
from analysis.design.sources import SOURCES, TOO_FEW_RATERS, of_enough_raters, others_suffice
from analysis.estimate.analyses import Ask, part_of
from analysis.estimate.answer_change import answer_change
from analysis.estimate.answer_lottery import why_not_compared
from analysis.estimate.by_scores import ByScores, Measured, is_lottery
from analysis.estimate.change_assumptions import comparable_check, same_direction_check
from analysis.measure.attendance import attended, sessions_until
from analysis.measure.exposure import topics_met
from analysis.measure.item_changes import common_items, rated_scores_of_items, self_scores_of_items
from analysis.measure.scales import rated_scores, scale_of, self_scores
from analysis.pipeline.events import missing_parts
from analysis.pipeline.opened import OpenStudy
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.contract import Tables
from analysis.plan.faults import isolated
from analysis.plan.hypotheses import load_plan
from analysis.plan.instruments import Scale
from analysis.plan.known import known
from analysis.plan.results import Check, Finding
from analysis.plan.study import Program

Made = TypeVar("Made")

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


def scale(opened: OpenStudy, ask: Ask) -> Finding:
    """Return the answer to a hypothesis about a scale."""
    return ScaleQuestion(opened, ask).finding()


@dataclass(frozen=True)
class ScaleQuestion:
    """A hypothesis about a scale, asked of one program and role of an open study."""

    opened: OpenStudy
    ask: Ask

    def finding(self) -> Finding:
        """Return the answer, by the rater source that the plan's rule picks, or why there is none."""
        scored = self._scored(self.opened.tables)
        reason = missing_parts(self.opened, self.ask, needs_dates=False) or self.no_scores(scored)
        reason = reason or self._no_equal_odds()
        if reason:
            return answer_change(ByScores(self.ask, Measured(None, reason=reason)))
        measured = {source: self._measured(scores, source) for source, scores in scored.items()}
        carried = "others" in scored and (
            "self" not in scored or others_suffice(known(measured["others"].panel), scored["others"])
        )
        main = "others" if carried else "self"
        each: tuple[Measured, ...] = self._part("sources", self._each_source, ())
        others = (*(m for source, m in measured.items() if source != main), *each)
        again: dict[str, Measured] = self._part("other answers", lambda: self._again(scored[main], main), {})
        chosen = replace(measured[main], again=again)
        chosen = self._part("response", lambda: self._with_response(chosen, main), chosen)
        sessions = self._part("sessions", lambda: self._sessions(known(chosen.panel), main), None)
        topics = self._part("topics", lambda: self._topics, None)
        checks: tuple[Check, ...] = self._part("comparability", lambda: self._checks(main), ())
        return answer_change(ByScores(self.ask, chosen, others, sessions, topics, checks))

    def _part(self, name: str, make: Callable[[], Made], instead: Made) -> Made:
        """Return what stands beside the main answer; `instead` where a fault took it away."""
        return isolated(part_of(self.ask, name), make, lambda _: instead)

    @property
    def construct(self) -> str:
        """What the scale measures."""
        return self.ask.hypothesis.construct_name

    def _scored(self, tables: Tables) -> dict[str, pd.DataFrame]:
        """Return the scores by rater source; sources that nobody is scored by are left out."""
        cards = self.opened.instruments
        found = {"others": rated_scores(self.construct, tables, cards, "others")} if self._is_rated else {}
        found["self"] = self_scores(self.construct, tables, cards)
        return {source: scores for source, scores in found.items() if scores is not None and len(scores)}

    def _each_source(self) -> tuple[Measured, ...]:
        """Return the scores by managers, by peers and by direct reports, of those whom enough of them rated."""
        tables, cards, found = self.opened.tables, self.opened.instruments, []
        for source in SOURCES if self._is_rated and tables.ratings is not None else ():
            scores = rated_scores(self.construct, tables, cards, source)
            if scores is None or scores.empty:
                continue
            shown = of_enough_raters(scores, source)
            measured = self._measured(shown, source) if len(shown) else Measured(None, reason=TOO_FEW_RATERS)
            found.append(replace(measured, rater_source=source))
        return tuple(found)

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

    def _measured(self, scores: pd.DataFrame, source: str) -> Measured:
        told: dict[str, Any] = {
            "rater_source": source if self._is_rated else None,
            "n_items": len(self._scale(source).items),
        }
        if is_lottery(self.ask):
            return Measured(build_lottery_panel(scores, self._lottery, self.ask.study.horizons_months[0]), **told)
        tables, study, program, role = self.opened.tables, self.ask.study, self.ask.program, self.ask.role
        earlier = build_earlier_panel(scores, tables, study, program, role)
        return Measured(build_panel(scores, tables, study, program, role), earlier, **told)

    @cached_property
    def _lottery(self) -> Lottery:
        return build_lottery(self.opened.tables, self.ask.study, self.ask.program, self.ask.role, {})

    def _no_equal_odds(self) -> str | None:
        """Return why the lots compare nothing, where the odds of a place differ by something recorded."""
        if not is_lottery(self.ask) or self._lottery.rows.empty:
            return None
        return why_not_compared(self.ask, self._lottery)

    def _answers(self, source: str) -> pd.DataFrame:
        """Return the table that these scores come from: ratings, or the survey where it measures the construct."""
        tables = self.opened.tables
        is_surveyed = scale_of(self.construct, self.opened.instruments, tables.responses) is not None
        return tables.responses if source == "self" and is_surveyed else tables.ratings

    def _instrument(self, source: str) -> str:
        return known(scale_of(self.construct, self.opened.instruments, self._answers(source)))[0]

    def _scale(self, source: str) -> Scale:
        return known(scale_of(self.construct, self.opened.instruments, self._answers(source)))[1]

    def _waves(self, source: str) -> pd.DataFrame:
        waves = known(self.opened.tables.waves)
        return waves[waves["instrument"] == self._instrument(source)]

    def _with_response(self, measured: Measured, source: str) -> Measured:
        """Return the scores with who was asked and who answered at the later wave."""
        answers = self._answers(source).rename(columns={"ratee_id": "employee_id"})
        here = answers[(answers["instrument"] == self._instrument(source)) & answers["value"].notna()]
        if "rater_role" in here:
            here = here[(here["rater_role"] == "self") == (source == "self")]
        answered = here[["employee_id", "wave"]].drop_duplicates()
        panel, employees = known(measured.panel), self.opened.tables.employees
        everyone = with_response(panel.everyone, employees, self._waves(source), answered)
        return replace(measured, panel=replace(panel, everyone=everyone))

    def _again(self, scores: pd.DataFrame, source: str) -> dict[str, Measured]:
        """Return the scores without careless forms, and from the items that stayed alike, where these differ."""
        cards, tables = self.opened.instruments, self.opened.tables
        attentive = self._scored(self.opened.attentive).get(source)
        found = {} if attentive is None or attentive.equals(scores) else {"without_careless": attentive}
        items = common_items(self.construct, tables, cards, source)
        if items and source == "self":
            found["common_items"] = self_scores_of_items(self.construct, items, tables, cards)
        elif items:
            found["common_items"] = rated_scores_of_items(self.construct, items, tables, cards, source)
        return {name: self._measured(again, source) for name, again in found.items()}

    def _checks(self, source: str) -> tuple[Check, ...]:
        steps = self.opened.comparability.get(self.construct)
        keyed = (k for k in self.opened.keyings if k.construct == self.construct)
        direction = same_direction_check(k for k in keyed if (k.rater_role == "self") == (source == "self"))
        return (*((comparable_check(steps),) if source == "self" and steps is not None else ()), direction)

    def _sessions(self, panel: Panel, source: str) -> np.ndarray | None:
        """Return the sessions that each row's person attended from the start until the later wave opened."""
        met = attended(self.opened.tables, self.ask.program.id)
        if met is None or panel.rows.empty:
            return None
        opens = self._waves(source).set_index("wave")["opens"]
        rows = panel.rows.assign(until=opens.reindex(panel.rows["wave_after"]).to_numpy())
        return sessions_until(met, rows, "start_date", "until")

    @property
    def _topics(self) -> pd.Series | None:
        return topics_met(self.opened.tables.enrolments, self.ask.program.id, self.ask.role)
