"""A notebook's study, opened by its parameters and answered."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
from IPython.display import Markdown, display

from analysis.notebook.not_open import close
from analysis.notebook.parameters import PARAMETERS, SCALES_PARAMETERS, parameters_of
from analysis.notebook.progress import progress
from analysis.notebook.view import StudyView
from analysis.plan.faults import LOG
from analysis.plan.hypotheses import load_plan
from analysis.release.answer import Released
from analysis.runs.answers import Say, answered, planned

if TYPE_CHECKING:
    from analysis.notebook.planning_view import PlanningView
    from analysis.release.planning import ReleasedPlan

Found = TypeVar("Found", "Released", "ReleasedPlan")


def study_view(namespace: Mapping[str, object]) -> StudyView:
    """Return the study that the notebook's parameters name; shows its title, which says when data are simulated.

    Where its answer is in the cache nothing is computed; else a line says how far it is.

    Parameters
    ----------
    namespace
        The notebook's ``globals()``; what is neither a parameter nor given by papermill is the notebook's own.

    Raises
    ------
    BadInput
        The parameters are misspelt, missing or of a wrong type, or the study's input is bad.
    """
    close(namespace)
    parameters = parameters_of(namespace, PARAMETERS)
    return opened_view(parameters["study"], parameters["data"])


def opened_view(study: str, data: str = "") -> StudyView:
    """Return a study by its name; as `study_view`."""
    return _view(_found(answered, {"study": study, "data": data}))


def scales_view(namespace: Mapping[str, object]) -> StudyView:
    """Return the study and show which scale hypothesis the parameter ``hypothesis`` names; as `study_view`."""
    close(namespace)
    parameters = parameters_of(namespace, SCALES_PARAMETERS)
    released = _found(answered, parameters)
    hypothesis = load_plan().hypothesis(parameters["hypothesis"])
    display(Markdown(f"### {hypothesis.title}\n\n{hypothesis.question}\n\n**Estimand.** {hypothesis.estimand}"))
    return _view(released)


def planning_view(namespace: Mapping[str, object]) -> "PlanningView":
    """Return the plan of the study that the notebook's parameters name; as `study_view`."""
    # What plans takes a second to import, and one notebook shows it.
    from analysis.notebook.planning_view import PlanningView

    close(namespace)
    return PlanningView(_found(planned, parameters_of(namespace, PARAMETERS)))


def _found(find: Callable[[str, str | None, Say], Found], parameters: Mapping[str, Any]) -> Found:
    """Return what is found of a study, under its title; while it is computed, how far it is stands there."""
    with progress() as under_way:
        found = find(parameters["study"], parameters["data"] or None, under_way.say)
        # A sentence in a table is there to be read to its end.
        pd.set_option("display.max_colwidth", None)
        under_way.become(Markdown(f"## {found.study.page_title}"))
    return found


def _view(released: Released) -> StudyView:
    """Return the study, opened and answered; what a fault of this program took away is said at the top."""
    if released.faults:
        listed = "\n".join(f"- {fault}" for fault in released.faults)
        display(Markdown(f"**Incomplete: a fault in this program.** See {LOG}.\n\n{listed}"))
    return StudyView(released)
