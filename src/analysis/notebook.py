"""What a notebook needs: its parameters checked, its study opened and answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from IPython.display import Markdown, display

from analysis.pipeline import answer, open_study
from analysis.plan.errors import BadInput
from analysis.plan.results import Finding
from analysis.release.answer import Released
from analysis.report.execute import check_parameters

# Every notebook of the project has these parameters and no others.
PARAMETERS = {"study": "", "data": ""}
SHELL = {"In", "Out", "exit", "quit", "open", "get_ipython"}


@dataclass(frozen=True)
class ReadingRoom:
    """What a notebook shows: everything in it has passed disclosure control."""

    released: Released

    def findings(self, hypothesis: str) -> list[Finding]:
        """Return the findings of one hypothesis, by program and role."""
        return [f for f in self.released.findings if f.hypothesis == hypothesis]


def reading_room(namespace: Mapping[str, object]) -> ReadingRoom:
    """Return the study that the notebook's parameters name; shows its title, which says when data are simulated.

    Parameters
    ----------
    namespace
        The notebook's ``globals()``. A name in it that is no parameter is a misspelt one, which papermill would only
        warn of before running on with the default study.

    Raises
    ------
    BadInput
        The parameters are misspelt, missing or of a wrong type, or the study's input is bad.
    """
    given = {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and name not in SHELL and not callable(value) and not isinstance(value, ModuleType)
    }
    check_parameters(given, PARAMETERS, "this notebook")
    if not given["study"]:
        raise BadInput([])
    opened = open_study(given["study"], given["data"] or None)
    display(Markdown(f"## {opened.study.page_title}"))
    return ReadingRoom(answer(opened))
