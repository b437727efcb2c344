"""Inputs that once stopped the whole report: each is answered, or refused with its reason."""

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from faulty_company import company, put_in, write_company
from studies import TINY_COMPANY, write_study
from test_staggered import drawn_curve

from analysis import cli
from analysis.design.covariates import DesignMatrix, balance_by_quarter
from analysis.estimate import answer_change, by_scores
from analysis.estimate.event_study import HonestBounds
from analysis.ingest.ids import key_file, load_key
from analysis.measure.employment import job_value_at
from analysis.notebook import StudyView
from analysis.pipeline import answer, open_study
from analysis.pipeline.described import describe
from analysis.report.page import figure_files
from analysis.report.private import private_dir, write_private
from analysis.report.write import write_answers


def test_the_lines_of_people_who_are_not_on_record_are_beside_the_report_and_not_for_notebooks(tmp_path, monkeypatch):
    """Nearly every real study has a row about somebody who is not in the HR file."""
    tables = TINY_COMPANY | {"sessions": TINY_COMPANY["sessions"] + "        M9,2022-08-20,45\n"}
    write_study(tmp_path / "data" / "acme", tables)
    opened = open_study("acme", tmp_path / "data")

    lost = replace(opened.problems[0], rule="unmatched_person", source="raw/a.csv", rows=2, lines=np.array([3, 7]))
    problems = (*opened.problems, replace(lost, example_rows=(3, 7)))
    released = answer(replace(opened, problems=problems))
    assert all(problem.lines is None and problem.example_rows == () for problem in released.problems)
    monkeypatch.setattr("analysis.report.write.figure_files", lambda released: {})
    monkeypatch.setattr("analysis.report.page.all_pictures", lambda released: {})
    folder = tmp_path / "report"
    folder.mkdir()
    write_answers(released, folder)
    assert not (folder / "unmatched.csv").exists()
    ledger = pd.read_csv(folder / "data_quality.csv").set_index("rule").loc["unmatched_person"]
    assert ledger[["rows", "example_rows"]].isna().all(axis=None)
    write_private(problems, private := private_dir(tmp_path, "acme"))
    unmatched = pd.read_csv(private / "unmatched.csv")
    assert unmatched[["source", "line"]].to_numpy().tolist() == [["raw/a.csv", 3], ["raw/a.csv", 7]]


def test_every_answer_of_a_survey_rejected_leaves_who_is_in_the_data(tmp_path):
    """The ids are those of another system."""
    tables = company(n=20, n_started=4)
    tables["responses"] = tables["responses"].replace("\nP", "\nS")
    write_study(tmp_path / "acme", tables, study_start="2021-01-01", as_of="2024-12-31")
    opened = open_study("acme", tmp_path)
    assert opened.tables.responses is None
    frames = describe(opened)
    assert "response_rates" not in frames and {"exit_rates", "coverage", "participation"} <= set(frames)


def test_of_nobody_there_is_no_job():
    """Everybody had gone before the study's start: an empty column of days has no type that fits the jobs'."""
    jobs = pd.DataFrame({"employee_id": ["E1"], "effective_date": pd.to_datetime(["2020-01-01"]), "job_level": [2.0]})
    nobody = pd.Series([], dtype=object)
    assert job_value_at(jobs, "job_level", nobody, nobody).empty
    one = job_value_at(jobs, "job_level", pd.Series(["E1"]), pd.Series(pd.to_datetime(["2021-05-01"])))
    assert one.tolist() == [2.0]


def test_where_nothing_is_recorded_no_quarter_has_a_worst_covariate():
    """Four people without jobs or demographics."""
    nothing = DesignMatrix(np.zeros((4, 0)), (), pd.DataFrame(index=range(4)), {})
    rows = pd.DataFrame(
        {
            "employee_id": ["E1", "E2", "E3", "E4"],
            "is_treated": [True, True, False, False],
            "trial": 0,
            "trial_date": pd.to_datetime(["2022-01-10"] * 4),
        }
    )
    quarters = balance_by_quarter(nothing, rows, np.ones(4))
    assert quarters.empty and "covariate" in quarters


