"""Which studies there are, and a picker that shows any of them without code."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from IPython.display import Markdown, display

from analysis.notebook.frames import NumbersFrame
from analysis.notebook.opening import opened_view
from analysis.notebook.parameters import PARAMETERS, parameters_of
from analysis.plan.errors import BadInput
from analysis.plan.hypotheses import load_plan
from analysis.plan.paths import data_dir, reports_dir, study_folders
from analysis.plan.read_study import load_study
from analysis.report.index import read_index_entry
from analysis.report.template import say

if TYPE_CHECKING:
    from ipywidgets import VBox

ALL_ANSWERS = "All answers"
COLUMNS = ("study", "title", "design", "participants", "reported")


def studies(data: str = "") -> NumbersFrame:
    """Return the studies in the data folder, one a row, by name.

    Columns: ``study``, ``title``, ``design`` (how people came into its programs), ``participants`` (the most that an
    answer is about, rounded; missing without a report, or where nothing may be shown) and ``reported`` (the day).
    """
    rows = [_about(folder) for folder in study_folders(data_dir(data or None))]
    return NumbersFrame(pd.DataFrame(rows, columns=list(COLUMNS)).astype({"participants": "Int64"}))


def _about(folder: Path) -> dict[str, object]:
    entry = read_index_entry(reports_dir() / folder.name)
    sizes = [fact.get("n") for fact in entry.verdicts]
    found: dict[str, object] = {"study": folder.name, "reported": entry.created or None}
    found["participants"] = max((n for n in sizes if n is not None), default=None)
    try:
        study = load_study(folder.name, folder.parent)
    except BadInput:
        return found | {"title": f"study.yaml has mistakes: mentoring check {folder.name}", "design": None}
    designs = dict.fromkeys(say("headings.design", program.assignment.value) for program in study.programs)
    return found | {"title": study.page_title, "design": ", ".join(designs)}


def picker(namespace: Mapping[str, object]) -> "VBox":
    """Return two lists to choose from, a study and a question, and below them the answers.

    Parameters
    ----------
    namespace
        The notebook's ``globals()``: ``study`` is chosen first.

    Raises
    ------
    BadInput
        The parameters are misspelt, or there is no such study.
    """
    # Widgets are of use in a notebook alone.
    from ipywidgets import Dropdown, Output, VBox

    given = parameters_of(namespace, PARAMETERS)
    there = studies(given["data"])
    load_study(given["study"], data_dir(given["data"] or None))
    study = Dropdown(
        options=[(f"{one.title} ({one.study})", one.study) for one in there.itertuples()],
        value=given["study"],
        description="Study",
        layout={"width": "34em"},
    )
    titles = {h.title: h.id for h in load_plan().hypotheses}
    question = Dropdown(options={ALL_ANSWERS: ""} | titles, description="Question", layout={"width": "34em"})
    shown = Output()

    def show(_: object = None) -> None:
        shown.clear_output()
        with shown:
            _show(study.value, given["data"], question.value)

    for choice in (study, question):
        choice.observe(show, names="value")
    show()
    return VBox([study, question, shown])


def _show(study: str, data: str, hypothesis: str) -> None:
    """Show a study's answers to a question, or all of its answers in a table; a mistake of its input in a line each."""
    try:
        view = opened_view(study, data)
    except BadInput as bad:
        display(Markdown("\n".join(f"- {problem}" for problem in bad.problems)))
        return
    if hypothesis:
        view.answer(hypothesis)
        view.course(hypothesis)
    else:
        display(view.answers())
    folder = reports_dir() / study
    if (folder / "index.html").is_file():
        display(Markdown(f"The whole report: `{folder.name}/index.html` in the folder of reports."))
    else:
        display(Markdown(f"There is no report of this study yet: `mentoring report {study}` makes it."))
