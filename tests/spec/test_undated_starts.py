"""People of whom a list says that they started, and not when: neither treated nor comparators, and counted."""

from pathlib import Path

import pytest
import yaml
from studies import STUDY, write_study

from analysis.design.eligibility import enrolment_funnel
from analysis.design.panels import Panels
from analysis.design.starts import UNDATED
from analysis.design.trials import build_trials
from analysis.estimate.by_trials import why_no_trial
from analysis.measure.scales import self_scores
from analysis.pipeline import OpenStudy, open_study
from analysis.pipeline.released import find

pytestmark = pytest.mark.usefixtures("original_ids")

PROGRAM = STUDY["programs"][0]
BOTH = [PROGRAM, PROGRAM | {"id": "academy", "name": "Academy"}]
IDS = [f"E{n}" for n in range(1, 9)]
E1_STARTS = "genius,2022-10-01,E1,mentor,2022-10-03"


def company(folder: Path, *enrolled: str, **study) -> OpenStudy:
    """Return eight people of one level, two waves that all answer, and who started what."""
    tables = {
        "employees": "\n".join(["employee_id,hire_date,exit_date", *(f"{i},2019-01-01," for i in IDS)]),
        "jobs": "\n".join(
            ["employee_id,effective_date,job_level,department", *(f"{i},2019-01-01,1,North" for i in IDS)]
        ),
        "enrolments": "\n".join(["program_id,intake_date,employee_id,role,start_date", E1_STARTS, *enrolled]),
        "waves": "wave,instrument,opens,closes\n1,mini,2022-09-01,2022-09-14\n2,mini,2023-03-01,2023-03-14",
        "responses": "\n".join(
            ["employee_id,wave,instrument,item,value", *(f"{i},{w},mini,m1,{w + 1}" for i in IDS for w in (1, 2))]
        ),
    }
    write_study(folder / "acme", tables, **{"programs": BOTH, **study})
    return open_study("acme", folder)


def start_of(cell: str, person: str = "E2", program: str = "genius") -> str:
    return f"{program},2022-10-01,{person},mentor,{cell}"


def flow(opened: OpenStudy):
    """Return the trials of mentors, and their flow by step."""
    trials = build_trials(opened.tables, opened.study, opened.study.programs[0], "mentor", {})
    return trials.rows, trials.flow.set_index("step")["n_people"]


@pytest.mark.parametrize("cell", ["tbc", "TBD", "n/a", "Spring 2023", "Q3 2022", "2022-13-45", "yes"])
def test_a_start_that_is_no_day_is_told_and_its_person_is_in_neither_arm(tmp_path, cell):
    opened = company(tmp_path, start_of(cell))
    told = [problem for problem in opened.problems if problem.rule == "undated_start"]
    assert [(p.severity, p.source, p.example_rows) for p in told] == [("warning", "raw/enrolments.csv", (3,))]
    assert all(cell not in p.message for p in opened.problems), "a cell's text is nobody's business"
    rows, steps = flow(opened.dated)
    assert set(rows.loc[rows["is_treated"], "employee_id"]) == {"E1"}
    assert set(rows.loc[~rows["is_treated"], "employee_id"]) == set(IDS) - {"E1", "E2"}
    assert (steps["started"], steps[UNDATED], steps["analysed"]) == (2, 1, 1)


def test_an_empty_start_is_one_who_never_started(tmp_path):
    opened = company(tmp_path, start_of(""))
    assert opened.dated is opened
    assert "E2" in set(flow(opened)[0]["employee_id"])


def test_neither_are_they_in_the_comparison_of_scores(tmp_path):
    opened = company(tmp_path, start_of("tbc")).dated
    scores = self_scores("morale", opened.tables, opened.instruments)
    panel = Panels(opened.tables, opened.study, opened.study.programs[0], "mentor").after(scores)
    assert set(panel.rows["employee_id"]) == set(IDS) - {"E2"}
    steps = panel.flow.set_index("step")["n_treated"]
    assert steps["started at any time, and their colleagues"] == 2
    assert steps["started in the period observed, and their colleagues"] == 1


def test_who_started_another_program_on_an_unknown_day_is_no_comparator_either(tmp_path):
    rows, steps = flow(company(tmp_path, start_of("tbc", "E3", "academy")).dated)
    assert "E3" not in set(rows["employee_id"])
    assert steps["started"] == 1 and UNDATED not in steps, "E3 never started the program asked about"


