"""A study in a notebook: its answers to read, in blocks, and to go on with, as numbers, frames and figures."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.notebook import frames
from analysis.notebook.figures import ALSO_CALLED, Figures, all_figures
from analysis.notebook.figures import COLUMNS as FIGURE_COLUMNS
from analysis.notebook.frames import NumbersFrame
from analysis.notebook.parameters import THIS
from analysis.notebook.views import Views
from analysis.plan.contradictions import did_you_mean
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.results import Finding
from analysis.report import prose
from analysis.report.pictures import Pictures


def _unknown(what: str, name: str, known: Iterable[str]) -> BadInput:
    """Return the mistake of a name that is not there, with the nearest that is."""
    names = list(known)
    near = did_you_mean(name, names) or f"; there is {', '.join(dict.fromkeys(names))}"
    return bad_input(THIS, f"there is no {what} {name!r}{near}", rule="parameters")


@dataclass(frozen=True)
class StudyView(Views):
    """One study, answered: everything in it has passed disclosure control."""

    def __repr__(self) -> str:
        n = len(self.released.findings)
        return f"Study {self.study.study}: {self.study.page_title}, {n} answers; see answers(), frames(), figures()"

    # --- blocks: what stands under one heading of a notebook, for every program and role ------------------------------

    def who(self, hypothesis: str) -> None:
        """Show who could be compared, and for how many of them something was not recorded."""
        self.show(hypothesis, where("flow", self.flow), where("missing", self.missing))

    def alike(self, hypothesis: str) -> None:
        """Show how alike the groups are, and whether everyone has comparators like them."""
        self.show(hypothesis, *(where(kind, self.picture(kind)) for kind in ("balance", "overlap")))

    def answer(self, hypothesis: str) -> None:
        """Show what the study could have seen, then what it saw, the verdict, and the main row."""
        self.show(hypothesis, prose.detectable_sentence, self.sentence, prose.verdict_sentence, self.main_row)

    def course(self, hypothesis: str) -> None:
        """Show both groups over time: how many had the event, or their mean scores."""
        self.show(hypothesis, *(where(kind, self.picture(kind)) for kind in ("curves", "trajectories")))

    def beside_naive(self, hypothesis: str) -> None:
        """Show the figure that people quote, and what is left of it."""
        self.show(hypothesis, self.picture("ladder"), prose.naive_sentence, needs=("curves", "trajectories"))

    def assumptions(self, hypothesis: str) -> None:
        """Show what was seen of the assumptions, and the comparisons that should show nothing."""
        event_study = where("event_study", self.picture("event_study"))
        self.show(hypothesis, event_study, self.checks, self.controls, self.untestable)

    def alternatives(self, hypothesis: str) -> None:
        """Show the same question with other defensible choices, in a picture and in numbers."""
        self.show(hypothesis, self.robustness_plot, self.ways)

    def responders(self, hypothesis: str) -> None:
        """Show who answered, and what could be true of the silent."""
        response, silent = (where(kind, self.picture(kind)) for kind in ("response", "delta"))
        balance = where("balance_response", self.response_balance)
        self.show(hypothesis, response, self.answering, self.asked, silent, balance, needs=("response",))

    # --- to go on with ------------------------------------------------------------------------------------------------

    def answers(self) -> NumbersFrame:
        """Return the main row of every finding, one per program, role and hypothesis, as numbers, with its verdict."""
        return frames.answers(self.released.findings)

    def estimates(self) -> NumbersFrame:
        """Return the estimates ledger, one row a number that the study claims, as numbers, with verdicts."""
        return frames.estimates(self.released.findings)

    def frames(self) -> pd.DataFrame:
        """Return what `frame` gives, one row a name: about the study or about which hypotheses."""
        names = dict.fromkeys(self.released.described, "the study")
        for finding in self.released.findings:
            for name in finding.evidence:
                names[name] = ", ".join(dict.fromkeys([*filter(None, [names.get(name)]), finding.hypothesis]))
        return pd.DataFrame(sorted(names.items()), columns=["frame", "about"])

    def frame(self, name: str, **about: str) -> NumbersFrame:
        """Return a frame by its name, as numbers; evidence of several findings says in front whose each row is.

        Parameters
        ----------
        about
            ``program``, ``role`` or ``hypothesis``, where not all of them are wanted.

        Raises
        ------
        BadInput
            There is no such frame.
        """
        if name in self.released.described:
            return frames.described(self.released.described, name)
        chosen = [f for f in self._about(about) if name in f.evidence]
        if not chosen:
            raise _unknown("frame", name, self.frames()["frame"])
        return frames.evidence(chosen, name)

    def figures(self) -> pd.DataFrame:
        """Return what `figure` gives, one row a figure: its name, its kind and what it is about."""
        return pd.DataFrame([about for about, _ in all_figures(self.released).values()], columns=list(FIGURE_COLUMNS))

    def figure(self, name: str, **about: str) -> Figures:
        """Return the figure of a name, or those of a kind; shown as such, or saved with ``.save("love.svg")``.

        Parameters
        ----------
        about
            ``program``, ``role`` or ``hypothesis``, where not all figures of the kind are wanted.

        Raises
        ------
        BadInput
            There is no such figure.
        """
        self._about(about)
        kind, found = ALSO_CALLED.get(name, name), all_figures(self.released)
        chosen: Pictures = {}
        for told, pictures in found.values():
            if kind in (told["figure"], told["kind"]) and all(told.get(key) == value for key, value in about.items()):
                chosen |= pictures
        if not chosen:
            known = [name for told, _ in found.values() for name in (told["kind"], told["figure"])]
            raise _unknown("figure", name, [*known, *ALSO_CALLED])
        return Figures(chosen)

    def _about(self, about: Mapping[str, str]) -> list[Finding]:
        """Return the findings of a program, role or hypothesis.

        Raises
        ------
        BadInput
            Something else is asked for, or there is no such program, role or hypothesis.
        """
        found = list(self.released.findings)
        for key, value in about.items():
            if key not in frames.WHOSE:
                raise _unknown("choice", key, frames.WHOSE)
            known = dict.fromkeys(getattr(finding, key) for finding in found)
            if value not in known:
                raise _unknown(key, value, known)
            found = [finding for finding in found if getattr(finding, key) == value]
        return found


def where(name: str, view: Callable[[Finding], object]) -> Callable[[Finding], object]:
    """Return a view of the findings that have a frame of evidence; None of the others."""
    return lambda finding: view(finding) if name in finding.evidence else None
