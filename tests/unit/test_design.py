"""Analysis sets of invented employees: who is compared with whom, from when, until when."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from studies import write_study

from analysis.design.lottery import build_lottery
from analysis.design.panels import Panels
from analysis.design.references import ever_vs_never
from analysis.design.trials import build_trials
from analysis.measure.employment import ONE_DAY, add_months, months_since
from analysis.measure.scales import self_scores
from analysis.pipeline import OpenStudy, answer, open_study

pytestmark = pytest.mark.usefixtures("original_ids")

JOBS = """\
    employee_id,effective_date,job_level,department
    E1,2019-01-01,1,North
    E2,2019-01-01,1,North
    E3,2019-01-01,1,South
    E4,2019-01-01,1,South
    E5,2019-01-01,6,South
    """


def opened(folder: Path, employees: str, enrolments: str, jobs: str | None = JOBS, **study) -> OpenStudy:
    tables = {"employees": employees, "enrolments": enrolments} | ({"jobs": jobs} if jobs else {})
    write_study(folder / "acme", tables, **study)
    return open_study("acme", folder)


def trial_rows(company: OpenStudy, role: str = "mentor") -> pd.DataFrame:
    program = company.study.programs[0]
    return build_trials(company.tables, company.study, program, role, {}).rows


def people(rows: pd.DataFrame) -> list[tuple[str, str, bool]]:
    return [(str(r.trial_date.date()), r.employee_id, bool(r.is_treated)) for r in rows.itertuples()]


EVERYBODY_STAYS = """\
    employee_id,hire_date,exit_date,exit_type,notice_date
    E1,2019-01-01,,,
    E2,2019-01-01,,,
    E3,2019-01-01,,,
    E4,2019-01-01,,,
    E5,2019-01-01,,,
    """


def test_on_each_start_day_the_starter_meets_those_who_could_have_started(tmp_path):
    """E1 starts in March, E2 in June; E5's level is not the mentors'. In June E1 is no comparator: he has started."""
    rows = trial_rows(
        opened(
            tmp_path,
            EVERYBODY_STAYS,
            """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-07
        genius,2022-03-01,E2,mentor,2022-06-06
        """,
        )
    )
    assert people(rows) == [
        ("2022-03-07", "E1", True),
        ("2022-03-07", "E2", False),
        ("2022-03-07", "E3", False),
        ("2022-03-07", "E4", False),
        ("2022-06-06", "E2", True),
        ("2022-06-06", "E3", False),
        ("2022-06-06", "E4", False),
    ]
    waiting = rows[(rows["trial"] == 0) & (rows["employee_id"] == "E2")].iloc[0]
    assert waiting["months"] == pytest.approx(months_since(pd.Timestamp("2022-03-07"), [pd.Timestamp("2022-06-06")])[0])
    assert pd.isna(waiting["outcome"]), "a comparator is censored at his own start"


def test_no_day_before_the_start_is_credited_to_the_program(tmp_path):
    """E2 was taken in March and resigned before his start in June: he never counts as treated, and his exit counts."""
    employees = EVERYBODY_STAYS.replace("E2,2019-01-01,,,", "E2,2019-01-01,2022-05-20,voluntary,")
    company = opened(
        tmp_path,
        employees,
        """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-07
        genius,2022-03-01,E2,mentor,2022-06-06
        """,
    )
    rows = trial_rows(company)
    assert ("2022-06-06", "E2", True) not in people(rows)
    left = rows[(rows["trial"] == 0) & (rows["employee_id"] == "E2")].iloc[0]
    assert left["outcome"] == "voluntary_exit" and not left["is_treated"]
    flow = build_trials(company.tables, company.study, company.study.programs[0], "mentor", {}).flow.set_index("step")
    assert flow.loc["not employed that day", "n_people"] == 1 and flow.loc["analysed", "n_people"] == 1


def test_whoever_has_given_notice_is_neither_treated_nor_compared(tmp_path):
    employees = EVERYBODY_STAYS.replace("E1,2019-01-01,,,", "E1,2019-01-01,2022-04-30,voluntary,2022-03-01").replace(
        "E3,2019-01-01,,,", "E3,2019-01-01,2022-06-30,voluntary,2022-03-02"
    )
    rows = trial_rows(
        opened(
            tmp_path,
            employees,
            """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-07
        genius,2022-03-01,E2,mentor,2022-03-07
        """,
        )
    )
    assert people(rows) == [("2022-03-07", "E2", True), ("2022-03-07", "E4", False)]


def test_someone_who_comes_back_is_compared_again_and_a_past_starter_is_not(tmp_path):
    """E1 started, left and came back; E4 left and came back; both are employed when E2 starts in 2024."""
    employees = EVERYBODY_STAYS.replace(
        "E1,2019-01-01,,,", "E1,2019-01-01,2022-12-31,voluntary,\n    E1,2023-06-01,,,"
    ).replace("E4,2019-01-01,,,", "E4,2019-01-01,2022-01-31,voluntary,\n    E4,2023-06-01,,,")
    rows = trial_rows(
        opened(
            tmp_path,
            employees,
            """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-07
        genius,2024-01-01,E2,mentor,2024-01-08
        """,
        )
    )
    assert [row for row in people(rows) if row[0] == "2024-01-08"] == [
        ("2024-01-08", "E2", True),
        ("2024-01-08", "E3", False),
        ("2024-01-08", "E4", False),
    ]


def test_tenure_and_level_decide_who_may_start(tmp_path):
    employees = EVERYBODY_STAYS.replace("E4,2019-01-01", "E4,2022-02-20")
    program = {
        "id": "genius",
        "name": "Genius",
        "direction": "reverse",
        "format": "pair",
        "assignment": "self_selected",
        "eligibility": {"mentor": {"job_level": [1, 3], "min_tenure_days": 90}},
    }
    rows = trial_rows(
        opened(
            tmp_path,
            employees,
            """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-07
        """,
            programs=[program],
        )
    )
    assert people(rows) == [("2022-03-07", "E1", True), ("2022-03-07", "E2", False), ("2022-03-07", "E3", False)]


ROLLOUT = {"id": "genius", "name": "Genius", "direction": "reverse", "format": "pair", "assignment": "rollout"}


def test_in_a_rollout_comparators_are_in_units_not_yet_reached(tmp_path):
    """The North is reached in March, the South in September: until then, and no longer, the South compares."""
    rows = trial_rows(
        opened(
            tmp_path,
            EVERYBODY_STAYS,
            """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-07
        genius,2022-09-01,E3,mentor,2022-09-07
        """,
            programs=[ROLLOUT],
        )
    )
    assert people(rows) == [("2022-03-07", "E1", True), ("2022-03-07", "E3", False), ("2022-03-07", "E4", False)]
    assert rows.loc[~rows["is_treated"], "months"].tolist() == [6.0, 6.0]


def test_a_rollout_everywhere_on_one_day_leaves_nobody_to_compare(tmp_path):
    company = opened(
        tmp_path,
        EVERYBODY_STAYS,
        """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-07
        genius,2022-03-01,E3,mentor,2022-03-07
        """,
        programs=[ROLLOUT],
    )
    trials = build_trials(company.tables, company.study, company.study.programs[0], "mentor", {})
    assert trials.rows.empty
    assert trials.flow.set_index("step").loc["no colleague to compare with that day", "n_people"] == 2


def test_a_horizon_is_the_same_day_so_many_months_on():
    zero = pd.Timestamp("2024-01-31")
    days = pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-31", "2025-01-31", None])
    assert months_since(zero, days).tolist() == [0.0, 1.0, 2.0, 12.0, np.inf]


def test_the_last_day_before_the_horizon_counts_and_the_horizon_itself_does_not(tmp_path):
    employees = EVERYBODY_STAYS.replace("E1,2019-01-01,,,", "E1,2019-01-01,2023-03-06,voluntary,").replace(
        "E2,2019-01-01,,,", "E2,2019-01-01,2023-03-07,voluntary,"
    )
    rows = trial_rows(
        opened(
            tmp_path,
            employees,
            """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-07
        genius,2022-03-01,E2,mentor,2022-03-07
        """,
        )
    ).set_index("employee_id")
    assert rows.loc["E1", "months"] == 12.0 and rows.loc["E2", "months"] > 12.0


def test_ever_against_never_holds_the_immortal_time_that_trials_leave_out(tmp_path):
    """E2 leaves before anybody starts: the dashboard counts him among the never mentored, from the launch on."""
    employees = EVERYBODY_STAYS.replace("E2,2019-01-01,,,", "E2,2019-01-01,2022-04-10,voluntary,")
    company = opened(
        tmp_path,
        employees,
        """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-06-06
        """,
    )
    program = company.study.programs[0]
    slide = ever_vs_never(company.tables, company.study, program, "mentor").set_index("employee_id")
    assert slide["is_treated"].to_dict() == {"E1": True, "E2": False, "E3": False, "E4": False}
    assert slide.loc["E2", "outcome"] == "voluntary_exit"
    assert "E2" not in set(trial_rows(company)["employee_id"])


LOTTERY = {"id": "genius", "name": "Genius", "direction": "reverse", "format": "pair", "assignment": "lottery"}


def test_the_lottery_compares_as_drawn_and_drops_an_intake_without_both_arms(tmp_path):
    """E1 was offered and never came; E2 was not offered; E3's intake took everybody; E4 had left before it opened."""
    employees = EVERYBODY_STAYS.replace("E4,2019-01-01,,,", "E4,2019-01-01,2022-01-31,voluntary,")
    company = opened(
        tmp_path,
        employees,
        """\
        program_id,intake_date,employee_id,role,offered,start_date
        genius,2022-03-01,E1,mentor,true,
        genius,2022-03-01,E2,mentor,false,
        genius,2022-03-01,E4,mentor,false,
        genius,2022-09-01,E3,mentor,true,2022-09-05
        genius,2022-09-01,E5,mentor,,
        """,
        programs=[LOTTERY],
    )
    lottery = build_lottery(company.tables, company.study, company.study.programs[0], "mentor", {})
    assert [(r.employee_id, r.is_offered, r.is_started) for r in lottery.rows.itertuples()] == [
        ("E1", True, False),
        ("E2", False, False),
    ]
    flow = lottery.flow.set_index("step")
    assert flow.loc["not employed on the intake day"].tolist() == [0, 1]
    assert flow.loc["intake without both arms"].tolist() == [1, 0]