def test_one_earlier_wave_gives_bounds_by_a_straight_line():
    """A drift of −b before the start goes on as +b after it: the estimate is the sum of both, its error their sum's."""
    curve = drawn_curve(0.01 * np.eye(2), [-1, 1], [0.1, 0.3])
    bounds = HonestBounds(curve)
    low, high = bounds.smoothness(0.0)
    assert (low + high) / 2 == pytest.approx(0.4)
    assert high - low == pytest.approx(2 * np.sqrt(2) * (bounds.relative_magnitudes(0.0)[1] - 0.3), rel=1e-6)
    wider = bounds.smoothness(0.1)
    assert wider[0] < low and wider[1] > high


def test_never_enrolled_people_who_all_changed_alike_give_no_row(monkeypatch):
    panel = SimpleNamespace(
        everyone=pd.DataFrame({"is_later_starter": [False, True]}), rows=[1, 2], take=lambda keep: never
    )
    never = SimpleNamespace(rows=[1])
    monkeypatch.setattr(answer_change, "has_both_arms", lambda panel: True)
    monkeypatch.setattr(by_scores, "estimate_change", lambda question, measured: None)
    assert (
        list(answer_change.against_never_enrolled(by_scores.ByScores(None, by_scores.ScaleScores(panel), None))) == []
    )


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A company that nobody leaves and where nobody is promoted; what stands beside the answer is not asked for."""
    folder = tmp_path_factory.mktemp("quiet")
    events = [{"date": day, "label": "merger"} for day in ("1900-01-01", "2010-05-01", "2022-05-01", "2100-12-31")]
    settings = {"n": 60, "n_started": 24, "leaves": 0, "is_surveyed": False, "is_mentors_only": True}
    write_company(folder, events=events, **settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.pipeline.events.BESIDE", ())
        return answer(open_study("acme", folder))


def test_no_event_of_a_kind_is_not_estimable_and_its_notebook_says_so(quiet):
    assert quiet.faults == ()
    for hypothesis in ("H1_retention", "H8_promotion"):
        found = next(f for f in quiet.findings if f.hypothesis == hypothesis)
        assert found.primary.reason == "No such event in either arm within 12 months."
        for kind in ("ladder", "curves"):
            assert StudyView(quiet).picture(kind)(found) == f"*There is nothing to draw ({kind}).*"


@pytest.mark.filterwarnings("error")
def test_events_outside_the_period_observed_are_not_drawn(quiet):
    assert "exit_rates.svg" not in figure_files(quiet), "with rates that are all masked nothing is drawn"
    rates = quiet.described["exit_rates"].assign(voluntary_exit_per_100=5.0)
    shown = replace(quiet, described=quiet.described | {"exit_rates": rates})
    files = figure_files(shown)
    assert "exit_rates.svg" in files
    inside = [e for e in quiet.study.events if quiet.study.study_start <= e.date <= quiet.study.as_of]
    assert [e.date for e in inside] == [dt.date(2022, 5, 1)]
    only = quiet.study.model_copy(update={"events": inside})

    assert figure_files(replace(shown, study=only))["exit_rates.svg"] == files["exit_rates.svg"]


def test_a_frame_that_a_fault_took_away_is_said_in_the_notebook(quiet, capsys, monkeypatch, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        put_in(patch, ["analysis.pipeline.described.coverage", "analysis.pipeline.released.retention"])
        patch.setattr("analysis.pipeline.released.job_event", lambda comparison, hypothesis: quiet.findings[0])
        settings = {"n": 20, "n_started": 4, "leaves": 0, "is_surveyed": False}
        write_company(tmp_path, **settings)
        released = answer(open_study("acme", tmp_path))
    shown = []
    monkeypatch.setattr("analysis.notebook.views.display", lambda given: shown.append(given.data))
    StudyView(released).described("coverage")
    assert len(shown) == 1 and "fault in this program (see faults.log" in shown[0]
    main = next(f for f in released.findings if f.hypothesis == "H1_retention")
    assert "fault in this program" in StudyView(released).sentence(main)


def test_a_user_without_a_home_folder_gets_one_for_the_run(monkeypatch):
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("MENTORING_KEY", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setattr(Path, "home", nowhere)
    assert key_file() is None and len(load_key()) == 32
    with cli._with_home():
        assert Path(os.environ["HOME"]).is_dir()
    assert os.environ["HOME"] == "/nowhere"
