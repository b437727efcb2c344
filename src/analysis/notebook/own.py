"""What the notebook of one's own questions shows: exploratory answers, through the same door as the study's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from IPython.display import Markdown

from analysis.notebook.frames import IN_UNITS, NumbersFrame
from analysis.notebook.not_open import close
from analysis.notebook.parameters import PARAMETERS, parameters_of
from analysis.notebook.progress import progress
from analysis.plan.results import Estimated, estimates_frame
from analysis.report.canvas import Drawing
from analysis.report.figures_exploratory import own_answers_plot
from analysis.report.tables import checks_table
from analysis.report.template import say
from analysis.report.wording import outcome_name

if TYPE_CHECKING:
    from analysis.pipeline.exploratory import Explored, OwnAnswer, OwnQuestion

# The parameters of a question of one's own, with values of their types.
OWN_PARAMETERS = {**PARAMETERS, "outcome": "", "horizon_months": 0, "subgroup": {}, "left_out": []}
# As the findings ledger marks what was not registered before outcomes were read.
REGISTERED = "exploratory"
COLUMNS = (
    *("program", "role", "group", "outcome", "measure", "horizon_months", *IN_UNITS, "p_value"),
    *("n_treated", "n_control", "status", "reason", "registered"),
)


@dataclass(frozen=True)
class OwnView:
    """The answers to a question of one's own: everything in it has passed disclosure control, nothing has a verdict."""

    explored: "Explored"

    def __repr__(self) -> str:
        return f"Exploratory: {self.explored.own.outcome}, {len(self.explored.answers)} rows; see answers(), figure()"

    def answers(self) -> NumbersFrame:
        """Return the rows as numbers, one a program, role and group, marked ``exploratory``."""
        told = self.explored.answers
        frame = estimates_frame(answer.row for answer in told)
        frame = frame.assign(group=[self._group(answer) for answer in told], registered=REGISTERED)
        return NumbersFrame(frame[list(COLUMNS)])

    def figure(self) -> Drawing | Markdown:
        """Return the picture of the rows with numbers, or that there is none."""
        rows = [(f"{a.row.program} {a.row.role}, {self._group(a)}", a.row) for a in self.explored.answers]
        shown = [(name, row) for name, row in rows if isinstance(row, Estimated)]
        return own_answers_plot(tuple(shown)) if shown else Markdown("*No row has a number to be drawn.*")

    def checks(self) -> pd.DataFrame:
        """Return whether the groups are alike and overlap, one line a check of each row."""
        told = [
            checks_table(a.checks).assign(program=a.row.program, role=a.row.role, group=self._group(a))
            for a in self.explored.answers
            if a.checks
        ]
        if not told:
            return checks_table(())
        return pd.concat(told, ignore_index=True).set_index(["program", "role", "group"])

    def _group(self, answer: "OwnAnswer") -> str:
        return say("exploratory.group", answer.group, subgroup_text(self.explored.own))


def subgroup_text(own: "OwnQuestion") -> str:
    """Return by what a subgroup is made, in words; empty where nobody is left out."""
    return say("exploratory.subgroup", own.subgroup_facts()) if own.subgroup else ""


def own_view(namespace: Mapping[str, object]) -> OwnView:
    """Return the answers to the question that the notebook's parameters ask, and show what they are not.

    Parameters
    ----------
    namespace
        The notebook's ``globals()``: ``study``, ``data``, ``outcome``, ``horizon_months``, ``subgroup``, ``left_out``
        (`pipeline.exploratory.OwnQuestion`).

    Raises
    ------
    BadInput
        With every mistake of the question, or every problem of the study's input.
    """
    # What reads and estimates takes seconds to import: the other notebooks do not wait for it.
    from analysis.pipeline.exploratory import OwnQuestion, explore
    from analysis.pipeline.opened import open_study

    close(namespace, "own")
    given = parameters_of(namespace, OWN_PARAMETERS)
    own = OwnQuestion(given["outcome"], given["horizon_months"], given["subgroup"], given["left_out"])
    with progress() as under_way:
        under_way.say("reading and checking the data")
        explored = explore(open_study(given["study"], given["data"] or None), own, under_way.say)
        left_out = ", ".join(name.replace("_", " ") for name in own.left_out)
        about = (outcome_name(own.outcome), own.horizon_months, subgroup_text(own), left_out)
        under_way.become(Markdown(say("exploratory.about", *about)))
    return OwnView(explored)