def test_a_change_is_measured_across_the_start_against_those_who_had_not_started(tmp_path):
    """E1 starts between waves 1 and 2; E3 starts only after wave 2; E2 never answered wave 1."""
    write_study(
        tmp_path / "acme",
        {
            "employees": EVERYBODY_STAYS,
            "jobs": JOBS,
            "enrolments": """\
            program_id,intake_date,employee_id,role,start_date
            genius,2022-03-01,E1,mentor,2022-06-06
            genius,2023-03-01,E3,mentor,2023-06-06
            """,
            "waves": """\
            wave,instrument,opens,closes
            1,mini,2022-03-01,2022-03-14
            2,mini,2022-09-01,2022-09-14
            """,
            "responses": """\
            employee_id,wave,instrument,item,value
            E1,1,mini,m1,2
            E1,2,mini,m1,4
            E2,2,mini,m1,5
            E3,1,mini,m1,3
            E3,2,mini,m1,3
            E4,1,mini,m1,4
            E4,2,mini,m1,5
            """,
        },
    )
    company = open_study("acme", tmp_path)
    scores = self_scores("morale", company.tables, company.instruments)
    panel = Panels(company.tables, company.study, company.study.programs[0], "mentor").after(scores)
    assert [(r.employee_id, r.is_treated, r.before, r.after) for r in panel.rows.itertuples()] == [
        ("E1", True, 2, 4),
        ("E3", False, 3, 3),
        ("E4", False, 4, 5),
    ]
    assert panel.flow.set_index("step").loc["in the comparison"].tolist() == [1, 3]


