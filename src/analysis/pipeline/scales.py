"""The scales of every program (H2 to H7): whose scores answer, from which answers, and what stands beside them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.design.lottery import Lottery, build_lottery
from analysis.design.panels import Panel, build_earlier_panel, build_lottery_panel, build_panel
from analysis.design.response import with_response
from analysis.design.sources import others_suffice
from analysis.estimate.answer_change import answer_change
from analysis.estimate.ask import Ask
from analysis.estimate.change_rows import Measured, is_lottery
from analysis.measure.attendance import attended, sessions_until
from analysis.measure.exposure import topics_met
from analysis.measure.scales import rated_scores, scale_of, self_scores
from analysis.pipeline.events import missing_parts
from analysis.pipeline.opened import OpenStudy
from analysis.plan.contract import Tables
from analysis.plan.hypotheses import SCALES, load_plan
from analysis.plan.results import Finding
from analysis.plan.study import Program

UNLINKED = (
    "The survey has no person keys, so who took part cannot be told from who did not; a survey that is linked to the "
    "HR records, by a pseudonym at least, would be needed."
)


def scales_asked(program: Program, role: str) -> list[str]:
    """Return the hypotheses about scales that are asked of a program's role; of all roles where nobody is enrolled."""
    plan = load_plan()
    return [
        h.id
        for h in (plan.hypothesis(name) for name in SCALES)
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
        reason = missing_parts(self.opened, self.ask, needs_dates=False) or self._no_scores(scored)
        if reason:
            return answer_change(self.ask, Measured(None, reason=reason))
        measured = {name: self._measured(scores, name) for name, scores in scored.items()}
        carried = "others" in scored and (
            "self" not in scored or others_suffice(measured["others"].panel, scored["others"])
        )
        main = "others" if carried else "self"
        others = tuple(m for name, m in measured.items() if name != main)
        chosen = replace(measured[main], again=self._again(main))
        return answer_change(self.ask, chosen, others, self._sessions(chosen.panel, main), self._topics)

    @property
    def construct(self) -> str:
        """What the scale measures."""
        return self.ask.hypothesis.construct_name

    def _scored(self, tables: Tables) -> dict[str, pd.DataFrame]:
        """Return the scores by rater source; sources that nobody is scored by are left out."""
        cards = self.opened.instruments
        found = {"others": rated_scores(self.construct, tables, cards, "others")} if self._is_rated else {}
        found["self"] = self_scores(self.construct, tables, cards)
        return {name: scores for name, scores in found.items() if scores is not None and len(scores)}

    @property
    def _is_rated(self) -> bool:
        return self.construct == "leadership"

    def _no_scores(self, scored: dict[str, pd.DataFrame]) -> str | None:
        if scored:
            return None
        if scale_of(self.construct, self.opened.instruments, self.opened.tables.unlinked_responses) is not None:
            return UNLINKED
        return f"No survey in the study measures {self.construct}, or nobody answered enough of it to be scored."

    def _measured(self, scores: pd.DataFrame, source: str) -> Measured:
        source_told = source if self._is_rated else None
        if is_lottery(self.ask):
            # Once the wait-list starts nobody is left to compare with: later waves say nothing.
            horizon = int(min(self.ask.study.horizons_months[0], self._lottery.waitlist_months))
            panel = build_lottery_panel(scores, self._lottery, horizon)
            return Measured(self._with_response(panel, source), None, source_told, n_items=self._n_items(source))
        build = (self.opened.tables, self.ask.study, self.ask.program, self.ask.role)
        panel = self._with_response(build_panel(scores, *build), source)
        earlier = build_earlier_panel(scores, self.opened.tables, self.ask.program, self.ask.role)
        return Measured(panel, earlier, source_told, n_items=self._n_items(source))

    @cached_property
    def _lottery(self) -> Lottery:
        return build_lottery(self.opened.tables, self.ask.study, self.ask.program, self.ask.role, {})

    def _instrument(self, source: str) -> tuple[str, pd.DataFrame]:
        """Return the instrument whose scores these are, and its answers with the person scored as ``employee_id``."""
        tables, cards = self.opened.tables, self.opened.instruments
        own = None if source == "others" else scale_of(self.construct, cards, tables.responses)
        if own is not None:
            return own[0], tables.responses
        name, _ = scale_of(self.construct, cards, tables.ratings)
        return name, tables.ratings.rename(columns={"ratee_id": "employee_id"})

    def _n_items(self, source: str) -> int:
        name, _ = self._instrument(source)
        scales = self.opened.instruments[name].scales.values()
        return next(len(s.items) for s in scales if s.construct_name == self.construct)

    def _with_response(self, panel: Panel, source: str) -> Panel:
        """Return the panel with who was asked and who answered at the later wave."""
        name, answers = self._instrument(source)
        here = answers[(answers["instrument"] == name) & answers["value"].notna()]
        answered = here[["employee_id", "wave"]].drop_duplicates()
        rows = with_response(panel.everyone, self.opened.tables.employees, self._waves(source), answered)
        return replace(panel, everyone=rows)

    def _again(self, source: str) -> dict[str, Measured]:
        return {}

    def _sessions(self, panel: Panel, source: str) -> np.ndarray | None:
        """Return the sessions that each row's person attended from the start until the later wave opened."""
        met = attended(self.opened.tables, self.ask.program.id)
        if met is None or panel.rows.empty:
            return None
        opens = self._waves(source).set_index("wave")["opens"]
        rows = panel.rows.assign(until=opens.reindex(panel.rows["wave_after"]).to_numpy())
        return sessions_until(met, rows, "start_date", "until")

    def _waves(self, source: str) -> pd.DataFrame:
        waves = self.opened.tables.waves
        return waves[waves["instrument"] == self._instrument(source)[0]]

    @property
    def _topics(self) -> pd.Series | None:
        return topics_met(self.opened.tables.enrolments, self.ask.program.id, self.ask.role)
