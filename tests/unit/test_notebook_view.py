"""What a researcher goes on with in a notebook: short texts, frames of numbers, figures by name, all studies."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from IPython.display import Markdown
from studies import TINY_COMPANY, write_study
from test_report import examined, morale, promotion, released, retention, without_costs

from analysis.answers.cache import AnswerCache
from analysis.notebook import StudyView, choosing, picker, studies
from analysis.notebook.figures import ALSO_CALLED
from analysis.notebook.frames import NumbersFrame
from analysis.notebook.not_open import NotOpen, close
from analysis.notebook.progress import Progress, progress
from analysis.notebook.showing import NOTHING, show_each
from analysis.plan.errors import BadInput
from analysis.runs.made_from import answered_from


@pytest.fixture
def view() -> StudyView:
    return StudyView(released(examined(), promotion(), morale(), without_costs()))


# --- short


def test_a_study_tells_of_itself_in_a_line(view):
    assert repr(view) == "Study acme: Acme, 4 answers; see answers(), frames(), figures()"


# --- frames of numbers


def test_every_main_row_can_be_told_apart(view):
    rows = view.answers()
    assert len(rows) == 4 and not rows.duplicated(["program", "role", "hypothesis"]).any()
    assert list(rows["verdict"]) == [finding.verdict for finding in view.released.findings]


def test_numbers_are_numbers_on_the_ledgers_scale_and_are_shown_in_units(view):
    rows = view.estimates()
    assert len(rows) == sum(len(finding.estimates) for finding in view.released.findings)
    assert rows["estimate"].dtype == np.float64 and rows["n_treated"].dtype == "Int64"
    main = rows[rows["row"] == view.released.findings[0].primary.row]
    assert main["estimate"].item() == -0.0441
    html = main._repr_html_()
    assert "−4.4" in html and "[" not in html and "percentage points" in html and "-0.0441" not in html
    assert isinstance(main, NumbersFrame) and isinstance(rows.head(2), NumbersFrame)
    assert "0.0441" in main.to_csv()


def test_a_frame_without_its_measure_or_with_other_columns_is_shown_too(view):
    part = view.answers()[["estimate", "verdict"]].assign(
        double=lambda f: 2 * f["estimate"], day=pd.Timestamp("2024-05-01")
    )
    html = part._repr_html_()
    assert "−0.0882" in html and "2024-05-01" in html
    assert "&lt;b&gt;" in NumbersFrame({"text": ["<b>"]})._repr_html_()


def test_a_long_frame_is_shown_in_part_and_says_so():
    assert "60 of 1,000 rows" in NumbersFrame({"n": range(1000)})._repr_html_()


def test_frames_are_found_by_name_with_whose_each_row_is(view):
    names = set(view.frames()["frame"])
    assert {"balance", "curves", "trajectories", "participation", "exit_rates"} <= names
    balance = view.frame("balance")
    assert list(balance.columns[:3]) == ["program", "role", "hypothesis"] and len(balance) == 4
    assert len(view.frame("balance", hypothesis="H8_promotion")) == 2
    assert view.frame("exit_rates").equals(view.released.described["exit_rates"])
    changed = view.frame("exit_rates")
    changed["year"] = 0
    assert view.frame("exit_rates")["year"].iloc[0] == 2021
    for name in names:
        assert len(view.frame(name)) >= 0


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda view: view.frame("balence"), "there is no frame 'balence'; did you mean balance?"),
        (lambda view: view.frame("balance", hypothesis="H1_retentoin"), "did you mean H1_retention?"),
        (lambda view: view.frame("balance", rolle="mentor"), "there is no choice 'rolle'; did you mean role?"),
        (lambda view: view.frame("balance", hypothesis="H2_morale"), "there is no frame 'balance'"),
        (lambda view: view.figure("love_plto"), "there is no figure 'love_plto'; did you mean love_plot?"),
        (lambda view: view.figure("balance", role="mentee"), "there is no role 'mentee'; did you mean mentor?"),
    ],
)
def test_a_wrong_name_is_answered_by_the_nearest(view, ask, told):
    with pytest.raises(BadInput) as caught:
        ask(view)
    [line] = caught.value._render_traceback_()
    assert told in line


# --- figures by name


def test_figures_are_found_by_kind_by_the_fields_name_and_by_their_own(view):
    kinds = view.figures()
    assert list(kinds.columns) == ["figure", "kind", "program", "role", "hypothesis"]
    assert len(view.figure("balance")) == 2 and len(view.figure("balance", hypothesis="H1_retention")) == 1
    assert repr(view.figure("love_plot")) == repr(view.figure("balance"))
    [own] = kinds.loc[(kinds["kind"] == "balance") & (kinds["hypothesis"] == "H1_retention"), "figure"]
    assert len(view.figure(own)) == 1
    assert ALSO_CALLED["love_plot"] == "balance" and len(set(ALSO_CALLED)) == len(ALSO_CALLED)
    for name in kinds["figure"]:
        assert len(view.figure(name)) == 1


BEGINS = {".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF"}


@pytest.mark.parametrize("ending", BEGINS)
def test_a_figure_is_saved_as_its_ending_says(view, tmp_path, ending):
    one = view.figure("love_plot", hypothesis="H1_retention").save(tmp_path / f"love{ending}")
    assert one == [tmp_path / f"love{ending}"] and BEGINS[ending] in one[0].read_bytes()[:200]
    first = one[0].read_bytes()
    assert view.figure("love_plot", hypothesis="H1_retention").save(one[0])[0].read_bytes() == first


def test_several_figures_are_several_files(view, tmp_path):
    written = view.figure("love_plot").save(tmp_path / "love.svg")
    assert len(written) == 2 and all(path.is_file() for path in written)
    assert {path.name for path in written} == {
        "love-genius-mentor-H1_retention-balance.svg",
        "love-genius-mentor-H8_promotion-balance.svg",
    }


def test_another_ending_and_a_folder_that_is_not_there_are_told(view, tmp_path):
    with pytest.raises(BadInput, match="must end in"):
        view.figure("curves").save(tmp_path / "love.jpg")
    with pytest.raises(BadInput, match="cannot be written"):
        view.figure("curves").save(tmp_path / "nowhere" / "love.svg")
    assert list(tmp_path.iterdir()) == []


# --- blocks


@pytest.fixture
def shown(monkeypatch) -> list[object]:
    found: list[object] = []
    monkeypatch.setattr("analysis.notebook.showing.display", lambda one: found.append(getattr(one, "data", one)))
    return found


def test_what_is_the_same_for_every_answer_stands_once(shown):
    table = pd.DataFrame({"a": [1]})
    show_each(["mentors", "mentees"], [["one", table, "same"], ["other", table.copy(), "same"]])
    assert [s for s in shown if isinstance(s, str)] == [
        "### mentors",
        "one",
        "### mentees",
        "other",
        "### mentors; mentees",
        "same",
    ]
    assert sum(isinstance(s, pd.DataFrame) for s in shown) == 1


def test_one_answer_stands_under_its_own_heading_and_none_is_said(shown):
    show_each(["mentors", "mentees"], [[None, "one"], [None, None]])
    assert shown == ["### mentors", "one"]
    shown.clear()
    show_each([], [])
    assert shown == [NOTHING]


def test_blocks_show_every_kind_of_finding(view, shown):
    for hypothesis in ("H1_retention", "H8_promotion", "H2_morale", "H9_economics"):
        for block in (view.who, view.alike, view.answer, view.course, view.beside_naive, view.assumptions):
            block(hypothesis)
        view.alternatives(hypothesis)
        view.responders(hypothesis)
    assert any("mentor" in str(one) for one in shown)


# --- nothing of an earlier study


def test_a_study_that_could_not_be_opened_is_none(view):
    namespace = {"view": view, "own": 1, "kept": view}
    close(namespace)
    assert isinstance(namespace["view"], NotOpen) and namespace["kept"] is view
    with pytest.raises(BadInput, match="no study is open"):
        namespace["view"].answers()
    close(namespace, "own")
    close(namespace, "nothing")
    assert namespace["own"] == 1 and "nothing" not in namespace
    assert "NotOpen" in repr(namespace["view"])


# --- progress


def test_elsewhere_than_in_a_notebook_each_stage_is_a_plain_line(capsys):
    with progress() as under_way:
        under_way.say("reading")
        under_way.say("estimating")
    assert capsys.readouterr().err.splitlines() == ["reading (0 s so far)", "estimating (0 s so far)"]


class Handle:
    def __init__(self, shown: list[str]):
        self.shown = shown

    def update(self, given: Markdown) -> None:
        self.shown[-1] = given.data


def test_in_a_notebook_one_line_changes_and_gives_its_place_to_the_title(monkeypatch):
    shown: list[str] = []

    def display(given: Markdown, display_id: bool = False) -> Handle:
        shown.append(given.data)
        return Handle(shown)

    monkeypatch.setattr("analysis.notebook.progress._in_notebook", lambda: True)
    monkeypatch.setattr("analysis.notebook.progress.display", display)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    with progress() as nobody_looks_on:
        nobody_looks_on.say("reading")
    assert shown == []
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/07_summary.ipynb")
    monkeypatch.setattr("analysis.notebook.progress.SECONDS_BETWEEN", -1)
    with progress() as under_way:
        under_way.say("reading")
        under_way.say("estimating")
        assert shown == ["*estimating (0 s so far)*"]
        under_way.become(Markdown("## Acme"))
    assert shown == ["## Acme"]
    with pytest.raises(ValueError), progress() as under_way:
        under_way.say("reading")
        raise ValueError
    assert shown == ["## Acme", ""]
    Progress().become(Markdown("at once"))
    assert shown[-1] == "at once"


# --- which studies there are


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    for name in ("acme", "bolt"):
        write_study(tmp_path / "data" / name, TINY_COMPANY, title=f"The {name} company")
    monkeypatch.setenv("MENTORING_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MENTORING_REPORTS", str(tmp_path / "reports"))
    return tmp_path / "data"


def test_studies_are_listed_with_title_and_design_one_that_cannot_be_read_too(data):
    (data / "bolt" / "study.yaml").write_text("title: [")
    found = studies()
    assert list(found["study"]) == ["acme", "bolt"] and found["participants"].isna().all()
    assert found["title"].tolist() == ["The acme company", "study.yaml has mistakes: mentoring check bolt"]
    assert found["design"].tolist()[0] == "self-selected"


def test_the_picker_shows_the_chosen_study_and_question(data, monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr("analysis.notebook.choosing._show", lambda *chosen: seen.append(" ".join(chosen)))
    study, question, _ = picker({"study": "acme", "data": ""}).children
    assert [value for _, value in study.options] == ["acme", "bolt"] and seen == ["acme  "]
    study.value = "bolt"
    question.value = "H2_morale"
    assert seen[1:] == ["bolt  ", "bolt  H2_morale"]


def test_the_picker_refuses_a_study_that_is_not_there(data):
    with pytest.raises(BadInput, match="did you mean acme"):
        picker({"study": "acmee", "data": ""})


def test_what_the_picker_shows_is_the_kept_answer(data, monkeypatch):
    AnswerCache(data.parent / "reports").keep(released(retention()), answered_from(data / "acme"))
    shown: list[object] = []
    monkeypatch.setattr(choosing, "display", lambda one: shown.append(getattr(one, "data", one)))
    choosing._show("acme", "", "")
    assert isinstance(shown[0], NumbersFrame) and "mentoring report acme" in shown[1]
    (data / "acme" / "study.yaml").write_text("title: [")
    shown.clear()
    choosing._show("acme", "", "")
    assert len(shown) == 1 and "study.yaml" in shown[0]


SLOW = ("analysis.pipeline", "nbformat", "seaborn", "scipy.stats", "ipywidgets")


def test_opening_a_kept_answer_imports_nothing_that_estimates():
    """What is needed to compute takes seconds to import."""
    code = f"import sys, analysis.notebook; print([m for m in {SLOW} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"