def test_counting_months_agrees_with_adding_them():
    """Whatever day follow-up begins, h months later is h, the day before is less, and the day after is more."""
    for zero in pd.date_range("2023-11-25", "2024-03-05"):
        horizon = [add_months(zero, h) for h in range(1, 30)]
        np.testing.assert_allclose(months_since(zero, pd.DatetimeIndex(horizon)), np.arange(1, 30))
        before = months_since(zero, pd.DatetimeIndex(horizon) - ONE_DAY)
        assert (before < np.arange(1, 30)).all() and (np.diff(before) > 0).all()


def test_a_wait_list_is_read_off_no_later_than_its_own_start(tmp_path):
    """Twelve are offered a place in March, twelve wait until October: six months can be read off, twelve cannot."""
    ids = [f"E{i}" for i in range(1, 25)]
    employees = "employee_id,hire_date,exit_date\n" + "".join(f"{i},2019-01-01,\n" for i in ids)
    enrolments = "program_id,intake_date,employee_id,role,offered,start_date\n" + "".join(
        f"genius,2022-03-01,{i},mentor,{'true,2022-03-07' if n < 12 else 'false,2022-10-03'}\n"
        for n, i in enumerate(ids)
    )
    employees = employees.replace("E20,2019-01-01,", "E20,2019-01-01,2022-05-31")
    company = opened(
        tmp_path,
        employees,
        enrolments,
        jobs=None,
        programs=[LOTTERY | {"assignment": "waitlist"}],
        horizons_months=[6, 12],
    )
    rows = [e for f in answer(company).findings if f.hypothesis == "H1_retention" for e in f.estimates]
    main = {e.horizon_months: e for e in rows if e.analysis == "primary"}
    assert main[6].estimate == round(-1 / 12, 3)
    assert main[12].status == "not_estimable" and "wait-list" in main[12].reason


def test_an_exit_on_the_last_day_before_a_limit_still_counts(tmp_path):
    """E2 leaves on the data lock itself; E3 on the day before his own start would have been."""
    employees = EVERYBODY_STAYS.replace("E2,2019-01-01,,,", "E2,2019-01-01,2024-12-31,voluntary,").replace(
        "E3,2019-01-01,,,", "E3,2019-01-01,2022-06-05,voluntary,"
    )
    enrolments = """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-07
        genius,2022-03-01,E3,mentor,2022-06-06
        """
    rows = trial_rows(opened(tmp_path, employees, enrolments, as_of="2024-12-31")).set_index("employee_id")
    assert rows.loc["E2", "outcome"] == rows.loc["E3", "outcome"] == "voluntary_exit"