def test_a_second_start_without_a_day_leaves_its_person_out_and_counts_once(tmp_path):
    opened = company(tmp_path, start_of("2022-10-04"), "genius,2023-10-01,E2,mentor,tbc").dated
    rows, steps = flow(opened)
    assert "E2" not in set(rows["employee_id"])
    assert (steps["started"], steps[UNDATED], steps["analysed"]) == (2, 1, 1)


def test_where_no_start_has_a_day_the_reason_says_so(tmp_path):
    company(tmp_path)
    file = tmp_path / "acme" / "raw" / "enrolments.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("2022-10-03", "autumn 2022"), encoding="utf-8")
    opened = open_study("acme", tmp_path)
    trials = build_trials(opened.dated.tables, opened.study, opened.study.programs[0], "mentor", {})
    assert "of none of them on which day" in why_no_trial(trials)


def test_stages_less_losses_stay_the_next_stage(tmp_path):
    opened = company(tmp_path, start_of("tbc"))
    way = enrolment_funnel(opened.tables, opened.study, opened.study.programs[0], "mentor").set_index("step")[
        "n_people"
    ]
    assert (way["enrolled"], way["did not start"], way["started"]) == (2, 0, 2)


def test_lots_decide_without_the_start_and_keep_everybody(tmp_path):
    """Four of eight win a place; of one of them the start has no day."""
    company(tmp_path)
    rows = [
        f"genius,2022-10-01,{i},mentor,{str(n < 4).lower()},{'tbc' if n == 0 else '2022-10-03' if n < 4 else ''}"
        for n, i in enumerate(IDS)
    ]
    header = "program_id,intake_date,employee_id,role,offered,start_date"
    list_of_lots = "\n".join([header, *rows, ""])
    (tmp_path / "acme" / "raw" / "enrolments.csv").write_text(list_of_lots, encoding="utf-8")
    text = (tmp_path / "acme" / "study.yaml").read_text(encoding="utf-8")
    drawn = text.replace("assignment: self_selected", "assignment: lottery", 1)
    (tmp_path / "acme" / "study.yaml").write_text(drawn, encoding="utf-8")
    opened = open_study("acme", tmp_path)
    steps = find(opened)[0].evidence["flow"].set_index("step")
    assert (steps.loc["analysed", "n_treated"], steps.loc["analysed", "n_control"]) == (4, 4)
    assert set(opened.dated.tables.employees["employee_id"]) == set(IDS[1:])


def test_a_list_without_intakes_keeps_its_people(tmp_path):
    """A sheet of pairs by id. Nothing tells the second pair's intake, and without a row its people never started."""
    company(tmp_path)
    sheet = "Mentor ID,Mentee ID,Start\nE1,E2,2022-10-03\nE3,E4,Spring 2023\n"
    (tmp_path / "acme" / "raw" / "pairs.csv").write_text(sheet, encoding="utf-8")
    file = tmp_path / "acme" / "study.yaml"
    study = yaml.safe_load(file.read_text(encoding="utf-8"))
    study["sources"] = [s for s in study["sources"] if s["table"] != "enrolments"]
    study["sources"].append({"table": "enrolments", "path": "raw/pairs.csv", "profile": "pairs", "program": "genius"})
    file.write_text(yaml.safe_dump(study), encoding="utf-8")
    opened = open_study("acme", tmp_path)
    assert set(opened.tables.enrolments["employee_id"]) == {"E1", "E2", "E3", "E4"}
    rows, steps = flow(opened.dated)
    assert set(rows["employee_id"]) == {"E1", *IDS[4:]}
    assert (steps["started"], steps[UNDATED], steps["analysed"]) == (2, 1, 1)


def test_of_a_start_without_a_day_no_check_says_that_there_was_none(tmp_path):
    write_study(
        tmp_path / "acme",
        {
            "employees": "employee_id,hire_date,exit_date\nE1,2019-01-01,\nE2,2019-01-01,",
            "enrolments": "program_id,intake_date,employee_id,role,start_date,end_date,status\n"
            "genius,2022-10-01,E1,mentor,tbc,2023-03-01,completed\ngenius,2022-10-01,E2,mentor,,2023-03-01,completed",
        },
        programs=BOTH,
    )
    told = {p.rule: p.example_rows for p in open_study("acme", tmp_path).problems}
    assert (told["end_without_start"], told["status_started"], told["undated_start"]) == ((3,), (3,), (2,))
