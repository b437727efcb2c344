"""Views of a study: sentences, tables and figures of its findings, as a report has them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

import pandas as pd
from IPython.display import Markdown, display

from analysis.notebook.showing import show_each
from analysis.plan.results import Finding
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report import prose, tables, tables_measured
from analysis.report.facts import ways
from analysis.report.figures_robust import net_benefit_plot, other_exits_plot, specification_curve
from analysis.report.pictures import (
    FOREST,
    described_pictures,
    evidence_pictures,
    has_kinds,
    measured_pictures,
    placed,
    possible_pictures,
    scales_picture,
    slug,
)
from analysis.report.prose import (
    assumption_sentence,
    bounds_sentences,
    break_even_sentence,
    control_sentences,
    delta_sentence,
    e_value_sentence,
    frame_of,
    label,
    measure_sentences,
    other_sources,
    response_sentence,
    ways_sentence,
)
from analysis.report.quality_page import quality_pictures


def _listed(sentences: list[str], what: str) -> str:
    """Return sentences as a list in Markdown, or that there are none of these."""
    return "\n".join(f"- {sentence}" for sentence in sentences) or f"*There are no {what}.*"


@dataclass(frozen=True)
class Views:
    """Views of a study's findings, and of the frames that describe it, for notebooks to show."""

    released: Released

    @property
    def study(self) -> Study:
        """The study that is open."""
        return self.released.study

    def findings(self, hypothesis: str) -> list[Finding]:
        """Return the findings of one hypothesis, by program and role."""
        return [f for f in self.released.findings if f.hypothesis == hypothesis]

    def show(self, hypothesis: str, *views: Callable[[Finding], object], needs: Collection[str] = ()) -> None:
        """Show views of every finding of a hypothesis, under a heading that says which program and role it is.

        What is the same for all of them stands once.

        Parameters
        ----------
        views
            Functions of a finding: a sentence is shown as text, a table or a figure as such, None not at all.
        needs
            Only findings that have one of these frames of evidence; where none has, that is said.
        """
        findings = [f for f in self.findings(hypothesis) if not needs or any(name in f.evidence for name in needs)]
        headings = [label(finding, self.study) for finding in findings]
        show_each(headings, [[view(finding) for view in views] for finding in findings])

    def flow(self, finding: Finding) -> pd.DataFrame:
        """Return who could be compared, step by step."""
        return tables.flow_table(finding.evidence["flow"], self.study.min_cell)

    def main_row(self, finding: Finding) -> pd.DataFrame:
        """Return the main row of the estimates ledger."""
        return tables.estimates_table([finding.primary], self.study.min_cell)

    def other_rows(self, finding: Finding) -> pd.DataFrame:
        """Return every other row: naive figures, later horizons, other measures, sensitivity."""
        return tables.estimates_table(finding.alternatives, self.study.min_cell)

    def checks(self, finding: Finding) -> pd.DataFrame:
        """Return what was seen of the assumptions that data can test."""
        return tables.checks_table(check for check in finding.checks if check.grade != "untestable")

    def untestable(self, finding: Finding) -> str:
        """Return the assumptions of which no data can tell, as a list."""
        told = finding.graded("untestable")
        return _listed([f"**{check.name}** cannot be tested. {check.sentence}" for check in told], "such assumptions")

    def missing(self, finding: Finding) -> pd.DataFrame:
        """Return for how many people each covariate was not recorded."""
        return tables.missing_table(finding.evidence["missing"], self.study.min_cell)

    def balance_by_quarter(self, finding: Finding) -> pd.DataFrame:
        """Return how alike the groups are, by quarter of the start."""
        return tables.quarters_table(finding.evidence["balance_by_quarter"], self.study.min_cell)

    def other_exits(self, finding: Finding) -> object:
        """Return the picture of the kinds of exit that compete, or why there is none."""
        if not has_kinds(finding):
            return "*Of every other kind of exit too few happened in a group to be shown.*"
        return self._taken("picture", f"{slug(finding)}-kinds") or other_exits_plot(finding)

    def measures(self, finding: Finding) -> str:
        """Return the same contrast in days, risks and rates, as a list in words."""
        return _listed(measure_sentences(finding), "other measures")

    def robustness_plot(self, finding: Finding) -> object:
        """Return the picture of the main answer made in other ways, or that there is none."""
        if not ways_sentence(finding):
            return "*The answer was made in one way only.*"
        return self._taken("picture", f"{slug(finding)}-ways") or specification_curve(finding)

    def ways(self, finding: Finding) -> pd.DataFrame:
        """Return every way to make the main answer, one line each."""
        return tables.ways_table(ways(finding))

    def e_value(self, finding: Finding) -> str:
        """Return how strong something unrecorded would have to be to explain the answer away."""
        return e_value_sentence(finding)

    def moderators(self, finding: Finding) -> pd.DataFrame:
        """Return for whom, when and with how much of it the difference is larger."""
        return tables.moderators_table(finding)

    def controls(self, finding: Finding) -> str:
        """Return the comparisons that should show nothing, as a list in words."""
        return _listed(control_sentences(finding), "comparisons that should show nothing")

    def break_even(self, finding: Finding) -> str:
        """Return from how many exits avoided on the program pays for itself, and what that takes for granted."""
        return " ".join(s for s in (break_even_sentence(finding), assumption_sentence(finding)) if s)

    def net_benefit(self, finding: Finding) -> object:
        """Return the picture of the net benefit, or that there is none."""
        if not finding.primary.is_estimated:
            return "*There is no net benefit to draw.*"
        return self._taken("picture", f"{slug(finding)}-money") or net_benefit_plot(finding, self.study)

    def picture(self, kind: str) -> Callable[[Finding], object]:
        """Return a view: the finding's picture of that kind (see `report.pictures`), or that there is none."""

        def view(finding: Finding) -> object:
            drawn = possible_pictures(finding, self.study)
            if kind in placed("groups"):
                drawn |= evidence_pictures(finding, self.study)
            taken = self._taken("picture", f"{slug(finding)}-{kind}")
            if taken or kind not in drawn:
                return taken or f"*There is nothing to draw ({kind.replace('_', ' ')}).*"
            return drawn[kind]()

        return view

    def _taken(self, kind: str, name: str) -> str:
        """Return that a fault took a picture or a frame away; empty where none did."""
        found = [f for f in self.released.faults if (f.part.kind, f.part.name) == (kind, name)]
        return f"*{found[0].reason}*" if found else ""

    def bounds(self, finding: Finding) -> str:
        """Return how far off the answer on a scale could be, each by its own assumption, as a list."""
        return _listed(bounds_sentences(finding), "bounds")

    def answering(self, finding: Finding) -> str:
        """Return who answers, and how much worse the silent would have to be, as a list."""
        return _listed([s for s in (response_sentence(finding), delta_sentence(finding)) if s], "counts of the silent")

    def asked(self, finding: Finding) -> object:
        """Return who came how far from the comparison to a pair of scores."""
        return self._evidence(finding, "response", partial(tables_measured.asked_table, min_cell=self.study.min_cell))

    def response_balance(self, finding: Finding) -> object:
        """Return whether those who were scored are like those who were asked."""
        return self._evidence(finding, "balance_response", tables_measured.response_balance_table)

    def honest(self, finding: Finding) -> object:
        """Return the interval under each limit on how far trends may have parted."""
        return self._evidence(finding, "honest", tables_measured.honest_table)

    def other_sources(self, finding: Finding) -> str:
        """Return what other raters' scores say, as a list."""
        return _listed(other_sources(finding), "scores by other raters")

    @staticmethod
    def _evidence(finding: Finding, name: str, make: Callable[[pd.DataFrame], pd.DataFrame]) -> object:
        frame = frame_of(finding, name)
        return f"*There is nothing to show ({name.replace('_', ' ')}).*" if frame is None else make(frame)

    def scales_at_a_glance(self) -> object:
        """Return the picture of every scale that could be estimated, or that there is none."""
        draw, taken = scales_picture(self.released).get(FOREST), self._taken("picture", FOREST)
        if taken:
            return Markdown(taken)
        return draw() if draw else Markdown("*No scale could be estimated.*")

    def sentence(self, finding: Finding) -> str:
        """Return the answer in words."""
        return prose.finding_sentence(finding, self.study)

    def described(self, name: str, *views: Callable[[pd.DataFrame], object]) -> None:
        """Show views of a frame that describes the study and its picture, or say that the study lacks what it needs."""
        frame = self.released.described.get(name)
        if frame is None or frame.empty:
            nothing = f"*The study's exports hold nothing for this ({name.replace('_', ' ')}).*"
            display(Markdown(self._taken("frame", name) or nothing))
            return
        for view in views:
            shown = view(frame)
            display(Markdown(_listed(shown, "sentences on it")) if isinstance(shown, list) else shown)
        pictures = described_pictures(self.released)
        if name in pictures:
            self._draw(pictures, name)

    def measured(self, prefix: str) -> None:
        """Show the pictures of how the scales were measured whose names begin so: items, self-other, skill-gap, …"""
        self._draw(measured_pictures(self.released), f"{prefix}-")

    def quality(self, prefix: str) -> None:
        """Show the pictures of how good the data are whose names begin so: rows, people, coverage, gaps."""
        self._draw(quality_pictures(self.released), prefix)

    def _draw(self, pictures: Mapping[str, Callable[[], object]], prefix: str) -> None:
        drawn = {name: draw for name, draw in pictures.items() if name.startswith(prefix)}
        if not drawn:
            display(Markdown("*There is nothing to draw.*"))
        for name, draw in drawn.items():
            taken = self._taken("picture", name)
            display(Markdown(taken) if taken else draw())
